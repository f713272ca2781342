"""From which change on a stream must be published again."""

from collections.abc import Sequence

import pytest
from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.audit.events import AuditEvent, RowChange
from scheduling.domain.errors import Unavailable
from scheduling.operations.audit import publish_changes

from tests.unit.builders import NOW, schedule


class PartialBus:
    """Accepts the events with these sequences."""

    def __init__(self, *accepted: str) -> None:
        self._accepted = accepted

    def __call__(self, events: Sequence[AuditEvent]) -> Sequence[AuditEvent]:
        return [event for event in events if event.sequence in self._accepted]


def change(number: int) -> RowChange:
    """A change that has an event if the number is even."""
    created = schedule()
    before = created if number % 2 else None
    return RowChange(id=f"e{number}", sequence=str(number), time=NOW, before=before, after=created)


@pytest.mark.parametrize(
    ("accepted", "resume_from"),
    [
        pytest.param(("2", "4", "6"), None, id="all accepted"),
        pytest.param(("4", "6"), "2", id="not the first"),
        pytest.param(("2", "6"), "4", id="one between"),
        pytest.param((), "2", id="none"),
    ],
)
def test_publishing_resumes_from_the_first_unpublished_change(
    accepted: tuple[str, ...], resume_from: str | None
) -> None:
    kept: list[KeptChange] = []
    published = publish_changes(
        PartialBus(*accepted), [change(number) for number in range(1, 7)], kept.append
    )

    assert [event.sequence for event in published.published] == list(accepted)
    assert published.republish_from == resume_from
    assert [each.sequence for each in kept] == ["2", "4", "6"]


def test_nothing_is_published_before_it_is_kept() -> None:
    def fail(_change: KeptChange) -> None:
        raise Unavailable("no table")

    result = publish_changes(PartialBus("2"), [change(1), change(2)], fail)

    assert (result.published, result.republish_from) == ([], "2")
