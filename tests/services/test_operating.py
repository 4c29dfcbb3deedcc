"""What operators type: `grantdesk import`, `grantdesk job list`, `grantdesk job run`."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import ConfigurationError
from bot.operating import read_file
from bot.services.importing import COLUMNS
from storage.engine import open_engine
from storage.tables import job_runs, outbox, stores

Types = Callable[..., Any]
CONSENT = (datetime.now(UTC) - timedelta(days=100)).date().isoformat()


@pytest.fixture
def types(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Types:
    """Types a command in an empty folder, configured for one workspace and two applications."""
    for name in [name for name in os.environ if name.startswith(("SLACK_", "AMAZON_"))]:
        monkeypatch.delenv(name)
    settings = {
        "SLACK_SIGNING_SECRET": "s",
        "SLACK_BOT_TOKEN": "xoxb-1",
        "PUBLIC_URL": "https://grants.example.com",
        "ENCRYPTION_KEYS": f"k1:{base64.b64encode(bytes(32)).decode()}",
        "DATABASE_URL": sqlite_url,
        "SUPPORT_CHANNEL": "C0SUPPORT",
        "COLUMNS": "200",
    }
    for feature in ("ORDERS", "LISTING"):
        settings |= {
            f"AMAZON_{feature}_APPLICATION_ID": f"amzn1.sp.solution.{feature.lower()}",
            f"AMAZON_{feature}_CLIENT_ID": "client",
            f"AMAZON_{feature}_CLIENT_SECRET": "secret",
        }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, list(words))


def written(path: Path, *rows: str, head: str = "", encoding: str = "utf-8") -> Path:
    head = head or "workspace,owner,label,marketplace,selling_partner_id,refresh_token,consent_date"
    path.write_text("\n".join([head, *rows]) + "\n", encoding=encoding)
    return path


def good(label: str = "Acme US", marketplace: str = "US", account: str = "A2ACMEPARTNER") -> str:
    return f"T0SALEYEE,U0MEI,{label},{marketplace},{account},Atzr|token-of-theirs,{CONSENT}"


def count(url: str, table: object) -> int:
    async def look() -> int:
        engine = open_engine(url)
        async with engine.connect() as connection:
            found = await connection.scalar(select(func.count()).select_from(table))  # type: ignore[arg-type]
        await engine.dispose()
        return int(found or 0)

    return asyncio.run(look())


def test_a_file_is_imported_and_what_was_refused_is_listed(types: Types, sqlite_url: str, tmp_path: Path) -> None:
    file = written(tmp_path / "stores.csv", good(), good("Acme DE", "Germny"), "", good("Acme CA", "CA"))
    done = types("import", str(file), "--report", str(tmp_path / "refused.csv"))
    assert done.exit_code == 1
    assert "2 imported, 0 known already, 1 refused." in done.output
    assert "Did you mean DE?" in done.output
    assert "Atzr" not in done.output
    report = (tmp_path / "refused.csv").read_text("utf-8-sig").splitlines()
    assert report[0] == "line,label,why"
    assert report[1].startswith("3,Acme DE,")
    assert count(sqlite_url, stores) == 2
    again = types("import", str(file))
    assert "0 imported, 2 known already, 1 refused." in again.output


def test_a_dry_run_says_the_same_and_writes_nothing(types: Types, sqlite_url: str, tmp_path: Path) -> None:
    done = types("import", str(written(tmp_path / "stores.csv", good())), "--dry-run")
    assert (done.exit_code, "1 would be imported" in done.output) == (0, True)
    assert count(sqlite_url, stores) == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_spreadsheets_own_way_of_writing_chinese_is_read(tmp_path: Path, encoding: str) -> None:
    [(line, fields)] = read_file(written(tmp_path / "s.csv", good("爱可美 美国站"), encoding=encoding))
    assert (line, fields["label"]) == (2, "爱可美 美国站")


@pytest.mark.parametrize(
    ("head", "why"),
    [("workspace,owner", "lacks label"), (",".join([*COLUMNS, "colour"]), "unknown columns colour")],
)
def test_a_file_with_other_columns_is_refused_whole(tmp_path: Path, head: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        read_file(written(tmp_path / "s.csv", head=head))


def test_help_says_what_each_column_holds(types: Types) -> None:
    told = types("import", "--help").output
    assert all(name in told for name in COLUMNS)


def test_jobs_are_listed_with_their_last_run(types: Types, sqlite_url: str) -> None:
    listed = types("job", "list").output
    for name in ("close-silent-consents", "plan-digests", "sweep-authorizations", "watch-our-clocks"):
        assert name in listed
    assert "never" in listed
    assert count(sqlite_url, job_runs) == 0, "looking runs nothing"


def test_a_job_is_run_for_a_moment_and_running_it_twice_tells_once(
    types: Types, sqlite_url: str, tmp_path: Path
) -> None:
    types("import", str(written(tmp_path / "stores.csv", good())))
    assert types("job", "run", "plan-digests").exit_code == 0, "now everybody is a reader"
    moment = datetime.fromisoformat(CONSENT) + timedelta(days=358, hours=9)
    at = f"{moment:%Y-%m-%dT%H:%M}+00:00"
    first = types("job", "run", "plan-digests", "--at", at)
    assert "plan-digests: " in first.output
    before = count(sqlite_url, outbox)
    assert before >= 1
    types("job", "run", "plan-digests", "--at", at)
    assert count(sqlite_url, outbox) == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("no-such-job",), "there is no job no-such-job"),
        (("plan-digests", "--at", "soon"), "is no moment"),
        (("plan-digests", "--at", "2027-03-01T09:00"), "lacks its zone"),
    ],
)
def test_what_cannot_be_run_is_said(types: Types, words: tuple[str, ...], why: str) -> None:
    done = types("job", "run", *words)
    assert done.exit_code == 2
    assert why in done.output
