"""The head of an article file: between two `---` lines, `key: value` each on its line, `phrases:` a list at the end."""

from collections.abc import Iterable
from dataclasses import dataclass

_FENCE = "---"


class HeadError(Exception):
    """The head of an article is malformed; `problems` says how."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True, slots=True)
class Head:
    """What the head says, and the body below it."""

    values: dict[str, str]
    phrases: tuple[str, ...]
    body: str

    def one(self, key: str) -> str:
        return self.values[key]

    def many(self, key: str) -> tuple[str, ...]:
        return tuple(v for v in (part.strip() for part in self.values[key].split(",")) if v)


def read(text: str, *, keys: frozenset[str]) -> Head:
    """Parse and check: every key of `keys` exactly once, no other."""
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != _FENCE or _FENCE not in (line.rstrip() for line in lines[1:]):
        raise HeadError(["the head must stand between two lines of ---"])
    end = next(i for i, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE)
    values: dict[str, str] = {}
    phrases: list[str] = []
    problems: list[str] = []
    in_phrases = False
    for number, line in enumerate(lines[1:end], start=2):
        if not line.strip():
            continue
        if line.startswith("- "):
            _take_phrase(line[2:].strip(), phrases, problems, number=number, allowed=in_phrases)
            continue
        key, colon, value = line.partition(":")
        if not colon or key not in keys:
            problems.append(f"line {number}: “{line}” is neither one of {', '.join(sorted(keys))} nor a phrase")
        elif key in values:
            problems.append(f"line {number}: {key} stands twice")
        elif in_phrases:
            problems.append(f"line {number}: {key} must stand before phrases")
        elif key != "phrases" and not value.strip():
            problems.append(f"line {number}: {key} is empty")
        values[key] = value.strip()
        in_phrases = key == "phrases"
    problems.extend(f"{key} is missing" for key in sorted(keys - set(values)))
    if problems:
        raise HeadError(problems)
    return Head(values, tuple(phrases), "\n".join(lines[end + 1 :]).strip("\n"))


def _take_phrase(phrase: str, phrases: list[str], problems: list[str], *, number: int, allowed: bool) -> None:
    phrase = phrase.replace("\\n", "\n")
    if not allowed:
        problems.append(f"line {number}: a phrase outside phrases")
    elif not phrase:
        problems.append(f"line {number}: an empty phrase")
    elif phrase in phrases:
        problems.append(f"line {number}: “{phrase}” stands twice")
    else:
        phrases.append(phrase)
