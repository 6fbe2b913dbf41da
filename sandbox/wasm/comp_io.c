/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/wasm/comp.h"

/* wasi:io: errors, pollables, streams. */

/* ---- errors ---- */

static void
error_text(struct comp *c, const comp_val *a, comp_val *r)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "error %d",
	    (int)comp_of(c, &a[0])->error);

	comp_text(r, text, (size_t)n);
}

/* result<_, stream-error>: closed, or a last operation that failed. */
static void
stream_fail(struct comp *c, comp_val *r, enum wasi_errno e)
{
	const char *name = e == WASI_PIPE ? "closed" : "last-operation-failed";
	comp_val v = {.kind = WASMTIME_COMPONENT_VARIANT}, of;
	struct comp_thing *t;

	wasm_byte_vec_new(&v.of.variant.discriminant, strlen(name), name);
	v.of.variant.val = NULL;
	if (e != WASI_PIPE) {
		if ((t = comp_make(c, COMP_ERROR)) == NULL) {
			comp_end(c, "too many resources");
			wasmtime_component_val_delete(&v);
			return;
		}
		t->error = e;
		comp_give(c, &of, t);
		v.of.variant.val = wasmtime_component_val_new(&of);
	}
	comp_fail(r, &v);
}

/* ---- waiting ---- */

static bool
is_ready(struct comp *c, const struct comp_thing *t)
{
	return t->due == 0 || c->w->fixed ||
	    memwasi_clock(c->w, CLOCK_MONOTONIC) >= t->due;
}

static void
sleep_until(struct comp *c, uint64_t due)
{
	uint64_t now = memwasi_clock(c->w, CLOCK_MONOTONIC);

	if (due <= now || memwasi_rest(c->w, due - now))
		return;
	c->w->late = true;
	comp_end(c, "late");
}

static void
ready(struct comp *c, const comp_val *a, comp_val *r)
{
	r->kind = WASMTIME_COMPONENT_BOOL;
	r->of.boolean = is_ready(c, comp_of(c, &a[0]));
}

static void
block(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct comp_thing *t = comp_of(c, &a[0]);

	(void)r;
	if (!is_ready(c, t))
		sleep_until(c, t->due);
}

static void
poll(struct comp *c, const comp_val *a, comp_val *r)
{
	const wasmtime_component_vallist_t *in = &a[0].of.list;
	uint64_t first = UINT64_MAX;
	size_t n = 0;
	comp_val *out;

	if (in->size == 0) {
		comp_end(c, "nothing to wait for");
		return;
	}
	for (size_t i = 0; i < in->size; i++) {
		n += is_ready(c, comp_of(c, &in->data[i]));
		first = MIN_OF(first, comp_of(c, &in->data[i])->due);
	}
	if (n == 0)
		sleep_until(c, first);
	/* what is due by then, at least what was waited for */
	first = MAX_OF(first, n > 0 && !c->w->fixed ?
	    memwasi_clock(c->w, CLOCK_MONOTONIC) : first);
	n = 0;
	for (size_t i = 0; i < in->size; i++)
		n += comp_of(c, &in->data[i])->due <= first;
	out = comp_array(r, WASMTIME_COMPONENT_LIST, n);
	n = 0;
	for (size_t i = 0; i < in->size; i++) {
		if (comp_of(c, &in->data[i])->due > first)
			continue;
		out[n].kind = WASMTIME_COMPONENT_U32;
		out[n++].of.u32 = (uint32_t)i;
	}
}

static void
always(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)a;
	comp_pollable(c, r, 0);
}

/* ---- in ---- */

static uint8_t buf[COMP_CHUNK];

/* Into buf; PIPE: its end. */
static enum wasi_errno
get(struct comp_thing *t, uint64_t want, size_t *n)
{
	size_t most = (size_t)MIN_OF(want, (uint64_t)sizeof(buf));
	ssize_t k;

	*n = 0;
	if (most == 0)
		return WASI_OK;
	if (t->fs != NULL) {
		*n = memfs_read(t->node, t->at, buf, most);
		t->at += *n;
	} else {
		do {
			k = read(t->stream, buf, most);
		} while (k < 0 && errno == EINTR);
		if (k < 0)
			return WASI_IO;
		*n = (size_t)k;
	}
	return *n == 0 ? WASI_PIPE : WASI_OK;
}

static void
in_read(struct comp *c, const comp_val *a, comp_val *r)
{
	size_t n;
	enum wasi_errno e = get(comp_of(c, &a[0]), a[1].of.u64, &n);
	comp_val v;

	if (e != WASI_OK) {
		stream_fail(c, r, e);
		return;
	}
	comp_put_bytes(&v, buf, n);
	comp_ok(r, &v);
}

static void
in_skip(struct comp *c, const comp_val *a, comp_val *r)
{
	size_t n;
	enum wasi_errno e = get(comp_of(c, &a[0]), a[1].of.u64, &n);
	comp_val v;

	if (e != WASI_OK) {
		stream_fail(c, r, e);
		return;
	}
	comp_u64(&v, n);
	comp_ok(r, &v);
}

/* ---- out ---- */

static enum wasi_errno
put(struct comp *c, struct comp_thing *t, const uint8_t *p, size_t n)
{
	enum wasi_errno e;
	struct memfs_stat s;

	if (t->fs != NULL) {
		memfs_stat(t->node, &s);
		if (t->append)
			t->at = s.size;
		e = memfs_write(t->fs, t->node, t->at, p, n,
		    memwasi_now(c->w));
		if (e == WASI_OK)
			t->at += n;
		return e;
	}
	while (n > 0) {
		ssize_t k = write(t->stream, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return errno == EPIPE ? WASI_PIPE : WASI_IO;
		p += k;
		n -= (size_t)k;
	}
	return WASI_OK;
}

static void
done(struct comp *c, comp_val *r, enum wasi_errno e)
{
	if (e == WASI_OK)
		comp_ok(r, NULL);
	else
		stream_fail(c, r, e);
}

static void
check_write(struct comp *c, const comp_val *a, comp_val *r)
{
	comp_val v;

	(void)c;
	(void)a;
	comp_u64(&v, COMP_CHUNK);
	comp_ok(r, &v);
}

static void
out_write(struct comp *c, const comp_val *a, comp_val *r)
{
	size_t n;

	/* more than was permitted is its mistake */
	if (a[1].of.list.size > COMP_CHUNK)
		comp_end(c, "more than the stream takes at once");
	else if (comp_bytes(c, &a[1], buf, sizeof(buf), &n))
		done(c, r, put(c, comp_of(c, &a[0]), buf, n));
}

static void
out_zeroes(struct comp *c, const comp_val *a, comp_val *r)
{
	size_t n = (size_t)MIN_OF(a[1].of.u64, (uint64_t)sizeof(buf));

	if (a[1].of.u64 > sizeof(buf)) {
		comp_end(c, "more than the stream takes at once");
		return;
	}
	memset(buf, 0, n);
	done(c, r, put(c, comp_of(c, &a[0]), buf, n));
}

static void
out_flush(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)a;
	done(c, r, WASI_OK);
}

static void
out_splice(struct comp *c, const comp_val *a, comp_val *r)
{
	size_t n;
	enum wasi_errno e = get(comp_of(c, &a[1]), a[2].of.u64, &n);
	comp_val v;

	if (e == WASI_OK)
		e = put(c, comp_of(c, &a[0]), buf, n);
	if (e != WASI_OK) {
		stream_fail(c, r, e);
		return;
	}
	comp_u64(&v, n);
	comp_ok(r, &v);
}

/* ---- all of it ---- */

static const struct comp_call error_calls[] = {
    {"[method]error.to-debug-string", "E", error_text}};
static const struct comp_call poll_calls[] = {
    {"[method]pollable.ready", "P", ready},
    {"[method]pollable.block", "!P", block}, {"poll", "p", poll}};
static const struct comp_call stream_calls[] = {
    {"[method]input-stream.read", "IU", in_read},
    {"[method]input-stream.blocking-read", "IU", in_read},
    {"[method]input-stream.skip", "IU", in_skip},
    {"[method]input-stream.blocking-skip", "IU", in_skip},
    {"[method]input-stream.subscribe", "I", always},
    {"[method]output-stream.check-write", "O", check_write},
    {"[method]output-stream.write", "Ol", out_write},
    {"[method]output-stream.blocking-write-and-flush", "Ol", out_write},
    {"[method]output-stream.flush", "O", out_flush},
    {"[method]output-stream.blocking-flush", "O", out_flush},
    {"[method]output-stream.subscribe", "O", always},
    {"[method]output-stream.write-zeroes", "OU", out_zeroes},
    {"[method]output-stream.blocking-write-zeroes-and-flush", "OU",
	out_zeroes},
    {"[method]output-stream.splice", "OIU", out_splice},
    {"[method]output-stream.blocking-splice", "OIU", out_splice}};
static const struct comp_resource error_resources[] = {{"error", COMP_ERROR}};
static const struct comp_resource poll_resources[] = {
    {"pollable", COMP_POLLABLE}};
static const struct comp_resource stream_resources[] = {
    {"error", COMP_ERROR}, {"pollable", COMP_POLLABLE},
    {"input-stream", COMP_IN}, {"output-stream", COMP_OUT}};

const struct comp_interface comp_io[] = {
    {"wasi:io/error", error_calls, NELEM(error_calls), error_resources,
	NELEM(error_resources)},
    {"wasi:io/poll", poll_calls, NELEM(poll_calls), poll_resources,
	NELEM(poll_resources)},
    {"wasi:io/streams", stream_calls, NELEM(stream_calls), stream_resources,
	NELEM(stream_resources)}};
const size_t comp_nio = NELEM(comp_io);
