"""Reacts to `/grant orders|listing [store]` and to the buttons under its card; says how consents and checks ended.

The card goes to the person's DM: what the feature does, what to look for afterwards, the warnings, the link. One card per
store and feature, edited in place; what happens is said in its thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import GrantState
from bot.domain.notices import CheckResult, ConsentCard, ConsentResult, Notice, subject_of
from bot.domain.verification import Reason
from bot.errors import NoStores, StoreDisabled, UnknownFeature, UnknownWord
from bot.i18n import Speaker
from bot.ports import Message, Person, Placement, Sending
from bot.services.naming import feature_name
from handlers.blocks import (
    Block,
    actions,
    button,
    context,
    field,
    message,
    modal,
    mrkdwn,
    problem_message,
    section,
    text_input,
)
from handlers.error_codes import code_lines
from handlers.feature_words import feature_in
from handlers.routing import ActionCall, Call, CommandCall, Registry, ViewCall
from handlers.store_buttons import grant_button, which_store
from handlers.stories import Stories
from handlers.wording import store_name
from handlers.words import pick, split_words

#: a button pressed again so soon is one press
_SECOND_PRESS = timedelta(seconds=3)

#: characters of a pasted error page
PASTE_LIMIT = 3000


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _Granting(stories)
    registry.command("/grant", edge.command)
    registry.action("grant.start", edge.start)
    registry.action("grant.again", edge.again)
    registry.action("grant.pick", edge.start)
    registry.action("grant.check", edge.check)
    registry.action("grant.confirm", edge.confirm)
    registry.action("grant.error", edge.ask_error)
    registry.view("grant.error", edge.took_error)
    registry.task("check_grant", edge.run_check)
    registry.task("confirm_held", edge.run_confirm)
    registry.notice(ConsentCard, edge.render_card)
    registry.notice(ConsentResult, edge.render_result)
    registry.notice(CheckResult, edge.render_check)


class _Granting:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    # --- asking for a link -------------------------------------------------------------------------------------------

    async def command(self, call: CommandCall) -> None:
        words = split_words(call.text)
        say = mrkdwn(call.person)
        if not words or words[0].casefold() == "help":
            await call.reply(message(section(say("usage.grant"))))
            return
        feature, name = feature_in(words)
        try:
            feature = feature or FeatureKey(pick(words[0], list(FEATURES)))
        except UnknownWord:
            told = problem_message(UnknownFeature(given=words[0][:40]), call.person)
            await call.reply(Message(f"{told.text}\n{say('usage.grant')}", [*told.blocks, section(say("usage.grant"))]))
            return
        if name:
            await self._make(call, feature, (await self._stories.stores.find(call.person, name)).id)
            return
        every = await self._stories.reporting.stores(call.person)
        if not every:
            raise NoStores
        reports = [report for report in every if report.store.disabled_at is None]
        if not reports:
            raise StoreDisabled(label=every[0].store.label)
        open_ones = [
            report for report in reports if report.grants[feature].standing(report.at) is not GrantState.GRANTED
        ]
        candidates = open_ones or reports
        if len(candidates) == 1:
            await self._make(call, feature, candidates[0].store.id)
            return
        note = "" if open_ones else call.say("grant.all_granted", feature=feature_name(call.say, feature))
        await call.reply(
            which_store(call.person, [one.store for one in candidates], f"grant.pick:{feature.value}", note=note)
        )

    async def start(self, call: ActionCall) -> None:
        """A new card for a feature of a store."""
        if call.value:
            await self._make(call, FeatureKey(call.argument), call.value)

    async def again(self, call: ActionCall) -> None:
        """A new link on the same card."""
        await self._make(call, FeatureKey(call.argument), call.value, in_place=True)

    async def _make(self, call: Call, feature: FeatureKey, store_id: str, *, in_place: bool = False) -> None:
        attempt = await self._stories.granting.prepare(
            call.person,
            feature,
            store_id,
            in_place=in_place,
            unless_within=_SECOND_PRESS if isinstance(call, ActionCall) else None,
        )
        store = await self._stories.stores.get(call.person, attempt.store_id)
        say = mrkdwn(call.person)
        sent = message(section(say("grant.sent", store=store.label, feature=feature_name(say, feature))))
        if isinstance(call, CommandCall):
            await call.reply(sent)
        else:
            await call.ack()
            if not call.channel_id.startswith("D"):
                await call.whisper(sent)

    # --- asking for the result ---------------------------------------------------------------------------------------

    async def check(self, call: ActionCall) -> None:
        """Asks Amazon in the background; the answer goes to the DM."""
        store = await self._stories.checking.ask(call.person, FeatureKey(call.argument), call.value)
        await call.ack()
        if not call.channel_id.startswith("D"):
            await call.whisper(message(section(mrkdwn(call.person)("grant.asking", store=store.label))))

    async def confirm(self, call: ActionCall) -> None:
        await self._stories.granting.begin_confirm(call.person, call.value)
        await call.ack()

    async def run_check(self, team_id: str, arguments: Mapping[str, Any]) -> None:
        person = await self._stories.people.get(team_id, arguments["user_id"])
        await self._stories.checking.tell(person, FeatureKey(arguments["feature"]), arguments["store_id"])

    async def run_confirm(self, team_id: str, arguments: Mapping[str, Any]) -> None:
        del team_id
        await self._stories.granting.confirm(arguments["attempt_id"])

    # --- an error on Amazon's page -----------------------------------------------------------------------------------

    async def ask_error(self, call: ActionCall) -> None:
        say = call.say
        await call.open(
            modal(
                "grant.error",
                title=say("error_form.title"),
                submit=say("button.explain"),
                close=say("button.cancel"),
                notes={"feature": call.argument, "store_id": call.value},
                blocks=[
                    field(
                        say("error_form.label"),
                        text_input(
                            "error_text",
                            multiline=True,
                            placeholder=say("error_form.example"),
                            limit=PASTE_LIMIT,
                        ),
                        hint=say("error_form.hint"),
                    )
                ],
            )
        )

    async def took_error(self, call: ViewCall) -> None:
        """What the code means, and whose turn it is, in place of the form."""
        feature = FeatureKey(call.notes["feature"])
        found = await self._stories.support.saw_error(
            call.person, call.inputs.get("error_text", ""), store_id=call.notes["store_id"], feature=feature
        )
        say = mrkdwn(call.person)
        blocks = [section(line) for line in code_lines(say, found, self._stories.names.facts(say))]
        await call.replace_with(
            modal(
                "grant.error_explained",
                title=call.say("error_form.title"),
                close=call.say("button.close"),
                blocks=blocks,
            )
        )

    # --- cards and results -------------------------------------------------------------------------------------------

    def render_card(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, ConsentCard):
            raise TypeError(type(notice).__name__)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        names = self._stories.names
        facts = names.of_feature(say, notice.feature)
        title = f"*{store_name(say, notice.store)}*\n{feature_name(say, notice.feature)}"
        blocks = [
            section(title),
            section(say(f"feature.{notice.feature.value}.does", **facts)),
        ]
        link = button(
            bare("button.open_amazon"),
            "grant.open",
            url=f"{self._stories.public_url}/connect/{notice.secret}",
            style="" if notice.confirmable else "primary",
        )
        if notice.confirmable:
            blocks.append(section(say("card.confirmable", account=notice.selling_partner_id)))
            confirm = button(bare("button.confirm_held"), "grant.confirm", value=notice.attempt_id, style="primary")
            blocks.append(actions(confirm, link, block_id="confirm"))
        plan = [f":clipboard: {say('card.plan')}"] if notice.ask_plan else []
        blocks.append(
            section(
                "\n".join(
                    (
                        *plan,
                        f":lock: {say('card.safe_environment')}",
                        f":bust_in_silhouette: {say('card.right_account', **facts)}",
                        f":arrow_upper_right: {say('card.popups', **facts)}",
                        f":mag: {say('card.look_for', **facts)}",
                    )
                )
            )
        )
        if notice.requested_by:
            blocks.append(section(f":handshake: {say('card.requested_by', agent=notice.requested_by)}"))
        rest = _card_buttons(bare, notice.feature, notice.store.id)
        blocks.append(actions(*rest) if notice.confirmable else actions(link, *rest))
        blocks.append(context(say("card.valid_until", until=datetime.fromisoformat(notice.expires_at))))
        return [
            Sending(
                message(*blocks),
                Placement.EDIT_CARD if notice.in_place else Placement.NEW_CARD,
                subject=subject_of(notice.store.id, notice.feature),
                farewell=message(section(f"{title}\n{say('card.replaced')}")),
            )
        ]

    def render_result(self, notice: Notice, person: Person) -> list[Sending]:
        """The card is closed with the result; its thread says what comes next, with the buttons for it."""
        if not isinstance(notice, ConsentResult):
            raise TypeError(type(notice).__name__)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        subject = subject_of(notice.store.id, notice.feature)
        title = f"*{store_name(say, notice.store)}*\n{feature_name(say, notice.feature)}"
        if notice.reason:
            happened, advice = self._refusal(say, notice)
            lines = [f":x: *{happened}*", advice]
            if notice.still_granted and notice.ends_at:
                lines.append(say("grant.still_granted", ends=say.date(datetime.fromisoformat(notice.ends_at))))
            buttons = actions(*_retry_buttons(bare, notice.feature, notice.store.id, notice.reason))
            card = message(section(f"{title}\n:x: {happened}"))
            told = message(section("\n".join(lines)), buttons)
        else:
            ends = datetime.fromisoformat(notice.ends_at)
            card = message(
                section(f"{title}\n:white_check_mark: {say('grant.granted_until', ends=say.date(ends))}"),
                actions(button(bare("button.check"), f"grant.check:{notice.feature.value}", value=notice.store.id)),
            )
            told = message(*self._success(say, bare, notice, ends))
        return [
            Sending(card, Placement.EDIT_CARD, subject=subject),
            Sending(told, Placement.THREAD, subject=subject),
        ]

    def render_check(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, CheckResult):
            raise TypeError(type(notice).__name__)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        subject = subject_of(notice.store.id, notice.feature)
        title = f"*{store_name(say, notice.store)}* {feature_name(say, notice.feature)}"
        if notice.reason:
            happened, advice = self._refusal(say, notice)
            since = ""
            if notice.reason in (Reason.NO_ANSWER, Reason.WAITING) and notice.since:
                since = say("check.link_opened", at=datetime.fromisoformat(notice.since))
            others = say("health.others", labels=say.list(list(notice.others))) if notice.others else ""
            text = "\n".join(filter(None, (title, f":x: *{happened}*", since, others, advice)))
            blocks = [
                section(text),
                actions(*_retry_buttons(bare, notice.feature, notice.store.id, notice.reason)),
            ]
        else:
            blocks = self._success(say, bare, notice, datetime.fromisoformat(notice.ends_at), checked=True)
        return [Sending(message(*blocks), Placement.THREAD, subject=subject)]

    def _refusal(self, say: Speaker, notice: ConsentResult | CheckResult) -> tuple[str, str]:
        return self._stories.names.refusal(say, notice.reason, detail=notice.detail, feature=notice.feature)

    def _success(
        self,
        say: Speaker,
        bare: Speaker,
        notice: ConsentResult | CheckResult,
        ends: datetime,
        *,
        checked: bool = False,
    ) -> list[Block]:
        names = self._stories.names
        key = "check.verified" if checked else "grant.complete"
        lines = [
            f":white_check_mark: *{say(key)}* — {store_name(say, notice.store)} {feature_name(say, notice.feature)}",
            say("grant.granted_until", ends=say.date(ends)),
        ]
        if not checked:
            lines.append(say("grant.look_for", **names.of_feature(say, notice.feature)))
        if isinstance(notice, ConsentResult) and notice.also_renewed:
            lines.append(say("grant.also_renewed", labels=", ".join(notice.also_renewed)))
        blocks = [section("\n".join(lines))]
        status = button(bare("button.status"), "status.show")
        if notice.offer:
            blocks.append(section(say("grant.offer_other", **names.of_feature(say, notice.offer))))
            blocks.append(actions(grant_button(bare, notice.offer, notice.store.id, primary=True), status))
        elif not checked:
            blocks.append(section(say("grant.both_done", **names.facts(say))))
            blocks.append(actions(status))
        return blocks


def _card_buttons(say: Speaker, feature: FeatureKey, store_id: str) -> list[Block]:
    return [
        button(say("button.check"), f"grant.check:{feature.value}", value=store_id),
        button(say("button.new_link"), f"grant.again:{feature.value}", value=store_id),
        button(say("button.saw_error"), f"grant.error:{feature.value}", value=store_id),
    ]


#: nothing a seller does mends these: no new link is offered first
_WAIT = frozenset({Reason.OUR_CREDENTIALS, Reason.AMAZON_UNAVAILABLE, Reason.THROTTLED, Reason.WAITING})


def _retry_buttons(say: Speaker, feature: FeatureKey, store_id: str, reason: str) -> list[Block]:
    """*Again* and *check again*, the likelier one first."""
    if reason == Reason.DISABLED:
        return [button(say("button.enable"), "store.do:enable", value=store_id, style="primary")]
    again = button(
        say("button.new_link"),
        f"grant.start:{feature.value}",
        value=store_id,
        style="" if reason in _WAIT else "primary",
    )
    check = button(
        say("button.check_again"),
        f"grant.check:{feature.value}",
        value=store_id,
        style="primary" if reason in _WAIT else "",
    )
    error = button(say("button.saw_error"), f"grant.error:{feature.value}", value=store_id)
    return [check, again, error] if reason in _WAIT else [again, check, error]
