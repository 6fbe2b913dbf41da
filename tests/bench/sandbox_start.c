/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From J_RUN until the job's exit is known: /bin/true in a fresh sandbox with
 * every layer, cold, cold after idling, and into a root that was prepared
 * meanwhile, in turns with bubblewrap, or with what is said, and with a plain
 * exec. One line a run: "cold|idle|warm|warm-now|warm-lent|warm-filled|other|
 * other-idle|exec MICROSECONDS", where warm has idled and the others of that name
 * have waited for the root alone; warm-lent has a volume of the node's,
 * warm-filled one that is filled from an archive first; of ours one more, "KIND-runs", from J_RUN until it is known that the command
 * has been executed; medians on standard error. WARREN_RUNNER (tests/escape/drive.h) says what
 * contains the jobs; another program than our own sandbox prepares nothing.
 * sandbox_start [ROUNDS [IDLE-MS [PROGRAM WORD...]]]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/plan/seccomp_gen.h"
#include "tests/escape/setup.h"

#include "tests/until.h"

#define ROUNDS 40
#define ROUNDS_MAX 1000
#define IDLE_MS 100

enum { COLD, IDLE, WARM, WARM_NOW, LENT, FILLED, OURS, RUNS = OURS, OTHER = RUNS + OURS,
    OTHER_IDLE, EXEC, KINDS };
static const char *const names[] = {"cold", "idle", "warm", "warm-now",
    "warm-lent", "warm-filled", "cold-runs", "idle-runs", "warm-runs",
    "warm-now-runs", "warm-lent-runs", "warm-filled-runs", "other",
    "other-idle", "exec"};
static int blob = -1; /* an empty archive */
static int64_t took[KINDS][ROUNDS_MAX];
static int n_took[KINDS];
static char root[400];
static char **said; /* the other program; NULL: bubblewrap */

static void
note(int kind, int64_t us)
{
	if (n_took[kind] < ROUNDS_MAX)
		took[kind][n_took[kind]++] = us;
	printf("%s %lld\n", names[kind], (long long)us);
}

static bool
job(struct drive *d, const struct id32 *image, const struct seccomp_program *f,
    int volume, int kind)
{
	static const char *const argv[] = {"/bin/true", NULL};
	static const char *const env[] = {"PATH=/bin", NULL};
	struct drive_job j;
	bool ok;

	drive_job_init(&j);
	j.image = *image;
	j.argv = argv;
	j.env = env;
	j.nvolumes = volume == 0 ? 0 : 1;
	j.volumes[0].kind = (uint8_t)volume;
	j.volumes[0].target = "/data";
	j.volumes[0].blob = volume == PLAN_VOL_RO ? blob : -1;
	if (f->len > 0) {
		j.filter = f->insns;
		j.filter_len = f->len;
	}
	ok = drive_run(d, &j) == 0 && j.started && j.status == 0;
	if (ok && kind >= 0) {
		note(kind, j.total_us);
		note(RUNS + kind, j.start_us);
	}
	if (!ok)
		fprintf(stderr, "%s %s\n", j.code, j.why);
	drive_job_clear(&j);
	return ok;
}

static void
spawn(int kind, char *const argv[])
{
	int64_t before = clock_mono().us;
	char *env[] = {NULL};
	int err, status = -1;
	pid_t pid;

	err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, env);
	if (err != 0)
		fprintf(stderr, "%s: %s\n", argv[0], strerror(err));
	else if (waitpid(pid, &status, 0) != pid || status != 0)
		fprintf(stderr, "%s: ended with status %#x\n", argv[0],
		    (unsigned)status);
	else
		note(kind, clock_mono().us - before);
}

static void
other(int kind)
{
	const char *const argv[] = {"/usr/bin/bwrap", "--unshare-all", "--cap-drop", "ALL",
	    "--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev",
	    "--tmpfs", "/tmp", "/bin/true", NULL};

	spawn(kind, said != NULL ? said : (char *const *)(uintptr_t)argv);
}

/* A job that leaves its shape, then one into what was prepared of it. */
static bool
warm(struct drive *d, const struct id32 *image, const struct seccomp_program *f,
    int idle_us)
{
	uint64_t before = d->pool.warm;
	bool ok = drive_warm(d, true, 60) == 0 && job(d, image, f, 0, -1) &&
	    drive_prepared(d, 1) == 0 && job(d, image, f, 0, WARM_NOW) &&
	    drive_prepared(d, 1) == 0;

	if (ok)
		quiet(idle_us, "what is measured is a start after it");
	ok = ok && job(d, image, f, 0, WARM) && drive_prepared(d, 1) == 0 &&
	    job(d, image, f, PLAN_VOL_PROFILE, -1) &&
	    drive_prepared(d, 1) == 0 &&
	    job(d, image, f, PLAN_VOL_PROFILE, LENT) &&
	    drive_prepared(d, 1) == 0 &&
	    job(d, image, f, PLAN_VOL_RO, FILLED) && drive_prepared(d, 1) == 0;
	if (ok && d->pool.warm != before + 4) {
		fprintf(stderr, "a start was not warm\n");
		ok = false;
	}
	return drive_warm(d, false, 0) == 0 && ok;
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool
make_image(void)
{
	char path[600];

	for (int i = 0; i < 3; i++) {
		static const char *const dirs[] = {"tmp", "proc", "dev"};

		(void)snprintf(path, sizeof(path), "%s/%s", root, dirs[i]);
		if (mkdir(path, 0755) == -1)
			return false;
	}
	return setup_program(root, "true", "/bin/busybox") ||
	    setup_program(root, "true", "/usr/bin/busybox");
}

static void
load_profile(struct seccomp_program *f, const char *top)
{
	struct seccomp_host host;
	char path[700], err[200];
	size_t len;
	char *json;

	(void)snprintf(path, sizeof(path), "%s/etc/seccomp/default.json", top);
	json = file_load(AT_FDCWD, path, SECCOMP_JSON_MAX, &len);
	memset(f, 0, sizeof(*f));
	if (json != NULL && seccomp_host_native(&host))
		(void)seccomp_gen(f, json, len, &host, err, sizeof(err));
	free(json);
}

int
main(int argc, char *argv[])
{
	static const uint8_t empty[1024];
	struct drive_options o = {.slots = 2, .level = 2, .volume = "/usr"};
	char exe[512], text[500];
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS;
	int idle_us = (argc > 2 ? (int)strtol(argv[2], NULL, 10) : IDLE_MS) *
	    1000;
	struct seccomp_program filter;
	struct drive d;
	struct id32 image;
	ssize_t n;
	char *plain[] = {NULL, NULL};
	bool ok = true;

	said = argc > 3 ? argv + 3 : NULL;
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	for (int i = 0; n > 0 && i < 3; i++) { /* tests/bench/sandbox_start */
		exe[n] = '\0';
		*strrchr(exe, '/') = '\0';
		n = (ssize_t)strlen(exe);
	}
	if (rounds < 1 || idle_us < 0 || rounds > ROUNDS_MAX ||
	    setup_drive(&d, &o, exe, root, sizeof(root), &image) == -1)
		return 1;
	if (!make_image()) {
		drive_stop(&d);
		return 1;
	}
	load_profile(&filter, SRCDIR);
	blob = setup_blob(empty, sizeof(empty));
	(void)snprintf(text, sizeof(text), "%s/bin/true", root);
	plain[0] = text;
	for (int i = 0; i < rounds && ok; i++) {
		ok = job(&d, &image, &filter, 0, COLD);
		other(OTHER);
		spawn(EXEC, plain);
		quiet(idle_us, "what is measured is a start after it");
		ok = ok && job(&d, &image, &filter, 0, IDLE) &&
		    (getenv("WARREN_RUNNER") != NULL ||
			warm(&d, &image, &filter, idle_us));
		quiet(idle_us, "what is measured is a start after it");
		other(OTHER_IDLE);
	}
	layers_text(text, sizeof(text), d.posture.layers);
	fprintf(stderr, "layers: %s\n", text);
	for (int k = 0; k < KINDS; k++) {
		if (n_took[k] == 0)
			continue;
		qsort(took[k], (size_t)n_took[k], sizeof(took[k][0]), by_value);
		fprintf(stderr, "%-13s median %.2f ms, least %.2f, p95 %.2f\n",
		    names[k], (double)took[k][n_took[k] / 2] / 1000,
		    (double)took[k][0] / 1000,
		    (double)took[k][n_took[k] * 95 / 100] / 1000);
	}
	drive_stop(&d);
	free(filter.insns);
	return ok ? 0 : 1;
}
