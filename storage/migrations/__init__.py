"""The database's history, told by Alembic. `storage.migrate` runs it; `alembic -c storage/alembic.ini` writes more of it."""
