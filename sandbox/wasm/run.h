/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_RUN_H
#define WARREN_SANDBOX_WASM_RUN_H

#include "sandbox/plan/plan.h"
#include "sandbox/wasm/engine.h"

/*
 * One run of a compiled module, by WASI preview 1, or of a component that
 * exports wasi:cli/run. What the guest sees: its arguments and environment,
 * descriptors 0 to 2, the volumes of the plan under their targets, clocks and
 * random numbers. No socket, nothing of the host's.
 */
struct run {
	struct engine_conf engine;
	uint64_t fuel;	    /* instructions; 0: not counted */
	uint64_t memory;    /* bytes of its linear memories, in all */
	uint64_t time_ms;   /* then it is interrupted; 0: never */
	bool fixed;	    /* a clock that only steps, the same random numbers */
	bool emulated;	    /* files in memory: memfs.h */
	/* what the folder behind a volume holds; 0: it is only read */
	struct run_volume {
		uint64_t bytes;
		uint32_t nodes;
	} volumes[PLAN_VOLUMES_ALL];
	struct plan_args args;
	const uint8_t *code;
	size_t code_len;
};

/* How a run ended: compute.md 5. */
enum run_end {
	RUN_EXITED, /* code */
	RUN_TRAP,   /* signal that a native program would have had */
	RUN_TIME,   /* out of fuel, or of time */
	RUN_CANNOT, /* it was never started */
};
struct run_result {
	enum run_end end;
	int code;	      /* exit code, or signal */
	char why[ENGINE_WHY]; /* "": nothing to say */
};
void run_module(const struct run *, struct run_result *);

/* Of what the library says at an end; takes both, which may be NULL. */
void run_told(struct run_result *, wasmtime_error_t *, wasm_trap_t *);

#endif
