"""What goes wrong at night, and how a test plays it on the local stack."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.support.stacks.admin_process import AdminProcess
from tests.support.stacks.local_stack import ApiInstall, LocalStack
from tests.support.stacks.scripted_runner import RunnerResponse, extension_response, start_scripted_runner

_STUCK_SECONDS = 45 * 60

Play = Callable[[LocalStack, ApiInstall, str, int], AbstractContextManager[None]]
"""Plays a fault, from half an hour before an occurrence until well after it; within the block it is in force."""


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        name: How the page names it.
        play: Plays it.
        problems: The codes that `status` must report.
    """

    name: str
    play: Play
    problems: frozenset[str] = frozenset()


@contextmanager
def _play_runner_down(
    stack: LocalStack, _install: ApiInstall, _schedule_id: str, _port: int
) -> Iterator[None]:
    stack.advance_clock("PT1H")
    yield


def _play_response(response: RunnerResponse) -> Play:
    """Let the runner answer everything with the response."""

    @contextmanager
    def play(stack: LocalStack, _install: ApiInstall, _schedule_id: str, port: int) -> Iterator[None]:
        with start_scripted_runner(port=port) as runner:
            runner.respond = lambda _request: response
            stack.advance_clock("PT1H")
            yield

    return play


def _play_change(change: Callable[[LocalStack, ApiInstall, str], object]) -> Play:
    """Change something beforehand; the runner is healthy."""

    @contextmanager
    def play(stack: LocalStack, install: ApiInstall, schedule_id: str, port: int) -> Iterator[None]:
        change(stack, install, schedule_id)
        with start_scripted_runner(port=port):
            stack.advance_clock("PT1H")
            yield

    return play


def _play_repair(change: Callable[[LocalStack, ApiInstall, str], object]) -> Play:
    """Change something beforehand, and let the operator sweep after the occurrence; the runner is healthy."""

    @contextmanager
    def play(stack: LocalStack, install: ApiInstall, schedule_id: str, port: int) -> Iterator[None]:
        change(stack, install, schedule_id)
        with start_scripted_runner(port=port):
            stack.advance_clock("PT1H")
            AdminProcess(stack.aws_url)("reconcile", "--sweep")
            yield

    return play


def _disable_install(stack: LocalStack, install: ApiInstall, _schedule_id: str) -> None:
    stack.api.post(f"/admin/v1/installs/{install.id}/disable").raise_for_status()


def _revoke_capability(stack: LocalStack, install: ApiInstall, _schedule_id: str) -> None:
    stack.register_install(install.id, tenantId="tenant-of-the-night", grantedCapabilities=[])


def _delete_timer(stack: LocalStack, _install: ApiInstall, schedule_id: str) -> None:
    stack.aws_client("scheduler").delete_schedule(GroupName=stack.group_name(), Name=schedule_id)


def _change_timer(stack: LocalStack, _install: ApiInstall, schedule_id: str) -> None:
    scheduler, group = stack.aws_client("scheduler"), stack.group_name()
    timer = scheduler.get_schedule(GroupName=group, Name=schedule_id)
    fields = {name: timer[name] for name in ("Name", "GroupName", "FlexibleTimeWindow", "State", "Target")}
    scheduler.update_schedule(
        **fields, ScheduleExpression="cron(0 3 1 1 ? *)", ScheduleExpressionTimezone="UTC"
    )


@contextmanager
def _play_pause(stack: LocalStack, _install: ApiInstall, _schedule_id: str, port: int) -> Iterator[None]:
    path = "/admin/v1/tenants/tenant-of-the-night"
    stack.api.post(f"{path}/pause").raise_for_status()
    with start_scripted_runner(port=port):
        stack.advance_clock("PT1H")
        yield
    stack.api.post(f"{path}/resume").raise_for_status()


@contextmanager
def _play_recovery(stack: LocalStack, _install: ApiInstall, _schedule_id: str, port: int) -> Iterator[None]:
    """Let an occurrence fail for good, and the next one succeed."""
    with start_scripted_runner(port=port) as runner:
        runner.respond = lambda _request: extension_response(503)
        stack.advance_clock("PT1H")
        runner.respond = lambda _request: extension_response()
        stack.advance_clock("PT1H")
        yield


@contextmanager
def _play_stuck_queue(
    stack: LocalStack, _install: ApiInstall, _schedule_id: str, port: int
) -> Iterator[None]:
    """Let the queue hold its messages back, and report their age as SQS does, which the emulator does not."""
    sqs, url = stack.aws_client("sqs"), stack.queue_url("OccurrenceQueue")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "900"})
    with start_scripted_runner(port=port):
        stack.advance_clock("PT1H15M")
        stack.aws_client("cloudwatch").put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
                    "Timestamp": stack.read_clock(),
                    "Value": _STUCK_SECONDS,
                }
            ],
        )
        yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0"})
    sqs.purge_queue(QueueUrl=url)


FAULTS = (
    Fault("the runner is down", _play_runner_down, frozenset({"runner-down"})),
    Fault(
        "the runner answers 401 to everything",
        _play_response((401, b'{"error":"unauthorized"}')),
        frozenset({"runner-refuses", "dead-letters", "schedules-fail"}),
    ),
    Fault(
        "an endpoint answers 503",
        _play_response(extension_response(503)),
        frozenset({"dead-letters", "schedules-fail"}),
    ),
    Fault("the install is disabled", _play_change(_disable_install)),
    Fault("the tenant is paused", _play_pause),
    Fault("the capability is revoked", _play_change(_revoke_capability)),
    Fault("the timer is deleted by hand", _play_change(_delete_timer)),
    Fault("the timer is changed by hand", _play_change(_change_timer)),
    Fault("the timer was deleted by hand, and the sweep has repaired it", _play_repair(_delete_timer)),
    Fault("the timer was changed by hand, and the sweep has repaired it", _play_repair(_change_timer)),
    Fault(
        "dead letters are left, and the next occurrence has succeeded",
        _play_recovery,
        frozenset({"dead-letters"}),
    ),
    Fault("the queue is stuck", _play_stuck_queue, frozenset({"queue-stuck"})),
)
