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
    """An inverted index over taught phrases, built once. With a `base`, what that one knows counts as well, and rarities are its."""

    def __init__(self, known: Iterable[Known], *, base: "NearestPhrases | None" = None) -> None:
        self._base = base
        self._known: Sequence[Known] = tuple(known)
        self._exact = {k.cleaned: k for k in self._known if k.cleaned}
        self._cleaned = {k.text: k.cleaned for k in self._known}
        holders: defaultdict[str, list[int]] = defaultdict(list)
        sets = [grams(k.cleaned) for k in self._known]
        for number, found in enumerate(sets):
            for gram in found:
                holders[gram].append(number)
        total = len(self._known) or 1
        self._idf = {g: math.log(1 + total / len(numbers)) for g, numbers in holders.items()} if base is None else {}
        self._unknown = math.log(1 + total)
        self._holders = dict(holders)
        self._norms = [self._length(found) for found in sets]

    def exact(self, cleaned: str) -> Known | None:
        """The phrase that says just this; the base's only if there is none of our own."""
        found = self._exact.get(cleaned)
        return found if found is not None or self._base is None else self._base.exact(cleaned)

    def best(self, cleaned: str) -> dict[str, Nearness]:
        """The nearest phrase of every topic that has one at all."""
        asked = grams(cleaned)
        norm = self._length(asked)
        overlap: defaultdict[int, float] = defaultdict(float)
        for gram in asked:
            numbers = self._holders.get(gram, ())
            if len(numbers) <= _COMMON:
                weight = self.rarity(gram) ** 2
                for number in numbers:
                    overlap[number] += weight
        best: dict[str, tuple[float, int]] = {}
        for number, weight in overlap.items():
            similarity = weight / (norm * self._norms[number])
            slug = self._known[number].slug
            if similarity > best.get(slug, (0.0, 0))[0]:
                best[slug] = (similarity, number)
        found = {} if self._base is None else self._base.best(cleaned)
        for slug, (similarity, number) in best.items():
            if slug not in found or similarity >= found[slug].similarity:
                found[slug] = Nearness(slug, self._known[number].text, min(1.0, similarity))
        return found

    def with_shared(self, near: Nearness, cleaned: str) -> Nearness:
        """The same, with the pairs and words both have, rarest first."""
        both = sorted(grams(cleaned) & grams(self.as_cleaned(near.text)), key=lambda g: (-self.rarity(g), g))
        return Nearness(near.slug, near.text, near.similarity, tuple(both[:8]))

    def as_cleaned(self, text: str) -> str:
        """A phrase that we know, as it was cleaned."""
        return self._cleaned[text] if self._base is None or text in self._cleaned else self._base.as_cleaned(text)

    def rarity(self, gram: str) -> float:
        """How much it says that two texts share this."""
        return self._idf.get(gram, self._unknown) if self._base is None else self._base.rarity(gram)

    def _length(self, found: Iterable[str]) -> float:
        return math.sqrt(sum(self.rarity(gram) ** 2 for gram in found)) or 1.0
