/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/doc/note_read.h"
#include "audit/trail_file.h"
#include "audit/trail_impl.h"
#include "audit/trail_compact.h"
#include "common/file.h"
#include "common/util.h"

/* ---- opening ---- */

struct opening {
	struct trail *t;
	struct trail_seg *seg;
	struct trail_report *report;
	uint64_t line;	      /* in this segment */
	uint64_t head_seq;    /* what the head says */
	struct id32 head_digest;
	bool head_differs;
};

/* How far this line settles what its program has sent. */
static void
sender(struct trail_report *r, const struct trail_line *l)
{
	struct heard now;
	enum program who;

	if (!trail_line_sender(l->body, l->body_len, &who, &now))
		return;
	heard_run(&r->heard[who], now.run);
	heard_settled(&r->heard[who], now.upto);
}

static bool
open_line(void *arg, const char *text, size_t len)
{
	struct opening *o = arg;
	struct trail_walk *w = &o->t->walk;
	const char *why = trail_walk_line(w, text, len);
	struct trail_line l;

	o->line++;
	o->report->lines++;
	if (trail_line_parse(&l, text, len) && !l.is_tomb) {
		o->seg->count[trail_line_severity(l.body, l.body_len)]++;
		sender(o->report, &l);
	}
	if (why == NULL && w->next - 1 == o->head_seq) {
		o->head_differs = !id32_eq(&w->digest, &o->head_digest);
		if (o->head_differs)
			why = "it is not the line that was written";
	}
	if (why != NULL && o->report->bad++ == 0) {
		o->report->bad_segment = o->seg->number;
		o->report->bad_line = o->line;
		o->report->why = why;
	}
	return true;
}

static int
seg_add(struct trail *t, uint32_t number)
{
	struct trail_seg *more = reallocarray(t->segs, t->nsegs + 1,
	    sizeof(*more));

	if (more == NULL)
		return -1;
	t->segs = more;
	memset(&t->segs[t->nsegs], 0, sizeof(*more));
	t->segs[t->nsegs++].number = number;
	return 0;
}

static int
open_segs(struct trail *t, struct opening *o, const struct trail_segs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		uint64_t torn;

		if (seg_add(t, list->number[i]) < 0)
			return -1;
		o->seg = &t->segs[i];
		o->line = 0;
		if (trail_seg_scan(t->dir, list->number[i], open_line, o,
			&o->seg->size, &torn) < 0)
			return -1;
		if (torn > 0 && i + 1 < list->n) {
			/* not the last: nobody appends there any more */
			(void)open_line(o, "", 0);
			o->seg->size += torn;
		} else {
			o->report->torn = torn;
		}
		t->total += o->seg->size;
	}
	return 0;
}

static void
open_mark(struct trail *t)
{
	char text[NOTE_MAX];
	ssize_t n = file_read(t->dir, TRAIL_CHECKPOINT, text, sizeof(text));
	struct note note;

	if (n > 0 && note_parse(&note, text, (size_t)n))
		trail_mark(t, note.size, true);
}

/* The last segment for appending, without what a crash left behind. */
static int
open_last(struct trail *t)
{
	struct trail_seg *s;

	if (t->nsegs == 0)
		return 0;
	s = &t->segs[t->nsegs - 1];
	t->fd = trail_seg_open(t->dir, s->number, O_WRONLY | O_APPEND);
	if (t->fd < 0 || ftruncate(t->fd, (off_t)s->size) < 0 ||
	    fsync(t->fd) < 0)
		return -1;
	return 0;
}

static int
head_write(struct trail *t)
{
	char text[TRAIL_HEAD_LEN + 1];

	trail_head_put(text, t->walk.next - 1, &t->walk.digest);
	return pwrite(t->head, text, TRAIL_HEAD_LEN, 0) == TRAIL_HEAD_LEN ? 0
									  : -1;
}

static int
open_head(struct trail *t, const struct opening *o, bool there, bool good)
{
	struct trail_report *r = o->report;
	uint64_t last = t->walk.next - 1;

	if (there && !good && r->bad++ == 0)
		r->why = "the head file was changed";
	else if (good && o->head_seq > last)
		r->lost = o->head_seq - last;
	t->head = openat(t->dir, TRAIL_HEAD,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (t->head < 0)
		return -1;
	return head_write(t);
}

struct trail *
trail_open(int dir, const struct trail_limits *limits,
    struct trail_report *report)
{
	struct trail *t = calloc(1, sizeof(*t));
	struct opening o = {.t = t, .report = report};
	struct trail_segs list;
	bool there, good;

	*report = (struct trail_report){0};
	if (t == NULL)
		return NULL;
	*t = (struct trail){
	    .dir = dir, .fd = -1, .head = -1, .limits = *limits};
	trail_walk_init(&t->walk);
	(void)unlinkat(dir, TRAIL_TMP, 0); /* of a rewriting that broke off */
	good = trail_head_get(dir, &o.head_seq, &o.head_digest, &there);
	if (!good)
		o.head_seq = 0;
	if (trail_segs_list(dir, &list) < 0) {
		trail_close(t);
		return NULL;
	}
	if (open_segs(t, &o, &list) < 0 || open_last(t) < 0 ||
	    open_head(t, &o, there, good) < 0) {
		int err = errno;

		trail_segs_free(&list);
		trail_close(t);
		errno = err;
		return NULL;
	}
	trail_segs_free(&list);
	open_mark(t);
	if (report->bad > 0)
		t->walk.whole = false;
	return t;
}

void
trail_close(struct trail *t)
{
	if (t == NULL)
		return;
	(void)trail_sync(t);
	if (t->fd >= 0)
		(void)close(t->fd);
	if (t->head >= 0)
		(void)close(t->head);
	free(t->segs);
	free(t);
}

/* ---- appending ---- */

void
trail_tip(const struct trail *t, uint64_t *seq, struct id32 *digest)
{
	*seq = t->walk.next - 1;
	*digest = t->walk.digest;
}

uint64_t
trail_next(const struct trail *t)
{
	return t->walk.next;
}

uint64_t
trail_bytes(const struct trail *t)
{
	return t->total;
}

bool
trail_dirty(const struct trail *t)
{
	return t->dirty;
}

int
trail_sync(struct trail *t)
{
	if (!t->dirty || t->fd < 0)
		return 0;
	if (fdatasync(t->fd) < 0)
		return -1;
	t->dirty = false;
	return 0;
}

bool
trail_root(const struct trail *t, uint64_t *size, struct id32 *root)
{
	if (!t->walk.whole)
		return false;
	*size = t->walk.next - 1;
	merkle_root(&t->walk.tree, root);
	return true;
}

void
trail_distrust(struct trail *t)
{
	t->walk.whole = false;
}

void
trail_mark(struct trail *t, uint64_t size, bool is_signed)
{
	if (is_signed)
		t->marked = size;
	else
		t->asked = size;
}

void
trail_mark_hub(struct trail *t, uint64_t acked, uint64_t sent)
{
	t->hub_acked = acked;
	t->hub_sent = sent;
}

uint64_t
trail_rewrites(const struct trail *t)
{
	return t->rewrites;
}

/* A fresh segment becomes the last. */
static int
rotate(struct trail *t)
{
	uint32_t number = t->nsegs == 0 ? 1 : t->segs[t->nsegs - 1].number + 1;
	int fd;

	if (trail_sync(t) < 0)
		return -1;
	fd = trail_seg_open(t->dir, number,
	    O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
	if (fd < 0)
		return -1;
	if (seg_add(t, number) < 0) {
		(void)close(fd);
		return -1;
	}
	(void)fsync(t->dir);
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = fd;
	return 0;
}

/* Severity 1 first, oldest first, then 2; closed segments only. */
static int
drop_until(struct trail *t, uint64_t target)
{
	for (unsigned sev = 1; sev <= 2; sev++)
		for (size_t i = 0; i + 1 < t->nsegs; i++) {
			if (t->segs[i].count[sev] == 0 ||
			    t->segs[i].done >= sev)
				continue;
			if (trail_compact_seg(t, i, sev) < 0)
				return -1;
			if (t->total <= target)
				return 0;
		}
	return 0;
}

/*
 * At the bound an eighth is freed at once, so that not every line pays for a
 * rewriting.
 */
static int
make_room(struct trail *t, uint64_t need)
{
	uint64_t max = t->limits.total, target = max - max / 8;

	if (t->total + need <= max)
		return 0;
	if (drop_until(t, target) < 0)
		return -1;
	/* what is being written cannot be rewritten: close it, then it can */
	if (t->total + need > max && t->segs[t->nsegs - 1].size > 0 &&
	    (rotate(t) < 0 || drop_until(t, target) < 0))
		return -1;
	if (t->total + need <= max)
		return 0;
	errno = ENOSPC;
	return -1;
}

/* Whole, or not at all. */
static int
write_line(struct trail *t, const char *line, size_t n)
{
	struct trail_seg *s = &t->segs[t->nsegs - 1];

	if (t->ragged && ftruncate(t->fd, (off_t)s->size) < 0)
		return -1;
	t->ragged = false;
	if (write_full(t->fd, line, n) < 0) {
		int err = errno;

		t->ragged = ftruncate(t->fd, (off_t)s->size) < 0;
		errno = err;
		return -1;
	}
	s->size += n;
	t->total += n;
	t->dirty = true;
	return 0;
}

int
trail_append(struct trail *t, unsigned severity, const char *body, size_t len,
    uint64_t *seq, struct id32 *digest)
{
	char line[TRAIL_LINE_MAX + 1];
	size_t n;

	n = trail_line_event(line, sizeof(line), t->walk.next, &t->walk.digest,
	    body, len);
	if (n == 0) {
		errno = EMSGSIZE;
		return -1;
	}
	if ((t->nsegs == 0 ||
		t->segs[t->nsegs - 1].size + n > t->limits.segment) &&
	    (t->nsegs == 0 || t->segs[t->nsegs - 1].size > 0) && rotate(t) < 0)
		return -1;
	if (make_room(t, n) < 0 || write_line(t, line, n) < 0)
		return -1;
	t->segs[t->nsegs - 1].count[trail_line_severity(body, len)]++;
	*seq = t->walk.next;
	(void)trail_walk_line(&t->walk, line, n - 1);
	*digest = t->walk.digest;
	/* a head that lags is seen as a line nobody vouches for: no more */
	(void)head_write(t);
	if (severity >= TRAIL_SYNC_SEVERITY)
		return trail_sync(t);
	return 0;
}
