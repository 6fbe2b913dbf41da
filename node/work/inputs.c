/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/inputs.h"

#include <stdio.h>
#include <string.h>

#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/peers.h"

/* ---- what they lack ---- */

static bool
is_here(struct node *n, const struct fp *fp, const struct manifest_input *in)
{
	return n->host.blob_has(n->host.ctx, fp, &in->blob->sha256, NULL);
}

/* Two volumes may have one content. */
static bool
named_before(const struct manifest *m, unsigned i)
{
	struct manifest_input in, other;

	for (unsigned k = 0; k < i && manifest_input(m, i, &in); k++)
		if (manifest_input(m, k, &other) &&
		    id32_eq(&other.blob->sha256, &in.blob->sha256))
			return true;
	return false;
}

/* A list of chunks has come: what it says of its input. */
static enum volume_is
begin(struct node *n, const struct fp *fp, const struct manifest_input *in)
{
	const char *why = NULL;
	char text[JOB_REASON_MAX];
	enum volume_is is;

	is = n->host.volume_begin(n->host.ctx, fp, in->blob, in->chunks, &why);
	if (is == VOLUME_BAD) {
		(void)snprintf(text, sizeof(text), "%s: the chunk list: %s",
		    in->name, why);
		inputs_bad(n, fp, &in->blob->sha256, text);
	}
	return is;
}

/* What lacks of one that comes in chunks: its list, then its chunks. */
static enum volume_is
chunks_missing(struct node *n, const struct fp *fp,
    const struct manifest_input *in, struct id32 *out, unsigned max,
    unsigned *count, bool *more)
{
	enum volume_is is = n->host.volume_lacks(n->host.ctx, fp,
	    &in->blob->sha256, out, max, count, more);
	uint64_t size;

	if (is == VOLUME_NONE && n->host.blob_has(n->host.ctx, fp,
		&in->chunks->sha256, &size) && size == in->chunks->size &&
	    (is = begin(n, fp, in)) == VOLUME_LACKS)
		is = n->host.volume_lacks(n->host.ctx, fp, &in->blob->sha256,
		    out, max, count, more);
	if (is != VOLUME_NONE)
		return is;
	if (*count == max)
		*more = true;
	else
		out[(*count)++] = in->chunks->sha256;
	return is;
}

unsigned
job_missing(struct node *n, const struct job *j, struct id32 *out,
    unsigned max, bool *more, const char **later)
{
	struct manifest_input in;
	unsigned count = 0;

	*more = false;
	*later = NULL;
	for (unsigned i = 0; j->m != NULL && i < MANIFEST_INPUTS && !*more;
	    i++) {
		enum volume_is is;

		if (!manifest_input(j->m, i, &in) || named_before(j->m, i) ||
		    is_here(n, &j->owner, &in))
			continue;
		if (in.chunks != NULL) {
			is = chunks_missing(n, &j->owner, &in, out, max,
			    &count, more);
			if (is == VOLUME_LATER)
				*later = "load";
			else if (is == VOLUME_FULL)
				*later = "disk";
			continue;
		}
		if (count == max)
			*more = true;
		else
			out[count++] = in.blob->sha256;
	}
	return count;
}

bool
inputs_settled(struct node *n, const struct fp *fp, const struct manifest *m)
{
	struct manifest_input in;

	for (unsigned i = 0; i < MANIFEST_INPUTS; i++) {
		struct id32 one[1];
		unsigned count = 0;
		bool more;

		if (manifest_input(m, i, &in) && in.chunks != NULL &&
		    !is_here(n, fp, &in) &&
		    n->host.volume_lacks(n->host.ctx, fp, &in.blob->sha256,
			one, 1, &count, &more) == VOLUME_LATER)
			return false;
	}
	return true;
}

bool
job_inputs_here(struct node *n, const struct job *j)
{
	struct manifest_input in;

	if (j->m == NULL)
		return false;
	for (unsigned i = 0; i < MANIFEST_INPUTS; i++)
		if (manifest_input(j->m, i, &in) && !is_here(n, &j->owner, &in))
			return false;
	return true;
}

static void
add(uint64_t *sum, uint64_t more)
{
	*sum += MIN_OF(more, UINT64_MAX - *sum);
}

uint64_t
inputs_missing_bytes(struct node *n, const struct fp *fp,
    const struct manifest *m)
{
	struct manifest_input in;
	uint64_t sum = 0;

	for (unsigned i = 0; i < MANIFEST_INPUTS; i++) {
		if (!manifest_input(m, i, &in) || named_before(m, i) ||
		    is_here(n, fp, &in) ||
		    n->host.blob_claimed(n->host.ctx, fp,
			&in.blob->sha256) > 0)
			continue;
		add(&sum, in.blob->size);
		if (in.chunks != NULL && n->host.blob_claimed(n->host.ctx, fp,
			&in.chunks->sha256) == 0)
			add(&sum, in.chunks->size);
	}
	return sum;
}

/*
 * What of every volume goes away on its way, since slices are compressed: as
 * much as the noughts at its end. How far its content does, nobody knows.
 */
#define TAR_LEAST 1536
#define TAR_NOUGHT 1024

static uint64_t
to_come(struct node *n, const struct fp *fp, const struct manifest *m,
    bool on_the_way)
{
	struct manifest_input in;
	uint64_t sum = 0, bytes;

	for (unsigned i = 0; i < MANIFEST_INPUTS; i++) {
		if (!manifest_input(m, i, &in) || named_before(m, i))
			continue;
		bytes = n->host.blob_to_come(n->host.ctx, fp, in.blob,
		    in.chunks);
		if (on_the_way && i < m->nvolumes && bytes >= TAR_LEAST &&
		    bytes == in.blob->size)
			bytes -= TAR_NOUGHT;
		add(&sum, bytes);
	}
	return sum;
}

uint64_t
inputs_to_come(struct node *n, const struct fp *fp, const struct manifest *m)
{
	return to_come(n, fp, m, false);
}

uint64_t
inputs_on_the_way(struct node *n, const struct fp *fp,
    const struct manifest *m)
{
	return to_come(n, fp, m, true);
}

uint64_t
inputs_promised(struct node *n, const struct fp *fp)
{
	const struct job *j;
	uint64_t sum = 0;

	for (j = job_next_live(&n->jobs, fp, 0); j != NULL;
	    j = job_next_live(&n->jobs, fp, j->order)) {
		if (job_waiting(j) && j->m != NULL)
			sum += inputs_missing_bytes(n, fp, j->m);
	}
	return sum;
}

static bool
names(const struct manifest *m, const struct id32 *sha)
{
	struct manifest_input in;

	for (unsigned i = 0; i < MANIFEST_INPUTS; i++)
		if (manifest_input(m, i, &in) &&
		    (id32_eq(&in.blob->sha256, sha) || (in.chunks != NULL &&
			id32_eq(&in.chunks->sha256, sha))))
			return true;
	return false;
}

/* A chunk list is looked at when it is whole; its input is the owner's. */
static void
list_came(struct node *n, const struct fp *fp, const struct id32 *sha)
{
	struct manifest_input in;
	struct id32 one[1];
	const char *later;
	struct job *j;
	bool more;

	for (j = job_next_live(&n->jobs, fp, 0); j != NULL;
	    j = job_next_live(&n->jobs, fp, j->order)) {
		if (!job_waiting(j) || j->m == NULL)
			continue;
		for (unsigned i = 0; i < MANIFEST_INPUTS; i++) {
			if (!manifest_input(j->m, i, &in) ||
			    in.chunks == NULL ||
			    !id32_eq(&in.chunks->sha256, sha))
				continue;
			(void)job_missing(n, j, one, 1, &more, &later);
			return;
		}
	}
}

void
inputs_came(struct node *n, const struct fp *fp, const struct id32 *sha,
    bool whole)
{
	struct job *j;

	for (j = job_next_live(&n->jobs, fp, 0); j != NULL;
	    j = job_next_live(&n->jobs, fp, j->order)) {
		if (!job_waiting(j) || j->m == NULL || !names(j->m, sha))
			continue;
		j->input_at = n->now;
		if (whole && j->state == JS_QUEUED && job_inputs_here(n, j)) {
			j->queued_at = n->now;
			(void)job_set(&n->jobs, j, JS_QUEUED, "slots",
			    n->unix_now);
		}
	}
	if (whole)
		list_came(n, fp, sha);
}

void
inputs_took(struct node *n, const struct fp *fp, const struct id32 *sha,
    uint32_t took_ms, uint64_t *air_ms)
{
	const uint64_t most_ms = (uint64_t)n->policy.max_airtime_s * 1000;
	struct job *j, *next;
	unsigned waiting = 0;
	uint64_t over = 0;

	for (j = job_next_live(&n->jobs, fp, 0); j != NULL; j = next) {
		next = job_next_live(&n->jobs, fp, j->order);
		if (!job_waiting(j) || j->m == NULL || !names(j->m, sha))
			continue;
		j->air_ms += took_ms;
		if (most_ms == 0 || j->air_ms <= most_ms ||
		    job_inputs_here(n, j)) {
			waiting++;
			continue;
		}
		over = j->air_ms;
		finish_refuse(n, j, "airtime", "max_airtime");
	}
	*air_ms = waiting > 0 ? 0 : over;
}

void
inputs_bad(struct node *n, const struct fp *fp, const struct id32 *sha,
    const char *why)
{
	struct peer *p = NULL, *who = NULL;
	struct job *j, *next;
	char hex[65];

	hex_encode(hex, HASH_BYTES(*sha));
	n->count.blobs_bad++;
	while ((p = peer_next(n, p)) != NULL) {
		if (!p->v.known || !fp_eq(&p->v.fp, fp))
			continue;
		peer_counted(n, p, PEER_BLOBS_BAD);
		who = p;
	}
	node_event(n, EVK_BLOB_BAD, 2, NULL, who, "volume", hex, 0, 0);
	for (j = job_next_live(&n->jobs, fp, 0); j != NULL; j = next) {
		next = job_next_live(&n->jobs, fp, j->order);
		if (job_waiting(j) && j->m != NULL && names(j->m, sha))
			finish_refuse(n, j, "volume", why);
	}
}

static void
needs(struct node *n, const struct job *j, inputs_each_fn *each, void *arg)
{
	struct manifest_input in;

	/* one that has exited runs no more: its outputs may need room */
	for (unsigned i = 0; j->m != NULL && j->phase < PHASE_PACKING &&
	    i < MANIFEST_INPUTS; i++) {
		if (!manifest_input(j->m, i, &in))
			continue;
		each(arg, &j->owner, &in.blob->sha256);
		/* a list until its whole has taken it */
		if (in.chunks != NULL && n->host.blob_claimed(n->host.ctx,
		    &j->owner, &in.blob->sha256) == 0)
			each(arg, &j->owner, &in.chunks->sha256);
	}
	for (unsigned i = 0; !j->expired && i < j->nouts; i++)
		if (j->outs[i].packed)
			each(arg, &j->owner, &j->outs[i].sha256);
}

void
inputs_needed(struct node *n, const struct fp *fp, inputs_each_fn *each,
    void *arg)
{
	struct job *j;

	if (fp == NULL) {
		TAILQ_FOREACH(j, &n->jobs.live, link)
			needs(n, j, each, arg);
		TAILQ_FOREACH(j, &n->jobs.ended, link)
			needs(n, j, each, arg);
		return;
	}
	for (j = job_next_of(&n->jobs, fp, 0); j != NULL;
	    j = job_next_of(&n->jobs, fp, j->order))
		needs(n, j, each, arg);
}
