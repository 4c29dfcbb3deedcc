"""From free text to an article, to a person, or to nothing.

A `Matcher` is immutable: a changed library makes a new one, and `faq.live` puts it in the old one's place.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from faq.features import Concepts, features
from faq.gate import ANCHORS, FOREIGN, Gate
from faq.library import NEEDS_A_PERSON, NONE, Phrase
from faq.linear import Linear, softmax
from faq.nearest import Known, NearestPhrases, Nearness
from faq.text import clean

_FLOOR = 1e-9
_OFFERED = 3
#: Log-odds that a topic gains by a phrase that is the very same; less resemblance, less gain. On 1 260 rows by authors who had
#: taught nothing it mends one miss in ten; from 2 to 6 all are about as good.
_RESEMBLANCE = 3.0


class Band(StrEnum):
    """How sure we are of what was asked, and so what the bot does."""

    #: Sure enough to answer.
    ANSWER = "answer"
    #: A few likely topics: the asker chooses.
    OFFER = "offer"
    #: Not ours, or not clear: nothing is claimed.
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and how likely it is meant; all topics and silence add up to 1."""

    slug: str
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """What a question may be about."""

    band: Band
    #: Every topic, likeliest first; never `NONE`.
    topics: tuple[Topic, ...]
    #: The chance that the likeliest topic is a right one, and that the question is ours at all.
    right: float
    ours: float
    cleaned: str
    #: The gate's signals by name.
    signals: Mapping[str, float]
    #: The taught phrase that resembles the question most, whatever its topic; `NONE` for one that teaches silence.
    nearest: Nearness | None = None
    #: The question is, but for cleaning, a taught phrase.
    exact: bool = False

    @property
    def best(self) -> str:
        """The predicted label: the likeliest topic, or `NONE` when the bot stays silent."""
        return NONE if self.band is Band.SILENT or not self.topics else self.topics[0].slug

    @property
    def slugs(self) -> tuple[str, ...]:
        """The three likeliest, for buttons."""
        return tuple(t.slug for t in self.topics[:_OFFERED])

    @property
    def needs_a_person(self) -> bool:
        return self.best == NEEDS_A_PERSON


class Matcher:
    """Answers `match` from immutable tables; safe to share between threads."""

    def __init__(self, linear: Linear, phrases: NearestPhrases, *, concepts: Concepts, gate: Gate) -> None:
        self._linear = linear
        self._phrases = phrases
        self._concepts = concepts
        self._gate = gate
        self._silence = linear.classes.index(NONE)

    def knowing(self, phrases: Iterable[Phrase]) -> "Matcher":
        """A matcher that also knows these phrases. It shares what this one holds, so that each workspace can have its own."""
        known = [Known(phrase.slug, phrase.text, clean(phrase.text)) for phrase in phrases]
        linear = self._linear.copy()
        linear.learn((features(self._concepts, k.cleaned), k.slug) for k in known)
        phrases_too = NearestPhrases(known, base=self._phrases)
        return Matcher(linear, phrases_too, concepts=self._concepts, gate=self._gate)

    def match(self, text: str, *, evidence: Mapping[str, float] | None = None) -> Match:
        """Rank the topics and decide whether to speak.

        `evidence` is what the asker's own stores suggest, as log-odds a topic (0 = nothing known, ±1 is strong). It
        moves topics among each other; how likely it is that the bot should say nothing stays as it was.
        """
        cleaned = clean(text)
        counted = features(self._concepts, cleaned)
        vector, share = self._linear.vector(counted)
        chances = softmax(self._linear.scores(vector))
        silence = chances[self._silence]
        near = self._phrases.best(cleaned)
        topics = self._ranked(chances, near, evidence or {})
        signals = _signals(topics, silence, share=share, near=near, counted=counted)
        values = list(signals.values())
        right, ours = self._gate.right.chance(values), self._gate.ours.chance(values)
        closest = max(near.values(), key=lambda n: n.similarity, default=None)
        if not cleaned or not topics:
            return Match(Band.SILENT, topics, 0.0, 0.0, cleaned, signals)
        taught = self._phrases.exact(cleaned)
        if taught is not None:
            return self._as_taught(taught, topics, cleaned, signals)
        return Match(self._band(cleaned, right, ours), topics, right, ours, cleaned, signals, closest)

    def explain(self, match: Match) -> Match:
        """The same match, with what the nearest phrasing and the question share."""
        if match.nearest is None:
            return match
        near = self._phrases.with_shared(match.nearest, match.cleaned)
        return Match(match.band, match.topics, match.right, match.ours, match.cleaned, match.signals, near, match.exact)

    def _band(self, cleaned: str, right: float, ours: float) -> Band:
        if ours < self._gate.offer_from:
            return Band.SILENT
        return Band.ANSWER if right >= self._gate.answer_from.of(cleaned) else Band.OFFER

    def _ranked(
        self, chances: Sequence[float], near: Mapping[str, Nearness], evidence: Mapping[str, float]
    ) -> tuple[Topic, ...]:
        def gain(slug: str) -> float:
            resembles = near[slug].similarity if slug in near else 0.0
            return math.exp(_RESEMBLANCE * resembles + max(-3.0, min(3.0, evidence.get(slug, 0.0))))

        pairs = [
            (slug, chance * gain(slug))
            for slug, chance in zip(self._linear.classes, chances, strict=True)
            if slug != NONE
        ]
        kept = 1 - chances[self._silence]
        scale = kept / (sum(c for _, c in pairs) or 1.0)
        return tuple(
            Topic(slug, chance * scale) for slug, chance in sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
        )

    def _as_taught(self, taught: Known, topics: tuple[Topic, ...], cleaned: str, signals: Mapping[str, float]) -> Match:
        near = Nearness(taught.slug, taught.text, 1.0)
        if taught.slug == NONE:
            return Match(Band.SILENT, topics, 0.0, 0.0, cleaned, signals, near, exact=True)
        first = next((t for t in topics if t.slug == taught.slug), Topic(taught.slug, 1.0))
        rest = (t for t in topics if t.slug != taught.slug)
        return Match(Band.ANSWER, (first, *rest), 1.0, 1.0, cleaned, signals, near, exact=True)


def _signals(
    topics: Sequence[Topic], silence: float, *, share: float, near: Mapping[str, Nearness], counted: Sequence[str]
) -> dict[str, float]:
    first, second = topics[0], topics[1]
    named = {f[1:] for f in counted if f.startswith("=") and "+" not in f}
    others = [n.similarity for slug, n in near.items() if slug not in {first.slug, NONE}]
    same = near.get(first.slug)
    nothing = near.get(NONE)
    return {
        "likeliest": _log_odds(first.score),
        "lead": min(6.0, math.log((first.score + _FLOOR) / (second.score + _FLOOR))),
        "nothing": _log_odds(silence),
        "three": sum(t.score for t in topics[:3]),
        "known": share,
        "near": same.similarity if same else 0.0,
        "near_other": max(others, default=0.0),
        "near_nothing": nothing.similarity if nothing else 0.0,
        "anchors": float(min(6, len(named & ANCHORS))),
        "foreign": float(min(4, len(named & FOREIGN))),
        "elsewhere": float("otherplatform" in named),
        "amazon": float("amazon" in named),
        "length": math.log1p(len(counted)),
        "few": float(len(counted) < 12),  # noqa: PLR2004 -- a word or two
    }


def _log_odds(chance: float) -> float:
    clipped = min(1 - 1e-4, max(1e-4, chance))
    return math.log(clipped / (1 - clipped))
