/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "common/log.h"
#include "common/util.h"
#include "node/proto/proto.h"
#include "tests/unit/lives.h"
#include "trust/doc/receipt.h"

/*
 * The node is killed before and after every commit, and at every message that
 * it sends or hears, in whole lives of jobs. Whatever the point, no accepted
 * job is forgotten, none starts twice but after it was declared lost, and each
 * ends as what ended it. LIVES_PAIRS: every second death, too, at the distance
 * of a few points.
 */
static const struct life LIVES[] = {
    {.name = "plain", .run_ms = 50, .exit_code = 3, .ends = "done",
	.outcome = OUT_EXITED, .code = 3},
    {.name = "volumes", .volumes = true, .run_ms = 50, .ends = "done",
	.outcome = OUT_EXITED},
    {.name = "cancelled early", .volumes = true, .run_ms = 50,
	.cancel_in = "queued", .ends = "cancelled"},
    {.name = "cancelled while it runs", .run_ms = 0, .cancel_in = "running",
	.volumes = true, .ends = "done", .outcome = OUT_KILLED,
	.code = KILL_CANCELLED},
    {.name = "time", .run_ms = 0, .ends = "done", .outcome = OUT_KILLED,
	.code = KILL_TIME},
    {.name = "deadline", .run_ms = 0, .deadline = true, .ends = "done",
	.outcome = OUT_KILLED, .code = KILL_DEADLINE},
    {.name = "flood", .run_ms = 0, .floods = true, .ends = "done",
	.outcome = OUT_KILLED, .code = KILL_OUTPUT},
    {.name = "refused by jail", .fail_code = "volume", .ends = "refused"},
    {.name = "lost", .run_ms = 50, .jail_falls = 1, .ends = "lost"},
    {.name = "retried", .run_ms = 50, .retries = 3, .jail_falls = 2,
	.volumes = true, .ends = "done", .outcome = OUT_EXITED},
    {.name = "not written", .run_ms = 50, .volumes = true, .bad_row = "queued",
	.ends = "done", .outcome = OUT_EXITED},
    {.name = "start not written", .run_ms = 50, .bad_row = "staging",
	.ends = "lost"},
    {.name = "end not written", .run_ms = 50, .bad_row = "done",
	.ends = "done", .outcome = OUT_EXITED},
    {.name = "expired", .run_ms = 50, .expires = true, .volumes = true,
	.ends = "done", .outcome = OUT_EXITED},
};

static int
drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

#ifdef WARREN_SANITIZED
#define STRIDE 23 /* slow, and of memory it finds all that it can */
#else
#define STRIDE 1
#endif

struct shared {
	struct life_end end;
	int rv;
};
static struct shared *shared;
static unsigned serial;

/* One run in a process of its own, in a folder of its own. */
static bool
one(const struct life *l, unsigned first, unsigned second)
{
	static const char *const places[] = {"/dev/shm", "/tmp"};
	const char *top = places[access(places[0], W_OK) == 0 ? 0 : 1];
	const unsigned at[2] = {first, second};
	char dir[64];
	int status;
	pid_t pid;

	(void)snprintf(dir, sizeof(dir), "%s/warren-lives-%d-%u", top,
	    (int)getpid(), serial++);
	if ((pid = fork()) == 0) {
		log_set_level(0); /* an oath speaks for itself */
		if (mkdir(dir, 0700) != 0)
			_exit(2);
		_exit(life_run(l, dir, at, &shared->end) == 0 ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
test_lives(void **state)
{
	bool pairs = getenv("LIVES_PAIRS") != NULL;
	unsigned runs = 0, bad = 0, points = 0, commits = 0, messages = 0;

	(void)state;
	for (size_t i = 0; i < NELEM(LIVES); i++) {
		const struct life *l = &LIVES[i];
		unsigned n;

		if (getenv("LIVES_ONLY") != NULL &&
		    strcmp(getenv("LIVES_ONLY"), l->name) != 0)
			continue;
		assert_true(one(l, 0, 0));
		n = shared->end.points;
		/* the points were found: a life is not shorter than this */
		assert_true(n > 40 && shared->end.commits >= 2);
		assert_int_equal(shared->end.lives, 1);
		points += n;
		commits += shared->end.commits;
		messages += shared->end.messages;
		for (unsigned at = 1; at <= n; at += STRIDE) {
			bad += !one(l, at, 0);
			runs++;
			if (bad == 0)
				assert_int_equal(shared->end.lives, 2);
			for (unsigned k = 1; pairs && k < 40; k++) {
				bad += !one(l, at, at + k);
				runs++;
			}
		}
	}
	printf("# %u points in %zu lives: %u commits, %u messages; %u runs, "
	    "%u broken\n", points, NELEM(LIVES), commits, messages, runs, bad);
	assert_int_equal(bad, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lives)};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
