"""Modals and homes as one person has them open, with what they have filled in so far."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sandbox.slack.elements import settled
from sandbox.slack.people import APP_ID, BOT_ID, TEAM_ID

EMPTY_TEXT = {
    "title": None,
    "submit": None,
    "close": None,
}


@dataclass(kw_only=True)
class View:
    """One modal or home. `state` is Slack's `view.state.values`."""

    id: str
    user: str
    body: dict[str, Any]
    hash: str
    root_id: str
    previous_id: str | None = None
    state: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    notice: str = ""
    version: int = 0

    @property
    def external_id(self) -> str:
        return str(self.body.get("external_id") or "")

    @property
    def blocks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body["blocks"]
        return found

    def settled(self) -> "View":
        """Give new elements their starting value; what was typed into ones that stay is kept."""
        self.state = settled(self.blocks, self.state)
        return self

    def as_view(self) -> dict[str, Any]:
        """The `view` object that Slack hands out."""
        return EMPTY_TEXT | {
            "private_metadata": "",
            "callback_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "submit_disabled": False,
            **self.body,
            "id": self.id,
            "team_id": TEAM_ID,
            "state": {"values": self.state},
            "hash": self.hash,
            "root_view_id": self.root_id,
            "previous_view_id": self.previous_id,
            "external_id": self.external_id,
            "app_id": APP_ID,
            "app_installed_team_id": TEAM_ID,
            "bot_id": BOT_ID,
        }

    def as_seen(self) -> dict[str, Any]:
        """The same for our own page and client, with errors under inputs."""
        return self.as_view() | {
            "errors": self.errors,
            "warnings": self.warnings,
            "notice": self.notice,
            "version": self.version,
        }


@dataclass
class ViewStack:
    """The modals one person has open, the visible one last."""

    LIMIT: ClassVar[int] = 3
    open: list[View] = field(default_factory=list)

    @property
    def top(self) -> View | None:
        return self.open[-1] if self.open else None
