/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/proto/letter.h"

#include <string.h>

#include "common/mpk.h"
#include "common/util.h"

static bool
find_path(struct pstr name, enum proto_path *out)
{
	for (int i = 0; i < PATH_COUNT; i++)
		if (pstr_is(name, proto_path((enum proto_path)i))) {
			*out = (enum proto_path)i;
			return true;
		}
	return false;
}

static bool
get_path(struct rd *r, enum proto_path *out)
{
	struct pstr name;

	return mpk_get_str(r, &name.p, &name.n) && find_path(name, out);
}

static bool
get_blobs(struct rd *r, struct letter *l)
{
	size_t n;

	if (!mpk_get_array(r, &n) || n > LETTER_BLOBS)
		return false;
	l->nblobs = n;
	for (size_t i = 0; i < n; i++)
		if (!mpk_get_bin(r, &l->blob[i].p, &l->blob[i].n))
			return false;
	return true;
}

struct seen {
	bool path, data, answer;
};

static bool
get_member(struct rd *r, struct letter *l, struct seen *s, struct pstr key)
{
	if (pstr_is(key, "p")) {
		s->path = true;
		return get_path(r, &l->path);
	}
	if (pstr_is(key, "d") || pstr_is(key, "a")) {
		*(pstr_is(key, "d") ? &s->data : &s->answer) = true;
		return mpk_value(r, &l->value.p, &l->value.n);
	}
	if (pstr_is(key, "re"))
		return proto_exact(r, &l->re, PROTO_ID_LEN);
	if (pstr_is(key, "id"))
		return proto_exact(r, &l->id, PROTO_ID_LEN);
	if (pstr_is(key, "b"))
		return proto_exact(r, &l->binding, BINDING_LEN);
	if (pstr_is(key, "n"))
		return proto_int(r, &l->give);
	if (pstr_is(key, "x"))
		return get_blobs(r, l);
	return mpk_skip(r);
}

bool
letter_get(struct letter *out, const void *p, size_t n)
{
	struct rd r = rd_make(p, n), whole = r;
	struct letter l = {.give = LETTER_GIVE};
	struct seen s = {0};
	struct pstr key;

	/* no member twice, and nothing behind them */
	if (!mpk_skip(&whole) || !rd_end(&whole) || !mpk_get_map(&r, &n))
		return false;
	while (n-- > 0)
		if (!mpk_get_str(&r, &key.p, &key.n) ||
		    !get_member(&r, &l, &s, key))
			return false;
	if (!s.path || s.data == s.answer ||
	    s.answer != (l.re != NULL))
		return false;
	l.answer = s.answer;
	l.give = MIN_OF(l.give, LETTER_GIVE_MAX);
	*out = l;
	return true;
}

void
letter_put(struct wr *w, const struct letter *l)
{
	bool give = !l->answer && l->give != LETTER_GIVE;

	mpk_put_map(w, 2 + (size_t)l->answer +
		(size_t)(l->answer && l->id != NULL) +
		(size_t)(l->answer && l->binding != NULL) + (size_t)give +
		(size_t)(l->nblobs > 0));
	mpk_put_str(w, "p");
	mpk_put_str(w, proto_path(l->path));
	mpk_put_str(w, l->answer ? "a" : "d");
	mpk_put_raw(w, l->value.p, l->value.n);
	if (l->answer) {
		mpk_put_str(w, "re");
		mpk_put_bin(w, l->re, PROTO_ID_LEN);
	}
	if (l->answer && l->id != NULL) {
		mpk_put_str(w, "id");
		mpk_put_bin(w, l->id, PROTO_ID_LEN);
	}
	if (l->answer && l->binding != NULL) {
		mpk_put_str(w, "b");
		mpk_put_bin(w, l->binding, BINDING_LEN);
	}
	if (give) {
		mpk_put_str(w, "n");
		mpk_put_uint(w, l->give);
	}
	if (l->nblobs == 0)
		return;
	mpk_put_str(w, "x");
	mpk_put_array(w, l->nblobs);
	for (size_t i = 0; i < l->nblobs; i++)
		mpk_put_bin(w, l->blob[i].p, l->blob[i].n);
}
