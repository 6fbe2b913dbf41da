/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/cli/again.h"
#include "tests/sim/week.h"

/*
 * The submitter's end: programs that run one job each, as `warren submit`
 * does. The machine is the product's; the link and the requests around it
 * keep the times of session.c and of transport/client, which have a loop of
 * their own and cannot run in virtual time.
 */
#define PATH_AGAIN (15 * MONO_SECOND)
#define STEP (1 * MONO_SECOND)
#define ANSWER (60 * MONO_SECOND)
#define AGAIN_MIN (2 * MONO_SECOND)
#define TRIES 16
#define EVERY (3600 * MONO_SECOND) /* a job an hour */

struct slot {
	bool used;
	unsigned job;
	struct submitter sub;
	uint8_t buf[PROTO_SLICE];
	uint8_t log[2][WEEK_LOG], out[WEEK_OUT_MAX];
	uint64_t nlog[2], nout;

	/* the link */
	bool up, have_id;
	uint64_t tag; /* of an attempt or a link; 0: none */
	struct hash16 id;
	bool path_asked;
	struct mono path_at, step_at;
	unsigned generation, seen;

	/* the call, and the request that is under way for it */
	struct again_call call;
	bool calling, waiting, alive;
	enum proto_path path;
	uint8_t req[PROTO_REQUEST_MAX];
	size_t len;
	unsigned made_on; /* generation */
	uint64_t tags[TRIES];
	unsigned ntags, failed;
	struct mono until, again, not_before;
	int64_t wait_us;
};

static struct slot slots[WEEK_SLOTS];
static unsigned next_job;
static uint64_t next_tag;

static int
submit(const struct rns_cmd *c)
{
	return sim_submit(week.sim, WEEK_A, c);
}

/* ---- what the machine reads and writes ---- */

static bool
store_input(void *arg, const struct id32 *sha, uint64_t offset, uint8_t *out,
    size_t n)
{
	struct slot *s = arg;

	for (unsigned k = 0; k < 2; k++)
		if (id32_eq(&week.job[s->job].m.volume[k].blob.sha256, sha)) {
			week_bytes(s->job, k, offset, out, n);
			return true;
		}
	return false;
}

static bool
store_output(void *arg, unsigned volume, uint64_t offset, const uint8_t *p,
    size_t n)
{
	struct slot *s = arg;

	if (volume != 1 || offset + n > sizeof(s->out))
		return false;
	if (n > 0)
		memcpy(s->out + offset, p, n);
	s->nout = offset + n;
	return true;
}

static bool
store_log(void *arg, unsigned stream, uint64_t offset, const uint8_t *p,
    size_t n)
{
	struct slot *s = arg;

	if (offset + n > WEEK_LOG)
		return false;
	if (n > 0)
		memcpy(s->log[stream - 1] + offset, p, n);
	s->nlog[stream - 1] = offset + n;
	return true;
}

static bool
output_digest(void *arg, unsigned volume, struct id32 *out)
{
	struct slot *s = arg;

	rns_sha256(out, s->out, s->nout);
	return volume == 1;
}

static bool
log_digest(void *arg, unsigned stream, struct id32 *out)
{
	struct slot *s = arg;

	rns_sha256(out, s->log[stream - 1], s->nlog[stream - 1]);
	return true;
}

/* A program begins, with the envelope that is kept. */
static void
begin(struct slot *s, unsigned job)
{
	static const uint8_t binding[BINDING_LEN];
	struct week_job *j = &week.job[job];

	memset(s, 0, sizeof(*s));
	s->used = true;
	s->job = job;
	s->sub.manifest = &j->m;
	s->sub.envelope = j->env;
	s->sub.envelope_len = j->len;
	s->sub.binding = binding;
	s->sub.node_key = week.key;
	s->sub.max_log = WEEK_LOG + WEEK_ERR;
	s->sub.max_output = WEEK_OUT_MAX;
	s->sub.buf = s->buf;
	s->sub.store = (struct sub_store){s, store_input, s, NULL,
	    store_output, store_log, output_digest, log_digest};
	sub_init(&s->sub, sim_now(week.sim));
}

/* ---- the link: transport/client/attach_link.c ---- */

static void
ask_path(struct slot *s, struct mono now)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_REQUEST};

	if (s->path_asked && mono_sub(now, s->path_at) < PATH_AGAIN)
		return;
	s->path_asked = true;
	s->path_at = now;
	c.hash = week.dest;
	(void)submit(&c);
}

static void
link_step(struct slot *s, struct mono now)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_OPEN};
	const struct rns *rns = sim_rns(week.sim, WEEK_A);
	struct rns_path p;
	struct rns_known k;

	if (s->tag != 0 || !mono_reached(now, s->step_at))
		return;
	s->step_at = mono_add(now, STEP);
	if (!rns_path_get(rns, &week.dest, &p) ||
	    !rns_known_get(rns, &week.dest, &k)) {
		ask_path(s, now);
		return;
	}
	c.link_open.dest = week.dest;
	c.link_open.tag = s->tag = ++next_tag;
	if (submit(&c) != RNS_OK)
		s->tag = 0;
}

static void
drop_link(struct slot *s)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_CLOSE};

	c.hash = s->id;
	if (s->have_id)
		(void)submit(&c);
	week.breaks += s->up;
	/* session_give_back() */
	if (s->waiting && (s->path == PATH_BLOB_PUT ||
		s->path == PATH_BLOB_GET || s->path == PATH_LOG))
		s->calling = false;
	s->up = s->have_id = s->waiting = false;
	s->tag = 0;
	s->not_before = mono_add(sim_now(week.sim), STEP);
}

static void
identify(struct slot *s)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_IDENTIFY};

	c.identify.link = s->id;
	memcpy(c.identify.identity, week.person, RNS_KEY);
	(void)submit(&c);
}

static void
on_up(struct slot *s)
{
	identify(s);
	s->up = true;
	s->generation++;
	week.links++;
}

static void
on_closed(struct slot *s)
{
	struct mono now = sim_now(week.sim);
	bool was = s->up;

	s->have_id = false;
	drop_link(s);
	s->step_at = mono_add(now, STEP);
	if (was)
		return;
	s->path_asked = false; /* it may be old */
	ask_path(s, now);
}

/* ---- requests: attach_request.c and session_ask() ---- */

static void
send_copy(struct slot *s, struct mono now)
{
	struct rns_cmd c = {.type = RNS_CMD_REQUEST};

	c.request.link = s->id;
	c.request.path = proto_path(s->path);
	c.request.data = s->req;
	c.request.len = s->len;
	c.request.timeout_us = ANSWER;
	c.request.max_response = 1 << 20;
	c.request.tag = ++next_tag;
	if (submit(&c) == RNS_OK) {
		s->tags[s->ntags++] = next_tag;
		week.copies++;
	}
	s->again = mono_add(now, s->wait_us);
	s->wait_us *= 2;
}

static void
start_request(struct slot *s, struct mono now)
{
	struct rns_link_info info;

	if (!rns_link_get(sim_rns(week.sim, WEEK_A), &s->id, &info))
		return;
	s->waiting = true;
	s->alive = false;
	s->ntags = s->failed = 0;
	s->until = mono_add(now, ANSWER);
	s->wait_us = MAX_OF(AGAIN_MIN, 8 * info.rtt_us);
	week.requests++;
	send_copy(s, now);
}

static void
request_turn(struct slot *s, struct mono now)
{
	struct rns_link_info info;

	if (mono_reached(now, s->until) ||
	    (s->ntags == TRIES && s->failed == s->ntags)) {
		drop_link(s); /* a link that answers nothing is made again */
		return;
	}
	if (s->alive || !mono_reached(now, s->again) || s->ntags == TRIES ||
	    !rns_link_get(sim_rns(week.sim, WEEK_A), &s->id, &info))
		return;
	if (s->len + 32 <= info.mdu || s->failed == s->ntags)
		send_copy(s, now);
	else
		s->again = mono_add(now, s->wait_us);
}

static void
new_link(struct slot *s)
{
	if (s->seen == s->generation)
		return;
	if (s->seen != 0)
		sub_link_lost(&s->sub);
	s->seen = s->generation;
}

static void
on_answer(struct slot *s, const uint8_t *p, size_t n)
{
	struct mono now = sim_now(week.sim);
	struct proto_ans a;
	uint64_t wait;

	s->waiting = false;
	if (!proto_ans_get(&a, p, n)) {
		week.wrong++;
		return;
	}
	switch (again_after(&s->call, &a, true, false, &wait)) {
	case AGAIN_LATER:
		week.busy++;
		s->not_before = mono_add(now, (int64_t)wait * MONO_SECOND);
		return;
	case AGAIN_IDENTIFY:
		week.identified++;
		identify(s);
		return;
	case AGAIN_INTRODUCE: /* each of its submits has a binding */
	case AGAIN_NOT:
		break;
	}
	s->calling = false;
	new_link(s);
	sub_answer(&s->sub, now, &a);
}

/* ---- turns ---- */

static void
end(struct slot *s)
{
	struct week_job *j = &week.job[s->job];

	if (s->sub.end == SUB_DONE) {
		j->done = true;
		j->r = s->sub.r;
		j->ended = sim_now(week.sim).us;
		j->exits++;
	} else {
		week.wrong++;
		print_message("# job %u: end %d %s %s, state %s %s\n", s->job,
		    (int)s->sub.end, s->sub.code, s->sub.why, s->sub.state,
		    s->sub.reason);
	}
	drop_link(s);
	s->used = false;
}

/* false: nothing to ask now. */
static bool
make_call(struct slot *s, struct mono now)
{
	static const uint8_t proof[PROTO_PROOF_LEN] = {1};
	struct wr out = wr_make(s->req, sizeof(s->req));
	struct rns_cmd c = {.type = RNS_CMD_STREAM_OPEN};
	struct proto_req q;
	struct mono at;

	if (!sub_next(&s->sub, now, &q, &at)) {
		if (s->sub.proof_wanted && !s->sub.has_proof) {
			sub_prove(&s->sub, proof);
			return true;
		}
		return false;
	}
	if (q.path == PATH_FOLLOW) {
		c.stream.link = s->id;
		c.stream.stream = q.stream;
		(void)submit(&c);
	}
	proto_req_put(&out, &q);
	assert_true(wr_ok(&out));
	s->len = out.len;
	s->path = q.path;
	s->made_on = s->generation;
	s->calling = true;
	s->call = (struct again_call){
	    .spare_stream = q.path == PATH_FOLLOW};
	week.largest_slice = MAX_OF(week.largest_slice, (unsigned)q.body.n);
	return true;
}

static void
slot_turn(struct slot *s, struct mono now)
{
	for (unsigned i = 0; i < 8 && s->used; i++) {
		if (s->sub.phase == SUB_END) {
			end(s);
			return;
		}
		if (s->waiting) {
			request_turn(s, now);
			return;
		}
		if (!mono_reached(now, s->not_before))
			return;
		if (!s->up) {
			link_step(s, now);
			return;
		}
		if (s->calling && s->path == PATH_FOLLOW &&
		    s->made_on != s->generation)
			s->calling = false;
		if (s->calling) {
			start_request(s, now);
			return;
		}
		new_link(s);
		if (!make_call(s, now) && s->sub.phase != SUB_END)
			return;
	}
}

void
week_person_turn(void)
{
	struct mono now = sim_now(week.sim);

	for (unsigned i = 0; i < WEEK_SLOTS; i++) {
		struct slot *s = &slots[i];

		if (!s->used && next_job < week.njobs &&
		    now.us >= (int64_t)next_job * EVERY) {
			week.job[next_job].begun = now.us;
			begin(s, next_job++);
		}
		if (s->used)
			slot_turn(s, now);
	}
}

void
week_person_die(unsigned slot)
{
	struct slot *s = &slots[slot % WEEK_SLOTS];

	if (!s->used)
		return;
	drop_link(s);
	week.job[s->job].deaths++;
	if (week.anew)
		week_sign(s->job, (uint8_t)week.job[s->job].deaths);
	begin(s, s->job);
}

bool
week_person_done(void)
{
	for (unsigned i = 0; i < WEEK_SLOTS; i++)
		if (slots[i].used)
			return false;
	return next_job == week.njobs;
}

/* ---- events ---- */

static struct slot *
by_id(const struct hash16 *id)
{
	for (unsigned i = 0; i < WEEK_SLOTS; i++)
		if (slots[i].used && slots[i].have_id &&
		    hash16_eq(&slots[i].id, id))
			return &slots[i];
	return NULL;
}

static void
link_event(const struct rns_event *ev)
{
	struct slot *s = NULL;

	for (unsigned i = 0; i < WEEK_SLOTS; i++)
		if (slots[i].used && slots[i].tag != 0 &&
		    slots[i].tag == ev->link.tag)
			s = &slots[i];
	if (s == NULL)
		return;
	if (ev->type == RNS_EV_LINK_CLOSED) {
		on_closed(s);
		return;
	}
	s->id = ev->link.id;
	s->have_id = true;
	if (ev->type == RNS_EV_LINK_UP)
		on_up(s);
}

static void
request_event(const struct rns_event *ev)
{
	bool progress = ev->type == RNS_EV_PROGRESS;
	uint64_t tag = progress ? ev->progress.tag : ev->response.tag;
	struct slot *s = by_id(progress ? &ev->progress.link :
		&ev->response.link);

	for (unsigned i = 0; s != NULL && s->waiting && i < s->ntags; i++) {
		if (s->tags[i] != tag)
			continue;
		if (ev->type == RNS_EV_RESPONSE) {
			on_answer(s, ev->response.data, ev->response.len);
		} else if (progress) {
			s->until = mono_add(sim_now(week.sim), ANSWER);
			s->alive |= ev->progress.incoming;
		} else if (++s->failed == s->ntags) {
			s->alive = false;
		}
		return;
	}
}

void
week_person_event(const struct rns_event *ev)
{
	struct slot *s;

	switch (ev->type) {
	case RNS_EV_LINK_PENDING:
	case RNS_EV_LINK_UP:
	case RNS_EV_LINK_CLOSED:
		link_event(ev);
		break;
	case RNS_EV_RESPONSE:
	case RNS_EV_REQUEST_FAILED:
	case RNS_EV_PROGRESS:
		request_event(ev);
		break;
	case RNS_EV_STREAM_DATA:
		if ((s = by_id(&ev->channel.link)) != NULL)
			sub_stream(&s->sub, ev->channel.msgtype,
			    ev->channel.data, ev->channel.len,
			    ev->channel.eof);
		break;
	default:
		break;
	}
}

void
week_person_open(void)
{
	uint8_t pub[RNS_KEY];

	memset(slots, 0, sizeof(slots));
	next_job = 0;
	memset(week.person, 0x77, RNS_KEY);
	assert_int_equal(rns_identity_derive(pub, &week.person_hash,
	    week.person), RNS_OK);
}
