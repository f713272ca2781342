"""What works in a component as outside, and what does not: each case is a function, `works_…` or `fails_…`."""

import random
import threading
import time
import zoneinfo
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import resources
from uuid import uuid4

import data_package  # type: ignore[import-not-found]  # beside this file
from extension_sdk import Extension, Request
from extension_sdk.schedules import Json

limits = Extension()

STARTED_AT = time.time()
RANDOM = random.random()  # noqa: S311 - no secret
COUNTER: list[int] = []


def works_strptime() -> Json:
    return datetime.strptime("2026-11-28 09:30", "%Y-%m-%d %H:%M").isoformat()  # noqa: DTZ007 - without a zone


def works_time_strptime() -> Json:
    return time.strptime("28 Nov 26", "%d %b %y").tm_yday


def works_late_import_of_the_standard_library() -> Json:
    import statistics
    from decimal import Decimal

    return [statistics.median([1, 5, 2]), str(Decimal("0.1") + 1)]


def works_late_import_of_an_own_module() -> Json:
    from data_package import late_module

    return late_module.VALUE


def works_late_import_by_name() -> Json:
    import importlib

    return importlib.import_module("data_package.late_module").VALUE


def works_codecs() -> Json:
    encodings = ("latin-1", "cp1252", "utf-16", "shift_jis", "idna", "gb18030", "koi8-r", "utf-8-sig")
    return {name: "no".encode(name).hex() for name in encodings} | {"ebcdic": b"\xc1".decode("cp500")}


def works_data_of_a_package() -> Json:
    files = resources.files(data_package)
    return [
        files.joinpath("text.txt").read_text(),
        (files / "sub" / "text.txt").read_bytes().decode(),
        resources.files("data_package.sub").joinpath("text.txt").read_text(),
        sorted(entry.name for entry in files.iterdir() if entry.name.endswith("txt")),
    ]


def works_zones() -> Json:
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    return [
        datetime(2026, 7, 1, tzinfo=UTC).astimezone(berlin).isoformat(),
        datetime(2026, 12, 1, tzinfo=zoneinfo.ZoneInfo("America/Argentina/Ushuaia")).isoformat(),
        "Asia/Kolkata" in zoneinfo.available_timezones(),
    ]


def works_unknown_zone() -> Json:
    try:
        return str(zoneinfo.ZoneInfo("Europe/Nowhere"))
    except zoneinfo.ZoneInfoNotFoundError as error:
        return str(error)


def works_email() -> Json:
    from email.message import EmailMessage

    message = EmailMessage()
    message["Subject"] = "Grüße"
    message.set_content("ü")
    return message.as_string()


def works_xml() -> Json:
    import xml.etree.ElementTree as ET

    return ET.fromstring("<a><b c='d'/></a>").findall("./b[@c='d']")[0].attrib  # noqa: S314 - its own text


def works_hashes_and_compression() -> Json:
    import gzip
    import hashlib
    import hmac
    import zlib

    digests = [hashlib.new(name, b"a").hexdigest() for name in ("md5", "sha256", "sha3_256", "blake2b")]
    return [*digests, hmac.new(b"k", b"a", "sha256").hexdigest(), len(gzip.compress(b"a")), zlib.crc32(b"a")]


def works_long_number() -> Json:
    return int("9" * 4_000) % 97


def works_recursion() -> Json:
    def recurse(depth: int) -> int:
        return recurse(depth + 1)

    try:
        return recurse(0)
    except RecursionError:
        return "RecursionError"


def works_traceback() -> Json:
    import traceback

    try:
        return [] + {}  # type: ignore[operator]
    except TypeError:
        return traceback.format_exc().splitlines()[-3:]


def varies_random() -> Json:
    return random.random()  # noqa: S311 - no secret


def varies_uuid() -> Json:
    return str(uuid4())


def varies_time() -> Json:
    return time.time_ns()


def stays_module_level_time() -> Json:
    return STARTED_AT


def stays_module_level_random() -> Json:
    return RANDOM


def stays_global_state() -> Json:
    COUNTER.append(1)
    return len(COUNTER)


def fails_computed_import() -> Json:
    import importlib

    return str(importlib.import_module("data_package." + "not_imported"))


def fails_import_ctypes() -> Json:
    import ctypes

    return ctypes.sizeof(ctypes.c_int)


def fails_unavailable_modules() -> Json:
    import importlib

    importable = []
    for name in UNAVAILABLE:
        with suppress(ImportError):
            importable.append(importlib.import_module(name).__name__)
    if not importable:
        raise ModuleNotFoundError(f"all {len(UNAVAILABLE)}")
    return importable


def attempted_by_the_build() -> None:
    """Import what the build is to attempt; never called."""
    import bz2  # noqa: F401
    import ctypes  # noqa: F401
    import curses  # noqa: F401
    import fcntl  # noqa: F401
    import grp  # noqa: F401
    import lzma  # noqa: F401
    import mmap  # noqa: F401
    import msvcrt  # noqa: F401
    import pty  # noqa: F401
    import pwd  # noqa: F401
    import readline  # noqa: F401
    import resource  # noqa: F401
    import ssl  # noqa: F401
    import syslog  # noqa: F401
    import termios  # noqa: F401
    import tkinter  # noqa: F401
    import tty  # noqa: F401
    import winreg  # noqa: F401
    import winsound  # noqa: F401

    import compression.bz2  # type: ignore[import-not-found]
    import compression.lzma  # type: ignore[import-not-found]
    import compression.zstd  # type: ignore[import-not-found]  # noqa: F401 - of Python 3.14


UNAVAILABLE = (
    "bz2",
    "compression.bz2",
    "compression.lzma",
    "compression.zstd",
    "ctypes",
    "curses",
    "fcntl",
    "grp",
    "lzma",
    "mmap",
    "msvcrt",
    "pty",
    "pwd",
    "readline",
    "resource",
    "ssl",
    "syslog",
    "termios",
    "tkinter",
    "tty",
    "winreg",
    "winsound",
)


def fails_file() -> Json:
    from pathlib import Path

    return len(Path(__file__).read_text())


def fails_temporary_file() -> Json:
    import tempfile

    with tempfile.TemporaryFile() as file:
        return file.write(b"a")


def fails_network() -> Json:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[0]


def fails_thread() -> Json:
    thread = threading.Thread(target=list)
    thread.start()
    thread.join()
    return "ran"


def fails_process() -> Json:
    import subprocess
    import sys

    return subprocess.run([sys.executable, "-c", "pass"], check=True).returncode


def fails_asyncio() -> Json:
    import asyncio

    async def work() -> str:
        await asyncio.sleep(0)
        return "ran"

    return asyncio.run(work())


def fails_package_metadata() -> Json:
    from importlib.metadata import version

    return bool(version("pytest"))


def fails_local_time_zone() -> Json:
    import os

    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    return time.localtime(0).tm_hour


def fails_environment() -> Json:
    import os

    return os.environ["PATH"] != ""


def ends_nested_value() -> Json:
    value: Json = []
    for _ in range(100_000):
        value = [value]
    return "made"


def ends_nested_json() -> Json:
    import json

    return len(json.loads("[" * 10_000 + "]" * 10_000))


def ends_exit() -> Json:
    raise SystemExit(1)


@limits.get("/limits/:name")
def call_case(request: Request) -> Json:
    case: Callable[[], Json] = globals()[request.params["name"]]
    try:
        return {"value": case()}
    except Exception as error:  # noqa: BLE001 - the case's result
        return {"error": f"{type(error).__name__}: {error}"}


CASES = tuple(
    name for name in globals() if name.startswith(("works_", "varies_", "stays_", "fails_", "ends_"))
)
