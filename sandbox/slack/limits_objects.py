"""Slack's limits for the small parts that blocks are made of: texts, options, confirm dialogs.

Findings are worded as Slack words them, with the JSON pointer to the part that is wrong.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

PLAIN = frozenset({"plain_text"})
ANY_TEXT = frozenset({"plain_text", "mrkdwn"})
STYLES = frozenset({"primary", "danger"})
URL_LIMIT = 3000
ID_LIMIT = 255
OPTION_TEXT = 75
OPTION_VALUE = 150


@dataclass
class Findings:
    """What is wrong, and the ids seen so far."""

    messages: list[str] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    focused: list[str] = field(default_factory=list)

    def add(self, at: str, sentence: str) -> None:
        self.messages.append(f"[ERROR] {sentence} [json-pointer:{at}]")

    def mapping(self, value: Any, at: str) -> bool:
        if isinstance(value, dict):
            return True
        self.add(at, "must provide an object")
        return False

    def keys(self, value: Json, at: str, known: frozenset[str]) -> None:
        """Slack refuses properties that it does not know."""
        for key in value:
            if key not in known:
                self.add(at, f"invalid additional property: {key}")

    def string(self, owner: Json, key: str, at: str, *, most: int, least: int = 0, required: bool = False) -> None:
        """A plain string property, not a text object."""
        value = owner.get(key)
        if value is None:
            if required:
                self.add(at, f"missing required field: {key}")
            return
        where = f"{at}/{key}"
        if not isinstance(value, str):
            self.add(where, "must provide a string")
        elif len(value) > most:
            self.add(where, f"must be less than {most + 1} characters")
        elif len(value) < least:
            self.add(where, f"must be more than {least - 1} characters")

    def flag(self, owner: Json, key: str, at: str) -> None:
        if key in owner and not isinstance(owner[key], bool):
            self.add(f"{at}/{key}", "must provide a boolean")

    def whole(self, owner: Json, key: str, at: str, *, least: int, most: int) -> None:
        value = owner.get(key)
        if value is None:
            return
        where = f"{at}/{key}"
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(where, "must provide an integer")
        elif value < least:
            self.add(where, f"must be greater than or equal to {least}")
        elif value > most:
            self.add(where, f"must be less than or equal to {most}")

    def count(self, value: Any, at: str, *, least: int, most: int) -> list[Any]:
        """A list of so many items; answers it, or an empty one when it is none."""
        if not isinstance(value, list):
            self.add(at, "must provide an array")
            return []
        if len(value) < least:
            self.add(at, f"no less than {least} items allowed")
        if len(value) > most:
            self.add(at, f"no more than {most} items allowed")
        return value

    def url(self, owner: Json, key: str, at: str, *, required: bool = False) -> None:
        self.string(owner, key, at, most=URL_LIMIT, required=required)
        value = owner.get(key)
        if isinstance(value, str):
            try:
                parts = urlsplit(value)
            except ValueError:
                self.add(f"{at}/{key}", "invalid url")
                return
            if parts.scheme not in {"http", "https"} or not parts.netloc:
                self.add(f"{at}/{key}", "invalid url")

    def text(
        self,
        owner: Json,
        key: str,
        at: str,
        *,
        most: int,
        kinds: frozenset[str] = PLAIN,
        required: bool = False,
    ) -> None:
        """The text object at `owner[key]`."""
        if owner.get(key) is None:
            if required:
                self.add(at, f"missing required field: {key}")
            return
        self.text_object(owner[key], f"{at}/{key}", most=most, kinds=kinds)

    def text_object(self, value: Any, at: str, *, most: int, kinds: frozenset[str] = PLAIN) -> None:
        if not self.mapping(value, at):
            return
        kind = value.get("type")
        if kind not in kinds:
            self.add(f"{at}/type", f"unsupported type: {kind}")
            return
        self.keys(value, at, frozenset({"type", "text", "emoji" if kind == "plain_text" else "verbatim"}))
        self.flag(value, "emoji", at)
        self.flag(value, "verbatim", at)
        self.string(value, "text", at, most=most, least=1, required=True)
        text = value.get("text")
        if isinstance(text, str) and text and not text.strip():
            self.add(f"{at}/text", "must be more than 0 characters")

    def confirm(self, owner: Json, at: str) -> None:
        """A dialog that asks before acting."""
        value = owner.get("confirm")
        if value is None:
            return
        at = f"{at}/confirm"
        if not self.mapping(value, at):
            return
        self.keys(value, at, frozenset({"title", "text", "confirm", "deny", "style"}))
        self.text(value, "title", at, most=100, required=True)
        self.text(value, "text", at, most=300, kinds=ANY_TEXT, required=True)
        self.text(value, "confirm", at, most=30, required=True)
        self.text(value, "deny", at, most=30, required=True)
        self.style(value, at)

    def style(self, owner: Json, at: str) -> None:
        if "style" in owner and owner["style"] not in STYLES:
            self.add(f"{at}/style", "must be one of: primary, danger")

    def option(self, value: Any, at: str, *, kinds: frozenset[str] = PLAIN, with_url: bool = False) -> None:
        if not self.mapping(value, at):
            return
        known = {"text", "value", "description"} | ({"url"} if with_url else set())
        self.keys(value, at, frozenset(known))
        self.text(value, "text", at, most=OPTION_TEXT, kinds=kinds, required=True)
        self.string(value, "value", at, most=OPTION_VALUE, required=True)
        self.text(value, "description", at, most=OPTION_TEXT, kinds=kinds)
        if with_url:
            self.url(value, "url", at)

    def options(
        self, element: Json, at: str, *, most: int, kinds: frozenset[str] = PLAIN, with_url: bool = False
    ) -> None:
        """The `options` of an element: so many, and no two with one value."""
        at = f"{at}/options"
        values: set[str] = set()
        for index, option in enumerate(self.count(element.get("options"), at, least=1, most=most)):
            self.option(option, f"{at}/{index}", kinds=kinds, with_url=with_url)
            value = option.get("value") if isinstance(option, dict) else None
            if isinstance(value, str):
                if value in values:
                    self.add(f"{at}/{index}/value", f'option value "{value}" already exists')
                values.add(value)

    def choices(self, element: Json, at: str) -> None:
        """Either `options` or `option_groups`, each at most 100."""
        if ("options" in element) == ("option_groups" in element):
            self.add(at, "must provide either options or option_groups")
            return
        if "options" in element:
            self.options(element, at, most=100)
            return
        at = f"{at}/option_groups"
        for index, group in enumerate(self.count(element["option_groups"], at, least=1, most=100)):
            where = f"{at}/{index}"
            if self.mapping(group, where):
                self.keys(group, where, frozenset({"label", "options"}))
                self.text(group, "label", where, most=75, required=True)
                self.options(group, where, most=100)
