"""Phrases that several capabilities share: how a store, a status and a grant are put into words."""

from __future__ import annotations

from datetime import datetime

from bot.domain.grants import Grant, GrantState
from bot.domain.marketplaces import MARKETPLACES
from bot.domain.mirror import SisterState, SisterWord
from bot.domain.notices import StoreRef
from bot.domain.status import StatusKind, StoreStatus
from bot.domain.stores import Store
from bot.i18n import Speaker
from bot.services.naming import Names, feature_name
from bot.services.reporting import StoreReport

#: what stands before a feature's line
_MARKS = {
    GrantState.GRANTED: ":white_check_mark:",
    GrantState.NOT_GRANTED: ":white_large_square:",
    GrantState.AUTHORIZING: ":hourglass_flowing_sand:",
    GrantState.EXPIRED: ":warning:",
    GrantState.REVOKED: ":no_entry:",
    GrantState.PERMISSION_PROBLEM: ":warning:",
}

#: what stands before the sister system's word about a feature
SISTER_MARKS = {
    SisterState.GRANTED: ":white_check_mark:",
    SisterState.DISABLED: ":zzz:",
    SisterState.DELETED: ":wastebasket:",
    SisterState.EXPIRED: ":warning:",
    SisterState.REVOKED: ":no_entry:",
    SisterState.PERMISSION_PROBLEM: ":warning:",
}


def store_name(say: Speaker, store: Store | StoreRef) -> str:
    """Label and marketplace."""
    return f"{say.fact(store.label)} · {say.marketplace(MARKETPLACES[store.marketplace_code])}"


def status_name(say: Speaker, status: StoreStatus) -> str:
    """The platform's label, with a gloss where needed, and the further condition if there is one."""
    base = status.platform_label
    if say.locale != "zh-CN":
        base = f"{say(f'status.{status.base.value}')} {base}"
    if status.attention is None:
        return base
    return f"{base} · {_attention_mark(status.attention)} {say(f'status.{status.attention.value}')}"


def _attention_mark(kind: StatusKind) -> str:
    return ":zzz:" if kind is StatusKind.DISABLED else ":warning:"


def grant_line(say: Speaker, grant: Grant, *, now: datetime) -> str:
    """One feature of one store: where it stands, and the day it ends."""
    state = grant.standing(now)
    key = "expiring" if grant.is_expiring(now) else state.value
    days = 0 if grant.ends_at is None else max(0, (grant.ends_at - now).days)
    words = say(f"grant.{key}", ends=say.date(grant.ends_at or now), days=days)
    mark = ":alarm_clock:" if key == "expiring" else _MARKS[state]
    return f"{mark} {feature_name(say, grant.feature)} — {words}"


def sister_line(say: Speaker, names: Names, word: SisterWord, *, now: datetime) -> str:
    """What the sister system last said of a feature, and when."""
    state = word.standing(now)
    facts = {"at": say.date(word.at), **names.facts(say)}
    if state is SisterState.GRANTED and word.expires_at is not None:
        said = say("mirror.word.granted_until", ends=say.date(word.expires_at), **facts)
    else:
        said = say(f"mirror.word.{state.value}", **facts)
    return f"{SISTER_MARKS[state]} {said}"


def feature_lines(say: Speaker, names: Names, report: StoreReport) -> list[str]:
    """Where each feature of a store stands; below it the sister system's word, where that says something else."""
    lines = []
    for grant in report.grants.values():
        lines.append(grant_line(say, grant, now=report.at))
        word = report.sister.get(grant.feature)
        if word is not None and word.adds_to(grant, now=report.at):
            lines.append(f"        {sister_line(say, names, word, now=report.at)}")
    return lines


def report_lines(say: Speaker, names: Names, report: StoreReport) -> str:
    """A store with its status and features."""
    lines = [f"*{store_name(say, report.store)}*", status_name(say, report.status)]
    return "\n".join(lines + feature_lines(say, names, report))
