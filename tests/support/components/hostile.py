"""Hostile components: each does one thing that must not harm the runner or other executions."""

from collections.abc import Iterable

from tests.support.components.wat import TYPES, define_memory

_IMPORTS = {
    "log": (
        """(import "alga:extension/logging" (instance $logging (export "log-info" (func (param "message" string)))))""",
        '(canon lower (func $logging "log-info") (memory $mem))',
        "(param i32 i32)",
    ),
    "sleep": (
        """(import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type $p (sub resource)))
      (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
      (export "pollable" (type $p (eq $pollable)))
      (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))""",
        '(canon lower (func $clock "subscribe-duration"))',
        "(param i64) (result i32)",
    ),
    "block": ("", '(canon lower (func $poll "[method]pollable.block"))', "(param i32)"),
    "list": (
        """(import "alga:extension/scheduler" (instance $scheduler
      (type $list-error' (enum "not-found" "validation-failed" "quota-exceeded" "denied" "internal"))
      (export "scheduler-error" (type $list-error (eq $list-error')))
      (type $endpoint' (record (field "id" string) (field "method" string) (field "path" string)
        (field "handler" string) (field "schedulable" bool)))
      (export "endpoint-info" (type $endpoint (eq $endpoint')))
      (type $input' (record (field "endpoint" string) (field "cron" string) (field "timezone" (option string))
        (field "enabled" (option bool)) (field "name" (option string)) (field "payload" (option string))))
      (export "create-schedule-input" (type $input (eq $input')))
      (type $created' (record (field "success" bool) (field "schedule-id" (option string))
        (field "error" (option string)) (field "field-errors" (option string))))
      (export "create-schedule-result" (type $created (eq $created')))
      (type $deleted' (record (field "success" bool) (field "error" (option string))))
      (export "delete-schedule-result" (type $deleted (eq $deleted')))
      (export "get-endpoints" (func (result (result (list $endpoint) (error $list-error)))))
      (export "create-schedule" (func (param "input" $input) (result $created)))
      (export "delete-schedule" (func (param "schedule-id" string) (result $deleted)))))""",
        '(canon lower (func $scheduler "get-endpoints") (memory $mem) (realloc (core func $realloc)))',
        "(param i32)",
    ),
    "create": (
        "",
        '(canon lower (func $scheduler "create-schedule") (memory $mem) (realloc (core func $realloc)))',
        f"(param {'i32 ' * 16})",
    ),
    "delete": (
        "",
        '(canon lower (func $scheduler "delete-schedule") (memory $mem) (realloc (core func $realloc)))',
        "(param i32 i32 i32)",
    ),
}
SLEEP = ("sleep", "block")
SCHEDULER = ("list", "create", "delete")


_WRITE_RESPONSE = """;; execute-response: status, headers (none), body
      (i32.store16 (i32.const 16) (local.get $status))
      (i32.store (i32.const 20) (i32.const 0))
      (i32.store (i32.const 24) (i32.const 0))
      (i32.store8 (i32.const 28) (i32.const 1))
      (i32.store (i32.const 32) (local.get $body))
      (i32.store (i32.const 36) (local.get $size))"""


def build_component(
    code: str, *, uses: Iterable[str] = (), pages: int = 1, module: str = "", outside: str = ""
) -> str:
    """Return a component whose handler runs `code`, and responds with status and body.

    Args:
        code: The instructions. `$status`, `$body` and `$size` are the response; `$n` and `$p` are free.
        uses: Host functions, by their names in `_IMPORTS`; `$log`, for example, can be called then.
        pages: The pages of the memory, of which the first 4096 bytes are used for records.
        module: Further definitions of the module with the handler.
        outside: Further definitions of the component.
    """
    names = list(uses)
    imports = "\n  ".join(_IMPORTS[name][0] for name in names)
    lowered = "\n  ".join(f"(core func ${name} {_IMPORTS[name][1]})" for name in names)
    imported = "\n    ".join(f'(import "host" "{name}" (func ${name} {_IMPORTS[name][2]}))' for name in names)
    exports = " ".join(f'(export "{name}" (func ${name}))' for name in names)
    return f"""(component {TYPES}
  {imports}
  {define_memory(pages, 4096)}
  {lowered}
  {outside}
  (core module $main
    (import "host" "memory" (memory $mem {pages}))
    {imported}
    {module}
    (func (export "handler") (param i32) (result i32)
      (local $status i32) (local $body i32) (local $size i32) (local $n i32) (local $p i32)
      (local.set $status (i32.const 204))
      {code}
      {_WRITE_RESPONSE}
      (i32.const 16)))
  (core instance $main (instantiate $main (with "host" (instance
    (export "memory" (memory $mem)) {exports}))))
  (func (export "handler") (param "request" $execute-request) (result $execute-response)
    (canon lift (core func $main "handler") (memory $mem) (realloc (core func $realloc)))))"""


def repeat(times: int, code: str) -> str:
    """Return instructions that run `code` several times, counted in `$n`."""
    return f"""(local.set $n (i32.const 0))
      (loop $next {code}
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $n) (i32.const {times}))))"""


def grow_until_refused(grow: str) -> str:
    """Return instructions that run `grow` until it yields -1, and count in `$status` how often it did not."""
    return f"""(block $end (loop $more
        (br_if $end (i32.eq {grow} (i32.const -1)))
        (local.set $status (i32.add (local.get $status) (i32.const 1)))
        (br $more)))"""


def grow_memories(count: int, pages: int, *, fill: bool = False) -> str:
    """Return a component with `count` further memories, which all grow by `pages` at a time until refused.

    The status is how often they grew, in all. With `fill`, each byte is written, so that the system has to provide it.
    """
    memories = "\n    ".join(f"(memory $m{index} 1)" for index in range(count))
    code = "\n      ".join(
        grow_until_refused(f"(memory.grow $m{index} (i32.const {pages}))")
        .replace("$end", f"$end{index}")
        .replace("$more", f"$more{index}")
        + (f" {_fill_memory(f'$m{index}')}" if fill else "")
        for index in range(count)
    )
    return build_component(f"(local.set $status (i32.const 0)) {code}", module=memories)


def _fill_memory(memory: str) -> str:
    size = f"(i32.mul (memory.size {memory}) (i32.const 65536))"
    return f"(memory.fill {memory} (i32.const 0) (i32.const 1) {size})"


def grow_tables(count: int, elements: int, memory_pages: int = 0) -> str:
    """Return a component whose tables all grow by `elements` at a time until refused, after its memory has grown."""
    tables = "\n    ".join(f"(table $t{index} 1 funcref)" for index in range(count))
    code = "\n      ".join(
        grow_until_refused(f"(table.grow $t{index} (ref.null func) (i32.const {elements}))")
        .replace("$end", f"$end{index}")
        .replace("$more", f"$more{index}")
        for index in range(count)
    )
    memory = f"(drop (memory.grow $mem (i32.const {memory_pages})))"
    return build_component(f"(local.set $status (i32.const 0)) {memory} {code}", module=tables)


def instantiate_modules(count: int, module: str) -> str:
    """Return a component with `count` instances of one module."""
    instances = "\n  ".join("(core instance (instantiate $small))" for _ in range(count))
    return build_component("", outside=f"(core module $small {module})\n  {instances}")


# A line or payload of so many zero bytes, which is valid UTF-8.
LONG_LINE_BYTES = 40_000_000
HUGE_LINE_BYTES = 120_000_000
HUGE_PAYLOAD_BYTES = 36_000_000
_CREATE_HUGE = f"""(call $create (i32.const 4096) (i32.const 1) (i32.const 4096) (i32.const 1)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 1) (i32.const 65536) (i32.const {HUGE_PAYLOAD_BYTES}) (i32.const 64))
      ;; the error of the result, at 64 + 16
      (local.set $body (i32.load (i32.const 84)))
      (local.set $size (i32.load (i32.const 88)))"""
_DELETE = """(call $delete (i32.const 4096) (i32.const 1) (i32.const 64))
        (local.set $body (i32.load (i32.const 72)))
        (local.set $size (i32.load (i32.const 76)))"""

LONG_LINE, HUGE_LINE = (
    build_component(
        f"""(call $log (i32.const 65536) (i32.const {size}))
      (i32.store8 (i32.const 65536) (i32.const 97)) (call $log (i32.const 65536) (i32.const 1))""",
        uses=["log"],
        pages=size // 65_536 + 2,
    )
    for size in (LONG_LINE_BYTES, HUGE_LINE_BYTES)
)
HUGE_PAYLOAD = build_component(_CREATE_HUGE, uses=SCHEDULER, pages=HUGE_PAYLOAD_BYTES // 65_536 + 2)
LOG_FLOOD = build_component(
    "(i32.store8 (i32.const 4096) (i32.const 97))"
    + repeat(5_000, "(call $log (i32.const 4096) (i32.const 1))"),
    uses=["log"],
)
DELETE_FLOOD = build_component(repeat(150, _DELETE), uses=SCHEDULER, pages=2)
LIST_FLOOD = build_component(
    # The status becomes 200 and the number of the error case.
    repeat(150, "(call $list (i32.const 64))")
    + "(local.set $status (i32.add (i32.const 200) (i32.load8_u (i32.const 68))))",
    uses=SCHEDULER,
    pages=2,
)
SLEEP_FOR_AN_HOUR = build_component("(call $block (call $sleep (i64.const 3600000000000)))", uses=SLEEP)
LOG_AND_SLEEP = build_component(
    """(i32.store8 (i32.const 4096) (i32.const 97)) (call $log (i32.const 4096) (i32.const 1))
      (call $block (call $sleep (i64.const 3600000000000)))""",
    uses=["log", *SLEEP],
)
ENDLESS_LOOP = build_component("(loop $next (br $next))")
RECURSION = build_component("(call $deeper)", module="(func $deeper (call $deeper))")
TRAP_IN_START = build_component("", module="(func $start unreachable) (start $start)")
LOOP_IN_START = build_component("", module="(func $start (loop $next (br $next))) (start $start)")
HUGE_RESPONSE = build_component("(local.set $size (i32.const 4000000))", pages=80)
LARGE_RESPONSE = build_component("(local.set $size (i32.const 1500000))", pages=80)
RESPONSE_OUT_OF_BOUNDS = build_component("(local.set $size (i32.const 2000000000))")
HUGE_TABLE_GROW = build_component(
    "(drop (table.grow $t (ref.null func) (i32.const 1000000000)))", module="(table $t 1 funcref)"
)
ALL = {
    "long line": LONG_LINE,
    "huge line": HUGE_LINE,
    "huge payload": HUGE_PAYLOAD,
    "log flood": LOG_FLOOD,
    "delete flood": DELETE_FLOOD,
    "list flood": LIST_FLOOD,
    "sleep": SLEEP_FOR_AN_HOUR,
    "endless loop": ENDLESS_LOOP,
    "endless loop in start": LOOP_IN_START,
    "trap in start": TRAP_IN_START,
    "deep recursion": RECURSION,
    "large response": LARGE_RESPONSE,
    "huge response": HUGE_RESPONSE,
    "response out of bounds": RESPONSE_OUT_OF_BOUNDS,
    "huge table": HUGE_TABLE_GROW,
    "memories": grow_memories(7, 160, fill=True),
    "tables": grow_tables(30, 1_000_000),
    "memory and tables": grow_tables(12, 100_000, memory_pages=3_000),
    "instances": instantiate_modules(1_000, ""),
}
