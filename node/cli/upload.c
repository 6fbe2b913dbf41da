/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/upload.h"

#include <string.h>

#include "common/util.h"

/* ours: fewer chunks than this are not worth a question */
#define FEW 3

void
upload_init(struct upload *u, const struct manifest *m)
{
	u->m = m;
	u->marks_of = u->volume = u->chunk_of = -1;
	u->n = u->i = 0;
	u->active = false;
}

/* ---- what a digest is ---- */

static bool
named(const struct upload *u, const struct id32 *sha, uint64_t *size)
{
	struct manifest_input in;

	for (unsigned i = 0; i < MANIFEST_INPUTS; i++) {
		if (!manifest_input(u->m, i, &in))
			continue;
		if (id32_eq(&in.blob->sha256, sha))
			*size = in.blob->size;
		else if (in.chunks != NULL && id32_eq(&in.chunks->sha256, sha))
			*size = in.chunks->size;
		else
			continue;
		return true;
	}
	return false;
}

/* Of which volume it is a chunk; -1. */
static int
chunk_of(const struct upload *u, const struct id32 *sha, uint64_t *size)
{
	uint32_t k;

	for (unsigned i = 0; i < MANIFEST_INPUTS; i++) {
		const struct chunk_table *t = u->v[i].t;

		if (t == NULL || !chunk_find(t, sha, &k))
			continue;
		*size = chunk_size(&t->l, t->order[k]);
		return (int)i;
	}
	return -1;
}

/* ---- what lacks ---- */

static bool
is_marked(const struct upload *u, uint32_t i)
{
	return (u->marks[i / 8] & 1u << i % 8) != 0;
}

static void
mark_one(struct upload *u, const struct chunk_table *t, const struct id32 *sha)
{
	uint32_t k;
	bool any = chunk_find(t, sha, &k);

	for (; any; any = chunk_next_same(t, &k)) {
		uint32_t i = t->order[k];

		if (is_marked(u, i))
			continue;
		u->marks[i / 8] |= (uint8_t)(1u << i % 8);
		u->first = u->marked == 0 ? i : MIN_OF(u->first, i);
		u->last = u->marked == 0 ? i : MAX_OF(u->last, i);
		u->marked++;
	}
}

/* The places of a volume that lack their chunk, as far as they were named. */
static void
mark(struct upload *u, int volume)
{
	const struct chunk_table *t = u->v[volume].t;

	if (u->marks_of == volume)
		return;
	memset(u->marks, 0, t->l.n / 8 + 1);
	u->first = u->last = u->marked = 0;
	for (unsigned i = u->i; i < u->n; i++)
		mark_one(u, t, &u->missing[i]);
	u->marks_of = volume;
}

/* From here on everything: nothing would be sent in vain. */
static bool
all_the_rest(const struct upload *u, const struct chunk_table *t)
{
	return u->marked == u->last - u->first + 1 &&
	    (u->more || u->last + 1 == t->l.n);
}

/* More than were named, and those were one run: so is the rest, likely. */
static bool
onward(const struct upload *u, const struct chunk_table *t)
{
	return u->more && all_the_rest(u, t);
}

/* Bytes of a volume that were named, or lie behind those and may be. */
static uint64_t
bytes_of(const struct upload *u, const struct chunk_table *t)
{
	uint64_t sum = u->more ? t->l.total - t->at[u->last + 1] : 0;

	for (uint32_t i = u->first; i <= u->last && u->marked > 0; i++)
		if (is_marked(u, i))
			sum += chunk_size(&t->l, i);
	return sum;
}

bool
upload_round(struct upload *u, struct plist *missing, bool more,
    uint64_t *bytes)
{
	const uint8_t *d;
	uint64_t size;
	int v;

	*bytes = 0;
	u->n = u->i = 0;
	u->more = more;
	u->marks_of = -1;
	u->active = false;
	for (unsigned i = 0; i < MANIFEST_INPUTS; i++)
		u->v[i].over = false;
	while (u->n < PROTO_MISSING_MAX && plist_next(missing, &d))
		u->missing[u->n++] = *id32_at(d);
	for (unsigned i = 0; i < u->n; i++) {
		const struct id32 *sha = &u->missing[i];

		if (named(u, sha, &size)) {
			*bytes += size;
		} else if ((v = chunk_of(u, sha, &size)) < 0) {
			return false;
		} else if (u->marks_of != v) {
			mark(u, v);
			*bytes += bytes_of(u, u->v[v].t);
		}
	}
	u->marks_of = -1;
	return true;
}

/* ---- what to send ---- */

static void
begin(struct upload *u, const struct id32 *sha, uint64_t size, int volume,
    int of)
{
	u->sha = *sha;
	u->size = size;
	u->volume = volume;
	u->chunk_of = of;
	u->have = 0;
	u->asked = u->ask = false;
	u->active = true;
}

/* How the chunks of this volume go, at the first of this round. */
static void
choose(struct upload *u, int volume)
{
	struct upload_volume *v = &u->v[volume];

	mark(u, volume);
	if (v->way == UPLOAD_IN_ORDER || v->way == UPLOAD_ASK)
		v->way = UPLOAD_ASK;
	else if (v->way == UPLOAD_NEW)
		v->way = u->marked >= FEW && all_the_rest(u, v->t) ?
		    UPLOAD_ASK :
		    u->marked > FEW ? UPLOAD_ONE : UPLOAD_CHUNKS;
}

/* The next of the list that is still to be sent becomes the blob under way. */
static bool
pick(struct upload *u)
{
	struct manifest_input in;

	for (; u->i < u->n; u->i++) {
		const struct id32 *sha = &u->missing[u->i];
		uint64_t size = 0;
		int v = -1;

		if (!named(u, sha, &size) && (v = chunk_of(u, sha, &size)) < 0)
			continue; /* upload_round() knows all of them */
		if (v >= 0 && u->v[v].over)
			continue;
		if (v >= 0 && u->marks_of != v)
			choose(u, v);
		if (v >= 0 && u->v[v].way == UPLOAD_ASK &&
		    manifest_input(u->m, (unsigned)v, &in))
			begin(u, &in.blob->sha256, u->v[v].t->l.total, v, -1);
		else
			begin(u, sha, size, -1, v);
		return true;
	}
	return false;
}

/* The place that a byte of the volume lies in. */
static uint32_t
place_of(const struct chunk_table *t, uint64_t at)
{
	uint32_t lo = 0, hi = t->l.n;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->at[mid] <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* Up to where bytes from `have` on are such as the node lacks. */
static uint64_t
run_end(const struct upload *u)
{
	const struct chunk_table *t = u->v[u->volume].t;
	uint32_t p = place_of(t, u->have), q = p;

	while (q < t->l.n &&
	    (q == p || is_marked(u, q) || (q > u->last && onward(u, t))))
		q++;
	return t->at[q];
}

bool
upload_next(struct upload *u, size_t slice, size_t *n)
{
	uint64_t end;

	if (!u->active && !pick(u))
		return false;
	if (u->ask) {
		/* sent: what the answer is about */
		*n = 0;
		return true;
	}
	end = u->volume >= 0 && u->asked ? run_end(u) : u->size;
	*n = (size_t)MIN_OF(end - u->have, (uint64_t)slice);
	/* one that goes at once is not asked for before */
	if (!u->asked && (u->chunk_of < 0 || u->size > slice))
		*n = 0;
	u->sent = *n;
	return true;
}

/* The blob under way is done with. */
static void
end(struct upload *u)
{
	u->active = false;
}

/* What the node says of the volume shows whether it counts its bytes. */
static uint64_t
judge(struct upload *u, uint64_t have, uint64_t *before)
{
	struct upload_volume *v = &u->v[u->volume];

	u->asked = true;
	u->have = have;
	if (have < v->t->at[u->first]) {
		v->way = UPLOAD_CHUNKS;
		end(u);
		return 0;
	}
	v->way = UPLOAD_IN_ORDER;
	/* of what was named something may be here as the volume's beginning */
	for (uint32_t i = u->first; i < v->t->l.n && v->t->at[i] < have; i++)
		if (is_marked(u, i) || i > u->last)
			*before += MIN_OF(have, v->t->at[i + 1]) - v->t->at[i];
	return *before;
}

static void
chunk_done(struct upload *u)
{
	struct upload_volume *v = &u->v[u->chunk_of];

	if (v->way == UPLOAD_ONE) {
		/* the next answer for the volume has to be past this one */
		v->way = UPLOAD_ASK;
		u->marks_of = -1;
	}
	u->i++;
	end(u);
}

uint64_t
upload_had(struct upload *u, uint64_t have, uint64_t *before)
{
	uint64_t more;

	*before = 0;
	u->ask = false;
	if (u->volume >= 0 && !u->asked)
		return judge(u, have, before);
	more = have > u->have ? have - u->have : 0;
	if (u->volume >= 0) /* leaps are over what it had */
		more = MIN_OF(more, (uint64_t)u->sent);
	else if (!u->asked && u->sent == 0)
		*before = more;
	u->have = have;
	u->asked = true;
	if (u->volume >= 0) {
		const struct chunk_table *t = u->v[u->volume].t;

		if (have >= u->size ||
		    (!onward(u, t) && have >= t->at[u->last + 1])) {
			u->v[u->volume].over = true;
			end(u);
		}
	} else if (have >= u->size && u->chunk_of >= 0) {
		chunk_done(u);
	} else if (have >= u->size) {
		u->i++;
		end(u);
	}
	return more;
}

void
upload_ask(struct upload *u)
{
	u->ask = u->active;
}

void
upload_broke(struct upload *u)
{
	u->ask = false;
	if (u->volume < 0)
		u->asked = false;
}
