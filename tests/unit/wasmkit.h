/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_WASMKIT_H
#define WARREN_TESTS_UNIT_WASMKIT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/base/report.h"

/* warren-wasm as jail starts it, without one; what fails, fails the test. */

struct ended {
	int status;
	char out[4096];
	struct report report;
};

struct how {
	unsigned flags;
	unsigned long fuel, ms;
	bool writable;
	bool unheard; /* what it writes goes to /dev/null */
};

/* A volume of all that run, made before and removed behind them. */
extern char wasm_folder[];
int wasm_make_folder(void **state);
int wasm_remove_folder(void **state);
const char *wasm_in_folder(const char *name); /* of two, the older is gone */
void wasm_write_file(const char *name, const char *text);

int wasm_memfd(const void *, size_t);
int wasm_file(const char *name); /* of tests/wasm */
/* Of a process of ours that ends: exit code, or -signal. */
struct rusage;
int wasm_status(pid_t, struct rusage *);
size_t wasm_slurp(int fd, void *out, size_t cap);
void wasm_compile_to(int code, int module, unsigned flags,
    unsigned long fuel, struct ended *);
/* To a memfd of its code; *e: what was said. */
int wasm_compile(int module, unsigned flags, unsigned long fuel,
    struct ended *e);
void wasm_run(int code, const struct how *, const char *const *words,
    struct ended *);

#endif
