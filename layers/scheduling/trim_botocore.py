"""Leave of botocore what the functions need of it to call AWS: `trim_botocore.py FOLDER`, for the layer's build.

A cold start spends a third of its time on reading what is left out here (decision 025).
"""

import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CALLED = {
    "dynamodb": [
        "BatchGetItem",
        "DeleteItem",
        "PutItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem",
    ],
    "events": ["PutEvents"],
    "lambda": ["Invoke"],
    "scheduler": ["CreateSchedule", "DeleteSchedule", "GetSchedule", "ListSchedules", "UpdateSchedule"],
    "secretsmanager": ["GetSecretValue"],
}
AUTHORITIES = ("Amazon", "Starfield", "DigiCert")
"""Those that Amazon Trust Services asks to trust, and that of older endpoints; each connection parses them all."""
Model = dict[str, Any]


def trim(botocore: Path) -> None:
    """Drop from the package's folder services, operations, documentation, and authorities."""
    _trim_services(botocore / "data")
    bundle = botocore / "cacert.pem"
    labels = tuple(f'# Label: "{name}' for name in AUTHORITIES)
    authorities = bundle.read_text().split("\n\n")
    bundle.write_text("\n\n".join(each for each in authorities if any(label in each for label in labels)))


def _trim_services(data: Path) -> None:
    for folder in filter(Path.is_dir, data.iterdir()):
        if folder.name in CALLED:
            *old, newest = sorted(folder.iterdir())
            for version in old:
                shutil.rmtree(version)
            _trim_service(newest, CALLED[folder.name])
        else:
            shutil.rmtree(folder)
    (data / "partitions.json").unlink()
    endpoints = json.loads((data / "endpoints.json").read_text())
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in CALLED if name in services}
    _write(data / "endpoints.json", endpoints)


def _trim_service(version: Path, operations: list[str]) -> None:
    """Without the rules for endpoints, gone through at each call: endpoints.json gives each client its one."""
    model = dict(json.loads(gzip.decompress((version / "service-2.json.gz").read_bytes())))
    shutil.rmtree(version)
    version.mkdir()
    model["operations"] = {name: model["operations"][name] for name in operations}
    needed = set(_reached(model["shapes"], model["operations"]))
    model["shapes"] = {name: shape for name, shape in model["shapes"].items() if name in needed}
    _write(version / "service-2.json", _undocumented(model))


def _reached(shapes: Model, start: object) -> Iterator[str]:
    """The names of the shapes that `start` is made of."""
    seen: set[str] = set()
    waiting = list(_named(start))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(_named(shapes[name]))
            yield name


def _named(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)


def _undocumented(value: Any) -> Any:
    """Documentation is text; a member or shape that happens to have that name is not."""
    if isinstance(value, dict):
        kept = {
            key: each for key, each in value.items() if not (key == "documentation" and isinstance(each, str))
        }
        return {key: _undocumented(each) for key, each in kept.items()}
    return [_undocumented(each) for each in value] if isinstance(value, list) else value


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")))


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
