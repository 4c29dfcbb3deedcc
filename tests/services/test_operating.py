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
import typer
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
    [
        ("workspace,owner", "lacks label"),
        (",".join([*COLUMNS, "colour"]), "unknown columns colour"),
        (",".join([*COLUMNS, "label"]), "label more than once"),
        (",".join(COLUMNS), "no line below the names"),
        (" ", "its first line is"),
    ],
)
def test_a_file_with_other_columns_is_refused_whole(tmp_path: Path, head: str, why: str) -> None:
    with pytest.raises(typer.BadParameter, match=why):
        read_file(written(tmp_path / "s.csv", head=head))


@pytest.mark.parametrize(
    ("raw", "why"),
    [(b"", "it is empty"), (b"\xff\x00\x81\x39", "neither UTF-8"), (b'workspace,"owner\n', "is no CSV")],
)
def test_a_file_that_is_no_text_is_refused_with_what_to_do(tmp_path: Path, raw: bytes, why: str) -> None:
    (tmp_path / "s.csv").write_bytes(raw)
    with pytest.raises(typer.BadParameter, match=why) as told:
        read_file(tmp_path / "s.csv")
    assert "s.csv" in str(told.value)


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-8")])
def test_what_spreadsheets_put_between_values_is_read(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = written(tmp_path / "s.csv", good("爱可美"), encoding="utf-8")
    path.write_text(path.read_text("utf-8").replace(",", delimiter), encoding=encoding)
    [(_, fields)] = read_file(path)
    assert (fields["label"], fields["owner"]) == ("爱可美", "U0MEI")


def test_lines_that_are_too_long_or_shifted_are_refused_and_show_no_token(
    types: Types, sqlite_url: str, tmp_path: Path
) -> None:
    shifted = f"T0SALEYEE,U0MEI,Shifted,US,Atzr|token-of-theirs,A2ACMEPARTNER,{CONSENT}"
    in_label = f"T0SALEYEE,U0MEI,Atzr|token-of-theirs,US,A2ACMEPARTNER,,{CONSENT}"
    file = written(tmp_path / "stores.csv", good("Acme, the first"), shifted, in_label, f"{good()},more")
    done = types("import", str(file), "--report", str(tmp_path / "refused.csv"))
    assert "0 imported, 0 known already, 4 refused." in done.output
    assert done.output.count("more values than there are columns") == 2
    for told in (done.output, (tmp_path / "refused.csv").read_text("utf-8-sig")):
        assert "token-of-theirs" not in told
    assert count(sqlite_url, stores) == 0


def test_what_is_wrong_names_its_column(types: Types, tmp_path: Path) -> None:
    row = good().replace(CONSENT, "31.12.2025")
    assert (
        'consent_date: "31.12.2025" is not a date'
        in types("import", str(written(tmp_path / "s.csv", row)), "--dry-run").output
    )


def test_a_report_that_cannot_be_written_is_said_before_anything_is_imported(
    types: Types, sqlite_url: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "stores.csv", good())
    done = types("import", str(file), "--report", str(tmp_path / "nowhere" / "refused.csv"))
    assert done.exit_code == 2
    assert "its folder must be there" in done.output
    assert count(sqlite_url, stores) == 0


@pytest.mark.parametrize("words", [("job", "list"), ("job", "run", "plan-digests")])
def test_a_database_without_tables_is_said_in_one_sentence(
    types: Types, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'fresh.db'}")
    done = types(*words)
    assert isinstance(done.exception, ConfigurationError)
    assert "grantdesk migrate" in str(done.exception)


def test_help_says_what_each_column_holds(types: Types) -> None:
    told = types("import", "--help").output
    assert all(name in told for name in COLUMNS)


def test_jobs_are_listed_with_their_last_run(types: Types, sqlite_url: str) -> None:
    listed = types("job", "list").output
    for name in ("close-silent-consents", "plan-digests", "sweep-authorizations", "watch-our-clocks"):
        assert name in listed
    assert "never" in listed
    assert "30 s" in listed
    assert count(sqlite_url, job_runs) == 0, "looking runs nothing"


def test_a_job_is_run_for_a_moment_and_running_it_twice_tells_once(
    types: Types, sqlite_url: str, tmp_path: Path
) -> None:
    types("import", str(written(tmp_path / "stores.csv", good())))
    assert types("job", "run", "plan-digests").exit_code == 0, "now everybody is a reader"
    moment = datetime.fromisoformat(CONSENT) + timedelta(days=358, hours=9)
    at = f"{moment:%Y-%m-%dT%H:%M}+00:00"
    first = types("job", "run", "plan-digests", "--at", at)
    assert f"for {moment:%Y-%m-%d} 09:00 UTC: " in first.output
    assert "digests planned." in first.output
    before = count(sqlite_url, outbox)
    assert before >= 1
    types("job", "run", "plan-digests", "--at", at)
    assert count(sqlite_url, outbox) == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("no-such-job",), "there is no job no-such-job"),
        (("plan-digest",), "Did you mean plan-digests?"),
        (("plan-digests", "--at", "soon"), "is no moment"),
        (("plan-digests", "--at", "2027-03-01T09:00"), "lacks its zone"),
        (("plan-digests", "--at", "2027-03-01"), "2027-03-01T00:00+08:00"),
    ],
)
def test_what_cannot_be_run_is_said(types: Types, words: tuple[str, ...], why: str) -> None:
    done = types("job", "run", *words)
    assert done.exit_code == 2
    assert why in done.output


def test_a_sister_system_that_begins_to_listen_is_told_of_what_is_there(
    types: Types, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = good("Elsewhere", account="A3OTHERPARTNER").replace("T0SALEYEE", "T0GLOBEX")
    assert (
        types("import", str(written(tmp_path / "stores.csv", good(), good("Acme CA", "CA"), elsewhere))).exit_code == 0
    )
    refused = types("mirror", "tell-all")
    assert isinstance(refused.exception, ConfigurationError)
    assert "MIRROR_URL is not set" in str(refused.exception)
    assert count(sqlite_url, outbox) == 0

    monkeypatch.setenv("MIRROR_URL", "https://sister.example.com/events")
    monkeypatch.setenv("MIRROR_SECRET", f"whsec_{base64.b64encode(bytes(32)).decode()}")
    done = types("mirror", "tell-all", "--team", "T0SALEYEE")
    assert (done.exit_code, done.output.strip()) == (0, "4 events about 2 stores wait to be sent.")
    assert count(sqlite_url, outbox) == 4
    assert "6 events about 3 stores wait to be sent." in types("mirror", "tell-all").output
