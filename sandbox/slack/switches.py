"""Faults on order: how the next calls of a Web API method shall go wrong."""

from dataclasses import asdict, dataclass
from typing import Any

ANY_METHOD = "*"
#: The modes that are not simply an error word of Slack's.
MODES = {
    "429": "answers 429 with Retry-After",
    "ratelimited": "answers 200 with error ratelimited",
    "500": "answers 500 and does nothing",
    "lost": "does what was asked, and after `seconds` answers 500",
    "slow": "takes `seconds` and then works, unless the caller has hung up",
    "html": "answers 503 with an HTML page",
}


@dataclass(kw_only=True)
class Switch:
    """`mode` is one of MODES, or an error word such as token_revoked or message_not_found."""

    method: str
    mode: str
    times: int = 1
    seconds: float = 1.0

    def brief(self) -> dict[str, Any]:
        return asdict(self)


class Switches:
    """Each call uses up one `times` of the first switch that fits."""

    def __init__(self) -> None:
        self.active: list[Switch] = []

    def set(self, switch: Switch) -> None:
        self.active = [old for old in self.active if old.method != switch.method or old.mode != switch.mode]
        if switch.times > 0:
            self.active.append(switch)

    def take(self, method: str) -> Switch | None:
        for switch in self.active:
            if switch.method in {method, ANY_METHOD}:
                switch.times -= 1
                if switch.times <= 0:
                    self.active.remove(switch)
                return switch
        return None

    def clear(self) -> None:
        self.active.clear()
