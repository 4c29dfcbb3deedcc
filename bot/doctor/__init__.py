"""`grantdesk doctor`: tries everything that the configuration names, for real, and says of each what to fix.

It changes nothing, sends nobody anything, and prints no secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from bot.adapters.amazon.client import open_http
from bot.adapters.slack.session import open_session
from bot.doctor import addresses, database
from bot.doctor.amazon import AmazonExamination
from bot.doctor.database import missing_file
from bot.doctor.findings import Finding, Findings
from bot.doctor.slack import SlackExamination
from bot.domain.features import FEATURES
from bot.logs import masked
from bot.ports import Clock
from bot.settings import Settings
from storage.engine import open_engine

__all__ = ["Finding", "examine", "print_findings"]

_CHECK_SECONDS = 20.0


def _now() -> datetime:
    return datetime.now(UTC)


async def examine(settings: Settings, *, clock: Clock = _now) -> list[Finding]:
    """Everything at once; a check that breaks down is a finding, too."""
    async with open_session() as session, open_http() as http:
        slack = SlackExamination(settings, session, clock)
        amazon = AmazonExamination(settings, http, clock)
        engine = None if missing_file(settings) else open_engine(settings.database_url)
        try:
            checks: list[tuple[str, Awaitable[Findings]]] = [
                ("Database", database.examine(settings, engine)),
                ("Public address", addresses.examine_public(settings, session, clock)),
                ("Slack", slack.examine(engine)),
                *((f"Amazon, {feature.value}", amazon.examine(feature, engine)) for feature in FEATURES),
                ("Sister system", addresses.examine_sister(settings, session, clock)),
            ]
            found = await asyncio.gather(*(_survived(name, check) for name, check in checks))
        finally:
            if engine is not None:
                await engine.dispose()
    return [
        Finding("Settings", well=True, advice="read, and they fit together"),
        *(one for some in found for one in some),
    ]


async def _survived(name: str, check: Awaitable[Findings]) -> Findings:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check
    except Exception as error:  # noqa: BLE001  # whatever it was, the other checks are still worth reading
        return [Finding(name, well=False, advice=f"The check broke down ({type(error).__name__}). Try it again.")]


def print_findings(findings: Findings, console: Console | None = None) -> None:
    """A line each, what to fix at the end of the eye's way: the summary."""
    console = console or Console()
    for finding in findings:
        mark, style = ("✗", "red") if not finding.well else ("!", "yellow") if finding.soon else ("✓", "green")
        line = Text.assemble((mark, style), " ", (finding.name, "bold"))
        if finding.advice:
            line.append(f"  {masked(finding.advice)}", style="dim" if finding.well and not finding.soon else "")
        console.print(line, soft_wrap=True)
    wrong = sum(not finding.well for finding in findings)
    console.print()
    console.print("All is well." if not wrong else f"{wrong} of {len(findings)} to fix.")
