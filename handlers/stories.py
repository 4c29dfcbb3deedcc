"""What every capability may use: the services, and the facts of configuration that people are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.features import FEATURES, FeatureKey
from bot.i18n import Speaker
from bot.ports import Clock, People
from bot.services.checking import Checking
from bot.services.granting import Granting
from bot.services.reporting import Reporting
from bot.services.stores import StoreKeeping
from bot.services.support import Support


@dataclass(frozen=True, slots=True)
class Names:
    """Names that are configuration."""

    platform: str
    sister: str
    #: what Seller Central lists a feature's application under
    developers: Mapping[FeatureKey, str]

    def facts(self, speaker: Speaker) -> dict[str, str]:
        """The systems' names as the language writes them."""
        return {
            "platform": _CHINESE.get(self.platform, self.platform) if speaker.locale != "en" else self.platform,
            "sister": self.sister_in(speaker.locale),
        }

    def sister_in(self, locale: str) -> str:
        if locale == "zh-TW" and self.sister == "Feikan":
            return "飛刊"
        return _CHINESE.get(self.sister, self.sister) if locale != "en" else self.sister

    @staticmethod
    def application(feature: FeatureKey) -> str:
        return FEATURES[feature].application_name


#: how the default names are written in Chinese
_CHINESE = {"SaleYee": "赛盈", "Feikan": "飞刊"}


@dataclass(frozen=True, slots=True)
class Stories:
    """The services, as the composition root has wired them."""

    stores: StoreKeeping
    granting: Granting
    checking: Checking
    reporting: Reporting
    support: Support
    people: People
    clock: Clock
    names: Names
    public_url: str
