"""Encryption of the few columns that hold secrets: AES-256-GCM, bound to the place where the secret is kept.

A sealed value reads `v1.<key id>.<base64 of nonce and ciphertext>`. Table, column and row id are authenticated with it: a
value copied into another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import CannotDecrypt
from storage.columns import SealedColumn

_VERSION = "v1"
#: NIST SP 800-38D: 96 random bits, and fewer than 2³² values under one key
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Vault:
    """Seals with the newest key, opens with any. `keys` are 32 bytes each, newest first."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ValueError("a vault needs at least one key")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.newest = next(iter(keys))

    @classmethod
    def from_base64(cls, keys: Mapping[str, str]) -> Self:
        """From `ENCRYPTION_KEYS` as configured: key id → base64 of 32 bytes."""
        return cls({key_id: base64.b64decode(encoded, validate=True) for key_id, encoded in keys.items()})

    def __repr__(self) -> str:
        return f"Vault(keys={', '.join(self._ciphers)})"

    def seal(self, secret: str, place: SealedColumn, row_id: str) -> str:
        # Chance comes from the operating system and is not passed in: a nonce that repeats breaks AES-GCM.
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = self._ciphers[self.newest].encrypt(nonce, secret.encode(), _bound(self.newest, place, row_id))
        return f"{_VERSION}.{self.newest}.{base64.b64encode(nonce + ciphertext).decode()}"

    def open(self, sealed: str, place: SealedColumn, row_id: str) -> str:
        """The secret. Raises CannotDecrypt."""
        key_id, raw = _taken_apart(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None or raw is None:
            raise CannotDecrypt(key_id=key_id)
        try:
            secret = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(key_id, place, row_id))
        except InvalidTag:
            raise CannotDecrypt(key_id=key_id) from None
        return secret.decode()

    def is_current(self, sealed: str) -> bool:
        """True when it was sealed with the newest key."""
        return _taken_apart(sealed)[0] == self.newest


def _taken_apart(sealed: str) -> tuple[str, bytes | None]:
    """Key id and bytes; None for something that no vault wrote. Base64 has no dots, so a key id may."""
    version, _, rest = sealed.partition(".")
    key_id, dot, encoded = rest.rpartition(".")
    if version != _VERSION or not dot:
        return "unknown", None
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return key_id, None
    return key_id, raw if len(raw) >= _NONCE_BYTES + _TAG_BYTES else None


def _bound(key_id: str, place: SealedColumn, row_id: str) -> bytes:
    """What is authenticated with a secret. JSON, so that no two places spell the same."""
    return json.dumps([_VERSION, key_id, place.column.table.name, place.column.name, row_id]).encode()
