"""Reacts to `/store add|list|show|edit|share|disable|enable|delete`.

`add` opens the preparations for a first store, then the form; `/store add "Acme US" US 2026-01-31` needs neither. Whoever
names no store where several would do is asked which one.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from slack_sdk.errors import SlackApiError

from bot.domain.features import FEATURES
from bot.domain.marketplaces import find_marketplace
from bot.domain.notices import Notice, SharedWithYou, StoreAdded, StoreRef
from bot.domain.stores import Store, looks_like_a_day
from bot.errors import (
    IndividualPlan,
    NoStores,
    NotAPerson,
    TooManyWords,
    UnknownMarketplace,
    UnknownPerson,
    UnknownWord,
    WhichStore,
)
from bot.i18n import Speaker
from bot.ports import Message, Person, Sending
from bot.services.naming import feature_name
from bot.services.stores import StoreDraft
from handlers.blocks import (
    Block,
    actions,
    button,
    divider,
    escape,
    message,
    modal,
    mrkdwn,
    problem_message,
    section,
)
from handlers.routing import ActionCall, Call, CommandCall, Registry, ViewCall
from handlers.store_buttons import grant_button, store_buttons, which_store
from handlers.store_forms import preparation_blocks, preparation_view, store_form
from handlers.stories import Stories
from handlers.wording import feature_lines, status_name, store_name
from handlers.words import mentioned_user, number_in, pick, split_words

#: stores on one page of a list: two blocks each, with room for the rest
PAGE = 20

#: words that a store needs: its name, its marketplace, its day
_COMPLETE = 3
_DRAFT_FIELDS = ("label", "marketplace", "initial_order_date", "contact_email", "website", "attribute_mapping")


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _Stores(stories)
    registry.command("/store", edge.command)
    registry.view("store.prepare", edge.prepared)
    registry.view("store.add", edge.submitted)
    registry.view("store.edit", edge.edited)
    registry.action("store.add", edge.press_add)
    registry.action("store.list", edge.press_list)
    registry.action("store.prepare", edge.press_prepare)
    registry.action("store.pick", edge.picked)
    registry.action("store.do", edge.press_do)
    registry.notice(StoreAdded, edge.render_added)
    registry.notice(SharedWithYou, edge.render_shared)


def _read_to_the_end(words: Sequence[str]) -> None:
    """Raises TooManyWords where name, marketplace and day are all there before the last word."""
    for end in range(_COMPLETE, len(words)):
        if looks_like_a_day(words[end - 1]):
            with suppress(UnknownMarketplace):
                find_marketplace(words[end - 2])
                raise TooManyWords(given=" ".join(words[end:])[:40], example='"Acme US"')


class _Stores:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories
        self._words: Mapping[str, Callable[[CommandCall, Sequence[str]], Awaitable[None]]] = {
            "add": self._add,
            "list": self._list,
            "show": self._named("show"),
            "edit": self._named("edit"),
            "share": self._share,
            "disable": self._named("disable"),
            "enable": self._named("enable"),
            "delete": self._named("delete"),
            "prepare": self._prepare,
            "help": self._help,
        }
        self._doings: Mapping[str, Callable[[Call, str], Awaitable[Message | None]]] = {
            "show": self._show,
            "edit": self._edit,
            "disable": self._disable,
            "enable": self._enable,
            "delete": self._delete,
        }

    # --- the command -------------------------------------------------------------------------------------------------

    async def command(self, call: CommandCall) -> None:
        words = split_words(call.text)
        if not words:
            await self._help(call, [])
            return
        try:
            word = pick(words[0], self._words)
        except UnknownWord as problem:
            told = problem_message(problem, call.person)
            await call.reply(Message(f"{told.text}\n{self._usage(call)}", [*told.blocks, section(self._usage(call))]))
            return
        await self._words[word](call, words[1:])

    def _usage(self, call: Call) -> str:
        return mrkdwn(call.person)("usage.store")

    async def _help(self, call: CommandCall, _: Sequence[str]) -> None:
        await call.reply(message(section(self._usage(call))))

    async def _add(self, call: CommandCall, words: Sequence[str]) -> None:
        if len(words) < _COMPLETE:
            given = dict(zip(_DRAFT_FIELDS, words, strict=False))
            await self._open_add(call, given)
            await call.ack()
            return
        _read_to_the_end(words)
        # the name may have spaces even without quotes: the last two words are the marketplace and the day
        label = " ".join(words[:-2])
        prepared = await self._stories.stores.is_prepared(call.person)
        draft = StoreDraft(label=label, marketplace=words[-2], initial_order_date=words[-1])
        added = await self._stories.stores.add(call.person, draft)
        blocks = self._added_blocks(mrkdwn(call.person), StoreRef.of(added.store))
        if added.first and not prepared:
            blocks += [divider(), *preparation_blocks(self._stories, mrkdwn(call.person), call.say)]
        await call.reply(message(*blocks))

    async def _list(self, call: CommandCall, _: Sequence[str]) -> None:
        await call.reply(await self._list_page(call.person, 0))

    async def _prepare(self, call: CommandCall, _: Sequence[str]) -> None:
        await call.open(preparation_view(self._stories, call.person, {}))
        await call.ack()

    async def _share(self, call: CommandCall, words: Sequence[str]) -> None:
        colleague = mentioned_user(html.unescape(words[0])) if len(words) == 1 else None
        if colleague is None or colleague == call.person.user_id:
            raise NotAPerson
        try:
            profile = (await call.client.users_info(user=colleague))["user"]
        except SlackApiError:
            raise UnknownPerson from None
        if profile.get("is_bot") or profile.get("deleted") or profile.get("team_id") not in (None, call.person.team_id):
            raise UnknownPerson
        name = str(profile.get("real_name") or profile.get("name") or colleague)
        stores = await self._stories.stores.share(call.person, colleague, colleague_name=name)
        say = mrkdwn(call.person)
        await call.reply(message(section(say.count("store.shared", len(stores), colleague=name))))

    def _named(self, doing: str) -> Callable[[CommandCall, Sequence[str]], Awaitable[None]]:
        """A word that is about one store: the named one, the only one, or the one picked from a menu."""

        async def run(call: CommandCall, words: Sequence[str]) -> None:
            try:
                store = await self._stories.stores.find(call.person, " ".join(words))
            except WhichStore:
                stores = await self._stories.stores.all(call.person)
                await call.reply(which_store(call.person, stores, f"store.pick:{doing}"))
                return
            said = await self._doings[doing](call, store.id)
            await (call.reply(said) if said else call.ack())

        return run

    # --- presses -----------------------------------------------------------------------------------------------------

    async def press_add(self, call: ActionCall) -> None:
        await self._open_add(call, {})

    async def press_prepare(self, call: ActionCall) -> None:
        await call.open(preparation_view(self._stories, call.person, {}))

    async def press_list(self, call: ActionCall) -> None:
        page = number_in(call.value)
        await call.whisper(await self._list_page(call.person, page))

    async def picked(self, call: ActionCall) -> None:
        """A store was chosen from the menu; the argument says what for."""
        doing = self._doings.get(call.argument)
        if doing and call.value and (said := await doing(call, call.value)):
            await call.whisper(said)

    async def press_do(self, call: ActionCall) -> None:
        """A button of a store's card: the argument is the doing, the value the store."""
        await self.picked(call)

    # --- the forms ---------------------------------------------------------------------------------------------------

    async def _open_add(self, call: Call, given: Mapping[str, str]) -> None:
        if await self._stories.stores.is_prepared(call.person):
            await call.open(store_form(self._stories, call.person, "store.add", given))
        else:
            await call.open(preparation_view(self._stories, call.person, given))

    async def prepared(self, call: ViewCall) -> None:
        """The preparations were read: on to the form, or a stop for an Individual plan."""
        if call.inputs.get("plan") != "professional":
            raise IndividualPlan
        await self._stories.stores.confirm_preparations(call.person)
        given = {name: value for name, value in call.notes.items() if name in _DRAFT_FIELDS}
        if call.notes.get("reading"):
            await call.ack()
            return
        await call.replace_with(store_form(self._stories, call.person, "store.add", given))

    async def submitted(self, call: ViewCall) -> None:
        added = await self._stories.stores.add(call.person, _draft(call.inputs), announce=True)
        say = mrkdwn(call.person)
        await call.replace_with(
            modal(
                "store.added",
                title=call.say("store.added.title"),
                close=call.say("button.close"),
                blocks=self._added_blocks(say, StoreRef.of(added.store)),
            )
        )

    async def edited(self, call: ViewCall) -> None:
        store = await self._stories.stores.edit(call.person, call.notes.get("store_id", ""), _draft(call.inputs))
        await call.ack()
        say = mrkdwn(call.person)
        await call.whisper(message(section(say("store.edited", store=store.label))))

    # --- what is said ------------------------------------------------------------------------------------------------

    def _added_blocks(self, say: Speaker, store: StoreRef) -> list[Block]:
        facts = self._stories.names.facts(say)
        bare = say.escaping(str)
        return [
            section(f":white_check_mark: *{say('store.added.title')}*\n{store_name(say, store)}"),
            section(say("store.added.next", **facts)),
            *[section(f"*{feature_name(say, key)}*\n{say(f'feature.{key.value}.does', **facts)}") for key in FEATURES],
            actions(
                *[grant_button(bare, key, store.id, primary=position == 0) for position, key in enumerate(FEATURES)]
            ),
        ]

    def render_added(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, StoreAdded):
            raise TypeError(type(notice).__name__)
        return [Sending(message(*self._added_blocks(mrkdwn(person), notice.store)))]

    def render_shared(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, SharedWithYou):
            raise TypeError(type(notice).__name__)
        say = mrkdwn(person)
        labels = say.list([say.fact(label) for label in notice.labels])
        text = f"<@{notice.by_user_id}> {say('store.shared_with_you')}\n{labels}"
        bare = say.escaping(str)
        return [Sending(message(section(text), actions(button(bare("button.status"), "status.show"))))]

    async def _list_page(self, person: Person, page: int) -> Message:
        reports = await self._stories.reporting.stores(person)
        if not reports:
            raise NoStores
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        shown = reports[page * PAGE : (page + 1) * PAGE]
        blocks: list[Block] = [section(say.count("store.list", len(reports)))]
        blocks += [
            section(
                f"*{store_name(say, report.store)}*\n{status_name(say, report.status)}",
                accessory=button(bare("button.details"), "store.do:show", value=report.store.id),
            )
            for report in shown
        ]
        more = [
            button(bare(key), f"store.list:{goal}", value=str(goal))
            for key, goal, there in (
                ("button.previous", page - 1, page > 0),
                ("button.next", page + 1, len(reports) > (page + 1) * PAGE),
            )
            if there
        ]
        blocks.append(actions(*more, button(bare("button.add_store"), "store.add")))
        return message(*blocks)

    async def _show(self, call: Call, store_id: str) -> Message:
        report = await self._stories.reporting.store(call.person, store_id)
        say, bare = mrkdwn(call.person), call.say
        store = report.store
        facts = [
            ("store.form.date", say.date(store.initial_order_date)),
            ("store.form.email", escape(store.contact_email or "—")),
            ("store.form.website", escape(store.website or "—")),
            ("store.form.mapping", escape(", ".join(f"{k} = {v}" for k, v in store.attribute_mapping.items()) or "—")),
        ]
        lines = [f"*{bare(key)}*: {value}" for key, value in facts]
        return message(
            section(f"*{store_name(say, store)}*\n{status_name(say, report.status)}"),
            section("\n".join(feature_lines(say, self._stories.names, report))),
            section("\n".join(lines)),
            actions(*store_buttons(bare, report)),
        )

    async def _edit(self, call: Call, store_id: str) -> None:
        store = await self._stories.stores.get(call.person, store_id)
        given = {
            "label": store.label,
            "marketplace": store.marketplace_code,
            "initial_order_date": store.initial_order_date.isoformat(),
            "contact_email": store.contact_email or "",
            "website": store.website or "",
            "attribute_mapping": "\n".join(f"{kind}={name}" for kind, name in store.attribute_mapping.items()),
        }
        await call.open(store_form(self._stories, call.person, "store.edit", given, notes={"store_id": store.id}))

    async def _disable(self, call: Call, store_id: str) -> Message:
        store = await self._stories.stores.disable(call.person, store_id)
        return self._switched(
            call,
            "store.disabled",
            store,
            button(call.say("button.enable"), "store.do:enable", value=store.id),
        )

    async def _enable(self, call: Call, store_id: str) -> Message:
        store = await self._stories.stores.enable(call.person, store_id)
        return self._switched(call, "store.enabled", store, button(call.say("button.status"), "status.show"))

    async def _delete(self, call: Call, store_id: str) -> Message:
        """From a command: asks first; from the button that asked, deletes."""
        say, names = mrkdwn(call.person), self._stories.names
        if isinstance(call, ActionCall) and call.action == "store.do":
            store = await self._stories.stores.delete(call.person, store_id)
            return message(section(say("store.deleted", store=store.label, **names.facts(say))))
        store = await self._stories.stores.get(call.person, store_id)
        return message(
            section(say("store.delete_ask", store=store.label, **names.facts(say))),
            actions(
                button(call.say("button.delete"), "store.do:delete", value=store.id, style="danger"),
                button(call.say("button.disable_instead"), "store.do:disable", value=store.id),
            ),
        )

    def _switched(self, call: Call, key: str, store: Store, *buttons: Block) -> Message:
        say = mrkdwn(call.person)
        return message(section(say(key, store=store.label, **self._stories.names.facts(say))), actions(*buttons))


def _draft(inputs: Mapping[str, str]) -> StoreDraft:
    return StoreDraft(**{name: inputs.get(name, "") for name in _DRAFT_FIELDS})
