/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/hub_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/trail_file.h"
#include "audit/trail_line.h"
#include "audit/trail_run.h"
#include "common/cleanup.h"
#include "common/util.h"

#define READ_SIZE 65536

struct making {
	struct hub_batch *b;
	const struct hub_limits *limits;
	uint64_t after, to;
	uint32_t segment;
	uint64_t offset; /* of the line that is looked at, in the segment */
	size_t scanned;
	struct trail_run run; /* that is not sent */
	bool full;
};

/* A line that goes; false: it does not fit, and the batch ends before it. */
static bool
put(struct making *m, const char *text, size_t len, uint64_t last,
    uint64_t behind)
{
	struct hub_batch *b = m->b;

	if (b->n == m->limits->lines || b->len + len > m->limits->bytes) {
		m->full = true;
		return false;
	}
	memcpy(b->text + b->len, text, len);
	b->len += len;
	b->last[b->n++] = last;
	b->end = (struct hub_place){.after = last, .segment = m->segment,
	    .offset = behind};
	return true;
}

/* Of lines that are kept back, the tombstone. */
static bool
put_run(struct making *m, uint64_t behind)
{
	char line[TRAIL_LINE_MAX];
	uint64_t last = m->run.tomb.to;
	size_t n;

	if (!m->run.on)
		return true;
	n = trail_run_end(&m->run, line, sizeof(line));
	return n > 0 && put(m, line, n, last, behind);
}

/* text: with its newline. false: the batch is made. */
static bool
add(struct making *m, const char *text, size_t len)
{
	uint64_t behind = m->offset + len;
	struct trail_line l;
	bool good = trail_line_parse(&l, text, len - 1), go = true;

	if (good && l.seq <= m->after)
		return true;
	m->scanned += len;
	if (m->to != 0 && good && l.seq > m->to)
		return false;
	if (!good)
		return true; /* the trail itself says that it is broken */
	if (!l.is_tomb &&
	    trail_line_severity(l.body, l.body_len) < m->limits->severity)
		trail_run_line(&m->run, &l, text, len - 1);
	else
		go = put_run(m, m->offset) &&
		    put(m, text, len, l.seq, behind);
	/* nobody waits until all of a large trail was read */
	if (go && (m->scanned >= HUB_SCAN || (m->to != 0 && l.seq == m->to)))
		(void)put_run(m, behind);
	return go && m->scanned < HUB_SCAN && !(m->to != 0 && l.seq == m->to);
}

/* Lines of one segment from m->offset on; 1: more, 0: made, -1. */
static int
read_segment(struct making *m, int dir)
{
	_cleanup_fd_ int fd = trail_seg_open(dir, m->segment, O_RDONLY);
	_cleanup_free_ char *buf = malloc(READ_SIZE);
	size_t n = 0;

	if (fd < 0 || buf == NULL)
		return -1;
	for (;;) {
		ssize_t k = pread(fd, buf + n, READ_SIZE - n,
		    (off_t)(m->offset + n));
		size_t at = 0;
		char *nl;

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		n += (size_t)k;
		while ((nl = memchr(buf + at, '\n', n - at)) != NULL) {
			size_t len = (size_t)(nl - (buf + at)) + 1;

			if (!add(m, buf + at, len))
				return 0;
			m->offset += len;
			at += len;
		}
		/* no line is that long: what is here was not written by us */
		if (k == 0 || (at == 0 && n == READ_SIZE))
			return 1;
		memmove(buf, buf + at, n - at);
		n -= at;
	}
}

/* The number that a segment begins with; 0: it has no line. */
static uint64_t
first_of(int dir, uint32_t segment)
{
	_cleanup_fd_ int fd = trail_seg_open(dir, segment, O_RDONLY);
	char text[TRAIL_LINE_MAX];
	struct trail_line l;
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text), 0);
	char *nl = n <= 0 ? NULL : memchr(text, '\n', (size_t)n);

	if (nl == NULL || !trail_line_parse(&l, text, (size_t)(nl - text)))
		return 0;
	return l.is_tomb ? l.tomb.from : l.seq;
}

/* The last segment that begins at or before the line that is wanted. */
static size_t
look_for(int dir, const struct trail_segs *list, uint64_t after)
{
	size_t at = 0;

	for (size_t i = 1; i < list->n; i++) {
		uint64_t first = first_of(dir, list->number[i]);

		if (first > after + 1)
			break;
		if (first != 0)
			at = i;
	}
	return at;
}

static int
read_from(struct making *m, int dir, const struct trail_segs *list,
    const struct hub_place *place, uint64_t rewrites)
{
	size_t i = 0;
	int more = 1;

	if (list->n == 0)
		return 0;
	m->offset = 0;
	if (place->segment != 0 && place->rewrites == rewrites) {
		while (i + 1 < list->n && list->number[i] < place->segment)
			i++;
		m->offset = place->offset;
	} else {
		i = look_for(dir, list, m->after);
	}
	for (; i < list->n && more > 0; i++) {
		m->segment = list->number[i];
		more = read_segment(m, dir);
		if (more > 0)
			m->offset = 0;
	}
	return more;
}

int
hub_batch_make(struct hub_batch *b, int dir, const struct hub_limits *limits,
    const struct hub_place *place, uint64_t rewrites, uint64_t to)
{
	struct making m = {.b = b, .limits = limits, .after = place->after,
	    .to = to};
	struct trail_segs list;
	int r;

	b->len = b->n = 0;
	b->end = *place;
	if (trail_segs_list(dir, &list) < 0)
		return -1;
	r = read_from(&m, dir, &list, place, rewrites);
	trail_segs_free(&list);
	b->end.rewrites = rewrites;
	return r < 0 ? -1 : 0;
}
