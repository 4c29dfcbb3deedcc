"""The nearest known phrasing, and what it shares with the question: for the gate, and to explain an answer.

Chinese is compared by pairs of characters, other text by stems; rare ones weigh more.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from faq.features import stem, tokens

#: Pairs that stand in more phrases than this tell nothing apart.
_COMMON = 500
_DULL = frozenset(
    {
        "the",
        "a",
        "an",
        "is",
        "are",
        "was",
        "be",
        "to",
        "of",
        "in",
        "on",
        "at",
        "it",
        "its",
        "i",
        "my",
        "me",
        "we",
        "our",
        "you",
        "your",
        "do",
        "and",
        "or",
        "for",
        "with",
        "that",
        "this",
        "can",
        "have",
        "has",
        "will",
        "not",
        "but",
        "so",
        "if",
        "as",
        "by",
        "from",
        "there",
        "what",
        "how",
        "why",
        "when",
    }
)


@dataclass(frozen=True, slots=True)
class Known:
    """A taught phrase: as written, as cleaned, and what it is about."""

    slug: str
    text: str
    cleaned: str


@dataclass(frozen=True, slots=True)
class Nearness:
    """A taught phrase that resembles the question."""

    slug: str
    text: str
    #: 0 (nothing shared) to 1 (the same pairs).
    similarity: float
    shared: tuple[str, ...] = ()


def grams(cleaned: str) -> set[str]:
    found: set[str] = set()
    for part in tokens(cleaned):
        if part.isascii():
            if part not in _DULL:
                found.add(stem(part))
        elif len(part) == 1:
            found.add(part)
        else:
            found.update(part[i : i + 2] for i in range(len(part) - 1))
    return found


class NearestPhrases:
    """An inverted index over the taught phrases. Built once; immutable afterwards."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._known: Sequence[Known] = tuple(known)
        holders: defaultdict[str, list[int]] = defaultdict(list)
        sets = [grams(k.cleaned) for k in self._known]
        for number, found in enumerate(sets):
            for gram in found:
                holders[gram].append(number)
        total = len(self._known) or 1
        self._idf = {g: math.log(1 + total / len(numbers)) for g, numbers in holders.items()}
        self._unknown = math.log(1 + total)
        self._holders = dict(holders)
        self._norms = [math.sqrt(sum(self._idf[g] ** 2 for g in found)) or 1.0 for found in sets]

    def best(self, cleaned: str) -> dict[str, Nearness]:
        """The nearest phrase of every topic that has one at all."""
        asked = grams(cleaned)
        norm = math.sqrt(sum(self._idf.get(g, self._unknown) ** 2 for g in asked)) or 1.0
        overlap: defaultdict[int, float] = defaultdict(float)
        for gram in asked:
            numbers = self._holders.get(gram, ())
            if len(numbers) <= _COMMON:
                weight = self._idf.get(gram, 0.0) ** 2
                for number in numbers:
                    overlap[number] += weight
        best: dict[str, tuple[float, int]] = {}
        for number, weight in overlap.items():
            similarity = weight / (norm * self._norms[number])
            slug = self._known[number].slug
            if similarity > best.get(slug, (0.0, 0))[0]:
                best[slug] = (similarity, number)
        return {
            slug: Nearness(slug, self._known[number].text, min(1.0, similarity))
            for slug, (similarity, number) in best.items()
        }

    def with_shared(self, near: Nearness, cleaned: str, near_cleaned: str) -> Nearness:
        """The same, with the pairs and words both have, rarest first."""
        both = sorted(grams(cleaned) & grams(near_cleaned), key=lambda g: (-self._idf.get(g, 0.0), g))
        return Nearness(near.slug, near.text, near.similarity, tuple(both[:8]))
