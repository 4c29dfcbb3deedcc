"""Catalogs: complete, equal to each other, used, and each written in its own language."""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from bot import errors
from bot.domain.error_codes import ERROR_CODES
from bot.domain.features import FEATURES
from bot.domain.grants import GrantState
from bot.domain.marketplaces import MARKETPLACES
from bot.domain.mirror import SisterState
from bot.domain.roles import Role
from bot.domain.status import StatusKind
from bot.domain.templates import TEMPLATES
from bot.domain.tickets import CloseReason, Source, TicketState
from bot.domain.verification import TURNS, Reason, Turn
from bot.errors import GrantdeskError
from bot.i18n import LOCALES, Speaker, locale_for
from bot.ports.desk import Queue
from tests.wordings import MAINLAND, TAIWANESE

ROOT = Path(__file__).parents[1]
OTHERS = [locale for locale in LOCALES if locale != "en"]


def _messages(locale: str) -> dict[str, Message]:
    folder = ROOT / "bot" / "locales" / LOCALES[locale] / "LC_MESSAGES"
    found: dict[str, Message] = {}
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as source:
            for message in read_po(source, locale=LOCALES[locale]):
                if message.id:
                    found[_key(message)] = message
    return found


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


CATALOGS = {locale: _messages(locale) for locale in LOCALES}


# --- equal to each other ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", OTHERS)
def test_every_language_says_the_same_things(locale: str) -> None:
    assert set(CATALOGS[locale]) == set(CATALOGS["en"])


@pytest.mark.parametrize("locale", LOCALES)
def test_no_sentence_is_empty_fuzzy_or_written_twice(locale: str) -> None:
    for key, message in CATALOGS[locale].items():
        assert all(form.strip() for form in _forms(message)), key
        assert not message.fuzzy, key
    Speaker(locale)("button.add")  # raises when a key stands in two catalogs


@pytest.mark.parametrize("locale", OTHERS)
def test_a_sentence_names_the_same_facts_in_every_language(locale: str) -> None:
    for key, message in CATALOGS[locale].items():
        said, english = (
            {name for form in _forms(one) for name in _placeholders(form)} for one in (message, CATALOGS["en"][key])
        )
        assert said - {"n"} == english - {"n"}, key


@pytest.mark.parametrize("locale", LOCALES)
def test_plurals_have_the_forms_their_language_needs(locale: str) -> None:
    plurals = {key: message for key, message in CATALOGS[locale].items() if not isinstance(message.id, str)}
    assert {"store.list", "store.shared"} <= set(plurals)
    assert set(plurals) == {key for key, message in CATALOGS["en"].items() if not isinstance(message.id, str)}
    for key, message in plurals.items():
        assert message.id[1] == f"{key}.plural"
        assert len(_forms(message)) == (2 if locale == "en" else 1), key
        assert "{n}" in _forms(message)[-1], key


@pytest.mark.parametrize(
    ("locale", "n", "said"),
    [
        ("en", 1, "You have 1 store:"),
        ("en", 3, "You have 3 stores:"),
        ("zh-CN", 1, "您有 1 个店铺："),
        ("zh-TW", 3, "您有 3 個店鋪："),
    ],
)
def test_counting_speaks_the_language(locale: str, n: int, said: str) -> None:
    assert Speaker(locale).count("store.list", n) == said


# --- every family is whole -------------------------------------------------------------------------------------------


def _tree(kind: type[GrantdeskError] = GrantdeskError) -> Iterator[type[GrantdeskError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _tree(below)


ERRORS = [kind for kind in _tree() if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_has_a_sentence_whose_english_is_its_docstring(kind: type[GrantdeskError]) -> None:
    [said] = _forms(CATALOGS["en"][f"error.{kind.__name__}"])
    assert said == (kind.__doc__ or "").strip()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("reason", Reason)
def test_a_reason_says_what_happened_and_what_to_do(locale: str, reason: Reason) -> None:
    title, advice = (_forms(CATALOGS[locale][f"reason.{reason.value}.{part}"])[0] for part in ("title", "advice"))
    assert title != advice
    assert title[-1] not in ".。", "a title is no sentence with a stop"
    assert advice[-1] in ".。!！", advice


FAMILIES: dict[str, set[str]] = {
    "error.*": {f"error.{kind.__name__}" for kind in ERRORS},
    "reason.*.title": {f"reason.{reason.value}.title" for reason in Reason},
    "reason.*.advice": {f"reason.{reason.value}.advice" for reason in Reason},
    "amazon_error.*": {f"amazon_error.{code}" for code in ERROR_CODES},
    "turn.*": {f"turn.{turn.value}" for turn in Turn},
    "status.*": {f"status.{kind.value}" for kind in StatusKind},
    "grant.*": {f"grant.{state.value}" for state in GrantState} | {"grant.expiring"},
    "feature.*.name": {f"feature.{key.value}.name" for key in FEATURES},
    "feature.*.does": {f"feature.{key.value}.does" for key in FEATURES},
    "digest.*.*": {
        f"digest.{key.value}.{when}" for key in FEATURES for when in ("later", "tomorrow", "today", "ended")
    },
    "digest.count.*": {f"digest.count.{key.value}" for key in FEATURES},
    "digest.settings.*": {"digest.settings.on", "digest.settings.off"},
    "digest.weekday.*": {f"digest.weekday.{day}" for day in range(7)},
    "health.broke.*": {f"health.broke.{key.value}" for key in FEATURES},
    "health.mended.*": {f"health.mended.{key.value}" for key in FEATURES},
    "health.gap.*": {f"health.gap.{key.value}" for key in FEATURES},
    "health.alone.*": {f"health.alone.{key.value}" for key in FEATURES},
    "health.support.*": {f"health.support.{key.value}" for key in FEATURES},
    "mirror.store.*": {f"mirror.store.{state}" for state in ("disabled", "enabled", "deleted")},
    "mirror.grant.*": {f"mirror.grant.{state.value}" for state in SisterState if state is not SisterState.ENABLED},
    "mirror.word.*": {f"mirror.word.{state.value}" for state in SisterState if state is not SisterState.ENABLED},
    "desk.mend.*": {f"desk.mend.{reason.value}" for reason, turn in TURNS.items() if turn is Turn.US},
    "desk.queue.*": {f"desk.queue.{queue.value}" for queue in Queue},
    "desk.empty.*": {f"desk.empty.{queue.value}" for queue in Queue},
    "desk.state.*": {f"desk.state.{state.value}" for state in TicketState},
    "desk.source.*": {f"desk.source.{source.value}" for source in Source},
    "desk.because.*": {f"desk.because.{because.value}" for because in CloseReason},
    "desk.reply.*": {f"desk.reply.{key}" for key in TEMPLATES},
    "desk.template.*": {f"desk.template.{key}" for key in TEMPLATES},
    "desk.weekday.*": {f"desk.weekday.{number}" for number in range(7)},
    "ticket.state.*": {f"ticket.state.{state.value}" for state in TicketState},
    "ticket.closed.*": {f"ticket.closed.{because.value}" for because in CloseReason},
    "role.*": {f"role.{role.value}" for role in Role if role is not Role.SELLER},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_member_of_a_family_is_said(family: str) -> None:
    assert FAMILIES[family] <= set(CATALOGS["en"])


# --- what code says, and what nobody says ----------------------------------------------------------------------------

#: families whose members another test, or the code's own table, knows: a key of such a shape counts as used
OPEN_FAMILIES = (
    "channel.*",
    "channel.*_already",
    "desk.alert.*",
    "desk.card.link_*",
    "desk.line.*",
    "desk.mend.*",
    "desk.new.*",
    "ticket.said.*",
    "language.*",
    "miss.*",
    "page.*.title",
    "page.*.advice",
    "page.problem.*",
    "page.ready.*",
    "page.silent.*",
    "page.blocked.*",
    "install.*.title",
    "install.*.advice",
)

_KEY = re.compile(r"[a-z_]+(\.[A-Za-z0-9_]+)+")


def _sources() -> Iterator[Path]:
    for folder in ("bot", "handlers"):
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if not path.name.startswith("tour"))


def _said() -> tuple[dict[str, str], dict[str, str]]:
    """The literal keys that `say(…)` and its like are called with, and the shapes of the computed ones; with their places."""
    literal: dict[str, str] = {}
    shapes: dict[str, str] = {}
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not _speaks(node.func):
                continue
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            for choice in _choices(node.args[0]):
                if isinstance(choice, ast.Constant) and isinstance(choice.value, str) and _KEY.fullmatch(choice.value):
                    literal[choice.value] = place
                elif isinstance(choice, ast.JoinedStr):
                    shape = "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "*" for part in choice.values
                    )
                    if _KEY.fullmatch(shape.replace("*", "x")):
                        shapes[shape] = place
    return literal, shapes


def _speaks(function: ast.expr) -> bool:
    """`say(…)`, `call.say(…)`, `bare(…)`, `mrkdwn(person)(…)`, `say.count(…)`."""
    match function:
        case ast.Name(id=name):
            return name in ("say", "bare", "marked", "speaker")
        case ast.Attribute(attr=name):
            return name in ("say", "count")
        case ast.Call():
            return True
    return False


def _choices(node: ast.expr) -> list[ast.expr]:
    return [*_choices(node.body), *_choices(node.orelse)] if isinstance(node, ast.IfExp) else [node]


def _templates() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "handlers" / "pages").rglob("*.html")))


def test_every_key_that_code_says_exists() -> None:
    literal, _ = _said()
    literal |= dict.fromkeys(re.findall(r'say\("([a-z_.]+[a-z_])"', _templates()), "pages")
    assert len(literal) > 100, "the scan finds what it looks for"
    missing = {key: place for key, place in literal.items() if key not in CATALOGS["en"]}
    assert missing == {}


def test_every_computed_key_belongs_to_a_known_family() -> None:
    _, shapes = _said()
    assert {shape: place for shape, place in shapes.items() if shape not in (*FAMILIES, *OPEN_FAMILIES)} == {}


def test_no_sentence_is_there_that_nobody_says() -> None:
    written = _templates() + "\n".join(path.read_text("utf-8") for path in _sources())
    mentioned = set(re.findall(r"[\"']([a-z_]+(?:\.[A-Za-z0-9_]+)+)[\"']", written))
    known = mentioned.union(*FAMILIES.values())
    open_ones = [re.compile(re.escape(shape).replace(r"\*", r"[A-Za-z0-9_-]+(\.[a-z]+)?")) for shape in OPEN_FAMILIES]
    unused = {
        key for key in CATALOGS["en"] if key not in known and not any(shape.fullmatch(key) for shape in open_ones)
    }
    assert unused == set()


# --- each in its own language ----------------------------------------------------------------------------------------


def _own_words(locale: str) -> Iterator[tuple[str, str]]:
    """What a catalog says, without the platform's own names in 【】 and without keys of facts."""
    for key, message in CATALOGS[locale].items():
        for form in _forms(message):
            yield key, re.sub(r"【[^】]*】|\{[^}]*\}", "", form)


def _strange(text: str, *, own: str, other: str) -> list[str]:
    """Characters that the other script's charset has and this one's has not."""

    def has(char: str, charset: str) -> bool:
        try:
            char.encode(charset)
        except UnicodeEncodeError:
            return False
        return True

    letters = (char for char in text if unicodedata.category(char) == "Lo")
    return [char for char in letters if not has(char, own) and has(char, other)]


@pytest.mark.parametrize(("locale", "own", "other"), [("zh-TW", "big5", "gb2312"), ("zh-CN", "gb2312", "big5")])
def test_chinese_is_written_in_the_characters_of_its_readers(locale: str, own: str, other: str) -> None:
    strange = {key: found for key, text in _own_words(locale) if (found := _strange(text, own=own, other=other))}
    assert strange == {}


def test_traditional_chinese_has_its_own_wordings() -> None:
    wrong = {
        (key, word): better for key, text in _own_words("zh-TW") for word, better in MAINLAND.items() if word in text
    }
    assert wrong == {}


def test_simplified_chinese_has_its_own_wordings() -> None:
    wrong = {(key, word) for key, text in _own_words("zh-CN") for word in TAIWANESE if word in text}
    assert wrong == set()


def test_chinese_is_punctuated_as_chinese() -> None:
    wrong = {
        (locale, key)
        for locale in OTHERS
        for key, text in _own_words(locale)
        if re.search(r"[\u4e00-\u9fff][,;:?!]|[\u4e00-\u9fff]\.(?:\s|$)", text)
    }
    assert wrong == set()


# --- the voice -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("en-US", "en"),
        ("en-GB", "en"),
        ("zh-CN", "zh-CN"),
        ("zh_CN", "zh-CN"),
        ("zh", "zh-CN"),
        ("zh-SG", "zh-CN"),
        ("zh-TW", "zh-TW"),
        ("zh-HK", "zh-TW"),
        ("zh-MO", "zh-TW"),
        ("zh_Hant_TW", "zh-TW"),
        ("zh-Hant", "zh-TW"),
        ("zh-Hans", "zh-CN"),
        ("zh-Hans-HK", "zh-CN"),
        ("zh-Hant-CN", "zh-TW"),
        ("ZH-tw", "zh-TW"),
        ("de-DE", "en"),
        ("ja-JP", "en"),
        ("zha", "en"),
        ("", "en"),
        (None, "en"),
        ("-", "en"),
    ],
)
def test_a_language_tag_finds_its_catalog(tag: str | None, locale: str) -> None:
    assert locale_for(tag) == locale


def test_a_missing_key_is_an_error_and_not_shown() -> None:
    say = Speaker("zh-CN")
    with pytest.raises(KeyError):
        say("no.such.key")
    with pytest.raises(KeyError):
        say.count("no.such.key", 2)
    assert not say.has("no.such.key")
    assert say.has("button.add")


def test_facts_are_escaped_and_dates_are_written_for_the_reader() -> None:
    def shout(text: str) -> str:
        return text.upper()

    late = datetime(2026, 2, 1, 20, 30, tzinfo=UTC)
    assert Speaker("en", escape=shout)("store.disable_confirm", store="acme").startswith("ACME")
    assert Speaker("en").date(date(2026, 1, 31)) == "January 31, 2026"
    assert [Speaker(locale, tz="Asia/Shanghai").date(late) for locale in OTHERS] == ["2026年2月2日"] * 2
    assert Speaker("zh-TW", tz="Asia/Taipei").moment(late) == "2026年2月2日 04:30"
    assert Speaker("en", tz="Not/AZone").moment(late) == "February 1, 2026, 20:30"


def test_a_marketplace_has_its_countrys_name_in_every_language() -> None:
    germany = MARKETPLACES["DE"]
    assert [Speaker(locale).marketplace(germany) for locale in LOCALES] == ["Germany (DE)", "德国（DE）", "德國（DE）"]
    for row in MARKETPLACES.values():
        assert len({Speaker(locale).marketplace(row) for locale in LOCALES}) >= 2
