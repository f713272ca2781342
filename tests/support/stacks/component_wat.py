"""Small hand-written components."""

_TYPES = """
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

_MEMORY = """
  (core module $memory
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $mem))
  (alias core export $memory "realloc" (core func $realloc))
"""

# Imports items that no runner has: an interface with a resource, and an unknown function of a known interface.
# Calls the first for the URL path "/c…", the second for "/l…", and responds with 204 to other paths.
UNKNOWN_IMPORTS = f"""(component {_TYPES}
  (import "alga:extension/clients" (instance $clients
    (export "client" (type $client (sub resource)))
    (export "find" (func (param "name" string) (result (own $client))))))
  (import "alga:extension/logging" (instance $logging (export "log-debug" (func (param "message" string)))))
  {_MEMORY}
  (core func $find (canon lower (func $clients "find") (memory $mem)))
  (core func $debug (canon lower (func $logging "log-debug") (memory $mem)))
  (core module $main
    (import "host" "memory" (memory 1))
    (import "host" "find" (func $find (param i32 i32) (result i32)))
    (import "host" "debug" (func $debug (param i32 i32)))
    ;; The request's record starts in memory at $at; the URL's address is at offset 60.
    (func (export "handler") (param $at i32) (result i32)
      (local $letter i32)
      (local.set $letter (i32.load8_u offset=1 (i32.load offset=60 (local.get $at))))
      (if (i32.eq (local.get $letter) (i32.const 99)) (then (drop (call $find (i32.const 0) (i32.const 0)))))
      (if (i32.eq (local.get $letter) (i32.const 108)) (then (call $debug (i32.const 0) (i32.const 0))))
      (i32.store16 (i32.const 16) (i32.const 204))
      (i32.const 16)))
  (core instance $main (instantiate $main (with "host" (instance
    (export "memory" (memory $mem)) (export "find" (func $find)) (export "debug" (func $debug))))))
  (func (export "handler") (param "request" $execute-request) (result $execute-response)
    (canon lift (core func $main "handler") (memory $mem) (realloc (core func $realloc)))))"""

NO_HANDLER = "(component)"
