"""The ASGI edge: Slack's ingress, security headers, limits, health. Knows no stories."""
