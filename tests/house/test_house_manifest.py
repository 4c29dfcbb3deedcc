"""`manifest.yml` tells Slack exactly what the handlers register, and Slack's own schema accepts it."""

from __future__ import annotations

import asyncio
import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic import SecretStr

from bot.adapters.slack.install import SCOPES
from bot.app import build
from bot.settings import Settings
from handlers.routing import Registry

HOUSE = Path(__file__).parents[2]
CONTRACTS = HOUSE.parent / "shared" / "contracts"
MANIFEST: dict[str, Any] = yaml.safe_load((HOUSE / "manifest.yml").read_text(encoding="utf-8"))
FEATURES = MANIFEST["features"]
URL = "https://grantdesk.example.com/slack/events"

contracts = pytest.mark.skipif(
    not CONTRACTS.is_dir(), reason="Slack's published contracts are not at ../shared/contracts"
)


@pytest.fixture(scope="module")
def registry() -> Registry:
    """As the composition root fills it, where many workspaces may install the bot."""
    settings = Settings(
        _env_file=None,
        public_url="https://grantdesk.example.com",
        slack_signing_secret=SecretStr("s3cret"),
        slack_client_id="client",
        slack_client_secret=SecretStr("s3cret"),
        database_url="sqlite+aiosqlite:///:memory:",
        encryption_keys={"k1": SecretStr(base64.b64encode(bytes(32)).decode())},
    )

    async def assembled() -> Registry:
        desk = await build(settings)
        await desk.stop()
        return desk.registry

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, assembled()).result()


def test_the_commands_are_those_of_the_handlers(registry: Registry) -> None:
    assert {entry["command"] for entry in FEATURES["slash_commands"]} == set(registry.commands)


def test_every_command_says_what_it_is_for_and_how_to_write_it() -> None:
    for entry in FEATURES["slash_commands"]:
        assert entry["description"], entry["command"]
        assert entry["usage_hint"], entry["command"]


def test_the_shortcuts_are_those_of_the_handlers(registry: Registry) -> None:
    assert {entry["callback_id"] for entry in FEATURES.get("shortcuts", [])} == set(registry.shortcuts)


def test_the_events_are_those_of_the_handlers(registry: Registry) -> None:
    subscribed = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    # `message.im` is delivered as `message`.
    assert {event.partition(".")[0] for event in subscribed} == set(registry.events)


def test_the_scopes_are_those_an_installation_asks_for() -> None:
    assert MANIFEST["oauth_config"]["scopes"] == {"bot": list(SCOPES)}


def test_everything_arrives_at_one_address() -> None:
    settings = MANIFEST["settings"]
    given = [entry["url"] for entry in FEATURES["slash_commands"]]
    given += [settings["event_subscriptions"]["request_url"], settings["interactivity"]["request_url"]]
    assert set(given) == {URL}


def test_the_redirect_url_is_a_route_of_ours(registry: Registry) -> None:
    paths = {getattr(route, "path", "") for route in registry.routes}
    for url in MANIFEST["oauth_config"]["redirect_urls"]:
        assert url.removeprefix("https://grantdesk.example.com") in paths


@contracts
def test_slacks_schema_accepts_it() -> None:
    schema = json.loads((CONTRACTS / "slack-manifest.schema.1.0.0.json").read_text(encoding="utf-8"))
    problems = [f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(MANIFEST)]
    assert problems == []


@contracts
def test_every_event_has_the_scope_it_needs() -> None:
    events = json.loads((CONTRACTS / "slack-events.json").read_text(encoding="utf-8"))
    for event in MANIFEST["settings"]["event_subscriptions"]["bot_events"]:
        needed = {scope.replace("app_mentions.read", "app_mentions:read") for scope in events[event]["scopes"]}
        assert not needed or needed & set(SCOPES), event
