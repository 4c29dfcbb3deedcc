"""The Chrome or Chromium that browser tests drive: one that is installed, else one that `python -m tests.chromium` installs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
#: Debian's brings the libraries it needs; the fonts are for pages in Chinese
_DEBIAN = ("chromium", "fonts-noto-cjk")


def installed() -> str | None:
    """Where it is; None when there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found:
        return found
    return next((path for path in (*_ELSEWHERE, _brought_by_playwright()) if Path(path).is_file()), None)


def _brought_by_playwright() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def install() -> None:
    """From Debian where we may; else the one that Playwright knows. Raises CalledProcessError."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *_DEBIAN]):
            subprocess.run(["apt-get", "-qq", *command], check=True, env=quiet)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    if installed() is None:
        sys.stdout.write("Installing Chromium for the browser tests\n")
        sys.stdout.flush()
        install()
    sys.exit(None if installed() else "No Chromium could be installed: install Chrome or Chromium, and try again.")
