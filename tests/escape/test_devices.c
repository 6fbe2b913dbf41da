/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter of devices alone: a process with every right of the machine, in no
 * namespace, behind no seccomp filter, in a group that has it. And jail, which
 * does not believe a parent that says there is one.
 * test_devices BUILD-FOLDER BUSYBOX
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "common/layers.h"
#include "common/numbers.h"
#include "common/util.h"
#include "sandbox/base/devfilter.h"
#include "tests/escape/setup.h"

static const struct {
	const char *name;
	mode_t type;
	unsigned major, minor;
	bool may;
} nodes[] = {
    {"null", S_IFCHR, 1, 3, true}, {"zero", S_IFCHR, 1, 5, true},
    {"full", S_IFCHR, 1, 7, true}, {"random", S_IFCHR, 1, 8, true},
    {"urandom", S_IFCHR, 1, 9, true}, {"mem", S_IFCHR, 1, 1, false},
    {"kmsg", S_IFCHR, 1, 11, false}, {"console", S_IFCHR, 5, 1, false},
    {"ptmx", S_IFCHR, 5, 2, false}, {"tty1", S_IFCHR, 4, 1, false},
    {"ram0", S_IFBLK, 1, 3, false}, {"sda", S_IFBLK, 8, 0, false},
    {"vda", S_IFBLK, 254, 0, false},
};

/* One bit for each node that can be made, and one that can be opened. */
struct seen {
	uint32_t made, opened, refused;
};

static void
look(struct seen *s, const char *dir, bool make)
{
	for (unsigned i = 0; i < NELEM(nodes); i++) {
		char path[400];
		int fd;

		(void)snprintf(path, sizeof(path), "%s/%s%s", dir,
		    nodes[i].name, make ? "-new" : "");
		if (make && mknod(path, nodes[i].type | 0600,
		    makedev(nodes[i].major, nodes[i].minor)) == 0)
			s->made |= 1u << i;
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
		/* without hardware behind it another error says that it may */
		if (fd == -1 && errno == EPERM)
			s->refused |= 1u << i;
		if (fd != -1)
			s->opened |= 1u << i;
		if (fd != -1)
			(void)close(fd);
		if (make)
			(void)unlink(path);
	}
}

/* In the group, or where we are: what a child there sees. */
static bool
child(int group, const char *dir, struct seen out[2])
{
	int p[2], status = -1;
	pid_t pid;

	if (pipe(p) == -1)
		return false;
	pid = fork();
	if (pid == 0) {
		struct seen s[2] = {{0}, {0}};

		if (group != -1 && file_put(group, "cgroup.procs", "0") == -1)
			_exit(2);
		look(&s[0], dir, false);
		look(&s[1], dir, true);
		_exit(write(p[1], s, sizeof(s)) == sizeof(s) ? 0 : 1);
	}
	(void)close(p[1]);
	bool ok = pid > 0 && read(p[0], out, 2 * sizeof(*out)) ==
	    2 * sizeof(*out);
	(void)close(p[0]);
	return waitpid(pid, &status, 0) == pid && status == 0 && ok;
}

static bool
alone(int group, const char *dir)
{
	struct seen without[2], with[2];
	uint32_t may = 0, all = (1u << NELEM(nodes)) - 1;

	for (unsigned i = 0; i < NELEM(nodes); i++) {
		char path[400];

		may |= nodes[i].may ? 1u << i : 0;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, nodes[i].name);
		if (mknod(path, nodes[i].type | 0600, makedev(nodes[i].major,
		    nodes[i].minor)) == -1) {
			printf("skip devices alone (root): no node can be "
			    "made here\n");
			return true;
		}
	}
	if (!child(-1, dir, without) || !child(group, dir, with)) {
		printf("not ok devices alone (root): no process in the group\n");
		return false;
	}
	/*
	 * Nodes can be opened there, kernel log or disk among them; some are
	 * refused by lockdown or have nothing behind them.
	 */
	if ((without[0].opened & may) != may ||
	    (without[0].opened & ~may) == 0 || without[1].made != all) {
		printf("skip devices alone (root): without it, opened %x and "
		    "made %x of %x\n", without[0].opened, without[1].made, all);
		return true;
	}
	bool ok = (with[0].opened & may) == may &&
	    (with[0].opened & ~may) == 0 && with[0].refused == (all & ~may) &&
	    with[1].made == may;
	printf("%s devices alone (root): opened %x, before %x, refused %x, "
	    "made %x of %x\n", ok ? "ok" : "not ok", with[0].opened,
	    without[0].opened, with[0].refused, with[1].made, all);
	return ok;
}

/* A parent that says so, and a group without one. */
static bool
believed(const char *build, bool claims)
{
	struct drive_options o = {.slots = 1, .claims_devices = claims};
	struct drive d;
	struct id32 image;
	char root[512];
	bool ok;

	if (setup_drive(&d, &o, build, root, sizeof(root), &image) == -1)
		return false;
	ok = ((d.posture.layers & LAYER_DEVICES) == 0) == claims;
	printf("%s devices %s (root): layers %x, missing %s\n",
	    ok ? "ok" : "not ok", claims ? "claimed" : "named",
	    d.posture.layers, d.posture.missing);
	drive_stop(&d);
	return ok;
}

int
main(int argc, char *argv[])
{
	char dir[] = "/dev/warren-devices-XXXXXX";
	struct drive d = {.base = DRIVE_BASE};
	bool ok = true;

	if (argc < 3)
		return 2;
	if (!numbers_usable(DRIVE_BASE)) {
		printf("skip devices (%s): root of the machine alone has it\n",
		    setup_who());
		return 0;
	}
	d.dirs = (struct cgroup_dirs){.v2 = -1, .memory = -1,
		    .cpu = -1, .pids = -1};
	d.root = true;
	drive_groups_make(&d);
	if ((d.cg_v2 & LAYER_DEVICES) == 0 || mkdtemp(dir) == NULL) {
		printf("skip devices (root): no group of version 2 takes a "
		    "filter here\n");
		drive_groups_remove(&d);
		return 0;
	}
	ok = alone(d.dirs.v2, dir);
	setup_remove(dir);
	drive_groups_remove(&d);
	ok = believed(argv[1], false) && ok;
	ok = believed(argv[1], true) && ok;
	return ok ? 0 : 1;
}
