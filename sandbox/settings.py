"""Settings of the whole sandbox. Secrets in here are public by design: nothing real is behind them."""

from dataclasses import dataclass

from sandbox.slack.settings import SlackSettings


@dataclass(frozen=True, kw_only=True)
class SandboxSettings(SlackSettings):
    """Where the sandbox listens, where the bot is, and what the local Slack and Amazon believe in."""

    host: str = "127.0.0.1"
    port: int = 8900
    #: Where browsers reach the bot, if that is not `bot_url`: Amazon's redirect URIs begin with it.
    bot_public_url: str = ""
