"""Which button ends a general answer: the first of its article's that fits the asker's stores. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.domain.features import FEATURES, FeatureKey
from bot.services.diagnosis import Finding, feature_in, standing_of, stores_in
from bot.services.reporting import StoreHistory
from faq.facts import Button, Case, Standing

_WORKS = frozenset({Standing.GRANTED, Standing.EXPIRING})
#: not granted, and a link can change that
_OPEN = frozenset({Standing.NONE, Standing.WAITING, Standing.SILENT, Standing.REFUSED, Standing.REVOKED})
_ENDS = _WORKS | {Standing.EXPIRED}
#: granted once: there is something to ask Amazon about
_ASKABLE = _WORKS | {Standing.PERMISSION_PROBLEM, Standing.WAITING}


def fitting(buttons: Sequence[Button], question: str, histories: Sequence[StoreHistory]) -> tuple[Button, Finding]:
    """The first button that would do something for this asker, and the store and feature it would do it to."""
    asked = stores_in(question, histories) or histories
    named = feature_in(question)
    for button in buttons:
        if button is Button.ADD_STORE and (not histories or button is buttons[0]):
            return button, Finding(Case.GENERAL)
        if button is Button.ASK_PERSON and histories:
            return button, Finding(Case.GENERAL)
        found = min(_FITTING[button](asked, named), key=_newest_first, default=None) if button in _FITTING else None
        if found is not None:
            return button, found
    return (Button.ASK_PERSON if histories or Button.ASK_PERSON in buttons[:1] else Button.ADD_STORE), Finding(
        Case.GENERAL
    )


def _newest_first(finding: Finding) -> tuple[float, float]:
    """What ends first where that is the question, else what was touched last."""
    history = finding.history
    if history is None:
        return 0.0, 0.0
    attempt = history.attempts.get(finding.feature)
    touched = 0.0 if attempt is None else (attempt.pressed_at or attempt.created_at).timestamp()
    ends_at = history.report.grants[finding.feature].ends_at
    works = standing_of(history, finding.feature) in _ENDS and ends_at is not None
    return (ends_at.timestamp() if works and ends_at else 0.0), -touched


def _standing_in(standings: frozenset[Standing], feature: FeatureKey | None = None) -> _Fitting:
    def fits(histories: Sequence[StoreHistory], named: FeatureKey | None) -> Iterator[Finding]:
        wanted = feature or named
        for history in histories:
            for one in [wanted] if wanted else FEATURES:
                if standing_of(history, one) in standings:
                    yield Finding(Case.GENERAL, history, one)

    return fits


def _only_store(histories: Sequence[StoreHistory], named: FeatureKey | None) -> Iterator[Finding]:
    if len(histories) == 1:
        yield Finding(Case.GENERAL, histories[0], named or FeatureKey.ORDERS)


_Fitting = Callable[[Sequence[StoreHistory], FeatureKey | None], Iterator[Finding]]

_FITTING: Mapping[Button, _Fitting] = {
    Button.GRANT_ORDERS: _standing_in(_OPEN, FeatureKey.ORDERS),
    Button.GRANT_LISTING: _standing_in(_OPEN, FeatureKey.LISTING),
    Button.NEW_LINK: _standing_in(_OPEN),
    Button.RENEW: _standing_in(_ENDS),
    Button.CHECK: _standing_in(_ASKABLE),
    Button.ENABLE_STORE: _standing_in(frozenset({Standing.DISABLED})),
    Button.EDIT_STORE: _only_store,
}
