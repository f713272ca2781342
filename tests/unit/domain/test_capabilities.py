import pytest
from scheduling.domain.install import ALWAYS_GRANTED, KNOWN_CAPABILITIES, normalize_capabilities


def test_known_capabilities_match_the_contract() -> None:
    assert {
        "cap:context.read",
        "cap:log.emit",
        "cap:user.read",
        "cap:secrets.get",
        "cap:http.fetch",
        "cap:storage.kv",
        "cap:ui.proxy",
        "cap:invoice.manual.create",
        "cap:client.read",
        "cap:service.read",
        "cap:scheduler.manage",
    } == KNOWN_CAPABILITIES


def test_three_are_always_granted_and_managing_schedules_is_not() -> None:
    assert {"cap:context.read", "cap:log.emit", "cap:user.read"} == ALWAYS_GRANTED


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param([], set(), id="none"),
        pytest.param(["cap:http.fetch"], {"cap:http.fetch"}, id="unchanged"),
        pytest.param([" cap:http.fetch\t\n"], {"cap:http.fetch"}, id="trimmed"),
        pytest.param(["CAP:Scheduler.MANAGE"], {"cap:scheduler.manage"}, id="case-folded"),
        pytest.param(["cap:\u017ftorage.kv"], {"cap:storage.kv"}, id="case-folded, not only lowered"),
        pytest.param(["cap:ui.proxy", "CAP:UI.PROXY"], {"cap:ui.proxy"}, id="duplicate"),
        pytest.param(["cap:x", "http. fetch", ""], {"cap:x", "http. fetch", ""}, id="unknown ones kept"),
    ],
)
def test_names_are_compared_trimmed_and_case_folded(names: list[str], expected: set[str]) -> None:
    assert normalize_capabilities(names) == expected
