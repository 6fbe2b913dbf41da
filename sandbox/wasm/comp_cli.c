/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "common/util.h"
#include "sandbox/wasm/comp.h"

/* wasi:cli, clocks, random: the process, its times and chances. */

#define RANDOM_MOST (1u << 20) /* ours: bytes in one call */
#define RANDOM_PIECE 65536u

/* ---- arguments, environment, the end ---- */

static void
arguments(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct plan_args *args = c->w->args;
	comp_val *v = comp_array(r, WASMTIME_COMPONENT_LIST, args->argc);

	(void)a;
	for (uint32_t i = 0; i < args->argc; i++)
		comp_text(&v[i], args->argv[i], strlen(args->argv[i]));
}

static void
environment(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct plan_args *args = c->w->args;
	comp_val *v = comp_array(r, WASMTIME_COMPONENT_LIST, args->envc);

	(void)a;
	for (uint32_t i = 0; i < args->envc; i++) {
		comp_val *pair = comp_array(&v[i], WASMTIME_COMPONENT_TUPLE,
		    2);
		size_t n = strcspn(args->env[i], "=");

		comp_text(&pair[0], args->env[i], n);
		comp_text(&pair[1], args->env[i] + n + 1,
		    strlen(args->env[i] + n + 1));
	}
}

static void
none(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)c;
	(void)a;
	comp_some(r, NULL);
}

static void
exited(struct comp *c, uint32_t code)
{
	c->w->exited = true;
	c->w->code = code;
	comp_end(c, "exit");
}

static void
exit_with(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)r;
	exited(c, a[0].of.result.is_ok ? 0 : 1);
}

static void
exit_code(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)r;
	exited(c, a[0].of.u8);
}

/* ---- streams of the process ---- */

static void
process_stream(struct comp *c, comp_val *r, enum comp_kind kind, int stream)
{
	struct comp_thing *t = comp_make(c, kind);

	if (t == NULL) {
		comp_end(c, "too many resources");
		return;
	}
	t->stream = stream;
	comp_give(c, r, t);
}

static void
get_stdin(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)a;
	process_stream(c, r, COMP_IN, 0);
}

static void
get_stdout(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)a;
	process_stream(c, r, COMP_OUT, 1);
}

static void
get_stderr(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)a;
	process_stream(c, r, COMP_OUT, 2);
}

/* ---- clocks ---- */

static void
wall_now(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)a;
	comp_datetime(r, memwasi_now(c->w));
}

static void
wall_resolution(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)c;
	(void)a;
	comp_datetime(r, 1);
}

static void
mono_now(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)a;
	comp_u64(r, memwasi_clock(c->w, CLOCK_MONOTONIC));
}

static void
mono_resolution(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)c;
	(void)a;
	comp_u64(r, 1);
}

static void
subscribe_instant(struct comp *c, const comp_val *a, comp_val *r)
{
	comp_pollable(c, r, a[0].of.u64);
}

static void
subscribe_duration(struct comp *c, const comp_val *a, comp_val *r)
{
	uint64_t now = memwasi_clock(c->w, CLOCK_MONOTONIC);

	comp_pollable(c, r, now + MIN_OF(a[0].of.u64, UINT64_MAX - now));
}

/* ---- chances ---- */

static void
random_bytes(struct comp *c, const comp_val *a, comp_val *r)
{
	static uint8_t buf[RANDOM_MOST];
	uint64_t n = a[0].of.u64, piece;

	if (n > sizeof(buf)) {
		comp_end(c, "more random bytes than are given at once");
		return;
	}
	for (uint64_t at = 0; at < n; at += piece) {
		piece = MIN_OF(n - at, RANDOM_PIECE);
		if (!memwasi_random(c->w, buf + at, (size_t)piece)) {
			comp_end(c, "no random bytes");
			return;
		}
	}
	comp_put_bytes(r, buf, (size_t)n);
}

static uint64_t
random_number(struct comp *c)
{
	uint64_t v = 0;

	if (!memwasi_random(c->w, (uint8_t *)&v, sizeof(v)))
		comp_end(c, "no random bytes");
	return v;
}

static void
random_u64(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)a;
	comp_u64(r, random_number(c));
}

static void
seed(struct comp *c, const comp_val *a, comp_val *r)
{
	comp_val *pair = comp_array(r, WASMTIME_COMPONENT_TUPLE, 2);

	(void)a;
	comp_u64(&pair[0], random_number(c));
	comp_u64(&pair[1], random_number(c));
}

/* ---- all of it ---- */

static const struct comp_call environment_calls[] = {
    {"get-environment", "", environment}, {"get-arguments", "", arguments},
    {"initial-cwd", "", none}};
static const struct comp_call exit_calls[] = {
    {"exit", "!r", exit_with}, {"exit-with-code", "!y", exit_code}};
static const struct comp_call stdin_calls[] = {{"get-stdin", "", get_stdin}};
static const struct comp_call stdout_calls[] = {
    {"get-stdout", "", get_stdout}};
static const struct comp_call stderr_calls[] = {
    {"get-stderr", "", get_stderr}};
static const struct comp_call terminal_stdin[] = {
    {"get-terminal-stdin", "", none}};
static const struct comp_call terminal_stdout[] = {
    {"get-terminal-stdout", "", none}};
static const struct comp_call terminal_stderr[] = {
    {"get-terminal-stderr", "", none}};
static const struct comp_call wall_calls[] = {
    {"now", "", wall_now}, {"resolution", "", wall_resolution}};
static const struct comp_call mono_calls[] = {
    {"now", "", mono_now}, {"resolution", "", mono_resolution},
    {"subscribe-instant", "U", subscribe_instant},
    {"subscribe-duration", "U", subscribe_duration}};
static const struct comp_call random_calls[] = {
    {"get-random-bytes", "U", random_bytes},
    {"get-random-u64", "", random_u64}};
static const struct comp_call insecure_calls[] = {
    {"get-insecure-random-bytes", "U", random_bytes},
    {"get-insecure-random-u64", "", random_u64}};
static const struct comp_call seed_calls[] = {{"insecure-seed", "", seed}};
static const struct comp_resource in[] = {{"input-stream", COMP_IN}};
static const struct comp_resource out[] = {{"output-stream", COMP_OUT}};
static const struct comp_resource pollable[] = {{"pollable", COMP_POLLABLE}};
static const struct comp_resource term_in[] = {
    {"terminal-input", COMP_TERM_IN}};
static const struct comp_resource term_out[] = {
    {"terminal-output", COMP_TERM_OUT}};

#define CALLS(x) x, NELEM(x)
const struct comp_interface comp_cli[] = {
    {"wasi:cli/environment", CALLS(environment_calls), NULL, 0},
    {"wasi:cli/exit", CALLS(exit_calls), NULL, 0},
    {"wasi:cli/stdin", CALLS(stdin_calls), CALLS(in)},
    {"wasi:cli/stdout", CALLS(stdout_calls), CALLS(out)},
    {"wasi:cli/stderr", CALLS(stderr_calls), CALLS(out)},
    {"wasi:cli/terminal-input", NULL, 0, CALLS(term_in)},
    {"wasi:cli/terminal-output", NULL, 0, CALLS(term_out)},
    {"wasi:cli/terminal-stdin", CALLS(terminal_stdin), CALLS(term_in)},
    {"wasi:cli/terminal-stdout", CALLS(terminal_stdout), CALLS(term_out)},
    {"wasi:cli/terminal-stderr", CALLS(terminal_stderr), CALLS(term_out)},
    {"wasi:clocks/wall-clock", CALLS(wall_calls), NULL, 0},
    {"wasi:clocks/monotonic-clock", CALLS(mono_calls), CALLS(pollable)},
    {"wasi:random/random", CALLS(random_calls), NULL, 0},
    {"wasi:random/insecure", CALLS(insecure_calls), NULL, 0},
    {"wasi:random/insecure-seed", CALLS(seed_calls), NULL, 0}};
const size_t comp_ncli = NELEM(comp_cli);
