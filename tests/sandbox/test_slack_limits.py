"""Each of Slack's limits, on both sides of it."""

from typing import Any

import pytest

from sandbox.slack.limits import message_problems, problems, view_problems
from tests.sandbox.slack_bot import button, store_modal, text

Json = dict[str, Any]


def section(value: str = "hello", **more: Any) -> Json:
    return {"type": "section", "text": text(value, "mrkdwn"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def option(number: int = 0, **more: Any) -> Json:
    return {"text": text(f"option {number}"), "value": f"v{number}", **more}


def choices(kind: str, count: int) -> Json:
    return actions({"type": kind, "action_id": "c", "options": [option(number) for number in range(count)]})


def groups(count: int) -> Json:
    group = {"label": text("g"), "options": [option()]}
    return actions({"type": "static_select", "action_id": "s", "option_groups": [group] * count})


def link(length: int) -> Json:
    start = "https://a.example/"
    return actions(button("b", "b", url=start + "x" * (length - len(start))))


def typed(**more: Any) -> Json:
    return field(type="plain_text_input", **more)


def select(count: int, **more: Any) -> Json:
    options = [option(number) for number in range(count)]
    return {"type": "static_select", "action_id": "s", "options": options, **more}


def field(**element: Any) -> Json:
    return {"type": "input", "label": text("Label"), "element": {"action_id": "a", **element}}


def confirm(**more: Any) -> Json:
    parts: Json = {"title": text("t"), "text": text("x"), "confirm": text("y"), "deny": text("n")}
    return button("b", "b", confirm=parts | more)


def rich(*leaves: Json) -> Json:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(leaves)}]}


PICTURE = {"type": "image", "image_url": "https://a.example/i.png", "alt_text": "a store"}

BOTH_SIDES: list[tuple[str, Any, Any]] = [
    ("section text", section("x" * 3000), section("x" * 3001)),
    ("empty text", section("x"), section("")),
    ("blank text", section("x"), section("   ")),
    ("fields", section(fields=[text("f")] * 10), section(fields=[text("f")] * 11)),
    ("no fields", section(fields=[text("f")]), section(fields=[])),
    ("field text", section(fields=[text("f" * 2000)]), section(fields=[text("f" * 2001)])),
    ("section content", {"type": "section", "fields": [text("f")]}, {"type": "section"}),
    ("header", {"type": "header", "text": text("h" * 150)}, {"type": "header", "text": text("h" * 151)}),
    ("header type", {"type": "header", "text": text("h")}, {"type": "header", "text": text("h", "mrkdwn")}),
    ("block type", {"type": "divider"}, {"type": "carousel_of_dreams"}),
    ("property", {"type": "divider"}, {"type": "divider", "colour": "red"}),
    ("text type", section(), {"type": "section", "text": {"type": "markdown", "text": "x"}}),
    ("text object", section(), {"type": "section", "text": "hello"}),
    ("context", {"type": "context", "elements": [text("c")] * 10}, {"type": "context", "elements": [text("c")] * 11}),
    ("empty context", {"type": "context", "elements": [PICTURE]}, {"type": "context", "elements": []}),
    (
        "context button",
        {"type": "context", "elements": [text("c")]},
        {"type": "context", "elements": [button("b", "b")]},
    ),
    (
        "actions",
        actions(*(button("b", f"b{n}") for n in range(25))),
        actions(*(button("b", f"b{n}") for n in range(26))),
    ),
    ("no actions", actions(button("b", "b")), actions()),
    ("action ids", actions(button("b", "a"), button("b", "b")), actions(button("b", "a"), button("b", "a"))),
    ("action id", actions(button("b", "i" * 255)), actions(button("b", "i" * 256))),
    ("element type", actions(button("b", "b")), actions({"type": "plain_text_input", "action_id": "a"})),
    ("unknown element", actions(button("b", "b")), actions({"type": "slider", "action_id": "a"})),
    ("button text", actions(button("b" * 75, "b")), actions(button("b" * 76, "b"))),
    (
        "button mrkdwn",
        actions(button("b", "b")),
        actions({"type": "button", "action_id": "b", "text": text("b", "mrkdwn")}),
    ),
    ("button value", actions(button("b", "b", value="v" * 2000)), actions(button("b", "b", value="v" * 2001))),
    ("button style", actions(button("b", "b", style="danger")), actions(button("b", "b", style="default"))),
    (
        "button url",
        actions(button("b", "b", url="https://a.example")),
        actions(button("b", "b", url="javascript:alert(1)")),
    ),
    ("url length", link(3000), link(3001)),
    ("block id", section(block_id="i" * 255), section(block_id="i" * 256)),
    ("image", PICTURE, {"type": "image", "image_url": "https://a.example/i.png"}),
    ("image alt", PICTURE, PICTURE | {"alt_text": ""}),
    ("image url", PICTURE, PICTURE | {"image_url": "data:image/png;base64,AAAA"}),
    ("options", actions(select(100)), actions(select(101))),
    ("no options", actions(select(1)), actions(select(0))),
    (
        "option text",
        actions(select(0, options=[option(text=text("t" * 75))])),
        actions(select(0, options=[option(text=text("t" * 76))])),
    ),
    (
        "option value",
        actions(select(0, options=[option(value="v" * 150)])),
        actions(select(0, options=[option(value="v" * 151)])),
    ),
    ("option values", actions(select(2)), actions(select(0, options=[option(1), option(1)]))),
    ("initial option", actions(select(2, initial_option=option(1))), actions(select(2, initial_option=option(9)))),
    ("placeholder", actions(select(1, placeholder=text("p" * 150))), actions(select(1, placeholder=text("p" * 151)))),
    ("groups", groups(100), groups(101)),
    ("one kind of options", actions(select(1)), actions(select(1, option_groups=[]))),
    ("overflow", choices("overflow", 5), choices("overflow", 6)),
    ("empty overflow", choices("overflow", 1), choices("overflow", 0)),
    ("radio buttons", choices("radio_buttons", 10), choices("radio_buttons", 11)),
    ("checkboxes", choices("checkboxes", 10), choices("checkboxes", 11)),
    ("confirm title", actions(confirm(title=text("t" * 100))), actions(confirm(title=text("t" * 101)))),
    ("confirm text", actions(confirm(text=text("t" * 300))), actions(confirm(text=text("t" * 301)))),
    ("confirm button", actions(confirm(confirm=text("t" * 30))), actions(confirm(confirm=text("t" * 31)))),
    ("deny button", actions(confirm(deny=text("t" * 30))), actions(confirm(deny=text("t" * 31)))),
    ("confirm whole", actions(confirm()), actions(button("b", "b", confirm={"title": text("t")}))),
    ("date", field(type="datepicker", initial_date="2026-01-31"), field(type="datepicker", initial_date="31.01.2026")),
    (
        "real date",
        field(type="datepicker", initial_date="2028-02-29"),
        field(type="datepicker", initial_date="2026-02-29"),
    ),
    ("time", field(type="timepicker", initial_time="23:59"), field(type="timepicker", initial_time="24:00")),
    (
        "moment",
        field(type="datetimepicker", initial_date_time=1_767_225_600),
        field(type="datetimepicker", initial_date_time=17),
    ),
    ("input length", typed(max_length=3000), typed(max_length=3001)),
    ("input lengths", typed(min_length=2, max_length=2), typed(min_length=3, max_length=2)),
    ("input value", typed(initial_value="x" * 3000), typed(initial_value="x" * 3001)),
    ("input element", typed(), field(type="button", text=text("b"))),
    ("input label", typed() | {"label": text("l" * 2000)}, typed() | {"label": text("l" * 2001)}),
    ("input hint", typed() | {"hint": text("l" * 2000)}, typed() | {"hint": text("l" * 2001)}),
    ("number", field(type="number_input", is_decimal_allowed=False), field(type="number_input")),
    (
        "accessory",
        section(accessory=button("b", "b")),
        section(accessory={"type": "plain_text_input", "action_id": "a"}),
    ),
    ("rich text", rich({"type": "text", "text": "x"}), rich({"type": "video"})),
    ("rich link", rich({"type": "link", "url": "https://a.example"}), rich({"type": "link", "text": "a"})),
    ("markdown", {"type": "markdown", "text": "x" * 12_000}, {"type": "markdown", "text": "x" * 12_001}),
]


@pytest.mark.parametrize(("what", "fine", "wrong"), BOTH_SIDES, ids=[row[0] for row in BOTH_SIDES])
def test_a_limit_holds_on_both_sides(what: str, fine: Json, wrong: Json) -> None:
    assert problems([fine]) == []
    found = problems([wrong])
    assert found
    assert all(one.startswith("[ERROR] ") and "[json-pointer:/blocks/0" in one for one in found)


def test_findings_are_worded_as_slack_words_them() -> None:
    assert problems([section("x" * 3001)]) == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]
    assert problems([{"type": "nothing"}]) == ["[ERROR] unsupported type: nothing [json-pointer:/blocks/0/type]"]


def test_a_message_has_fifty_blocks_and_a_view_a_hundred() -> None:
    divider = {"type": "divider"}
    assert problems([divider] * 50) == []
    assert problems([divider] * 51) == ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]
    for surface in ("modal", "home"):
        assert problems([divider] * 100, surface) == []
        assert problems([divider] * 101, surface) != []


def test_block_ids_are_unique_but_action_ids_only_within_their_block() -> None:
    assert problems([section(block_id="a"), section(block_id="b")]) == []
    assert problems([section(block_id="a"), section(block_id="a")]) != []
    assert problems([actions(button("b", "same")), actions(button("b", "same"))]) == []


def test_blocks_of_messages_are_refused_in_views() -> None:
    assert problems([{"type": "markdown", "text": "x"}]) == []
    assert problems([{"type": "markdown", "text": "x"}], "home") != []


def test_only_one_element_takes_the_focus() -> None:
    focused = typed(focus_on_load=True)
    assert problems([focused], "modal") == []
    assert problems([focused, focused], "modal") != []


def test_a_message_needs_its_text_beside_blocks() -> None:
    assert message_problems("hello", [section()]) == []
    assert "no_text" in message_problems("", [section()])[0]
    assert "no_text" in message_problems(None, [section()])[0]
    assert message_problems("x" * 40_000) == []
    assert message_problems("x" * 40_001) != []


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": text("t" * 25)},
        {"title": None},
        {"submit": text("s" * 25)},
        {"submit": None},
        {"close": text("c" * 25)},
        {"private_metadata": "m" * 3001},
        {"callback_id": "c" * 256},
        {"external_id": "c" * 256},
        {"clear_on_close": "yes"},
        {"type": "workflow_step"},
        {"blocks": None},
        {"hash": "123"},
    ],
)
def test_a_modal_is_refused(wrong: Json) -> None:
    assert view_problems(store_modal()) == []
    assert view_problems(store_modal(**wrong)) != []


def test_a_modal_takes_its_fields_up_to_their_limits() -> None:
    longest = {"title": text("t" * 24), "submit": text("s" * 24), "close": text("c" * 24)}
    names = {"private_metadata": "m" * 3000, "callback_id": "c" * 255, "external_id": "e" * 255}
    assert view_problems(store_modal(**longest, **names)) == []


def test_a_modal_without_inputs_needs_no_submit() -> None:
    assert view_problems({"type": "modal", "title": text("t"), "blocks": [section()]}) == []


def test_a_home_has_no_title() -> None:
    assert view_problems({"type": "home", "blocks": [section()]}) == []
    assert view_problems({"type": "home", "title": text("t"), "blocks": [section()]}) != []
