"""How much memory the runner and its processes have at most, under all hostile components."""

import json
import subprocess
import sys

import pytest

from local.settings import PROJECT_ROOT

# In a process of its own: the system reports the largest child process that has ended, of all that a process had.
ATTACK = r"""
import json, logging, re, resource, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from dataclasses import replace
from runner.settings import MEBIBYTE
from tests.support.components import hostile
from tests.support.components.client import ComponentClient
from tests.support.components.runner import add_wat, create_runner_settings, start_runner

logging.disable()
folder = Path(sys.argv[1])
settings = create_runner_settings("http://127.0.0.1:9", folder, memory_bytes=int(sys.argv[2]) * MEBIBYTE)
statuses = {}
with start_runner(settings, cache_dir=folder / "cache") as url:

    def attack(item):
        name, wat = item
        client = ComponentClient(url, add_wat(folder / name, wat))
        statuses[name] = client.execute_request("POST", "/run", timeout_ms=3_000).http_status
        client.http.clear()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(attack, hostile.ALL.items()))
    healthy = ComponentClient(url, add_wat(folder / "healthy", hostile.build_component("")))
    status = healthy.execute_request("POST", "/run").response["status"]
    healthy.http.clear()
worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
# Not RUSAGE_SELF, in which a process inherits the size of the one that started it.
(runner,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps({"statuses": statuses, "status": status, "worker": worker, "runner": int(runner)}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces RLIMIT_DATA")
def test_no_component_exceeds_the_limit(tmp_path: object) -> None:
    limit_mb = 128
    completed = subprocess.run(
        [sys.executable, "-c", ATTACK, str(tmp_path), str(limit_mb)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    result = json.loads(completed.stdout)
    assert set(result["statuses"].values()) == {200}
    assert result["status"] == 204  # after all of them, the runner executes as before
    worker_mb, runner_mb = result["worker"] / 1024, result["runner"] / 1024
    # A worker has 30 MB by itself, some of them shared with others.
    assert limit_mb / 2 < worker_mb < limit_mb + 64
    assert runner_mb < 128
