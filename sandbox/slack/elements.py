"""What people put into inputs: starting values, and choices turned into the state Slack would send."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

#: element type -> (key of its value in a state, key of its starting value)
VALUE_KEYS = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "file_input": ("files", ""),
}
MANY = {kind for kind, (key, _) in VALUE_KEYS.items() if key.endswith("s")}


class NoSuchChoice(Exception):
    """The element does not offer what was chosen."""


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every (block, element) that a person can act on."""
    for block in blocks:
        for key in ("accessory", "element"):
            element = block.get(key)
            if isinstance(element, dict) and element.get("type") != "image":
                yield block, element
        if block.get("type") in {"actions", "context_actions"}:
            for element in block.get("elements", []):
                yield block, element


def initial_state(element: Json) -> Json | None:
    """The state of an untouched element, or nothing for one that has none, such as a button."""
    keys = VALUE_KEYS.get(element["type"])
    if keys is None or element["type"] == "overflow":
        return None
    value_key, initial_key = keys
    empty: Any = [] if element["type"] in MANY else None
    return {"type": element["type"], value_key: element.get(initial_key, empty)}


def settled(blocks: list[Json], before: dict[str, dict[str, Json]]) -> dict[str, dict[str, Json]]:
    """The state of all elements: what was chosen before in those that stay, else their starting value."""
    values: dict[str, dict[str, Json]] = {}
    for block, element in elements(blocks):
        state = initial_state(element)
        if state is None:
            continue
        block_id, action_id = block["block_id"], element["action_id"]
        kept = before.get(block_id, {}).get(action_id)
        if kept is not None and kept["type"] == element["type"]:
            state = kept
        values.setdefault(block_id, {})[action_id] = state
    return values


def options(element: Json) -> list[Json]:
    """All options, of all groups."""
    found = list(element.get("options", []))
    for group in element.get("option_groups", []):
        found.extend(group.get("options", []))
    return found


def _option(element: Json, wanted: Any, offered: list[Json]) -> Json:
    """An option by its value or by what a person reads on it."""
    if isinstance(wanted, dict):
        wanted = wanted.get("value")
    for option in offered:
        if option.get("value") == wanted:
            return option
    for option in offered:
        if str(option.get("text", {}).get("text", "")).casefold() == str(wanted).casefold():
            return option
    names = ", ".join(str(option["text"]["text"]) for option in offered[:12])
    raise NoSuchChoice(f"{element['type']} offers no {wanted!r}; it offers {names or 'nothing'}")


def chosen(element: Json, value: Any, offered: list[Json] | None = None) -> Json:
    """The state of `element` after a person chose or typed `value`."""
    kind = element["type"]
    if kind not in VALUE_KEYS:
        return {"type": kind}
    key, _ = VALUE_KEYS[kind]
    pool = options(element) if offered is None else offered
    result: Any
    if value is None or value == "":
        result = [] if kind in MANY else None
    elif kind in MANY:
        result = value if isinstance(value, list) else [value]
        if key == "selected_options":
            result = [_option(element, one, pool) for one in result]
    elif key == "selected_option":
        result = _option(element, value, pool)
    elif kind == "datetimepicker":
        result = int(value)
    else:
        result = value if kind == "rich_text_input" else str(value)
    return {"type": kind, key: result}


def is_empty(state: Json | None) -> bool:
    if state is None:
        return True
    return all(not value for key, value in state.items() if key != "type")
