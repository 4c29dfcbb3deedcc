"""Who may do what: sellers see their own, agents see state and never secrets, admins say who is an agent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """Values are stored and are keys of the catalogs (`role.<value>`)."""

    SELLER = "seller"
    AGENT = "agent"
    ADMIN = "admin"

    @property
    def works_at_desk(self) -> bool:
        return self is not Role.SELLER

    @property
    def manages_roles(self) -> bool:
        return self is Role.ADMIN


@dataclass(frozen=True, slots=True)
class Appointment:
    """A role that somebody gave to somebody."""

    team_id: str
    user_id: str
    role: Role
    given_by: str
    given_at: datetime
