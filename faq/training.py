"""Teaches the matcher: weights and gate from the phrases in the article heads, into two generated, checked-in files.

The weights carry a digest of what they were taught. A library that differs a little (a phrase was added) nudges them at
load; `faq check` and a test say when they should be trained anew (`faq train`, about a minute).
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from faq.features import Concepts, features
from faq.gate import OPEN_GATE, SIGNALS, Bars, Gate, fit, threshold
from faq.library import NONE, Library
from faq.linear import Linear, train
from faq.matcher import Matcher
from faq.nearest import Known, NearestPhrases
from faq.text import clean, has_han

WEIGHTS_FILE = Path(__file__).with_name("weights.json")
GATE_FILE = Path(__file__).with_name("gate.json")

#: How right answers must be among phrases the model was not taught, in Chinese and otherwise. Strangers write less alike than
#: our phrases do: with these two, 98 of 100 answers to authors left out were right, at a coverage of 60 in 100 or more.
PRECISION_CHINESE, PRECISION_OTHER = 0.982, 0.979
#: How sure we must be that a question is ours before three topics are offered. Buttons under small talk cost more
#: trust than silence (held out by author, 0.65 is also where top-1 is best).
OFFER_FROM = 0.65
_FOLDS = 4

Pair = tuple[str, str]  #: slug, text


def build(library: Library, *, weights: Path = WEIGHTS_FILE, gate: Path = GATE_FILE) -> Matcher:
    """A matcher for this library. Half a second at most if the files are fresh."""
    concepts = Concepts.load()
    phrases = library.phrases()
    stored = json.loads(weights.read_text(encoding="utf-8"))
    linear = Linear.from_json(stored)
    cleaned: dict[str, str] = dict(zip(stored["phrases"], stored["cleaned"], strict=True))
    before = dict(zip(stored["phrases"], stored["slugs"], strict=True))
    new = [p for p in phrases if before.get(p.text) != p.slug]
    linear.learn((features(concepts, clean(p.text)), p.slug) for p in new)
    known = [Known(p.slug, p.text, cleaned[p.text] if p.text in cleaned else clean(p.text)) for p in phrases]
    return Matcher(
        linear,
        NearestPhrases(known),
        concepts=concepts,
        gate=Gate.from_json(json.loads(gate.read_text(encoding="utf-8"))),
    )


def is_fresh(library: Library, weights: Path = WEIGHTS_FILE) -> bool:
    """Whether the checked-in weights were taught exactly these phrases, as they are cleaned and counted now."""
    if not weights.exists():
        return False
    return bool(json.loads(weights.read_text(encoding="utf-8"))["digest"] == digest(library))


def digest(library: Library) -> str:
    """What the weights depend on: every phrase, and what cleaning and counting make of it. Code that makes the same of it may change."""
    concepts = Concepts.load()
    seen = hashlib.sha256()
    for phrase in library.phrases():
        counted = " ".join(sorted(features(concepts, clean(phrase.text))))
        seen.update(f"\0{phrase.slug}\0{phrase.text}\0{counted}".encode())
    return seen.hexdigest()


def teach(
    library: Library,
    *,
    weights: Path = WEIGHTS_FILE,
    gate: Path = GATE_FILE,
    say: Callable[[str], None] = lambda _line: None,
) -> None:
    """Train on everything the heads teach and write both files."""
    pairs = [(p.slug, p.text) for p in library.phrases()]
    lesson = Lesson(pairs)
    say(f"{len(pairs)} phrases")
    linear = lesson.linear()
    trained = lesson.gate(say=say)
    known = lesson.known
    data = {
        "digest": digest(library),
        **linear.as_json(),
        "phrases": [k.text for k in known],
        "slugs": [k.slug for k in known],
        "cleaned": [k.cleaned for k in known],
    }
    weights.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    gate.write_text(json.dumps(trained.as_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


class Lesson:
    """Some phrases, cleaned and counted once, from which weights and a gate are trained."""

    def __init__(self, pairs: Sequence[Pair], *, concepts: Concepts | None = None) -> None:
        self.concepts = concepts or Concepts.load()
        self.known = [Known(slug, text, clean(text)) for slug, text in pairs]
        self._counted = [features(self.concepts, k.cleaned) for k in self.known]

    def linear(self) -> Linear:
        return train([(c, k.slug) for c, k in zip(self._counted, self.known, strict=True)])

    def gate(self, *, say: Callable[[str], None] = lambda _line: None) -> Gate:
        """Judge phrases by a model that was not taught them, fold by fold, and fit the gate on that."""
        rows: list[list[float]] = []
        chinese: list[bool] = []
        right: list[bool] = []
        ours: list[bool] = []
        for fold in range(_FOLDS):
            say(f"gate: part {fold + 1} of {_FOLDS}")
            inside = [i for i, k in enumerate(self.known) if _fold(k.text) != fold]
            known = [self.known[i] for i in inside]
            linear = train([(self._counted[i], self.known[i].slug) for i in inside])
            matcher = Matcher(linear, NearestPhrases(known), concepts=self.concepts, gate=OPEN_GATE)
            for k in self.known:
                if _fold(k.text) == fold and k.cleaned:
                    match = matcher.match(k.text)
                    rows.append([match.signals[name] for name in SIGNALS])
                    chinese.append(has_han(k.cleaned))
                    right.append(match.topics[0].slug == k.slug)
                    ours.append(k.slug != NONE)
        judged_right, judged_ours = fit(rows, right), fit(rows, ours)

        def bar(han: bool, precision: float) -> float:  # noqa: FBT001
            heard = [
                (judged_right.chance(row), truth)
                for row, truth, is_han in zip(rows, right, chinese, strict=True)
                if is_han is han and judged_ours.chance(row) >= OFFER_FROM
            ]
            return threshold(heard, precision=precision)

        bars = Bars(chinese=bar(True, PRECISION_CHINESE), other=bar(False, PRECISION_OTHER))
        return Gate(judged_right, judged_ours, answer_from=bars, offer_from=OFFER_FROM)

    def matcher(self, *, say: Callable[[str], None] = lambda _line: None) -> Matcher:
        return Matcher(self.linear(), NearestPhrases(self.known), concepts=self.concepts, gate=self.gate(say=say))


def _fold(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0] % _FOLDS
