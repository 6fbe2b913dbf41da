/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/escape/room.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "tests/escape/setup.h"
#include "tests/until.h"

static void
two_volumes(struct drive_job *j, int ro, int rw)
{
	j->nvolumes = 2;
	j->volumes[0].kind = PLAN_VOL_RO;
	j->volumes[0].target = "/in";
	j->volumes[0].blob = ro;
	j->volumes[1].kind = PLAN_VOL_RW;
	j->volumes[1].target = "/out";
	j->volumes[1].blob = rw;
}

static int
input(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/in", work);
	return setup_pack(path);
}

/* What comes behind a job does not depend on how its group has fared. */
bool
t_killed_group(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "echo kept > /kept/f; echo go; sleep 60", NULL};
	struct drive_job j;
	struct until u;

	if (d.dirs.v2 == -1) {
		(void)snprintf(note, sizeof(note), "skip: no v2 group");
		return true;
	}
	for (int i = 0; i < 2; i++) {
		new_job(&j, argv);
		two_volumes(&j, input(), setup_blob(empty_tar, 1024));
		j.volumes[1].target = "/kept";
		CHECK(drive_send(&d, &j) == 0 && j.started);
		u = until_begin("the job's word", 5000);
		while (j.out_len == 0 && until_step(&u))
			drive_drain(&j);
		CHECK(j.out_len > 0);
		CHECK(cgroup_kill(&j.groups) == 0);
		CHECK(drive_wait(&d, &j, 10000) == 0);
		CHECK(j.how == EXIT_SIGNAL && j.status == SIGKILL);
		CHECK(drive_finish(&d, &j) == 0);
		CHECK(j.packed_len[1] == 2048);
		drive_job_clear(&j);
	}
	return true;
}

/* A volume that is larger than the job's memory: refused, the slot lives. */
bool
t_fill_over_memory(void)
{
	static const char *const argv[] = {"/bin/true", NULL};
	char path[128];
	struct drive_job j;
	int fd;

	if ((d.posture.layers & LAYER_MEMORY) == 0) {
		(void)snprintf(note, sizeof(note), "skip: no memory group");
		return true;
	}
	(void)snprintf(path, sizeof(path), "%s/large", work);
	CHECK(mkdir(path, 0755) == 0);
	(void)snprintf(path, sizeof(path), "%s/large/f", work);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	CHECK(fd != -1 && ftruncate(fd, (30 << 20) +
	    (off_t)d.memory_more) == 0);
	(void)close(fd);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/large", work);
		new_job(&j, argv);
		j.memory = 8u << 20;
		j.output = 128u << 20;
		two_volumes(&j, input(), setup_pack(path));
		CHECK(drive_run(&d, &j) == 0);
		CHECK(j.failed && strcmp(j.code, "volume") == 0);
		CHECK(strstr(j.why, "memory") != NULL);
		drive_job_clear(&j);
	}
	CHECK(run_sh(&j, "echo next"));
	CHECK(j.started && strcmp(j.out, "next\n") == 0);
	drive_job_clear(&j);
	return true;
}

/* What the image has in the places of volumes: its own folders or links. */
bool
odd_image(void)
{
	static const char *const links[][2] = {{"data", "srv/data"},
	    {"out", "/../../nowhere/x"}, {"var", "/tmp/var"},
	    {"processes", "proc"}, {"file", "bin/busybox"}};
	char path[600];

	for (size_t i = 0; i < NELEM(links); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", image_path,
		    links[i][0]);
		if (symlink(links[i][1], path) == -1)
			return false;
	}
	return true;
}

bool
t_targets(void)
{
	static char deep[2][PLAN_TARGET_MAX + 1];
	static const char *const good[][2] = {{"/tmp/in", "/tmp/out"},
	    {"/tmp/a/b/c", "/tmp/a/b/d"}, {"/data", "/data2"},
	    {"/out/in", "/new/place"}, {"/var/lib", "/var/log"},
	    {"/data/in", "/out"},
	    {"/in", "/tmp"}, {"/tmp", "/bin/x"}, {deep[0], deep[1]}};
	static const char *const wrong[] = {"/processes", "/processes/1",
	    "/file", "/bin/busybox/x"};
	static const char *argv[] = {"/bin/sh", "-c",
	    "cat $0/words && echo new > $1/f && cat $1/f && : > /tmp/free ||"
	    " : > $0/free", NULL, NULL, NULL};
	struct drive_job j;

	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i + 1 < sizeof(deep[0]); i += 2)
			memcpy(deep[k] + i, k == 0 ? "/d" : "/e", 2);
		deep[k][254] = '\0';
	}
	for (size_t i = 0; i < 2 * NELEM(good); i++) {
		argv[3] = good[i / 2][0];
		argv[4] = good[i / 2][1];
		new_job(&j, argv);
		two_volumes(&j, input(), setup_blob(empty_tar, 1024));
		j.volumes[0].target = argv[3];
		j.volumes[1].target = argv[4];
		j.writable = i % 2 == 1;
		CHECK(drive_run(&d, &j) == 0);
		if (!j.started || strcmp(j.out, "b\na\nnew\n") != 0) {
			(void)snprintf(note, sizeof(note), "%s %s: %s %s %s",
			    argv[3], argv[4], j.code, j.why,
			    j.started ? j.err : "");
			return false;
		}
		/* a folder for it does not make it part of the volume */
		CHECK(j.packed_len[1] == 2048 + 512 *
		    (strcmp(argv[4], "/tmp") == 0));
		drive_job_clear(&j);
	}
	for (size_t i = 0; i < NELEM(wrong); i++) {
		new_job(&j, argv);
		j.nvolumes = 1;
		j.volumes[0].kind = PLAN_VOL_RW;
		j.volumes[0].target = wrong[i];
		j.volumes[0].blob = setup_blob(empty_tar, 1024);
		if (!refused(&j, "volume"))
			return false;
	}
	return true;
}

/* The smallest job, at once behind one that leaves much to be freed. */
bool
t_least(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "i=0; while [ $i -lt 50 ]; do sleep 60 & i=$((i+1)); done; "
	    "head -c 12000000 /dev/zero > /tmp/f", NULL};
	static const char *const small[] = {"/bin/true", NULL};
	struct drive_job j;

	for (int i = 0; i < 4; i++) {
		new_job(&j, argv);
		j.pids = 64;
		CHECK(drive_run(&d, &j) == 0 && j.started);
		drive_job_clear(&j);
		new_job(&j, small);
		j.memory = plan_memory_least(0, false);
		j.output = 1;
		j.cpu_milli = j.pids = 1;
		CHECK(drive_run(&d, &j) == 0);
		CHECK(j.started && j.how == EXIT_CODE && j.status == 0);
		drive_job_clear(&j);
	}
	return true;
}
