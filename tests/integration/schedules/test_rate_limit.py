from concurrent.futures import ThreadPoolExecutor

import pytest
from scheduling.domain.errors import RateLimited, RulesViolated
from scheduling.domain.install import Limits
from scheduling.operations.schedules.create import create_schedule

from tests.support.aws.calls import refuse_zone
from tests.support.stacks.world import create_input, new_world


def test_the_window_is_exact_under_concurrency() -> None:
    with new_world(Limits(writes_per_minute=10)) as world:
        install_id = world.register_install()

        def attempt(_number: int) -> int | None:
            try:
                create_schedule(world.services, install_id, create_input())
            except RateLimited as error:
                return error.retry_after
            return None

        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(attempt, range(24)))
        assert results.count(None) == 10
        assert set(results) == {None, 60}

        world.advance(seconds=59.5)
        assert attempt(0) == 1
        world.advance(seconds=0.5)
        assert attempt(0) is None


def test_a_write_that_the_timer_refuses_does_not_count() -> None:
    with new_world(Limits(writes_per_minute=1)) as world:
        install_id = world.register_install()
        world.calls.before = refuse_zone("Asia/Tokyo")
        with pytest.raises(RulesViolated):
            create_schedule(world.services, install_id, create_input(timezone="Asia/Tokyo"))

        create_schedule(world.services, install_id, create_input())
        with pytest.raises(RateLimited):
            create_schedule(world.services, install_id, create_input())
