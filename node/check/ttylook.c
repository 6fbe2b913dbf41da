/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/check/ttylook.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/util.h"

#define DRIVERS "/proc/tty/drivers"

/*
 * A line of DRIVERS is a name, a path, the major number, a minor number or
 * FIRST-LAST, and the type: serial, pty:slave, console, ...
 */
static bool
line_has(const char *line, dev_t dev, char type[32])
{
	unsigned major, first, last;

	switch (sscanf(line, "%*s %*s %u %u-%u %31s", &major, &first, &last,
	    type)) {
	case 2:
		last = first;
		if (sscanf(line, "%*s %*s %*u %*u %31s", type) != 1)
			return false;
		break;
	case 4:
		break;
	default:
		return false;
	}
	return major == major(dev) && minor(dev) >= first && minor(dev) <= last;
}

/* 1 and 0: it is one or not; -1: this machine does not say. */
static int
is_port(dev_t dev)
{
	FILE *f = fopen(DRIVERS, "re");
	char line[256], type[32];
	int is = 0;

	if (f == NULL)
		return -1;
	while (is == 0 && fgets(line, sizeof(line), f) != NULL)
		is = line_has(line, dev, type) && (strcmp(type, "serial") ==
		    0 || strcmp(type, "pty:slave") == 0);
	(void)fclose(f);
	return is;
}

/* The group that may open it, if it is not everybody's or root's alone. */
static const char *
group_of(const char *path)
{
	struct stat st;
	const struct group *g;

	if (stat(path, &st) < 0 || (st.st_mode & 0060) != 0060 ||
	    st.st_gid == 0 || (g = getgrgid(st.st_gid)) == NULL)
		return NULL;
	return g->gr_name;
}

void
tty_why(const char *path, int error, char *why, size_t cap)
{
	const char *group;

	switch (error) {
	case ENOENT:
	case ENOTDIR:
		(void)snprintf(why, cap, "there is no such port (is it plugged "
		    "in? `ls /dev/serial/by-id` shows those that are)");
		return;
	case EBUSY:
		(void)snprintf(why, cap, "another program has it (`fuser -v "
		    "%.60s` says which; stop that)", path);
		return;
	case EACCES:
	case EPERM:
		if ((group = group_of(path)) != NULL)
			(void)snprintf(why, cap, "no right to open it (it is "
			    "for group %.32s: `usermod -aG %.32s USER`, then "
			    "start again)", group, group);
		else
			(void)snprintf(why, cap, "no right to open it (`ls -l "
			    "%.60s` says who may)", path);
		return;
	case EIO:
	case ENXIO:
	case ENODEV:
		(void)snprintf(why, cap, "no device answers there (%s): pull "
		    "it out and plug it in again", strerror(error));
		return;
	default:
		(void)snprintf(why, cap, "%s", strerror(error));
	}
}

int
tty_look(const char *path, char *why, size_t cap)
{
	const char *what = NULL;
	struct stat st;

	if (stat(path, &st) < 0) {
		int error = errno;

		tty_why(path, error, why, cap);
		return error;
	}
	if (S_ISDIR(st.st_mode))
		what = "a folder";
	else if (S_ISREG(st.st_mode))
		what = "a file";
	else if (!S_ISCHR(st.st_mode))
		what = S_ISBLK(st.st_mode) ? "a disk" : "a pipe or socket";
	else if (is_port(st.st_rdev) == 0)
		what = "another kind of device";
	if (what == NULL)
		return 0;
	(void)snprintf(why, cap, "it is %s, not a serial port (`ls "
	    "/dev/serial/by-id` shows those)", what);
	return ENOTTY;
}
