/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel counts for a whole host or a user: each trial of counters.c
 * as a job of its own, under a seccomp program of node that allows everything.
 * test_counters BUILD-FOLDER BUSYBOX [NAME]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/base/limits.h"
#include "tests/escape/setup.h"

#define MEMORY (64u << 20)
#define PIDS 64

static struct drive d;
static char env_text[4][64];
static const char *env[5];

static void
give(unsigned i, const char *name, uint64_t v)
{
	(void)snprintf(env_text[i], sizeof(env_text[i]), "%s=%llu", name,
	    (unsigned long long)v);
	env[i] = env_text[i];
}

/* One bound for the job, whatever the kernel's own limits are here. */
static void
shares(void)
{
	struct rlimit own;
	uint64_t files = limits_files(limits_file_max(), d.slots, PIDS,
	    d.root);

	if (getrlimit(RLIMIT_NOFILE, &own) == 0)
		files = MIN_OF(files, own.rlim_max);
	give(0, "MEMORY", (d.posture.layers & LAYER_MEMORY) != 0 ? MEMORY : 0);
	give(1, "FILES", files * (PIDS + 2));
	/* the kernel looks before it adds as many as a message may have */
	give(2, "FLIGHT", files + 2 * 253);
	give(3, "WATCHES", LIMITS_INOTIFY_WATCHES);
}

static bool
one(const struct id32 *image, const char *name, const char *who)
{
	static const char *argv[] = {"/bin/counters", NULL, NULL};
	struct drive_job j;
	bool ok, killed;

	argv[1] = name;
	drive_job_init(&j);
	j.image = *image;
	j.argv = argv;
	j.env = env;
	j.pids = PIDS;
	j.memory = MEMORY;
	ok = drive_run(&d, &j) == 0 && j.started;
	/* its own group has ended it: then it was the job's to pay */
	killed = j.how == EXIT_SIGNAL && j.status == SIGKILL &&
	    j.usage.oom_kills > 0;
	if (!ok)
		printf("not ok %s (%s): the job did not run: %s %s\n", name,
		    who, j.code, j.why);
	else if (killed || (j.how == EXIT_CODE && j.status == 0))
		printf("ok %s (%s)\n", name, who);
	else {
		j.out[strcspn(j.out, "\n")] = '\0';
		printf("not ok %s (%s): %s (%u, %d)\n", name, who, j.out,
		    j.how, j.status);
		ok = false;
	}
	drive_job_clear(&j);
	(void)fflush(stdout);
	return ok;
}

int
main(int argc, char *argv[])
{
	struct drive_options o = {.slots = 1, .level = 2};
	const char *who = geteuid() == 0 ? "root" : "user";
	char path[512], from[600], *names = NULL, *save = NULL;
	static const char *const list[] = {"/bin/counters", "list", NULL};
	struct drive_job j;
	struct id32 image;
	int bad = 0;

	if (argc < 2)
		return 2;
	if (setup_drive(&d, &o, argv[1], path, sizeof(path), &image) == -1) {
		printf("not ok jail-start (%s)\n", who);
		return 1;
	}
	(void)snprintf(from, sizeof(from), "%s/counters", argv[1]);
	if (!setup_program(path, "counters", from)) {
		printf("not ok counters-setup (%s)\n", who);
		drive_stop(&d);
		return 1;
	}
	shares();
	drive_job_init(&j);
	j.image = image;
	j.argv = list;
	if (drive_run(&d, &j) == 0 && j.started)
		names = strdup(j.out);
	else
		printf("not ok counters-list (%s): %s %s\n", who, j.code,
		    j.why);
	drive_job_clear(&j);
	bad = names == NULL;
	for (char *n = names == NULL ? NULL : strtok_r(names, "\n", &save);
	    n != NULL; n = strtok_r(NULL, "\n", &save))
		if (argc < 4 || strcmp(argv[3], n) == 0)
			bad |= !one(&image, n, who);
	free(names);
	drive_stop(&d);
	return bad;
}
