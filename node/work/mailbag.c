/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/mailbag.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

#define MAIL_FORM 1 /* of the record */
#define FLAG_JOB 1
#define FLAG_LAST 2

static int
cmp_mail(const struct mail *a, const struct mail *b)
{
	return id32_cmp(&a->id, &b->id);
}

TREE_PROTOTYPE(mail_ids, mail, by_id, cmp_mail)
TREE_GENERATE(mail_ids, mail, by_id, cmp_mail)

void
mailbag_init(struct mailbag *b)
{
	memset(b, 0, sizeof(*b));
	TAILQ_INIT(&b->open);
	TAILQ_INIT(&b->over);
	RB_INIT(&b->ids);
}

void
mail_hush(struct mail *m)
{
	free(m->talk.slip.p);
	free(m->talk.first);
	free(m->talk.blobs);
	memset(&m->talk, 0, sizeof(m->talk));
}

struct mail *
mailbag_find(struct mailbag *b, const struct id32 *id)
{
	struct mail key;

	key.id = *id;
	return RB_FIND(mail_ids, &b->ids, &key);
}

bool
mailbag_room(const struct mailbag *b, const struct hash16 *source, size_t len)
{
	const struct mail *m;
	unsigned n = 0;

	TAILQ_FOREACH(m, &b->open, link)
		n += hash16_eq(&m->source, source);
	return b->nopen < MAIL_OPEN && n < MAIL_OPEN_OF &&
	    len <= MAIL_BYTES && b->bytes <= MAIL_BYTES - len;
}

static void
insert(struct mailbag *b, struct mail *m)
{
	(void)RB_INSERT(mail_ids, &b->ids, m);
	if (m->state == MAIL_OVER) {
		TAILQ_INSERT_TAIL(&b->over, m, link);
		b->nover++;
	} else {
		TAILQ_INSERT_TAIL(&b->open, m, link);
		b->nopen++;
		b->bytes += m->len;
	}
}

struct mail *
mailbag_add(struct mailbag *b, const struct id32 *id, const void *letter,
    size_t len)
{
	struct mail *m = calloc(1, sizeof(*m));

	if (m == NULL || (m->data = malloc(len + 1)) == NULL) {
		free(m);
		return NULL;
	}
	memcpy(m->data, letter, len);
	m->len = len;
	m->id = *id;
	m->state = MAIL_ASKS;
	insert(b, m);
	return m;
}

void
mailbag_data(struct mailbag *b, struct mail *m, uint8_t *data, size_t len)
{
	b->bytes -= m->len;
	free(m->data);
	m->data = data;
	m->len = data == NULL ? 0 : len;
	b->bytes += m->len;
}

void
mailbag_over(struct mailbag *b, struct mail *m)
{
	if (m->state == MAIL_OVER)
		return;
	mail_hush(m);
	mailbag_data(b, m, NULL, 0);
	m->state = MAIL_OVER;
	m->tag = 0;
	TAILQ_REMOVE(&b->open, m, link);
	b->nopen--;
	TAILQ_INSERT_TAIL(&b->over, m, link);
	b->nover++;
}

struct mail *
mailbag_old(struct mailbag *b)
{
	return b->nover > MAIL_SEEN ? TAILQ_FIRST(&b->over) : NULL;
}

void
mailbag_remove(struct mailbag *b, struct mail *m)
{
	mailbag_over(b, m);
	TAILQ_REMOVE(&b->over, m, link);
	b->nover--;
	(void)RB_REMOVE(mail_ids, &b->ids, m);
	free(m);
}

void
mailbag_clear(struct mailbag *b)
{
	struct mail *m;

	while ((m = RB_ROOT(&b->ids)) != NULL)
		mailbag_remove(b, m);
}

/* ---- the record ---- */

size_t
mail_encode(uint8_t *out, size_t cap, const struct mail *m)
{
	struct wr w = wr_make(out, cap);

	wr_u8(&w, MAIL_FORM);
	wr_u8(&w, (uint8_t)m->state);
	wr_u8(&w, (uint8_t)m->path);
	wr_u8(&w, (uint8_t)((m->has_job ? FLAG_JOB : 0) |
	    (m->last ? FLAG_LAST : 0)));
	wr_bytes(&w, m->source.b, sizeof(m->source.b));
	wr_bytes(&w, m->pub, sizeof(m->pub));
	wr_u32(&w, m->came);
	wr_u32(&w, m->wrote);
	wr_u32(&w, m->give);
	wr_bytes(&w, m->job.b, sizeof(m->job.b));
	wr_u32(&w, (uint32_t)m->len);
	wr_bytes(&w, m->data, m->len);
	return wr_ok(&w) ? w.len : 0;
}

static bool
get(struct mail *m, struct rd *r)
{
	uint8_t form, state, path, flags;
	const uint8_t *data;
	uint32_t len;

	if (!rd_u8(r, &form) || form != MAIL_FORM || !rd_u8(r, &state) ||
	    state < MAIL_ASKS || state >= MAIL_STATES || !rd_u8(r, &path) ||
	    path >= PATH_COUNT || !rd_u8(r, &flags) ||
	    !rd_copy(r, HASH_BYTES(m->source)) ||
	    !rd_copy(r, m->pub, sizeof(m->pub)) || !rd_u32(r, &m->came) ||
	    !rd_u32(r, &m->wrote) || !rd_u32(r, &m->give) ||
	    !rd_copy(r, HASH_BYTES(m->job)) || !rd_u32(r, &len) ||
	    !rd_ref(r, &data, len) || !rd_end(r))
		return false;
	m->state = (enum mail_state)state;
	m->path = (enum proto_path)path;
	m->has_job = (flags & FLAG_JOB) != 0;
	m->last = (flags & FLAG_LAST) != 0;
	m->len = len;
	if (len == 0)
		return m->state == MAIL_WAITS || m->state == MAIL_OVER;
	if ((m->data = malloc(len)) == NULL)
		return false;
	memcpy(m->data, data, len);
	return true;
}

bool
mail_decode(struct mailbag *b, const struct id32 *id, const void *p, size_t n)
{
	struct mail *m = mailbag_find(b, id) != NULL ? NULL :
	    calloc(1, sizeof(*m));
	struct rd r = rd_make(p, n);

	if (m == NULL)
		return false;
	m->id = *id;
	if (!get(m, &r) || (m->state == MAIL_OVER && m->len > 0)) {
		free(m->data);
		free(m);
		return false;
	}
	insert(b, m);
	return true;
}
