"""`grantdesk doctor` against the running system: what is well is called well, and what is not comes with what to do."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from rich.console import Console

from bot.demo import Running, running
from bot.doctor import Finding, examine, print_findings
from bot.domain.features import FeatureKey
from bot.ports import Installation
from bot.settings import Settings
from storage.migrate import migrate

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[Running]:
    async with running() as both:
        yield both


@pytest.fixture
def settings(house: Running) -> Settings:
    return house.desk.settings


def but(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update=changes)


def with_application(settings: Settings, **changes: Any) -> Settings:
    orders = settings.applications[FeatureKey.ORDERS].model_copy(update=changes)
    return but(settings, applications=MappingProxyType({**settings.applications, FeatureKey.ORDERS: orders}))


async def found(settings: Settings, name: str, **more: Any) -> Finding:
    return next(finding for finding in await examine(settings, **more) if finding.name == name)


async def test_a_house_in_order_is_called_well(settings: Settings) -> None:
    findings = await examine(settings)
    assert [finding.name for finding in findings if not finding.well] == []
    names = {finding.name for finding in findings}
    assert {"Database", "Encryption keys", "Public address", "Signing secret", "Slack", "Slack: scopes"} <= names
    assert {"Support channel", "Amazon, orders", "Amazon, listing"} <= names


async def test_no_secret_is_printed(settings: Settings) -> None:
    wrong = with_application(
        but(settings, slack_bot_token=SecretStr("xoxb-wrong-token")), client_secret=SecretStr("s3cret")
    )
    printed = io.StringIO()
    print_findings(await examine(wrong), Console(file=printed, width=200))
    for secret in ("xoxb-wrong-token", "s3cret", settings.slack_signing_secret.get_secret_value()):
        assert secret not in printed.getvalue()
    assert "2 of" in printed.getvalue()


async def test_what_is_wrong_has_a_cross_and_what_to_do(settings: Settings) -> None:
    printed = io.StringIO()
    print_findings(
        [Finding("Slack", well=False, advice="Copy the token."), Finding("Clock", well=True)], Console(file=printed)
    )
    assert printed.getvalue() == "✗ Slack  Copy the token.\n✓ Clock\n\n1 of 2 to fix.\n"


# --- the database


async def test_a_missing_file_is_not_made(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "nowhere.db"
    finding = await found(but(settings, database_url=f"sqlite+aiosqlite:///{path}"), "Database")
    assert not finding.well
    assert "grantdesk migrate" in finding.advice
    assert not path.exists()


async def test_a_database_without_tables_wants_migrations(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    finding = await found(but(settings, database_url=f"sqlite+aiosqlite:///{path}"), "Database")
    assert not finding.well
    assert "grantdesk migrate" in finding.advice


async def test_a_server_that_is_not_there_is_named_without_its_password(settings: Settings) -> None:
    url = "postgresql+asyncpg://desk:hunter2@127.0.0.1:1/desk"
    finding = await found(but(settings, database_url=url), "Database")
    assert not finding.well
    assert "127.0.0.1:1" in finding.advice
    assert "hunter2" not in finding.advice


async def test_a_missing_key_is_named(settings: Settings) -> None:
    other = {"other": SecretStr(base64.b64encode(bytes(32)).decode())}
    finding = await found(but(settings, encryption_keys=other), "Encryption keys")
    assert not finding.well
    assert "demo" in finding.advice


async def test_secrets_under_an_older_key_want_rotating(settings: Settings) -> None:
    newer = {"newer": SecretStr(base64.b64encode(bytes(32)).decode()), **settings.encryption_keys}
    finding = await found(but(settings, encryption_keys=newer), "Encryption keys")
    assert finding.well
    assert finding.soon
    assert "rotate-keys" in finding.advice


# --- our own address


async def test_an_address_where_nobody_is(settings: Settings) -> None:
    finding = await found(but(settings, public_url="http://127.0.0.1:1"), "Public address")
    assert not finding.well
    assert "grantdesk serve" in finding.advice


async def test_an_address_where_somebody_else_is(settings: Settings, house: Running) -> None:
    finding = await found(but(settings, public_url=house.sandbox_url), "Public address")
    assert not finding.well
    assert "404" in finding.advice


async def test_a_service_with_another_signing_secret(settings: Settings) -> None:
    finding = await found(but(settings, slack_signing_secret=SecretStr("another")), "Signing secret")
    assert not finding.well
    assert "401" in finding.advice


# --- Slack


async def test_a_refused_token(settings: Settings) -> None:
    finding = await found(but(settings, slack_bot_token=SecretStr("xoxb-wrong")), "Slack")
    assert not finding.well
    assert "invalid_auth" in finding.advice
    assert "SLACK_BOT_TOKEN" in finding.advice


async def test_a_slack_that_does_not_answer(settings: Settings) -> None:
    finding = await found(but(settings, slack_api_url="http://127.0.0.1:1/api/"), "Slack")
    assert not finding.well
    assert "no answer" in finding.advice


async def test_missing_scopes_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.doctor.slack.SCOPES", ("chat:write", "canvases:write"))
    finding = await found(settings, "Slack: scopes")
    assert not finding.well
    assert "canvases:write" in finding.advice
    assert "chat:write" not in finding.advice


async def test_a_clock_that_is_off(settings: Settings) -> None:
    finding = await found(settings, "Clock", clock=lambda: datetime.now(UTC) + timedelta(minutes=7))
    assert not finding.well
    assert "time synchronization" in finding.advice


@pytest.mark.parametrize(
    ("channel", "word"),
    [("", "SUPPORT_CHANNEL is empty"), ("C0NOWHERE", "channel_not_found")],
)
async def test_a_support_channel_that_is_not_there(settings: Settings, channel: str, word: str) -> None:
    finding = await found(but(settings, support_channel=channel), "Support channel")
    assert not finding.well
    assert word in finding.advice


async def test_a_support_channel_without_the_bot(settings: Settings, house: Running) -> None:
    members = house.sandbox.slack.world.channel("C0SUPPORT").members
    members.discard("U0BOT")
    try:
        finding = await found(settings, "Support channel")
    finally:
        members.add("U0BOT")
    assert not finding.well
    assert "/invite" in finding.advice


async def test_many_workspaces_each_by_its_own_token(settings: Settings, house: Running) -> None:
    await house.desk.database.installations.put(
        Installation(
            team_id="T2",
            bot_token="xoxb-gone",
            bot_user_id="U2",
            bot_id="B2",
            installed_at=datetime.now(UTC),
            team_name="Acme",
            scopes="",
        )
    )
    many = but(
        settings,
        slack_bot_token=SecretStr(""),
        slack_client_id="sandbox.client",
        slack_client_secret=SecretStr("sandbox-client-secret"),
    )
    findings = {finding.name: finding for finding in await examine(many)}
    await house.desk.database.installations.remove("T2")
    assert findings["Slack: client"].well
    assert not findings["Slack, Acme"].well
    assert findings["Support channel"].well, "one of the workspaces has it"


async def test_a_wrong_client_secret_of_slacks(settings: Settings) -> None:
    wrong = but(settings, slack_client_id="sandbox.client", slack_client_secret=SecretStr("wrong"))
    finding = await found(wrong, "Slack: client")
    assert not finding.well
    assert "bad_client_secret" in finding.advice


async def test_nobody_has_installed_the_bot_yet(settings: Settings, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'fresh.db'}"
    await migrate(url)
    fresh = but(
        settings,
        database_url=url,
        slack_bot_token=SecretStr(""),
        slack_client_id="sandbox.client",
        slack_client_secret=SecretStr("sandbox-client-secret"),
    )
    finding = await found(fresh, "Slack")
    assert not finding.well
    assert "/slack/install" in finding.advice


# --- Amazon


async def test_wrong_credentials_are_ours_to_mend(settings: Settings) -> None:
    finding = await found(with_application(settings, client_secret=SecretStr("wrong")), "Amazon, orders")
    assert not finding.well
    assert "AMAZON_ORDERS_CLIENT_SECRET" in finding.advice


async def test_an_amazon_that_does_not_answer_accuses_nobody(settings: Settings) -> None:
    finding = await found(but(settings, amazon_lwa_url="http://127.0.0.1:1"), "Amazon, listing")
    assert not finding.well
    assert "no answer" in finding.advice


async def test_a_feature_without_an_application(settings: Settings) -> None:
    without = with_application(settings, application_id="")
    finding = await found(without, "Amazon, orders")
    assert not finding.well
    assert "AMAZON_ORDERS_APPLICATION_ID" in finding.advice


@pytest.mark.parametrize(
    ("days_old", "well", "soon", "word"),
    [
        (0, True, False, "180 days"),
        (89, True, False, "91 days"),
        (90, True, True, "rotate it before"),
        (179, True, True, "1 days"),
        (180, False, False, "rotate it at Amazon"),
        (-1, False, False, "future"),
    ],
)
async def test_a_client_secret_by_its_age(
    settings: Settings, days_old: int, *, well: bool, soon: bool, word: str
) -> None:
    issued = datetime.now(UTC).date() - timedelta(days=days_old)
    finding = await found(with_application(settings, client_secret_issued=issued), "Amazon, orders: client secret")
    assert (finding.well, finding.soon) == (well, soon)
    assert word in finding.advice


async def test_the_addresses_to_register_are_spelled_out(settings: Settings) -> None:
    finding = await found(settings, "Amazon, listing: addresses")
    assert f"{settings.public_url}/amazon/listing/login" in finding.advice
    assert f"{settings.public_url}/amazon/listing/callback" in finding.advice


async def test_drafts_and_unlisted_applications_are_mentioned(settings: Settings) -> None:
    findings = {
        finding.name: finding for finding in await examine(with_application(settings, draft=True, listed=False))
    }
    assert findings["Amazon, orders: draft"].soon
    assert "0 of the 25" in findings["Amazon, orders: not listed"].advice
    assert "Amazon, listing: draft" not in findings


# --- the sister system


async def test_a_sister_system_that_answers_and_one_that_does_not(settings: Settings, house: Running) -> None:
    assert (await found(settings, "Sister system")).well
    assert (await found(but(settings, mirror_url="", mirror_secret=SecretStr("")), "Sister system")).well
    assert not (await found(but(settings, mirror_url="http://127.0.0.1:1"), "Sister system")).well
    assert not (await found(but(settings, mirror_url=f"{house.bot_url}/nowhere"), "Sister system")).well


async def test_a_sister_system_with_another_secret_is_told_apart(settings: Settings) -> None:
    other = "whsec_" + base64.b64encode(b"a secret that nobody else knows").decode()
    finding = await found(but(settings, mirror_secret=SecretStr(other)), "Sister system")
    assert not finding.well
    assert "MIRROR_SECRET" in finding.advice
    assert other not in finding.advice
