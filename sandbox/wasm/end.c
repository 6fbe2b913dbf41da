/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <wasmtime/trap.h>

#include "common/util.h"
#include "sandbox/wasm/run.h"

/* compute.md 5: which end of a native program a trap is told as. */
static const struct {
	int signal;
	const char *text;
	const char *said; /* by a component, of which only the text is told */
} traps[] = {
    [WASMTIME_TRAP_CODE_STACK_OVERFLOW] = {SIGSEGV, "stack overflow", "call stack exhausted"},
    [WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS] = {SIGSEGV,
	"memory out of bounds", "out of bounds memory access"},
    [WASMTIME_TRAP_CODE_HEAP_MISALIGNED] = {SIGBUS, "misaligned access", "unaligned atomic"},
    [WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS] = {SIGSEGV,
	"table out of bounds", "undefined element: out of bounds table access"},
    [WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL] = {SIGSEGV,
	"call of a function that there is not", "uninitialized element"},
    [WASMTIME_TRAP_CODE_BAD_SIGNATURE] = {SIGSEGV,
	"call of a function of another type", "indirect call type mismatch"},
    [WASMTIME_TRAP_CODE_INTEGER_OVERFLOW] = {SIGFPE, "integer overflow", "integer overflow"},
    [WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO] = {SIGFPE,
	"division by zero", "integer divide by zero"},
    [WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER] = {SIGFPE,
	"conversion to integer", "invalid conversion to integer"},
    [WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED] = {SIGABRT, "unreachable", "`unreachable` instruction executed"},
    [WASMTIME_TRAP_CODE_INTERRUPT] = {0, "out of time", "wasm trap: interrupt"},
    [WASMTIME_TRAP_CODE_OUT_OF_FUEL] = {0, "out of fuel", "all fuel consumed"},
};

static void
of_code(struct run_result *r, wasmtime_trap_code_t code)
{
	r->end = RUN_TRAP;
	r->code = SIGABRT;
	(void)snprintf(r->why, sizeof(r->why), "trap %u", (unsigned)code);
	if (code >= NELEM(traps) || traps[code].text == NULL)
		return;
	r->code = traps[code].signal;
	(void)snprintf(r->why, sizeof(r->why), "%s", traps[code].text);
	if (r->code == 0)
		r->end = RUN_TIME;
}

static bool
says(const char *text, size_t n, const char *what)
{
	return memmem(text, n, what, strlen(what)) != NULL;
}

/* By the cause alone: before it are names that the module gave. */
static bool
known_cause(struct run_result *r, const char *text, size_t n)
{
	for (size_t i = 0; i < NELEM(traps); i++) {
		if (traps[i].said == NULL || !says(text, n, traps[i].said))
			continue;
		of_code(r, (wasmtime_trap_code_t)i);
		return true;
	}
	/* what the library's WASI was to read or write is not in the memory */
	if (!says(text, n, "Pointer out of bounds") &&
	    !says(text, n, "Pointer overflow"))
		return false;
	of_code(r, WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS);
	return true;
}

static void
of_text(struct run_result *r, wasmtime_error_t *e)
{
	const char *cause;
	wasm_name_t text;
	size_t n = 0;
	bool known;

	wasmtime_error_message(e, &text);
	if ((cause = engine_cause(text.data, text.size, &n)) == NULL) {
		cause = text.data;
		n = text.size;
	}
	known = known_cause(r, cause, n);
	wasm_byte_vec_delete(&text);
	if (known) {
		wasmtime_error_delete(e);
		return;
	}
	r->end = RUN_TRAP;
	r->code = SIGABRT;
	engine_why(r->why, "it ended", e);
}

void
run_told(struct run_result *r, wasmtime_error_t *e, wasm_trap_t *trap)
{
	wasmtime_trap_code_t code;
	wasm_message_t text;

	memset(r, 0, sizeof(*r));
	if (trap != NULL) {
		if (wasmtime_trap_code(trap, &code)) {
			of_code(r, code);
		} else {
			r->end = RUN_TRAP;
			r->code = SIGABRT;
			wasm_trap_message(trap, &text);
			(void)snprintf(r->why, sizeof(r->why), "%.*s",
			    (int)MIN_OF(text.size, (size_t)200), text.data);
			wasm_byte_vec_delete(&text);
		}
		wasm_trap_delete(trap);
		return;
	}
	if (e == NULL)
		return;
	if (wasmtime_error_exit_status(e, &r->code)) {
		wasmtime_error_delete(e);
		return;
	}
	of_text(r, e);
}
