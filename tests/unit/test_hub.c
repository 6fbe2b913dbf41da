/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of the trail to a hub: what a batch holds, what an answer is worth,
 * and warren-audit with the test as warren-egress and as the hub behind it.
 */
#define _GNU_SOURCE
#include <dirent.h>
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
#include "audit/trail.h"
#include "audit/trail_line.h"
#include "common/hubset.h"
#include "common/util.h"
#include "tests/unit/prog_peer.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char path[64];
static int dir = -1;
static struct hub_batch batch;

static int
folder(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/hub-test-XXXXXX");
	if (mkdtemp(path) == NULL)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	return dir < 0 ? -1 : 0;
}

static int
cleanup(void **state)
{
	DIR *d = fdopendir(dir);
	struct dirent *de;

	(void)state;
	while (d != NULL && (de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), de->d_name, 0);
	(void)closedir(d);
	return rmdir(path);
}

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
put_file(const char *text)
{
	int fd = openat(dir, TRAIL_HUB, O_WRONLY | O_CREAT | O_TRUNC, 0600);

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
	hub_cursor_read(&d, dir, ID);
	assert_int_equal(d.acked + d.sent, 0);
	assert_int_equal(hub_cursor_write(&c, dir), 0);
	hub_cursor_read(&d, dir, ID);
	assert_int_equal(d.acked, 5);
	assert_int_equal(d.sent, 9);
	/* another hub has nothing of it */
	hub_cursor_read(&d, dir, "ff23456789abcdef0123456789abcdef0123456789"
	    "abcdef0123456789abcdef");
	assert_int_equal(d.acked + d.sent, 0);
	for (size_t i = 0; i < NELEM(bad); i++) {
		put_file(bad[i]);
		hub_cursor_read(&d, dir, ID);
		assert_int_equal(d.acked + d.sent, 0);
	}
}

/* ---- batches ---- */

static struct trail *
open_trail(uint64_t segment, uint64_t total)
{
	struct trail_limits l = {segment, total};
	struct trail_report r;
	struct trail *t = trail_open(dir, &l, &r);

	assert_non_null(t);
	return t;
}

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

/* What the hub makes of it: the chain goes on, and nothing is missing. */
struct hub_side {
	struct trail_walk walk;
	uint64_t events, dropped, twice;
	bool begun;
};

static void
take(struct hub_side *h, const char *text, size_t len)
{
	const char *end = text + len;

	if (!h->begun)
		trail_walk_init(&h->walk);
	h->begun = true;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *why;
		struct trail_line l;

		assert_non_null(nl);
		assert_true(trail_line_parse(&l, text, (size_t)(nl - text)));
		if (l.seq < h->walk.next) {
			h->twice++; /* and no new one */
			text = nl + 1;
			continue;
		}
		why = trail_walk_line(&h->walk, text, (size_t)(nl - text));
		if (why != NULL)
			fail_msg("line %llu: %s", (unsigned long long)l.seq,
			    why);
		if (l.is_tomb)
			h->dropped += l.tomb.count;
		else
			h->events++;
		text = nl + 1;
	}
}

/* All of it, batch by batch. */
static void
take_all(struct hub_side *h, struct trail *t, const struct hub_limits *l,
    struct hub_place *at)
{
	for (;;) {
		assert_int_equal(hub_batch_make(&batch, dir, l, at,
		    trail_rewrites(t), 0), 0);
		if (batch.n == 0)
			return;
		assert_true(batch.n <= l->lines && batch.len <= l->bytes);
		take(h, batch.text, batch.len);
		assert_int_equal(h->walk.next - 1, batch.last[batch.n - 1]);
		*at = batch.end;
	}
}

static void
whole(const struct hub_side *h, struct trail *t)
{
	struct id32 root, ours;
	uint64_t size;

	/* as if it had every line: the very root that is signed */
	assert_true(trail_root(t, &size, &ours));
	assert_true(h->walk.whole);
	assert_int_equal(h->walk.next, trail_next(t));
	assert_int_equal(h->events + h->dropped, trail_next(t) - 1);
	merkle_root(&h->walk.tree, &root);
	assert_memory_equal(root.b, ours.b, 32);
}

static void
test_batches(void **state)
{
	const struct hub_limits few = {1, 7, 32768}, tight = {1, 500, 32768};
	struct trail *t = open_trail(20000, 1 << 20);
	struct hub_side a = {.events = 0}, b = a, c = a;
	struct hub_place at = {.after = 0}, at_b = at, at_c = at;

	(void)state;
	assert_int_equal(hub_batch_make(&batch, dir, &all, &at, 0, 0), 0);
	assert_int_equal(batch.n, 0);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(add(t, 1 + i % 3), 0);
		if (i % 50 == 0)
			take_all(&a, t, &all, &at);
	}
	take_all(&a, t, &all, &at);
	take_all(&b, t, &few, &at_b);
	take_all(&c, t, &tight, &at_c);
	whole(&a, t);
	whole(&b, t);
	whole(&c, t);
	assert_int_equal(a.dropped + b.dropped + c.dropped, 0);
	/* from a place that is known by its number alone */
	at_b = (struct hub_place){.after = 150};
	assert_int_equal(hub_batch_make(&batch, dir, &few, &at_b, 0, 0), 0);
	assert_int_equal(batch.n, 7);
	assert_int_equal(batch.last[0], 151);
	/* again, to where it went before, though more would fit */
	assert_int_equal(hub_batch_make(&batch, dir, &all, &at_b, 0, 157), 0);
	assert_int_equal(batch.n, 7);
	trail_close(t);
}

/* Lines beneath the severity are told as a number, and as a digest. */
static void
test_severity(void **state)
{
	const struct hub_limits high = {4, HUB_LINES, HUB_BYTES};
	struct trail *t = open_trail(20000, 1 << 20);
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
	whole(&h, t); /* the last of them is a 5 */
	assert_int_equal(h.events, 5);
	assert_int_equal(h.dropped, 295);
	trail_close(t);
}

/* What makes room meanwhile comes as tombstones, on no side of what is there. */
static void
test_dropped(void **state)
{
	struct trail *t = open_trail(6000, 60000);
	struct hub_side h = {.events = 0}, late = h;
	struct hub_place at = {.after = 0}, at_late = at;
	const struct hub_limits few = {1, 11, HUB_BYTES};

	(void)state;
	for (unsigned i = 0; i < 37; i++)
		assert_int_equal(add(t, 1), 0);
	assert_int_equal(hub_batch_make(&batch, dir, &few, &at, 0, 0), 0);
	take(&h, batch.text, batch.len);
	at = batch.end;
	/* a second one is under way, and nobody knows whether it came */
	assert_int_equal(hub_batch_make(&batch, dir, &few, &at, 0, 0), 0);
	trail_mark_hub(t, 11, 22);
	for (unsigned i = 0; i < 600; i++)
		assert_int_equal(add(t, i % 20 == 0 && i < 300 ? 4 : 1), 0);
	assert_true(trail_rewrites(t) > 0);
	assert_int_equal(hub_batch_make(&batch, dir, &few, &at,
	    trail_rewrites(t), 22), 0);
	assert_int_equal(batch.last[batch.n - 1], 22);
	take(&h, batch.text, batch.len);
	at = batch.end;
	take_all(&h, t, &all, &at);
	whole(&h, t);
	assert_true(h.dropped > 0 && h.events >= 15);
	/* and to a hub that comes when it is all over */
	take_all(&late, t, &all, &at_late);
	whole(&late, t);
	trail_close(t);
}

/* ---- the program ---- */

static struct prog p;
static struct ipc *node, *egress;

static void
start(const char *hub)
{
	static const uint8_t rns[64];
	struct msg_K_BINDING key = {.fp = {{1, 2, 3}}};

	prog_pass[IPC_HUB_STATE] = prog_pass[IPC_W_POSTURE] = true;
	prog_pass[IPC_I_STATE] = prog_pass[IPC_I_WANT] = true;
	prog_start(&p, PROGRAM_AUDIT, "trail", dir);
	prog_params(&p, rns);
	if (hub != NULL)
		prog_text(&p, SET_HUB, "", hub);
	prog_begin(&p);
	assert_int_equal(ipc_send_K_BINDING(prog_neighbour(&p, PROGRAM_KEYS),
	    &key, NULL, 0), 0);
	node = prog_neighbour(&p, PROGRAM_NODE);
}

static void
event(uint8_t severity)
{
	struct msg_EVENT e = {.kind = EVK_JOB_STATE, .severity = severity,
	    .qid = 1, .when_us = 1};
	struct msg_HEAD h;

	assert_int_equal(ipc_send_EVENT(node, &e, NULL, 0), 0);
	PROG_GET(HEAD, node, &h);
	assert_true(h.seq > 0);
}

/* The next batch, and what the hub makes of it; h NULL: it is lost. */
static struct msg_POST
posted(struct hub_side *h)
{
	struct msg_POST m;
	struct ipc_in in;
	const uint8_t *map;
	size_t len;

	prog_wait(egress, IPC_POST, &in);
	assert_true(msg_get_POST(in.body, &m));
	assert_int_equal(m.kind, POST_HUB);
	len = m.len;
	assert_non_null(map = memfd_map(in.fds[0], &len, IPC_POST_BYTES));
	if (h != NULL)
		take(h, (const char *)map, len);
	memfd_unmap(map, len);
	ipc_in_done(&in);
	return m;
}

static void
answer(const struct msg_POST *m, enum fetch_end end, const char *body)
{
	struct msg_POSTED a = {.seq = m->seq, .end = (uint8_t)end,
	    .code = end == FETCH_OK ? 200 : 500, .why = "so it is",
	    .len = (uint32_t)strlen(body)};
	int fd = a.len > 0 ? memfd_sealed("answer", body, a.len) : -1;

	if (end == FETCH_OK)
		a.why[0] = '\0';
	assert_int_equal(ipc_send_POSTED(egress, &a, &fd, fd >= 0), 0);
	if (fd >= 0)
		(void)close(fd);
}

static void
ack(const struct msg_POST *m, uint64_t seq)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "{\"ack\":%llu}\n",
	    (unsigned long long)seq);
	answer(m, FETCH_OK, text);
}

static struct msg_HUB_STATE
told(void)
{
	struct msg_HUB_STATE s;

	prog_pass[IPC_HUB_STATE] = false;
	PROG_GET(HUB_STATE, node, &s);
	prog_pass[IPC_HUB_STATE] = true;
	return s;
}

#define SET ID " 1 500 262144\n"

static void
test_program(void **state)
{
	struct hub_side h = {.events = 0};
	struct msg_HUB_STATE s;
	struct msg_POST m;

	(void)state;
	start(SET);
	egress = prog_neighbour(&p, PROGRAM_EGRESS);
	event(1);
	event(5); /* does not wait */
	m = posted(&h);
	while (h.walk.next - 1 < 2) {
		ack(&m, h.walk.next - 1);
		m = posted(&h);
	}
	event(1);
	prog_quiet(egress, 50); /* one batch at a time */
	ack(&m, 2);
	m = posted(&h);
	assert_int_equal(h.walk.next - 1, 3);
	/* killed before the answer: it comes again, and its end is the same */
	prog_kill(&p);
	start(SET);
	event(5);
	event(5);
	egress = prog_neighbour(&p, PROGRAM_EGRESS);
	m = posted(NULL);
	ack(&m, 3);
	m = posted(&h);
	assert_int_equal(h.walk.next - 1, 5);
	ack(&m, 5);
	do
		s = told();
	while (s.acked != 5);
	assert_true(s.on && s.behind == 0 && s.failed == 0);
	prog_stop(&p);
	/* what was taken is not sent again */
	start(SET);
	egress = prog_neighbour(&p, PROGRAM_EGRESS);
	prog_quiet(egress, 100);
	prog_stop(&p);
}

/* Answers that are none, then another hub, then none. */
static void
test_failures(void **state)
{
	static const struct {
		enum fetch_end end;
		const char *body, *why;
	} rows[] = {
	    {FETCH_UNREACHABLE, "", "so it is"}, {FETCH_HTTP, "", "so it is"},
	    {FETCH_OK, "", "empty"}, {FETCH_OK, "{\"ack\":7}", "not sent"},
	    {FETCH_OK, "{\"ack\":0}", "nothing"}, {FETCH_OK, "{\"ack\"", "no {"},
	};
	struct hub_side h = {.events = 0};
	struct msg_HUB_STATE s;
	struct msg_POST m;

	(void)state;
	start(SET);
	event(1);
	egress = prog_neighbour(&p, PROGRAM_EGRESS);
	for (size_t i = 0; i < NELEM(rows); i++) {
		m = posted(NULL);
		answer(&m, rows[i].end, rows[i].body);
		do
			s = told();
		while (s.failed == 0);
		assert_int_equal(s.failed, 1);
		assert_int_equal(s.acked, 0);
		assert_true(s.wait_s >= 5 && s.wait_s <= 7);
		assert_non_null(strstr(s.why, rows[i].why));
		prog_quiet(egress, 20);
		/* who has the files read again does not wait that long */
		prog_text(&p, SET_HUB, "", "\n");
		prog_text(&p, SET_HUB, "", SET);
	}
	m = posted(&h);
	ack(&m, 1);
	event(5);
	m = posted(&h);
	ack(&m, 2);
	/* another one has nothing yet */
	prog_text(&p, SET_HUB, "", "ffffffffffffffffffffffffffffffffffffffff"
	    "ffffffffffffffffffffffff 1 1 262144\n");
	memset(&h, 0, sizeof(h));
	m = posted(&h);
	assert_int_equal(h.walk.next - 1, 1);
	ack(&m, 1);
	m = posted(&h);
	prog_text(&p, SET_HUB, "", "\n");
	do
		s = told();
	while (s.on);
	ack(&m, 2); /* too late */
	event(5);
	prog_quiet(egress, 50);
	prog_stop(&p);
}

/* What is beneath the severity is not waited for. */
static void
test_beneath(void **state)
{
	struct hub_side h = {.events = 0};
	struct msg_HUB_STATE s;
	struct msg_POST m;

	(void)state;
	start(ID " 4 500 262144\n");
	for (unsigned i = 0; i < 3; i++)
		event(1);
	event(5);
	for (unsigned i = 0; i < 3; i++)
		event(1);
	egress = prog_neighbour(&p, PROGRAM_EGRESS);
	m = posted(&h);
	assert_int_equal(h.events, 1);
	assert_int_equal(h.dropped, 3);
	ack(&m, 4);
	do
		s = told();
	while (s.acked != 4 || s.behind != 0);
	event(1);
	prog_quiet(egress, 50);
	event(5);
	m = posted(&h);
	assert_int_equal(h.dropped, 7);
	assert_int_equal(h.events, 2);
	prog_stop(&p);
}

/* Audit is killed again and again, with a hub that is deaf now and then. */
static void
test_load(void **state)
{
	struct msg_EVENT e = {.kind = EVK_JOB_STATE, .when_us = 1};
	struct hub_side h = {.events = 0};
	struct msg_POST m;
	struct trail *t;
	uint64_t last = 0;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		start(SET);
		egress = prog_neighbour(&p, PROGRAM_EGRESS);
		for (unsigned i = 0; i < 700; i++) {
			e.severity = (uint8_t)(1 + i % 3);
			assert_int_equal(ipc_send_EVENT(node, &e, NULL, 0),
			    0);
		}
		event(5); /* all of them are written */
		for (unsigned k = 0; k < 1 + round % 2; k++) {
			m = posted(&h);
			if (k == 0)
				ack(&m, h.walk.next - 1);
		}
		prog_kill(&p);
	}
	start(SET);
	egress = prog_neighbour(&p, PROGRAM_EGRESS);
	event(5);
	while (h.walk.next - 1 < 3 * 701 + 1) {
		m = posted(&h);
		last = h.walk.next - 1;
		ack(&m, last);
	}
	prog_stop(&p);
	assert_true(h.twice > 0);
	t = open_trail(TRAIL_SEGMENT, TRAIL_TOTAL);
	whole(&h, t);
	trail_close(t);
}

/* Egress falls with a batch on its way; and one that is too large. */
static void
test_ways(void **state)
{
	struct hub_side h = {.events = 0};
	struct msg_POSTED large = {.end = FETCH_HTTP, .code = 413};
	struct msg_HUB_STATE s;
	struct msg_POST m;

	(void)state;
	start(SET);
	for (unsigned i = 0; i < 4; i++)
		event(1);
	egress = prog_neighbour(&p, PROGRAM_EGRESS);
	m = posted(NULL);
	large.seq = m.seq;
	assert_int_equal(ipc_send_POSTED(egress, &large, NULL, 0), 0);
	do
		s = told();
	while (s.failed == 0);
	assert_int_equal(s.end, FETCH_HTTP);
	prog_text(&p, SET_HUB, "", SET); /* now, not in five seconds */
	m = posted(&h);
	assert_int_equal(h.walk.next - 1, 2);
	/* it falls */
	egress = prog_neighbour(&p, PROGRAM_EGRESS);
	do
		s = told();
	while (s.failed == 1);
	assert_non_null(strstr(s.why, "fell"));
	prog_text(&p, SET_HUB, "", SET);
	m = posted(NULL);
	ack(&m, 2);
	m = posted(&h);
	assert_int_equal(h.walk.next - 1, 4);
	prog_stop(&p);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, folder, cleanup)
	const struct CMUnitTest tests[] = {
	    T(test_hubset), T(test_ack), T(test_cursor), T(test_batches),
	    T(test_severity), T(test_dropped), T(test_program),
	    T(test_failures), T(test_beneath), T(test_load), T(test_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
