"""Outbound edges: Amazon, Slack, the sister system, chance."""
