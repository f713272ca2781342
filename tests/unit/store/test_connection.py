"""How the session of the process is configured; tests/integration uses a package that is really trimmed."""

from pathlib import Path
from typing import Any

import pytest
from scheduling.domain.errors import UnsupportedEndpoint
from scheduling.store import connection as connection_module
from scheduling.store.connection import connect
from scheduling.store.models import Row

FIPS, DUAL_STACK = "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"


@pytest.fixture(autouse=True)
def keep_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the connection of the process after each test."""
    monkeypatch.setattr(Row, "_connection", None)
    monkeypatch.setattr(Row.Meta, "table_name", "")


@pytest.fixture
def trim_marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The marker of a trimmed botocore."""
    marker = tmp_path / "TRIMMED"
    marker.touch()
    monkeypatch.setattr(connection_module, "TRIM_MARKER", marker)
    return marker


@pytest.mark.parametrize(("variable", "kind"), [(FIPS, "FIPS"), (DUAL_STACK, "dual-stack")])
@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
@pytest.mark.usefixtures("trim_marker")
def test_a_trimmed_botocore_refuses_endpoints_that_need_rules(
    variable: str, kind: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(UnsupportedEndpoint) as refusal:
        connect("table")
    assert str(refusal.value) == (
        f"{variable} is true, but this layer's botocore has no rules for {kind} endpoints: unset it, or build a layer "
        "with the whole botocore (make sam-build BOTOCORE=whole)"
    )


@pytest.mark.parametrize("variable", [FIPS, DUAL_STACK])
@pytest.mark.parametrize("value", [None, "", "false", "1"])
@pytest.mark.usefixtures("trim_marker")
def test_a_setting_that_botocore_reads_as_false_is_not_refused(
    variable: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable, raising=False)
    if value is not None:
        monkeypatch.setenv(variable, value)

    connect("table")


@pytest.mark.parametrize("variable", [FIPS, DUAL_STACK])
def test_a_whole_botocore_refuses_nothing(
    variable: str, trim_marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trim_marker.unlink()
    monkeypatch.setenv(variable, "true")

    connect("table")


def test_a_request_is_attempted_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    client: Any = connect("table").client

    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": 3}
