"""What the core asks of the world. Implemented by `storage`, `bot.adapters`, and by fakes in the tests."""

from bot.ports.amazon import Amazon, Participation, Tokens
from bot.ports.clock import Clock, Entropy
from bot.ports.database import Database, Work
from bot.ports.delivery import (
    CardAddress,
    CardFinder,
    Cards,
    Errand,
    ErrandQueue,
    Message,
    People,
    Person,
    Placement,
    Renderer,
    Sending,
)
from bot.ports.keeping import (
    Attempts,
    Audit,
    AuditEvent,
    AuditFilter,
    AuditLog,
    Authorizations,
    Grants,
    Outbox,
    Sellers,
    Stores,
)
from bot.ports.knowledge import AnsweredThreads, Channels, Misses, Taught
from bot.ports.mirror import Mirror
from bot.ports.workspace import Deliveries, Installation, Installations, JobRuns, Sighting
from bot.ports.year import Announcements, Checkup, Endings, Health, Place, Readers

__all__ = [
    "Amazon",
    "Announcements",
    "AnsweredThreads",
    "Attempts",
    "Audit",
    "AuditEvent",
    "AuditFilter",
    "AuditLog",
    "Authorizations",
    "CardAddress",
    "CardFinder",
    "Cards",
    "Channels",
    "Checkup",
    "Clock",
    "Database",
    "Deliveries",
    "Endings",
    "Entropy",
    "Errand",
    "ErrandQueue",
    "Grants",
    "Health",
    "Installation",
    "Installations",
    "JobRuns",
    "Message",
    "Mirror",
    "Misses",
    "Outbox",
    "Participation",
    "People",
    "Person",
    "Place",
    "Placement",
    "Readers",
    "Renderer",
    "Sellers",
    "Sending",
    "Sighting",
    "Stores",
    "Taught",
    "Tokens",
    "Work",
]
