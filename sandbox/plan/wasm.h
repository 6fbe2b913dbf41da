/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_WASM_H
#define WARREN_SANDBOX_PLAN_WASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is known of WebAssembly outside the runner (compute.md 4.1). Pure.
 */
/* By its version: headers, library and what it compiles are of one. */
#define WASM_LIBRARY_NAME "libwasmtime-50.0.1.so"
/* Bytes of a module: what an operator may allow at most, and does. */
#define WASM_MODULE_MAX (256u << 20)
#define WASM_MODULE_USUAL (64u << 20)
#define WASM_CODE_MAX (192u << 20)   /* ours: ... of what it compiles to */
/*
 * A file of code: a mark of what it is, then the SHA-256 of its key, that mark
 * and what follows; zeros until the node, which alone writes it, has read it all.
 */
#define WASM_CODE_MARK 8
#define WASM_CODE_SUM 32
#define WASM_CODE_HEAD (WASM_CODE_MARK + WASM_CODE_SUM)
/* ours: of the 10 MB that the engine takes, measured, and its threads' stacks */
#define WASM_MEMORY_ROOM (16u << 20)
/*
 * The engine waits for ever for a thread that it cannot start: 7 were seen, and
 * below 6 nothing goes on.
 */
#define WASM_PIDS_LEAST 16u
/*
 * A compilation: 66 MB and 1 s for 6,000 functions (625 kB), 630 MB and 10 s for
 * an interpreter (26 MB), measured. It has what its job may have, which is
 * counted for the job while nothing of it runs; the least is room beside that in
 * each slot.
 */
#define WASM_COMPILE_MEMORY (2048ull << 20)
#define WASM_COMPILE_LEAST (128ull << 20)
#define WASM_COMPILE_MS 60000
#define WASM_COMPILE_MIB_MS 10000 /* ... more for each MiB beyond so many */
#define WASM_COMPILE_MIB 4
/* Which of the process's descriptors are what, when a module runs. */
#define WASM_FD_CODE 3
#define WASM_FD_ARGS 4
/* In the root of a job, a place that no volume may have: the runner. */
#define WASM_PLACE "sys/warren"
/* The files there, by these names; the loader finds the others by its option. */
#define WASM_FILES 8
enum { WASM_LOADER, WASM_RUNNER, WASM_LIBRARY };
extern const char *const wasm_files[WASM_FILES];

enum wasm_flag {
	WASM_COMPILE = 1,     /* there is no code yet */
	WASM_INTERPRETED = 2, /* no executable memory */
	WASM_FIXED = 4,	      /* clock and random are the same in each run */
	WASM_EMULATED = 8,    /* files in the runner's memory alone */
	WASM_FLAGS = 15
};

/* Bytes that a compilation may have, of a job's limit of memory. */
uint64_t wasm_compile_memory(uint64_t memory);
/* How long that of so many bytes may take: processor time, and by the clock. */
uint64_t wasm_compile_ms(uint64_t module);
/* Of a component: may it import this, is that its entry? */
bool wasm_interface_offered(const char *name, size_t len);
bool wasm_interface_run(const char *name, size_t len);

#endif
