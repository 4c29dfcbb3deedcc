"""Sellers and their stores, and what may be written into a store's fields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from bot.domain.marketplaces import MARKETPLACES, Marketplace
from bot.errors import (
    DateTooFar,
    DateTooOld,
    EmptyLabel,
    LabelTooLong,
    MalformedDate,
    MalformedEmail,
    MalformedMapping,
    MalformedWebsite,
)

#: characters; a select option in Slack shows 75 and the marketplace goes with it
LABEL_LIMIT = 60
#: Amazon keeps no older orders
OLDEST_ORDERS = timedelta(days=730)
FARTHEST_START = timedelta(days=366)
#: RFC 5321
EMAIL_LIMIT = 254
WEBSITE_LIMIT = 500

#: Amazon's product id types that a catalogue attribute can be matched with
PRODUCT_ID_TYPES = ("ASIN", "UPC", "EAN", "GTIN", "ISBN", "SKU")


@dataclass(frozen=True, slots=True)
class Seller:
    """A distributor account in one workspace; its members share its stores."""

    id: str
    team_id: str
    created_at: datetime
    #: when somebody of theirs confirmed the preparations: a Professional plan above all
    prepared_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """One Amazon store in one marketplace. `selling_partner_id` is unknown until the first consent."""

    id: str
    team_id: str
    seller_id: str
    label: str
    marketplace_code: str
    initial_order_date: date
    created_at: datetime
    created_by: str
    contact_email: str | None = None
    website: str | None = None
    attribute_mapping: Mapping[str, str] = field(default_factory=dict)
    selling_partner_id: str | None = None
    disabled_at: datetime | None = None

    @property
    def marketplace(self) -> Marketplace:
        return MARKETPLACES[self.marketplace_code]


def label_key(label: str) -> str:
    """The form under which labels count as the same: width, case and outer spaces do not matter."""
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


def read_label(text: str) -> str:
    """A store's name as it will be shown. Raises EmptyLabel or LabelTooLong."""
    printable = "".join(" " if unicodedata.category(char).startswith(("C", "Z")) else char for char in text)
    label = " ".join(printable.split())
    if not label:
        raise EmptyLabel
    if len(label) > LABEL_LIMIT:
        raise LabelTooLong(length=len(label), limit=LABEL_LIMIT)
    return label


_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")


def looks_like_a_day(text: str) -> bool:
    """Whether it is written as a day, be it one that is taken or not."""
    return _DATE.fullmatch(unicodedata.normalize("NFKC", text).strip()) is not None


def read_initial_order_date(text: str, *, today: date) -> date:
    """The day from which orders are pulled. Raises MalformedDate, DateTooOld or DateTooFar.

    Only year-month-day is read (also 2026/1/31 and 2026年1月31日): 03/04/2026 is March in one country and April in another.
    """
    given = unicodedata.normalize("NFKC", text).strip()
    match = _DATE.fullmatch(given)
    if not match:
        raise MalformedDate(given=given[:40], example=today.isoformat())
    try:
        day = date(*(int(part) for part in match.groups()))
    except ValueError:
        raise MalformedDate(given=given[:40], example=today.isoformat()) from None
    if day < today - OLDEST_ORDERS:
        raise DateTooOld(earliest=today - OLDEST_ORDERS)
    if day > today + FARTHEST_START:
        raise DateTooFar(latest=today + FARTHEST_START)
    return day


def _hides_something(text: str) -> bool:
    """Control characters and marks that nobody sees: no database keeps a NUL, and the rest would only deceive."""
    return any(unicodedata.category(char).startswith("C") for char in text)


_EMAIL = re.compile(r"[^@\s<>()\[\],;:\\\"]+@[^@\s<>()\[\],;:\\\"]+\.[^@\s.<>()\[\],;:\\\"]{2,}")


def read_email(text: str | None) -> str | None:
    """An address, or None for nothing. Raises MalformedEmail."""
    given = (text or "").strip()
    if not given:
        return None
    if len(given) > EMAIL_LIMIT or _hides_something(given) or not _EMAIL.fullmatch(given):
        raise MalformedEmail(given=given[:60])
    return given


def read_website(text: str | None) -> str | None:
    """An http(s) address with a host name, or None for nothing. Raises MalformedWebsite."""
    given = (text or "").strip()
    if not given:
        return None
    address = given if "://" in given else f"https://{given}"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        raise MalformedWebsite(given=given[:60]) from None
    if (
        parts.scheme not in ("http", "https")
        or "." not in host.strip(".")
        or parts.username is not None
        or len(address) > WEBSITE_LIMIT
        or _hides_something(address)
        or re.search(r"[\s<>\"|]", address)
    ):
        raise MalformedWebsite(given=given[:60])
    return address


def read_attribute_mapping(text: str | None) -> dict[str, str]:
    """`EAN=barcode` lines (or separated by commas) as {product id type: catalogue attribute}. Raises MalformedMapping."""
    mapping: dict[str, str] = {}
    for pair in re.split(r"[\n,;，；]+", text or ""):
        if not pair.strip():
            continue
        kind, equals, attribute = (part.strip() for part in pair.replace("＝", "=").partition("="))
        if kind.upper() not in PRODUCT_ID_TYPES or not equals or not re.fullmatch(r"[\w.\- ]{1,60}", attribute):
            raise MalformedMapping(given=pair.strip()[:60], types=", ".join(PRODUCT_ID_TYPES))
        mapping[kind.upper()] = attribute
    return mapping
