/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/cell_warm.h"

#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/util.h"
#include "sandbox/base/report.h"
#include "sandbox/base/sys.h"
#include "sandbox/jail/cell_ask.h"
#include "sandbox/jail/cell_tell.h"
#include "sandbox/jail/kind.h"
#include "sandbox/jail/member.h"
#include "sandbox/jail/slot.h"

void
cell_warm_init(struct cell *c)
{
	memset(&c->warm, 0, sizeof(c->warm));
	c->warm.pidfd = c->warm.report = -1;
}

static void
tell(struct jail *j)
{
	struct msg_J_POOL *m = &j->pool.count;

	if (!j->pool.on)
		return;
	m->prepared = 0;
	for (uint32_t i = 0; i < j->nslots; i++)
		m->prepared += j->cells[i].warm.ready;
	TELL(j, J_POOL, m, NULL, 0);
}

/* false: it has not heard it, and gets nothing else before it has. */
static bool
cool_again(struct cell *c)
{
	struct cell_warm *w = &c->warm;
	const uint8_t msg[3] = {SLOT_COOL, w->owed_forget};

	if (w->owed.us == 0)
		return true;
	/* one that is gone holds nothing */
	if (!c->lost && c->ctl >= 0 &&
	    slot_send(c->ctl, msg, sizeof(msg), NULL, 0) < 0) {
		w->owed = cell_after_ms(WARM_COOL_MS);
		return false;
	}
	w->owed.us = 0;
	w->owed_forget = false;
	return true;
}

static void
cool(struct cell *c, bool forget)
{
	c->warm.owed.us = 1;
	c->warm.owed_forget |= forget;
	(void)cool_again(c);
}

/* It costs the next job a moment: counted, and said when it is news. */
static void
failed(struct jail *j, struct cell *c, const char *why)
{
	struct pool *p = &j->pool;
	char text[sizeof(p->why)];

	c->warm.told = true;
	p->count.failed++;
	(void)text_printable(text, sizeof(text), why, strlen(why));
	if (strcmp(text, p->why) != 0)
		log_notice("jail", "slot %u: no root is prepared: %s",
		    c->number, text);
	memcpy(p->why, text, sizeof(p->why));
	tell(j);
}

static void
call_off(struct cell *c)
{
	c->warm.due.us = 0;
	c->warm.called_off = c->warm.asked || c->warm.pidfd >= 0;
	if (c->warm.pidfd >= 0)
		(void)sys_pidfd_send_signal(c->warm.pidfd, SIGKILL);
}

static void
drop(struct cell *c, bool forget)
{
	call_off(c);
	c->warm.ready = false;
	c->warm.until.us = 0;
	cool(c, forget);
}

void
cells_warm(struct jail *j, const struct msg_J_WARM *m)
{
	for (uint32_t i = 0; i < j->nslots; i++)
		drop(&j->cells[i], true);
	j->pool.on = m->on && j->kind->warm;
	j->pool.idle_s = m->idle_s;
	tell(j);
}

void
cell_warm_free(struct jail *j, struct cell *c)
{
	/* one that did not start leaves nothing to go by */
	if (j->pool.on && !c->failed && shape_alone(&c->plan))
		c->warm.due = cell_after_ms(WARM_AFTER_MS);
	tell(j);
}

bool
cell_warm_job(struct cell *c)
{
	/* its slot looks at what there is; what is not there yet comes too late */
	call_off(c);
	c->warm.ready = false;
	c->warm.until.us = 0;
	return cool_again(c);
}

void
cell_warm_lost(struct jail *j, struct cell *c)
{
	call_off(c);
	c->warm.asked = c->warm.ready = false;
	c->warm.until.us = 0;
	tell(j);
}

void
cell_warm_went(struct jail *j, const struct cell *c, uint8_t how)
{
	struct msg_J_POOL *m = &j->pool.count;
	char object[16];

	(void)snprintf(object, sizeof(object), "slot %u", c->number);
	log_debug(object, "root: %c", how);
	switch (how) {
	case MEMBER_TAKEN:
		m->warm++;
		break;
	case MEMBER_SHAPE:
		m->shape++;
		break;
	case MEMBER_WRITABLE:
		m->writable++;
		break;
	case MEMBER_IMAGE:
		m->image++;
		break;
	default:
		m->none++;
		break;
	}
}

/* ---- who builds ---- */

static void
begin(struct jail *j, struct cell *c)
{
	static const uint8_t msg[3] = {SLOT_WARM};
	struct cell_warm *w = &c->warm;
	int p[2];

	w->due.us = 0;
	if (!cool_again(c)) {
		w->due = w->owed;
		return;
	}
	if (!j->pool.on || c->lost || c->life.state != CELL_FREE ||
	    pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	close_fd(&w->report);
	w->report = p[0];
	w->called_off = w->ready = w->told = false;
	w->asked = slot_send(c->ctl, msg, sizeof(msg), &p[1], 1) == 0;
	(void)close(p[1]);
	w->until = cell_after_ms(WARM_BUILD_MS);
}

void
cell_warm_answer(struct jail *j, struct cell *c, const uint8_t *buf, int *fds)
{
	c->warm.asked = false;
	if (buf[0] == SLOT_CHILD)
		c->warm.pidfd = steal_fd(&fds[0]);
	if (c->warm.pidfd < 0) {
		close_fd(&c->warm.report);
		c->warm.until.us = 0;
		if (buf[1] != '\0' && !c->warm.called_off)
			failed(j, c, (const char *)buf + 1);
	} else if (c->warm.called_off) {
		(void)sys_pidfd_send_signal(c->warm.pidfd, SIGKILL);
	}
	for (int i = 0; i < SLOT_FDS_MAX; i++)
		close_fd(&fds[i]);
}

void
cell_warm_on_report(struct jail *j, struct cell *c)
{
	struct cell_warm *w = &c->warm;
	uint8_t buf[REPORT_MAX];
	struct report r;
	ssize_t n = read(w->report, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && report_parse(buf, (size_t)n, &r) != 0 &&
	    !w->called_off) {
		w->ready = r.kind == REPORT_READY;
		if (w->ready) {
			w->until = cell_after_ms(j->pool.idle_s * 1000ull);
			tell(j);
		} else if (r.kind == REPORT_FAIL) {
			failed(j, c, r.why);
		}
	}
	if (n <= 0)
		close_fd(&w->report);
}

void
cell_warm_on_pidfd(struct jail *j, struct cell *c)
{
	struct cell_warm *w = &c->warm;
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	if (waitid(P_PIDFD, (id_t)w->pidfd, &si, WEXITED | WNOHANG) < 0 ||
	    si.si_pid == 0)
		return;
	if (w->report >= 0)
		cell_warm_on_report(j, c);
	close_fd(&w->report);
	close_fd(&w->pidfd);
	if (!w->ready)
		w->until.us = 0;
	if (!w->ready && !w->called_off && !w->told)
		failed(j, c, "it ended before it was done: out of memory, or "
		    "killed");
	/* it may have been done before it was killed */
	if (w->called_off && c->life.state == CELL_FREE)
		cool(c, false);
	w->called_off = false;
}

/* ---- the clock ---- */

static bool
somebody_waits(const struct jail *j)
{
	for (uint32_t i = 0; i < j->nslots; i++)
		if (j->cells[i].life.state == CELL_FILLING ||
		    j->cells[i].life.state == CELL_STARTING)
			return true;
	return false;
}

void
cell_warm_tick(struct jail *j, struct cell *c, struct mono now)
{
	struct cell_warm *w = &c->warm;

	if (w->owed.us != 0 && now.us >= w->owed.us)
		(void)cool_again(c);
	if (w->due.us != 0 && now.us >= w->due.us) {
		if (somebody_waits(j) || w->asked || w->pidfd >= 0)
			w->due = cell_after_ms(WARM_AFTER_MS);
		else
			begin(j, c);
	}
	if (w->until.us != 0 && now.us >= w->until.us) {
		if (!w->ready)
			failed(j, c, "it took too long");
		drop(c, true);
		tell(j);
	}
}

int64_t
cell_warm_next(const struct cell *c)
{
	int64_t due = c->warm.due.us != 0 ? c->warm.due.us : INT64_MAX;
	int64_t until = c->warm.until.us != 0 ? c->warm.until.us : INT64_MAX;

	int64_t owed = c->warm.owed.us != 0 ? c->warm.owed.us : INT64_MAX;

	return MIN_OF(MIN_OF(due, until), owed);
}
