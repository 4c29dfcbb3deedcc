// Slack's markup as DOM nodes. Slack wants a boundary around *bold* and _italic_, and so does this:
// Chinese text right next to an asterisk stays as it is typed, here as there.

import { node } from "/static/api.js";
import { here } from "/static/clock.js";

const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", check: "✔️", x: "❌", warning: "⚠️", tada: "🎉", wave: "👋",
  information_source: "ℹ️", bulb: "💡", link: "🔗", lock: "🔒", unlock: "🔓", key: "🔑", hourglass: "⌛",
  hourglass_flowing_sand: "⏳", clock1: "🕐", alarm_clock: "⏰", calendar: "📅", date: "📅", spiral_calendar_pad: "🗓️",
  package: "📦", shopping_trolley: "🛒", shopping_cart: "🛒", department_store: "🏬", convenience_store: "🏪",
  store: "🏪", large_green_circle: "🟢", large_yellow_circle: "🟡", large_orange_circle: "🟠", red_circle: "🔴",
  large_blue_circle: "🔵", white_circle: "⚪", black_circle: "⚫", green_heart: "💚", rocket: "🚀", eyes: "👀",
  raised_hands: "🙌", thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", pray: "🙏", point_right: "👉",
  arrow_right: "➡️", arrows_counterclockwise: "🔄", repeat: "🔁", no_entry: "⛔", no_entry_sign: "🚫", question: "❓",
  grey_question: "❔", exclamation: "❗", speech_balloon: "💬", mag: "🔍", memo: "📝", pencil: "✏️", pencil2: "✏️",
  bell: "🔔", bar_chart: "📊", chart_with_upwards_trend: "📈", gear: "⚙️", wrench: "🔧", shield: "🛡️", sos: "🆘",
  globe_with_meridians: "🌐", house: "🏠", star: "⭐", sparkles: "✨", fire: "🔥", smile: "😄", slightly_smiling_face: "🙂",
  disappointed: "😞", thinking_face: "🤔", robot_face: "🤖", bust_in_silhouette: "👤", busts_in_silhouette: "👥",
  envelope: "✉️", email: "📧", inbox_tray: "📥", outbox_tray: "📤", card_index: "📇", books: "📚", book: "📖",
  arrow_upper_right: "↗️", white_large_square: "⬜", clipboard: "📋", raising_hand: "🙋", zzz: "💤",
  crescent_moon: "🌙", handshake: "🤝", rotating_light: "🚨", wastebasket: "🗑️",
  "flag-us": "🇺🇸", us: "🇺🇸", "flag-ca": "🇨🇦", "flag-mx": "🇲🇽", "flag-br": "🇧🇷", "flag-gb": "🇬🇧", "flag-de": "🇩🇪",
  "flag-fr": "🇫🇷", "flag-it": "🇮🇹", "flag-es": "🇪🇸", "flag-jp": "🇯🇵", "flag-au": "🇦🇺", "flag-sg": "🇸🇬", "flag-cn": "🇨🇳",
};

export const emoji = (name) => EMOJI[name] ?? EMOJI[name.replace(/::skin-tone-\d$/, "")] ?? `:${name}:`;

const TOKEN = new RegExp(
  [
    "```\\n?(?<pre>[\\s\\S]+?)\\n?```",
    "`(?<code>[^`\\n]+)`",
    "<(?<angle>[^<>\\n]+)>",
    ":(?<emoji>[a-z0-9_+'-]+(?:::skin-tone-\\d)?):",
    "(?<![\\p{L}\\p{N}*])\\*(?<bold>[^\\s*](?:[^*\\n]*[^\\s*])?)\\*(?![\\p{L}\\p{N}*])",
    "(?<![\\p{L}\\p{N}_])_(?<italic>[^\\s_](?:[^_\\n]*[^\\s_])?)_(?![\\p{L}\\p{N}_])",
    "(?<![\\p{L}\\p{N}~])~(?<strike>[^\\s~](?:[^~\\n]*[^\\s~])?)~(?![\\p{L}\\p{N}~])",
  ].join("|"),
  "gu",
);

const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export function link(url, label) {
  const address = unescape(url);
  const safe = /^(https?|mailto):/i.test(address);
  return node(safe ? "a" : "span", safe ? { href: address, target: "_blank", rel: "noopener noreferrer" } : {}, label);
}

const DATES = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  time: { hour: "2-digit", minute: "2-digit" },
  time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function relative(seconds, me) {
  const passed = seconds - here() / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(passed) >= size) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(me.locale, { numeric: "auto" }).format(Math.round(passed / length), unit);
}

export function formatDate(seconds, format, me) {
  return format.replace(/\{(\w+)\}/g, (whole, token) => {
    if (token === "ago") return relative(seconds, me);
    const shape = DATES[token.replace("_pretty", "")];
    if (!shape) return whole;
    const locale = token === "date_num" ? "sv-SE" : me.locale;
    return new Intl.DateTimeFormat(locale, { ...shape, timeZone: me.tz }).format(seconds * 1000);
  });
}

function angle(inside, context) {
  const [target, label] = inside.split(/\|(.*)/s);
  if (target.startsWith("@")) {
    const person = context.people.get(target.slice(1));
    return node("span", { class: "mention" }, `@${person?.real_name ?? label ?? target.slice(1)}`);
  }
  if (target.startsWith("#")) return node("span", { class: "mention" }, `#${context.channels.get(target.slice(1))?.name ?? label ?? target.slice(1)}`);
  if (target.startsWith("!date^")) {
    const [, seconds, format, url] = target.split("^");
    const text = formatDate(Number(seconds), format, context.me);
    return url ? link(url, text) : node("time", { datetime: new Date(seconds * 1000).toISOString() }, text);
  }
  if (target.startsWith("!")) return node("span", { class: "mention" }, `@${label ?? target.slice(1).split("^")[0]}`);
  if (/^(https?|mailto):/i.test(target)) return link(target, unescape(label ?? target.replace(/^mailto:/, "")));
  return document.createTextNode(`<${inside}>`);
}

function inline(text, context) {
  const made = [];
  let from = 0;
  for (const found of text.matchAll(TOKEN)) {
    if (found.index > from) made.push(unescape(text.slice(from, found.index)));
    const { pre, code, angle: inside, emoji: name, bold, italic, strike } = found.groups;
    if (pre !== undefined) made.push(node("pre", {}, unescape(pre)));
    else if (code !== undefined) made.push(node("code", {}, ...inlineLinks(code, context)));
    else if (inside !== undefined) made.push(angle(inside, context));
    else if (name !== undefined) made.push(emoji(name));
    else if (bold !== undefined) made.push(node("strong", {}, ...inline(bold, context)));
    else if (italic !== undefined) made.push(node("em", {}, ...inline(italic, context)));
    else made.push(node("s", {}, ...inline(strike, context)));
    from = found.index + found[0].length;
  }
  if (from < text.length) made.push(unescape(text.slice(from)));
  return made;
}

function inlineLinks(text, context) {
  return text.split(/(<[^<>\n]+>)/).map((part) => (/^<.+>$/.test(part) ? angle(part.slice(1, -1), context) : unescape(part)));
}

// A whole text: quotes are lines that begin with > (which arrives escaped).
export function mrkdwn(text, context) {
  const root = node("div", { class: "mrkdwn" });
  let quote = null;
  let lines = [];
  const flush = () => {
    if (!lines.length) return;
    const target = quote ? node("blockquote") : node("div");
    target.append(...inline(lines.join("\n"), context));
    root.append(target);
    lines = [];
  };
  const pieces = text.split(/(```[\s\S]+?```)/);
  for (const piece of pieces) {
    if (piece.startsWith("```") && piece.length > 6) {
      lines.push(piece);
      continue;
    }
    piece.split("\n").forEach((line, index) => {
      const quoted = /^(&gt;|>)\s?/.test(line);
      if (index > 0 || !lines.length) {
        if (quoted !== Boolean(quote)) {
          flush();
          quote = quoted;
        }
        lines.push(quoted ? line.replace(/^(&gt;|>)\s?/, "") : line);
      } else lines[lines.length - 1] += line;
    });
  }
  flush();
  return root;
}

export function textObject(object, context) {
  if (!object) return "";
  if (object.type === "mrkdwn") return mrkdwn(object.text, context);
  return object.text.replace(/:([a-z0-9_+'-]+):/g, (whole, name) => emoji(name));
}
