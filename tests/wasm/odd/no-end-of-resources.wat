;; pollables without end, none of which it gives back
(component
  (import "wasi:io/poll@0.2.0" (instance $p
    (export "pollable" (type (sub resource)))))
  (alias export $p "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $w
    (export "pollable" (type $t (eq $pollable)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $t))))))
  (core func $f (canon lower (func $w "subscribe-duration")))
  (core module $m
    (import "" "f" (func $f (param i64) (result i32)))
    (func (export "run") (result i32)
      (loop $l (drop (call $f (i64.const 0))) (br $l)) (unreachable)))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $r (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $r)))
