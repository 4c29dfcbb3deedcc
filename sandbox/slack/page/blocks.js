// Block Kit as DOM nodes. A `context` says who looks, and what happens when something is used.

import { node } from "/static/api.js";
import { image, renderElement } from "/static/elements.js";
import { emoji, formatDate, link, mrkdwn, textObject } from "/static/mrkdwn.js";

let numbers = 0;

function inBlock(context, block, element, extra = {}) {
  const state = context.states?.[block.block_id]?.[element.action_id];
  return { ...context, block, state: state ?? null, use: (used, value, how) => context.use(block, used, value, how), ...extra };
}

function section(block, context) {
  const body = node("div", { class: "section-text" }, block.text ? textObject(block.text, context) : null,
    block.fields ? node("div", { class: "fields" }, block.fields.map((field) => node("div", {}, textObject(field, context)))) : null);
  if (!block.accessory) return node("div", { class: "b-section" }, body);
  const kind = block.accessory.type === "image" ? "accessory picture" : "accessory";
  return node("div", { class: "b-section" }, body, node("div", { class: kind }, renderElement(block.accessory, inBlock(context, block, block.accessory))));
}

function contextBlock(block, context) {
  return node("div", { class: "b-context" }, block.elements.map((part) => (part.type === "image" ? image(part) : node("span", {}, textObject(part, context)))));
}

function leaf(part, context) {
  const styled = (inner) => {
    let made = inner;
    for (const [name, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"]]) if (part.style?.[name]) made = node(tag, {}, made);
    return made;
  };
  switch (part.type) {
    case "text": return styled(part.text);
    case "link": return styled(link(part.url, part.text ?? part.url));
    case "emoji": return emoji(part.name);
    case "user": return node("span", { class: "mention" }, `@${context.people.get(part.user_id)?.real_name ?? part.user_id}`);
    case "channel": return node("span", { class: "mention" }, `#${context.channels.get(part.channel_id)?.name ?? part.channel_id}`);
    case "broadcast": return node("span", { class: "mention" }, `@${part.range}`);
    case "date": return formatDate(part.timestamp, part.format ?? "{date}", context.me);
    default: return part.value ?? "";
  }
}

function richText(block, context) {
  const leaves = (part) => part.elements.map((one) => leaf(one, context));
  return node("div", { class: "b-rich" }, block.elements.map((part) => {
    switch (part.type) {
      case "rich_text_list": return node(part.style === "ordered" ? "ol" : "ul", { style: part.indent ? `margin-inline-start:${part.indent * 1.5}em` : null }, part.elements.map((item) => node("li", {}, leaves(item))));
      case "rich_text_preformatted": return node("pre", {}, leaves(part));
      case "rich_text_quote": return node("blockquote", {}, leaves(part));
      default: return node("div", {}, leaves(part));
    }
  }));
}

function input(block, context) {
  const id = `in-${++numbers}`;
  const error = context.errors?.[block.block_id];
  const described = [block.hint ? `${id}-hint` : "", error ? `${id}-error` : ""].join(" ").trim();
  const label = block.label.text;
  const field = renderElement(block.element, inBlock(context, block, block.element, {
    inputId: id, label, describedBy: described || null, invalid: Boolean(error),
    use: (element, value, how) => context.fill(block, element, value, how),
    draft: (element, value) => context.fill(block, element, value),
  }));
  return node("div", { class: `b-input${error ? " wrong" : ""}` },
    node("label", { for: id }, textObject(block.label, context), block.optional ? node("span", { class: "muted" }, " (optional)") : null),
    field,
    error ? node("p", { class: "error", id: `${id}-error` }, error) : null,
    block.hint ? node("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint, context)) : null);
}

function table(block, context) {
  return node("div", { class: "b-table" }, node("table", {}, block.rows.map((row, index) => node("tr", {}, row.map((cell) =>
    node(index ? "td" : "th", {}, cell.type === "rich_text" ? richText(cell, context) : cell.text ?? ""))))));
}

const RENDERERS = {
  section,
  context: contextBlock,
  rich_text: richText,
  input,
  table,
  header: (block, context) => node("h2", { class: "b-header" }, textObject(block.text, context)),
  divider: () => node("hr", { class: "b-divider" }),
  image: (block, context) => node("figure", { class: "b-image" }, block.title ? node("figcaption", {}, textObject(block.title, context)) : null, image(block)),
  actions: (block, context) => node("div", { class: "b-actions" }, block.elements.map((element) => renderElement(element, inBlock(context, block, element)))),
  markdown: (block, context) => mrkdwn(block.text.replace(/\*\*(.+?)\*\*/g, "*$1*"), context),
};

export function renderBlocks(blocks, context) {
  return node("div", { class: "blocks" }, blocks.map((block) => RENDERERS[block.type]?.(block, context) ?? node("p", { class: "muted" }, `[${block.type}]`)));
}
