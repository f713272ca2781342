"""Leave of botocore what the functions need of it to call AWS: `trim_botocore.py FOLDER`, for the layer's build.

A cold start spends a third of its time on reading what is left out here (decision 025). Where botocore has not what is
to be kept, as a later version may name it otherwise, the build ends with an error rather than with a broken layer.
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
MIN_CERTIFICATES = 10
MARKER = "TRIMMED"
"""The file in botocore's folder by which the layer knows at its start that this was done."""
_MARKER_TEXT = "By layers/scheduling/trim_botocore.py of extension-scheduler: without rules for endpoints.\n"
Model = dict[str, Any]


class TrimError(Exception):
    """Something that is to be kept is not in this botocore."""


def trim(botocore: Path) -> None:
    """Drop services, operations, documentation, endpoint rules, and authorities from the package's folder.

    Raises:
        TrimError: if a service, an operation or an authority that is to be kept is not found.
    """
    (botocore / MARKER).write_text(_MARKER_TEXT)
    _trim_services(botocore / "data")
    _trim_authorities(botocore / "cacert.pem")


def _trim_authorities(bundle: Path) -> None:
    certificates = bundle.read_text().split("\n\n")
    kept = []
    for name in AUTHORITIES:
        labelled = [each for each in certificates if f'# Label: "{name}' in each]
        if not labelled:
            raise TrimError(f'no certificate is labelled "{name}..." in {bundle}')
        kept += labelled
    count = sum(each.count("-----BEGIN CERTIFICATE-----") for each in kept)
    if count < MIN_CERTIFICATES:
        raise TrimError(f"only {count} certificates would be kept of {bundle}, fewer than {MIN_CERTIFICATES}")
    bundle.write_text("\n\n".join(kept))


def _trim_services(data: Path) -> None:
    folders = {path.name: path for path in data.iterdir() if path.is_dir()}
    for service in CALLED:
        if service not in folders:
            raise TrimError(f"no service is named {service} in {data}")
    for name, folder in folders.items():
        if name in CALLED:
            *old, newest = sorted(folder.iterdir())
            for version in old:
                shutil.rmtree(version)
            _trim_service(newest, CALLED[name])
        else:
            shutil.rmtree(folder)
    (data / "partitions.json").unlink()
    _trim_endpoints(data / "endpoints.json")


def _trim_endpoints(path: Path) -> None:
    endpoints = json.loads(path.read_text())
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in CALLED if name in services}
    for service in CALLED:
        if not any(service in partition["services"] for partition in endpoints["partitions"]):
            raise TrimError(f"no endpoints are listed for {service} in {path}")
    _write(path, endpoints)


def _trim_service(version: Path, operations: list[str]) -> None:
    """Without the rules for endpoints, gone through at each call: endpoints.json gives each client its one."""
    path = version / "service-2.json.gz"
    if not path.is_file():
        raise TrimError(f"there is no {path}")
    model = dict(json.loads(gzip.decompress(path.read_bytes())))
    for name in operations:
        if name not in model["operations"]:
            raise TrimError(f"no operation is named {name} in {path}")
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
    try:
        trim(Path(sys.argv[1]))
    except TrimError as error:
        raise SystemExit(f"trim_botocore: {error}") from None
