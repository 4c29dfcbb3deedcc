"""The README, the changelog and the decisions say what is so: commands, folders, the state diagram, links, the version."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import typer.main
import yaml

from bot.cli import app
from tests.house.diagram import diagram
from tests.house.files import HOUSE, files

README = (HOUSE / "README.md").read_text(encoding="utf-8")
MAKEFILE = (HOUSE / "Makefile").read_text(encoding="utf-8")
CHANGELOG = (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8")
DECISIONS = sorted((HOUSE / "docs" / "decisions").glob("*.md"))

#: what people are told to type: fenced blocks and inline code
_CODE = "\n".join(
    fenced or inline for fenced, inline in re.findall(r"```(?:sh)?\n(.*?)```|`([^`\n]+)`", README, re.DOTALL)
)


def test_the_state_diagram_is_the_table_of_moves() -> None:
    drawn = re.search(r"```mermaid\n(.*?)\n```", README, re.DOTALL)
    assert drawn is not None, "the README has no diagram"
    assert drawn[1] == diagram(), "paste what `python -m tests.house.diagram` prints"


def test_every_make_command_exists() -> None:
    told = set(re.findall(r"^\s*make ([a-z]+)", _CODE, re.MULTILINE))
    assert {"demo", "test", "check", "tour", "bench"} <= told
    assert told <= set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def test_the_table_of_commands_has_every_slash_command_and_the_shortcut_bears_its_name() -> None:
    features = yaml.safe_load((HOUSE / "manifest.yml").read_text(encoding="utf-8"))["features"]
    table = README.partition("## What people type")[2].partition("\n## ")[0]
    told = {word for row in table.splitlines() if row.startswith("|") for word in re.findall(r"`(/[a-z]+)", row)}
    assert told == {command["command"] for command in features["slash_commands"]}
    for shortcut in features["shortcuts"]:
        written = re.findall(rf"\*({shortcut['name'].split()[0]} [^*]+)\*", README + CHANGELOG)
        assert set(written) <= {shortcut["name"]}


def test_every_grantdesk_command_exists() -> None:
    told = set(re.findall(r"(?:^|[ /])grantdesk ([a-z][a-z-]+(?: [a-z][a-z-]+)?)", _CODE, re.MULTILINE))
    assert {"serve", "doctor", "migrate", "rotate-keys"} <= {words.split()[0] for words in told}
    for words in told:
        command: Any = typer.main.get_command(app)
        for word in words.split():
            if not hasattr(command, "commands"):  # what follows is an argument
                break
            assert word in command.commands, f"grantdesk {words}"
            command = command.commands[word]


def test_ci_runs_what_the_readme_tells_people_to_run() -> None:
    steps = re.findall(r"^(?:step|make) ([a-z]+)", (HOUSE / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert steps == ["check", "tour", "test"], "tests come last: their closing line is the last thing on the page"


def test_the_map_shows_the_top_level_folders() -> None:
    drawn = re.search(r"## The map of the house\n.*?```\n(.*?)```", README, re.DOTALL)
    assert drawn is not None
    shown = set(re.findall(r"^([\w.]+)/", drawn[1], re.MULTILINE))
    there = {path.relative_to(HOUSE).parts[0] for path in files() if len(path.relative_to(HOUSE).parts) > 1}
    assert shown == {folder for folder in there if not folder.startswith(".")}


@pytest.mark.parametrize("page", [HOUSE / "README.md", HOUSE / "CHANGELOG.md", *DECISIONS], ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: object) -> None:
    path = HOUSE / str(page)
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} points at {target}"


def test_decisions_are_numbered_without_gaps() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


def test_the_changelog_tells_of_the_current_version() -> None:
    version = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert re.search(rf"^## \[{re.escape(version)}\]", CHANGELOG, re.MULTILINE)
    assert re.search(r"^## \[Unreleased\]", CHANGELOG, re.MULTILINE)
