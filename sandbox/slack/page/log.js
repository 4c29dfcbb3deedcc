// What went over the wire: deliveries to the app with their acknowledgement, calls by the app with problems.

import { get, node } from "/static/api.js";

const json = (value) => JSON.stringify(value, null, 2);

function row(one, me) {
  const delivery = one.kind !== undefined;
  const failed = delivery ? !one.ok || one.problems.length : !one.ok;
  const took = delivery ? one.ack_ms : one.ms;
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: me.tz }).format(one.at * 1000);
  const note = delivery ? one.failure : one.error;
  return node("details", { class: `entry${failed ? " failed" : ""}` },
    node("summary", {},
      node("span", { class: "when" }, time),
      node("span", { class: `way ${delivery ? "in" : "out"}` }, delivery ? "→ app" : "← app"),
      node("span", { class: "what" }, node("strong", {}, delivery ? one.kind : one.method), " ", delivery ? one.summary : one.args.channel ?? one.args.user_id ?? ""),
      node("span", { class: "note" }, delivery && one.attempt > 1 ? `attempt ${one.attempt} ` : "", note),
      node("span", { class: `took${delivery && took >= 1000 ? " slow" : ""}` }, `${took < 10 ? took.toFixed(1) : Math.round(took)} ms`),
      node("span", { class: "status" }, one.status || "—")),
    one.problems.length ? node("ul", { class: "problems" }, one.problems.map((problem) => node("li", {}, problem))) : null,
    node("pre", { tabindex: "0" }, json(delivery ? one.body : one.args)),
    delivery && one.answer ? node("pre", { tabindex: "0" }, one.answer) : null);
}

export async function renderLog(container, app) {
  const log = await get("/control/slack/log");
  const all = [...log.deliveries, ...log.calls].sort((a, b) => b.id - a.id).slice(0, 400);
  const acks = log.deliveries.filter((one) => one.ok).map((one) => one.ack_ms).sort((a, b) => a - b);
  const at = (share) => (acks.length ? `${acks[Math.min(acks.length - 1, Math.floor(acks.length * share))].toFixed(1)} ms` : "—");
  const open = new Set([...container.querySelectorAll("details[open]")].map((one) => one.dataset.id));
  container.replaceChildren(
    node("div", { class: "figures" },
      [["Deliveries", log.deliveries.length], ["Calls", log.calls.length], ["Median ack", at(0.5)], ["Slowest 1 %", at(0.99)], ["Problems", log.problems.length]].map(([label, value]) =>
        node("div", { class: "figure" }, node("strong", {}, String(value)), node("span", {}, label)))),
    all.length ? node("div", { class: "entries" }, all.map((one) => {
      const made = row(one, app.me);
      made.dataset.id = String(one.id);
      made.open = open.has(made.dataset.id);
      return made;
    })) : node("p", { class: "empty" }, "Nothing has gone over the wire yet."));
}
