"""The kinds of columns: what a value looks like in the database and in Python."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

#: SQLite numbers rows by itself only in a column declared INTEGER
SEQUENCE = BigInteger().with_variant(Integer, "sqlite")


def whole_milliseconds(moment: datetime) -> datetime:
    """As it will come back from the database."""
    return _EPOCH + (moment - _EPOCH) // _MILLISECOND * _MILLISECOND


class Moment(TypeDecorator[datetime]):
    """An aware datetime as milliseconds since 1970: one order and one index on every database. Finer parts are cut off."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return (value - _EPOCH) // _MILLISECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else _EPOCH + value * _MILLISECOND


class Day(TypeDecorator[date]):
    """A calendar day as ISO 8601."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> date | None:
        del dialect
        return None if value is None else date.fromisoformat(value)


class Facts(TypeDecorator[dict[str, str]]):
    """A small mapping as JSON text, in the order it was given."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, str] | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else json.dumps(dict(value), ensure_ascii=False)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> dict[str, str] | None:
        del dialect
        return None if value is None else json.loads(value)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Where a sealed value stands: its column, and the row id that it is bound to."""

    column: Column[str]
    row_id: Column[str]
