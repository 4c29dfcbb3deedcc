"""Sentences the bot says, by key, from the catalogs in `locales`. Knows languages; knows nothing of Slack or HTML."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from bot.domain.marketplaces import Marketplace

#: the languages, as Slack and the web write them → the catalogs' folders
LOCALES: Mapping[str, str] = {"en": "en", "zh-CN": "zh_CN", "zh-TW": "zh_TW"}
DEFAULT_LOCALE = "en"
_FOLDER = Path(__file__).parent / "locales"

#: places that write traditional characters, unless the tag names the script
_TRADITIONAL = ("tw", "hk", "mo")


def locale_for(tag: str | None) -> str:
    """The catalog for a language tag (`zh-HK`, `en-US`, `zh_Hant_TW`); anything we do not speak is English."""
    parts = re.split(r"[-_]", (tag or "").casefold())
    if parts[0] == "zh":
        if "hans" in parts or "hant" in parts:
            return "zh-TW" if "hant" in parts else "zh-CN"
        return "zh-TW" if any(part in _TRADITIONAL for part in parts[1:]) else "zh-CN"
    return "en"


def zone_for(name: str | None) -> ZoneInfo:
    """An IANA zone; UTC for one that is missing or unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def as_is(text: str) -> str:
    """The escape for plain text: none."""
    return text


@lru_cache(maxsize=len(LOCALES))
def _catalog(locale: str) -> Translations:
    """The language's catalogs as one, compiled in memory: the .po files are the only ones kept.

    A catalog is one room's sentences (`errors.po`, `pages.po`, …); a key stands in one of them only.
    """
    whole = Catalog(locale=LOCALES[locale])
    for path in sorted((_FOLDER / LOCALES[locale] / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as source:
            for message in read_po(source, locale=LOCALES[locale]):
                if message.id and message.id in whole:
                    raise ValueError(f"{path.name}: {message.id!r} stands in another catalog as well")
                if message.id:
                    whole.add(message.id, message.string)
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translations(compiled)


class Speaker:
    """Says sentences in one language.

    Facts that are strings pass through `escape` (for Slack's mrkdwn, say), so that a label can never become markup;
    dates are written as the language writes them.
    """

    def __init__(self, locale: str, *, tz: str = "UTC", escape: Callable[[str], str] = as_is) -> None:
        self.locale = locale if locale in LOCALES else DEFAULT_LOCALE
        self.zone = zone_for(tz)
        self._escape = escape
        self._babel = Locale.parse(LOCALES[self.locale])

    def escaping(self, escape: Callable[[str], str]) -> Speaker:
        """The same voice for a place with its own markup."""
        return Speaker(self.locale, tz=self.zone.key, escape=escape)

    def __call__(self, key: str, /, **facts: object) -> str:
        """The sentence under `key`. A missing key raises KeyError: catalogs are complete, and a test says so."""
        text = _catalog(self.locale).gettext(key)
        if text == key:
            raise KeyError(f"{self.locale}: no sentence for {key}")
        return text.format(**{name: self._written(value) for name, value in facts.items()})

    def count(self, key: str, n: int, /, **facts: object) -> str:
        """The sentence under `key` (plural `key.plural`) in the form that `n` needs."""
        text = _catalog(self.locale).ngettext(key, f"{key}.plural", n)
        if text in (key, f"{key}.plural"):
            raise KeyError(f"{self.locale}: no sentence for {key}")
        return text.format(n=n, **{name: self._written(value) for name, value in facts.items()})

    def fact(self, text: str) -> str:
        """What a person typed, made safe for this voice's place."""
        return self._escape(text)

    def has(self, key: str) -> bool:
        return _catalog(self.locale).gettext(key) != key

    def date(self, day: date) -> str:
        """A day as the language writes it; a moment is first moved to the reader's zone."""
        if isinstance(day, datetime):
            day = day.astimezone(self.zone).date()
        return format_date(day, format="long" if self.locale == "en" else "y年M月d日", locale=self._babel)

    def moment(self, at: datetime) -> str:
        """A day and time in the reader's zone."""
        pattern = "MMMM d, y, HH:mm" if self.locale == "en" else "y年M月d日 HH:mm"
        return format_datetime(at, format=pattern, tzinfo=self.zone, locale=self._babel)

    def marketplace(self, marketplace: Marketplace) -> str:
        """Its country's name, with Amazon's code."""
        name = self._babel.territories.get(marketplace.territory, marketplace.code)
        return f"{name} ({marketplace.code})" if self.locale == "en" else f"{name}（{marketplace.code}）"

    def list(self, items: list[str]) -> str:
        """Items in a row, as the language separates them."""
        return ("、" if self.locale != "en" else ", ").join(items)

    def _written(self, value: object) -> object:
        match value:
            case datetime():
                return self.moment(value)
            case date():
                return self.date(value)
            case str():
                return self._escape(value)
            case _:
                return value
