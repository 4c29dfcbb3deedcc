"""People: their language and zone from Slack, kept for a day, and never a reason to fail or to wait long."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import aiohttp
import pytest
from starlette.responses import HTMLResponse, Response

from bot.adapters.slack.people import SlackPeople, read_person
from bot.adapters.slack.session import SlackApi, open_session
from bot.ports import People, Person
from tests.adapters.loopback import HandClock, serving
from tests.adapters.slack_stand_in import KnownTokens, SlackStandIn

LIN = {"user": {"id": "U1", "locale": "zh-TW", "tz": "Asia/Taipei"}}


@dataclass
class Row:
    person: Person
    fetched_at: datetime


class Rows:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}
        self.broken = False

    async def get(self, team_id: str, user_id: str) -> Row | None:
        if self.broken:
            raise ConnectionError
        return self.rows.get((team_id, user_id))

    async def put(self, person: Person, *, fetched_at: datetime) -> None:
        if self.broken:
            raise ConnectionError
        self.rows[person.team_id, person.user_id] = Row(person, fetched_at)

    async def forget(self, team_id: str, user_id: str) -> None:
        self.rows.pop((team_id, user_id), None)


class Case:
    def __init__(self, url: str, slack: SlackStandIn, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.slack.usual["users.info"] = LIN
        self.clock = HandClock()
        self.tokens = KnownTokens()
        self.rows = Rows()
        self.api = SlackApi(session, f"{url}/api/")
        self.people = self.fresh()

    def fresh(self) -> SlackPeople:
        """As after a restart: nothing in memory."""
        return SlackPeople(self.api, tokens=self.tokens, profiles=self.rows, clock=self.clock)

    @property
    def asked(self) -> int:
        return len(self.slack.called("users.info"))


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    slack = SlackStandIn()
    async with serving(slack.app) as url, open_session() as session:
        yield Case(url, slack, session)


async def test_slack_is_asked_once_with_the_locale(case: Case) -> None:
    people: People = case.people
    for _ in range(3):
        assert await people.get("T1", "U1") == Person("T1", "U1", "zh-TW", "Asia/Taipei")
    assert case.slack.calls == [("users.info", {"user": "U1", "include_locale": "true"})]
    assert case.slack.tokens == ["Bearer xoxb-one"]


async def test_a_row_counts_for_a_day(case: Case) -> None:
    await case.people.get("T1", "U1")
    case.clock.pass_by(hours=23)
    await case.fresh().get("T1", "U1")
    assert case.asked == 1
    case.clock.pass_by(hours=2)
    await case.fresh().get("T1", "U1")
    assert case.asked == 2


@pytest.mark.parametrize("answer", [HTMLResponse("", 503), Response(status_code=429)])
async def test_english_is_assumed_when_slack_does_not_answer_but_not_for_long(case: Case, answer: Response) -> None:
    case.slack.next("users.info", answer)
    assert await case.people.get("T1", "U1") == Person("T1", "U1", "en", "UTC")
    assert await case.people.get("T1", "U1") == Person("T1", "U1", "en", "UTC")
    assert case.asked == 1  # an outage is not asked about again for every message
    assert case.rows.rows == {}
    case.clock.pass_by(seconds=31)
    assert (await case.people.get("T1", "U1")).locale == "zh-TW"


async def test_the_language_known_before_an_outage_stays(case: Case) -> None:
    await case.people.get("T1", "U1")
    case.clock.pass_by(days=2)
    case.slack.next("users.info", HTMLResponse("", 503))
    assert (await case.people.get("T1", "U1")).locale == "zh-TW"


async def test_a_slow_slack_does_not_hold_up_an_acknowledgement(case: Case) -> None:
    case.slack.seconds = 5
    began = asyncio.get_running_loop().time()
    assert (await case.people.get("T1", "U1")).locale == "en"
    assert asyncio.get_running_loop().time() - began < 2.5


async def test_without_a_database_slack_is_asked(case: Case) -> None:
    case.rows.broken = True
    assert (await case.people.get("T1", "U1")).locale == "zh-TW"


async def test_a_workspace_that_is_gone_is_spoken_to_in_english(case: Case) -> None:
    assert await case.people.get("T9", "U1") == Person("T9", "U1", "en", "UTC")
    assert case.asked == 0


async def test_a_changed_profile_is_read_anew(case: Case) -> None:
    await case.people.get("T1", "U1")
    case.slack.usual["users.info"] = {"user": {"locale": "en-GB", "tz": "Europe/London"}}
    await case.people.forget("T1", "U1")
    assert await case.people.get("T1", "U1") == Person("T1", "U1", "en", "Europe/London")


@pytest.mark.parametrize(
    ("user", "locale", "tz"),
    [
        ({"locale": "zh-CN", "tz": "Asia/Shanghai"}, "zh-CN", "Asia/Shanghai"),
        ({"locale": "zh-HK", "tz": "Asia/Hong_Kong"}, "zh-TW", "Asia/Hong_Kong"),
        ({"locale": "de-DE", "tz": "Europe/Berlin"}, "en", "Europe/Berlin"),
        ({"tz": "Not/AZone"}, "en", "UTC"),
        ({"locale": 7, "tz": None}, "en", "UTC"),
        ({"tz": "../../etc/passwd"}, "en", "UTC"),
        ("odd", "en", "UTC"),
        (None, "en", "UTC"),
    ],
)
def test_profiles_are_read_generously(user: object, locale: str, tz: str) -> None:
    assert read_person("T1", "U1", {"user": user}) == Person("T1", "U1", locale, tz)
