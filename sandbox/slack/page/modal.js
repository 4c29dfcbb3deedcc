// The modal on top of a person's stack. What is typed stays in a draft until it is submitted.

import { act, node } from "/static/api.js";
import { renderBlocks } from "/static/blocks.js";

const dialog = document.getElementById("modal");
const drafts = new Map();
let shown = "";
let current = null;

function contextOf(view, app) {
  const where = { as: app.who, view_id: view.id };
  const draft = drafts.get(view.id) ?? new Map();
  drafts.set(view.id, draft);
  return {
    ...app.context(),
    where,
    states: view.state.values,
    warnings: view.warnings,
    errors: view.errors,
    use: (block, element, value) => app.report(act("click", { ...where, block_id: block.block_id, action_id: element.action_id, value })),
    fill: (block, element, value, how = {}) => {
      draft.set(`${block.block_id}\n${element.action_id}`, value);
      const typing = element.type.endsWith("_input");
      if (block.dispatch_action && (!typing || how.now)) app.report(act("click", { ...where, block_id: block.block_id, action_id: element.action_id, value }));
    },
  };
}

function values(view) {
  const found = {};
  for (const [name, value] of drafts.get(view.id) ?? []) {
    const [block, action] = name.split("\n");
    if (view.blocks.some((one) => one.block_id === block)) (found[block] ??= {})[action] = value;
  }
  return found;
}

// Values typed but not yet sent win over what the server knows.
function withDrafts(view) {
  const states = structuredClone(view.state.values);
  for (const [name, value] of drafts.get(view.id) ?? []) {
    const [block, action] = name.split("\n");
    const state = states[block]?.[action];
    if (!state) continue;
    const key = Object.keys(state).find((one) => one !== "type");
    const element = view.blocks.find((one) => one.block_id === block)?.element;
    const options = element?.options ?? element?.option_groups?.flatMap((group) => group.options) ?? [];
    const option = (wanted) => (wanted?.value ? wanted : options.find((one) => one.value === wanted) ?? null);
    if (key === "selected_option") state[key] = option(value);
    else if (key === "selected_options") state[key] = (value ?? []).map(option).filter(Boolean);
    else state[key] = value;
  }
  return { ...view, state: { values: states } };
}

export function showModal(views, app) {
  const view = views.at(-1);
  if (!view) {
    if (dialog.open) dialog.close();
    shown = "";
    current = null;
    drafts.clear();
    return;
  }
  const stamp = JSON.stringify([view.id, view.hash, view.errors, view.warnings, view.notice, app.who]);
  if (stamp === shown && dialog.open) return;
  const moved = current?.id !== view.id;
  shown = stamp;
  current = view;
  const focused = document.activeElement?.dataset?.key;
  const context = contextOf(view, app);
  const drafted = withDrafts(view);
  const close = () => app.report(act("close", { as: app.who, view_id: view.id }));
  const send = node("button", { class: "button primary", disabled: Boolean(view.submit_disabled) }, view.submit?.text ?? "");
  const form = node("form", { class: "modal-form", novalidate: true, lang: app.me.locale },
    node("header", { class: "modal-head" }, node("h2", { id: "modal-title" }, view.title?.text ?? ""),
      node("button", { type: "button", class: "icon", "aria-label": "Close", onclick: close }, views.length > 1 ? "‹" : "✕")),
    node("div", { class: "modal-body", tabindex: "-1" }, renderBlocks(view.blocks, { ...context, states: drafted.state.values })),
    view.notice ? node("p", { class: "notice", role: "alert" }, view.notice) : null,
    node("footer", { class: "modal-foot" },
      node("button", { type: "button", class: "button", onclick: close }, view.close?.text ?? (views.length > 1 ? "Back" : "Close")),
      view.submit ? send : null));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.classList.add("busy");
    await app.report(act("submit", { as: app.who, view_id: view.id, values: values(view) }), { quiet: ["incomplete"] });
    send.classList.remove("busy");
  });
  dialog.oncancel = (event) => {
    event.preventDefault();
    close();
  };
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
  const wrong = dialog.querySelector("[aria-invalid]");
  const before = focused ? dialog.querySelector(`[data-key="${CSS.escape(focused)}"]`) : null;
  if (wrong) (wrong.matches("input,select,textarea") ? wrong : wrong.querySelector("input"))?.focus();
  else if (!moved && before) before.focus();
  else dialog.querySelector(".modal-body :is(input,select,textarea)")?.focus();
}
