/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/file.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "sandbox/base/tree.h"
#include "sandbox/image/store.h"

static bool
is_work(const char *name)
{
	return strncmp(name, "tmp-", 4) == 0 &&
	    strspn(name + 4, "0123456789abcdef") == 16 && name[20] == '\0';
}

unsigned
store_sweep(int images)
{
	DIR *d = dir_take(openat(images, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC));
	struct dirent *de;
	unsigned n = 0;

	while (d != NULL && (de = readdir(d)) != NULL) {
		_cleanup_fd_ int fd = !is_work(de->d_name) ? -1 :
		    openat(images, de->d_name, O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC | O_NOFOLLOW);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		    tree_empty(fd) == 0 &&
		    unlinkat(images, de->d_name, AT_REMOVEDIR) == 0)
			n++;
	}
	if (d != NULL)
		(void)closedir(d);
	return n;
}
