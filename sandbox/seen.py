"""What a person sees in the local Slack, as the client hands it to tests and tours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack import plain
from sandbox.slack.elements import elements

Json = dict[str, Any]

_LINK = re.compile(r"<(https?://[^|>]+)(?:\|([^>]*))?>")


@dataclass(frozen=True)
class Control:
    """A button, select, picker or menu that can be used. `kind` is Slack's element type."""

    kind: str
    label: str
    action_id: str
    block_id: str
    url: str = ""
    raw: Json = field(default_factory=dict, repr=False)


def _controls(blocks: list[Json]) -> Iterator[Control]:
    for block, element in elements(blocks):
        label = plain.words(block["label"]) if block["type"] == "input" else plain.element_label(element)
        yield Control(
            kind=element["type"],
            label=label,
            action_id=element["action_id"],
            block_id=block["block_id"],
            url=str(element.get("url", "")),
            raw=element,
        )


def _texts(blocks: list[Json]) -> Iterator[str]:
    for block in blocks:
        for part in (block, block.get("text"), *(block.get("fields") or []), *block.get("elements", [])):
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"]


def _matches(label: str, wanted: str) -> bool:
    return label.casefold() == wanted.casefold()


def _url(label: str, blocks: list[Json], text: str) -> str | None:
    """The address behind a button or link: an exact label first, then one that contains it."""
    found = [(one.label, one.url) for one in _controls(blocks) if one.url]
    for piece in (*_texts(blocks), text):
        found += [(match[2] or match[1], match[1]) for match in _LINK.finditer(piece)]
    for name, url in found:
        if _matches(name, label):
            return url.replace("&amp;", "&")
    for name, url in found:
        if label.casefold() in name.casefold():
            return url.replace("&amp;", "&")
    return None


@dataclass(frozen=True)
class Message:
    """A message as one person sees it. `raw` is everything the sandbox knows about it."""

    raw: Json = field(repr=False)
    ts: str = ""
    channel: str = ""
    text: str = ""

    @classmethod
    def of(cls, raw: Json) -> "Message":
        return cls(raw=raw, ts=raw["ts"], channel=raw["channel"], text=raw["text"])

    @property
    def blocks(self) -> list[Json]:
        found: list[Json] = self.raw.get("blocks", [])
        return found

    @property
    def user(self) -> str:
        return str(self.raw["user"])

    @property
    def ephemeral(self) -> bool:
        return bool(self.raw["ephemeral"])

    @property
    def edited(self) -> bool:
        return "edited" in self.raw

    @property
    def deleted(self) -> bool:
        return bool(self.raw["deleted"])

    @property
    def thread(self) -> str | None:
        """The ts of the thread's first message, if this is an answer in a thread."""
        value = self.raw.get("thread_ts")
        return str(value) if value else None

    @property
    def version(self) -> int:
        return int(self.raw["version"])

    def controls(self) -> list[Control]:
        return list(_controls(self.blocks))

    def buttons(self) -> list[str]:
        """The labels of all buttons."""
        return [one.label for one in self.controls() if one.kind == "button"]

    def link(self, label: str) -> str | None:
        return _url(label, self.blocks, self.text)

    def plain(self) -> str:
        """What a person reads, as text."""
        return plain.message(self.raw)

    def contains(self, fragment: str) -> bool:
        return fragment in self.text or fragment in self.plain() or fragment in plain.mrkdwn(self.text)


@dataclass(frozen=True)
class View:
    """An open modal, or the home tab."""

    raw: Json = field(repr=False)
    id: str = ""
    title: str = ""
    callback_id: str = ""

    @classmethod
    def of(cls, raw: Json) -> "View":
        return cls(
            raw=raw,
            id=raw["id"],
            title=plain.words(raw.get("title")),
            callback_id=str(raw.get("callback_id") or ""),
        )

    @property
    def blocks(self) -> list[Json]:
        found: list[Json] = self.raw["blocks"]
        return found

    @property
    def version(self) -> int:
        return int(self.raw["version"])

    @property
    def notice(self) -> str:
        """Slack's own complaint above the buttons, such as an app that did not answer."""
        return str(self.raw["notice"])

    @property
    def errors(self) -> dict[str, str]:
        """What is written beneath inputs, by the input's label."""
        labels = {block["block_id"]: plain.words(block.get("label")) for block in self.blocks}
        return {labels.get(key) or key: text for key, text in self.raw["errors"].items()}

    @property
    def values(self) -> Json:
        """`state.values` as Slack would send it now."""
        found: Json = self.raw["state"]["values"]
        return found

    def labels(self) -> list[str]:
        """The labels of all inputs."""
        return [plain.words(block["label"]) for block in self.blocks if block["type"] == "input"]

    def controls(self) -> list[Control]:
        return list(_controls(self.blocks))

    def buttons(self) -> list[str]:
        return [one.label for one in self.controls() if one.kind == "button"]

    def link(self, label: str) -> str | None:
        return _url(label, self.blocks, "")

    def plain(self) -> str:
        return plain.view(self.raw)


@dataclass(frozen=True)
class Said:
    """What came of something a person did, and what they see new because of it."""

    ok: bool
    status: int
    ack_ms: float
    failure: str
    version: int
    problems: tuple[str, ...] = ()
    #: beneath inputs, by block id
    errors: dict[str, str] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    modal: View | None = None

    def plain(self) -> str:
        """All new messages, and the modal, as text."""
        parts = [message.plain() for message in self.messages]
        if self.modal is not None:
            parts.append(self.modal.plain())
        return "\n\n".join(parts)


@dataclass(frozen=True)
class Sight:
    """Everything one person sees at one moment."""

    version: int
    busy: int
    messages: tuple[Message, ...]
    views: tuple[View, ...]
    home: View | None

    @classmethod
    def of(cls, raw: Json) -> "Sight":
        return cls(
            version=raw["version"],
            busy=raw["busy"],
            messages=tuple(Message.of(one) for one in raw["messages"]),
            views=tuple(View.of(one) for one in raw["views"]),
            home=View.of(raw["home"]) if raw["home"] else None,
        )


def pick(controls: list[Control], label: str) -> Control | None:
    """By label, then by action id or block id, then by the beginning of the label."""
    wanted = label.casefold()
    for control in controls:
        if control.label.casefold() == wanted:
            return control
    for control in controls:
        if label in {control.action_id, control.block_id}:
            return control
    for control in controls:
        if control.label.casefold().startswith(wanted):
            return control
    return None


def holders(sight: Sight, message: Message | None, view: View | None) -> list[Message | View]:
    """Where to look, nearest first."""
    if view is not None:
        return [one for one in (*sight.views, sight.home) if one is not None and one.id == view.id]
    visible = [one for one in reversed(sight.messages) if not one.deleted]
    if message is not None:
        return [one for one in visible if (one.ts, one.channel) == (message.ts, message.channel)]
    home = [sight.home] if sight.home is not None else []
    return [*sight.views[-1:], *visible, *home]


def find(sight: Sight, label: str, message: Message | None, view: View | None) -> tuple[Message | View, Control] | None:
    for holder in holders(sight, message, view):
        control = pick(holder.controls(), label)
        if control is not None:
            return holder, control
    return None
