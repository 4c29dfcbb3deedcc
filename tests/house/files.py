"""The project's own files, as house tests look at them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).parents[2]
_MADE = frozenset(
    {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "dist"}
)


@cache
def files() -> tuple[Path, ...]:
    """What git keeps or would keep; where there is no git, everything but what was made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [HOUSE / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [path for path in HOUSE.rglob("*") if not _MADE & set(path.relative_to(HOUSE).parts)]
    return tuple(sorted(path for path in found if path.is_file()))


def modules() -> tuple[Path, ...]:
    return tuple(path for path in files() if path.suffix == ".py")


def texts() -> Iterator[tuple[str, str]]:
    """(name, content) of every file that is text."""
    for path in files():
        try:
            yield str(path.relative_to(HOUSE)), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
