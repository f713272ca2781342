"""Small hand-written components."""

TYPES = """
  (import "alga:extension/types" (instance $types
    (type $context (record (field "request-id" (option string)) (field "tenant-id" string)
      (field "extension-id" string) (field "install-id" (option string)) (field "version-id" (option string))))
    (export "context-data" (type $context-data (eq $context)))
    (type $header (record (field "name" string) (field "value" string)))
    (export "http-header" (type $http-header (eq $header)))
    (type $http (record (field "method" string) (field "url" string)
      (field "headers" (list $http-header)) (field "body" (option (list u8)))))
    (export "http-request" (type $http-request (eq $http)))
    (type $request (record (field "context" $context-data) (field "http" $http-request)))
    (export "execute-request" (type (eq $request)))
    (type $response (record (field "status" u16) (field "headers" (list $http-header))
      (field "body" (option (list u8)))))
    (export "execute-response" (type (eq $response)))))
  (alias export $types "execute-request" (type $execute-request))
  (alias export $types "execute-response" (type $execute-response))
"""


def define_memory(pages: int = 1, reserved_bytes: int = 1024) -> str:
    """Return the definition of `$mem` and its `$realloc`, which begins behind the reserved bytes."""
    return f"""
  (core module $memory
    (memory (export "memory") {pages})
    (global $free (mut i32) (i32.const {reserved_bytes}))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $mem))
  (alias core export $memory "realloc" (core func $realloc))
"""


# Imports a part of the interface: `secrets.list-keys`, which it calls for the URL path "/k…", and `logging.log-info`.
# Responds with 204 to other paths.
SUBSET = f"""(component {TYPES}
  (import "alga:extension/secrets" (instance $secrets (export "list-keys" (func (result (list string))))))
  (import "alga:extension/logging" (instance $logging (export "log-info" (func (param "message" string)))))
  {define_memory()}
  (core func $keys (canon lower (func $secrets "list-keys") (memory $mem) (realloc (core func $realloc))))
  (core func $info (canon lower (func $logging "log-info") (memory $mem)))
  (core module $main
    (import "host" "memory" (memory 1))
    (import "host" "keys" (func $keys (param i32)))
    (import "host" "info" (func $info (param i32 i32)))
    ;; The request's record starts in memory at $at; the URL's address is at offset 60.
    (func (export "handler") (param $at i32) (result i32)
      (call $info (i32.load offset=60 (local.get $at)) (i32.load offset=64 (local.get $at)))
      (if (i32.eq (i32.load8_u offset=1 (i32.load offset=60 (local.get $at))) (i32.const 107))
        (then (call $keys (i32.const 32))))
      (i32.store16 (i32.const 16) (i32.const 204))
      (i32.const 16)))
  (core instance $main (instantiate $main (with "host" (instance
    (export "memory" (memory $mem)) (export "keys" (func $keys)) (export "info" (func $info))))))
  (func (export "handler") (param "request" $execute-request) (result $execute-response)
    (canon lift (core func $main "handler") (memory $mem) (realloc (core func $realloc)))))"""

NO_HANDLER = "(component)"
OTHER_HANDLER = """(component
  (core module $main (func (export "handler")))
  (core instance $main (instantiate $main))
  (func (export "handler") (canon lift (core func $main "handler"))))"""


def import_wat(interface: str, exports: str) -> str:
    """Return a component that imports an interface of the platform's package."""
    return f'(component (import "alga:extension/{interface}" (instance {exports})))'


# Components that no deployed runner links, by the import that differs from the interface.
REFUSED_IMPORTS = {
    "weather.get": import_wat("weather", '(export "get" (func))'),
    "logging@1.0.0.log-info": import_wat(
        "logging@1.0.0", '(export "log-info" (func (param "message" string)))'
    ),
    "logging.log-debug": import_wat("logging", '(export "log-debug" (func (param "message" string)))'),
    "logging.log-info": import_wat("logging", '(export "log-info" (func (param "message" (list u8))))'),
    "clients.client": import_wat("clients", '(export "client" (type (sub resource)))'),
    "context.get-context": import_wat(
        "context",
        """(type $fields (record (field "tenant-id" string) (field "request-id" (option string))
          (field "extension-id" string) (field "install-id" (option string)) (field "version-id" (option string))))
        (export "context-data" (type $data (eq $fields)))
        (export "get-context" (func (result $data)))""",
    ),
    "storage.delete": import_wat(
        "storage",
        """(type $cases (enum "missing" "conflict" "denied" "limits" "internal"))
        (export "storage-error" (type $error (eq $cases)))
        (export "delete" (func (param "namespace" string) (param "key" string) (result (result (error $error)))))""",
    ),
}
