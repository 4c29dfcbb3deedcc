"""Ids and secrets from the operating system."""

from __future__ import annotations

import secrets
import time
import uuid


class SystemEntropy:
    """The real source; tests bring one that counts."""

    def new_id(self) -> str:
        """A UUID version 7 (RFC 9562): 48 bits of milliseconds, then chance."""
        milliseconds = time.time_ns() // 1_000_000
        value = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
        return uuid.UUID(int=value).hex

    def secret(self) -> str:
        """256 bits as 43 URL-safe characters."""
        return secrets.token_urlsafe(32)
