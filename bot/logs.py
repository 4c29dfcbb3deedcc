"""Log lines: one event, its facts, no secrets. The libraries' own lines go the same way."""

from __future__ import annotations

import logging
import logging.config
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "•••"

#: names under which nothing is ever shown
_SECRET_NAMES = re.compile(
    r"(?i)(token|secret|password|passwd|authorization|cookie|api_?key|encryption_key|signature|"
    r"^code$|^state$|_code$|_state$|amazon_state|^body$|payload|private_metadata|response_url|trigger_id)"
)
#: words of ours that only sound like it
_HARMLESS = frozenset({"status_code", "error_code", "token_type", "grant_state", "exit_code", "check_state"})

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Slack's tokens, also rotating ones (xoxe.xoxb-…), and signatures
    (re.compile(r"\bx(?:ox[a-z]|app)(?:\.xox[a-z])?-[\w-]+", re.IGNORECASE), MASK),
    (re.compile(r"\bv0=[0-9a-f]{16,}", re.IGNORECASE), MASK),
    # Login with Amazon: access, refresh and client secrets; authorization codes
    (re.compile(r"\bAt(?:za|zr|na)\|[\w\-+/=|]+"), MASK),
    (re.compile(r"\bamzn1\.oa2-cs\.v1\.[0-9a-f]+", re.IGNORECASE), MASK),
    (re.compile(r"\bwhsec_[\w+/=-]+"), MASK),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=|-]{6,}"), rf"\1 {MASK}"),
    # parts of addresses
    (re.compile(r"(/connect/)[^\s/?#\"'<>]+"), rf"\1{MASK}"),
    (
        re.compile(
            r"(?i)([?&;]|\b)((?:amazon_)?state|(?:spapi_oauth_)?code|client_secret|access_token|refresh_token|token|secret)"
            r"=[^\s&;\"'<>]+"
        ),
        rf"\1\2={MASK}",
    ),
    (re.compile(r"(hooks\.slack\.com/)[^\s\"'<>]+"), rf"\1{MASK}"),
    # a database's address with its password; without its \b each letter of a long word would be tried as the beginning
    (re.compile(r"\b(\w+://[^\s/:@]+:)[^\s/@]+@"), rf"\1{MASK}@"),
)
_DEEPEST = 6
#: characters of a value, half from its beginning and half from its end: a traceback says last what went wrong
_LONGEST = 8_000


def masked(text: str) -> str:
    """The text without anything in it that looks like a secret."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _shown(text: str) -> str:
    """Masked, and cut only then: a piece of a secret no longer looks like one."""
    text = masked(text)
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}…{text[-half:]}"


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor: masks by name and by looks, however deep, and cuts what is long."""
    return {_shown(key): _clean(key, value, 0) for key, value in event.items()}


def _clean(name: str, value: Any, depth: int) -> Any:  # noqa: PLR0911  # one for each kind of value
    if depth > _DEEPEST:
        return MASK
    if name and name not in _HARMLESS and _SECRET_NAMES.search(name) and isinstance(value, str | bytes | Mapping):
        return MASK
    match value:
        case str():
            return _shown(value)
        case bytes():
            return f"<{len(value)} bytes>"
        case Mapping():
            return {_shown(str(key)): _clean(str(key), inner, depth + 1) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean("", inner, depth + 1) for inner in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return _shown(str(value))


def _drop_internals(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Standard logging's record and flag, which structlog passes along for its own use."""
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event


def set_up(
    log_format: Literal["console", "json"] = "console", *, level: str = "INFO", stream: TextIO | None = None
) -> None:
    """Routes structlog and standard logging through the same processors to one stream; call once, at start."""
    target = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[_drop_internals, redact, renderer]
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(formatter)
    handler.addFilter(_loud_enough)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIETER.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(least)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _loud_enough(record: logging.LogRecord) -> bool:
    """False for what `_QUIETER` silences; a library that gives its own child logger a level does not get round it."""
    name = record.name
    while name:
        if (least := _QUIETER.get(name)) is not None:
            return record.levelno >= least
        name = name.rpartition(".")[0]
    return True


#: libraries that say too much below a level: whole addresses, payloads, statements with their values
_QUIETER: Mapping[str, int] = {
    "uvicorn": logging.INFO,
    "uvicorn.error": logging.INFO,
    "uvicorn.access": logging.CRITICAL + 1,  # paths with secrets in them; our own lines say what matters
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "slack_bolt": logging.ERROR,
    "slack_sdk": logging.WARNING,
    "grantdesk.bolt": logging.ERROR,
    "aiohttp.access": logging.WARNING,
    # it warns whenever a job is looked at while its last run goes on, as a sweep's may
    "apscheduler": logging.ERROR,
    "sqlalchemy.engine": logging.WARNING,
    "aiosqlite": logging.WARNING,
    "asyncio": logging.WARNING,
}
