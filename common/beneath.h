/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_BENEATH_H
#define WARREN_COMMON_BENEATH_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A path beneath a folder, on its file system and over no link; "" is the
 * folder itself. -1 with errno.
 */
static inline int
beneath_open(int dir, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};

	return (int)syscall(SYS_openat2, dir, path[0] == '\0' ? "." : path,
	    &how, sizeof(how));
}

/*
 * Whether an entry of a folder lies on the folder's mount. For those whose
 * device number is another: on an overlay that is true of files, too.
 */
static inline bool
beneath_same_mount(int dir, const char *name)
{
	int fd = beneath_open(dir, name, O_PATH | O_NOFOLLOW);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

#endif
