/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_ENGINE_H
#define WARREN_SANDBOX_WASM_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wasm.h>
#include <wasmtime/conf.h>
#include <wasmtime/error.h>

/*
 * The engine of warren-wasm, made alike where a module is compiled and where it
 * runs: a compiled module is good for one configuration. What is no part of
 * WebAssembly 2.0 and of components is switched off: less to trust.
 */
struct engine_conf {
	bool interpreted; /* no machine code at all, and no executable memory */
	bool fuel;	  /* instructions are counted */
};

#define ENGINE_WHY 256

/*
 * Before the code, WASM_CODE_MARK bytes: whether it is of a module or of a
 * component. Then the node's sum, which is none of the runner's concern.
 */
#define ENGINE_MODULE "wrncode2"
#define ENGINE_COMPONENT "wrncomp2"

/* NULL: why says it. The process keeps it to its end. */
wasm_engine_t *engine_make(const struct engine_conf *, char why[ENGINE_WHY]);

/* The header of a component, and not of a module. */
bool engine_component(const uint8_t *bytes, size_t len);

/*
 * Of "what\n\nCaused by:\n    0: why\n    1: the cause of it" the last, which no
 * name of the module's own is in; NULL.
 */
const char *engine_cause(const char *text, size_t n, size_t *len);
/* What the library says, in one line; takes the error. */
void engine_why(char why[ENGINE_WHY], const char *what, wasmtime_error_t *);

/* A file that is open, whole and read-only; NULL with errno. */
const uint8_t *engine_map(int fd, size_t *len);

#endif
