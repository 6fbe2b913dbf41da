;; what a command has is there, and takes a number
(component
  (core module $m
    (func (export "run") (param i32) (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (param "how" u32) (result (result)) (canon lift (core func $i "run")))
  (instance $r (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $r)))
