"""Amazon as the bot reaches it: consent links, Login with Amazon, the Selling Partner API."""
