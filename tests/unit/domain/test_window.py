from datetime import timedelta

import pytest
from scheduling.domain.errors import RateLimited
from scheduling.domain.window import RateLimitWindow

from tests.unit.builders import NOW


@pytest.mark.parametrize(
    ("age", "kept"),
    [
        pytest.param(59.999999, True, id="a microsecond less"),
        pytest.param(60, False, id="exactly the window"),
        pytest.param(60.000001, False, id="a microsecond more"),
    ],
)
def test_write_leaves_the_window_after_exactly_60_seconds(age: float, kept: bool) -> None:
    """The write is in a slot that no new write takes, since the limit has been lowered."""
    earlier = NOW - timedelta(seconds=age)

    window = RateLimitWindow({5: earlier}, 7).with_write(1, NOW)

    assert window == RateLimitWindow({0: NOW, 5: earlier} if kept else {0: NOW}, 8)


def test_slot_is_taken_again_after_exactly_60_seconds() -> None:
    window = RateLimitWindow().with_write(1, NOW)

    with pytest.raises(RateLimited):
        window.with_write(1, NOW + timedelta(seconds=59.999999))
    assert window.with_write(1, NOW + timedelta(seconds=60)).writes == {0: NOW + timedelta(seconds=60)}
