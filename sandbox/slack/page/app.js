// The page: who you are, where you are, and what changes. State comes from the control API and nowhere else.

import { act, follow, get, node } from "/static/api.js";
import { renderBlocks } from "/static/blocks.js";
import { clock } from "/static/clock.js";
import { composer } from "/static/composer.js";
import { renderLog } from "/static/log.js";
import { avatar, MessageList } from "/static/messages.js";
import { showModal } from "/static/modal.js";

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);

const app = {
  who: query.get("as") ?? "mei",
  me: null,
  directory: null,
  people: new Map(),
  channels: new Map(),
  messages: new Map(),
  views: [],
  home: null,
  place: "dm",
  thread: null,
  stop: () => {},
  context: () => ({ me: app.me, people: app.people, channels: app.channels }),
  async report(answer, { quiet = [] } = {}) {
    const outcome = await answer;
    if (outcome.ok === false && !quiet.includes(outcome.failure)) {
      const says = [outcome.error ?? outcome.failure, ...(outcome.problems ?? [])].filter(Boolean).join(" · ");
      if (says) toast(says);
    }
    if (outcome.ack_ms) $("ack").textContent = `last ack ${outcome.ack_ms < 10 ? outcome.ack_ms.toFixed(1) : Math.round(outcome.ack_ms)} ms`;
    return outcome;
  },
  openThread(ts) {
    app.thread = ts;
    paintThread(true);
  },
};

const list = new MessageList($("messages"));
let threadList = null;

function toast(text) {
  const made = node("div", { class: "toast" }, text);
  $("toasts").append(made);
  setTimeout(() => made.remove(), 7000);
}

const dmId = () => [...app.channels.values()].find((one) => one.im_with)?.id ?? "";
const channelId = () => (["dm", "home", "log"].includes(app.place) ? dmId() : app.place);

function become(name) {
  app.stop();
  app.who = name;
  app.messages.clear();
  app.views = [];
  app.home = null;
  app.thread = null;
  list.clear();
  const url = new URL(location.href);
  url.searchParams.set("as", name);
  history.replaceState(null, "", url);
  app.stop = follow(name, tell);
}

let showTime = () => {};

function tell(seen, fresh) {
  document.body.classList.toggle("offline", !seen);
  if (!seen) return;
  if (fresh) app.messages.clear();
  const first = app.me?.id !== seen.me.id;
  app.me = seen.me;
  app.channels = new Map(seen.conversations.map((one) => [one.id, one]));
  for (const message of seen.messages) {
    if (message.deleted) app.messages.delete(message.ts);
    else app.messages.set(message.ts, message);
  }
  app.views = seen.views;
  app.home = seen.home;
  app.statuses = seen.statuses;
  showTime();
  if (![...app.channels.keys(), "dm", "home", "log"].includes(app.place)) app.place = "dm";
  paint(first);
}

function paint(first) {
  const scroll = $("scroll");
  const atEnd = first || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  paintSide();
  paintBar();
  paintMain();
  paintThread(false);
  showModal(app.views, app);
  if (atEnd && !["home", "log"].includes(app.place)) scroll.scrollTop = scroll.scrollHeight;
}

function paintSide() {
  const people = app.directory.people.filter((person) => !person.bot);
  const focused = document.activeElement?.dataset?.key;
  $("people").replaceChildren(...people.map((person) =>
    node("button", { type: "button", class: "person", "aria-pressed": String(person.id === app.me.id), "data-key": `person/${person.id}`, onclick: () => become(person.name) },
      avatar(person), node("span", {}, node("strong", {}, person.real_name), node("small", {}, `${person.title} · ${person.locale}`)))));
  const item = (place, label, mark) => node("button", { type: "button", class: "place", "aria-current": app.place === place ? "page" : null, "data-key": `place/${place}`, onclick: () => go(place) }, node("span", { class: "mark", "aria-hidden": "true" }, mark), label);
  $("places").replaceChildren(
    node("h2", {}, "Apps"), item("dm", "Grantdesk", "◆"), item("home", "Grantdesk · Home", "⌂"),
    node("h2", {}, "Channels"), ...[...app.channels.values()].filter((one) => !one.im_with).map((one) => item(one.id, one.name, "#")),
    node("h2", {}, "Behind the scenes"), item("log", "Deliveries and calls", "≡"), node("p", { class: "ack", id: "ack" }, $("ack")?.textContent ?? ""));
  if (focused) document.querySelector(`.side [data-key="${CSS.escape(focused)}"]`)?.focus();
}

function go(place) {
  app.place = place;
  app.thread = null;
  document.body.classList.remove("side-open");
  if (place === "home") app.report(act("open_home", { as: app.who, tab: "home" }));
  paint(true);
  if (["home", "log"].includes(place)) $("scroll").scrollTop = 0;
  else if (matchMedia("(min-width: 760px)").matches) $("composer-text").focus();
}

function paintBar() {
  const channel = app.channels.get(app.place);
  const ours = ["dm", "home"].includes(app.place);
  $("place-name").textContent = channel ? `# ${channel.name}` : app.place === "log" ? "Deliveries and calls" : "Grantdesk";
  $("place-topic").textContent = channel ? `${channel.topic} · ${channel.members.length} members` : app.place === "log" ? "What Slack and the app said to each other" : "App · between you and the bot";
  const tab = (place, label) => node("button", { type: "button", role: "tab", "aria-selected": String(app.place === place), "data-key": `tab/${place}`, onclick: () => go(place) }, label);
  const focused = document.activeElement?.dataset?.key;
  $("tabs").replaceChildren(...(ours ? [tab("home", "Home"), tab("dm", "Messages")] : []));
  if (focused?.startsWith("tab/")) $("tabs").querySelector(`[data-key="${focused}"]`)?.focus();
  document.title = `${$("place-name").textContent} · ${app.me.real_name} · Grantdesk Sandbox`;
}

let homeStamp = "";

function paintHome() {
  const stamp = JSON.stringify([app.home?.hash, app.home?.warnings, app.who]);
  if (homeStamp === stamp && $("messages").querySelector(".home")) return;
  homeStamp = stamp;
  const home = app.home;
  if (!home) {
    $("messages").replaceChildren(node("p", { class: "empty home" }, "The app has not published a home for you yet."));
    return;
  }
  const where = { as: app.who, view_id: home.id };
  const click = (block, element, value) => app.report(act("click", { ...where, block_id: block.block_id, action_id: element.action_id, value }));
  const context = { ...app.context(), where, states: home.state.values, warnings: home.warnings, use: click, fill: click };
  $("messages").replaceChildren(node("div", { class: "home", lang: app.me.locale }, renderBlocks(home.blocks, context)));
}

function welcome() {
  const hello = app.place === "dm"
    ? [node("strong", {}, "This is where you and Grantdesk talk."), node("p", {}, "Type "), ["/store add", "/authstatus", "/faq"]]
    : [node("strong", {}, `This is the beginning of #${app.channels.get(app.place)?.name ?? ""}.`), node("p", {}, "Type / for commands, or mention "), ["@Grantdesk"]];
  const [title, text, offers] = hello;
  const fill = (words) => () => { $("composer-text").value = `${words} `; $("composer-text").focus(); };
  offers.forEach((words, index) => text.append(index ? " or " : "", node("button", { type: "button", class: "offer", onclick: fill(words) }, words)));
  return node("div", { class: "welcome" }, node("span", { class: "team-mark", "aria-hidden": "true" }, "G"), title, text);
}

function paintMain() {
  const plain = !["home", "log"].includes(app.place);
  $("composer").hidden = !plain;
  $("messages").classList.toggle("is-log", app.place === "log");
  if (app.place === "home") return list.known.clear(), paintHome();
  if (app.place === "log") return list.known.clear(), renderLog($("messages"), app);
  const here = [...app.messages.values()].filter((one) => one.channel === channelId()).sort((a, b) => a.ts - b.ts);
  const counts = new Map();
  for (const one of here) if (one.thread_ts && one.thread_ts !== one.ts) counts.set(one.thread_ts, (counts.get(one.thread_ts) ?? 0) + 1);
  list.show(here.filter((one) => !one.thread_ts || one.thread_ts === one.ts || one.subtype === "thread_broadcast"), app, { counts, empty: here.length ? null : welcome() });
  const name = app.channels.get(app.place)?.name;
  $("composer-text").placeholder = name ? `Message #${name}` : "Message Grantdesk or type /";
}

function paintThread(focus) {
  const pane = $("thread");
  const first = app.thread && app.messages.get(app.thread);
  pane.hidden = !app.thread;
  document.body.classList.toggle("threaded", Boolean(app.thread));
  if (!app.thread) {
    threadList = null;
    return;
  }
  if (!threadList || pane.dataset.ts !== app.thread) {
    pane.dataset.ts = app.thread;
    const messages = node("div", { class: "messages" });
    const text = node("textarea", { rows: "1", "aria-label": "Reply", placeholder: "Reply…", id: "thread-text" });
    const form = node("form", { class: "composer" }, text, node("button", { class: "send", "aria-label": "Send the reply" }, "➤"));
    pane.replaceChildren(
      node("header", { class: "bar" }, node("div", { class: "bar-title" }, node("h2", {}, "Thread")), node("button", { type: "button", class: "icon", "aria-label": "Close the thread", onclick: () => { app.thread = null; paintThread(false); } }, "✕")),
      node("div", { class: "scroll" }, messages), form);
    threadList = new MessageList(messages);
    composer({ form, text, list: null, app, place: () => ({ channel: channelId(), thread: app.thread }) });
  }
  const answers = [...app.messages.values()].filter((one) => one.thread_ts === app.thread && one.ts !== app.thread).sort((a, b) => a.ts - b.ts);
  threadList.show([first, ...answers].filter(Boolean), app, { inThread: true });
  const scroll = pane.querySelector(".scroll");
  scroll.scrollTop = scroll.scrollHeight;
  if (focus) $("thread-text").focus();
}

async function start() {
  app.directory = await get("/control/slack/people");
  app.people = new Map(app.directory.people.map((person) => [person.id, person]));
  if (![...app.people.values()].some((person) => person.name === app.who)) app.who = "mei";
  const [place] = location.hash.slice(1).split("/");
  if (place) app.place = place.startsWith("D") ? "dm" : place;
  composer({ form: $("composer"), text: $("composer-text"), list: $("completions"), app, place: () => ({ channel: channelId() }) });
  $("open-side").addEventListener("click", () => document.body.classList.add("side-open"));
  $("close-side").addEventListener("click", () => document.body.classList.remove("side-open"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && app.thread && !document.querySelector("dialog[open]")) app.thread = null, paintThread(false);
  });
  showTime = await clock({ time: $("time"), steps: $("steps"), app });
  become(app.who);
}

start();
