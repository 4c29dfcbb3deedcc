// Talks to the control API. Nothing here knows what anything looks like.

export async function get(path) {
  const response = await fetch(path, { cache: "no-store" });
  return response.json();
}

export async function act(verb, body) {
  const response = await fetch(`/control/slack/${verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}

// Follows what one person sees, until stopped; `tell` gets every answer.
export function follow(who, tell) {
  const stop = new AbortController();
  let since = 0;
  let epoch = null;
  const once = async (wait) => {
    const query = new URLSearchParams({ as: who, since, wait });
    if (epoch !== null) query.set("epoch", epoch);
    const response = await fetch(`/control/slack/changes?${query}`, { signal: stop.signal, cache: "no-store" });
    if (!response.ok) throw new Error(response.statusText);
    const seen = await response.json();
    const fresh = epoch !== seen.epoch;
    since = seen.version;
    epoch = seen.epoch;
    tell(seen, fresh);
  };
  (async () => {
    let wait = 0;
    while (!stop.signal.aborted) {
      try {
        await once(wait);
        wait = 20;
      } catch {
        if (stop.signal.aborted) return;
        tell(null, false);
        await new Promise((done) => setTimeout(done, 1000));
        wait = 0;
      }
    }
  })();
  return () => stop.abort();
}

export function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}
