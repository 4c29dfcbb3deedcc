"""Real processes, really killed between any two writes: nothing is lost, and at most the one message in flight is doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.chance import SystemEntropy
from bot.domain.grants import GRANT_LIFETIME
from bot.ports import Person
from storage.database import SqlDatabase
from tests.services.desk import MEI, Desk
from tests.services.killing import MORNING, opened
from tests.storage.fakes import FakeClock

pytestmark = pytest.mark.slow

_HOUSE = Path(__file__).parents[2]
#: three accounts, one of them with two members, and the desk
_READERS = {"U0MEI", "U1ANA", "U2BEN", "U3COY", "C0SUPPORT"}


async def somebody_to_tell(url: str) -> None:
    clock = FakeClock(MORNING + timedelta(days=3, hours=5) - GRANT_LIFETIME)
    database: SqlDatabase = opened(url)
    database._clock = clock
    desk = Desk(database, clock)
    desk.entropy = SystemEntropy()  # type: ignore[assignment]
    await desk.granted()
    for number, name in enumerate(("U1ANA", "U2BEN")):
        person = Person(MEI.team_id, name, "en", "Asia/Shanghai")
        account = desk.amazon.opens(f"A{number}OTHERPARTNER", "US")
        store = await desk.store(person, f"Store {number}", "US", day="2025-03-01")
        assert (await desk.consent(store, person=person, account=account)).verdict
        if name == "U1ANA":
            await desk.stores.share(person, "U3COY", colleague_name="Coy")
    await desk.digesting.enroll(clock())
    await database.close()


def killed(url: str, job: str, folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            str(_HOUSE / "tests/services/killing.py"),
            url,
            job,
            str(folder),
        ],
        cwd=_HOUSE,
        env={"PYTHONPATH": str(_HOUSE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_a_planner_killed_at_any_write_loses_and_doubles_nothing(database_url: str, tmp_path: Path) -> None:
    await somebody_to_tell(database_url)
    runs = killed(database_url, "plan", tmp_path)
    assert len(runs) > 12
    for run in runs:
        assert run["told"] == dict.fromkeys(_READERS, 1), run
        assert run["noted"] == dict.fromkeys(_READERS, 1), run
        assert run["waiting"] == 0, run
    assert [run["killed"] for run in runs] == [True] * (len(runs) - 1) + [False]


async def test_a_sender_killed_at_any_write_doubles_at_most_the_message_in_flight(
    database_url: str, tmp_path: Path
) -> None:
    await somebody_to_tell(database_url)
    runs = killed(database_url, "deliver", tmp_path)
    assert len(runs) > 5
    for run in runs:
        assert set(run["arrived"]) == _READERS, f"lost: {run}"
        assert sum(run["arrived"].values()) <= len(_READERS) + 1, f"doubled: {run}"
        assert run["told"] == {}, "nothing waits any more"
