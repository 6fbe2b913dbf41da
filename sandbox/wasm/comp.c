/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/comp.h"

#include <stdlib.h>
#include <string.h>

#include <wasmtime/component/types/component.h>

#include "common/util.h"

/* ---- what a call brings ---- */

static const char letters[COMP_KINDS] = {[COMP_DESCRIPTOR] = 'D',
    [COMP_FOLDER] = 'F', [COMP_IN] = 'I', [COMP_OUT] = 'O',
    [COMP_POLLABLE] = 'P', [COMP_ERROR] = 'E'};

/*
 * A handle is taken apart here, once for each call as the library wants it, and
 * the value becomes the index that it stands for.
 */
static bool
take_resource(struct comp *c, comp_val *v, enum comp_kind kind)
{
	wasmtime_component_resource_host_t *host = NULL;
	wasmtime_error_t *e;
	uint32_t rep, type;

	if (v->kind != WASMTIME_COMPONENT_RESOURCE)
		return false;
	e = wasmtime_component_resource_any_to_host(c->x, v->of.resource,
	    &host);
	if (e != NULL) {
		wasmtime_error_delete(e);
		return false;
	}
	rep = wasmtime_component_resource_host_rep(host);
	type = wasmtime_component_resource_host_type(host);
	wasmtime_component_resource_host_delete(host);
	wasmtime_component_resource_any_delete(v->of.resource);
	v->kind = WASMTIME_COMPONENT_U32;
	v->of.u32 = rep;
	return type == (uint32_t)kind && rep < COMP_THINGS &&
	    c->thing[rep].kind == kind;
}

static bool
take(struct comp *c, comp_val *v, char letter)
{
	static const struct {
		char letter;
		wasmtime_component_valkind_t kind;
	} kinds[] = {{'b', WASMTIME_COMPONENT_BOOL},
	    {'s', WASMTIME_COMPONENT_STRING}, {'u', WASMTIME_COMPONENT_U32},
	    {'U', WASMTIME_COMPONENT_U64}, {'f', WASMTIME_COMPONENT_FLAGS},
	    {'e', WASMTIME_COMPONENT_ENUM}, {'v', WASMTIME_COMPONENT_VARIANT},
	    {'r', WASMTIME_COMPONENT_RESULT}, {'y', WASMTIME_COMPONENT_U8},
	    {'l', WASMTIME_COMPONENT_LIST}};

	for (size_t i = 0; i < NELEM(kinds); i++)
		if (kinds[i].letter == letter)
			return v->kind == kinds[i].kind;
	if (letter == 'p') {
		/* a list of pollables */
		if (v->kind != WASMTIME_COMPONENT_LIST)
			return false;
		for (size_t i = 0; i < v->of.list.size; i++)
			if (!take_resource(c, &v->of.list.data[i],
			    COMP_POLLABLE))
				return false;
		return true;
	}
	for (unsigned k = 1; k < COMP_KINDS; k++)
		if (letters[k] == letter)
			return take_resource(c, v, (enum comp_kind)k);
	return false;
}

struct bound {
	struct comp *c;
	const struct comp_call *call;
};

static wasmtime_error_t *
run(void *env, wasmtime_context_t *x,
    const wasmtime_component_func_type_t *type, comp_val *args, size_t nargs,
    comp_val *results, size_t nresults)
{
	const struct bound *b = env;
	const char *form = b->call->args;
	bool none = form[0] == '!', ok = true;
	comp_val nothing = {.kind = WASMTIME_COMPONENT_BOOL};

	(void)type;
	b->c->x = x;
	b->c->end = NULL;
	form += none;
	ok = nargs == strlen(form) && nresults == (none ? 0 : 1);
	for (size_t i = 0; i < nargs && ok; i++)
		ok = take(b->c, &args[i], form[i]);
	if (!ok)
		return wasmtime_error_new("an import has another type than "
		    "WASI's");
	b->call->run(b->c, args, none ? &nothing : &results[0]);
	return b->c->end;
}

/* ---- resources ---- */

static void
drop_thing(struct comp_thing *t)
{
	if (t->node != NULL)
		memfs_close(t->fs, t->node);
	memset(t, 0, sizeof(*t));
}

static wasmtime_error_t *
drop(void *env, wasmtime_context_t *x, uint32_t rep)
{
	struct comp *c = env;

	(void)x;
	if (rep < COMP_THINGS)
		drop_thing(&c->thing[rep]);
	return NULL;
}

void
comp_clear(struct comp *c)
{
	for (size_t i = 0; i < COMP_THINGS; i++)
		drop_thing(&c->thing[i]);
}

/* ---- all of it ---- */

static wasmtime_error_t *
define_resource(wasmtime_component_linker_instance_t *l, const char *name,
    enum comp_kind kind, struct comp *c)
{
	wasmtime_component_resource_type_t *t =
	    wasmtime_component_resource_type_new_host((uint32_t)kind);
	wasmtime_error_t *e = wasmtime_component_linker_instance_add_resource(
	    l, name, strlen(name), t, drop, c, NULL);

	wasmtime_component_resource_type_delete(t);
	return e;
}

static wasmtime_error_t *
define(wasmtime_component_linker_instance_t *root, const char *name,
    size_t len, const struct comp_interface *of, struct comp *c)
{
	wasmtime_component_linker_instance_t *l;
	wasmtime_error_t *e;

	e = wasmtime_component_linker_instance_add_instance(root, name, len,
	    &l);
	if (e != NULL)
		return e;
	for (size_t i = 0; i < of->nresources && e == NULL; i++)
		e = define_resource(l, of->resources[i].name,
		    of->resources[i].kind, c);
	for (size_t i = 0; i < of->ncalls && e == NULL; i++) {
		struct bound *b = malloc(sizeof(*b));

		if (b == NULL) {
			e = wasmtime_error_new("no memory");
			break;
		}
		*b = (struct bound){c, &of->calls[i]};
		e = wasmtime_component_linker_instance_add_func(l,
		    of->calls[i].name, strlen(of->calls[i].name), run, b,
		    free);
	}
	wasmtime_component_linker_instance_delete(l);
	return e;
}

/* By its name without the version, which is one of 0.2; NULL: not ours. */
static const struct comp_interface *
interface(const char *name, size_t len)
{
	const struct {
		const struct comp_interface *v;
		size_t n;
	} all[] = {{comp_io, comp_nio}, {comp_fs, comp_nfs},
	    {comp_cli, comp_ncli}};
	const char *at = memchr(name, '@', len);
	size_t n = at == NULL ? len : (size_t)(at - name);

	for (size_t i = 0; i < NELEM(all); i++)
		for (size_t k = 0; k < all[i].n; k++)
			if (strlen(all[i].v[k].name) == n &&
			    memcmp(all[i].v[k].name, name, n) == 0)
				return &all[i].v[k];
	return NULL;
}

wasmtime_error_t *
comp_define(wasmtime_component_linker_t *l, const wasm_engine_t *engine,
    const wasmtime_component_t *of, struct comp *c, struct memwasi *w)
{
	wasmtime_component_type_t *t = wasmtime_component_type(of);
	size_t n = wasmtime_component_type_import_count(t, engine), len;
	wasmtime_component_linker_instance_t *root =
	    wasmtime_component_linker_root(l);
	struct wasmtime_component_extern_t *item;
	wasmtime_error_t *e = NULL;
	const char *name;

	memset(c, 0, sizeof(*c));
	c->w = w;
	for (size_t i = 0; i < n && e == NULL; i++) {
		const struct comp_interface *v;

		if (!wasmtime_component_type_import_nth(t, engine, i, &name,
		    &len, &item))
			break;
		wasmtime_component_extern_delete(item);
		if ((v = interface(name, len)) != NULL)
			e = define(root, name, len, v, c);
	}
	wasmtime_component_linker_instance_delete(root);
	wasmtime_component_type_delete(t);
	/* sockets, and what a later 0.2 has added */
	return e != NULL ? e :
	    wasmtime_component_linker_define_unknown_imports_as_traps(l, of);
}
