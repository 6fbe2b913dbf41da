/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/handout.h"

#include <stdio.h>

#include "node/proto/proto_put.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/banned.h"
#include "node/work/peers.h"
#include "node/work/state.h"

/* ours: so many at once at most, each of which may be a read of the disk. */
#define CONTENTS_MAX 64
#define LEAST 512 /* ours: bytes of the day that any request costs */

/*
 * Is he somebody who gets images, and has he some of the day left? Only whom
 * the node would give any is remembered: anybody can ask. NULL: answered.
 */
static struct owner *
may(struct node *n, const struct asked *a)
{
	const struct peer *p = a->caller->peer;
	struct refusal r = {.code = "not_accepting"};
	struct owner *o;

	if (!n->policy.image_serve) {
		(void)snprintf(r.why, sizeof(r.why), "this node gives no "
		    "images to others");
	} else if (p->v.level < n->policy.image_level) {
		r.code = "trust";
		(void)snprintf(r.why, sizeof(r.why), "level %d, images are "
		    "for level %d", p->v.level, n->policy.image_level);
	} else if ((o = owner_get(n, &p->v.fp)) == NULL) {
		answer_busy(n, a, "load", NODE_BUSY_S);
		return NULL;
	} else if ((r.s = bucket_wait(&o->quota.images, 1, n->now)) > 0) {
		r.code = "quota";
		(void)snprintf(r.why, sizeof(r.why), "images");
		r.has_limit = true;
		r.limit = n->policy.image_bytes_per_day;
		r.value = (uint64_t)((int64_t)o->quota.images.cap -
		    o->quota.images.level);
	} else {
		return o;
	}
	answer_refusal(n, a, &r);
	return NULL;
}

/* One that may not run any more is not handed on, either. */
static bool
is_here(struct node *n, const struct asked *a, const struct id32 *image)
{
	struct refusal r = {.code = "revoked", .which = "image"};

	if (banned_find(n, LISTED_ARTIFACT, image->b) != NULL) {
		answer_refusal(n, a, &r);
		return false;
	}
	if (n->host.image_here(n->host.ctx, image) == IMAGE_HERE)
		return true;
	answer_status(n, a, ST_NOT_FOUND, NULL);
	return false;
}

static void
given(struct node *n, struct owner *o, size_t bytes)
{
	n->count.images_given += bytes;
	if (bytes > LEAST)
		bucket_take(&o->quota.images, bytes - LEAST, n->now);
}

static void
part(struct node *n, const struct asked *a, struct owner *o)
{
	const struct proto_req *q = &a->req;
	struct proto_meta m = {.has_size = true};
	struct id32 image;
	ssize_t got;

	if (!n->host.image_named(n->host.ctx, q->image, &image)) {
		answer_status(n, a, ST_NOT_FOUND, NULL);
		return;
	}
	if (!is_here(n, a, &image))
		return;
	got = n->host.image_part(n->host.ctx, &image, q->part, q->offset,
	    answer_slice(n), (size_t)q->n, &m.size);
	if (got < 0) {
		answer_status(n, a, ST_NOT_FOUND, NULL);
		return;
	}
	m.sha = image.b;
	given(n, o, (size_t)got);
	answer_bytes(n, a, &m, (size_t)got);
}

static void
contents(struct node *n, const struct asked *a, struct owner *o)
{
	const struct proto_req *q = &a->req;
	const struct id32 *image = id32_at(q->id);
	struct proto_meta m = {0};
	struct plist some = q->digests;
	ssize_t got;

	if (!is_here(n, a, image))
		return;
	some.n = MIN_OF(some.n, (size_t)CONTENTS_MAX);
	got = n->host.image_contents(n->host.ctx, image, some,
	    answer_slice(n), (size_t)q->n);
	if (got <= 0) {
		answer_status(n, a, ST_NOT_FOUND, NULL);
		return;
	}
	given(n, o, (size_t)got);
	answer_bytes(n, a, &m, (size_t)got);
}

void
handout_request(struct node *n, const struct asked *a)
{
	struct owner *o = may(n, a);

	if (o == NULL)
		return;
	n->budgets_changed = true;
	/* what is not there was looked for, too */
	bucket_take(&o->quota.images, LEAST, n->now);
	if (a->req.path == PATH_IMAGE_PART)
		part(n, a, o);
	else
		contents(n, a, o);
}
