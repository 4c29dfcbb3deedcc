"""Names that are configuration, and the phrases built on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.error_codes import ERROR_CODES
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.verification import Reason
from bot.i18n import Speaker

#: how the default names are written in Chinese
_WRITTEN: Mapping[tuple[str, str], str] = {
    ("zh-CN", "SaleYee"): "赛盈",
    ("zh-TW", "SaleYee"): "賽盈",
    ("zh-CN", "Feikan"): "飞刊",
    ("zh-TW", "Feikan"): "飛刊",
}


def feature_name(say: Speaker, feature: FeatureKey) -> str:
    """The platform's own label, with a gloss where the label's language is not the reader's."""
    label = FEATURES[feature].platform_label
    return label if say.locale == "zh-CN" else f"{say(f'feature.{feature.value}.name')} {label}"


@dataclass(frozen=True, slots=True)
class Names:
    """The platform, its sister system, and what Seller Central lists each feature's application under."""

    platform: str
    sister: str
    developers: Mapping[FeatureKey, str]
    applications: Mapping[FeatureKey, str]
    #: whether what is done here shows in the sister system, and the other way round
    mirrored: bool = False

    def facts(self, say: Speaker) -> dict[str, str]:
        """The systems' names as the language writes them."""
        return {
            "platform": _WRITTEN.get((say.locale, self.platform), self.platform),
            "sister": _WRITTEN.get((say.locale, self.sister), self.sister),
        }

    def of_feature(self, say: Speaker, feature: FeatureKey) -> dict[str, str]:
        """The systems' names, and those of the feature."""
        return {
            **self.facts(say),
            "developer": self.developers[feature],
            "application": self.applications[feature],
            "feature": feature_name(say, feature),
        }

    def code(self, say: Speaker, code: str, *, feature: FeatureKey) -> str:
        """What an error of Amazon's means, and whose turn it is."""
        known = ERROR_CODES[code]
        lines = [say(f"amazon_error.{code}", **self.of_feature(say, feature))]
        if known.retry_first:
            lines.append(say("amazon_error.retry_first"))
        return "\n".join([*lines, say(f"turn.{known.turn.value}")])

    def refusal(self, say: Speaker, reason: str, *, detail: str, feature: FeatureKey) -> tuple[str, str]:
        """A refusal in two sentences: what happened, and what to do next."""
        facts = {**self.of_feature(say, feature), "detail": detail}
        known = Reason(reason).value
        return say(f"reason.{known}.title", **facts), say(f"reason.{known}.advice", **facts)
