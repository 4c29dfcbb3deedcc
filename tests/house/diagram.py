"""The README's state diagram, drawn from `MOVES`. `python -m tests.house.diagram` prints it, for pasting."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from bot.domain.grants import MOVES, GrantState, Move


def diagram(moves: Mapping[tuple[GrantState, Move], GrantState] = MOVES) -> str:
    """One arrow for each pair of states; moves that leave a grant where it is share one as well."""
    arrows: dict[tuple[GrantState, GrantState], list[str]] = {}
    for (state, move), target in moves.items():
        arrows.setdefault((state, target), []).append(move.value)
    lines = [f"    {state} --> {target} : {', '.join(names)}" for (state, target), names in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {GrantState.NOT_GRANTED}", *lines])


if __name__ == "__main__":
    sys.stdout.write(f"```mermaid\n{diagram()}\n```\n")
