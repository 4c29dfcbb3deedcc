"""What a question was taken for: the matcher's ranking as one topic, a few to choose from, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from faq.matcher import Band, Match

#: a topic this much less likely than the likeliest is still a candidate: then the asker chooses
CLOSE = 0.6
#: below this share of the likeliest, a topic is not worth a button
WORTH_OFFERING = 0.2
#: a topic this likely is worth a button even where nothing is claimed: a single word says little, and mostly just that
WORTH_GUESSING = 0.25
_MOST_OFFERED = 3


@dataclass(frozen=True, slots=True)
class Understood:
    """What a question was taken for: one topic, a few to choose from, or nothing."""

    band: Band
    #: one when it is sure, two or three to choose from, none in silence
    slugs: tuple[str, ...]
    #: the likeliest topic even in silence, for counting
    likeliest: str
    #: in silence, what a word or two may have meant: for whoever asked us and must be told something
    guess: str = ""


def understood_from(match: Match) -> Understood:
    """Two close candidates are offered, whichever of them is ahead."""
    likeliest = match.topics[0].slug if match.topics else ""
    if match.band is Band.SILENT or not match.topics:
        guess = likeliest if match.topics and match.topics[0].score >= WORTH_GUESSING else ""
        return Understood(Band.SILENT, (), likeliest, guess)
    best = match.topics[0].score
    if match.band is Band.ANSWER and (match.exact or match.topics[1].score < CLOSE * best):
        return Understood(Band.ANSWER, (likeliest,), likeliest)
    near = [topic.slug for topic in match.topics[2:_MOST_OFFERED] if topic.score >= WORTH_OFFERING * best]
    return Understood(Band.OFFER, (likeliest, match.topics[1].slug, *near), likeliest)
