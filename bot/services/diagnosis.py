"""Which answer fits the asker's own stores: pure, from what is known of them and what was asked.

The same sentence has different right answers for different stores; this is where they part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.consent import ConsentAttempt
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import GrantState
from bot.domain.stores import label_key
from bot.domain.verification import Reason
from bot.services.reporting import StoreHistory
from faq.facts import Case, Standing

#: how long the first import or sync may take before its absence means something
JUST_GRANTED = timedelta(minutes=15)

#: words that mean one feature and no other
_FEATURE_WORDS: Mapping[FeatureKey, tuple[str, ...]] = {
    FeatureKey.LISTING: ("stock", "inventory", "listing", "publish", "库存", "庫存", "刊登", "上架"),
    FeatureKey.ORDERS: ("order", "订单", "訂單", "载单", "載單", "拉单", "拉單", "出单", "出單", "單子", "单子"),
}
#: said of both; on their own they mean stock
_SYNC_WORDS = ("sync", "同步")
#: English in which *order* is no order
_NO_ORDER = re.compile(r"\b(?:in order (?:to|for|that)|out of order)\b")

_BY_STATE: Mapping[GrantState, Standing] = {
    GrantState.EXPIRED: Standing.EXPIRED,
    GrantState.REVOKED: Standing.REVOKED,
    GrantState.PERMISSION_PROBLEM: Standing.PERMISSION_PROBLEM,
}

#: Q1: which (store, feature) the asker means, likeliest first
_Q1_ORDER = (
    Case.WAITING,
    Case.REFUSED,
    Case.OPENED_SILENT,
    Case.REVOKED,
    Case.EXPIRED,
    Case.PERMISSION_PROBLEM,
    Case.JUST_GRANTED,
    Case.NEVER_OPENED,
    Case.DISABLED,
    Case.GRANTED,
)
#: Q1: what happened today is what the asker means, before anything that lies further back
_OF_TODAY = frozenset({Case.WAITING, Case.REFUSED, Case.OPENED_SILENT, Case.JUST_GRANTED})
TODAY = timedelta(days=1)

#: Q2: the worst thing first
_Q2_ORDER = (
    Case.REVOKED,
    Case.EXPIRED,
    Case.PERMISSION_PROBLEM,
    Case.START_IN_FUTURE,
    Case.JUST_GRANTED,
    Case.OTHER_FEATURE_ONLY,
    Case.NONE_GRANTED,
    Case.DISABLED,
    Case.ALL_GOOD,
)

CaseOf = Callable[[StoreHistory, FeatureKey], Case]


@dataclass(frozen=True, slots=True)
class Finding:
    """The case, and the store and feature it is about."""

    case: Case
    history: StoreHistory | None = None
    feature: FeatureKey = FeatureKey.ORDERS

    @property
    def store_id(self) -> str:
        return "" if self.history is None else self.history.report.store.id


def feature_in(question: str) -> FeatureKey | None:
    """The feature a question names, if it names one of them only."""
    lower = _NO_ORDER.sub(" ", question.casefold())
    named = [key for key, words in _FEATURE_WORDS.items() if any(word in lower for word in words)]
    if not named and any(word in lower for word in _SYNC_WORDS):
        return FeatureKey.LISTING
    return named[0] if len(named) == 1 else None


def stores_in(question: str, histories: Sequence[StoreHistory]) -> Sequence[StoreHistory]:
    """The stores that the question names by their label, or else by their marketplace; empty when it names none."""
    text = label_key(question)
    named = [history for history in histories if _says(text, label_key(history.report.store.label))]
    # *Acme* is no store of its own in a question about *Acme US*
    keys = [label_key(history.report.store.label) for history in named]
    named = [
        history
        for history, key in zip(named, keys, strict=True)
        if not any(key != other and key in other for other in keys)
    ]
    return named or [history for history in histories if _names_marketplace(question, text, history)]


def _names_marketplace(question: str, text: str, history: StoreHistory) -> bool:
    """By its country in any language, or by its code in capitals: *it*, *in* and *us* are words."""
    marketplace = history.report.store.marketplace
    countries = (word for word in marketplace.spellings if len(word) > 1)
    return any(_says(text, word) for word in countries) or bool(
        re.search(rf"(?<![A-Za-z0-9]){marketplace.code}(?![A-Za-z0-9])", question)
    )


def _says(text: str, words: str) -> bool:
    """Whether the words stand in the text as words; Chinese has no spaces to tell."""
    pattern = re.escape(words)
    if words[:1].isascii():
        pattern = rf"(?<![a-z0-9]){pattern}"
    if words[-1:].isascii():
        pattern = rf"{pattern}(?![a-z0-9])"
    return bool(words) and re.search(pattern, text) is not None


def standing_of(history: StoreHistory, feature: FeatureKey) -> Standing:
    """Where one feature of one store stands, its newest link included."""
    report = history.report
    if report.store.disabled_at is not None:
        return Standing.DISABLED
    grant = report.grants[feature]
    state = grant.standing(report.at)
    if state is GrantState.GRANTED:
        return Standing.EXPIRING if grant.is_expiring(report.at) else Standing.GRANTED
    return _BY_STATE.get(state) or _standing_of_attempt(history.attempts.get(feature), report.at)


def progress_of(history: StoreHistory, feature: FeatureKey) -> Standing:
    """The same, but a link that was opened after the grant ended tells more than that it ended."""
    standing = standing_of(history, feature)
    if standing not in (Standing.EXPIRED, Standing.REVOKED):
        return standing
    grant, attempt = history.report.grants[feature], history.attempts.get(feature)
    ended = grant.ends_at if standing is Standing.EXPIRED and grant.ends_at else grant.since
    if attempt is None or attempt.pressed_at is None or attempt.pressed_at < ended:
        return standing
    return _standing_of_attempt(attempt, history.report.at)


def _standing_of_attempt(attempt: ConsentAttempt | None, now: datetime) -> Standing:
    if attempt is None or attempt.pressed_at is None:
        return Standing.NONE
    if attempt.awaits_answer(now):
        return Standing.WAITING
    # a link that a newer one replaced keeps the reason it was refused for
    return Standing.SILENT if attempt.reason in (None, Reason.NO_ANSWER) else Standing.REFUSED


def refusal_of(history: StoreHistory, feature: FeatureKey) -> ConsentAttempt | None:
    """The link whose refusal is why the feature is not granted; None when there is no such thing."""
    attempt = history.attempts.get(feature)
    return attempt if progress_of(history, feature) is Standing.REFUSED else None


def still_authorizing(
    question: str, histories: Sequence[StoreHistory], *, feature: FeatureKey | None = None
) -> Finding:
    """Q1: *I authorized, why does it still say 授权中 or 未授权?* A `feature` given is the one in question."""
    return _likeliest(question, histories, _q1_case, feature, _q1_rank)


def not_working(question: str, histories: Sequence[StoreHistory], *, feature: FeatureKey | None = None) -> Finding:
    """Q2: *I authorized, why are no orders imported, why does stock not sync?*"""
    return _likeliest(question, histories, _q2_case, feature, _q2_rank)


def _likeliest(
    question: str,
    histories: Sequence[StoreHistory],
    case_of: CaseOf,
    feature: FeatureKey | None,
    rank: Callable[[Finding], tuple[int, ...]],
) -> Finding:
    if not histories:
        return Finding(Case.NO_STORE, feature=feature or feature_in(question) or FeatureKey.ORDERS)
    named = feature or feature_in(question)
    findings = [
        Finding(case_of(history, asked), history, asked)
        for history in stores_in(question, histories) or histories
        for asked in ([named] if named else FEATURES)
    ]
    return min(findings, key=lambda finding: (*rank(finding), -_touched(finding)))


def _q1_rank(finding: Finding) -> tuple[int, ...]:
    old = finding.history is None or finding.history.report.at.timestamp() - _touched(finding) > TODAY.total_seconds()
    return (int(old or finding.case not in _OF_TODAY), _Q1_ORDER.index(finding.case))


def _q2_rank(finding: Finding) -> tuple[int, ...]:
    return (_Q2_ORDER.index(finding.case),)


def _touched(finding: Finding) -> float:
    """When the seller last did something about it."""
    if finding.history is None:
        return 0.0
    attempt = finding.history.attempts.get(finding.feature)
    moments = [finding.history.report.grants[finding.feature].granted_at]
    if attempt is not None:
        moments.append(attempt.pressed_at or attempt.created_at)
    return max((moment.timestamp() for moment in moments if moment is not None), default=0.0)


#: Q1: standings that are the answer by themselves
_Q1_BY_STANDING: Mapping[Standing, Case] = {
    Standing.NONE: Case.NEVER_OPENED,
    Standing.WAITING: Case.WAITING,
    Standing.SILENT: Case.OPENED_SILENT,
    Standing.REFUSED: Case.REFUSED,
    Standing.EXPIRED: Case.EXPIRED,
    Standing.REVOKED: Case.REVOKED,
    Standing.PERMISSION_PROBLEM: Case.PERMISSION_PROBLEM,
    Standing.DISABLED: Case.DISABLED,
}


def _q1_case(history: StoreHistory, feature: FeatureKey) -> Case:
    known = _Q1_BY_STANDING.get(progress_of(history, feature))
    return known or (Case.JUST_GRANTED if _is_fresh(history, feature) else Case.GRANTED)


#: Q2: standings that are the answer by themselves
_Q2_BY_STANDING: Mapping[Standing, Case] = {
    Standing.DISABLED: Case.DISABLED,
    Standing.EXPIRED: Case.EXPIRED,
    Standing.REVOKED: Case.REVOKED,
    Standing.PERMISSION_PROBLEM: Case.PERMISSION_PROBLEM,
}


def _q2_case(history: StoreHistory, feature: FeatureKey) -> Case:
    report = history.report
    standing = standing_of(history, feature)
    if standing in _Q2_BY_STANDING:
        return _Q2_BY_STANDING[standing]
    if standing in (Standing.GRANTED, Standing.EXPIRING):
        if feature is FeatureKey.ORDERS and report.store.initial_order_date > report.at.date():
            return Case.START_IN_FUTURE
        return Case.JUST_GRANTED if _is_fresh(history, feature) else Case.ALL_GOOD
    others = [grant for key, grant in report.grants.items() if key is not feature]
    works = any(grant.standing(report.at) is GrantState.GRANTED for grant in others)
    return Case.OTHER_FEATURE_ONLY if works else Case.NONE_GRANTED


def _is_fresh(history: StoreHistory, feature: FeatureKey) -> bool:
    granted_at = history.report.grants[feature].granted_at
    return granted_at is not None and history.report.at - granted_at < JUST_GRANTED


def evidence_of(histories: Sequence[StoreHistory]) -> dict[str, float]:
    """What the asker's stores suggest they may ask about, as log-odds by topic (0: nothing known, 1: strong)."""
    if not histories:
        return {"add-store": 0.4}
    standings = {standing_of(history, feature) for history in histories for feature in FEATURES}
    evidence: dict[str, float] = {}
    for standing, topic, weight in _EVIDENCE:
        if standing in standings:
            evidence[topic] = max(evidence.get(topic, 0.0), weight)
    return evidence


#: a standing, the topic it makes likelier, and by how much
_EVIDENCE = (
    (Standing.WAITING, "still-authorizing", 0.8),
    (Standing.SILENT, "still-authorizing", 0.8),
    (Standing.REFUSED, "still-authorizing", 0.5),
    (Standing.REFUSED, "authorization-failed", 0.4),
    (Standing.GRANTED, "granted-but-not-working", 0.3),
    (Standing.EXPIRING, "yearly-renewal", 0.6),
    (Standing.EXPIRED, "yearly-renewal", 0.6),
    (Standing.EXPIRED, "granted-but-not-working", 0.5),
    (Standing.REVOKED, "granted-but-not-working", 0.5),
    (Standing.PERMISSION_PROBLEM, "granted-but-not-working", 0.5),
)
