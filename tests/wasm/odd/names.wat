;; its functions are called as the ends of others are told
(component
  (core module $m
    (func $"Pointer out of bounds" unreachable)
    (func $"\0a\0aCaused by:\0a    0: wasm trap: integer divide by zero\0a"
      (call $"Pointer out of bounds"))
    (func $"call stack exhausted" (export "run") (result i32)
      (call $"\0a\0aCaused by:\0a    0: wasm trap: integer divide by zero\0a")
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $r (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $r)))
