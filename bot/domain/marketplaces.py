"""Amazon's marketplaces as one table. Ids and hosts: developer-docs.amazon.com/sp-api/docs/marketplace-ids."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bot.errors import NoSuchMarketplace, UnknownMarketplace


class Region(StrEnum):
    """Amazon's three Selling Partner API regions; the value is the endpoint's suffix in lower case."""

    NA = "NA"
    EU = "EU"
    FE = "FE"


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One country's Amazon. `code` is how Amazon writes it (UK, not GB)."""

    code: str
    id: str
    host: str
    region: Region
    #: further spellings people type, in any language, in lower case
    spellings: tuple[str, ...] = ()

    @property
    def territory(self) -> str:
        """The ISO 3166 code, under which its name is looked up."""
        return "GB" if self.code == "UK" else self.code

    @property
    def consent_region(self) -> str:
        """What one consent covers: a whole region, but in the Far East a single country."""
        return f"FE-{self.code}" if self.region is Region.FE else self.region.value


_EUROPE = "sellercentral-europe.amazon.com"

_ROWS = (
    Marketplace("US", "ATVPDKIKX0DER", "sellercentral.amazon.com", Region.NA, ("usa", "united states", "america", "美国", "美國", "美")),
    Marketplace("CA", "A2EUQ1WTGCTBG2", "sellercentral.amazon.ca", Region.NA, ("canada", "加拿大")),
    Marketplace("MX", "A1AM78C64UM0Y8", "sellercentral.amazon.com.mx", Region.NA, ("mexico", "méxico", "墨西哥")),
    Marketplace("BR", "A2Q3Y263D00KWC", "sellercentral.amazon.com.br", Region.NA, ("brazil", "brasil", "巴西")),
    Marketplace("UK", "A1F83G8C2ARO7P", _EUROPE, Region.EU, ("gb", "united kingdom", "britain", "england", "英国", "英國")),
    Marketplace("DE", "A1PA6795UKMFR9", _EUROPE, Region.EU, ("germany", "deutschland", "德国", "德國")),
    Marketplace("FR", "A13V1IB3VIYZZH", _EUROPE, Region.EU, ("france", "法国", "法國")),
    Marketplace("IT", "APJ6JRA9NG5V4", _EUROPE, Region.EU, ("italy", "italia", "意大利", "義大利")),
    Marketplace("ES", "A1RKKUPIHCS9HS", _EUROPE, Region.EU, ("spain", "españa", "espana", "西班牙")),
    Marketplace("NL", "A1805IZSGTT6HS", "sellercentral.amazon.nl", Region.EU, ("netherlands", "holland", "荷兰", "荷蘭")),
    Marketplace("SE", "A2NODRKZP88ZB9", "sellercentral.amazon.se", Region.EU, ("sweden", "瑞典")),
    Marketplace("PL", "A1C3SOZRARQ6R3", "sellercentral.amazon.pl", Region.EU, ("poland", "波兰", "波蘭")),
    Marketplace("BE", "AMEN7PMS3EDWL", "sellercentral.amazon.com.be", Region.EU, ("belgium", "比利时", "比利時")),
    Marketplace("IE", "A28R8C7NBKEWEA", "sellercentral.amazon.ie", Region.EU, ("ireland", "爱尔兰", "愛爾蘭")),
    Marketplace("TR", "A33AVAJ2PDY3EV", "sellercentral.amazon.com.tr", Region.EU, ("turkey", "türkiye", "turkiye", "土耳其")),
    Marketplace(
        "AE", "A2VIGQ35RCS4UG", "sellercentral.amazon.ae", Region.EU,
        ("uae", "united arab emirates", "阿联酋", "阿拉伯联合酋长国", "阿聯酋", "阿拉伯聯合大公國"),
    ),
    Marketplace("SA", "A17E79C6D8DWNP", "sellercentral.amazon.sa", Region.EU, ("saudi arabia", "沙特", "沙特阿拉伯", "沙烏地阿拉伯")),
    Marketplace("EG", "ARBP9OOSHTCHU", "sellercentral.amazon.eg", Region.EU, ("egypt", "埃及")),
    Marketplace("IN", "A21TJRUUN4KGV", "sellercentral.amazon.in", Region.EU, ("india", "印度")),
    Marketplace("ZA", "AE08WJ6YKNBMC", "sellercentral.amazon.co.za", Region.EU, ("south africa", "南非")),
    Marketplace("JP", "A1VC38T7YXB528", "sellercentral.amazon.co.jp", Region.FE, ("japan", "日本")),
    Marketplace("AU", "A39IBJ37TRP1C6", "sellercentral.amazon.com.au", Region.FE, ("australia", "澳洲", "澳大利亚", "澳大利亞")),
    Marketplace("SG", "A19VAU5U5O7RUS", "sellercentral.amazon.sg", Region.FE, ("singapore", "新加坡")),
)  # fmt: skip

MARKETPLACES: Mapping[str, Marketplace] = MappingProxyType({row.code: row for row in _ROWS})


def _storefront(marketplace: Marketplace) -> str:
    """amazon.de for Germany: what people type who think of the shop."""
    if marketplace.host != _EUROPE:
        return marketplace.host.removeprefix("sellercentral.")
    return "amazon.co.uk" if marketplace.code == "UK" else f"amazon.{marketplace.code.lower()}"


_SPELLINGS: Mapping[str, Marketplace] = MappingProxyType(
    {
        spelling: row
        for row in _ROWS
        for spelling in (
            row.code.lower(),
            row.id.lower(),
            _storefront(row),
            f"www.{_storefront(row)}",
            *row.spellings,
        )
    }
)

#: endings people add to a country when they mean its marketplace
_ENDINGS = ("站点", "站點", "站", " marketplace", " store", " site")
#: as we write them ourselves: Germany (DE)
_WITH_CODE = re.compile(r"\s*\([a-z]{2}\)$")


def find_marketplace(text: str) -> Marketplace:
    """The marketplace a person means by a code, a name, a domain or an id.

    Raises UnknownMarketplace with the nearest code as a suggestion, or NoSuchMarketplace with all of them.
    """
    given = unicodedata.normalize("NFKC", text).strip()
    wanted = given.casefold()
    for ending in _ENDINGS:
        wanted = wanted.removesuffix(ending)
    wanted = _WITH_CODE.sub("", wanted.strip())
    found = _SPELLINGS.get(wanted) or _SPELLINGS.get(wanted.removeprefix("amazon "))
    if found:
        return found
    near = difflib.get_close_matches(wanted, list(_SPELLINGS), n=1, cutoff=0.5)
    if not near:
        raise NoSuchMarketplace(given=given[:40], known=", ".join(MARKETPLACES))
    raise UnknownMarketplace(given=given[:40], suggestion=_SPELLINGS[near[0]].code)


def marketplace_by_id(marketplace_id: str) -> Marketplace | None:
    """The row with Amazon's id, or None for one that we do not serve."""
    return next((row for row in _ROWS if row.id == marketplace_id), None)
