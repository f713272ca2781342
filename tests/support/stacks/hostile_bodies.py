"""Bodies that cost as much as possible to read, of any size."""

import json
from collections.abc import Callable, Mapping

from tests.support.stacks.world import registration_body

VALID_START = '{"endpoint":"POST /api/sync","cron":"0 * * * *"'
_MANIFEST = '{"name":"a","publisher":"b","version":"1"'
Body = Callable[[int], str]


def repeat_to_size(head: str, unit: str, tail: str, size: int) -> str:
    """Return `head`, as many units as fit, and `tail`."""
    return head + unit * ((size - len(f"{head}{tail}".encode())) // len(unit.encode())) + tail


def unknown_names(size: int) -> str:
    """Return members of an object, each with a name of its own, in about so many bytes."""
    return ",".join(f'"{number:06x}":1' for number in range(size // 12))


def _payload(unit: str, last: str = "1") -> Body:
    return lambda size: repeat_to_size(f'{VALID_START},"payload":[', unit, f"{last}]}}", size)


def _text(field: str, unit: str) -> Body:
    return lambda size: repeat_to_size(f'{VALID_START[:-1]}","{field}":"', unit, '"}', size)


PAYLOADS: Mapping[str, Body] = {
    "numbers": _payload("1,"),
    "objects": _payload("{},"),
    "arrays": _payload("[],"),
    "members": _payload('{"":1},'),
    "texts": _payload('"",'),
    "exponents": _payload("1e999999,"),
    "one number": lambda size: repeat_to_size(f'{VALID_START},"payload":[', "1", "]}", size),
    "emoji": lambda size: repeat_to_size(f'{VALID_START},"payload":["', "\U0001f600", '"]}', size),
    "names": lambda size: f'{VALID_START},"payload":{{{unknown_names(size - 100)}}}}}',
}
"""Bodies of a create that are valid if their payload is not too large."""

SCHEDULES: Mapping[str, Body] = {
    **PAYLOADS,
    "unknown names": lambda size: f"{VALID_START},{unknown_names(size - 100)}}}",
    "a name twice": lambda size: f'{VALID_START},{unknown_names(size - 100)},"000001":1}}',
    "lone surrogate": _payload("1,", r'"\ud800"'),
    "deep arrays": lambda size: repeat_to_size("", "[", "", size),
    "deep objects": lambda size: repeat_to_size("", '{"a":', "", size),
    "endpoint": _text("name", "é"),
    "zone": _text("timezone", "A"),
    "words": lambda size: repeat_to_size('{"cron":"0 * * * *","endpoint":"', "a ", '"}', size),
    "cron": lambda size: repeat_to_size('{"endpoint":"/a","cron":"', "1,", '"}', size),
}
"""Bodies of a create."""


def _registration(field: str, head: str, unit: str, tail: str) -> Body:
    def build(size: int) -> str:
        body = json.dumps(registration_body(**{field: "@"}))
        return body.replace('"@"', repeat_to_size(head, unit, tail, size - len(body)))

    return build


REGISTRATIONS: Mapping[str, Body] = {
    "endpoints that are numbers": _registration(
        "manifest", f'{_MANIFEST},"api":{{"endpoints":[', "1,", "1]}}"
    ),
    "endpoints that are empty": _registration(
        "manifest", f'{_MANIFEST},"api":{{"endpoints":[', "{},", "1]}}"
    ),
    "capabilities of the manifest": _registration("manifest", f'{_MANIFEST},"capabilities":[', "1,", "1]}"),
    "a field of the manifest": _registration("manifest", f'{_MANIFEST},"other":[', "[],", "1]}"),
    "granted capabilities": _registration("grantedCapabilities", "[", "1,", "1]"),
    "granted empty names": _registration("grantedCapabilities", "[", '"",', '""]'),
    "configuration": _registration("config", '{"a":[', '{"":1},', "1]}"),
    "configured names": lambda size: json.dumps(registration_body(config="@")).replace(
        '"@"', f"{{{unknown_names(size - 1000)}}}"
    ),
    "names of the envelope": lambda size: json.dumps(registration_body(secretEnvelope="@")).replace(
        '"@"', f"{{{unknown_names(size - 1000)}}}"
    ),
    "unknown names": lambda size: f"{json.dumps(registration_body())[:-1]},{unknown_names(size - 1000)}}}",
}
"""Bodies of a PUT of an install."""
