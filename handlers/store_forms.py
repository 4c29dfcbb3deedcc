"""The forms of stores: what to have ready, and a store's fields."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.marketplaces import MARKETPLACES
from bot.domain.stores import LABEL_LIMIT, PRODUCT_ID_TYPES
from bot.i18n import Speaker
from bot.ports import Person
from handlers.blocks import (
    Block,
    field,
    fit,
    header,
    modal,
    mrkdwn,
    option,
    section,
    select,
    text_input,
)
from handlers.stories import Stories


def store_form(
    stories: Stories,
    person: Person,
    callback_id: str,
    given: Mapping[str, str],
    *,
    notes: Mapping[str, str] | None = None,
) -> Block:
    say = Speaker(person.locale, tz=person.tz)
    edit = callback_id == "store.edit"
    today = stories.clock().astimezone(say.zone).date()
    marketplaces = [option(say.marketplace(row), code) for code, row in MARKETPLACES.items()]
    chosen = given.get("marketplace", "").upper()
    day = given.get("initial_order_date", "")
    return modal(
        callback_id,
        title=say("store.form.edit_title" if edit else "store.form.title"),
        submit=say("button.save" if edit else "button.add"),
        close=say("button.cancel"),
        notes=notes,
        blocks=[
            field(
                say("store.form.label"),
                text_input(
                    "label",
                    initial=fit(given.get("label", ""), LABEL_LIMIT),
                    placeholder=say("store.form.label_example"),
                ),
                hint=say("store.form.label_hint", limit=LABEL_LIMIT),
            ),
            field(
                say("store.form.marketplace"),
                select(
                    "marketplace",
                    marketplaces,
                    initial="UK" if chosen == "GB" else chosen,
                    placeholder=say("store.form.marketplace_choose"),
                ),
                hint=say("store.form.marketplace_hint"),
            ),
            field(
                say("store.form.date"),
                {
                    "type": "datepicker",
                    "action_id": "initial_order_date",
                    "initial_date": day if _is_day(day) else today.isoformat(),
                },
                hint=say("store.form.date_hint"),
            ),
            field(
                say("store.form.email"),
                text_input("contact_email", initial=given.get("contact_email", "")),
                hint=say("store.form.email_hint"),
                optional=True,
            ),
            field(
                say("store.form.website"),
                text_input("website", initial=given.get("website", "")),
                hint=say("store.form.website_hint"),
                optional=True,
            ),
            field(
                say("store.form.mapping"),
                text_input("attribute_mapping", initial=given.get("attribute_mapping", ""), multiline=True),
                hint=say("store.form.mapping_hint", types=", ".join(PRODUCT_ID_TYPES)),
                optional=True,
            ),
        ],
    )


def preparation_view(stories: Stories, person: Person, given: Mapping[str, str]) -> Block:
    say = Speaker(person.locale, tz=person.tz)
    notes = {name: fit(value, 300) for name, value in given.items()}
    return modal(
        "store.prepare",
        title=say("prepare.title"),
        submit=say("button.continue"),
        close=say("button.cancel"),
        notes=notes,
        blocks=[
            *preparation_blocks(stories, mrkdwn(person), say),
            field(
                say("prepare.plan"),
                select(
                    "plan",
                    [
                        option(say("prepare.plan_professional"), "professional"),
                        option(say("prepare.plan_individual"), "individual"),
                    ],
                    kind="radio_buttons",
                ),
                hint=say("prepare.plan_hint"),
            ),
        ],
    )


def preparation_blocks(stories: Stories, marked: Speaker, say: Speaker) -> list[Block]:
    facts = stories.names.facts(marked)
    return [
        header(say("prepare.heading")),
        section(marked("prepare.plan_rule", **facts)),
        section(marked("prepare.who", **facts)),
        section(marked("prepare.safe_environment", **facts)),
        section(marked("prepare.each_marketplace", **facts)),
    ]


def _is_day(text: str) -> bool:
    parts = text.split("-")
    return len(parts) == len("ymd") and all(part.isdigit() for part in parts) and len(text) == len("2026-01-31")
