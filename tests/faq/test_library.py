"""Reading a folder of articles: strict heads, all that is wrong at once, reload without restart."""

import os
import shutil
from pathlib import Path

import jinja2
import pytest

from faq import heads
from faq.facts import CONTEXT_NAMES
from faq.library import ARTICLES, LOCALES, Library, LibraryError, Phrase, Reloader
from faq.live import LiveKnowledge
from faq.samples import DEFAULTS

HEAD = "title: {title}\nshort: Short\nwhen: Always\nrelated: other\nbuttons: check\nphrases:\n"


def write(folder: Path, slug: str, *, phrases: str = "", body: str = "Body of {{ platform_name }}.") -> None:
    (folder / slug).mkdir(parents=True, exist_ok=True)
    for locale in LOCALES:
        title = "Title" if locale == "en" else "標題"
        listed = "".join(f"- {slug} {locale} {p}\n" for p in ("one", "two")) + phrases
        (folder / slug / f"{locale}.md").write_text(
            f"---\n{HEAD.format(title=title)}{listed}---\n{body}\n", encoding="utf-8"
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "topic")
    write(tmp_path, "other")
    return tmp_path


def test_a_right_folder_loads_and_renders(folder: Path) -> None:
    library = Library.load(folder)
    assert library.slugs == ("other", "topic")
    assert library.render("topic", "en", DEFAULTS) == "Body of SaleYee."


def test_a_language_that_is_not_ours_reads_english(folder: Path) -> None:
    assert Library.load(folder).article("topic", "fr-FR").locale == "en"


def test_one_error_names_all_that_is_wrong(folder: Path) -> None:
    (folder / "topic" / "en.md").unlink()
    (folder / "topic" / "zh-CN.md").write_text("no head", encoding="utf-8")
    (folder / "other" / "en.md").write_text(
        "---\ntitle: T\ntitle: T\nshort: " + "x" * 76 + "\nmood: good\nphrases:\n- a b c\n- a b c\n---\nBody",
        encoding="utf-8",
    )
    with pytest.raises(LibraryError) as caught:
        Library.load(folder)
    said = str(caught.value)
    for part in ("topic/en.md: missing", "topic/zh-CN.md", "title stands twice", "mood: good", "“a b c” stands twice"):
        assert part in said


def test_a_phrase_that_two_topics_teach_is_named_with_both(folder: Path) -> None:
    write(folder, "other", phrases="- Hi team, where is the button? Thanks\n")
    write(folder, "topic", phrases="- where is the button\n")
    with pytest.raises(LibraryError, match=r"collides with “.*” of other"):
        Library.load(folder, collisions=True)


def test_an_unknown_button_and_an_unknown_relative_are_named(folder: Path) -> None:
    file = folder / "topic" / "en.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("buttons: check", "buttons: dance"), encoding="utf-8")
    with pytest.raises(LibraryError, match="“dance” is no button"):
        Library.load(folder)
    file.write_text(text.replace("related: other", "related: nowhere"), encoding="utf-8")
    with pytest.raises(LibraryError, match="“nowhere” is no article"):
        Library.load(folder)


def test_a_body_that_does_not_parse_is_named_with_its_line(folder: Path) -> None:
    write(folder, "topic", body="fine\n{% if %}")
    with pytest.raises(LibraryError, match="line 2 of the body"):
        Library.load(folder)


def test_a_fact_that_does_not_exist_fails_instead_of_rendering_nothing(folder: Path) -> None:
    write(folder, "topic", body="{{ nobody_knows }}")
    with pytest.raises(jinja2.UndefinedError):
        Library.load(folder).render("topic", "en", DEFAULTS)


def test_a_body_cannot_reach_into_python(folder: Path) -> None:
    write(folder, "topic", body="{{ platform_name.__class__.__mro__ }}")
    with pytest.raises(jinja2.exceptions.SecurityError):
        Library.load(folder).render("topic", "en", DEFAULTS)


def test_the_documented_names_are_the_names_a_body_sees() -> None:
    assert set(DEFAULTS.context()) == CONTEXT_NAMES


def test_a_phrase_may_hold_a_line_break() -> None:
    head = heads.read("---\nphrases:\n- one\\ntwo\n---\n", keys=frozenset({"phrases"}))
    assert head.phrases == ("one\ntwo",)


def test_the_reloader_swaps_a_good_edit_in_and_keeps_the_old_on_a_bad_one(folder: Path) -> None:
    reloader = Reloader(folder)
    assert not reloader.refresh()
    write(folder, "topic", body="New body.")
    assert reloader.refresh()
    assert reloader.library.render("topic", "en", DEFAULTS) == "New body."
    write(folder, "topic", body="{% broken")
    with pytest.raises(LibraryError):
        reloader.refresh()
    assert reloader.library.render("topic", "en", DEFAULTS) == "New body."


def test_running_knowledge_learns_a_new_phrase_without_restart(tmp_path: Path) -> None:
    copy = tmp_path / "articles"
    shutil.copytree(ARTICLES, copy)
    live = LiveKnowledge(copy)
    before = live.current
    said = "the frobnicator wobbles after my zeppelin consent"
    file = copy / "link-expired" / "en.md"
    file.write_text(file.read_text(encoding="utf-8").replace("phrases:\n", f"phrases:\n- {said}\n"), encoding="utf-8")
    os.utime(file)
    assert live.refresh()
    assert live.current is not before
    assert live.current.matcher.match(said).best == "link-expired"
    assert before.matcher.match(said).best != "link-expired"


def test_running_knowledge_learns_what_agents_teach_and_phrasings_near_it() -> None:
    live = LiveKnowledge()
    said, alike = "The zeppelin ticket you posted has gone sour.", "your zeppelin ticket has gone sour"
    before = live.current.matcher.match(said)
    live.learn({"T1": [Phrase("link-expired", "en", "the zeppelin ticket you posted has gone sour")], "T2": []})
    taught = live.current.matcher_of("T1")
    assert taught.match(said).best == "link-expired"
    assert taught.match(alike).topics[0].slug == "link-expired"
    nearest = taught.explain(taught.match(alike)).nearest
    assert nearest is not None
    assert nearest.text == "the zeppelin ticket you posted has gone sour"
    assert "zeppelin" in nearest.shared
    for elsewhere in ("T2", "T3"):
        assert live.current.matcher_of(elsewhere).match(said) == before
    live.learn({})
    assert live.current.matcher_of("T1").match(said) == before
