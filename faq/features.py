"""What the matcher counts in a cleaned text: character n-grams, words, word pairs, and concepts.

A concept is a group of words that mean the same thing in any of the languages (`concepts.txt`): it lets a phrase
taught in Chinese help a question asked in English.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path

CONCEPTS_FILE = Path(__file__).with_name("concepts.txt")

_RUN = re.compile(r"[㐀-鿿]+|[a-z0-9$][a-z0-9$]*(?:'[a-z]+)?")
_LONGEST_HAN = 8
_LONGEST_WORDS = 5
_MAX_TOKENS = 260

_IRREGULAR = {
    "doesnt": "doesn't", "dont": "don't", "wont": "won't", "cant": "can't", "isnt": "isn't", "didnt": "didn't",
    "hasnt": "hasn't", "arent": "aren't", "havent": "haven't", "wasnt": "wasn't", "im": "i'm", "ive": "i've",
    "authorise": "authorize", "authorised": "authorized", "authorising": "authorizing", "authorisation": "authorization",
    "authorises": "authorizes", "unauthorised": "unauthorized", "auths": "auth", "u": "you", "ur": "your",
    "pls": "please", "plz": "please", "acct": "account", "accts": "accounts", "acc": "account", "bc": "because",
    "inventry": "inventory", "inventroy": "inventory", "opend": "opened", "wat": "what", "wut": "what", "n": "and",
    "chose": "choose", "shops": "stores", "shop": "store", "storefront": "store", "customers": "customer",
    "gave": "give", "given": "give", "ran": "run", "sent": "send", "went": "go", "gone": "go", "got": "get", "wrote": "write",
    "bound": "bind", "chosen": "choose", "said": "say", "told": "tell", "done": "do", "did": "do", "does": "do", "doing": "do",
}  # fmt: skip


def tokens(text: str) -> list[str]:
    """Han runs and words, in order; a Han run stays whole."""
    return [_IRREGULAR.get(t, t) for t in _RUN.findall(text)[:_MAX_TOKENS]]


@cache
def stem(word: str) -> str:
    """A light stemmer: enough that *authorizing*, *authorized* and *authorize* meet."""
    if len(word) < 4 or not word.isascii():  # noqa: PLR2004
        return word
    for ending, put in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", ""), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:  # noqa: PLR2004
            if ending == "s" and word.endswith(("ss", "us", "is")):
                continue
            word = word[: -len(ending)] + put
            if ending in {"ing", "ed"} and len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl":  # noqa: PLR2004
                word = word[:-1]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word  # noqa: PLR2004


class Concepts:
    """Which concepts a text names. Built once from the file; immutable afterwards."""

    def __init__(self, table: Mapping[str, tuple[str, ...]]) -> None:
        self._han: dict[str, tuple[str, ...]] = {}
        self._words: dict[str, tuple[str, ...]] = {}
        self.names = tuple(table)
        for name, terms in table.items():
            for term in terms:
                if re.search(r"[㐀-鿿]", term) and not re.search(r"[a-z]", term):
                    key, index = re.sub(r"[^㐀-鿿]", "", term), self._han
                else:
                    key, index = " ".join(stem(t) for t in tokens(term)), self._words
                if key and name not in index.get(key, ()):
                    index[key] = (*index.get(key, ()), name)
        self._stems = {w for key in self._words for w in key.split() if len(w) >= 5 and w.isascii()}  # noqa: PLR2004
        self._near = _deletions(self._stems)

    @classmethod
    def load(cls, path: Path = CONCEPTS_FILE) -> "Concepts":
        table: dict[str, tuple[str, ...]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                name, _, terms = line.partition(":")
                table[name.strip()] = tuple(t.strip() for t in terms.split(",") if t.strip())
        return cls(table)

    def mend(self, word: str) -> str:
        """The stem of `word`, or the stem of a known word one slip away."""
        stemmed = stem(word)
        if len(stemmed) < 5 or stemmed in self._stems or not stemmed.isascii():  # noqa: PLR2004
            return stemmed
        if stemmed in self._near:
            return self._near[stemmed]
        for i in range(len(stemmed)):
            shorter = stemmed[:i] + stemmed[i + 1 :]
            if shorter in self._stems:
                return shorter
            if shorter in self._near and len(stemmed) >= 6:  # noqa: PLR2004
                return self._near[shorter]
        return stemmed

    def found(self, parts: list[str]) -> list[str]:
        """Concepts in order of appearance, with repeats; `parts` as `mended` gives them."""
        seen: list[str] = []
        for i, part in enumerate(parts):
            if part.isascii():
                for size in range(1, _LONGEST_WORDS + 1):
                    hit = self._words.get(" ".join(parts[i : i + size]))
                    if hit:
                        seen.extend(hit)
            else:
                hit = self._words.get(part)
                if hit:
                    seen.extend(hit)
                for start in range(len(part)):
                    for end in range(start + 1, min(len(part), start + _LONGEST_HAN) + 1):
                        hit = self._han.get(part[start:end])
                        if hit:
                            seen.extend(hit)
        return seen

    def mended(self, text: str) -> list[str]:
        return [self.mend(t) if t.isascii() else t for t in tokens(text)]


def _deletions(words: set[str]) -> dict[str, str]:
    near: dict[str, str] = {}
    for word in sorted(words):
        for i in range(1, len(word)):
            near.setdefault(word[:i] + word[i + 1 :], word)
    return near


def surface(parts: list[str]) -> Iterator[str]:
    """Character n-grams of Chinese runs; words, word pairs and pieces of words of the rest."""
    previous = "^"
    for part in parts:
        if part.isascii():
            yield part
            yield f"{previous} {part}"
            previous = part
            if len(part) >= 5:  # noqa: PLR2004
                padded = f"<{part}>"
                for i in range(len(padded) - 3):
                    yield f"~{padded[i : i + 4]}"
        else:
            previous = "#"
            for size in (1, 2, 3, 4):
                for i in range(len(part) - size + 1):
                    yield part[i : i + size]


def features(concepts: Concepts, text: str) -> list[str]:
    """Everything counted in one cleaned text, each once."""
    parts = concepts.mended(text)
    found = list(dict.fromkeys(concepts.found(parts)))
    counted = dict.fromkeys(surface(parts))
    counted.update(dict.fromkeys(f"={name}" for name in found))
    counted.update(dict.fromkeys(f"={a}+{b}" for a, b in combinations(sorted(found), 2)))
    return list(counted)
