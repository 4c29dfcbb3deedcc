"""Adding, showing, editing and sharing stores."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from bot.domain.marketplaces import find_marketplace
from bot.domain.mirror import Happening, MirrorEvent
from bot.domain.notices import SharedWithYou, StoreAdded, StoreRef
from bot.domain.stores import (
    Seller,
    Store,
    label_key,
    read_attribute_mapping,
    read_email,
    read_initial_order_date,
    read_label,
    read_website,
)
from bot.errors import (
    AlreadyAMember,
    MarketplaceIsFixed,
    MisspelledStore,
    NoStores,
    PersonMustAct,
    SeveralProblems,
    StoreGone,
    UnknownStore,
    WhichStore,
)
from bot.i18n import zone_for
from bot.ports import AuditEvent, Clock, Database, Entropy, Person, Work

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class StoreDraft:
    """A store's fields as somebody typed them."""

    label: str
    marketplace: str
    initial_order_date: str
    contact_email: str = ""
    website: str = ""
    attribute_mapping: str = ""


@dataclass(frozen=True, slots=True)
class _Fields:
    label: str
    marketplace_code: str
    initial_order_date: date
    contact_email: str | None
    website: str | None
    attribute_mapping: dict[str, str]


@dataclass(frozen=True, slots=True)
class Added:
    """A store just added; `first` when it is the seller's only one."""

    store: Store
    first: bool


class StoreKeeping:
    """The stores of one distributor account, kept by its members."""

    def __init__(self, database: Database, *, clock: Clock, entropy: Entropy) -> None:
        self._database = database
        self._clock = clock
        self._entropy = entropy

    async def add(self, person: Person, draft: StoreDraft, *, announce: bool = False) -> Added:
        """Adds a store, and its distributor account with the first one; `announce` puts the news into the person's DM.

        Raises PersonMustAct (SeveralProblems for more than one) and stores nothing.
        """
        now = self._clock()
        fields = self._read(draft, person)
        async with self._database.begin() as work:
            seller = await work.sellers.of_member(person.team_id, person.user_id)
            if seller is None:
                fresh = Seller(id=self._entropy.new_id(), team_id=person.team_id, created_at=now)
                seller = await work.sellers.add(fresh, user_id=person.user_id)
            first = not await work.stores.of_seller(seller)
            store = Store(
                id=self._entropy.new_id(),
                team_id=person.team_id,
                seller_id=seller.id,
                label=fields.label,
                marketplace_code=fields.marketplace_code,
                initial_order_date=fields.initial_order_date,
                created_at=now,
                created_by=person.user_id,
                contact_email=fields.contact_email,
                website=fields.website,
                attribute_mapping=fields.attribute_mapping,
            )
            await work.stores.add(store)
            if announce:
                await work.outbox.tell(person.team_id, person.user_id, StoreAdded(store=StoreRef.of(store)))
            await self._note(work, person, Happening.STORE_ADDED, store)
        return Added(store, first)

    async def edit(self, person: Person, store_id: str, draft: StoreDraft) -> Store:
        """Rewrites a store's fields. The marketplace is fixed once an Amazon account is known."""
        async with self._database.begin() as work:
            _, store = await own_store(work, person, store_id, to_write=True)
            kept_day = (
                store.initial_order_date if draft.initial_order_date == store.initial_order_date.isoformat() else None
            )
            fields = self._read(draft, person, kept_day=kept_day)
            if store.selling_partner_id and fields.marketplace_code != store.marketplace_code:
                raise MarketplaceIsFixed(label=store.label)
            edited = replace(
                store,
                label=fields.label,
                marketplace_code=fields.marketplace_code,
                initial_order_date=fields.initial_order_date,
                contact_email=fields.contact_email,
                website=fields.website,
                attribute_mapping=fields.attribute_mapping,
            )
            await work.stores.update(edited)
            await self._note(work, person, Happening.STORE_EDITED, edited)
        return edited

    async def all(self, person: Person) -> Sequence[Store]:
        """The person's stores; none for somebody without an account."""
        async with self._database.read() as work:
            seller = await work.sellers.of_member(person.team_id, person.user_id)
            return [] if seller is None else await work.stores.of_seller(seller)

    async def get(self, person: Person, store_id: str) -> Store:
        """One of the person's stores. Raises UnknownStore, also for somebody else's."""
        async with self._database.read() as work:
            _, store = await own_store(work, person, store_id)
            return store

    async def find(self, person: Person, name: str = "", *, among: Callable[[Store], bool] | None = None) -> Store:
        """The store a person means: by its name, or the only one (that fits `among`) when they named none.

        Raises NoStores, UnknownStore, MisspelledStore with the nearest name, or WhichStore.
        """
        stores = await self.all(person)
        if not stores:
            raise NoStores
        if not name.strip():
            fitting = [store for store in stores if among is None or among(store)]
            if len(fitting) == 1:
                return fitting[0]
            raise WhichStore(labels=", ".join(f'"{store.label}"' for store in (fitting or stores)[:10]))
        named = {label_key(store.label): store for store in stores}
        if found := named.get(label_key(name)):
            return found
        near = difflib.get_close_matches(label_key(name), list(named), n=1, cutoff=0.6)
        if near:
            raise MisspelledStore(given=name[:60], suggestion=named[near[0]].label)
        raise UnknownStore(given=name[:60])

    async def is_prepared(self, person: Person) -> bool:
        """True once somebody of the account confirmed the preparations."""
        async with self._database.read() as work:
            seller = await work.sellers.of_member(person.team_id, person.user_id)
            return seller is not None and seller.prepared_at is not None

    async def confirm_preparations(self, person: Person) -> None:
        """Notes that the account has a Professional plan and has read the rest; makes the account when there is none."""
        now = self._clock()
        async with self._database.begin() as work:
            seller = await work.sellers.of_member(person.team_id, person.user_id)
            if seller is None:
                fresh = Seller(id=self._entropy.new_id(), team_id=person.team_id, created_at=now)
                seller = await work.sellers.add(fresh, user_id=person.user_id)
            await work.sellers.prepared(seller, at=now)

    async def disable(self, person: Person, store_id: str) -> Store:
        return await self._switch(person, store_id, off=True)

    async def enable(self, person: Person, store_id: str) -> Store:
        return await self._switch(person, store_id, off=False)

    async def delete(self, person: Person, store_id: str) -> Store:
        """Removes the store here. Amazon's side stays granted until the seller disables it there."""
        async with self._database.begin() as work:
            _, store = await own_store(work, person, store_id)
            await work.stores.delete(store)
            await self._note(work, person, Happening.STORE_DELETED, store)
        return store

    async def share(self, person: Person, colleague_id: str, *, colleague_name: str) -> Sequence[Store]:
        """Makes a colleague a member of the person's distributor account. Raises AlreadyAMember."""
        now = self._clock()
        async with self._database.begin() as work:
            seller = await work.sellers.of_member(person.team_id, person.user_id)
            stores = [] if seller is None else await work.stores.of_seller(seller)
            if seller is None or not stores:
                raise NoStores
            if colleague_id in await work.sellers.members(seller):
                return stores
            try:
                await work.sellers.add_member(seller, colleague_id, at=now)
            except AlreadyAMember:
                raise AlreadyAMember(name=colleague_name) from None
            await work.outbox.tell(
                person.team_id,
                colleague_id,
                SharedWithYou(by_user_id=person.user_id, labels=tuple(store.label for store in stores[:20])),
            )
            await work.audit.record(
                AuditEvent(
                    now, person.team_id, person.user_id, "seller.shared", seller.id, details={"with": colleague_id}
                )
            )
        return stores

    async def _switch(self, person: Person, store_id: str, *, off: bool) -> Store:
        async with self._database.begin() as work:
            _, store = await own_store(work, person, store_id, to_write=True)
            if (store.disabled_at is not None) is off:
                return store
            switched = replace(store, disabled_at=self._clock() if off else None)
            await work.stores.update(switched)
            await self._note(work, person, Happening.STORE_DISABLED if off else Happening.STORE_ENABLED, switched)
        return switched

    def _read(self, draft: StoreDraft, person: Person, *, kept_day: date | None = None) -> _Fields:
        """Every field, or every problem at once. A day that was accepted once stays acceptable."""
        today = self._clock().astimezone(zone_for(person.tz)).date()
        problems: list[PersonMustAct] = []

        def read(reader: Callable[[], _T], otherwise: _T) -> _T:
            try:
                return reader()
            except PersonMustAct as problem:
                problems.append(problem)
                return otherwise

        fields = _Fields(
            label=read(lambda: read_label(draft.label), ""),
            marketplace_code=read(lambda: find_marketplace(draft.marketplace).code, ""),
            initial_order_date=kept_day
            or read(lambda: read_initial_order_date(draft.initial_order_date, today=today), today),
            contact_email=read(lambda: read_email(draft.contact_email), None),
            website=read(lambda: read_website(draft.website), None),
            attribute_mapping=read(lambda: read_attribute_mapping(draft.attribute_mapping), {}),
        )
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise SeveralProblems(*problems)
        return fields

    async def _note(self, work: Work, person: Person, happening: Happening, store: Store) -> None:
        """For the audit, and for the sister system."""
        now = self._clock()
        await work.audit.record(AuditEvent(now, person.team_id, person.user_id, happening.value, store.id))
        await work.mirror.tell(MirrorEvent(happening, now, store))


async def own_store(work: Work, person: Person, store_id: str, *, to_write: bool = False) -> tuple[Seller, Store]:
    """The person's seller and that seller's store; `to_write` as in `Stores.get`. Raises StoreGone when either is not there."""
    seller = await work.sellers.of_member(person.team_id, person.user_id)
    store = None if seller is None else await work.stores.get(seller, store_id, to_write=to_write)
    if seller is None or store is None:
        raise StoreGone
    return seller, store
