/* SPDX-License-Identifier: BSD-2-Clause */
/* Step 4 of klp.md 1.4: one document, from its file to what it claims. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trust/doc/authstep.h"
#include "trust/doc/revlist.h"
#include "trust/doc/rootsdoc.h"
#include "common/util.h"

void
authdoc_clear(struct auth_step *s)
{
	env_clear(&s->at.e);
	free(s->at.buf);
	s->at.buf = NULL;
	s->at.turn = NULL;
}

static int
refuse(struct auth_step *s, enum auth_end end, const char *why)
{
	(void)auth_ended(s, end, s->at.d->path, why);
	return -1;
}

static int
then(struct auth_step *s, int (*turn)(struct auth_step *))
{
	s->at.turn = turn;
	return 1;
}

/* ---- content ---- */

/* What it says of itself against what root and head say of it. */
static const char *
claims_hold(const struct auth_step *s, const struct auth_doc *d,
    const struct auth_claim *c)
{
	struct klp_uri u;

	if (!uri_parse(&u, c->uri, strlen(c->uri)) ||
	    u.select != URI_NEWEST || u.pointer[0] != '\0' ||
	    strcmp(u.path, d->path) != 0 ||
	    (u.self ? !id32_eq(&u.root, &s->next.state.id) :
		strcmp(u.authority, s->next.root.authority) != 0))
		return "its uri is that of another document";
	if (c->version != d->version)
		return "of another version than the head says";
	if (c->expires <= c->issued)
		return "valid for no time";
	if (auth_early(c->issued, s->now))
		return "issued in the future: is the clock right?";
	return NULL;
}

/* All is well: what it says of itself stands. */
static int
finish(struct auth_step *s, const struct auth_claim *c)
{
	struct auth_doc *d = s->at.d;

	d->issued = c->issued;
	d->expires = c->expires;
	authdoc_clear(s);
	return s->kept || d->expires > s->now ? 0 :
	    refuse(s, AUTH_BAD, "has expired");
}

static int
take_turn(struct auth_step *s)
{
	struct authdoc *x = &s->at;
	struct auth_claim c = {.sha256 = x->d->sha256, .signers = x->signers};
	enum auth_take took;
	char why[AUTH_WHY] = "";
	const char *bad;

	for (size_t i = 0; i < x->check.nkeys; i++)
		if ((x->check.who >> i & 1) != 0)
			x->signers[c.nsigners++] = x->keys[i];
	took = s->io->take(s->io->ctx, x->rd, &x->e, &c, why);
	s->took |= took != TAKE_BAD;
	if (took == TAKE_MORE)
		return 1;
	if (took != TAKE_BAD && (bad = claims_hold(s, x->d, &c)) != NULL)
		return refuse(s, AUTH_BAD, bad);
	if (took != TAKE_GOOD)
		return refuse(s, took == TAKE_HELD ? AUTH_HELD : AUTH_BAD, why);
	return finish(s, &c);
}

/* ---- signatures ---- */

/*
 * Its file is kept before its content is read, and then let go of: both at once
 * would be 64 MB. One that no state names in the end is swept.
 */
static int
keep_turn(struct auth_step *s)
{
	struct authdoc *x = &s->at;
	int rc = s->io->keep(s->io->ctx, &x->sha256, x->buf, x->len);

	if (rc < 0)
		return refuse(s, AUTH_FAILED,
		    "cannot be kept, and so does not count");
	if (rc == 0 && x->e.own != NULL) {
		free(x->buf);
		x->buf = NULL;
	}
	return rc > 0 ? 1 : then(s, take_turn);
}

static int
check_turn(struct auth_step *s)
{
	if (env_check_step(&s->at.check, AUTH_TURN))
		return 1;
	if (!env_check_good(&s->at.check))
		return refuse(s, AUTH_BAD, "fewer keys of its role have signed "
		    "it, as what it is, than the root asks for");
	return then(s, s->kept ? take_turn : keep_turn);
}

static int
begin_check(struct auth_step *s)
{
	const struct root *r = &s->next.root;
	const struct root_role *role = &r->roles[s->at.rd->role];
	char type[ENV_TYPE_MAX + 1];

	(void)snprintf(type, sizeof(type), "application/vnd.%s+json",
	    s->at.rd->type);
	root_check_begin(&s->at.check, s->at.keys, r, role, &s->at.e, type);
	return then(s, check_turn);
}

static int
open_turn(struct auth_step *s)
{
	const char *why = "";
	int rc = env_open_step(&s->at.opening, &s->at.e, AUTH_TURN, &why);

	return rc > 0 ? 1 : rc < 0 ? refuse(s, AUTH_BAD, why) : begin_check(s);
}

/* ---- bytes ---- */

static const char *
is_whole(struct auth_step *s)
{
	struct authdoc *x = &s->at;
	struct id32 sha;

	sha256_digest(&x->sum, sizeof(sha.b), sha.b);
	if (x->len != x->length || !id32_eq(&sha, &x->sha256))
		return s->kept ? "what was kept of it is gone" :
		    "not the bytes that the head names";
	x->d->version = x->version;
	x->d->length = x->length;
	x->d->sha256 = sha;
	return NULL;
}

static int
sum_turn(struct auth_step *s)
{
	struct authdoc *x = &s->at;
	size_t n = MIN_OF((size_t)AUTH_TURN, x->len - x->summed);
	const char *why = "";

	if (n > 0)
		sha256_update(&x->sum, n, x->buf + x->summed);
	x->summed += n;
	if (x->summed < x->len)
		return 1;
	if ((why = is_whole(s)) != NULL)
		return refuse(s, AUTH_BAD, why);
	if (env_open(&x->opening, &x->e, x->buf, x->len, x->len, x->len,
		&why) < 0)
		return refuse(s, AUTH_BAD, why);
	return then(s, open_turn);
}

static size_t
hard_max(const char *type)
{
	if (strcmp(type, "klp.trust-graph") == 0)
		return AUTH_GRAPH_BYTES;
	if (strcmp(type, ROOTSDOC_TYPE) == 0)
		return ROOTSDOC_BYTES;
	return strcmp(type, REVLIST_TYPE) == 0 ? REVLIST_BYTES : 64u << 10;
}

static int
unread(struct auth_step *s)
{
	if (errno == EAGAIN)
		return 1;
	if (s->kept)
		return refuse(s, AUTH_BAD, "what was kept of it is gone");
	if (errno == ENOENT)
		return refuse(s, AUTH_BAD,
		    "is named by the head and is not here");
	return refuse(s, errno == EFBIG ? AUTH_BAD : AUTH_FAILED,
	    strerror(errno));
}

static int
read_turn(struct auth_step *s)
{
	struct authdoc *x = &s->at;
	size_t max = MIN_OF(hard_max(x->rd->type), (size_t)x->rd->max);

	x->buf = s->kept ? s->io->blob(s->io->ctx, &x->sha256, x->length,
	    &x->len) : s->io->read(s->io->ctx, x->d->path, max, &x->len);
	if (x->buf == NULL)
		return unread(s);
	sha256_init(&x->sum);
	return then(s, sum_turn);
}

/* ---- from outside ---- */

void
authdoc_begin(struct auth_step *s, const struct root_doc *rd,
    struct auth_doc *d, uint32_t version, uint32_t length,
    const struct id32 *sha256)
{
	memset(&s->at, 0, sizeof(s->at));
	s->at.turn = read_turn;
	s->at.rd = rd;
	s->at.d = d;
	s->at.version = version;
	s->at.length = length;
	s->at.sha256 = *sha256;
}

int
authdoc_turn(struct auth_step *s)
{
	return s->at.turn(s);
}
