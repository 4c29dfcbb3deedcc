"""A multinomial logistic model over sparse features, in plain Python: trained once, read often.

Training is deterministic: the same examples in the same order give the same weights on every machine that adds
floats alike. It takes some ten seconds, so `faq train` does it and the weights are checked in; a model that meets
new phrases at load is nudged (`Linear.learn`) instead of trained anew.
"""

import math
import random
from collections import ChainMap, Counter
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Example = tuple[list[str], str]  #: features, class

_EPOCHS = 12
_STEP = 1.0
_SHRINK = 6e-5
_MIN_COUNT = 2
_PRUNE = 0.12
_FORMAT = 1
#: the rarity of a feature that no training has seen, in hundredths
_UNSEEN = 600.0


@dataclass(slots=True)
class Linear:
    """Scores for every class. `rows` maps a feature to its rarity (idf) and then a class's number and weight, by turns.

    Rarities and weights are hundredths, as the file has them: what was read is used as it lies, which is half of the memory and of
    the time to load.
    """

    classes: tuple[str, ...]
    bias: list[float]
    rows: MutableMapping[str, list[float]] = field(default_factory=dict)

    def copy(self) -> "Linear":
        """The same model, to be nudged by itself: it holds what it learns, and shares the rest."""
        return Linear(self.classes, list(self.bias), ChainMap({}, self.rows))

    def vector(self, counted: Sequence[str]) -> tuple[dict[str, float], float]:
        """The known features with their length-normalised rarity, and the known share of all features."""
        rows = self.rows
        known = {f: rows[f][0] for f in counted if f in rows}
        norm = math.sqrt(sum(v * v for v in known.values())) or 1.0
        share = len(known) / len(counted) if counted else 0.0
        return {f: v / norm for f, v in known.items()}, share

    def scores(self, vector: dict[str, float]) -> list[float]:
        total = list(self.bias)
        rows = self.rows
        for feature, value in vector.items():
            row = rows[feature]
            hundredth = value / 100
            for place in range(1, len(row), 2):
                total[int(row[place])] += hundredth * row[place + 1]
        return total

    def learn(self, examples: Iterable[Example], *, rounds: int = 8) -> None:
        """Nudge the weights until a few new examples sit well; what was learnt before stays nearly as it was."""
        known = [(c, self.classes.index(label)) for c, label in examples if label in self.classes]
        for _ in range(rounds):
            for counted, target in known:
                for feature in counted:
                    self.rows.setdefault(feature, [_UNSEEN])
                vector, _share = self.vector(counted)
                shares = softmax(self.scores(vector))
                shares[target] -= 1.0
                for feature, value in vector.items():
                    rarity, *flat = self.rows[feature]
                    row = dict(zip(flat[::2], flat[1::2], strict=True))
                    for number, gradient in enumerate(shares):
                        if abs(gradient) > 0.02:  # noqa: PLR2004 -- too little to matter
                            row[number] = row.get(number, 0.0) - 100 * _STEP * gradient * value
                    self.rows[feature] = [rarity, *(x for pair in row.items() for x in pair)]

    def as_json(self) -> dict[str, Any]:
        """Compact: whole hundredths."""
        return {
            "format": _FORMAT,
            "classes": list(self.classes),
            "bias": [round(b, 3) for b in self.bias],
            "rows": {f: [round(x) for x in row] for f, row in sorted(self.rows.items())},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Linear":
        """Takes the rows of `data` as its own. Raises ValueError for a file of another format."""
        if data.get("format") != _FORMAT:
            raise ValueError("the model file has another format")
        return cls(tuple(data["classes"]), list(data["bias"]), data["rows"])


def softmax(scores: Sequence[float]) -> list[float]:
    top = max(scores)
    powers = [math.exp(s - top) for s in scores]
    total = sum(powers)
    return [p / total for p in powers]


def train(examples: Sequence[Example], *, epochs: int = _EPOCHS) -> Linear:
    """Stochastic gradient descent with a falling step and a little shrinking, in a fixed random order."""
    classes = tuple(sorted({label for _, label in examples}))
    counts = Counter(f for counted, _ in examples for f in counted)
    total = len(examples)
    names = sorted(f for f, n in counts.items() if n >= _MIN_COUNT)
    number_of = {f: i for i, f in enumerate(names)}
    idf = {f: math.log((1 + total) / (1 + counts[f])) + 1 for f in names}
    width = len(classes)
    weights = [[0.0] * width for _ in names]
    bias = [0.0] * width
    data = [(list(_normalised(counted, idf, number_of).items()), classes.index(label)) for counted, label in examples]
    order = list(range(total))
    shuffle = random.Random(20260101)  # noqa: S311 -- an order, not a secret
    for epoch in range(epochs):
        shuffle.shuffle(order)
        step = _STEP * 4 / (1 + 0.35 * epoch)
        for index in order:
            _update(data[index], weights, bias, step)
        keep = 1 - _SHRINK * total * step / 10
        weights = [[w * keep for w in row] for row in weights]
    rows = {
        f: [100 * idf[f], *(x for n, w in enumerate(weights[i]) if abs(w) >= _PRUNE for x in (n, 100 * w))]
        for f, i in number_of.items()
    }
    return Linear(classes, bias, rows)


def _normalised(counted: Iterable[str], idf: dict[str, float], number_of: dict[str, int]) -> dict[int, float]:
    known = {number_of[f]: idf[f] for f in counted if f in number_of}
    norm = math.sqrt(sum(v * v for v in known.values())) or 1.0
    return {n: v / norm for n, v in known.items()}


def _update(
    example: tuple[list[tuple[int, float]], int], weights: list[list[float]], bias: list[float], step: float
) -> None:
    vector, target = example
    scores = bias[:]
    for number, value in vector:
        scores = [s + value * w for s, w in zip(scores, weights[number], strict=True)]
    shares = softmax(scores)
    shares[target] -= 1.0
    moved = [(n, g * step) for n, g in enumerate(shares) if abs(g) > 0.004]  # noqa: PLR2004 -- too little to matter
    for n, g in moved:
        bias[n] -= 0.05 * g
    for number, value in vector:
        row = weights[number]
        for n, g in moved:
            row[n] -= g * value
