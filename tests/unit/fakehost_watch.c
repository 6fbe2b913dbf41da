/* SPDX-License-Identifier: BSD-2-Clause */
/* Audit's side of a job under watch, as far as a node sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/work/verified.h"
#include "node/work/watched.h"
#include "tests/unit/fakehost.h"

#define POST(w, ms, TYPE, m)                                                   \
	fake_post(w, ms, IPC_##TYPE, m, sizeof(*(m)), NULL, 0)

void
fake_W_OVER(void *ctx, const struct msg_W_OVER *m)
{
	struct msg_W_DONE d = {.job = m->job, .events = 5, .lost = 1};
	struct world *w = ctx;

	w->overs++;
	if (!w->watch_silent)
		POST(w, 0, W_DONE, &d);
}

void
fake_I_CHECK(void *ctx, const struct msg_I_CHECK *m)
{
	struct world *w = ctx;
	struct msg_I_CHECKED d = {.image = m->image, .job = m->job,
	    .how = m->how, .end = w->check_end};

	w->checks++;
	if (!w->check_silent)
		POST(w, 1, I_CHECKED, &d);
}

void
fake_I_PASS(void *ctx, const struct msg_I_PASS *m)
{
	struct world *w = ctx;

	(void)m;
	w->passes++;
}

bool
fake_start_job(void *ctx, struct job *j, const char **code, char why[128])
{
	struct world *w = ctx;
	struct msg_W_READY r = {.job = j->id, .ok = !w->watch_refuses};

	(void)code;
	(void)why;
	if (w->n.watches) {
		watched_waits(&w->n, j);
		if (!w->watch_silent)
			POST(w, 1, W_READY, &r);
	}
	if (w->verifies)
		verified_waits(&w->n, j);
	if (!w->n.watches && !w->verifies)
		fake_run(w, j);
	return true;
}

void
fake_watch(void *ctx, struct job *j)
{
	struct world *w = ctx;
	struct msg_W_READY r = {.job = j->id, .ok = false};

	w->watches++;
	POST(w, 1, W_READY, &r);
}

/* The host sends these, and only it. */
void
fake_D_LOG(void *ctx, const struct msg_D_LOG *m)
{
	(void)ctx;
	(void)m;
	fail_msg("the node itself sends no log");
}

void
fake_slow(void *ctx, struct job *j, uint32_t milli)
{
	struct world *w = ctx;

	(void)j;
	w->slowed_to = milli;
}

/* Snapshots: a test says what comes of them. */
void
fake_J_SNAP(void *ctx, const struct msg_J_SNAP *m)
{
	struct world *w = ctx;

	w->snaps++;
	w->last_snap = *m;
}

void
fake_J_SNAP_GO(void *ctx, const struct msg_J_SNAP_GO *m)
{
	struct world *w = ctx;

	(void)m;
	w->snap_goes++;
}

void
fake_bundle(void *ctx, struct job *j, int snapshot)
{
	struct world *w = ctx;

	(void)j;
	(void)snapshot;
	w->bundles++;
}
