/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/work/peers.h"
#include "node/work/serve.h"
#include "tests/sim/week.h"

/*
 * The node's end: what transport's bridge does between its core and the node,
 * and what jail, keys and the log say of jobs whose bytes are checked.
 */
#define LINKS 256
#define REPLIES 64

struct follower {
	bool on;
	unsigned job;
	uint64_t at;
};

struct node_link {
	bool used, identified;
	struct hash16 id;
	struct follower f[2];
};

struct node_reply {
	struct hash16 link;
	uint64_t tag;
	uint8_t *data;
};

static struct node_link links[LINKS];
static struct node_reply replies[REPLIES];
static uint64_t next_tag;
static bool down;
static unsigned asked, answered;
static bool (*fake_start)(void *, struct job *, const char **, char[128]);

static struct node_link *
link_of(const struct hash16 *id)
{
	for (unsigned i = 0; i < LINKS; i++)
		if (links[i].used && hash16_eq(&links[i].id, id))
			return &links[i];
	return NULL;
}

/* ---- what the node says to its core ---- */

static void
reply(void *ctx, struct msg_N_REPLY *m, const uint8_t *answer, size_t len)
{
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};
	struct node_reply *p = NULL;
	bool later = false;

	(void)ctx;
	answered++;
	for (unsigned i = 0; i < REPLIES && p == NULL; i++)
		if (replies[i].data == NULL)
			p = &replies[i];
	if (p == NULL)
		return; /* lost: who asked asks again */
	p->data = malloc(len);
	assert_non_null(p->data);
	memcpy(p->data, answer, len);
	p->link = m->link;
	p->tag = c.respond.tag = ++next_tag;
	c.respond.link = m->link;
	c.respond.request_id = m->request;
	c.respond.data = p->data;
	c.respond.len = len;
	c.respond.as_resource = &later;
	if (sim_submit(week.sim, WEEK_B, &c) == RNS_OK && later)
		return;
	free(p->data);
	p->data = NULL;
}

static void
app_data(void *ctx, const struct msg_N_APP_DATA *m)
{
	struct rns_cmd c = {.type = RNS_CMD_APP_DATA};

	(void)ctx;
	c.announce.dest = week.dest;
	c.announce.app_data = m->data;
	c.announce.app_data_len = m->data_len;
	(void)sim_submit(week.sim, WEEK_B, &c);
	if (!m->announce)
		return;
	c.type = RNS_CMD_ANNOUNCE;
	c.announce.app_data = NULL;
	c.announce.app_data_len = 0;
	(void)sim_submit(week.sim, WEEK_B, &c);
}

static void
end_link(void *ctx, const struct msg_N_CLOSE *m)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_CLOSE};

	(void)ctx;
	c.hash = m->link;
	(void)sim_submit(week.sim, WEEK_B, &c);
}

/* ---- the others of the house ---- */

static void
sign_receipt(void *ctx, const struct msg_K_RECEIPT *m)
{
	struct msg_K_SIGNED s = {.qid = m->qid, .ok = true};
	struct job_receipt r = {.outcome = m->outcome, .code = m->code,
	    .attempts = m->attempts, .layers = m->layers,
	    .started = m->started, .wall_ms = m->wall_ms,
	    .cpu_ms = m->cpu_ms, .memory_kb = m->memory_kb,
	    .bytes_in = m->bytes_in, .bytes_out = m->bytes_out};

	r.job = m->job;
	r.image = m->image;
	r.outputs = m->outputs;
	r.logs = m->logs;
	r.policy = m->policy;
	r.trail = m->trail;
	assert_true(job_receipt_sign(&r, &week.secret, NULL));
	(void)job_receipt_put(s.receipt, &r);
	fake_post(ctx, 1, IPC_K_SIGNED, &s, sizeof(s), NULL, 0);
}

static bool
start(void *ctx, struct job *j, const char **code, char why[128])
{
	unsigned i = week_find(&j->id);

	if (i == WEEK_JOBS)
		week.wrong++;
	else
		week.job[i].starts++;
	/* from half a minute to a quarter of an hour */
	week.w.run_ms = 30000 + i * 7919 % 870000;
	return fake_start(ctx, j, code, why);
}

static bool
seal(void *ctx, struct job *j)
{
	static const uint64_t size[2] = {WEEK_LOG, WEEK_ERR};
	unsigned i = week_find(&j->id);
	uint8_t b[WEEK_LOG];

	(void)ctx;
	if (i == WEEK_JOBS)
		return true;
	for (unsigned k = 0; k < 2; k++) {
		j->log[k] = size[k];
		week_bytes(i, 3 + k, 0, b, size[k]);
		rns_sha256(&j->log_sha[k], b, size[k]);
	}
	week.job[i].sealed = true;
	return true;
}

static ssize_t
log_read(void *ctx, const struct job *j, unsigned stream, uint64_t offset,
    uint8_t *buf, size_t n)
{
	unsigned i = week_find(&j->id);
	uint64_t size = j->log[stream - 1];

	(void)ctx;
	if (i == WEEK_JOBS || offset >= size)
		return 0;
	n = MIN_OF(n, size - offset);
	week_bytes(i, 2 + stream, offset, buf, n);
	return (ssize_t)n;
}

/* A pipe from the log: its bytes come when the job has ended. */
static bool
follow(void *ctx, const struct hash16 *link, unsigned stream,
    const struct job *j, uint64_t offset)
{
	struct node_link *l = link_of(link);
	unsigned i = week_find(&j->id);

	(void)ctx;
	if (l == NULL || i == WEEK_JOBS)
		return false;
	l->f[stream - 1] = (struct follower){true, i, offset};
	return true;
}

static void
unfollow(void *ctx, const struct hash16 *link, unsigned stream)
{
	struct node_link *l = link_of(link);

	(void)ctx;
	if (l != NULL)
		l->f[stream - 1].on = false;
}

static void
pack(struct world *w, const struct msg_J_STEP *m)
{
	static uint8_t b[WEEK_OUT_MAX];
	unsigned i = week_find(&m->job);
	const struct left none = {0};
	struct id32 sha;
	struct fp fp;
	uint64_t have;

	if (i == WEEK_JOBS)
		return;
	world_fp(&fp, WEEK_WHO);
	week_bytes(i, 2, 0, b, week.job[i].out);
	rns_sha256(&sha, b, week.job[i].out);
	if (!fake_has(w, &fp, &sha, NULL) &&
	    fake_put(w, &fp, &sha, week.job[i].out, 0, b, week.job[i].out,
		&have) != BLOB_WHOLE)
		week.wrong++;
	node_packed(&w->n, &m->job, m->volume, true, &sha, week.job[i].out,
	    &none, "");
}

static void
own(struct world *w, struct host *h)
{
	(void)w;
	fake_start = h->start;
	h->start = start;
	h->reply = reply;
	h->send_N_APP_DATA = app_data;
	h->send_N_CLOSE = end_link;
	h->send_K_RECEIPT = sign_receipt;
	h->log_seal = seal;
	h->log_read = log_read;
	h->follow = follow;
	h->unfollow = unfollow;
}

/* ---- what the core says ---- */

static void
tell(const struct node_link *l)
{
	struct msg_T_LINK m = {.bitrate = 1000};
	struct msg_T_IDENTIFIED d = {.rns_public = {WEEK_WHO},
	    .rns_hash = {{WEEK_WHO}}};
	struct rns_link_info info;

	if (down || !rns_link_get(sim_rns(week.sim, WEEK_B), &l->id, &info))
		return;
	m.link = d.link = l->id;
	m.rtt_us = (uint32_t)info.rtt_us;
	m.mtu = info.mtu;
	m.mdu = info.mdu;
	peers_link(&week.w.n, &m);
	if (l->identified)
		peers_identified(&week.w.n, &d);
}

static void
on_up(const struct hash16 *id)
{
	for (unsigned i = 0; i < LINKS; i++) {
		if (links[i].used)
			continue;
		links[i] = (struct node_link){.used = true};
		links[i].id = *id;
		tell(&links[i]);
		return;
	}
	fail_msg("more links than the simulation has");
}

static void
on_closed(struct node_link *l)
{
	if (!down)
		peers_closed(&week.w.n, &l->id);
	l->used = false;
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

	if (down || link_of(&ev->request.link) == NULL)
		return;
	m.link = ev->request.link;
	m.request = ev->request.request_id;
	m.path_hash = ev->request.path_hash;
	asked++;
	serve_request(&week.w.n, &m, ev->request.data, ev->request.len);
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
week_node_event(const struct rns_event *ev)
{
	struct node_link *l;

	if (!down)
		node_time(&week.w.n, week.w.now, week.w.wall_us);
	switch (ev->type) {
	case RNS_EV_LINK_UP:
		if (!ev->link.initiator)
			on_up(&ev->link.id);
		break;
	case RNS_EV_LINK_IDENTIFIED:
		if ((l = link_of(&ev->link.id)) == NULL)
			break;
		if (!hash16_eq(&ev->link.identity_hash, &week.person_hash))
			week.wrong++;
		l->identified = true;
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

/* ---- turns ---- */

static void
stream(struct node_link *l, unsigned k)
{
	struct follower *f = &l->f[k];
	uint64_t size = k == 0 ? WEEK_LOG : WEEK_ERR;
	struct msg_T_FOLLOW_END end = {.stream = (uint16_t)(k + 1)};
	struct rns_cmd c = {.type = RNS_CMD_STREAM_SEND};
	uint8_t b[WEEK_LOG];
	size_t taken = 0;
	int err;

	while (f->on && week.job[f->job].sealed) {
		week_bytes(f->job, 3 + k, f->at, b, size - f->at);
		c.stream.link = l->id;
		c.stream.stream = (uint16_t)(k + 1);
		c.stream.data = b;
		c.stream.len = size - f->at;
		c.stream.eof = true;
		c.stream.taken = &taken;
		err = sim_submit(week.sim, WEEK_B, &c);
		if (err == RNS_EAGAIN)
			return;
		f->at += err == RNS_OK ? taken : 0;
		if (err == RNS_OK && f->at < size)
			continue;
		week.streams += err == RNS_OK;
		end.link = l->id;
		node_follow_end(&week.w.n, &end);
		f->on = false;
	}
}

void
week_node_turn(void)
{
	int64_t us = sim_now(week.sim).us + WEEK_AHEAD - week.w.now.us;

	if (down)
		return;
	world_run(&week.w, us > 0 ? us / 1000 : 0);
	for (unsigned i = 0; i < LINKS; i++)
		for (unsigned k = 0; links[i].used && k < 2; k++)
			stream(&links[i], k);
}

bool
week_node_waits(void)
{
	return asked != answered;
}

void
week_node_die(void)
{
	down = true;
	week.node_deaths++;
	for (unsigned i = 0; i < LINKS; i++)
		links[i].f[0].on = links[i].f[1].on = false;
}

static void
forget_all(struct jobs *js)
{
	struct job *j;

	while ((j = TAILQ_FIRST(&js->live)) != NULL ||
	    (j = TAILQ_FIRST(&js->ended)) != NULL)
		job_remove(js, j);
}

void
week_node_back(void)
{
	int64_t us = sim_now(week.sim).us + WEEK_AHEAD - week.w.now.us;

	if (week.forget)
		forget_all(&week.w.n.jobs);
	down = false;
	asked = answered;
	week.w.now = mono_add(week.w.now, us);
	week.w.wall_us += us;
	world_restart(&week.w);
	world_up(&week.w, 2);
	for (unsigned i = 0; i < LINKS; i++)
		if (links[i].used)
			tell(&links[i]);
}

static void
add_dest(void)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD};
	uint8_t pub[RNS_KEY];
	struct hash16 id;

	c.dest.type = RNS_SINGLE;
	c.dest.name = "klp.node";
	memset(c.dest.identity, 0x5e, RNS_KEY);
	c.dest.has_identity = true;
	c.dest.accept_links = true;
	c.dest.max_request = PROTO_REQUEST_MAX;
	assert_int_equal(rns_identity_derive(pub, &id, c.dest.identity),
	    RNS_OK);
	assert_int_equal(rns_dest_hash(&week.dest, c.dest.name, &id), RNS_OK);
	assert_int_equal(sim_submit(week.sim, WEEK_B, &c), RNS_OK);
	for (unsigned p = 0; p < PATH_COUNT; p++) {
		struct rns_cmd h = {.type = RNS_CMD_HANDLER_ADD};

		h.handler.dest = week.dest;
		h.handler.path = proto_path((enum proto_path)p);
		h.handler.allow = RNS_ALLOW_ALL;
		h.handler.compress_max = 65536;
		assert_int_equal(sim_submit(week.sim, WEEK_B, &h), RNS_OK);
	}
}

void
week_node_open(void)
{
	static const uint8_t seed[32] = {7};

	assert_true(secp_init(seed));
	week.secret = (struct klp_secret){.kind = KEY_SECP256K1};
	memset(week.secret.raw, 5, 32);
	assert_true(secret_public(&week.key, &week.secret));
	add_dest();
	week.w.own = own;
	week.w.pack = pack;
	week.w.live_needed = true;
	week.w.policy.max_airtime_s = 3600;
	world_restart(&week.w); /* with functions of our own */
	world_up(&week.w, 2);
}

void
week_node_close(void)
{
	for (unsigned i = 0; i < REPLIES; i++)
		free(replies[i].data);
	memset(replies, 0, sizeof(replies));
	memset(links, 0, sizeof(links));
	down = false;
	world_clear(&week.w);
}
