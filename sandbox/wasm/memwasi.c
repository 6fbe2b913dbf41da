/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/memwasi.h"

#include <sys/random.h>

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <wasmtime/trap.h>

#include "common/util.h"
#include "sandbox/wasm/fixed.h"

/* What is not about files: the process, its clocks and chances. */

#define SUBSCRIPTION 48
#define EVENT 32
#define SUBSCRIPTIONS_MAX 4096 /* ours */
enum { ON_CLOCK = 0, ON_READ = 1, ON_WRITE = 2 };

static struct memwasi *
of(struct guest *g)
{
	return g->ctx;
}

static bool
clock_of(uint32_t id, clockid_t *out)
{
	static const clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC,
	    CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};

	if (id >= NELEM(ids))
		return false;
	*out = ids[id];
	return true;
}

static uint64_t
ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec;
}

uint64_t
memwasi_clock(const struct memwasi *w, clockid_t id)
{
	struct timespec t = {0, 0};

	if (w->fixed)
		return fixed_clock_ns();
	(void)clock_gettime(id, &t);
	return ns_of(&t);
}

/* ---- arguments and environment ---- */

static uint32_t
sizes(struct guest *g, const wasmtime_val_t *a, const char *const *list,
    uint32_t n)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < n; i++)
		bytes += strlen(list[i]) + 1;
	return guest_put_u32(g, guest_u32(&a[0]), n) &&
	    guest_put_u32(g, guest_u32(&a[1]), (uint32_t)bytes) ? WASI_OK :
	    WASI_FAULT;
}

static uint32_t
texts(struct guest *g, const wasmtime_val_t *a, const char *const *list,
    uint32_t n)
{
	uint32_t at = guest_u32(&a[0]), buf = guest_u32(&a[1]);

	for (uint32_t i = 0; i < n; i++) {
		size_t len = strlen(list[i]) + 1;
		uint8_t *p = guest_at(g, buf, len);

		if (p == NULL || !guest_put_u32(g, at, buf))
			return WASI_FAULT;
		memcpy(p, list[i], len);
		buf += (uint32_t)len;
		at += 4;
	}
	return WASI_OK;
}

static uint32_t
args_sizes_get(struct guest *g, const wasmtime_val_t *a)
{
	return sizes(g, a, of(g)->args->argv, of(g)->args->argc);
}

static uint32_t
args_get(struct guest *g, const wasmtime_val_t *a)
{
	return texts(g, a, of(g)->args->argv, of(g)->args->argc);
}

static uint32_t
environ_sizes_get(struct guest *g, const wasmtime_val_t *a)
{
	return sizes(g, a, of(g)->args->env, of(g)->args->envc);
}

static uint32_t
environ_get(struct guest *g, const wasmtime_val_t *a)
{
	return texts(g, a, of(g)->args->env, of(g)->args->envc);
}

/* ---- clocks and chances ---- */

static uint32_t
clock_res_get(struct guest *g, const wasmtime_val_t *a)
{
	struct timespec t = {0, 1};
	clockid_t id;

	if (!clock_of(guest_u32(&a[0]), &id))
		return WASI_INVAL;
	(void)clock_getres(id, &t);
	return guest_put_u64(g, guest_u32(&a[1]), ns_of(&t)) ? WASI_OK :
	    WASI_FAULT;
}

static uint32_t
clock_time_get(struct guest *g, const wasmtime_val_t *a)
{
	clockid_t id;

	if (!clock_of(guest_u32(&a[0]), &id))
		return WASI_INVAL;
	return guest_put_u64(g, guest_u32(&a[2]), memwasi_clock(of(g), id)) ?
	    WASI_OK : WASI_FAULT;
}

bool
memwasi_random(const struct memwasi *w, uint8_t *p, size_t n)
{
	if (w->fixed) {
		fixed_random(p, n);
		return true;
	}
	while (n > 0) {
		ssize_t k = getrandom(p, n, 0);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static uint32_t
random_get(struct guest *g, const wasmtime_val_t *a)
{
	size_t n = guest_u32(&a[1]);
	uint8_t *p = guest_at(g, guest_u32(&a[0]), n);

	if (p == NULL)
		return WASI_FAULT;
	return memwasi_random(of(g), p, n) ? WASI_OK : WASI_IO;
}

/* ---- waiting ---- */

static bool
put_event(struct guest *g, uint32_t out, uint32_t i, const uint8_t *sub,
    uint8_t type, enum wasi_errno e)
{
	uint8_t *p;

	if (i > (UINT32_MAX - out) / EVENT ||
	    (p = guest_at(g, out + i * EVENT, EVENT)) == NULL)
		return false;
	memset(p, 0, EVENT);
	memcpy(p, sub, 8);
	guest_set(p + 8, (uint64_t)e, 2);
	p[10] = type;
	return true;
}

bool
memwasi_rest(const struct memwasi *w, uint64_t ns)
{
	uint64_t now = memwasi_clock(w, CLOCK_MONOTONIC);
	bool late = w->until != 0 && (now >= w->until || ns > w->until - now);
	struct timespec t;

	if (late)
		ns = now >= w->until ? 0 : w->until - now;
	t.tv_sec = (time_t)MIN_OF(ns / 1000000000, (uint64_t)INT32_MAX);
	t.tv_nsec = (long)(ns % 1000000000);
	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
	return !late;
}

/* Files and streams are always ready; else the clock that rings first. */
static uint32_t
poll_oneoff(struct guest *g, const wasmtime_val_t *a)
{
	uint32_t in = guest_u32(&a[0]), out = guest_u32(&a[1]);
	uint32_t n = guest_u32(&a[2]), events = 0;
	/* what is told may lie over what is asked */
	static uint8_t subs[SUBSCRIPTIONS_MAX * SUBSCRIPTION];
	const uint8_t *asked;
	uint64_t first = UINT64_MAX;

	if (n == 0 || n > SUBSCRIPTIONS_MAX)
		return WASI_INVAL;
	if ((asked = guest_at(g, in, (size_t)n * SUBSCRIPTION)) == NULL)
		return WASI_FAULT;
	memcpy(subs, asked, (size_t)n * SUBSCRIPTION);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *s = subs + (size_t)i * SUBSCRIPTION;

		if (s[8] != ON_READ && s[8] != ON_WRITE)
			continue;
		if (!put_event(g, out, events++, s, s[8], memwasi_fd(g,
		    (uint32_t)guest_get(s + 16, 4)) == NULL ? WASI_BADF :
		    WASI_OK))
			return WASI_FAULT;
	}
	for (int pass = 0; pass < 2 && events == 0; pass++) {
		for (uint32_t i = 0; i < n; i++) {
			const uint8_t *s = subs + (size_t)i * SUBSCRIPTION;
			uint64_t wait = guest_get(s + 24, 8), now;
			clockid_t id;

			if (s[8] != ON_CLOCK)
				return WASI_INVAL;
			if (!clock_of((uint32_t)guest_get(s + 16, 4), &id))
				return WASI_INVAL;
			if ((guest_get(s + 40, 2) & 1) != 0) {
				now = memwasi_clock(of(g), id);
				wait = wait > now ? wait - now : 0;
			}
			if (pass == 0)
				first = MIN_OF(first, wait);
			else if (((guest_get(s + 40, 2) & 1) != 0 ?
			    wait == 0 : wait <= first) &&
			    !put_event(g, out, events++, s, ON_CLOCK, WASI_OK))
				return WASI_FAULT;
		}
		if (pass == 0 && !of(g)->fixed && !memwasi_rest(of(g), first)) {
			of(g)->late = true;
			g->trap = wasmtime_trap_new("late", 4);
			return WASI_OK;
		}
	}
	/* an absolute time that our sleep has just missed */
	if (events == 0 && !put_event(g, out, events++, subs, ON_CLOCK,
	    WASI_OK))
		return WASI_FAULT;
	return guest_put_u32(g, guest_u32(&a[3]), events) ? WASI_OK :
	    WASI_FAULT;
}

/* ---- the process ---- */

static uint32_t
proc_exit(struct guest *g, const wasmtime_val_t *a)
{
	of(g)->exited = true;
	of(g)->code = guest_u32(&a[0]);
	g->trap = wasmtime_trap_new("exit", 4);
	return 0;
}

static uint32_t
sched_yield_(struct guest *g, const wasmtime_val_t *a)
{
	(void)g;
	(void)a;
	(void)sched_yield();
	return WASI_OK;
}

static uint32_t
not_here(struct guest *g, const wasmtime_val_t *a)
{
	(void)g;
	(void)a;
	return WASI_NOTSUP;
}

static uint32_t
no_socket(struct guest *g, const wasmtime_val_t *a)
{
	return memwasi_fd(g, guest_u32(&a[0])) == NULL ? WASI_BADF :
	    WASI_NOTSOCK;
}

static const struct guest_call exit_call = {"proc_exit", "!i", proc_exit};
static const struct guest_call calls[] = {
    {"args_get", "ii", args_get},
    {"args_sizes_get", "ii", args_sizes_get},
    {"environ_get", "ii", environ_get},
    {"environ_sizes_get", "ii", environ_sizes_get},
    {"clock_res_get", "ii", clock_res_get},
    {"clock_time_get", "iIi", clock_time_get},
    {"poll_oneoff", "iiii", poll_oneoff},
    {"proc_raise", "i", not_here},
    {"random_get", "ii", random_get},
    {"sched_yield", "", sched_yield_},
    {"sock_accept", "iii", no_socket},
    {"sock_recv", "iiiiii", no_socket},
    {"sock_send", "iiiii", no_socket},
    {"sock_shutdown", "ii", no_socket}};

wasmtime_error_t *
memwasi_define(wasmtime_linker_t *l, struct memwasi *w)
{
	wasmtime_error_t *e = guest_define(l, calls, NELEM(calls), w);

	if (e == NULL)
		e = guest_define(l, &exit_call, 1, w);
	if (e == NULL)
		e = guest_define(l, memwasi_fd_calls, memwasi_fd_ncalls, w);
	if (e == NULL)
		e = guest_define(l, memwasi_path_calls, memwasi_path_ncalls,
		    w);
	return e;
}

wasmtime_error_t *
memwasi_define_exit(wasmtime_linker_t *l, struct memwasi *w)
{
	wasmtime_linker_allow_shadowing(l, true);
	return guest_define(l, &exit_call, 1, w);
}

void
memwasi_time(struct memwasi *w, uint64_t ms)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	w->until = ms == 0 ? 0 : ns_of(&t) + MIN_OF(ms, (uint64_t)UINT32_MAX) *
		1000000;
}
