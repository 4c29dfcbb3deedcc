"""The structure of rich text blocks: which parts may hold which."""

from typing import Any

from sandbox.slack.limits_objects import Findings, Json

CONTAINERS = frozenset({"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"})
#: leaf type -> the property it cannot do without
LEAVES = {
    "text": "text",
    "link": "url",
    "emoji": "name",
    "user": "user_id",
    "usergroup": "usergroup_id",
    "channel": "channel_id",
    "team": "team_id",
    "broadcast": "range",
    "date": "timestamp",
    "color": "value",
}


def rich_text(found: Findings, block: Json, at: str) -> None:
    for index, part in enumerate(found.count(block.get("elements"), f"{at}/elements", least=1, most=1000)):
        where = f"{at}/elements/{index}"
        if not found.mapping(part, where):
            continue
        if part.get("type") not in CONTAINERS:
            found.add(f"{where}/type", f"unsupported type: {part.get('type')}")
        elif part["type"] == "rich_text_list":
            _list(found, part, where)
        else:
            _leaves(found, part, where)


def _list(found: Findings, part: Json, at: str) -> None:
    if part.get("style") not in {"bullet", "ordered"}:
        found.add(f"{at}/style", "must be one of: bullet, ordered")
    for index, item in enumerate(found.count(part.get("elements"), f"{at}/elements", least=1, most=1000)):
        where = f"{at}/elements/{index}"
        if found.mapping(item, where):
            if item.get("type") != "rich_text_section":
                found.add(f"{where}/type", f"unsupported type: {item.get('type')}")
            else:
                _leaves(found, item, where)


def _leaves(found: Findings, part: Json, at: str) -> None:
    parts: list[Any] = found.count(part.get("elements"), f"{at}/elements", least=0, most=1000)
    for index, leaf in enumerate(parts):
        where = f"{at}/elements/{index}"
        if not found.mapping(leaf, where):
            continue
        kind = str(leaf.get("type"))
        if kind not in LEAVES:
            found.add(f"{where}/type", f"unsupported type: {kind}")
        elif LEAVES[kind] not in leaf:
            found.add(where, f"missing required field: {LEAVES[kind]}")
        elif kind == "text":
            found.string(leaf, "text", where, most=MESSAGE_PART, least=1)


MESSAGE_PART = 40_000
