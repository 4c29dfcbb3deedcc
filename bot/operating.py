"""What operators do by hand: `grantdesk job list`, `grantdesk job run`, `grantdesk import`, `grantdesk mirror tell-all`."""

from __future__ import annotations

import asyncio
import codecs
import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
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
from bot.services.importing import COLUMNS, REQUIRED, SURPLUS, Importing, Outcome, RowRefused, without_tokens
from bot.services.retelling import Retelling
from bot.settings import Settings
from storage.migrate import is_current

job_app = typer.Typer(no_args_is_help=True)
mirror_app = typer.Typer(no_args_is_help=True)

_BAR = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())

#: how spreadsheets of the places our sellers work in write text
_ENCODINGS = ("utf-8-sig", "gb18030")
#: and what they put between values
_DELIMITERS = ",;\t"


# --- jobs ------------------------------------------------------------------------------------------------------------


@job_app.command("list")
def list_jobs() -> None:
    """List the scheduled jobs: how often each runs, when it last ran anywhere, and when it is due next."""
    settings = Settings.load()
    set_up(settings.log_format, level="WARNING")
    asyncio.run(_list_jobs(settings))


async def _list_jobs(settings: Settings) -> None:
    table = Table("job", "every", "last run was due (UTC)", "next one is due (UTC)")
    table.columns[0].no_wrap = True
    async with lent(settings) as desk:
        for job in desk.jobs:
            last = None if job.everywhere else await desk.database.job_runs.last(job.name)
            told = "in every replica" if job.everywhere else _minute(last) if last else "never"
            table.add_row(job.name, _span(job.every), told, _minute(job.due_at(desk.clock()) + job.every))
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
        jobs = {job.name: job for job in desk.jobs}
        if name not in jobs:
            meant = "".join(f" Did you mean {near}?" for near in get_close_matches(name, jobs, n=1))
            raise typer.BadParameter(f"there is no job {name}.{meant} There are {', '.join(jobs)}.")
        did = await desk.run_job(name, at=at)
        moment = _minute(at or desk.clock())
    words = f"{did} {jobs[name].counts}" if did is not None and jobs[name].counts else "done"
    Console().print(f"{name} for {moment} UTC: {words}.")


@asynccontextmanager
async def lent(settings: Settings) -> AsyncIterator[Grantdesk]:
    """The service for one piece of work: its database is open, but it serves nobody and sends nothing."""
    desk = await build(settings)
    try:
        await desk.database.start()
        if not await is_current(desk.database.engine):
            raise ConfigurationError(problems="the database lacks tables of this version; run grantdesk migrate first")
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
        raise typer.BadParameter(
            f"“{text}” lacks its zone; write it like {moment:%Y-%m-%dT%H:%M}+08:00 or {moment:%Y-%m-%dT%H:%M}Z"
        )
    return moment


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def _span(every: timedelta) -> str:
    """In the largest unit that leaves no rest."""
    for unit, length in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if every % length == timedelta():
            return f"{every // length} {unit}"
    return f"{every.total_seconds():g} s"


# --- mirroring -------------------------------------------------------------------------------------------------------


@mirror_app.callback()
def mirror_commands() -> None:
    """What concerns the sister system."""


@mirror_app.command("tell-all")
def tell_all(*, team: Annotated[str, typer.Option(help="Only the stores of this workspace (T…).")] = "") -> None:
    """Tell the sister system what every store and grant is now: those from before it listened, too.

    The service sends it. Telling again changes nothing there: each event has the moment since which it is so.
    """
    settings = Settings.load()
    set_up(settings.log_format, level="WARNING")
    if not settings.mirror_url:
        raise ConfigurationError(problems="MIRROR_URL is not set: there is nobody to tell")
    asyncio.run(_tell_all(settings, team, Console()))


async def _tell_all(settings: Settings, team: str, console: Console) -> None:
    stores = events = 0
    async with lent(settings) as desk:
        retelling = Retelling(desk.database)
        with Progress(*_BAR, console=console, transient=True) as progress:
            doing = progress.add_task("Telling", total=await retelling.count(team))
            async for told in retelling.tell(team):
                stores, events = stores + bool(told), events + told
                progress.advance(doing)
    console.print(f"{events} events about {stores} stores wait to be sent.")


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
    if report is not None and (report.is_dir() or not report.parent.is_dir()):
        raise typer.BadParameter(f"--report: {report} cannot be written; its folder must be there")
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
    """The file's rows with the lines they end on. Raises typer.BadParameter for one that cannot be read."""
    text = _decoded(path)
    first = next(iter(text.splitlines()), "")
    if not first.strip():
        raise _unusable(path, "it is empty, or its first line is; that line names the columns")
    reader = csv.DictReader(
        io.StringIO(text, newline=""), restkey=SURPLUS, delimiter=max(_DELIMITERS, key=first.count), strict=True
    )
    try:
        names = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
        _require_columns(path, names)
        reader.fieldnames = names
        rows = []
        for row in reader:
            fields = {name: _one(value) for name, value in row.items()}
            if any(value.strip() for value in fields.values()):
                rows.append((reader.line_num, fields))
    except csv.Error as problem:
        raise _unusable(path, f"it is no CSV ({problem})") from None
    if not rows:
        raise _unusable(path, "there is no line below the names of its columns")
    return rows


def _one(value: str | list[str] | None) -> str:
    """A cell; of a line that is too long, all that is too much; of one that is too short, nothing."""
    return "".join(value) if isinstance(value, list) else value or ""


def _require_columns(path: Path, names: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name and name not in COLUMNS]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    told = [f"it lacks {', '.join(missing)}"] if missing else []
    told += [f"it has unknown columns {without_tokens(', '.join(unknown))}"] if unknown else []
    told += [f"it has {', '.join(twice)} more than once"] if twice else []
    if told:
        raise _unusable(path, "; ".join(told))


def _unusable(path: Path, why: str) -> typer.BadParameter:
    return typer.BadParameter(f"{path.name} cannot be imported: {why}. grantdesk import --help shows the columns.")


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    # what spreadsheets call Unicode text
    utf16 = ("utf-16",) if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ()
    for encoding in (*utf16, *_ENCODINGS):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unusable(path, "it is neither UTF-8 nor GB 18030 text; save it as CSV UTF-8")


async def _import(
    settings: Settings, rows: Sequence[tuple[int, Mapping[str, str]]], *, dry: bool, console: Console
) -> Report:
    report = Report()
    async with lent(settings) as desk:
        importing = Importing(desk.database, desk.amazon, clock=desk.clock, entropy=SystemEntropy())
        with Progress(*_BAR, console=console, transient=True) as progress:
            doing = progress.add_task("Checking" if dry else "Importing", total=len(rows))
            for line, fields in rows:
                try:
                    outcome = await importing.take(fields, dry=dry)
                except (RowRefused, PersonMustAct, TryAgainLater) as refused:
                    outcome = Outcome.REFUSED
                    label = without_tokens(fields.get("label", "").strip())
                    report.refused.append((line, label, without_tokens(str(refused).strip())))
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
