"""How the local Slack is reached and signed; every value is public by design."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SlackSettings:
    """`public_url` is where people and the bot reach this sandbox."""

    public_url: str = "http://127.0.0.1:8900"
    bot_url: str = "http://127.0.0.1:8080"
    events_path: str = "/slack/events"
    signing_secret: str = "sandbox-signing-secret"
    bot_token: str = "xoxb-sandbox"
    app_token: str = "xapp-sandbox"
    client_id: str = "sandbox.client"
    client_secret: str = "sandbox-client-secret"
    #: Slack gives an app three seconds to acknowledge.
    ack_limit: float = 3.0
    #: Slack sends an event again at once, after a minute and after five.
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    scopes: tuple[str, ...] = (
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "reactions:write",
        "team:read",
        "users:read",
    )
    #: (command, what the composer hints at)
    commands: tuple[tuple[str, str], ...] = (
        ("/store", "add · list · show · edit · share · disable · enable · delete"),
        ("/grant", "orders or listing, then a store"),
        ("/authstatus", "one store, or all of yours"),
        ("/digest", "now · settings: what ends soon"),
        ("/faq", "a question, or an error code"),
        ("/desk", "what waits for an agent"),
    )
    #: (callback id, label) of shortcuts in a message's menu, and of global ones
    message_shortcuts: tuple[tuple[str, str], ...] = (
        ("ask_about_message", "Ask Grantdesk about this"),
        ("desk.triage", "Triage authorization"),
    )
    global_shortcuts: tuple[tuple[str, str], ...] = ()
