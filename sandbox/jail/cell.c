/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/cell.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "sandbox/base/group.h"
#include "sandbox/jail/jail.h"
#include "sandbox/jail/kind.h"
#include "common/log.h"
#include "common/program.h"
#include "common/snapshot.h"
#include "sandbox/base/report.h"
#include "sandbox/jail/cell_ask.h"
#include "sandbox/jail/jail_lsm.h"
#include "sandbox/jail/cell_compile.h"
#include "sandbox/jail/cell_linger.h"
#include "sandbox/jail/cell_snap.h"
#include "sandbox/jail/cell_take.h"
#include "sandbox/jail/cell_tell.h"
#include "sandbox/jail/cell_warm.h"
#include "sandbox/jail/slot.h"
#include "sandbox/base/sys.h"
#include "common/util.h"

static void step_next_clean(struct jail *, struct cell *);
static void broken(struct jail *, struct cell *, const char *why);
static void kill_child(const struct cell *);
static void job_failed(struct jail *, struct cell *, const char *code,
    const char *why);

/*
 * The only way into a state. false: there is no such edge, jail has lost track
 * of what runs here; the slot is given up and nothing more is to be done.
 */
static bool
set_state(struct jail *j, struct cell *c, enum cell_state s, const char *why)
{
	const char *from = cell_state_name(c->life.state);
	char object[16];

	(void)snprintf(object, sizeof(object), "slot %u", c->number);
	if (cell_set_state(&c->life, s)) {
		log_debug(object, "%s -> %s: %s", from, cell_state_name(s),
		    why);
		if (j->kind->ends != NULL && (s == CELL_FREE ||
		    s == CELL_BROKEN))
			j->kind->ends(c->number);
		return true;
	}
	log_errx(object, "refused: %s -> %s: %s (%u in all)", from,
	    cell_state_name(s), why, c->life.refused);
	if (c->life.state != CELL_BROKEN && !c->lost)
		broken(j, c, "an edge that there is not");
	return false;
}

static void
close_all(struct cell *c)
{
	for (unsigned i = 0; i < PLAN_VOLUMES_ALL; i++)
		close_fd(&c->blobs[i]);
	close_fd(&c->module);
	close_fd(&c->code_w);
	close_fd(&c->code_r);
	close_fd(&c->out);
	close_fd(&c->err);
	close_fd(&c->out_w);
	close_fd(&c->err_w);
	close_fd(&c->job_pidfd);
	close_fd(&c->pidfd);
	close_fd(&c->report);
}

void
cell_init(struct cell *c, uint32_t number, int ctl)
{
	struct cell_life life = c->life;
	struct cell_snap snap = c->snap;
	struct cell_warm warm = c->warm;

	memset(c, 0, sizeof(*c));
	c->life = life;
	c->snap = snap;
	c->warm = warm;
	c->number = number;
	c->ctl = ctl;
	for (unsigned i = 0; i < PLAN_VOLUMES_ALL; i++)
		c->blobs[i] = -1;
	c->module = c->code_w = c->code_r = -1;
	c->out = c->err = c->out_w = c->err_w = -1;
	c->job_pidfd = c->pidfd = c->report = -1;
}

static struct cell *
find(struct jail *j, const struct id32 *job)
{
	for (uint32_t i = 0; i < j->nslots; i++)
		if (j->cells[i].life.state != CELL_FREE &&
		    j->cells[i].life.state != CELL_BROKEN &&
		    id32_eq(&j->cells[i].job, job))
			return &j->cells[i];
	return NULL;
}

/* ---- children of the slot ---- */

static void
given_up(struct jail *j, struct cell *c, const char *why)
{
	close_all(c);
	close_fd(&c->ctl);
	(void)set_state(j, c, CELL_BROKEN, why);
}

/*
 * The slot's process is gone, or cannot be relied upon. A job that it has
 * started runs on: it is our child, ends when it ends, and is killed as any
 * other. Only what would come behind it cannot be done any more.
 */
static void
broken(struct jail *j, struct cell *c, const char *why)
{
	if (!c->lost)
		log_errx("jail", "slot %u is lost: %s", c->number, why);
	c->lost = true;
	close_fd(&c->ctl);
	cell_snap_end(j, c, why);
	c->snap.asked = false;
	cell_warm_lost(j, c);
	/* filling serves a start that there will not be */
	if (c->life.state == CELL_FILLING)
		kill_child(c);
	cell_orphan(j, c, false);
	if (cell_may_run(c))
		return;
	c->asked = false;
	if (c->life.state == CELL_FILLING || c->life.state == CELL_STARTING) {
		c->failed = true;
		tell_failed(j, &c->job, "internal", why);
	} else if (c->life.state == CELL_PACKING) {
		tell_step(j, c, false);
	} else if (c->life.state == CELL_ENDED && !c->forget) {
		return; /* node has yet to hear, and to forget */
	}
	given_up(j, c, why);
}

/* Ask the slot for a child; its report pipe is ours. */
static bool
ask_child(struct jail *j, struct cell *c, uint8_t type, int a, int b)
{
	uint8_t msg[SLOT_ASK] = {type, (uint8_t)c->step, (uint8_t)c->volume};
	int p[2], fds[SLOT_FDS_MAX];
	unsigned n = 3;
	int rv;

	close_fd(&c->report);
	close_fd(&c->pidfd);
	c->ready = c->hand_ok = c->kill_step = c->timed_out = false;
	c->left.count = c->left.len = 0;
	c->why[0] = c->fail_code[0] = '\0';
	if (c->lost || pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0) {
		broken(j, c, c->lost ? "it was lost before" : "pipe");
		return false;
	}
	c->report = p[0];
	fds[0] = p[1];
	fds[1] = a;
	fds[2] = b;
	if (type == SLOT_GO && c->code_r >= 0)
		fds[n++] = c->code_r;
	put_u32(msg + 3, JAIL_MEMBERS - MIN_OF(c->members, JAIL_MEMBERS));
	rv = slot_send(c->ctl, msg, sizeof(msg), fds, n);
	(void)close(p[1]);
	c->asked = rv == 0;
	if (rv < 0)
		broken(j, c, "control socket");
	return rv == 0;
}

static void
start(struct jail *j, struct cell *c)
{
	if (!set_state(j, c, CELL_STARTING, "volumes are filled"))
		return;
	c->step = c->volume = 0;
	/* a build that hangs is killed like a job that does, or before */
	c->deadline = cell_after_ms(j->kind->start_ms != 0 ?
	    MIN_OF(j->kind->start_ms, c->plan.time_ms + JAIL_GRACE_MS) :
	    c->plan.time_ms + JAIL_GRACE_MS);
	if (j->kind->begins != NULL)
		j->kind->begins(c->number, &c->job);
	if (!ask_child(j, c, SLOT_GO, c->out_w, c->err_w))
		return;
	/* the job alone holds them now: their EOF is its end */
	close_fd(&c->out_w);
	close_fd(&c->err_w);
}

/* Fill the next volume that is to be filled, or start. */
static void
step_next_fill(struct jail *j, struct cell *c, int from)
{
	if (c->kill) {
		job_failed(j, c, "internal", "killed while it was built");
		return;
	}
	if (cell_compile_due(c)) {
		if (!set_state(j, c, CELL_FILLING, "module"))
			return;
		cell_compile_begin(j, c);
		(void)ask_child(j, c, SLOT_STEP, c->module, c->code_w);
		return;
	}
	for (int i = from; i < (int)c->plan.nvolumes; i++) {
		uint8_t kind = c->plan.volumes[i].kind;

		if (kind == PLAN_VOL_PROFILE)
			continue;
		c->staged[i] = kind == PLAN_VOL_RO;
		if (!set_state(j, c, CELL_FILLING, "next volume"))
			return;
		c->step = STEP_FILL;
		c->volume = i;
		c->deadline = cell_after_ms(JAIL_STEP_MS);
		(void)ask_child(j, c, SLOT_STEP, c->blobs[i] >= 0 ?
		    c->blobs[i] : STDIN_FILENO, STDOUT_FILENO);
		return;
	}
	start(j, c);
}

static void
job_failed(struct jail *j, struct cell *c, const char *code, const char *why)
{
	char text[sizeof(c->why)];

	/* kept for a node that comes later; why may be the cell's own */
	(void)snprintf(text, sizeof(text), "%s", why);
	memcpy(c->why, text, sizeof(c->why));
	if (code != c->fail_code)
		(void)snprintf(c->fail_code, sizeof(c->fail_code), "%s", code);
	if (!set_state(j, c, CELL_ENDED, c->fail_code))
		return;
	c->failed = true;
	tell_failed(j, &c->job, c->fail_code, c->why);
	if (c->forget)
		step_next_clean(j, c);
}

/* ---- J_RUN ---- */

static const char *
prepare(struct jail *j, struct cell *c, const struct msg_J_RUN *m, int args,
    int filter, int group)
{
	uint8_t msg[SLOT_MSG_MAX];
	int fds[3] = {args, filter, group};

	if (!take_stream(&c->out, &c->out_w) ||
	    !take_stream(&c->err, &c->err_w))
		return "pipe";
	msg[0] = SLOT_PLAN;
	msg[1] = msg[2] = 0;
	memcpy(msg + 3, m->plan, m->plan_len);
	if (!cell_warm_job(c) || slot_send(c->ctl, msg, 3u + m->plan_len, fds,
	    group < 0 ? 2 : 3) < 0) {
		broken(j, c, "control socket");
		return "slot";
	}
	return NULL;
}

void
cells_run(struct jail *j, const struct msg_J_RUN *m, struct ipc_in *in)
{
	_cleanup_fd_ int args = -1, filter = -1, group = -1;
	const char *code, *why = "malformed plan";
	struct plan plan;
	struct cell *c;

	if (!plan_decode(rd_make(m->plan, m->plan_len), &plan)) {
		program_malformed(j->program, in);
		return;
	}
	if (find(j, &plan.job) != NULL) {
		tell_failed(j, &plan.job, "internal", "the job runs already");
		return;
	}
	if ((code = plan_check(&plan, &j->limits, &why)) != NULL) {
		tell_failed(j, &plan.job, code, why);
		return;
	}
	c = &j->cells[plan.slot - 1];
	if (c->life.state != CELL_FREE || group_left(&j->groups, c->old_group)) {
		tell_failed(j, &plan.job, "internal", "the slot is not free");
		return;
	}
	cell_init(c, c->number, c->ctl);
	c->plan = plan;
	c->job = plan.job;
	plan_group_name(c->group, &plan.job);
	if (!set_state(j, c, CELL_FILLING, "plan"))
		return;
	code = "internal";
	if ((why = take_descriptors(c, in, &args, &filter)) != NULL)
		code = "volume";
	else if (!take_policy(c, m->plan, m->plan_len, args, filter))
		why = "not sealed, or of another size";
	else if (j->groups.jobs >= 0 &&
	    (group = group_open(&j->groups, c->group)) < 0)
		why = "the job has no group";
	if (why == NULL) {
		c->group_layers = group_layers(&j->groups, &c->plan, group);
		if (((plan.layers | j->limits.required) & (((LAYER_MEMORY |
		    LAYER_CPU | LAYER_PIDS) & ~c->group_layers) |
		    group_unbound(&plan, c->group_layers))) != 0) {
			code = "posture";
			why = "a required limit is not set on its group";
		}
	}
	if (why == NULL)
		why = prepare(j, c, m, args, filter, group);
	if (c->life.state == CELL_BROKEN)
		return;
	if (why != NULL) {
		close_all(c);
		if (!set_state(j, c, CELL_FREE, why))
			return;
		memcpy(c->old_group, c->group, sizeof(c->old_group));
		tell_failed(j, &plan.job, code, why);
		return;
	}
	step_next_fill(j, c, 0);
}

/* ---- what children say ---- */

static void
kill_child(const struct cell *c)
{
	if (c->pidfd >= 0)
		(void)sys_pidfd_send_signal(c->pidfd, SIGKILL);
}

/* STARTED wants both the descriptor and the word that the command runs. */
static void
maybe_started(struct jail *j, struct cell *c)
{
	struct msg_J_STARTED m;
	int fds[3];

	if (c->life.state != CELL_STARTING || !c->ready || c->pidfd < 0)
		return;
	c->job_pidfd = fcntl(c->pidfd, F_DUPFD_CLOEXEC, 0);
	c->started = true;
	if (!set_state(j, c, CELL_RUNNING, "the command runs"))
		return;
	c->deadline = cell_after_ms(c->plan.time_ms + JAIL_GRACE_MS);
	c->began = clock_mono();
	memset(&m, 0, sizeof(m));
	m.job = c->job;
	m.slot = c->number;
	m.layers = c->layers;
	m.policy = c->policy;
	m.compile_ms = c->compile_ms;
	fds[0] = c->out;
	fds[1] = c->err;
	fds[2] = c->job_pidfd;
	TELL(j, J_STARTED, &m, fds, 3);
}

/* One pipe of a step to node, the other to the step. */
static void
pack(struct jail *j, struct cell *c, int volume)
{
	struct msg_J_STEP_OPEN open;
	int p[2];

	c->step = STEP_PACK;
	c->volume = volume;
	if (pipe2(p, O_CLOEXEC) < 0) {
		(void)snprintf(c->why, sizeof(c->why), "pipe");
		tell_step(j, c, false);
		return;
	}
	c->deadline = cell_after_ms(JAIL_STEP_MS);
	memset(&open, 0, sizeof(open));
	open.job = c->job;
	open.step = STEP_PACK;
	open.volume = (uint8_t)volume;
	if (set_state(j, c, CELL_PACKING, "asked")) {
		TELL(j, J_STEP_OPEN, &open, &p[0], 1);
		(void)ask_child(j, c, SLOT_STEP, STDIN_FILENO, p[1]);
	}
	(void)close(p[0]);
	(void)close(p[1]);
}

static void
pack_ended(struct jail *j, struct cell *c, bool ok)
{
	if (!set_state(j, c, CELL_ENDED, ok ? "packed" : c->why))
		return;
	if (!c->orphan) {
		tell_step(j, c, ok);
	} else {
		c->orphan = false;
		if (!c->forget && c->again >= 0)
			pack(j, c, c->again);
	}
	if (c->forget)
		step_next_clean(j, c);
}

void
cell_on_ctl(struct jail *j, struct cell *c)
{
	uint8_t buf[257];
	int fds[SLOT_FDS_MAX];
	ssize_t n = slot_recv(c->ctl, buf, sizeof(buf) - 1, fds);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 1) {
		broken(j, c, "its process is gone");
		return;
	}
	buf[n] = '\0';
	/* asked before anything that could be asked behind it */
	if (c->snap.asked || c->warm.asked) {
		(c->snap.asked ? cell_snap_answer : cell_warm_answer)(j, c, buf,
		    fds);
		return;
	}
	switch (buf[0]) {
	case SLOT_CHILD:
		close_fd(&c->pidfd);
		c->pidfd = steal_fd(&fds[0]);
		c->asked = false;
		if (c->kill_step || (c->kill && cell_of_job(c)))
			kill_child(c);
		if (c->life.state == CELL_STARTING)
			cell_warm_went(j, c, buf[1]);
		maybe_started(j, c);
		break;
	case SLOT_FAILED:
		cell_compile_over(j, c);
		close_fd(&c->report);
		c->asked = false;
		if (c->life.state == CELL_FILLING ||
		    c->life.state == CELL_STARTING) {
			job_failed(j, c, "internal", (char *)buf + 1);
		} else if (c->life.state == CELL_PACKING) {
			(void)snprintf(c->why, sizeof(c->why), "%s",
			    (char *)buf + 1);
			pack_ended(j, c, false);
		} else if (c->life.state == CELL_CLEANING) {
			/* it may have had no plan: what is left it says at the end */
			step_next_clean(j, c);
		}
		break;
	case SLOT_FREE:
		if (c->life.state != CELL_LEAVING)
			break;
		if (n > 1) {
			broken(j, c, (char *)buf + 1);
			break;
		}
		close_all(c);
		memcpy(c->old_group, c->group, sizeof(c->old_group));
		c->started = c->kill = false;
		if (!set_state(j, c, CELL_FREE, "forgotten"))
			break;
		cell_warm_free(j, c);
		tell_forgotten(j, c);
		break;
	default:
		broken(j, c, "unknown answer");
		break;
	}
	for (int i = 0; i < SLOT_FDS_MAX; i++)
		close_fd(&fds[i]);
}

static void
take_report(struct jail *j, struct cell *c, const struct report *r)
{
	switch (r->kind) {
	case REPORT_READY:
		/* a step's word on a job's layers is an image's word */
		if (c->life.state != CELL_STARTING)
			break;
		c->layers = (jail_lsm_now(r->layers, j->enforce) &
		    j->limits.available) | c->group_layers | j->inherited;
		c->layers &= ~group_unbound(&c->plan, c->group_layers);
		cell_orphan(j, c, false);
		c->ready = !cell_lost_policy(j, c);
		if (!c->ready)
			kill_child(c);
		maybe_started(j, c);
		break;
	case REPORT_FAIL:
		(void)snprintf(c->fail_code, sizeof(c->fail_code), "%s",
		    r->code);
		(void)text_printable(c->why, sizeof(c->why), r->why,
		    strlen(r->why));
		break;
	case REPORT_EXIT:
		if (c->life.state == CELL_RUNNING ||
		    c->life.state == CELL_STARTING) {
			/* its word; it has ended when it is reaped */
			c->said = true;
			c->how = r->how;
			c->code = r->exit_code;
		}
		break;
	case REPORT_HAND:
		c->hand_ok = r->ok;
		/* a tmpfs counts its own */
		if (c->life.state == CELL_FILLING && !c->compiling &&
		    c->plan.volumes[c->volume].kind == PLAN_VOL_RO)
			c->members += MIN_OF(r->members, JAIL_MEMBERS);
		c->left = r->left;
		(void)text_printable(c->why, sizeof(c->why), r->why,
		    strlen(r->why));
		break;
	case REPORT_SNAP: /* has a report of its own (cell_snap.c) */
	case REPORT_TOOL: /* of a trial alone (slot.c) */
		break;
	}
}

void
cell_on_report(struct jail *j, struct cell *c)
{
	uint8_t buf[4 * REPORT_MAX];
	struct report r;
	ssize_t n = read(c->report, buf, sizeof(buf));
	size_t off = 0, k;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_fd(&c->report);
		if (c->lost && c->asked)
			broken(j, c, "its process fell while it started this");
		return;
	}
	while (off < (size_t)n) {
		k = report_parse(buf + off, (size_t)n - off, &r);
		if (k == 0)
			break; /* whatever it is, the exit status decides */
		take_report(j, c, &r);
		off += k;
	}
}

static void
job_ended(struct jail *j, struct cell *c, const siginfo_t *si)
{
	if (c->outlived) {
		cell_snap_end(j, c, SNAPSHOT_ENDED);
		job_failed(j, c, "internal", "its first process has ended, and "
		    "others have not");
		return;
	}
	/* nobody but the kernel kills what we do not */
	if (!c->started && si->si_code == CLD_KILLED && !c->kill) {
		job_failed(j, c, "limits", "memory: too little to start in");
		return;
	}
	if (!c->started) {
		job_failed(j, c, c->fail_code[0] != '\0' ? c->fail_code :
		    "internal", c->why[0] != '\0' ? c->why :
		    "killed while it was built");
		return;
	}
	if (!c->said || c->timed_out) {
		c->how = c->timed_out ? EXIT_JAIL_TIME : EXIT_SIGNAL;
		c->code = SIGKILL;
	}
	if (!set_state(j, c, CELL_ENDED, "all processes are gone"))
		return;
	cell_snap_end(j, c, SNAPSHOT_ENDED);
	c->exited = true;
	c->ended = clock_mono();
	tell_exited(j, c);
	if (c->forget)
		step_next_clean(j, c);
}

void
cells_freeze(struct jail *j, const struct id32 *job, bool on)
{
	struct cell *c = find(j, job);

	if (c == NULL || c->life.state != CELL_RUNNING)
		return;
	if (!on)
		cell_thaw(c);
	else if (c->frozen.us == 0)
		c->frozen = clock_mono();
}

void
cell_on_pidfd(struct jail *j, struct cell *c)
{
	siginfo_t si;
	bool ok;

	memset(&si, 0, sizeof(si));
	if (cell_lingers(j, c) || cell_compile_reap(j, c, &si) < 0 ||
	    si.si_pid == 0)
		return;
	/* what it wrote before its end */
	if (c->report >= 0)
		cell_on_report(j, c);
	close_fd(&c->report);
	close_fd(&c->pidfd);
	cell_thaw(c);
	c->deadline.us = 0;
	ok = si.si_code == CLD_EXITED && si.si_status == 0 && c->hand_ok;
	/* what is filled in is not kept open: many jobs have many volumes */
	if (c->life.state == CELL_FILLING && !c->compiling)
		close_fd(&c->blobs[c->volume]);
	if (!ok && c->why[0] == '\0')
		(void)snprintf(c->why, sizeof(c->why), "%s", cell_step_end(c, &si));
	switch (c->life.state) {
	case CELL_FILLING:
		if (c->lost)
			job_failed(j, c, "internal", "its slot was lost");
		else if (!ok)
			/* whoever compiles is believed as little as a job */
			job_failed(j, c, !c->compiling ? "volume" :
			    strcmp(c->fail_code, "internal") == 0 ?
				"internal" : "image", c->why);
		else if (c->forget)
			step_next_clean(j, c);
		else if (c->compiling) {
			cell_compile_end(c);
			step_next_fill(j, c, 0);
		} else
			step_next_fill(j, c, c->volume + 1);
		break;
	case CELL_STARTING:
	case CELL_RUNNING:
		job_ended(j, c, &si);
		break;
	case CELL_PACKING:
		pack_ended(j, c, ok);
		break;
	case CELL_CLEANING:
		step_next_clean(j, c);
		break;
	default:
		break;
	}
}

/* ---- other requests ---- */

void
cells_step(struct jail *j, const struct msg_J_STEP *m)
{
	struct cell *c = find(j, &m->job);
	struct msg_J_STEP_DONE no;

	if (c == NULL || (c->life.state != CELL_ENDED && !c->orphan) ||
	    c->failed || c->forget || c->lost || m->step != STEP_PACK ||
	    m->volume >= c->plan.nvolumes ||
	    c->plan.volumes[m->volume].kind != PLAN_VOL_RW) {
		memset(&no, 0, sizeof(no));
		no.job = m->job;
		no.step = m->step;
		no.volume = m->volume;
		(void)snprintf(no.why, sizeof(no.why), c != NULL && c->lost ?
		    "the slot's process was lost" : "not now");
		TELL(j, J_STEP_DONE, &no, NULL, 0);
		return;
	}
	if (c->orphan) /* the one before ends first */
		c->again = m->volume;
	else
		pack(j, c, m->volume);
}

void
cells_orphan(struct jail *j)
{
	for (uint32_t i = 0; i < j->nslots; i++) {
		struct cell *c = &j->cells[i];

		cell_snap_end(j, c, "node is gone");
		if (c->life.state != CELL_PACKING)
			continue;
		/* nobody reads it: the next node asks for all of it again */
		c->orphan = c->kill_step = true;
		c->again = -1;
		kill_child(c);
	}
}

void
cells_kill(struct jail *j, const struct id32 *job, uint8_t why)
{
	struct cell *c = find(j, job);

	if (c == NULL || c->life.state == CELL_CLEANING)
		return;
	if (c->killed_for == 0 && !c->exited && !c->failed && !c->timed_out)
		c->killed_for = why;
	/* its descriptor may not have come yet, nor its next step */
	c->kill = true;
	c->kill_step = c->life.state == CELL_PACKING;
	kill_child(c);
	cell_orphan(j, c, true);
}

/* Empty the ro volumes one by one; then the slot says that it is free. */
static void
step_next_clean(struct jail *j, struct cell *c)
{
	static const uint8_t forget[3] = {SLOT_FORGET};
	int from = c->life.state == CELL_CLEANING ? c->volume + 1 : 0;

	if (c->lost) {
		given_up(j, c, "its process is gone");
		return;
	}
	for (int i = from; i < (int)c->plan.nvolumes; i++) {
		if (!c->staged[i])
			continue;
		if (!set_state(j, c, CELL_CLEANING, "next volume"))
			return;
		c->step = STEP_CLEAN;
		c->volume = i;
		c->deadline = cell_after_ms(JAIL_STEP_MS);
		(void)ask_child(j, c, SLOT_STEP, STDIN_FILENO, STDOUT_FILENO);
		return;
	}
	if (!set_state(j, c, CELL_LEAVING, "cleaned"))
		return;
	c->deadline.us = 0;
	if (slot_send(c->ctl, forget, sizeof(forget), NULL, 0) < 0)
		broken(j, c, "control socket");
}

void
cells_forget(struct jail *j, const struct id32 *job)
{
	struct cell *c = find(j, job);
	struct msg_J_FORGOTTEN m;

	if (c == NULL) {
		/* refused before it had a slot: nothing is left */
		memset(&m, 0, sizeof(m));
		m.job = *job;
		TELL(j, J_FORGOTTEN, &m, NULL, 0);
		return;
	}
	c->forget = true;
	if (c->life.state == CELL_ENDED)
		step_next_clean(j, c);
	else if (c->life.state != CELL_CLEANING &&
	    c->life.state != CELL_LEAVING)
		cells_kill(j, job, 0);
}

void
cell_tick(struct jail *j, struct cell *c, struct mono now)
{
	cell_snap_tick(j, c, now);
	cell_warm_tick(j, c, now);
	if (c->deadline.us == 0 || c->frozen.us != 0 ||
	    now.us < c->deadline.us)
		return;
	log_notice("jail", "slot %u: over its time, killed", c->number);
	c->timed_out = true;
	if (cell_of_job(c))
		c->kill = true;
	else
		c->kill_step = true;
	c->deadline.us = 0;
	kill_child(c);
	cell_orphan(j, c, true);
}
