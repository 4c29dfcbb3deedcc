// The message box: Enter sends, a slash completes commands, @ completes the bot.

import { act, node } from "/static/api.js";

export function composer({ form, text, list, app, place }) {
  let offered = [];
  let at = -1;

  const grow = () => {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, 180)}px`;
  };

  const close = () => {
    offered = [];
    at = -1;
    if (!list) return;
    list.hidden = true;
    text.removeAttribute("aria-activedescendant");
  };

  const paint = () => {
    list.replaceChildren(...offered.map((one, index) =>
      node("li", { id: `completion-${index}`, role: "option", "aria-selected": String(index === at), onmousedown: (event) => { event.preventDefault(); take(index); } },
        node("strong", {}, one.command), node("span", {}, one.hint))));
    list.hidden = !offered.length;
    if (offered.length) text.setAttribute("aria-activedescendant", `completion-${at}`);
  };

  const take = (index) => {
    text.value = text.value.replace(/[/@]\S*$/, `${offered[index].command} `);
    close();
    text.focus();
    grow();
  };

  const complete = () => {
    if (!list) return;
    const word = text.value.match(/^\/\S*$|(?:^|\s)@\S*$/)?.[0]?.trim();
    const pool = [...app.directory.commands, { command: "@Grantdesk", hint: "mention the app" }];
    offered = word ? pool.filter((one) => one.command.toLowerCase().startsWith(word.toLowerCase())) : [];
    at = offered.length ? 0 : -1;
    paint();
  };

  text.addEventListener("input", () => {
    grow();
    complete();
  });
  text.addEventListener("blur", close);
  text.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (offered.length && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : offered.length - 1)) % offered.length;
      paint();
    } else if (offered.length && (event.key === "Tab" || (event.key === "Enter" && text.value.trim() !== offered[at].command))) {
      event.preventDefault();
      take(at);
    } else if (offered.length && event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = text.value.trim();
    if (!said) return;
    text.value = "";
    close();
    grow();
    const { channel, thread } = place();
    const verb = said.startsWith("/") && !thread ? "command" : "say";
    app.report(act(verb, { as: app.who, text: said, channel, thread }), { quiet: ["unknown_command"] });
  });
}
