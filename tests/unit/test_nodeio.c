/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ev.h>
#include <jansson.h>
#include <nettle/sha2.h>

#include "node/host/host.h"
#include "node/host/blobs.h"
#include "node/host/control.h"
#include "node/host/ledger.h"
#include "node/host/logs.h"
#include "node/host/outputs.h"

#include "tests/unit/logskit.h"
#include "tests/until.h"

/* Files, pipes and the control socket, in a real loop. */

static void
say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void
sha_of(struct id32 *out, const void *p, size_t n)
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, n, p);
	sha256_digest(&c, 32, out->b);
}

/* ---- outputs ---- */

static struct {
	unsigned calls;
	bool ok;
	struct id32 sha;
	uint64_t size;
	char why[64];
	struct left left;
} last;

static void
done(void *ctx, const struct id32 *job, unsigned volume, bool ok,
    const struct id32 *sha, uint64_t size, const struct left *left,
    const char *why)
{
	(void)ctx;
	(void)job->b;
	(void)volume;
	last.left = *left;
	last.calls++;
	last.ok = ok;
	last.sha = *sha;
	last.size = size;
	(void)snprintf(last.why, sizeof(last.why), "%s", why);
}

static uint32_t
unix_now(void *ctx)
{
	(void)ctx;
	return 1800000000;
}

static bool no_room;

static bool
disk_full(void *ctx)
{
	(void)ctx;
	return no_room;
}

static void
needed(void *ctx, const struct fp *fp, inputs_each_fn *each, void *arg)
{
	(void)ctx;
	(void)fp;
	(void)each;
	(void)arg;
}

/* Killed between the last byte of an upload and the rename. */
static void
test_upload_killed(void **state)
{
	const struct blobs_limits limits = {1 << 20, 1 << 20};
	static const struct fp owner = {{9}};
	char path[128], why[160], part[128], hex[65];
	struct ledger *l;
	struct blobs *b;
	struct id32 sha;
	uint64_t have;
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/ledger.db", dir);
	l = ledger_open(path, why);
	assert_non_null(l);
	sha_of(&sha, "upload", 6);
	b = blobs_open(dirfd_, l, &limits, needed, NULL);
	assert_non_null(b);
	blobs_close(b);
	hex_encode(hex, owner.b, 16);
	(void)snprintf(part, sizeof(part), "parts/%s-", hex);
	hex_encode(hex, HASH_BYTES(sha));
	(void)strncat(part, hex, sizeof(part) - strlen(part) - 1);
	fd = openat(dirfd_, part, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, "upload", 6), 6);
	(void)close(fd);
	b = blobs_open(dirfd_, l, &limits, needed, NULL);
	assert_non_null(b);
	assert_int_equal(blobs_have(b, &owner, &sha), 6);
	/* what a client sends that asks how much is here */
	assert_int_equal(blobs_put(b, &owner, &sha, 6, 0, NULL, 0, 1000, &have),
	    BLOB_WHOLE);
	assert_int_equal(have, 6);
	assert_true(blobs_has(b, &owner, &sha, &have));
	blobs_close(b);
	ledger_close(l);
}

static void
test_outputs(void **state)
{
	const struct outputs_ops ops = {NULL, done, unix_now, disk_full};
	const struct blobs_limits limits = {1 << 20, 1 << 20};
	static const struct fp owner = {{7}};
	static const struct id32 job = {{1}};
	char path[128], why[160];
	struct outputs *o;
	struct ledger *l;
	struct blobs *b;
	struct id32 want;
	uint64_t size;
	struct left none = {0}, some = {0};
	int p[2];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/ledger.db", dir);
	l = ledger_open(path, why);
	assert_non_null(l);
	b = blobs_open(dirfd_, l, &limits, needed, NULL);
	o = outputs_new(loop, b, &ops);
	/* EOF, then the word of the step */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	outputs_open(o, &job, &owner, 1, p[0], 100);
	say(p[1], "packed");
	(void)close(p[1]);
	turns(3);
	assert_int_equal(last.calls, 0);
	left_add(&some, 0, LEFT_LINK, "out", 3);
	outputs_step(o, &job, 1, true, &some, "");
	assert_int_equal(last.calls, 1);
	assert_int_equal(last.left.count, 1);
	assert_memory_equal(last.left.buf + 3, "out", 3);
	assert_true(last.ok);
	sha_of(&want, "packed", 6);
	assert_memory_equal(last.sha.b, want.b, 32);
	assert_true(blobs_has(b, &owner, &want, &size));
	assert_int_equal(size, 6);
	/* the other way round */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	outputs_open(o, &job, &owner, 2, p[0], 100);
	say(p[1], "other");
	outputs_step(o, &job, 2, true, &none, "");
	turns(2);
	assert_int_equal(last.calls, 1);
	(void)close(p[1]);
	turns(3);
	assert_int_equal(last.calls, 2);
	assert_int_equal(last.size, 5);
	/* too large: refused, and its step ends by the next write */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	outputs_open(o, &job, &owner, 3, p[0], 4);
	say(p[1], "12345");
	turns(2);
	assert_int_equal(write(p[1], "6789", 4), -1);
	assert_int_equal(errno, EPIPE);
	(void)close(p[1]);
	assert_int_equal(last.calls, 2);
	outputs_step(o, &job, 3, false, &none, "packing: Broken pipe");
	assert_int_equal(last.calls, 3);
	assert_false(last.ok);
	assert_non_null(strstr(last.why, "larger"));
	/* that it is, node sees by the size */
	assert_true(last.size > 4);
	/* the step's own failure, with and without a pipe */
	outputs_step(o, &job, 4, false, &none, "a socket");
	assert_int_equal(last.calls, 4);
	assert_string_equal(last.why, "a socket");
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	outputs_open(o, &job, &owner, 5, p[0], 100);
	outputs_drop(o, &job);
	(void)close(p[1]);
	turns(2);
	assert_int_equal(last.calls, 4);
	outputs_free(o);
	blobs_close(b);
	ledger_close(l);
}

static bool keeps; /* somebody needs what was put */
static struct {
	struct fp fp;
	struct id32 sha;
} results[8];
static unsigned nresults;

static void
needs_results(void *ctx, const struct fp *fp, inputs_each_fn *each, void *arg)
{
	(void)ctx;
	(void)fp;
	for (unsigned i = 0; keeps && i < nresults; i++)
		each(arg, &results[i].fp, &results[i].sha);
}

/* A job's output; whether it was kept. */
static bool
put_out(struct outputs *o, const struct fp *owner, uint8_t nth, size_t size)
{
	static const struct left none;
	struct id32 job = {{nth}};
	unsigned calls = last.calls;
	uint8_t buf[2048];
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	outputs_open(o, &job, owner, 0, p[0], 4 << 20);
	memset(buf, nth, sizeof(buf));
	for (size_t at = 0; at < size; at += sizeof(buf)) {
		if (write(p[1], buf, sizeof(buf)) < 0)
			break; /* no more is wanted */
		turns(1);
	}
	(void)close(p[1]);
	turns(2);
	outputs_step(o, &job, 0, true, &none, "");
	assert_int_equal(last.calls, calls + 1);
	if (last.ok && nresults < 8) {
		results[nresults].fp = *owner;
		results[nresults++].sha = last.sha;
	}
	return last.ok;
}

/* Results that nobody fetches are his spool's, and what he has beyond is not
 * kept: others have theirs (compute.md 3.2). */
static void
test_outputs_spool(void **state)
{
	const struct outputs_ops ops = {NULL, done, unix_now, disk_full};
	const struct blobs_limits limits = {65536, 32768};
	static const struct fp owner = {{21}}, other = {{22}}, third = {{23}};
	char path[128], why[160];
	struct outputs *o;
	struct ledger *l;
	struct blobs *b;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/spool.db", dir);
	l = ledger_open(path, why);
	assert_non_null(l);
	b = blobs_open(dirfd_, l, &limits, needs_results, NULL);
	o = outputs_new(loop, b, &ops);
	keeps = true;
	assert_true(put_out(o, &owner, 1, 16384));
	assert_true(put_out(o, &owner, 2, 14336));
	assert_false(put_out(o, &owner, 3, 4096));
	assert_non_null(strstr(last.why, "spool"));
	assert_int_equal(blobs_held(b, &owner), 30720);
	/* the same again is no more */
	assert_true(put_out(o, &owner, 1, 16384));
	assert_int_equal(blobs_held(b, &owner), 30720);
	assert_true(put_out(o, &other, 4, 32768));
	/* and all together are bounded */
	assert_false(put_out(o, &third, 5, 4096));
	/* what nobody needs makes room */
	keeps = false;
	assert_true(put_out(o, &owner, 6, 16384));
	assert_true(blobs_held(b, &owner) <= 32768);
	assert_true(blobs_total(b) <= 65536);
	outputs_free(o);
	blobs_close(b);
	ledger_close(l);
	assert_int_equal(unlink(path), 0);
}

/* An output that would take the room that others have. */
static void
test_outputs_disk(void **state)
{
	const struct outputs_ops ops = {NULL, done, unix_now, disk_full};
	const struct blobs_limits limits = {8 << 20, 8 << 20};
	static const struct fp owner = {{31}};
	char path[128], why[160];
	struct outputs *o;
	struct ledger *l;
	struct blobs *b;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/disk.db", dir);
	l = ledger_open(path, why);
	assert_non_null(l);
	b = blobs_open(dirfd_, l, &limits, needed, NULL);
	o = outputs_new(loop, b, &ops);
	no_room = true;
	assert_true(put_out(o, &owner, 1, OUTPUTS_LOOK / 2));
	assert_false(put_out(o, &owner, 2, OUTPUTS_LOOK * 2));
	assert_string_equal(last.why, "the disk of the node is full");
	no_room = false;
	assert_true(put_out(o, &owner, 2, OUTPUTS_LOOK * 2));
	outputs_free(o);
	blobs_close(b);
	ledger_close(l);
	assert_int_equal(unlink(path), 0);
}

/* The next descriptor that is free. */
static int
next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)close(fd);
	return fd;
}

/* What has come in part may wait for days: it is not open meanwhile. */
static void
test_many_parts(void **state)
{
	const struct blobs_limits limits = {1 << 20, 1 << 20};
	static const struct fp alice = {{41}};
	char path[128], why[160];
	struct ledger *l;
	struct blobs *b;
	struct id32 sha;
	uint64_t have;
	int before;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/parts.db", dir);
	l = ledger_open(path, why);
	assert_non_null(l);
	b = blobs_open(dirfd_, l, &limits, needed, NULL);
	assert_non_null(b);
	before = next_fd();
	for (uint8_t i = 0; i < 100; i++) {
		sha_of(&sha, &i, 1);
		assert_int_equal(blobs_put(b, &alice, &sha, 100, 0,
			(const uint8_t *)"part", 4, 1000, &have), BLOB_MORE);
		assert_int_equal(have, 4);
	}
	assert_int_equal(next_fd(), before);
	/* and goes on where it was */
	sha_of(&sha, "parted", 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(blobs_put(b, &alice, &sha, 6, i,
			(const uint8_t *)&"parted"[i], 1, 1000, &have),
		    i < 5 ? BLOB_MORE : BLOB_WHOLE);
	assert_int_equal(next_fd(), before);
	blobs_close(b);
	ledger_close(l);
	assert_int_equal(unlink(path), 0);
}

/* ---- control ---- */

static struct warren_node wn;

static void
no_event(void *ctx, const struct msg_EVENT *m)
{
	(void)ctx;
	(void)m;
}

static bool
no_seal(void *ctx, struct job *j)
{
	(void)ctx;
	(void)j;
	return true;
}

static void
no_const_job(void *ctx, const struct job *j)
{
	(void)ctx;
	(void)j;
}

static json_t *
control(int fd, const char *line)
{
	char buf[70000];
	ssize_t n;
	json_t *o;

	say(fd, line);
	turns(6);
	n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);
	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	o = json_loads(buf, 0, NULL);
	return o;
}

static json_int_t
counted(const json_t *o, const char *name)
{
	return json_integer_value(
	    json_object_get(json_object_get(o, "counts"), name));
}

static void
is_ok(json_t *o, bool ok)
{
	assert_non_null(o);
	assert_int_equal(json_is_true(json_object_get(o, "ok")), ok);
	if (ok)
		assert_true(json_is_true(json_object_get(o, "end")));
	json_decref(o);
}

/* numbers and streams of `logs`, as on the mesh */
static const struct {
	const char *words;
	bool good;
} log_words[] = {
    {"\"offset\":0,\"n\":1", true}, {"\"stream\":\"stderr\"", true},
    {"\"stream\":\"stdout\"", true}, {"\"n\":9223372036854775807", true},
    {"\"offset\":9223372036854775807", false},
    {"\"offset\":-1", false}, {"\"offset\":1.0", false},
    {"\"offset\":\"0\"", false}, {"\"n\":0", false}, {"\"n\":-5", false},
    {"\"n\":null", false}, {"\"stream\":\"stdin\"", false},
    {"\"stream\":1", false}};

static uint64_t
no_disk(void *ctx)
{
	(void)ctx;
	return 0;
}

static bool
not_readonly(void *ctx)
{
	(void)ctx;
	return false;
}

/* One name, of the digest that the first job has. */
static unsigned
one_image(void *ctx, struct proto_image *out, unsigned max)
{
	static struct id32 digest;

	(void)ctx;
	memset(&digest, 0x77, sizeof(digest));
	assert_true(max > 0);
	out[0] = (struct proto_image){pstr_of("kai/tools:1"), digest.b};
	return 1;
}

static void
test_control(void **state)
{
	const struct blobs_limits limits = {1 << 20, 1 << 20};
	struct host h = {.send_EVENT = no_event, .kill = no_seal, .log_seal = no_seal,
	    .log_end = no_const_job, .drop_body = no_const_job,
	    .disk_free = no_disk, .disk_readonly = not_readonly,
	    .images = one_image};
	const json_t *row;
	struct policy p;
	struct job *j;
	char path[128], why[160], big[70000];
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int listener, fd;
	json_t *o;

	(void)state;
	policy_init(&p, 2, 1 << 30);
	p.accept = true;
	assert_true(node_init(&wn.node, &p, &h));
	node_time(&wn.node, (struct mono){5}, INT64_C(1800000000000000));
	wn.loop = loop;
	wn.dir = dirfd_;
	wn.logs = logs;
	(void)snprintf(path, sizeof(path), "%s/l.db", dir);
	wn.ledger = ledger_open(path, why);
	wn.blobs = blobs_open(dirfd_, wn.ledger, &limits, needed, NULL);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/sock", dir);
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof(sun)),
	    0);
	assert_int_equal(listen(listener, 4), 0);
	wn.control = control_open(&wn, listener);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	turns(3);
	for (uint8_t i = 1; i <= 3; i++) {
		j = a_job(i, 10);
		j->deadline = 1900000000;
		memset(&j->image, i == 1 ? 0x77 : 0, sizeof(j->image));
		job_admit(&wn.node.jobs, j, false, "slots", 1800000000,
		    wn.node.now);
	}
	wn.node.count.parked_out = 3;
	wn.node.count.links_closed = 4;
	wn.node.count.images_given = 7;
	wn.node.count.contents_bad = 8;
	wn.node.count.edges = 5;
	wn.node.jobs.edges = 6;
	o = control(fd, "{\"verb\":\"status\"}\n");
	assert_int_equal(counted(o, "parked_out"), 3);
	assert_int_equal(counted(o, "links_closed"), 4);
	assert_int_equal(counted(o, "images_given"), 7);
	assert_int_equal(counted(o, "contents_bad"), 8);
	assert_int_equal(counted(o, "illegal_edges"), 11);
	assert_true(json_is_false(json_object_get(o, "accepting")));
	assert_string_equal(json_string_value(json_object_get(o, "why")),
	    "the disk of the node is full");
	is_ok(o, true);
	is_ok(control(fd, "{\"verb\":\"peers\"}\n"), true);
	o = control(fd, "{\"verb\":\"jobs\"}\n");
	assert_int_equal(json_array_size(json_object_get(o, "jobs")), 3);
	row = json_array_get(json_object_get(o, "jobs"), 0);
	assert_string_equal(json_string_value(json_object_get(row,
				"image_name")), "kai/tools:1");
	assert_int_equal(json_integer_value(json_object_get(row, "admitted")),
	    1800000000);
	row = json_array_get(json_object_get(o, "jobs"), 1);
	assert_true(json_is_null(json_object_get(row, "image_name")));
	is_ok(o, true);
	o = control(fd, "{\"verb\":\"show\",\"id\":\"0200\"}\n");
	assert_string_equal(json_string_value(json_object_get(o, "state")),
	    "queued");
	is_ok(o, true);
	o = control(fd, "{\"verb\":\"cancel\",\"id\":\"0300\"}\n");
	assert_string_equal(json_string_value(json_object_get(o, "reason")),
	    "operator");
	is_ok(o, true);
	is_ok(control(fd, "{\"verb\":\"show\",\"id\":\"09ff\"}\n"), false);
	is_ok(control(fd, "{\"verb\":\"show\",\"id\":\"\"}\n"), false);
	is_ok(control(fd, "{\"verb\":\"result\",\"id\":\"0100\"}\n"), false);
	is_ok(control(fd, "{\"verb\":\"logs\",\"id\":\"0100\"}\n"), true);
	for (size_t i = 0; i < NELEM(log_words); i++) {
		char line[200];

		(void)snprintf(line, sizeof(line),
		    "{\"verb\":\"logs\",\"id\":\"0100\",%s}\n",
		    log_words[i].words);
		is_ok(control(fd, line), log_words[i].good);
	}
	is_ok(control(fd, "{\"verb\":\"dance\"}\n"), false);
	is_ok(control(fd, "not json\n"), false);
	is_ok(control(fd, "[]\n"), false);
	is_ok(control(fd, "{\"verb\":\"status\",\"verb\":\"jobs\"}\n"), false);
	/* 64 KiB without an end of line: hung up */
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	(void)send(fd, big, sizeof(big) - 1, MSG_NOSIGNAL);
	turns(10);
	while (recv(fd, big, sizeof(big), MSG_DONTWAIT) > 0)
		continue;
	assert_true(errno != EAGAIN);
	(void)close(fd);
	control_close(wn.control);
	node_clear(&wn.node);
	blobs_close(wn.blobs);
	ledger_close(wn.ledger);
}

int
main(void)
{
	(void)signal(SIGPIPE, SIG_IGN); /* as in program.c */
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_outputs), T(test_outputs_spool), T(test_outputs_disk),
	    T(test_upload_killed), T(test_many_parts), T(test_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
