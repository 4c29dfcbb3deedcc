"""Amazon's error codes in a person's words: used by the card's *I saw an error*, by `/faq MD5101`, and by the page."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.error_codes import Recognised
from bot.domain.verification import Turn
from bot.i18n import Speaker


def code_lines(say: Speaker, found: Recognised | None, facts: Mapping[str, str], *, told: bool = True) -> list[str]:
    """What a code means, then whose turn it is; for an unknown one, what to send us. `told`: the desk has heard of it."""
    if found is None:
        return [say("amazon_error.none")]
    if found.known is None:
        return [say("amazon_error.unknown", code=found.written)]
    code = found.known.code
    head = "" if code == "PRIMARY_USER" else f"*{code}*\n"
    lines = [f"{head}{say(f'amazon_error.{code}', **facts)}"]
    if found.known.retry_first:
        lines.append(say("amazon_error.retry_first"))
    turn = say(f"turn.{found.known.turn.value}")
    if found.known.turn is Turn.US and told:
        turn = f"{turn} {say('amazon_error.desk_told')}"
    lines.append(turn)
    return lines
