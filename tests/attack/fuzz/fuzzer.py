"""Send the requests of a seed and report what was violated."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from local.gateway.messages import Request, Response
from tests.attack.fuzz.invariants import Invariants
from tests.attack.fuzz.requests import Attempt, Generator
from tests.attack.fuzz.scene import start_scene
from tests.support.oracles.consistency import assert_consistent

_MAX_VIOLATIONS = 10
_AUDIT_INTERVAL = 1_000


@dataclass
class FuzzReport:
    """What a run has sent, and what it has found."""

    seed: int
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The requests sent."""
        return self.statuses.total()

    def summarize(self) -> str:
        """Return the statuses by route, and the violations."""
        routes = sorted({route for route, _ in self.statuses})
        lines = [f"{self.count} requests, seed {self.seed}, {len(self.violations)} violations"]
        for route in routes:
            found = {
                status: count for (name, status), count in sorted(self.statuses.items()) if name == route
            }
            lines.append(f"  {route:62} {'  '.join(f'{status}: {count}' for status, count in found.items())}")
        return "\n".join([*lines, *self.violations])


def run_fuzzer(seed: int, count: int, progress: Callable[[int], None] = lambda _: None) -> FuzzReport:
    """Send `count` requests, checking each response, and the two systems every few hundred."""
    report, random = FuzzReport(seed), Random(seed)  # noqa: S311
    with start_scene() as scene:
        generator, invariants = Generator(scene, random), Invariants(scene)
        for number in range(1, count + 1):
            scene.world.advance(seconds=random.choice((0, 0, 1, 7, 20)))
            attempt = generator.next_attempt()
            response = _send(scene.send, attempt, report)
            if response is not None:
                report.statuses[attempt.route.key, response.status] += 1
                found = list(invariants.violations(attempt, response))
                if found:
                    report.violations.append(_describe(attempt, response, found + scene.failures))
                _learn(generator, attempt, response)
            if number % _AUDIT_INTERVAL == 0 or number == count:
                assert_consistent(scene.world)
                scene.world.calls.recorded.clear()
                progress(number)
            if len(report.violations) >= _MAX_VIOLATIONS:
                break
    return report


def _send(send: Callable[[Request], Response], attempt: Attempt, report: FuzzReport) -> Response | None:
    """Return the response; an exception of the gateway is a violation, too."""
    try:
        return send(attempt.request)
    except Exception as error:  # noqa: BLE001 - reported with the request that raised it
        report.violations.append(_describe(attempt, None, [f"{type(error).__name__}: {error}"]))
        return None


def _describe(attempt: Attempt, response: Response | None, found: list[str]) -> str:
    request = attempt.request
    lines = [
        f"request {attempt.number}: {request.method} {request.path[:300]}?{request.query[:300]}",
        f"  headers { ({name: value[:100] for name, value in request.headers.items()}) }",
        f"  body {request.body[:1_000]!r} ({len(request.body)} bytes)",
        *(f"  {each}" for each in found),
    ]
    if response is not None:
        lines.append(f"  response {response.status} {response.body[:500]!r}")
    return "\n".join(lines)


def _learn(generator: Generator, attempt: Attempt, response: Response) -> None:
    """Keep the ids and cursors of a response for later requests, and forget the id of a schedule that is gone."""
    known = generator.schedule_ids.setdefault(attempt.target.id if attempt.target else "", [])
    if response.status == 404 and attempt.schedule_id in known:
        known.remove(attempt.schedule_id)
    if response.status >= 300 or not response.body:
        return
    content = json.loads(response.body, parse_int=str, parse_float=str)
    if not isinstance(content, dict):
        return
    for schedule in [content, *_schedules_of(content)]:
        schedule_id = schedule.get("scheduleId", schedule.get("id"))
        if isinstance(schedule_id, str) and schedule_id not in known:
            known.append(schedule_id)
    if isinstance(content.get("nextCursor"), str):
        generator.cursors.append(content["nextCursor"])


def _schedules_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    schedules = content.get("schedules")
    return [each for each in schedules if isinstance(each, dict)] if isinstance(schedules, list) else []
