"""Reacts to `POST /mirror/events`: what the sister system signed is applied, and its sellers are told where it was done.

Answers JSON: 2xx with what came of it, also for what nobody here knows, since sending that again would not help; 400 for what
is signed and not an event, 401 for what is not signed, 413 for what is too big, 503 for what could not be written now and is
to be sent again. docs/mirror.md is the contract.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from http import HTTPStatus

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.mirror import MalformedEvent, SisterEvent, SisterNews, SisterState, read_event
from bot.domain.notices import Notice
from bot.errors import ConcurrentChange
from bot.i18n import Speaker
from bot.ports import Person, Sending
from bot.services.naming import feature_name
from handlers.blocks import Block, actions, button, message, mrkdwn, section
from handlers.routing import Registry
from handlers.stories import MirrorStories, Stories
from handlers.wording import SISTER_MARKS, store_name

log = structlog.get_logger(__name__)

#: an event is a few hundred bytes
BODY_LIMIT = 64 * 1024
_BODY_SECONDS = 5.0


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry. Without a mirror there is no such address; what was told before is still said."""
    edge = _Mirror(stories)
    registry.notice(SisterNews, edge.render)
    if stories.mirror is not None:
        registry.route(Route("/mirror/events", _Ear(stories.mirror).hear, methods=["POST"]))


class _TooBig(Exception):
    """The body goes on beyond what an event can be."""


class _Ear:
    def __init__(self, mirror: MirrorStories) -> None:
        self._mirror = mirror

    async def hear(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _read(request)
        except _TooBig:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"an event has at most {BODY_LIMIT} bytes")
        except TimeoutError:
            return _refused(HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive in time")
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        # before anything in it is looked at
        message_id = self._mirror.verified(body, request.headers)
        if message_id is None:
            log.warning("not the sister system", action="mirror_unsigned")
            return _refused(HTTPStatus.UNAUTHORIZED, "the signature, its time or its id is not right")
        try:
            event = read_event(body)
        except MalformedEvent as wrong:
            log.warning("malformed event", action="mirror_malformed", message=message_id, why=str(wrong))
            return _refused(HTTPStatus.BAD_REQUEST, str(wrong))
        return await self._apply(event, message_id)

    async def _apply(self, event: SisterEvent | None, message_id: str) -> Response:
        outcome = "ignored"
        if event is not None:
            try:
                outcome = (await self._mirror.mirroring.hear(event, message_id=message_id)).value
            except ConcurrentChange:
                log.warning("not mirrored yet", action="mirror_busy", message=message_id)
                return _refused(HTTPStatus.SERVICE_UNAVAILABLE, "others write at this moment; please send it again")
        log.info("mirrored", action="mirrored", message=message_id, outcome=outcome)
        return JSONResponse({"outcome": outcome})


async def _read(request: Request) -> bytes:
    """The raw body. Raises _TooBig as soon as it is."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise _TooBig
        chunks.append(chunk)
    return b"".join(chunks)


def _refused(status: HTTPStatus, why: str) -> Response:
    read_whole = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.SERVICE_UNAVAILABLE)
    headers = {} if status in read_whole else {"connection": "close"}
    return JSONResponse({"error": why}, status_code=status, headers=headers)


class _Mirror:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    def render(self, notice: Notice, person: Person) -> list[Sending]:
        """What was done, where, and what follows from it here."""
        if not isinstance(notice, SisterNews):
            raise TypeError(type(notice).__name__)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        return [Sending(message(*self._blocks(say, bare, notice)))]

    def _blocks(self, say: Speaker, bare: Speaker, notice: SisterNews) -> list[Block]:
        names = self._stories.names.facts(say)
        status = button(bare("button.status"), "status.show")
        if notice.feature is None:
            told = say(f"mirror.store.{notice.state}", store=notice.store.label, **names)
            if notice.state == SisterState.DELETED:
                return [section(f":wastebasket: {told}")]
            if notice.state == SisterState.DISABLED:
                enable = button(bare("button.enable"), "store.do:enable", value=notice.store.id)
                return [section(f":zzz: {told}"), actions(enable)]
            return [section(f":white_check_mark: {told}"), actions(status)]
        feature = feature_name(say, notice.feature)
        lines = [
            f"*{store_name(say, notice.store)}* · {feature}",
            f"{SISTER_MARKS[SisterState(notice.state)]} {say(f'mirror.grant.{notice.state}', **names)}",
        ]
        if notice.ends_at:
            lines.append(say("mirror.ends", ends=say.date(datetime.fromisoformat(notice.ends_at))))
        if notice.stands and notice.state in (SisterState.DISABLED, SisterState.DELETED):
            lines.append(say("mirror.still_here"))
        if notice.asking:
            lines.append(say("mirror.asking"))
        return [section("\n".join(lines)), actions(status)]
