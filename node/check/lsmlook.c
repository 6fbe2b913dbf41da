/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/lsmlook.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"

#define SELINUX_ENFORCE "fs/selinux/enforce"

static int
open_below(const char *sys, const char *file)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", sys, file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static char
first_byte(const char *sys, const char *file)
{
	char c = '\0';
	_cleanup_fd_ int fd = open_below(sys, file);

	return fd < 0 || read(fd, &c, 1) != 1 ? '\0' : c;
}

enum lsm_kind
lsmlook(const char *sys)
{
	if (first_byte(sys, "module/apparmor/parameters/enabled") == 'Y')
		return LSM_APPARMOR;
	if (first_byte(sys, SELINUX_ENFORCE) == '1')
		return LSM_SELINUX;
	return LSM_NONE;
}

int
lsmlook_enforce(const char *sys)
{
	return open_below(sys, SELINUX_ENFORCE);
}

bool
lsmlook_enforced(const char *sys, const char *name)
{
	int fd = open_below(sys, "kernel/security/apparmor/profiles");
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	_cleanup_free_ char *line = NULL;
	char want[APPARMOR_NAME_MAX + 16];
	size_t cap = 0;
	bool found = false;

	if (f == NULL) {
		close_fd(&fd);
		return false;
	}
	(void)snprintf(want, sizeof(want), "%s (enforce)\n", name);
	while (!found && getline(&line, &cap, f) >= 0)
		found = strcmp(line, want) == 0;
	(void)fclose(f);
	return found;
}

int
lsmlook_parser(void)
{
	static const char *const places[] = {"/usr/sbin/apparmor_parser",
	    "/sbin/apparmor_parser"};
	struct stat st;

	for (size_t i = 0; i < NELEM(places); i++) {
		_cleanup_fd_ int fd = open(places[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
			return steal_fd(&fd);
	}
	errno = ENOENT;
	return -1;
}
