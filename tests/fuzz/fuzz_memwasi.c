/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * WASI preview 1 over files in memory, as a hostile module calls it: a script
 * of calls with numbers, places and paths of its own choice, in a memory of one
 * page that ends where the sanitizer looks. The engine is played here: what the
 * linker is given is called.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <wasmtime/memory.h>
#include <wasmtime/trap.h>

#include "common/util.h"
#include "sandbox/wasm/memwasi.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define PAGE 65536u
#define PATHS 4096u /* 16 of 32 bytes each */
#define VECTORS 8192u
#define CALLS 64
#define ARGS 10
#define STEPS 400
#define BYTES 65536
#define NODES 24
#define ERRNO_LAST 76

static uint8_t *memory;

/* ---- the engine ---- */

static struct import {
	wasmtime_func_callback_t run;
	void *env;
	void (*free)(void *);
	size_t nargs;
	bool wide[ARGS];
} imports[CALLS], type;
static unsigned nimports;
/* of values of 32 bits and of 64: their addresses alone are looked at */
static char narrow, wide;
static uint32_t trapped;

wasm_valtype_t *
wasm_valtype_new(wasm_valkind_t kind)
{
	return (wasm_valtype_t *)(kind == WASM_I64 ? &wide : &narrow);
}

void
wasm_valtype_vec_new(wasm_valtype_vec_t *v, size_t n,
    wasm_valtype_t *const items[])
{
	static wasm_valtype_t *all[2][ARGS];
	static unsigned turn;

	if (n > ARGS)
		abort();
	v->size = n;
	v->data = all[turn++ % 2];
	for (size_t i = 0; i < n; i++)
		v->data[i] = items[i];
}

void
wasm_valtype_vec_new_empty(wasm_valtype_vec_t *v)
{
	v->size = 0;
}

wasm_functype_t *
wasm_functype_new(wasm_valtype_vec_t *params, wasm_valtype_vec_t *results)
{
	(void)results;
	type.nargs = params->size;
	for (size_t i = 0; i < params->size; i++)
		type.wide[i] = params->data[i] == (wasm_valtype_t *)&wide;
	return (wasm_functype_t *)&type;
}

void
wasm_functype_delete(wasm_functype_t *t)
{
	(void)t;
}

wasmtime_error_t *
wasmtime_linker_define_func(wasmtime_linker_t *l, const char *module,
    size_t module_len, const char *name, size_t name_len,
    const wasm_functype_t *t, wasmtime_func_callback_t run, void *env,
    void (*done)(void *))
{
	(void)l;
	(void)module;
	(void)module_len;
	(void)name;
	(void)name_len;
	(void)t;
	if (nimports == CALLS)
		abort();
	imports[nimports] = type;
	imports[nimports].run = run;
	imports[nimports].env = env;
	imports[nimports++].free = done;
	return NULL;
}

void
wasmtime_linker_allow_shadowing(wasmtime_linker_t *l, bool allow)
{
	(void)l;
	(void)allow;
}

wasmtime_error_t *
wasmtime_error_new(const char *text)
{
	(void)text;
	abort();
}

wasmtime_context_t *
wasmtime_caller_context(wasmtime_caller_t *c)
{
	(void)c;
	return NULL;
}

bool
wasmtime_caller_export_get(wasmtime_caller_t *c, const char *name, size_t n,
    wasmtime_extern_t *out)
{
	(void)c;
	out->kind = WASMTIME_EXTERN_MEMORY;
	return n == 6 && memcmp(name, "memory", 6) == 0 && memory != NULL;
}

void
wasmtime_extern_delete(wasmtime_extern_t *e)
{
	(void)e;
}

uint8_t *
wasmtime_memory_data(wasmtime_context_t *x, const wasmtime_memory_t *m)
{
	(void)x;
	(void)m;
	return memory;
}

size_t
wasmtime_memory_data_size(const wasmtime_context_t *x,
    const wasmtime_memory_t *m)
{
	(void)x;
	(void)m;
	return PAGE;
}

wasm_trap_t *
wasmtime_trap_new(const char *text, size_t n)
{
	(void)text;
	(void)n;
	return (wasm_trap_t *)&trapped;
}

/* ---- the module ---- */

static const char *const paths[16] = {"a", "b", "a/b", "a/b/c", ".", "..",
    "a/..", "a/../..", "/", "/etc", "l", "l/x", "./a/", "\xff", "",
    "a//b/./../b"};

struct script {
	const uint8_t *p;
	size_t n;
};

static uint64_t
bytes(struct script *s, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n && s->n > 0; i++, s->p++, s->n--)
		v = v << 8 | *s->p;
	return v;
}

/* A descriptor, a place, a length, a mask: what a module could mean, or not. */
static uint64_t
value(struct script *s, bool is_wide)
{
	uint8_t t = (uint8_t)bytes(s, 1);

	switch (t >> 4) {
	case 0:
	case 1:
		return t;
	case 2:
		return PAGE - (t & 15u);
	case 3:
		return PATHS + 32 * (t & 15u);
	case 4:
	case 5:
		return VECTORS + 64 * (t & 31u);
	case 6:
	case 7:
		return UINT64_C(1) << (t & 31);
	case 8:
	case 9:
		return is_wide ? UINT64_C(1) << (32 + (t & 31)) :
				 32u * (t & 31u);
	case 10:
		return ~UINT64_C(0) - (t & 15);
	case 11:
		return is_wide ? INT64_MAX - (t & 15) : INT32_MAX - (t & 15);
	case 12:
		return 4096u * (t & 15u) + 1;
	default:
		return bytes(s, is_wide ? 8 : 4);
	}
}

static void
start(void)
{
	memset(memory, 0, PAGE);
	for (unsigned i = 0; i < NELEM(paths); i++)
		memcpy(memory + PATHS + 32 * i, paths[i], strlen(paths[i]));
	for (unsigned i = 0; i < 32; i++) {
		guest_set(memory + VECTORS + 64 * i, 64 * i, 4);
		guest_set(memory + VECTORS + 64 * i + 4, i * i * i, 4);
	}
}

static void
play(struct script *s)
{
	for (unsigned step = 0; step < STEPS && s->n > 0; step++) {
		uint8_t what = (uint8_t)bytes(s, 1);
		wasmtime_val_t args[ARGS], result = {.of = {.i32 = 0}};
		const struct import *im = &imports[what % nimports];

		if (what >= 0xf0) {
			uint64_t at = value(s, false), n = bytes(s, 1) & 31;

			for (; n > 0 && s->n > 0; n--, at++)
				memory[at % PAGE] = (uint8_t)bytes(s, 1);
			continue;
		}
		for (size_t i = 0; i < im->nargs; i++) {
			uint64_t v = value(s, im->wide[i]);

			if (im->wide[i])
				args[i].of.i64 = (int64_t)v;
			else
				args[i].of.i32 = (int32_t)(uint32_t)v;
		}
		if (im->run(im->env, NULL, args, im->nargs, &result, 1) !=
		    NULL)
			return;
		if (result.of.i32 < 0 || result.of.i32 > ERRNO_LAST)
			abort();
	}
}

static int
count(void *arg, const void *p, size_t n)
{
	(void)p;
	*(size_t *)arg += n;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct plan_args args = {.targets = {"/a", "/b"},
	    .ntargets = 2, .argv = {"m", "x"}, .argc = 2, .env = {"A=b"},
	    .envc = 1, .cwd = "/"};
	static struct memwasi w;
	struct memfs *fs[2] = {memfs_new(BYTES, NODES, true),
	    memfs_new(BYTES, NODES, false)};
	struct script s = {p, n};
	static int null = -1;
	uint32_t left;
	size_t packed = 0;

	if (null < 0)
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
	memory = malloc(PAGE);
	if (fs[0] == NULL || fs[1] == NULL || memory == NULL)
		abort();
	memwasi_init(&w, &args, fs, (bytes(&s, 1) & 1) != 0);
	for (unsigned i = 0; i < 3; i++)
		w.fd[i].stream = null;
	w.until = 1; /* nothing is slept for */
	nimports = 0;
	if (memwasi_define(NULL, &w) != NULL)
		abort();
	start();
	play(&s);
	memwasi_end(&w);
	if (memfs_pack(fs[0], count, &packed, &left) != 0)
		abort();
	/* content by pages, and a head for each name */
	if (packed > BYTES + (NODES + 2) * 1024)
		abort();
	for (unsigned i = 0; i < nimports; i++)
		imports[i].free(imports[i].env);
	memfs_free(fs[0]);
	memfs_free(fs[1]);
	free(memory);
	memory = NULL;
	return 0;
}
