"""What went in and out: every delivery with its acknowledgement time, every API call with its problems."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

KEPT = 3000
#: of an acknowledgement's body, for whoever reads the journal
ANSWER_SHOWN = 20_000


@dataclass(kw_only=True)
class Delivery:
    """One attempt to hand something to the bot."""

    id: int = 0
    kind: str
    summary: str
    who: str
    body: dict[str, Any]
    #: exactly what was sent, so that it can be sent again
    raw: bytes = b""
    content_type: str = ""
    attempt: int = 1
    at: float = 0.0
    ack_ms: float = 0.0
    status: int = 0
    ok: bool = False
    failure: str = ""
    answer: str = ""
    no_retry: bool = False
    problems: list[str] = field(default_factory=list)

    def brief(self) -> dict[str, Any]:
        seen = asdict(self)
        seen.pop("raw")
        seen["answer"] = self.answer[:ANSWER_SHOWN]
        return seen


@dataclass(kw_only=True)
class Call:
    """One Web API call, or one use of a response URL, by the bot."""

    id: int = 0
    method: str
    args: dict[str, Any]
    at: float = 0.0
    ms: float = 0.0
    status: int = 200
    ok: bool = True
    error: str = ""
    problems: list[str] = field(default_factory=list)

    def brief(self) -> dict[str, Any]:
        return asdict(self)


class Journal:
    """The newest few thousand deliveries and calls, and how many there ever were."""

    def __init__(self, touched: Callable[[], object]) -> None:
        self._touched = touched
        self._numbers = count(1)
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)
        self.calls: deque[Call] = deque(maxlen=KEPT)

    def delivered(self, delivery: Delivery) -> Delivery:
        delivery.id = next(self._numbers)
        self.deliveries.append(delivery)
        self._touched()
        return delivery

    def called(self, call: Call) -> Call:
        call.id = next(self._numbers)
        self.calls.append(call)
        self._touched()
        return call

    def forget(self) -> None:
        self.deliveries.clear()
        self.calls.clear()

    def problems(self) -> list[str]:
        """Everything that real Slack would have complained about."""
        found = [f"{call.method}: {problem}" for call in self.calls for problem in call.problems]
        for delivery in self.deliveries:
            if delivery.failure:
                found.append(f"{delivery.kind} {delivery.summary}: {delivery.failure}")
            found.extend(f"{delivery.kind} {delivery.summary}: {one}" for one in delivery.problems)
        return found
