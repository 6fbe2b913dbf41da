/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/trail_compact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/trail_file.h"
#include "audit/trail_run.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

struct rewrite {
	const struct trail *trail;
	unsigned severity;
	trail_keep_fn *keep; /* of an export; NULL: severity decides */
	void *arg;
	uint64_t last;	     /* of an export: nothing behind it */
	FILE *out;
	bool failed;
	uint64_t size;
	uint64_t count[TRAIL_SEVERITIES];
	struct trail_run run;
	size_t first_len;
	char first[TRAIL_LINE_MAX]; /* the run's first line, as it was */
};

static void
emit(struct rewrite *w, const char *line, size_t len)
{
	struct trail_line l;

	if (fwrite(line, 1, len, w->out) != len || fputc('\n', w->out) == EOF)
		w->failed = true;
	w->size += len + 1;
	if (trail_line_parse(&l, line, len) && !l.is_tomb)
		w->count[trail_line_severity(l.body, l.body_len)]++;
}

static void
run_end(struct rewrite *w)
{
	struct trail_run *r = &w->run;
	char line[TRAIL_LINE_MAX];
	size_t n;

	if (!r->on)
		return;
	n = trail_run_end(r, line, sizeof(line));
	/*
	 * One line that is no longer than its tombstone stays as it is, and so
	 * does a tombstone; of several none may go without its heir.
	 */
	if (w->keep == NULL && r->lines == 1 &&
	    (n == 0 || r->events == 0 || n > w->first_len))
		emit(w, w->first, w->first_len);
	else if (n == 0)
		w->failed = true;
	else
		emit(w, line, n - 1);
}

/* Does a line that begins at seq `from` go on with the run? */
static bool
run_goes_on(const struct rewrite *w, uint64_t from)
{
	const struct trail *t = w->trail;
	uint64_t to = w->run.tomb.to;

	return w->run.on && from == to + 1 && to != t->marked &&
	    to != t->asked && to != t->hub_acked && to != t->hub_sent;
}

static void
run_line(struct rewrite *w, const struct trail_line *l, const char *text,
    size_t len)
{
	if (!run_goes_on(w, l->is_tomb ? l->tomb.from : l->seq)) {
		run_end(w);
		memcpy(w->first, text, len);
		w->first_len = len;
	}
	trail_run_line(&w->run, l, text, len);
}

static bool
goes(const struct rewrite *w, const struct trail_line *l, const char *text,
    size_t len)
{
	if (w->keep != NULL)
		return !w->keep(w->arg, l, text, len);
	return trail_line_severity(l->body, l->body_len) == w->severity;
}

static bool
rewrite_line(void *arg, const char *text, size_t len)
{
	struct rewrite *w = arg;
	struct trail_line l;

	if (!trail_line_parse(&l, text, len)) {
		if (w->keep != NULL) /* it would be nobody's word */
			w->failed = true;
		run_end(w);
		emit(w, text, len);
	} else if (w->keep != NULL && l.seq > w->last) {
		return false; /* written since */
	} else if (l.is_tomb || goes(w, &l, text, len)) {
		run_line(w, &l, text, len);
	} else {
		run_end(w);
		emit(w, text, len);
	}
	return !w->failed;
}

static int
rewrite_to(const struct trail *t, size_t i, struct rewrite *w, int fd)
{
	uint64_t whole, torn;
	int err;

	if ((w->out = fdopen(fd, "w")) == NULL) {
		(void)close(fd);
		return -1;
	}
	if (trail_seg_scan(t->dir, t->segs[i].number, rewrite_line, w, &whole,
		&torn) < 0)
		w->failed = true;
	run_end(w);
	if (w->failed || fflush(w->out) != 0 || fsync(fileno(w->out)) < 0)
		w->failed = true;
	err = errno;
	if (fclose(w->out) != 0)
		w->failed = true;
	errno = err == 0 ? EIO : err;
	return w->failed ? -1 : 0;
}

int
trail_export_seg(const struct trail *t, uint32_t number, uint64_t last,
    trail_keep_fn *keep, void *arg, int fd)
{
	_cleanup_free_ struct rewrite *w = calloc(1, sizeof(*w));

	for (size_t i = 0; w != NULL && i < t->nsegs; i++) {
		if (t->segs[i].number != number)
			continue;
		w->trail = t;
		w->keep = keep;
		w->arg = arg;
		w->last = last;
		return rewrite_to(t, i, w, fd);
	}
	(void)close(fd);
	errno = ENOENT;
	return -1;
}

int
trail_compact_seg(struct trail *t, size_t i, unsigned severity)
{
	_cleanup_free_ struct rewrite *w = calloc(1, sizeof(*w));
	struct trail_seg *s = &t->segs[i];
	char name[TRAIL_NAME_MAX];
	int fd;

	if (w == NULL)
		return -1;
	w->trail = t;
	w->severity = severity;
	fd = openat(t->dir, TRAIL_TMP,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	trail_seg_name(name, s->number);
	errno = 0;
	if (rewrite_to(t, i, w, fd) < 0 ||
	    renameat(t->dir, TRAIL_TMP, t->dir, name) < 0) {
		int err = errno;

		(void)unlinkat(t->dir, TRAIL_TMP, 0);
		errno = err;
		return -1;
	}
	(void)fsync(t->dir);
	t->total = t->total - s->size + w->size;
	s->size = w->size;
	memcpy(s->count, w->count, sizeof(s->count));
	s->done = MAX_OF(s->done, severity);
	t->rewrites++;
	return 0;
}
