/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/util.h"
#include "sandbox/wasm/comp.h"

/* Values and resources, as the functions of comp.h take and give them. */

#define SECOND UINT64_C(1000000000)

void
comp_end(struct comp *c, const char *why)
{
	if (c->end == NULL)
		c->end = wasmtime_error_new(why);
}

struct comp_thing *
comp_of(struct comp *c, const comp_val *v)
{
	return &c->thing[v->of.u32];
}

bool
comp_is(const wasm_name_t *n, const char *text)
{
	return n->size == strlen(text) && memcmp(n->data, text, n->size) == 0;
}

bool
comp_flag(const comp_val *v, const char *name)
{
	for (size_t i = 0; i < v->of.flags.size; i++)
		if (comp_is(&v->of.flags.data[i], name))
			return true;
	return false;
}

bool
comp_list(struct comp *c, const comp_val *v, wasmtime_component_valkind_t kind)
{
	/* of one type, since the engine has made them by one */
	if (v->of.list.size == 0 || v->of.list.data[0].kind == kind)
		return true;
	comp_end(c, "a list of another type than WASI's");
	return false;
}

bool
comp_bytes(struct comp *c, const comp_val *v, uint8_t *out, size_t cap,
    size_t *n)
{
	if (!comp_list(c, v, WASMTIME_COMPONENT_U8))
		return false;
	*n = MIN_OF(v->of.list.size, cap);
	for (size_t i = 0; i < *n; i++)
		out[i] = v->of.list.data[i].of.u8;
	return true;
}

/* ---- resources ---- */

struct comp_thing *
comp_make(struct comp *c, enum comp_kind kind)
{
	for (size_t i = 0; i < COMP_THINGS; i++)
		if (c->thing[i].kind == COMP_FREE) {
			c->thing[i] = (struct comp_thing){.kind = kind,
			    .stream = -1};
			return &c->thing[i];
		}
	return NULL;
}

void
comp_node(struct comp_thing *t, struct memfs *fs, struct mnode *n)
{
	t->fs = fs;
	t->node = n;
	memfs_open(n);
}

void
comp_give(struct comp *c, comp_val *v, const struct comp_thing *t)
{
	wasmtime_component_resource_host_t *host =
	    wasmtime_component_resource_host_new(true,
		(uint32_t)(t - c->thing), (uint32_t)t->kind);
	wasmtime_error_t *e;

	v->kind = WASMTIME_COMPONENT_RESOURCE;
	e = wasmtime_component_resource_host_to_any(c->x, host,
	    &v->of.resource);
	wasmtime_component_resource_host_delete(host);
	if (e == NULL)
		return;
	v->kind = WASMTIME_COMPONENT_BOOL;
	if (c->end == NULL)
		c->end = e;
	else
		wasmtime_error_delete(e);
}

void
comp_pollable(struct comp *c, comp_val *r, uint64_t due)
{
	struct comp_thing *t = comp_make(c, COMP_POLLABLE);

	if (t == NULL) {
		comp_end(c, "too many resources");
		return;
	}
	t->due = due;
	comp_give(c, r, t);
}

/* ---- what it brings back ---- */

void
comp_text(comp_val *v, const char *s, size_t n)
{
	v->kind = WASMTIME_COMPONENT_STRING;
	wasm_byte_vec_new(&v->of.string, n, s);
}

void
comp_enum(comp_val *v, const char *name)
{
	v->kind = WASMTIME_COMPONENT_ENUM;
	wasm_byte_vec_new(&v->of.enumeration, strlen(name), name);
}

void
comp_u64(comp_val *v, uint64_t n)
{
	v->kind = WASMTIME_COMPONENT_U64;
	v->of.u64 = n;
}

comp_val *
comp_array(comp_val *v, wasmtime_component_valkind_t kind, size_t n)
{
	v->kind = kind;
	if (kind == WASMTIME_COMPONENT_TUPLE) {
		wasmtime_component_valtuple_new_uninit(&v->of.tuple, n);
		memset(v->of.tuple.data, 0, n * sizeof(*v));
		return v->of.tuple.data;
	}
	wasmtime_component_vallist_new_uninit(&v->of.list, n);
	if (n > 0)
		memset(v->of.list.data, 0, n * sizeof(*v));
	return v->of.list.data;
}

void
comp_put_bytes(comp_val *v, const uint8_t *p, size_t n)
{
	comp_val *at = comp_array(v, WASMTIME_COMPONENT_LIST, n);

	for (size_t i = 0; i < n; i++) {
		at[i].kind = WASMTIME_COMPONENT_U8;
		at[i].of.u8 = p[i];
	}
}

void
comp_ok(comp_val *v, comp_val *of)
{
	v->kind = WASMTIME_COMPONENT_RESULT;
	v->of.result.is_ok = true;
	v->of.result.val = of == NULL ? NULL : wasmtime_component_val_new(of);
}

void
comp_fail(comp_val *v, comp_val *of)
{
	comp_ok(v, of);
	v->of.result.is_ok = false;
}

void
comp_some(comp_val *v, comp_val *of)
{
	v->kind = WASMTIME_COMPONENT_OPTION;
	v->of.option = of == NULL ? NULL : wasmtime_component_val_new(of);
}

void
comp_record(comp_val *v, size_t n)
{
	v->kind = WASMTIME_COMPONENT_RECORD;
	wasmtime_component_valrecord_new_uninit(&v->of.record, n);
	memset(v->of.record.data, 0, n * sizeof(v->of.record.data[0]));
}

void
comp_field(comp_val *v, size_t i, const char *name, const comp_val *of)
{
	wasmtime_component_valrecord_entry_t *e = &v->of.record.data[i];

	wasm_byte_vec_new(&e->name, strlen(name), name);
	e->val = *of;
}

void
comp_datetime(comp_val *v, uint64_t ns)
{
	comp_val one;

	comp_record(v, 2);
	comp_u64(&one, ns / SECOND);
	comp_field(v, 0, "seconds", &one);
	one.kind = WASMTIME_COMPONENT_U32;
	one.of.u32 = (uint32_t)(ns % SECOND);
	comp_field(v, 1, "nanoseconds", &one);
}
