"""What works outside a component and not inside: the guide's table, and what `extension-sdk check` reports."""

from dataclasses import dataclass

# The component's Python has no such modules, or they need one that it does not have.
UNAVAILABLE_MODULES = frozenset(
    {
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
    }
)


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the table; `cases` are the functions of the tests' component that show it."""

    what: str
    effect: str
    alternative: str
    cases: tuple[str, ...]


LIMITS = (
    Limit(
        "Modules that need the operating system: "
        + ", ".join(f"`{name}`" for name in sorted(UNAVAILABLE_MODULES - {"msvcrt", "winreg", "winsound"})),
        "`ModuleNotFoundError`; at module level, the build fails",
        "`zlib` and `gzip` compress; `check` names file and line",
        ("fails_unavailable_modules",),
    ),
    Limit(
        'A module or package imported by a computed name: `import_module("plugins." + name)`',
        "`ModuleNotFoundError`, since there are no files to import from",
        "Import it at module level. Imports in functions work, as does a name written out",
        ("fails_computed_import",),
    ),
    Limit(
        "Packages with native code, such as numpy",
        "the build fails, or `ModuleNotFoundError`",
        "A package in pure Python, in the extension's folder",
        ("fails_import_ctypes",),
    ),
    Limit(
        "Files: `open`, `Path(__file__)`, `tempfile`",
        "`FileNotFoundError`",
        "`importlib.resources.files(…)` reads the data of the extension's modules and packages",
        ("fails_file", "fails_temporary_file"),
    ),
    Limit(
        "Network: `socket`, `urllib.request`, `asyncio`",
        "`PermissionError`",
        "None in this SDK",
        ("fails_network", "fails_asyncio"),
    ),
    Limit(
        "Threads and processes",
        "`RuntimeError: can't start new thread`, `OSError`",
        "Do the work in sequence, or in several schedules",
        ("fails_thread", "fails_process"),
    ),
    Limit(
        "Environment variables",
        "there are none; `TZ` is UTC, and `time.tzset` does not exist",
        "The payload of the schedule; `ZoneInfo` for other zones",
        ("fails_environment", "fails_local_time_zone"),
    ),
    Limit(
        "`importlib.metadata.version`",
        "`PackageNotFoundError`",
        "A constant",
        ("fails_package_metadata",),
    ),
    Limit(
        "The time or a random number at module level: `STARTED = time.time()`",
        "the time and the number of the build, the same in each call",
        "Compute it in a function: there, both are as they should be",
        ("stays_module_level_time", "stays_module_level_random"),
    ),
    Limit(
        "State at module level: a counter, a cache",
        "each call starts with the state of the build",
        "The payload, or the schedule itself",
        ("stays_global_state",),
    ),
    Limit(
        "Values nested thousands deep, or `json.loads` of such a text",
        "the execution ends, and the log says `call stack exhausted`",
        "`request.json()` refuses more than 256 levels. A recursive function is a `RecursionError`",
        ("ends_nested_value", "ends_nested_json"),
    ),
    Limit(
        "`sys.exit`",
        "the execution ends with an error of the platform, which the scheduler retries",
        "Raise an exception, or return a response",
        ("ends_exit",),
    ),
)


def render_limits() -> str:
    """Return the table as Markdown."""
    rows = (f"| {limit.what} | {limit.effect} | {limit.alternative} |" for limit in LIMITS)
    return "\n".join(("| what | in a component | instead |", "|---|---|---|", *rows))
