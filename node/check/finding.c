/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/finding.h"

#include "config.h"
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

/* All of fd, which is closed. */
static char *
load(int from, size_t max, size_t *len)
{
	_cleanup_fd_ int fd = from;
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

/* O_NONBLOCK: somebody's fifo must not hold us. */
#define HOW (O_RDONLY | O_CLOEXEC | O_NONBLOCK)

char *
check_load(int at, const char *name, int flags, size_t max, size_t *len)
{
	return load(openat(at, name, HOW | flags), max, len);
}

char *
check_load_own(int dir, const char *name, bool root, char why[FOLLOW_WHY],
    size_t max, size_t *len)
{
	why[0] = '\0';
	return load(root ? follow_open(dir, name, HOW, WARREN_UID_BASE, why) :
	    openat(dir, name, HOW), max, len);
}

bool
check_is_link(int dir, const char *file)
{
	struct stat st;

	return fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode);
}

char *
check_read(struct check *c, const char *file, size_t max, size_t *len)
{
	char why[FOLLOW_WHY];
	char *text = check_load_own(c->dir, file, c->root, why, max, len);
	int error = errno;

	if (text != NULL || (error == ENOENT && !check_is_link(c->dir, file))) {
		errno = error;
		return text;
	}
	if (error == EFBIG)
		check_tell(c, false, file, 0, 0, NULL, "larger than %zu kB",
		    max / 1024);
	else if (error == EINVAL)
		check_tell(c, false, file, 0, 0, NULL, "not a regular file");
	else if (error == ENOENT)
		check_tell(c, false, file, 0, 0, "mend it, or remove it",
		    "is a link that leads nowhere");
	else if (why[0] != '\0')
		check_tell(c, false, file, 0, 0, FOLLOW_REMEDY, "%s", why);
	else
		check_tell(c, false, file, 0, 0, error == EACCES ?
		    "ask as its owner" : NULL, "%s", strerror(error));
	errno = EIO;
	return NULL;
}
