"""People talk to a real Bolt app through the local Slack."""

from collections.abc import AsyncIterator

import pytest

from sandbox.client import NotSeen, Refused, SandboxClient
from sandbox.server import Sandbox, SandboxSettings, running
from tests.sandbox.slack_bot import bolt_app, serving


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with (
        running(SandboxSettings(port=0, retry_delays=())) as sandbox,
        serving(bolt_app(sandbox.settings.public_url)) as bot_url,
    ):
        sandbox.slack.courier.bot_url = bot_url
        yield sandbox


@pytest.fixture
async def slack(sandbox: Sandbox) -> AsyncIterator[SandboxClient]:
    async with SandboxClient(sandbox.settings.public_url, quiet=0.1) as client:
        yield client


async def test_a_command_is_answered_in_the_persons_direct_messages(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    said = await mei.types("/store list")
    assert said.ok
    assert said.status == 200
    assert said.ack_ms > 0
    assert [message.text for message in said.messages] == ["You said list"]
    assert said.messages[0].buttons() == ["Check result", "Open Amazon"]
    assert said.messages[0].plain() == "You said list\n[Check result] [Open Amazon]"
    assert await slack.person("lin").messages() == []
    assert await slack.problems() == []


async def test_a_button_edits_its_message_and_answers_privately(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    said = await mei.types("/store list")
    pressed = await mei.clicks("Check result", message=said.messages[0])
    edited, private = pressed.messages
    assert edited.edited
    assert edited.text == "Not authorized yet"
    assert private.ephemeral
    assert not (await mei.sees("Not authorized", after=said)).ephemeral


async def test_a_link_button_tells_its_address_and_is_acknowledged(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    await mei.types("/store list")
    assert await mei.link("Open Amazon") == "https://sellercentral.example/consent?a=1"
    assert (await mei.clicks("Open Amazon")).ok


async def test_the_body_of_an_acknowledgement_is_for_the_asker_only(slack: SandboxClient) -> None:
    said = await slack.person("mei").types("/faq", channel="general")
    assert said.messages[0].ephemeral
    assert said.messages[0].plain() == "Q1 Check in real time."
    assert await slack.person("lin").messages("C0GENERAL") == []


async def test_a_modal_is_filled_in_by_its_labels_and_submitted(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    said = await mei.types("/store add")
    assert said.modal is not None
    assert said.modal.title == "Add a store"
    assert said.modal.labels() == ["Account name", "Marketplace", "Initial order date", "Website"]
    filled = await mei.fills({"Account name": "Acme US", "Marketplace": "DE Germany", "Website": "feikan.example"})
    assert filled.values["marketplace"]["value"]["selected_option"]["value"] == "DE"
    assert filled.values["since"]["value"]["selected_date"] == "2026-01-31"
    assert filled.values["website"]["site"]["selected_option"]["value"] == "feikan.example"
    submitted = await mei.submits()
    assert submitted.ok
    assert await mei.modals() == []
    assert [message.text for message in submitted.messages] == ["Added Acme US"]


async def test_slack_itself_asks_for_required_inputs(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    await mei.types("/store add")
    submitted = await mei.submits()
    assert submitted.failure == "incomplete"
    assert set((await mei.modal()).errors) == {"Account name", "Marketplace"}
    kinds = [delivery["kind"] for delivery in await slack.deliveries()]
    assert "view_submission" not in kinds


async def test_the_apps_errors_stand_beneath_their_inputs_until_it_is_right(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    await mei.types("/store add")
    await mei.fills({"Account name": "taken", "Marketplace": "US"})
    refused = await mei.submits()
    assert refused.errors == {"label": "You already have a store of that name."}
    assert (await mei.modal()).errors == {"Account name": "You already have a store of that name."}
    await mei.fills({"Account name": "Acme"})
    await mei.submits()
    assert await mei.modals() == []


async def test_a_submission_may_push_another_modal_and_closing_goes_back(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    await mei.types("/store add")
    await mei.fills({"Account name": "twice", "Marketplace": "US"})
    await mei.submits()
    assert [modal.title for modal in await mei.modals()] == ["Add a store", "Another"]
    await mei.closes()
    assert [modal.title for modal in await mei.modals()] == ["Add a store"]


async def test_external_options_are_asked_from_the_app(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    await mei.types("/store add")
    assert await mei.suggestions("Website", "sale") == ["saleyee.example"]
    with pytest.raises(Refused, match="no_such_choice"):
        await mei.fills({"Website": "elsewhere"})


async def test_a_message_is_answered_in_its_thread(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    await mei.says("hello")
    first = await mei.sees("I heard hello")
    await mei.says("and?", thread=first)
    assert (await mei.sees("I heard and?", thread=first)).thread == first.ts


async def test_a_mention_in_a_channel_is_answered_to_one_person(slack: SandboxClient) -> None:
    sam = slack.person("sam")
    said = await sam.says("@Grantdesk what waits?", channel="support")
    assert said.messages[0].text.startswith("<@U0BOT>")
    assert (await sam.sees("in private")).ephemeral
    assert len(await slack.person("kim").messages("C0SUPPORT")) == 1
    with pytest.raises(Refused, match="not_in_channel"):
        await slack.person("mei").says("hello", channel="support")


async def test_the_home_tab_is_published_when_it_is_opened(slack: SandboxClient) -> None:
    home = await slack.person("alex").home()
    assert home.plain() == "# Your stores"


async def test_a_deleted_message_cannot_be_pressed_or_updated(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    said = await mei.types("/store list")
    card = said.messages[0]
    await mei.deletes(card)
    assert await mei.message(card) is None
    with pytest.raises(NotSeen, match="a button 'Check result'"):
        await mei.clicks("Check result", message=card, within=0.1)


async def test_not_seeing_says_what_there_was_instead(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    await mei.types("/store list")
    with pytest.raises(NotSeen, match="You said list"):
        await mei.sees("something else", within=0.1)


async def test_somebody_new_can_join_and_change_their_language(slack: SandboxClient) -> None:
    jo = await slack.add_person("jo", locale="de-DE")
    await jo.changes(locale="zh-TW")
    assert (await jo.types("/store list")).messages
    kinds = [delivery["summary"] for delivery in await slack.deliveries()]
    assert {"team_join", "user_change"} <= set(kinds)


async def test_reset_leaves_an_empty_workspace(slack: SandboxClient) -> None:
    mei = slack.person("mei")
    await mei.types("/store list")
    await slack.reset()
    assert await mei.messages() == []
    assert await slack.deliveries() == []
