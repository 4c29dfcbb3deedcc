"""Inbound edges: one module per capability, with its Slack listeners and its HTTP routes side by side.

A capability is a module here with a `register(registry, stories)` function, and a word in `CAPABILITIES`.
"""

CAPABILITIES: tuple[str, ...] = (
    "stores",
    "granting",
    "consent_page",
    "status",
    "digests",
    "health",
    "questions",
    "opinions",
    "teaching",
    "desk",
    "home",
    "installing",
    "mirror",
)
