"""Who is spoken to, in which language and time zone: from users.info, kept for a day, and never a reason to fail."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.adapters.slack.delivery import Tokens
from bot.adapters.slack.session import SlackApi, SlackBusy, SlackRefused, SlackUnreachable
from bot.i18n import DEFAULT_LOCALE, locale_for, zone_for
from bot.ports import Clock, Person

log = structlog.get_logger()

#: how long a profile counts
FRESH_FOR = timedelta(days=1)
#: how long it is not even looked up in the database
IN_MEMORY_FOR = timedelta(minutes=10)
#: how long English is assumed after Slack did not answer
GUESSED_FOR = timedelta(seconds=30)
_TIMEOUT = 1.5  # seconds: this is on the way to an acknowledgement that must come within three
_MOST_REMEMBERED = 20_000


class KnownPerson(Protocol):
    """A row: who, and when that was read from Slack."""

    @property
    def person(self) -> Person: ...
    @property
    def fetched_at(self) -> datetime: ...


class Profiles(Protocol):
    """The people rows."""

    async def get(self, team_id: str, user_id: str) -> KnownPerson | None: ...

    async def put(self, person: Person, *, fetched_at: datetime) -> None: ...

    async def forget(self, team_id: str, user_id: str) -> None: ...


class SlackPeople:
    """The `People` port. Memory first, then the row, then Slack; English and UTC when none of them knows."""

    def __init__(self, api: SlackApi, *, tokens: Tokens, profiles: Profiles, clock: Clock) -> None:
        self._api = api
        self._tokens = tokens
        self._profiles = profiles
        self._clock = clock
        self._remembered: OrderedDict[tuple[str, str], tuple[Person, datetime]] = OrderedDict()

    async def get(self, team_id: str, user_id: str) -> Person:
        now = self._clock()
        known = self._remembered.get((team_id, user_id))
        if known and now < known[1]:
            return known[0]
        person = await self._kept(team_id, user_id, now)
        if person is None:
            person = await self._asked(team_id, user_id, now)
        if person is None:
            guess = known[0] if known else Person(team_id, user_id, DEFAULT_LOCALE, "UTC")
            return self._remember(guess, now + GUESSED_FOR)
        return self._remember(person, now + IN_MEMORY_FOR)

    async def forget(self, team_id: str, user_id: str) -> None:
        """Their profile changed (`user_change`): it is read anew when next needed."""
        self._remembered.pop((team_id, user_id), None)
        await self._profiles.forget(team_id, user_id)

    def _remember(self, person: Person, until: datetime) -> Person:
        key = (person.team_id, person.user_id)
        self._remembered[key] = (person, until)
        self._remembered.move_to_end(key)
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return person

    async def _kept(self, team_id: str, user_id: str, now: datetime) -> Person | None:
        try:
            row = await self._profiles.get(team_id, user_id)
        except Exception as error:  # noqa: BLE001  # a language is no reason to fail
            log.warning("people.not_read", error=type(error).__name__)
            return None
        return row.person if row and now - row.fetched_at < FRESH_FOR else None

    async def _asked(self, team_id: str, user_id: str, now: datetime) -> Person | None:
        try:
            token = await self._tokens.token(team_id)
            if token is None:
                return None
            answer = await self._api.call_form(
                "users.info", token=token, within=_TIMEOUT, user=user_id, include_locale="true"
            )
        except (SlackRefused, SlackUnreachable, SlackBusy) as error:
            log.info("people.unknown", team=team_id, error=str(error))
            return None
        except Exception as error:  # noqa: BLE001  # a language is no reason to fail
            log.warning("people.not_asked", error=type(error).__name__)
            return None
        person = read_person(team_id, user_id, answer)
        try:
            await self._profiles.put(person, fetched_at=now)
        except Exception as error:  # noqa: BLE001  # it will be asked again
            log.warning("people.not_kept", error=type(error).__name__)
        return person


def read_person(team_id: str, user_id: str, answer: dict[str, object]) -> Person:
    """users.info's answer as a person; whatever is missing in it is English and UTC, and no administrator."""
    user = answer.get("user")
    facts = user if isinstance(user, dict) else {}
    locale = facts.get("locale")
    tz = facts.get("tz")
    return Person(
        team_id,
        user_id,
        locale_for(locale if isinstance(locale, str) else None),
        zone_for(tz if isinstance(tz, str) else None).key,
        facts.get("is_admin") is True or facts.get("is_owner") is True,
    )
