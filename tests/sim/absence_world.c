/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/absence.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"

struct absence away;

void
away_broken(const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	(void)fprintf(stderr, "absence, after %.1f h: ",
	    (double)sim_now(away.sim).us / (double)HOUR);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\n");
	_exit(1);
}

uint8_t
away_byte(unsigned job, unsigned kind, uint64_t i)
{
	uint64_t z = (uint64_t)job << 40 ^ (uint64_t)kind << 32 ^ i;

	z = (z ^ z >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 32) * UINT64_C(0x94d049bb133111eb);
	return (uint8_t)(z >> 56);
}

void
away_bytes(unsigned job, unsigned kind, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = away_byte(job, kind, i);
}

/* ---- scratch, jobs ---- */

void
away_write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	MUST(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0, "%s",
	    path);
}

void
away_job_folder(unsigned i)
{
	const struct away_job *j = &away.job[i];
	char path[ABSENCE_PATH + 40];
	uint8_t *b;

	(void)snprintf(path, sizeof(path), "%s/j%u", away.dir, i);
	MUST(mkdir(path, 0700) == 0, "%s", path);
	(void)snprintf(path, sizeof(path), "%s/j%u/in", away.dir, i);
	MUST(mkdir(path, 0700) == 0, "%s", path);
	(void)snprintf(path, sizeof(path), "%s/j%u/in/data", away.dir, i);
	b = malloc(j->in);
	MUST(b != NULL, "no memory");
	away_bytes(i, AWAY_IN, b, j->in);
	away_write_file(path, b, j->in);
	free(b);
}

bool
away_verified(unsigned i)
{
	const struct away_job *j = &away.job[i];
	char path[ABSENCE_PATH + 40];
	uint8_t b[16384];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/j%u/got/volumes/out/out",
	    away.dir, i);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	n = fread(b, 1, sizeof(b), f);
	(void)fclose(f);
	if (n != j->out)
		return false;
	for (size_t k = 0; k < n; k++)
		if (b[k] != away_byte(i, AWAY_OUT, k))
			return false;
	return true;
}

/* ---- the whole ---- */

static void
on_event(struct sim *s, unsigned node, const struct rns_event *ev, void *arg)
{
	(void)s;
	(void)arg;
	if (node == FAR)
		away_node_event(ev);
}

static void
make_mesh(uint32_t loss_permille)
{
	const struct sim_node_opts end = {0};
	const struct sim_link_opts bad = {.bitrate = 1000, .delay_us = 100000,
	    .loss_permille = loss_permille, .half_duplex = true,
	    .queue_us = 120 * MONO_SECOND};

	away.sim = sim_new(away.seed, on_event, NULL);
	MUST(sim_node(away.sim, &end) == NEAR &&
	    sim_node(away.sim, &end) == FAR, "nodes");
	away.wire = sim_link(away.sim, NEAR, FAR, &bad);
}

void
away_open(const char *name, uint32_t loss_permille)
{
	char path[ABSENCE_PATH + 20];
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(away.dir, sizeof(away.dir), "%s/%s-XXXXXX",
	    tmp != NULL ? tmp : "/tmp", name);
	MUST(mkdtemp(away.dir) != NULL, "a scratch folder");
	make_mesh(loss_permille);
	(void)snprintf(path, sizeof(path), "%s/node", away.dir);
	MUST(mkdir(path, 0700) == 0, "%s", path);
}

static bool
woken(void *arg)
{
	(void)arg;
	return away.wake;
}

void
away_turn(void (*people)(int64_t now))
{
	int64_t now = sim_now(away.sim).us, step = 0; /* at once again */

	away_node_turn();
	people(now);
	away.wake = false;
	if (!away_people_turn() && !away.wake)
		step = MAX_OF(INT64_C(1), MIN_OF(MONO_SECOND,
		    away_people_next() - now));
	(void)sim_run(away.sim, step, woken, NULL);
}

static int
rm(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

void
away_close(struct id32 *digest)
{
	sim_digest(away.sim, digest);
	away_people_close();
	away_node_close();
	sim_free(away.sim);
	if (!away.verbose)
		(void)nftw(away.dir, rm, 16, FTW_DEPTH | FTW_PHYS);
}

bool
away_apart(bool (*whole)(struct id32 *), struct id32 *digest)
{
	int fd[2], status;
	pid_t pid;
	bool good;

	(void)fflush(NULL);
	if (pipe(fd) != 0 || (pid = fork()) < 0)
		return false;
	if (pid == 0) {
		good = whole(digest);
		(void)fflush(NULL);
		_exit(write(fd[1], HASH_BYTES(*digest)) != 32 || !good);
	}
	(void)close(fd[1]);
	good = read(fd[0], HASH_BYTES(*digest)) == 32;
	(void)close(fd[0]);
	if (waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		(void)fprintf(stderr, "absence: signal %d\n",
		    WTERMSIG(status));
	return good && status == 0;
}
