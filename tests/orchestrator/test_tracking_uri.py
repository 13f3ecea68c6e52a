"""Tracking URIs: what is accepted, how relative ones resolve, and that passwords never show."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from answering_server import Answering, answering_server

from orchestrator.tracking_check import check_tracking
from orchestrator.tracking_uri import artifact_location, redact, tracking_uri
from search_spaces.errors import InvalidValueError, MmptError


def test_the_default_is_a_database_in_the_store() -> None:
    assert tracking_uri(None, "/data/store") == "sqlite:////data/store/mlflow.db"


def test_a_bucket_has_no_default() -> None:
    with pytest.raises(InvalidValueError, match="'none' to track nothing"):
        tracking_uri(None, "memory://bucket/store")
    assert tracking_uri("none", "memory://bucket/store") == "none"


def test_a_relative_database_counts_from_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tracking_uri("sqlite:///x.db", "/s") == f"sqlite:///{tmp_path}/x.db"
    assert tracking_uri("sqlite:////abs/x.db?timeout=5", "/s") == "sqlite:////abs/x.db?timeout=5"


@pytest.mark.parametrize(
    "uri",
    ["postgresql+psycopg2://u:p@db/m", "mysql+pymysql://u@db/m", "mssql+pyodbc://db/m", "http://h:5000", "https://h"],
)
def test_servers_are_left_as_they_are(uri: str) -> None:
    assert tracking_uri(uri, "/s") == uri


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file:///tmp/mlruns", "'file:///tmp/mlruns' is not allowed"),
        ("mlruns", "a file would be sqlite:///mlruns.db"),
        ("sqllite:///x.db", "did you mean 'sqlite://'"),
        ("postgres://u:secret@h/d", "did you mean 'postgresql://'"),
        ("sqlite://", "a database file"),
        ("sqlite:///:memory:", "a database file"),
        ("sqlite+odd://ann:secret@h/x", "a database file"),
        ("http:/host", "one of sqlite://..., postgresql://..."),
    ],
)
def test_other_kinds_are_refused_with_the_value_and_the_nearest(text: str, message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        tracking_uri(text, "/s")
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ann:secret@db/x",
        "http://ann:p@secret@db/x",
        "failed for http://ann:secret/2@h:1/p and more",
        "mssql+pyodbc:///?odbc_connect=PWD%3Dsecret",
        "postgresql://h/d?password=secret&x=1",
    ],
)
def test_no_credentials_are_shown(text: str) -> None:
    assert "secret" not in redact(text)


def test_artifacts_are_under_the_store_unless_a_server_keeps_them() -> None:
    assert artifact_location("sqlite:////s/m.db", "/s") == "file:///s/mlflow-artifacts"
    assert artifact_location("postgresql://h/d", "s3://b/s") == "s3://b/s/mlflow-artifacts"
    assert artifact_location("https://h", "/s") is None


def test_an_sqlite_file_that_cannot_be_written_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database")
    assert check_tracking(f"sqlite:///{tmp_path}/new/folder/x.db") is None
    with pytest.raises(MmptError, match="can be written"):
        check_tracking(f"sqlite:///{tmp_path}/file/x.db")
    with pytest.raises(MmptError, match="another kind of file"):
        check_tracking(f"sqlite:///{tmp_path}/file")
    with pytest.raises(MmptError, match="file that can be written"):
        check_tracking(f"sqlite:///{tmp_path}")
    with pytest.raises(MmptError, match="not allowed"):
        check_tracking(f"file://{tmp_path}")
    assert check_tracking("none") is None
    assert not (Path(tmp_path) / "new").exists()


def test_a_missing_database_driver_is_named() -> None:
    with pytest.raises(MmptError, match=r"postgresql://\*\*\*@h/d needs the Python package"):
        check_tracking("postgresql://ann:secret@h/d")


@pytest.fixture
def answering() -> Iterator[Answering]:
    with answering_server() as server:
        yield server


def test_a_refusing_server_is_told_from_one_that_is_not_there(answering: Answering) -> None:
    uri = f"http://ann:secret@127.0.0.1:{answering.server_port}"
    assert check_tracking(uri) is None
    assert answering.authorization == "Basic YW5uOnNlY3JldA=="
    answering.code = 403
    assert "may not do that" in str(check_tracking(uri))
    answering.body = b"Invalid Host header - possible DNS rebinding attack detected"
    refused = check_tracking(uri)
    assert refused is not None
    assert "HTTP 403" in refused
    assert "--allowed-hosts" in refused
    answering.code = 401
    assert "MLFLOW_TRACKING_USERNAME" in str(check_tracking(uri))
    absent = str(check_tracking("http://ann:secret@127.0.0.1:9"))
    assert "Connection refused" in absent
    assert "secret" not in refused + absent
