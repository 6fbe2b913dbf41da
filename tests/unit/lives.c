/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/lives_world.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "node/host/blobs.h"
#include "node/host/host.h"
#include "node/host/ledger.h"
#include "node/host/logs.h"
#include "node/host/outbox.h"
#include "node/host/volumes.h"
#include "node/work/found.h"
#include "node/work/serve.h"
#include "node/work/submit.h"
#include "transport/core/base/crypt.h"
#include "tests/unit/hostkit.h"
#include "trust/doc/manifest_record.h"

struct lives w;

void
broken(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s, killed at %u,%u (%s): ", w.life->name,
	    w.kill_at[0], w.kill_at[1], w.died_at);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; peer saw %s, jail ran it %u times\n", w.peer.state,
	    w.jail.runs);
	_exit(1);
}

/* Here the node may die. */
static void
point(const char *what, const char *which)
{
	if (!w.alive)
		return;
	w.point++;
	if (w.point != w.kill_at[0] && w.point != w.kill_at[1])
		return;
	(void)snprintf(w.died_at, sizeof(w.died_at), "%s %s", what, which);
	w.alive = false;
	longjmp(w.died, 1);
}

/* ---- messages ---- */

void
post(int64_t ms, enum ipc_type type, const void *msg, size_t len,
    const uint8_t *data, size_t data_len)
{
	struct event *e = calloc(1, sizeof(*e)), *k;

	OATH(e != NULL && len <= sizeof(e->msg), "no memory");
	e->at = mono_add(w.now, ms * 1000);
	e->type = type;
	e->len = len;
	memcpy(e->msg, msg, len);
	if (data_len > 0 && (e->data = malloc(data_len)) != NULL)
		memcpy(e->data, data, data_len);
	e->data_len = data_len;
	TAILQ_FOREACH(k, &w.events, link) {
		if (k->at.us > e->at.us) {
			TAILQ_INSERT_BEFORE(k, e, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&w.events, e, link);
}

void
drop_events(bool of_jail)
{
	struct event *e, *next;

	for (e = TAILQ_FIRST(&w.events); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (of_jail && (ipc_row(e->type)->senders &
		    1u << PROGRAM_JAIL) == 0)
			continue;
		TAILQ_REMOVE(&w.events, e, link);
		free(e->data);
		free(e);
	}
}

/* ---- what the node sends ---- */

struct ipc *__wrap_program_channel(const struct process *, enum program);
int __wrap_ipc_send(struct ipc *, const uint8_t *, size_t, const int *,
    unsigned);
int __real_ledger_commit(struct ledger *, struct jobs *, bool *);
int __wrap_ledger_commit(struct ledger *, struct jobs *, bool *);

struct ipc *
__wrap_program_channel(const struct process *p, enum program who)
{
	static char tokens[PROGRAM_COUNT];

	(void)p;
	return (struct ipc *)(void *)&tokens[who];
}

static void
heard(enum ipc_type type, const uint8_t *bytes, size_t len, const int *fds,
    unsigned nfds)
{
	struct rd r = rd_make(bytes + 2, len - 2);

#define HEAR(T, call)                                                          \
	case IPC_##T: {                                                        \
		struct msg_##T m;                                              \
                                                                               \
		OATH(msg_get_##T(r, &m), "a message that does not read");      \
		call;                                                          \
		break;                                                         \
	}
	switch (type) {
		HEAR(J_RUN, jail_run(&m))
		HEAR(J_KILL, jail_kill(&m))
		HEAR(J_FORGET, jail_forget(&m))
		HEAR(J_STEP, POST(1, J_STEP_DONE, (&(struct msg_J_STEP_DONE){
		    .job = m.job, .step = m.step, .volume = m.volume,
		    .ok = its_job(&m.job)})))
		HEAR(K_RECEIPT, keys_sign(&m))
		HEAR(V_ASK, trust_ask(&m))
		HEAR(V_ENVELOPE, trust_envelope(&m, fds))
		HEAR(EVENT, trail(&m))
		HEAR(N_REPLY, peer_reply(&m, fds, nfds))
	default:
		break;
	}
}

int
__wrap_ipc_send(struct ipc *c, const uint8_t *bytes, size_t len,
    const int *fds, unsigned nfds)
{
	struct rd r = rd_make(bytes, len);
	uint16_t type = 0;

	(void)c;
	OATH(rd_u16(&r, &type) && type < IPC_TYPES, "a message");
	w.messages++;
	point("before sending", ipc_row(type)->name);
	heard((enum ipc_type)type, bytes, len, fds, nfds);
	point("after sending", ipc_row(type)->name);
	return 0;
}

int
__wrap_ledger_commit(struct ledger *l, struct jobs *js, bool *full)
{
	bool any = ledger_pending(l, js);
	int rv;

	w.commits += any;
	if (any)
		point("before a", "commit");
	rv = __real_ledger_commit(l, js, full);
	if (any)
		point("after a", "commit");
	return rv;
}

/* ---- the node's own world ---- */

static void
no_job(void *ctx, struct job *j)
{
	(void)ctx;
	(void)j;
}

static void
no_log(void *ctx, const struct job *j)
{
	(void)ctx;
	(void)j;
}

static uint64_t
room(void *ctx, const struct hash16 *link, uint32_t *wait_ms)
{
	(void)ctx;
	(void)link->b;
	*wait_ms = 1;
	return 1 << 20;
}

static void
sent(void *ctx, const struct hash16 *link, uint64_t bytes)
{
	(void)ctx;
	(void)link->b;
	(void)bytes;
}

static bool
group_kill(void *ctx, struct job *j)
{
	(void)ctx;
	if (its_job(&j->id))
		jail_group_kill();
	return true;
}

static void
usage(void *ctx, struct job *j)
{
	(void)ctx;
	j->cpu_ms = 5;
}

static void
needed(void *ctx, const struct fp *fp, inputs_each_fn *each, void *arg)
{
	inputs_needed(&((struct warren_node *)ctx)->node, fp, each, arg);
}

static void
now(void)
{
	node_time(&w.wn.node, w.now, w.wall_us);
}

static unsigned
bad_state(void)
{
	for (unsigned s = 0; s < JS_COUNT; s++) {
		if (strcmp(w.life->bad_row, job_state_name(s)) == 0)
			return s;
	}
	broken("no state %s", w.life->bad_row);
}

/* As a damaged page does it: to this row, and to no other. */
void
bad_row(bool bad)
{
	char path[128], hex[65], sql[400];
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s/ledger.db", w.dir);
	OATH(sqlite3_open(path, &db) == SQLITE_OK, "sqlite");
	hex_encode(hex, HASH_BYTES(w.id));
	(void)snprintf(sql, sizeof(sql), bad ?
	    "CREATE TRIGGER IF NOT EXISTS a BEFORE INSERT ON jobs WHEN"
	    " NEW.id = x'%s' AND NEW.state = %u"
	    " BEGIN SELECT RAISE(ABORT, 'a bad row'); END;" :
	    "DROP TRIGGER IF EXISTS a", hex, bad_state());
	OATH(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
	    sqlite3_errmsg(db));
	OATH(sqlite3_close(db) == SQLITE_OK, "sqlite");
}

/* ---- a life of the node ---- */

/* The end of a turn, as main.c has it. */
static struct mono
turn_end(void)
{
	struct mono next;

	now();
	next = node_tick(&w.wn.node);
	outbox_flush(&w.wn);
	return next;
}

static void
say_hello(void)
{
	struct node *n = &w.wn.node;
	struct msg_T_HELLO hello = {.dest = {{9}}};
	struct msg_T_LINK link = {.link = {{1}}, .bitrate = 1000000};
	struct msg_T_IDENTIFIED who = {.link = {{1}}, .rns_public = {PEER},
	    .rns_hash = {{PEER}}};

	for (int i = PROGRAM_TRANSPORT; i < PROGRAM_COUNT; i++)
		node_up(n, (enum program)i);
	n->has_binding = true;
	POST(0, T_HELLO, &hello);
	POST(0, T_LINK, &link);
	POST(0, T_IDENTIFIED, &who);
	jail_tells();
}

static void
no_volume(void *ctx, const struct fp *fp, const struct id32 *sha, bool ok,
    const char *why)
{
	(void)ctx;
	(void)fp;
	(void)sha;
	(void)ok;
	(void)why;
}

static void
born(void)
{
	struct warren_node *wn = &w.wn;
	const struct blobs_limits limits = {1 << 20, 1 << 20};
	const struct logs_ops lops = {wn, no_job, room, sent, no_job};
	struct policy policy;
	char path[128], why[160];
	struct host h;

	memset(wn, 0, sizeof(*wn));
	w.lives++;
	wn->loop = ev_loop_new(EVFLAG_AUTO);
	wn->dir = open(w.dir, O_RDONLY | O_DIRECTORY);
	policy_init(&policy, 1, UINT64_C(4) << 30);
	policy.accept = true;
	policy.required = 0x3;
	if (w.life->expires)
		policy.keep_results_s = 600;
	outbox_init(wn);
	host_fill(&h, wn);
	hostkit_fill(&h);
	h.kill = group_kill;
	h.usage = usage;
	h.ending = h.free_slot = no_job;
	h.log_end = no_log;
	OATH(node_init(&wn->node, &policy, &h), "no memory");
	now();
	(void)snprintf(path, sizeof(path), "%s/ledger.db", w.dir);
	OATH((wn->ledger = ledger_open(path, why)) != NULL, "%s", why);
	OATH(ledger_load(wn->ledger, &wn->node.jobs) >= 0, "ledger");
	if (w.life->bad_row != NULL && w.lives == 1)
		bad_row(true);
	wn->blobs = blobs_open(wn->dir, wn->ledger, &limits, needed, wn);
	wn->logs = logs_open(wn->loop, wn->dir, STDERR_FILENO, &lops);
	OATH(wn->blobs != NULL && wn->logs != NULL, "blobs, logs");
	/* no volume here comes in chunks */
	wn->volumes = volumes_open(wn->dir, wn->blobs, no_volume, wn);
	OATH(wn->volumes != NULL, "volumes");
	w.alive = true;
	node_restore(&wn->node);
	say_hello();
	(void)turn_end();
}

/* What the kernel does to one that was killed. */
static void
buried(void)
{
	volumes_close(w.wn.volumes);
	ledger_close(w.wn.ledger);
	blobs_close(w.wn.blobs);
	logs_close(w.wn.logs);
	ev_loop_destroy(w.wn.loop);
	(void)close(w.wn.dir);
	drop_events(false);
	w.peer.asked = 0;
	w.peer.next = w.now;
}

static void
packed(const struct msg_J_STEP_DONE *m)
{
	struct blob_writer *out;
	struct left left = {0};
	struct id32 sha = {{0}};
	uint64_t size = 0;
	bool ok = m->ok;

	if (ok) {
		OATH((out = blob_writer_open(w.wn.blobs)) != NULL &&
		    blob_writer_add(out, (const uint8_t *)"output\n", 7) == 0,
		    "output");
		point("before an output", "is kept");
		ok = blob_writer_finish(out, fp_at((uint8_t[32]){PEER}),
		    w.wn.node.unix_now, &sha, &size) == 0;
		point("after an output", "is kept");
	}
	node_packed(&w.wn.node, &m->job, m->volume, ok, &sha, size, &left,
	    "not now");
}

static void
started(const struct msg_J_STARTED *m)
{
	struct job *j = job_find(&w.wn.node.jobs, &m->job);

	finish_started(&w.wn.node, m);
	if (w.life->floods && j != NULL) {
		j->log[2] = UINT64_C(1) << 40;
		node_output(&w.wn.node, j);
	}
}

static void
found(const struct msg_J_RUNNING *m)
{
	struct job *j = job_find(&w.wn.node.jobs, &m->job);

	if (w.life->floods && j != NULL) /* as the size of its file says */
		j->log[2] = UINT64_C(1) << 40;
	found_running(&w.wn.node, m);
}

static void
deliver(struct event *e)
{
	struct node *n = &w.wn.node;
	const void *m = e->msg;

	now();
	switch (e->type) {
#define GIVE(T, fn)                                                            \
	case IPC_##T:                                                          \
		fn(n, m);                                                      \
		break;
		GIVE(T_HELLO, node_hello)
		GIVE(T_LINK, peers_link)
		GIVE(T_IDENTIFIED, peers_identified)
		GIVE(V_VERDICT, serve_verdict)
		GIVE(K_SIGNED, finish_signed)
		GIVE(HEAD, finish_head)
		GIVE(J_FAILED, finish_failed)
		GIVE(J_EXITED, finish_exited)
		GIVE(J_FORGOTTEN, finish_forgotten)
		GIVE(J_STAGING, found_staging)
		GIVE(J_POSTURE, found_posture)
	case IPC_J_RUNNING:
		found(m);
		break;
	case IPC_J_STARTED:
		started(m);
		break;
	case IPC_J_STEP_DONE:
		packed(m);
		break;
	case IPC_V_MANIFEST:
		submit_manifest(n, m, e->data, e->data_len);
		break;
	case IPC_T_REQUEST:
		serve_request(n, m, e->data, e->data_len);
		break;
	default:
		broken("message %d", (int)e->type);
	}
}

/* Virtual time passes, to the next thing that happens to anybody. */
static void
wait_until(struct mono next)
{
	struct event *e = TAILQ_FIRST(&w.events);

	if (ev_is_active(&w.wn.lazy) || ev_is_active(&w.wn.retry)) {
		/* they are the loop's, in real time */
		ev_timer_stop(w.wn.loop, &w.wn.lazy);
		w.wn.lazy_due = true;
		next = mono_min(next, mono_add(w.now, 100000));
	}
	if (e != NULL)
		next = mono_min(next, e->at);
	next = mono_min(next, w.jail.ends);
	if (w.peer.phase != END)
		next = mono_min(next, w.peer.next);
	next.us = MAX_OF(next.us, w.now.us + 1);
	w.wall_us += next.us - w.now.us;
	w.now = next;
}

static bool
over(void)
{
	return w.peer.phase == END && w.jail.is == EMPTY &&
	    TAILQ_EMPTY(&w.events) &&
	    !ledger_pending(w.wn.ledger, &w.wn.node.jobs);
}

static void
live(void)
{
	struct event *e;

	for (unsigned turns = 0; !over(); turns++) {
		struct mono next = turn_end();

		OATH(turns < TURNS, "it turns and turns");

		jail_works();
		peer_acts();
		e = TAILQ_FIRST(&w.events);
		if (e == NULL || e->at.us > w.now.us) {
			wait_until(next);
			OATH(w.now.us < MAX_US, "no end of it");
			continue;
		}
		TAILQ_REMOVE(&w.events, e, link);
		w.messages++;
		point("before hearing", ipc_row(e->type)->name);
		deliver(e);
		point("after hearing", ipc_row(e->type)->name);
		free(e->data);
		free(e);
	}
}

/* ---- what must be true at the end ---- */

static void
judge(void)
{
	const struct life *l = w.life;
	const struct submitter *p = &w.peer;
	const struct jail *j = &w.jail;

	OATH(w.wn.node.slot[1] == NULL && !w.wn.node.ghost[1],
	    "its slot is not free");
	OATH(l->expires == (job_find(&w.wn.node.jobs, &w.id) == NULL),
	    "known, or not, after its time");
	OATH(l->bad_row == NULL || w.kill_at[0] != 0 || p->busy > 0,
	    "its row was bad, and nobody was told");
	if (strcmp(p->state, "lost") == 0) {
		/* only what jail has lost, or never had, or gave up so that
		 * its slot serves others, while its end was not written */
		OATH(j->fell_last || j->runs < p->attempts ||
		    l->bad_row != NULL,
		    "lost, and jail had it");
		return;
	}
	if (l->cancel_in != NULL && strcmp(p->state, "cancelled") == 0) {
		OATH(j->runs == 0 || j->is != RUNS, "cancelled, and it ran");
		return;
	}
	if (l->cancel_in != NULL && strcmp(p->state, "done") == 0 &&
	    p->outcome == OUT_EXITED) {
		OATH(j->how == EXIT_CODE, "exited, it says");
		return; /* it was quicker */
	}
	OATH(strcmp(p->state, l->ends) == 0, "ended as %s", p->state);
	if (strcmp(l->ends, "done") == 0)
		OATH(p->outcome == l->outcome && p->code == l->code,
		    "outcome %u %d", p->outcome, (int)p->code);
}

static void
conceive(void)
{
	struct manifest m;

	manifest_init(&m);
	m.has = HAS_COMMAND | HAS_RETRIES;
	m.submitter.b[0] = PEER;
	OATH(urn_make(m.submitter_urn, "kindai", "human", &m.submitter), "urn");
	m.nonce[0] = 1;
	m.retries = (uint8_t)w.life->retries;
	m.not_after = (uint32_t)START_UNIX + (w.life->deadline ? 30 : 3600);
	m.limit[LIMIT_TIME] = w.life->deadline ? 60000 : 5000;
	m.deadline = (uint32_t)START_UNIX + (w.life->deadline ? 40 : 7200);
	(void)snprintf(m.image, sizeof(m.image), "test:1");
	OATH(text_list_add(&m.command, "/bin/true", 9), "command");
	crypt_sha256(&w.tar_sha, w.tar, TAR);
	for (unsigned i = 0; w.life->volumes && i < 2; i++) {
		struct manifest_volume *v = &m.volume[i];

		m.has |= HAS_VOLUMES;
		m.nvolumes = 2;
		(void)snprintf(v->target, sizeof(v->target), "/v%u", i);
		v->rw = i == 1;
		v->blob.sha256 = w.tar_sha;
		v->blob.size = TAR;
	}
	w.env_len = manifest_record_put(w.env, sizeof(w.env), &m);
	OATH(w.env_len > 0, "manifest");
	manifest_clear(&m);
	crypt_sha256(&w.id, w.env, w.env_len);
}

int
life_run(const struct life *l, const char *dir, const unsigned kill_at[2],
    struct life_end *end)
{
	memset(&w, 0, sizeof(w));
	w.life = l;
	w.dir = dir;
	w.kill_at[0] = kill_at[0];
	w.kill_at[1] = kill_at[1];
	TAILQ_INIT(&w.events);
	w.now = (struct mono){1000 * MONO_SECOND};
	w.wall_us = START_UNIX * 1000000;
	w.jail.ends = MONO_NEVER;
	conceive();
	if (setjmp(w.died) != 0)
		buried();
	born();
	live();
	judge();
	end->points = w.point;
	end->commits = w.commits;
	end->messages = w.messages;
	end->lives = w.lives;
	memcpy(end->died_at, w.died_at, sizeof(end->died_at));
	w.alive = false;
	buried();
	return 0;
}
