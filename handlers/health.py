"""Says what broke and what is well again, nudges about a link that stayed silent, and tells the desk what is ours to mind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from bot.domain.clocks import UNLISTED_LIMIT
from bot.domain.notices import Notice, subject_of
from bot.domain.verification import Reason
from bot.domain.year_notices import (
    GrantBroke,
    GrantMended,
    NoAnswerForDays,
    SecretEnds,
    SecretRefused,
    StillSilent,
    UnlistedFull,
)
from bot.i18n import Speaker
from bot.ports import Person, Placement, Sending
from bot.services.naming import feature_name
from handlers.blocks import actions, button, message, mrkdwn, section
from handlers.routing import Registry
from handlers.stories import Stories
from handlers.wording import store_name

#: a gap longer than this is looked at by a person as well
LONG_GAP = timedelta(days=30)


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _Health(stories)
    registry.task("nudge_silent", edge.run_nudge)
    registry.notice(GrantBroke, edge.render_broke)
    registry.notice(GrantMended, edge.render_mended)
    registry.notice(StillSilent, edge.render_silent)
    registry.notice(SecretEnds, edge.render_secret)
    registry.notice(SecretRefused, edge.render_refused)
    registry.notice(UnlistedFull, edge.render_unlisted)
    registry.notice(NoAnswerForDays, edge.render_no_answer)


class _Health:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    # --- for sellers -------------------------------------------------------------------------------------------------

    async def run_nudge(self, team_id: str, arguments: Mapping[str, Any]) -> None:
        del team_id
        await self._stories.nudging.nudge(arguments["attempt_id"], mrkdwn)

    def render_broke(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, GrantBroke):
            raise TypeError(type(notice).__name__)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        happened, advice = self._stories.names.refusal(say, notice.reason, detail="", feature=notice.feature)
        lines = [
            f":no_entry: *{say(f'health.broke.{notice.feature.value}')}*",
            f"{store_name(say, notice.store)} · {feature_name(say, notice.feature)}",
            f"{happened} — {advice}",
            say("health.worked_until", at=datetime.fromisoformat(notice.worked_until)),
        ]
        if notice.others:
            lines.append(say("health.others", labels=say.list(list(notice.others))))
        again = button(
            bare("digest.renew"), f"grant.start:{notice.feature.value}", value=notice.store.id, style="primary"
        )
        check = button(bare("button.check"), f"grant.check:{notice.feature.value}", value=notice.store.id)
        rejected = notice.reason in (Reason.REVOKED, Reason.EXPIRED)
        return [
            Sending(
                message(section("\n".join(lines)), actions(*((again, check) if rejected else (check, again)))),
                Placement.THREAD,
                subject=subject_of(notice.store.id, notice.feature),
            )
        ]

    def render_mended(self, notice: Notice, person: Person) -> list[Sending]:
        """The gap, what comes back alone, and what does not."""
        if not isinstance(notice, GrantMended):
            raise TypeError(type(notice).__name__)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        since, until = datetime.fromisoformat(notice.worked_until), datetime.fromisoformat(notice.mended_at)
        feature = notice.feature.value
        facts = self._stories.names.facts(say)
        lines = [
            f":white_check_mark: *{say(f'health.mended.{feature}')}*",
            f"{store_name(say, notice.store)} · {feature_name(say, notice.feature)}",
            say(f"health.gap.{feature}", since=since, until=until),
            say(f"health.alone.{feature}", **facts),
            say(f"health.support.{feature}", **facts),
        ]
        if until - since > LONG_GAP:
            lines.append(say("health.long_gap"))
        if notice.others:
            lines.append(say("health.others", labels=say.list(list(notice.others))))
        ask = button(bare("button.ask_person"), "faq.person:yearly-renewal", value=notice.store.id)
        return [
            Sending(
                message(section("\n".join(lines)), actions(ask)),
                Placement.THREAD,
                subject=subject_of(notice.store.id, notice.feature),
            )
        ]

    def render_silent(self, notice: Notice, person: Person) -> list[Sending]:
        """The card is closed with its reason; its thread carries the answer."""
        if not isinstance(notice, StillSilent):
            raise TypeError(type(notice).__name__)
        say, bare = mrkdwn(person), Speaker(person.locale, tz=person.tz)
        subject = subject_of(notice.store.id, notice.feature)
        happened, _ = self._stories.names.refusal(say, Reason.NO_ANSWER.value, detail="", feature=notice.feature)
        title = f"*{store_name(say, notice.store)}*\n{feature_name(say, notice.feature)}"
        feature, store_id = notice.feature.value, notice.store.id
        buttons = actions(
            button(bare("button.new_link"), f"grant.again:{feature}", value=store_id, style="primary"),
            button(bare("button.check_again"), f"grant.check:{feature}", value=store_id),
            button(bare("button.saw_error"), f"grant.error:{feature}", value=store_id),
        )
        lines = [notice.text]
        if notice.ends_at:
            lines.append(say("grant.still_granted", ends=say.date(datetime.fromisoformat(notice.ends_at))))
        return [
            Sending(message(section(f"{title}\n:x: {happened}"), buttons), Placement.EDIT_CARD, subject=subject),
            Sending(message(section("\n".join(lines))), Placement.THREAD, subject=subject),
        ]

    # --- for the desk ------------------------------------------------------------------------------------------------

    def render_secret(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, SecretEnds):
            raise TypeError(type(notice).__name__)
        say = mrkdwn(person)
        ends_on = date.fromisoformat(notice.ends_on)
        left = (ends_on - self._stories.clock().astimezone(say.zone).date()).days
        facts = {**self._application(say, notice), "ends": ends_on}
        if left == 0:
            told = say("clock.secret_today", **facts)
        else:
            told = say.count("clock.secret_over" if left < 0 else "clock.secret_ends", abs(left), **facts)
        return [
            _told(
                f":key: *{told}*",
                say("clock.secret_how", variable=_variable(notice, "CLIENT_SECRET")),
            )
        ]

    def render_refused(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, SecretRefused):
            raise TypeError(type(notice).__name__)
        say = mrkdwn(person)
        return [
            _told(
                f":rotating_light: *{say('clock.secret_refused', **self._application(say, notice))}*",
                say("clock.secret_how", variable=_variable(notice, "CLIENT_SECRET")),
            )
        ]

    def render_unlisted(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, UnlistedFull):
            raise TypeError(type(notice).__name__)
        say = mrkdwn(person)
        facts = self._application(say, notice)
        key = "clock.sellers_full" if notice.sellers >= UNLISTED_LIMIT else "clock.sellers"
        return [
            _told(
                f":busts_in_silhouette: *{say(key, sellers=notice.sellers, limit=UNLISTED_LIMIT, **facts)}*",
                say("clock.sellers_how", variable=_variable(notice, "LISTED")),
            )
        ]

    def render_no_answer(self, notice: Notice, person: Person) -> list[Sending]:
        if not isinstance(notice, NoAnswerForDays):
            raise TypeError(type(notice).__name__)
        say = mrkdwn(person)
        happened, _ = self._stories.names.refusal(say, notice.reason, detail="", feature=notice.feature)
        return [
            _told(
                f":hourglass_flowing_sand: *{say.count('clock.no_answer', notice.days)}*",
                f"{store_name(say, notice.store)} · {feature_name(say, notice.feature)}",
                happened,
                say("clock.no_answer_how"),
            )
        ]

    def _application(self, say: Speaker, notice: SecretEnds | SecretRefused | UnlistedFull) -> dict[str, str]:
        names = self._stories.names
        return {
            "application": names.applications[notice.feature],
            "feature": feature_name(say, notice.feature),
        }


def _variable(notice: SecretEnds | SecretRefused | UnlistedFull, name: str) -> str:
    return f"AMAZON_{notice.feature.name}_{name}"


def _told(*lines: str) -> Sending:
    return Sending(message(section("\n".join(lines))))
