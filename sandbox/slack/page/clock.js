// The sandbox's time: what it is, and how to let some of it pass. A grant lasts a year; nobody wants to wait for it.

import { get, node } from "/static/api.js";

// [label, days, whether it ends at ten in the person's morning]
const STEPS = [["1 hour", 1 / 24, false], ["a day", 1, true], ["a week", 7, true], ["11½ months", 351, true]];
const TEN = 10 * 3600;

// Scheduled work that is minutes away is due before a long time passes: as it would be without the jump.
const FIRST = 6 * 60;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function sinceMidnight(moment, timeZone) {
  const parts = new Intl.DateTimeFormat("en-GB", { hour: "numeric", minute: "numeric", second: "numeric", timeZone }).formatToParts(moment);
  const [hours, minutes, seconds] = ["hour", "minute", "second"].map((type) => Number(parts.find((part) => part.type === type).value));
  return hours * 3600 + minutes * 60 + seconds;
}

// how far the sandbox is ahead of this computer, in milliseconds
let ahead = 0;

export const here = () => Date.now() + ahead;

export async function clock({ time, steps, app }) {
  let offset = 0;
  const show = () => {
    const zone = app.me?.tz;
    const now = new Date(Date.now() + offset * 1000);
    time.textContent = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: zone }).format(now);
    time.title = zone ?? "";
  };
  const look = async () => {
    ({ offset } = await get("/control/clock"));
    ahead = offset * 1000;
    show();
  };
  const advance = async (seconds) => {
    const body = JSON.stringify({ advance: seconds });
    ({ offset } = await (await fetch("/control/clock", { method: "POST", headers: { "Content-Type": "application/json" }, body })).json());
    ahead = offset * 1000;
    show();
  };
  const pass = async (days, toMorning) => {
    steps.inert = true;
    let seconds = days * 86400;
    if (toMorning) {
      seconds += TEN - sinceMidnight(new Date(Date.now() + offset * 1000), app.me?.tz);
      await advance(FIRST);
      await pause(2500);
      seconds -= FIRST;
    }
    await advance(seconds);
    steps.inert = false;
  };
  steps.replaceChildren(...STEPS.map(([label, days, toMorning]) =>
    node("button", { type: "button", "aria-label": `Let ${label} pass`, title: toMorning ? "until ten in the morning" : null, onclick: () => pass(days, toMorning) }, `+ ${label}`)));
  // somebody else may let time pass as well: another page, a test
  setInterval(look, 10_000);
  await look();  // what is painted counts from it
  return show;
}
