/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/upper.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/userns.h"

int
upper_make(uint64_t bytes, uint32_t inodes, const char *label)
{
	char opts[200];

	(void)snprintf(opts, sizeof(opts), "size=%llu,nr_inodes=%u,uid=%d,"
	    "gid=%d,mode=0700%s%s", (unsigned long long)bytes, inodes,
	    USERNS_ID, USERNS_ID, label != NULL ? ",rootcontext=" : "",
	    label != NULL ? label : "");
	return mount("tmpfs", UPPER_PLACE, "tmpfs", MS_NOSUID | MS_NODEV,
	    opts);
}

int
upper_drop(void)
{
	return umount2(UPPER_PLACE, MNT_DETACH);
}

/* The folder of the image as one of ours, open; -1: it cannot be, or not more. */
static int
same_folder(int up, const char *name, const struct stat *st)
{
	int fd;

	if (mkdirat(up, name, 0700) < 0)
		return -1;
	fd = sys_openat2(up, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    SYS_BENEATH);
	/* set-id bits may be refused, and mean little here; sticky means much */
	if (fd >= 0 && fchmod(fd, (st->st_mode & 07777) | S_IWUSR) < 0 &&
	    fchmod(fd, (st->st_mode & 01777) | S_IWUSR) < 0)
		close_fd(&fd);
	return fd;
}

static bool
is_folder(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_name[0] == '.' && (e->d_name[1] == '\0' ||
	    (e->d_name[1] == '.' && e->d_name[2] == '\0')))
		return false;
	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode);
}

/* Takes low. What cannot be read or has no room stays as it is. */
static void
fill(int low, int up, unsigned depth, unsigned *left)
{
	DIR *d = dir_take(low);
	struct dirent *e;
	struct stat st;

	while (d != NULL && *left > 0 && (e = readdir(d)) != NULL) {
		_cleanup_fd_ int sub = -1, over = -1;

		if (!is_folder(dirfd(d), e))
			continue;
		sub = sys_openat2(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC | O_NOFOLLOW, SYS_SAME_MOUNT);
		if (sub < 0 || fstat(sub, &st) < 0 ||
		    (over = same_folder(up, e->d_name, &st)) < 0)
			continue;
		(*left)--;
		if (depth > 0)
			fill(steal_fd(&sub), over, depth - 1, left);
		(void)futimens(over, (struct timespec[2]){st.st_atim,
		    st.st_mtim});
	}
	if (d != NULL)
		(void)closedir(d);
}

int
upper_fill(const char *image)
{
	_cleanup_fd_ int at = open(UPPER_PLACE, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC), up = -1, mark = -1;
	unsigned left = UPPER_FOLDERS;
	int low;

	if (at < 0 || mkdirat(at, UPPER_FILES, 0755) < 0 ||
	    mkdirat(at, "work", 0700) < 0)
		return -1;
	up = openat(at, UPPER_FILES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (up < 0)
		return -1;
	low = image == NULL ? -1 : open(image, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	if (low >= 0)
		fill(low, up, UPPER_DEPTH, &left);
	else if (image != NULL)
		return -1;
	mark = openat(at, UPPER_MARK, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
	    0400);
	return mark < 0 ? -1 : 0;
}
