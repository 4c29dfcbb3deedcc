"""What agents have taught, as a change to the article files: a unified diff that `git apply` accepts. Pure but for reading."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from faq.library import ARTICLES, NONE, Library, Phrase
from faq.text import clean

_FENCE = "---"
#: where the articles lie, seen from the top of the repository
_FOLDER = "faq/articles"
_NO_NEWLINE = "\\ No newline at end of file\n"


def patch(library: Library, taught: Iterable[Phrase], path: Path = ARTICLES) -> str:
    """Adds each phrase to the head of its topic's article in its language; what the heads say already is left out.

    A phrase means one thing there: of workspaces that understand it differently, the first in `taught` is followed.
    """
    wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
    for phrase, meant in _new(library, taught):
        if meant is None:
            wanted[_file(phrase.slug), phrase.locale].append(phrase.text)
    return "".join(
        _diff(path / folder / f"{locale}.md", f"{_FOLDER}/{folder}/{locale}.md", phrases)
        for (folder, locale), phrases in sorted(wanted.items())
    )


def contested(library: Library, taught: Iterable[Phrase]) -> list[tuple[Phrase, str]]:
    """What `patch` leaves out because it means something else already, and what that is."""
    return [(phrase, meant) for phrase, meant in _new(library, taught) if meant not in (None, phrase.slug)]


def _new(library: Library, taught: Iterable[Phrase]) -> Iterator[tuple[Phrase, str | None]]:
    """Every phrase about a topic there is, and what it meant before it was taught."""
    meanings = {clean(phrase.text): phrase.slug for phrase in library.phrases()}
    for phrase in taught:
        if phrase.slug in library.slugs or phrase.slug == NONE:
            said = clean(phrase.text)
            yield phrase, meanings.get(said)
            meanings.setdefault(said, phrase.slug)


def _file(slug: str) -> str:
    return "_none" if slug == NONE else slug


def _diff(file: Path, name: str, phrases: list[str]) -> str:
    before = file.read_text(encoding="utf-8").splitlines(keepends=True)
    after = list(_with(before, phrases))
    lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    body = "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)
    return f"diff --git a/{name} b/{name}\n{body}"


def _with(lines: list[str], phrases: list[str]) -> Iterator[str]:
    """The phrases at the end of the head, where the list of phrases stands."""
    fences = [number for number, line in enumerate(lines) if line.rstrip() == _FENCE]
    yield from lines[: fences[1]]
    for phrase in phrases:
        one_line = phrase.replace("\n", "\\n")
        yield f"- {one_line}\n"
    yield from lines[fences[1] :]
