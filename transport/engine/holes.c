/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/holes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mpk.h"
#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/store_codec.h"

#define EXPIRE_S 60 /* reticulum-transport.md 1.3 */
#define FILE_MAX_BYTES (16u << 20) /* ours: a longer file is not read */
#define HOLES_MOST 65536 /* ours: identities of all lists */
#define OWN_MOST 4096    /* ours: of these, places that sources cannot take */

struct hole {
	RB_ENTRY(hole) node;
	struct codec_hole h; /* its reason stands behind it */
	struct hash16 file;  /* all zero: local, else whose file holds it */
	char reason[];
};
RB_HEAD(hole_tree, hole);

struct holes {
	struct engine *e;
	struct store_files *files;
	int dir;
	struct hole_tree tree;
	size_t count, foreign; /* foreign: of sources */
	struct mono checked;
};

static int
hole_cmp(const struct hole *a, const struct hole *b)
{
	return hash16_cmp(&a->h.identity, &b->h.identity);
}

TREE_PROTOTYPE(hole_tree, hole, node, hole_cmp)
TREE_GENERATE(hole_tree, hole, node, hole_cmp)

static bool
is_own(const struct hole *h)
{
	return hash16_eq(&h->file, &engine_zero);
}

static struct hole *
find(struct holes *s, const struct hash16 *identity)
{
	struct hole key;

	key.h.identity = *identity;
	return RB_FIND(hole_tree, &s->tree, &key);
}

/* Of a list, one after the other: the paths go at its end, in one walk. */
static void
tell_core(struct holes *s, const struct hash16 *identity, bool on, bool more)
{
	struct rns_cmd cmd = {.type = RNS_CMD_BLACKHOLE};

	cmd.blackhole.identity = *identity;
	cmd.blackhole.on = on;
	cmd.blackhole.more = more;
	(void)rns_submit(s->e->rns, &cmd, s->e->now);
}

/* ---- life ---- */

struct holes *
holes_new(struct engine *e)
{
	struct holes *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->e = e;
	s->dir = -1;
	s->checked = clock_mono();
	RB_INIT(&s->tree);
	return s;
}

static void
forget(struct holes *s, struct hole *h)
{
	(void)RB_REMOVE(hole_tree, &s->tree, h);
	s->count--;
	s->foreign -= !is_own(h);
	free(h);
}

void
holes_free(struct holes *s)
{
	struct hole *h;

	if (s == NULL)
		return;
	while ((h = RB_ROOT(&s->tree)) != NULL)
		forget(s, h);
	free(s);
}

size_t
holes_count(const struct holes *s)
{
	return s->count;
}

bool
holes_get(const struct holes *s, const struct hash16 *identity,
    struct hash16 *source, int64_t *until_us, const char **reason,
    size_t *reason_len)
{
	const struct hole *h = find((struct holes *)s, identity);

	if (h == NULL)
		return false;
	*source = h->file;
	*until_us = h->h.until_us;
	*reason = h->h.reason;
	*reason_len = h->h.reason_len;
	return true;
}

/* ---- entries ---- */

/* EEXIST, ENOSPC, ENOMEM. */
static int
insert(struct holes *s, const struct codec_hole *in, const struct hash16 *file)
{
	bool own = hash16_eq(file, &engine_zero);
	struct hole *h;

	if (find(s, &in->identity) != NULL)
		return EEXIST;
	if (s->count >= HOLES_MOST ||
	    (!own && s->foreign >= HOLES_MOST - OWN_MOST))
		return ENOSPC;
	if ((h = malloc(sizeof(*h) + in->reason_len)) == NULL)
		return ENOMEM;
	h->h = *in;
	h->file = *file;
	/* stock programs cannot show an entry that nobody has made */
	if (hash16_eq(&h->h.source, &engine_zero))
		h->h.source = own ? s->e->identity_hash : *file;
	if (in->reason != NULL) {
		memcpy(h->reason, in->reason, in->reason_len);
		h->h.reason = h->reason;
	}
	(void)RB_INSERT(hole_tree, &s->tree, h);
	s->count++;
	s->foreign += !own;
	tell_core(s, &in->identity, true, true);
	return 0;
}

/* ---- files ---- */

/* All, or those of one file; NULL: no memory. */
static uint8_t *
pack(struct holes *s, const struct hash16 *file, size_t *len)
{
	size_t cap = 5, count = 0;
	struct hole *h;
	uint8_t *buf;
	struct wr w;

	RB_FOREACH(h, hole_tree, &s->tree) {
		if (file != NULL && !hash16_eq(&h->file, file))
			continue;
		cap += CODEC_HOLE_MAX + h->h.reason_len;
		count++;
	}
	if ((buf = malloc(cap)) == NULL)
		return NULL;
	w = wr_make(buf, cap);
	mpk_put_map(&w, count);
	RB_FOREACH(h, hole_tree, &s->tree)
		if (file == NULL || hash16_eq(&h->file, file))
			codec_hole_put(&w, &h->h);
	*len = w.len;
	if (!wr_ok(&w)) {
		free(buf);
		return NULL;
	}
	return buf;
}

uint8_t *
holes_pack(struct holes *s, size_t *len)
{
	return pack(s, NULL, len);
}

static void
file_name(const struct hash16 *file, char name[2 * RNS_HASH + 1])
{
	if (hash16_eq(file, &engine_zero))
		memcpy(name, "local", sizeof("local"));
	else
		hex_encode(name, HASH_BYTES(*file));
}

static bool
write_file(struct holes *s, const struct hash16 *file)
{
	char name[2 * RNS_HASH + 1];
	_cleanup_free_ uint8_t *buf = NULL;
	size_t len;

	if (s->dir < 0)
		return true; /* no storage: all of it ends with the program */
	file_name(file, name);
	if ((buf = pack(s, file, &len)) == NULL)
		return store_file_wrote(s->files, name, -1);
	return store_file_write(s->files, s->dir, name, buf, len);
}

/*
 * How many came in; *damaged: something could not be read. From a file of ours
 * (stored) each is of whom the file is of, whoever it names.
 */
static int
take_list(struct holes *s, const uint8_t *p, size_t n,
    const struct hash16 *file, bool stored, bool *damaged)
{
	int64_t now = clock_wall_us();
	struct rd r = rd_make(p, n);
	struct codec_hole h;
	size_t count;
	int rc, taken = 0;

	*damaged = !codec_holes_head(&r, &count);
	for (; !*damaged && count > 0; count--) {
		if ((rc = codec_hole_get(&r, &h)) == RNS_EPARSE)
			break;
		*damaged |= rc != RNS_OK;
		if (rc != RNS_OK || (h.until_us != 0 && h.until_us <= now))
			continue;
		if (stored)
			h.source = engine_zero;
		rc = insert(s, &h, file);
		taken += rc == 0;
		if (rc != ENOSPC)
			continue;
		log_warnx("blackhole", "the list is full: %zu identities of "
		    "a list are left out", count);
		tell_core(s, &engine_zero, true, false);
		return taken;
	}
	*damaged |= count > 0 || !rd_end(&r);
	if (taken > 0)
		tell_core(s, &engine_zero, true, false);
	return taken;
}

static void
load_file(struct holes *s, const struct hash16 *file)
{
	char name[2 * RNS_HASH + 1];
	_cleanup_free_ char *buf = NULL;
	bool damaged;
	size_t len;
	int taken;

	file_name(file, name);
	if ((buf = store_file_load(s->files, s->dir, name, FILE_MAX_BYTES,
	    &len)) == NULL)
		return;
	taken = take_list(s, (uint8_t *)buf, len, file, true, &damaged);
	log_notice("blackhole", "%s: identities=%d", name, taken);
	if (!damaged)
		return;
	store_file_aside(s->files, s->dir, name, "who could be read in it is "
	    "blackholed; put back a whole one for the others");
	(void)write_file(s, file);
}

void
holes_load(struct holes *s, struct store_files *files, int dir)
{
	const struct rnsconf *c = s->e->conf;

	s->files = files;
	s->dir = dir;
	if (dir < 0)
		return;
	load_file(s, &engine_zero);
	for (unsigned i = 0; i < c->nblackhole_sources; i++)
		load_file(s, &c->blackhole_sources[i]);
}

void
holes_tick(struct holes *s)
{
	struct mono now = clock_mono();
	int64_t wall = clock_wall_us();
	struct hole *h, *next;

	if (mono_sub(now, s->checked) <= EXPIRE_S * MONO_SECOND)
		return;
	s->checked = now;
	RB_FOREACH_SAFE(h, hole_tree, &s->tree, next) {
		if (h->h.until_us == 0 || h->h.until_us > wall)
			continue;
		tell_core(s, &h->h.identity, false, false);
		forget(s, h);
	}
}

/* ---- changes ---- */

enum holes_said
holes_add(struct holes *s, const struct hash16 *identity, int64_t until_us,
    const char *reason, size_t reason_len)
{
	struct codec_hole h = {
		.identity = *identity,
		.source = s->e->identity_hash,
		.until_us = until_us,
		.reason = reason,
		.reason_len = reason != NULL ?
		    codec_reason_fits(reason, reason_len) : 0,
	};

	switch (insert(s, &h, &engine_zero)) {
	case 0:
		tell_core(s, &engine_zero, true, false);
		return write_file(s, &engine_zero) ? HOLES_DONE : HOLES_FAILED;
	case EEXIST:
		return HOLES_WAS_SO;
	default:
		return HOLES_FAILED;
	}
}

enum holes_said
holes_del(struct holes *s, const struct hash16 *identity)
{
	struct hole *h = find(s, identity);
	struct hash16 file;

	if (h == NULL)
		return HOLES_WAS_SO;
	file = h->file;
	tell_core(s, identity, false, false);
	forget(s, h);
	return write_file(s, &file) ? HOLES_DONE : HOLES_FAILED;
}

int
holes_merge(struct holes *s, const struct hash16 *source, const uint8_t *p,
    size_t len)
{
	struct rd r = rd_make(p, len);
	bool damaged;
	size_t count;
	int taken;

	if (!codec_holes_head(&r, &count))
		return -1;
	taken = take_list(s, p, len, source, false, &damaged);
	if (taken > 0)
		(void)write_file(s, source);
	return taken;
}
