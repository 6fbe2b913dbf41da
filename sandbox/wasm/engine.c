/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/engine.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <stdio.h>
#include <string.h>

#include <wasmtime/config.h>

#include "common/util.h"

const char *
engine_cause(const char *from, size_t n, size_t *len)
{
	static const char caused[] = "Caused by:\n";
	const char *p = memmem(from, n, caused, sizeof(caused) - 1), *line;
	const char *end = from + n;

	if (p == NULL)
		return NULL;
	while (end > p && end[-1] == '\n')
		end--;
	if ((line = memrchr(p, '\n', (size_t)(end - p))) == NULL)
		return NULL;
	for (line++; line < end && *line == ' '; line++)
		continue;
	p = line;
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	if (p > line && end - p > 2 && memcmp(p, ": ", 2) == 0)
		line = p + 2;
	*len = (size_t)(end - line);
	return line;
}

void
engine_why(char why[ENGINE_WHY], const char *what, wasmtime_error_t *e)
{
	static const char where[] = "error while executing at wasm backtrace:";
	const char *cause;
	wasm_name_t text;
	size_t n, head, len = 0;

	wasmtime_error_message(e, &text);
	cause = engine_cause(text.data, text.size, &len);
	n = cause == NULL ? text.size : (size_t)((const char *)memchr(text.data,
	    '\n', text.size) - text.data);
	/* the places in a module are many, and say nothing to its submitter */
	head = text.size > sizeof(where) && memcmp(text.data, where,
	    sizeof(where) - 1) == 0 && cause != NULL ? 0 : MIN_OF(n,
	    (size_t)200);
	/* what it is about, and why in the end: neither is worth the other */
	n = (size_t)snprintf(why, ENGINE_WHY, "%s: %.*s%s", what, (int)(cause ==
	    NULL ? head : MIN_OF(head, (size_t)100)), text.data, cause != NULL &&
	    head > 0 ? ": " : "");
	if (cause != NULL && n < ENGINE_WHY)
		(void)snprintf(why + n, ENGINE_WHY - n, "%.*s", (int)MIN_OF(len,
		    (size_t)ENGINE_WHY), cause);
	for (char *p = why; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
	wasm_byte_vec_delete(&text);
	wasmtime_error_delete(e);
}

wasm_engine_t *
engine_make(const struct engine_conf *conf, char why[ENGINE_WHY])
{
	wasm_config_t *c = wasm_config_new();
	wasm_engine_t *engine;
	wasmtime_error_t *e;

	wasmtime_config_consume_fuel_set(c, conf->fuel);
	wasmtime_config_epoch_interruption_set(c, true);
	wasmtime_config_parallel_compilation_set(c, false);
	wasmtime_config_memory_init_cow_set(c, false);
	/*
	 * With it 50.0.1 loses a host function's second borrowed resource; nobody
	 * needs it.
	 */
	wasmtime_config_concurrency_support_set(c, false);
	wasmtime_config_wasm_threads_set(c, false);
	wasmtime_config_shared_memory_set(c, false);
	wasmtime_config_wasm_memory64_set(c, false);
	wasmtime_config_wasm_multi_memory_set(c, false);
	wasmtime_config_wasm_tail_call_set(c, false);
	wasmtime_config_wasm_relaxed_simd_set(c, false);
	wasmtime_config_wasm_function_references_set(c, false);
	wasmtime_config_wasm_gc_set(c, false);
	wasmtime_config_wasm_exceptions_set(c, false);
	wasmtime_config_wasm_stack_switching_set(c, false);
	wasmtime_config_wasm_wide_arithmetic_set(c, false);
	wasmtime_config_wasm_custom_page_sizes_set(c, false);
	/* the same bits of a NaN on each machine */
	wasmtime_config_cranelift_nan_canonicalization_set(c, conf->fuel);
	if (conf->interpreted &&
	    (e = wasmtime_config_target_set(c, "pulley64")) != NULL) {
		engine_why(why, "interpreter", e);
		wasm_config_delete(c);
		return NULL;
	}
	engine = wasm_engine_new_with_config(c);
	if (engine == NULL)
		(void)snprintf(why, ENGINE_WHY, "no engine");
	return engine;
}

bool
engine_component(const uint8_t *bytes, size_t len)
{
	static const uint8_t head[8] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};

	return len >= sizeof(head) && memcmp(bytes, head, sizeof(head)) == 0;
}

const uint8_t *
engine_map(int fd, size_t *len)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return NULL;
	*len = (size_t)st.st_size;
	p = mmap(NULL, MAX_OF(*len, (size_t)1), PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}
