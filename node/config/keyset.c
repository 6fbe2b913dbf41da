/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/keyset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#define SECRET_MAX 64
#define PART_MAX 64

/* storage may be a link, of root's or of who asks (warrend(8)). */
static bool
own_link(int at, const char *name)
{
	struct stat st;

	return strcmp(name, "storage") == 0 &&
	    fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode) && (st.st_uid == 0 ||
	    st.st_uid == geteuid());
}

/* The folder of path; *name: its last component. */
static int
open_folder(int dir, const char *path, bool make, const char **name)
{
	_cleanup_fd_ int at = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	char part[PART_MAX];

	while (at >= 0) {
		size_t n = strcspn(path, "/");
		int next;

		if (path[n] == '\0')
			break;
		if (n >= sizeof(part)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, path, n);
		part[n] = '\0';
		next = own_link(at, part) ?
		    openat(at, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC) :
		    dir_open(at, part, make, strcmp(part, "warren") == 0 ?
		    0711 : 0700);
		(void)close(at);
		at = next;
		path += n + 1;
	}
	*name = path;
	return steal_fd(&at);
}

static int
refuse(char why[KEYSET_WHY], const char *path, const char *what, int error)
{
	(void)snprintf(why, KEYSET_WHY, "%s: %s", path, what);
	errno = error;
	return -1;
}

static int
make_secret(int dir, const char *name, uint8_t *out, size_t n)
{
	/* a scalar out of range has a chance of 2^-128: its reader sees it */
	randombytes_buf(out, n);
	return file_replace(dir, name, out, n, 0600);
}

int
keyset_read(int dir, const char *path, uint8_t *out, size_t n, unsigned flags,
    bool *made, char why[KEYSET_WHY])
{
	bool make = (flags & KEYSET_MAKE) != 0;
	const char *name;
	_cleanup_fd_ int at = open_folder(dir, path, make, &name);
	uint8_t buf[SECRET_MAX];
	struct stat st;
	ssize_t k;

	if (made != NULL)
		*made = false;
	if (at < 0)
		return refuse(why, path, strerror(errno), errno);
	if ((flags & KEYSET_PRIVATE) != 0 &&
	    fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_mode & 077) != 0)
		return refuse(why, path,
		    "others can read or write it: chmod 600 it, and think "
		    "about who has",
		    EACCES);
	k = file_read(at, name, buf, MIN_OF(n, sizeof(buf)));
	if (k == (ssize_t)n) {
		memcpy(out, buf, n);
		explicit_bzero(buf, sizeof(buf));
		return 0;
	}
	explicit_bzero(buf, sizeof(buf));
	if (k >= 0 || errno == EFBIG)
		return refuse(why, path, "it has another length than a key: "
		    "put back a copy", EINVAL);
	if (errno != ENOENT || !make)
		return refuse(why, path, strerror(errno), errno);
	if (make_secret(at, name, out, n) != 0)
		return refuse(why, path, strerror(errno), errno);
	if (made != NULL)
		*made = true;
	return 0;
}
