/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/run.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wasi.h>
#include <wasmtime/component/component.h>
#include <wasmtime/component/func.h>
#include <wasmtime/component/instance.h>
#include <wasmtime/component/linker.h>
#include <wasmtime/component/types/component.h>
#include <wasmtime/engine.h>
#include <wasmtime/func.h>
#include <wasmtime/instance.h>
#include <wasmtime/linker.h>
#include <wasmtime/module.h>
#include <wasmtime/store.h>

#include "common/util.h"
#include "sandbox/plan/wasm.h"
#include "sandbox/wasm/comp.h"
#include "sandbox/wasm/fixed.h"
#include "sandbox/wasm/lock.h"
#include "sandbox/wasm/memwasi.h"
#include "sandbox/wasm/volumes.h"

/* ours: what one module may have; a toolchain makes one of each */
#define TABLE_ELEMENTS 1000000
#define INSTANCES 64
#define TABLES 64
#define MEMORIES 16

static void
cannot(struct run_result *r, const char *why)
{
	memset(r, 0, sizeof(*r));
	r->end = RUN_CANNOT;
	(void)snprintf(r->why, sizeof(r->why), "%s", why);
}

static bool
failed(struct run_result *r, const char *what, wasmtime_error_t *e)
{
	if (e == NULL)
		return false;
	memset(r, 0, sizeof(*r));
	r->end = RUN_CANNOT;
	engine_why(r->why, what, e);
	return true;
}

/* ---- its time ---- */

struct bell {
	wasm_engine_t *engine;
	struct timespec after;
};

static void *
ring(void *arg)
{
	struct bell *b = arg;

	while (nanosleep(&b->after, &b->after) != 0)
		continue;
	wasmtime_engine_increment_epoch(b->engine);
	return NULL;
}

/*
 * A loop that never calls anything ends by this. What sleeps in the library's
 * WASI does not, and is the node's to end.
 */
static bool
set_bell(const struct run *run, wasm_engine_t *engine, wasmtime_context_t *x)
{
	static struct bell b;
	pthread_attr_t small;
	pthread_t t;
	bool ok;

	wasmtime_context_set_epoch_deadline(x, 1);
	if (run->time_ms == 0)
		return true;
	b.engine = engine;
	b.after.tv_sec = (time_t)(run->time_ms / 1000);
	b.after.tv_nsec = (long)(run->time_ms % 1000 * 1000000);
	if (pthread_attr_init(&small) != 0)
		return false;
	ok = pthread_attr_setstacksize(&small, 65536) == 0 &&
	    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED) == 0 &&
	    pthread_create(&t, &small, ring, &b) == 0;
	(void)pthread_attr_destroy(&small);
	return ok;
}

/* ---- WASI of the library ---- */

static bool
set_env(wasi_config_t *w, const struct plan_args *a)
{
	static char text[PLAN_ENV_MAX][PLAN_ENV_NAME + 1];
	const char *names[PLAN_ENV_MAX], *values[PLAN_ENV_MAX];

	for (uint32_t i = 0; i < a->envc; i++) {
		size_t n = strcspn(a->env[i], "=");

		(void)snprintf(text[i], sizeof(text[i]), "%.*s", (int)n,
		    a->env[i]);
		names[i] = text[i];
		values[i] = a->env[i] + n + 1;
	}
	return wasi_config_set_env(w, a->envc, names, values);
}

static wasi_config_t *
wasi(const struct run *run, struct run_result *r)
{
	const struct plan_args *a = &run->args;
	wasi_config_t *w = wasi_config_new();
	const char *argv[PLAN_ARGS_MAX + 1];

	for (uint32_t i = 0; i < a->argc; i++)
		argv[i] = a->argv[i];
	if (!wasi_config_set_argv(w, a->argc, argv) || !set_env(w, a)) {
		cannot(r, "its arguments and environment are no UTF-8");
		wasi_config_delete(w);
		return NULL;
	}
	wasi_config_inherit_stdin(w);
	wasi_config_inherit_stdout(w);
	wasi_config_inherit_stderr(w);
	for (uint32_t i = 0; i < a->ntargets; i++) {
		if (wasi_config_preopen_dir(w, a->targets[i], a->targets[i],
		    run->volumes[i].nodes != 0))
			continue;
		cannot(r, "a volume cannot be opened");
		wasi_config_delete(w);
		return NULL;
	}
	return w;
}

/* ---- a store with its limits ---- */

static wasmtime_context_t *
store(const struct run *run, wasm_engine_t *engine, wasi_config_t *w,
    struct run_result *r)
{
	wasmtime_store_t *s = wasmtime_store_new(engine, NULL, NULL);
	wasmtime_context_t *x = wasmtime_store_context(s);

	wasmtime_store_limiter(s, (int64_t)MIN_OF(run->memory,
	    (uint64_t)INT64_MAX), TABLE_ELEMENTS, INSTANCES, TABLES, MEMORIES);
	if (run->fuel != 0 &&
	    failed(r, "fuel", wasmtime_context_set_fuel(x, run->fuel)))
		return NULL;
	if (w != NULL && failed(r, "WASI", wasmtime_context_set_wasi(x, w)))
		return NULL;
	if (!set_bell(run, engine, x)) {
		cannot(r, "no thread for its clock");
		return NULL;
	}
	return x;
}

/* ---- a module ---- */

/* Its own WASI, of a module with folders its end; volumes when it has ended. */
static struct emulated {
	struct memwasi wasi;
	struct volumes volumes;
} emulated;

static void
end_exited(struct run_result *r)
{
	if (!emulated.wasi.exited && !emulated.wasi.late)
		return;
	memset(r, 0, sizeof(*r));
	r->code = (int)emulated.wasi.code;
	if (emulated.wasi.exited)
		return;
	r->end = RUN_TIME;
	(void)snprintf(r->why, sizeof(r->why), "out of time");
}

static void
end_emulated(struct run_result *r)
{
	char why[ENGINE_WHY];
	bool ok;

	memwasi_end(&emulated.wasi);
	ok = volumes_save(&emulated.volumes, why);
	if (!ok && r->end == RUN_EXITED)
		cannot(r, why);
	else if (why[0] != '\0' && r->why[0] == '\0')
		(void)snprintf(r->why, sizeof(r->why), "%s", why);
}

static void
start(wasmtime_context_t *x, wasmtime_linker_t *l, wasmtime_module_t *m,
    struct run_result *r)
{
	wasm_trap_t *trap = NULL;
	wasmtime_instance_t instance;
	wasmtime_extern_t entry;
	wasmtime_error_t *e;

	e = wasmtime_linker_instantiate(l, x, m, &instance, &trap);
	if (e != NULL && trap == NULL) {
		/* memory or tables that are larger than the limit */
		(void)failed(r, "module", e);
		return;
	}
	if (e != NULL || trap != NULL) {
		run_told(r, e, trap);
		return;
	}
	if (!wasmtime_instance_export_get(x, &instance, "_start", 6, &entry) ||
	    entry.kind != WASMTIME_EXTERN_FUNC) {
		cannot(r, "module exports no _start");
		return;
	}
	e = wasmtime_func_call(x, &entry.of.func, NULL, 0, NULL, 0, &trap);
	run_told(r, e, trap);
}

static void
core(const struct run *run, wasm_engine_t *engine, struct run_result *r)
{
	wasmtime_linker_t *l = wasmtime_linker_new(engine);
	wasmtime_module_t *m = NULL;
	wasmtime_context_t *x;
	wasi_config_t *w = NULL;
	char why[ENGINE_WHY];

	if (run->emulated && !volumes_load(&emulated.volumes, run, why)) {
		cannot(r, why);
		return;
	}
	if (failed(r, "code", wasmtime_module_deserialize(engine, run->code +
	    WASM_CODE_HEAD, run->code_len - WASM_CODE_HEAD, &m)))
		return;
	/* all code is there: no page becomes executable from here on */
	if (lock_down(!run->emulated) < 0) {
		cannot(r, "system-call filter");
		return;
	}
	if (run->emulated) {
		memwasi_init(&emulated.wasi, &run->args, emulated.volumes.fs,
		    run->fixed);
		memwasi_time(&emulated.wasi, run->time_ms);
		if ((x = store(run, engine, NULL, r)) == NULL ||
		    failed(r, "WASI", memwasi_define(l, &emulated.wasi)))
			return;
		start(x, l, m, r);
		end_exited(r);
		end_emulated(r);
		return;
	}
	if ((w = wasi(run, r)) == NULL ||
	    (x = store(run, engine, w, r)) == NULL ||
	    failed(r, "WASI", wasmtime_linker_define_wasi(l)) ||
	    failed(r, "WASI", memwasi_define_exit(l, &emulated.wasi)) ||
	    (run->fixed && failed(r, "WASI", fixed_define(l))))
		return;
	start(x, l, m, r);
	end_exited(r);
}

/* ---- a component ---- */

/* Its export wasi:cli/run@0.2.x, whichever x. */
static bool
entry(wasm_engine_t *engine, const wasmtime_component_t *c,
    char out[ENGINE_WHY])
{
	wasmtime_component_type_t *t = wasmtime_component_type(c);
	size_t n = wasmtime_component_type_export_count(t, engine), len;
	struct wasmtime_component_extern_t *item;
	const char *name;
	bool found = false;

	for (size_t i = 0; i < n && !found; i++) {
		if (!wasmtime_component_type_export_nth(t, engine, i, &name,
		    &len, &item))
			break;
		found = len < ENGINE_WHY && wasm_interface_run(name, len);
		if (found) {
			memcpy(out, name, len);
			out[len] = '\0';
		}
		wasmtime_component_extern_delete(item);
	}
	wasmtime_component_type_delete(t);
	return found;
}

static void
call(wasmtime_context_t *x, const wasmtime_component_linker_t *l,
    const wasmtime_component_t *c, const char *name, struct run_result *r)
{
	wasmtime_component_instance_t instance;
	wasmtime_component_val_t result = {.kind = WASMTIME_COMPONENT_BOOL};
	wasmtime_component_export_index_t *at, *run = NULL;
	wasmtime_component_func_t f;
	wasmtime_error_t *e;

	e = wasmtime_component_linker_instantiate(l, x, c, &instance);
	if (e != NULL) {
		run_told(r, e, NULL);
		return;
	}
	at = wasmtime_component_instance_get_export_index(&instance, x, NULL,
	    name, strlen(name));
	if (at != NULL)
		run = wasmtime_component_instance_get_export_index(&instance,
		    x, at, "run", 3);
	if (run == NULL ||
	    !wasmtime_component_instance_get_func(&instance, x, run, &f)) {
		cannot(r, "component exports no run");
		return;
	}
	e = wasmtime_component_func_call(&f, x, NULL, 0, &result, 1);
	if (e != NULL) {
		run_told(r, e, NULL);
		return;
	}
	memset(r, 0, sizeof(*r));
	if (result.kind == WASMTIME_COMPONENT_RESULT)
		r->code = result.of.result.is_ok ? 0 : 1;
}

/* By WASI of our own, over the volumes in memory. */
static void
emulated_component(const struct run *run, wasm_engine_t *engine,
    wasmtime_component_linker_t *l, const wasmtime_component_t *c,
    const char *name, struct run_result *r)
{
	static struct comp comp;
	wasmtime_context_t *x;

	memwasi_init(&emulated.wasi, &run->args, emulated.volumes.fs,
	    run->fixed);
	memwasi_time(&emulated.wasi, run->time_ms);
	if ((x = store(run, engine, NULL, r)) == NULL ||
	    failed(r, "WASI", comp_define(l, engine, c, &comp,
	    &emulated.wasi)))
		return;
	call(x, l, c, name, r);
	end_exited(r);
	comp_clear(&comp);
	end_emulated(r);
}

static void
component(const struct run *run, wasm_engine_t *engine, struct run_result *r)
{
	wasmtime_component_linker_t *l = wasmtime_component_linker_new(engine);
	wasmtime_component_t *c = NULL;
	wasmtime_context_t *x;
	wasi_config_t *w;
	char name[ENGINE_WHY];

	if (run->fixed && !run->emulated) {
		cannot(r, "`deterministic` is for modules and for components "
		    "with `files: memory`");
		return;
	}
	if (run->emulated && !volumes_load(&emulated.volumes, run, name)) {
		cannot(r, name);
		return;
	}
	if (failed(r, "code", wasmtime_component_deserialize(engine,
	    run->code + WASM_CODE_HEAD, run->code_len - WASM_CODE_HEAD, &c)))
		return;
	if (lock_down(!run->emulated) < 0) {
		cannot(r, "system-call filter");
		return;
	}
	if (!entry(engine, c, name)) {
		cannot(r, "component exports no wasi:cli/run");
		return;
	}
	if (run->emulated) {
		emulated_component(run, engine, l, c, name, r);
		return;
	}
	if ((w = wasi(run, r)) == NULL ||
	    (x = store(run, engine, w, r)) == NULL ||
	    failed(r, "WASI", wasmtime_component_linker_add_wasip2(l)))
		return;
	call(x, l, c, name, r);
}

void
run_module(const struct run *run, struct run_result *r)
{
	char why[ENGINE_WHY];
	wasm_engine_t *engine = engine_make(&run->engine, why);

	if (engine == NULL)
		cannot(r, why);
	else if (run->code_len < WASM_CODE_HEAD)
		cannot(r, "its code is cut");
	else if (memcmp(run->code, ENGINE_COMPONENT, WASM_CODE_MARK) == 0)
		component(run, engine, r);
	else if (memcmp(run->code, ENGINE_MODULE, WASM_CODE_MARK) == 0)
		core(run, engine, r);
	else
		cannot(r, "its code is of another warren");
}
