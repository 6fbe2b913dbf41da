/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "tests/unit/logskit.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

char dir[64];
int dirfd_, null;
struct ev_loop *loop;
struct logs *logs;
uint64_t room_left;
uint64_t sent_bytes;
unsigned grew_calls;
struct job *sealed_job;

static void
grew(void *ctx, struct job *j)
{
	(void)ctx;
	(void)j;
	grew_calls++;
}

static uint64_t
room(void *ctx, const struct hash16 *link, uint32_t *wait_ms)
{
	(void)ctx;
	(void)link->b;
	*wait_ms = 10;
	return room_left;
}

static void
sent(void *ctx, const struct hash16 *link, uint64_t bytes)
{
	(void)ctx;
	(void)link->b;
	sent_bytes += bytes;
	room_left -= bytes;
}

static void
sealed(void *ctx, struct job *j)
{
	(void)ctx;
	sealed_job = j;
}

void
open_logs(void)
{
	const struct logs_ops ops = {NULL, grew, room, sent, sealed};

	logs = logs_open(loop, dirfd_, null, &ops);
	assert_non_null(logs);
}

int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/warren-nodeio-XXXXXX");
	assert_non_null(mkdtemp(dir));
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
	null = open("/dev/null", O_WRONLY);
	assert_true(dirfd_ >= 0 && null >= 0);
	loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(loop);
	open_logs();
	room_left = 1u << 30;
	sent_bytes = 0;
	grew_calls = 0;
	sealed_job = NULL;
	return 0;
}

int
teardown(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	logs_close(logs);
	ev_loop_destroy(loop);
	(void)close(dirfd_);
	(void)close(null);
	if ((pid = fork()) == 0) {
		(void)execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return 0;
}

void
turns(unsigned n)
{
	while (n-- > 0)
		(void)ev_run(loop, EVRUN_NOWAIT);
}

struct job *
a_job(uint8_t id, uint64_t limit)
{
	struct id32 i = {{id}};
	struct fp o = {{7}};
	struct job *j = job_new(&i, &o);

	assert_non_null(j);
	j->state = JS_RUNNING;
	j->limits.v[LIMIT_LOG] = limit;
	return j;
}
