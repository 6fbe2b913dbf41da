/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/mailbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/jsonhex.h"
#include "common/util.h"
#include "node/cli/contact.h"
#include "node/cli/format.h"
#include "node/cli/mail.h"
#include "node/cli/mailway.h"
#include "node/cli/say.h"
#include "transport/client/attach.h"
#include "transport/lxmf/post.h"

#define TAGS (UINT64_C(1) << 59) /* attach counts its own from 1 on */
#define FOLDER "letters"
#define TAKEN 64 /* as many as the machine hands out */
#define TURN_US (MONO_SECOND)
#define STAMP_TRIES 5000 /* some milliseconds, then the loop again */
/* ours: between two looks; each costs air, and a job takes its time */
#define LOOK_FIRST_US (15 * MONO_SECOND)
#define LOOK_MOST_US (300 * MONO_SECOND)

struct mailbox {
	struct cli *cli;
	struct session *session;
	struct attach *at;
	const struct person *person;
	struct post *post;
	struct {
		uint64_t handle;
		bool kept;
	} taken[TAKEN];
	unsigned ntaken;
	bool ended, looking;
	enum post_end end;
	const char *why;
	enum post_look look;
	struct mailway begun, way; /* as it was before, and is now */
	json_t *noted; /* what letters/ID.way says of it, but when */
};

/* ---- letters/ ---- */

static char *
load(const struct person *p, const struct id32 *job, size_t *n)
{
	_cleanup_fd_ int dir = dir_open(p->dir, FOLDER, false, 0);
	char hex[65];

	hex_encode(hex, HASH_BYTES(*job));
	return dir < 0 ? NULL : file_load(dir, hex, POST_MESSAGE_MAX, n);
}

/* The key that is known of a node, or NULL: then the letter must bring it. */
static const uint8_t *
known_key(struct mailbox *m, const struct hash16 *dest, struct remote *r)
{
	struct rns_known k;

	r->dest = *dest;
	if (rns_known_get(attach_rns(m->at), dest, &k)) {
		memcpy(r->rns_pub, k.public_key, sizeof(r->rns_pub));
		return r->rns_pub;
	}
	return contact_get(m->person, r, (uint32_t)time(NULL)) == NULL ?
	    r->rns_pub : NULL;
}

/* False: it could not be written, and must come again. */
static bool
file_letter(struct mailbox *m, const uint8_t *packed, size_t n,
    const struct id32 *job, enum mail_rank rank)
{
	_cleanup_free_ char *old = NULL;
	struct id32 other;
	_cleanup_fd_ int dir = -1;
	char hex[65];
	size_t len;

	old = load(m->person, job, &len);
	if (old != NULL && mail_rank((const uint8_t *)old, len, &other) > rank)
		return true;
	dir = dir_open(m->person->dir, FOLDER, true, 0700);
	hex_encode(hex, HASH_BYTES(*job));
	return dir >= 0 && file_replace(dir, hex, packed, n, 0600) == 0;
}

/* Whether it need not come again: filed, or nobody's word about a job. */
static bool
keep(struct mailbox *m, const struct post_message *msg)
{
	struct job_note note;
	struct mail_read r = {0};
	struct remote k;
	struct id32 job;
	enum mail_rank rank = mail_rank(msg->packed, msg->len, &job);
	bool kept = false;
	const char *why;

	/* a message for another program, or of a job that is not noted here */
	if (rank == MAIL_NONE || !person_get_job(m->person, &job, &note))
		return false;
	why = mail_read(&r, msg->packed, msg->len, &note.dest,
	    known_key(m, &note.dest, &k));
	mail_read_free(&r);
	if (why != NULL) {
		cli_note(m->cli, "a message about a job does not count: %s",
		    why);
		return true;
	}
	kept = file_letter(m, msg->packed, msg->len, &job, rank);
	if (!kept)
		cli_error(m->cli, "%s: %s", FOLDER, strerror(errno));
	return kept;
}

/* ---- the machine's world ---- */

static int
do_submit(void *arg, const struct rns_cmd *cmd)
{
	struct mailbox *m = arg;

	return attach_submit(m->at, cmd);
}

static bool
do_known(void *arg, const struct hash16 *dest, struct rns_known *out)
{
	struct mailbox *m = arg;

	return rns_known_get(attach_rns(m->at), dest, out);
}

static bool
do_path(void *arg, const struct hash16 *dest)
{
	struct mailbox *m = arg;
	struct rns_path path;

	return rns_path_get(attach_rns(m->at), dest, &path);
}

static void
do_random(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	randombytes_buf(out, n);
}

static void
on_message(void *arg, const struct post_message *msg)
{
	struct mailbox *m = arg;

	if (m->ntaken == TAKEN)
		return; /* without a word: it comes again */
	m->taken[m->ntaken].handle = msg->handle;
	m->taken[m->ntaken++].kept = keep(m, msg);
}

static void
on_ended(void *arg, uint64_t tag, enum post_end end, const char *why)
{
	struct mailbox *m = arg;

	(void)tag;
	m->ended = true;
	m->end = end;
	m->why = why;
}

static void
on_looked(void *arg, enum post_look how, unsigned n)
{
	struct mailbox *m = arg;

	(void)n;
	m->looking = false;
	m->look = how;
}

static void
on_event(void *arg, const struct rns_event *ev)
{
	struct mailbox *m = arg;

	(void)post_event(m->post, ev, clock_mono());
	session_wake(m->session);
}

int
mailbox_open(struct mailbox **out, struct cli *c, struct session *s,
    const struct person *p, const struct mail_nodes *nodes)
{
	struct mailbox *m = calloc(1, sizeof(*m));
	struct post_conf conf = {.tags = TAGS, .nnodes = nodes->n};
	struct post_io io = {m, do_submit, do_known, do_path, do_random,
	    on_message, on_ended, on_looked, NULL};

	if (m == NULL)
		return CLI_FAILED;
	m->cli = c;
	m->session = s;
	m->at = session_attach(s);
	m->person = p;
	memcpy(conf.nodes, nodes->of, sizeof(conf.nodes));
	m->way.nvia = nodes->n;
	memcpy(m->way.via, nodes->of, sizeof(m->way.via));
	memcpy(conf.identity, p->rns_priv, sizeof(conf.identity));
	m->post = post_new(&conf, &io, clock_mono());
	explicit_bzero(&conf, sizeof(conf));
	if (m->post == NULL) {
		cli_error(c, "out of memory");
		free(m);
		return CLI_FAILED;
	}
	attach_on_event(m->at, on_event, m);
	*out = m;
	return CLI_OK;
}

void
mailbox_close(struct mailbox *m)
{
	if (m == NULL)
		return;
	attach_on_event(m->at, NULL, NULL);
	post_free(m->post);
	json_decref(m->noted);
	free(m);
}

/* ---- how far it is, for `explain` ---- */

/* What an earlier command has noted of the same job goes on. */
static void
way_begin(struct mailbox *m, const struct id32 *job)
{
	struct mailway old;

	m->way.since = time(NULL);
	if (mailway_get(m->person, job, &old))
		mailway_resume(&m->way, &old);
	m->begun = m->way;
}

static void
way_note(struct mailbox *m, const struct id32 *job)
{
	json_t *o;

	m->way.at = 0;
	o = mailway_json(&m->way);
	if (o == NULL || json_equal(o, m->noted)) {
		json_decref(o);
		return;
	}
	json_decref(m->noted);
	m->noted = o;
	m->way.at = time(NULL);
	mailway_put(m->person, job, &m->way);
}

static void
way_step(struct mailbox *m, const struct id32 *job, enum mailway_step step,
    const char *why)
{
	m->way.step = step;
	m->way.next = 0;
	(void)snprintf(m->way.why, sizeof(m->way.why), "%s", why);
	way_note(m, job);
}

/* Of the letter that waits to go out. */
static void
way_turn(struct mailbox *m, const struct id32 *job, uint64_t tag)
{
	struct mono now = clock_mono();
	const int64_t next = m->way.next;
	struct post_where w;

	if (!post_where(m->post, tag, now, &w))
		return;
	mailway_from(&m->way, &m->begun, &w, now, time(NULL));
	/* two clocks, each cut to its second */
	if (m->way.next - next == 1 || next - m->way.next == 1)
		m->way.next = next;
	way_note(m, job);
}

/* ---- turns ---- */

static void
turn(struct mailbox *m, int64_t most_us)
{
	struct mono now = clock_mono();

	while (m->ntaken > 0) {
		m->ntaken--;
		post_taken(m->post, m->taken[m->ntaken].handle,
		    m->taken[m->ntaken].kept, now);
	}
	if (post_busy(m->post)) {
		post_work(m->post, STAMP_TRIES, now);
		most_us = 0;
	}
	if (mono_reached(now, post_deadline(m->post)))
		post_tick(m->post, now);
	now = clock_mono();
	session_run(m->session, MAX_OF(INT64_C(1000),
	    MIN_OF(most_us, mono_sub(post_deadline(m->post), now))));
}

static void
say_handed(struct mailbox *m, const struct id32 *job)
{
	bool stored = m->end == POST_STORED;

	cli_progress_end(m->cli);
	if (m->cli->json)
		cli_json(json_pack("{s:s,s:o,s:s}", "event", "handed_over",
		    "id", json_hex(HASH_BYTES(*job)), "to",
		    stored ? "propagation_node" : "node"));
	else
		cli_note(m->cli, "%s has the job's message",
		    stored ? "the propagation node" : "the node");
}

int
mailbox_send(struct mailbox *m, const struct id32 *job, const uint8_t *packed,
    size_t n, const uint8_t *pub, int64_t us)
{
	struct mono now = clock_mono();
	struct post_letter l = {.tag = 1, .packed = packed, .len = n,
	    .pub = pub, .way = POST_ANY, .until = mono_add(now, us)};
	int err = post_send(m->post, &l, now);

	if (err != RNS_OK) {
		cli_error(m->cli, "the message cannot be sent: %s",
		    rns_strerror(err));
		return CLI_FAILED;
	}
	m->ended = false;
	way_begin(m, job);
	while (!m->ended && !session_interrupted(m->session)) {
		way_turn(m, job, l.tag);
		cli_progress(m->cli, post_busy(m->post) ?
			"searching for a stamp ..." :
			"handing the job over ...");
		turn(m, TURN_US);
	}
	if (!m->ended) {
		way_step(m, job, MAILWAY_GIVEN_UP, "interrupted");
		return CLI_FAILED;
	}
	if (m->end == POST_FAILED) {
		const char *why = m->why != NULL ? m->why : "it took too long";

		way_step(m, job, MAILWAY_GIVEN_UP, why);
		cli_error(m->cli, "the job could not be handed over: %s", why);
		return CLI_UNREACHABLE;
	}
	m->way.by_node = m->end == POST_STORED;
	way_step(m, job, MAILWAY_HANDED, "");
	say_handed(m, job);
	return CLI_OK;
}

/* CLI_OK: there is a letter, and r is it; -1: none that counts. */
static int
look_up(struct mailbox *m, const struct id32 *job, const struct hash16 *dest,
    struct mail_read *r)
{
	_cleanup_free_ char *data = NULL;
	struct remote k;
	size_t n;

	mail_read_free(r);
	data = load(m->person, job, &n);
	if (data == NULL)
		return -1;
	return mail_read(r, (const uint8_t *)data, n, dest,
		   known_key(m, dest, &k)) == NULL ?
	    CLI_OK :
	    -1;
}

static const char *
look_text(enum post_look how)
{
	switch (how) {
	case POST_LOOK_REFUSED:
		return "the propagation node does not let us fetch";
	case POST_LOOK_MALFORMED:
		return "the propagation node answers nonsense";
	default:
		return "the propagation node does not answer";
	}
}

/* A look ended: what it found, and when the next one is. */
static void
way_looked(struct mailbox *m, const struct id32 *job, struct mono next)
{
	m->way.looks++;
	m->way.looked = time(NULL);
	way_step(m, job, MAILWAY_ASKS, m->look == POST_LOOK_DONE ?
	    "there is none yet" : look_text(m->look));
	m->way.next = m->way.looked + MAX_OF(mono_sub(next, clock_mono()) /
	    MONO_SECOND, 0);
	way_note(m, job);
}

/* CLI_OK: it is here, and r is it. */
static int
wait_for(struct mailbox *m, const struct id32 *job,
    const struct hash16 *dest, struct mail_read *r, int64_t us)
{
	struct mono begun = clock_mono(), answered = begun, next = begun;
	int64_t pause = LOOK_FIRST_US;
	char t[24];

	while (look_up(m, job, dest, r) != CLI_OK) {
		struct mono now = clock_mono();
		bool looked;

		if (session_interrupted(m->session))
			return CLI_FAILED;
		if (!m->looking && mono_reached(now, next)) {
			m->looking = post_look(m->post, now) == RNS_OK;
			m->look = POST_LOOK_DONE;
			post_tick(m->post, now);
			next = mono_add(now, pause);
			pause = MIN_OF(pause * 3 / 2, LOOK_MOST_US);
		}
		cli_progress(m->cli, "waiting for an answer for %s ...",
		    cli_duration(t, mono_sub(now, begun) / 1000));
		looked = m->looking;
		turn(m, TURN_US);
		if (looked && !m->looking)
			way_looked(m, job, next);
		if (!m->looking && m->look == POST_LOOK_DONE)
			answered = clock_mono();
		if (mono_sub(clock_mono(), answered) > us) {
			cli_error(m->cli, "%s", look_text(m->look));
			return CLI_UNREACHABLE;
		}
	}
	return CLI_OK;
}

int
mailbox_wait(struct mailbox *m, const struct id32 *job,
    const struct hash16 *dest, struct mail_read *r, int64_t us)
{
	int rc;

	way_begin(m, job);
	way_step(m, job, MAILWAY_ASKS, "");
	rc = wait_for(m, job, dest, r, us);
	if (rc == CLI_OK) {
		cli_progress_end(m->cli);
		person_letter_over(m->person, job);
	} else {
		way_step(m, job, MAILWAY_HANDED, rc == CLI_UNREACHABLE ?
		    look_text(m->look) : "interrupted");
	}
	return rc;
}
