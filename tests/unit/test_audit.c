/* SPDX-License-Identifier: BSD-2-Clause */
/* warren-audit, with keys played by the test. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>

#include "trust/doc/note.h"
#include "audit/ocsf.h"
#include "audit/trail.h"
#include "audit/trail_file.h"
#include "audit/trail_verify.h"
#include "tests/unit/prog_peer.h"
#include "common/layers.h"
#include "common/util.h"

#include "tests/until.h"

static char path[64];

static int
folder(void)
{
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/audit-test-XXXXXX");
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	return fd;
}

static void
empty(int dir)
{
	static const char *const files[] = {"head", "checkpoint", "key",
	    "00000001.jsonl", "00000002.jsonl"};

	for (size_t i = 0; i < NELEM(files); i++)
		(void)unlinkat(dir, files[i], 0);
	(void)close(dir);
	assert_int_equal(rmdir(path), 0);
}

static void
start(struct prog *p, int dir)
{
	static const uint8_t rns[64];

	prog_start(p, PROGRAM_AUDIT, "trail", dir);
	prog_params(p, rns);
	prog_begin(p);
}

/* It says at once whether it can watch jobs, and if not why. */
static struct ipc *
node_of(struct prog *p)
{
	struct ipc *node = prog_neighbour(p, PROGRAM_NODE);
	struct msg_W_POSTURE m;
	struct msg_I_STATE disk;

	PROG_GET(W_POSTURE, node, &m);
	PROG_GET(I_STATE, node, &disk);
	assert_int_equal(disk.every_s, 3600);
	assert_true(m.layers == 0 || m.layers == LAYER_BPF);
	/* where it can, what a better tier was refused for may stand there */
	assert_true(m.layers != 0 || m.missing[0] != '\0');
	return node;
}

static void
tell_key(struct ipc *keys)
{
	struct msg_K_BINDING m = {.fp = {{1, 2, 3}}};

	assert_int_equal(ipc_send_K_BINDING(keys, &m, NULL, 0), 0);
}

static struct msg_HEAD
event(struct ipc *node, uint64_t qid, uint8_t severity)
{
	struct msg_EVENT e = {.kind = EVK_JOB_STATE, .severity = severity,
	    .qid = qid, .when_us = 1};
	struct msg_HEAD h = {.qid = 0};

	(void)snprintf(e.text, sizeof(e.text), "running");
	assert_int_equal(ipc_send_EVENT(node, &e, NULL, 0), 0);
	if (qid != 0) {
		PROG_GET(HEAD, node, &h);
		assert_int_equal(h.qid, qid);
	}
	return h;
}

static void
many(struct ipc *from, int n)
{
	struct until late;

	while (n-- > 0)
		(void)event(from, 0, 1);
	late = until_begin("the end of the events", PATIENCE_MS);
	while (ipc_pending(from) && until_step(&late))
		assert_int_equal(ipc_flush(from), 0);
}

/* keys' answer; the audit key is of a seed of zeros. */
static void
sign_note(struct msg_C_SIGNED *out, const struct msg_C_SIGN *m)
{
	uint8_t seed[32] = {0}, sk[64];
	struct note n = {.fp = {{1, 2, 3}}, .size = m->size};
	char body[NOTE_BODY_MAX];
	size_t len;

	*out = (struct msg_C_SIGNED){.size = m->size, .ok = true};
	n.root = m->root;
	len = note_body(body, &n);
	(void)crypto_sign_seed_keypair(out->key, sk, seed);
	(void)crypto_sign_detached(out->sig, NULL, (uint8_t *)body, len, sk);
}

static void
answer(struct ipc *keys, const struct msg_C_SIGN *m)
{
	struct msg_C_SIGNED out;

	sign_note(&out, m);
	assert_int_equal(ipc_send_C_SIGNED(keys, &out, NULL, 0), 0);
}

static struct trail_verdict
verify(int dir)
{
	struct trail_verdict v;

	assert_int_equal(trail_verify(dir, NULL, &v, NULL, NULL), 0);
	if (!v.ok)
		fail_msg("%u:%llu %s", v.segment, (unsigned long long)v.line,
		    v.why);
	return v;
}

static void
test_program(void **state)
{
	struct msg_C_SIGN ask;
	struct trail_verdict v;
	struct msg_HEAD a, b;
	struct ipc *node, *keys, *trust;
	struct until late;
	struct prog p;
	int dir = folder();

	(void)state;
	start(&p, dir);
	node = node_of(&p);
	trust = prog_neighbour(&p, PROGRAM_TRUST);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	tell_key(keys);
	a = event(node, 5, 1);
	assert_int_equal(a.seq, 1);
	b = event(node, 6, 1);
	assert_int_equal(b.seq, 2);
	assert_memory_not_equal(a.digest.b, b.digest.b, 32);
	many(trust, 1100);
	/* a thousand lines: keys are asked, and the files verify alone */
	PROG_GET(C_SIGN, keys, &ask);
	assert_true(ask.size >= 1000);
	answer(keys, &ask);
	/* three channels have no order among them: wait for what was sent */
	late = until_begin("a checkpoint, and line 1102", PATIENCE_MS);
	while ((faccessat(dir, "checkpoint", R_OK, 0) == -1 ||
	    verify(dir).last != 1102) && until_step(&late))
		continue;
	b = event(node, 7, 4);
	assert_int_equal(b.seq, 1103);
	v = verify(dir);
	assert_int_equal(v.last, 1103);
	assert_int_equal(v.checkpoint, ask.size);
	/* killed: the chain goes on where it was */
	prog_kill(&p);
	start(&p, dir);
	node = node_of(&p);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	tell_key(keys);
	a = event(node, 9, 1);
	assert_int_equal(a.seq, 1104);
	prog_stop(&p);
	assert_int_equal(verify(dir).last, 1104);
	empty(dir);
}

static void
test_held(void **state)
{
	struct ipc *node, *keys;
	struct msg_HEAD h;
	struct msg_EVENT e = {.kind = EVK_START, .qid = 3};
	struct prog p;
	int dir = folder();

	(void)state;
	start(&p, dir);
	node = node_of(&p);
	assert_int_equal(ipc_send_EVENT(node, &e, NULL, 0), 0);
	prog_quiet(node, 100); /* waits for the node's key */
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	tell_key(keys);
	PROG_GET(HEAD, node, &h);
	assert_int_equal(h.seq, 1);
	prog_stop(&p);
	assert_int_equal(verify(dir).last, 1);
	empty(dir);
}

/* A job under watch, as far as a group that nobody is in allows. */
static void
test_watched(void **state)
{
	struct msg_W_JOB job = {.job = {{7}}, .group = UINT64_MAX - 7};
	struct msg_W_OVER over = {.job = {{7}}};
	struct msg_W_READY ready;
	struct msg_W_DONE done;
	struct msg_W_POSTURE posture;
	struct ipc *node, *keys;
	struct prog p;
	int dir = folder();

	(void)state;
	start(&p, dir);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	tell_key(keys);
	node = prog_neighbour(&p, PROGRAM_NODE);
	PROG_GET(W_POSTURE, node, &posture);
	assert_int_equal(ipc_send_W_JOB(node, &job, NULL, 0), 0);
	PROG_GET(W_READY, node, &ready);
	assert_int_equal(ready.job.b[0], 7);
	assert_true(ready.ok);
	assert_true(posture.by[0] != '\0');
	/* again, and one that runs already: not from its start on */
	assert_int_equal(ipc_send_W_JOB(node, &job, NULL, 0), 0);
	PROG_GET(W_READY, node, &ready);
	assert_true(ready.ok);
	job.job.b[0] = 8;
	job.late = true;
	assert_int_equal(ipc_send_W_JOB(node, &job, NULL, 0), 0);
	PROG_GET(W_READY, node, &ready);
	assert_false(ready.ok);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ipc_send_W_OVER(node, &over, NULL, 0), 0);
		PROG_GET(W_DONE, node, &done);
		assert_int_equal(done.job.b[0], 7);
		assert_int_equal(done.events + done.lost, 0);
	}
	/* a contract's record that is none is no end of it */
	job.job.b[0] = 9;
	job.group++;
	job.late = false;
	job.record_len = 3;
	assert_int_equal(ipc_send_W_JOB(node, &job, NULL, 0), 0);
	PROG_GET(W_READY, node, &ready);
	assert_true(ready.ok);
	prog_stop(&p);
	/* of the job that was over its sum, and what was observed */
	assert_int_equal(verify(dir).last, posture.layers != 0 ? 2 : 1);
	empty(dir);
}

static int
counter(const char *text)
{
	int fd = memfd_create("counter", MFD_CLOEXEC);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) > 0);
	return fd;
}

/* Without probes in the kernel: what its group counts, and how it ends. */
static void
test_counted(void **state)
{
	struct msg_W_JOB job = {.job = {{7}}, .group = 99,
	    .files = 1 << WATCH_MEMORY | 1 << WATCH_PIDS};
	struct msg_W_OVER over = {.job = {{7}}, .status = SIGSYS};
	int dir = folder(), spare = dup(dir), fds[2];
	static const uint8_t rns[64];
	struct msg_W_READY ready;
	struct msg_W_DONE done;
	struct msg_W_POSTURE posture;
	struct ipc *node, *keys;
	struct prog p;

	(void)state;
	/* its word is a number, and a descriptor's is high enough */
	prog_start_two(&p, PROGRAM_AUDIT, "trail", dir, "probes", spare);
	prog_params(&p, rns);
	prog_begin(&p);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	tell_key(keys);
	node = prog_neighbour(&p, PROGRAM_NODE);
	PROG_GET(W_POSTURE, node, &posture);
	assert_int_equal(posture.layers, 0);
	assert_non_null(strstr(posture.missing, "counters"));
	assert_non_null(strstr(posture.by, "not seen: write_proc write_dev"));
	assert_null(strstr(posture.by, "fork_refused"));
	fds[0] = counter("oom_kill 0\n");
	fds[1] = counter("max 0\n");
	assert_int_equal(pwrite(fds[1], "max 0\n", 6, 0), 6);
	assert_int_equal(ipc_send_W_JOB(node, &job, (int[]){dup(fds[0]),
	    dup(fds[1])}, 2), 0);
	PROG_GET(W_READY, node, &ready);
	assert_true(ready.ok);
	assert_int_equal(pwrite(fds[0], "oom_kill 2\n", 11, 0), 11);
	assert_int_equal(pwrite(fds[1], "max 5\n", 6, 0), 6);
	assert_int_equal(ipc_send_W_OVER(node, &over, NULL, 0), 0);
	PROG_GET(W_DONE, node, &done);
	assert_int_equal(done.events + done.lost, 0);
	/* more bits than descriptors, and the other way round */
	job.job.b[0] = 8;
	job.group++;
	job.files = 0xff;
	assert_int_equal(ipc_send_W_JOB(node, &job, &fds[0], 1), 0);
	PROG_GET(W_READY, node, &ready);
	job.job.b[0] = 9;
	job.group++;
	job.files = 0;
	assert_int_equal(ipc_send_W_JOB(node, &job, &fds[1], 1), 0);
	PROG_GET(W_READY, node, &ready);
	assert_true(ready.ok);
	/* no group at all: how it ends is known all the same */
	job.job.b[0] = 10;
	job.group = 0;
	assert_int_equal(ipc_send_W_JOB(node, &job, NULL, 0), 0);
	PROG_GET(W_READY, node, &ready);
	assert_true(ready.ok);
	over.job.b[0] = 10;
	assert_int_equal(ipc_send_W_OVER(node, &over, NULL, 0), 0);
	PROG_GET(W_DONE, node, &done);
	prog_stop(&p);
	/*
	 * two rules and a line of a process that was out of memory, that of
	 * its end and its rule, the sum; and these three again
	 */
	assert_int_equal(verify(dir).last, 9);
	empty(dir);
}

/* A file of rules that is none: said, and the program goes on. */
static void
test_rules_file(void **state)
{
	static const uint8_t rns[64];
	struct msg_START_DONE begin = {.end_ = 0};
	struct msg_ALARM alarm;
	struct ipc_in in;
	struct prog p;
	int dir = folder();

	(void)state;
	prog_start(&p, PROGRAM_AUDIT, "trail", dir);
	prog_params(&p, rns);
	prog_text(&p, SET_RULES, "", "- rule: x\n  condition: fd.nam = y\n");
	assert_int_equal(ipc_send_START_DONE(p.parent, &begin, NULL, 0), 0);
	prog_wait(p.parent, IPC_HELLO, &in);
	ipc_in_done(&in);
	PROG_GET(ALARM, p.parent, &alarm);
	assert_non_null(strstr(alarm.text, "rules.yaml:2:14"));
	prog_wait(p.parent, IPC_READY, &in);
	ipc_in_done(&in);
	(void)node_of(&p);
	prog_stop(&p);
	empty(dir);
}

/* Torn and broken trails: said in the trail, and to the parent. */
static void
test_damage(void **state)
{
	struct msg_ALARM alarm;
	struct ipc *node, *keys;
	struct prog p;
	int dir = folder(), fd;
	struct ipc_in in;

	(void)state;
	start(&p, dir);
	node = node_of(&p);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	tell_key(keys);
	(void)event(node, 1, 1);
	(void)event(node, 2, 1);
	prog_stop(&p);
	fd = openat(dir, "00000001.jsonl", O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "{\"seq\":3,", 9), 9);
	(void)close(fd);
	start(&p, dir);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	tell_key(keys);
	node = node_of(&p);
	assert_int_equal(event(node, 3, 1).seq, 4); /* behind "torn" */
	prog_stop(&p);
	assert_int_equal(verify(dir).last, 4);
	/* one byte of line 1 */
	fd = openat(dir, "00000001.jsonl", O_RDWR);
	assert_int_equal(pwrite(fd, "9", 1, 200), 1);
	(void)close(fd);
	prog_start(&p, PROGRAM_AUDIT, "trail", dir);
	{
		static const uint8_t rns[64];
		struct msg_START_DONE done = {.end_ = 0};

		prog_params(&p, rns);
		assert_int_equal(ipc_send_START_DONE(p.parent, &done, NULL, 0),
		    0);
	}
	prog_wait(p.parent, IPC_HELLO, &in);
	ipc_in_done(&in);
	PROG_GET(ALARM, p.parent, &alarm);
	assert_int_equal(alarm.severity, 5);
	assert_non_null(strstr(alarm.text, "line 2"));
	prog_wait(p.parent, IPC_READY, &in);
	ipc_in_done(&in);
	prog_stop(&p);
	empty(dir);
}

/* The files were moved away and begun anew: keys know better. */
static void
test_replaced(void **state)
{
	struct msg_CHECKPOINT last = {.end_ = 0};
	struct msg_C_SIGNED made;
	struct msg_ALARM alarm;
	struct ipc *node, *keys;
	struct msg_C_SIGN ask = {.size = 2};
	struct prog p;
	int dir = folder();

	(void)state;
	start(&p, dir);
	node = node_of(&p);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	tell_key(keys);
	(void)event(node, 1, 1);
	sign_note(&made, &ask);
	last.size = ask.size;
	last.root = ask.root;
	memcpy(last.sig, made.sig, sizeof(last.sig));
	memcpy(last.key, made.key, sizeof(last.key));
	assert_int_equal(ipc_send_CHECKPOINT(keys, &last, NULL, 0), 0);
	PROG_GET(ALARM, p.parent, &alarm);
	assert_int_equal(alarm.severity, 5);
	assert_non_null(strstr(alarm.text, "2 lines are signed, 1 are here"));
	/* in the trail as well, and nothing more is vouched for */
	assert_int_equal(event(node, 2, 1).seq, 3);
	for (int i = 0; i < 1100; i++)
		(void)event(node, 3, 1);
	prog_quiet(keys, 50);
	prog_stop(&p);
	empty(dir);
}

/*
 * Before there is a binding the node's key, which checkpoints name, is not
 * known: nothing is asked for, and what keys signed last is compared later.
 */
static void
test_no_binding(void **state)
{
	struct msg_CHECKPOINT last = {.end_ = 0};
	struct msg_C_SIGN ask = {.size = 2};
	struct msg_C_SIGNED made;
	struct msg_ALARM alarm;
	struct ipc *node, *keys;
	struct prog p;
	int dir = folder();

	(void)state;
	start(&p, dir);
	node = node_of(&p);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	sign_note(&made, &ask);
	last.size = ask.size;
	last.root = ask.root;
	memcpy(last.sig, made.sig, sizeof(last.sig));
	memcpy(last.key, made.key, sizeof(last.key));
	assert_int_equal(ipc_send_CHECKPOINT(keys, &last, NULL, 0), 0);
	many(node, 1099);
	assert_int_equal(event(node, 1, 1).seq, 1100);
	prog_quiet(keys, 50);
	/* its lines are others than those that were signed: now it is seen */
	tell_key(keys);
	PROG_GET(ALARM, p.parent, &alarm);
	assert_int_equal(alarm.severity, 5);
	assert_non_null(strstr(alarm.text, "2 lines are signed")); /* first */
	prog_stop(&p);
	empty(dir);
	/* and with nothing signed, the lines until then are, all at once */
	dir = folder();
	start(&p, dir);
	node = node_of(&p);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	many(node, 1099);
	assert_int_equal(event(node, 1, 1).seq, 1100);
	tell_key(keys);
	PROG_GET(C_SIGN, keys, &ask);
	assert_int_equal(ask.size, 1100);
	answer(keys, &ask);
	(void)event(node, 2, 1);
	prog_stop(&p);
	assert_int_equal(verify(dir).checkpoint, 1100);
	empty(dir);
}

/* No room: HEAD 0 for node, an alarm, and the loss is said afterwards. */
static void
test_full(void **state)
{
	struct msg_ALARM alarm;
	struct ipc *node, *keys;
	struct rlimit rl, was;
	struct msg_HEAD h;
	struct prog p;
	int dir = folder();

	(void)state;
	start(&p, dir);
	node = node_of(&p);
	keys = prog_neighbour(&p, PROGRAM_KEYS);
	tell_key(keys);
	(void)event(node, 1, 1);
	assert_int_equal(prlimit(p.pid, RLIMIT_FSIZE, NULL, &was), 0);
	rl = was;
	rl.rlim_cur = 900;
	assert_int_equal(prlimit(p.pid, RLIMIT_FSIZE, &rl, NULL), 0);
	for (uint64_t i = 2; i < 9; i++)
		h = event(node, i, 1);
	assert_int_equal(h.seq, 0);
	PROG_GET(ALARM, p.parent, &alarm);
	assert_int_equal(alarm.severity, 5);
	assert_int_equal(prlimit(p.pid, RLIMIT_FSIZE, &was, NULL), 0);
	h = event(node, 10, 1);
	assert_true(h.seq > 2);
	prog_stop(&p);
	assert_int_equal(verify(dir).last, h.seq);
	empty(dir);
}

/* ---- numbers of events (common/witness.h) ---- */

#define RUN 0xfedcba9876543210u

static void
numbered(struct ipc *node, uint64_t number, uint64_t seq)
{
	struct msg_EVENT e = {.kind = EVK_JOB_STATE, .severity = 1, .when_us = 1,
	    .run = RUN, .number = number, .qid = 100 + number};
	struct msg_HEAD h;

	assert_int_equal(ipc_send_EVENT(node, &e, NULL, 0), 0);
	PROG_GET(HEAD, node, &h);
	assert_int_equal(h.qid, 100 + number);
	assert_int_equal(h.seq, seq);
}

static void
said(struct ipc *node, uint64_t acked, uint64_t upto)
{
	struct msg_EVENT_RUN m = {.run = RUN, .acked = acked, .upto = upto};

	assert_int_equal(ipc_send_EVENT_RUN(node, &m, NULL, 0), 0);
}

static void
settled(struct ipc *node, uint64_t upto)
{
	struct msg_EVENT_ACK m;

	do
		PROG_GET(EVENT_ACK, node, &m);
	while (m.upto < upto);
	assert_true(m.run == RUN);
	assert_int_equal(m.upto, upto);
}

static struct ipc *
again(struct prog *p, int dir)
{
	struct ipc *node;

	if (p->pid != 0)
		prog_kill(p);
	start(p, dir);
	node = node_of(p);
	tell_key(prog_neighbour(p, PROGRAM_KEYS));
	return node;
}

/* Each once, and what is missing is a line; also where audit is killed. */
static void
test_numbers(void **state)
{
	struct prog p = {.pid = 0};
	int dir = folder();
	struct ipc *node = again(&p, dir);
	struct rlimit rl, was;

	(void)state;
	said(node, 0, 0);
	for (uint64_t n = 1; n <= 5; n++)
		numbered(node, n, n);
	settled(node, 5);
	node = again(&p, dir);
	said(node, 2, 2);
	for (uint64_t n = 3; n <= 5; n++)
		numbered(node, n, 5); /* a line that is at or behind its own */
	numbered(node, 6, 6);
	numbered(node, 9, 8); /* 7 is the line that says so */
	settled(node, 9);
	said(node, 9, 12);
	settled(node, 12);
	assert_int_equal(verify(dir).last, 9);
	node = again(&p, dir); /* what is said to be lost stays lost */
	numbered(node, 12, 9);
	assert_int_equal(prlimit(p.pid, RLIMIT_FSIZE, NULL, &was), 0);
	rl = was;
	rl.rlim_cur = 900;
	assert_int_equal(prlimit(p.pid, RLIMIT_FSIZE, &rl, NULL), 0);
	numbered(node, 13, 0);
	numbered(node, 14, 0);
	assert_int_equal(prlimit(p.pid, RLIMIT_FSIZE, &was, NULL), 0);
	numbered(node, 15, 11);
	settled(node, 15);
	prog_stop(&p);
	assert_int_equal(verify(dir).last, 11);
	empty(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_program),
	    cmocka_unit_test(test_held),
	    cmocka_unit_test(test_watched),
	    cmocka_unit_test(test_counted),
	    cmocka_unit_test(test_rules_file),
	    cmocka_unit_test(test_damage),
	    cmocka_unit_test(test_replaced),
	    cmocka_unit_test(test_no_binding),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_numbers),
	};

	/* its look at the disk is test_integrity's */
	prog_pass[IPC_I_STATE] = prog_pass[IPC_I_WANT] = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
