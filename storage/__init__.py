"""Persistence: everything Grantdesk keeps, on SQLite or PostgreSQL. Knows nothing of Slack."""
