/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "sandbox/base/tree.h"
#include "sandbox/image/store.h"

static bool
has_digits(const char *name, const char *before)
{
	size_t n = strlen(before);

	return strncmp(name, before, n) == 0 &&
	    strspn(name + n, "0123456789abcdef") == 16 && name[n + 16] == '\0';
}

/* Each folder of that form that nobody holds; its own parent's owner asks. */
static unsigned
sweep(int in, const char *before, bool dry)
{
	DIR *d = dir_take(in);
	struct dirent *de;
	unsigned n = 0;

	while (d != NULL && (de = readdir(d)) != NULL) {
		_cleanup_fd_ int fd = !has_digits(de->d_name, before) ? -1 :
		    openat(dirfd(d), de->d_name, O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC | O_NOFOLLOW);

		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		if (dry || ((void)fchmod(fd, 0700), tree_empty(fd) == 0 &&
		    unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR) == 0))
			n++;
	}
	if (d != NULL)
		(void)closedir(d);
	return n;
}

static int
folder(int images, const char *name)
{
	return openat(images, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
}

unsigned
store_sweep(int images, bool dry)
{
	return sweep(folder(images, "."), "tmp-", dry);
}

unsigned
store_leftovers(int images, bool dry)
{
	return sweep(folder(images, "roots"), STORE_BESIDE, dry);
}
