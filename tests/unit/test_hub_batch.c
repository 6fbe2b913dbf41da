/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the trail to a hub: what a batch holds, what an answer is worth. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/hub_batch.h"
#include "audit/hub_cursor.h"
#include "audit/hub_mesh.h"
#include "common/hubset.h"
#include "common/util.h"
#include "tests/unit/hubkit.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct hub_batch batch;

/* ---- settings and answers ---- */

static void
test_hubset(void **state)
{
	struct hubset in = {.url = "https://h/x", .pin = "sha256//x",
	    .node = "urn:x", .ca = {(const uint8_t *)"CA", 2},
	    .key = {(const uint8_t *)"key", 3}}, out;
	uint8_t text[256];
	size_t n = hubset_put(text, sizeof(text), &in);

	(void)state;
	assert_true(n > 0);
	assert_true(hubset_get(&out, text, n));
	assert_string_equal(out.url, in.url);
	assert_string_equal(out.pin, in.pin);
	assert_string_equal(out.node, in.node);
	assert_int_equal(out.ca.len, 2);
	assert_memory_equal(out.ca.p, "CA", 2);
	assert_null(out.token.p);
	assert_null(out.cert.p);
	assert_memory_equal(out.key.p, "key", 3);
	for (size_t k = 0; k < n; k++) {
		uint8_t *cut = malloc(k + 1);

		memcpy(cut, text, k);
		assert_false(hubset_get(&out, cut, k));
		free(cut);
		assert_int_equal(hubset_put(text, k, &in), 0);
	}
	n = hubset_put(text, sizeof(text), &in);
	text[n] = 0;
	assert_false(hubset_get(&out, text, n + 1));
	/* a file that says it is larger than it may be */
	text[2 + 11 + 2 + 9 + 2 + 5] = 0xff;
	assert_false(hubset_get(&out, text, n));
}

static void
test_ack(void **state)
{
	static const uint64_t sent[] = {5, 9, 10};
	static const struct {
		const char *text;
		uint64_t ack;
		const char *why;
	} rows[] = {
	    {"{\"ack\":10}", 10, ""}, {" {\"x\":[1],\"ack\":5} ", 5, ""},
	    {"{\"ack\":6}", 0, "not sent"}, {"{\"ack\":11}", 0, "not sent"},
	    {"{\"ack\":4}", 0, "taken nothing"}, {"{\"ack\":0}", 0, "nothing"},
	    {"{\"ack\":-1}", 0, "no {"}, {"{\"ack\":1.0}", 0, "no {"},
	    {"{\"ack\":\"10\"}", 0, "no {"}, {"{\"ack\":true}", 0, "no {"},
	    {"{\"ack\":5,\"ack\":10}", 0, "no {"}, {"[10]", 0, "no {"},
	    {"10", 0, "no {"}, {"", 0, "no {"}, {"{}", 0, "no {"},
	    {"{\"ack\":99999999999999999999}", 0, "no {"},
	};
	const char *whole = "{\"ack\":10}", *why;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		why = "";
		assert_int_equal(hub_ack(rows[i].text, strlen(rows[i].text),
		    sent, 3, &why), rows[i].ack);
		assert_non_null(strstr(why, rows[i].why));
	}
	for (size_t n = 0; n < strlen(whole); n++)
		assert_int_equal(hub_ack(whole, n, sent, 3, &why), 0);
	assert_int_equal(hub_ack(whole, strlen(whole), sent, 0, &why), 0);
}

static void
test_mesh_ack(void **state)
{
	static const uint64_t sent[] = {5, 300};
	static const struct {
		const char *text;
		size_t len;
		uint64_t ack;
		const char *why;
	} rows[] = {
	    {"\x93\0\x80\5", 4, 5, ""},
	    {"\x93\0\x81\xa1s\7\xcd\1\x2c", 9, 300, ""},
	    {"\x93\0\x80\4", 4, 0, "nothing"},
	    {"\x93\0\x80\6", 4, 0, "not sent"},
	    {"\x93\0\x80\xc0", 4, 0, "none of a hub"},
	    {"\x93\0\x80\5\5", 5, 0, "none of a hub"},
	    {"\x92\0\x80", 3, 0, "none of a hub"},
	    {"\x94\0\x80\5\5", 5, 0, "none of a hub"},
	    {"\x93\5\x80\xc0", 4, 0, "does not take"},
	    {"\x93\2\xc0\xc0", 4, 0, "no hub"},
	    {"\x93\x7f\x80\xc0", 4, 0, "unknown"},
	    {"\5", 1, 0, "none of a hub"}, {"", 0, 0, "none of a hub"},
	};
	uint64_t status;
	const char *why;
	uint32_t wait;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		why = "";
		assert_int_equal(hub_mesh_ack(rows[i].text, rows[i].len, sent,
		    2, &why, &wait, &status), rows[i].ack);
		assert_non_null(strstr(why, rows[i].why));
		for (size_t n = 0; n < rows[i].len && i < 2; n++) {
			char *cut = malloc(n + 1);

			memcpy(cut, rows[i].text, n);
			assert_int_equal(hub_mesh_ack(cut, n, sent, 2, &why,
			    &wait, &status), 0);
			free(cut);
		}
	}
	/* busy: so many seconds, and never for ever */
	assert_int_equal(hub_mesh_ack("\x93\4\x81\xa1s\x1e\xc0", 7, sent, 2,
	    &why, &wait, &status), 0);
	assert_int_equal(wait, 30);
	assert_int_equal(status, 4);
	(void)hub_mesh_ack("\x93\4\x81\xa1s\xce\xff\xff\xff\xff\xc0", 11,
	    sent, 2, &why, &wait, &status);
	assert_int_equal(wait, 900);
}

static void
put_file(const char *text)
{
	int fd = openat(hub_dir, TRAIL_HUB, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void
test_cursor(void **state)
{
	static const char *bad[] = {"", ID, ID " 5\n", ID " 5 4\n",
	    ID " 05 6\n", ID " 5 6", ID " 5 6\n\n", ID " 5 -6\n",
	    ID " 5 6 7\n", "x" ID " 5 6\n"};
	struct hub_cursor c = {.id = ID, .acked = 5, .sent = 9}, d;

	(void)state;
	hub_cursor_read(&d, hub_dir, ID);
	assert_int_equal(d.acked + d.sent, 0);
	assert_int_equal(hub_cursor_write(&c, hub_dir), 0);
	hub_cursor_read(&d, hub_dir, ID);
	assert_int_equal(d.acked, 5);
	assert_int_equal(d.sent, 9);
	/* another hub has nothing of it */
	hub_cursor_read(&d, hub_dir, "ff23456789abcdef0123456789abcdef0123456789"
	    "abcdef0123456789abcdef");
	assert_int_equal(d.acked + d.sent, 0);
	for (size_t i = 0; i < NELEM(bad); i++) {
		put_file(bad[i]);
		hub_cursor_read(&d, hub_dir, ID);
		assert_int_equal(d.acked + d.sent, 0);
	}
}

/* ---- batches ---- */

static int
add(struct trail *t, unsigned severity)
{
	char body[512];
	struct id32 digest;
	uint64_t seq;
	int n = snprintf(body, sizeof(body),
	    "{\"severity_id\":%u,\"pad\":\"%0300d\"}", severity, 0);

	return trail_append(t, severity, body, (size_t)n, &seq, &digest);
}

static const struct hub_limits all = {1, HUB_LINES, HUB_BYTES};

/* All of it, batch by batch. */
static void
take_all(struct hub_side *h, struct trail *t, const struct hub_limits *l,
    struct hub_place *at)
{
	for (;;) {
		assert_int_equal(hub_batch_make(&batch, hub_dir, l, at,
		    trail_rewrites(t), 0), 0);
		if (batch.n == 0)
			return;
		assert_true(batch.n <= l->lines && batch.len <= l->bytes);
		hub_take(h, batch.text, batch.len);
		assert_int_equal(h->walk.next - 1, batch.last[batch.n - 1]);
		*at = batch.end;
	}
}

static void
test_batches(void **state)
{
	const struct hub_limits few = {1, 7, 32768}, tight = {1, 500, 32768};
	struct trail *t = hub_trail(20000, 1 << 20);
	struct hub_side a = {.events = 0}, b = a, c = a;
	struct hub_place at = {.after = 0}, at_b = at, at_c = at;

	(void)state;
	assert_int_equal(hub_batch_make(&batch, hub_dir, &all, &at, 0, 0), 0);
	assert_int_equal(batch.n, 0);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(add(t, 1 + i % 3), 0);
		if (i % 50 == 0)
			take_all(&a, t, &all, &at);
	}
	take_all(&a, t, &all, &at);
	take_all(&b, t, &few, &at_b);
	take_all(&c, t, &tight, &at_c);
	hub_whole(&a, t);
	hub_whole(&b, t);
	hub_whole(&c, t);
	assert_int_equal(a.dropped + b.dropped + c.dropped, 0);
	/* from a place that is known by its number alone */
	at_b = (struct hub_place){.after = 150};
	assert_int_equal(hub_batch_make(&batch, hub_dir, &few, &at_b, 0, 0), 0);
	assert_int_equal(batch.n, 7);
	assert_int_equal(batch.last[0], 151);
	/* again, to where it went before, though more would fit */
	assert_int_equal(hub_batch_make(&batch, hub_dir, &all, &at_b, 0, 157), 0);
	assert_int_equal(batch.n, 7);
	trail_close(t);
}

/* Lines beneath the severity are told as a number, and as a digest. */
static void
test_severity(void **state)
{
	const struct hub_limits high = {4, HUB_LINES, HUB_BYTES};
	struct trail *t = hub_trail(20000, 1 << 20);
	struct hub_side h = {.events = 0};
	struct hub_place at = {.after = 0};

	(void)state;
	for (unsigned i = 1; i <= 30; i++)
		assert_int_equal(add(t, 1), 0);
	take_all(&h, t, &high, &at); /* nothing is worth it yet */
	assert_int_equal(h.events + h.dropped, 0);
	for (unsigned i = 31; i <= 300; i++)
		assert_int_equal(add(t, i % 60 == 0 ? 5 : 1 + i % 3), 0);
	take_all(&h, t, &high, &at);
	hub_whole(&h, t); /* the last of them is a 5 */
	assert_int_equal(h.events, 5);
	assert_int_equal(h.dropped, 295);
	trail_close(t);
}

/* What makes room meanwhile comes as tombstones, on no side of what is there. */
static void
test_dropped(void **state)
{
	struct trail *t = hub_trail(6000, 60000);
	struct hub_side h = {.events = 0}, late = h;
	struct hub_place at = {.after = 0}, at_late = at;
	const struct hub_limits few = {1, 11, HUB_BYTES};

	(void)state;
	for (unsigned i = 0; i < 37; i++)
		assert_int_equal(add(t, 1), 0);
	assert_int_equal(hub_batch_make(&batch, hub_dir, &few, &at, 0, 0), 0);
	hub_take(&h, batch.text, batch.len);
	at = batch.end;
	/* a second one is under way, and nobody knows whether it came */
	assert_int_equal(hub_batch_make(&batch, hub_dir, &few, &at, 0, 0), 0);
	trail_mark_hub(t, 11, 22);
	for (unsigned i = 0; i < 600; i++)
		assert_int_equal(add(t, i % 20 == 0 && i < 300 ? 4 : 1), 0);
	assert_true(trail_rewrites(t) > 0);
	assert_int_equal(hub_batch_make(&batch, hub_dir, &few, &at,
	    trail_rewrites(t), 22), 0);
	assert_int_equal(batch.last[batch.n - 1], 22);
	hub_take(&h, batch.text, batch.len);
	at = batch.end;
	take_all(&h, t, &all, &at);
	hub_whole(&h, t);
	assert_true(h.dropped > 0 && h.events >= 15);
	/* and to a hub that comes when it is all over */
	take_all(&late, t, &all, &at_late);
	hub_whole(&late, t);
	trail_close(t);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, hub_folder, hub_cleanup)
	const struct CMUnitTest tests[] = {
	    T(test_hubset), T(test_ack), T(test_mesh_ack), T(test_cursor),
	    T(test_batches), T(test_severity), T(test_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
