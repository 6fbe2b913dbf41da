/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/cell_snap.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/snapshot.h"
#include "common/util.h"
#include "sandbox/base/limits.h"
#include "sandbox/base/report.h"
#include "sandbox/base/sys.h"
#include "sandbox/jail/cell_ask.h"
#include "sandbox/jail/cell_tell.h"
#include "sandbox/jail/slot.h"

/* What hand needs besides: lists of threads and maps, its workers. */
#define ROOM (HAND_ROOM + (192ull << 20))

void
cell_snap_init(struct cell *c, const struct slot_setup *set)
{
	static const char *const files[ROOMS] = {"memory.max",
	    "memory.memsw.limit_in_bytes", "memory.limit_in_bytes", "cpu.max",
	    "cpu.cfs_quota_us"};
	int *room = c->snap.room;

	memset(&c->snap, 0, sizeof(c->snap));
	c->snap.pidfd = c->snap.report = c->snap.go = c->snap.memory = -1;
	/* a controller that is not given has no file, and another's group none */
	for (int i = 0; i < ROOMS; i++) {
		room[i] = openat(set->step_group, files[i],
		    O_WRONLY | O_CLOEXEC);
		for (unsigned k = 0; room[i] < 0 && k < set->nv1; k++)
			room[i] = openat(set->own[k], files[i],
			    O_WRONLY | O_CLOEXEC);
	}
}

static struct cell *
find(struct jail *j, const struct id32 *job)
{
	for (uint32_t i = 0; i < j->nslots; i++)
		if (j->cells[i].life.state == CELL_RUNNING &&
		    id32_eq(&j->cells[i].job, job))
			return &j->cells[i];
	return NULL;
}

static void
tell(struct jail *j, const struct id32 *job, bool ok, int memory,
    const char *why)
{
	struct msg_J_SNAPPED m = {.ok = ok};

	m.job = *job;
	(void)text_printable(m.why, sizeof(m.why), why, strlen(why));
	TELL(j, J_SNAPPED, &m, &memory, memory >= 0 ? 1 : 0);
}

void
cell_snap_room(const struct cell *c, uint64_t bytes)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)MAX_OF(bytes, c->snap.kept));

	/* v1 wants the limit of memory and swap not below that of memory */
	for (int i = 0; i < ROOM_CPU; i++)
		if (c->snap.room[i] >= 0)
			(void)!write(c->snap.room[i], text, (size_t)n);
}

static void
kill_it(const struct cell *c)
{
	if (c->snap.pidfd >= 0)
		(void)sys_pidfd_send_signal(c->snap.pidfd, SIGKILL);
}

static void
finish(struct jail *j, struct cell *c, bool ok, const char *why)
{
	struct cell_snap *s = &c->snap;

	if (!s->told)
		tell(j, &c->job, ok, ok ? s->memory : -1, why);
	s->told = true;
	close_fd(&s->go);
	close_fd(&s->memory);
	close_fd(&s->report);
	if (!ok)
		kill_it(c);
}

void
cell_snap_end(struct jail *j, struct cell *c, const char *why)
{
	if (c->snap.asked || c->snap.pidfd >= 0)
		finish(j, c, false, why);
}

void
cells_snap(struct jail *j, const struct msg_J_SNAP *m)
{
	struct cell *c = find(j, &m->job);
	uint8_t msg[SLOT_SNAP_LEN] = {SLOT_SNAP, m->what};
	struct cell_snap *s = c == NULL ? NULL : &c->snap;
	int report[2] = {-1, -1}, go[2] = {-1, -1};

	if (c == NULL || c->lost || c->kill || c->asked || s->asked ||
	    s->pidfd >= 0) {
		tell(j, &m->job, false, -1, c == NULL || c->kill ?
			SNAPSHOT_ENDED : "not now");
		return;
	}
	s->memory = memfd_create("snapshot", MFD_CLOEXEC);
	if (s->memory < 0 || pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    pipe2(go, O_CLOEXEC) < 0) {
		tell(j, &m->job, false, -1, "no descriptors");
		close_fd(&s->memory);
		close_fd(&report[0]);
		close_fd(&report[1]);
		return;
	}
	/*
	 * Room for what is copied, which is kept: whoever packs the copy holds
	 * its pages for a while, and they are charged here.
	 */
	s->kept = m->bytes + ROOM;
	cell_snap_room(c, 0);
	put_u64(msg + 3, m->bytes);
	s->told = false;
	s->report = report[0];
	s->go = go[1];
	s->deadline = cell_after_ms(JAIL_SNAP_MS);
	s->asked = slot_send(c->ctl, msg, sizeof(msg),
	    (int[]){report[1], go[0], s->memory}, 3) == 0;
	(void)close(report[1]);
	(void)close(go[0]);
	if (!s->asked)
		finish(j, c, false, "its slot is gone");
}

void
cells_snap_go(struct jail *j, const struct id32 *job)
{
	struct cell *c = find(j, job);

	if (c == NULL || c->snap.go < 0)
		return;
	c->snap.deadline = cell_after_ms(JAIL_SNAP_MS);
	if (write(c->snap.go, "", 1) != 1)
		finish(j, c, false, "who takes it is gone");
	close_fd(&c->snap.go);
}

void
cell_snap_answer(struct jail *j, struct cell *c, const uint8_t *buf, int *fds)
{
	struct cell_snap *s = &c->snap;

	s->asked = false;
	if (buf[0] == SLOT_CHILD)
		s->pidfd = steal_fd(&fds[0]);
	if (s->pidfd < 0)
		finish(j, c, false, (const char *)buf + 1);
	else if (s->told) /* it was called off meanwhile */
		kill_it(c);
	for (int i = 0; i < SLOT_FDS_MAX; i++)
		close_fd(&fds[i]);
}

void
cell_snap_on_report(struct jail *j, struct cell *c)
{
	struct msg_J_SNAP_READY ready = {.end_ = 0};
	uint8_t buf[REPORT_MAX];
	struct report r;
	ssize_t n = read(c->snap.report, buf, sizeof(buf));
	size_t k;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_fd(&c->snap.report);
		return;
	}
	for (size_t off = 0; off < (size_t)n && c->snap.report >= 0;
	     off += k) {
		if ((k = report_parse(buf + off, (size_t)n - off, &r)) == 0)
			return;
		ready.job = c->job;
		if (r.kind == REPORT_SNAP)
			TELL(j, J_SNAP_READY, &ready, NULL, 0);
		else if (r.kind == REPORT_HAND || r.kind == REPORT_FAIL)
			finish(j, c, r.kind == REPORT_HAND && r.ok, r.why);
	}
}

void
cell_snap_on_pidfd(struct jail *j, struct cell *c)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	if (waitid(P_PIDFD, (id_t)c->snap.pidfd, &si, WEXITED | WNOHANG) < 0 ||
	    si.si_pid == 0)
		return;
	if (c->snap.report >= 0)
		cell_snap_on_report(j, c);
	/* the kernel ends it with the job's first process, which has said so */
	finish(j, c, false, c->said || c->timed_out || c->kill ?
		SNAPSHOT_ENDED : "it ended before it was done: out of memory, "
		"or killed");
	close_fd(&c->snap.pidfd);
}

void
cell_snap_tick(struct jail *j, struct cell *c, struct mono now)
{
	if ((!c->snap.asked && c->snap.pidfd < 0) || c->snap.told ||
	    now.us < c->snap.deadline.us)
		return;
	log_notice("jail", "slot %u: a snapshot takes too long, called off",
	    c->number);
	finish(j, c, false, "took too long");
}
