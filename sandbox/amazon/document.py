"""A web page as a person without a mouse would meet it: text, links, and forms that can be filled and sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

_SILENT = {"script", "style", "head", "title", "template"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_TYPELESS = {"submit", "image", "button", "reset", "file"}
# Elements that stand apart on the screen, so that the words on both sides are apart, too.
_BLOCKS = {"p", "div", "li", "br", "hr", "h1", "h2", "h3", "h4", "section", "header", "main", "nav", "aside"}
_CELLS = {"tr", "td", "th", "dt", "dd", "label", "button", "option", "legend", "fieldset"}
_BREAKS = _BLOCKS | _CELLS


def squeeze(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True)
class Link:
    """An anchor with an address."""

    label: str
    href: str


@dataclass(frozen=True)
class Button:
    """What submits a form, with the value that it alone sends."""

    label: str
    name: str
    value: str
    action: str | None
    method: str | None
    disabled: bool


@dataclass
class Box:
    """A checkbox or a radio button."""

    kind: str
    name: str
    value: str
    ticked: bool


@dataclass
class Form:
    """A form with what it would send if nobody touched it."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)

    def filled(self, button: Button, fills: Mapping[str, str | bool]) -> list[tuple[str, str]]:
        """The pairs to send: hidden and text fields, ticked boxes, and the button itself."""
        known = {name for name, _ in self.fields} | {box.name for box in self.boxes}
        if unknown := sorted(set(fills) - known):
            raise LookupError(f"this form has no field {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        pairs = [(name, str(fills.get(name, value))) for name, value in self.fields]
        for box in self.boxes:
            choice = fills.get(box.name, box.ticked)
            ticked = choice if isinstance(choice, bool) else choice == box.value
            if ticked:
                pairs.append((box.name, box.value))
        if button.name:
            pairs.append((button.name, button.value))
        return pairs


@dataclass(frozen=True)
class Document:
    """What the parser made of the page."""

    title: str
    text: str
    forms: tuple[Form, ...]
    links: tuple[Link, ...]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.words: list[str] = []
        self.forms: list[Form] = []
        self.links: list[Link] = []
        self._named: dict[str, Form] = {}
        self._awaiting: list[tuple[str, dict[str, str | None], str]] = []
        self._open: list[str] = []
        self._form: Form | None = None
        self._captures: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._select: tuple[dict[str, str | None], list[tuple[str, bool]]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        if tag in _BREAKS:
            self.words.append(" ")
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "form":
            self._form = Form(have.get("action") or "", (have.get("method") or "get").lower())
            self.forms.append(self._form)
            if name := have.get("id"):
                self._named[name] = self._form
        elif tag == "input":
            self._control(have)
        elif tag == "select":
            self._select = (have, [])
        elif tag == "option" and self._select is not None:
            self._select[1].append((have.get("value") or "", "selected" in have))
        if tag in {"a", "button", "textarea", "title"}:
            self._captures.append((tag, have, []))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "form":
            self._form = None
        elif tag == "select" and self._select is not None:
            have, options = self._select
            self._select = None
            chosen = next((value for value, on in options if on), options[0][0] if options else "")
            self._keep(have, chosen)
        elif self._captures and self._captures[-1][0] == tag:
            _, have, pieces = self._captures.pop()
            self._close(tag, have, "".join(pieces))
        if tag in _BREAKS:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        for _, _, pieces in self._captures:
            pieces.append(data)
        if not _SILENT.intersection(self._open):
            self.words.append(data)

    def _close(self, tag: str, have: dict[str, str | None], inner: str) -> None:
        if tag == "title":
            self.title = self.title or squeeze(inner)
        elif tag == "a" and have.get("href") is not None:
            self.links.append(Link(squeeze(have.get("aria-label") or inner), have["href"] or ""))
        elif tag == "textarea":
            self._keep(have, inner.removeprefix("\n"))
        elif tag == "button" and (have.get("type") or "submit") == "submit":
            self._submitter(have, have.get("aria-label") or inner)

    def _control(self, have: dict[str, str | None]) -> None:
        kind = (have.get("type") or "text").lower()
        if kind == "submit":
            self._submitter(have, have.get("value") or "Submit")
        elif kind in {"checkbox", "radio"}:
            form = self._form_of(have)
            if form is not None and have.get("name") and "disabled" not in have:
                form.boxes.append(Box(kind, have["name"] or "", have.get("value") or "on", "checked" in have))
        elif kind not in _TYPELESS:
            self._keep(have, have.get("value") or "")

    def _keep(self, have: dict[str, str | None], value: str) -> None:
        form = self._form_of(have)
        if form is not None and have.get("name") and "disabled" not in have:
            form.fields.append((have["name"] or "", value))

    def _submitter(self, have: dict[str, str | None], label: str) -> None:
        form = self._form_of(have)
        if form is None:
            self._awaiting.append((have.get("form") or "", have, label))
            return
        form.buttons.append(
            Button(
                label=squeeze(label),
                name=have.get("name") or "",
                value=have.get("value") or "",
                action=have.get("formaction"),
                method=(have.get("formmethod") or "").lower() or None,
                disabled="disabled" in have,
            )
        )

    def _form_of(self, have: dict[str, str | None]) -> Form | None:
        """A control may name a form elsewhere on the page."""
        named = have.get("form")
        return self._named.get(named) if named else self._form

    def settle(self) -> None:
        """Buttons that stand before the form they name."""
        for name, have, label in self._awaiting:
            if name in self._named:
                self._submitter(have, label)


def read(html: str) -> Document:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.settle()
    return Document(reader.title, squeeze("".join(reader.words)), tuple(reader.forms), tuple(reader.links))
