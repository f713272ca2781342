"""A worker process, which executes one job at a time: `python -m runner.sandbox.worker <file descriptor>`."""

import logging
import signal
import sys
import time
from multiprocessing.connection import Connection

from runner.errors import MemoryLimit, RunnerError
from runner.protocol import Job
from runner.sandbox.connection import RunnerConnection, RunnerLogHandler
from runner.sandbox.execution import execute_job
from runner.sandbox.process_limits import end_process_after, limit_core_dumps, limit_memory
from runner.sandbox.sandbox import Sandbox

ORPHAN_GRACE_SECONDS = 2.0
"""How much later than the runner the operating system ends a job."""


def main() -> None:
    """Execute jobs until the runner closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the runner too, which then ends its workers
    limit_core_dumps()
    sandbox = Sandbox()
    runner = RunnerConnection(Connection(int(sys.argv[1])))
    logging.basicConfig(level=logging.INFO, handlers=[RunnerLogHandler(runner)])
    while job := runner.receive_job():
        _run_job(sandbox, job, runner)


def _run_job(sandbox: Sandbox, job: Job, runner: RunnerConnection) -> None:
    end_process_after(max(job.deadline - time.monotonic(), 0) + ORPHAN_GRACE_SECONDS)
    try:
        extension = sandbox.load_extension(job.component)
        limit_memory(job.limits.memory_bytes)
        response = execute_job(sandbox, extension, job, runner)
        content = response.to_json()
    except RunnerError as error:
        runner.send_failure(error)
    except MemoryError:
        runner.send_failure(MemoryLimit("the extension needs more memory than it may have"))
    else:
        runner.send_response(response.status, content)
    finally:
        end_process_after(0)


if __name__ == "__main__":
    main()
