/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Roots that are prepared (sandbox/jail/member.h): a job in one is where it
 * would be in one that was built for it; one that is not of its shape, or of an
 * image that is not what it was, is nobody's; none is used twice, and nothing
 * of it outlives jail. test_warm BUILD-FOLDER BUSYBOX [NAME]
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "tests/escape/setup.h"
#include "tests/escape/trials.h"
#include "tests/until.h"

static struct id32 image;
static char root[512];
static const char *const env[] = {"PATH=/bin", NULL};
static char work[] = "/tmp/warren-warm-XXXXXX";

static void
new_job(struct drive_job *j, const char *script)
{
	static const char *argv[] = {"/bin/sh", "-c", NULL, NULL};

	argv[2] = script;
	drive_job_init(j);
	j->image = image;
	j->argv = argv;
	j->env = env;
}

/* To its end, with what it has written in *out; the caller frees. */
static bool
run(struct drive_job *j, const char *script, char **out)
{
	new_job(j, script);
	if (drive_run(&d, j) == -1 || !j->started)
		return false;
	if (out != NULL) {
		*out = j->out;
		j->out = NULL;
	}
	drive_job_clear(j);
	return true;
}

/* ... with what it has of blobs. */
static void
done(struct drive_job *j)
{
	for (unsigned i = 0; i < NELEM(j->volumes); i++)
		if (j->volumes[i].blob != -1)
			(void)close(j->volumes[i].blob);
	drive_job_clear(j);
}

static void
shorter(struct drive_job *j, struct plan *p, int *fds, unsigned *nfds)
{
	(void)j;
	(void)fds;
	(void)nfds;
	p->targets_len--;
}

/* A job that leaves its shape, and the root that is prepared of it. */
static bool
prepare(void)
{
	struct drive_job j;

	return drive_warm(&d, true, 600) == 0 && run(&j, ":", NULL) &&
	    drive_prepared(&d, 1) == 0;
}

/* ---- trials ---- */

/* newer kernels list mounts by their numbers, which is when they were made */
#define SEEN                                                                   \
	"cat /proc/self/status /proc/self/limits "                            \
	"/proc/self/cgroup /proc/1/status; "                                  \
	"sort -k5 /proc/self/mountinfo; sort -k2 /proc/self/mounts; "         \
	"ls -la / /tmp /dev /proc/self/fd; ls -l /proc/self/ns; id; umask; " \
	"hostname; pwd; echo $$; ls /proc"

/* A name or a number that every start has of its own becomes one sign. */
static void
mask(char *s)
{
	char *to = s;

	while (*s != '\0') {
		if (isdigit((unsigned char)*s)) {
			while (isdigit((unsigned char)*s))
				s++;
			*to++ = '#';
		} else if (*s == ' ') {
			/* columns are as wide as their numbers */
			while (*s == ' ')
				s++;
			*to++ = ' ';
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* What is counted and not set: memory, faults, switches. */
static void
leave_out(char *text)
{
	static const char *const keys[] = {"Vm", "Rss", "voluntary_",
	    "nonvoluntary_", "HugetlbPages"};
	char *to = text, *next;

	for (char *line = text; *line != '\0'; line = next) {
		size_t n = strcspn(line, "\n");
		bool keep = true;

		next = line[n] == '\0' ? line + n : line + n + 1;
		for (size_t i = 0; i < NELEM(keys); i++)
			keep &= strncmp(line, keys[i], strlen(keys[i])) != 0;
		if (!keep)
			continue;
		memmove(to, line, (size_t)(next - line));
		to += next - line;
	}
	*to = '\0';
}

/* Everything that a job can read of where it is, but for numbers. */
static bool
same(void (*more)(struct drive_job *))
{
	struct drive_job j;
	char *cold, *warm;
	size_t at = 0;
	uint64_t before = d.pool.warm;

	CHECK(drive_warm(&d, true, 600) == 0);
	new_job(&j, SEEN);
	more(&j);
	CHECK(drive_run(&d, &j) == 0 && j.started && j.status == 0);
	cold = j.out;
	j.out = NULL;
	done(&j);
	CHECK(drive_prepared(&d, 1) == 0 && d.pool.warm == before);
	new_job(&j, SEEN);
	more(&j);
	CHECK(drive_run(&d, &j) == 0 && j.started && j.status == 0);
	warm = j.out;
	j.out = NULL;
	/* counted where a job that is built is: its own group */
	CHECK(d.dirs.v2 == -1 || j.usage.cpu_us > 0);
	CHECK(drive_prepared(&d, 1) == 0 && d.pool.warm == before + 1);
	done(&j);
	CHECK(strlen(cold) > 2000);
	leave_out(cold);
	leave_out(warm);
	mask(cold);
	mask(warm);
	while (cold[at] == warm[at] && cold[at] != '\0')
		at++;
	if (strcmp(cold, warm) != 0) {
		size_t from = at > 80 ? at - 80 : 0;

		(void)snprintf(note, sizeof(note), "cold: %.200s | "
		    "warm: %.200s", cold + from, warm + from);
		return false;
	}
	free(cold);
	free(warm);
	return true;
}

static void
nothing(struct drive_job *j)
{
	(void)j;
}

static bool
t_same(void)
{
	return same(nothing);
}

/* Of each kind one, in places that an image has not. */
static void
volumes(struct drive_job *j)
{
	static const char *const targets[] = {"/in/ro", "/tmp/deep/rw", "/lent",
	    "/mine"};
	static const uint8_t kinds[] = {PLAN_VOL_RO, PLAN_VOL_RW,
	    PLAN_VOL_PROFILE, PLAN_VOL_PROFILE_RW};

	j->nvolumes = NELEM(kinds);
	for (unsigned i = 0; i < NELEM(kinds); i++) {
		j->volumes[i].kind = kinds[i];
		j->volumes[i].target = targets[i];
		if (kinds[i] == PLAN_VOL_RO || kinds[i] == PLAN_VOL_RW)
			j->volumes[i].blob = setup_pack(work);
	}
}

static bool
t_same_volumes(void)
{
	return same(volumes);
}

/* What one writes the next has not, what it may not write it cannot. */
static bool
t_volumes(void)
{
	static const char script[] =
	    "cat /in/ro/said /tmp/deep/rw/said /lent/said /mine/said || exit 1;"
	    " ls /tmp/deep/rw /mine;"
	    " for d in /in/ro /lent / /in /tmp/deep/rw /mine; do"
	    " echo x > $d/left && echo $d; done; :";
	static const char expect[] = "said\nsaid\nsaid\nsaid\n"
	    "/mine:\nsaid\n\n/tmp/deep/rw:\nsaid\n/tmp/deep/rw\n/mine\n";
	struct drive_job j;

	CHECK(drive_warm(&d, true, 600) == 0);
	for (uint64_t i = 0; i < 4; i++) {
		new_job(&j, script);
		volumes(&j);
		CHECK(drive_run(&d, &j) == 0 && j.started && j.status == 0);
		if (strcmp(j.out, expect) != 0) {
			(void)snprintf(note, sizeof(note), "%.400s", j.out);
			return false;
		}
		/* what it left comes back as from any other */
		CHECK(j.packed_len[1] > 2048);
		done(&j);
		CHECK(drive_prepared(&d, 1) == 0 && d.pool.warm == i);
	}
	return true;
}

/* Another place, one more, or none: a root of those is another one. */
static bool
t_targets(void)
{
	struct drive_job j;

	for (unsigned i = 0; i < 4; i++) {
		CHECK(drive_warm(&d, true, 600) == 0);
		new_job(&j, ":");
		volumes(&j);
		CHECK(drive_run(&d, &j) == 0 && j.started && j.status == 0);
		done(&j);
		CHECK(drive_prepared(&d, 1) == 0);
		new_job(&j, "ls / | cat; cat /proc/self/mounts");
		volumes(&j);
		if (i == 0)
			j.volumes[2].target = "/lend";
		if (i == 1)
			j.nvolumes = 3;
		if (i == 2)
			j.nvolumes = 0;
		/* the same bytes that the record calls another length */
		if (i == 3)
			j.spoil = shorter;
		CHECK(drive_run(&d, &j) == 0 && j.started == (i != 3));
		CHECK(d.pool.shape == i + 1 && d.pool.warm == 0);
		if (i == 3)
			CHECK(strcmp(j.code, "internal") == 0);
		else
			CHECK((strstr(j.out, "lent") != NULL) == (i == 1) &&
			    (strstr(j.out, "mine") != NULL) == (i == 0));
		done(&j);
	}
	return true;
}

static bool
t_once(void)
{
	static const char leave[] = "echo mine > /tmp/mine; ls /tmp";
	struct drive_job j;
	uint64_t before;

	CHECK(drive_warm(&d, true, 600) == 0);
	for (int i = 0; i < 4; i++) {
		before = d.pool.warm;
		new_job(&j, leave);
		CHECK(drive_run(&d, &j) == 0 && j.started);
		CHECK(strcmp(j.out, "mine\n") == 0);
		drive_job_clear(&j);
		CHECK(drive_prepared(&d, 1) == 0);
		CHECK(d.pool.warm == before + (i > 0));
		new_job(&j, "ls /tmp");
		CHECK(drive_run(&d, &j) == 0 && j.started);
		CHECK(j.out[0] == '\0' && j.status == 0);
		drive_job_clear(&j);
		CHECK(drive_prepared(&d, 1) == 0);
		CHECK(d.pool.warm == before + (i > 0) + 1);
	}
	return true;
}

static bool
t_shape(void)
{
	static const uint64_t bytes[] = {8192, 16384, 16384};
	struct drive_job j;
	char size[32];

	for (int i = 0; i < 3; i++) {
		CHECK(prepare());
		new_job(&j, "cat /proc/self/mounts");
		if (i == 0)
			j.memory = 32u << 20;
		if (i == 1)
			j.writable = true;
		if (i == 2) {
			j.nvolumes = 1;
			j.volumes[0].kind = PLAN_VOL_RW;
			j.volumes[0].target = "/v";
			j.volumes[0].blob = setup_pack(work);
		}
		CHECK(drive_run(&d, &j) == 0 && j.started && j.status == 0);
		/* what it asked for, and not what was prepared */
		(void)snprintf(size, sizeof(size), "size=%lluk",
		    (unsigned long long)bytes[i]);
		CHECK(strstr(j.out, size) != NULL);
		CHECK((strstr(j.out, " / overlay rw") != NULL) == (i == 1));
		CHECK((strstr(j.out, " /v tmpfs") != NULL) == (i == 2));
		done(&j);
		CHECK(d.pool.shape == 1 + (uint64_t)(i == 2) &&
		    d.pool.writable == (uint64_t)(i > 0));
		CHECK(d.pool.warm == 0);
	}
	return true;
}

/* The image. */
static bool
fill(void)
{
	static const char *const applets[] = {"sh", "cat", "ls", "id",
	    "hostname", "sort"};
	char link[600];

	if (!setup_program(root, "busybox", busybox))
		return false;
	for (size_t i = 0; i < NELEM(applets); i++) {
		(void)snprintf(link, sizeof(link), "%s/bin/%s", root,
		    applets[i]);
		if (symlink("busybox", link) == -1)
			return false;
	}
	return true;
}

static bool
say(const char *text)
{
	char path[600];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/said", root);
	(void)unlink(path);
	f = fopen(path, "we");
	if (f == NULL)
		return false;
	(void)fputs(text, f);
	return fclose(f) == 0;
}

/* Another folder under the same digest, as a mended image has. */
static bool
t_image_replaced(void)
{
	char away[600];
	struct drive_job j;
	char *out;

	CHECK(say("old\n") && prepare());
	(void)snprintf(away, sizeof(away), "%s/images/away", d.folder);
	CHECK(rename(root, away) == 0 && mkdir(root, 0755) == 0 && fill());
	CHECK(say("new\n"));
	CHECK(run(&j, "cat /said", &out));
	CHECK(strcmp(out, "new\n") == 0);
	free(out);
	CHECK(d.pool.image == 1 && d.pool.warm == 0);
	return true;
}

/* One that was taken away never runs, and one that was put back is looked at. */
static bool
t_image_removed(void)
{
	char away[600];
	struct drive_job j;

	CHECK(prepare());
	(void)snprintf(away, sizeof(away), "%s/images/away", d.folder);
	CHECK(rename(root, away) == 0);
	new_job(&j, ":");
	CHECK(drive_run(&d, &j) == 0 && !j.started && j.failed);
	CHECK(strcmp(j.code, "image") == 0);
	drive_job_clear(&j);
	CHECK(d.pool.image == 1 && d.pool.warm == 0);
	CHECK(rename(away, root) == 0);
	CHECK(prepare());
	/* away for a moment: its ctime says so */
	CHECK(rename(root, away) == 0 && rename(away, root) == 0);
	CHECK(run(&j, ":", NULL));
	CHECK(d.pool.image == 2 && d.pool.warm == 0);
	return true;
}

/* Node's word: what is there goes, and a job must have been let in first. */
static bool
t_void(void)
{
	struct drive_job j = {.why = ""};

	CHECK(prepare());
	CHECK(drive_warm(&d, true, 600) == 0);
	CHECK(drive_answer(&d, &j, PATIENCE_MS) == IPC_J_POOL);
	CHECK(d.pool.prepared == 0);
	/* silence: nothing is prepared by itself */
	CHECK(drive_answer(&d, &j, 200) == 0);
	CHECK(run(&j, ":", NULL) && d.pool.warm == 0 && d.pool.none == 2);
	CHECK(drive_prepared(&d, 1) == 0);
	CHECK(run(&j, ":", NULL) && d.pool.warm == 1);
	return true;
}

static bool
t_off(void)
{
	struct drive_job j = {.why = ""};

	CHECK(prepare());
	CHECK(drive_warm(&d, false, 0) == 0);
	CHECK(run(&j, ":", NULL));
	/* off: not a word, and nothing is made */
	CHECK(drive_answer(&d, &j, 200) == 0);
	CHECK(drive_warm(&d, true, 600) == 0);
	CHECK(drive_answer(&d, &j, PATIENCE_MS) == IPC_J_POOL);
	CHECK(d.pool.prepared == 0 && d.pool.warm == 0);
	return true;
}

static bool
t_idle(void)
{
	struct drive_job j = {.why = ""};

	CHECK(drive_warm(&d, true, 1) == 0 && run(&j, ":", NULL));
	CHECK(drive_prepared(&d, 1) == 0);
	while (d.pool.prepared > 0)
		CHECK(drive_answer(&d, &j, PATIENCE_MS) == IPC_J_POOL);
	CHECK(run(&j, ":", NULL) && d.pool.warm == 0);
	return true;
}

/* A node that is gone has no word: the next one says it anew. */
static bool
t_node(void)
{
	struct drive_job j = {.why = ""};

	CHECK(prepare());
	CHECK(drive_new_node(&d) == 0);
	CHECK(run(&j, ":", NULL));
	CHECK(drive_warm(&d, true, 600) == 0);
	d.pool.prepared = 0;
	CHECK(run(&j, ":", NULL) && drive_prepared(&d, 1) == 0);
	CHECK(d.pool.warm == 0);
	return true;
}

/* ---- who is there ---- */

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

static unsigned
children(int *pidfds, unsigned cap)
{
	DIR *dir = opendir("/proc");
	struct dirent *de;
	unsigned n = 0;
	char text[4096], *at;

	while (dir != NULL && (de = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);

		if (pid > 0 && n < cap && read_proc(pid, "status", text,
		    sizeof(text)) && (at = strstr(text, "\nPPid:")) != NULL &&
		    strtol(at + 6, NULL, 10) == d.pid)
			pidfds[n++] = (int)syscall(SYS_pidfd_open, pid, 0);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

/* Nobody waits in what is prepared; and with jail its last holder is gone. */
static bool
t_killed(void)
{
	struct drive_job j = {.why = ""};
	struct until late = until_begin("who built it has ended", PATIENCE_MS);
	int fds[8];
	unsigned n;

	CHECK(prepare());
	while ((n = children(fds, NELEM(fds))) != 1 && until_step(&late))
		for (unsigned i = 0; i < n; i++)
			(void)close(fds[i]);
	/* the slot's own process alone */
	CHECK(n == 1);
	CHECK(kill(d.pid, SIGKILL) == 0);
	CHECK(poll(&(struct pollfd){fds[0], POLLIN, 0}, 1, PATIENCE_MS) == 1);
	(void)close(fds[0]);
	return true;
}

/* Of the group of the slot's own process; 0: nobody counts. */
static uint64_t
charged(void)
{
	const struct {
		int dir;
		const char *file;
	} t[] = {{d.dirs.memory, "step-1/memory.usage_in_bytes"},
	    {d.dirs.v2, "step-1/memory.current"}};
	char text[32];
	ssize_t n = -1;

	for (size_t i = 0; i < NELEM(t) && n <= 0; i++) {
		int fd = t[i].dir == -1 ? -1 : openat(t[i].dir, t[i].file,
		    O_RDONLY | O_CLOEXEC);

		n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return strtoull(text, NULL, 10);
}

/* What one costs is the slot's to pay, and is little. */
static bool
t_memory(void)
{
	struct drive_job j = {.why = ""};
	uint64_t before, with;

	if ((before = charged()) == 0) {
		(void)snprintf(note, sizeof(note), "skip: no memory group");
		return true;
	}
	CHECK(prepare());
	with = charged();
	CHECK(with < before + (2u << 20));
	return true;
}

/* At whatever moment a job comes: it starts, and what was begun is nobody's. */
static bool
t_moments(void)
{
	struct drive_job j;
	char *out;

	CHECK(drive_warm(&d, true, 600) == 0);
	for (int i = 0; i < 40; i++) {
		CHECK(run(&j, "ls /tmp; echo a > /tmp/a", &out));
		CHECK(out[0] == '\0');
		free(out);
		quiet(3000 + i * 150, "the moments of a preparation");
	}
	CHECK(d.pool.warm + d.pool.none >= 39);
	return true;
}

static const struct trial trials[] = {
	{"warm-same", t_same, false},
	{"warm-same-volumes", t_same_volumes, false},
	{"warm-volumes", t_volumes, false},
	{"warm-targets", t_targets, false},
	{"warm-once", t_once, false},
	{"warm-shape", t_shape, false},
	{"warm-image-replaced", t_image_replaced, false},
	{"warm-image-removed", t_image_removed, false},
	{"warm-void", t_void, false},
	{"warm-off", t_off, false},
	{"warm-idle", t_idle, false},
	{"warm-node", t_node, false},
	{"warm-killed", t_killed, false},
	{"warm-moments", t_moments, false},
	{"warm-memory", t_memory, false},
};

static int
begin(void)
{
	struct drive_options o = {.slots = 1, .level = 0, .volume = work};

	return setup_drive(&d, &o, folder, root, sizeof(root), &image) == 0 &&
	    fill() ? 0 : -1;
}

int
main(int argc, char *argv[])
{
	char file[64];
	FILE *f;
	int rv = 2;

	if (mkdtemp(work) == NULL)
		return rv;
	(void)chmod(work, 0755);
	(void)snprintf(file, sizeof(file), "%s/said", work);
	f = fopen(file, "we");
	if (f != NULL && fputs("said\n", f) >= 0 && fclose(f) == 0)
		rv = trials_main(argc, argv, trials, NELEM(trials), begin);
	setup_remove(work);
	return rv;
}
