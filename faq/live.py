"""What a running bot knows: library and matchers together, replaced in one step when the articles or what was taught change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from faq.library import ARTICLES, Library, Phrase
from faq.matcher import Matcher
from faq.training import build


@dataclass(frozen=True, slots=True)
class Knowledge:
    """One consistent set; a reader keeps the one it took."""

    library: Library
    #: for whoever has taught nothing
    matcher: Matcher
    #: by workspace: what one teaches means nothing in another
    matchers: Mapping[str, Matcher] = field(default_factory=dict)

    def matcher_of(self, team_id: str) -> Matcher:
        """The matcher that also knows what this workspace has taught."""
        return self.matchers.get(team_id, self.matcher)


class LiveKnowledge:
    """Holds the newest knowledge that is right. Readers take `current` without a lock; rebuilding takes one.

    A rebuild takes some tenths of a second: run `refresh` and `learn` in a thread.
    """

    def __init__(self, path: Path = ARTICLES) -> None:
        self._path = path
        self._taught: Mapping[str, Sequence[Phrase]] = {}
        self._lock = Lock()
        library = Library.load(path)
        self.current = Knowledge(library, build(library))

    def refresh(self) -> bool:
        """True if the folder changed and was swapped in. Raises `LibraryError` on a bad edit; the old articles stay."""
        with self._lock:
            if not self.current.library.changed(self._path):
                return False
            library = Library.load(self._path, collisions=True)
            matcher = build(library)
            self.current = Knowledge(library, matcher, self._matchers(matcher))
            return True

    def learn(self, taught: Mapping[str, Sequence[Phrase]]) -> None:
        """Take up all that agents have taught since the articles were written, by workspace."""
        with self._lock:
            self._taught = {team: tuple(phrases) for team, phrases in taught.items()}
            now = self.current
            self.current = Knowledge(now.library, now.matcher, self._matchers(now.matcher))

    def _matchers(self, matcher: Matcher) -> dict[str, Matcher]:
        return {team: matcher.knowing(phrases) for team, phrases in self._taught.items() if phrases}
