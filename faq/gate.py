"""When to speak: a dozen readable signals, and two small logistic judgements on them.

`right` is the chance that the likeliest topic is a right one; above `answer_from` the bot answers by itself. That bar is one for
questions in Chinese and one for all others: as sure a judgement is right more often in English, and less often reached.
`ours` is the chance that the question is about what we know at all; below `offer_from` the bot stays silent.
A probability of the classifier alone judges neither well: it has never seen most of what people write about.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faq.text import has_han

#: The signals, in the order of the weights.
SIGNALS: Mapping[str, str] = {
    "likeliest": "log-odds of the likeliest topic",
    "lead": "how far it leads the second",
    "nothing": "log-odds that it is nothing of ours",
    "three": "what the three likeliest hold together",
    "known": "the share of what was typed that was ever taught",
    "near": "similarity of the nearest phrase of the likeliest topic",
    "near_other": "similarity of the nearest phrase of any other topic",
    "near_nothing": "similarity of the nearest phrase that must be met with silence",
    "anchors": "how many words of our trade are named: grants, links, statuses, Feikan …",
    "foreign": "how many words of other trades: parcels, money, brands, adverts …",
    "elsewhere": "another marketplace or shop system is named",
    "amazon": "Amazon or Seller Central is named",
    "length": "how long the question is",
    "few": "hardly anything is left after cleaning",
}

ANCHORS = frozenset(
    {
        "authorize",
        "authorized",
        "authorizing",
        "unauthorized",
        "authfail",
        "feikan",
        "orderauth",
        "listauth",
        "revoke",
        "expire",
        "renew",
        "bot",
        "newlink",
        "usedlink",
        "errcode",
        "wrongstore",
        "taken",
        "accounts2",
        "association",
        "professional",
        "individual",
        "primary",
        "subuser",
        "twostep",
        "isolated",
        "blocked",
        "addstore",
        "initialdate",
        "commerce",
        "mapping",
        "tech",
        "suspended",
        "myapps",
        "mirror",
        "twosystems",
    }
)
FOREIGN = frozenset({"parcel", "money", "brand", "ads", "fba", "product", "saleyeeacct", "smalltalk", "office"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """A logistic judgement: weights for the standardised signals."""

    bias: float
    weights: tuple[float, ...]

    def chance(self, signals: Sequence[float]) -> float:
        total = self.bias + sum(w * s for w, s in zip(self.weights, signals, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@dataclass(frozen=True, slots=True)
class Bars:
    """How sure it must be, by how the question is written."""

    chinese: float
    other: float

    def of(self, text: str) -> float:
        return self.chinese if has_han(text) else self.other


@dataclass(frozen=True, slots=True)
class Gate:
    """Both judgements, and from where on each lets the bot speak."""

    right: Judgement
    ours: Judgement
    answer_from: Bars
    offer_from: float

    def as_json(self) -> dict[str, Any]:
        return {
            "signals": list(SIGNALS),
            "right": {"bias": round(self.right.bias, 4), "weights": [round(w, 4) for w in self.right.weights]},
            "ours": {"bias": round(self.ours.bias, 4), "weights": [round(w, 4) for w in self.ours.weights]},
            "answer_from": {"chinese": round(self.answer_from.chinese, 4), "other": round(self.answer_from.other, 4)},
            "offer_from": round(self.offer_from, 4),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Gate":
        if tuple(data["signals"]) != tuple(SIGNALS):
            raise ValueError("the gate was trained on other signals: run faq train")

        def judgement(part: Mapping[str, Any]) -> Judgement:
            return Judgement(float(part["bias"]), tuple(float(w) for w in part["weights"]))

        return cls(judgement(data["right"]), judgement(data["ours"]), Bars(**data["answer_from"]), data["offer_from"])


#: A gate for tests and for the first round of training: it trusts the classifier.
OPEN_GATE = Gate(
    right=Judgement(0.0, (1.0, *(0.0 for _ in list(SIGNALS)[1:]))),
    ours=Judgement(0.0, (0.0, 0.0, -1.0, *(0.0 for _ in list(SIGNALS)[3:]))),
    answer_from=Bars(chinese=0.8, other=0.8),
    offer_from=0.5,
)


def fit(
    rows: Sequence[Sequence[float]], truths: Sequence[bool], *, rounds: int = 350, ridge: float = 2e-3
) -> Judgement:
    """Logistic regression by gradient descent with momentum on standardised columns; deterministic."""
    total, width = len(rows), len(rows[0])
    means = [sum(r[i] for r in rows) / total for i in range(width)]
    spreads = [math.sqrt(sum((r[i] - means[i]) ** 2 for r in rows) / total) or 1.0 for i in range(width)]
    data = [
        ([(r[i] - means[i]) / spreads[i] for i in range(width)], float(t)) for r, t in zip(rows, truths, strict=True)
    ]
    weights, bias = [0.0] * width, 0.0
    speed, bias_speed = [0.0] * width, 0.0
    for _ in range(rounds):
        slope, bias_slope = [ridge * w for w in weights], 0.0
        for row, truth in data:
            score = bias + sum(w * x for w, x in zip(weights, row, strict=True))
            off = (1 / (1 + math.exp(-max(-30.0, min(30.0, score)))) - truth) / total
            bias_slope += off
            slope = [s + off * x for s, x in zip(slope, row, strict=True)]
        speed = [0.9 * v - 0.8 * s for v, s in zip(speed, slope, strict=True)]
        bias_speed = 0.9 * bias_speed - 0.8 * bias_slope
        weights = [w + v for w, v in zip(weights, speed, strict=True)]
        bias += bias_speed
    plain = tuple(w / s for w, s in zip(weights, spreads, strict=True))
    return Judgement(bias - sum(w * m for w, m in zip(plain, means, strict=True)), plain)


def threshold(chances: Sequence[tuple[float, bool]], *, precision: float, at_least: float = 0.5) -> float:
    """The lowest bar above which answers are right in `precision` of the cases, and stay so further up."""
    ranked = sorted(chances, reverse=True)
    right, bar = 0, 0.999
    for count, (chance, truth) in enumerate(ranked, start=1):
        right += truth
        if right / count >= precision:
            bar = chance
    return max(at_least, bar)
