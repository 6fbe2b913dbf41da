/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/polls.h"

#include "common/clock.h"
#include "common/util.h"
#include "sandbox/jail/cell_snap.h"
#include "sandbox/jail/cell_warm.h"

static void
watch(struct polls *ps, int fd, struct cell *c,
    void (*on)(struct jail *, struct cell *))
{
	if (fd < 0)
		return;
	ps->p[ps->n] = (struct pollfd){.fd = fd, .events = POLLIN};
	ps->who[ps->n].cell = c;
	ps->who[ps->n].on = on;
	ps->n++;
}

int
polls_timeout_ms(const struct jail *j)
{
	int64_t least = INT64_MAX, left;

	for (uint32_t i = 0; i < j->nslots; i++)
		if (j->cells[i].deadline.us != 0 &&
		    j->cells[i].frozen.us == 0)
			least = MIN_OF(least, j->cells[i].deadline.us);
	for (uint32_t i = 0; i < j->nslots; i++)
		if (!j->cells[i].snap.told && (j->cells[i].snap.asked ||
		    j->cells[i].snap.pidfd >= 0))
			least = MIN_OF(least, j->cells[i].snap.deadline.us);
	for (uint32_t i = 0; i < j->nslots; i++)
		least = MIN_OF(least, cell_warm_next(&j->cells[i]));
	for (uint32_t i = 0; i < j->nslots; i++)
		if (j->cells[i].linger.us != 0)
			least = MIN_OF(least, j->cells[i].linger.us);
	if (ipc_held(j->parent) || (j->node != NULL && ipc_held(j->node)))
		least = MIN_OF(least, clock_mono().us + IPC_HELD_MS * 1000);
	if (least == INT64_MAX)
		return -1;
	left = (least - clock_mono().us + 999) / 1000;
	return (int)MAX_OF(0, MIN_OF(left, 60000));
}

static void
watch_channel(struct polls *ps, struct ipc *c)
{
	watch(ps, ipc_fd(c), NULL, NULL);
	if (ipc_pending(c))
		ps->p[ps->n - 1].events |= POLLOUT;
}

nfds_t
polls_fill(struct polls *ps, const struct jail *j)
{
	struct mono now = clock_mono();
	nfds_t first;

	ps->n = 0;
	watch_channel(ps, j->parent);
	if (j->node != NULL)
		watch_channel(ps, j->node);
	first = ps->n;
	for (uint32_t i = 0; i < j->nslots; i++) {
		struct cell *c = &j->cells[i];

		watch(ps, c->ctl, c, cell_on_ctl);
		watch(ps, c->report, c, cell_on_report);
		if (c->linger.us <= now.us)
			watch(ps, c->pidfd, c, cell_on_pidfd);
		watch(ps, c->snap.report, c, cell_snap_on_report);
		watch(ps, c->snap.pidfd, c, cell_snap_on_pidfd);
		watch(ps, c->warm.report, c, cell_warm_on_report);
		watch(ps, c->warm.pidfd, c, cell_warm_on_pidfd);
	}
	return first;
}
