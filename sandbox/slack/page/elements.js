// Interactive elements. Each calls `use(value)` when a person acts; inputs in modals also keep a draft.

import { act, node } from "/static/api.js";
import { emoji, textObject } from "/static/mrkdwn.js";

const plain = (object) => (object ? object.text.replace(/:([a-z0-9_+'-]+):/g, (_, name) => emoji(name)) : "");

// Asks before acting, when the element says so.
export async function confirmed(element) {
  if (!element.confirm) return true;
  const dialog = document.getElementById("confirm");
  const { title, text, confirm, deny, style } = element.confirm;
  return new Promise((done) => {
    const close = (answer) => {
      dialog.close();
      dialog.oncancel = null;
      done(answer);
    };
    dialog.replaceChildren(
      node("header", { class: "modal-head" }, node("h2", { id: "confirm-title" }, plain(title))),
      node("div", { class: "modal-body" }, textObject(text, { people: new Map(), channels: new Map() })),
      node("footer", { class: "modal-foot" },
        node("button", { class: "button", type: "button", onclick: () => close(false) }, plain(deny)),
        node("button", { class: `button ${style === "danger" ? "danger" : "primary"}`, type: "button", onclick: () => close(true) }, plain(confirm))),
    );
    dialog.oncancel = () => close(false);
    dialog.showModal();
  });
}

function button(element, context) {
  const classes = ["button", element.style ?? ""].join(" ").trim();
  const label = plain(element.text);
  const aria = { "aria-label": element.accessibility_label, "data-key": `${context.block.block_id}/${element.action_id}` };
  const press = async (event) => {
    const target = event.currentTarget;
    if (element.url) {
      if (element.confirm) event.preventDefault();
      if (!(await confirmed(element))) return;
      if (element.confirm) window.open(element.url, "_blank", "noopener");
      context.use(element, undefined);
      return;
    }
    if (!(await confirmed(element))) return;
    target.classList.add("busy");
    target.setAttribute("aria-busy", "true");
    await context.use(element, undefined);
    target.classList.remove("busy");
    target.removeAttribute("aria-busy");
  };
  const made = element.url
    ? node("a", { class: classes, href: element.url, target: "_blank", rel: "noopener noreferrer", onclick: press, ...aria }, label, node("span", { class: "out", "aria-hidden": "true" }, "↗"))
    : node("button", { class: classes, type: "button", onclick: press, ...aria }, label);
  const warning = context.warnings?.[element.action_id];
  if (!warning) return made;
  return node("span", { class: "warned" }, made, node("span", { class: "triangle", role: "img", title: warning, "aria-label": warning }, "⚠"));
}

const named = (context, element, extra = {}) => ({
  "aria-label": context.label ? null : plain(element.placeholder) || element.action_id,
  id: context.inputId ?? null,
  "aria-describedby": context.describedBy ?? null,
  "aria-invalid": context.invalid ? "true" : null,
  "data-key": `${context.block.block_id}/${element.action_id}`,
  ...extra,
});

function optionNodes(element, selected) {
  const one = (option) => node("option", { value: option.value, selected: selected.includes(option.value) }, plain(option.text));
  if (element.option_groups) return element.option_groups.map((group) => node("optgroup", { label: plain(group.label) }, group.options.map(one)));
  return (element.options ?? []).map(one);
}

function staticSelect(element, context) {
  const many = element.type.startsWith("multi_");
  const state = context.state;
  const selected = many ? (state?.selected_options ?? []).map((o) => o.value) : [state?.selected_option?.value];
  if (many) return checks({ ...element, options: element.options ?? element.option_groups.flatMap((g) => g.options) }, context, selected, "checkbox");
  const made = node("select", named(context, element, { class: "select" }),
    node("option", { value: "", selected: !selected[0] }, plain(element.placeholder) || "Choose…"), optionNodes(element, selected));
  made.addEventListener("change", async () => {
    if (made.value && (await confirmed(element))) context.use(element, made.value);
    else context.draft?.(element, made.value || null);
  });
  return made;
}

function memberSelect(element, context) {
  const users = element.type.includes("users");
  const pool = users ? [...context.people.values()].filter((p) => !p.bot).map((p) => [p.id, p.real_name]) : [...context.channels.values()].filter((c) => !c.im_with).map((c) => [c.id, `#${c.name}`]);
  const key = Object.keys(context.state ?? {}).find((name) => name.startsWith("selected_"));
  const current = [context.state?.[key] ?? []].flat();
  const many = element.type.startsWith("multi_");
  const made = node("select", named(context, element, { class: "select", multiple: many }),
    many ? null : node("option", { value: "" }, plain(element.placeholder) || "Choose…"),
    pool.map(([id, name]) => node("option", { value: id, selected: current.includes(id) }, name)));
  made.addEventListener("change", () => context.use(element, many ? [...made.selectedOptions].map((o) => o.value) : made.value || null));
  return made;
}

function externalSelect(element, context) {
  const current = context.state?.selected_option;
  const listId = `list-${Math.random().toString(36).slice(2)}`;
  const list = node("datalist", { id: listId });
  const input = node("input", named(context, element, { class: "input", type: "text", list: listId, placeholder: plain(element.placeholder) || "Type to search…", value: current ? plain(current.text) : "", autocomplete: "off" }));
  let offered = current ? [current] : [];
  let timer = 0;
  const ask = async () => {
    if (input.value.length < (element.min_query_length ?? 3)) return;
    const answer = await act("suggest", { ...context.where, action_id: element.action_id, block_id: context.block.block_id, value: input.value });
    offered = answer.options ?? [];
    list.replaceChildren(...offered.map((option) => node("option", { value: plain(option.text) })));
  };
  input.addEventListener("focus", ask);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    const found = offered.find((option) => plain(option.text) === input.value);
    if (found) context.use(element, found);
    else timer = setTimeout(ask, 250);
  });
  return node("span", { class: "external" }, input, list);
}

function checks(element, context, selected, kind) {
  const name = `g-${Math.random().toString(36).slice(2)}`;
  const chosen = new Set(selected);
  return node("div", { class: "choices", role: kind === "radio" ? "radiogroup" : "group", ...named(context, element, { "aria-label": context.label ?? plain(element.placeholder) }) },
    element.options.map((option) =>
      node("label", { class: "choice" },
        node("input", { type: kind, name, value: option.value, checked: chosen.has(option.value), onchange: async (event) => {
          if (kind === "radio") chosen.clear();
          if (event.target.checked) chosen.add(option.value);
          else chosen.delete(option.value);
          if (await confirmed(element)) context.use(element, kind === "radio" ? option.value : [...chosen]);
        } }),
        node("span", {}, node("span", {}, textObject(option.text, context)), option.description ? node("small", {}, textObject(option.description, context)) : null))));
}

function picker(type, key, element, context) {
  const raw = context.state?.[key];
  const value = type === "datetime-local" && raw ? new Date(raw * 1000).toISOString().slice(0, 16) : raw;
  const made = node("input", named(context, element, { class: "input picker", type, value: value ?? "" }));
  made.addEventListener("change", async () => {
    const chosen = type === "datetime-local" ? Math.floor(new Date(`${made.value}Z`) / 1000) : made.value;
    if (await confirmed(element)) context.use(element, made.value ? chosen : null);
  });
  return made;
}

function textInput(element, context) {
  const types = { email_text_input: "email", url_text_input: "url", number_input: "text" };
  const rich = context.state?.rich_text_value?.elements?.[0]?.elements?.[0]?.text;
  const value = context.state?.value ?? rich ?? "";
  const shape = { class: "input", placeholder: plain(element.placeholder) || null, maxlength: element.max_length ?? null, autofocus: element.focus_on_load ?? null };
  const multiline = element.multiline || element.type === "rich_text_input";
  const made = multiline
    ? node("textarea", named(context, element, { ...shape, rows: "4" }), value)
    : node("input", named(context, element, { ...shape, type: types[element.type] ?? "text", inputmode: element.type === "number_input" ? "decimal" : null, value }));
  const wrap = (text) => element.type === "rich_text_input" && text
    ? { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] } : text;
  made.addEventListener("input", () => context.draft?.(element, wrap(made.value) || null));
  made.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !multiline && context.block.dispatch_action && !event.isComposing) {
      event.preventDefault();
      context.use(element, made.value, { now: true });
    }
  });
  return made;
}

function overflow(element, context) {
  const menu = node("details", { class: "overflow" },
    node("summary", { class: "button", "aria-label": "More actions", "data-key": `${context.block.block_id}/${element.action_id}` }, "⋯"),
    node("div", { class: "menu", role: "menu" }, element.options.map((option) =>
      node("button", { type: "button", role: "menuitem", onclick: async () => {
        menu.open = false;
        if (!(await confirmed(element))) return;
        if (option.url) window.open(option.url, "_blank", "noopener");
        context.use(element, option.value);
      } }, plain(option.text), option.description ? node("small", {}, plain(option.description)) : null))));
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      menu.open = false;
      menu.firstChild.focus();
    }
  });
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}

export function image(element) {
  return node("img", { src: element.image_url ?? "", alt: element.alt_text, loading: "lazy", referrerpolicy: "no-referrer" });
}

export function renderElement(element, context) {
  switch (element.type) {
    case "button": case "workflow_button": return button(element, context);
    case "static_select": case "multi_static_select": return staticSelect(element, context);
    case "external_select": case "multi_external_select": return externalSelect(element, context);
    case "radio_buttons": return checks(element, context, [context.state?.selected_option?.value], "radio");
    case "checkboxes": return checks(element, context, (context.state?.selected_options ?? []).map((o) => o.value), "checkbox");
    case "datepicker": return picker("date", "selected_date", element, context);
    case "timepicker": return picker("time", "selected_time", element, context);
    case "datetimepicker": return picker("datetime-local", "selected_date_time", element, context);
    case "overflow": return overflow(element, context);
    case "image": return image(element);
    case "file_input": return node("span", { class: "muted" }, "Files cannot be chosen in the sandbox.");
    default:
      if (element.type.endsWith("_input")) return textInput(element, context);
      return memberSelect(element, context);
  }
}
