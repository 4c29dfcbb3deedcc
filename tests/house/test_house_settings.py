"""`.env.example` and the README list every setting with its meaning, and nothing else."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from bot.domain.features import FEATURES
from bot.errors import ConfigurationError
from bot.settings import ApplicationSettings, Settings

HOUSE = Path(__file__).parents[2]
EXAMPLE = HOUSE / ".env.example"
_LINE = re.compile(r"(?P<off># )?(?P<name>[A-Z][A-Z0-9_]+)=(?P<value>.*)")


def declared() -> dict[str, tuple[str, str]]:
    """Every variable → (its meaning, its default)."""
    found: dict[str, tuple[str, str]] = {}
    for model, prefixes in (
        (Settings, ("",)),
        (ApplicationSettings, tuple(f"AMAZON_{feature.name}_" for feature in FEATURES)),
    ):
        for prefix in prefixes:
            for name, field in model.model_fields.items():
                if not field.exclude:
                    assert field.description, f"{name} has no description"
                    found[f"{prefix}{name.upper()}"] = (field.description, _written(field.default))
    return found


def _written(default: Any) -> str:
    match default:
        case SecretStr():
            return default.get_secret_value()
        case bool():
            return str(default).lower()
        case None | frozenset():
            return ""
        case _:
            return "" if default is PydanticUndefined else str(default)


def exemplified() -> dict[str, tuple[str, str, bool]]:
    """Every variable of the example → (the comment above it, its value, whether it is commented out)."""
    found: dict[str, tuple[str, str, bool]] = {}
    comment: list[str] = []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if match := _LINE.fullmatch(line):
            assert match["name"] not in found, f"{match['name']} stands twice"
            found[match["name"]] = (" ".join(comment), match["value"], bool(match["off"]))
            comment = []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        else:
            comment = []
    return found


def test_the_example_lists_every_setting_and_no_other() -> None:
    assert set(exemplified()) == set(declared())


@pytest.mark.parametrize("name", sorted(declared()))
def test_a_setting_stands_there_with_its_meaning_and_its_default(name: str) -> None:
    meaning, default = declared()[name]
    comment, value, is_off = exemplified()[name]
    assert meaning.casefold() in comment.casefold()
    assert not is_off or value == default, "what is commented out shows the default"


@pytest.mark.parametrize("name", sorted(declared()))
def test_the_readme_names_every_setting(name: str) -> None:
    readme = (HOUSE / "README.md").read_text(encoding="utf-8")
    generic = re.sub(r"^AMAZON_(ORDERS|LISTING)_", "AMAZON_<FEATURE>_", name)
    assert f"`{name}`" in readme or f"`{generic}`" in readme


def test_the_example_as_it_stands_says_what_to_fill_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in declared():
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError) as problem:
        Settings.load(env_file=str(EXAMPLE))
    for name in ("ENCRYPTION_KEYS", "SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"):
        assert name in str(problem.value)


def test_the_example_filled_in_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in declared():
        monkeypatch.delenv(name, raising=False)
    filled = EXAMPLE.read_text(encoding="utf-8")
    for name, value in {
        "SLACK_SIGNING_SECRET": "s3cret",
        "SLACK_BOT_TOKEN": "xoxb-one",
        "ENCRYPTION_KEYS": f"k1:{base64.b64encode(bytes(32)).decode()}",
    }.items():
        filled = filled.replace(f"\n{name}=\n", f"\n{name}={value}\n")
    (tmp_path / ".env").write_text(filled, encoding="utf-8")
    settings = Settings.load(env_file=str(tmp_path / ".env"))
    assert settings.public_url == "https://grantdesk.example.com"
    assert not any(application.configured for application in settings.applications.values())
