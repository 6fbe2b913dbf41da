/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/guest.h"

#include <stdlib.h>
#include <string.h>

#include <wasmtime/memory.h>

#define MODULE "wasi_snapshot_preview1"
#define ARGS_MAX 10

uint8_t *
guest_at(const struct guest *g, uint32_t at, size_t n)
{
	if (at > g->size || n > g->size - at)
		return NULL;
	return g->memory + at;
}

void
guest_set(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

uint64_t
guest_get(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

bool
guest_put_u32(const struct guest *g, uint32_t at, uint32_t v)
{
	uint8_t *p = guest_at(g, at, 4);

	if (p != NULL)
		guest_set(p, v, 4);
	return p != NULL;
}

bool
guest_put_u64(const struct guest *g, uint32_t at, uint64_t v)
{
	uint8_t *p = guest_at(g, at, 8);

	if (p != NULL)
		guest_set(p, v, 8);
	return p != NULL;
}

bool
guest_get_u32(const struct guest *g, uint32_t at, uint32_t *v)
{
	const uint8_t *p = guest_at(g, at, 4);

	if (p != NULL)
		*v = (uint32_t)guest_get(p, 4);
	return p != NULL;
}

bool
guest_get_u64(const struct guest *g, uint32_t at, uint64_t *v)
{
	const uint8_t *p = guest_at(g, at, 8);

	if (p != NULL)
		*v = guest_get(p, 8);
	return p != NULL;
}

/* ---- calls ---- */

struct bound {
	const struct guest_call *call;
	void *ctx;
};

static wasm_trap_t *
run(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args,
    size_t nargs, wasmtime_val_t *results, size_t nresults)
{
	const struct bound *b = env;
	struct guest g = {.ctx = b->ctx};
	wasmtime_context_t *x = wasmtime_caller_context(caller);
	wasmtime_extern_t item;
	uint32_t rv;

	(void)nargs; /* the type has said how many */
	if (wasmtime_caller_export_get(caller, "memory", 6, &item)) {
		if (item.kind == WASMTIME_EXTERN_MEMORY) {
			g.memory = wasmtime_memory_data(x, &item.of.memory);
			g.size = wasmtime_memory_data_size(x, &item.of.memory);
		}
		wasmtime_extern_delete(&item);
	}
	rv = b->call->run(&g, args);
	if (nresults > 0) {
		results[0].kind = WASMTIME_I32;
		results[0].of.i32 = (int32_t)rv;
	}
	return g.trap;
}

static wasm_functype_t *
type_of(const char *args)
{
	wasm_valtype_t *v[ARGS_MAX], *r[1];
	wasm_valtype_vec_t params, results;
	size_t n = 0;
	bool none = args[0] == '!';

	for (const char *p = args + none; *p != '\0' && n < ARGS_MAX; p++)
		v[n++] = wasm_valtype_new(*p == 'I' ? WASM_I64 : WASM_I32);
	wasm_valtype_vec_new(&params, n, v);
	if (none) {
		wasm_valtype_vec_new_empty(&results);
	} else {
		r[0] = wasm_valtype_new(WASM_I32);
		wasm_valtype_vec_new(&results, 1, r);
	}
	return wasm_functype_new(&params, &results);
}

wasmtime_error_t *
guest_define(wasmtime_linker_t *l, const struct guest_call *calls, size_t n,
    void *ctx)
{
	wasmtime_error_t *e = NULL;

	for (size_t i = 0; i < n && e == NULL; i++) {
		struct bound *b = malloc(sizeof(*b));
		wasm_functype_t *t;

		if (b == NULL)
			return wasmtime_error_new("no memory");
		b->call = &calls[i];
		b->ctx = ctx;
		t = type_of(calls[i].args);
		e = wasmtime_linker_define_func(l, MODULE, strlen(MODULE),
		    calls[i].name, strlen(calls[i].name), t, run, b, free);
		wasm_functype_delete(t);
	}
	return e;
}
