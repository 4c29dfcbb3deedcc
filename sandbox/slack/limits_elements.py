"""Slack's limits for interactive elements, and which element may stand in which block."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from sandbox.slack.elements import options
from sandbox.slack.limits_objects import ANY_TEXT, ID_LIMIT, Findings, Json

SELECTS = frozenset(
    f"{many}{kind}_select"
    for many in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
)
PICKERS = frozenset({"datepicker", "timepicker", "radio_buttons", "checkboxes"}) | SELECTS
IN_SECTION = PICKERS | {"button", "overflow", "image", "workflow_button"}
IN_ACTIONS = PICKERS | {"button", "overflow", "datetimepicker", "workflow_button"}
IN_INPUT = PICKERS | {
    "datetimepicker",
    "email_text_input",
    "number_input",
    "plain_text_input",
    "rich_text_input",
    "url_text_input",
    "file_input",
}

PLACEHOLDER = 150
TEXT_INPUT = 3000
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_EPOCH_DIGITS = 10


def _keys(*names: str) -> frozenset[str]:
    return frozenset({"type", "action_id", *names})


def _pick_keys(*names: str) -> frozenset[str]:
    return _keys("placeholder", "confirm", "focus_on_load", *names)


def _one_of_options(found: Findings, element: Json, at: str) -> None:
    """A starting value must be one of the options, exactly."""
    several = element.get("initial_options")
    if several is not None:
        found.count(several, f"{at}/initial_options", least=1, most=100)
    initial = [element["initial_option"]] if "initial_option" in element else several or []
    if isinstance(initial, list) and any(one not in options(element) for one in initial):
        where = "initial_option" if "initial_option" in element else "initial_options"
        found.add(f"{at}/{where}", "must be one of the provided options")


def _button(found: Findings, element: Json, at: str) -> None:
    found.keys(element, at, _keys("text", "url", "value", "style", "confirm", "accessibility_label"))
    found.text(element, "text", at, most=75, required=True)
    found.string(element, "value", at, most=2000)
    found.string(element, "accessibility_label", at, most=75)
    found.url(element, "url", at)
    found.style(element, at)


def _workflow_button(found: Findings, element: Json, at: str) -> None:
    found.text(element, "text", at, most=75, required=True)
    found.style(element, at)
    found.mapping(element.get("workflow"), f"{at}/workflow")


def image(found: Findings, element: Json, at: str) -> None:
    """An image, as an element; the block has a title besides."""
    if ("image_url" in element) == ("slack_file" in element):
        found.add(at, "must provide either image_url or slack_file")
    found.url(element, "image_url", at)
    found.string(element, "alt_text", at, most=2000, least=1, required=True)


def _image_element(found: Findings, element: Json, at: str) -> None:
    found.keys(element, at, frozenset({"type", "image_url", "alt_text", "slack_file"}))
    image(found, element, at)


def _overflow(found: Findings, element: Json, at: str) -> None:
    found.keys(element, at, _keys("options", "confirm"))
    found.options(element, at, most=5, with_url=True)


def _few_options(found: Findings, element: Json, at: str) -> None:
    initial = "initial_options" if element["type"] == "checkboxes" else "initial_option"
    found.keys(element, at, _keys("options", "confirm", "focus_on_load", initial))
    found.options(element, at, most=10, kinds=ANY_TEXT)
    _one_of_options(found, element, at)


def _static_select(found: Findings, element: Json, at: str) -> None:
    extra = ("initial_options", "max_selected_items") if _many(element) else ("initial_option",)
    found.keys(element, at, _pick_keys("options", "option_groups", *extra))
    found.choices(element, at)
    _one_of_options(found, element, at)


def _external_select(found: Findings, element: Json, at: str) -> None:
    extra = ("initial_options", "max_selected_items") if _many(element) else ("initial_option",)
    found.keys(element, at, _pick_keys("min_query_length", *extra))
    found.whole(element, "min_query_length", at, least=0, most=100)
    if "initial_option" in element:
        found.option(element["initial_option"], f"{at}/initial_option")


def _member_select(found: Findings, element: Json, at: str) -> None:
    noun = element["type"].removeprefix("multi_").removesuffix("_select")
    initial = f"initial_{noun}" if _many(element) else f"initial_{noun.removesuffix('s')}"
    found.keys(
        element,
        at,
        _pick_keys(
            initial,
            "max_selected_items",
            "response_url_enabled",
            "filter",
            "default_to_current_conversation",
        ),
    )


def _many(element: Json) -> bool:
    return str(element["type"]).startswith("multi_")


def _datepicker(found: Findings, element: Json, at: str) -> None:
    found.keys(element, at, _pick_keys("initial_date"))
    value = element.get("initial_date")
    if value is None:
        return
    try:
        right = date.fromisoformat(value).isoformat() == value
    except (TypeError, ValueError):
        right = False
    if not right:
        found.add(f"{at}/initial_date", "must be a date in the format YYYY-MM-DD")


def _timepicker(found: Findings, element: Json, at: str) -> None:
    found.keys(element, at, _pick_keys("initial_time", "timezone"))
    value = element.get("initial_time")
    if value is not None and not (isinstance(value, str) and _TIME.fullmatch(value)):
        found.add(f"{at}/initial_time", "must be a time in the format HH:mm")


def _datetimepicker(found: Findings, element: Json, at: str) -> None:
    found.keys(element, at, _keys("initial_date_time", "confirm", "focus_on_load"))
    value = element.get("initial_date_time")
    if value is not None and (not isinstance(value, int) or len(str(value)) != _EPOCH_DIGITS):
        found.add(f"{at}/initial_date_time", "must be a UNIX timestamp of 10 digits")


def _text_input(found: Findings, element: Json, at: str) -> None:
    plain = element["type"] == "plain_text_input"
    own = ("multiline", "min_length", "max_length") if plain else ()
    found.keys(
        element,
        at,
        _keys("placeholder", "initial_value", "dispatch_action_config", "focus_on_load", *own),
    )
    found.string(element, "initial_value", at, most=TEXT_INPUT)
    if plain:
        found.flag(element, "multiline", at)
        found.whole(element, "min_length", at, least=0, most=TEXT_INPUT)
        found.whole(element, "max_length", at, least=1, most=TEXT_INPUT)
        least, most = element.get("min_length"), element.get("max_length")
        if isinstance(least, int) and isinstance(most, int) and least > most:
            found.add(f"{at}/min_length", "must be less than or equal to max_length")


def _number_input(found: Findings, element: Json, at: str) -> None:
    found.keys(
        element,
        at,
        _keys(
            "placeholder",
            "initial_value",
            "dispatch_action_config",
            "focus_on_load",
            "is_decimal_allowed",
            "min_value",
            "max_value",
        ),
    )
    if not isinstance(element.get("is_decimal_allowed"), bool):
        found.add(at, "missing required field: is_decimal_allowed")


def _rich_text_input(found: Findings, element: Json, at: str) -> None:
    found.keys(element, at, _keys("placeholder", "initial_value", "dispatch_action_config", "focus_on_load"))


def _file_input(found: Findings, element: Json, at: str) -> None:
    found.keys(element, at, _keys("filetypes", "max_files"))
    found.whole(element, "max_files", at, least=1, most=10)


CHECKS: dict[str, Callable[[Findings, Json, str], None]] = {
    "button": _button,
    "workflow_button": _workflow_button,
    "image": _image_element,
    "overflow": _overflow,
    "radio_buttons": _few_options,
    "checkboxes": _few_options,
    "static_select": _static_select,
    "multi_static_select": _static_select,
    "external_select": _external_select,
    "multi_external_select": _external_select,
    **{
        kind: _member_select
        for kind in SELECTS
        if kind.removeprefix("multi_") in {"users_select", "conversations_select", "channels_select"}
    },
    "datepicker": _datepicker,
    "timepicker": _timepicker,
    "datetimepicker": _datetimepicker,
    "plain_text_input": _text_input,
    "email_text_input": _text_input,
    "url_text_input": _text_input,
    "number_input": _number_input,
    "rich_text_input": _rich_text_input,
    "file_input": _file_input,
}


def check(found: Findings, element: Any, at: str, allowed: frozenset[str]) -> None:
    """One element in a place where only `allowed` types may stand."""
    if not found.mapping(element, at):
        return
    kind = element.get("type")
    if kind not in allowed:
        found.add(f"{at}/type", f"unsupported type: {kind}")
        return
    CHECKS[kind](found, element, at)
    if kind == "image":
        return
    found.string(element, "action_id", at, most=ID_LIMIT, least=1)
    found.text(element, "placeholder", at, most=PLACEHOLDER)
    found.confirm(element, at)
    found.whole(element, "max_selected_items", at, least=1, most=100)
    if element.get("focus_on_load") is True:
        found.focused.append(at)


def unique_actions(found: Findings, elements: list[Any], at: str) -> None:
    """No two elements of one block share an action id."""
    seen: set[str] = set()
    for index, element in enumerate(elements):
        action_id = element.get("action_id") if isinstance(element, dict) else None
        if isinstance(action_id, str):
            if action_id in seen:
                found.add(f"{at}/{index}/action_id", f'`action_id` "{action_id}" already exists')
            seen.add(action_id)
