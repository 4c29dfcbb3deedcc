"""`grantdesk audit`: who did what, when, on whose behalf. Prints a table, or exports all of it as CSV or JSON lines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.errors import ConfigurationError
from bot.ports import AuditEvent, AuditFilter
from storage.audit import SqlAuditLog
from storage.engine import EngineTransactions, open_engine

#: rows of the table unless told otherwise; an export has all
SHOWN = 50
COLUMNS = ("at", "team_id", "actor", "action", "subject", "on_behalf_of", "details")
#: a spreadsheet would take these for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How it is written."""

    TABLE = "table"
    CSV = "csv"
    #: one object on each line
    JSON = "json"


async def print_audit(
    database_url: str, wanted: AuditFilter, *, format_: Format, limit: int | None, output: Path | None
) -> int:
    """Writes what was wanted to a file, or to standard output; how many events there were."""
    engine = open_engine(database_url)
    try:
        newest = limit if limit is not None else SHOWN if format_ is Format.TABLE else None
        events = SqlAuditLog(EngineTransactions(engine)).read(wanted, limit=newest)
        if output is None:
            return await _write(events, format_, sys.stdout)
        with output.open("w", encoding="utf-8", newline="") as file:
            return await _write(events, format_, file)
    finally:
        await engine.dispose()


async def _write(events: AsyncIterator[AuditEvent], format_: Format, target: TextIO) -> int:
    match format_:
        case Format.CSV:
            return await _write_csv(events, target)
        case Format.JSON:
            return await _write_json(events, target)
        case Format.TABLE:
            return await _write_table(events, target)


async def _write_csv(events: AsyncIterator[AuditEvent], target: TextIO) -> int:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    async for event in events:
        writer.writerow(_harmless(str(value)) for value in _row(event).values())
        count += 1
    return count


async def _write_json(events: AsyncIterator[AuditEvent], target: TextIO) -> int:
    count = 0
    async for event in events:
        row = _row(event) | {"details": dict(event.details)}
        target.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


async def _write_table(events: AsyncIterator[AuditEvent], target: TextIO) -> int:
    table = Table("When", "Who", "What", "About", "For", "Details", title="Audit, newest last")
    async for event in events:
        row = _row(event)
        names = ("at", "actor", "action", "subject", "on_behalf_of", "details")
        table.add_row(*(escape(str(row[name])) for name in names))
    Console(file=target, soft_wrap=False).print(table)
    return table.row_count


def _row(event: AuditEvent) -> dict[str, object]:
    """In the order of `COLUMNS`."""
    details = " ".join(f"{name}={value}" for name, value in event.details.items())
    return {
        "at": event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "team_id": event.team_id,
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "on_behalf_of": event.on_behalf_of or "",
        "details": details,
    }


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def read_moment(text: str, *, name: str) -> datetime | None:
    """A day, or a moment, in UTC unless it says otherwise. Raises ConfigurationError."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(problems=f"--{name} is not a day like 2026-01-31, nor 2026-01-31T08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
