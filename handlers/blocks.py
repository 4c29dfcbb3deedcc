"""Block Kit, as much of it as we say things with. Cuts to Slack's limits, escapes what people typed, and writes the text
that screen readers get out of the blocks themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.errors import GrantdeskError
from bot.i18n import Speaker
from bot.ports import Message, Person
from handlers.routing import problem_lines

Block = dict[str, Any]

SECTION_LIMIT = 3000
BUTTON_LIMIT = 75
BUTTON_VALUE = 2000
OPTION_LIMIT = 75
TITLE_LIMIT = 24
MESSAGE_BLOCKS = 50
#: All blocks of a message that is posted, as JSON. Slack refuses more as `msg_blocks_too_long` and states no figure: from 13 200
#: characters on, people say (https://github.com/slackapi/bolt-js/issues/2509). Acknowledgements are not held to it.
POSTED_LIMIT = 12_000
#: Slack cuts a message's text at 40 000; fifty blocks of ours are shorter than this
TEXT_LIMIT = 20_000


_WIDE = {"*": "＊", "_": "＿", "~": "～", "`": "｀"}
#: what Slack could take for markup: a mark at the edge of a word, and a back-tick anywhere
_MARK = re.compile(r"`|(?<![^\W_])[*_~]|[*_~](?![^\W_])")


def escape(text: str) -> str:
    """What a person typed, so that it is shown and never acted on (docs.slack.dev/messaging/formatting-message-text)."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Slack knows no escape for its marks. Their wide forms are shown as they are, and a label that is copied with them still
    # names its store, because labels are compared without width.
    return _MARK.sub(lambda mark: _WIDE[mark[0]], escaped)


def mrkdwn(person: Person) -> Speaker:
    """The person's language, for places that read Slack's markup."""
    return Speaker(person.locale, tz=person.tz, escape=escape)


def fit(text: str, limit: int) -> str:
    """The text, cut with an ellipsis where Slack would refuse it."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def section(text: str, *, accessory: Block | None = None, block_id: str = "") -> Block:
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": fit(text, SECTION_LIMIT)}}
    if accessory:
        block["accessory"] = accessory
    if block_id:
        block["block_id"] = block_id
    return block


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": fit(text, 150), "emoji": True}}


def context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": fit(text, 2000)}]}


def divider() -> Block:
    return {"type": "divider"}


def button(
    text: str,
    action_id: str,
    *,
    value: str = "",
    url: str = "",
    style: str = "",
    confirm: Block | None = None,
    label: str = "",
) -> Block:
    """`label` is what a screen reader says, where the face alone would not be clear."""
    element: Block = {"type": "button", "text": plain(fit(text, BUTTON_LIMIT)), "action_id": action_id}
    if value:
        element["value"] = value
    if url:
        element["url"] = url
    if style:
        element["style"] = style
    if confirm:
        element["confirm"] = confirm
    if label:
        element["accessibility_label"] = fit(label, 75)
    return element


def confirmation(*, title: str, text: str, yes: str, no: str, danger: bool = False) -> Block:
    dialog: Block = {
        "title": plain(fit(title, 100)),
        "text": plain(fit(text, 300)),
        "confirm": plain(fit(yes, 30)),
        "deny": plain(fit(no, 30)),
    }
    if danger:
        dialog["style"] = "danger"
    return dialog


def actions(*elements: Block, block_id: str = "") -> Block:
    block: Block = {"type": "actions", "elements": list(elements)}
    if block_id:
        block["block_id"] = block_id
    return block


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": True}


def option(text: str, value: str, *, description: str = "") -> Block:
    entry: Block = {"text": plain(fit(text, OPTION_LIMIT)), "value": value}
    if description:
        entry["description"] = plain(fit(description, 75))
    return entry


def field(
    label: str,
    element: Block,
    *,
    hint: str = "",
    optional: bool = False,
    dispatch: bool = False,
) -> Block:
    """A form's input; its block id is its element's action id."""
    block: Block = {
        "type": "input",
        "block_id": f"field.{element['action_id']}",
        "label": plain(label),
        "element": element,
        "optional": optional,
    }
    if hint:
        block["hint"] = plain(hint)
    if dispatch:
        block["dispatch_action"] = True
    return block


def text_input(
    action_id: str, *, initial: str = "", placeholder: str = "", multiline: bool = False, limit: int = 0
) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": action_id, "multiline": multiline}
    if initial:
        element["initial_value"] = initial
    if placeholder:
        element["placeholder"] = plain(fit(placeholder, 150))
    if limit:
        element["max_length"] = limit
    return element


def select(
    action_id: str, options: Sequence[Block], *, initial: str = "", placeholder: str = "", kind: str = "static_select"
) -> Block:
    element: Block = {"type": kind, "action_id": action_id, "options": list(options)}
    if chosen := next((entry for entry in options if entry["value"] == initial), None):
        element["initial_option"] = chosen
    if placeholder and kind == "static_select":
        element["placeholder"] = plain(fit(placeholder, 150))
    return element


def modal(
    callback_id: str,
    *,
    title: str,
    blocks: Iterable[Block],
    submit: str = "",
    close: str,
    notes: Mapping[str, str] | None = None,
) -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(fit(title, TITLE_LIMIT)),
        "close": plain(fit(close, TITLE_LIMIT)),
        "blocks": list(blocks),
    }
    if submit:
        view["submit"] = plain(fit(submit, TITLE_LIMIT))
    if notes:
        view["private_metadata"] = json.dumps(dict(notes))
    return view


def message(*blocks: Block | None) -> Message:
    """A message out of its blocks; its text says all that they say, for screen readers and notifications."""
    kept = [block for block in blocks if block is not None]
    lines = [line for block in kept for line in _words(block)]
    return Message(fit("\n".join(lines), TEXT_LIMIT) or "…", kept[:MESSAGE_BLOCKS])


def messages(*blocks: Block) -> list[Message]:
    """As many messages as Slack needs to post all of the blocks, in their order."""
    parts: list[list[Block]] = [[]]
    for block in blocks:
        if parts[-1] and weight(*parts[-1], block) > POSTED_LIMIT:
            parts.append([])
        parts[-1].append(block)
    return [message(*part) for part in parts]


def weight(*blocks: Block) -> int:
    """Characters of blocks as Slack counts them towards POSTED_LIMIT."""
    return sum(len(json.dumps(block, ensure_ascii=False, separators=(",", ":"))) + 1 for block in blocks)


def _words(block: Block) -> list[str]:
    match block["type"]:
        case "section" | "header":
            words = [block["text"]["text"]] if "text" in block else []
            return words + [entry["text"] for entry in block.get("fields", [])]
        case "context":
            return [entry["text"] for entry in block["elements"] if "text" in entry]
        case "image":
            return [block["alt_text"]]
        case "actions":
            # a link is content: without it the text would not say where to go
            return [
                f"{element['text']['text']}: {element['url']}" for element in block["elements"] if element.get("url")
            ]
        case _:
            return []


def problem_message(problem: GrantdeskError, person: Person) -> Message:
    """An error as a message."""
    return message(section("\n".join(problem_lines(problem, mrkdwn(person)))))
