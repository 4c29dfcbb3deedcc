"""What the consent pages show, as plain values: no request in, no HTML out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.consent import ConsentAttempt, Outcome
from bot.domain.error_codes import Recognised
from bot.domain.features import FEATURES, FeatureKey, other_feature
from bot.domain.grants import GrantState
from bot.domain.verification import TURNS, Reason, Turn
from bot.i18n import Speaker
from bot.services.linking import Link
from bot.services.naming import Names

#: browsers whose pop-up notice we can point at, by what their User-Agent holds; the first that fits
_BROWSERS = (
    ("slack", ("slack", "com.tinyspeck")),
    ("edge", ("edg/", "edga/", "edgios/")),
    ("firefox", ("firefox/", "fxios/")),
    ("other", ("opr/", "micromessenger", "qqbrowser", "360se", "metasr", "ucbrowser", "samsungbrowser")),
    ("chrome", ("chrome/", "crios/", "chromium/")),
    ("safari", ("safari/",)),
)

#: rows that Amazon shows no code for
NAMED_BY_US = frozenset({"PRIMARY_USER"})

#: what to have ready, in the order in which Amazon asks for it
PREPARATIONS = ("account", "user", "two_step", "plan", "popups")


def browser_of(user_agent: str) -> str:
    """The browser's kind, a key of the catalogs (`page.blocked.<kind>`)."""
    agent = user_agent.casefold()
    return next((kind for kind, marks in _BROWSERS if any(mark in agent for mark in marks)), "other")


@dataclass(frozen=True, slots=True)
class FeatureView:
    """One feature as a page names it."""

    key: str
    name: str
    does: str
    #: the platform's own name for it, where that is not the name already
    label: str
    developer: str
    #: for screen readers: the name is read in its own language
    developer_language: str
    application: str


def feature_view(feature: FeatureKey, say: Speaker, names: Names) -> FeatureView:
    label = FEATURES[feature].platform_label
    return FeatureView(
        key=feature.value,
        name=label if say.locale == "zh-CN" else say(f"feature.{feature.value}.name"),
        does=say(f"feature.{feature.value}.does", **names.facts(say)),
        label="" if say.locale == "zh-CN" else label,
        developer=names.developers[feature],
        developer_language="en" if names.developers[feature].isascii() else "zh-CN",
        application=names.applications[feature],
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How a link stands, in one word for the script and two sentences for the reader."""

    state: str
    title: str = ""
    advice: str = ""
    #: a further sentence: an older grant that still stands, say
    note: str = ""
    #: whose turn it is, after a refusal
    turn: str = ""

    def facts(self) -> dict[str, str]:
        return {
            "state": self.state,
            "title": self.title,
            "advice": self.advice,
            "note": self.note,
            "turn": self.turn,
        }


def standing(link: Link, say: Speaker, names: Names, *, now: datetime) -> Standing:
    """The state of the link's page."""
    attempt = link.attempt
    match attempt.outcome:
        case Outcome.GRANTED:
            return granted(link, say, names)
        case Outcome.REPLACED:
            return Standing("ended", say("page.replaced.title"), say("page.replaced.advice"))
        case Outcome.REFUSED if attempt.reason:
            return refusal(link, attempt.reason, attempt.detail, say, names, now=now)
    if attempt.outcome is Outcome.TIMED_OUT or attempt.is_silent(now):
        advice = say("page.silent.advice")
        return Standing("silent", say("page.silent.title"), advice, still_granted(link, say, now=now))
    if attempt.pressed_at is not None:
        return Standing("authorizing", say("page.waiting.title"), say("page.waiting.advice"))
    return Standing("ready")


def granted(link: Link, say: Speaker, names: Names) -> Standing:
    """Success, with the day it ends."""
    feature = feature_view(link.attempt.feature, say, names)
    advice = say("page.granted.advice", store=link.store.label, feature=feature.name)
    note = say("page.granted.ends", day=say.date(link.grant.ends_at)) if link.grant.ends_at else ""
    return Standing("granted", say("page.granted.title"), advice, note)


def refusal(link: Link, reason: Reason, detail: str, say: Speaker, names: Names, *, now: datetime) -> Standing:
    """A reason in words, and whether something older still works."""
    title, advice = names.refusal(say, reason.value, detail=detail, feature=link.attempt.feature)
    turn = say(f"turn.{TURNS[reason].value}", **names.facts(say))
    return Standing("refused", title, advice, still_granted(link, say, now=now), turn)


def still_granted(link: Link, say: Speaker, *, now: datetime) -> str:
    """Nothing lost: the sentence that says so, if a grant from before stands."""
    if link.grant.standing(now) is not GrantState.GRANTED or link.grant.ends_at is None:
        return ""
    return say("page.still_granted", day=say.date(link.grant.ends_at))


def silent_reasons(link: Link, *, now: datetime) -> tuple[str, ...]:
    """What may have happened when Amazon stays silent: keys of the catalogs (`page.silent.<key>`).

    Whoever granted the other feature of this store has the right plan and may authorize.
    """
    proven = link.other is not None and link.other.standing(now) is GrantState.GRANTED
    return ("closed", "error", "slow") if proven else ("closed", "error", "permission", "slow")


def next_feature(link: Link, say: Speaker, names: Names, *, now: datetime) -> FeatureView | None:
    """The feature to go on with, if it is not granted yet and the link's day is not over."""
    other = other_feature(link.attempt.feature)
    if other is None or link.other is None or now >= link.attempt.expires_at:
        return None
    return None if link.other.standing(now) is GrantState.GRANTED else feature_view(other, say, names)


@dataclass(frozen=True, slots=True)
class ErrorView:
    """An error from Amazon's page, explained."""

    code: str
    meaning: str
    turn: str
    told: str = ""
    #: the primary user can do it
    forward: bool = False

    def facts(self) -> dict[str, str | bool]:
        return {
            "code": self.code,
            "meaning": self.meaning,
            "turn": self.turn,
            "told": self.told,
            "forward": self.forward,
        }


def error_view(found: Recognised | None, say: Speaker, names: Names) -> ErrorView:
    """What the error means, whose turn it is, and whether the desk was told."""
    facts = names.facts(say)
    if found is None:
        return ErrorView("", say("amazon_error.none"), "")
    if found.known is None:
        return ErrorView(found.written, say("amazon_error.unknown", code=found.written), "")
    turn = found.known.turn
    meaning = say(f"amazon_error.{found.known.code}", **facts)
    return ErrorView(
        "" if found.known.code in NAMED_BY_US else found.known.code,
        f"{meaning} {say('amazon_error.retry_first')}" if found.known.retry_first else meaning,
        say(f"turn.{turn.value}", **facts),
        say("amazon_error.desk_told") if turn is Turn.US else "",
        forward=turn is Turn.SELLER,
    )


def connect_address(public_url: str, secret: str, *, forwarded: bool = False) -> str:
    """The page's own link, for another machine or another person."""
    return f"{public_url}/connect/{secret}{'?for=primary' if forwarded else ''}"


def forward_message(
    say: Speaker,
    names: Names,
    *,
    label: str,
    marketplace: str,
    feature: FeatureKey,
    expires_at: datetime,
    address: str,
) -> str:
    """A message to the Amazon account's primary user, ready to be sent by whatever means; they need no Slack.

    `marketplace` as `Speaker.marketplace` writes it, `address` from `connect_address(…, forwarded=True)`.
    """
    view = feature_view(feature, say, names)
    facts: Mapping[str, object] = {
        **names.facts(say),
        "store": label,
        "marketplace": marketplace,
        "feature": view.name,
        "developer": view.developer,
        "until": moment(say, expires_at),
    }
    return f"{say('page.forward.message', **facts)}\n{address}"


def moment(say: Speaker, at: datetime) -> str:
    """A day and time with its zone: a store's own browser often claims to be somewhere else than its owner."""
    offset = at.astimezone(say.zone).strftime("%z")
    hours, minutes = offset[:3].replace("+0", "+").replace("-0", "-"), offset[3:]
    return f"{say.moment(at)} (UTC{hours}{'' if minutes == '00' else f':{minutes}'})"


def is_same_person(one: ConsentAttempt, other: ConsentAttempt) -> bool:
    """Whether two attempts belong to one person, or to two who share their stores."""
    return one.team_id == other.team_id and (one.user_id == other.user_id or one.seller_id == other.seller_id)
