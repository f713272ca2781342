"""The operator's command line, imported once: each command is a fork of this process. See `admin_process`.

Reads a JSON document a line, with the command's words, its environment, and the files that it reads and writes;
answers the status that it ends with.
"""

import json
import os
import runpy
import sys
from typing import Any

import boto3  # noqa: F401 - what every command imports
import scheduling.bootstrap  # noqa: F401

import scheduling_admin.app  # noqa: F401


def _become(asked: dict[str, Any]) -> None:
    for number, name in enumerate(asked["files"]):
        os.dup2(os.open(name, os.O_RDWR), number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8") for number, mode in enumerate("rww")
    )
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["scheduling-admin", *asked["words"]]
    runpy.run_module("scheduling_admin", run_name="__main__", alter_sys=True)


def _run(asked: dict[str, Any]) -> int:
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        _become(asked)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    for line in sys.stdin:
        print(_run(json.loads(line)), flush=True)
