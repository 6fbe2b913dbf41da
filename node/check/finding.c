/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/finding.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"

void
check_tell(struct check *c, bool note, const char *file, unsigned line,
    unsigned column, const char *hint, const char *fmt, ...)
{
	struct mistake m = {.line = line, .column = column};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(m.text, sizeof(m.text), fmt, ap);
	va_end(ap);
	(void)snprintf(m.hint, sizeof(m.hint), "%s", hint != NULL ? hint : "");
	c->fn(c->ctx, note, file, &m);
	c->mistakes += !note;
}

static int
by_place(const void *a, const void *b)
{
	const struct mistake *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

void
check_tell_all(struct check *c, const char *file, const struct mistakes *m)
{
	struct mistakes *sorted = malloc(sizeof(*sorted));

	/* readers go by key; who mends a file goes from its top */
	if (sorted != NULL) {
		*sorted = *m;
		qsort(sorted->v, sorted->n, sizeof(sorted->v[0]), by_place);
		m = sorted;
	}
	for (unsigned i = 0; i < m->n; i++)
		c->fn(c->ctx, false, file, &m->v[i]);
	c->mistakes += m->n;
	if (m->more > 0)
		check_tell(c, false, file, 0, 0, NULL, "and %u more", m->more);
	free(sorted);
}

char *
check_load(int at, const char *name, int flags, size_t max, size_t *len)
{
	/* O_NONBLOCK: somebody's fifo must not hold us */
	_cleanup_fd_ int fd =
	    openat(at, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t done = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		return NULL;
	while (done < (size_t)st.st_size) {
		ssize_t n = read(fd, text + done, (size_t)st.st_size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		if (n == 0)
			break; /* it became shorter */
		done += (size_t)n;
	}
	text[done] = '\0';
	*len = done;
	return steal_ptr(&text);
}

char *
check_read(struct check *c, const char *file, size_t max, size_t *len)
{
	char *text = check_load(c->dir, file, c->root ? O_NOFOLLOW : 0, max,
	    len);

	if (text != NULL || errno == ENOENT)
		return text;
	if (errno == EFBIG)
		check_tell(c, false, file, 0, 0, NULL, "larger than %zu kB",
		    max / 1024);
	else if (errno == EINVAL)
		check_tell(c, false, file, 0, 0, NULL, "not a regular file");
	else if (errno == ELOOP)
		check_tell(c, false, file, 0, 0, "put the file itself here, "
		    "or start warrend as the user whose files these are",
		    "is a link, and as root none is followed");
	else
		check_tell(c, false, file, 0, 0, errno == EACCES ?
		    "ask as its owner" : NULL, "%s", strerror(errno));
	errno = EIO;
	return NULL;
}
