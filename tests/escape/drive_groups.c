/* SPDX-License-Identifier: BSD-2-Clause */
/* The groups that drive.c runs its jail in, as the parent would make them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/base/devfilter.h"
#include "sandbox/plan/plan.h"
#include "tests/escape/drive.h"
#include "tests/until.h"

/* Mount point of a hierarchy and our own group in it. */
static bool
find_group(const char *controller, char *out, size_t cap)
{
	char line[1024], *mount_point = NULL, *own = NULL;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char at[512], fs[64], opts[512];
		char *dash = strstr(line, " - ");

		if (dash == NULL || sscanf(line, "%*s %*s %*s %*s %511s",
		    at) != 1 || sscanf(dash, " - %63s %*s %511s", fs, opts) !=
		    2)
			continue;
		if (controller[0] == '\0' ? strcmp(fs, "cgroup2") == 0 :
		    (strcmp(fs, "cgroup") == 0 &&
		    strstr(opts, controller) != NULL &&
		    (strcmp(controller, "cpu") != 0 ||
		    strstr(opts, "cpu,") != NULL ||
		    strcmp(opts + strlen(opts) - 3, "cpu") == 0))) {
			free(mount_point);
			mount_point = strdup(at);
		}
	}
	if (f != NULL)
		(void)fclose(f);
	f = fopen("/proc/self/cgroup", "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *names = strchr(line, ':'), *path;

		line[strcspn(line, "\n")] = '\0';
		if (names == NULL || (path = strchr(names + 1, ':')) == NULL)
			continue;
		*path++ = '\0';
		names++;
		if (strcmp(names, controller) == 0 ||
		    (strcmp(controller, "cpu") == 0 &&
		    strncmp(names, "cpu,", 4) == 0)) {
			free(own);
			own = strdup(path);
		}
	}
	if (f != NULL)
		(void)fclose(f);
	if (mount_point != NULL && own != NULL) {
		(void)snprintf(out, cap, "%s%s", mount_point,
		    strcmp(own, "/") == 0 ? "" : own);
		/* a group outside of what is mounted here */
		if (access(out, F_OK) != 0)
			(void)snprintf(out, cap, "%s", mount_point);
	}
	free(own);
	bool found = mount_point != NULL;
	free(mount_point);
	return found;
}

static void
write_at(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)!write(fd, text, strlen(text));
	(void)close(fd);
}

static bool
has_word(int dir, const char *file, const char *word)
{
	char buf[256];
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (fd != -1)
		(void)close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	for (char *s = NULL, *w = strtok_r(buf, " \n", &s); w != NULL;
	    w = strtok_r(NULL, " \n", &s))
		if (strcmp(w, word) == 0)
			return true;
	return false;
}

static int
make_group(struct drive *d, int place, const char *controller)
{
	char own[400];
	uid_t node = d->base + 2;
	int fd;

	if (!find_group(controller, own, sizeof(own)))
		return -1;
	(void)snprintf(d->places[place], sizeof(d->places[place]), "%s/%s",
	    own, d->group);
	if (mkdir(d->places[place], 0755) == -1) {
		d->places[place][0] = '\0';
		return -1;
	}
	if (d->root && chown(d->places[place], node, node) == -1)
		return -1;
	fd = open(d->places[place], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (controller[0] == '\0') {
		int up = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		write_at(up, "cgroup.subtree_control", "+memory +cpu +pids");
		write_at(fd, "cgroup.subtree_control", "+memory +cpu +pids");
		(void)close(up);
	}
	return fd;
}

void
drive_groups_make(struct drive *d)
{
	static const struct {
		const char *name;
		uint32_t layer;
	} t[] = {{"memory", LAYER_MEMORY}, {"cpu", LAYER_CPU},
	    {"pids", LAYER_PIDS}};
	int *v1[] = {&d->dirs.memory, &d->dirs.cpu, &d->dirs.pids};

	(void)snprintf(d->group, sizeof(d->group), "warren-test-%d",
	    (int)getpid());
	d->dirs.v2 = make_group(d, 3, "");
	if (d->dirs.v2 != -1 && d->root && (d->claims_devices ||
	    devfilter_attach(d->dirs.v2) == 0))
		d->cg_v2 |= LAYER_DEVICES;
	for (size_t i = 0; i < NELEM(t); i++) {
		if (d->dirs.v2 != -1 && has_word(d->dirs.v2,
		    "cgroup.subtree_control", t[i].name)) {
			d->cg_v2 |= t[i].layer;
			continue;
		}
		*v1[i] = make_group(d, (int)i, t[i].name);
		if (*v1[i] != -1)
			d->cg_v1 |= t[i].layer;
	}
}

static void
remove_dir(int at, const char *name)
{
	struct until u = until_begin("a group that is free", PATIENCE_MS);

	while (unlinkat(at, name, AT_REMOVEDIR) == -1 && errno == EBUSY &&
	    until_step(&u))
		continue;
}

static void
remove_group(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *de;

	if (d == NULL)
		return;
	while ((de = readdir(d)) != NULL)
		if (de->d_type == DT_DIR && de->d_name[0] != '.')
			remove_dir(dirfd(d), de->d_name);
	(void)closedir(d);
	remove_dir(AT_FDCWD, path);
}

void
drive_groups_remove(struct drive *d)
{
	for (int i = 0; i < 4; i++)
		if (d->places[i][0] != '\0')
			remove_group(d->places[i]);
}
