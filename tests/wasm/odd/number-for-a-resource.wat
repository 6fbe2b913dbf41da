;; a pollable is any number, it says
(component
  (import "wasi:io/poll@0.2.0" (instance $w
    (export "[method]pollable.block" (func (param "self" u32)))))
  (core func $f (canon lower (func $w "[method]pollable.block")))
  (core module $m
    (import "" "f" (func $f (param i32)))
    (func (export "run") (result i32)
      (call $f (i32.const 1000000)) (i32.const 0)))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $r (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $r)))
