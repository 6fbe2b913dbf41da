/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-trust: all that strangers write and sign is read here, and here only.
 * It answers node, and it remembers the bindings that it has seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "node/config/nodeconf.h"
#include "common/program.h"
#include "trust/doc/envelope.h"
#include "trust/doc/manifest.h"
#include "trust/contracts.h"
#include "trust/doc/contract.h"
#include "trust/judge.h"
#include "trust/review.h"
#include "trust/verdict.h"
#include "trust/why.h"
#include "common/util.h"

#define BINDINGS "bindings"
#define BINDINGS_BAD "bindings.bad"
#define SAVE_AFTER 60.	       /* s, for bindings of strangers */
#define EVENTS_KEPT 64	       /* until they are in the trail */
#define EVENTS_A_MINUTE 60     /* of strangers' bindings */
#define LOOK_EVERY 60	       /* s: klp.md 1.5 */
#define LARGE_BLOCK (128 << 10) /* malloc's own, but that it stays */

#define IPC_ME TRUST
#define IPC_CTX struct judge
#include "common/ipc_dispatch.h"

/* ---- time ---- */

/*
 * klp.md 1.7: a clock that is behind the last time known here does not bring
 * back what has expired; time then goes on from there.
 */
static void trail(void *, enum event_kind, unsigned, const char *,
    const char *);

static uint32_t
judge_now(struct judge *j)
{
	struct klp_clock *c = &j->law->clock;
	uint32_t now = klp_now(c, (uint32_t)(clock_wall_us() / 1000000),
	    clock_mono());
	char text[96];

	if (c->untrusted && !j->clock_said) {
		(void)snprintf(text, sizeof(text), "the clock is %u s behind "
		    "the last time known, which is used instead", c->behind);
		log_warnx(NULL, "clock_untrusted: %s: set the clock, or, where "
		    "it is right and was ahead once, `warren trust clock "
		    "--lower`", text);
		trail(j, EVK_CLOCK, 3, "clock_untrusted", text);
	}
	if (c->untrusted != j->clock_said)
		judge_tell_time(j);
	j->clock_said = c->untrusted;
	return now;
}

/* ---- the file of bindings ---- */

static int
bindings_save(struct judge *j)
{
	size_t n = bindstore_put(j->v.store, j->file, BINDSTORE_BYTES,
	    law_time_to_keep(j->law, judge_now(j)));

	if (n == 0) {
		errno = EFBIG;
		return -1;
	}
	return file_replace(j->dir, BINDINGS, j->file, n, 0600);
}

static void
on_save(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct judge *j = w->data;

	(void)loop;
	(void)revents;
	j->saved = clock_mono();
	if (bindings_save(j) == 0)
		return;
	log_warn(BINDINGS, "cannot be saved, tried again in a minute: a serial "
	    "that is seen now could be forgotten by a restart");
	ev_timer_set(&j->save, SAVE_AFTER, 0.);
	ev_timer_start(j->loop, &j->save);
}

/* Of a peer that the operator knows: on disk before the answer goes out. */
static void
save_now(struct judge *j)
{
	ev_timer_stop(j->loop, &j->save);
	on_save(j->loop, &j->save, 0);
}

/* Of a stranger as well, but for strangers once a minute is enough. */
static void
save_soon(struct judge *j)
{
	if (ev_is_active(&j->save))
		return;
	if (j->saved.us == 0 || mono_sub(clock_mono(), j->saved) >=
	    (int64_t)SAVE_AFTER * MONO_SECOND) {
		save_now(j);
		return;
	}
	ev_timer_set(&j->save, SAVE_AFTER, 0.);
	ev_timer_start(j->loop, &j->save);
}

static void
bindings_load(struct judge *j)
{
	uint32_t floor;
	size_t len;
	_cleanup_free_ char *text = file_load(j->dir, BINDINGS, BINDSTORE_BYTES,
	    &len);

	if (text == NULL) {
		if (errno != ENOENT)
			log_warn(BINDINGS, "not read: peers show theirs again");
		return;
	}
	if (bindstore_get(j->v.store, (const uint8_t *)text, len, &floor)) {
		klp_clock_raise(&j->law->clock, floor, clock_mono());
		log_debug(BINDINGS, "read count=%zu",
		    bindstore_count(j->v.store));
		return;
	}
	log_errx(BINDINGS, "damaged: kept as " BINDINGS_BAD ", peers show "
			   "theirs again");
	(void)renameat(j->dir, BINDINGS, j->dir, BINDINGS_BAD);
}

/* ---- events ---- */

static void
event(struct judge *j, const struct msg_V_VERDICT *v, uint16_t kind,
    uint8_t severity)
{
	struct msg_EVENT e = {.kind = kind, .severity = severity,
	    .when_us = clock_wall_us(), .a = v->level};
	int64_t minute = clock_mono().us / 60000000;

	if (minute != j->minute) {
		if (j->suppressed > 0)
			log_warnx(NULL, "events of bindings left out count=%u",
			    j->suppressed);
		j->minute = minute;
		j->events = j->suppressed = 0;
	}
	/* strangers do not fill the trail */
	if (j->events >= EVENTS_A_MINUTE) {
		j->suppressed++;
		return;
	}
	j->events++;
	e.peer_len = RNS_HASH_LEN;
	memcpy(e.peer, HASH_BYTES(v->rns_hash));
	(void)snprintf(e.code, sizeof(e.code), "binding");
	(void)snprintf(e.text, sizeof(e.text), "%s", v->why);
	witness_tell(&j->witness, program_channel(&j->prog, PROGRAM_AUDIT), &e);
}

/* Not of strangers: what authorities and the clock do is always told. */
static void
trail(void *ctx, enum event_kind kind, unsigned severity, const char *code,
    const char *text)
{
	struct judge *j = ctx;
	struct msg_EVENT e = {.kind = (uint16_t)kind,
	    .severity = (uint8_t)severity, .when_us = clock_wall_us()};

	(void)snprintf(e.code, sizeof(e.code), "%s", code);
	(void)snprintf(e.text, sizeof(e.text), "%s", text);
	witness_tell(&j->witness, program_channel(&j->prog, PROGRAM_AUDIT), &e);
}

/* ---- what node has to know ---- */

/* Who is revoked first, so that no verdict is asked about them in between. */
static void
tell_node(struct judge *j)
{
	struct msg_V_CHANGED changed = {.end_ = 0};

	judge_boards(j);
	if (program_channel(&j->prog, PROGRAM_NODE) == NULL)
		return;
	judge_tell(j);
	(void)program_send_V_CHANGED(&j->prog, &changed, NULL, 0);
}

/* When the folder is looked at again, or something gets old before that. */
static void
look_again(struct judge *j)
{
	uint32_t now = judge_now(j);
	uint32_t next = MIN_OF(standing_next(&j->law->standing, now),
	    law_policy_next(j->law));
	double s = next > now && next - now < LOOK_EVERY ?
	    (double)(next - now) + .05 : (double)LOOK_EVERY;

	ev_timer_stop(j->loop, &j->look);
	ev_timer_set(&j->look, s, 0.);
	ev_timer_start(j->loop, &j->look);
	if (law_busy(j->law))
		ev_idle_start(j->loop, &j->work);
	else
		ev_idle_stop(j->loop, &j->work);
}

static void
say_age(struct judge *j, const char *what, enum fresh is, enum fresh was)
{
	static const char *const text[] = {
	    [FRESH_YES] = "is fresh again",
	    [FRESH_STALE] = "has expired, its grace has begun: bring a new one",
	    [FRESH_NO] = "is not there, or its grace is over: bring a new one",
	};

	if (is == was)
		return;
	if (is == FRESH_YES)
		log_notice(what, "%s", text[is]);
	else
		log_errx(what, "%s", text[is]);
	trail(j, EVK_AUTHORITY, is == FRESH_YES ? 1 : 3, what, text[is]);
}

/* What has become fresh or old since the last look is said; true: something. */
static bool
aged(struct judge *j, uint32_t now)
{
	const struct standing *s = &j->law->standing;
	enum fresh graph = standing_fresh(&s->graph, now);
	enum fresh list = standing_fresh(&s->list, now);
	bool changed = graph != j->graph_was || list != j->list_was;

	say_age(j, "trust_graph", graph, j->graph_was);
	say_age(j, "revocation_list", list, j->list_was);
	j->graph_was = graph;
	j->list_was = list;
	return changed;
}

static void on_fetch(struct ev_loop *, ev_timer *, int);

static void
on_work(struct ev_loop *loop, ev_idle *w, int revents)
{
	struct judge *j = w->data;

	(void)loop;
	(void)revents;
	if (law_work(j->law, judge_now(j))) {
		(void)aged(j, judge_now(j));
		tell_node(j);
	}
	if (!law_busy(j->law)) {
		look_again(j);
		on_fetch(loop, &j->fetch, 0);
	}
}

static void
on_look(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct judge *j = w->data;
	uint32_t now = judge_now(j);
	bool changed = law_look(j->law, now, false);

	(void)loop;
	(void)revents;
	changed |= aged(j, now);
	if (changed)
		tell_node(j);
	look_again(j);
}

/* ---- what is announced, here and by others ---- */

static void
on_spread(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct judge *j = w->data;
	struct msg_V_SPREAD m;

	(void)revents;
	if (law_spread(j->law, &m) &&
	    program_channel(&j->prog, PROGRAM_NODE) != NULL)
		(void)program_send_V_SPREAD(&j->prog, &m, NULL, 0);
	ev_timer_stop(loop, w);
	ev_timer_set(w, law_spread_in(j->law), 0.);
	ev_timer_start(loop, w);
}

static void
tell_heads(struct judge *j)
{
	struct msg_V_SPREAD m;

	law_heads(j->law, &m);
	(void)program_send_V_SPREAD(&j->prog, &m, NULL, 0);
}

static void
on_EVENT_ACK(struct judge *j, const struct msg_EVENT_ACK *m, struct ipc_in *in)
{
	(void)in;
	witness_acked(&j->witness, m);
}

static void
on_M_HEARD(struct judge *j, const struct msg_M_HEARD *m, struct ipc_in *in)
{
	uint32_t now = judge_now(j);

	(void)in;
	alarms_heard(&j->alarms, m, now);
	law_time(j->law, now);
	if (law_heard(j->law, m))
		tell_node(j);
	on_fetch(j->loop, &j->fetch, 0);
}

static void
on_up(void *ctx, enum program who)
{
	struct judge *j = ctx;

	if (who == PROGRAM_NODE) {
		tell_node(j);
		tell_heads(j);
		judge_tell_time(j);
	}
	if (who == PROGRAM_AUDIT)
		witness_up(&j->witness, program_channel(&j->prog, who));
	if (who == PROGRAM_EGRESS || who == PROGRAM_TRANSPORT) {
		law_fetch_now(j->law);
		on_fetch(j->loop, &j->fetch, 0);
	}
}

static void
on_down(void *ctx, enum program who, int error)
{
	struct judge *j = ctx;

	(void)error;
	if (who != PROGRAM_EGRESS && who != PROGRAM_TRANSPORT)
		return;
	law_unfetched(j->law, who == PROGRAM_TRANSPORT);
	on_fetch(j->loop, &j->fetch, 0);
}

/* ---- node's questions ---- */

/*
 * A key is shown, and with it the identity that it is bound to: if it is
 * listed, so is the identity from now on.
 */
static void
seen(struct judge *j, struct msg_V_VERDICT *out, const struct msg_V_ASK *m)
{
	struct klp_key k;
	bool changed = false;

	if (key_set(&k, (enum key_kind)out->key_kind, out->key, out->key_len)) {
		k.bip340 = out->bip340;
		changed = law_seen(j->law, &k);
	}
	if (changed) {
		struct msg_V_ASK again = *m;

		again.binding_len = 0;
		(void)verdict_ask(&j->v, out, &again, judge_now(j));
	}
	if (changed || out->status == VERDICT_REVOKED ||
	    out->status == VERDICT_SUSPENDED)
		tell_node(j);
}

static void
on_V_ASK(struct judge *j, const struct msg_V_ASK *m, struct ipc_in *in)
{
	struct msg_V_VERDICT out;
	enum verdict_note note = verdict_ask(&j->v, &out, m, judge_now(j));
	char peer[9];

	(void)in;
	if (note == VERDICT_BOUND_KEPT)
		save_now(j);
	else if (note == VERDICT_BOUND)
		save_soon(j);
	/* a key that is shown for the first time may have revoked itself */
	if (note == VERDICT_BOUND || note == VERDICT_BOUND_KEPT)
		seen(j, &out, m);
	(void)program_send_V_VERDICT(&j->prog, &out, NULL, 0);
	hex_encode(peer, out.rns_hash.b, 4);
	log_debug(peer, "verdict status=%u level=%d: %s", out.status,
	    out.level, out.why);
	if (note == VERDICT_BAD)
		event(j, &out, EVK_BINDING_BAD, 3);
	else if (note != VERDICT_PLAIN)
		event(j, &out, EVK_BINDING_OK, 1);
}

static void
on_V_ENVELOPE(struct judge *j, const struct msg_V_ENVELOPE *m,
    struct ipc_in *in)
{
	struct msg_V_MANIFEST out = {.qid = m->qid};
	size_t len = m->len, n = 0;
	const uint8_t *env = NULL;
	int record = -1;

	if (len > 0 && len <= ENV_MANIFEST_MAX)
		env = memfd_map(in->fds[0], &len, ENV_MANIFEST_MAX);
	if (env != NULL) {
		n = verdict_envelope(&j->v, j->record, MANIFEST_RECORD_MAX, &out, m,
		    env, len);
		memfd_unmap(env, len);
	} else {
		(void)snprintf(out.why, sizeof(out.why),
		    "envelope: empty, or over 96 KiB");
	}
	if (n > 0 && (record = memfd_sealed("manifest", j->record, n)) < 0) {
		log_warn(NULL, "a manifest cannot be handed to node, its job is "
		    "refused");
		out.ok = false;
		out.len = 0;
		(void)snprintf(out.why, sizeof(out.why), "payload: no memory");
	}
	(void)program_send_V_MANIFEST(&j->prog, &out,
	    record >= 0 ? &record : NULL, record >= 0);
	if (record >= 0)
		(void)close(record);
}

static void
on_V_APPROVAL(struct judge *j, const struct msg_V_APPROVAL *m,
    struct ipc_in *in)
{
	struct msg_V_APPROVED out;

	(void)in;
	review_approval(&j->v, &out, m, judge_now(j));
	(void)program_send_V_APPROVED(&j->prog, &out, NULL, 0);
}

static void
on_V_ALERT(struct judge *j, const struct msg_V_ALERT *m, struct ipc_in *in)
{
	struct msg_V_ALERTED out;
	const char *why = alarms_check(&j->alarms, &j->v, &out, m,
	    judge_now(j));

	(void)in;
	if (why != NULL)
		log_info("hub", "an alarm that came as a packet does not "
		    "count: %s", why);
	(void)program_send_V_ALERTED(&j->prog, &out, NULL, 0);
}

static void
on_V_REVIEW(struct judge *j, const struct msg_V_REVIEW *m, struct ipc_in *in)
{
	struct msg_V_REVIEWED out;

	(void)in;
	review_job(&j->v, &out, m, judge_now(j));
	(void)program_send_V_REVIEWED(&j->prog, &out, NULL, 0);
}

static void
send_hop(void *ctx, const struct msg_V_HOP *m)
{
	struct judge *j = ctx;

	(void)program_send_V_HOP(&j->prog, m, NULL, 0);
}

static void
on_V_WHY(struct judge *j, const struct msg_V_WHY *m, struct ipc_in *in)
{
	struct msg_V_BECAUSE out;

	(void)in;
	why_answer(&j->v, &out, m, judge_now(j), send_hop, j);
	(void)program_send_V_BECAUSE(&j->prog, &out, NULL, 0);
}

static void
on_V_CONTRACT(struct judge *j, const struct msg_V_CONTRACT *m,
    struct ipc_in *in)
{
	struct msg_V_CONTRACTED out;
	const uint8_t *env = NULL;
	size_t len = m->len;

	if (len > 0 && len <= CONTRACT_BYTES)
		env = memfd_map(in->fds[0], &len, CONTRACT_BYTES);
	contract_judge(&j->v, &out, m, env, len, judge_now(j));
	if (env != NULL)
		memfd_unmap(env, len);
	(void)program_send_V_CONTRACTED(&j->prog, &out, NULL, 0);
}

static void
on_V_GIVE(struct judge *j, const struct msg_V_GIVE *m, struct ipc_in *in)
{
	struct msg_V_GIVEN out;
	_cleanup_free_ uint8_t *body = NULL;
	_cleanup_fd_ int fd = -1;
	size_t len = law_give(j->law, m, &out, &body);

	(void)in;
	if (len > 0 && (fd = memfd_sealed("document", body, len)) < 0) {
		log_warn(NULL, "a document cannot be handed to node");
		return; /* who asks is told to come again */
	}
	out.got = (uint32_t)len;
	(void)program_send_V_GIVEN(&j->prog, &out, fd >= 0 ? &fd : NULL,
	    fd >= 0);
}

static void
on_V_LIVE(struct judge *j, const struct msg_V_LIVE *m, struct ipc_in *in)
{
	struct msg_V_LIVE_OK out = {.qid = m->qid, .ok = verdict_live(m)};

	(void)in;
	(void)program_send_V_LIVE_OK(&j->prog, &out, NULL, 0);
}

/*
 * What was signed cannot show that it is not later, whoever signed it and how
 * fresh it looks: a person can (klp.md 1.7).
 */
static void
on_V_LOWER(struct judge *j, const struct msg_V_LOWER *m, struct ipc_in *in)
{
	struct klp_clock *c = &j->law->clock;
	uint32_t was = c->floor;
	char text[96];

	(void)m;
	(void)in;
	j->lowered++;
	if (klp_clock_lower(c, (uint32_t)(clock_wall_us() / MONO_SECOND),
		law_signed_at(j->law), clock_mono())) {
		(void)snprintf(text, sizeof(text), "the least time was lowered "
		    "by a person, by %u s", was - c->floor);
		log_notice(NULL, "%s", text);
		trail(j, EVK_CLOCK, 3, "lowered", text);
		save_now(j);
		on_look(j->loop, &j->look, 0);
		tell_node(j);
	}
	(void)judge_now(j);
	judge_tell_time(j);
}

/* ---- what is fetched from web servers ---- */

static int
send_fetch(void *ctx, const struct msg_FETCH *m)
{
	struct judge *j = ctx;

	return program_channel(&j->prog, PROGRAM_EGRESS) == NULL ? -1 :
	    program_send_FETCH(&j->prog, m, NULL, 0);
}

static void
on_fetch(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct judge *j = w->data;

	(void)revents;
	ev_timer_stop(loop, w);
	law_time(j->law, judge_now(j));
	ev_timer_set(w, law_fetch(j->law), 0.);
	ev_timer_start(loop, w);
	on_spread(loop, &j->spread, 0); /* what came of it is news */
	if (law_busy(j->law))
		ev_idle_start(loop, &j->work);
}

static void
on_FETCHED(struct judge *j, const struct msg_FETCHED *m, struct ipc_in *in)
{
	law_time(j->law, judge_now(j));
	if (law_fetched(j->law, m, ipc_in_take(in, 0)))
		tell_node(j);
	on_fetch(j->loop, &j->fetch, 0);
}

/* ---- what is asked of other nodes over the mesh ---- */

static int
send_ask(void *ctx, const struct msg_M_ASK *m)
{
	struct judge *j = ctx;

	return program_channel(&j->prog, PROGRAM_TRANSPORT) == NULL ? -1 :
	    program_send_M_ASK(&j->prog, m, NULL, 0);
}

/* ---- what is asked of programs that verify ---- */

static int
send_verify(void *ctx, const struct msg_V_VERIFY *m, const void *text,
    size_t len)
{
	struct judge *j = ctx;
	_cleanup_fd_ int fd = memfd_sealed("signature", text, len);

	return fd < 0 ? -1 : program_send_V_VERIFY(&j->prog, m, &fd, 1);
}

static void
on_V_VERIFIED(struct judge *j, const struct msg_V_VERIFIED *m,
    struct ipc_in *in)
{
	law_time(j->law, judge_now(j));
	if (law_verified(j->law, m, ipc_in_take(in, 0)))
		tell_node(j);
	on_fetch(j->loop, &j->fetch, 0);
}

static void
on_M_ANSWER(struct judge *j, const struct msg_M_ANSWER *m, struct ipc_in *in)
{
	law_time(j->law, judge_now(j));
	if (law_answered(j->law, m, ipc_in_take(in, 0)))
		tell_node(j);
	on_fetch(j->loop, &j->fetch, 0);
}

/* ---- configuration ---- */

/*
 * SIGHUP: node.yaml, changed or not: whole, or not at all. klp/ is looked
 * through in any case.
 */
static void
on_setting(void *ctx, enum setting what, int fd)
{
	struct judge *j = ctx;
	struct node_config *c = NULL;
	const uint8_t *text;
	size_t len = 0;

	if (what != SET_NODE_YAML)
		return;
	if ((text = memfd_map(fd, &len, NODE_YAML_MAX)) != NULL) {
		c = judge_conf_parse((const char *)text, len);
		memfd_unmap(text, len);
	}
	if (c == NULL)
		log_errx("node.yaml", "has mistakes and is not taken, the old one "
		    "holds: `warren check-config` names them");
	else
		judge_conf_use(j, c);
	if (law_look(j->law, judge_now(j), false) || c != NULL)
		tell_node(j);
	law_fetch_now(j->law);
	look_again(j);
	on_fetch(j->loop, &j->fetch, 0);
}

static void
on_stop(void *ctx)
{
	struct judge *j = ctx;

	if (ev_is_active(&j->save))
		(void)bindings_save(j);
	ev_break(j->loop, EVBREAK_ALL);
}

static const struct program_ops ops = {.message = ipc_dispatch, .up = on_up,
    .down = on_down, .stop = on_stop, .setting = on_setting};

/* ---- start ---- */

static void
judge_open(struct judge *j)
{
	_cleanup_free_ char *text = NULL;
	const struct law_ops lops = {j, trail, send_fetch, send_ask,
	    send_verify};
	struct node_config *c;
	size_t len;

	text = settings_text(&j->prog, SET_NODE_YAML, "", NODE_YAML_MAX, &len);
	if (text == NULL || (c = judge_conf_parse(text, len)) == NULL)
		fatalx("no node.yaml to judge by");
	j->dir = settings_take(&j->prog, SET_DIR_TRUST, "");
	j->v.store = bindstore_new(BINDSTORE_MAX);
	j->file = malloc(BINDSTORE_BYTES);
	j->record = malloc(MANIFEST_RECORD_MAX);
	j->board_keys = calloc(NODE_BOARDS_MAX * ENV_KEYS_MAX,
	    sizeof(*j->board_keys));
	if (j->board_keys == NULL)
		fatalx("no memory");
	if (j->dir < 0 || j->v.store == NULL || j->file == NULL ||
	    j->record == NULL || (j->law = law_new(settings_take(&j->prog,
		SET_DIR_KLP, ""), j->dir, j->v.store, &lops)) == NULL)
		fatalx("no folder warren/trust from the parent, or no memory");
	bindings_load(j);
	j->law->own = j->prog.params.identity_hash;
	judge_conf_use(j, c);
	/* before the first question: nobody is let in who is revoked */
	(void)law_look(j->law, judge_now(j), true);
	judge_boards(j);
}

int
main(int argc, char *argv[])
{
	static struct judge j;
	uint8_t seed[32];
	uint64_t run;

	/* both want random bytes from a file, so before there is none */
	if (sodium_init() < 0)
		return 1;
#ifdef M_MMAP_THRESHOLD
	/* a graph's 34 MB go back when they are freed, and not to a heap */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
#endif
	json_object_seed(randombytes_random());
	randombytes_buf(seed, sizeof(seed));
	if (!secp_init(seed))
		return 1;
	randombytes_buf(&run, sizeof(run));
	witness_init(&j.witness, run, EVENTS_KEPT);
	(void)signal(SIGXFSZ, SIG_IGN);
	program_start(&j.prog, PROGRAM_TRUST, argc, argv, NULL, NULL);
	judge_open(&j);
	if ((j.loop = ev_default_loop(0)) == NULL)
		fatalx("no event loop");
	ev_timer_init(&j.save, on_save, SAVE_AFTER, 0.);
	j.save.data = &j;
	ev_timer_init(&j.look, on_look, LOOK_EVERY, 0.);
	j.look.data = &j;
	ev_idle_init(&j.work, on_work);
	j.work.data = &j;
	ev_timer_init(&j.fetch, on_fetch, 0., 0.);
	j.fetch.data = &j;
	ev_timer_init(&j.spread, on_spread, 0., 0.);
	j.spread.data = &j;
	on_spread(j.loop, &j.spread, 0);
	on_look(j.loop, &j.look, 0);
	if (program_attach(&j.prog, j.loop, &ops, &j) < 0 ||
	    program_ready(&j.prog) < 0)
		fatal("channel to the parent");
	ev_run(j.loop, 0);
	law_free(j.law);
	return 0;
}
