"""The `grantdesk` command."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from rich.console import Console

from bot.app import build
from bot.audit_cli import Format, print_audit, read_moment
from bot.errors import GrantdeskError
from bot.logs import set_up
from bot.operating import IMPORT_HELP, import_stores, job_app, mirror_app
from bot.ports import AuditFilter
from bot.settings import Settings
from faq.cli import faq_app
from faq.export import contested, patch
from faq.library import Library, Phrase
from storage.engine import open_engine
from storage.migrate import migrate as run_migrations
from storage.rotation import rotate_keys as run_rotation
from storage.taught import SqlTaught
from storage.vault import Vault

app = typer.Typer(
    help="Grantdesk connects Amazon stores to a distribution platform, from Slack.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(job_app, name="job", help="List the scheduled jobs, or run one by hand.")
app.command("import", help=IMPORT_HELP)(import_stores)
app.add_typer(mirror_app, name="mirror", help="Tell the sister system.")
app.add_typer(faq_app, name="faq", help="Ask, check and measure the answers.")
_errors = Console(stderr=True)


def main() -> None:
    """The entry point: expected failures are one line and exit code 2."""
    try:
        app()
    except GrantdeskError as problem:
        _errors.print(f"[red]grantdesk:[/red] {problem}")
        sys.exit(2)


@app.command()
def serve() -> None:
    """Serve: web, scheduler and relay in one process."""
    settings = Settings.load()
    set_up(settings.log_format)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    desk = await build(settings)
    config = uvicorn.Config(
        desk.asgi,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # longer than the usual proxy keeps a connection: else it may send a request into one that is just being closed
        timeout_keep_alive=75,
        proxy_headers=False,
    )
    await uvicorn.Server(config).serve()


@app.command()
def migrate() -> None:
    """Bring the database to the present (`serve` does it at start as well)."""
    settings = Settings.load()
    set_up(settings.log_format)
    asyncio.run(run_migrations(settings.database_url))
    Console().print("The database is current.")


@app.command()
def doctor() -> None:
    """Try every credential, address and scope, and say what to fix."""
    settings = Settings.load()
    set_up(settings.log_format, level="CRITICAL")
    from bot.doctor import examine, print_findings  # noqa: PLC0415  # only this command needs it

    findings = asyncio.run(examine(settings))
    print_findings(findings)
    raise typer.Exit(0 if all(finding.well for finding in findings) else 1)


@faq_app.command("export")
def export_taught(
    output: Annotated[Path | None, typer.Option(help="A file to write; without it, the change is printed.")] = None,
) -> None:
    """Write what agents have taught as a change to the article files, for `git apply` and a pull request."""
    settings = Settings.load()
    set_up(settings.log_format)
    library, taught = Library.load(), asyncio.run(_taught(settings))
    for phrase, meant in contested(library, taught):
        _errors.print(f"Left out: {phrase.text!r} is taught as {phrase.slug}, and means {meant} already.", markup=False)
    change = patch(library, taught)
    if not change:
        _errors.print("The articles have every phrase that was taught.")
    elif output is None:
        typer.echo(change, nl=False)
    else:
        output.write_text(change, encoding="utf-8")
        _errors.print(
            f"Written to {output}. Next: git apply {output}, then grantdesk faq train and grantdesk faq check."
        )


async def _taught(settings: Settings) -> list[Phrase]:
    """Oldest first. Taught phrases are no secrets, so no key is needed."""
    engine = open_engine(settings.database_url)
    try:
        async with engine.connect() as connection:
            found = await SqlTaught(connection).all()
    finally:
        await engine.dispose()
    return [Phrase(one.slug, one.locale, one.text) for one in reversed(found)]


@app.command()
def audit(
    *,
    team: Annotated[str, typer.Option(help="Only this workspace (T…).")] = "",
    person: Annotated[str, typer.Option(help="Only what this person (U…) did, or had done for them.")] = "",
    action: Annotated[str, typer.Option(help="Only actions that begin so: ticket, role.given, link.made, …")] = "",
    subject: Annotated[str, typer.Option(help="Only what is about this store, ticket or person, by id.")] = "",
    since: Annotated[str, typer.Option(help="From this day or moment on (UTC).")] = "",
    until: Annotated[str, typer.Option(help="Before this day or moment (UTC).")] = "",
    output_format: Annotated[
        Format, typer.Option("--format", help="table, csv, or json (one object a line).")
    ] = Format.TABLE,
    limit: Annotated[int | None, typer.Option(min=1, help="The newest so many; a table shows 50.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
) -> None:
    """Print or export who did what, when, on whose behalf."""
    settings = Settings.load()
    set_up(settings.log_format, level="WARNING")
    wanted = AuditFilter(
        team_id=team,
        person=person,
        action=action,
        subject=subject,
        since=read_moment(since, name="since"),
        until=read_moment(until, name="until"),
    )
    count = asyncio.run(print_audit(settings.database_url, wanted, format_=output_format, limit=limit, output=output))
    if output is not None:
        Console().print(f"{count} events are in {output}.")


@app.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt everything kept under the newest of ENCRYPTION_KEYS; afterwards older keys can be taken away."""
    settings = Settings.load()
    set_up(settings.log_format)
    count = asyncio.run(_rotate(settings))
    Console().print(f"{count} secrets are now under the newest key.")


async def _rotate(settings: Settings) -> int:
    keys = {key: value.get_secret_value() for key, value in settings.encryption_keys.items()}
    engine = open_engine(settings.database_url)
    try:
        return await run_rotation(engine, Vault.from_base64(keys))
    finally:
        await engine.dispose()


@app.command()
def demo(
    *,
    tour: Annotated[bool, typer.Option("--tour", help="Play the main job over HTTP, print it, and stop.")] = False,
    port: Annotated[int, typer.Option(help="The bot's port.")] = 8080,
    sandbox_port: Annotated[int, typer.Option(help="The sandbox's port.")] = 8900,
) -> None:
    """Run everything on a local Slack and a local Amazon: nothing to sign up for."""
    from bot.demo import run_demo  # noqa: PLC0415  # the sandbox is only needed here

    raise typer.Exit(_run(run_demo(tour=tour, port=port, sandbox_port=sandbox_port)))


def _run(work: Coroutine[Any, Any, int]) -> int:
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        return 0
