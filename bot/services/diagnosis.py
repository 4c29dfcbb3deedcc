"""Which answer fits the asker's own stores: pure, from what is known of them and what was asked.

The same sentence has different right answers for different stores; this is where they part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.consent import ConsentAttempt, Outcome
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import GrantState
from bot.domain.stores import label_key
from bot.services.reporting import StoreHistory
from faq.facts import Case, Standing

#: how long the first import or sync may take before its absence means something
JUST_GRANTED = timedelta(minutes=15)

#: words by which a question shows which feature it is about
_FEATURE_WORDS: Mapping[FeatureKey, tuple[str, ...]] = {
    FeatureKey.LISTING: ("stock", "inventory", "listing", "sync", "库存", "庫存", "刊登", "上架", "同步"),
    FeatureKey.ORDERS: ("order", "订单", "訂單", "载单", "載單", "拉单", "出单", "單子"),
}

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
    Case.JUST_GRANTED,
    Case.NEVER_OPENED,
    Case.GRANTED,
)
#: Q2: the worst thing first
_Q2_ORDER = (
    Case.REVOKED,
    Case.EXPIRED,
    Case.PERMISSION_PROBLEM,
    Case.OTHER_FEATURE_ONLY,
    Case.START_IN_FUTURE,
    Case.JUST_GRANTED,
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


def feature_in(question: str) -> FeatureKey | None:
    """The feature a question names, if it names one of them only."""
    lower = question.casefold()
    named = [key for key, words in _FEATURE_WORDS.items() if any(word in lower for word in words)]
    return named[0] if len(named) == 1 else None


def store_in(question: str, histories: Sequence[StoreHistory]) -> StoreHistory | None:
    """The store whose name stands in the question; the longest name where several do."""
    text = label_key(question)
    named = [history for history in histories if label_key(history.report.store.label) in text]
    return max(named, key=lambda history: len(history.report.store.label), default=None)


def standing_of(history: StoreHistory, feature: FeatureKey) -> Standing:
    """Where one feature of one store stands, its newest link included."""
    report = history.report
    if report.store.disabled_at is not None:
        return Standing.DISABLED
    grant = report.grants[feature]
    state = grant.standing(report.at)
    if state is GrantState.GRANTED:
        return Standing.EXPIRING if grant.is_expiring(report.at) else Standing.GRANTED
    if state in _BY_STATE:
        return _BY_STATE[state]
    attempt = history.attempts.get(feature)
    return Standing.NONE if attempt is None else _standing_of_attempt(attempt, report.at)


def _standing_of_attempt(attempt: ConsentAttempt, now: datetime) -> Standing:
    if attempt.pressed_at is None:
        return Standing.NONE
    if attempt.awaits_answer(now):
        return Standing.WAITING
    return Standing.REFUSED if attempt.outcome is Outcome.REFUSED else Standing.SILENT


def still_authorizing(question: str, histories: Sequence[StoreHistory]) -> Finding:
    """Q1: *I authorized, why does it still say 授权中 or 未授权?*"""
    return _likeliest(question, histories, _Q1_ORDER, _q1_case, FEATURES)


def not_working(question: str, histories: Sequence[StoreHistory]) -> Finding:
    """Q2: *I authorized, why are no orders imported, why does stock not sync?*"""
    return _likeliest(question, histories, _Q2_ORDER, _q2_case, (FeatureKey.ORDERS,))


def _likeliest(
    question: str,
    histories: Sequence[StoreHistory],
    order: Sequence[Case],
    case_of: CaseOf,
    features: Mapping[FeatureKey, object] | Sequence[FeatureKey],
) -> Finding:
    if not histories:
        return Finding(Case.NO_STORE)
    named_store = store_in(question, histories)
    named_feature = feature_in(question)
    asked = (named_feature,) if named_feature else tuple(features)
    findings = [
        Finding(case_of(history, feature), history, feature)
        for history in ([named_store] if named_store else histories)
        for feature in asked
    ]
    return min(findings, key=lambda finding: (order.index(finding.case), -_recency(finding)))


def _recency(finding: Finding) -> float:
    history = finding.history
    attempt = None if history is None else history.attempts.get(finding.feature)
    touched = None if attempt is None else attempt.pressed_at or attempt.created_at
    return 0.0 if touched is None else touched.timestamp()


def _q1_case(history: StoreHistory, feature: FeatureKey) -> Case:
    match standing_of(history, feature):
        case Standing.WAITING:
            return Case.WAITING
        case Standing.SILENT:
            return Case.OPENED_SILENT
        case Standing.REFUSED:
            return Case.REFUSED
        case Standing.GRANTED | Standing.EXPIRING:
            return Case.JUST_GRANTED if _is_fresh(history, feature) else Case.GRANTED
        case Standing.NONE | Standing.EXPIRED | Standing.REVOKED | Standing.PERMISSION_PROBLEM | Standing.DISABLED:
            return Case.NEVER_OPENED


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
