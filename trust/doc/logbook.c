/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/logbook.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "trust/doc/merkle.h"

#define AHEAD 300 /* s: klp.md 1.7 */

/* ---- who has signed ---- */

/* The key of the role that this origin signs with. */
static bool
log_key(struct vkey *out, const struct logbook_keys *k, const struct snote *n,
    const char *origin, const char **why)
{
	*why = "signed by no key of the role log";
	for (size_t i = 0; i < k->nlog; i++) {
		if (k->log[i].kind != KEY_ED25519 ||
		    !vkey_set(out, origin, SNOTE_ED25519, k->log[i].raw))
			continue;
		switch (snote_signed(n, out, NULL)) {
		case SNOTE_GOOD:
			return true;
		case SNOTE_BAD:
			*why = "its signature does not hold";
			return false;
		default:
			break;
		}
	}
	return false;
}

static bool
witnessed(const struct logbook_keys *k, const struct snote *n,
    const char **why)
{
	unsigned have = 0;
	uint64_t when;

	for (size_t i = 0; i < k->nwitness && have < k->want; i++)
		if (k->witness[i].kind == KEY_ED25519 &&
		    snote_cosigned(n, k->witness[i].raw, &when) ==
		    SNOTE_GOOD && when <= k->now + AHEAD)
			have++;
	*why = "fewer witnesses have signed it than are asked for";
	return have >= k->want;
}

/* false: *why it is not believed. */
static bool
believe(struct tlog_head *h, struct vkey *key, const struct logbook_keys *k,
    const char *note, size_t len, const char **why)
{
	struct snote n;

	*why = "no checkpoint of a log";
	return snote_parse(&n, note, len) &&
	    tlog_head_parse(h, n.text, n.text_len) &&
	    log_key(key, k, &n, h->origin, why) && witnessed(k, &n, why);
}

/* ---- what is known ---- */

static struct logbook_log *
find(struct logbook *b, const struct vkey *key)
{
	for (unsigned i = 0; i < b->n; i++)
		if (memcmp(b->log[i].key.key, key->key, 32) == 0 &&
		    strcmp(b->log[i].key.name, key->name) == 0)
			return &b->log[i];
	return NULL;
}

static bool
keep(struct logbook_log *l, const struct tlog_head *h, const char *note,
    size_t len)
{
	char *own = malloc(len);

	if (own == NULL)
		return false;
	memcpy(own, note, len);
	free(l->note);
	l->note = own;
	l->note_len = len;
	l->head = *h;
	return true;
}

static bool
is_key(const struct logbook_keys *k, const struct vkey *v)
{
	for (size_t i = 0; i < k->nlog; i++)
		if (k->log[i].kind == KEY_ED25519 &&
		    memcmp(k->log[i].raw, v->key, 32) == 0)
			return true;
	return false;
}

/* One place more; those whose keys the root names no more go first. */
static struct logbook_log *
place(struct logbook *b, const struct logbook_keys *k, const struct vkey *key)
{
	struct logbook_log *l = NULL;

	for (unsigned i = 0; b->n == LOGBOOK_LOGS && i < b->n; i++)
		if (!is_key(k, &b->log[i].key))
			l = &b->log[i];
	if (l == NULL && b->n < LOGBOOK_LOGS)
		l = &b->log[b->n++];
	if (l == NULL)
		return NULL;
	free(l->note);
	*l = (struct logbook_log){.key = *key};
	return l;
}

static enum logbook_end
first(struct logbook *b, const struct logbook_keys *k, const struct vkey *key,
    const struct tlog_head *h, const struct tlog_growth *g,
    struct logbook_log **which, const char **why)
{
	struct logbook_log *l = place(b, k, key);

	if (l != NULL && keep(l, h, g->note, g->note_len)) {
		*which = l;
		return LOGBOOK_TAKEN;
	}
	if (l != NULL)
		*l = b->log[--b->n];
	*why = "no room for one log more";
	return LOGBOOK_BAD;
}

/* From what is known to this head. */
static enum logbook_end
compare(struct logbook_log *l, const struct tlog_head *h,
    const struct tlog_growth *g, const char **why)
{
	if (h->size == l->head.size)
		return id32_eq(&h->root, &l->head.root) ? LOGBOOK_SAME :
		    LOGBOOK_FORK;
	if (h->size < l->head.size)
		return LOGBOOK_OLDER;
	if (g->old.size != l->head.size)
		return LOGBOOK_UNPROVEN;
	/* its own word on what it was then is in what it has signed now */
	if (!tlog_extends(&g->old, h, g->hash, g->n)) {
		*why = "it does not follow from what it says it was";
		return LOGBOOK_BAD;
	}
	return id32_eq(&g->old.root, &l->head.root) ? LOGBOOK_TAKEN :
	    LOGBOOK_FORK;
}

static enum logbook_end
see(struct logbook *b, const struct logbook_keys *k,
    const struct tlog_growth *g, struct tlog_head *h,
    struct logbook_log **which, const char **why)
{
	enum logbook_end end;
	struct vkey key;

	*which = NULL;
	if (!believe(h, &key, k, g->note, g->note_len, why))
		return LOGBOOK_BAD;
	*which = find(b, &key);
	if (*which == NULL)
		return first(b, k, &key, h, g, which, why);
	if ((*which)->forked)
		return LOGBOOK_SAME; /* it was said */
	end = compare(*which, h, g, why);
	if (end == LOGBOOK_TAKEN && !keep(*which, h, g->note, g->note_len)) {
		*why = "no memory";
		end = LOGBOOK_BAD;
	}
	(*which)->forked = end == LOGBOOK_FORK;
	return end;
}

enum logbook_end
logbook_see(struct logbook *b, const struct logbook_keys *k, const char *text,
    size_t len, struct logbook_log **which, const char **why)
{
	struct tlog_growth g;
	struct tlog_head h;

	if (!tlog_growth_parse(&g, text, len))
		g = (struct tlog_growth){.note = text, .note_len = len};
	return see(b, k, &g, &h, which, why);
}

bool
logbook_vouches(struct logbook *b, const struct logbook_keys *k,
    const void *record, size_t record_len, const char *proof, size_t len,
    enum logbook_end *end, struct logbook_log **which, const char **why)
{
	struct tlog_growth g = {.n = 0};
	struct tlog_proof p;
	struct tlog_head h;
	struct id32 leaf;

	*end = LOGBOOK_BAD;
	*which = NULL;
	*why = "no proof (c2sp.org/tlog-proof@v1)";
	if (!tlog_proof_parse(&p, proof, len))
		return false;
	g.note = p.note;
	g.note_len = p.note_len;
	if ((*end = see(b, k, &g, &h, which, why)) == LOGBOOK_BAD)
		return false;
	*why = "its log has shown two things that cannot both be true";
	if ((*which)->forked)
		return false;
	*why = "the record is not what the proof is of";
	merkle_leaf(&leaf, record, record_len);
	return tlog_includes(&h, p.index, &leaf, p.hash, p.n);
}

/* ---- as bytes ---- */

/* u8 forked, key 32, u16 and the note, which has the name. */
size_t
logbook_put(uint8_t out[LOGBOOK_BYTES], const struct logbook *b)
{
	struct wr w = wr_make(out, LOGBOOK_BYTES);

	for (unsigned i = 0; i < b->n; i++) {
		const struct logbook_log *l = &b->log[i];

		wr_u8(&w, l->forked);
		wr_bytes(&w, l->key.key, sizeof(l->key.key));
		wr_u16(&w, (uint16_t)l->note_len);
		wr_bytes(&w, l->note, l->note_len);
	}
	return wr_ok(&w) ? w.len : 0;
}

void
logbook_get(struct logbook *b, const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len), note;
	const uint8_t *key;
	uint8_t forked;
	uint16_t n;

	logbook_clear(b);
	while (b->n < LOGBOOK_LOGS && rd_u8(&r, &forked) &&
	    rd_ref(&r, &key, 32) && rd_u16(&r, &n) && rd_sub(&r, n, &note)) {
		struct logbook_log *l = &b->log[b->n];
		struct tlog_head h;
		struct snote s;

		*l = (struct logbook_log){.forked = forked != 0};
		if (!snote_parse(&s, (const char *)note.p, n) ||
		    !tlog_head_parse(&h, s.text, s.text_len) ||
		    !vkey_set(&l->key, h.origin, SNOTE_ED25519, key) ||
		    snote_signed(&s, &l->key, NULL) != SNOTE_GOOD ||
		    find(b, &l->key) != NULL ||
		    !keep(l, &h, (const char *)note.p, n))
			continue; /* damaged: seen anew */
		b->n++;
	}
}

void
logbook_clear(struct logbook *b)
{
	for (unsigned i = 0; i < b->n; i++)
		free(b->log[i].note);
	memset(b, 0, sizeof(*b));
}
