/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-node: every decision about a job is taken here (design.md 2). This
 * file only joins the pieces: channels, files, the loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/log.h"
#include "node/host/host.h"
#include "sandbox/image/store.h"

#define LEDGER "ledger.db"
#define DISCARD 1 /* /dev/null, as program.h says of descriptor 1 */

static void
now(struct warren_node *wn)
{
	node_time(&wn->node, clock_mono(), clock_wall_us());
}

/* ---- messages ---- */

static void
job_fds(struct warren_node *wn, struct ipc_in *in, const uint8_t id[32],
    uint32_t slot, bool again)
{
	struct job *j = job_find(&wn->node.jobs, id);
	int out, err;

	if (j == NULL || !job_active(j))
		return;
	out = ipc_in_take(in, 0);
	err = ipc_in_take(in, 1);
	if (again) {
		start_found(wn, j, slot);
		logs_recount(wn->logs, j);
	}
	(void)logs_attach(wn->logs, j, out, err, again);
}

static void
step_open(struct warren_node *wn, struct ipc_in *in,
    const struct msg_J_STEP_OPEN *m)
{
	struct job *j = job_find(&wn->node.jobs, m->job);

	if (j != NULL && m->step == STEP_PACK)
		outputs_open(wn->outputs, m->job, j->owner, m->volume,
		    ipc_in_take(in, 0), j->limits.v[LIMIT_OUTPUT]);
}

/* A request, or a record: inline, or mapped from its memfd. */
static void
with_bytes(struct warren_node *wn, struct ipc_in *in, const void *msg,
    const uint8_t *inline_data, size_t inline_len, uint32_t len, size_t max)
{
	const uint8_t *map;
	size_t n = len;
	int fd;

	if (in->nfds == 0) {
		node_message(&wn->node, in->type, msg, inline_data,
		    inline_len);
		return;
	}
	fd = ipc_in_take(in, 0);
	if (len == 0 || (map = memfd_map(fd, &n, max)) == NULL) {
		log_warnx(program_name(in->from), "a memfd that does not fit");
	} else {
		node_message(&wn->node, in->type, msg, map, n);
		memfd_unmap(map, n);
	}
	(void)close(fd);
}

#define TAKE(T)                                                                \
	struct msg_##T m;                                                      \
	if (!msg_get_##T(in->body, &m)) {                                      \
		program_malformed(&wn->prog, in);                              \
		return;                                                        \
	}

static void
on_request(struct warren_node *wn, struct ipc_in *in)
{
	TAKE(T_REQUEST)

	with_bytes(wn, in, &m, m.data, m.data_len, m.len, PROTO_REQUEST_MAX);
}

static void
on_manifest(struct warren_node *wn, struct ipc_in *in)
{
	TAKE(V_MANIFEST)

	with_bytes(wn, in, &m, NULL, 0, m.len, MANIFEST_RECORD_MAX);
}

/* What comes with descriptors. false: malformed. */
static bool
on_jail(struct warren_node *wn, struct ipc_in *in)
{
	union {
		struct msg_J_STARTED started;
		struct msg_J_RUNNING running;
		struct msg_J_STEP_OPEN open;
		struct msg_J_STEP_DONE done;
	} m;

	switch (in->type) {
	case IPC_J_STARTED:
		if (!msg_get_J_STARTED(in->body, &m.started))
			return false;
		job_fds(wn, in, m.started.job, m.started.slot, false);
		break;
	case IPC_J_RUNNING:
		if (!msg_get_J_RUNNING(in->body, &m.running))
			return false;
		job_fds(wn, in, m.running.job, m.running.slot, true);
		break;
	case IPC_J_STEP_OPEN:
		if (!msg_get_J_STEP_OPEN(in->body, &m.open))
			return false;
		step_open(wn, in, &m.open);
		break;
	case IPC_J_STEP_DONE:
		if (!msg_get_J_STEP_DONE(in->body, &m.done))
			return false;
		if (m.done.step == STEP_PACK)
			outputs_step(wn->outputs, m.done.job, m.done.volume,
			    m.done.ok, m.done.dropped, m.done.why);
		break;
	default:
		break;
	}
	return true;
}

static void
on_message(void *ctx, struct ipc_in *in)
{
	struct warren_node *wn = ctx;
	struct node *n = &wn->node;

	now(wn);
	switch (in->type) {
	case IPC_HELLO:
		node_up(n, in->from);
		return;
	case IPC_T_REQUEST:
		on_request(wn, in);
		return;
	case IPC_V_MANIFEST:
		on_manifest(wn, in);
		return;
	case IPC_J_STARTED:
	case IPC_J_RUNNING:
	case IPC_J_STEP_OPEN:
	case IPC_J_STEP_DONE:
		if (!on_jail(wn, in)) {
			program_malformed(&wn->prog, in);
			return;
		}
		break;
	default:
		break;
	}
	switch (in->type) {
#define PASS(T)                                                                \
	case IPC_##T: {                                                        \
		TAKE(T)                                                        \
		node_message(n, in->type, &m, NULL, 0);                        \
		break;                                                         \
	}
		PASS(T_HELLO)
		PASS(T_LINK)
		PASS(T_IDENTIFIED)
		PASS(T_CLOSED)
		PASS(T_FOLLOW_END)
		PASS(V_VERDICT)
		PASS(V_LIVE_OK)
		PASS(V_CHANGED)
		PASS(K_SIGNED)
		PASS(K_CHALLENGED)
		PASS(K_BINDING)
		PASS(J_STARTED)
		PASS(J_FAILED)
		PASS(J_EXITED)
		PASS(J_FORGOTTEN)
		PASS(J_RUNNING)
		PASS(J_POSTURE)
		PASS(HEAD)
#undef PASS
	default:
		break;
	}
}

/* ---- channels ---- */

static void on_gone(void *, int);

/* One context a channel, so that its end names it. */
struct channel {
	struct warren_node *wn;
	enum program who;
};
static struct channel channels[PROGRAM_COUNT];

static void
on_channel(void *ctx, struct ipc_in *in)
{
	struct channel *c = ctx;

	on_message(c->wn, in);
}

static const struct ipc_ev_handlers handlers = {on_channel, on_gone, NULL};

static void
drop_channel(struct warren_node *wn, enum program who)
{
	if (wn->channel[who] == NULL)
		return;
	ipc_ev_free(wn->channel[who]);
	wn->channel[who] = NULL;
	now(wn);
	if (wn->node.up[who])
		node_down(&wn->node, who);
	/* a start that its jail never saw: the job is lost with it */
	outbox_drop(wn, who);
}

static void
on_gone(void *ctx, int error)
{
	struct channel *c = ctx;

	log_notice(program_name(c->who), "gone%s",
	    error != 0 ? ": it broke the message table" : "");
	drop_channel(c->wn, c->who);
}

static void
on_neighbour(void *ctx, enum program who, int fd)
{
	struct warren_node *wn = ctx;

	drop_channel(wn, who);
	channels[who] = (struct channel){wn, who};
	wn->channel[who] = program_neighbour(&wn->prog, wn->loop, who, fd,
	    &handlers, &channels[who]);
	if (wn->channel[who] == NULL)
		fatal("out of memory");
}

static void
on_stop(void *ctx)
{
	struct warren_node *wn = ctx;

	log_info(NULL, "stopping");
	now(wn);
	node_stop(&wn->node);
	wn->stopping = true;
}

static void
on_parent(void *ctx, struct ipc_in *in)
{
	struct warren_node *wn = ctx;
	struct msg_PROGRAM m;

	if (in->type != IPC_PROGRAM || !msg_get_PROGRAM(in->body, &m) ||
	    m.program >= PROGRAM_COUNT)
		return;
	wn->programs[m.program].running = m.running;
	wn->programs[m.program].restarts = m.restarts;
	wn->programs[m.program].pid = m.pid;
}

static const struct program_ops program_ops = {
    on_neighbour, on_stop, NULL, on_parent};

/* ---- the loop ---- */

/*
 * Before the loop waits: timers that are due, one commit, what it lets out,
 * and when to wake up.
 */
static void
on_turn_end(struct ev_loop *loop, ev_prepare *p, int revents)
{
	struct warren_node *wn = p->data;
	struct mono at;
	double s;

	(void)revents;
	now(wn);
	at = node_tick(&wn->node);
	outbox_flush(wn);
	if (wn->stopping) {
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	s = at.us == INT64_MAX ? 3600. :
	    (double)MAX_OF(mono_sub(at, wn->node.now), INT64_C(1000)) / 1e6;
	ev_timer_stop(loop, &wn->tick);
	ev_timer_set(&wn->tick, MIN_OF(s, wn->sweep ? 1. : 3600.), 0.);
	ev_timer_start(loop, &wn->tick);
}

static void
on_tick(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct warren_node *wn = t->data;

	(void)loop;
	(void)revents;
	(void)blobs_expire(wn->blobs, wn->node.unix_now);
	if (wn->sweep && wn->node.has_posture)
		start_sweep(wn);
}

/* ---- what the pieces ask of each other ---- */

static void
log_grew(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;

	now(wn);
	node_output(&wn->node, j);
}

static uint64_t
follow_room(void *ctx, const uint8_t link[16], uint32_t *wait_ms)
{
	struct warren_node *wn = ctx;

	now(wn);
	return peer_follow_room(&wn->node, link, wait_ms);
}

static void
follow_sent(void *ctx, const uint8_t link[16], uint64_t bytes)
{
	struct warren_node *wn = ctx;
	struct caller *l = caller_find(&wn->node, link);

	if (l != NULL)
		peer_charge(&wn->node, l, bytes);
}

static void
output_done(void *ctx, const uint8_t job[32], unsigned volume, bool ok,
    const uint8_t sha[32], uint64_t size, uint32_t dropped, const char *why)
{
	struct warren_node *wn = ctx;

	now(wn);
	node_packed(&wn->node, job, volume, ok, sha, size, dropped, why);
}

static uint32_t
unix_now(void *ctx)
{
	return ((struct warren_node *)ctx)->node.unix_now;
}

static bool
needs_blob(void *ctx, const uint8_t fp[FP_LEN], const uint8_t sha[32])
{
	return inputs_needed(&((struct warren_node *)ctx)->node, fp, sha);
}

static bool
knows_job(void *ctx, const uint8_t id[32])
{
	const struct job *j = job_find(&((struct warren_node *)ctx)->node.jobs,
	    id);

	return j != NULL && !j->expired;
}

/* ---- start ---- */

static void
open_store(struct warren_node *wn)
{
	const struct logs_ops lops = {wn, log_grew, follow_room, follow_sent};
	const struct outputs_ops oops = {wn, output_done, unix_now};
	const struct blobs_limits bl = {wn->node.policy.spool,
	    wn->node.policy.peer_spool};
	char why[160];

	if ((wn->ledger = ledger_open(LEDGER, why)) == NULL)
		fatalx("%s", why);
	if (ledger_load(wn->ledger, &wn->node.jobs) < 0)
		fatalx("the ledger cannot be read");
	if ((wn->blobs = blobs_open(wn->dir, wn->ledger, &bl, needs_blob,
		wn)) == NULL)
		fatal("the spool");
	if ((wn->logs = logs_open(wn->loop, wn->dir, DISCARD, &lops)) == NULL)
		fatal("the logs");
	if ((wn->outputs = outputs_new(wn->loop, wn->blobs, &oops)) == NULL)
		fatal("out of memory");
	if (mkdirat(wn->dir, "seccomp", 0700) != 0 && errno != EEXIST)
		log_warn("seccomp", "no cache");
	wn->cache = openat(wn->dir, "seccomp",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	logs_sweep(wn->logs, knows_job, wn);
	node_restore(&wn->node);
}

static void
take_dirs(struct warren_node *wn)
{
	struct process *p = &wn->prog;

	wn->dir = settings_take(p, SET_DIR_NODE, "");
	if (wn->dir < 0)
		wn->dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (wn->dir < 0)
		fatal("the node's folder");
	wn->images = settings_take(p, SET_DIR_IMAGES, "");
	wn->groups = (struct cgroup_dirs){
	    .v2 = settings_take(p, SET_CG_JOBS, ""),
	    .memory = settings_take(p, SET_CG_V1, "memory"),
	    .cpu = settings_take(p, SET_CG_V1, "cpu"),
	    .pids = settings_take(p, SET_CG_V1, "pids")};
}

/* The profile's image restricts nothing, but somebody means to use it. */
static void
say_image(const struct warren_node *wn)
{
	const char *name = wn->profile != NULL ? wn->profile->image : NULL;
	uint8_t digest[32];

	if (name != NULL &&
	    (wn->images < 0 || store_resolve(wn->images, name, digest) != 0))
		log_warnx("profile", "its image %s is not in the store: "
				     "warren image import PATH --name %s",
		    name, name);
}

static void
run(struct warren_node *wn)
{
	int listener = settings_take(&wn->prog, SET_LISTEN_NODE, "");

	ev_timer_init(&wn->tick, on_tick, 1., 0.);
	wn->tick.data = wn;
	ev_prepare_init(&wn->turn_end, on_turn_end);
	wn->turn_end.data = wn;
	ev_prepare_start(wn->loop, &wn->turn_end);
	if (listener < 0 || (wn->control = control_open(wn, listener)) == NULL)
		log_warnx("control", "node.sock is not there");
	if (program_attach(&wn->prog, wn->loop, &program_ops, wn) < 0 ||
	    program_ready(&wn->prog) < 0)
		fatal("the parent");
	(void)ev_run(wn->loop, 0);
}

static void
finish(struct warren_node *wn)
{
	bool full;

	control_close(wn->control);
	(void)ledger_commit(wn->ledger, &wn->node.jobs, &full);
	logs_close(wn->logs);
	outputs_free(wn->outputs);
	node_clear(&wn->node);
	blobs_close(wn->blobs);
	ledger_close(wn->ledger);
}

int
main(int argc, char *argv[])
{
	static struct warren_node wn;
	struct policy policy;
	struct host host;
	/* while /sys can be read still */
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	wn.sweep = true; /* of an earlier program */
	log_init("warren-node", 4);
	if (sodium_init() < 0)
		fatalx("libsodium");
	(void)signal(SIGPIPE, SIG_IGN);
	program_start(&wn.prog, PROGRAM_NODE, argc, argv, NULL, NULL);
	if ((wn.loop = ev_default_loop(EVFLAG_NOENV)) == NULL)
		fatalx("no event loop");
	setup_policy(&wn, &policy, cpus > 0 ? (unsigned)cpus : 0);
	outbox_init(&wn);
	host_fill(&host, &wn);
	if (!node_init(&wn.node, &policy, &host))
		fatal("out of memory");
	now(&wn);
	take_dirs(&wn);
	open_store(&wn);
	say_image(&wn);
	run(&wn);
	finish(&wn);
	log_info(NULL, "stopped");
	return 0;
}
