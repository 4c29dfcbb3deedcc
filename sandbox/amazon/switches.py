"""How this Amazon can be made to misbehave. One row per switch: its default, what it accepts, what it does."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.amazon.errors import ERROR_PAGES

type_names = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}

LWA_STATUSES = (
    "ok",
    "invalid_client",
    "unauthorized_client",
    "html_503",
    "json_500",
    "throttled",
    "timeout",
    "slow",
)
SPAPI_STATUSES = ("ok", "403_empty", "403_token", "403_expired", "403_secret", "429", "html_503", "timeout")

Value = bool | int | float | str


class SwitchError(ValueError):
    """A switch that does not exist, or a value that it does not take."""


@dataclass(frozen=True)
class Switch:
    """A row; `choices` empty means any value of the default's type."""

    name: str
    default: Value
    group: str
    does: str
    choices: tuple[str, ...] = ()

    def reads(self, raw: object) -> Value:
        """Accepts JSON values as they are, and the strings of an HTML form."""
        value = self._from_form(raw) if isinstance(raw, str) else raw
        wanted = type(self.default)
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not wanted:
            raise SwitchError(f"{self.name} takes {type_names[wanted]}")
        if isinstance(value, (int, float)) and value < 0:
            raise SwitchError(f"{self.name} cannot be negative")
        if isinstance(value, str) and self.choices and value not in self.choices:
            raise SwitchError(f"{self.name} takes one of: {', '.join(c or '(empty)' for c in self.choices)}")
        return value

    def _from_form(self, raw: str) -> Value:
        text = raw.strip()
        if isinstance(self.default, bool):
            if text not in {"on", "true", "false", ""}:
                raise SwitchError(f"{self.name} takes true or false")
            return text in {"on", "true"}
        try:
            return type(self.default)(text)
        except ValueError as wrong:
            raise SwitchError(f"{self.name} takes {type_names[type(self.default)]}") from wrong


SWITCHES = (
    Switch("md_code", "", "Consent", "Show this error page instead of the consent.", ("", *ERROR_PAGES)),
    Switch("individual_plan", False, "Consent", "Treat every account as an Individual plan."),
    Switch("no_permission", False, "Consent", "Treat every user as a secondary user without permission."),
    Switch("consent_limit", False, "Consent", "Behave as if 25 sellers had authorized already."),
    Switch("draft", False, "Consent", "Treat every app as a draft: it needs version=beta."),
    Switch("silent", False, "Consent", "The consent succeeds, but the browser is never sent back."),
    Switch("wrong_partner", "", "Consent", "Answer for this selling partner, whoever is signed in."),
    Switch("relative_callback_uri", False, "Consent", "Send amazon_callback_uri without a host."),
    Switch("lwa_status", "ok", "Login with Amazon", "How the token endpoint answers.", LWA_STATUSES),
    Switch("lwa_app", "", "Login with Amazon", "Only for this app's key; empty for all."),
    Switch("lwa_next_n", 0, "Login with Amazon", "Only for so many requests; 0 for until switched back."),
    Switch("rotate_refresh_tokens", False, "Login with Amazon", "Each refresh returns a new refresh token."),
    Switch("spapi_participations", "ok", "SP-API", "How getMarketplaceParticipations answers.", SPAPI_STATUSES),
    Switch("spapi_listings", "ok", "SP-API", "How searchListingsItems answers.", SPAPI_STATUSES),
    Switch("spapi_orders", "ok", "SP-API", "How searchOrders answers.", SPAPI_STATUSES),
    Switch("spapi_next_n", 0, "SP-API", "Only for so many requests; 0 for until switched back."),
    Switch("suspended_listings", False, "SP-API", "Participations say that listings are suspended."),
    Switch("timeout_seconds", 30.0, "Patience", "How long a timeout keeps the caller waiting."),
    Switch("slow_seconds", 2.0, "Patience", "How long a slow answer takes."),
)

_BY_NAME = {switch.name: switch for switch in SWITCHES}


class Switches:
    """The switches as they stand. A set of changes is applied whole or not at all."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = {switch.name: switch.default for switch in SWITCHES}

    def set(self, changes: Mapping[str, object]) -> None:
        unknown = sorted(set(changes) - set(_BY_NAME))
        if unknown:
            raise SwitchError(f"no such switch: {', '.join(unknown)}; there are {', '.join(_BY_NAME)}")
        self._values |= {name: _BY_NAME[name].reads(raw) for name, raw in changes.items()}

    def all(self) -> dict[str, Value]:
        return dict(self._values)

    def is_on(self, name: str) -> bool:
        return bool(self._values[name])

    def text(self, name: str) -> str:
        return str(self._values[name])

    def number(self, name: str) -> float:
        return float(self._values[name])

    def use_up(self, counter: str, *statuses: str) -> None:
        """Counts one faulty answer; after the last one the statuses are "ok" again."""
        left = int(self._values[counter])
        if left == 0:
            return
        self._values[counter] = left - 1
        if left == 1:
            self._values |= dict.fromkeys(statuses, "ok")
