"""What the doctor found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.logs import masked


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. `advice` says what to do; or, where all is well, what is worth knowing."""

    name: str
    well: bool
    advice: str = ""
    #: well today, but somebody should act before long
    soon: bool = False


Findings = Sequence[Finding]


def silent(url: str, error: BaseException) -> str:
    """The advice when nothing, or nothing usable, came back."""
    return f"{url} gives no answer ({masked(str(error)) or type(error).__name__}): check the network, then try again."
