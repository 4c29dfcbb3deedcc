"""Slack's request signature, version 0: HMAC-SHA256 over the version, the time and the raw body."""

import hashlib
import hmac


def signature(secret: str, timestamp: str, body: bytes) -> str:
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def signed_headers(secret: str, timestamp: float, body: bytes) -> dict[str, str]:
    moment = str(int(timestamp))
    return {
        "X-Slack-Request-Timestamp": moment,
        "X-Slack-Signature": signature(secret, moment, body),
    }
