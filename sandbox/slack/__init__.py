"""A local Slack: Web API, signed deliveries, a control API and a page to be somebody on."""
