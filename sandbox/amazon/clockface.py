"""How this Amazon writes a moment for people and for machines; always UTC."""

from datetime import UTC, datetime


def day(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%B} {moment.day}, {moment.year}"


def minute(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def iso(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
