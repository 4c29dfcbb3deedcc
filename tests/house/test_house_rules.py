"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

from handlers import CAPABILITIES
from tests.house.files import HOUSE, files, modules, texts

PYPROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
LONGEST_MODULE = 400

MACHINE_PATHS = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users)/[\w.-]")
SECRETS = re.compile(
    r"\bxox[abeprs]-\d{9,}"
    r"|\bxapp-\d-[A-Z0-9]{9,}"
    r"|\bamzn1\.oa2-cs\.v1\.[0-9a-f]{32,}"
    r"|\bAtzr\|[\w-]{60,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|hooks\.slack\.com/services/T[A-Z0-9]{8,}"
)


@pytest.mark.parametrize("name", CAPABILITIES)
def test_a_capability_is_a_module_with_a_register_function(name: str) -> None:
    assert callable(importlib.import_module(f"handlers.{name}").register)


def test_every_module_that_registers_is_a_capability() -> None:
    registering = {
        path.stem
        for path in (HOUSE / "handlers").glob("*.py")
        if any(
            isinstance(node, ast.FunctionDef) and node.name == "register" for node in ast.parse(path.read_bytes()).body
        )
    }
    assert registering == set(CAPABILITIES)


def test_nothing_is_called_utils() -> None:
    assert [path.name for path in modules() if path.stem in ("utils", "util", "helpers", "misc", "common")] == []


def test_every_module_begins_by_saying_what_it_is() -> None:
    silent = [
        str(path.relative_to(HOUSE))
        for path in modules()
        if path.read_bytes().strip() and not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert silent == []


def test_no_module_is_longer_than_one_thing() -> None:
    long = {
        str(path.relative_to(HOUSE)): lines
        for path in modules()
        if (lines := len(path.read_bytes().splitlines())) > LONGEST_MODULE
    }
    assert long == {}


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
    assert [name for name, text in texts() if name.endswith((".py", ".md", ".html")) and marks.search(text)] == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    assert [(name, found[0]) for name, text in texts() if (found := MACHINE_PATHS.search(text))] == []


def test_no_file_holds_what_looks_like_a_real_secret() -> None:
    assert [name for name, text in texts() if SECRETS.search(text)] == []


def test_lock_files_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (HOUSE / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert not re.search(r"^--(?!hash)", text, re.MULTILINE)


def test_both_lock_files_pin_the_same_versions() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(
            re.findall(r"^([\w.\[\]-]+)==([^\s;\\]+)", (HOUSE / name).read_text(encoding="utf-8"), re.MULTILINE)
        )

    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_the_domain_imports_the_standard_library_and_itself() -> None:
    foreign = set()
    for path in [*(HOUSE / "bot" / "domain").glob("*.py"), HOUSE / "bot" / "errors.py"]:
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            foreign |= {(path.name, name) for name in names if not _is_allowed(name)}
    assert foreign == set()


def _is_allowed(name: str) -> bool:
    return (
        name.split(".", maxsplit=1)[0] in sys.stdlib_module_names
        or name == "bot.errors"
        or name.startswith("bot.domain")
    )


def test_every_part_of_the_house_has_its_place_in_the_order_of_imports() -> None:
    layers = next(
        contract["layers"]
        for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    parts = {f"bot.{path.stem}" for path in (HOUSE / "bot").iterdir() if _is_module(path)}
    assert placed == parts | {"handlers", "storage", "faq"}


def _is_module(path: Path) -> bool:
    return (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").is_file()


def test_packages_that_are_installed_are_those_that_exist() -> None:
    packages = set(PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    there = {path.parent.name for path in files() if path.name == "__init__.py" and path.parent.parent == HOUSE}
    assert packages == there


def test_every_emoji_that_is_said_is_drawn_by_the_local_slack() -> None:
    drawn = set(re.findall(r'[ {"]([a-z0-9_+-]+)"?: "', (HOUSE / "sandbox/slack/page/mrkdwn.js").read_text("utf-8")))
    places = [path for path in files() if path.is_relative_to(HOUSE / "handlers") or path.is_relative_to(HOUSE / "bot")]
    places += [path for path in files() if path.is_relative_to(HOUSE / "faq" / "articles")]
    said = {
        (name, path.name)
        for path in places
        if path.suffix in (".py", ".po", ".md")
        for name in re.findall(r"(?<![\w:/]):([a-z][a-z0-9_+-]{2,}):(?![\w:/])", path.read_text("utf-8"))
    }
    assert said
    assert {one for one in said if one[0] not in drawn} == set()
