"""Run each command of the operator's command line in a fork of this process, which has imported it once.

See `admin_process`. Each line of stdin is a JSON document with the arguments of a command, its environment, and the
files for its stdin, stdout and stderr. The response is a line with its exit status.
"""

import json
import os
import runpy
import sys
from typing import Any

import boto3  # noqa: F401 - imported by every command
import scheduling.bootstrap  # noqa: F401

import scheduling_admin.app
import scheduling_admin.stack.queues

scheduling_admin.stack.queues.RECEIVE_WAIT_SECONDS = 0  # the emulator returns all messages at once


def _execute_command(request: dict[str, Any]) -> None:
    for descriptor, name in enumerate(request["files"]):
        os.dup2(os.open(name, os.O_RDWR), descriptor)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8") for number, mode in enumerate("rww")
    )
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["scheduling-admin", *request["words"]]
    runpy.run_module("scheduling_admin", run_name="__main__", alter_sys=True)


def _fork_command(request: dict[str, Any]) -> int:
    if child_pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child_pid, 0)[1])
    status = 1
    try:
        _execute_command(request)
        status = 0
    except SystemExit as system_exit:
        status = system_exit.code if isinstance(system_exit.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    for line in sys.stdin:
        print(_fork_command(json.loads(line)), flush=True)
