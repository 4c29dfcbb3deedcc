"""Log lines carry facts and no secrets, whoever wrote them."""

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import MASK, masked, redact, set_up


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level, ours = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    set_up("json", stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    # not structlog's defaults: they draw tracebacks for seconds, and the tests that come next would wait for them
    structlog.configure(**ours)


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


SECRETS = [
    ("token xoxb-12-34-abcDEF is bad", "xoxb-12"),
    ("xoxe.xoxb-1-abc", "xoxb-1"),
    ("xapp-1-A1-2-abc", "xapp-1"),
    ("got Atza|IwEBIA_x-9+/=", "IwEBIA"),
    ("got Atzr|IwEBIA_x-9", "IwEBIA"),
    ("amzn1.oa2-cs.v1.0123abcd", "0123abcd"),
    ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "C2FVs"),
    ("Authorization: Bearer abcdef123456", "abcdef"),
    ("GET /connect/hQ3-_secret?x=1 HTTP/1.1", "hQ3"),
    ("https://desk.example.com/connect/hQ3-_secret/status", "hQ3"),
    ("/amazon/orders/callback?state=abc&spapi_oauth_code=def&selling_partner_id=A1", "abc"),
    ("/amazon/orders/callback?state=abc&spapi_oauth_code=def&selling_partner_id=A1", "=def"),
    ("/amazon/orders/login?amazon_state=abc", "abc"),
    ("/slack/oauth_redirect?code=abc&state=def", "abc"),
    ("https://hooks.slack.com/commands/T1/2/abc", "abc"),
    ("postgresql+asyncpg://desk:hunter2@db/desk", "hunter2"),
    ("v0=0123456789abcdef0123456789abcdef", "0123456789abcdef"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_what_looks_like_a_secret_is_masked_wherever_it_stands(text: str, secret: str) -> None:
    assert secret not in masked(text)
    event = redact(None, "info", {"event": text, "deep": [{"x": (text,)}], text: 1})
    assert secret not in repr(event)


def test_what_is_none_stays_readable() -> None:
    facts = {
        "event": "amazon.answered",
        "endpoint": "lwa.refresh",
        "status": 200,
        "team": "T1",
        "error_code": "MD5101",
        "selling_partner_id": "A1SELLER",
        "ready": True,
        "nothing": None,
    }
    assert redact(None, "info", dict(facts)) == facts


@pytest.mark.parametrize(
    "name", ["token", "bot_token", "client_secret", "code", "state", "spapi_oauth_code", "body", "payload", "cookie"]
)
def test_a_name_gives_it_away_too(name: str) -> None:
    assert redact(None, "info", {name: "plain-looking"}) == {name: MASK}


#: what patterns begin with, or go on with
CRUMBS = [
    "a",
    "é_",
    "a:",
    "://",
    "a://",
    "a://b:",
    "a://b:c",
    "bearer ",
    "basic",
    "state=",
    "?code",
    "/connect/",
    "xoxb-",
    " ",
]


@pytest.mark.parametrize("crumb", CRUMBS)
def test_a_long_text_is_masked_without_holding_anybody_up(crumb: str) -> None:
    text = (crumb * 200_000)[:200_000]
    began = time.perf_counter()
    masked(text)
    assert time.perf_counter() - began < 1


def test_a_long_value_shows_how_it_begins_and_ends() -> None:
    shown = redact(
        None, "info", {"event": "x", "why": "Traceback" + "a" * 50_000 + "KeyError", "deep": [{"x": "b" * 9_000}]}
    )
    assert len(shown["why"]) <= 8_001
    assert (shown["why"][:9], shown["why"][-8:], shown["why"].count("…")) == ("Traceback", "KeyError", 1)
    assert len(shown["deep"][0]["x"]) <= 8_001
    whole = "c" * 8_000
    assert redact(None, "info", {"event": whole}) == {"event": whole}


@pytest.mark.parametrize(
    "secret", ["xoxb-", "Atzr|", "https://desk.example.com/connect/", "postgresql://desk:", "whsec_"]
)
def test_no_cut_leaves_a_piece_of_a_secret(secret: str) -> None:
    """Wherever the cut falls: nothing tells a piece without its beginning from a harmless word."""
    for before in (0, 3_980, 3_999, 4_000, 44_000, 45_990):
        text = "b " * (before // 2) + f"{secret}{'SECRET' * 20}@db" + " d" * ((50_000 - before) // 2)
        assert "SECRET" not in repr(redact(None, "info", {"event": text, "deep": {text: text}}))
    assert "SECRET" not in repr(redact(None, "info", {"event": secret + "SECRET" * 5_000 + "@db"}))


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_nothing_breaks_the_mask(value: Any) -> None:
    redact(None, "info", {"event": "x", "value": value})


def test_our_lines_and_the_libraries_go_the_same_way(lines: io.StringIO) -> None:
    structlog.get_logger("grantdesk").info("relay.retry", why="xoxb-1-2-3", tries=2)
    logging.getLogger("some.library").warning("failed for %s", "xoxb-1-2-3")
    ours, theirs = read(lines)
    assert (ours["event"], ours["why"], ours["tries"], ours["level"]) == ("relay.retry", MASK, 2, "info")
    assert (theirs["event"], theirs["logger"], theirs["level"]) == (f"failed for {MASK}", "some.library", "warning")
    assert ours["timestamp"].endswith("Z")
    assert "_record" not in ours


def test_a_traceback_is_masked_as_well(lines: io.StringIO) -> None:
    def fail() -> None:
        raise RuntimeError("https://x.example/connect/hQ3secret")

    try:
        fail()
    except RuntimeError:
        structlog.get_logger().exception("reception.crashed")
        logging.getLogger("some.library").exception("crashed")
    assert "hQ3secret" not in lines.getvalue()
    assert all("RuntimeError" in line["exception"] for line in read(lines))


def test_paths_and_payloads_of_libraries_are_not_written_at_all(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info("GET /connect/secret")
    logging.getLogger("httpx").info("HTTP Request: POST …")
    logging.getLogger("slack_bolt.AsyncApp").warning("Unhandled request ({'text': 'Acme'})")
    assert lines.getvalue() == ""


def test_a_library_that_sets_its_own_loggers_level_is_kept_quiet_too(lines: io.StringIO) -> None:
    """Bolt gives `slack_bolt.AsyncApp` a level of its own with every app that is made without a logger."""
    child = logging.getLogger("slack_bolt.AsyncApp")
    before = child.level
    child.setLevel(logging.DEBUG)
    try:
        child.warning("Unhandled request ({'text': 'Acme'})")
        assert lines.getvalue() == ""
        child.error("worth knowing")
        assert [line["event"] for line in read(lines)] == ["worth knowing"]
    finally:
        child.setLevel(before)


def test_the_console_form_is_for_people() -> None:
    root = logging.getLogger()
    before, ours = root.handlers[:], structlog.get_config()
    stream = io.StringIO()
    set_up("console", stream=stream)
    structlog.get_logger().info("workspace.known", team="T1", bot_token="xoxb-1-2")
    root.handlers[:] = before
    structlog.configure(**ours)
    assert "workspace.known" in stream.getvalue()
    assert "team=T1" in stream.getvalue()
    assert "xoxb" not in stream.getvalue()
