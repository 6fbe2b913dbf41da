/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/host/peerlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/trail_file.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"
#include "node/host/world.h"

#define FOLDER "events"
#define STATE "state"
#define STATE_MAX 160

struct state {
	uint64_t seq;
	struct id32 digest;
	uint32_t segment; /* 0: none yet */
	uint64_t size;	  /* of it */
};

static int
put(char text[STATE_MAX], const struct state *s)
{
	char hex[65];

	hex_encode(hex, HASH_BYTES(s->digest));
	return snprintf(text, STATE_MAX, "%llu %s %u %llu\n",
	    (unsigned long long)s->seq, hex, s->segment,
	    (unsigned long long)s->size);
}

/* false: there is none, or it has another form. */
static bool
get(struct state *s, int dir)
{
	char text[STATE_MAX], again[STATE_MAX], hex[65];
	unsigned long long seq, size;
	ssize_t n = file_read(dir, STATE, text, sizeof(text) - 1);

	memset(s, 0, sizeof(*s));
	if (n <= 0)
		return false;
	text[n] = '\0';
	if (sscanf(text, "%llu %64s %u %llu", &seq, hex, &s->segment,
		&size) != 4 ||
	    !hex_decode(HASH_BYTES(s->digest), hex, strlen(hex)))
		return false;
	s->seq = seq;
	s->size = size;
	return put(again, s) == n && memcmp(text, again, (size_t)n) == 0;
}

static int
folder(struct warren_node *wn, const struct hash16 *who, bool make)
{
	_cleanup_fd_ int all = wn->events < 0 ?
	    dir_open(wn->dir, FOLDER, make, 0700) :
	    fcntl(wn->events, F_DUPFD_CLOEXEC, 0);
	char name[2 * RNS_HASH_LEN + 1];

	hex_encode(name, who->b, RNS_HASH_LEN);
	return all < 0 ? -1 : dir_open(all, name, make, 0700);
}

bool
peerlog_last(void *ctx, const struct hash16 *who, uint64_t *seq,
    struct id32 *digest)
{
	_cleanup_fd_ int dir = folder(ctx, who, false);
	struct state s;

	if (dir < 0 || !get(&s, dir))
		return false;
	*seq = s.seq;
	*digest = s.digest;
	return true;
}

static void
segment_name(char name[24], uint32_t segment)
{
	(void)snprintf(name, 24, "%08u.jsonl", segment);
}

/*
 * A fresh one, and the oldest go; more than one where less is to be kept than
 * before.
 */
static void
rotate(int dir, struct state *s, uint32_t most)
{
	char name[24];

	s->segment++;
	s->size = 0;
	for (uint32_t i = most; i < s->segment; i++) {
		segment_name(name, s->segment - i);
		if (unlinkat(dir, name, 0) < 0)
			return;
		log_notice("events", "the oldest of a node are dropped: %s",
		    name);
	}
}

/* Without a state that is good what lies here stays, and a fresh one begins. */
static void
behind(int dir, struct state *s)
{
	struct trail_segs segs;

	memset(s, 0, sizeof(*s));
	if (trail_segs_list(dir, &segs) < 0)
		return;
	if (segs.n > 0) {
		s->segment = segs.number[segs.n - 1];
		s->size = PEERLOG_SEGMENT;
	}
	trail_segs_free(&segs);
}

static int
append(int dir, const struct state *s, const uint8_t *p, size_t len)
{
	_cleanup_fd_ int fd = -1;
	char name[24];
	struct stat st;

	segment_name(name, s->segment);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	/* of a fall: nobody was told that it is here, so it comes again */
	if ((uint64_t)st.st_size > s->size &&
	    ftruncate(fd, (off_t)s->size) < 0)
		return -1;
	if (write_full(fd, p, len) < 0 || fdatasync(fd) < 0)
		return -1;
	return 0;
}

bool
peerlog_keep(void *ctx, const struct hash16 *who, const uint8_t *p, size_t len,
    uint64_t seq, const struct id32 *digest)
{
	const struct warren_node *wn = ctx;
	_cleanup_fd_ int dir = folder(ctx, who, true);
	char text[STATE_MAX];
	struct state s;
	int n;

	if (dir < 0) {
		log_warn("events", "of another node cannot be kept");
		return false;
	}
	if (!get(&s, dir))
		behind(dir, &s);
	if (s.segment == 0 || s.size + len > PEERLOG_SEGMENT)
		rotate(dir, &s, (uint32_t)(wn->conf->hub.keep /
		    PEERLOG_SEGMENT));
	if (append(dir, &s, p, len) < 0) {
		log_warn("events", "of another node cannot be kept");
		return false;
	}
	s.size += len;
	s.seq = seq;
	s.digest = *digest;
	n = put(text, &s);
	if (file_replace(dir, STATE, text, (size_t)n, 0600) == 0)
		return true;
	log_warn("events", "of another node cannot be kept");
	return false;
}
