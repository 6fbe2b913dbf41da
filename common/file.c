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

/* ---- written ---- */

int
file_out_open(struct file_out *o, int dir, const char *name, const void *data,
    size_t n, mode_t mode)
{
	int k, t;

	*o = (struct file_out){.fd = -1, .dir = dir, .mode = mode, .p = data,
	    .n = n};
	k = snprintf(o->name, sizeof(o->name), "%s", name);
	t = snprintf(o->tmp, sizeof(o->tmp), ".%s.%ld.tmp", name,
	    (long)getpid());
	if (k < 0 || (size_t)k >= sizeof(o->name) || t < 0 ||
	    (size_t)t >= sizeof(o->tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)unlinkat(dir, o->tmp, 0);
	o->fd = openat(dir, o->tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	o->open = o->fd >= 0;
	return o->open ? 0 : -1;
}

void
file_out_close(struct file_out *o)
{
	int saved = errno;

	if (!o->open)
		return;
	(void)close(o->fd);
	(void)unlinkat(o->dir, o->tmp, 0);
	o->open = false;
	errno = saved;
}

int
file_out_more(struct file_out *o, size_t budget)
{
	size_t left = o->n - o->at, n = budget < left ? budget : left;

	if (write_full(o->fd, o->p + o->at, n) != 0)
		return -1;
	o->at += n;
	if (o->at < o->n)
		return fdatasync(o->fd) == 0 ? 1 : -1;
	if (fchmod(o->fd, o->mode) != 0 || fsync(o->fd) != 0 ||
	    renameat(o->dir, o->tmp, o->dir, o->name) != 0)
		return -1;
	/* the rename itself; some file systems cannot, and that is no loss */
	(void)fsync(o->dir);
	(void)close(o->fd);
	o->open = false;
	return 0;
}

int
file_replace(int dir, const char *name, const void *data, size_t n,
    mode_t mode)
{
	struct file_out o;
	int rc = file_out_open(&o, dir, name, data, n, mode);

	if (rc == 0)
		rc = file_out_more(&o, n);
	file_out_close(&o);
	return rc;
}

/* ---- read ---- */

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
file_in_open(struct file_in *f, int dir, const char *name, size_t max)
{
	struct stat st;

	*f = (struct file_in){.fd = file_open(dir, name, &st)};
	if (f->fd < 0)
		return -1;
	f->open = true;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		errno = EFBIG;
	else if ((f->p = malloc((size_t)st.st_size + 1)) != NULL)
		f->cap = (size_t)st.st_size;
	if (f->p != NULL)
		return 0;
	file_in_close(f);
	return -1;
}

void
file_in_close(struct file_in *f)
{
	int saved = errno;

	if (f->open)
		(void)close(f->fd);
	f->open = false;
	free(f->p);
	f->p = NULL;
	errno = saved;
}

int
file_in_more(struct file_in *f, size_t budget)
{
	size_t end = budget < f->cap - f->n ? f->n + budget : f->cap;

	while (f->n <= end) {
		/* a byte more than it had is one too many */
		bool full = f->n == f->cap;
		char over;
		ssize_t k;

		if (f->n == end && !full)
			return 1;
		k = read(f->fd, full ? &over : f->p + f->n,
		    full ? 1 : end - f->n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		if (full) {
			errno = EFBIG;
			return -1;
		}
		f->n += (size_t)k;
	}
	f->p[f->n] = '\0';
	return 0;
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
