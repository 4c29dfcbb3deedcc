"""The desk's numbers for Prometheus. Labels come from closed sets of words; nobody is named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.domain.tickets import TicketState

#: a quarter of an hour to three working weeks
_BUCKETS = tuple(60.0 * minutes for minutes in (15, 30, 60, 120, 240, 540, 1080, 2700, 5400, 8100))
_NO_TOPIC = "none"


class DeskMetrics:
    """`bot.ports.desk.DeskObserver` on a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tickets = Counter(
            "grantdesk_tickets", "What happened to tickets.", ["event", "source"], registry=registry
        )
        self._open = Gauge("grantdesk_tickets_open", "Tickets that are open now.", ["state"], registry=registry)
        self._first_answer = Histogram(
            "grantdesk_ticket_first_answer_seconds",
            "Working time until a ticket was answered first.",
            ["topic", "locale", "on_time"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._resolution = Histogram(
            "grantdesk_ticket_resolution_seconds",
            "Working time until a ticket was closed.",
            ["topic", "locale", "on_time"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._incidents = Counter(
            "grantdesk_incidents", "Incidents that began and ended.", ["event"], registry=registry
        )
        self._answers = Counter("grantdesk_answers", "Articles shown.", ["topic", "locale"], registry=registry)
        self._week = Gauge(
            "grantdesk_answers_week",
            "Articles shown in the last seven days, and those after which nobody turned to a person.",
            ["outcome"],
            registry=registry,
        )

    def ticket(self, event: str, source: str) -> None:
        self._tickets.labels(event, source).inc()

    def first_answer(self, topic: str, locale: str, taken: timedelta, *, on_time: bool) -> None:
        self._first_answer.labels(topic or _NO_TOPIC, locale, _word(on_time)).observe(taken.total_seconds())

    def resolution(self, topic: str, locale: str, taken: timedelta, *, on_time: bool) -> None:
        self._resolution.labels(topic or _NO_TOPIC, locale, _word(on_time)).observe(taken.total_seconds())

    def open_tickets(self, counts: Mapping[TicketState, int]) -> None:
        for state in TicketState:
            if state is not TicketState.CLOSED:
                self._open.labels(state.value).set(counts.get(state, 0))

    def incident(self, event: str) -> None:
        self._incidents.labels(event).inc()

    def answered(self, topic: str, locale: str) -> None:
        self._answers.labels(topic, locale).inc()

    def answers_week(self, shown: int, without_person: int) -> None:
        self._week.labels("shown").set(shown)
        self._week.labels("without_person").set(without_person)


def _word(on_time: bool) -> str:  # noqa: FBT001  # a label's value
    return "yes" if on_time else "no"
