"""Reacts to what stands under an answer: *helpful · not helpful · ask a person · share with the thread · none of these*."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError

from bot.domain.questions import GivenAnswer, MissKind
from bot.ports import Message
from handlers import answer_cards
from handlers.blocks import message, mrkdwn, section
from handlers.routing import ActionCall, Registry
from handlers.stories import Stories

#: Slack's words for a channel that the bot is not in
_OUTSIDE = ("not_in_channel", "channel_not_found", "is_archived")


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _Opinions(stories)
    registry.action("faq.helpful", edge.helpful)
    registry.action("faq.unhelpful", edge.unhelpful)
    registry.action("faq.none", edge.none_of_these)
    registry.action("faq.person", edge.ask_person)
    registry.action("faq.share", edge.share)


class _Opinions:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    async def helpful(self, call: ActionCall) -> None:
        await self._judge(call, helpful=True)
        await call.ack()
        await call.tell(_line(call, "faq.thanks"))

    async def unhelpful(self, call: ActionCall) -> None:
        """Counted, and the nearest topics are offered; pressing twice counts once."""
        await self._judge(call, helpful=False)
        await call.ack()
        library = self._stories.answering.library
        if call.argument in library.slugs:
            await call.tell(answer_cards.not_helpful(call.person, library, call.argument))

    async def none_of_these(self, call: ActionCall) -> None:
        """What was offered was not what was meant."""
        await self._stories.learning.missed(call.person, call.value, topic=call.argument, kind=MissKind.UNMATCHED)
        await call.ack()
        await call.tell(
            answer_cards.offer(call.person, self._stories.answering.library, "faq.noted", (), person_too=True)
        )

    async def ask_person(self, call: ActionCall) -> None:
        """The desk hears that somebody wants a person."""
        await self._stories.support.ask_person(call.person, topic=call.argument, store_id=call.value or None)
        await call.ack()
        await call.tell(_line(call, "faq.person_told"))

    async def share(self, call: ActionCall) -> None:
        """Posts what looks at nobody's stores, once in a thread."""
        library, slug, person = self._stories.answering.library, call.argument, call.person
        await call.ack()
        if slug not in library.slugs:
            return
        claim = GivenAnswer(person.team_id, call.channel_id, call.value, slug)
        if not await self._stories.presence.says(claim, gist="shared"):
            await call.tell(_line(call, "faq.shared_already"))
            return
        answer = self._stories.answering.public(mrkdwn(person), slug)
        shared = answer_cards.public_card(person, answer, library.article(slug, person.locale).title)
        try:
            await call.say_here(shared, thread_ts=call.value)
        except SlackApiError as refusal:
            await self._stories.presence.takes_back(claim)
            if refusal.response.get("error") not in _OUTSIDE:
                raise
            await call.tell(_line(call, "faq.cannot_share"))

    async def _judge(self, call: ActionCall, *, helpful: bool) -> None:
        await self._stories.learning.judged(
            call.person,
            call.value,
            topic=call.argument,
            helpful=helpful,
            channel_id=call.channel_id,
            message_ts=call.message_ts,
        )


def _line(call: ActionCall, key: str) -> Message:
    return message(section(mrkdwn(call.person)(key)))
