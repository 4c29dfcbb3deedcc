"""`grantdesk audit`: what is printed, what is exported, and what is left out."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.audit_cli import COLUMNS, Format, print_audit, read_moment
from bot.errors import ConfigurationError
from bot.ports import AuditEvent, AuditFilter
from storage.database import SqlDatabase

AT = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
async def url(sqlite_database: SqlDatabase, sqlite_url: str) -> str:
    async with sqlite_database.begin() as work:
        await work.audit.record(AuditEvent(AT, "T1", "U0MEI", "store.added", "s1"))
        await work.audit.record(
            AuditEvent(AT, "T1", "U0SAM", "link.made", "s1", on_behalf_of="U0MEI", details={"feature": "orders"})
        )
        await work.audit.record(AuditEvent(AT, "T2", "U0EVE", "channel.opened", "=cmd()"))
    return sqlite_url


async def test_csv_holds_everything_and_starts_no_formula(url: str, tmp_path: Path) -> None:
    file = tmp_path / "audit.csv"
    assert await print_audit(url, AuditFilter(), format_=Format.CSV, limit=None, output=file) == 3
    rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert rows[2] == ["2026-02-02T08:00:00.000+00:00", "T1", "U0SAM", "link.made", "s1", "U0MEI", "feature=orders"]
    assert rows[3][4] == "'=cmd()"


async def test_json_is_one_object_a_line(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = AuditFilter(team_id="T1", person="U0MEI")
    assert await print_audit(url, wanted, format_=Format.JSON, limit=None, output=None) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["action"] for line in lines] == ["store.added", "link.made"]
    assert lines[1]["details"] == {"feature": "orders"}


async def test_the_table_shows_the_newest(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = AuditFilter(team_id="T1")
    assert await print_audit(url, wanted, format_=Format.TABLE, limit=1, output=None) == 1
    printed = capsys.readouterr().out
    assert "link.made" in printed
    assert "store.added" not in printed


def test_days_and_moments_are_read_as_utc_and_nonsense_is_refused() -> None:
    assert read_moment("", name="since") is None
    assert read_moment("2026-02-02", name="since") == datetime(2026, 2, 2, tzinfo=UTC)
    assert read_moment("2026-02-02T09:00+01:00", name="since") == AT
    with pytest.raises(ConfigurationError, match="--since"):
        read_moment("yesterday", name="since")
