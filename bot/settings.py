"""Everything the operator decides, read from the environment and `.env`, checked whole at start.

`.env.example` lists every name with its meaning; a test keeps the two the same.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.deadlines import Targets
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.incidents import Watch
from bot.domain.working_hours import DEFAULT_HOURS, DEFAULT_ZONE, WorkingHours, read_holidays, read_hours
from bot.errors import ConfigurationError

_KEY_BYTES = 32
#: Standard Webhooks: a secret has 24 to 64 bytes
_LEAST_MIRROR_BYTES = 24
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _empty_is_unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an http(s) address without query or fragment")
    return value.rstrip("/")


def _parts(secret: SecretStr) -> tuple[str, ...]:
    """Secrets that are separated by commas."""
    return tuple(filter(None, (part.strip() for part in secret.get_secret_value().split(","))))


Optional_ = BeforeValidator(_empty_is_unset)

#: a problem that begins so is one of several fields together, wherever it was found
_WHOLE = "together: "


class _Given:
    """Whether a field was given something; one that was given something wrong was."""

    def __init__(self, info: ValidationInfo) -> None:
        self._data = info.data

    def __call__(self, name: str) -> bool:
        value = self._data.get(name, "wrong")
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return bool(text.strip(" ,") if isinstance(text, str) else text)


class ApplicationSettings(BaseSettings):
    """One feature's Amazon application: `AMAZON_<FEATURE>_…`."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    application_id: str = Field(default="", description="amzn1.sp.solution.…; without it the feature cannot be granted")
    client_id: str = Field(default="", description="Login with Amazon client id")
    client_secret: SecretStr = Field(default=SecretStr(""), description="Login with Amazon client secret")
    client_secret_issued: Annotated[date | None, Optional_] = Field(
        default=None, description="the day it was issued (YYYY-MM-DD): it ends after 180 days"
    )
    developer_name: str = Field(default="", description="the name under Manage Your Apps; default: the platform's")
    draft: bool = Field(default=False, description="true while the app is a draft: adds version=beta")
    listed: bool = Field(default=True, description="false while the app is not in the Appstore: 25 sellers at most")

    @field_validator("listed", mode="after")
    @classmethod
    def _whole_or_not_at_all(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's own signature
        """On the last field, so that it is heard even when another one is wrong."""
        given = [_Given(info)(name) for name in ("application_id", "client_id", "client_secret")]
        if any(given) and not all(given):
            raise ValueError(
                f"{_WHOLE}APPLICATION_ID, CLIENT_ID and CLIENT_SECRET belong together: set all three or none"
            )
        return value

    @property
    def configured(self) -> bool:
        return bool(self.application_id)


class Settings(BaseSettings):
    """The whole configuration. Build it with `Settings.load()`."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    slack_signing_secret: SecretStr = Field(default=SecretStr(""), description="comma-separated while rotating")
    slack_bot_token: SecretStr = Field(default=SecretStr(""), description="xoxb-…: one workspace")
    slack_client_id: str = Field(default="", description="with the secret: many workspaces, installed by OAuth")
    slack_client_secret: SecretStr = Field(default=SecretStr(""), description="belongs to SLACK_CLIENT_ID")
    slack_app_token: SecretStr = Field(default=SecretStr(""), description="xapp-…: Socket Mode instead of HTTP")
    slack_api_url: str = Field(default="https://slack.com/api/", description="Slack's Web API")
    public_url: str = Field(default="", description="where browsers reach this service, https in production")
    database_url: str = Field(
        default="sqlite+aiosqlite:///grantdesk.db",
        repr=False,
        description="or postgresql+asyncpg://user:password@host/name",
    )
    encryption_keys: Annotated[Mapping[str, SecretStr], NoDecode] = Field(
        default_factory=dict, description="id:base64 of 32 bytes, comma-separated, newest first; required"
    )
    amazon_lwa_url: str = Field(
        default="https://api.amazon.com", description="Login with Amazon, one host for all regions"
    )
    amazon_spapi_url: str = Field(default="", description="replaces every Selling Partner API host")
    amazon_seller_central_url: str = Field(default="", description="replaces every Seller Central host")
    support_channel: str = Field(default="", description="the id of the support agents' channel (C…)")
    support_agents: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(), description="user ids of support agents (U…), comma-separated"
    )
    desk_locale: Literal["en", "zh-CN", "zh-TW"] = Field(
        default="en", description="the language of the support channel: en, zh-CN or zh-TW"
    )
    desk_time_zone: str = Field(
        default=DEFAULT_ZONE, description="the support desk's time zone, an IANA name such as Asia/Shanghai"
    )
    desk_hours: str = Field(
        default=DEFAULT_HOURS,
        description="when the support desk is open: Mon-Fri 09:00-12:00 13:00-18:00; Sat 10:00-14:00",
    )
    desk_holidays: str = Field(
        default="", description="days on which the desk stays closed: 2026-10-01..2026-10-07, 2026-12-25"
    )
    desk_answer_minutes: int = Field(
        default=60, ge=1, le=10_000, description="the target for a first answer, in working minutes"
    )
    desk_resolve_minutes: int = Field(
        default=540, ge=1, le=100_000, description="the target for a resolution, in working minutes"
    )
    desk_warn_minutes: int = Field(
        default=15, ge=0, le=1000, description="working minutes before a target is missed: its agent is warned"
    )
    desk_remind_minutes: int = Field(
        default=60,
        ge=1,
        le=10_000,
        description="working minutes between reminders of a missed target, until acknowledged",
    )
    desk_handover_minutes: int = Field(
        default=15, ge=0, le=240, description="minutes before the desk closes: open work is handed over"
    )
    desk_incident_stores: int = Field(
        default=3,
        ge=2,
        le=1000,
        description="so many stores with the same failure make an incident",
    )
    desk_incident_minutes: int = Field(
        default=10, ge=1, le=60, description="within so many minutes; and so long it must be quiet before it is over"
    )
    desk_channels: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(), description="channels (C…) whose messages become tickets, comma-separated; empty: none"
    )
    platform_name: str = Field(
        default="SaleYee", description="the distribution platform's name; shown as 赛盈 in Chinese"
    )
    sister_name: str = Field(default="Feikan", description="the sister system's name; shown as 飞刊 in Chinese")
    mirror_url: str = Field(default="", description="where the sister system takes events; empty: no mirroring")
    mirror_secret: SecretStr = Field(
        default=SecretStr(""), description="whsec_…, shared with the sister system; comma-separated while rotating"
    )
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="the port to listen on")
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=5,
        description="proxies of yours in front: whose X-Forwarded-For to believe, for rate limits",
    )
    log_format: Literal["console", "json"] = Field(default="console", description="console or json")

    #: one for each feature; read from AMAZON_<FEATURE>_…
    applications: Mapping[FeatureKey, ApplicationSettings] = Field(default_factory=dict, exclude=True)

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _read_keys(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        keys: dict[str, SecretStr] = {}
        for entry in filter(None, (part.strip() for part in value.split(","))):
            key_id, colon, encoded = entry.partition(":")
            try:
                raw = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                raw = b""
            if not colon or not key_id or len(raw) != _KEY_BYTES:
                raise ValueError(
                    "each key is id:base64 of 32 random bytes; make one with "
                    "`python -c \"import os,base64;print('k1:'+base64.b64encode(os.urandom(32)).decode())\"`"
                )
            if key_id in keys:
                raise ValueError(f"the key id {key_id} is used twice")
            keys[key_id] = SecretStr(encoded)
        return keys

    @field_validator("desk_time_zone", mode="after")
    @classmethod
    def _read_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is not an IANA time zone such as Asia/Shanghai") from None
        return value

    @field_validator("desk_hours", mode="after")
    @classmethod
    def _read_hours(cls, value: str) -> str:
        read_hours(value)
        return value

    @field_validator("desk_holidays", mode="after")
    @classmethod
    def _read_holidays(cls, value: str) -> str:
        read_holidays(value)
        return value

    @field_validator("support_agents", "desk_channels", mode="before")
    @classmethod
    def _read_ids(cls, value: Any) -> Any:
        return frozenset(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value

    @field_validator("slack_api_url", mode="after")
    @classmethod
    def _read_api_url(cls, value: str) -> str:
        return f"{_address(value)}/"

    @field_validator("amazon_lwa_url", "amazon_spapi_url", "amazon_seller_central_url", "mirror_url", mode="after")
    @classmethod
    def _read_url(cls, value: str) -> str:
        return _address(value) if value else value

    @field_validator("mirror_secret", mode="after")
    @classmethod
    def _read_mirror_secret(cls, value: SecretStr) -> SecretStr:
        for secret in _parts(value):
            try:
                key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
            except (binascii.Error, ValueError):
                key = b""
            if not secret.startswith("whsec_") or len(key) < _LEAST_MIRROR_BYTES:
                raise ValueError(
                    "each secret is whsec_ and base64 of 24 random bytes or more; make one with "
                    "`python -c \"import os,base64;print('whsec_'+base64.b64encode(os.urandom(32)).decode())\"`"
                )
        return value

    @field_validator("public_url", mode="after")
    @classmethod
    def _read_public_url(cls, value: str) -> str:
        if not value:
            raise ValueError("is required: the address at which browsers and Amazon reach this service")
        address = _address(value)
        if urlsplit(address).scheme == "http" and urlsplit(address).hostname not in _LOOPBACK:
            raise ValueError("must be https: Amazon and browsers refuse anything else outside this machine")
        return address

    @field_validator("database_url", mode="after")
    @classmethod
    def _read_database_url(cls, value: str) -> str:
        if not value.startswith(("sqlite+aiosqlite:", "postgresql+asyncpg:")):
            raise ValueError("must begin with sqlite+aiosqlite: or postgresql+asyncpg:")
        return value

    @field_validator("applications", mode="after")
    @classmethod
    def _fits_together(cls, value: Mapping[FeatureKey, ApplicationSettings], info: ValidationInfo) -> Any:
        """What must be there, and what belongs together. On the last field, because a validator of the whole model would
        not run, and so would not be heard, while any one field is wrong. A field that is wrong is named already.
        """
        given = _Given(info)
        wrong = []
        if not given("encryption_keys"):
            wrong.append("ENCRYPTION_KEYS is required (id:base64key)")
        if not given("slack_signing_secret") and not given("slack_app_token"):
            wrong.append("SLACK_SIGNING_SECRET is required (or SLACK_APP_TOKEN for Socket Mode)")
        many = given("slack_client_id"), given("slack_client_secret")
        if any(many) and not all(many):
            wrong.append("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together")
        if not given("slack_bot_token") and not all(many):
            wrong.append("SLACK_BOT_TOKEN is required (or SLACK_CLIENT_ID and SLACK_CLIENT_SECRET for many workspaces)")
        if given("mirror_url") != given("mirror_secret"):
            wrong.append("MIRROR_URL and MIRROR_SECRET belong together")
        if wrong:
            raise ValueError(_WHOLE + "; ".join(wrong))
        return value

    @property
    def targets(self) -> Targets:
        """What the desk promises, in its working hours."""
        hours = WorkingHours(
            ZoneInfo(self.desk_time_zone), read_hours(self.desk_hours), read_holidays(self.desk_holidays)
        )
        return Targets(
            hours=hours,
            answer=timedelta(minutes=self.desk_answer_minutes),
            resolve=timedelta(minutes=self.desk_resolve_minutes),
            warn=timedelta(minutes=self.desk_warn_minutes),
            remind=timedelta(minutes=self.desk_remind_minutes),
            hand_over=timedelta(minutes=self.desk_handover_minutes),
        )

    @property
    def watch(self) -> Watch:
        """What makes an incident."""
        within = timedelta(minutes=self.desk_incident_minutes)
        return Watch(stores=self.desk_incident_stores, within=within, quiet=within)

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """Newest first; more than one while rotating."""
        return _parts(self.slack_signing_secret)

    @property
    def mirror_secrets(self) -> tuple[str, ...]:
        """Newest first; more than one while rotating."""
        return _parts(self.mirror_secret)

    @classmethod
    def load(cls, *, env_file: str | None = ".env", **given: Any) -> Settings:
        """Reads and checks everything. Raises ConfigurationError naming all that is wrong, without any value."""
        problems: list[str] = []
        applications: dict[FeatureKey, ApplicationSettings] = {}
        for key in FEATURES:
            prefix = f"AMAZON_{key.name}_"
            try:
                applications[key] = ApplicationSettings(_env_prefix=prefix, _env_file=env_file)
            except ValidationError as error:
                problems += _named(error, prefix)
        try:
            settings = cls(_env_file=env_file, **{"applications": MappingProxyType(applications), **given})
        except ValidationError as error:
            raise ConfigurationError(problems="; ".join(problems + _named(error, ""))) from None
        if problems:
            raise ConfigurationError(problems="; ".join(problems))
        return settings


def _named(error: ValidationError, prefix: str) -> list[str]:
    """One clause for each problem, by the variable's name; never the value."""
    clauses = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        name = prefix + "_".join(str(part) for part in problem["loc"]).upper()
        message = problem["msg"].removeprefix("Value error, ")
        of_several = message.startswith(_WHOLE)
        clauses.append(f"{prefix}{message.removeprefix(_WHOLE)}" if of_several else f"{name}: {message}")
    return clauses
