"""Stores from before the features were parted: in with their token, refused with a reason, never in twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.grants import GrantState
from bot.domain.status import StatusKind
from bot.domain.year_notices import GrantBroke, GrantMended
from bot.errors import GrantdeskError
from bot.ports import Tokens
from bot.services.importing import COLUMNS, Importing, Outcome, RowRefused
from tests.services.desk import ACME, LISTING, MEI, ORDERS, Desk

TOKEN = "Atzr|an-old-refresh-token"


def row(**changes: str) -> dict[str, str]:
    facts = {
        "workspace": MEI.team_id,
        "owner": MEI.user_id,
        "label": "Acme US",
        "marketplace": "US",
        "selling_partner_id": ACME,
        "refresh_token": TOKEN,
        "consent_date": "2025-09-01",
        "initial_order_date": "2020-01-31",
    }
    return facts | changes


@pytest.fixture
def importing(desk: Desk) -> Importing:
    return Importing(desk.database, desk.amazon, clock=desk.clock, entropy=desk.entropy)


async def test_an_imported_store_has_orders_and_needs_only_listing(desk: Desk, importing: Importing) -> None:
    assert await importing.take(row()) is Outcome.IMPORTED
    [report] = await desk.reporting.stores(MEI)
    assert report.status.base is StatusKind.ORDERS_ONLY
    grant = report.grants[ORDERS]
    consent = datetime(2025, 9, 1, tzinfo=UTC)
    assert (grant.state, grant.granted_at, grant.ends_at) == (
        GrantState.GRANTED,
        consent,
        consent + timedelta(days=365),
    )
    assert report.grants[LISTING].state is GrantState.NOT_GRANTED
    assert report.store.initial_order_date.isoformat() == "2020-01-31", "however long ago: it was accepted once"
    assert await desk.token_of(report.store) == TOKEN
    await desk.nothing_leaked()
    assert TOKEN not in await desk.rows()


async def test_the_same_file_again_changes_nothing(desk: Desk, importing: Importing) -> None:
    await importing.take(row())
    before = await desk.rows()
    assert await importing.take(row()) is Outcome.KNOWN
    assert await desk.rows() == before


async def test_a_later_consent_of_the_same_store_renews_it(desk: Desk, importing: Importing) -> None:
    await importing.take(row())
    assert await importing.take(row(consent_date="2026-01-15", refresh_token="Atzr|a-newer-token")) is Outcome.IMPORTED
    [report] = await desk.reporting.stores(MEI)
    assert await desk.token_of(report.store) == "Atzr|a-newer-token"
    assert await importing.take(row()) is Outcome.KNOWN, "an older one changes nothing"


async def test_a_second_store_of_the_same_consent_rests_on_the_same_token(desk: Desk, importing: Importing) -> None:
    await importing.take(row())
    await importing.take(row(label="Acme CA", marketplace="Canada"))
    reports = await desk.reporting.stores(MEI)
    assert len({report.grants[ORDERS].authorization_id for report in reports}) == 1


@pytest.mark.parametrize("dry", [False, True])
async def test_a_consent_that_was_withdrawn_since_takes_no_other_store(
    desk: Desk, importing: Importing, *, dry: bool
) -> None:
    await importing.take(row())
    us = await desk.stores.find(MEI, "Acme US")
    assert not await desk.checking.check(MEI, ORDERS, us.id), "Amazon knows nothing of that token"
    before = await desk.rows()
    with pytest.raises(RowRefused, match="was withdrawn since; the seller must grant again"):
        await importing.take(row(label="Acme CA", marketplace="CA"), dry=dry)
    assert await importing.take(row(), dry=dry) is Outcome.KNOWN, "the same row as before changes nothing"
    assert await desk.rows() == before


async def test_a_later_consent_ends_the_outage_so_that_the_next_one_is_told(desk: Desk, importing: Importing) -> None:
    us = await desk.granted()
    desk.amazon.withdraw(ACME, ORDERS)
    await desk.checking.tell(MEI, ORDERS, us.id)
    await desk.told()
    desk.clock.advance(timedelta(days=2))
    tokens = await desk.amazon.exchange(ORDERS, desk.amazon.agree(ORDERS, ACME, "US"))
    assert isinstance(tokens, Tokens)
    later = row(consent_date=desk.clock().date().isoformat(), refresh_token=tokens.refresh_token)

    assert await importing.take(later) is Outcome.IMPORTED

    assert (await desk.grant(us)).state is GrantState.GRANTED
    desk.amazon.withdraw(ACME, ORDERS)
    desk.clock.advance(timedelta(days=2))
    await desk.sweeping.sweep()
    assert [type(notice) for notice in await desk.told()] == [GrantMended, GrantBroke]


async def test_the_owner_may_have_added_the_store_before(desk: Desk, importing: Importing) -> None:
    store = await desk.store()
    assert await importing.take(row(label="  acme us ")) is Outcome.IMPORTED
    [report] = await desk.reporting.stores(MEI)
    assert report.store.id == store.id


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"workspace": ""}, "workspace is empty"),
        ({"workspace": "SaleYee"}, "not a workspace's id"),
        ({"owner": "mei"}, "not a Slack user's id"),
        ({"label": " "}, "label is empty"),
        ({"label": "x" * 61}, "61 characters"),
        ({"marketplace": "Germny"}, "Did you mean DE"),
        ({"selling_partner_id": "12345"}, "not one of Amazon's"),
        ({"refresh_token": "hunter2"}, "does not look like one"),
        ({"consent_date": "01/09/2025"}, "not a date I can read"),
        ({"consent_date": "2026-02-03"}, "has not come yet"),
        ({"consent_date": "2025-02-01"}, "ran out after 365 days"),
        ({"initial_order_date": "soon"}, "not a date I can read"),
        ({"feature": "stock"}, "neither orders nor listing"),
        ({"email": "mei at example"}, "not an e-mail address"),
        ({"website": "no site"}, "not a web address"),
    ],
)
@pytest.mark.parametrize("dry", [False, True])
async def test_a_row_is_refused_with_what_is_wrong_and_leaves_nothing(
    desk: Desk, importing: Importing, changes: dict[str, str], why: str, *, dry: bool
) -> None:
    before = await desk.rows()
    with pytest.raises((RowRefused, GrantdeskError), match=why) as refused:
        await importing.take(row(**changes), dry=dry)
    assert "hunter2" not in str(refused.value), "a token is never quoted"
    assert await desk.rows() == before


@pytest.mark.parametrize("dry", [False, True])
async def test_rows_that_contradict_each_other_are_refused_also_when_nothing_is_written(
    desk: Desk, importing: Importing, *, dry: bool
) -> None:
    await importing.take(row(), dry=dry)
    for changes, why in (
        ({"owner": "U0LIN", "label": "Lins", "marketplace": "CA"}, "belongs to another distributor"),
        ({"label": "Acme once more"}, "connected already"),
        ({"selling_partner_id": "A3BOLTPARTNER"}, "another Amazon account"),
    ):
        with pytest.raises(RowRefused, match=why):
            await importing.take(row(**changes), dry=dry)


async def test_a_dry_run_says_the_same_and_writes_nothing(desk: Desk, importing: Importing) -> None:
    before = await desk.rows()
    assert await importing.take(row(), dry=True) is Outcome.IMPORTED
    assert await desk.rows() == before
    await importing.take(row())
    assert await importing.take(row(), dry=True) is Outcome.KNOWN


async def test_imported_authorizations_are_asked_about_over_the_day_that_follows_not_all_at_once(
    desk: Desk, importing: Importing
) -> None:
    for number in range(12):
        await importing.take(row(label=f"Acme {number}", selling_partner_id=f"A{number:03d}PARTNER"))
    asked = []
    for _ in range(38):
        asked.append((await desk.sweeping.sweep()).asked)
        desk.clock.advance(timedelta(hours=1))
    assert asked[0] == 0
    assert sum(asked) >= 12
    assert max(asked) <= 4, asked


async def test_an_imported_grant_that_ends_soon_is_told_at_the_next_morning(desk: Desk, importing: Importing) -> None:
    await importing.take(row(consent_date="2025-02-10"))
    await desk.digesting.enroll(desk.clock())
    desk.clock.advance(timedelta(days=1, hours=2))
    await desk.digesting.plan()
    assert len(await desk.told()) == 1


def test_every_column_is_documented() -> None:
    assert all(meaning.strip("* ") for meaning in COLUMNS.values())
