;; get-random-u64 takes two numbers, it says
(component
  (import "wasi:random/random@0.2.0" (instance $w
    (export "get-random-u64" (func (param "a" u64) (param "b" u64) (result u64)))))
  (core func $f (canon lower (func $w "get-random-u64")))
  (core module $m
    (import "" "f" (func $f (param i64 i64) (result i64)))
    (func (export "run") (result i32)
      (drop (call $f (i64.const -1) (i64.const -1))) (i32.const 0)))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $r (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $r)))
