"""`python -m sandbox`: a local Slack and a local Seller Central for a bot that runs elsewhere."""

import argparse

import uvicorn

from sandbox.server import Sandbox
from sandbox.settings import SandboxSettings


def main() -> None:
    """Serve until interrupted."""
    defaults = SandboxSettings()
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--port", type=int, default=defaults.port)
    parser.add_argument("--bot-url", default=defaults.bot_url, help="where the bot listens")
    parser.add_argument("--bot-public-url", default="", help="where browsers reach the bot")
    parser.add_argument("--public-url", default="", help="how people and the bot reach this sandbox")
    parser.add_argument("--signing-secret", default=defaults.signing_secret)
    parser.add_argument("--bot-token", default=defaults.bot_token)
    given = parser.parse_args()
    settings = SandboxSettings(
        host=given.host,
        port=given.port,
        bot_url=given.bot_url.rstrip("/"),
        bot_public_url=given.bot_public_url.rstrip("/"),
        public_url=(given.public_url or f"http://{given.host}:{given.port}").rstrip("/"),
        signing_secret=given.signing_secret,
        bot_token=given.bot_token,
    )
    print(f"Slack          {settings.public_url}/")
    print(f"Seller Central {settings.public_url}/amazon/")
    print(f"Web API        SLACK_API_URL={settings.public_url}/api/")
    print(f"the bot        {settings.bot_url}{settings.events_path}")
    uvicorn.run(
        Sandbox(settings).app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        ws="none",
    )


if __name__ == "__main__":
    main()
