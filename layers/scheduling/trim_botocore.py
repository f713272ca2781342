"""Remove from botocore what the functions do not need to call AWS: `trim_botocore.py FOLDER`, for the layer's build.

A cold start spends a third of its time on reading what this removes (decision 025). Where botocore lacks something
that has to be kept, because another version names it differently, the build fails instead of building a broken layer.
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
    "sqs": ["SendMessage"],
}
AUTHORITIES = ("Amazon", "Starfield", "DigiCert")
"""Those that Amazon Trust Services names, and that of older endpoints; each connection parses all certificates."""
MIN_CERTIFICATES = 10
MARKER = "TRIMMED"
"""The file in botocore's folder that tells the layer at start that botocore is trimmed."""
_MARKER_TEXT = "By layers/scheduling/trim_botocore.py of extension-scheduler: without rules for endpoints.\n"
Model = dict[str, Any]


class TrimError(Exception):
    """Something that has to be kept is not in this botocore."""


def trim(botocore: Path) -> None:
    """Remove services, operations, documentation, endpoint rules and authorities from the package's folder.

    Raises:
        TrimError: A service, an operation or an authority that has to be kept is missing.
    """
    (botocore / MARKER).write_text(_MARKER_TEXT)
    _trim_services(botocore / "data")
    _trim_authorities(botocore / "cacert.pem")


def _trim_authorities(bundle: Path) -> None:
    certificates = bundle.read_text().split("\n\n")
    kept = []
    for name in AUTHORITIES:
        labelled = [text for text in certificates if f'# Label: "{name}' in text]
        if not labelled:
            raise TrimError(f'no certificate is labelled "{name}..." in {bundle}')
        kept += labelled
    count = sum(text.count("-----BEGIN CERTIFICATE-----") for text in kept)
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
            *older_versions, newest = sorted(folder.iterdir())
            for version in older_versions:
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
    _write_json(path, endpoints)


def _trim_service(version: Path, operations: list[str]) -> None:
    """Remove also the endpoint rules, which each call evaluates: endpoints.json has the one endpoint of each client."""
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
    needed = set(_find_shape_names(model["shapes"], model["operations"]))
    model["shapes"] = {name: shape for name, shape in model["shapes"].items() if name in needed}
    _write_json(version / "service-2.json", _remove_documentation(model))


def _find_shape_names(shapes: Model, root: object) -> Iterator[str]:
    """Yield the names of the shapes that `root` refers to, directly or through other shapes."""
    visited: set[str] = set()
    pending = list(_find_references(root))
    while pending:
        name = pending.pop()
        if name not in visited:
            visited.add(name)
            pending.extend(_find_references(shapes[name]))
            yield name


def _find_references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for item in value.values():
            yield from _find_references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _find_references(item)


def _remove_documentation(value: Any) -> Any:
    """Return the value without documentation, which is text; a member or shape of that name is not."""
    if isinstance(value, dict):
        return {
            key: _remove_documentation(item)
            for key, item in value.items()
            if not (key == "documentation" and isinstance(item, str))
        }
    return [_remove_documentation(item) for item in value] if isinstance(value, list) else value


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")))


if __name__ == "__main__":
    try:
        trim(Path(sys.argv[1]))
    except TrimError as error:
        raise SystemExit(f"trim_botocore: {error}") from None
