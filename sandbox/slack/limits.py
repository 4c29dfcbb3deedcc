"""Slack's documented limits: what it would refuse in blocks, messages and views, and in which words.

`problems` and `view_problems` answer an empty list when everything is fine. The limits are those of
https://docs.slack.dev/reference/block-kit. One rule is the house's own: a message always has `text`,
because screen readers and notifications read only that.
"""

import json
from collections.abc import Callable
from typing import Any, Literal

from sandbox.slack import limits_elements as element
from sandbox.slack.limits_objects import ANY_TEXT, ID_LIMIT, Findings, Json
from sandbox.slack.limits_rich_text import rich_text

Surface = Literal["message", "modal", "home"]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_TEXT = 40_000
VIEW_TITLE = 24
PRIVATE_METADATA = 3000
MARKDOWN_TEXT = 12_000
#: All blocks of a posted message together. Slack states no figure: its developers speak of "12,000 text characters with a
#: buffer for block containers", and people met the refusal from 13,200 characters of JSON on
#: (https://github.com/slackapi/bolt-js/issues/2509 and 2867). Acknowledgements and response URLs are not held to it.
POSTED_BLOCKS = 13_200

NO_TEXT = "[ERROR] no_text: a message needs `text` with its full content besides blocks [json-pointer:/text]"
BLOCKS_TOO_LONG = f"[ERROR] msg_blocks_too_long: more than {POSTED_BLOCKS} characters [json-pointer:/blocks]"
TOO_LONG = f"[ERROR] must be less than {MESSAGE_TEXT + 1} characters [json-pointer:/text]"


def _section(found: Findings, block: Json, at: str) -> None:
    found.keys(block, at, frozenset({"type", "block_id", "text", "fields", "accessory", "expand"}))
    if block.get("text") is None and block.get("fields") is None:
        found.add(at, "must provide text or fields")
    found.text(block, "text", at, most=3000, kinds=ANY_TEXT)
    if block.get("fields") is not None:
        for index, field in enumerate(found.count(block["fields"], f"{at}/fields", least=1, most=10)):
            found.text_object(field, f"{at}/fields/{index}", most=2000, kinds=ANY_TEXT)
    if block.get("accessory") is not None:
        element.check(found, block["accessory"], f"{at}/accessory", element.IN_SECTION)


def _header(found: Findings, block: Json, at: str) -> None:
    found.keys(block, at, frozenset({"type", "block_id", "text", "level"}))
    found.text(block, "text", at, most=150, required=True)


def _divider(found: Findings, block: Json, at: str) -> None:
    found.keys(block, at, frozenset({"type", "block_id"}))


def _image(found: Findings, block: Json, at: str) -> None:
    found.keys(block, at, frozenset({"type", "block_id", "image_url", "alt_text", "title", "slack_file"}))
    element.image(found, block, at)
    found.text(block, "title", at, most=2000)


def _context(found: Findings, block: Json, at: str) -> None:
    found.keys(block, at, frozenset({"type", "block_id", "elements"}))
    parts = found.count(block.get("elements"), f"{at}/elements", least=1, most=10)
    for index, part in enumerate(parts):
        where = f"{at}/elements/{index}"
        if isinstance(part, dict) and part.get("type") == "image":
            element.check(found, part, where, frozenset({"image"}))
        else:
            found.text_object(part, where, most=3000, kinds=ANY_TEXT)


def _actions(found: Findings, block: Json, at: str) -> None:
    found.keys(block, at, frozenset({"type", "block_id", "elements"}))
    parts = found.count(block.get("elements"), f"{at}/elements", least=1, most=25)
    for index, part in enumerate(parts):
        element.check(found, part, f"{at}/elements/{index}", element.IN_ACTIONS)
    element.unique_actions(found, parts, f"{at}/elements")


def _input(found: Findings, block: Json, at: str) -> None:
    found.keys(
        block,
        at,
        frozenset({"type", "block_id", "label", "element", "hint", "optional", "dispatch_action"}),
    )
    found.text(block, "label", at, most=2000, required=True)
    found.text(block, "hint", at, most=2000)
    found.flag(block, "optional", at)
    found.flag(block, "dispatch_action", at)
    if block.get("element") is None:
        found.add(at, "missing required field: element")
    else:
        element.check(found, block["element"], f"{at}/element", element.IN_INPUT)


def _rich_text(found: Findings, block: Json, at: str) -> None:
    found.keys(block, at, frozenset({"type", "block_id", "elements"}))
    rich_text(found, block, at)


def _video(found: Findings, block: Json, at: str) -> None:
    found.text(block, "title", at, most=199, required=True)
    found.url(block, "video_url", at, required=True)
    found.url(block, "thumbnail_url", at, required=True)
    found.string(block, "alt_text", at, most=2000, least=1, required=True)


def _markdown(found: Findings, block: Json, at: str) -> None:
    found.keys(block, at, frozenset({"type", "block_id", "text"}))
    found.string(block, "text", at, most=MARKDOWN_TEXT, least=1, required=True)


def _table(found: Findings, block: Json, at: str) -> None:
    for index, row in enumerate(found.count(block.get("rows"), f"{at}/rows", least=1, most=100)):
        found.count(row, f"{at}/rows/{index}", least=1, most=20)


def _opaque(found: Findings, block: Json, at: str) -> None:
    """A block whose inside is Slack's own business."""
    found.string(block, "type", at, most=ID_LIMIT)


Check = Callable[[Findings, Json, str], None]
EVERYWHERE: dict[str, Check] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "image": _image,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "rich_text": _rich_text,
    "video": _video,
}
MESSAGES_ONLY: dict[str, Check] = {
    "markdown": _markdown,
    "table": _table,
    "file": _opaque,
    "call": _opaque,
    "context_actions": _opaque,
    "task_card": _opaque,
    "plan": _opaque,
    "data_table": _opaque,
    "data_visualization": _opaque,
}
CHECKS: dict[Surface, dict[str, Check]] = {
    "message": EVERYWHERE | MESSAGES_ONLY,
    "modal": EVERYWHERE,
    "home": EVERYWHERE,
}


def _blocks(found: Findings, blocks: Any, at: str, surface: Surface) -> None:
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    for index, block in enumerate(found.count(blocks, at, least=0, most=most)):
        where = f"{at}/{index}"
        if not found.mapping(block, where):
            continue
        check = CHECKS[surface].get(str(block.get("type")))
        if check is None:
            found.add(f"{where}/type", f"unsupported type: {block.get('type')}")
            continue
        check(found, block, where)
        found.string(block, "block_id", where, most=ID_LIMIT, least=1)
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in found.block_ids:
                found.add(f"{where}/block_id", f'`block_id` "{block_id}" already exists')
            found.block_ids.add(block_id)
    if len(found.focused) > 1:
        found.add(found.focused[1], "only one element may have focus_on_load")


def problems(blocks: Any, surface: Surface = "message") -> list[str]:
    """What Slack would refuse in these blocks on a message, a modal or a home."""
    found = Findings()
    _blocks(found, blocks, "/blocks", surface)
    return found.messages


def message_problems(text: Any, blocks: Any = None) -> list[str]:
    """What is wrong with a whole message, its text included."""
    found = [] if blocks is None else problems(blocks)
    if not isinstance(text, str) or not text.strip():
        found.append(NO_TEXT)
    elif len(text) > MESSAGE_TEXT:
        found.append(TOO_LONG)
    return found


def posted_too_long(blocks: list[Json]) -> bool:
    """True when Slack would not post these blocks, each right, because they are too many characters together."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > POSTED_BLOCKS


def _modal(found: Findings, view: Json) -> None:
    found.keys(
        view,
        "/view",
        frozenset(
            {
                "type", "title", "blocks", "close", "submit", "private_metadata", "callback_id",
                "clear_on_close", "notify_on_close", "external_id", "submit_disabled",
            }
        ),
    )  # fmt: skip
    found.text(view, "title", "/view", most=VIEW_TITLE, required=True)
    found.text(view, "submit", "/view", most=VIEW_TITLE)
    found.text(view, "close", "/view", most=VIEW_TITLE)
    for key in ("clear_on_close", "notify_on_close", "submit_disabled"):
        found.flag(view, key, "/view")
    blocks = view.get("blocks")
    has_input = isinstance(blocks, list) and any(
        isinstance(block, dict) and block.get("type") == "input" for block in blocks
    )
    if has_input and view.get("submit") is None:
        found.add("/view", "missing required field: submit (a modal with an input block needs it)")


def view_problems(view: Any) -> list[str]:
    """What Slack would refuse in this modal or home."""
    found = Findings()
    if not found.mapping(view, "/view"):
        return found.messages
    kind = view.get("type")
    if kind == "modal":
        _modal(found, view)
    elif kind == "home":
        found.keys(
            view,
            "/view",
            frozenset({"type", "blocks", "private_metadata", "callback_id", "external_id"}),
        )
    else:
        found.add("/view/type", f"unsupported type: {kind}")
        return found.messages
    found.string(view, "private_metadata", "/view", most=PRIVATE_METADATA)
    found.string(view, "callback_id", "/view", most=ID_LIMIT)
    found.string(view, "external_id", "/view", most=ID_LIMIT)
    if view.get("blocks") is None:
        found.add("/view", "missing required field: blocks")
    else:
        _blocks(found, view["blocks"], "/view/blocks", "modal" if kind == "modal" else "home")
    return found.messages
