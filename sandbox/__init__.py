"""A local Slack and a local Seller Central that speak the real protocols over HTTP."""
