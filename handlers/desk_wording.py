"""Phrases of the desk: names, moments, quotes, and the lines that stand in a ticket's thread."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import GrantState
from bot.domain.tickets import QUESTION_LIMIT
from bot.domain.verification import Reason
from bot.i18n import Speaker
from bot.services.naming import Names, feature_name
from handlers.blocks import SECTION_LIMIT, Block, context, escape, section

#: the languages' own names, the same in every language
LANGUAGES = {"en": "English", "zh-CN": "简体中文", "zh-TW": "繁體中文"}

_GRANT_MARKS = {
    GrantState.GRANTED.value: ":white_check_mark:",
    GrantState.NOT_GRANTED.value: ":white_large_square:",
    GrantState.AUTHORIZING.value: ":hourglass_flowing_sand:",
    "expiring": ":alarm_clock:",
}
#: words that a renderer has made already, in their reader's language and with their markup
_MADE_WORDS = frozenset({"replied", "asked"})
#: characters of one quoted line, and of the longest escape (`&amp;`)
_PIECE, _LONGEST_ESCAPE = 2900, 5


def moment(say: Speaker, iso: str) -> str:
    """A moment that Slack shows each reader in their own time zone; its fallback is in the desk's."""
    at = datetime.fromisoformat(iso)
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{say.moment(at)}>"


def ago(say: Speaker, iso: str) -> str:
    """How long ago, which Slack keeps counting while the card stands; its fallback is the moment in the desk's zone."""
    at = datetime.fromisoformat(iso)
    return f"<!date^{int(at.timestamp())}^{{ago}}|{say.moment(at)}>"


def in_brackets(say: Speaker, words: str) -> str:
    """An aside, in the brackets of the language."""
    return f" ({words})" if say.locale == "en" else f"（{words}）"


def duration(say: Speaker, minutes: int | None) -> str:
    """Working time, as hours and minutes."""
    if minutes is None:
        return say("desk.took.none")
    if minutes < 60:  # noqa: PLR2004  # minutes of an hour
        return say.count("desk.took.minutes", minutes)
    return say("desk.took.hours", hours=minutes // 60, minutes=f"{minutes % 60:02d}")


def quoted(words: str) -> str:
    """As a quotation of Slack's; `words` are safe already."""
    return "\n".join(f"> {piece}" for line in words.splitlines() for piece in _pieces(line) or [""])


def _pieces(line: str) -> list[str]:
    """A line in parts that a section can hold; none ends inside one of Slack's escapes."""
    parts = []
    while len(line) > _PIECE:
        cut = line.rfind("&", _PIECE - _LONGEST_ESCAPE, _PIECE)
        at = cut if cut > 0 and ";" not in line[cut:_PIECE] else _PIECE
        parts.append(line[:at])
        line = line[at:]
    return [*parts, line] if line else parts


def spread(words: str) -> list[Block]:
    """Words in as many sections as they need: Slack takes 3000 characters in each, and nothing of them is lost."""
    blocks: list[Block] = []
    held = ""
    lines = [_pieces(line) if len(line) > SECTION_LIMIT else [line] for line in words.split("\n")]
    for line in (piece for pieces in lines for piece in pieces):
        if held and len(held) + 1 + len(line) > SECTION_LIMIT:
            blocks.append(section(held))
            held = line
        else:
            held = f"{held}\n{line}" if held else line
    return [*blocks, section(held)] if held else blocks


def too_long(say: Speaker, text: str) -> Block | None:
    """A word about what did not fit, so that nothing is lost unnoticed."""
    return context(say("ticket.cut", limit=QUESTION_LIMIT)) if len(text.strip()) > QUESTION_LIMIT else None


def cause_words(say: Speaker, names: Names, cause: str, feature: FeatureKey | None) -> str:
    """A refusal's or a code's own sentence."""
    about = feature or FeatureKey.ORDERS
    if cause in set(Reason):
        return names.refusal(say, cause, detail="", feature=about)[0]
    return f"`{cause}` {say(f'amazon_error.{cause}', **names.of_feature(say, about))}" if cause else ""


def line_words(say: Speaker, names: Names, line: str, facts: Mapping[str, str]) -> str:
    """What happened, for a thread. Names and reasons are put into the reader's words; what people wrote is quoted."""
    known = dict(facts)
    words = known.pop("words", "")
    known.setdefault("who", "")
    feature = FeatureKey(known["feature"]) if known.get("feature") in set(FeatureKey) else None
    if feature is not None:
        known["feature"] = feature_name(say, feature)
    if known.get("cause"):
        known["cause"] = cause_words(Speaker(say.locale), names, known["cause"], feature)
    if known.get("because"):
        known["because"] = Speaker(say.locale)(f"desk.because.{known['because']}")
    key = f"desk.line.{line}"
    if line in ("checked", "checked_refused") and known.get("by"):
        key = f"{key}_by"
    if line == "closed" and known["who"]:
        key = f"{key}_by"
    if line == "reopened" and known.get("agent"):
        key = f"{key}_was"
    said = say(key, **known)
    if not words:
        return said
    return f"{said}\n{quoted(words if line in _MADE_WORDS else escape(words))}"


def grant_words(say: Speaker, feature: str, key: str, ends: str, now: datetime) -> str:
    """One feature: where it stands, and the day it ends."""
    day = datetime.fromisoformat(ends) if ends else now
    words = say(f"grant.{key}", ends=say.date(day), days=max(0, (day - now).days))
    return f"{_GRANT_MARKS.get(key, ':warning:')} {FEATURES[FeatureKey(feature)].platform_label} {words}"
