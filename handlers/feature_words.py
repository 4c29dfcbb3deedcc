"""The names people call a feature by, in every language we speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from bot.domain.features import FEATURES, FeatureKey
from bot.i18n import LOCALES, Speaker

#: what people also type for a feature, besides its key and its names in every language
_SPELLINGS: Mapping[str, FeatureKey] = {
    "order": FeatureKey.ORDERS,
    "订单": FeatureKey.ORDERS,
    "訂單": FeatureKey.ORDERS,
    "载单": FeatureKey.ORDERS,
    "載單": FeatureKey.ORDERS,
    "載單功能": FeatureKey.ORDERS,
    "listings": FeatureKey.LISTING,
    "stock": FeatureKey.LISTING,
    "刊登": FeatureKey.LISTING,
    "库存同步": FeatureKey.LISTING,
    "庫存同步": FeatureKey.LISTING,
}

#: words of the longest name: "Listing and stock sync"
_LONGEST_NAME = 4


@cache
def _names() -> Mapping[str, FeatureKey]:
    """Every name of a feature, in every language, without its brackets."""
    names = dict(_SPELLINGS)
    for key, row in FEATURES.items():
        for name in (key.value, row.platform_label, *(Speaker(tag)(f"feature.{key.value}.name") for tag in LOCALES)):
            names[_plainly(name)] = key
    return names


def _plainly(name: str) -> str:
    return name.strip("【】").replace("／", "/").casefold()


def feature_in(words: Sequence[str]) -> tuple[FeatureKey | None, str]:
    """The feature that the first words name, and the rest: the store. None when they name none."""
    for length in range(min(_LONGEST_NAME, len(words)), 0, -1):
        found = _names().get(_plainly(" ".join(words[:length])))
        if found:
            return found, " ".join(words[length:])
    return None, " ".join(words[1:])
