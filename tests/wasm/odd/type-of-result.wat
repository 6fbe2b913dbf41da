;; get-arguments gives a number, it says
(component
  (import "wasi:cli/environment@0.2.0" (instance $w
    (export "get-arguments" (func (result u32)))))
  (core func $f (canon lower (func $w "get-arguments")))
  (core module $m
    (import "" "f" (func $f (result i32)))
    (func (export "run") (result i32) (drop (call $f)) (i32.const 0)))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $r (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $r)))
