/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each attack of warren-probe as a job of its own, with a seccomp program of
 * node that allows everything: what holds is jail's own. Host-side baits are
 * set first, so that "not found" is not "not there", and each attack is seen
 * to succeed without a sandbox.
 * With WARREN_WARM each is in a root that was prepared.
 * test_probes BUILD-FOLDER BUSYBOX [NAME]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/escape/baits.h"
#include "tests/escape/setup.h"

static struct drive d;
static const char *who;

static int skipped, proved, unproved;

/* It gets through where nothing is in its way. */
static bool
proves(const struct probe_row *r)
{
	struct bare b;
	char said[256];
	int rv;

	baits_bare(&b);
	rv = bare_run(&b, r->name, said, sizeof(said));

	if (rv == 1) {
		proved++;
		return true;
	}
	if (rv == -2) {
		if (skipped++ == 0)
			printf("skip probes-proved (%s): no place without a "
			    "sandbox: %s\n", who, said);
		return true;
	}
	if (strcmp(r->unproved, "-") != 0) {
		unproved++;
		return true;
	}
	printf("not ok %s (%s): it does not succeed without a sandbox either "
	    "(%d %s), and so proves nothing\n", r->name, who, rv, said);
	return false;
}

static bool
one(const struct id32 *image, const struct probe_row *r)
{
	bool bomb = strcmp(r->kind, "bomb") == 0, ok, killed;
	struct drive_job j;

	baits_job(&j, image, r->name);
	ok = drive_run(&d, &j) == 0 || (j.started && bomb);
	j.out[strcspn(j.out, "\n")] = '\0';
	/* the group's word for what took too much of it */
	killed = bomb && j.how == EXIT_SIGNAL && j.status == SIGKILL &&
	    j.usage.oom_kills > 0;
	if (!ok || !j.started)
		printf("not ok %s (%s): the job did not run: %s %s\n", r->name,
		    who, j.code, j.why);
	else if (j.how == EXIT_CODE && j.status == 3)
		printf("skip %s (%s): %s\n", r->name, who, j.out);
	else if ((j.how == EXIT_CODE && j.status == 0) || killed)
		printf("ok %s (%s)\n", r->name, who);
	else {
		printf("not ok %s (%s): %s (%u, %d)\n", r->name, who, j.out,
		    j.how, j.status);
		ok = false;
	}
	ok = ok && j.started;
	baits_job_done(&j);
	(void)fflush(stdout);
	return ok;
}

static bool
all(const struct id32 *image, const char *only)
{
	static struct probe_row rows[BAIT_ROWS];
	unsigned n = baits_list(&d, image, rows);
	bool good = n > 0;

	if (n == 0)
		printf("not ok probes-list (%s)\n", who);
	for (unsigned i = 0; i < n; i++) {
		if (only != NULL && strcmp(only, rows[i].name) != 0)
			continue;
		/* whose the files are makes no other calls and no bombs */
		if (only == NULL && strcmp(who, "namespace") == 0 &&
		    strcmp(rows[i].kind, "door") != 0)
			continue;
		good &= one(image, &rows[i]);
		if (getenv("WARREN_PROVED") == NULL)
			good &= proves(&rows[i]);
	}
	if (d.warms) {
		printf("%s probes-warm (%s): %llu of %u starts\n",
		    n == 0 || only != NULL || d.pool.warm + 1 >= n ? "ok" :
		    "not ok", who, (unsigned long long)d.pool.warm, n + 1);
		good &= only != NULL || d.pool.warm + 1 >= n;
	}
	if (proved > 0)
		printf("# %d attacks succeed without the sandbox, %d cannot on "
		    "this machine\n", proved, unproved);
	return good;
}

int
main(int argc, char *argv[])
{
	struct drive_options o = {.slots = 1, .level = 2};
	char path[512];
	struct id32 image;
	bool good;

	if (argc < 2)
		return 2;
	who = setup_who();
	if (setup_drive(&d, &o, argv[1], path, sizeof(path), &image) == -1) {
		printf("not ok jail-start (%s)\n", who);
		return 1;
	}
	good = baits_set(&d, path, argv[1]);
	if (!good)
		printf("not ok probes-setup (%s)\n", who);
	good = good && all(&image, argc < 4 ? NULL : argv[3]);
	baits_remove();
	drive_stop(&d);
	return !good;
}
