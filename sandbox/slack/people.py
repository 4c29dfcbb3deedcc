"""Who lives in the sandbox workspace, and in which conversations."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

TEAM_ID = "T0SANDBOX"
TEAM_NAME = "Grantdesk Sandbox"
TEAM_DOMAIN = "grantdesk-sandbox"
APP_ID = "A0SANDBOX"
BOT_ID = "B0BOT"
BOT_USER = "U0BOT"
BOT_NAME = "grantdesk"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member; `name` is the handle by which tests and the page call them."""

    id: str
    name: str
    real_name: str
    locale: str
    tz: str
    title: str = "Seller"
    bot: bool = False
    #: administers the workspace
    admin: bool = False

    def brief(self) -> dict[str, object]:
        """What the page needs to show this person."""
        return {
            "id": self.id,
            "name": self.name,
            "real_name": self.real_name,
            "locale": self.locale,
            "tz": self.tz,
            "title": self.title,
            "bot": self.bot,
        }

    def as_user(self, now: float, *, with_locale: bool) -> dict[str, object]:
        """The `user` object of `users.info`; the locale is there only when it was asked for."""
        local = datetime.fromtimestamp(now, ZoneInfo(self.tz))
        offset = local.utcoffset()
        user: dict[str, object] = {
            "id": self.id,
            "team_id": TEAM_ID,
            "name": self.name,
            "deleted": False,
            "color": "4b6cb7",
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": local.tzname() or self.tz,
            "tz_offset": int(offset.total_seconds()) if offset is not None else 0,
            "profile": {
                "real_name": self.real_name,
                "real_name_normalized": self.real_name,
                "display_name": self.real_name,
                "display_name_normalized": self.real_name,
                "title": self.title,
                "team": TEAM_ID,
            },
            "is_admin": self.admin,
            "is_owner": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_bot": self.bot,
            "is_app_user": False,
            "updated": 1_700_000_000,
        }
        if with_locale:
            user["locale"] = self.locale
        return user


@dataclass(kw_only=True)
class Channel:
    """A channel, or a direct message between one person and the bot."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    topic: str = ""
    im_with: str | None = None
    private: bool = False

    def brief(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "private": self.private,
            "topic": self.topic,
            "members": sorted(self.members),
            "im_with": self.im_with,
        }

    @property
    def kind(self) -> str:
        """What events call `channel_type`."""
        if self.im_with is not None:
            return "im"
        return "group" if self.private else "channel"

    def as_conversation(self) -> dict[str, object]:
        """The `channel` object of `conversations.info`."""
        common: dict[str, object] = {
            "id": self.id,
            "created": 1_700_000_000,
            "is_archived": False,
            "is_org_shared": False,
            "context_team_id": TEAM_ID,
        }
        if self.im_with is not None:
            return {**common, "is_im": True, "user": self.im_with, "is_user_deleted": False}
        return {
            **common,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.private,
            "is_group": self.private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.private,
            "is_general": self.id == "C0GENERAL",
            "is_member": BOT_USER in self.members,
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": self.topic, "creator": "", "last_set": 0},
            "num_members": len(self.members),
        }


BOT = Person(id=BOT_USER, name=BOT_NAME, real_name="Grantdesk", locale="en-US", tz="Etc/UTC", title="App", bot=True)
PEOPLE = (
    Person(id="U0MEI", name="mei", real_name="Mei", locale="zh-CN", tz="Asia/Shanghai"),
    Person(id="U0LIN", name="lin", real_name="Lin", locale="zh-TW", tz="Asia/Taipei"),
    Person(id="U0ALEX", name="alex", real_name="Alex", locale="en-US", tz="America/Los_Angeles"),
    Person(
        id="U0SAM",
        name="sam",
        real_name="Sam",
        locale="en-US",
        tz="Europe/London",
        title="Support agent and workspace admin",
        admin=True,
    ),
    Person(id="U0KIM", name="kim", real_name="Kim", locale="zh-CN", tz="Asia/Shanghai", title="Support agent"),
)


def channels() -> tuple[Channel, ...]:
    """Fresh copies of the two channels, since their members change."""
    everyone = {person.id for person in PEOPLE} | {BOT_USER}
    return (
        Channel(id="C0GENERAL", name="general", members=everyone, topic="Everyone is here"),
        Channel(
            id="C0SUPPORT",
            name="support",
            members={"U0SAM", "U0KIM", BOT_USER},
            topic="Questions that need a person",
        ),
    )
