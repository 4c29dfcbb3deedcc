// The consent page's live part. Everything here also works, by hand, without it.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const main = byId("main");

  const send = async (form) => {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
    });
    const facts = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(facts.title), { facts });
    return facts;
  };

  // --- the new tab's first page: says that it is there, then goes to Amazon

  const leave = byId("leave");
  if (leave) {
    if (window.opener) {
      window.opener.postMessage("grantdesk:arrived", location.origin);
      window.opener = null;
    }
    leave.hidden = true;
    const stay = setTimeout(() => { leave.hidden = false; }, 5000);
    send(leave).then(
      (facts) => location.replace(facts.url),
      (problem) => {
        clearTimeout(stay);
        if (problem.facts) {
          byId("leave-title").textContent = problem.facts.title;
          byId("leave-advice").textContent = problem.facts.advice;
          main.dataset.state = "ended";
        } else leave.hidden = false;
      },
    );
    return;
  }
  if (!main.dataset.here) return;
  for (const part of document.querySelectorAll(".by-hand")) part.hidden = true;

  // --- how the page shows what it knows

  const plainTitle = document.title;
  let shown = "";

  const unfold = (target) => {
    for (let up = target; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
  };

  const fill = (id, text) => {
    byId(id).textContent = text;
    byId(id).hidden = !text;
  };

  const show = (facts) => {
    const news = JSON.stringify(facts);
    if (news === shown) return;
    shown = news;
    const before = main.dataset.state;
    main.dataset.state = facts.state;
    const focus = document.activeElement;
    for (const part of document.querySelectorAll("[data-in]")) {
      part.hidden = !part.dataset.in.split(" ").includes(facts.state);
    }
    if (facts.state === "ready") return;
    byId("result-title").textContent = facts.title;
    byId("result-advice").textContent = facts.advice;
    fill("result-note", facts.note || "");
    fill("result-turn", facts.turn || "");
    byId("live").textContent = [facts.title, facts.advice, facts.note].filter(Boolean).join(" ");
    document.title = `${facts.title} · ${plainTitle}`;
    if (before === facts.state) return;
    // Whoever's button has just gone is taken to the words that replace it.
    const lost = focus && focus.closest("[hidden], #blocked");
    byId("blocked").open = false;
    if (lost || facts.state === "granted") byId("result-title").focus();
  };

  // --- following the result

  const FAST = 2000, SLOW = 6000, IDLE = 20000;
  let wait = FAST, timer = 0, failures = 0, since = Date.now();

  const done = () => ["granted", "ended"].includes(main.dataset.state);

  const look = async () => {
    clearTimeout(timer);
    if (done()) return;
    try {
      const answer = await fetch(`${main.dataset.here}/status${main.dataset.query}`, {
        headers: { Accept: "application/json" },
        cache: "no-store",
      });
      if (answer.status === 429 || answer.status >= 500) throw new Error("later");
      show(await answer.json());
      failures = 0;
    } catch {
      failures += 1;
    }
    if (done()) return;
    const waiting = main.dataset.state === "authorizing";
    wait = Math.min(wait * 1.1, waiting ? SLOW : IDLE);
    if (failures) wait = Math.min(FAST * 2 ** failures, IDLE * 3);
    // A page that nobody comes back to stops asking; looking at it again starts it again.
    if (!waiting && Date.now() - since > 30 * 60 * 1000) return;
    clearTimeout(timer);
    timer = setTimeout(look, document.hidden ? Math.max(wait, SLOW) : wait);
  };

  const follow = () => {
    wait = FAST;
    since = Date.now();
    clearTimeout(timer);
    timer = setTimeout(look, 400);
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden) follow(); });
  addEventListener("pageshow", (event) => { if (event.persisted) follow(); });
  byId("check").addEventListener("click", (event) => {
    event.preventDefault();
    wait = FAST;
    look();
  });

  // --- the big button: a new tab, noticed when it does not come

  const ARRIVAL = 4000;
  let arrival = 0, watch = 0;

  const arrived = () => {
    clearTimeout(arrival);
    clearInterval(watch);
    byId("blocked").open = false;
    follow();
  };

  const blocked = () => {
    clearTimeout(arrival);
    clearInterval(watch);
    byId("blocked").open = true;
    byId("blocked-title").focus();
    byId("live").textContent = byId("blocked-title").textContent;
  };

  addEventListener("message", (event) => {
    if (event.origin === location.origin && event.data === "grantdesk:arrived") arrived();
  });

  byId("go").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(arrival);
    clearInterval(watch);
    let tab = null;
    try {
      tab = window.open(`${main.dataset.here}/leave${main.dataset.query}`, "_blank");
    } catch { /* some blockers throw */ }
    if (!tab || tab.closed) return blocked();
    // Some blockers close the tab at once, some hand out a window that never loads: only its own page's word counts.
    watch = setInterval(() => { if (tab.closed) blocked(); }, 250);
    arrival = setTimeout(blocked, ARRIVAL);
  });
  byId("direct").addEventListener("submit", follow);

  // --- copying

  const copying = (form, box, field, key) => {
    if (!byId(form)) return;
    byId(form).addEventListener("submit", (event) => {
      event.preventDefault();
      const button = event.submitter || byId(form).querySelector("button");
      const said = byId(box).querySelector("[role=status]");
      button.setAttribute("aria-busy", "true");
      const text = send(byId(form)).then((facts) => {
        byId(field).value = facts[key];
        byId(box).hidden = false;
        return facts[key];
      });
      // Safari copies after a wait only when it is promised the text while the press still counts.
      const copied = navigator.clipboard && window.ClipboardItem
        ? navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then((one) => new Blob([one], { type: "text/plain" })) })])
        : Promise.reject(new Error("no clipboard"));
      copied.then(() => true, () => false).then((yes) => text.then(() => {
        byId(field).focus();
        byId(field).select();
        said.textContent = yes ? button.dataset.done : button.dataset.manual;
        if (key === "url") follow();
      })).catch((problem) => {
        if (problem.facts) show({ ...problem.facts, state: "ended" });
        else byId(form).submit();
      }).finally(() => button.removeAttribute("aria-busy"));
    });
  };
  copying("copy", "copied", "address", "url");
  copying("ask", "asked", "message", "message");

  // --- an error that somebody saw

  byId("saw").addEventListener("submit", (event) => {
    event.preventDefault();
    send(byId("saw")).then((facts) => {
      const box = byId("meaning");
      box.hidden = false;
      for (const part of ["code", "meaning", "turn", "told"]) box.querySelector(`.${part}`).textContent = facts[part];
      if (facts.forward && byId("forward")) unfold(byId("forward"));
    }, () => byId("saw").submit());
  });

  // --- links to what is folded away

  const reveal = () => {
    const target = location.hash.length > 1 && byId(location.hash.slice(1));
    if (!target || target === main) return;
    unfold(target);
    target.scrollIntoView({ block: "center" });
    target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  for (const link of document.querySelectorAll('main a[href^="#"]')) {
    link.addEventListener("click", () => setTimeout(reveal));
  }
  reveal();
  if (!done()) timer = setTimeout(look, main.dataset.state === "authorizing" ? 800 : FAST * 2);
})();
