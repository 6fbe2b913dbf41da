/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jobs of all kinds, one after the other, and what is left of them: no process,
 * mount, group, namespace, file or descriptor.
 * test_many BUILD-FOLDER BUSYBOX; WARREN_MANY jobs, else JOBS
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"
#include "tests/escape/baits.h"
#include "tests/escape/setup.h"
#include "tests/until.h"

#define JOBS 64 /* each kind twice in each slot; more: WARREN_MANY */

static struct drive d;
static struct id32 image;
static const char *who;
static const uint8_t empty_tar[1024];
static uint8_t junk_tar[2048];

/* ---- what there is ---- */

struct counts {
	unsigned processes, mounts, groups, namespaces, files, fds;
	unsigned charged; /* MiB that the groups hold: no more than before */
};
static const char *const count_names[] = {"processes", "mounts", "groups",
	"namespaces", "files", "descriptors", "MiB charged"};
#define CHARGED_MORE 8 /* what the kernel keeps at hand a processor */
#define COUNTS NELEM(count_names)

static unsigned
entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *de;
	unsigned n = 0;

	while (dir != NULL && (de = readdir(dir)) != NULL)
		n += de->d_name[0] != '.';
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

static unsigned
lines(const char *path)
{
	FILE *f = fopen(path, "re");
	unsigned n = 0;
	int c;

	while (f != NULL && (c = getc(f)) != EOF)
		n += c == '\n';
	if (f != NULL)
		(void)fclose(f);
	return n;
}

static unsigned walked;
static int
walk(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)path;
	(void)st;
	(void)flag;
	(void)at;
	walked++;
	return 0;
}
static int
walk_folder(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)path;
	(void)st;
	(void)at;
	walked += flag == FTW_D || flag == FTW_DNR;
	return 0;
}

/* Kinds of namespace in which a process lives that are not our own. */
static unsigned
other_namespaces(pid_t pid)
{
	static const char *const kinds[] = {"user", "pid", "mnt", "net", "ipc",
	    "uts", "cgroup", "pid_for_children"};
	char a[64], b[64], path[64];
	unsigned other = 0;

	for (size_t i = 0; i < NELEM(kinds); i++) {
		ssize_t n, m;

		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid,
		    kinds[i]);
		n = readlink(path, a, sizeof(a));
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s",
		    kinds[i]);
		m = readlink(path, b, sizeof(b));
		other += n > 0 && (n != m || memcmp(a, b, (size_t)n) != 0);
	}
	return other;
}

static pid_t
parent_of(pid_t pid)
{
	char path[64], text[512];
	const char *p;
	int ppid = 0, fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd != -1)
		(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')');
	return p != NULL && sscanf(p + 2, "%*c %d", &ppid) == 1 ? ppid : 0;
}

/* jail, its slots, and whatever has them for ancestors. */
static bool
ours(pid_t pid)
{
	for (int i = 0; i < 8 && pid > 1; i++) {
		if (pid == d.pid)
			return true;
		pid = parent_of(pid);
	}
	return false;
}

static unsigned
charged(void)
{
	static const char *const files[] = {"memory.current",
	    "memory.usage_in_bytes"};
	unsigned long long bytes = 0, n;
	char path[600];

	for (size_t i = 0; i < NELEM(d.places) * NELEM(files); i++) {
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s/%s", d.places[i / 2],
		    files[i % 2]);
		f = d.places[i / 2][0] == '\0' ? NULL : fopen(path, "re");
		if (f != NULL && fscanf(f, "%llu", &n) == 1)
			bytes += n;
		if (f != NULL)
			(void)fclose(f);
	}
	return (unsigned)(bytes >> 20);
}

static void
take(struct counts *c)
{
	DIR *proc = opendir("/proc");
	char path[64];
	struct dirent *de;

	memset(c, 0, sizeof(*c));
	while (proc != NULL && (de = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);

		if (pid <= 0 || !ours(pid))
			continue;
		c->processes++;
		c->namespaces += other_namespaces(pid);
		(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
		c->mounts += lines(path);
		(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
		c->fds += entries(path);
	}
	if (proc != NULL)
		(void)closedir(proc);
	c->fds += entries("/proc/self/fd");
	c->mounts += lines("/proc/self/mountinfo");
	walked = 0;
	(void)nftw(d.folder, walk, 16, FTW_PHYS);
	c->files = walked;
	walked = 0;
	for (size_t i = 0; i < NELEM(d.places); i++)
		if (d.places[i][0] != '\0')
			(void)nftw(d.places[i], walk_folder, 16, FTW_PHYS);
	c->groups = walked;
	c->charged = charged();
}

/* ---- kinds of jobs ---- */

static void
shell(struct drive_job *j, const char *script)
{
	static const char *argv[] = {"/bin/busybox", "sh", "-c", NULL, NULL};

	argv[3] = script;
	j->argv = argv;
}

static void
volumes(struct drive_job *j, const void *tar, size_t n)
{
	j->nvolumes = 2;
	j->volumes[0].kind = PLAN_VOL_RO;
	j->volumes[0].target = "/in/ro";
	j->volumes[0].blob = setup_blob(empty_tar, sizeof(empty_tar));
	j->volumes[1].kind = PLAN_VOL_RW;
	j->volumes[1].target = "/in/rw";
	j->volumes[1].blob = setup_blob(tar, n);
}

static void k_exit(struct drive_job *j) { shell(j, "exit 3"); }
static void k_output(struct drive_job *j) { shell(j, "yes | head -c 300000"); }
static void k_signal(struct drive_job *j) { shell(j, "kill -SEGV $$"); }
static void
k_daemons(struct drive_job *j)
{
	shell(j, "trap '' TERM HUP INT; for i in 1 2 3 4 5; do "
	    "(trap '' TERM HUP; setsid sleep 60) & done; exit 0");
}
static void
k_stopped(struct drive_job *j)
{
	shell(j, "sleep 60 & kill -STOP $!; exit 0");
}
static void
k_endless(struct drive_job *j)
{
	shell(j, "trap '' TERM HUP INT QUIT; echo; while :; do :; done");
}
static void
k_files(struct drive_job *j)
{
	volumes(j, empty_tar, sizeof(empty_tar));
	shell(j, "cd /in/rw; i=0; while [ $i -lt 200 ]; do : > \"f $i\"; "
	    "i=$((i+1)); done; mkfifo p; ln -s /etc/passwd l; "
	    "d=.; for i in 1 2 3 4 5 6 7 8 9 0; do d=$d/deep; mkdir $d; done; "
	    "chmod 0 $d; head -c 3000000 /dev/zero > big; "
	    "printf x > \"$(printf 'a\\nb\\033')\"; exec 9>gone; rm gone");
}
static void
k_bad_volume(struct drive_job *j)
{
	shell(j, "exit 0");
	volumes(j, junk_tar, sizeof(junk_tar));
}
static void
k_unknown_image(struct drive_job *j)
{
	shell(j, "exit 0");
	memset(&j->image, 9, sizeof(j->image));
}
static void
k_no_program(struct drive_job *j)
{
	static const char *argv[] = {"/bin/none", NULL};

	j->argv = argv;
}
static const char *
probe_of(struct drive_job *j, const char *name)
{
	static const char *argv[] = {"/bin/probe", NULL, NULL};
	static const char *env[] = {"HOST_PID=1", NULL, NULL};

	/* where nothing bounds memory, what takes 128 MiB of it is no job */
	if (d.dirs.v2 != -1 || d.dirs.memory != -1)
		env[1] = "HOST_MEMORY=1";
	volumes(j, empty_tar, sizeof(empty_tar));
	argv[1] = name;
	j->argv = argv;
	j->env = env;
	return name;
}
static void k_forks(struct drive_job *j) { (void)probe_of(j, "fork_bomb"); }
static void k_sysv(struct drive_job *j) { (void)probe_of(j, "sysv_memory"); }
static void k_memory(struct drive_job *j) { (void)probe_of(j, "heap"); }
static void k_sockets(struct drive_job *j) { (void)probe_of(j, "socket_buffers"); }

enum then { TO_ITS_END, KILL_BY_JAIL, KILL_BY_GROUP, NEW_NODE };
static const struct {
	void (*make)(struct drive_job *);
	enum then then;
} kinds[] = {{k_exit, TO_ITS_END}, {k_output, TO_ITS_END},
	{k_signal, TO_ITS_END}, {k_daemons, TO_ITS_END},
	{k_stopped, TO_ITS_END}, {k_endless, KILL_BY_JAIL},
	{k_endless, KILL_BY_GROUP}, {k_files, TO_ITS_END},
	{k_bad_volume, TO_ITS_END}, {k_unknown_image, TO_ITS_END},
	{k_no_program, TO_ITS_END}, {k_forks, TO_ITS_END},
	{k_sysv, TO_ITS_END}, {k_memory, TO_ITS_END},
	{k_sockets, TO_ITS_END}, {k_endless, NEW_NODE}};

static int
end_by(struct drive_job *j, enum then then)
{
	struct msg_J_KILL m = {.end_ = 0};

	if (!j->started)
		return 0;
	m.job = j->id;
	if (then == KILL_BY_GROUP && cgroup_kill(&j->groups) == -1)
		then = KILL_BY_JAIL;
	if (then == NEW_NODE && drive_new_node(&d) == -1)
		return -1;
	if ((then == KILL_BY_JAIL || then == NEW_NODE) &&
	    ipc_send_J_KILL(d.node, &m, NULL, 0) == -1)
		return -1;
	return drive_wait(&d, j, PATIENCE_MS);
}

/* false: jail did not do as it should. */
static bool
one(unsigned i)
{
	struct drive_job j;
	bool ok;

	drive_job_init(&j);
	j.image = image;
	j.pids = 64;
	j.slot = 1 + i / NELEM(kinds) % d.slots;
	kinds[i % NELEM(kinds)].make(&j);
	ok = drive_send(&d, &j) == 0 &&
	    end_by(&j, kinds[i % NELEM(kinds)].then) == 0;
	if (!ok)
		fprintf(stderr, "kind %zu, slot %u: %s %s\n", i % NELEM(kinds), j.slot,
		    j.code, j.why);
	/* what a full volume lost is no fault here */
	if (ok)
		(void)drive_finish(&d, &j);
	for (unsigned v = 0; v < j.nvolumes; v++)
		if (j.volumes[v].blob != -1)
			(void)close(j.volumes[v].blob);
	drive_job_clear(&j);
	return ok;
}

/* A slot makes itself ready for the next job when the last one is gone. */
static void
settle(struct counts *c)
{
	struct counts last;
	int alike = 0;

	take(c);
	for (int i = 0; i < 200 && alike < 5; i++) {
		last = *c;
		quiet(50000, "jail has nothing to do: no slot changes");
		take(c);
		alike = memcmp(&last, c, sizeof(last)) == 0 ? alike + 1 : 0;
	}
}

static bool
same(const struct counts *was, unsigned jobs, int64_t us)
{
	struct until u = until_begin("the end of what jobs left", 10000);
	struct counts is;
	const unsigned *a = (const unsigned *)was, *b = (unsigned *)&is;
	bool ok;

	do {
		take(&is);
		ok = memcmp(was, &is, offsetof(struct counts, charged)) == 0 &&
		    is.charged <= was->charged + CHARGED_MORE;
	} while (!ok && until_step(&u));
	printf("%s nothing is left of %u jobs in %zu kinds (%s), %.1f s:",
	    ok ? "ok" : "not ok", jobs, NELEM(kinds), who, (double)us / 1e6);
	for (size_t i = 0; i < COUNTS; i++)
		printf("%s %s %u -> %u", i == 0 ? "" : ",", count_names[i],
		    a[i], b[i]);
	printf("\n");
	return ok;
}

int
main(int argc, char *argv[])
{
	struct drive_options o = {.slots = 2, .level = 0};
	const char *many = getenv("WARREN_MANY");
	unsigned jobs = many == NULL ? 0 : (unsigned)strtoul(many, NULL, 10);
	int64_t begin;
	struct counts was;
	char root[512];
	bool ok = true;

	if (argc < 3)
		return 2;
	if (jobs == 0)
		jobs = JOBS;
	who = setup_who();
	memset(junk_tar, 'x', sizeof(junk_tar));
	if (setup_drive(&d, &o, argv[1], root, sizeof(root), &image) == -1 ||
	    !setup_program(root, "busybox", argv[2]) ||
	    !setup_program(root, "probe", "./warren-probe")) {
		printf("not ok many-start (%s)\n", who);
		return 1;
	}
	/* each kind once, in each slot: what stays is there from then on */
	for (unsigned i = 0; ok && i < d.slots * NELEM(kinds); i++)
		ok = one(i);
	settle(&was);
	begin = clock_mono().us;
	for (unsigned i = 0; ok && i < jobs; i++)
		ok = one(i);
	if (!ok)
		printf("not ok many jobs (%s): jail does not go on\n", who);
	ok = ok && same(&was, jobs, clock_mono().us - begin);
	drive_stop(&d);
	if (access(d.folder, F_OK) == 0) {
		printf("not ok many jobs (%s): %s is left\n", who, d.folder);
		ok = false;
	}
	return !ok;
}
