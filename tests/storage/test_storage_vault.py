"""Encryption: bound to the place where the secret is kept."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CannotDecrypt
from storage.tables import SEALED, SEALED_BODY, SEALED_BOT_TOKEN, SEALED_REFRESH_TOKEN
from storage.vault import Vault

OLD, NEW = bytes(32), bytes(range(32))
ids = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
secrets = st.text(st.characters(exclude_categories=["Cs"]))


@given(secret=secrets, row_id=ids, place=st.sampled_from(SEALED))
def test_what_is_sealed_opens_again_and_shows_nothing(secret: str, row_id: str, place: object) -> None:
    vault = Vault({"k1": NEW})
    sealed = vault.seal(secret, place, row_id)  # type: ignore[arg-type]
    assert vault.open(sealed, place, row_id) == secret  # type: ignore[arg-type]
    assert sealed.startswith("v1.k1.")
    assert len(secret) < 6 or secret not in sealed


@given(secret=secrets, here=ids, there=ids)
def test_a_value_copied_into_another_row_does_not_open(secret: str, here: str, there: str) -> None:
    vault = Vault({"k1": NEW})
    sealed = vault.seal(secret, SEALED_BODY, here)
    with contextlib.nullcontext() if here == there else pytest.raises(CannotDecrypt):
        vault.open(sealed, SEALED_BODY, there)


@pytest.mark.parametrize("place", [SEALED_BODY, SEALED_BOT_TOKEN])
def test_a_value_copied_into_another_column_does_not_open(place: object) -> None:
    vault = Vault({"k1": NEW})
    sealed = vault.seal("Atzr|token", SEALED_REFRESH_TOKEN, "id1")
    with pytest.raises(CannotDecrypt) as refused:
        vault.open(sealed, place, "id1")  # type: ignore[arg-type]
    assert refused.value.facts == {"key_id": "k1"}


@given(position=st.integers(0, 12 + 10 + 16 - 1), bit=st.integers(0, 7))
def test_a_single_bit_turned_is_noticed(position: int, bit: int) -> None:
    vault = Vault({"k1": NEW})
    raw = bytearray(base64.b64decode(vault.seal("ten letter", SEALED_BODY, "id1").removeprefix("v1.k1.")))
    raw[position] ^= 1 << bit
    with pytest.raises(CannotDecrypt):
        vault.open(f"v1.k1.{base64.b64encode(raw).decode()}", SEALED_BODY, "id1")


@given(garbage=st.text())
def test_garbage_is_refused_and_nothing_worse_happens(garbage: str) -> None:
    with pytest.raises(CannotDecrypt):
        Vault({"k1": NEW}).open(garbage, SEALED_BODY, "id1")
    with pytest.raises(CannotDecrypt):
        Vault({"k1": NEW}).open(f"v1.k1.{garbage}", SEALED_BODY, "id1")


def test_the_newest_key_seals_and_any_opens() -> None:
    old, both = Vault({"2025": OLD}), Vault({"2026": NEW, "2025": OLD})
    before = old.seal("Atzr|token", SEALED_BODY, "id1")
    assert both.open(before, SEALED_BODY, "id1") == "Atzr|token"
    assert not both.is_current(before)
    after = both.seal("Atzr|token", SEALED_BODY, "id1")
    assert after.startswith("v1.2026.")
    assert both.is_current(after)
    with pytest.raises(CannotDecrypt) as refused:
        old.open(after, SEALED_BODY, "id1")
    assert refused.value.facts == {"key_id": "2026"}


def test_a_key_id_may_have_dots_and_begin_like_another() -> None:
    vault = Vault({"k1": NEW, "k1.old": OLD})
    sealed = Vault({"k1.old": OLD}).seal("secret", SEALED_BODY, "id1")
    assert vault.open(sealed, SEALED_BODY, "id1") == "secret"
    assert not vault.is_current(sealed)


def test_the_same_secret_never_looks_the_same() -> None:
    vault = Vault({"k1": NEW})
    assert len({vault.seal("secret", SEALED_BODY, "id1") for _ in range(100)}) == 100


def test_a_vault_shows_the_names_of_its_keys_and_never_the_keys() -> None:
    encoded = base64.b64encode(NEW).decode()
    vault = Vault.from_base64({"k1": encoded})
    assert repr(vault) == "Vault(keys=k1)"
    assert vault.open(Vault({"k1": NEW}).seal("s", SEALED_BODY, "i"), SEALED_BODY, "i") == "s"


def test_a_vault_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Vault({})
