;; The extension of the events: it responds to each request with 200, and imports nothing but types.
(component 
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

  (core module $main
    (import "host" "memory" (memory 1))
    (func (export "handler") (param i32) (result i32)
      (i32.store16 (i32.const 16) (i32.const 200))
      (i32.const 16)))
  (core instance $main (instantiate $main (with "host" (instance (export "memory" (memory $mem))))))
  (func (export "handler") (param "request" $execute-request) (result $execute-response)
    (canon lift (core func $main "handler") (memory $mem) (realloc (core func $realloc)))))
