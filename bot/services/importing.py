"""Authorizations from before the features were parted: a store comes in with its token and then needs only the other feature.

A row is one store. Everything about a row is one transaction: it is in, or it was refused with a reason and left nothing behind.
Running the same file again imports nothing twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum

from bot.domain.features import FeatureKey
from bot.domain.grants import GRANT_LIFETIME, Authorization, AuthorizationKey, AuthorizationState, Move
from bot.domain.health import next_check
from bot.domain.marketplaces import find_marketplace
from bot.domain.mirror import Happening, MirrorEvent
from bot.domain.stores import (
    Seller,
    Store,
    label_key,
    read_email,
    read_initial_order_date,
    read_label,
    read_website,
)
from bot.errors import DateTooOld, PersonMustAct
from bot.ports import Amazon, AuditEvent, Clock, Database, Entropy, Work
from bot.services.mirroring import put_grant
from bot.services.outages import note_mended

#: what a file's columns are called, and what stands in them; a star marks those that must be there
COLUMNS: Mapping[str, str] = {
    "workspace": "* the Slack workspace's id, T…",
    "owner": "* the Slack user who keeps the store, U…",
    "label": "* the store's name, unique among the owner's",
    "marketplace": "* its code or name: US, DE, Japan …",
    "selling_partner_id": "* the Amazon account, as Seller Central shows it",
    "refresh_token": "* Atzr|…, as it was kept until now",
    "consent_date": "* the day of the consent: its year runs from it",
    "initial_order_date": "first day of orders; empty: the consent's",
    "feature": "orders or listing; empty: orders",
    "email": "the contact address of a Commerce-style store",
    "website": "the site that orders are imported into",
}
REQUIRED = tuple(name for name, meaning in COLUMNS.items() if meaning.startswith("*"))

_TEAM = re.compile(r"[TE][A-Z0-9]{2,}")
_USER = re.compile(r"[UW][A-Z0-9]{2,}")
_PARTNER = re.compile(r"A[A-Z0-9]{5,30}")
_TOKEN = re.compile(r"Atzr\|[!-~]{8,4000}")
#: Amazon's tokens wherever they stand: a value too few on a line moves them into another column
_ANY_TOKEN = re.compile(r"Atz[a-z]\|[!-~]+")

#: where a line's values stand that have no column
SURPLUS = "surplus"


def without_tokens(text: str) -> str:
    """The text as it may be shown: Amazon's tokens in it are cut off."""
    return _ANY_TOKEN.sub(lambda found: f"{found.group()[:5]}…", text)


class RowProblem(StrEnum):
    """Why a row was refused."""

    SURPLUS = "surplus"
    MISSING = "missing"
    #: what a person typing the same would be told
    UNREADABLE = "unreadable"
    WORKSPACE = "workspace"
    OWNER = "owner"
    PARTNER = "selling_partner_id"
    TOKEN = "refresh_token"  # noqa: S105  # a column's name
    FEATURE = "feature"
    IN_THE_FUTURE = "in_the_future"
    RUN_OUT = "run_out"
    HELD_BY_ANOTHER = "held_by_another"
    ALREADY_CONNECTED = "already_connected"
    OTHER_ACCOUNT = "other_account"
    WITHDRAWN = "withdrawn"


_SENTENCES: Mapping[RowProblem, str] = {
    RowProblem.SURPLUS: "the line has more values than there are columns; put a name that contains commas in quotes",
    RowProblem.MISSING: "{given} is empty",
    RowProblem.UNREADABLE: "{given}: {why}",
    RowProblem.WORKSPACE: "workspace: “{given}” is not a workspace's id (T…)",
    RowProblem.OWNER: "owner: “{given}” is not a Slack user's id (U… or W…)",
    RowProblem.PARTNER: "selling_partner_id: “{given}” is not one of Amazon's",
    RowProblem.TOKEN: "refresh_token: it does not look like one (Atzr|…)",
    RowProblem.FEATURE: "feature: “{given}” is neither orders nor listing",
    RowProblem.IN_THE_FUTURE: "consent_date: {given} has not come yet",
    RowProblem.RUN_OUT: "consent_date: a consent of {given} ran out after 365 days; the seller must grant again",
    RowProblem.HELD_BY_ANOTHER: "the Amazon account {given} belongs to another distributor account",
    RowProblem.ALREADY_CONNECTED: "that Amazon store is connected already, as “{given}”",
    RowProblem.OTHER_ACCOUNT: "the store “{given}” belongs to another Amazon account",
    RowProblem.WITHDRAWN: "the consent of the Amazon account {given} was withdrawn since; the seller must grant again",
}


class RowRefused(Exception):
    """A row that is not imported; its text is for the operator, and quotes no token."""

    def __init__(self, problem: RowProblem, given: str = "", *, why: str = "") -> None:
        self.problem = problem
        super().__init__(without_tokens(_SENTENCES[problem].format(given=given[:60], why=why.strip())))


class Outcome(StrEnum):
    """What came of a row."""

    IMPORTED = "imported"
    #: the same row, imported before
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was read: every field checked for itself."""

    team_id: str
    owner: str
    label: str
    marketplace_code: str
    selling_partner_id: str
    refresh_token: str = field(repr=False)
    consented_at: datetime
    initial_order_date: date
    feature: FeatureKey
    contact_email: str | None
    website: str | None


@dataclass(slots=True)
class _Seen:
    """What a dry run would have written: later rows of the file must meet it."""

    labels: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    #: with the label as it was written
    stores: dict[tuple[str, str], tuple[tuple[str, str, str], str]] = field(default_factory=dict)
    holders: dict[str, tuple[str, str]] = field(default_factory=dict)


class Importing:
    """Takes rows one after the other."""

    def __init__(self, database: Database, amazon: Amazon, *, clock: Clock, entropy: Entropy) -> None:
        self._database = database
        self._amazon = amazon
        self._clock = clock
        self._entropy = entropy
        self._seen = _Seen()

    async def take(self, fields: Mapping[str, str], *, dry: bool = False) -> Outcome:
        """Imports a row, or with `dry` only finds out whether it could be. Raises RowRefused."""
        row = read_row(fields, now=self._clock())
        if dry:
            self._meet(row)
        if not dry:
            async with self._database.begin() as work:
                return await self._write(work, row)
        # what is written through a view is never kept
        async with self._database.read() as work:
            return await self._write(work, row)

    def _meet(self, row: Row) -> None:
        """What the database would refuse had the rows before been written."""
        owner = (row.team_id, row.owner)
        if self._seen.holders.setdefault(row.selling_partner_id, owner) != owner:
            raise RowRefused(RowProblem.HELD_BY_ANOTHER, row.selling_partner_id)
        place = (row.selling_partner_id, row.marketplace_code)
        mine = (*owner, label_key(row.label))
        holder, label = self._seen.stores.setdefault(place, (mine, row.label))
        if holder != mine:
            raise RowRefused(RowProblem.ALREADY_CONNECTED, label)
        if self._seen.labels.setdefault(mine, place) != place:
            raise RowRefused(RowProblem.OTHER_ACCOUNT, row.label)

    async def _write(self, work: Work, row: Row) -> Outcome:
        now = self._clock()
        seller = await work.sellers.of_member(row.team_id, row.owner)
        if seller is None:
            fresh = Seller(id=self._entropy.new_id(), team_id=row.team_id, created_at=now, prepared_at=now)
            seller = await work.sellers.add(fresh, user_id=row.owner)
        store = await self._store(work, seller, row, now)
        application_id = self._amazon.application_id(row.feature)
        key = AuthorizationKey.of(application_id, row.selling_partner_id, store.marketplace)
        held = await work.authorizations.find(key)
        grant = (await work.grants.of_store(store))[row.feature]
        if held is not None and grant.authorization_id == held.id and held.consented_at >= row.consented_at:
            return Outcome.KNOWN
        if held is not None and held.state is not AuthorizationState.LIVE and held.consented_at >= row.consented_at:
            # Amazon is not asked about it any more, so nobody would ever notice that the grant does not work
            raise RowRefused(RowProblem.WITHDRAWN, row.selling_partner_id)
        if held is None or held.consented_at < row.consented_at:
            held = await work.authorizations.put(
                Authorization(
                    id=self._entropy.new_id(),
                    team_id=row.team_id,
                    seller_id=seller.id,
                    feature=row.feature,
                    key=key,
                    consented_at=row.consented_at,
                    ends_at=row.consented_at + GRANT_LIFETIME,
                ),
                refresh_token=row.refresh_token,
            )
            # its consent is long ago: without this all of a file would be due at once
            await work.health.appoint(held, next_at=next_check(held.id, after=now, ends_at=held.ends_at))
        accepted = grant.after(Move.ACCEPT, at=now, authorization_id=held.id, ends_at=held.ends_at)
        await put_grant(work, store, grant, replace(accepted, granted_at=held.consented_at))
        await note_mended(work, [(store, row.feature)], at=now)
        await work.audit.record(
            AuditEvent(
                now,
                row.team_id,
                "import",
                "grant.imported",
                store.id,
                on_behalf_of=row.owner,
                details={"feature": row.feature.value, "authorization": held.id},
            )
        )
        return Outcome.IMPORTED

    async def _store(self, work: Work, seller: Seller, row: Row, now: datetime) -> Store:
        """The store of that name, else a new one; either way it is the Amazon account's."""
        store = await work.stores.by_label(seller, row.label)
        if store is None:
            store = Store(
                id=self._entropy.new_id(),
                team_id=row.team_id,
                seller_id=seller.id,
                label=row.label,
                marketplace_code=row.marketplace_code,
                initial_order_date=row.initial_order_date,
                created_at=now,
                created_by=row.owner,
                contact_email=row.contact_email,
                website=row.website,
            )
            await work.stores.add(store)
            await work.mirror.tell(MirrorEvent(Happening.STORE_ADDED, now, store))
        elif store.marketplace_code != row.marketplace_code:
            raise RowRefused(RowProblem.ALREADY_CONNECTED, f"{store.label} ({store.marketplace_code})")
        if store.selling_partner_id not in (None, row.selling_partner_id):
            raise RowRefused(RowProblem.OTHER_ACCOUNT, row.label)
        refused = await work.stores.bind(store, row.selling_partner_id)
        if refused is not None:
            if refused.detail:
                raise RowRefused(RowProblem.ALREADY_CONNECTED, refused.detail)
            raise RowRefused(RowProblem.HELD_BY_ANOTHER, row.selling_partner_id)
        return replace(store, selling_partner_id=row.selling_partner_id)


def read_row(fields: Mapping[str, str], *, now: datetime) -> Row:
    """A row's fields, read as a person's would be. Raises RowRefused for the first that is wrong."""
    if (fields.get(SURPLUS) or "").strip():
        raise RowRefused(RowProblem.SURPLUS)
    given = {name: (fields.get(name) or "").strip() for name in COLUMNS}
    for name in REQUIRED:
        if not given[name]:
            raise RowRefused(RowProblem.MISSING, name)
    _require(_TEAM, given["workspace"], RowProblem.WORKSPACE)
    _require(_USER, given["owner"], RowProblem.OWNER)
    _require(_PARTNER, given["selling_partner_id"], RowProblem.PARTNER)
    if not _TOKEN.fullmatch(given["refresh_token"]):
        raise RowRefused(RowProblem.TOKEN)
    today = now.date()
    with _reading("consent_date"):
        consent = _any_day(given["consent_date"], today)
    if consent > today:
        raise RowRefused(RowProblem.IN_THE_FUTURE, consent.isoformat())
    # a day has no hour: the year is taken to run from its beginning, so that it ends early rather than late
    consented_at = datetime.combine(consent, time(), UTC)
    if consented_at + GRANT_LIFETIME <= now:
        raise RowRefused(RowProblem.RUN_OUT, consent.isoformat())
    try:
        feature = FeatureKey(given["feature"].casefold() or FeatureKey.ORDERS)
    except ValueError:
        raise RowRefused(RowProblem.FEATURE, given["feature"]) from None
    with _reading("label"):
        label = read_label(given["label"])
    with _reading("marketplace"):
        marketplace = find_marketplace(given["marketplace"])
    with _reading("initial_order_date"):
        first_day = _any_day(given["initial_order_date"], today) if given["initial_order_date"] else consent
    with _reading("email"):
        contact_email = read_email(given["email"])
    with _reading("website"):
        website = read_website(given["website"])
    return Row(
        team_id=given["workspace"],
        owner=given["owner"],
        label=label,
        marketplace_code=marketplace.code,
        selling_partner_id=given["selling_partner_id"],
        refresh_token=given["refresh_token"],
        consented_at=consented_at,
        initial_order_date=first_day,
        feature=feature,
        contact_email=contact_email,
        website=website,
    )


@contextmanager
def _reading(column: str) -> Iterator[None]:
    """What a person would be told belongs to a column here."""
    try:
        yield
    except PersonMustAct as problem:
        raise RowRefused(RowProblem.UNREADABLE, column, why=str(problem)) from None


def _require(pattern: re.Pattern[str], given: str, problem: RowProblem) -> None:
    if not pattern.fullmatch(given):
        raise RowRefused(problem, given)


def _any_day(text: str, today: date) -> date:
    """A day however long ago: a store that was connected years ago keeps its first day. Raises MalformedDate or DateTooFar."""
    try:
        return read_initial_order_date(text, today=today)
    except DateTooOld:
        return date(*(int(part) for part in re.findall(r"\d+", text)[:3]))
