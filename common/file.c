/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

DIR *
dir_take(int fd)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int saved = errno;

	if (d == NULL && fd >= 0)
		(void)close(fd);
	errno = saved;
	return d;
}

int
write_full(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n > 0) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

int
file_replace(int dir, const char *name, const void *data, size_t n,
    mode_t mode)
{
	_cleanup_fd_ int fd = -1;
	char tmp[256];
	int k = snprintf(tmp, sizeof(tmp), ".%s.%ld.tmp", name, (long)getpid());

	if (k < 0 || (size_t)k >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)unlinkat(dir, tmp, 0);
	fd = openat(dir, tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -1;
	if (write_full(fd, data, n) != 0 || fchmod(fd, mode) != 0 ||
	    fsync(fd) != 0 || renameat(dir, tmp, dir, name) != 0) {
		int saved = errno;

		(void)unlinkat(dir, tmp, 0);
		errno = saved;
		return -1;
	}
	/* the rename itself; some file systems cannot, and that is no loss */
	(void)fsync(dir);
	return 0;
}

static int
file_open(int dir, const char *name, struct stat *st)
{
	_cleanup_fd_ int fd = openat(dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) != 0)
		return -1;
	if (!S_ISREG(st->st_mode)) {
		errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	return steal_fd(&fd);
}

ssize_t
file_read(int dir, const char *name, void *out, size_t cap)
{
	struct stat st;
	_cleanup_fd_ int fd = file_open(dir, name, &st);
	size_t len = 0;
	char over;

	if (fd < 0)
		return -1;
	for (;;) {
		bool full = len == cap;
		ssize_t k = read(fd, full ? &over : (char *)out + len,
		    full ? 1 : cap - len);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			return (ssize_t)len;
		if (full) {
			errno = EFBIG;
			return -1;
		}
		len += (size_t)k;
	}
}

char *
file_load(int dir, const char *name, size_t max, size_t *len)
{
	struct stat st;
	_cleanup_fd_ int fd = file_open(dir, name, &st);
	char *buf;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (st.st_size < 0 || (uint64_t)st.st_size > max) {
		errno = EFBIG;
		return NULL;
	}
	buf = malloc((size_t)st.st_size + 1);
	if (buf == NULL)
		return NULL;
	n = file_read(dir, name, buf, (size_t)st.st_size);
	if (n < 0) {
		free(buf);
		return NULL;
	}
	buf[n] = '\0';
	*len = (size_t)n;
	return buf;
}

int
dir_open(int dir, const char *name, bool make, mode_t mode)
{
	if (make && mkdirat(dir, name, mode) != 0 && errno != EEXIST)
		return -1;
	return openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
file_put(int dir, const char *name, const char *text)
{
	_cleanup_fd_ int fd = openat(dir, name, O_WRONLY | O_CLOEXEC |
	    O_NOFOLLOW);
	size_t n = strlen(text);

	return fd >= 0 && write(fd, text, n) == (ssize_t)n ? 0 : -1;
}

int
file_put_number(int dir, const char *name, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, v);
	return file_put(dir, name, text);
}
