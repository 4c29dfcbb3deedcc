"""Slack's ingress and what stands behind it: what runs once, and what is let go again."""

import asyncio
from typing import Any

import pytest
from slack_bolt.response import BoltResponse
from structlog.testing import capture_logs

from bot.adapters.slack.reception import IN_HAND, Reception, delivery_key
from bot.web.ingress import NotOurs, SignatureCheck, Unreadable, read_payload
from tests.adapters.loopback import HandClock
from tests.web.ingress_case import NEW, Case, sign

# --- once


async def test_the_same_bytes_again_are_refused(case: Case) -> None:
    assert (await case.command()).status_code == 200
    again = await case.command()
    assert (again.status_code, again.content) == (401, b"")
    assert case.handled == ["/store"]


async def test_slacks_own_retry_is_signed_afresh_and_dropped_quietly(case: Case) -> None:
    case.answer = {"text": "done"}
    assert (await case.event()).status_code == 200
    retry = await case.event(later=2)
    assert (retry.status_code, retry.content) == (200, b"")
    assert case.handled == ["event_callback"]


async def test_many_at_once_are_handled_once(case: Case) -> None:
    answers = await asyncio.gather(*(case.event(later=second) for second in range(20)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert case.handled == ["event_callback"]
    assert (await case.event(later=21)).status_code == 200
    assert case.handled == ["event_callback"]


async def test_a_retry_during_the_first_run_is_sent_away_and_handled_when_that_one_failed(case: Case) -> None:
    case.hold.clear()
    case.fail = 1
    first = asyncio.create_task(case.event())
    await case.working.wait()
    assert (await case.event(later=1)).status_code == 503
    case.hold.set()
    assert (await first).status_code == 500
    assert (await case.event(later=2)).status_code == 200
    assert case.handled == ["event_callback"] * 2


async def test_a_retry_during_a_run_that_ends_well_is_handled_by_it(case: Case) -> None:
    case.hold.clear()
    first = asyncio.create_task(case.event())
    await case.working.wait()
    assert (await case.event(later=1)).status_code == 503
    case.hold.set()
    assert (await first).status_code == 200
    assert (await case.event(later=2)).status_code == 200
    assert case.handled == ["event_callback"]


async def test_a_form_submitted_again_while_its_first_is_read_stays_open(case: Case) -> None:
    case.hold.clear()
    case.fail = 1
    first = asyncio.create_task(case.submit("t1"))
    await case.working.wait()
    assert (await case.submit("t2", later=1)).status_code == 503
    case.hold.set()
    assert (await first).status_code == 500
    assert (await case.submit("t3", later=2)).status_code == 200


async def test_what_a_dead_process_had_in_hand_is_taken_up_by_slacks_next_retry(case: Case) -> None:
    case.seen.keys.add("event:Ev1")
    case.seen.held["event:Ev1"] = case.clock() + IN_HAND
    assert (await case.event()).status_code == 503
    case.clock.pass_by(minutes=1)
    assert (await case.event()).status_code == 200
    assert case.handled == ["event_callback"]


async def test_a_second_press_of_submit_is_the_same_wish(case: Case) -> None:
    await case.submit("t1")
    await case.submit("t2", later=1)
    assert case.handled == ["view_submission"]


async def test_a_corrected_form_is_read_again(case: Case) -> None:
    case.answer = {"response_action": "errors", "errors": {"label": "Give the store a name"}}
    await case.submit("t1")
    case.answer = None
    await case.submit("t2", later=1)
    assert case.handled == ["view_submission"] * 2


async def test_what_failed_may_come_again(case: Case) -> None:
    case.fail = 1
    assert (await case.event()).status_code == 500
    assert (await case.event(later=1)).status_code == 200
    assert case.handled == ["event_callback"] * 2


async def test_a_failure_frees_its_signature_for_a_proxy_that_repeats(case: Case) -> None:
    case.fail = 1
    assert (await case.command()).status_code == 500
    assert (await case.command()).status_code == 200


async def test_without_a_database_slack_is_asked_to_come_again(case: Case) -> None:
    case.seen.broken = True
    assert (await case.event()).status_code == 503
    case.seen.broken = False
    assert (await case.event()).status_code == 200


async def test_what_has_no_key_of_its_own_goes_by_its_signature(case: Case) -> None:
    await case.send(b"command=%2Fstore&text=list")
    assert len(case.seen.keys) == 1
    assert next(iter(case.seen.keys)).startswith("signature:v0=")


async def test_a_failure_leaves_no_text_behind(case: Case) -> None:
    case.fail = 1
    with capture_logs() as lines:
        answer = await case.command()
    assert "Acme" not in answer.text
    assert "Acme" not in repr(lines)


async def test_bolt_dying_is_a_500_that_can_be_repeated(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(_request: Any) -> BoltResponse:
        raise RuntimeError

    monkeypatch.setattr(case.bolt, "async_dispatch", die)
    assert (await case.event()).status_code == 500
    assert case.seen.keys == set()


async def test_being_cancelled_frees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case()
    started = asyncio.Event()

    async def hang(_request: Any) -> BoltResponse:
        started.set()
        await asyncio.sleep(60)
        return BoltResponse(status=200)

    monkeypatch.setattr(case.bolt, "async_dispatch", hang)
    reception = Reception(case.bolt, case.seen, clock=case.clock)
    task = asyncio.create_task(reception.receive({"command": "/store", "trigger_id": "t"}))
    await started.wait()
    assert case.seen.keys == {"trigger:t"}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert case.seen.keys == set()


# --- the parts


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"type": "event_callback", "event_id": "Ev1"}, "event:Ev1"),
        ({"type": "event_callback"}, None),
        ({"command": "/x", "trigger_id": "1.2"}, "trigger:1.2"),
        ({"type": "block_actions", "trigger_id": "1.2"}, "trigger:1.2"),
        ({"type": "view_submission", "trigger_id": "1", "view": {"id": "V", "hash": "h"}}, "view_submission:V:h"),
        ({"type": "view_closed", "view": {"id": "V", "hash": "h"}}, "view_closed:V:h"),
        ({"type": "view_submission", "trigger_id": "1", "view": {"id": "V"}}, "trigger:1"),
        ({"type": "view_submission", "view": "odd"}, None),
        ({"type": "block_suggestion", "trigger_id": "1"}, None),
        ({"type": ["odd"], "trigger_id": 7}, None),
    ],
)
def test_each_delivery_has_the_key_that_slack_repeats(body: dict[str, Any], key: str | None) -> None:
    assert delivery_key(body) == key


def test_signatures_are_remembered_in_bounded_memory() -> None:
    clock = HandClock()
    check = SignatureCheck([NEW], clock=clock, most=10)
    at = int(clock().timestamp())
    for number in range(50):
        body = b"%d" % number
        signed = sign(body, at)
        check.verify(body, timestamp=str(at), signature=signed["x-slack-signature"])
    assert len(check._seen) == 10
    clock.pass_by(minutes=11)
    at = int(clock().timestamp())
    check.verify(b"new", timestamp=str(at), signature=sign(b"new", at)["x-slack-signature"])
    assert len(check._seen) == 1


def test_a_signature_stays_spent_for_as_long_as_its_timestamp_counts() -> None:
    clock = HandClock()
    check = SignatureCheck([NEW], clock=clock)
    at = int(clock().timestamp()) + 300
    signature = sign(b"x", at)["x-slack-signature"]
    check.verify(b"x", timestamp=str(at), signature=signature)
    for _ in range(10):
        clock.pass_by(minutes=1)
        with pytest.raises(NotOurs):
            check.verify(b"x", timestamp=str(at), signature=signature)


@pytest.mark.parametrize("secrets", [(), ("",), ("a", "")])
def test_no_secret_is_no_check(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="signing secret"):
        SignatureCheck(secrets, clock=HandClock())


def test_json_is_read_whatever_it_is_called() -> None:
    assert read_payload(b'{"type":"x"}', "text/plain") == {"type": "x"}
    with pytest.raises(Unreadable):
        read_payload(b"{", "text/plain")
