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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ev.h>
#include <nettle/sha2.h>

#include "common/wire.h"
#include "node/host/logs.h"

#include "tests/unit/logskit.h"
#include "tests/until.h"

/* What jobs print: pipes, files and followers, in a real loop. */

static void
pipes(int out[2], int err[2])
{
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
}

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

static void
test_caps(void **state)
{
	struct job *j = a_job(1, 10);
	int out[2], err[2];
	uint8_t buf[64];
	struct id32 want;

	(void)state;
	pipes(out, err);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	say(out[1], "12345678");
	turns(3);
	assert_int_equal(j->log[0], 8);
	assert_true(grew_calls > 0);
	say(err[1], "abcdef");
	turns(3);
	/* the sum of both is kept up to the limit, exactly */
	assert_int_equal(j->log[0], 8);
	assert_int_equal(j->log[1], 2);
	assert_int_equal(j->log[2], 4);
	say(out[1], "more");
	(void)close(out[1]);
	(void)close(err[1]);
	/* without another turn: what is in the pipes is taken */
	assert_true(logs_seal(logs, j));
	assert_int_equal(j->log[2], 8);
	assert_int_equal(logs_read(logs, j, 1, 2, buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "345678", 6);
	assert_int_equal(logs_read(logs, j, 2, 0, buf, sizeof(buf)), 2);
	sha_of(&want, "12345678", 8);
	assert_memory_equal(j->log_sha[0].b, want.b, 32);
	sha_of(&want, "ab", 2);
	assert_memory_equal(j->log_sha[1].b, want.b, 32);
	logs_drop(logs, j);
	assert_int_equal(logs_read(logs, j, 1, 0, buf, sizeof(buf)), -1);
	job_free(j);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
static unsigned folders_synced, files_synced;

int
__wrap_fsync(int fd)
{
	folders_synced++;
	return __real_fsync(fd);
}

int
__wrap_fdatasync(int fd)
{
	files_synced++;
	return __real_fdatasync(fd);
}

/* What was printed is on the disk, and its name, before anybody says so. */
static void
test_synced(void **state)
{
	struct job *j = a_job(1, 100);
	int out[2], err[2];

	(void)state;
	pipes(out, err);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	say(out[1], "out");
	say(err[1], "err");
	turns(3);
	(void)close(out[1]);
	(void)close(err[1]);
	folders_synced = files_synced = 0;
	assert_true(logs_seal(logs, j));
	assert_int_equal(files_synced, 2);
	assert_int_equal(folders_synced, 1);
	job_free(j);
}

/* A job that never ran has the digests of nothing. */
static void
test_never_ran(void **state)
{
	struct job *j = a_job(1, 10);
	struct id32 want;

	(void)state;
	assert_true(logs_seal(logs, j));
	sha_of(&want, "", 0);
	assert_memory_equal(j->log_sha[0].b, want.b, 32);
	assert_memory_equal(j->log_sha[1].b, want.b, 32);
	job_free(j);
}

/* A new program finds the job again, and its file goes on. */
static void
test_found_again(void **state)
{
	struct job *j = a_job(1, 100), *k = a_job(1, 100);
	int out[2], err[2], dup_out, dup_err;
	uint8_t buf[64];

	(void)state;
	pipes(out, err);
	dup_out = dup(out[0]);
	dup_err = dup(err[0]);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	say(out[1], "before ");
	turns(3);
	/* the node ends, the job goes on */
	logs_close(logs);
	job_free(j);
	open_logs();
	say(out[1], "after");
	assert_int_equal(logs_attach(logs, k, dup_out, dup_err), 0);
	assert_int_equal(k->log[0], 7);
	(void)close(out[1]);
	(void)close(err[1]);
	assert_true(logs_seal(logs, k));
	assert_int_equal(logs_read(logs, k, 1, 0, buf, sizeof(buf)), 12);
	assert_memory_equal(buf, "before after", 12);
	job_free(k);
}

static unsigned
runs_of(struct job *j, unsigned from, const uint32_t *want, unsigned n)
{
	uint8_t buf[64];
	size_t got = logs_runs(logs, j, from, buf, sizeof(buf) / 4);

	assert_int_equal(got, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(get_u32(buf + 4 * i), want[i]);
	return (unsigned)got;
}

/* In which order it wrote, also after a restart and a kill in between. */
static void
test_order(void **state)
{
#define ERR UINT32_C(0x80000000)
	struct job *j = a_job(1, 100), *k = a_job(1, 100);
	int out[2], err[2], dup_out, dup_err;
	char path[160];

	(void)state;
	pipes(out, err);
	dup_out = dup(out[0]);
	dup_err = dup(err[0]);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	(void)runs_of(j, 0, NULL, 0);
	say(out[1], "one ");
	turns(3);
	say(out[1], "two ");
	turns(3);
	say(err[1], "three ");
	turns(3);
	/* a run that was told grows no more */
	(void)runs_of(j, 0, (uint32_t[]){8, ERR | 6}, 2);
	say(err[1], "four ");
	turns(3);
	(void)runs_of(j, 2, (uint32_t[]){ERR | 5}, 1);
	say(out[1], "five");
	turns(3);
	/* killed before it was told: what is not in it comes behind */
	(void)snprintf(path, sizeof(path), "%s/logs/01%062d.3", dir, 0);
	logs_close(logs);
	assert_int_equal(truncate(path, 8), 0);
	job_free(j);
	open_logs();
	assert_int_equal(logs_attach(logs, k, dup_out, dup_err), 0);
	(void)runs_of(k, 0, (uint32_t[]){8, ERR | 6, 4, ERR | 5}, 4);
	say(out[1], "!");
	(void)close(out[1]);
	(void)close(err[1]);
	assert_true(logs_seal(logs, k));
	(void)runs_of(k, 4, (uint32_t[]){1}, 1);
	(void)runs_of(k, 99, NULL, 0);
	/* over the limit nothing is kept, and has no order */
	logs_drop(logs, k);
	(void)runs_of(k, 0, NULL, 0);
	assert_int_equal(access(path, F_OK), -1);
	job_free(k);
}

/* A log that has lost bytes makes its order void. */
static void
test_order_lost(void **state)
{
	struct job *j = a_job(1, 100);
	int out[2], err[2];
	char path[160];
	uint8_t b[8];
	int fd;

	(void)state;
	pipes(out, err);
	(void)snprintf(path, sizeof(path), "%s/logs/01%062d.3", dir, 0);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	put_u32(b, 70000);
	put_u32(b + 4, ERR | 1);
	assert_int_equal(write(fd, b, 8), 8);
	(void)close(fd);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	(void)runs_of(j, 0, NULL, 0);
	say(err[1], "x");
	turns(3);
	(void)runs_of(j, 0, (uint32_t[]){ERR | 1}, 1);
	(void)close(out[1]);
	(void)close(err[1]);
	assert_true(logs_seal(logs, j));
	job_free(j);
}

static size_t
read_all(int fd, char *buf, size_t cap, bool *eof)
{
	size_t have = 0;

	*eof = false;
	for (;;) {
		ssize_t n = read(fd, buf + have, cap - have);

		if (n == 0)
			*eof = true;
		if (n <= 0)
			return have;
		have += (size_t)n;
	}
}

static void
test_follow(void **state)
{
	static const struct hash16 link = {{1}};
	struct job *j = a_job(1, 1000);
	struct until late;
	int out[2], err[2], fd;
	char buf[256];
	size_t got;
	bool eof;

	(void)state;
	pipes(out, err);
	/* before it has started */
	fd = logs_follow(logs, &link, 1, j, 0);
	assert_true(fd >= 0);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	say(out[1], "hello ");
	say(err[1], "not this");
	turns(3);
	assert_int_equal(read_all(fd, buf, sizeof(buf), &eof), 6);
	assert_false(eof);
	say(out[1], "world");
	turns(3);
	/* the budget is used up: nothing comes until there is some again */
	room_left = 0;
	say(out[1], "!!");
	turns(3);
	assert_int_equal(read_all(fd, buf, sizeof(buf), &eof), 5);
	room_left = 1000;
	late = until_begin("what had to wait for room", PATIENCE_MS);
	do {
		turns(1);
		got = read_all(fd, buf, sizeof(buf), &eof);
	} while (got == 0 && until_step(&late));
	assert_int_equal(got, 2);
	(void)close(out[1]);
	(void)close(err[1]);
	assert_true(logs_seal(logs, j));
	assert_int_equal(read_all(fd, buf, sizeof(buf), &eof), 0);
	assert_false(eof);
	j->state = JS_DONE;
	logs_end(logs, j);
	(void)read_all(fd, buf, sizeof(buf), &eof);
	assert_true(eof);
	(void)close(fd);
	/* from the middle, after the end */
	fd = logs_follow(logs, &link, 1, j, 8);
	assert_int_equal(read_all(fd, buf, sizeof(buf), &eof), 5);
	assert_memory_equal(buf, "rld!!", 5);
	assert_true(eof);
	(void)close(fd);
	assert_int_equal(sent_bytes, 18);
	job_free(j);
}

/* One who does not read is not waited for; one who is gone is dropped. */
static void
test_slow_follower(void **state)
{
	static const struct hash16 link = {{1}};
	static char big[200000];
	struct job *j = a_job(1, 1u << 20);
	int out[2], err[2], fd;
	size_t total = 0;
	bool eof = false;

	(void)state;
	pipes(out, err);
	(void)fcntl(out[1], F_SETFL, O_NONBLOCK);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	fd = logs_follow(logs, &link, 1, j, 0);
	for (size_t done = 0; done < sizeof(big);) {
		ssize_t n = write(out[1], big + done, sizeof(big) - done);

		if (n > 0)
			done += (size_t)n;
		turns(1);
	}
	turns(5);
	assert_int_equal(j->log[0], sizeof(big));
	(void)close(out[1]);
	(void)close(err[1]);
	assert_true(logs_seal(logs, j));
	j->state = JS_DONE;
	logs_end(logs, j);
	while (!eof && total <= sizeof(big)) {
		size_t n = read_all(fd, big, sizeof(big), &eof);

		total += n;
		turns(2);
	}
	assert_int_equal(total, sizeof(big));
	(void)close(fd);
	fd = logs_follow(logs, &link, 1, j, 0);
	(void)close(fd);
	(void)signal(SIGPIPE, SIG_IGN);
	turns(5);
	logs_unfollow(logs, &link, 1);
	job_free(j);
}

/* Is there a file of the job? */
static bool
is_file(unsigned which)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/logs/01%062d.%u", dir, 0, which);
	return access(path, F_OK) == 0;
}

/* One for each stream that has a byte, and for their order when both have. */
static void
test_files(void **state)
{
	static const struct {
		const char *out, *err;
		bool is[4];
	} rows[] = {{"", "", {false, false, false, false}},
	    {"out", "", {false, true, false, false}},
	    {"", "err", {false, false, true, false}},
	    {"out", "err", {false, true, true, true}},
	    {"more than the ten", "", {true, true, false, false}}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct job *j = a_job(1, 10);
		int out[2], err[2];
		struct id32 want;

		pipes(out, err);
		assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
		turns(2);
		say(out[1], rows[i].out);
		turns(2);
		say(err[1], rows[i].err);
		(void)close(out[1]);
		(void)close(err[1]);
		assert_true(logs_seal(logs, j));
		for (unsigned k = 0; k < 4; k++)
			assert_int_equal(is_file(k), rows[i].is[k]);
		sha_of(&want, rows[i].err, strlen(rows[i].err));
		assert_memory_equal(j->log_sha[1].b, want.b, 32);
		logs_drop(logs, j);
		for (unsigned k = 0; k < 4; k++)
			assert_false(is_file(k));
		job_free(j);
	}
}

static bool
known(void *ctx, const struct id32 *id)
{
	(void)ctx;
	return id->b[0] == 1;
}

static void
test_sweep(void **state)
{
	struct job *j = a_job(1, 10), *k = a_job(2, 10);
	uint8_t buf[4];
	int out[2], err[2];
	char name[160];

	(void)state;
	pipes(out, err);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	say(out[1], "x");
	(void)close(out[1]);
	(void)close(err[1]);
	assert_true(logs_seal(logs, j));
	(void)snprintf(name, sizeof(name), "%s/logs/rubbish", dir);
	(void)close(open(name, O_CREAT | O_WRONLY, 0600));
	pipes(out, err);
	assert_int_equal(logs_attach(logs, k, out[0], err[0]), 0);
	say(out[1], "x");
	(void)close(out[1]);
	(void)close(err[1]);
	assert_true(logs_seal(logs, k));
	logs_sweep(logs, known, NULL);
	assert_int_equal(access(name, F_OK), -1);
	assert_int_equal(logs_read(logs, j, 1, 0, buf, 4), 1);
	assert_int_equal(logs_read(logs, k, 1, 0, buf, 4), -1);
	job_free(k);
	job_free(j);
}

/* One who has many links takes a part of the descriptors, and not all. */
static void
test_followers(void **state)
{
	struct job *j = a_job(1, 100), *k = a_job(2, 100);
	int fds[LOGS_FOLLOWERS_OF_ONE], fd;
	struct hash16 link = {{0}};

	(void)state;
	memset(&k->owner, 0x55, sizeof(k->owner));
	for (unsigned i = 0; i < LOGS_FOLLOWERS_OF_ONE; i++) {
		link.b[0] = (uint8_t)i;
		fds[i] = logs_follow(logs, &link, 1, j, 0);
		assert_true(fds[i] >= 0);
	}
	link.b[1] = 1;
	assert_int_equal(logs_follow(logs, &link, 1, j, 0), -1);
	fd = logs_follow(logs, &link, 1, k, 0);
	assert_true(fd >= 0);
	(void)close(fd);
	logs_unfollow(logs, &link, 1);
	for (unsigned i = 0; i < LOGS_FOLLOWERS_OF_ONE; i++) {
		link.b[0] = (uint8_t)i;
		link.b[1] = 0;
		logs_unfollow(logs, &link, 1);
		(void)close(fds[i]);
	}
	fd = logs_follow(logs, &link, 1, j, 0);
	assert_true(fd >= 0);
	logs_unfollow(logs, &link, 1);
	(void)close(fd);
	job_free(k);
	job_free(j);
}

/* Other lives of the program find its size again, and one that ends finds its
 * log as it was left; a new attempt has another. */
static void
test_lost(void **state)
{
	static const struct hash16 link = {{1}}, other = {{2}};
	struct job *j = a_job(1, 100);
	struct id32 want;
	char buf[64];
	int out[2], err[2], has, none;
	bool eof;

	(void)state;
	none = logs_follow(logs, &other, 2, j, 0);
	pipes(out, err);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	say(out[1], "first try");
	turns(3);
	has = logs_follow(logs, &link, 1, j, 0);
	assert_int_equal(read_all(has, buf, sizeof(buf), &eof), 9);
	/* node and jail are gone together */
	(void)close(out[1]);
	(void)close(err[1]);
	logs_close(logs);
	(void)close(has);
	(void)close(none);
	open_logs();
	memset(j->log, 0, sizeof(j->log));
	assert_true(logs_seal(logs, j));
	assert_int_equal(j->log[0], 9);
	sha_of(&want, "first try", 9);
	assert_memory_equal(j->log_sha[0].b, want.b, 32);
	/* who follows it gets its end; who has got nothing, the next one */
	has = logs_follow(logs, &link, 1, j, 2);
	none = logs_follow(logs, &other, 1, j, 9);
	(void)close(none);
	logs_unfollow(logs, &other, 1);
	none = logs_follow(logs, &other, 2, j, 0);
	logs_drop(logs, j);
	assert_int_equal(read_all(has, buf, sizeof(buf), &eof), 7);
	assert_true(eof);
	(void)close(has);
	pipes(out, err);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	assert_int_equal(j->log[0], 0);
	say(err[1], "second");
	turns(3);
	assert_int_equal(read_all(none, buf, sizeof(buf), &eof), 6);
	assert_false(eof);
	(void)close(out[1]);
	(void)close(err[1]);
	assert_true(logs_seal(logs, j));
	(void)close(none);
	job_free(j);
}

#define LIMIT (UINT64_C(1) << 20)
#define LINE 8 /* "1234567\n" */

/* One life of a program that reads: until it is killed, or the job ends. */
static void
reader(const int out[2], const int err[2])
{
	struct job *j = a_job(1, LIMIT);

	loop = ev_loop_new(EVFLAG_AUTO);
	if (loop == NULL)
		_exit(2);
	open_logs();
	if (logs_attach(logs, j, dup(out[0]), dup(err[0])) != 0)
		_exit(3);
	for (;;)
		(void)ev_run(loop, EVRUN_ONCE);
}

static pid_t
writer(int fd, unsigned lines)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (unsigned i = 0; i < lines; i++) {
		char line[LINE + 1];

		(void)snprintf(line, sizeof(line), "%07u\n", i);
		if (write(fd, line, LINE) != LINE)
			_exit(1);
	}
	_exit(0);
}

/*
 * A job prints a counter as fast as it can; who reads it is killed at any
 * moment, again and again. The log is the beginning of the sequence, and what
 * was discarded is counted to the byte.
 */
static void
test_killed(void **state)
{
	enum { LINES = 400000 };
	struct job *j = a_job(1, LIMIT);
	int out[2], err[2], kills = 0, status;
	char want[LINE + 1];
	uint8_t got[LINE];
	unsigned seed = 1;
	pid_t from, to;

	(void)state;
	pipes(out, err);
	assert_true((from = writer(out[1], LINES)) > 0);
	while (waitpid(from, &status, WNOHANG) == 0) {
		assert_true((to = fork()) >= 0);
		if (to == 0)
			reader(out, err);
		seed = seed * 1103515245 + 12345;
		quiet(500 + seed / 65536 % 3000, "the moment is the subject");
		assert_int_equal(kill(to, SIGKILL), 0);
		assert_int_equal(waitpid(to, &status, 0), to);
		assert_true(WIFSIGNALED(status));
		kills++;
	}
	assert_true(kills > 3);
	(void)close(out[1]);
	(void)close(err[1]);
	logs_close(logs);
	open_logs();
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	if (!logs_seal(logs, j)) {
		struct until u = until_begin("the digests", PATIENCE_MS);

		while (sealed_job == NULL && until_step(&u))
			turns(1);
		assert_ptr_equal(sealed_job, j);
	}
	assert_int_equal(j->log[0], LIMIT);
	assert_int_equal(j->log[2], (uint64_t)LINES * LINE - LIMIT);
	for (unsigned i = 0; i < LIMIT / LINE; i++) {
		(void)snprintf(want, sizeof(want), "%07u\n", i);
		assert_int_equal(logs_read(logs, j, 1, (uint64_t)i * LINE, got,
		    LINE), LINE);
		assert_memory_equal(got, want, LINE);
	}
	job_free(j);
}

/* What was discarded takes no room, and a log without room has no gap. */
static void
test_no_room(void **state)
{
	struct job *j = a_job(1, 1u << 30);
	struct rlimit old, low = {65536, 65536};
	static char chunk[65536];
	struct stat st;
	int out[2], err[2];
	char name[160];

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	pipes(out, err);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	for (int i = 0; i < 48; i++) {
		if (i == 1) {
			/* as a full disk: the file takes no more */
			assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
			low.rlim_max = old.rlim_max;
			assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
		}
		if (i == 2)
			assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(write(out[1], chunk, sizeof(chunk)),
		    sizeof(chunk));
		turns(3);
	}
	assert_int_equal(j->log[0], 65536);
	assert_int_equal(j->log[2], 47 * 65536);
	(void)snprintf(name, sizeof(name), "%s/logs/01%062d.0", dir, 0);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_size, 47 * 65536);
	assert_true((uint64_t)st.st_blocks * 512 <= 2u << 20);
	(void)close(out[1]);
	(void)close(err[1]);
	assert_true(logs_seal(logs, j));
	job_free(j);
}

/* A long log of a life before is hashed in steps, and the loop goes on. */
static void
test_hash_steps(void **state)
{
	enum { LONG = 8 << 20 };
	struct job *j = a_job(1, LONG);
	struct until u = until_begin("the digests", PATIENCE_MS);
	uint8_t *all = malloc(LONG);
	struct id32 want;
	int out[2], err[2], fd;
	unsigned steps = 0;
	char name[160];

	(void)state;
	assert_non_null(all);
	for (size_t i = 0; i < LONG; i++)
		all[i] = (uint8_t)(i * 31 >> 5);
	(void)snprintf(name, sizeof(name), "%s/logs/01%062d.2", dir, 0);
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, all, LONG), LONG);
	(void)close(fd);
	pipes(out, err);
	(void)close(out[1]);
	(void)close(err[1]);
	assert_int_equal(logs_attach(logs, j, out[0], err[0]), 0);
	assert_false(logs_seal(logs, j));
	while (sealed_job == NULL && until_step(&u)) {
		(void)ev_run(loop, EVRUN_ONCE);
		steps++;
	}
	assert_true(steps >= LONG / LOGS_HASH - 2);
	sha_of(&want, all, LONG);
	assert_memory_equal(j->log_sha[1].b, want.b, 32);
	free(all);
	job_free(j);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_caps), T(test_never_ran), T(test_found_again), T(test_order), T(test_order_lost),
	    T(test_follow), T(test_slow_follower), T(test_files), T(test_sweep),
	    T(test_synced), T(test_followers), T(test_lost), T(test_killed), T(test_no_room),
	    T(test_hash_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
