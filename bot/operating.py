"""What operators do by hand: `grantdesk job list`, `grantdesk job run`, `grantdesk import`."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.adapters.chance import SystemEntropy
from bot.app import Grantdesk, build
from bot.errors import ConfigurationError, PersonMustAct, TryAgainLater
from bot.logs import set_up
from bot.services.importing import COLUMNS, REQUIRED, Importing, Outcome, RowRefused
from bot.settings import Settings

job_app = typer.Typer(no_args_is_help=True)

#: how spreadsheets of the places our sellers work in write text
_ENCODINGS = ("utf-8-sig", "gb18030")


# --- jobs ------------------------------------------------------------------------------------------------------------


@job_app.command("list")
def list_jobs() -> None:
    """List the scheduled jobs: how often each runs, when it last ran anywhere, and when it is due next."""
    settings = Settings.load()
    set_up(settings.log_format, level="WARNING")
    asyncio.run(_list_jobs(settings))


async def _list_jobs(settings: Settings) -> None:
    table = Table("job", "every", "last run was due", "next one is due")
    async with lent(settings) as desk:
        for job in desk.jobs:
            last = None if job.everywhere else await desk.database.job_runs.last(job.name)
            told = "in every replica" if job.everywhere else _minute(last) if last else "never"
            table.add_row(job.name, str(job.every), told, _minute(job.due_at(desk.clock()) + job.every))
    Console().print(table)


@job_app.command("run")
def run_job(
    name: Annotated[str, typer.Argument(help="A name from `grantdesk job list`.")],
    at: Annotated[
        str, typer.Option(help="The moment to run it for, with its zone: 2027-03-01T09:00+08:00. Default: now.")
    ] = "",
) -> None:
    """Run a job once, for a given moment, whatever was run before.

    What was told for a period is not told again, so that running a job twice does no harm. Messages wait in the outbox for the
    service to send them. What Amazon is asked, it is asked now, whatever the moment.
    """
    moment = _moment(at)
    settings = Settings.load()
    set_up(settings.log_format, level="INFO")
    asyncio.run(_run_job(settings, name, moment))


async def _run_job(settings: Settings, name: str, at: datetime | None) -> None:
    async with lent(settings) as desk:
        names = [job.name for job in desk.jobs]
        if name not in names:
            raise typer.BadParameter(f"there is no job {name}; there are {', '.join(names)}")
        did = await desk.run_job(name, at=at)
    Console().print(f"{name}: {did if did is not None else 'done'}")


@asynccontextmanager
async def lent(settings: Settings) -> AsyncIterator[Grantdesk]:
    """The service for one piece of work: its database is open, but it serves nobody and sends nothing."""
    desk = await build(settings)
    try:
        await desk.database.start()
        yield desk
    finally:
        await desk.stop()


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"“{text}” is no moment; write it like 2027-03-01T09:00+08:00") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"“{text}” lacks its zone; write it like {text}+08:00 or {text}Z")
    return moment


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


# --- importing -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Report:
    """What came of a file."""

    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    #: (line, label, why)
    refused: list[tuple[int, str, str]] = field(default_factory=list)


def import_stores(
    file: Annotated[Path, typer.Argument(help="A CSV file with a line of column names.", exists=True, dir_okay=False)],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only find out what would happen.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the refused lines and why into this CSV file.")] = None,
) -> None:
    """`IMPORT_HELP` says it."""
    rows = read_file(file)
    settings = Settings.load()
    set_up(settings.log_format, level="WARNING")
    console = Console()
    result = asyncio.run(_import(settings, rows, dry=dry_run, console=console))
    _print(result, console, dry=dry_run)
    if report is not None:
        with report.open("w", encoding="utf-8-sig", newline="") as target:
            written = csv.writer(target)
            written.writerow(("line", "label", "why"))
            written.writerows(result.refused)
    raise typer.Exit(1 if result.refused else 0)


_COLUMN_LINES = "\n".join(f"{name:20}{meaning}" for name, meaning in COLUMNS.items())
IMPORT_HELP = f"""Import stores whose authorization is older than the two features: they then need only the other one.

\b
Columns, in any order; those with a star must be there:
{_COLUMN_LINES}

A line that is refused leaves nothing behind; the others are imported. Running the file again imports nothing twice.
"""


def read_file(path: Path) -> Sequence[tuple[int, Mapping[str, str]]]:
    """The file's rows with their line numbers. Raises ConfigurationError for one that cannot be read."""
    text = _decoded(path.read_bytes())
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name and name not in COLUMNS]
    if missing or unknown:
        told = [f"it lacks {', '.join(missing)}"] if missing else []
        told += [f"it has unknown columns {', '.join(unknown)}"] if unknown else []
        raise ConfigurationError(problems=f"{path.name} cannot be imported: {'; '.join(told)}")
    reader.fieldnames = names
    rows = []
    for row in reader:
        fields = {name: value for name, value in row.items() if isinstance(name, str) and isinstance(value, str)}
        if any(value.strip() for value in fields.values()):
            rows.append((reader.line_num, fields))
    return rows


def _decoded(raw: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigurationError(problems="the file is neither UTF-8 nor GB 18030 text")


async def _import(
    settings: Settings, rows: Sequence[tuple[int, Mapping[str, str]]], *, dry: bool, console: Console
) -> Report:
    report = Report()
    async with lent(settings) as desk:
        importing = Importing(desk.database, desk.amazon, clock=desk.clock, entropy=SystemEntropy())
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            doing = progress.add_task("Checking" if dry else "Importing", total=len(rows))
            for line, fields in rows:
                try:
                    outcome = await importing.take(fields, dry=dry)
                except (RowRefused, PersonMustAct, TryAgainLater) as refused:
                    outcome = Outcome.REFUSED
                    report.refused.append((line, (fields.get("label") or "").strip(), str(refused)))
                report.counts[outcome] += 1
                progress.advance(doing)
    return report


def _print(report: Report, console: Console, *, dry: bool) -> None:
    verb = "would be imported" if dry else "imported"
    counts = report.counts
    console.print(
        f"{counts[Outcome.IMPORTED]} {verb}, {counts[Outcome.KNOWN]} known already, {counts[Outcome.REFUSED]} refused."
    )
    if report.refused:
        table = Table("line", "store", "why it was refused")
        for line, label, why in report.refused:
            table.add_row(str(line), label, why)
        console.print(table)
