"""Amazon in memory, and a reader of the outbox: what stands in for the world when stories are told to services."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.marketplaces import MARKETPLACES, Marketplace, Region
from bot.domain.notices import Notice, notice_from
from bot.domain.verification import Reason, Refused
from bot.ports import Clock, Errand, Participation, Tokens
from storage.database import SqlDatabase

SUPPORT = "C0SUPPORT"

#: Amazon: a code lives five minutes
CODE_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Call:
    """One request Amazon saw."""

    name: str
    feature: FeatureKey
    marketplace: str = ""


@dataclass(slots=True)
class _Consent:
    feature: FeatureKey
    account: str
    region: str
    given_at: datetime
    code: str
    spent: bool = False
    withdrawn: bool = False
    refresh_token: str = ""
    access_tokens: list[str] = field(default_factory=list)


class FakeAmazon:
    """`bot.ports.Amazon` with several accounts. It answers by itself; `will` puts other answers first.

    A consent is `agree`d to, which gives a code; codes work once and for five minutes. `calls` is what it was asked.
    """

    def __init__(self, clock: Clock) -> None:
        self.calls: list[Call] = []
        #: account → the codes of the marketplaces it sells on
        self.accounts: dict[str, set[str]] = {}
        #: feature → accounts that it may not reach: an empty 403
        self.without_role: set[tuple[FeatureKey, str]] = set()
        #: True: the Sellers role is missing, so marketplaces are not told
        self.hides_participations = False
        #: True: every refresh gives a new refresh token, and the old one dies
        self.rotates = False
        #: everything it gave out that must never be seen
        self.secrets: list[str] = []
        self._clock = clock
        self._consents: list[_Consent] = []
        self._scripted: dict[str, deque[Refused]] = defaultdict(deque)
        self._meanwhile: dict[str, deque[Callable[[], Awaitable[object]]]] = defaultdict(deque)
        self._together: dict[str, asyncio.Barrier] = {}
        self._count = itertools.count(1)

    # --- for tests ---------------------------------------------------------------------------------------------------

    def opens(self, account: str, *marketplaces: str) -> str:
        """An account that sells on some marketplaces."""
        self.accounts[account] = set(marketplaces)
        return account

    def agree(self, feature: FeatureKey, account: str, marketplace: str) -> str:
        """The account's primary user confirms: the code that comes back."""
        code = self._secret("ANcode")
        region = MARKETPLACES[marketplace].consent_region
        self._consents.append(_Consent(feature, account, region, self._clock(), code))
        return code

    def withdraw(self, account: str, feature: FeatureKey) -> None:
        """*Disable* under Manage Your Apps."""
        for consent in self._consents:
            if (consent.account, consent.feature) == (account, feature):
                consent.withdrawn = True

    def renew(self, account: str, feature: FeatureKey) -> None:
        """*Renew* under Manage Your Apps, without a word to us: the year begins anew."""
        for consent in self._consents:
            if (consent.account, consent.feature) == (account, feature):
                consent.given_at = self._clock()

    def will(self, name: str, *answers: Refused) -> None:
        """The next calls of that name are answered so."""
        self._scripted[name].extend(answers)

    def meanwhile(self, name: str, act: Callable[[], Awaitable[object]]) -> None:
        """Something happens while the next call of that name is under way."""
        self._meanwhile[name].append(act)

    def waits_for(self, name: str, parties: int) -> None:
        """Calls of that name are answered once so many have come."""
        self._together[name] = asyncio.Barrier(parties)

    def asked(self, name: str) -> int:
        return sum(call.name == name for call in self.calls)

    # --- the port ----------------------------------------------------------------------------------------------------

    def application_id(self, feature: FeatureKey) -> str:
        return f"amzn1.sp.solution.{feature.value}"

    def developer_name(self, feature: FeatureKey) -> str:
        return FEATURES[feature].developer_name

    def application_name(self, feature: FeatureKey) -> str:
        return FEATURES[feature].application_name

    def consent_url(self, feature: FeatureKey, marketplace: Marketplace, *, state: str) -> str:
        return f"https://{marketplace.host}/apps/authorize/consent?application_id={self.application_id(feature)}&state={state}"

    def confirm_url(self, feature: FeatureKey, callback_uri: str, *, amazon_state: str, state: str) -> str | None:
        path = f"/apps/authorize/confirm/{self.application_id(feature)}"
        known = any(callback_uri == f"https://{row.host}{path}" for row in MARKETPLACES.values())
        return f"{callback_uri}?amazon_state={amazon_state}&state={state}" if known else None

    async def exchange(self, feature: FeatureKey, code: str) -> Tokens | Refused:
        if (scripted := await self._take("exchange", Call("exchange", feature))) is not None:
            return scripted
        consent = next((one for one in self._consents if (one.code, one.feature) == (code, feature)), None)
        if consent is None or consent.spent or self._clock() >= consent.given_at + CODE_LIFETIME:
            return Refused(Reason.CODE_REJECTED)
        consent.spent = True
        consent.refresh_token = self._secret("Atzr")
        return self._tokens(consent)

    async def refresh(self, feature: FeatureKey, refresh_token: str) -> Tokens | Refused:
        if (scripted := await self._take("refresh", Call("refresh", feature))) is not None:
            return scripted
        known = (one for one in self._consents if (one.refresh_token, one.feature) == (refresh_token, feature))
        consent = next(known, None)
        if consent is None or consent.withdrawn or self._clock() >= consent.given_at + timedelta(days=365):
            return Refused(Reason.REVOKED)
        if self.rotates:
            consent.refresh_token = self._secret("Atzr")
        return self._tokens(consent)

    async def participations(
        self, feature: FeatureKey, marketplace: Marketplace, access_token: str
    ) -> Sequence[Participation] | Refused:
        if (
            scripted := await self._take("participations", Call("participations", feature, marketplace.code))
        ) is not None:
            return scripted
        if self.hides_participations:
            return []
        consent = self._holder(access_token)
        if consent is None or consent.region != marketplace.consent_region:
            return Refused(Reason.PERMISSION_PROBLEM)
        sold = [MARKETPLACES[code] for code in sorted(self.accounts[consent.account])]
        return [
            Participation(row.id, participating=True, store_name=f"Store of {consent.account}")
            for row in sold
            if row.region is marketplace.region
        ]

    async def probe(
        self, feature: FeatureKey, marketplace: Marketplace, *, selling_partner_id: str, access_token: str
    ) -> Refused | None:
        if (scripted := await self._take("probe", Call("probe", feature, marketplace.code))) is not None:
            return scripted
        consent = self._holder(access_token)
        if consent is None or consent.account != selling_partner_id:
            return Refused(Reason.PERMISSION_PROBLEM)
        return Refused(Reason.PERMISSION_PROBLEM) if (feature, consent.account) in self.without_role else None

    # --- parts -------------------------------------------------------------------------------------------------------

    async def _take(self, name: str, call: Call) -> Refused | None:
        self.calls.append(call)
        if barrier := self._together.get(name):
            await barrier.wait()
        if self._meanwhile[name]:
            await self._meanwhile[name].popleft()()
        return self._scripted[name].popleft() if self._scripted[name] else None

    def _tokens(self, consent: _Consent) -> Tokens:
        consent.access_tokens.append(self._secret("Atza"))
        return Tokens(consent.access_tokens[-1], consent.refresh_token)

    def _holder(self, access_token: str) -> _Consent | None:
        return next((one for one in self._consents if access_token in one.access_tokens), None)

    def _secret(self, kind: str) -> str:
        self.secrets.append(f"{kind}|{next(self._count):04d}-not-to-be-seen")
        return self.secrets[-1]


def sells_in(region: Region) -> tuple[str, ...]:
    """The codes of a region's marketplaces."""
    return tuple(code for code, row in MARKETPLACES.items() if row.region is region)


async def told(database: SqlDatabase, user_id: str) -> list[Notice]:
    """What somebody, or a channel, is told: takes it out of the outbox; everybody else's stays."""
    taken = await _taken(database, lambda errand: not errand.is_task and errand.recipient == user_id)
    return [notice_from(errand.kind, errand.body) for errand in taken]


async def tasks(database: SqlDatabase) -> list[Errand]:
    """The work that waits, taken out of the outbox."""
    return await _taken(database, lambda errand: errand.is_task)


async def _taken(database: SqlDatabase, wanted: Callable[[Errand], bool]) -> list[Errand]:
    someday = datetime(2100, 1, 1, tzinfo=UTC)
    taken: list[Errand] = []
    passed_over: list[Errand] = []
    while batch := await database.errands.claim(now=someday, lease=timedelta(minutes=1), limit=100):
        for errand in batch:
            if wanted(errand):
                taken.append(errand)
                await database.errands.done(errand)
            else:
                passed_over.append(errand)
    for errand in passed_over:
        await database.errands.again(errand, at=errand.created_at)
    return taken
