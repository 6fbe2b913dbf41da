/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/verified.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/late.h"
#include "node/work/state.h"
#include "node/work/warm.h"

const char *
verified_held(const struct node *n, const struct id32 *image)
{
	const struct verified *v = &n->verified;

	for (unsigned i = 0; i < v->nfound; i++)
		if (v->found[i].kind == FOUND_IMAGE &&
		    id32_eq(&v->found[i].image, image))
			return v->found[i].why;
	return NULL;
}

/* ---- jobs ---- */

static void
ask(struct node *n, const struct job *j)
{
	struct msg_I_CHECK m = {.image = j->image, .job = j->id,
	    .how = CHECK_START};

	if (n->up[PROGRAM_AUDIT])
		n->host.send_I_CHECK(n->host.ctx, &m);
}

void
verified_waits(struct node *n, struct job *j)
{
	j->unverified = true;
	j->unverified_at = mono_add(n->now, VERIFIED_WAIT_S * MONO_SECOND);
	ask(n, j);
}

void
verified_go(struct node *n, struct job *j)
{
	if (j->unwatched || j->unverified)
		return;
	/* jail's time begins now */
	late_run(n, j);
	n->host.run(n->host.ctx, j);
	/* what was said of it meanwhile jail did not know yet */
	if (j->kill != 0)
		finish_send_kill(n, &j->id, j->kill);
}

/* Its slot goes to somebody else. */
static void
refuse(struct node *n, struct job *j, const char *why)
{
	char text[JOB_REASON_MAX];

	(void)snprintf(text, sizeof(text), "%.150s", why);
	j->unwatched = false;
	finish_slot_free(n, j);
	finish_refuse(n, j, "image", text);
}

static void
release(struct node *n, struct job *j, const struct msg_I_CHECKED *m)
{
	j->unverified = false;
	if (!job_active(j) || j->phase != PHASE_FILLING)
		return;
	switch (m->end) {
	case READ_GOOD:
	case READ_UNLISTED: /* audit has said so */
		verified_go(n, j);
		break;
	case READ_GONE:
		refuse(n, j, "its files are not on the node any more");
		break;
	case READ_FAILED:
		refuse(n, j, "its files could not be looked at: try again");
		break;
	default:
		log_errx("image", "a job is refused: %s", m->why);
		refuse(n, j, VERIFIED_REFUSED);
		break;
	}
}

/* ---- audit ---- */

void
verified_up(struct node *n)
{
	struct job *j;

	/* what is held is told again, and what is not was lifted */
	n->verified.nfound = 0;
	TAILQ_FOREACH(j, &n->jobs.active, active_link)
		if (j->unverified)
			ask(n, j);
	for (unsigned i = 0; i < n->verified.nopen; i++)
		n->host.send_I_CHECK(n->host.ctx, &n->verified.open[i]);
}

/* A person's question is answered, or asked anew. */
static void
drop_open(struct verified *v, const struct id32 *image)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < v->nopen; i++)
		if (!id32_eq(&v->open[i].image, image))
			v->open[kept++] = v->open[i];
	v->nopen = kept;
}

void
verified_checked(struct node *n, const struct msg_I_CHECKED *m)
{
	struct verified *v = &n->verified;
	struct job *j;

	if (m->how == CHECK_START) {
		j = job_find(&n->jobs, &m->job);
		if (j == NULL || !j->unverified ||
		    !id32_eq(&j->image, &m->image))
			n->count.edges++;
		else
			release(n, j, m);
		return;
	}
	drop_open(v, &m->image);
	if (v->nsaid == VERIFIED_SAID) {
		v->nsaid--;
		memmove(v->said, v->said + 1, v->nsaid * sizeof(*v->said));
	}
	v->said[v->nsaid++] = *m;
}

void
verified_found(struct node *n, const struct msg_I_FOUND *m)
{
	struct verified *v = &n->verified;
	unsigned i = 0;

	while (i < v->nfound && (v->found[i].kind != m->kind ||
	    strcmp(v->found[i].name, m->name) != 0))
		i++;
	/* as well when it is as it was again: by another folder, maybe */
	if (m->kind == FOUND_IMAGE)
		warm_void(n);
	if (m->why[0] == '\0') {
		if (i == v->nfound)
			return;
		v->nfound--;
		memmove(&v->found[i], &v->found[i + 1],
		    (v->nfound - i) * sizeof(*v->found));
		return;
	}
	if (i == VERIFIED_FOUND) {
		log_errx("integrity", "more findings than are remembered");
		return;
	}
	v->nfound += i == v->nfound;
	v->found[i] = *m;
}

bool
verified_ask(struct node *n, const struct id32 *image, uint8_t how,
    const struct id32 *list)
{
	struct msg_I_CHECK m = {.image = *image, .how = how, .list = *list};
	struct verified *v = &n->verified;
	unsigned kept = 0;

	/* whoever asks doubts it, whether somebody can look now or not */
	warm_void(n);
	if (!n->up[PROGRAM_AUDIT])
		return false;
	/* what was said before is no answer to this */
	for (unsigned i = 0; i < v->nsaid; i++)
		if (!id32_eq(&v->said[i].image, image))
			v->said[kept++] = v->said[i];
	v->nsaid = kept;
	drop_open(v, image);
	if (v->nopen == VERIFIED_SAID)
		return false;
	v->open[v->nopen++] = m;
	n->host.send_I_CHECK(n->host.ctx, &m);
	return true;
}

struct mono
verified_tick(struct node *n)
{
	struct mono at = MONO_NEVER;
	struct job *j, *next;

	for (j = TAILQ_FIRST(&n->jobs.active); j != NULL; j = next) {
		next = TAILQ_NEXT(j, active_link);
		if (!j->unverified)
			continue;
		if (!mono_reached(n->now, j->unverified_at)) {
			at = mono_min(at, j->unverified_at);
			continue;
		}
		late_alarm(n, j, "I_CHECK", "the job is refused");
		j->unverified = false;
		if (job_active(j) && j->phase == PHASE_FILLING)
			refuse(n, j, "its files could not be looked at in "
			    "time: try again");
	}
	return at;
}
