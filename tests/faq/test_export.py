"""What was taught becomes a change that `git apply` takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from faq.export import contested, patch
from faq.library import ARTICLES, NONE, Library, Phrase
from tests.faq.knowledge import library

TAUGHT = [
    Phrase("add-store", "en", "zorgle the flurb"),
    Phrase("add-store", "en", "ZORGLE the flurb"),
    Phrase("add-store", "zh-TW", "要怎麼把佐格接上來"),
    Phrase("still-authorizing", "zh-CN", "佐格一直转圈"),
    Phrase(NONE, "en", "who brings the cake"),
    Phrase("gone-by-now", "en", "nobody has this topic"),
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    shutil.copytree(ARTICLES, tmp_path / "faq" / "articles")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def test_git_applies_it_and_the_articles_then_say_it(repository: Path) -> None:
    change = patch(library(), TAUGHT)
    subprocess.run(["git", "apply", "--check", "-"], cwd=repository, input=change.encode(), check=True)
    subprocess.run(["git", "apply", "-"], cwd=repository, input=change.encode(), check=True)
    written = Library.load(repository / "faq" / "articles")
    added = {(one.slug, one.locale, one.text) for one in written.phrases()} - {
        (one.slug, one.locale, one.text) for one in library().phrases()
    }
    assert added == {(one.slug, one.locale, one.text) for one in (TAUGHT[0], *TAUGHT[2:5])}


def test_what_the_articles_say_already_is_left_out() -> None:
    known = library().article("add-store", "en").phrases[0]
    assert patch(library(), [Phrase("add-store", "en", known)]) == ""


def test_a_phrase_that_two_workspaces_understand_differently_is_written_as_the_first_did() -> None:
    taught = [TAUGHT[0], Phrase("still-authorizing", "en", "Zorgle the flurb!"), Phrase(NONE, "en", "zorgle the flurb")]
    assert patch(library(), taught) == patch(library(), taught[:1])
    assert contested(library(), taught) == [(taught[1], "add-store"), (taught[2], "add-store")]
    known = library().article("add-store", "en").phrases[0]
    assert contested(library(), [Phrase("add-store", "en", known)]) == []
    assert contested(library(), [Phrase(NONE, "en", known)]) == [(Phrase(NONE, "en", known), "add-store")]


def test_a_phrase_of_several_lines_stays_one(repository: Path) -> None:
    change = patch(library(), [Phrase("add-store", "en", "zorgle\nthe flurb")])
    subprocess.run(["git", "apply", "-"], cwd=repository, input=change.encode(), check=True)
    written = Library.load(repository / "faq" / "articles")
    assert "zorgle\nthe flurb" in written.article("add-store", "en").phrases


def test_a_file_without_a_last_line_break_is_no_obstacle(repository: Path) -> None:
    folder = repository / "faq" / "articles"
    file = folder / "_none" / "en.md"
    file.write_text(file.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
    change = patch(library(), [TAUGHT[4]], folder)
    subprocess.run(["git", "apply", "-"], cwd=repository, input=change.encode(), check=True)
    assert "- who brings the cake" in file.read_text(encoding="utf-8")
