"""Is the database there and current, and can what is sealed in it be read?"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.doctor.findings import Finding, Findings
from bot.errors import CannotDecrypt
from bot.settings import Settings
from storage.engine import is_memory
from storage.migrate import is_current
from storage.tables import SEALED
from storage.vault import Vault

_MOST_SECRETS = 10_000


def missing_file(settings: Settings) -> str:
    """SQLite would make the file only by being asked; empty when it is there."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or is_memory(settings.database_url):
        return ""
    path = url.database or ""
    return "" if Path(path).exists() else path


async def examine(settings: Settings, engine: AsyncEngine | None) -> Findings:
    if engine is None:
        missing = missing_file(settings)
        return [Finding("Database", well=False, advice=f"{missing} is not there yet: run `grantdesk migrate`.")]
    where = engine.url.render_as_string(hide_password=True)
    try:
        current = await is_current(engine)
    except (SQLAlchemyError, OSError) as error:
        advice = (
            f"{where} cannot be used ({type(getattr(error, 'orig', None) or error).__name__}): check DATABASE_URL, and that "
            "the server runs and lets this machine in."
        )
        return [Finding("Database", well=False, advice=advice)]
    if not current:
        return [Finding("Database", well=False, advice=f"{where} is not up to date: run `grantdesk migrate`.")]
    return [Finding("Database", well=True, advice=where), await _keys(settings, engine)]


async def _keys(settings: Settings, engine: AsyncEngine) -> Finding:
    vault = vault_of(settings)
    read = old = 0
    unreadable: list[str] = []
    for place in SEALED:
        statement = select(place.row_id, place.column).where(place.column.is_not(None)).limit(_MOST_SECRETS)
        async with engine.connect() as connection:  # let go of before the work: SQLite's writers wait for it
            rows = (await connection.execute(statement)).all()
        for row_id, sealed in rows:
            try:
                vault.open(sealed, place, row_id)
            except CannotDecrypt as error:
                unreadable.append(str(error.facts["key_id"]))
            else:
                read += 1
                old += not vault.is_current(sealed)
    if unreadable:
        ids = ", ".join(sorted(set(unreadable)))
        advice = (
            f"{len(unreadable)} stored secrets cannot be read: put the key {ids} back into ENCRYPTION_KEYS; if it is there, "
            "the rows were altered."
        )
        return Finding("Encryption keys", well=False, advice=advice)
    if old:
        advice = f"{old} secrets are still under an older key: run `grantdesk rotate-keys`, then take the old key away."
        return Finding("Encryption keys", well=True, advice=advice, soon=True)
    advice = f"{read} stored secrets can be read" if read else "nothing is stored yet"
    return Finding("Encryption keys", well=True, advice=advice)


def vault_of(settings: Settings) -> Vault:
    return Vault.from_base64({key: value.get_secret_value() for key, value in settings.encryption_keys.items()})
