/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/envelope.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/b64.h"
#include "common/mpk.h"
#include "trust/doc/jdoc.h"
#include "common/util.h"
#include "common/wire.h"

#define ENV_BINARY 0x94 /* msgpack: array of four */
#define ENV_MAGIC "KE1"

static int
refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* Room for a payload, and for the rest of M before it. */
static int
make_room(struct env *e, size_t cap, const char **why)
{
	if ((e->own = malloc(PAE_HEAD_MAX + cap)) == NULL)
		return refuse(why, "no memory");
	e->payload = e->own + PAE_HEAD_MAX;
	return 0;
}

static void
put_head(struct env *e)
{
	e->head = pae_front(e->own + PAE_HEAD_MAX, e->type, e->payload_len);
}

/* ---- binary form ---- */

/* Its payload stays where it is. */
static int
read_binary(struct env *e, const void *buf, size_t len, size_t max_payload,
    const char **why)
{
	struct rd r = rd_make(buf, len);
	const char *s;
	size_t n, nsigs;

	if (!mpk_get_array(&r, &n) || n != 4 || !mpk_get_str(&r, &s, &n) ||
	    n != 3 || memcmp(s, ENV_MAGIC, 3) != 0)
		return refuse(why, "no envelope");
	if (!mpk_get_str(&r, &s, &n) || n > ENV_TYPE_MAX ||
	    memchr(s, '\0', n) != NULL)
		return refuse(why, "type");
	memcpy(e->type, s, n);
	e->type[n] = '\0';
	if (!mpk_get_bin(&r, &e->payload, &e->payload_len))
		return refuse(why, "payload");
	if (e->payload_len > max_payload)
		return refuse(why, "payload too large");
	if (!mpk_get_array(&r, &nsigs) || nsigs < 1 || nsigs > ENV_SIGS_MAX)
		return refuse(why, "number of signatures");
	for (size_t i = 0; i < nsigs; i++) {
		struct env_sig *g = &e->sigs[i];

		if (!mpk_get_array(&r, &n) || n != 2 ||
		    !mpk_get_bin_exact(&r, g->hint.b, FP4_LEN) ||
		    !mpk_get_bin_exact(&r, g->sig, SIG_LEN))
			return refuse(why, "signature");
		g->hint_len = FP4_LEN;
	}
	e->nsigs = (unsigned)nsigs;
	if (!rd_end(&r))
		return refuse(why, "bytes behind the envelope");
	return 0;
}

static int
open_binary(struct env_opening *o, struct env *e, const char **why)
{
	if (read_binary(e, o->text, o->len, o->max_payload, why) < 0)
		return -1;
	o->bin = e->payload;
	o->cap = e->payload_len;
	if (make_room(e, o->cap, why) < 0)
		return -1;
	if (o->cap == 0)
		put_head(e);
	return 0;
}

static int
copy_step(struct env_opening *o, struct env *e, size_t budget)
{
	size_t n = MIN_OF(budget, o->cap - o->at);

	memcpy(e->own + PAE_HEAD_MAX + o->at, o->bin + o->at, n);
	o->at += n;
	if (o->at < o->cap)
		return 1;
	put_head(e);
	o->cap = 0;
	return 0;
}

/* ---- JSON form ---- */

/* RFC 4648 section 4 with padding, nothing else; exactly n bytes when n > 0. */
static bool
base64_get(uint8_t *out, size_t cap, size_t *out_len, const char *s, size_t n)
{
	return b64_get(out, cap, s, n, out_len,
	    sodium_base64_VARIANT_ORIGINAL);
}

static int
parse_json_sigs(struct env *e, const json_t *root, const char **why)
{
	const json_t *arr = json_object_get(root, "signatures");
	size_t n = json_array_size(arr);

	if (n < 1 || n > ENV_SIGS_MAX)
		return refuse(why, "number of signatures");
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(arr, i);
		struct env_sig *g = &e->sigs[i];
		const char *s;
		size_t sn, got;

		if (!jdoc_text(one, "sig", &s, &sn) ||
		    !base64_get(g->sig, SIG_LEN, &got, s, sn) || got != SIG_LEN)
			return refuse(why, "signature");
		/* a hint only: one that is no fingerprint says nothing */
		if (jdoc_hex(json_object_get(one, "keyid"),
		    HASH_BYTES(g->hint)))
			g->hint_len = FP_LEN;
	}
	e->nsigs = (unsigned)n;
	return 0;
}

/* in_own: its payload is decoded already, an empty text stands for it. */
static int
parse_json_tree(struct env *e, const json_t *root, bool in_own,
    size_t max_payload, const char **why)
{
	const char *s;
	size_t n;

	if (json_object_get(root, "payloadType") == NULL &&
	    json_object_get(root, "signatures") == NULL)
		return refuse(why, ENV_UNSIGNED);
	if (!jdoc_text(root, "payloadType", &s, &n) || n > ENV_TYPE_MAX ||
	    memchr(s, '\0', n) != NULL)
		return refuse(why, "type");
	memcpy(e->type, s, n);
	e->type[n] = '\0';
	if (!jdoc_text(root, "payload", &s, &n))
		return refuse(why, "payload");
	if (in_own)
		return parse_json_sigs(e, root, why);
	if (n / 4 * 3 > max_payload + 3)
		return refuse(why, "payload too large");
	if (make_room(e, n / 4 * 3 + 1, why) < 0)
		return -1;
	if (!base64_get(e->own + PAE_HEAD_MAX, n / 4 * 3 + 1, &e->payload_len,
		s, n))
		return refuse(why, "payload");
	if (e->payload_len > max_payload)
		return refuse(why, "payload too large");
	put_head(e);
	return parse_json_sigs(e, root, why);
}

static int
parse_json(struct env *e, const char *text, size_t len, bool in_own,
    size_t max_payload, const char **why)
{
	json_t *root = jdoc_parse(text, len, ENV_WHOLE, why);
	int rc;

	if (root == NULL)
		return -1;
	rc = parse_json_tree(e, root, in_own, max_payload, why);
	json_decref(root);
	return rc;
}

/* ---- a large one: its payload is never in a tree ---- */

static size_t
skip_space(const char *t, size_t i, size_t end)
{
	while (i < end && (t[i] == ' ' || t[i] == '\t' || t[i] == '\n' ||
		t[i] == '\r'))
		i++;
	return i;
}

/*
 * Where the text of the member "payload" begins; 0: not in the first bytes.
 * Grammar is left to who reads the rest, where an empty text stands for it: a
 * second one is a duplicate there.
 */
static size_t
payload_at(const char *t, size_t end)
{
	static const char name[] = "\"payload\"";
	unsigned open = 0;

	for (size_t i = 1, from; i < end; i++) {
		if (t[i] == '{' || t[i] == '[')
			open++;
		else if ((t[i] == '}' || t[i] == ']') && open-- == 0)
			return 0;
		if (t[i] != '"')
			continue;
		for (from = i++; i < end && t[i] != '"'; i++)
			i += t[i] == '\\';
		if (open > 0 || i + 1 - from != sizeof(name) - 1 || i >= end ||
		    memcmp(t + from, name, sizeof(name) - 1) != 0)
			continue;
		from = skip_space(t, i + 1, end);
		if (from >= end || t[from] != ':')
			continue;
		from = skip_space(t, from + 1, end);
		return from < end && t[from] == '"' ? from + 1 : 0;
	}
	return 0;
}

static int
open_large(struct env_opening *o, struct env *e, const char **why)
{
	o->from = o->at = payload_at(o->text, ENV_WHOLE);
	if (o->from == 0)
		return refuse(why, ENV_UNSIGNED ", or its payload does not "
		    "come first, as that of a large one must");
	o->cap = MIN_OF((o->len - o->from) / 4 * 3, o->max_payload) + 3;
	return make_room(e, o->cap, why);
}

/* What is around the payload, which is whole by now. */
static int
close_large(struct env_opening *o, struct env *e, const char **why)
{
	size_t behind = o->len - o->at;
	char *rest;
	int rc;

	if (o->from + behind > ENV_WHOLE)
		return refuse(why, "too much around its payload");
	if (e->payload_len > o->max_payload)
		return refuse(why, "payload too large");
	if ((rest = malloc(o->from + behind)) == NULL)
		return refuse(why, "no memory");
	memcpy(rest, o->text, o->from);
	memcpy(rest + o->from, o->text + o->at, behind);
	rc = parse_json(e, rest, o->from + behind, true, 0, why);
	free(rest);
	put_head(e);
	return rc;
}

int
env_open_step(struct env_opening *o, struct env *e, size_t budget,
    const char **why)
{
	size_t n = MIN_OF(MAX_OF(budget / 4, (size_t)1) * 4, o->len - o->at);
	size_t got, room = o->cap - e->payload_len;
	const char *p, *end;

	if (o->cap == 0)
		return 0;
	if (o->bin != NULL)
		return copy_step(o, e, budget);
	p = o->text + o->at;
	/* its end may be just behind this turn's */
	end = memchr(p, '"', MIN_OF(n + 1, o->len - o->at));
	if (end != NULL)
		n = (size_t)(end - p);
	if (n / 4 * 3 > room)
		return refuse(why, "payload too large");
	/* padding can only be at its end */
	if (!base64_get(e->own + PAE_HEAD_MAX + e->payload_len, room, &got, p, n) ||
	    (end == NULL && got != n / 4 * 3))
		return refuse(why, "payload");
	e->payload_len += got;
	o->at += n;
	if (end == NULL)
		return o->at < o->len ? 1 : refuse(why, "payload");
	o->cap = 0;
	return close_large(o, e, why);
}

int
env_open(struct env_opening *o, struct env *e, const void *buf, size_t len,
    size_t max, size_t max_payload, const char **why)
{
	const uint8_t *b = buf;

	memset(e, 0, sizeof(*e));
	*o = (struct env_opening){.text = buf, .len = len,
	    .max_payload = max_payload};
	if (len < 1 || len > max)
		return refuse(why, len < 1 ? "empty" : "too large");
	if (b[0] == ENV_BINARY)
		return open_binary(o, e, why);
	if (b[0] != '{')
		return refuse(why, "no envelope");
	return len > ENV_WHOLE ? open_large(o, e, why) :
	    parse_json(e, buf, len, false, max_payload, why);
}

int
env_parse(struct env *e, const void *buf, size_t len, size_t max,
    size_t max_payload, const char **why)
{
	struct env_opening o;
	int rc = env_open(&o, e, buf, len, max, max_payload, why);

	if (rc == 0)
		while ((rc = env_open_step(&o, e, len, why)) > 0)
			continue;
	return rc;
}

void
env_clear(struct env *e)
{
	free(e->own);
	e->own = NULL;
	e->payload = NULL;
	e->payload_len = e->head = 0;
}

/* ---- verification ---- */

static bool
hinted(const struct env_sig *g, const struct fp *fp)
{
	return g->hint_len > 0 && memcmp(g->hint.b, fp->b, g->hint_len) == 0;
}

bool
env_holds(const struct env *e, const struct env_sig *g,
    const struct klp_key *k)
{
	return e->head > 0 && k->kind == KEY_ED25519 ?
	    pae_whole_holds(k, g->sig, e->payload - e->head,
		e->head + e->payload_len) :
	    pae_verify(k, g->sig, e->type, e->payload, e->payload_len);
}

/* The key that made it, hinted ones first; -1: none of these. */
static int
find_signer(const struct env *e, const struct env_sig *g,
    const struct klp_key *keys, struct fp fps[], size_t nkeys,
    bool *any_hint)
{
	*any_hint = false;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < nkeys; i++) {
			bool h = hinted(g, &fps[i]);

			*any_hint |= h;
			if (h != (pass == 0))
				continue;
			if (env_holds(e, g, &keys[i]))
				return (int)i;
		}
	}
	return -1;
}

unsigned
env_verify(const struct env *e, const char *type, const struct klp_key *keys,
    size_t nkeys, unsigned *failed)
{
	uint64_t who;

	return env_signers(e, type, keys, nkeys, &who, failed);
}

unsigned
env_signers(const struct env *e, const char *type, const struct klp_key *keys,
    size_t nkeys, uint64_t *mask, unsigned *failed)
{
	struct fp fps[ENV_KEYS_MAX];
	struct fp done[ENV_KEYS_MAX];
	unsigned count = 0, bad = 0;

	*mask = 0;
	if (failed != NULL)
		*failed = 0;
	if (nkeys > ENV_KEYS_MAX || strcmp(e->type, type) != 0)
		return 0;
	for (size_t i = 0; i < nkeys; i++)
		key_fp(&fps[i], &keys[i]);
	for (unsigned s = 0; s < e->nsigs; s++) {
		bool any_hint, seen = false;
		int who = find_signer(e, &e->sigs[s], keys, fps, nkeys,
		    &any_hint);

		if (who < 0) {
			bad += any_hint;
			continue;
		}
		/* distinct by fingerprint: a key listed twice is one key */
		for (unsigned i = 0; i < count; i++)
			seen |= fp_eq(&done[i], &fps[who]);
		if (seen)
			continue;
		done[count++] = fps[who];
		*mask |= UINT64_C(1) << who;
	}
	if (failed != NULL)
		*failed = bad;
	return count;
}

/* ---- building ---- */

size_t
env_build_binary(uint8_t *out, size_t cap, const char *type,
    const void *payload, size_t len, const struct env_signed *sigs,
    size_t nsigs)
{
	struct wr w = wr_make(out, cap);

	if (nsigs < 1 || nsigs > ENV_SIGS_MAX || strlen(type) > ENV_TYPE_MAX)
		return 0;
	mpk_put_array(&w, 4);
	mpk_put_str(&w, ENV_MAGIC);
	mpk_put_str(&w, type);
	mpk_put_bin(&w, payload, len);
	mpk_put_array(&w, nsigs);
	for (size_t i = 0; i < nsigs; i++) {
		mpk_put_array(&w, 2);
		mpk_put_bin(&w, sigs[i].fp.b, FP4_LEN);
		mpk_put_bin(&w, sigs[i].sig, SIG_LEN);
	}
	return wr_ok(&w) ? w.len : 0;
}

static json_t *
base64_json(const void *p, size_t n)
{
	size_t cap = sodium_base64_encoded_len(n,
	    sodium_base64_VARIANT_ORIGINAL);
	char *t = malloc(cap);
	json_t *v = NULL;

	if (t != NULL) {
		(void)sodium_bin2base64(t, cap, p, n,
		    sodium_base64_VARIANT_ORIGINAL);
		v = json_string(t);
	}
	free(t);
	return v;
}

static json_t *
sigs_json(const struct env_signed *sigs, size_t nsigs)
{
	json_t *arr = json_array();

	for (size_t i = 0; arr != NULL && i < nsigs; i++) {
		char hex[2 * FP_LEN + 1];

		hex_encode(hex, HASH_BYTES(sigs[i].fp));
		if (json_array_append_new(arr,
			json_pack("{s:s, s:o}", "keyid", hex, "sig",
			    base64_json(sigs[i].sig, SIG_LEN))) != 0) {
			json_decref(arr);
			return NULL;
		}
	}
	return arr;
}

size_t
env_build_json(uint8_t *out, size_t cap, const char *type, const void *payload,
    size_t len, const struct env_signed *sigs, size_t nsigs)
{
	json_t *root;
	char *text;
	size_t n = 0;

	if (nsigs < 1 || nsigs > ENV_SIGS_MAX || strlen(type) > ENV_TYPE_MAX)
		return 0;
	root = json_pack("{s:s, s:o, s:o}", "payloadType", type, "payload",
	    base64_json(payload, len), "signatures", sigs_json(sigs, nsigs));
	text = root == NULL ? NULL : jdoc_canonical(root, &n);
	if (text != NULL && n <= cap)
		memcpy(out, text, n);
	else
		n = 0;
	free(text);
	json_decref(root);
	return n;
}
