/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/absence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "node/host/blobs.h"
#include "node/host/host.h"
#include "node/host/ledger.h"
#include "node/host/logs.h"
#include "node/host/outbox.h"
#include "node/host/outputs.h"
#include "node/host/volumes.h"
#include "node/proto/proto_req.h"
#include "node/work/found.h"
#include "node/work/peers.h"
#include "node/work/serve.h"
#include "node/work/submit.h"
#include "sandbox/base/tar.h"
#include "tests/sim/absence_others.h"
#include "tests/sim/vtime.h"
#include "tests/unit/hostkit.h"

/*
 * The node: node/work behind node/host with its ledger and its files, as
 * node/host/main.c joins them; between it and its core what transport's
 * bridge does. Its clocks are its own: one began long ago, one is set wrong.
 */
#define LINKS 256
#define REPLIES 64
#define AHEAD_US INT64_C(5000000000)
#define WALL_AHEAD_US (INT64_C(120) * 1000000)
#define ARCHIVE_MAX 16384
#define RATE 1000 /* bits/s, as transport tells of the interface */

struct follower {
	int fd; /* -1: none */
	uint8_t buf[2048];
	size_t from, to;
	bool eof;
};

struct node_link {
	bool used, identified;
	struct hash16 id, who;
	uint8_t identity[RNS_KEY];
	struct follower f[2];
};

struct node_reply {
	struct hash16 link;
	uint64_t tag;
	uint8_t *data;
};

struct others others;
static struct warren_node wn;
static struct node_link links[LINKS];
static struct node_reply replies[REPLIES];
static uint64_t next_tag;
static bool lives;
static enum blob_put (*real_put)(void *, const struct fp *,
    const struct id32 *, uint64_t, uint64_t, const uint8_t *, size_t,
    uint64_t *);
static ssize_t (*real_get)(void *, const struct fp *, const struct id32 *,
    uint64_t, uint8_t *, size_t, uint64_t *);

/* ---- time ---- */

static void
set_time(void)
{
	int64_t us = sim_now(away.sim).us;

	vtime_set(us + AHEAD_US, us + SIM_WALL_US + WALL_AHEAD_US);
	if (lives)
		host_now(&wn);
}

uint32_t
others_unix(void)
{
	return (uint32_t)((sim_now(away.sim).us + SIM_WALL_US +
	    WALL_AHEAD_US) / 1000000);
}

/* ---- links and answers: transport's bridge ---- */

static struct node_link *
link_of(const struct hash16 *id)
{
	for (unsigned i = 0; i < LINKS; i++)
		if (links[i].used && hash16_eq(&links[i].id, id))
			return &links[i];
	return NULL;
}

static void
follow_stop(struct follower *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	*f = (struct follower){.fd = -1};
}

static void
follow_pump(struct node_link *l, unsigned k)
{
	struct follower *f = &l->f[k];
	struct msg_T_FOLLOW_END end = {.stream = (uint16_t)(k + 1)};
	struct rns_cmd c = {.type = RNS_CMD_STREAM_SEND};
	size_t taken;
	ssize_t n;
	int err;

	while (f->fd >= 0) {
		if (f->from == f->to && !f->eof) {
			n = read(f->fd, f->buf, sizeof(f->buf));
			if (n < 0)
				return;
			f->from = 0;
			f->to = (size_t)n;
			f->eof = n == 0;
		}
		taken = 0;
		c.stream.link = l->id;
		c.stream.stream = (uint16_t)(k + 1);
		c.stream.data = f->buf + f->from;
		c.stream.len = f->to - f->from;
		c.stream.eof = f->eof;
		c.stream.taken = &taken;
		err = sim_submit(away.sim, FAR, &c);
		if (err == RNS_EAGAIN)
			return;
		f->from += err == RNS_OK ? taken : 0;
		if (err == RNS_OK && (f->from < f->to || !f->eof))
			continue;
		end.link = l->id;
		follow_stop(f);
		node_follow_end(&wn.node, &end);
	}
}

void
others_follow(const struct msg_N_FOLLOW *m, int fd)
{
	struct node_link *l = link_of(&m->link);
	int mine = dup(fd);

	if (l == NULL || mine < 0 || m->stream < 1 || m->stream > 2) {
		if (mine >= 0)
			(void)close(mine);
		return;
	}
	(void)fcntl(mine, F_SETFL, O_NONBLOCK);
	follow_stop(&l->f[m->stream - 1]);
	l->f[m->stream - 1].fd = mine;
}

void
others_reply(const struct msg_N_REPLY *m, const int *fds, unsigned nfds)
{
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};
	struct node_reply *p = replies;
	bool later = false;

	while (p < replies + REPLIES && p->data != NULL)
		p++;
	if (p == replies + REPLIES)
		return; /* lost: who asked asks again */
	p->data = malloc(m->len);
	MUST(p->data != NULL, "no memory");
	if (nfds > 0)
		MUST(pread(fds[0], p->data, m->len, 0) == (ssize_t)m->len,
		    "an answer");
	else
		memcpy(p->data, m->data, m->len);
	p->link = m->link;
	p->tag = c.respond.tag = ++next_tag;
	c.respond.link = m->link;
	c.respond.request_id = m->request;
	c.respond.data = p->data;
	c.respond.len = m->len;
	c.respond.as_resource = &later;
	if (sim_submit(away.sim, FAR, &c) == RNS_OK && later)
		return;
	free(p->data);
	p->data = NULL;
}

void
others_close(const struct msg_N_CLOSE *m)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_CLOSE};

	c.hash = m->link;
	(void)sim_submit(away.sim, FAR, &c);
}

void
others_app_data(const struct msg_N_APP_DATA *m)
{
	struct rns_cmd c = {.type = RNS_CMD_APP_DATA};

	c.announce.dest = away.dest;
	c.announce.app_data = m->data;
	c.announce.app_data_len = m->data_len;
	(void)sim_submit(away.sim, FAR, &c);
	if (!m->announce)
		return;
	c.type = RNS_CMD_ANNOUNCE;
	c.announce.app_data = NULL;
	c.announce.app_data_len = 0;
	(void)sim_submit(away.sim, FAR, &c);
}

static void
tell(const struct node_link *l)
{
	struct msg_T_LINK m = {.bitrate = RATE};
	struct msg_T_IDENTIFIED d = {.rns_hash = l->who};
	struct rns_link_info info;

	if (!lives || !rns_link_get(sim_rns(away.sim, FAR), &l->id, &info))
		return;
	m.link = d.link = l->id;
	m.rtt_us = (uint32_t)info.rtt_us;
	m.mtu = info.mtu;
	m.mdu = info.mdu;
	peers_link(&wn.node, &m);
	memcpy(d.rns_public, l->identity, RNS_KEY);
	if (l->identified)
		peers_identified(&wn.node, &d);
}

static void
on_up(const struct hash16 *id)
{
	struct node_link *l = links;

	while (l < links + LINKS && l->used)
		l++;
	MUST(l < links + LINKS, "more links than there is room for");
	*l = (struct node_link){.used = true, .id = *id};
	l->f[0].fd = l->f[1].fd = -1;
	tell(l);
}

static void
on_closed(struct node_link *l)
{
	if (lives)
		peers_closed(&wn.node, &l->id);
	l->used = false;
	away.breaks++;
	follow_stop(&l->f[0]);
	follow_stop(&l->f[1]);
	for (unsigned i = 0; i < REPLIES; i++)
		if (replies[i].data != NULL &&
		    hash16_eq(&replies[i].link, &l->id)) {
			free(replies[i].data);
			replies[i].data = NULL;
		}
}

static void
on_request(const struct rns_event *ev)
{
	struct msg_T_REQUEST m = {.len = (uint32_t)ev->request.len};

	if (!lives || link_of(&ev->request.link) == NULL)
		return;
	m.link = ev->request.link;
	m.request = ev->request.request_id;
	m.path_hash = ev->request.path_hash;
	serve_request(&wn.node, &m, ev->request.data, ev->request.len);
}

static void
on_sent(uint64_t tag)
{
	for (unsigned i = 0; i < REPLIES; i++)
		if (replies[i].data != NULL && replies[i].tag == tag) {
			free(replies[i].data);
			replies[i].data = NULL;
		}
}

void
away_node_event(const struct rns_event *ev)
{
	struct node_link *l;

	set_time();
	away.wake = true;
	switch (ev->type) {
	case RNS_EV_LINK_UP:
		if (!ev->link.initiator)
			on_up(&ev->link.id);
		break;
	case RNS_EV_LINK_IDENTIFIED:
		if ((l = link_of(&ev->link.id)) == NULL)
			break;
		l->identified = true;
		l->who = ev->link.identity_hash;
		memcpy(l->identity, ev->link.identity, RNS_KEY);
		tell(l);
		break;
	case RNS_EV_LINK_CLOSED:
		if ((l = link_of(&ev->link.id)) != NULL)
			on_closed(l);
		break;
	case RNS_EV_REQUEST:
		on_request(ev);
		break;
	case RNS_EV_SENT:
		on_sent(ev->sent.tag);
		break;
	default:
		break;
	}
}

/* ---- what stands in the place of parts of the machine ---- */

static void
no_job(void *ctx, struct job *j)
{
	(void)ctx;
	(void)j;
}

static bool
group_kill(void *ctx, struct job *j)
{
	(void)ctx;
	jail_kill(&j->id, 0);
	return true;
}

static bool
freeze(void *ctx, struct job *j, bool on)
{
	(void)ctx;
	(void)j;
	(void)on;
	return false;
}

static void
slow(void *ctx, struct job *j, uint32_t milli)
{
	(void)ctx;
	(void)j;
	(void)milli;
}

static void
random_bytes(void *ctx, uint8_t *p, size_t n)
{
	uint64_t v = sim_random(away.sim);

	(void)ctx;
	sim_random_bytes(&v, p, n);
}

/* What was moved, to see that no byte goes twice without need. */
static enum blob_put
put(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t size,
    uint64_t offset, const uint8_t *data, size_t n, uint64_t *have)
{
	jail_moved(sha, size, n, true);
	return real_put(ctx, fp, sha, size, offset, data, n, have);
}

static ssize_t
get(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t offset,
    uint8_t *buf, size_t n, uint64_t *size)
{
	ssize_t got = real_get(ctx, fp, sha, offset, buf, n, size);

	if (got > 0)
		jail_moved(sha, *size, (size_t)got, false);
	return got;
}

/* ---- what main.c joins ---- */

static void
needed(void *ctx, const struct fp *fp, inputs_each_fn *each, void *arg)
{
	inputs_needed(&((struct warren_node *)ctx)->node, fp, each, arg);
}

static bool
disk_full(void *ctx)
{
	(void)ctx;
	return false;
}

static void
grew(void *ctx, struct job *j)
{
	node_output(&((struct warren_node *)ctx)->node, j);
}

static void
sealed(void *ctx, struct job *j)
{
	node_log_sealed(&((struct warren_node *)ctx)->node, j);
}

static uint64_t
follow_room(void *ctx, const struct hash16 *link, uint32_t *wait_ms)
{
	return peer_follow_room(&((struct warren_node *)ctx)->node, link,
	    wait_ms);
}

static void
follow_sent(void *ctx, const struct hash16 *link, uint64_t bytes)
{
	struct node *n = &((struct warren_node *)ctx)->node;
	struct caller *l = caller_find(n, link);

	if (l != NULL)
		peer_charge(n, l, bytes);
}

static void
output_done(void *ctx, const struct id32 *job, unsigned volume, bool ok,
    const struct id32 *sha, uint64_t size, const struct left *left,
    const char *why)
{
	node_packed(&((struct warren_node *)ctx)->node, job, volume, ok, sha,
	    size, left, why);
}

static uint32_t
unix_now(void *ctx)
{
	return ((struct warren_node *)ctx)->node.unix_now;
}

static void
volume_done(void *ctx, const struct fp *fp, const struct id32 *sha, bool ok,
    const char *why)
{
	struct node *n = &((struct warren_node *)ctx)->node;

	if (ok)
		inputs_came(n, fp, sha, true);
	else
		inputs_bad(n, fp, sha, why);
}

/* An archive with what the job gives in one file, as the hand makes it. */
static size_t
archive(unsigned job, uint8_t out[ARCHIVE_MAX])
{
	struct tar_member t = {.type = TAR_FILE, .path = "out", .mode = 0644,
	    .size = away.job[job].out};
	size_t blocks = (t.size + TAR_BLOCK - 1) / TAR_BLOCK;

	memset(out, 0, ARCHIVE_MAX);
	MUST((blocks + 3) * TAR_BLOCK <= ARCHIVE_MAX &&
	    tar_header(out, &t) == TAR_OK, "an archive");
	away_bytes(job, AWAY_OUT, out + TAR_BLOCK, t.size);
	return (blocks + 3) * TAR_BLOCK;
}

void
others_pack(const struct msg_J_STEP *m, unsigned job)
{
	static uint8_t tar[ARCHIVE_MAX];
	struct job *j = job_find(&wn.node.jobs, &m->job);
	struct left left = {0};
	struct blob_writer *out;
	struct id32 sha;
	uint64_t size;

	MUST(j != NULL, "a pack step of nothing");
	out = blob_writer_open(wn.blobs);
	MUST(out != NULL && blob_writer_add(out, tar, archive(job, tar)) == 0 &&
	    blob_writer_finish(out, &j->owner, wn.node.unix_now, &sha, &size)
	    == 0, "an output");
	jail_output(job, &sha);
	node_packed(&wn.node, &m->job, m->volume, true, &sha, size, &left, "");
}

static void
deliver(struct other_event *e)
{
	struct node *n = &wn.node;
	const void *m = e->msg;

	switch (e->type) {
#define GIVE(T, fn)                                                            \
	case IPC_##T:                                                          \
		fn(n, m);                                                      \
		break;
		GIVE(V_VERDICT, serve_verdict)
		GIVE(V_LIVE_OK, submit_live)
		GIVE(K_SIGNED, finish_signed)
		GIVE(K_BINDING, node_binding)
		GIVE(HEAD, finish_head)
		GIVE(J_FAILED, finish_failed)
		GIVE(J_EXITED, finish_exited)
		GIVE(J_FORGOTTEN, finish_forgotten)
		GIVE(J_STAGING, found_staging)
		GIVE(J_POSTURE, found_posture)
		GIVE(T_HELLO, node_hello)
	case IPC_J_RUNNING:
		jail_pipes(&wn, ((const struct msg_J_RUNNING *)m)->job);
		found_running(n, m);
		break;
	case IPC_J_STARTED:
		jail_pipes(&wn, ((const struct msg_J_STARTED *)m)->job);
		finish_started(n, m);
		break;
	case IPC_J_STEP:
		others_pack(m, jail_number(&((const struct msg_J_STEP *)m)->
		    job));
		break;
	case IPC_V_MANIFEST:
		submit_manifest(n, m, e->data, e->data_len);
		break;
	default:
		away_broken("message %d", (int)e->type);
	}
}

static void
turn_end(void)
{
	(void)node_tick(&wn.node);
	if (ev_is_active(&wn.lazy)) {
		ev_timer_stop(wn.loop, &wn.lazy);
		wn.lazy_due = true;
	}
	outbox_flush(&wn);
}

void
away_node_turn(void)
{
	struct other_event *e;

	set_time();
	jail_works();
	if (!lives)
		return;
	do {
		turn_end();
		while ((e = others_next()) != NULL) {
			deliver(e);
			others_free(e);
		}
		(void)ev_run(wn.loop, EVRUN_NOWAIT);
		(void)volumes_work(wn.volumes, wn.node.unix_now);
	} while (others_waiting());
	turn_end();
	(void)volumes_expire(wn.volumes, wn.node.unix_now);
	for (unsigned i = 0; i < LINKS; i++)
		for (unsigned k = 0; links[i].used && k < 2; k++)
			follow_pump(&links[i], k);
}

/* ---- lives of the program ---- */

static void
fill(struct host *h)
{
	host_fill(h, &wn);
	hostkit_fill(h);
	h->kill = group_kill;
	h->freeze = freeze;
	h->slow = slow;
	h->usage = h->ending = h->free_slot = no_job;
	h->random = random_bytes;
	real_put = h->blob_put;
	h->blob_put = put;
	real_get = h->blob_get;
	h->blob_get = get;
}

void
away_node_back(void)
{
	const struct blobs_limits limits = {1 << 26, 1 << 26};
	const struct logs_ops lops = {&wn, grew, follow_room, follow_sent,
	    sealed};
	const struct outputs_ops oops = {&wn, output_done, unix_now,
	    disk_full};
	struct policy policy;
	char path[ABSENCE_PATH + 20], why[160];
	struct host h;

	memset(&wn, 0, sizeof(wn));
	(void)snprintf(path, sizeof(path), "%s/node", away.dir);
	set_time();
	wn.loop = ev_loop_new(EVFLAG_AUTO);
	wn.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(wn.dir >= 0, "%s: %s", path, strerror(errno));
	wn.images = wn.events = -1;
	policy_init(&policy, 2, UINT64_C(4) << 30);
	policy.accept = true;
	policy.required = 0x3;
	policy.max_airtime_s = 4 * 3600;
	key_fp(&policy.fp, &others.key);
	policy.keep_results_s = (uint32_t)(away.keep_results / MONO_SECOND);
	outbox_init(&wn);
	fill(&h);
	MUST(node_init(&wn.node, &policy, &h), "no memory");
	host_now(&wn);
	(void)snprintf(path, sizeof(path), "%s/node/ledger.db", away.dir);
	MUST((wn.ledger = ledger_open(path, why)) != NULL, "%s", why);
	MUST(ledger_load(wn.ledger, &wn.node.jobs) >= 0, "ledger");
	wn.node.forgotten = ledger_forgotten(wn.ledger);
	wn.blobs = blobs_open(wn.dir, wn.ledger, &limits, needed, &wn);
	MUST(wn.blobs != NULL, "blobs");
	wn.volumes = volumes_open(wn.dir, wn.blobs, volume_done, &wn);
	wn.logs = logs_open(wn.loop, wn.dir, STDERR_FILENO, &lops);
	wn.outputs = outputs_new(wn.loop, wn.blobs, &oops);
	MUST(wn.volumes != NULL && wn.logs != NULL && wn.outputs != NULL,
	    "volumes, logs, outputs");
	lives = true;
	node_restore(&wn.node);
	for (int i = PROGRAM_TRANSPORT; i < PROGRAM_COUNT; i++)
		node_up(&wn.node, (enum program)i);
	others_hello();
	for (unsigned i = 0; i < LINKS; i++)
		if (links[i].used)
			tell(&links[i]);
}

/* What the kernel does to one that was killed. */
void
away_node_die(void)
{
	lives = false;
	away.deaths++;
	for (unsigned i = 0; i < LINKS; i++) {
		if (!links[i].used)
			continue;
		follow_stop(&links[i].f[0]);
		follow_stop(&links[i].f[1]);
	}
	others_deaf();
	node_clear(&wn.node); /* its links let go of their followers */
	volumes_close(wn.volumes);
	ledger_close(wn.ledger);
	blobs_close(wn.blobs);
	logs_close(wn.logs);
	outputs_free(wn.outputs);
	ev_loop_destroy(wn.loop);
	(void)close(wn.dir);
}

bool
away_node_lives(void)
{
	return lives;
}

static void
add_dest(void)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD};
	uint8_t pub[RNS_KEY];
	struct hash16 id;

	c.dest.type = RNS_SINGLE;
	c.dest.name = "klp.node";
	memcpy(c.dest.identity, others.rns, RNS_KEY);
	c.dest.has_identity = true;
	c.dest.accept_links = true;
	c.dest.max_request = PROTO_REQUEST_MAX;
	MUST(rns_identity_derive(pub, &id, others.rns) == RNS_OK &&
	    rns_dest_hash(&away.dest, c.dest.name, &id) == RNS_OK &&
	    sim_submit(away.sim, FAR, &c) == RNS_OK, "a destination");
	for (unsigned p = 0; p < PATH_COUNT; p++) {
		struct rns_cmd h = {.type = RNS_CMD_HANDLER_ADD};

		h.handler.dest = away.dest;
		h.handler.path = proto_path((enum proto_path)p);
		h.handler.allow = RNS_ALLOW_ALL;
		h.handler.compress_max = 65536;
		MUST(sim_submit(away.sim, FAR, &h) == RNS_OK, "a handler");
	}
}

void
away_node_open(void)
{
	memset(links, 0, sizeof(links));
	others_open();
	add_dest();
	away_node_back();
}

void
away_node_close(void)
{
	if (lives)
		away_node_die();
	others_end();
	for (unsigned i = 0; i < REPLIES; i++) {
		free(replies[i].data);
		replies[i].data = NULL;
	}
}
