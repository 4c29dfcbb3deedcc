"""Grantdesk's core: what a grant is, the stories told with it, and the words the bot says."""
