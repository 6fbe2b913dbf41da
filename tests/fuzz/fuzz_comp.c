/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * WASI 0.2 over files in memory, as a hostile component calls it: a script of
 * calls with values and handles of its own choice, of the types that WASI has
 * or, as the library does not compare them, of any. The engine is played here:
 * what the linker is given is called, handles are kept and dropped as it does,
 * and what comes back is looked at and freed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <wasmtime/component/types/component.h>
#include <wasmtime/memory.h>
#include <wasmtime/trap.h>

#include "common/util.h"
#include "sandbox/wasm/comp.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

#define CALLS 160
#define ARGS 8
#define HANDLES 64
#define STEPS 300
#define BYTES 65536
#define NODES 24
#define LIST_MAX 20000
#define DEEP 3

struct wasmtime_component_resource_any {
	uint32_t rep, type;
};
struct wasmtime_component_resource_host {
	uint32_t rep, type;
};

static struct call {
	const struct comp_call *is;
	wasmtime_component_func_callback_t run;
	void *env;
	void (*free)(void *);
} calls[CALLS];
static size_t ncalls;
static const struct comp_interface *now; /* that is defined */
static struct handle {
	uint32_t rep, type;
} handles[HANDLES];
static size_t nhandles;
static wasmtime_component_resource_destructor_t drop;
static void *drop_env;
static struct comp comp;
static int null = -1; /* in place of the process's streams */

static void
must(bool so)
{
	if (!so)
		abort();
}

/* ---- the engine: errors, handles ---- */

wasmtime_error_t *
wasmtime_error_new(const char *text)
{
	must(text[0] != '\0');
	return malloc(1);
}

void
wasmtime_error_delete(wasmtime_error_t *e)
{
	free(e);
}

wasmtime_component_resource_host_t *
wasmtime_component_resource_host_new(bool owned, uint32_t rep, uint32_t type)
{
	wasmtime_component_resource_host_t *h = malloc(sizeof(*h));

	must(owned && h != NULL);
	*h = (struct wasmtime_component_resource_host){rep, type};
	return h;
}

uint32_t
wasmtime_component_resource_host_rep(
    const wasmtime_component_resource_host_t *h)
{
	return h->rep;
}

uint32_t
wasmtime_component_resource_host_type(
    const wasmtime_component_resource_host_t *h)
{
	return h->type;
}

void
wasmtime_component_resource_host_delete(wasmtime_component_resource_host_t *h)
{
	free(h);
}

static wasmtime_component_resource_any_t *
any_new(uint32_t rep, uint32_t type)
{
	wasmtime_component_resource_any_t *r = malloc(sizeof(*r));

	must(r != NULL);
	*r = (struct wasmtime_component_resource_any){rep, type};
	return r;
}

wasmtime_error_t *
wasmtime_component_resource_host_to_any(wasmtime_context_t *x,
    const wasmtime_component_resource_host_t *h,
    wasmtime_component_resource_any_t **out)
{
	(void)x;
	*out = any_new(h->rep, h->type);
	return NULL;
}

wasmtime_error_t *
wasmtime_component_resource_any_to_host(wasmtime_context_t *x,
    const wasmtime_component_resource_any_t *r,
    wasmtime_component_resource_host_t **out)
{
	(void)x;
	/* one that the component has made itself is none of the host's */
	if (r->type == UINT32_MAX)
		return malloc(1);
	*out = wasmtime_component_resource_host_new(true, r->rep, r->type);
	return NULL;
}

void
wasmtime_component_resource_any_delete(wasmtime_component_resource_any_t *r)
{
	free(r);
}

/* ---- the engine: values ---- */

void
wasm_byte_vec_new(wasm_byte_vec_t *v, size_t n, const wasm_byte_t *p)
{
	v->size = n;
	must((v->data = malloc(n > 0 ? n : 1)) != NULL);
	if (n > 0)
		memcpy(v->data, p, n);
}

void
wasm_byte_vec_delete(wasm_byte_vec_t *v)
{
	free(v->data);
}

#define VEC(name)                                                              \
	void name##_new_uninit(name##_t *v, size_t n)                          \
	{                                                                      \
		v->size = n;                                                   \
		v->data = n > 0 ? malloc(n * sizeof(*v->data)) : NULL;         \
		must(n == 0 || v->data != NULL);                               \
	}
VEC(wasmtime_component_vallist)
VEC(wasmtime_component_valtuple)
VEC(wasmtime_component_valrecord)
VEC(wasmtime_component_valflags)

comp_val *
wasmtime_component_val_new(comp_val *from)
{
	comp_val *v = malloc(sizeof(*v));

	must(v != NULL);
	*v = *from;
	return v;
}

static void
keep(wasmtime_component_resource_any_t *r)
{
	must(r->rep < COMP_THINGS && comp.thing[r->rep].kind == r->type);
	if (comp.thing[r->rep].stream >= 0)
		comp.thing[r->rep].stream = null;
	if (nhandles < HANDLES)
		handles[nhandles++] = (struct handle){r->rep, r->type};
	else
		must(drop(drop_env, NULL, r->rep) == NULL);
}

/* With what it holds; a handle in it is the component's, when it came back. */
static void
empty(comp_val *v, bool back)
{
	switch (v->kind) {
	case WASMTIME_COMPONENT_STRING:
		wasm_byte_vec_delete(&v->of.string);
		break;
	case WASMTIME_COMPONENT_ENUM:
		wasm_byte_vec_delete(&v->of.enumeration);
		break;
	case WASMTIME_COMPONENT_LIST:
	case WASMTIME_COMPONENT_TUPLE: /* of the same form */
		for (size_t i = 0; i < v->of.list.size; i++)
			empty(&v->of.list.data[i], back);
		free(v->of.list.data);
		break;
	case WASMTIME_COMPONENT_RECORD:
		for (size_t i = 0; i < v->of.record.size; i++) {
			wasm_byte_vec_delete(&v->of.record.data[i].name);
			empty(&v->of.record.data[i].val, back);
		}
		free(v->of.record.data);
		break;
	case WASMTIME_COMPONENT_VARIANT:
		wasm_byte_vec_delete(&v->of.variant.discriminant);
		if (v->of.variant.val != NULL)
			empty(v->of.variant.val, back);
		free(v->of.variant.val);
		break;
	case WASMTIME_COMPONENT_OPTION:
		if (v->of.option != NULL)
			empty(v->of.option, back);
		free(v->of.option);
		break;
	case WASMTIME_COMPONENT_RESULT:
		if (v->of.result.val != NULL)
			empty(v->of.result.val, back);
		free(v->of.result.val);
		break;
	case WASMTIME_COMPONENT_FLAGS:
		for (size_t i = 0; i < v->of.flags.size; i++)
			wasm_byte_vec_delete(&v->of.flags.data[i]);
		free(v->of.flags.data);
		break;
	case WASMTIME_COMPONENT_RESOURCE:
		if (back)
			keep(v->of.resource);
		wasmtime_component_resource_any_delete(v->of.resource);
		break;
	default:
		must(v->kind <= WASMTIME_COMPONENT_CHAR);
		break;
	}
	v->kind = WASMTIME_COMPONENT_BOOL;
}

void
wasmtime_component_val_delete(comp_val *v)
{
	empty(v, false);
}

/* ---- the engine: the linker ---- */

static const struct comp_interface *
nth(size_t i)
{
	if (i < comp_nio)
		return &comp_io[i];
	if (i -= comp_nio, i < comp_nfs)
		return &comp_fs[i];
	i -= comp_nfs;
	return i < comp_ncli ? &comp_cli[i] : NULL;
}

wasmtime_component_type_t *
wasmtime_component_type(const wasmtime_component_t *c)
{
	(void)c;
	return NULL;
}

void
wasmtime_component_type_delete(wasmtime_component_type_t *t)
{
	(void)t;
}

size_t
wasmtime_component_type_import_count(const wasmtime_component_type_t *t,
    const wasm_engine_t *engine)
{
	(void)t;
	(void)engine;
	return comp_nio + comp_nfs + comp_ncli + 1;
}

bool
wasmtime_component_type_import_nth(const wasmtime_component_type_t *t,
    const wasm_engine_t *engine, size_t i, const char **name, size_t *len,
    wasmtime_component_extern_t **item)
{
	const struct comp_interface *v = nth(i);

	(void)t;
	(void)engine;
	*name = v != NULL ? v->name : "wasi:sockets/tcp@0.2.3";
	*len = strlen(*name);
	*item = NULL;
	return true;
}

void
wasmtime_component_extern_delete(wasmtime_component_extern_t *e)
{
	(void)e;
}

wasmtime_component_linker_instance_t *
wasmtime_component_linker_root(wasmtime_component_linker_t *l)
{
	(void)l;
	return NULL;
}

wasmtime_error_t *
wasmtime_component_linker_instance_add_instance(
    wasmtime_component_linker_instance_t *root, const char *name, size_t len,
    wasmtime_component_linker_instance_t **out)
{
	(void)root;
	now = NULL;
	for (size_t i = 0; nth(i) != NULL; i++)
		if (strlen(nth(i)->name) == len &&
		    memcmp(nth(i)->name, name, len) == 0)
			now = nth(i);
	must(now != NULL);
	*out = NULL;
	return NULL;
}

void
wasmtime_component_linker_instance_delete(
    wasmtime_component_linker_instance_t *l)
{
	(void)l;
}

wasmtime_component_resource_type_t *
wasmtime_component_resource_type_new_host(uint32_t type)
{
	must(type > COMP_FREE && type < COMP_KINDS);
	return NULL;
}

void
wasmtime_component_resource_type_delete(wasmtime_component_resource_type_t *t)
{
	(void)t;
}

wasmtime_error_t *
wasmtime_component_linker_instance_add_resource(
    wasmtime_component_linker_instance_t *l, const char *name, size_t len,
    const wasmtime_component_resource_type_t *t,
    wasmtime_component_resource_destructor_t gone, void *env,
    void (*done)(void *))
{
	(void)l;
	(void)t;
	must(len == strlen(name) && done == NULL);
	drop = gone;
	drop_env = env;
	return NULL;
}

wasmtime_error_t *
wasmtime_component_linker_instance_add_func(
    wasmtime_component_linker_instance_t *l, const char *name, size_t len,
    wasmtime_component_func_callback_t run, void *env, void (*done)(void *))
{
	struct call *c = &calls[ncalls];

	(void)l;
	must(ncalls++ < CALLS);
	*c = (struct call){NULL, run, env, done};
	for (size_t i = 0; i < now->ncalls; i++)
		if (strlen(now->calls[i].name) == len &&
		    memcmp(now->calls[i].name, name, len) == 0)
			c->is = &now->calls[i];
	must(c->is != NULL);
	return NULL;
}

wasmtime_error_t *
wasmtime_component_linker_define_unknown_imports_as_traps(
    wasmtime_component_linker_t *l, const wasmtime_component_t *c)
{
	(void)l;
	(void)c;
	return NULL;
}

/* ---- what preview 1 would want of it, which is not played here ---- */

#define NEVER __attribute__((noreturn))
#define N __attribute__((unused))

NEVER wasm_valtype_t *
wasm_valtype_new(N wasm_valkind_t kind)
{
	abort();
}

NEVER void
wasm_valtype_vec_new(N wasm_valtype_vec_t *v, N size_t n,
    N wasm_valtype_t *const items[])
{
	abort();
}

NEVER void
wasm_valtype_vec_new_empty(N wasm_valtype_vec_t *v)
{
	abort();
}

NEVER wasm_functype_t *
wasm_functype_new(N wasm_valtype_vec_t *params, N wasm_valtype_vec_t *results)
{
	abort();
}

NEVER void
wasm_functype_delete(N wasm_functype_t *t)
{
	abort();
}

NEVER wasmtime_error_t *
wasmtime_linker_define_func(N wasmtime_linker_t *l, N const char *module,
    N size_t module_len, N const char *name, N size_t name_len,
    N const wasm_functype_t *t, N wasmtime_func_callback_t run, N void *env,
    N void (*done)(void *))
{
	abort();
}

NEVER void
wasmtime_linker_allow_shadowing(N wasmtime_linker_t *l, N bool allow)
{
	abort();
}

NEVER wasmtime_context_t *
wasmtime_caller_context(N wasmtime_caller_t *c)
{
	abort();
}

NEVER bool
wasmtime_caller_export_get(N wasmtime_caller_t *c, N const char *name,
    N size_t n, N wasmtime_extern_t *out)
{
	abort();
}

NEVER void
wasmtime_extern_delete(N wasmtime_extern_t *e)
{
	abort();
}

NEVER uint8_t *
wasmtime_memory_data(N wasmtime_context_t *x, N const wasmtime_memory_t *m)
{
	abort();
}

NEVER size_t
wasmtime_memory_data_size(N const wasmtime_context_t *x,
    N const wasmtime_memory_t *m)
{
	abort();
}

NEVER wasm_trap_t *
wasmtime_trap_new(N const char *said, N size_t n)
{
	abort();
}

/* ---- the component ---- */

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

static uint64_t
number(struct script *s)
{
	uint8_t t = (uint8_t)bytes(s, 1);

	switch (t >> 5) {
	case 0:
	case 1:
		return t;
	case 2:
		return UINT64_C(1) << (t & 31);
	case 3:
		return UINT64_C(1) << (32 + (t & 31));
	case 4:
		return ~UINT64_C(0) - (t & 31);
	case 5:
		return (uint64_t)INT64_MAX - (t & 31);
	case 6:
		return 4096u * (t & 31u) + 1;
	default:
		return bytes(s, 8);
	}
}

static void
text(struct script *s, wasm_name_t *out)
{
	static const char *const paths[] = {"a", "b", "a/b", "a/b/c", ".",
	    "..", "a/..", "a/../..", "/", "/etc", "l", "l/x", "./a/", "\xff",
	    "", "a//b/./../b"};
	uint8_t t = (uint8_t)bytes(s, 1);
	size_t n = MIN_OF((size_t)(t & 63), s->n);

	if (t < 128) {
		wasm_byte_vec_new(out, strlen(paths[t % NELEM(paths)]),
		    paths[t % NELEM(paths)]);
		return;
	}
	wasm_byte_vec_new(out, n, (const char *)s->p);
	s->p += n;
	s->n -= n;
}

static void
flags(struct script *s, comp_val *v)
{
	static const char *const words[] = {"symlink-follow", "create",
	    "directory", "exclusive", "truncate", "read", "write",
	    "mutate-directory"};
	uint8_t set = (uint8_t)bytes(s, 1);
	size_t n = 0;

	for (size_t i = 0; i < NELEM(words); i++)
		n += set >> i & 1;
	wasmtime_component_valflags_new_uninit(&v->of.flags, n);
	n = 0;
	for (size_t i = 0; i < NELEM(words); i++)
		if ((set >> i & 1) != 0)
			wasm_byte_vec_new(&v->of.flags.data[n++],
			    strlen(words[i]), words[i]);
}

static void value(struct script *, comp_val *, char, unsigned);

static void
variant(struct script *s, comp_val *v, unsigned deep)
{
	static const char *const words[] = {"no-change", "now", "timestamp",
	    "other"};
	const char *word = words[bytes(s, 1) & 3];
	comp_val one;

	wasm_byte_vec_new(&v->of.variant.discriminant, strlen(word), word);
	v->of.variant.val = NULL;
	if (strcmp(word, "timestamp") != 0)
		return;
	if ((bytes(s, 1) & 3) != 0)
		comp_datetime(&one, number(s));
	else
		value(s, &one, '?', deep + 1);
	v->of.variant.val = wasmtime_component_val_new(&one);
}

static void
handle(struct script *s, comp_val *v)
{
	uint8_t t = (uint8_t)bytes(s, 1);
	const struct handle *h = nhandles > 0 ? &handles[t % nhandles] : NULL;

	v->kind = WASMTIME_COMPONENT_RESOURCE;
	v->of.resource = t == 255 || h == NULL ? any_new(t, UINT32_MAX) :
	    any_new(h->rep, h->type);
}

static void
list(struct script *s, comp_val *v, char of, unsigned deep)
{
	uint8_t t = (uint8_t)bytes(s, 1);
	size_t n = t == 255 ? LIST_MAX : t & 63;

	if (of != 'y' || deep > 0)
		n &= 7;
	wasmtime_component_vallist_new_uninit(&v->of.list, n);
	for (size_t i = 0; i < n; i++) {
		if (of == 'y') {
			v->of.list.data[i].kind = WASMTIME_COMPONENT_U8;
			v->of.list.data[i].of.u8 = (uint8_t)bytes(s, 1);
		} else {
			value(s, &v->of.list.data[i], of, deep + 1);
		}
	}
}

/* Of a letter of comp.h; '?': any of them. */
static void
value(struct script *s, comp_val *v, char letter, unsigned deep)
{
	static const char any[] = "bsuUyfervlpDDDD";

	if (letter == '?')
		letter = deep >= DEEP ? 'u' :
		    any[bytes(s, 1) % (sizeof(any) - 1)];
	memset(v, 0, sizeof(*v));
	switch (letter) {
	case 'b':
		v->kind = WASMTIME_COMPONENT_BOOL;
		v->of.boolean = (bytes(s, 1) & 1) != 0;
		break;
	case 's':
		v->kind = WASMTIME_COMPONENT_STRING;
		text(s, &v->of.string);
		break;
	case 'y':
		v->kind = WASMTIME_COMPONENT_U8;
		v->of.u8 = (uint8_t)bytes(s, 1);
		break;
	case 'u':
		v->kind = WASMTIME_COMPONENT_U32;
		v->of.u32 = (uint32_t)number(s);
		break;
	case 'U':
		v->kind = WASMTIME_COMPONENT_U64;
		v->of.u64 = number(s);
		break;
	case 'f':
		v->kind = WASMTIME_COMPONENT_FLAGS;
		flags(s, v);
		break;
	case 'e':
		v->kind = WASMTIME_COMPONENT_ENUM;
		text(s, &v->of.enumeration);
		break;
	case 'v':
		v->kind = WASMTIME_COMPONENT_VARIANT;
		variant(s, v, deep);
		break;
	case 'r':
		v->kind = WASMTIME_COMPONENT_RESULT;
		v->of.result.is_ok = (bytes(s, 1) & 1) != 0;
		break;
	case 'l':
		v->kind = WASMTIME_COMPONENT_LIST;
		list(s, v, (bytes(s, 1) & 15) == 15 ? '?' : 'y', deep);
		break;
	case 'p':
		v->kind = WASMTIME_COMPONENT_LIST;
		list(s, v, (bytes(s, 1) & 15) == 15 ? '?' : 'P', deep);
		break;
	default:
		handle(s, v);
		break;
	}
}

static void
forget(struct script *s)
{
	size_t i = bytes(s, 1) % nhandles;
	uint32_t rep = handles[i].rep;

	handles[i] = handles[--nhandles];
	must(drop(drop_env, NULL, rep) == NULL);
}

/* false: the component has ended. */
static bool
play_one(struct script *s, const struct call *c)
{
	const char *form = c->is->args;
	bool none = form[0] == '!', wrong = (bytes(s, 1) & 15) == 15;
	comp_val args[ARGS], result = {.kind = WASMTIME_COMPONENT_BOOL};
	wasmtime_error_t *e;
	size_t n;

	form += none;
	n = strlen(form);
	must(n <= ARGS);
	for (size_t i = 0; i < n; i++)
		value(s, &args[i], wrong ? '?' : form[i], 0);
	e = c->run(c->env, NULL, NULL, args, n, &result, none ? 0 : 1);
	for (size_t i = 0; i < n; i++)
		empty(&args[i], false);
	/* of one that has ended nothing is looked at */
	empty(&result, e == NULL);
	if (e == NULL) {
		fuzz_taken++;
		return true;
	}
	wasmtime_error_delete(e);
	return false;
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
	size_t packed = 0;
	uint32_t left;

	if (null < 0)
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
	must(fs[0] != NULL && fs[1] != NULL);
	memwasi_init(&w, &args, fs, (bytes(&s, 1) & 1) != 0);
	for (unsigned i = 0; i < 3; i++)
		w.fd[i].stream = null;
	w.until = 1; /* nothing is slept for */
	ncalls = nhandles = 0;
	must(comp_define(NULL, NULL, NULL, &comp, &w) == NULL);
	for (unsigned i = 0; i < STEPS && s.n > 0; i++) {
		uint8_t what = (uint8_t)bytes(&s, 1);

		if (what >= 0xf8 && nhandles > 0)
			forget(&s);
		else if (!play_one(&s, &calls[what % ncalls]))
			break;
	}
	comp_clear(&comp);
	memwasi_end(&w);
	must(memfs_pack(fs[0], count, &packed, &left) == 0);
	/* content by pages, and a head for each name */
	must(packed <= BYTES + (NODES + 2) * 1024);
	for (size_t i = 0; i < ncalls; i++)
		calls[i].free(calls[i].env);
	memfs_free(fs[0]);
	memfs_free(fs[1]);
	return 0;
}
