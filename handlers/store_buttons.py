"""The buttons under a store, and the menu that asks which one is meant."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.features import FeatureKey
from bot.domain.stores import Store
from bot.i18n import Speaker
from bot.ports import Message, Person
from bot.services.reporting import StoreReport
from handlers.blocks import (
    Block,
    button,
    confirmation,
    context,
    message,
    option,
    plain,
    section,
)

#: Slack's limit for a menu
OPTIONS = 100


def grant_button(
    say: Speaker, feature: FeatureKey, store_id: str, *, primary: bool = False, key: str = "button.grant"
) -> Block:
    """The button that makes a link for a feature; `key` names its face."""
    return button(
        say(key, feature=say(f"feature.{feature.value}.name")),
        f"grant.start:{feature.value}",
        value=store_id,
        style="primary" if primary else "",
    )


def which_store(person: Person, stores: Sequence[Store], action_id: str, *, note: str = "") -> Message:
    """Asks which store is meant."""
    say = Speaker(person.locale, tz=person.tz)
    options = [option(f"{store.label} · {store.marketplace_code}", store.id) for store in stores[:OPTIONS]]
    menu = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(say("store.which_placeholder")),
        "options": options,
    }
    return message(
        section(note or say("store.which"), accessory=menu),
        context(say("store.which_more")) if len(stores) > OPTIONS else None,
    )


def store_buttons(say: Speaker, report: StoreReport) -> list[Block]:
    store = report.store
    if store.disabled_at is not None:
        return [
            button(say("button.enable"), "store.do:enable", value=store.id, style="primary"),
            _delete_button(say, store),
        ]
    return [
        *grant_buttons(say, report),
        button(say("button.edit"), "store.do:edit", value=store.id),
        button(
            say("button.disable"),
            "store.do:disable",
            value=store.id,
            confirm=confirmation(
                title=say("store.disable_confirm_title"),
                text=say("store.disable_confirm", store=store.label),
                yes=say("button.disable"),
                no=say("button.cancel"),
            ),
        ),
        _delete_button(say, store),
    ]


def grant_buttons(say: Speaker, report: StoreReport) -> list[Block]:
    """For each feature the one button that makes sense: grant, renew, or check."""
    return [button_for(say, report, feature) for feature in report.grants]


def button_for(say: Speaker, report: StoreReport, feature: FeatureKey) -> Block:
    grant = report.grants[feature]
    state = grant.standing(report.at)
    name = say(f"feature.{feature.value}.name")
    if state.value in ("granted", "authorizing", "permission_problem") and not grant.is_expiring(report.at):
        return button(say("button.check_feature", feature=name), f"grant.check:{feature.value}", value=report.store.id)
    renew = state.value in ("granted", "expired", "revoked")
    return grant_button(
        say, feature, report.store.id, primary=True, key="button.renew_feature" if renew else "button.grant"
    )


def _delete_button(say: Speaker, store: Store) -> Block:
    return button(
        say("button.delete"),
        "store.do:delete",
        value=store.id,
        style="danger",
        confirm=confirmation(
            title=say("store.delete_confirm_title"),
            text=say("store.delete_confirm", store=store.label),
            yes=say("button.delete"),
            no=say("button.cancel"),
            danger=True,
        ),
    )
