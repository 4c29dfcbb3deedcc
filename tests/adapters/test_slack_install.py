"""Installing, the single workspace, authorizing, and what the environment must not change."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.responses import HTMLResponse

from bot.adapters.slack.bolt import authorize_by, make_bolt, without_slack_environment
from bot.adapters.slack.install import InstallProblem, SlackInstaller, bot_was_revoked
from bot.adapters.slack.session import SlackApi, SlackRefused, open_session
from bot.adapters.slack.workspaces import SingleWorkspace, Workspaces
from bot.ports import Installation
from tests.adapters.loopback import NOON, HandClock, serving, until
from tests.adapters.slack_stand_in import MemoryInstallations, SlackStandIn

INSTALLED = {
    "access_token": "xoxb-new",
    "token_type": "bot",
    "scope": "commands,chat:write",
    "bot_user_id": "U0BOT",
    "app_id": "A1",
    "team": {"id": "T1", "name": "Acme"},
    "enterprise": None,
    "is_enterprise_install": False,
}
ROW = Installation("T1", "xoxb-one", "U0BOT", "B1", NOON)


class Entropy:
    def __init__(self) -> None:
        self.count = 0

    def new_id(self) -> str:
        return self.secret()

    def secret(self) -> str:
        self.count += 1
        return f"secret-{self.count}"


class Case:
    def __init__(self, url: str, slack: SlackStandIn, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.clock = HandClock()
        self.rows = MemoryInstallations()
        self.api = SlackApi(session, f"{url}/api/")
        self.workspaces = Workspaces(self.rows, clock=self.clock)
        self.slack.usual["oauth.v2.access"] = INSTALLED
        self.slack.usual["auth.test"] = {"team_id": "T1", "team": "Acme", "user_id": "U0BOT", "bot_id": "B1"}
        self.installer = SlackInstaller(
            self.rows,
            api=self.api,
            workspaces=self.workspaces,
            client_id="1.2",
            client_secret="shh",
            public_url="https://desk.example.com",
            clock=self.clock,
            entropy=Entropy(),
        )
        self.single = SingleWorkspace(self.rows, token="xoxb-env", api=self.api, clock=self.clock)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    slack = SlackStandIn()
    async with serving(slack.app) as url, open_session() as session:
        yield Case(url, slack, session)


# --- OAuth


async def test_installing_sends_the_browser_to_slack_and_back(case: Case) -> None:
    departure = await case.installer.begin()
    parts = urlsplit(departure.url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://slack.com/oauth/v2/authorize"
    assert query["client_id"] == "1.2"
    assert query["redirect_uri"] == "https://desk.example.com/slack/oauth_redirect"
    assert "chat:write" in query["scope"].split(",")

    done = await case.installer.finish({"state": query["state"], "code": "c1"}, cookie=departure.cookie)
    assert done == Installation("T1", "xoxb-new", "U0BOT", "", NOON, "Acme", "commands,chat:write")
    assert case.rows.rows == {"T1": done}
    assert case.slack.calls == [
        ("oauth.v2.access", {"code": "c1", "redirect_uri": "https://desk.example.com/slack/oauth_redirect"})
    ]
    assert case.slack.tokens == ["Basic " + base64.b64encode(b"1.2:shh").decode()]


async def begun(case: Case) -> tuple[str, str]:
    departure = await case.installer.begin()
    return parse_qs(urlsplit(departure.url).query)["state"][0], departure.cookie


async def test_a_state_works_once(case: Case) -> None:
    state, cookie = await begun(case)
    assert isinstance(await case.installer.finish({"state": state, "code": "c"}, cookie=cookie), Installation)
    assert await case.installer.finish({"state": state, "code": "c"}, cookie=cookie) is InstallProblem.STALE


async def test_a_state_works_in_its_own_browser_only(case: Case) -> None:
    state, _ = await begun(case)
    _, others = await begun(case)
    for cookie in (others, "", None):
        assert await case.installer.finish({"state": state, "code": "c"}, cookie=cookie) is InstallProblem.STALE
    assert case.rows.rows == {}
    assert case.slack.calls == []


async def test_a_state_lives_ten_minutes(case: Case) -> None:
    state, cookie = await begun(case)
    case.clock.pass_by(minutes=10)
    assert await case.installer.finish({"state": state, "code": "c"}, cookie=cookie) is InstallProblem.STALE


async def test_no_state_is_kept_in_the_clear(case: Case) -> None:
    state, cookie = await begun(case)
    assert state not in repr(case.rows.states)
    assert cookie not in repr(case.rows.states)
    assert state not in repr(await case.installer.begin())


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"error": "access_denied"}, InstallProblem.CANCELLED),
        ({}, InstallProblem.STALE),
        ({"code": ""}, InstallProblem.STALE),
    ],
)
async def test_saying_no_uses_the_state_up(case: Case, query: dict[str, str], problem: InstallProblem) -> None:
    state, cookie = await begun(case)
    assert await case.installer.finish(query | {"state": state}, cookie=cookie) is problem
    assert case.rows.states == {}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"ok": False, "error": "invalid_code"}, InstallProblem.STALE),
        ({"ok": False, "error": "bad_client_secret"}, InstallProblem.OURS),
        ({"ok": False, "error": "bad_redirect_uri"}, InstallProblem.OURS),
        ({"ok": True} | INSTALLED | {"is_enterprise_install": True, "team": None}, InstallProblem.ORG_WIDE),
        ({"ok": True} | INSTALLED | {"token_type": "user"}, InstallProblem.OURS),
        (HTMLResponse("sorry", 503), InstallProblem.LATER),
        ({"ok": False, "error": "ratelimited"}, InstallProblem.LATER),
    ],
)
async def test_each_refusal_has_its_name_and_stores_nothing(case: Case, answer: Any, problem: InstallProblem) -> None:
    state, cookie = await begun(case)
    case.slack.next("oauth.v2.access", answer)
    assert await case.installer.finish({"state": state, "code": "c"}, cookie=cookie) is problem
    assert case.rows.rows == {}


# --- workspaces


async def test_an_installation_is_looked_up_once_a_minute(case: Case) -> None:
    case.rows.rows["T1"] = ROW
    for _ in range(5):
        assert await case.workspaces.token("T1") == "xoxb-one"
    assert case.rows.reads == 1
    case.clock.pass_by(seconds=61)
    await case.workspaces.token("T1")
    assert case.rows.reads == 2


async def test_a_reinstallation_counts_at_once(case: Case) -> None:
    case.rows.rows["T1"] = ROW
    await case.workspaces.token("T1")
    state, cookie = await begun(case)
    await case.installer.finish({"state": state, "code": "c"}, cookie=cookie)
    assert await case.workspaces.token("T1") == "xoxb-new"


async def test_an_uninstalled_workspace_is_forgotten(case: Case) -> None:
    case.rows.rows["T1"] = ROW
    await case.workspaces.token("T1")
    await case.workspaces.remove("T1")
    assert await case.workspaces.token("T1") is None
    assert case.rows.rows == {}


@pytest.mark.parametrize(
    ("event", "revoked"),
    [
        ({"type": "app_uninstalled"}, True),
        ({"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}}, True),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}, False),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}, False),
        ({"type": "tokens_revoked"}, False),
        ({"type": "message"}, False),
    ],
)
def test_only_the_bots_own_token_ends_an_installation(event: dict[str, Any], *, revoked: bool) -> None:
    assert bot_was_revoked(event) is revoked


# --- one workspace


async def test_the_single_workspace_learns_whose_token_it_has(case: Case) -> None:
    await case.single.start()
    assert case.single.team_id == "T1"
    assert await case.single.token("T1") == "xoxb-env"
    assert await case.single.token("T2") is None
    assert case.rows.rows["T1"].bot_id == "B1"
    assert case.slack.tokens == ["Bearer xoxb-env"]


async def test_slack_being_away_at_start_is_waited_for(case: Case) -> None:
    case.slack.next("auth.test", HTMLResponse("", 503), HTMLResponse("", 503))
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    await case.single.start(pause=pause)
    assert not case.rows.rows
    assert await case.single.token("T1") == "xoxb-env"  # a signed delivery is answered meanwhile
    await until(lambda: case.single.team_id == "T1")
    assert waits == [1.0, 2.0]
    await case.single.stop()


async def test_a_refused_token_is_not_asked_about_for_ever(case: Case) -> None:
    case.slack.refuse("auth.test", "invalid_auth")
    await case.single.start()
    assert len(case.slack.calls) == 1
    case.slack.refuse("auth.test", "invalid_auth")
    with pytest.raises(SlackRefused):
        await case.single.learn()
    await case.single.stop()


# --- Bolt


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_SCOPES"):
        monkeypatch.setenv(name, "from-the-environment")


@pytest.mark.usefixtures("hostile")
async def test_the_environment_does_not_switch_bolt_to_oauth_or_another_token(
    case: Case,
) -> None:
    case.rows.rows["T1"] = ROW
    bolt = make_bolt(client=AsyncWebClient(), authorize=authorize_by(case.workspaces))
    assert os.environ["SLACK_BOT_TOKEN"] == "from-the-environment"
    assert bolt.oauth_flow is None
    assert bolt.installation_store is None
    assert bolt.client.token is None
    assert bolt.process_before_response
    seen: list[tuple[str | None, str | None, str | None]] = []

    async def look(ack: Any, context: Any, client: AsyncWebClient) -> None:
        seen.append((client.token, context.bot_user_id, context.bot_id))
        await ack()

    bolt.command("/store")(look)
    request = {"command": "/store", "team_id": "T1", "user_id": "U1"}
    response = await bolt.async_dispatch(AsyncBoltRequest(body=request, mode="socket_mode"))
    assert response.status == 200
    assert seen == [("xoxb-one", "U0BOT", "B1")]
    assert case.slack.calls == []  # no auth.test on the way to an ack


async def test_a_workspace_without_installation_is_told_in_our_words(case: Case) -> None:
    bolt = make_bolt(
        client=AsyncWebClient(), authorize=authorize_by(case.workspaces), not_installed="Please install me again."
    )
    request = {"command": "/store", "team_id": "T9", "user_id": "U1"}
    response = await bolt.async_dispatch(AsyncBoltRequest(body=request, mode="socket_mode"))
    assert (response.status, response.body) == (200, "Please install me again.")


@pytest.mark.usefixtures("hostile")
def test_the_environment_is_restored_when_the_block_fails() -> None:
    def fail() -> None:
        with without_slack_environment():
            assert "SLACK_CLIENT_ID" not in os.environ
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert os.environ["SLACK_CLIENT_ID"] == "from-the-environment"


def test_no_token_is_printed() -> None:
    assert "xoxb" not in repr(ROW)
