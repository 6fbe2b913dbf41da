/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-node: every decision about a job is taken here (ARCHITECTURE.md 8).
 * This file only joins the pieces: channels, files, the loop.
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
#include "common/file.h"
#include "common/log.h"
#include "node/host/blobs.h"
#include "node/host/control.h"
#include "node/host/host.h"
#include "node/host/inbox.h"
#include "node/host/ledger.h"
#include "node/host/logs.h"
#include "node/host/outbox.h"
#include "node/host/outputs.h"
#include "node/host/setup.h"
#include "node/host/start.h"
#include "node/host/volumes.h"
#include "node/work/mail.h"
#include "node/host/watchfeed.h"
#include "node/host/wasmcache.h"
#include "node/work/review.h"
#include "node/work/budgets.h"
#include "sandbox/image/store.h"

#define LEDGER "ledger.db"
#define DISCARD 1 /* /dev/null, as program.h says of descriptor 1 */

/* ---- what peers have used ---- */

#define BUDGETS "budgets"

static void
keep_budgets(struct warren_node *wn)
{
	size_t len = 0;
	uint8_t *buf;

	if (!budgets_due(&wn->node))
		return;
	buf = budgets_encode(&wn->node, &len);
	if (buf == NULL ||
	    file_replace(wn->dir, BUDGETS, buf, len, 0600) < 0) {
		if (!wn->budgets_fail)
			log_warn(BUDGETS, "what peers have used is not kept");
		wn->budgets_fail = true;
	} else {
		wn->budgets_fail = false;
	}
	free(buf);
}

static void
read_budgets(struct warren_node *wn)
{
	size_t len = 0;
	char *buf = file_load(wn->dir, BUDGETS, BUDGETS_BYTES_MAX, &len);

	if (buf == NULL && errno == ENOENT)
		return;
	if (buf == NULL)
		log_warn(BUDGETS, "all budgets begin anew");
	else if (!budgets_decode(&wn->node, (const uint8_t *)buf, len,
	    &wn->node.budgets_saved))
		log_warnx(BUDGETS, "does not read: all budgets begin anew");
	free(buf);
}

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
	host_now(wn);
	at = node_tick(&wn->node);
	outbox_flush(wn);
	keep_budgets(wn);
	if (wn->stopping) {
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	if (wn->node.budgets_changed)
		at = mono_min(at, wn->node.budgets_at);
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
	(void)volumes_expire(wn->volumes, wn->node.own_now);
	if (wn->sweep && wn->node.has_posture)
		start_sweep(wn);
}

/* A piece, then whatever else has come, then the next. */
static void
on_work(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct warren_node *wn = t->data;

	(void)revents;
	(void)loop;
	(void)t;
	host_now(wn);
	(void)volumes_work(wn->volumes, wn->node.own_now);
	(void)wasmcache_work(wn->wasm);
	host_kick(wn);
}

/* ---- what the pieces ask of each other ---- */

static void
volume_done(void *ctx, const struct fp *fp, const struct id32 *sha, bool ok,
    const char *why)
{
	struct warren_node *wn = ctx;

	if (ok)
		inputs_came(&wn->node, fp, sha, true);
	else
		inputs_bad(&wn->node, fp, sha, why);
}

static void
log_grew(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;

	host_now(wn);
	watchfeed(wn, j);
	node_output(&wn->node, j);
}

static void
log_sealed(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;

	host_now(wn);
	node_log_sealed(&wn->node, j);
}

static uint64_t
follow_room(void *ctx, const struct hash16 *link, uint32_t *wait_ms)
{
	struct warren_node *wn = ctx;

	host_now(wn);
	return peer_follow_room(&wn->node, link, wait_ms);
}

static void
follow_sent(void *ctx, const struct hash16 *link, uint64_t bytes)
{
	struct warren_node *wn = ctx;
	struct caller *l = caller_find(&wn->node, link);

	if (l != NULL)
		peer_charge(&wn->node, l, bytes);
}

static void
output_done(void *ctx, const struct id32 *job, unsigned volume, bool ok,
    const struct id32 *sha, uint64_t size, const struct left *left,
    const char *why)
{
	struct warren_node *wn = ctx;

	host_now(wn);
	node_packed(&wn->node, job, volume, ok, sha, size, left, why);
}

static void
vote_found(void *ctx, const struct vote *v)
{
	review_restore(&((struct warren_node *)ctx)->node, v);
}

static void
mail_found(void *ctx, const struct id32 *id, const void *rec, size_t len)
{
	mail_restore(&((struct warren_node *)ctx)->node, id, rec, len);
}

static uint32_t
own_now(void *ctx)
{
	return ((struct warren_node *)ctx)->node.own_now;
}

static bool
disk_full(void *ctx)
{
	return host_disk_free(ctx) == 0;
}

static void
needs_blob(void *ctx, const struct fp *fp, inputs_each_fn *each, void *arg)
{
	inputs_needed(&((struct warren_node *)ctx)->node, fp, each, arg);
}

static bool
knows_job(void *ctx, const struct id32 *id)
{
	const struct job *j = job_find(&((struct warren_node *)ctx)->node.jobs,
	    id);

	return j != NULL && !j->expired;
}

/* ---- start ---- */

static void
open_store(struct warren_node *wn)
{
	const struct logs_ops lops = {wn, log_grew, follow_room, follow_sent,
	    log_sealed};
	const struct outputs_ops oops = {wn, output_done, own_now, disk_full};
	const struct blobs_limits bl = {wn->node.policy.spool,
	    wn->node.policy.peer_spool};
	char why[160];

	if ((wn->ledger = ledger_open(LEDGER, why)) == NULL)
		fatalx("%s", why);
	if (ledger_load(wn->ledger, &wn->node.jobs) < 0)
		fatalx("ledger.db cannot be read: move it away to start without "
		    "the jobs in it");
	if (ledger_votes(wn->ledger, vote_found, wn) < 0)
		log_warnx("ledger.db", "approvals in it cannot be read");
	wn->node.forgotten = ledger_forgotten(wn->ledger);
	wn->node.created = ledger_created(wn->ledger);
	if ((wn->blobs = blobs_open(wn->dir, wn->ledger, &bl, needs_blob,
		wn)) == NULL)
		fatal("blobs/ and parts/ in the node's folder");
	if ((wn->volumes = volumes_open(wn->dir, wn->blobs, volume_done,
		wn)) == NULL)
		fatal("gaps/ in the node's folder");
	if ((wn->logs = logs_open(wn->loop, wn->dir, DISCARD, &lops)) == NULL)
		fatal("logs/ in the node's folder");
	if ((wn->outputs = outputs_new(wn->loop, wn->blobs, &oops)) == NULL)
		fatal("out of memory");
	if ((wn->wasm = wasmcache_open(wn->dir)) == NULL)
		fatal("wasm");
	if (mkdirat(wn->dir, "seccomp", 0700) != 0 && errno != EEXIST)
		log_warn("seccomp/", "no folder for compiled filters: each job's "
		    "is compiled again");
	wn->cache = openat(wn->dir, "seccomp",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	logs_sweep(wn->logs, knows_job, wn);
	read_budgets(wn);
	node_restore(&wn->node);
	if (ledger_mail(wn->ledger, mail_found, wn) < 0)
		log_warnx("ledger.db", "letters in it cannot be read: they are "
		    "not answered");
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
	wn->events = settings_take(p, SET_DIR_EVENTS, "");
	wn->groups = (struct cgroup_dirs){
	    .v2 = settings_take(p, SET_CG_JOBS, ""),
	    .memory = settings_take(p, SET_CG_V1, "memory"),
	    .cpu = settings_take(p, SET_CG_V1, "cpu"),
	    .pids = settings_take(p, SET_CG_V1, "pids")};
	(void)snprintf(wn->groups.disk, sizeof(wn->groups.disk), "%s",
	    p->params.io_disk);
}

/* The profile's image restricts nothing, but somebody means to use it. */
static void
say_image(const struct warren_node *wn)
{
	const char *name = wn->profile != NULL ? wn->profile->image : NULL;
	struct id32 digest;

	if (name != NULL &&
	    (wn->images < 0 || store_resolve(wn->images, name, &digest) != 0))
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
	ev_timer_init(&wn->work, on_work, 0., 0.);
	wn->work.data = wn;
	host_kick(wn);
	ev_prepare_init(&wn->turn_end, on_turn_end);
	wn->turn_end.data = wn;
	ev_prepare_start(wn->loop, &wn->turn_end);
	if (listener < 0 || (wn->control = control_open(wn, listener)) == NULL)
		log_warnx("node.sock", "cannot be served: `warren status`, `jobs` "
		    "and `peers` do not see this node");
	if (program_attach(&wn->prog, wn->loop, &inbox_ops, wn) < 0 ||
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
	node_clear(&wn->node); /* its links let go of their followers */
	logs_close(wn->logs);
	outputs_free(wn->outputs);
	free(wn->vouched);
	volumes_close(wn->volumes);
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
	host_now(&wn);
	take_dirs(&wn);
	open_store(&wn);
	say_image(&wn);
	run(&wn);
	finish(&wn);
	log_info(NULL, "stopped");
	return 0;
}
