/* SPDX-License-Identifier: BSD-2-Clause */
/* warren-audit and a hub, with the test as warren-egress or transport. */
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

#include "audit/hub_mesh.h"
#include "common/mpk.h"
#include "common/util.h"
#include "tests/unit/hubkit.h"
#include "tests/unit/prog_peer.h"
#include "trust/doc/alert.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- the program ---- */

static struct prog p;
static struct ipc *node, *egress, *keys;

static void
start(const char *hub)
{
	static const uint8_t rns[64];
	struct msg_K_BINDING key = {.fp = {{1, 2, 3}}};

	prog_pass[IPC_HUB_STATE] = prog_pass[IPC_W_POSTURE] = true;
	prog_pass[IPC_I_STATE] = prog_pass[IPC_I_WANT] = true;
	prog_start(&p, PROGRAM_AUDIT, "trail", hub_dir);
	prog_params(&p, rns);
	if (hub != NULL)
		prog_text(&p, SET_HUB, "", hub);
	prog_begin(&p);
	prog_pass[IPC_C_SIGN] = true;
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	assert_int_equal(ipc_send_K_BINDING(keys, &key, NULL, 0), 0);
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
		hub_take(h, (const char *)map, len);
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

/* ---- over the mesh ---- */

#define PEER "0f0e0d0c0b0a09080706050403020100"

/* The next request, its body; the path must be this one. */
static struct msg_M_ASK
asked(struct ipc *mesh, const char *path_, const uint8_t **bin, size_t *n,
    uint8_t *keep, size_t cap)
{
	struct msg_M_ASK m;
	const uint8_t *map;
	struct ipc_in in;
	size_t len, pairs;
	const char *key;
	struct rd r;

	prog_wait(mesh, IPC_M_ASK, &in);
	assert_true(msg_get_M_ASK(in.body, &m));
	assert_string_equal(m.path, path_);
	assert_int_equal(m.identity.b[0], 0x0f);
	assert_true(m.identify);
	len = m.len;
	assert_true(len <= cap);
	if (in.nfds > 0) {
		assert_non_null(map = memfd_map(in.fds[0], &len, cap));
		memcpy(keep, map, len);
		memfd_unmap(map, len);
	} else {
		memcpy(keep, m.data, len);
	}
	ipc_in_done(&in);
	r = rd_make(keep, len);
	assert_true(mpk_get_map(&r, &pairs) && pairs == 1);
	assert_true(mpk_get_str(&r, &key, n) && *n == 1 && *key == 'b');
	assert_true(mpk_get_bin(&r, bin, n) && rd_end(&r));
	return m;
}

static void
mesh_answers(struct ipc *mesh, uint32_t seq, enum mesh_end end,
    const void *body, size_t len)
{
	struct msg_M_ANSWER a = {.seq = seq, .end = (uint8_t)end,
	    .len = (uint32_t)len};
	int fd = len > 0 ? memfd_sealed("answer", body, len) : -1;

	(void)snprintf(a.why, sizeof(a.why), "%s", end == MESH_OK ? "" :
	    "so it is");
	assert_int_equal(ipc_send_M_ANSWER(mesh, &a, &fd, fd >= 0), 0);
	if (fd >= 0)
		(void)close(fd);
}

/* Signed by keys, and sent as it is; then how that ended. */
static void
packet(struct ipc *mesh, uint32_t line, bool signs, enum mesh_end end)
{
	struct msg_K_ALERTED s = {.ok = signs, .frame = {'K', 'A', 1}};
	struct msg_K_ALERT k;
	struct msg_M_ASK m;
	struct ipc_in in;

	PROG_GET(K_ALERT, keys, &k);
	assert_int_equal(k.line, line);
	assert_int_equal(k.severity, 5);
	s.seq = k.seq + 1; /* another one's */
	assert_int_equal(ipc_send_K_ALERTED(keys, &s, NULL, 0), 0);
	s.seq = k.seq;
	assert_int_equal(ipc_send_K_ALERTED(keys, &s, NULL, 0), 0);
	if (!signs)
		return;
	prog_wait(mesh, IPC_M_ASK, &in);
	assert_true(msg_get_M_ASK(in.body, &m));
	assert_string_equal(m.path, HUB_PATH_ALERT);
	assert_true(m.packet && m.slow && !m.identify);
	assert_int_equal(m.data_len, sizeof(s.frame));
	assert_memory_equal(m.data, s.frame, sizeof(s.frame));
	ipc_in_done(&in);
	mesh_answers(mesh, m.seq, end, NULL, 0);
}

/* A hub that proves the packet: that is all there is. Keys that do not sign. */
static void
test_packet(void **state)
{
	static uint8_t keep[HUB_MESH_BODY];
	struct msg_M_ASK m;
	struct ipc *mesh;
	const uint8_t *p_;
	size_t n;

	(void)state;
	for (int signs = 0; signs < 2; signs++) {
		start(ID " 1 500 262144 " PEER "\n");
		event(5);
		mesh = prog_neighbour(&p, PROGRAM_TRANSPORT);
		m = asked(mesh, HUB_PATH_EVENTS, &p_, &n, keep, sizeof(keep));
		mesh_answers(mesh, m.seq, MESH_SLOW, NULL, 0);
		packet(mesh, signs ? 2 : 1, signs, MESH_OK);
		if (!signs) {
			m = asked(mesh, HUB_PATH_ALERT, &p_, &n, keep,
			    sizeof(keep));
			assert_int_equal(n, ALERT_FRAME);
		}
		prog_quiet(mesh, 50);
		prog_stop(&p);
	}
}

static void
test_mesh(void **state)
{
	static uint8_t keep[HUB_MESH_BODY];
	struct hub_side h = {.events = 0};
	struct msg_HUB_STATE s;
	struct msg_M_ASK m;
	struct ipc *mesh;
	const uint8_t *p_;
	struct alert a;
	struct env e;
	size_t n;

	(void)state;
	start(ID " 1 500 262144 " PEER "\n");
	event(5);
	mesh = prog_neighbour(&p, PROGRAM_TRANSPORT);
	m = asked(mesh, HUB_PATH_EVENTS, &p_, &n, keep, sizeof(keep));
	assert_false(m.slow);
	hub_take(&h, (const char *)p_, n);
	mesh_answers(mesh, m.seq, MESH_OK, "\x93\0\x80\1", 4);
	event(1);
	m = asked(mesh, HUB_PATH_EVENTS, &p_, &n, keep, sizeof(keep));
	/* a slow way: an alarm is told of, and no line is */
	event(4);
	event(5);
	mesh_answers(mesh, m.seq, MESH_SLOW, NULL, 0);
	/* as a packet first; who does not prove it gets it on a link */
	packet(mesh, 4, true, MESH_TIMEOUT);
	m = asked(mesh, HUB_PATH_ALERT, &p_, &n, keep, sizeof(keep));
	assert_true(m.slow && !m.packet);
	assert_int_equal(n, ALERT_FRAME);
	assert_null(alert_parse(&a, &e, p_, n));
	assert_int_equal(a.severity, 5);
	assert_int_equal(a.seq, 4);
	assert_int_equal(a.count, 2);
	assert_int_equal(a.class_uid, 6003);
	prog_quiet(mesh, 50);
	mesh_answers(mesh, m.seq, MESH_OK, "\x93\0\x80\4", 4);
	do
		s = told();
	while (s.failed == 0);
	assert_non_null(strstr(s.why, "slow"));
	/* it is fast again, and has the lines */
	prog_text(&p, SET_HUB, "", ID " 1 500 262144 " PEER "\n");
	m = asked(mesh, HUB_PATH_EVENTS, &p_, &n, keep, sizeof(keep));
	hub_take(&h, (const char *)p_, n);
	assert_int_equal(h.walk.next - 1, 4);
	mesh_answers(mesh, m.seq, MESH_OK, "\x93\0\x80\4", 4);
	do
		s = told();
	while (s.acked != 4);
	/* transport falls with a batch on its way */
	event(5);
	m = asked(mesh, HUB_PATH_EVENTS, &p_, &n, keep, sizeof(keep));
	mesh = prog_neighbour(&p, PROGRAM_TRANSPORT);
	do
		s = told();
	while (s.failed == 1);
	assert_non_null(strstr(s.why, "fell"));
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
	t = hub_trail(TRAIL_SEGMENT, TRAIL_TOTAL);
	hub_whole(&h, t);
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
#define T(f) cmocka_unit_test_setup_teardown(f, hub_folder, hub_cleanup)
	const struct CMUnitTest tests[] = {
	    T(test_packet),
	    T(test_program), T(test_failures), T(test_beneath), T(test_mesh),
	    T(test_load), T(test_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
