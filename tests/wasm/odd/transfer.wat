;; 1024 times 16 MiB at once, of which its result can say 255; 42 when it does
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 300)
  (func (export "_start") (local $at i32)
    (loop $next
      (i32.store offset=4 (local.get $at) (i32.const 0x1000000))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 8192))))
    (if (call $write (i32.const 1) (i32.const 0) (i32.const 1024)
        (i32.const 8192))
      (then (call $exit (i32.const 1))))
    (if (i32.eq (i32.load (i32.const 8192)) (i32.const 0xff000000))
      (then (call $exit (i32.const 42))))
    (call $exit (i32.const 2))))
