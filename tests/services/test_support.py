"""*I saw an error* and *a person, please*: what reaches the desk, and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bot.domain.desk_notices import TicketCard
from bot.domain.error_codes import ERROR_CODES
from bot.domain.tickets import Source, Ticket, TicketState
from bot.domain.verification import Turn
from bot.errors import UnknownStore
from bot.ports import JobRuns, Person
from bot.services.desk_replies import Answer
from bot.services.jobs import Job, run_due
from bot.services.support import PASTE_LIMIT, Ask
from storage.database import SqlDatabase
from tests.services.at_the_desk import SAM, AtTheDesk, speak
from tests.services.desk import LIN, LISTING, MEI, Desk
from tests.storage.fakes import FakeClock


@pytest.mark.parametrize("code", ERROR_CODES)
async def test_the_desk_hears_of_an_error_only_when_it_is_ours(desk: Desk, code: str) -> None:
    store = await desk.store()
    found = await desk.support.saw_error(MEI, f"Amazon says {code}!", store_id=store.id, feature=LISTING)
    assert found is not None
    assert found.known is ERROR_CODES[code]
    told = await desk.support_told()
    assert bool(told) is (ERROR_CODES[code].turn is Turn.US)
    for notice in told:
        assert isinstance(notice, TicketCard)
        assert notice.store is not None
        assert (notice.store.label, notice.feature, notice.error_code) == ("Acme US", LISTING, code)


async def test_an_unknown_code_and_plain_words_tell_nobody(desk: Desk) -> None:
    unknown = await desk.support.saw_error(MEI, "MD7777")
    assert unknown is not None
    assert unknown.known is None
    assert await desk.support.saw_error(MEI, "it does not work") is None
    assert await desk.support_told() == []


async def test_what_was_pasted_is_not_kept(desk: Desk) -> None:
    await desk.support.saw_error(MEI, "MD5101 my password is swordfish")
    assert "swordfish" not in await desk.rows() + repr(await desk.support_told())


async def test_a_very_long_paste_is_looked_at_as_far_as_it_makes_sense(desk: Desk) -> None:
    assert await desk.support.saw_error(MEI, "x" * PASTE_LIMIT + " MD5101") is None


async def open_tickets(desk: Desk) -> Sequence[Ticket]:
    async with desk.database.read() as work:
        return await work.tickets.open_everywhere()


async def test_the_same_error_again_tells_the_desk_nothing_and_is_explained_again(desk: Desk) -> None:
    at = AtTheDesk(desk)
    store = await desk.store()
    colleague = Person(MEI.team_id, "U0NINA", "en", "Europe/London")
    await desk.stores.share(MEI, colleague.user_id, colleague_name="Nina")

    async def report(code: str, person: Person = MEI) -> int:
        """How many messages it makes."""
        found = await desk.support.saw_error(person, code, store_id=store.id, feature=LISTING)
        assert found is not None
        assert found.known is ERROR_CODES[code]
        return len(await desk.support_told()) + len(await desk.told(MEI.user_id))

    assert await report("MD5101")
    [ticket] = await open_tickets(desk)
    joined = len(await at.audit("ticket.joined"))
    for _ in range(5):
        assert await report("MD5101") == 0
    assert await report("MD5110"), "another code is news"
    for code in ("MD5110", "MD5101") * 3:
        assert await report(code) == 0
    assert await report("MD5101", colleague), "somebody else has it too"
    assert await report("MD5101", colleague) == 0
    assert len(await at.audit("ticket.joined")) == joined + 2
    assert (await at.ticket(ticket.id)).joined == 2


async def test_the_same_error_is_an_answer_when_the_desk_waits_for_one(desk: Desk) -> None:
    at = AtTheDesk(desk)
    store = await desk.store()
    await desk.support.saw_error(MEI, "MD5101", store_id=store.id, feature=LISTING)
    [ticket] = await open_tickets(desk)
    await at.replies.reply(SAM, ticket.id, Answer("which_user"), speak=speak)
    assert (await at.ticket(ticket.id)).state is TicketState.WAITING
    await desk.support.saw_error(MEI, "MD5101", store_id=store.id, feature=LISTING)
    assert (await at.ticket(ticket.id)).state is TicketState.CLAIMED


async def test_nobody_reports_for_somebody_elses_store(desk: Desk) -> None:
    store = await desk.store()
    with pytest.raises(UnknownStore):
        await desk.support.saw_error(LIN, "MD5101", store_id=store.id)
    with pytest.raises(UnknownStore):
        await desk.support.ask_person(LIN, Ask(Source.ANSWER, topic="other-browser", store_id=store.id))
    assert await desk.support_told() == []


async def test_a_person_is_asked_for_with_what_did_not_help(desk: Desk) -> None:
    store = await desk.store()
    await desk.support.ask_person(MEI, Ask(Source.ANSWER, topic="other-browser", store_id=store.id))
    [wanted] = await desk.support_told()
    assert isinstance(wanted, TicketCard)
    assert wanted.store is not None
    assert (wanted.user_id, wanted.topic, wanted.store.id) == (MEI.user_id, "other-browser", store.id)


async def test_a_job_runs_once_for_each_due_time_and_once_after_a_long_sleep(
    sqlite_database: SqlDatabase, clock: FakeClock
) -> None:
    runs: list[str] = []

    async def work(at: datetime) -> None:
        runs.append(at.isoformat())

    job = Job("close-silent-consents", timedelta(seconds=30), work)
    replicas: list[JobRuns] = [sqlite_database.job_runs] * 2
    assert [await run_due(job, replica, clock=clock) for replica in replicas] == [True, False]
    clock.advance(timedelta(hours=5))
    assert [await run_due(job, replica, clock=clock) for replica in replicas] == [True, False]
    assert len(runs) == 2


async def test_a_job_that_fails_is_logged_and_the_next_one_runs(sqlite_database: SqlDatabase, clock: FakeClock) -> None:
    async def stumble(_at: datetime) -> None:
        raise ValueError("no")

    job = Job("stumbling", timedelta(seconds=30), stumble)
    assert not await run_due(job, sqlite_database.job_runs, clock=clock)
    clock.advance(timedelta(seconds=30))
    assert not await run_due(job, sqlite_database.job_runs, clock=clock)
