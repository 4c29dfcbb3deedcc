"""Settings: everything that is wrong is named at once, by name and never by value."""

from __future__ import annotations

import base64
from datetime import date

import pytest

from bot.domain.features import FEATURES, FeatureKey
from bot.errors import ConfigurationError
from bot.settings import Settings

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(32, 64))).decode()
GOOD = {
    "SLACK_SIGNING_SECRET": "signing-secret-of-the-tests",
    "SLACK_BOT_TOKEN": "xoxb-of-the-tests",
    "PUBLIC_URL": "https://grants.example.com/",
    "ENCRYPTION_KEYS": f"k1:{KEY}",
    "AMAZON_ORDERS_APPLICATION_ID": "amzn1.sp.solution.orders",
    "AMAZON_ORDERS_CLIENT_ID": "amzn1.application-oa2-client.orders",
    "AMAZON_ORDERS_CLIENT_SECRET": "amzn1.oa2-cs.v1.orders-hush",
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests."""
    names = [*Settings.model_fields, *(f"amazon_{key.value}_{name}" for key in FEATURES for name in _of_application())]
    for name in names:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)


def _of_application() -> tuple[str, ...]:
    return ("application_id", "client_id", "client_secret", "client_secret_issued", "developer_name", "draft", "listed")


def load(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for name, value in {**GOOD, **changes}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    return Settings.load(env_file=None)


def problems(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(monkeypatch, **changes)
    return str(caught.value)


def test_good_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch, AMAZON_ORDERS_CLIENT_SECRET_ISSUED="2026-01-05", AMAZON_ORDERS_DRAFT="true", PORT="9000"
    )
    orders, listing = (settings.applications[key] for key in (FeatureKey.ORDERS, FeatureKey.LISTING))
    assert (settings.public_url, settings.port) == ("https://grants.example.com", 9000)
    assert (orders.configured, orders.draft, orders.listed, orders.client_secret_issued) == (
        True,
        True,
        True,
        date(2026, 1, 5),
    )
    assert not listing.configured
    assert settings.encryption_keys["k1"].get_secret_value() == KEY


def test_an_empty_environment_is_told_all_that_it_lacks_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(env_file=None)
    for name in ("PUBLIC_URL", "ENCRYPTION_KEYS", "SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"):
        assert name in str(caught.value)


def test_everything_wrong_is_named_at_once_and_no_value_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "PORT": "eighty-hush",
        "LOG_FORMAT": "xml-hush",
        "PUBLIC_URL": "http://grants-hush.example.com",
        "DATABASE_URL": "mysql://root:hush@db",
        "ENCRYPTION_KEYS": "k1:hush",
        "SLACK_API_URL": "hush",
        "AMAZON_LWA_URL": "ftp://hush",
        "AMAZON_ORDERS_CLIENT_SECRET": "",
        "AMAZON_ORDERS_DRAFT": "hush",
        "AMAZON_LISTING_CLIENT_ID": "hush",
        "AMAZON_LISTING_CLIENT_SECRET_ISSUED": "hush",
        "MIRROR_URL": "https://mirror-hush.example.com",
        "SLACK_CLIENT_ID": "hush",
        "SLACK_SIGNING_SECRET": "",
    }
    said = problems(monkeypatch, **wrong)
    for name in (*wrong, "MIRROR_SECRET", "SLACK_CLIENT_SECRET", "AMAZON_LISTING_APPLICATION_ID"):
        short = name.replace("AMAZON_ORDERS_", "").replace("AMAZON_LISTING_", "")
        assert short in said, name
    assert "AMAZON_ORDERS" in said
    assert "AMAZON_LISTING" in said
    assert "hush" not in said


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"PUBLIC_URL": None}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "grants.example.com"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "http://grants.example.com"}, "https"),
        ({"PUBLIC_URL": "https://grants.example.com/?a=b"}, "PUBLIC_URL"),
        ({"ENCRYPTION_KEYS": None}, "ENCRYPTION_KEYS"),
        ({"ENCRYPTION_KEYS": KEY}, "ENCRYPTION_KEYS"),
        ({"ENCRYPTION_KEYS": f":{KEY}"}, "ENCRYPTION_KEYS"),
        ({"ENCRYPTION_KEYS": "k1:c2hvcnQ="}, "ENCRYPTION_KEYS"),
        ({"ENCRYPTION_KEYS": f"k1:{KEY},k1:{OTHER_KEY}"}, "ENCRYPTION_KEYS"),
        ({"SLACK_SIGNING_SECRET": None}, "SLACK_SIGNING_SECRET"),
        ({"SLACK_SIGNING_SECRET": " , "}, "SLACK_SIGNING_SECRET"),
        ({"SLACK_BOT_TOKEN": None}, "SLACK_BOT_TOKEN"),
        ({"SLACK_CLIENT_ID": "1.2"}, "SLACK_CLIENT_SECRET"),
        ({"MIRROR_SECRET": f"whsec_{'c2VjcmV0' * 4}"}, "MIRROR_URL"),
        ({"MIRROR_URL": "https://mirror.example.com", "MIRROR_SECRET": "whsec_x"}, "MIRROR_SECRET"),
        ({"MIRROR_URL": "https://mirror.example.com", "MIRROR_SECRET": "c2VjcmV0" * 4}, "MIRROR_SECRET"),
        ({"MIRROR_URL": "https://mirror.example.com", "MIRROR_SECRET": "whsec_c2hvcnQ="}, "MIRROR_SECRET"),
        ({"DATABASE_URL": "sqlite:///grantdesk.db"}, "DATABASE_URL"),
        ({"PORT": "70000"}, "PORT"),
        ({"AMAZON_ORDERS_CLIENT_ID": None}, "AMAZON_ORDERS"),
        ({"AMAZON_LISTING_APPLICATION_ID": "amzn1.sp.solution.x"}, "AMAZON_LISTING"),
        ({"AMAZON_ORDERS_CLIENT_SECRET_ISSUED": "05/01/2026"}, "AMAZON_ORDERS_CLIENT_SECRET_ISSUED"),
    ],
)
def test_each_rule_names_its_variable_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], named: str
) -> None:
    said = problems(monkeypatch, **changes)
    assert named in said
    for value in (KEY, OTHER_KEY, "grants.example.com", "70000", "05/01/2026", "whsec_x", "c2hvcnQ="):
        assert value not in said


@pytest.mark.parametrize(
    "changes",
    [
        {"PUBLIC_URL": "http://localhost:8080"},
        {"PUBLIC_URL": "http://127.0.0.1:8080"},
        {"SLACK_SIGNING_SECRET": None, "SLACK_APP_TOKEN": "xapp-1"},
        {"SLACK_BOT_TOKEN": None, "SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s"},
        {"DATABASE_URL": "postgresql+asyncpg://grantdesk@db/grantdesk"},
        {"MIRROR_URL": "https://mirror.example.com", "MIRROR_SECRET": f"whsec_{'c2VjcmV0' * 4}"},
        {"MIRROR_URL": "https://mirror.example.com", "MIRROR_SECRET": f"whsec_{'bmV3' * 8},whsec_{'b2xk' * 8}"},
        {"AMAZON_ORDERS_CLIENT_SECRET_ISSUED": " "},
    ],
)
def test_other_ways_to_be_right(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None]) -> None:
    assert load(monkeypatch, **changes).public_url


def test_no_secret_is_in_a_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "DATABASE_URL": "postgresql+asyncpg://grantdesk:hush-db@db/grantdesk",
        "SLACK_APP_TOKEN": "xapp-hush",
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "hush-client",
        "MIRROR_URL": "https://mirror.example.com",
        "MIRROR_SECRET": f"whsec_{'hush' * 8}",
    }
    settings = load(monkeypatch, **secrets)
    shown = f"{settings!r} {settings} {settings.applications!r} {settings.encryption_keys!r} {settings.model_dump()}"
    for secret in (
        KEY,
        GOOD["SLACK_SIGNING_SECRET"],
        GOOD["SLACK_BOT_TOKEN"],
        "xapp-hush",
        "hush-client",
        "whsec_hush",
        "orders-hush",
    ):
        assert secret not in shown
    assert "hush-db" not in repr(settings)


def test_signing_secrets_rotate_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, SLACK_SIGNING_SECRET=" new , old,,").signing_secrets == ("new", "old")
    assert load(monkeypatch, SLACK_SIGNING_SECRET="only").signing_secrets == ("only",)


def test_mirror_secrets_rotate_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = f"whsec_{'bmV3' * 8}", f"whsec_{'b2xk' * 8}"
    settings = load(monkeypatch, MIRROR_URL="https://mirror.example.com", MIRROR_SECRET=f" {new} ,{old},")
    assert settings.mirror_secrets == (new, old)


def test_encryption_keys_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, ENCRYPTION_KEYS=f" k2:{OTHER_KEY} , k1:{KEY}")
    assert list(settings.encryption_keys) == ["k2", "k1"]


def test_agents_are_read_as_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, SUPPORT_AGENTS="U0SAM, U0KIM,").support_agents == {"U0SAM", "U0KIM"}


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(monkeypatch).port = 1  # type: ignore[misc]
