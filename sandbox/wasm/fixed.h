/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_FIXED_H
#define WARREN_SANDBOX_WASM_FIXED_H

#include <stddef.h>
#include <stdint.h>

#include <wasmtime/linker.h>

/*
 * `deterministic` of compute.md 4.1: a clock that goes on by a microsecond each
 * time it is read, and the same random numbers in each run.
 */
uint64_t fixed_clock_ns(void);
void fixed_random(uint8_t *out, size_t n);

/* In place of the library's own; before it is defined: allow_shadowing. */
wasmtime_error_t *fixed_define(wasmtime_linker_t *);

#endif
