"""Whether a message's `text`, all that a screen reader reads, says what its blocks say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

#: Slack cuts longer texts; so do we
_LIMIT = 2999


def shown(answer: str) -> dict[str, Any]:
    """The message in an acknowledgement, if there is one."""
    try:
        body = json.loads(answer or "{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def missing_from_text(message: Mapping[str, Any]) -> list[str]:
    """The blocks' words that the text lacks."""
    text = str(message.get("text") or "")
    if len(text) >= _LIMIT:
        return []
    return [words for words in _words(message.get("blocks") or []) if words not in text]


def _words(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        if block["type"] in ("section", "header") and "text" in block:
            yield block["text"]["text"]
        for field in block.get("fields", []):
            yield field["text"]
        if block["type"] == "context":
            yield from (element["text"] for element in block["elements"] if "text" in element)
        for element in block.get("elements", []):
            if element.get("url"):
                yield element["url"]


def marked(value: object) -> Iterator[str]:
    """Every text in a message or view that Slack reads as markup."""
    if isinstance(value, Mapping):
        if value.get("type") == "mrkdwn" or ("text" in value and ("blocks" in value or "channel" in value)):
            yield str(value["text"])
        for part in value.values():
            yield from marked(part)
    elif isinstance(value, list):
        for part in value:
            yield from marked(part)
