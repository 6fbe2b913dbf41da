/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "sandbox/image/pulled.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define DAY 86400

int
pulled_open(struct pulled *p, int dir, bool make)
{
	_cleanup_fd_ int blobs = -1;

	p->blobs = -1;
	p->dir = dir_open(dir, PULLED_FOLDER, make, 0700);
	if (p->dir < 0 || flock(p->dir, LOCK_EX | LOCK_NB) < 0 ||
	    (make && file_replace(p->dir, "oci-layout", LAYOUT,
		strlen(LAYOUT), 0600) < 0) ||
	    (blobs = dir_open(p->dir, "blobs", make, 0700)) < 0 ||
	    (p->blobs = dir_open(blobs, "sha256", make, 0700)) < 0) {
		close_fd(&p->dir);
		return -1;
	}
	return 0;
}

static bool
room(int fd, uint64_t more)
{
	struct statvfs s;

	return fstatvfs(fd, &s) < 0 || (uint64_t)s.f_bavail *
	    (uint64_t)s.f_frsize >= more + PULLED_SPARE;
}

int
pulled_blob(struct pulled *p, const struct id32 *digest, uint64_t size)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	char hex[65];

	hex_encode(hex, HASH_BYTES(*digest));
	fd = openat(p->blobs, hex, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if ((uint64_t)st.st_size < size &&
	    !room(fd, size - (uint64_t)st.st_size)) {
		errno = ENOSPC;
		return -1;
	}
	(void)futimens(fd, NULL); /* used now: see prune */
	return steal_fd(&fd);
}

int
pulled_index(struct pulled *p, const struct id32 *digest, uint64_t size,
    const char *type)
{
	char text[512], hex[65];
	int n;

	/* it comes of who speaks to registries, and stands in the document */
	for (const char *c = type; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("/.+-", *c) == NULL) {
			errno = EINVAL;
			return -1;
		}
	hex_encode(hex, HASH_BYTES(*digest));
	n = snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"manifests\":"
	    "[{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%llu}]}",
	    type, hex, (unsigned long long)size);
	if (n < 0 || (size_t)n >= sizeof(text)) {
		errno = EINVAL;
		return -1;
	}
	return file_replace(p->dir, "index.json", text, (size_t)n, 0600);
}

/* ---- what goes ---- */

struct kept {
	char name[65];
	time_t used;
	uint64_t bytes;
};

static int
newest_first(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return x->used < y->used ? 1 : x->used > y->used ? -1 :
	    strcmp(x->name, y->name);
}

static struct kept *
list(const struct pulled *p, size_t *n)
{
	DIR *d = dir_take(openat(p->blobs, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC));
	struct kept *all = NULL, *more;
	struct dirent *de;
	struct stat st;

	*n = 0;
	while (d != NULL && (de = readdir(d)) != NULL) {
		if (strlen(de->d_name) != 64 || fstatat(p->blobs, de->d_name,
			&st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		more = reallocarray(all, *n + 1, sizeof(*all));
		if (more == NULL)
			break;
		all = more;
		memcpy(all[*n].name, de->d_name, sizeof(all[*n].name));
		all[*n].used = st.st_mtime;
		/* of the disk, where small ones take more than they hold */
		all[*n].bytes = MAX_OF((uint64_t)st.st_size,
		    (uint64_t)st.st_blocks * 512);
		++*n;
	}
	if (d != NULL)
		(void)closedir(d);
	return all;
}

int
pulled_prune(struct pulled *p, uint64_t keep, bool dry,
    struct pulled_gone *gone)
{
	size_t n;
	_cleanup_free_ struct kept *all = list(p, &n);
	time_t now = time(NULL);
	uint64_t sum = 0;
	int err = 0;

	if (gone != NULL)
		*gone = (struct pulled_gone){0, 0};
	if (all != NULL)
		qsort(all, n, sizeof(*all), newest_first);
	for (size_t i = 0; i < n; i++) {
		sum += all[i].bytes;
		if (sum <= keep && all[i].used + (time_t)PULLED_DAYS * DAY >=
		    now)
			continue;
		if (!dry && unlinkat(p->blobs, all[i].name, 0) < 0) {
			err = errno;
		} else if (gone != NULL) {
			gone->files++;
			gone->bytes += all[i].bytes;
		}
	}
	errno = err;
	return err == 0 ? 0 : -1;
}

void
pulled_close(struct pulled *p)
{
	close_fd(&p->blobs);
	close_fd(&p->dir);
}
