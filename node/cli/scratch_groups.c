/* SPDX-License-Identifier: BSD-2-Clause */
/* Control groups of the scratch jail, where this process may make some. */
#include "node/cli/scratch_groups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cgdetect.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/layers.h"
#include "common/util.h"
#include "sandbox/base/devfilter.h"
#include "sandbox/jail/jail.h"

#define PROC_MAX (256u << 10)

static char *
proc_text(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(PROC_MAX);
	size_t n = 0;
	ssize_t k;

	if (text == NULL)
		return NULL;
	while (n < PROC_MAX - 1 &&
	    (k = read(fd, text + n, PROC_MAX - 1 - n)) > 0)
		n += (size_t)k;
	text[n] = '\0';
	return text;
}

/* warren-doctor-PID in one hierarchy; -1: not ours to make. */
static int
make_one(struct scratch *s, unsigned at, const char *own)
{
	uid_t node = s->base + JAIL_NODE_UID;
	int fd;

	if ((size_t)snprintf(s->places[at], sizeof(s->places[at]), "%s/%s",
	    own, s->group) >= sizeof(s->places[at]) ||
	    mkdir(s->places[at], 0755) < 0) {
		s->places[at][0] = '\0';
		return -1;
	}
	fd = open(s->places[at], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0 ||
	    (s->root && fchown(fd, node, node) < 0)) {
		close_fd(&fd);
		return -1;
	}
	return fd;
}

/* Controllers that the own group hands down, or can be told to. */
static uint32_t
hand_down(const char *own, int group)
{
	static const uint32_t bits[CG_CONTROLLERS] = {LAYER_MEMORY, LAYER_CPU,
	    LAYER_PIDS};
	_cleanup_fd_ int up = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char list[256], word[16];
	uint32_t got = 0;
	ssize_t n;

	for (unsigned c = 0; up >= 0 && c < CG_CONTROLLERS; c++) {
		_cleanup_fd_ int fd = -1;

		(void)snprintf(word, sizeof(word), "+%s", cg_name(c));
		(void)file_put(up, "cgroup.subtree_control", word);
		(void)file_put(group, "cgroup.subtree_control", word);
		fd = openat(group, "cgroup.subtree_control",
		    O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, list, sizeof(list) - 1);
		if (n <= 0)
			continue;
		list[n] = '\0';
		list[strcspn(list, "\n")] = '\0';
		if (cg_listed(list, cg_name(c)))
			got |= bits[c];
	}
	return got;
}

void
scratch_groups_make(struct scratch *s)
{
	static const uint32_t bits[CG_CONTROLLERS] = {LAYER_MEMORY, LAYER_CPU,
	    LAYER_PIDS};
	_cleanup_free_ char *own = proc_text("/proc/self/cgroup");
	_cleanup_free_ char *mounts = proc_text("/proc/self/mountinfo");
	int *v1[CG_CONTROLLERS] = {&s->dirs.memory, &s->dirs.cpu,
	    &s->dirs.pids};
	struct cg_place place;

	if (own == NULL || mounts == NULL)
		return;
	cgdetect(&place, own, mounts);
	(void)snprintf(s->group, sizeof(s->group), "warren-doctor-%d",
	    (int)getpid());
	if (place.v2 && (s->dirs.v2 = make_one(s, CG_CONTROLLERS,
	    place.v2_path)) >= 0)
		s->cg_v2 = hand_down(place.v2_path, s->dirs.v2);
	if (s->dirs.v2 >= 0 && devfilter_attach(s->dirs.v2) == 0)
		s->cg_v2 |= LAYER_DEVICES;
	for (unsigned c = 0; c < CG_CONTROLLERS; c++) {
		if ((s->cg_v2 & bits[c]) != 0 || !place.v1[c])
			continue;
		*v1[c] = make_one(s, c, place.v1_path[c]);
		if (*v1[c] >= 0)
			s->cg_v1 |= bits[c];
	}
}

/* What is dying in it leaves a moment later. */
static void
remove_dir(int at, const char *name)
{
	struct timespec ms = {0, 1000000};

	for (int i = 0; i < 2000 && unlinkat(at, name, AT_REMOVEDIR) < 0 &&
	     errno == EBUSY; i++)
		(void)nanosleep(&ms, NULL);
}

void
scratch_groups_remove(struct scratch *s)
{
	int *fds[] = {&s->dirs.v2, &s->dirs.memory, &s->dirs.cpu,
	    &s->dirs.pids};

	for (size_t i = 0; i < NELEM(s->places); i++) {
		DIR *d = s->places[i][0] == '\0' ? NULL :
		    opendir(s->places[i]);
		struct dirent *de;

		while (d != NULL && (de = readdir(d)) != NULL)
			if (de->d_type == DT_DIR && de->d_name[0] != '.')
				remove_dir(dirfd(d), de->d_name);
		if (d != NULL)
			(void)closedir(d);
		if (s->places[i][0] != '\0')
			remove_dir(AT_FDCWD, s->places[i]);
	}
	for (size_t i = 0; i < NELEM(fds); i++)
		close_fd(fds[i]);
}
