/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/banned.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "trust/doc/manifest.h"

#define HOLES_MAX 65536 /* as many as transport remembers */

/* ---- who and what ---- */

const struct listed *
banned_find(const struct node *n, enum listed_kind kind, const uint8_t *id)
{
	return listed_find(n->listed, n->nlisted, kind, id);
}

/* Revoked before suspended; the first of equals. */
static bool
worse(const struct listed **best, const struct listed *e)
{
	if (e == NULL || (*best != NULL &&
	    ((*best)->suspended == e->suspended || e->suspended)))
		return false;
	*best = e;
	return true;
}

const struct listed *
banned_peer(const struct node *n, const struct fp *fp,
    const struct hash16 *rns)
{
	const struct listed *best = NULL;

	if (fp != NULL)
		(void)worse(&best, banned_find(n, LISTED_KEY, fp->b));
	if (rns != NULL)
		(void)worse(&best, banned_find(n, LISTED_RNS, rns->b));
	return best;
}

static const struct listed *
of_artifacts(const struct node *n, const struct id32 *job,
    const struct id32 *image, const struct manifest *m, const char **which,
    const struct listed *best)
{
	if (worse(&best, banned_find(n, LISTED_ARTIFACT, job->b)))
		*which = "manifest";
	if (worse(&best, banned_find(n, LISTED_ARTIFACT, image->b)))
		*which = "image";
	if (m != NULL && (m->has & HAS_CONTRACT) != 0 &&
	    worse(&best, banned_find(n, LISTED_ARTIFACT, m->contract.sha256.b)))
		*which = "contract";
	return best;
}

const struct listed *
banned_manifest(const struct node *n, const struct manifest *m,
    const struct id32 *image, const char **which)
{
	return of_artifacts(n, &m->job, image, m, which, NULL);
}

const struct listed *
banned_job(const struct node *n, const struct job *j, const char **which)
{
	*which = "key";
	return of_artifacts(n, &j->id, &j->image, j->m, which,
	    banned_peer(n, &j->owner, &j->rns_hash));
}

/* ---- what transport drops ---- */

void
banned_say(struct node *n, const struct hash16 *rns, bool on)
{
	struct msg_N_BLACKHOLE m = {.on = on};

	m.rns_hash = *rns;
	n->host.send_N_BLACKHOLE(n->host.ctx, &m);
}

static int
cmp(const void *a, const void *b)
{
	return hash16_cmp(a, b);
}

/* Room for so many; false: no memory, or more than transport remembers. */
static bool
room(struct node *n, size_t more)
{
	struct hash16 *p = n->nholes + more > HOLES_MAX ? NULL :
	    reallocarray(n->holes, n->nholes + more, sizeof(*p));

	if (p == NULL) {
		log_errx("revoked", "no room for identities that are to be "
		    "dropped: their links are closed all the same");
		return false;
	}
	n->holes = p;
	return true;
}

void
banned_hole(struct node *n, const struct hash16 *rns)
{
	size_t i = n->nholes;

	if (n->nholes > 0 && bsearch(rns, n->holes, n->nholes, sizeof(*rns),
		cmp) != NULL)
		return;
	if (!room(n, 1))
		return;
	for (; i > 0 && hash16_cmp(&n->holes[i - 1], rns) > 0; i--)
		n->holes[i] = n->holes[i - 1];
	n->holes[i] = *rns;
	n->nholes++;
	banned_say(n, rns, true);
}

/* All at once: a list may have thousands. */
void
banned_dig(struct node *n)
{
	const size_t had = n->nholes;

	if (n->nlisted == 0 || !room(n, n->nlisted))
		return;
	for (size_t i = 0; i < n->nlisted; i++) {
		const struct hash16 *rns = hash16_at(n->listed[i].id);

		if (n->listed[i].kind != LISTED_RNS || n->listed[i].suspended ||
		    (had > 0 && bsearch(rns, n->holes, had, sizeof(*rns),
			cmp) != NULL))
			continue;
		n->holes[n->nholes++] = *rns;
		banned_say(n, rns, true);
	}
	if (n->nholes > had)
		qsort(n->holes, n->nholes, sizeof(*n->holes), cmp);
}

void
banned_holes_again(struct node *n)
{
	static const struct hash16 all;

	/* what a node before this one has asked for is not ours to keep */
	banned_say(n, &all, false);
	for (size_t i = 0; i < n->nholes; i++)
		banned_say(n, &n->holes[i], true);
}

void
banned_clear(struct node *n)
{
	free(n->listed);
	free(n->holes);
	n->listed = NULL;
	n->holes = NULL;
	n->nlisted = n->nholes = 0;
}
