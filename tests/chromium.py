"""The Chrome or Chromium that browser tests drive: one that is installed, else one that `python -m tests.chromium` installs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def installed() -> str | None:
    """Where it is; None when there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found:
        return found
    return next((path for path in (*_ELSEWHERE, _brought_by_playwright()) if Path(path).is_file()), None)


def _brought_by_playwright() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def launch_options() -> dict[str, Any]:
    """What `playwright.chromium.launch` is given. Without a browser the test is skipped, but never in CI."""
    path = installed()
    if path is None:
        missing = "there is no Chrome or Chromium; `make test` installs one"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    # Chromium refuses to sandbox itself for root, as in a container.
    return {"executable_path": path, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}


def install() -> None:
    """From Debian when we may, because it brings the libraries too; else the one that Playwright knows."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], check=True, env=quiet)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    if installed() is None:
        sys.stdout.write("Installing Chromium for the browser tests\n")
        sys.stdout.flush()
        install()
    where = installed()
    sys.exit(None if where else "No Chrome or Chromium could be installed; install one and try again.")
