/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "transport/client/attach.h"
#include "common/util.h"
#include "node/cli/again.h"
#include "node/cli/busy.h"
#include "node/cli/format.h"
#include "node/cli/refusal.h"
#include "node/cli/say.h"
#include "node/cli/shut.h"
#include "node/cli/ways.h"

#define RETRY_US (2 * MONO_SECOND)
#define SHUT_TEXT "the node closes each link at once: it may have suspended " \
	"or revoked this identity, or trusts it at -2 or below"
#define LOST_SAID_US (3 * MONO_SECOND) /* ours: a shorter break is not told */

enum call_state {
	CALL_NONE,
	CALL_WAITING,
	CALL_DONE,
	CALL_UNANSWERED, /* it has arrived, its answer has not */
	CALL_BROKEN,
};

/* ours: so often one that arrives is asked again on the same link */
#define UNANSWERED_MAX 4
/* ours: and has so much longer each time, and twice that, up to a minute */
#define PATIENCE_US (2 * MONO_SECOND)

struct session {
	struct cli *cli;
	struct ev_loop *loop;
	struct attach *at;
	struct attach_link *link;
	bool up;
	unsigned generation;
	struct hash16 dest;
	uint8_t identity[RNS_KEY];
	const struct person *person; /* the caller's; ways are noted there */
	struct session_opts opts;
	struct mono down_since;
	/* a link that was there is not: since when, and what was said of it */
	bool lost;
	struct mono lost_at, lost_said;
	const char *doing; /* what is done about it */
	struct shut shut;
	struct mono contact_end; /* nothing was ever answered: give up then */
	bool contacted;
	ev_timer turn; /* wakes a waiting call */
	ev_signal on_int, on_term;
	bool interrupted, woken, give_back, given_up;
	bool unsure; /* of this call another copy may have come before */

	/* the one call under way */
	enum call_state call;
	struct attach_request *request;
	uint8_t out[PROTO_REQUEST_MAX];
	uint8_t *data; /* the answer */
	size_t len;
	void (*progress)(void *, bool, uint64_t, uint64_t);
	void *progress_arg;
	struct busy_shown busy;
	uint64_t to_move; /* by the caller, in this and later calls */
	int (*introduce)(struct cli *, struct session *, const struct person *,
	    void *);
	void *introduce_arg;
};

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct session *s = w->data;

	(void)revents;
	s->interrupted = s->cli->interrupted = true;
	ev_break(loop, EVBREAK_ALL);
}

static void
on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ONE);
}

int
session_open(struct session **out, struct cli *c, const struct person *p)
{
	struct session *s = calloc(1, sizeof(*s));
	char why[512] = "";

	if (s == NULL)
		return CLI_FAILED;
	s->cli = c;
	s->loop = ev_loop_new(EVFLAG_AUTO);
	if (s->loop == NULL) {
		free(s);
		return CLI_FAILED;
	}
	memcpy(s->identity, p->rns_priv, sizeof(s->identity));
	s->person = p;
	ev_timer_init(&s->turn, on_turn, 0., 0.);
	ev_signal_init(&s->on_int, on_signal, SIGINT);
	ev_signal_init(&s->on_term, on_signal, SIGTERM);
	s->on_int.data = s->on_term.data = s;
	ev_signal_start(s->loop, &s->on_int);
	ev_signal_start(s->loop, &s->on_term);
	ev_unref(s->loop);
	ev_unref(s->loop);
	if (attach_open(&s->at, s->loop, c->config, why, sizeof(why)) != 0) {
		bool absent = errno == ECONNREFUSED;
		bool missing = errno == ENOENT;

		cli_error(c, "%s", why);
		if (absent)
			cli_hint(c,
			    "Start `warrend` or `rnsd` there first, or name "
			    "another folder with --config.");
		else if (missing)
			cli_hint(c,
			    "Reticulum was never started there: `warrend` and "
			    "`rnsd` write a first one; --config names another "
			    "folder.");
		session_close(s);
		return absent || missing ? CLI_UNREACHABLE : CLI_FAILED;
	}
	*out = s;
	return CLI_OK;
}

void
session_close(struct session *s)
{
	if (s == NULL)
		return;
	attach_close(s->at);
	ev_ref(s->loop);
	ev_ref(s->loop);
	ev_signal_stop(s->loop, &s->on_int);
	ev_signal_stop(s->loop, &s->on_term);
	ev_timer_stop(s->loop, &s->turn);
	ev_loop_destroy(s->loop);
	free(s->data);
	explicit_bzero(s->identity, sizeof(s->identity));
	free(s);
}

const struct rns *
session_rns(struct session *s)
{
	return attach_rns(s->at);
}

struct attach *
session_attach(struct session *s)
{
	return s->at;
}

int
session_listen(struct session *s,
    void (*fn)(void *arg, const struct rns_event *), void *arg)
{
	return attach_on_announce(s->at, "klp.node", fn, arg);
}

/* Run until something calls ev_break, at most `us`. */
static void
wait_a_turn(struct session *s, int64_t us)
{
	ev_now_update(s->loop);
	ev_timer_set(&s->turn, (double)us / 1e6, 0.);
	ev_timer_start(s->loop, &s->turn);
	ev_run(s->loop, 0);
	ev_timer_stop(s->loop, &s->turn);
}

void
session_run(struct session *s, int64_t us)
{
	struct mono end = mono_add(clock_mono(), us);

	s->woken = false;
	while (!s->interrupted && !s->woken &&
	    !mono_reached(clock_mono(), end))
		wait_a_turn(s, mono_sub(end, clock_mono()));
}

void
session_wake(struct session *s)
{
	s->woken = true;
	/* an answer that was to wait for what has happened by now */
	if (s->request != NULL)
		attach_request_hurry(s->request);
	ev_break(s->loop, EVBREAK_ONE);
}

void
session_give_up(struct session *s)
{
	s->given_up = true;
	session_wake(s);
}

int64_t
session_rtt_us(const struct session *s)
{
	return s->up ? attach_link_rtt_us(s->link) : 0;
}

/* ---- the link ---- */

/* Once for a record, and on a terminal for how long already. */
static void
say_lost(struct session *s)
{
	int64_t us = mono_sub(clock_mono(), s->lost_at);
	char t[24];

	if (s->shut.said) {
		cli_progress(s->cli, SHUT_TEXT "; asking again ...");
		return;
	}
	if (!s->lost) {
		cli_progress(s->cli, "%s ...", s->doing);
		return;
	}
	cli_progress(s->cli, "the link broke %s ago: %s ...",
	    cli_duration(t, us / 1000), s->doing);
	if (s->lost_said.us != 0 || us < LOST_SAID_US)
		return;
	s->lost_said = clock_mono();
	if (s->cli->json)
		cli_json(json_pack("{s:s,s:b,s:I}", "event", "link", "up", 0,
		    "since", (json_int_t)(time(NULL) - us / MONO_SECOND)));
	else if (!s->cli->err_tty)
		cli_note(s->cli, "the link broke; it is made again");
}

static void
say_shut(struct session *s)
{
	int64_t us = mono_sub(clock_mono(), s->shut.since);

	cli_progress(s->cli, SHUT_TEXT "; asking again ...");
	if (s->cli->json)
		cli_json(json_pack("{s:s,s:b,s:I,s:I,s:s}", "event", "link",
		    "up", 0, "since", (json_int_t)(time(NULL) - us /
		    MONO_SECOND), "closed", (json_int_t)s->shut.n, "why",
		    SHUT_TEXT));
	if (s->cli->json || !s->cli->err_tty)
		cli_note(s->cli, SHUT_TEXT "; it is asked again");
}

/* What was said of a link that is up is taken back when it is of use. */
static void
say_back(struct session *s)
{
	int64_t us = mono_sub(clock_mono(), s->lost_at);
	char t[24];

	if (s->shut.said)
		return;
	if (s->lost && s->lost_said.us != 0 && s->cli->json)
		cli_json(json_pack("{s:s,s:b,s:I}", "event", "link", "up", 1,
		    "down_s", (json_int_t)(us / MONO_SECOND)));
	else if (s->lost && s->lost_said.us != 0 && !s->cli->err_tty)
		cli_note(s->cli, "the link is there again after %s",
		    cli_duration(t, us / 1000));
	s->lost = false;
	s->lost_said.us = 0;
}

static void
say_answered(struct session *s)
{
	s->contacted = true;
	if (!shut_answered(&s->shut))
		return;
	/* what is lost since then is the whole time */
	s->lost = true;
	s->lost_at = s->shut.since;
	s->lost_said = clock_mono();
	say_back(s);
}

static void
lose(struct session *s)
{
	s->up = false;
	s->down_since = clock_mono();
	if (s->lost)
		return;
	s->lost = true;
	s->lost_at = s->down_since;
	s->doing = "setting up a link";
}

static void
on_link(void *arg, struct attach_link *l, enum attach_link_state st)
{
	struct session *s = arg;

	(void)l;
	switch (st) {
	case ATTACH_LINK_PATH:
	case ATTACH_LINK_SETUP:
		s->doing = st == ATTACH_LINK_PATH ? "looking for a path" :
						    "setting up a link";
		say_lost(s);
		return;
	case ATTACH_LINK_UP:
		s->up = true;
		s->generation++;
		shut_up(&s->shut, clock_mono());
		say_back(s);
		break;
	case ATTACH_LINK_FAILED:
	case ATTACH_LINK_CLOSED:
		if (s->up && shut_closed(&s->shut, clock_mono()))
			say_shut(s);
		if (s->up)
			lose(s);
		s->link = NULL;
		s->request = NULL;
		if (s->call == CALL_WAITING)
			s->call = CALL_BROKEN;
		break;
	}
	ev_break(s->loop, EVBREAK_ONE);
}

/* CLI_OK when the link is up; the time that it may take is the caller's. */
static int
make_link(struct session *s, struct mono end)
{
	struct attach_way way;
	struct rns_known k;

	while (!s->up) {
		struct mono now = clock_mono();

		if (s->interrupted)
			return CLI_FAILED;
		if (mono_reached(now, end))
			return CLI_UNREACHABLE;
		if (s->link == NULL) {
			struct attach_link_opts o = {
			    .identity = s->opts.identify ? s->identity : NULL,
			    .timeout_us = end.us == INT64_MAX ?
				INT64_C(3600) * MONO_SECOND :
				mono_sub(end, now)};

			if (ways_find(s->person, attach_folder(s->at), &s->dest,
			    rns_known_get(attach_rns(s->at), &s->dest, &k) ?
				k.public_key :
				NULL,
			    &way))
				o.way = &way;
			s->link = attach_link_open(s->at, &s->dest, &o, on_link,
			    s);
			if (s->link == NULL) {
				wait_a_turn(s, RETRY_US);
				continue;
			}
		}
		wait_a_turn(s, MIN_OF(mono_sub(end, now), MONO_SECOND));
		if (s->lost && !s->up)
			say_lost(s);
	}
	if (attach_way_get(s->at, &s->dest, &way))
		ways_note(s->person, attach_folder(s->at), &s->dest, &way);
	return CLI_OK;
}

static int64_t
contact_us(const struct session *s)
{
	return s->opts.contact_us > 0 ? s->opts.contact_us :
	    SESSION_CONTACT_MS * INT64_C(1000);
}

static void
say_no_contact(struct session *s)
{
	char hex[2 * RNS_HASH + 1], t[24];

	cli_progress_end(s->cli);
	hex_encode(hex, HASH_BYTES(s->dest));
	cli_error(s->cli, "no answer from %s within %s", hex,
	    cli_duration(t, contact_us(s) / 1000));
	if (s->shut.said)
		cli_hint(s->cli, "It closes each link at once, as a node does "
		    "that has suspended or revoked you, or trusts you at -2 or "
		    "below. Its operator sees why: `warren explain` there, with your "
		    "key (`warren identity show`).");
	else
		cli_hint(s->cli,
		    "It may be off, or no path to it is known. "
		    "`warren nodes` lists who is heard.");
}

int
session_connect(struct session *s, const struct hash16 *dest,
    const struct session_opts *o)
{
	int rc;

	if (s->link != NULL)
		attach_link_close(s->link);
	s->link = NULL;
	s->up = false;
	s->opts = *o;
	s->dest = *dest;
	s->shut = (struct shut){0};
	s->contacted = false;
	s->contact_end = mono_add(clock_mono(), contact_us(s));
	rc = make_link(s, s->contact_end);
	cli_progress_end(s->cli);
	if (rc == CLI_UNREACHABLE)
		say_no_contact(s);
	return rc;
}

const uint8_t *
session_link_id(const struct session *s)
{
	return s->up ? attach_link_id(s->link) : NULL;
}

bool
session_node_public(const struct session *s, uint8_t pub[RNS_KEY])
{
	struct rns_known k;

	if (!rns_known_get(attach_rns(s->at), &s->dest, &k))
		return false;
	memcpy(pub, k.public_key, RNS_KEY);
	return true;
}

unsigned
session_generation(const struct session *s)
{
	return s->generation;
}

bool
session_interrupted(const struct session *s)
{
	return s->interrupted;
}

int
session_stream(struct session *s, uint16_t stream,
    void (*fn)(void *arg, const uint8_t *, size_t, bool eof), void *arg)
{
	if (!s->up)
		return -1;
	return attach_stream(s->link, stream, fn, arg);
}

int
session_up(struct session *s)
{
	struct mono end = s->opts.outage_us > 0 ?
	    mono_add(s->down_since, s->opts.outage_us) :
	    MONO_NEVER;
	int rc;

	if (!s->contacted)
		end.us = MIN_OF(end.us, s->contact_end.us);
	rc = make_link(s, end);
	if (rc == CLI_UNREACHABLE && !s->contacted)
		say_no_contact(s);
	else if (rc == CLI_UNREACHABLE)
		cli_error(s->cli, "the link broke and did not come back");
	return rc;
}

/* ---- calls ---- */

static void
on_answer(void *arg, const struct attach_response *r)
{
	struct session *s = arg;

	s->request = NULL;
	s->unsure |= r->copies > 1;
	s->call = r->result == ATTACH_UNANSWERED ? CALL_UNANSWERED :
	    CALL_BROKEN;
	if (r->result == ATTACH_ANSWERED) {
		say_answered(s);
		uint8_t *copy = malloc(r->len > 0 ? r->len : 1);

		if (copy != NULL) {
			memcpy(copy, r->data, r->len);
			free(s->data);
			s->data = copy;
			s->len = r->len;
			s->call = CALL_DONE;
		}
	}
	ev_break(s->loop, EVBREAK_ONE);
}

static void
on_progress(void *arg, bool sending, uint64_t done, uint64_t total)
{
	struct session *s = arg;

	if (s->progress != NULL)
		s->progress(s->progress_arg, sending, done, total);
}

void
session_give_back(struct session *s)
{
	s->give_back = true;
}

/* Before another link is tried, and not beyond the end of trying. */
static int64_t
next_link_us(const struct session *s)
{
	int64_t us = shut_wait_us(&s->shut);

	return s->contacted ? us : MAX_OF(INT64_C(1),
	    MIN_OF(us, mono_sub(s->contact_end, clock_mono())));
}

static bool
is_slice(enum proto_path p)
{
	return p == PATH_BLOB_PUT || p == PATH_BLOB_GET || p == PATH_LOG;
}

void
session_introduce(struct session *s, int (*fn)(struct cli *, struct session *,
    const struct person *, void *), void *arg)
{
	s->introduce = fn;
	s->introduce_arg = arg;
}

/* A request inside of a request: that one is written anew after it. */
static int
introduce(struct session *s)
{
	int (*fn)(struct cli *, struct session *, const struct person *,
	    void *) = s->introduce;
	int rc;

	s->introduce = NULL;
	rc = fn(s->cli, s, s->person, s->introduce_arg);
	s->introduce = fn;
	return rc;
}

static bool
put_request(struct session *s, const struct proto_req *req, size_t *len)
{
	struct wr w = wr_make(s->out, sizeof(s->out));

	proto_req_put(&w, req);
	*len = w.len;
	if (!wr_ok(&w))
		cli_error(s->cli, "%s: the request is too large",
		    proto_path(req->path));
	return wr_ok(&w);
}

int
session_ask(struct session *s, const struct proto_req *req, struct proto_ans *a,
    void (*progress)(void *, bool, uint64_t, uint64_t), void *arg)
{
	const char *path = proto_path(req->path);
	struct attach_request_opts o = {
	    .repeat = true, .max_response = 1 << 20, .progress = on_progress,
	    .patience_us = (int64_t)req->wait_s * MONO_SECOND};
	struct again_call again = {
	    .spare_stream = s->give_back && req->path == PATH_FOLLOW};
	unsigned unanswered = 0;
	uint64_t wait;
	size_t len;

	s->unsure = false;
	if (s->interrupted || !put_request(s, req, &len))
		return CLI_FAILED;
	s->progress = progress;
	s->progress_arg = arg;
	s->given_up = false;
	s->down_since = clock_mono();
	for (;;) {
		int rc;

		if (req->path == PATH_FOLLOW && !s->up)
			return SESSION_BROKEN;
		rc = session_up(s);
		if (rc != CLI_OK)
			return rc;
		s->call = CALL_WAITING;
		s->request = attach_request(s->link, path, s->out, len, &o,
		    on_answer, s);
		if (s->request == NULL) {
			s->call = CALL_NONE;
			wait_a_turn(s, RETRY_US / 10);
			continue;
		}
		while (s->call == CALL_WAITING && !s->interrupted &&
		    !s->given_up) {
			wait_a_turn(s, (req->wait_s > 0 ? 1 : 60) *
			    MONO_SECOND);
			if (req->wait_s > 0 && progress != NULL)
				progress(arg, false, 0, 0);
		}
		if (s->interrupted || s->given_up) {
			rc = s->interrupted ? CLI_FAILED : SESSION_BROKEN;
			if (s->request != NULL)
				attach_request_cancel(s->request);
			s->request = NULL;
			s->call = CALL_NONE;
			return rc;
		}
		s->unsure |= s->call != CALL_DONE;
		if (s->call == CALL_UNANSWERED && s->up &&
		    unanswered++ < UNANSWERED_MAX) {
			if (s->give_back && req->path == PATH_BLOB_PUT)
				return SESSION_UNANSWERED;
			/* a node that needs its time gets more each time */
			o.patience_us += PATIENCE_US << unanswered;
			continue;
		}
		if (s->call != CALL_DONE) {
			/* a link that answers nothing is made again */
			if (s->link != NULL && s->up) {
				attach_link_close(s->link);
				s->link = NULL;
				lose(s);
			}
			wait_a_turn(s, next_link_us(s));
			if (s->give_back && is_slice(req->path))
				return SESSION_BROKEN;
			continue;
		}
		if (!proto_ans_get(a, s->data, s->len)) {
			cli_error(s->cli, "%s: malformed answer", path);
			return CLI_FAILED;
		}
		switch (again_after(&again, a, s->opts.identify,
			    s->introduce != NULL && req->path != PATH_SUBMIT,
			    &wait)) {
		case AGAIN_LATER:
			busy_say(s->cli, &s->busy, &a->meta, wait, s->to_move);
			session_run(s, (int64_t)wait * MONO_SECOND);
			s->down_since = clock_mono();
			continue;
		case AGAIN_IDENTIFY:
			if (s->up)
				(void)attach_link_identify(s->link);
			continue;
		case AGAIN_INTRODUCE:
			rc = introduce(s);
			if (rc != CLI_OK || !put_request(s, req, &len))
				return rc != CLI_OK ? rc : CLI_FAILED;
			s->progress = progress;
			s->progress_arg = arg;
			continue;
		case AGAIN_NOT:
			return CLI_OK;
		}
	}
}

bool
session_unsure(const struct session *s)
{
	return s->unsure;
}

void
session_to_move(struct session *s, uint64_t bytes)
{
	s->to_move = bytes;
}

int
session_refused(struct cli *c, const struct proto_ans *a)
{
	char why[PROTO_TEXT_MAX + 1], state[32], most[24];
	struct cli_refusal r;

	pstr_copy(why, sizeof(why), a->meta.why);
	switch (a->status) {
	case ST_NOT_FOUND:
		cli_error(c, "that node has no such job of this identity");
		cli_hint(c, "`warren jobs --to NODE` lists those that it has; "
			    "an ended one is forgotten after some days.");
		return CLI_FAILED;
	case ST_TOO_LARGE:
		cli_error(c, "too large for that node: at most %s in one "
			     "request", a->meta.has_max ?
			cli_bytes(most, a->meta.max) : "less");
		return CLI_REFUSED;
	case ST_REFUSED:
		refusal_take(&r, &a->meta, (int64_t)time(NULL));
		cli_refused(c, &r);
		return CLI_REFUSED;
	case ST_MALFORMED:
		cli_error(c, "the node finds our request malformed: %s", why);
		cli_hint(c, "`warren` here and there may be of different "
			    "versions.");
		return CLI_FAILED;
	case ST_NOT_YET:
		pstr_copy(state, sizeof(state), a->meta.state);
		cli_error(c, "not yet: the job is %s",
		    state[0] != '\0' ? state : "under way");
		cli_hint(c, "`warren logs -f` follows it to its end.");
		return CLI_FAILED;
	case ST_GONE:
		cli_error(c, "gone: the job has ended, and the node has kept "
			     "what it made for as long as it had promised");
		cli_hint(c, "Run it again, and ask for its result sooner.");
		return CLI_FAILED;
	default:
		cli_error(c, "the node answers with status %u, which this "
			     "version does not know", (unsigned)a->status);
		return CLI_FAILED;
	}
}
