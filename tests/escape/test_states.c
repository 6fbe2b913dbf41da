/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing is said before it is true: a slot's process that falls, kills between
 * two steps, what a job leaves in its slot's groups. Each trial has a jail of
 * its own with one slot. test_states BUILD-FOLDER BUSYBOX [NAME]
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"
#include "node/parent/groupdir.h"
#include "sandbox/base/group.h"
#include "sandbox/base/tar.h"
#include "tests/escape/setup.h"
#include "tests/escape/trials.h"
#include "tests/until.h"

static struct id32 image;
static const char *const env[] = {"PATH=/bin", NULL};
static const uint8_t empty_tar[1024];

static void
new_job(struct drive_job *j, const char *const *argv)
{
	drive_job_init(j);
	j->image = image;
	j->argv = argv;
	j->env = env;
}

/* ---- processes of jail, from outside ---- */

static bool
read_proc(pid_t pid, const char *name, char *out, size_t cap)
{
	char path[64];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, out, cap - 1);
	if (fd != -1)
		(void)close(fd);
	out[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

static long
status_number(pid_t pid, const char *key)
{
	char text[4096], *at;

	if (!read_proc(pid, "status", text, sizeof(text)) ||
	    (at = strstr(text, key)) == NULL)
		return -1;
	return strtol(at + strlen(key), NULL, 10);
}

/* Does it live in a process namespace below ours? */
static bool
inside(pid_t pid)
{
	char text[4096], *at;
	int words = 0;

	if (!read_proc(pid, "status", text, sizeof(text)) ||
	    (at = strstr(text, "\nNSpid:")) == NULL)
		return false;
	for (at += 7; *at != '\n' && *at != '\0'; at++)
		words += *at == '\t';
	return words > 1;
}

static unsigned
descriptors(pid_t pid)
{
	char path[64];
	struct dirent *de;
	unsigned n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir != NULL && (de = readdir(dir)) != NULL)
		n += de->d_name[0] != '.';
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

/* In a v1 group of jobs, slot-1. */
static bool
in_slot_group(pid_t pid)
{
	char text[4096];

	return read_proc(pid, "cgroup", text, sizeof(text)) &&
	    strstr(text, "/slot-1\n") != NULL;
}

/* Children of jail; inside: a job's. */
static unsigned
children(pid_t *out, unsigned cap, bool of_job)
{
	DIR *dir = opendir("/proc");
	struct dirent *de;
	unsigned n = 0;

	while (dir != NULL && (de = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);

		if (pid > 0 && n < cap &&
		    status_number(pid, "\nPPid:") == d.pid &&
		    inside(pid) == of_job)
			out[n++] = pid;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

/* In jail's user namespace, as who asks docker's daemon is. */
static bool
unconfined(pid_t pid)
{
	char path[64];
	struct stat own, theirs;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)d.pid);
	if (stat(path, &own) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return stat(path, &theirs) == 0 && own.st_ino == theirs.st_ino;
}

/* The slot's own process: no child of it stands in the job's groups. */
static pid_t
slot_process(void)
{
	pid_t list[8];
	unsigned n = children(list, NELEM(list), false);

	for (unsigned i = 0; i < n; i++)
		if (!in_slot_group(list[i]) && !unconfined(list[i]))
			return list[i];
	return 0;
}

static bool
fell_slot(void)
{
	pid_t pid = slot_process();

	return pid > 0 && kill(pid, SIGKILL) == 0;
}

static bool
has_ended(int pidfd)
{
	struct pollfd p = {pidfd, POLLIN, 0};

	return poll(&p, 1, 0) == 1;
}

#define ENDED 1000 /* jail itself, which starts anew without jobs */

/* The next message of jail about the job, within the time; 0: none. */
static unsigned
hear(struct drive_job *j, int ms)
{
	int64_t end = clock_mono().us + (int64_t)ms * 1000;
	unsigned type = 0;

	while (type == 0 && clock_mono().us < end) {
		struct pollfd p = {ipc_fd(d.node), POLLIN, 0};
		struct msg_J_EXITED exited;
		struct msg_J_FAILED failed;
		struct ipc_in in;
		int rv;

		(void)poll(&p, 1, 20);
		if ((rv = ipc_recv(d.node, &in)) < 0)
			return ENDED;
		if (rv == 0)
			continue;
		type = in.type;
		if (type == IPC_J_EXITED &&
		    msg_get_J_EXITED(in.body, &exited)) {
			j->how = exited.how;
			j->status = exited.code;
		}
		if (type == IPC_J_FAILED && msg_get_J_FAILED(in.body, &failed))
			memcpy(j->why, failed.why, sizeof(j->why));
		ipc_in_done(&in);
	}
	return type;
}

static bool
kill_job(const struct drive_job *j)
{
	struct msg_J_KILL m = {.end_ = 0};

	m.job = j->id;
	return ipc_send_J_KILL(d.node, &m, NULL, 0) == 0;
}

static void
drop(struct drive_job *j)
{
	struct until u = until_begin("the job's group", PATIENCE_MS);

	while (cgroup_job_remove(&j->groups) == -1 && until_step(&u))
		continue;
	drive_job_clear(j);
}

/* ---- trials ---- */

static int begin(void);

static const char *const spins[] = {"/bin/sh", "-c",
    "while :; do :; done", NULL};

static bool
t_slot_falls(void)
{
	struct drive_job j;

	new_job(&j, spins);
	CHECK(drive_send(&d, &j) == 0 && j.started);
	CHECK(fell_slot());
	/* it runs, and so nothing may be said of its end */
	CHECK(hear(&j, 300) == 0);
	CHECK(!has_ended(j.pidfd));
	/* and it can be ended as any other */
	CHECK(kill_job(&j));
	CHECK(hear(&j, PATIENCE_MS) == IPC_J_EXITED);
	CHECK(j.how == EXIT_SIGNAL && j.status == SIGKILL);
	CHECK(has_ended(j.pidfd));
	drop(&j);
	return true;
}

static bool
t_slot_falls_job_ends(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "sleep 1; exit 7", NULL};
	struct drive_job j;
	struct msg_J_STEP m = {.step = STEP_PACK, .volume = 0};

	new_job(&j, argv);
	j.nvolumes = 1;
	j.volumes[0].kind = PLAN_VOL_RW;
	j.volumes[0].target = "/v";
	j.volumes[0].blob = setup_blob(empty_tar, sizeof(empty_tar));
	CHECK(drive_send(&d, &j) == 0 && j.started);
	CHECK(fell_slot());
	CHECK(hear(&j, PATIENCE_MS) == IPC_J_EXITED);
	CHECK(j.how == EXIT_CODE && j.status == 7);
	/* its outputs went with the process that held them: a clear answer */
	m.job = j.id;
	CHECK(ipc_send_J_STEP(d.node, &m, NULL, 0) == 0);
	CHECK(hear(&j, PATIENCE_MS) == IPC_J_STEP_DONE);
	(void)close(j.volumes[0].blob);
	drop(&j);
	return true;
}

/* The time limit reaches a job without its slot's process, too. */
static bool
t_slot_falls_clock(void)
{
	struct drive_job j;

	new_job(&j, spins);
	j.time_ms = 1;
	CHECK(drive_send(&d, &j) == 0 && j.started);
	CHECK(fell_slot());
	CHECK(hear(&j, PATIENCE_MS) == IPC_J_EXITED);
	CHECK(j.how == EXIT_JAIL_TIME && has_ended(j.pidfd));
	drop(&j);
	return true;
}

static void
four_volumes(struct drive_job *j)
{
	static const char *const at[] = {"/a", "/b", "/c", "/d"};

	j->nvolumes = NELEM(at);
	for (unsigned v = 0; v < NELEM(at); v++) {
		j->volumes[v].kind = v % 2 == 0 ? PLAN_VOL_RO : PLAN_VOL_RW;
		j->volumes[v].target = at[v];
		j->volumes[v].blob = setup_blob(empty_tar, sizeof(empty_tar));
	}
}

static void
drop_volumes(struct drive_job *j)
{
	for (uint32_t v = 0; v < j->nvolumes; v++)
		(void)close(j->volumes[v].blob);
	drop(j);
}

/* At whatever moment of a start: one true word, and whatever runs can end. */
static bool
t_slot_falls_starting(void)
{
	for (int i = 0; i < 8; i++) {
		pid_t slot = slot_process();
		struct drive_job j;
		unsigned type;

		new_job(&j, spins);
		four_volumes(&j);
		CHECK(slot > 0 && drive_post(&d, &j) == 0);
		quiet(i * 900, "the moments of a start");
		CHECK(kill(slot, SIGKILL) == 0);
		type = hear(&j, PATIENCE_MS);
		if (type == IPC_J_STARTED) {
			CHECK(kill_job(&j));
			CHECK(hear(&j, PATIENCE_MS) == IPC_J_EXITED);
		} else {
			CHECK(type == IPC_J_FAILED || type == ENDED);
		}
		drop_volumes(&j);
		drive_stop(&d);
		CHECK(begin() == 0);
	}
	return true;
}

/* What a slot's user namespace may have of one kind; false: it cannot be said. */
static bool
set_most(pid_t slot, const char *name, uint64_t most)
{
	char path[64];
	int status, ns;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)slot);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	pid = ns == -1 ? -1 : fork();
	if (pid == 0) {
		(void)snprintf(path, sizeof(path), "/proc/sys/user/%s", name);
		_exit(setns(ns, CLONE_NEWUSER) == 0 &&
		    file_put_number(AT_FDCWD, path, most) == 0 ? 0 : 1);
	}
	if (ns != -1)
		(void)close(ns);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* A plan that the slot cannot take costs its job, and not the slot. */
static bool
t_plan_fails(void)
{
	static const char *const truth[] = {"/bin/true", NULL};
	pid_t slot = slot_process();
	struct drive_job j;

	if ((d.posture.layers & LAYER_TIME) == 0 ||
	    !set_most(slot, "max_time_namespaces", 0)) {
		(void)snprintf(note, sizeof(note), "skip: no clocks of a slot's "
		    "own, or not to be refused");
		return true;
	}
	new_job(&j, spins);
	four_volumes(&j);
	CHECK(drive_run(&d, &j) == 0 && !j.started && j.failed);
	CHECK(strncmp(j.why, "clocks: ", 8) == 0);
	drop_volumes(&j);
	CHECK(slot_process() == slot);
	CHECK(set_most(slot, "max_time_namespaces", 1000));
	new_job(&j, truth);
	CHECK(drive_run(&d, &j) == 0 && j.started && j.status == 0);
	drop(&j);
	return true;
}

/* A kill that comes between two steps is the job's, not the step's. */
static bool
t_kill_between(void)
{
	struct drive_job j;
	struct msg_J_FORGET f = {.end_ = 0};
	int failed = 0;

	for (int i = 0; i < 40; i++) {
		unsigned type;

		new_job(&j, spins);
		j.time_ms = 60000;
		four_volumes(&j);
		CHECK(drive_post(&d, &j) == 0);
		quiet(i * 150, "the moments of a start");
		CHECK(kill_job(&j));
		type = hear(&j, PATIENCE_MS);
		if (type == IPC_J_STARTED) {
			/* at most what was on its way already */
			type = hear(&j, 20000);
			CHECK(type == IPC_J_EXITED);
		} else {
			CHECK(type == IPC_J_FAILED);
			failed++;
		}
		f.job = j.id;
		CHECK(ipc_send_J_FORGET(d.node, &f, NULL, 0) == 0);
		CHECK(hear(&j, PATIENCE_MS) == IPC_J_FORGOTTEN);
		drop_volumes(&j);
	}
	if (failed == 0)
		(void)snprintf(note, sizeof(note), "no kill came in time");
	return failed > 0;
}

static uint64_t
slot_number(int dir, const char *file)
{
	char path[64], text[32];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "slot-1/%s", file);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd != -1)
		(void)close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return strtoull(text, NULL, 10);
}

/* Free means empty: the next job has all that it was promised. */
static bool
t_sysv_left(void)
{
	static const char *const hog[] = {"/bin/counters", "sysv", NULL};
	static const char *const small[] = {"/bin/true", NULL};
	struct drive_job j;

	if ((d.posture.layers & LAYER_MEMORY) == 0) {
		(void)snprintf(note, sizeof(note), "skip: no memory group");
		return true;
	}
	for (int i = 0; i < 4; i++) {
		new_job(&j, hog);
		j.memory = 256u << 20;
		CHECK(drive_run(&d, &j) == 0 && j.started);
		CHECK(j.how == EXIT_CODE && j.status == 0);
		CHECK(j.usage.memory_peak > 150u << 20);
		drive_job_clear(&j);
		if (d.dirs.memory != -1)
			CHECK(slot_number(d.dirs.memory,
			    "memory.usage_in_bytes") <= GROUP_MEMORY_LEFT);
		new_job(&j, small);
		j.memory = plan_memory_least(0, false);
		j.pids = 1;
		CHECK(drive_run(&d, &j) == 0);
		CHECK(j.started && j.how == EXIT_CODE && j.status == 0);
		drive_job_clear(&j);
	}
	return true;
}

/*
 * The slot's process is in no group that a job fills and never goes before
 * anybody when memory runs out; the job goes first.
 */
static bool
t_ranks(void)
{
	struct drive_job j;
	pid_t list[8], slot = slot_process();
	char text[32];
	struct until late;
	unsigned n;

	new_job(&j, spins);
	CHECK(slot > 0 && !in_slot_group(slot));
	/* nor anybody else, while there is no job */
	n = children(list, NELEM(list), false);
	for (unsigned i = 0; i < n; i++)
		CHECK(!in_slot_group(list[i]));
	CHECK(read_proc(slot, "oom_score_adj", text, sizeof(text)));
	CHECK(strtol(text, NULL, 10) <= 0);
	CHECK(drive_send(&d, &j) == 0 && j.started);
	CHECK(!in_slot_group(slot));
	CHECK(read_proc(slot, "oom_score_adj", text, sizeof(text)));
	CHECK(strtol(text, NULL, 10) <= 0);
	n = children(list, NELEM(list), true);
	CHECK(n == 1);
	CHECK(read_proc(list[0], "oom_score_adj", text, sizeof(text)));
	CHECK(strtol(text, NULL, 10) == 700);
	CHECK(d.dirs.memory == -1 || in_slot_group(list[0]));
	/*
	 * Nothing that its maker holds has come to it: one report, and what a
	 * runner's waits with. It closes the rest once the command is on its
	 * way.
	 */
	late = until_begin("its descriptors", PATIENCE_MS);
	while (d.root && descriptors(list[0]) != d.holds && until_step(&late))
		continue;
	if (d.root)
		CHECK(descriptors(list[0]) == d.holds);
	/* nor does anybody else of the house stay there with it */
	n = children(list, NELEM(list), false);
	for (unsigned i = 0; i < n; i++)
		CHECK(!in_slot_group(list[i]));
	CHECK(kill_job(&j));
	CHECK(drive_wait(&d, &j, PATIENCE_MS) == 0);
	CHECK(drive_finish(&d, &j) == 0);
	drive_job_clear(&j);
	return true;
}

/* A job that cannot join the groups that bound it does not run. */
static bool
t_no_group(void)
{
	struct drive_job j;

	if (d.dirs.pids == -1) {
		(void)snprintf(note, sizeof(note), "skip: no v1 group");
		return true;
	}
	/* another one in its place, which jail has not opened */
	CHECK(unlinkat(d.dirs.pids, "slot-1", AT_REMOVEDIR) == 0);
	CHECK(mkdirat(d.dirs.pids, "slot-1", 0755) == 0);
	CHECK(fchmodat(d.dirs.pids, "slot-1/pids.max", 0666, 0) == 0);
	new_job(&j, spins);
	(void)drive_send(&d, &j);
	CHECK(!j.started && strcmp(j.code, "internal") == 0);
	CHECK(strncmp(j.why, "its control groups: ", 20) == 0);
	drop(&j);
	return true;
}

/* What a job sees of mounts tells no place of the host and no slot. */
static bool
t_mountinfo(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "cat /proc/self/mountinfo /proc/self/mounts /proc/self/mountstats",
	    NULL};
	struct drive_job j;

	new_job(&j, argv);
	four_volumes(&j);
	CHECK(drive_run(&d, &j) == 0 && j.started);
	CHECK(strstr(j.out, " /a ") != NULL);
	CHECK(strstr(j.out, "stage") == NULL);
	CHECK(strstr(j.out, "warren") == NULL);
	for (unsigned v = 0; v < j.nvolumes; v++)
		(void)close(j.volumes[v].blob);
	drive_job_clear(&j);
	return true;
}

/* Jail keeps no volume open that it has filled in. */
static bool
t_blobs_closed(void)
{
	struct drive_job j;
	unsigned before;

	if (!d.root) {
		(void)snprintf(note, sizeof(note), "skip: seen by root only");
		return true;
	}
	before = descriptors(d.pid);
	new_job(&j, spins);
	four_volumes(&j);
	CHECK(drive_send(&d, &j) == 0 && j.started);
	/* out, err, two of its first process, its report */
	CHECK(descriptors(d.pid) <= before + 5);
	CHECK(kill_job(&j));
	CHECK(drive_wait(&d, &j, PATIENCE_MS) == 0);
	j.nvolumes = 0; /* nothing is to be packed */
	CHECK(drive_finish(&d, &j) == 0);
	drive_job_clear(&j);
	return true;
}

/* An archive of empty files, as many as one may have; to be freed. */
static uint8_t *
many_files(size_t *len)
{
	unsigned n = TAR_MEMBERS_MAX - 1;
	uint8_t *tar = calloc(n + 2, TAR_BLOCK);

	for (unsigned i = 0; tar != NULL && i < n; i++) {
		struct tar_member m = {.type = TAR_FILE, .mode = 0644};

		(void)snprintf(m.path, sizeof(m.path), "f%05u", i);
		if (tar_header(tar + (size_t)i * TAR_BLOCK, &m) != TAR_OK)
			return NULL;
	}
	*len = (size_t)(n + 2) * TAR_BLOCK;
	return tar;
}

/*
 * One archive, spooled once, named by many volumes: without a sum for the job
 * a million inodes of the disk.
 */
static bool
t_many_files(void)
{
	static const char *const at[] = {"/a", "/b", "/c", "/d", "/e", "/f"};
	static const char *const argv[] = {"/bin/true", NULL};
	struct drive_job j;
	size_t len = 0;
	uint8_t *tar = many_files(&len);
	char path[300];
	DIR *dir;

	new_job(&j, argv);
	CHECK(tar != NULL);
	j.time_ms = 60000;
	j.memory = 512u << 20;
	j.nvolumes = NELEM(at);
	for (unsigned v = 0; v < NELEM(at); v++) {
		j.volumes[v].kind = PLAN_VOL_RO;
		j.volumes[v].target = at[v];
		j.volumes[v].blob = v == 0 ? setup_blob(tar, len) :
		    j.volumes[0].blob;
	}
	CHECK(drive_run(&d, &j) == 0);
	CHECK(j.failed && strcmp(j.code, "volume") == 0);
	CHECK(strstr(j.why, "together") != NULL);
	(void)snprintf(path, sizeof(path), "%s/stage/1", d.folder);
	dir = opendir(path);
	for (struct dirent *de; dir != NULL && (de = readdir(dir)) != NULL;)
		CHECK(de->d_name[0] == '.');
	if (dir != NULL)
		(void)closedir(dir);
	(void)close(j.volumes[0].blob);
	drive_job_clear(&j);
	/* as many as it may have are none too many */
	new_job(&j, argv);
	j.time_ms = 60000;
	j.memory = 512u << 20;
	j.nvolumes = 2;
	for (unsigned v = 0; v < 2; v++) {
		j.volumes[v].kind = PLAN_VOL_RO;
		j.volumes[v].target = at[v];
		j.volumes[v].blob = v == 0 ? setup_blob(tar, len) :
		    j.volumes[0].blob;
	}
	CHECK(drive_run(&d, &j) == 0);
	CHECK(j.started && j.how == EXIT_CODE && j.status == 0);
	(void)close(j.volumes[0].blob);
	drive_job_clear(&j);
	free(tar);
	return true;
}

/*
 * A v1 group, which no file kills: what forks as fast as it can is gone all the
 * same, in the groups beneath too, and the group is as it was.
 */
static bool
t_v1_kill(void)
{
	struct drive_job j = {.why = ""};
	char text[32] = "";
	int dir, sub;

	if (d.dirs.pids == -1) {
		(void)snprintf(note, sizeof(note), "skip: no v1 group");
		return true;
	}
	CHECK(mkdirat(d.dirs.pids, "kill", 0755) == 0);
	CHECK(mkdirat(d.dirs.pids, "kill/sub", 0755) == 0);
	dir = openat(d.dirs.pids, "kill", O_RDONLY | O_DIRECTORY);
	sub = openat(dir, "sub", O_RDONLY | O_DIRECTORY);
	CHECK(file_put(dir, "pids.max", "40") == 0);
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)signal(SIGCHLD, SIG_IGN);
			if (file_put(i == 0 ? dir : sub, "cgroup.procs",
			    "0") < 0)
				_exit(1);
			/* each lives for a moment, and leaves another one */
			for (;;) {
				pid = fork();
				if (pid > 0)
					_exit(0);
			}
		}
		CHECK(pid > 0);
		(void)waitpid(pid, NULL, 0);
	}
	CHECK(group_kill(dir));
	CHECK(file_read(dir, "cgroup.procs", text, sizeof(text)) == 0);
	CHECK(file_read(sub, "cgroup.procs", text, sizeof(text)) == 0);
	CHECK(file_read(dir, "pids.max", text, sizeof(text)) == 3);
	CHECK(strncmp(text, "40", 2) == 0);
	CHECK(unlinkat(dir, "sub", AT_REMOVEDIR) == 0);
	CHECK(unlinkat(d.dirs.pids, "kill", AT_REMOVEDIR) == 0);
	(void)close(dir);
	(void)close(sub);
	return true;
}

static const struct trial trials[] = {
	{"slot-falls", t_slot_falls, false},
	{"slot-falls-job-ends", t_slot_falls_job_ends, false},
	{"slot-falls-clock", t_slot_falls_clock, true},
	{"slot-falls-starting", t_slot_falls_starting, false},
	{"plan-fails", t_plan_fails, false},
	{"kill-between", t_kill_between, false}, {"sysv-left", t_sysv_left, false},
	{"ranks", t_ranks, false}, {"no-group", t_no_group, false},
	{"v1-kill", t_v1_kill, false},
	{"many-files", t_many_files, true}, {"mountinfo", t_mountinfo, false},
	{"blobs-closed", t_blobs_closed, false},
};

static int
begin(void)
{
	static const char *const applets[] = {"sh", "true", "sleep", "cat"};
	struct drive_options o = {.slots = 1, .level = 0};
	char path[512], link[600], from[600];

	if (getenv("LEVEL") != NULL)
		o.level = (int)strtol(getenv("LEVEL"), NULL, 10);
	if (setup_drive(&d, &o, folder, path, sizeof(path), &image) == -1)
		return -1;
	(void)snprintf(from, sizeof(from), "%s/counters", folder);
	if (!setup_program(path, "busybox", busybox) ||
	    !setup_program(path, "counters", from))
		return -1;
	for (size_t i = 0; i < NELEM(applets); i++) {
		(void)snprintf(link, sizeof(link), "%s/bin/%s", path,
		    applets[i]);
		if (symlink("busybox", link) == -1)
			return -1;
	}
	return 0;
}

int
main(int argc, char *argv[])
{
	return trials_main(argc, argv, trials, NELEM(trials), begin);
}
