"""Slack as the bot reaches it: its Web API, its installations, and the two ways in which its deliveries arrive."""
