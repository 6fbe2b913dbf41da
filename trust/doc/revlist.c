/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/revlist.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"
#include "common/wire.h"
#include "trust/doc/frame.h"
#include "trust/doc/jdoc.h"

#define ENTRIES_MAX 65536 /* more than 1 MiB can hold */
#define SET_DOMAIN "klp/revset/v1"

static const char *const known[] = {"_type", "uri", "version", "issued",
    "expires", "set_digest", "entries", "crit"};
static const char *const kinds[] = {[REV_KEY] = "key", [REV_RNS] = "rns",
    [REV_ARTIFACT] = "artifact", "token"};
static const char *const reasons[] = {"unspecified", "key_compromise",
    "behavior_violation", "policy", "superseded", "retired",
    "score_below_threshold", "impersonation", "integrity_failure",
    "resource_abuse", "operator", NULL, NULL, NULL, NULL, "other"};

const char *
rev_kind_name(unsigned k)
{
	return k < NELEM(kinds) ? kinds[k] : "other";
}

const char *
rev_reason_name(unsigned r)
{
	return r < NELEM(reasons) && reasons[r] != NULL ? reasons[r] : "other";
}

static int
word(const json_t *obj, const char *name, const char *const *words, size_t n)
{
	const char *s;
	size_t len;

	if (!jdoc_text(obj, name, &s, &len))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (words[i] != NULL && strlen(words[i]) == len &&
		    memcmp(words[i], s, len) == 0)
			return (int)i;
	return -1;
}

static size_t
id_len(unsigned kind)
{
	return kind == REV_RNS ? 16 : 32;
}

int
rev_cmp(const void *a, const void *b)
{
	const struct rev_entry *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	/* frames name an entry by half of its id, and no list has two of one */
	return memcmp(x->id, y->id, 16);
}

/* ---- a list ---- */

static const char *
get_entry(struct rev_entry *e, const json_t *v)
{
	static const char *const states[] = {"revoked", "suspended"};
	int kind = word(v, "kind", kinds, NELEM(kinds));
	int state = word(v, "state", states, NELEM(states));
	int reason = word(v, "reason", reasons, NELEM(reasons));
	uint64_t at = 0, since = 0;

	if (kind < 0 || state < 0 || reason < 0)
		return "entries: a kind, state or reason that is not known";
	if (!jdoc_hex(json_object_get(v, "id"), e->id, id_len((unsigned)kind)))
		return "entries: an id";
	if (!jdoc_uint(v, "revoked_at", UINT32_MAX, &at))
		return "entries: revoked_at";
	/* absent: from then on when it was revoked */
	since = at;
	if (json_object_get(v, "invalid_since") != NULL &&
	    !jdoc_uint(v, "invalid_since", UINT32_MAX, &since))
		return "entries: invalid_since";
	e->kind = (uint8_t)kind;
	e->suspended = state == 1;
	e->reason = (uint8_t)reason;
	e->revoked_at = (uint32_t)at;
	e->invalid_since = (uint32_t)since;
	return NULL;
}

static const char *
get_entries(struct revlist *l, const json_t *arr)
{
	size_t n = json_array_size(arr);
	const char *why;

	if (!json_is_array(arr) || n > ENTRIES_MAX)
		return "entries";
	if ((l->e = calloc(n + 1, sizeof(*l->e))) == NULL)
		return "no memory";
	for (size_t i = 0; i < n; i++)
		if ((why = get_entry(&l->e[i], json_array_get(arr, i))) != NULL)
			return why;
	l->n = n;
	qsort(l->e, n, sizeof(*l->e), rev_cmp);
	/* frames name an entry by half of its id */
	for (size_t i = 1; i < n; i++)
		if (l->e[i].kind == l->e[i - 1].kind &&
		    memcmp(l->e[i].id, l->e[i - 1].id, 16) == 0)
			return "entries: one of them twice";
	return NULL;
}

void
revlist_digest(struct id32 *out, const struct rev_entry *e, size_t n)
{
	crypto_hash_sha256_state st;

	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)SET_DOMAIN,
	    sizeof(SET_DOMAIN) - 1);
	for (size_t i = 0; i < n; i++) {
		uint8_t b[19];

		b[0] = e[i].kind;
		memcpy(b + 1, e[i].id, 16);
		b[17] = e[i].suspended;
		b[18] = e[i].reason;
		(void)crypto_hash_sha256_update(&st, b, sizeof(b));
	}
	(void)crypto_hash_sha256_final(&st, out->b);
}

static const char *
get_list(struct revlist *l, const json_t *doc)
{
	uint64_t version, issued, expires;
	struct id32 said;
	const char *why, *s;
	size_t n;

	if (!jdoc_text(doc, "_type", &s, &n) || n != strlen(REVLIST_TYPE) ||
	    memcmp(s, REVLIST_TYPE, n) != 0)
		return "not a revocation list";
	if (!jdoc_crit(doc, known, NELEM(known)))
		return "crit: names what is not known here";
	if (!jdoc_text(doc, "uri", &s, &n) || n > URI_MAX ||
	    memchr(s, '\0', n) != NULL)
		return "uri";
	memcpy(l->uri, s, n);
	if (!jdoc_uint(doc, "version", UINT32_MAX, &version) ||
	    !jdoc_uint(doc, "issued", UINT32_MAX, &issued) ||
	    !jdoc_uint(doc, "expires", UINT32_MAX, &expires))
		return "version, issued or expires";
	l->version = (uint32_t)version;
	l->issued = (uint32_t)issued;
	l->expires = (uint32_t)expires;
	if (!jdoc_hex(json_object_get(doc, "set_digest"), HASH_BYTES(said)))
		return "set_digest";
	if ((why = get_entries(l, json_object_get(doc, "entries"))) != NULL)
		return why;
	revlist_digest(&l->digest, l->e, l->n);
	return id32_eq(&l->digest, &said) ? NULL :
	    "set_digest is not that of the entries";
}

const char *
revlist_parse(struct revlist *l, const void *payload, size_t len)
{
	const char *why;
	json_t *doc;

	memset(l, 0, sizeof(*l));
	doc = jdoc_parse_canonical(payload, len, REVLIST_BYTES, &why);
	if (doc == NULL)
		return why;
	why = get_list(l, doc);
	json_decref(doc);
	if (why != NULL)
		revlist_clear(l);
	return why;
}

void
revlist_clear(struct revlist *l)
{
	free(l->e);
	memset(l, 0, sizeof(*l));
}

/* ---- a key's own word ---- */

const char *
selfrev_parse(struct selfrev *s, const void *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	const uint8_t *magic;
	const char *why;
	struct env e;

	if (!rd_ref(&r, &magic, 3) || memcmp(magic, "KX\001", 3) != 0)
		return "no self-revocation";
	if (!rd_u8(&r, &s->reason) || !rd_copy(&r, HASH_BYTES(s->fp)) ||
	    !rd_u32(&r, &s->issued) || !rd_u32(&r, &s->invalid_since))
		return "too short";
	if (s->reason >= NELEM(reasons) || reasons[s->reason] == NULL)
		return "a reason that is not known";
	if (frame_parse(&e, TYPE_SELFREV, buf, len, SELFREV_FRAME, &why) < 0)
		return why;
	return e.nsigs == 1 ? NULL : "more than one signature";
}

bool
selfrev_by(const void *buf, size_t len, const struct klp_key *k)
{
	struct selfrev s;
	struct env e;
	const char *why;
	struct fp fp;

	key_fp(&fp, k);
	return selfrev_parse(&s, buf, len) == NULL && fp_eq(&s.fp, &fp) &&
	    frame_parse(&e, TYPE_SELFREV, buf, len, SELFREV_FRAME, &why) == 0 &&
	    env_verify(&e, TYPE_SELFREV, k, 1, NULL) == 1;
}

/* ---- the union ---- */

int
revset_add(struct revset *s, const struct rev_entry *e, size_t n)
{
	if (n > s->cap - s->n) {
		size_t cap = s->n + n + 16;
		void *p = reallocarray(s->e, cap, sizeof(*s->e));

		if (p == NULL)
			return -1;
		s->e = p;
		s->cap = cap;
	}
	if (n > 0)
		memcpy(s->e + s->n, e, n * sizeof(*e));
	s->n += n;
	return 0;
}

static void
merge(struct rev_entry *a, const struct rev_entry *b)
{
	if (a->brief && !b->brief) {
		memcpy(a->id, b->id, sizeof(a->id));
		a->brief = false;
	}
	if (a->suspended != b->suspended) {
		if (a->suspended) {
			a->suspended = false;
			a->reason = b->reason;
			a->revoked_at = b->revoked_at;
			a->invalid_since = b->invalid_since;
		}
		return;
	}
	a->revoked_at = MIN_OF(a->revoked_at, b->revoked_at);
	a->invalid_since = MIN_OF(a->invalid_since, b->invalid_since);
	/* of two reasons the one that voids old signatures */
	if (a->reason == REASON_SUPERSEDED || a->reason == REASON_RETIRED)
		a->reason = b->reason;
}

void
revset_sort(struct revset *s)
{
	size_t k = 0;

	if (s->n == 0)
		return;
	qsort(s->e, s->n, sizeof(*s->e), rev_cmp);
	for (size_t i = 1; i < s->n; i++) {
		if (rev_cmp(&s->e[k], &s->e[i]) == 0)
			merge(&s->e[k], &s->e[i]);
		else
			s->e[++k] = s->e[i];
	}
	s->n = k + 1;
}

const struct rev_entry *
revset_find(const struct revset *s, enum rev_kind kind, const uint8_t *id)
{
	struct rev_entry key = {.kind = (uint8_t)kind};

	if (s->n == 0)
		return NULL;
	memcpy(key.id, id, id_len(kind));
	return bsearch(&key, s->e, s->n, sizeof(*s->e), rev_cmp);
}

enum revocation
revset_state(const struct revset *s, enum rev_kind kind, const uint8_t *id)
{
	const struct rev_entry *e = revset_find(s, kind, id);

	return e == NULL ? REV_NONE :
	    e->suspended ? REV_SUSPENDED : REV_REVOKED;
}

void
revset_clear(struct revset *s)
{
	free(s->e);
	memset(s, 0, sizeof(*s));
}

bool
revset_signature(const struct revset *s, const struct fp *fp, uint32_t issued)
{
	const struct rev_entry *e = revset_find(s, REV_KEY, fp->b);

	if (e == NULL)
		return true;
	switch (e->reason) {
	case REASON_SUPERSEDED:
	case REASON_RETIRED:
		return issued < e->revoked_at;
	default:
		/* without a log nobody can prove that it is older */
		return false;
	}
}

bool
rev_brake(uint64_t hit, uint64_t positive)
{
	return hit >= 3 && 5 * hit > positive;
}
