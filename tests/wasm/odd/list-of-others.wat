;; poll is for a list of numbers, it says
(component
  (import "wasi:io/poll@0.2.0" (instance $w
    (export "poll" (func (param "in" (list u32)) (result (list u32))))))
  (core module $mem (memory (export "m") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 1024)))
  (core instance $mem (instantiate $mem))
  (core func $f (canon lower (func $w "poll") (memory (core memory $mem "m"))
    (realloc (core func $mem "realloc"))))
  (core module $m
    (import "" "f" (func $f (param i32 i32 i32)))
    (func (export "run") (result i32)
      (call $f (i32.const 0) (i32.const 8) (i32.const 512)) (i32.const 0)))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $r (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $r)))
