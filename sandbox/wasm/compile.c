/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <wasmtime/component/component.h>
#include <wasmtime/component/types/component.h>
#include <wasmtime/engine.h>
#include <wasmtime/linker.h>
#include <wasmtime/module.h>
#include <wasmtime/store.h>

#include "common/file.h"
#include "common/util.h"
#include "sandbox/plan/wasm.h"

/* ---- what it wants ---- */

static void
not_offered(char why[ENGINE_WHY], const char *kind, const char *module,
    size_t module_len, const char *name, size_t name_len)
{
	char m[128], n[128];

	(void)text_escape(m, sizeof(m), module, MIN_OF(module_len,
	    sizeof(m) / 4));
	(void)text_escape(n, sizeof(n), name, MIN_OF(name_len,
	    sizeof(n) / 4));
	(void)snprintf(why, ENGINE_WHY, "%s imports %.110s%s%.90s, not offered here",
	    kind, m, name_len > 0 ? "." : "", n);
}

static bool
same_kinds(const wasm_valtype_vec_t *a, const wasm_valtype_vec_t *b)
{
	bool same = a->size == b->size;

	for (size_t i = 0; i < a->size && same; i++)
		same = wasm_valtype_kind(a->data[i]) ==
		    wasm_valtype_kind(b->data[i]);
	return same;
}

/* Whether both are functions that take and give the same. */
static bool
same_function(const wasm_externtype_t *a, const wasm_externtype_t *b)
{
	const wasm_functype_t *f = wasm_externtype_as_functype_const(a);
	const wasm_functype_t *g = wasm_externtype_as_functype_const(b);

	return f != NULL && g != NULL &&
	    same_kinds(wasm_functype_params(f), wasm_functype_params(g)) &&
	    same_kinds(wasm_functype_results(f), wasm_functype_results(g));
}

/* Exactly what a linker that has WASI would not find, or not of that type. */
static bool
imports_offered(wasm_engine_t *engine, const wasmtime_module_t *m,
    char why[ENGINE_WHY])
{
	wasmtime_store_t *s = wasmtime_store_new(engine, NULL, NULL);
	wasmtime_linker_t *l = wasmtime_linker_new(engine);
	wasmtime_error_t *e = wasmtime_linker_define_wasi(l);
	wasm_importtype_vec_t v;
	wasmtime_extern_t item;
	bool ok = e == NULL;

	if (!ok)
		engine_why(why, "WASI", e);
	wasmtime_module_imports(m, &v);
	for (size_t i = 0; i < v.size && ok; i++) {
		const wasm_name_t *from = wasm_importtype_module(v.data[i]);
		const wasm_name_t *name = wasm_importtype_name(v.data[i]);

		ok = wasmtime_linker_get(l, wasmtime_store_context(s),
		    from->data, from->size, name->data, name->size, &item);
		if (ok) {
			wasm_externtype_t *has = wasmtime_extern_type(
			    wasmtime_store_context(s), &item);

			ok = same_function(has,
			    wasm_importtype_type(v.data[i]));
			wasm_externtype_delete(has);
			wasmtime_extern_delete(&item);
			if (!ok)
				(void)snprintf(why, ENGINE_WHY, "module "
				    "imports %.*s of another type, not offered "
				    "here", (int)name->size, name->data);
		} else
			not_offered(why, "module", from->data, from->size,
			    name->data, name->size);
	}
	wasm_importtype_vec_delete(&v);
	wasmtime_linker_delete(l);
	wasmtime_store_delete(s);
	return ok;
}

static bool
has_start(const wasmtime_module_t *m, char why[ENGINE_WHY])
{
	wasm_exporttype_vec_t v;
	const wasm_functype_t *f = NULL;
	bool plain;

	wasmtime_module_exports(m, &v);
	for (size_t i = 0; i < v.size && f == NULL; i++) {
		const wasm_name_t *n = wasm_exporttype_name(v.data[i]);

		if (n->size == 6 && memcmp(n->data, "_start", 6) == 0)
			f = wasm_externtype_as_functype_const(
			    wasm_exporttype_type(v.data[i]));
	}
	plain = f != NULL && wasm_functype_params(f)->size == 0 &&
	    wasm_functype_results(f)->size == 0;
	if (!plain)
		(void)snprintf(why, ENGINE_WHY, "module exports no _start%s: "
		    "it is no command", f == NULL ? "" :
		    " that takes and gives nothing");
	wasm_exporttype_vec_delete(&v);
	return plain;
}

/* A function `run` of nothing, which says whether it went well, and no more. */
static bool
is_run(const wasmtime_component_func_type_t *f)
{
	wasmtime_component_valtype_t t, more;
	bool ok;

	if (wasmtime_component_func_type_async(f) ||
	    wasmtime_component_func_type_param_count(f) != 0 ||
	    !wasmtime_component_func_type_result(f, &t))
		return false;
	ok = t.kind == WASMTIME_COMPONENT_VALTYPE_RESULT;
	if (ok && (wasmtime_component_result_type_ok(t.of.result, &more) ||
	    wasmtime_component_result_type_err(t.of.result, &more))) {
		wasmtime_component_valtype_delete(&more);
		ok = false;
	}
	wasmtime_component_valtype_delete(&t);
	return ok;
}

static bool
has_run(wasm_engine_t *engine, const struct wasmtime_component_extern_t *in)
{
	struct wasmtime_component_extern_t *found;
	wasmtime_component_item_t all, one;
	bool ok = false;

	wasmtime_component_extern_type(in, &all);
	if (all.kind == WASMTIME_COMPONENT_ITEM_COMPONENT_INSTANCE &&
	    wasmtime_component_instance_type_export_get(
	    all.of.component_instance, engine, "run", 3, &found)) {
		wasmtime_component_extern_type(found, &one);
		ok = one.kind == WASMTIME_COMPONENT_ITEM_COMPONENT_FUNC &&
		    is_run(one.of.component_func);
		wasmtime_component_item_delete(&one);
		wasmtime_component_extern_delete(found);
	}
	wasmtime_component_item_delete(&all);
	return ok;
}

static bool
component_fits(wasm_engine_t *engine, const wasmtime_component_t *c,
    char why[ENGINE_WHY])
{
	wasmtime_component_type_t *t = wasmtime_component_type(c);
	size_t n = wasmtime_component_type_import_count(t, engine), len;
	struct wasmtime_component_extern_t *item;
	const char *name;
	bool ok = true, run = false, plain = false;

	for (size_t i = 0; i < n && ok; i++) {
		ok = wasmtime_component_type_import_nth(t, engine, i, &name,
		    &len, &item);
		if (!ok)
			break;
		ok = wasm_interface_offered(name, len);
		if (!ok)
			not_offered(why, "component", name, len, "", 0);
		wasmtime_component_extern_delete(item);
	}
	n = wasmtime_component_type_export_count(t, engine);
	for (size_t i = 0; i < n && ok && !run; i++) {
		if (!wasmtime_component_type_export_nth(t, engine, i, &name,
		    &len, &item))
			break;
		run = wasm_interface_run(name, len);
		plain = run && has_run(engine, item);
		wasmtime_component_extern_delete(item);
	}
	if (ok && !plain)
		(void)snprintf(why, ENGINE_WHY, "component exports no "
		    "wasi:cli/run@0.2%s: it is no command", run ?
		    " whose run takes nothing and gives a result" : "");
	wasmtime_component_type_delete(t);
	return ok && plain;
}

/* ---- to machine code ---- */

static enum compiled
put(int out, const char mark[WASM_CODE_MARK + 1], wasm_byte_vec_t *v,
    char why[ENGINE_WHY])
{
	uint8_t head[WASM_CODE_HEAD] = {0};
	enum compiled rv = COMPILED;

	memcpy(head, mark, WASM_CODE_MARK);
	if (write_full(out, head, sizeof(head)) < 0 ||
	    write_full(out, v->data, v->size) < 0 || fsync(out) < 0) {
		/* what it compiles to has a size that it may have */
		rv = errno == EFBIG ? COMPILE_MODULE : COMPILE_HERE;
		(void)snprintf(why, ENGINE_WHY, "what it compiles to cannot be "
		    "written: %s", strerror(errno));
	}
	wasm_byte_vec_delete(v);
	return rv;
}

static enum compiled
core(wasm_engine_t *engine, const uint8_t *p, size_t len, int out,
    char why[ENGINE_WHY])
{
	wasmtime_module_t *m = NULL;
	wasm_byte_vec_t v;
	wasmtime_error_t *e = wasmtime_module_new(engine, p, len, &m);

	if (e != NULL) {
		engine_why(why, "module", e);
		return COMPILE_MODULE;
	}
	if (!has_start(m, why) || !imports_offered(engine, m, why))
		return COMPILE_MODULE;
	if ((e = wasmtime_module_serialize(m, &v)) != NULL) {
		engine_why(why, "module", e);
		return COMPILE_MODULE;
	}
	return put(out, ENGINE_MODULE, &v, why);
}

static enum compiled
component(wasm_engine_t *engine, const uint8_t *p, size_t len, int out,
    char why[ENGINE_WHY])
{
	wasmtime_component_t *c = NULL;
	wasm_byte_vec_t v;
	wasmtime_error_t *e = wasmtime_component_new(engine, p, len, &c);

	if (e != NULL) {
		engine_why(why, "component", e);
		return COMPILE_MODULE;
	}
	if (!component_fits(engine, c, why))
		return COMPILE_MODULE;
	if ((e = wasmtime_component_serialize(c, &v)) != NULL) {
		engine_why(why, "component", e);
		return COMPILE_MODULE;
	}
	return put(out, ENGINE_COMPONENT, &v, why);
}

enum compiled
compile_module(const struct engine_conf *conf, int in, int out,
    char why[ENGINE_WHY])
{
	wasm_engine_t *engine = engine_make(conf, why);
	const uint8_t *p;
	size_t len;

	if (engine == NULL)
		return COMPILE_HERE;
	if ((p = engine_map(in, &len)) == NULL) {
		(void)snprintf(why, ENGINE_WHY, "module: %s", strerror(errno));
		return COMPILE_HERE;
	}
	/* the text form is for people, and one parser more */
	if (len < 8 || memcmp(p, "\0asm", 4) != 0) {
		(void)snprintf(why, ENGINE_WHY, "this is no WebAssembly: it "
		    "begins otherwise");
		return COMPILE_MODULE;
	}
	return engine_component(p, len) ? component(engine, p, len, out, why) :
	    core(engine, p, len, out, why);
}
