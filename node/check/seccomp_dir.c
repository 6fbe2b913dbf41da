/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/check/seccomp_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "node/config/profile.h"
#include "common/libc.h"

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
folder(int dir, bool own, const char *path, seccomp_dir_fn *fn, void *ctx)
{
	_cleanup_fd_ int at =
	    openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **v = NULL;
	int n = at < 0 ? -1 : scandirat(at, ".", &v, NULL, by_name);

	for (int i = 0; i < n; i++) {
		const char *file = v[i]->d_name;
		char name[PROFILE_NAME_MAX + 1];
		size_t len = strlen(file);

		if (len > 5 && strcmp(file + len - 5, ".json") == 0)
			fn(ctx, own, at, file,
			    profile_seccomp_name(name, file) ? name : NULL);
		free(v[i]);
	}
	free(v);
}

void
seccomp_dir_each(int dir, seccomp_dir_fn *fn, void *ctx)
{
	char exe[4000], path[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	folder(dir, true, "profiles/seccomp", fn, ctx);
	exe[n < 0 ? 0 : n] = '\0';
	slash = strrchr(exe, '/');
	if (slash != NULL) {
		*slash = '\0';
		(void)snprintf(path, sizeof(path), "%s/etc/seccomp", exe);
		folder(AT_FDCWD, false, path, fn, ctx);
	}
	folder(AT_FDCWD, false, PKGDATADIR "/seccomp", fn, ctx);
}
