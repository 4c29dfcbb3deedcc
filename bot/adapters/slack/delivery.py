"""Delivers notices as Slack messages: in the reader's words, one card per subject, edited in place, updates in its thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import structlog

from bot.adapters.slack.session import Pace, SlackApi, SlackBusy, SlackRefused, SlackUnreachable
from bot.domain.notices import notice_from
from bot.ports import CardAddress, Cards, Clock, Errand, Message, People, Person, Placement, Renderer, Sending
from bot.services.relay import DeliveryFailed, RateLimited, Undeliverable

log = structlog.get_logger()

#: the card is gone or out of reach: a new one takes its place
CARD_IS_GONE = frozenset(
    {
        "message_not_found",
        "channel_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "is_inactive",
    }
)

#: refusals that the same message would meet again: https://docs.slack.dev/reference/methods/chat.postMessage
FINAL = frozenset(
    {
        "account_inactive",
        "token_revoked",
        "user_not_found",
        "user_disabled",
        "user_not_visible",
        "cannot_dm_bot",
        "messages_tab_disabled",
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_arguments",
        "invalid_attachments",
        "msg_too_long",
        "msg_blocks_too_long",
        "no_text",
        "too_many_attachments",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_non_threadable_channel",
        "team_access_not_granted",
        "ekm_access_denied",
    }
)
#: how Slack refuses blocks that are each right, and too much together: at a length it does not state
TOO_LONG = "msg_blocks_too_long"
#: how Slack refuses a message whose picture it could not download
PICTURE_NOT_FETCHED = frozenset({"invalid_blocks", "image_download_failed"})
_DEAD_TOKEN = frozenset({"account_inactive", "token_revoked", "invalid_auth", "not_authed"})

#: errands whose progress is remembered between tries
_MOST_REMEMBERED = 10_000


class Tokens(Protocol):
    """Where bot tokens come from."""

    async def token(self, team_id: str) -> str | None: ...

    def forget(self, team_id: str) -> None:
        """What is remembered of the workspace may be out of date."""
        ...


_Value = TypeVar("_Value")


def _keep(memory: OrderedDict[str, _Value], key: str, value: _Value) -> None:
    memory[key] = value
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)


def _simpler(blocks: Sequence[Mapping[str, Any]], error: str) -> Sequence[Mapping[str, Any]] | None:
    """What may be taken instead of these blocks; None when nothing would help. The text says all that the blocks say."""
    if error == TOO_LONG:
        return [] if blocks else None
    # Slack fetches pictures while it is told of them; one that it cannot reach must not cost the message
    plain = [block for block in blocks if block.get("type") != "image"]
    return plain if error in PICTURE_NOT_FETCHED and len(plain) < len(blocks) else None


class SlackDelivery:
    """Carries one errand's notice to its reader. Raises RateLimited, Undeliverable or DeliveryFailed."""

    def __init__(
        self,
        api: SlackApi,
        *,
        tokens: Tokens,
        cards: Cards,
        people: People,
        renderers: Mapping[str, Renderer],
        clock: Clock,
        channel_locale: str = "en",
        channel_tz: str = "UTC",
        pace: Pace | None = None,
    ) -> None:
        self._api = api
        self._tokens = tokens
        self._cards = cards
        self._people = people
        self._renderers = renderers
        self._clock = clock
        self._channel_locale = channel_locale
        self._channel_tz = channel_tz
        self._pace = pace or Pace()
        self._quiet_until: dict[str, datetime] = {}
        #: how many of an errand's messages have been sent, so that a retry repeats none of them
        self._sent: OrderedDict[str, int] = OrderedDict()
        #: old cards of errands whose new card stands already
        self._owed: OrderedDict[str, CardAddress] = OrderedDict()

    async def deliver(self, errand: Errand) -> None:
        renderer = self._renderers.get(errand.kind)
        if renderer is None:
            raise Undeliverable("no_renderer")
        try:
            notice = notice_from(errand.kind, errand.body)
        except (KeyError, TypeError, ValueError):
            raise Undeliverable("unreadable_notice") from None
        token = await self._tokens.token(errand.team_id)
        if token is None:
            raise Undeliverable("not_installed")
        reader = await self._reader(errand)
        sendings = renderer(notice, reader)
        already = self._sent.pop(errand.id, 0)
        for number, sending in enumerate(sendings):
            if number < already:
                continue
            try:
                await self._send(errand, sending, token)
            except SlackBusy as busy:
                self._remember(errand, number)
                self._quiet_until[errand.team_id] = self._clock() + busy.retry_after
                raise RateLimited(busy.retry_after) from None
            except SlackUnreachable as unreachable:
                self._remember(errand, number)
                raise DeliveryFailed(unreachable.why) from None
            except SlackRefused as refused:
                self._remember(errand, number)
                raise self._refusal(errand, refused) from None
            except BaseException:
                self._remember(errand, number)
                raise

    def _refusal(self, errand: Errand, refused: SlackRefused) -> DeliveryFailed:
        if refused.error in _DEAD_TOKEN:
            self._tokens.forget(errand.team_id)
        return Undeliverable(refused.error) if refused.error in FINAL else DeliveryFailed(refused.error)

    def _remember(self, errand: Errand, sent: int) -> None:
        if sent:
            _keep(self._sent, errand.id, sent)

    async def _reader(self, errand: Errand) -> Person:
        if errand.recipient.startswith(("C", "G")):
            return Person(errand.team_id, errand.recipient, self._channel_locale, self._channel_tz)
        return await self._people.get(errand.team_id, errand.recipient)

    # --- placing

    async def _send(self, errand: Errand, sending: Sending, token: str) -> None:
        if sending.placement is Placement.PLAIN:
            beside = sending.thread
            if beside is None or not await self._answer(errand, beside, sending.message, token, broadcast=False):
                await self._post(errand, sending.message, token)
            return
        card = await self._cards.get(errand.team_id, errand.recipient, sending.subject)
        match sending.placement:
            case Placement.NEW_CARD:
                await self._replace_card(errand, card, sending, token)
            case Placement.EDIT_CARD:
                if card is None or not await self._edit(errand, card, sending.message, token):
                    await self._post_card(errand, sending, token)
            case _:
                if card is None or not await self._answer(errand, card, sending.message, token):
                    await self._post(errand, sending.message, token)

    async def _replace_card(self, errand: Errand, old: CardAddress | None, sending: Sending, token: str) -> None:
        """The new card first, so that its reader is never without one; a retry owes the old one its farewell only."""
        owed = self._owed.pop(errand.id, None)
        if owed is None:
            await self._post_card(errand, sending, token)
            owed = old
        if owed is None or sending.farewell is None:
            return
        try:
            await self._edit(errand, owed, sending.farewell, token)
        except (SlackBusy, SlackUnreachable):
            _keep(self._owed, errand.id, owed)
            raise

    async def _post_card(self, errand: Errand, sending: Sending, token: str) -> None:
        address = await self._post(errand, sending.message, token)
        await self._cards.put(errand.team_id, errand.recipient, sending.subject, address)

    async def _answer(
        self, errand: Errand, card: CardAddress, message: Message, token: str, *, broadcast: bool = True
    ) -> bool:
        """Under the card; False when there is nothing to put it under."""
        try:
            await self._post(errand, message, token, channel=card.channel_id, thread_ts=card.ts, broadcast=broadcast)
        except SlackRefused as refused:
            if refused.error not in CARD_IS_GONE:
                raise
            return False
        return True

    async def _post(
        self,
        errand: Errand,
        message: Message,
        token: str,
        *,
        channel: str = "",
        thread_ts: str | None = None,
        broadcast: bool = True,
    ) -> CardAddress:
        channel = channel or errand.recipient
        arguments: dict[str, Any] = {
            "channel": channel,
            "text": message.text,
            "thread_ts": thread_ts,
            # in a DM the answer stands in the conversation as well: a seller does not look into threads
            "reply_broadcast": True if broadcast and thread_ts and errand.recipient.startswith(("U", "W")) else None,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        answer = await self._say(errand, "chat.postMessage", message, token, arguments)
        return CardAddress(str(answer.get("channel") or channel), str(answer["ts"]))

    async def _edit(self, errand: Errand, card: CardAddress, message: Message, token: str) -> bool:
        """In place; False when Slack has no such message any more, or will not change it."""
        arguments = {"channel": card.channel_id, "ts": card.ts, "text": message.text}
        try:
            await self._say(errand, "chat.update", message, token, arguments)
        except SlackRefused as refused:
            if refused.error not in CARD_IS_GONE:
                raise
            log.info("delivery.card_gone", team=errand.team_id, error=refused.error)
            return False
        return True

    async def _say(
        self, errand: Errand, method: str, message: Message, token: str, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Posts or edits; what Slack will not take as it is, in a simpler form."""
        blocks: Sequence[Mapping[str, Any]] = list(message.blocks)
        posts = method == "chat.postMessage"
        while True:
            await self._turn(errand, method, str(arguments["channel"]) if posts else "")
            try:
                # of an edit, an empty list removes what stood there
                return await self._api.call(method, token=token, blocks=blocks or (None if posts else []), **arguments)
            except SlackRefused as refused:
                simpler = _simpler(blocks, refused.error)
                if simpler is None:
                    raise
                log.warning("delivery.simplified", team=errand.team_id, kind=errand.kind, error=refused.error)
                blocks = simpler

    async def _turn(self, errand: Errand, method: str, channel: str = "") -> None:
        """Waits until Slack's limits allow the call. Raises SlackBusy while the workspace was told to be quiet."""
        await self._pace.wait(method, errand.team_id)
        if channel:
            await self._pace.wait(f"{method} per channel", errand.team_id, channel)
        until = self._quiet_until.get(errand.team_id)
        if until is None:
            return
        if (left := until - self._clock()) > timedelta():
            raise SlackBusy(method, left)
        self._quiet_until.pop(errand.team_id, None)
