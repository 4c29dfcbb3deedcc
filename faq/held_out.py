"""Honest figures: train without an author, test on that author only.

The articles teach with the labelled questions too, so testing the shipped matcher on those would flatter it. Here every
phrase that reads like a row of the held-out authors is taken out before weights *and* gate are trained.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from faq.evaluation import Figures, Row, figures_by_language
from faq.features import Concepts
from faq.library import Library
from faq.text import clean
from faq.training import Lesson


@dataclass(frozen=True, slots=True)
class Split:
    """Which authors are tested; `only_rows` trains on the labelled rows alone, without the phrases we wrote ourselves."""

    name: str
    tested: frozenset[str]
    only_rows: bool = False


def splits(rows: Sequence[Row]) -> list[Split]:
    """B against the others both ways, with and without our own phrases; then each author left out."""
    authors = sorted({r.author for r in rows if r.author})
    others = frozenset(a for a in authors if a != "B")
    both = [("test on A1–A4", others), ("test on B", frozenset({"B"}))] if "B" in authors and others else []
    return [
        *(Split(f"{name}, rows only", tested, only_rows=True) for name, tested in both),
        *(Split(name, tested) for name, tested in both),
        *(Split(f"leave out {a}", frozenset({a})) for a in authors if a != "B"),
    ]


def run(split: Split, rows: Sequence[Row], library: Library, *, concepts: Concepts | None = None) -> dict[str, Figures]:
    """Train without the tested authors and evaluate on them."""
    tested = [r for r in rows if r.author in split.tested]
    hidden = {clean(r.text) for r in tested}
    shown = {clean(r.text) for r in rows if r.author not in split.tested}
    pairs = [
        (p.slug, p.text)
        for p in library.phrases()
        if (key := clean(p.text)) not in hidden and (not split.only_rows or key in shown)
    ]
    matcher = Lesson(pairs, concepts=concepts).matcher()
    return figures_by_language([(r, matcher.match(r.text)) for r in tested])


def run_all(
    rows: Sequence[Row], library: Library, *, say: Callable[[str], None] = lambda _line: None
) -> Iterator[tuple[Split, dict[str, Figures]]]:
    concepts = Concepts.load()
    for split in splits(rows):
        say(f"{split.name} …")
        yield split, run(split, rows, library, concepts=concepts)
