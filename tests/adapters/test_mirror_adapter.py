"""The sister system over HTTP: signatures by the specification's own example, and what each answer means for the event."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.adapters.mirror import Seal, SisterSystem
from bot.services.relay import DeliveryFailed, Undeliverable
from sandbox.sister import signature
from tests.adapters.loopback import HandClock, serving

#: of the specification's reference implementations
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI="
SIGNED = {"webhook-id": MESSAGE, "webhook-timestamp": str(AT), "webhook-signature": SIGNATURE}


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime.fromtimestamp(AT, UTC))


def test_it_signs_as_the_specification_does(clock: HandClock) -> None:
    headers = Seal([SECRET], clock=clock).headers(MESSAGE, BODY)
    assert {name: headers[name] for name in SIGNED} == SIGNED
    assert signature(SECRET, MESSAGE, str(AT), BODY.encode()) == SIGNATURE, "and so does the sandbox"


def test_it_signs_with_every_secret_while_they_rotate(clock: HandClock) -> None:
    given = Seal([OTHER, SECRET], clock=clock).headers(MESSAGE, BODY)["webhook-signature"].split()
    assert given == [signature(OTHER, MESSAGE, str(AT), BODY.encode()), SIGNATURE]


@pytest.mark.parametrize("secrets", [[SECRET], [OTHER, SECRET], [SECRET, OTHER]])
def test_it_believes_what_is_signed_with_any_secret(clock: HandClock, secrets: list[str]) -> None:
    seal = Seal(secrets, clock=clock)
    assert seal.verified(BODY.encode(), SIGNED) == MESSAGE
    among = {**SIGNED, "webhook-signature": f"v1a,AAAA v1,AAAA {SIGNATURE}"}
    assert seal.verified(BODY.encode(), among) == MESSAGE


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": ""},
        {"webhook-signature": SIGNATURE.removeprefix("v1,")},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,\xff"},
        {"webhook-signature": "v2" + SIGNATURE.removeprefix("v1")},
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-id": "m" * 200},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-timestamp": "-1"},
    ],
)
def test_it_believes_nothing_else(clock: HandClock, changes: dict[str, str]) -> None:
    assert Seal([SECRET], clock=clock).verified(BODY.encode(), {**SIGNED, **changes}) is None


def test_a_changed_body_another_secret_and_bytes_that_are_no_text_are_not_believed(clock: HandClock) -> None:
    assert Seal([SECRET], clock=clock).verified(b'{"test": 2432232315}', SIGNED) is None
    assert Seal([OTHER], clock=clock).verified(BODY.encode(), SIGNED) is None
    assert Seal([SECRET], clock=clock).verified(b"\xff", SIGNED) is None


@pytest.mark.parametrize(("seconds", "believed"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_signature_counts_for_five_minutes_either_way(clock: HandClock, seconds: int, *, believed: bool) -> None:
    clock.pass_by(seconds=seconds)
    assert (Seal([SECRET], clock=clock).verified(BODY.encode(), SIGNED) is not None) is believed


# --- sending


class Door:
    """What the sister system gets, and how it answers."""

    def __init__(self) -> None:
        self.status = 204
        self.taken: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: Request) -> Response:
        self.taken.append((dict(request.headers), await request.body()))
        return Response(status_code=self.status, headers={"location": "/elsewhere"})


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def sister(door: Door, clock: HandClock) -> AsyncIterator[SisterSystem]:
    app = Starlette(routes=[Route("/events", door.take, methods=["POST"])])
    async with serving(app) as url, aiohttp.ClientSession() as session:
        yield SisterSystem(session, f"{url}/events", Seal([SECRET], clock=clock))


ARGUMENTS: dict[str, Any] = {"id": MESSAGE, "event": {"type": "store.added", "data": {"label": "Acme 美国"}}}


async def test_an_event_arrives_signed_over_what_is_sent(door: Door, sister: SisterSystem, clock: HandClock) -> None:
    await sister.send("T0SALEYEE", ARGUMENTS)
    [(headers, body)] = door.taken
    assert json.loads(body) == ARGUMENTS["event"]
    assert headers["content-type"] == "application/json"
    assert Seal([SECRET], clock=clock).verified(body, headers) == MESSAGE


async def test_every_try_has_the_same_id_and_a_time_of_its_own(
    door: Door, sister: SisterSystem, clock: HandClock
) -> None:
    await sister.send("T0SALEYEE", ARGUMENTS)
    clock.pass_by(hours=3)
    await sister.send("T0SALEYEE", ARGUMENTS)
    (first, _), (second, body) = door.taken
    assert first["webhook-id"] == second["webhook-id"]
    assert Seal([SECRET], clock=clock).verified(body, second) == MESSAGE


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503, 302])
async def test_what_may_be_mended_is_tried_again(door: Door, sister: SisterSystem, status: int) -> None:
    door.status = status
    with pytest.raises(DeliveryFailed) as caught:
        await sister.send("T0SALEYEE", ARGUMENTS)
    assert not isinstance(caught.value, Undeliverable)
    assert len(door.taken) == 1, "no redirect is followed"


@pytest.mark.parametrize("status", [400, 413, 415, 422])
async def test_what_would_be_refused_again_is_set_aside(door: Door, sister: SisterSystem, status: int) -> None:
    door.status = status
    with pytest.raises(Undeliverable):
        await sister.send("T0SALEYEE", ARGUMENTS)


async def test_nobody_there_is_tried_again(clock: HandClock) -> None:
    async with aiohttp.ClientSession() as session:
        away = SisterSystem(session, "http://127.0.0.1:1/events", Seal([SECRET], clock=clock))
        with pytest.raises(DeliveryFailed) as caught:
            await away.send("T0SALEYEE", ARGUMENTS)
    assert not isinstance(caught.value, Undeliverable)
