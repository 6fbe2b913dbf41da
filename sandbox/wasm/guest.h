/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_GUEST_H
#define WARREN_SANDBOX_WASM_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wasmtime/func.h>
#include <wasmtime/linker.h>

#include "sandbox/wasm/wasierr.h"

/*
 * Functions of ours that a module calls as WASI preview 1, and its memory as
 * they see it. All that it says is a number; each place is looked at before it
 * is touched.
 */
struct guest {
	uint8_t *memory;
	size_t size;
	void *ctx;
	wasm_trap_t *trap; /* set by who ends the module; NULL */
};

/* NULL: not all of it is in the memory. n 0 is. */
uint8_t *guest_at(const struct guest *, uint32_t at, size_t n);
/* Little-endian, as WebAssembly is; false: outside. */
bool guest_put_u32(const struct guest *, uint32_t at, uint32_t v);
bool guest_put_u64(const struct guest *, uint32_t at, uint64_t v);
bool guest_get_u32(const struct guest *, uint32_t at, uint32_t *v);
bool guest_get_u64(const struct guest *, uint32_t at, uint64_t *v);
void guest_set(uint8_t *, uint64_t v, unsigned bytes);
uint64_t guest_get(const uint8_t *, unsigned bytes);

static inline uint32_t
guest_u32(const wasmtime_val_t *v)
{
	return (uint32_t)v->of.i32;
}

static inline uint64_t
guest_u64(const wasmtime_val_t *v)
{
	return (uint64_t)v->of.i64;
}

/* args: 'i' of 32 bits, 'I' of 64; "!" first: it has no result. */
struct guest_call {
	const char *name, *args;
	uint32_t (*run)(struct guest *, const wasmtime_val_t *args);
};
/* As of wasi_snapshot_preview1; calls stay the caller's, and stay. */
wasmtime_error_t *guest_define(wasmtime_linker_t *, const struct guest_call *,
    size_t n, void *ctx);

#endif
