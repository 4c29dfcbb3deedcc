"""What a running bot knows: library and matcher together, replaced in one step when the articles or what was taught change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from faq.library import ARTICLES, Library, Phrase
from faq.matcher import Matcher
from faq.training import build


@dataclass(frozen=True, slots=True)
class Knowledge:
    """One consistent pair; a reader keeps the pair it took."""

    library: Library
    matcher: Matcher


class LiveKnowledge:
    """Holds the newest knowledge that is right. Readers take `current` without a lock; rebuilding takes one.

    A rebuild takes some tenths of a second: run `refresh` and `learn` in a thread.
    """

    def __init__(self, path: Path = ARTICLES, *, taught: Sequence[Phrase] = ()) -> None:
        self._path = path
        self._taught = tuple(taught)
        self._lock = Lock()
        library = Library.load(path)
        self.current = Knowledge(library, build(library, taught=self._taught))

    def refresh(self) -> bool:
        """True if the folder changed and was swapped in. Raises `LibraryError` on a bad edit; the old articles stay."""
        with self._lock:
            if not self.current.library.changed(self._path):
                return False
            library = Library.load(self._path, collisions=True)
            self.current = Knowledge(library, build(library, taught=self._taught))
            return True

    def learn(self, taught: Sequence[Phrase]) -> None:
        """Swap in a matcher that also knows these phrases: all that agents have taught since the articles were written."""
        with self._lock:
            library = self.current.library
            self._taught = tuple(taught)
            self.current = Knowledge(library, build(library, taught=self._taught))
