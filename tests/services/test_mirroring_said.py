"""What people read of mirroring: every word of the sister system in every language; and without one, no sentence about it."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from bot.domain.features import FeatureKey
from bot.domain.mirror import SisterNews, SisterState, SisterWord
from bot.domain.notices import StoreRef
from bot.ports import Person
from handlers import mirror, stores
from handlers.blocks import mrkdwn
from handlers.routing import Registry
from handlers.stories import Stories
from handlers.wording import feature_lines
from tests.services.desk import ALEX, LIN, LISTING, MEI, Desk

SISTER = {"zh-CN": "飞刊", "zh-TW": "飛刊", "en": "Feikan"}
OF_GRANTS = [state for state in SisterState if state is not SisterState.ENABLED]
OF_STORES = [SisterState.ENABLED, SisterState.DISABLED, SisterState.DELETED]
NEWS = [(None, state) for state in OF_STORES] + [(LISTING, state) for state in OF_GRANTS]


def registry(desk: Desk) -> Registry:
    stories = SimpleNamespace(stores=desk.stores, reporting=desk.reporting, names=desk.names, mirror=None)
    made = Registry()
    mirror.register(made, cast("Stories", stories))
    stores.register(made, cast("Stories", stories))
    return made


@pytest.mark.parametrize("person", [MEI, LIN, ALEX], ids=lambda person: person.locale)
@pytest.mark.parametrize(("feature", "state"), NEWS)
def test_news_say_which_store_and_where_it_was_done(
    desk: Desk, person: Person, feature: FeatureKey | None, state: SisterState
) -> None:
    ends = desk.clock() + timedelta(days=365)
    news = SisterNews(
        store=StoreRef("s1", "Tom <& Co>", "US"), state=state.value, feature=feature, ends_at=ends.isoformat()
    )
    [sending] = registry(desk).renderers[SisterNews.kind](news, person)
    assert "Tom &lt;&amp; Co&gt;" in sending.message.text
    assert SISTER[person.locale] in sending.message.text


@pytest.mark.parametrize("asking", [True, False])
@pytest.mark.parametrize("state", OF_GRANTS)
def test_news_say_what_becomes_of_the_grant_here(desk: Desk, state: SisterState, *, asking: bool) -> None:
    news = SisterNews(
        store=StoreRef("s1", "Acme", "US"), state=state.value, feature=LISTING, stands=True, asking=asking
    )
    [sending] = registry(desk).renderers[SisterNews.kind](news, ALEX)
    say = mrkdwn(ALEX)
    assert (say("mirror.asking") in sending.message.text) is asking
    switched = state in (SisterState.DISABLED, SisterState.DELETED)
    assert (say("mirror.still_here") in sending.message.text) is switched


@pytest.mark.parametrize("person", [MEI, LIN, ALEX], ids=lambda person: person.locale)
@pytest.mark.parametrize("state", OF_GRANTS)
async def test_a_word_stands_below_its_feature(desk: Desk, person: Person, state: SisterState) -> None:
    store = await desk.store(person)
    async with desk.database.begin() as work:
        await work.mirror.hear(SisterWord(store.id, LISTING, state, desk.clock()))
    _, listing, word = feature_lines(mrkdwn(person), desk.names, await desk.reporting.store(person, store.id))
    assert mrkdwn(person)("grant.not_granted") in listing
    assert SISTER[person.locale] in word
