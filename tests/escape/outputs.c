/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/escape/room.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/tree.h"
#include "tests/escape/setup.h"
#include "tests/until.h"

/* What a job leaves behind it to harm who collects it (THREATS.md 3.2, 3.3). */

static void
script(struct drive_job *j, const char *text)
{
	static const char *argv[] = {"/bin/sh", "-c", NULL, NULL};

	argv[2] = text;
	new_job(j, argv);
	j->nvolumes = 1;
	j->volumes[0].kind = PLAN_VOL_RW;
	j->volumes[0].target = "/v";
	j->volumes[0].blob = setup_blob(empty_tar, 1024);
}

/* The slot takes the next one. */
static bool
goes_on(void)
{
	struct drive_job j;
	bool ok = run_sh(&j, "echo next") && j.started &&
	    strcmp(j.out, "next\n") == 0;

	drive_job_clear(&j);
	return ok;
}

/* More files than an archive may have. */
bool
t_many_files(void)
{
	struct drive_job j;

	script(&j, "cd /v; busybox seq 70000 | busybox xargs busybox touch");
	j.memory = 256u << 20;
	j.output = 64u << 20;
	j.time_ms = 120000;
	CHECK(drive_send(&d, &j) == 0 && j.started);
	CHECK(drive_wait(&d, &j, PATIENCE_MS * 2) == 0);
	/* the volume has inodes for no more than are packed */
	CHECK(j.how == EXIT_CODE && j.status != 0);
	CHECK(strstr(j.err, "No space") != NULL);
	CHECK(drive_finish(&d, &j) == 0);
	CHECK(j.packed_len[0] > 30u << 20);
	drive_job_clear(&j);
	CHECK(goes_on());
	return true;
}

/* Filled to the limit of the job's memory: what it wrote comes back. */
bool
t_full_output(void)
{
	struct drive_job j;

	script(&j, "head -c 200000000 /dev/zero > /v/f; : > /v/last; exit 0");
	j.memory = 32u << 20;
	j.output = 64u << 20;
	CHECK(drive_send(&d, &j) == 0 && j.started);
	CHECK(drive_wait(&d, &j, PATIENCE_MS) == 0);
	CHECK(drive_finish(&d, &j) == 0);
	/* killed by its group, or stopped by the size of the volume */
	CHECK(j.packed_len[0] > 20u << 20);
	CHECK(j.packed_len[0] < 80u << 20);
	drive_job_clear(&j);
	CHECK(goes_on());
	return true;
}

/* A terabyte that is not there. */
bool
t_sparse(void)
{
	static const char *const argv[] = {"/bin/busybox", "truncate", "-s",
	    "1099511627776", "/v/f", NULL};
	static const char *const fits[] = {"/bin/busybox", "truncate", "-s",
	    "60000000", "/v/f", NULL};
	struct drive_job j;
	int64_t before = clock_mono().us;

	script(&j, "");
	j.argv = argv;
	CHECK(drive_run(&d, &j) == 0 && j.started);
	CHECK((j.how == EXIT_SIGNAL && j.status == SIGXFSZ) ||
	    (j.how == EXIT_CODE && j.status != 0));
	CHECK(j.packed_len[0] < 4096);
	drive_job_clear(&j);
	/* within the limit of a file: bytes come, as many as it says */
	script(&j, "");
	j.argv = fits;
	CHECK(drive_run(&d, &j) == 0 && j.started);
	CHECK(j.how == EXIT_CODE && j.status == 0);
	CHECK(j.packed_len[0] < 61u << 20);
	drive_job_clear(&j);
	CHECK(clock_mono().us - before < 60 * 1000000);
	CHECK(goes_on());
	return true;
}

/* Names that no archive has, and folders one in the other without end. */
bool
t_odd_names(void)
{
	struct drive_job j;
	char path[128];
	struct tree_report rep;
	int fd, dir;

	script(&j, "cd /v; : > \"$(printf 'new\\nline')\"; "
	    ": > \"$(printf 'esc\\033[2J')\"; : > \"$(printf 'bad\\377')\"; "
	    ": > -rf; : > ' '; : > '*'; : > 'a\\b'; : > ...; "
	    "i=0; while [ $i -lt 300 ]; do mkdir d || exit 9; cd d || exit 9; "
	    "i=$((i+1)); done; : > bottom; exit 0");
	CHECK(drive_run(&d, &j) == 0 && j.started);
	CHECK(j.how == EXIT_CODE && j.status == 0);
	CHECK(setup_left(&j.left[0], LEFT_NAME, "new\nline"));
	CHECK(setup_left(&j.left[0], LEFT_NAME, "esc\033[2J"));
	CHECK(setup_left(&j.left[0], LEFT_NAME, "bad\377"));
	CHECK(j.left[0].count == 4); /* and what lies too deep */
	fd = setup_blob(j.packed[0], j.packed_len[0]);
	(void)snprintf(path, sizeof(path), "%s/odd", work);
	CHECK(mkdir(path, 0755) == 0);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(tree_unpack(fd, dir, &rep) == 0);
	CHECK(faccessat(dir, "-rf", F_OK, 0) == 0);
	CHECK(faccessat(dir, " ", F_OK, 0) == 0);
	CHECK(faccessat(dir, "*", F_OK, 0) == 0);
	CHECK(faccessat(dir, "...", F_OK, 0) == 0);
	CHECK(faccessat(dir, "d/d/d", F_OK, 0) == 0);
	CHECK(tree_empty(dir) == 0 && rmdir(path) == 0);
	(void)close(dir);
	(void)close(fd);
	drive_job_clear(&j);
	return true;
}

/* Links in a volume lead nobody: not the job out, not the packer anywhere. */
bool
t_links(void)
{
	struct drive_job j;
	char text[300];

	(void)snprintf(text, sizeof(text), "cd /v; ln -s / root; "
	    "ln -s ../../../../..%s up; ln -s /proc/self/fd/1 fd; "
	    "ln -s loop loop; cat up/in/words root%s/in/words; "
	    "echo x > root/new; ls root/etc; exit 0", work, work);
	script(&j, text);
	CHECK(drive_run(&d, &j) == 0 && j.started);
	CHECK(j.out_len == 0);
	CHECK(setup_left(&j.left[0], LEFT_LINK, "root"));
	CHECK(setup_left(&j.left[0], LEFT_LINK, "up"));
	CHECK(setup_left(&j.left[0], LEFT_LINK, "fd"));
	drive_job_clear(&j);
	return true;
}

/* It ignores, blocks and stops whatever it can; it ends at once all the same. */
bool
t_stubborn(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "trap '' HUP INT QUIT TERM USR1 USR2 ALRM TSTP TTIN TTOU; "
	    "for i in 1 2 3 4; do (trap '' HUP TERM; setsid sh -c "
	    "'trap \"\" HUP TERM INT; while :; do :; done') & done; "
	    "echo go; (kill -STOP $$) & while :; do :; done", NULL};
	struct msg_J_KILL m = {.end_ = 0};
	struct drive_job j;
	struct until u;

	new_job(&j, argv);
	CHECK(drive_send(&d, &j) == 0 && j.started);
	u = until_begin("the job's word", PATIENCE_MS);
	while (j.out_len == 0 && until_step(&u))
		drive_drain(&j);
	m.job = j.id;
	CHECK(ipc_send_J_KILL(d.node, &m, NULL, 0) == 0);
	CHECK(drive_wait(&d, &j, PATIENCE_MS) == 0);
	CHECK(j.how == EXIT_SIGNAL && j.status == SIGKILL);
	CHECK(drive_finish(&d, &j) == 0);
	drive_job_clear(&j);
	CHECK(goes_on());
	return true;
}
