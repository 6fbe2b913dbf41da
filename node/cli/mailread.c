/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/mailread.h"

#include <stdlib.h>
#include <string.h>

#include "common/mpk.h"
#include "common/util.h"
#include "node/cli/contact.h"
#include "node/proto/proto_put.h"
#include "transport/lxmf/lxmf.h"
#include "trust/doc/binding.h"

#define ANSWER_HEAD 512 /* around a slice */

static bool
get_letter(struct letter *l, struct lxmf *m, const uint8_t *packed, size_t n)
{
	return lxmf_parse(m, packed, n) == RNS_OK && m->has_type &&
	    m->has_data && m->type.n == strlen(LETTER_TYPE) &&
	    memcmp(m->type.p, LETTER_TYPE, m->type.n) == 0 &&
	    letter_get(l, m->data.p, m->data.n);
}

enum mail_rank
mail_rank(const uint8_t *packed, size_t n, struct id32 *job)
{
	struct letter l;
	struct lxmf m;

	if (!get_letter(&l, &m, packed, n) || !l.answer || l.id == NULL)
		return MAIL_NONE;
	*job = *id32_at(l.id);
	switch (l.path) {
	case PATH_SUBMIT:
		return MAIL_SUBMITTED;
	case PATH_STATUS:
		return MAIL_STATUS;
	case PATH_RESULT:
		return MAIL_RESULT;
	default:
		return MAIL_NONE;
	}
}

/* Whose word it is: the key that the letter itself brings, if it is the node's. */
static const uint8_t *
key_of(const struct letter *l, struct binding *b, const struct hash16 *dest)
{
	return l->binding != NULL &&
		contact_of(b, l->binding, BINDING_LEN, dest) ?
	    b->rns :
	    NULL;
}

static bool
read_result(struct mail_read *r)
{
	struct proto_ans a;

	if (r->l.path != PATH_RESULT)
		return true;
	return proto_ans_get(&a, r->l.value.p, r->l.value.n) &&
	    a.status == ST_OK && proto_get_result(&r->result, &a) &&
	    r->l.binding != NULL;
}

const char *
mail_read(struct mail_read *r, const uint8_t *packed, size_t n,
    const struct hash16 *dest, const uint8_t *rns_pub)
{
	struct binding b;
	struct lxmf m;

	memset(r, 0, sizeof(*r));
	r->packed = malloc(n);
	r->answer = malloc(PROTO_SLICE + ANSWER_HEAD);
	if (r->packed == NULL || r->answer == NULL)
		return "out of memory";
	memcpy(r->packed, packed, n);
	r->len = n;
	if (!get_letter(&r->l, &m, r->packed, n) || !r->l.answer)
		return "it is no answer of a node";
	if (rns_pub == NULL)
		rns_pub = key_of(&r->l, &b, dest);
	if (rns_pub == NULL || !lxmf_signed_by(&m, rns_pub))
		return "it is not signed by the node";
	if (!read_result(r))
		return "it is malformed";
	for (size_t i = 0; i < r->l.nblobs; i++)
		rns_sha256(&r->blob[i], r->l.blob[i].p, r->l.blob[i].n);
	return NULL;
}

void
mail_read_free(struct mail_read *r)
{
	free(r->packed);
	free(r->answer);
	memset(r, 0, sizeof(*r));
}

const char *
mail_binding(const struct mail_read *r, struct remote *node, uint32_t now)
{
	struct binding b;
	const char *why;

	if (r->l.binding == NULL)
		return NULL;
	if (!binding_parse(&b, r->l.binding, BINDING_LEN))
		return "it is malformed";
	why = binding_check(&b, b.rns, now);
	if (why != NULL)
		return why;
	if (!binding_key(&node->key, &b))
		return "its key is no point of the curve";
	memcpy(node->rns_pub, b.rns, sizeof(node->rns_pub));
	memcpy(node->binding, r->l.binding, BINDING_LEN);
	key_fp(&node->fp, &node->key);
	(void)urn_make(node->urn, "kindai", "device", &node->fp);
	return NULL;
}

/* ---- answers ---- */

static bool
find_blob(const struct mail_read *r, const uint8_t *digest, struct pbin *out)
{
	for (size_t i = 0; i < r->l.nblobs; i++)
		if (memcmp(&r->blob[i], digest, sizeof(r->blob[i])) == 0) {
			*out = r->l.blob[i];
			return true;
		}
	return false;
}

static void
put_slice(struct wr *w, struct pbin whole, const struct proto_req *q)
{
	uint64_t from = MIN_OF(q->offset, (uint64_t)whole.n);
	uint64_t n = MIN_OF(MIN_OF(q->n, (uint64_t)PROTO_SLICE),
	    whole.n - from);
	struct proto_meta meta = {.has_size = true, .size = whole.n,
	    .has_end = q->path == PATH_LOG, .end = true};

	proto_ans_head(w, ST_OK, &meta);
	mpk_put_bin(w, whole.p + from, (size_t)n);
}

/* A job with a receipt has ended: what the receipt says is looked at later. */
static void
put_ended(struct wr *w, const struct mail_read *r, const struct proto_req *q)
{
	struct proto_job_status st = {.id = q->id, .seq = 1,
	    .state = pstr_of("done"), .outcome = {.kind = OUT_NONE},
	    .log = {r->result.log_size[0], r->result.log_size[1], 0}};

	proto_ans_head(w, ST_OK, NULL);
	proto_put_status(w, &st);
}

static bool
put_log(struct wr *w, const struct mail_read *r, const struct proto_req *q)
{
	unsigned i = q->stream - 1u;
	struct pbin whole = {(const uint8_t *)"", 0};

	if (r->l.path != PATH_RESULT || i > 1 ||
	    (r->result.log_size[i] > 0 &&
		!find_blob(r, r->result.log_sha[i], &whole)))
		return false;
	put_slice(w, whole, q);
	return true;
}

static bool
put_answer(struct wr *w, const struct mail_read *r, const struct proto_req *q)
{
	struct pbin whole;

	if (q->path == r->l.path) {
		mpk_put_raw(w, r->l.value.p, r->l.value.n);
		return true;
	}
	switch (q->path) {
	case PATH_FOLLOW: /* the bytes come by job/log */
		proto_ans_head(w, ST_OK, NULL);
		proto_put_offset(w, q->offset);
		return true;
	case PATH_STATUS:
		if (r->l.path != PATH_RESULT)
			return false;
		put_ended(w, r, q);
		return true;
	case PATH_LOG:
		return put_log(w, r, q);
	case PATH_BLOB_GET:
		if (!find_blob(r, q->digest, &whole))
			return false;
		put_slice(w, whole, q);
		return true;
	default:
		return false;
	}
}

bool
mail_ask(struct mail_read *r, const struct proto_req *q, struct proto_ans *a)
{
	struct wr w = wr_make(r->answer, PROTO_SLICE + ANSWER_HEAD);

	return put_answer(&w, r, q) && wr_ok(&w) &&
	    proto_ans_get(a, r->answer, w.len);
}
