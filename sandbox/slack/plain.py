"""Messages and views as plain text: what a person reads, for terminals, tests and logs."""

import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

_LINK = re.compile(r"<(https?://[^|>]+|mailto:[^|>]+)(?:\|([^>]*))?>")
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#(C[A-Z0-9]+)(?:\|([^>]*))?>")
_DATE = re.compile(r"<!date\^(\d+)\^[^|>]*\|([^>]*)>")
_SPECIAL = re.compile(r"<!(here|channel|everyone)(?:\|[^>]*)?>")
_BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
_ITALIC = re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])")
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def mrkdwn(text: str) -> str:
    """Slack's markup without its marks."""
    text = _LINK.sub(lambda m: m[2] or m[1], text)
    text = _USER.sub(lambda m: "@" + (m[2] or m[1]), text)
    text = _CHANNEL.sub(lambda m: "#" + (m[2] or m[1]), text)
    text = _DATE.sub(lambda m: m[2], text)
    text = _SPECIAL.sub(lambda m: "@" + m[1], text)
    text = _ITALIC.sub(r"\1", _BOLD.sub(r"\1", text))
    for escaped, plain in _ESCAPES:
        text = text.replace(escaped, plain)
    return text


def words(value: Json | None) -> str:
    """A text object."""
    if not value:
        return ""
    text = str(value.get("text", ""))
    return mrkdwn(text) if value.get("type") == "mrkdwn" else text


def element_label(element: Json) -> str:
    """What is written on a button or in an empty select."""
    for key in ("text", "placeholder"):
        if isinstance(element.get(key), dict):
            return words(element[key])
    return str(element.get("alt_text") or "⋯")


def _element(element: Json) -> str:
    kind = element["type"]
    if kind == "image":
        return f"[image: {element.get('alt_text', '')}]"
    label = element_label(element)
    return f"[{label}]" if kind == "button" else f"[{label} ▾]"


def _leaf(leaf: Json) -> str:
    kind = leaf["type"]
    if kind == "link":
        return str(leaf.get("text") or leaf["url"])
    if kind == "user":
        return f"@{leaf['user_id']}"
    if kind == "emoji":
        return f":{leaf['name']}:"
    if kind == "channel":
        return f"#{leaf['channel_id']}"
    return str(leaf.get("text") or leaf.get("fallback") or leaf.get("range") or "")


def _rich(part: Json) -> str:
    if part["type"] == "rich_text_list":
        return "\n".join(f"• {_rich(item)}" for item in part["elements"])
    return "".join(_leaf(leaf) for leaf in part.get("elements", []))


def _section(block: Json) -> str:
    lines = [words(block.get("text"))]
    lines += [words(field) for field in block.get("fields") or []]
    if block.get("accessory"):
        lines.append(_element(block["accessory"]))
    return "\n".join(line for line in lines if line)


def _input(block: Json) -> str:
    optional = " (optional)" if block.get("optional") else ""
    hint = f"\n  {words(block['hint'])}" if block.get("hint") else ""
    return f"{words(block['label'])}{optional}: ____{hint}"


def _context(one: Json) -> str:
    return "  ".join(words(part) if "text" in part else _element(part) for part in one["elements"])


_BLOCKS: dict[str, Callable[[Json], str]] = {
    "section": _section,
    "header": lambda one: f"# {words(one['text'])}",
    "context": _context,
    "actions": lambda one: " ".join(_element(element) for element in one["elements"]),
    "input": _input,
    "rich_text": lambda one: "\n".join(_rich(part) for part in one["elements"]),
    "divider": lambda _: "———",
    "image": lambda one: f"[image: {one.get('alt_text', '')}]",
    "markdown": lambda one: str(one.get("text", "")),
}


def block(one: Json) -> str:
    """One block as lines of text."""
    render = _BLOCKS.get(one["type"])
    return render(one) if render is not None else f"[{one['type']}]"


def message(body: Json) -> str:
    """A message: its blocks, or its text when it has none."""
    if body.get("blocks"):
        return "\n".join(block(one) for one in body["blocks"])
    return mrkdwn(str(body.get("text", "")))


def view(body: Json) -> str:
    """A modal or a home: title, blocks, and the errors beneath inputs."""
    lines = [f"== {words(body.get('title'))} =="] if body.get("title") else []
    for one in body["blocks"]:
        lines.append(block(one))
        error = body.get("errors", {}).get(one["block_id"])
        if error:
            lines.append(f"  ⚠ {error}")
    if body.get("notice"):
        lines.append(f"⚠ {body['notice']}")
    buttons = [words(body.get(key)) for key in ("close", "submit") if body.get(key)]
    if buttons:
        lines.append(" ".join(f"[{label}]" for label in buttons))
    return "\n".join(lines)
