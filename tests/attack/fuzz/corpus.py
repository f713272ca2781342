"""Hostile values: what callers send by mistake, and what they send on purpose."""

import json
from random import Random
from typing import Any

RAW_SURROGATE = '"\\ud800"'
"""A lone surrogate as JSON can write it."""

TEXTS = (
    "", " ", "\t\n", "\x00", "a\x00b", "\x1b[31mred", "\x7f", "\u2028", "\u202eevil", "\ufeff", "\u017f",
    "\u0130", "\u00df", "\u216b",
    "\U0001f4a9", "e\u0301", "\u00e9", "\U0001d7d8", "\u0661\u0662", "\ufe5f", "\ud800", "\udfff\ud800",
    "'", '"', "\\", "\\u0000", "`", "%00",
    "%s%n", "{}", "{installId}", "${jndi:ldap://x}", "<script>alert(1)</script>", "' OR 1=1 --",
    "../../etc/passwd",
    "..", "/", "//", "#", "INSTALL#x", "SCHEDULE#", "UNIQUE#a", "TENANT#tenant-0", "null", "true", "NaN",
    "undefined",
    "None", "0", "-1", "1e999", "\uff19", "a" * 64, "a" * 65, "a" * 129, "\u00e9" * 128,
    "\U0001f4a9" * 129, "x" * 5_000, "x" * 200_000,
)  # fmt: skip

CRONS = (
    "* * * * *", "*/4 9 * * *", "*/7 * * * *", "0,1 * * * *", "2,58 9,10 * * *", "60 * * * *",
    "0 24 * * *", "0 0 31 2 *",
    "0 0 29 2 *", "0 0 1 1 1", "0 9 * * 7", "0 9 * * SUN-SAT", "0 9 L * *", "0 9 15W * *", "0 9 * * 1#2",
    "@daily", "0 9 * * ?",
    "0 0 9 * * *", "0 9 * *", "5-1 * * * *", "*/0 * * * *", "*/100 * * * *", "0-59/5 * * * *",
    "00 09 * * MON-FRI",
    "0\t9  *\u00a0* *", "\u0660 9 * * *", "0 9 * * mon,TUE", "0 */1 * * *", "0 9,9,9 * * *",
    "1,2,3,4,5,6,7,8,9 * * * *",
    "-5 * * * *", "+5 * * * *", "5.0 * * * *", "R * * * *", "0 9 * JAN-DEC/2 *",
    ",".join("0" * 60) + " * * * *",
    "at(2026-12-24T18:00)", "at(2026-12-24T18:00:30)", "at(2020-01-01T00:00)", "at(2027-03-28T02:30)",
    "at(9999-12-31T23:59)",
    "at(2026-13-01T00:00)", "at()", "rate(5 minutes)", "cron(0 9 * * ? *)",
)  # fmt: skip

ZONES = (
    "UTC", "utc", "Europe/Berlin", "europe/berlin", "US/Eastern", "EST", "MST", "HST", "ROC",
    "US/Pacific-New", "Etc/GMT+12",
    "Asia/Kathmandu", "America/Nuuk", "posixrules", "Factory", "localtime", "../UTC", "/etc/localtime",
    "zone.tab", "+02:00",
    "Z", "Africa/El_Aaiun", "Antarctica/Troll", "Australia/Lord_Howe",
)  # fmt: skip

ENDPOINTS = (
    "POST /api/sync", "/api/sync", "api/sync", "//api///sync", "GET /api/both", "/api/both",
    "post /api/sync", "PUT /api/sync",
    "GET /api/items/:id", "GET /api/items/{id}", "/", "", "POST  /api/sync", "POST\t/api/sync",
    "/api/sync?x=1", "/api/sync#f",
    "http://evil/api/sync", "/api/../api/sync", "POST /API/SYNC", "POST /api/sync/",
)  # fmt: skip

NUMBERS = (
    "0", "-0", "1", "-1", "1.5", "1e400", "-1e400", "1e-400", "123456789012345678901234567890",
    "0.1000000000000000055511",
    "9007199254740993", "1E5", "NaN", "Infinity", "-Infinity", "9" * 5_000, "01", "0x10", "1_000",
)  # fmt: skip
"""As JSON text, since Python's own numbers would lose some of them; the last ones aren't JSON."""

HEADER_VALUES = (
    "", " ", "\t", "a", "*", "W/\"1\"", '"1"', '"2"', '"0"', '"-1"', '"99999999999999999999"', '"1", "2"',
    "a" * 64, "a" * 65,
    "a" * 8_000, "\xff\xfe", "\u00e9", "a,b", "gzip", "gzip;q=0", "gzip;q=", "gzip;q=x", "*;q=0.5",
    "identity", "\u0663",
)  # fmt: skip

CONTENT_TYPES = (
    "application/json", "application/json; charset=utf-16", "text/plain", "application/octet-stream",
    "multipart/form-data",
    "application/x-www-form-urlencoded", "", "a" * 500,
)  # fmt: skip

RAW_BODIES = (
    b"", b" ", b"null", b"[]", b"[{}]", b'""', b"0", b"{", b"}", b'{"a":}', b'{"a":1,}', b"{'a':1}",
    b"\xff\xfe{}", b"\xef\xbb\xbf{}",
    b'{"cron":"\xff"}', b'{"cron":"\xed\xa0\x80"}', b"\x00", b'{"a":1}{"b":2}', b'{"cron":NaN}',
    b'{"a":"\x01"}', b"[" * 100_000,
    b'{"a":' * 20_000, b'{"payload":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "{}".encode("utf-16"),
    b'{"\\ud800":1}',
    b'{"operation":"list","operation":"create"}',
    b"{" + b",".join(b'"f%d":1' % n for n in range(5_000)) + b"}",
)  # fmt: skip


def hostile_json(random: Random) -> str:
    """Return a hostile value as JSON text, which may be no valid JSON."""
    kind = random.randrange(10)
    if kind < 4:
        return json.dumps(random.choice(TEXTS))
    if kind < 6:
        return random.choice(NUMBERS)
    if kind == 6:
        return random.choice(("true", "false", "null", "[]", "{}", "[null]", '{"a":null}', RAW_SURROGATE))
    if kind == 7:
        depth = random.choice((1, 30, 99, 101, 600, 3_000))
        return "[" * depth + "]" * depth
    if kind == 8:
        return json.dumps(
            {random.choice(TEXTS): random.choice(TEXTS) for _ in range(random.choice((1, 5, 40)))}
        )
    return json.dumps("x" * random.choice((100, 99_997, 100_001, 300_000)))


def hostile_field(name: str, random: Random) -> str:
    """Return a value of a field as JSON text: near the valid ones, or anything."""
    near: dict[str, tuple[str, ...]] = {"cron": CRONS, "timezone": ZONES, "endpoint": ENDPOINTS}
    if name in near and random.random() < 0.7:
        return json.dumps(random.choice(near[name]))
    return hostile_json(random)


def dump_fields(fields: dict[str, Any]) -> dict[str, str]:
    """Return each value as JSON text."""
    return {name: json.dumps(value) for name, value in fields.items()}
