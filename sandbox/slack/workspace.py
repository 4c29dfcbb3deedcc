"""Everything a Web API method may use, handed over in one piece."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.journal import Journal
from sandbox.slack.settings import SlackSettings
from sandbox.slack.switches import Switches
from sandbox.slack.world import World

Json = dict[str, Any]


@dataclass
class Workspace:
    """`announce(event, who)` sends an event to the bot in the background."""

    settings: SlackSettings
    world: World
    journal: Journal
    announce: Callable[[Json, str], None]
    switches: Switches = field(default_factory=Switches)
    #: files waiting for their bytes, and files that have them
    files: dict[str, Json] = field(default_factory=dict)
    file_bytes: dict[str, bytes] = field(default_factory=dict)
    #: codes of the authorize page: code -> (user, redirect uri, when)
    codes: dict[str, tuple[str, str, float]] = field(default_factory=dict)

    def reset(self) -> None:
        self.journal.forget()
        self.switches.clear()
        self.files.clear()
        self.file_bytes.clear()
        self.codes.clear()
        self.world.reset()
