"""Facts to try an article with: one set per case and feature, and the awkward ones. For `faq check` and the tests."""

from collections.abc import Iterator

from faq.facts import Case, Facts, FeatureFacts, FeatureKey, FeatureNames, Standing, StoreFacts, cases_of

ORDERS_NAMES = FeatureNames("【载单功能】", "SHENZHEN MINXING TECHNOLOGY CO.,LTD", "Ushops")
LISTING_NAMES = FeatureNames("【刊登/库存同步功能】", "福州云赞网络科技有限公司", "Yunzan")
DEFAULTS = Facts(orders_names=ORDERS_NAMES, listing_names=LISTING_NAMES)

_GRANTED = FeatureFacts(
    Standing.GRANTED, granted_at="2026-03-01 10:00", ends_on="2027-03-01", days_left=200, minutes_since_grant=90_000
)
_FRESH = FeatureFacts(
    Standing.GRANTED, granted_at="2026-03-01 10:00", ends_on="2027-03-01", days_left=365, minutes_since_grant=3
)
_EXPIRED = FeatureFacts(Standing.EXPIRED, granted_at="2025-03-01 10:00", ends_on="2026-03-01", days_left=-1)
_NONE = FeatureFacts()

#: How the feature in question stands in each case, and how the other one does.
_STANDINGS: dict[Case, tuple[FeatureFacts, FeatureFacts]] = {
    Case.GENERAL: (_GRANTED, _NONE),
    Case.NEVER_OPENED: (_NONE, _NONE),
    Case.WAITING: (FeatureFacts(Standing.WAITING, opened_at="10:02"), _NONE),
    Case.OPENED_SILENT: (FeatureFacts(Standing.SILENT, opened_at="2026-03-01 10:02"), _NONE),
    Case.REFUSED: (
        FeatureFacts(Standing.REFUSED, reason_text="Amazon answered for another store.", opened_at="10:02"),
        _NONE,
    ),
    Case.JUST_GRANTED: (_FRESH, _NONE),
    Case.UNCHECKED: (_GRANTED, _NONE),
    Case.GRANTED: (_GRANTED, _GRANTED),
    Case.NONE_GRANTED: (_NONE, _NONE),
    Case.OTHER_FEATURE_ONLY: (_NONE, _GRANTED),
    Case.EXPIRED: (_EXPIRED, _GRANTED),
    Case.REVOKED: (FeatureFacts(Standing.REVOKED, granted_at="2026-01-01 09:00"), _GRANTED),
    Case.START_IN_FUTURE: (_GRANTED, _GRANTED),
    Case.PERMISSION_PROBLEM: (FeatureFacts(Standing.PERMISSION_PROBLEM, granted_at="2026-01-01 09:00"), _GRANTED),
    Case.DISABLED: (FeatureFacts(Standing.DISABLED, granted_at="2026-01-01 09:00"), _GRANTED),
    Case.ALL_GOOD: (_GRANTED, _GRANTED),
}


def sample(case: Case, feature: FeatureKey = FeatureKey.ORDERS, *, label: str = "Acme US") -> Facts:
    """Facts that fit `case`, as the core would hand them over."""
    if case is Case.NO_STORE:
        return Facts(orders_names=ORDERS_NAMES, listing_names=LISTING_NAMES, case=case, feature=feature)
    asked, other = _STANDINGS[case]
    orders, listing = (asked, other) if feature is FeatureKey.ORDERS else (other, asked)
    store = StoreFacts(
        label=label,
        marketplace="Amazon.com",
        status_label="【未授权】",
        orders=orders,
        listing=listing,
        initial_order_date="2026-12-31",
    )
    return Facts(
        orders_names=ORDERS_NAMES,
        listing_names=LISTING_NAMES,
        stores=(store,),
        store=store,
        case=case,
        feature=feature,
    )


def every_sample(slug: str) -> Iterator[Facts]:
    """Every case of an article with both features, then nobody's store, and a store with a very long name."""
    for case in cases_of(slug):
        for feature in FeatureKey:
            yield sample(case, feature)
            yield sample(case, feature, label="W" * 80)
        if case is Case.GENERAL:
            yield DEFAULTS
