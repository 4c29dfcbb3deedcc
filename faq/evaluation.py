"""How good the matcher is, on rows that say what a person would have answered.

A row has `lang`, `text` and `labels` (topic slugs joined by `|`, best first; `NONE` = the bot should say nothing).

The figures, all fractions, for every language and for `all`:

`n`
    rows.
`top1`
    rows whose predicted label is among the labels. The prediction is the likeliest topic when the bot answers or
    offers, and `NONE` when it stays silent; so an in-scope row met with silence is a miss, and so is a `NONE` row met
    with an offer.
`top3`
    in-scope rows (first label not `NONE`) with one of their labels among the three likeliest topics: what an asker
    finds on the three buttons. Ranked whether or not the bot speaks.
`q_top1`
    `top1` over the rows whose first label is one of the five questions Q1–Q5.
`answered_precision`
    automatic answers (band ANSWER) whose topic is among the labels / all automatic answers, those to `NONE` rows
    included as wrong. 1 if nothing was answered.
`answered_coverage`
    in-scope rows answered automatically, rightly or not / in-scope rows.
`out_of_scope_answered`
    `NONE` rows answered automatically / `NONE` rows.

A denominator of zero gives 0, but for `answered_precision`.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from faq.library import LOCALES, NONE, Library
from faq.matcher import Band, Match, Matcher
from faq.training import is_fresh

Figures = dict[str, float | int]

FIVE = ("still-authorizing", "granted-but-not-working", "no-amazon-page", "other-browser", "sister-system")
_COLUMNS = {"lang", "text", "labels"}


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled question. `author` only where the file has one."""

    lang: str
    text: str
    labels: tuple[str, ...]
    author: str = ""

    @property
    def in_scope(self) -> bool:
        return self.labels[0] != NONE


class RowsError(Exception):
    """The file of labelled questions cannot be used."""


def read_rows(path: Path) -> list[Row]:
    """Rows of a CSV file with at least the columns lang, text, labels (UTF-8; texts may hold line breaks)."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = _COLUMNS - set(reader.fieldnames or ())
        if missing:
            raise RowsError(f"{path.name} has no column {', '.join(sorted(missing))}; it needs lang, text, labels.")
        rows = []
        for number, record in enumerate(reader, start=2):
            labels = tuple(part.strip() for part in (record["labels"] or "").split("|") if part.strip())
            if not labels:
                raise RowsError(f"{path.name}, record {number}: no label.")
            rows.append(Row(record["lang"] or "", record["text"] or "", labels, record.get("author") or ""))
    return rows


def evaluate(rows: Sequence[Row], matcher: Matcher) -> dict[str, Figures]:
    """`all` first, then each language of ours that has rows, then any other."""
    judged = [(row, matcher.match(row.text)) for row in rows]
    return figures_by_language(judged)


def figures_by_language(judged: Sequence[tuple[Row, Match]]) -> dict[str, Figures]:
    present = {row.lang for row, _ in judged}
    order = [lang for lang in LOCALES if lang in present] + sorted(present - set(LOCALES))
    result = {"all": figures(judged)}
    result.update({lang: figures([(r, m) for r, m in judged if r.lang == lang]) for lang in order})
    return result


def figures(judged: Sequence[tuple[Row, Match]]) -> Figures:
    ours = [(r, m) for r, m in judged if r.in_scope]
    nothing = [(r, m) for r, m in judged if not r.in_scope]
    five = [(r, m) for r, m in ours if r.labels[0] in FIVE]
    answered = [(r, m) for r, m in judged if m.band is Band.ANSWER]
    answered_ours = sum(m.band is Band.ANSWER for _, m in ours)
    right = sum(m.topics[0].slug in r.labels for r, m in answered)
    return {
        "n": len(judged),
        "top1": _share(_hits(judged), len(judged)),
        "top3": _share(sum(bool(set(m.slugs) & set(r.labels)) for r, m in ours), len(ours)),
        "q_top1": _share(_hits(five), len(five)),
        "answered_precision": _share(right, len(answered)) if answered else 1.0,
        "answered_coverage": _share(answered_ours, len(ours)),
        "out_of_scope_answered": _share(len(answered) - answered_ours, len(nothing)),
    }


def misses(judged: Iterable[tuple[Row, Match]]) -> list[tuple[Row, Match]]:
    """Rows whose predicted label is not among the labels."""
    return [(r, m) for r, m in judged if m.best not in r.labels]


def table(result: dict[str, Figures], title: str = "") -> Table:
    """The figures as rich text, percentages."""
    drawn = Table(title=title or None)
    drawn.add_column("")
    names = list(next(iter(result.values())))
    for name in names:
        drawn.add_column(name.replace("_", " "), justify="right")
    for group, values in result.items():
        drawn.add_row(group, *(str(v) if n == "n" else f"{v:.1%}" for n, v in values.items()))
    return drawn


def explain(text: str, matcher: Matcher) -> list[str]:
    """Why the matcher decides as it does, as lines of plain text."""
    match = matcher.explain(matcher.match(text))
    lines = [
        f"band      {match.band.value}" + ("  (a taught phrase)" if match.exact else ""),
        f"read as   {match.cleaned or '(nothing left after cleaning)'}",
        f"right     {match.right:.2f}   ours {match.ours:.2f}",
        *(f"topic     {t.score:.2f}  {t.slug}" for t in match.topics[:3]),
    ]
    if match.nearest is not None:
        near = match.nearest
        lines.append(f"nearest   {near.similarity:.2f}  {near.slug}: {near.text}")
        lines.append(f"shared    {', '.join(near.shared) or '–'}")
    lines.extend(f"signal    {value:6.2f}  {name}" for name, value in match.signals.items())
    return lines


def check(library: Library, matcher: Matcher) -> list[str]:
    """What a writer should mend: phrases that find another article, and weights that are out of date."""
    problems = [
        f"{p.slug}/{p.locale}.md: “{p.text}” finds {matcher.match(p.text).best}"
        for p in library.phrases()
        if matcher.match(p.text).best != p.slug
    ]
    if not is_fresh(library):
        problems.append("The phrases have changed since the weights were trained: run faq train.")
    return problems


def _hits(judged: Sequence[tuple[Row, Match]]) -> int:
    return sum(m.best in r.labels for r, m in judged)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
