// The list of messages in a conversation or thread; nodes are kept as long as their message is unchanged.

import { act, node } from "/static/api.js";
import { renderBlocks } from "/static/blocks.js";
import { emoji, mrkdwn } from "/static/mrkdwn.js";

const SLACKBOT = { id: "USLACKBOT", name: "slackbot", real_name: "Slackbot", bot: true };
const HUES = { U0MEI: 344, U0LIN: 28, U0ALEX: 212, U0SAM: 152, U0KIM: 266, U0BOT: 192, USLACKBOT: 220 };

export function avatar(person) {
  const initial = person.id === "U0BOT" ? "G" : [...(person.real_name ?? "?")][0];
  return node("span", { class: `avatar${person.bot ? " bot" : ""}`, style: `--hue:${HUES[person.id] ?? 96}`, "aria-hidden": "true" }, initial);
}

const clock = (ts, me) => new Intl.DateTimeFormat(me.locale, { hour: "2-digit", minute: "2-digit", timeZone: me.tz }).format(ts * 1000);
const day = (ts, me) => new Intl.DateTimeFormat("en-CA", { timeZone: me.tz }).format(ts * 1000);
const longDay = (ts, me) => new Intl.DateTimeFormat(me.locale, { weekday: "long", month: "long", day: "numeric", timeZone: me.tz }).format(ts * 1000);

function tools(message, app, inThread) {
  const shortcut = ({ callback_id, label }) => node("button", { type: "button", class: "tool", title: label, onclick: () => app.report(act("shortcut", { as: app.who, callback_id, channel: message.channel, ts: message.ts })) }, label);
  const shown = message.ephemeral ? [] : [
    inThread ? null : node("button", { type: "button", class: "tool", onclick: () => app.openThread(message.thread_ts ?? message.ts) }, "Reply in thread"),
    ...app.directory.message_shortcuts.map(shortcut),
  ];
  return node("div", { class: "tools", role: "group", "aria-label": "Message actions" }, shown,
    node("button", { type: "button", class: "tool", onclick: () => app.report(act("delete_message", { as: app.who, channel: message.channel, ts: message.ts })) }, message.ephemeral ? "Dismiss" : "Delete"));
}

function contextOf(message, app) {
  const where = { as: app.who, channel: message.channel, ts: message.ts };
  return {
    ...app.context(),
    where,
    states: message.state,
    warnings: message.warnings,
    use: (block, element, value) => app.report(act("click", { ...where, block_id: block.block_id, action_id: element.action_id, value })),
    fill: (block, element, value) => act("click", { ...where, block_id: block.block_id, action_id: element.action_id, value }),
  };
}

function body(message, app) {
  const context = contextOf(message, app);
  const parts = [message.blocks?.length ? renderBlocks(message.blocks, context) : mrkdwn(message.text, context)];
  for (const file of message.files ?? []) {
    parts.push(/\.(png|jpe?g|gif|svg|webp)$/i.test(file.name)
      ? node("figure", { class: "b-image" }, node("figcaption", {}, file.title), node("img", { src: new URL(file.url_private).pathname, alt: file.alt_txt || file.title }))
      : node("p", {}, node("a", { href: new URL(file.url_private).pathname }, file.title)));
  }
  return parts;
}

function render(message, app, { compact, inThread, replies }) {
  const person = app.people.get(message.user) ?? SLACKBOT;
  const reactions = Object.values(message.reactions ?? {});
  const item = node("article", { class: `message${compact ? " compact" : ""}${message.ephemeral ? " ephemeral" : ""}`, "data-ts": message.ts, "aria-label": `${person.real_name}, ${clock(message.ts, app.me)}` },
    compact ? node("span", { class: "gutter" }, clock(message.ts, app.me)) : avatar(person),
    node("div", { class: "content" },
      compact ? null : node("div", { class: "byline" }, node("strong", {}, person.real_name), person.bot ? node("span", { class: "badge" }, "APP") : null, node("time", {}, clock(message.ts, app.me)),
        message.ephemeral ? node("span", { class: "only-you" }, "Only visible to you") : null),
      message.subtype === "thread_broadcast" && !inThread ? node("button", { type: "button", class: "thread-link", onclick: () => app.openThread(message.thread_ts) }, "replied to a thread") : null,
      node("div", { class: "words", lang: app.me.locale }, body(message, app)),
      message.edited ? node("span", { class: "edited" }, "(edited)") : null,
      reactions.length ? node("div", { class: "reactions" }, reactions.map((one) => node("span", { class: "reaction" }, `${emoji(one.name)} ${one.count}`))) : null,
      !inThread && replies ? node("button", { type: "button", class: "replies", onclick: () => app.openThread(message.ts) }, replies === 1 ? "1 reply" : `${replies} replies`) : null),
    tools(message, app, inThread));
  return item;
}

// Keeps one container in step with a list of messages.
export class MessageList {
  constructor(container) {
    this.container = container;
    this.known = new Map();
  }

  clear() {
    this.known.clear();
    this.container.replaceChildren();
  }

  show(messages, app, { inThread = false, counts = new Map(), empty = null } = {}) {
    const wanted = [];
    const fresh = new Map();
    const focused = document.activeElement?.dataset?.key;
    const holder = focused && this.container.contains(document.activeElement) ? document.activeElement.closest("[data-ts]")?.dataset.ts : null;
    let before = null;
    for (const message of messages) {
      if (!before || day(before.ts, app.me) !== day(message.ts, app.me)) wanted.push(this.#day(message, app, fresh));
      const compact = Boolean(before && wanted.at(-1).dataset.ts && before.user === message.user && before.ephemeral === message.ephemeral && message.ts - before.ts < 300);
      const replies = counts.get(message.ts) ?? 0;
      const stamp = `${message.version}/${compact}/${replies}/${app.me.id}`;
      const kept = this.known.get(message.ts);
      const made = kept?.stamp === stamp ? kept.made : render(message, app, { compact, inThread, replies });
      fresh.set(message.ts, { stamp, made });
      wanted.push(made);
      before = message;
    }
    this.known = fresh;
    if (!wanted.length && empty) wanted.push(empty);
    const now = [...this.container.children];
    if (now.length !== wanted.length || wanted.some((made, index) => made !== now[index])) {
      wanted.forEach((made, index) => {
        if (this.container.children[index] !== made) this.container.insertBefore(made, this.container.children[index] ?? null);
      });
      while (this.container.children.length > wanted.length) this.container.lastChild.remove();
    }
    if (holder && !this.container.contains(document.activeElement)) {
      this.container.querySelector(`[data-ts="${holder}"] [data-key="${CSS.escape(focused)}"]`)?.focus();
    }
  }

  #day(message, app, fresh) {
    const name = `day/${day(message.ts, app.me)}/${app.me.id}`;
    const made = this.known.get(name)?.made ?? node("div", { class: "day", role: "separator", lang: app.me.locale }, node("span", {}, longDay(message.ts, app.me)));
    fresh.set(name, { stamp: "", made });
    return made;
  }
}
