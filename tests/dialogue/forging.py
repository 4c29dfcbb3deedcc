"""Payloads as somebody would have to rewrite them to reach what is not theirs. Slack signs; it does not vouch for contents."""

from __future__ import annotations

import json

from tests.dialogue.conversation import System


def forge_button(system: System, ts: str, pressed: str, **changes: str) -> None:
    """Changes a button of a message."""
    for message in system.running.sandbox.slack.world.messages:
        for block in message.blocks if message.ts == ts else []:
            elements = [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]
            for element in elements:
                if element.get("action_id") == pressed:
                    element.update(changes)


def forge_notes(system: System, view_id: str, **notes: str) -> None:
    """Changes what an open form carries along."""
    system.running.sandbox.slack.world.view(view_id).body["private_metadata"] = json.dumps(notes)
