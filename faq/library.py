r"""The articles: one folder a topic, one file a language, a small strict head and a Jinja body in Slack mrkdwn.

A file reads::

    ---
    title: Why does it still say 【授权中】
    short: Still authorizing              (a button's label, 75 characters at most)
    when: Granted at Amazon, yet the list says otherwise
    related: granted-but-not-working, link-expired
    buttons: check, new_link              (names of `faq.facts.Button`, first = the usual one)
    phrases:
    - authorized but still pending
    - why does it say unauthorized
    ---
    Body, with {{ platform_name }} and the other names of `faq.facts.Facts`.

Every key stands once, in any order, `phrases` last; nothing else is allowed. `\n` in a phrase is a line break.
`articles/_none/<locale>.md` has a head of phrases only: what looks near, and must be met with silence.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from faq import heads
from faq.facts import Button, Facts
from faq.text import clean, has_han
from faq.text import fold as fold_text

if TYPE_CHECKING:
    from jinja2 import Template

ARTICLES = Path(__file__).with_name("articles")
LOCALES = ("zh-CN", "zh-TW", "en")
NONE = "NONE"
NEEDS_A_PERSON = "needs-a-person"

_BOLD = re.compile(
    r"(?<=[^\s(（])\*[^*\n]+\*(?=[^\s.,;:)])|(?<=[^\s(（])\*[^*\n]+\*|(?<![^\s])\*[^*\n]+\*(?=[^\s.,;:)])"
)
#: A space without width.
_EDGE = "\u200b"
_NONE_FOLDER = "_none"
_KEYS = frozenset({"title", "short", "when", "related", "buttons", "phrases"})
_NONE_KEYS = frozenset({"phrases"})
#: Slack's limit for the text of a button.
MAX_SHORT = 75
#: Slack's limit for a section is 3 000; the bot adds a line of its own.
MAX_BODY = 2800


class LibraryError(Exception):
    """Some articles are wrong; each line of the message names a file and what to change."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The articles cannot be used:\n" + "\n".join(f"  {p}" for p in self.problems))


@dataclass(frozen=True, slots=True)
class Article:
    """One topic in one language."""

    slug: str
    locale: str
    title: str
    short: str
    when: str
    related: tuple[str, ...]
    buttons: tuple[Button, ...]
    phrases: tuple[str, ...]
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """One thing people say. `slug` is a topic, or `NONE`."""

    slug: str
    locale: str
    text: str


class Library:
    """All articles, validated. Immutable: a changed folder makes a new library."""

    def __init__(self, articles: Mapping[tuple[str, str], Article], silent: Iterable[Phrase], stamp: str) -> None:
        self._articles = MappingProxyType(dict(articles))
        self._silent = tuple(silent)
        self._stamp = stamp
        self._environment = environment()
        self._templates: dict[tuple[str, str], Template] = {}

    @classmethod
    def load(cls, path: Path = ARTICLES, *, collisions: bool = False) -> "Library":
        """Read and validate everything at once; one `LibraryError` names all that is wrong.

        `collisions` looks besides whether two topics teach the same words, which takes as long as all the rest: for whoever
        has edited, not for every start.
        """
        problems: list[str] = []
        articles: dict[tuple[str, str], Article] = {}
        silent: list[Phrase] = []
        stamp = _stamp(path)
        for folder in sorted(p for p in path.iterdir() if p.is_dir()):
            for locale in LOCALES:
                file = folder / f"{locale}.md"
                name = f"{folder.name}/{locale}.md"
                if not file.exists():
                    problems.append(f"{name}: missing")
                    continue
                try:
                    if folder.name == _NONE_FOLDER:
                        head = heads.read(file.read_text(encoding="utf-8"), keys=_NONE_KEYS)
                        silent.extend(Phrase(NONE, locale, p) for p in head.phrases)
                    else:
                        articles[folder.name, locale] = _article(folder.name, locale, file.read_text(encoding="utf-8"))
                except heads.HeadError as error:
                    problems.extend(f"{name}: {p}" for p in error.problems)
            strangers = {p.name for p in folder.iterdir()} - {f"{x}.md" for x in LOCALES}
            problems.extend(f"{folder.name}/{s}: not one of {', '.join(LOCALES)}" for s in sorted(strangers))
        library = cls(articles, silent, stamp)
        problems.extend(library.problems())
        if collisions:
            problems.extend(library.collisions())
        if problems:
            raise LibraryError(problems)
        return library

    @property
    def slugs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(slug for slug, _ in self._articles))

    def article(self, slug: str, locale: str) -> Article:
        """The article in that language, or in English if the language is not one of ours."""
        return self._articles[slug, locale if locale in LOCALES else "en"]

    def articles(self) -> Iterator[Article]:
        yield from self._articles.values()

    def phrases(self) -> tuple[Phrase, ...]:
        """Everything the heads teach, in a fixed order."""
        taught = (Phrase(a.slug, a.locale, p) for a in self._articles.values() for p in a.phrases)
        return (*taught, *self._silent)

    def render(self, slug: str, locale: str, facts: Facts) -> str:
        """The body for these facts, as Slack mrkdwn; blank lines that conditions left behind are gone."""
        article = self.article(slug, locale)
        key = (article.slug, article.locale)
        if key not in self._templates:
            self._templates[key] = self._environment.from_string(article.body)
        return _tidy(self._templates[key].render(facts.context()))

    def changed(self, path: Path = ARTICLES) -> bool:
        """Whether the folder differs from what was loaded: names, sizes or times."""
        return _stamp(path) != self._stamp

    def collisions(self) -> list[str]:
        """Phrases of which nothing is left after cleaning, or the same as another topic's."""
        found: list[str] = []
        owners: dict[str, Phrase] = {}
        for phrase in self.phrases():
            key = clean(phrase.text)
            if not key and phrase.slug != NONE:
                found.append(f"{phrase.slug}/{phrase.locale}.md: nothing is left of “{phrase.text}” after cleaning")
            other = owners.setdefault(key, phrase)
            if other.slug != phrase.slug:
                found.append(
                    f"{phrase.slug}/{phrase.locale}.md: “{phrase.text}” collides with “{other.text}” of {other.slug}"
                )
        return found

    def problems(self) -> list[str]:
        """What is wrong between articles: unknown relatives, bodies that do not parse."""
        found: list[str] = []
        slugs = set(self.slugs)
        for article in self._articles.values():
            name = f"{article.slug}/{article.locale}.md"
            found.extend(f"{name}: related “{r}” is no article" for r in article.related if r not in slugs)
            try:
                self._environment.parse(article.body)
            except jinja2.TemplateSyntaxError as error:
                found.append(f"{name}: line {error.lineno} of the body: {error.message}")
        return found


class Reloader:
    """Keeps the newest library that is right: a broken edit is reported and the old articles stay."""

    def __init__(self, path: Path = ARTICLES) -> None:
        self._path = path
        self.library = Library.load(path)

    def refresh(self) -> bool:
        """True if there is a new library. Raises `LibraryError` if the edit is wrong; `library` is then untouched."""
        if not self.library.changed(self._path):
            return False
        self.library = Library.load(self._path, collisions=True)
        return True


def environment() -> jinja2.Environment:
    """Bodies are ours, and still sandboxed: agents may send new ones by pull request."""
    return ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Slack mrkdwn, not HTML; what people typed arrives escaped
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def _article(slug: str, locale: str, text: str) -> Article:
    head = heads.read(text, keys=_KEYS)
    problems = []
    if len(head.one("short")) > MAX_SHORT:
        problems.append(f"short: {len(head.one('short'))} characters, at most {MAX_SHORT}")
    unknown = [b for b in head.many("buttons") if b not in set(Button)]
    problems.extend(f"buttons: “{b}” is no button" for b in unknown)
    if not head.body.strip():
        problems.append("the body is empty")
    if not head.phrases:
        problems.append("phrases: at least one")
    if locale.startswith("zh") and not has_han(fold_text(head.one("title"))):
        problems.append("title: not Chinese")
    if problems:
        raise heads.HeadError(problems)
    return Article(
        slug=slug,
        locale=locale,
        title=head.one("title"),
        short=head.one("short"),
        when=head.one("when"),
        related=head.many("related"),
        buttons=tuple(Button(b) for b in head.many("buttons")),
        phrases=head.phrases,
        body=head.body,
    )


def _stamp(path: Path) -> str:
    seen = hashlib.sha256()
    for file in sorted(path.rglob("*.md")):
        status = file.stat()
        seen.update(f"{file.relative_to(path)}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return seen.hexdigest()


def _tidy(text: str) -> str:
    """No blank lines but single ones; and bold that Slack sees: it wants an edge around `*…*`, which Chinese has not."""
    text = _BOLD.sub(f"{_EDGE}\\g<0>{_EDGE}", text)
    lines: list[str] = []
    for line in (raw.rstrip() for raw in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines)
