/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/watchdog_pipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/jsonhex.h"
#include "common/libc.h"
#include "common/log.h"
#include "common/util.h"

#define LINE (16u * 1024) /* of ours: an event is the longest */
#define PROPOSALS "proposals"
#define COUNTS 64 /* jobs of a tick */

struct dogpipe {
	struct ev_loop *loop;
	struct dogpipe_ops ops;
	struct dog dog;
	int dir, out, in;
	ev_io w, r;
	ev_timer tick, again;
	char *queue;
	size_t queued;
	uint64_t lost; /* lines that found no room, since the last tick */
	char line[DOG_LINE_MAX + 1];
	size_t have;
	bool skip; /* what comes belongs to a line that was too long */
	unsigned lines; /* of this second */
	enum dog_there said;
};

/* ---- telling ---- */

static void
there(struct dogpipe *p)
{
	struct msg_D_THERE m = {.there = (uint8_t)p->dog.there};

	if (p->said == p->dog.there)
		return;
	p->said = p->dog.there;
	p->ops.there(p->ops.ctx, &m);
}

void
dogpipe_hello(struct dogpipe *p)
{
	struct msg_D_THERE m = {.there = (uint8_t)p->dog.there};

	if (p->dog.there != DOG_NONE) /* as node has it at its start */
		p->ops.there(p->ops.ctx, &m);
}

static struct msg_EVENT
event_of(enum event_kind kind, unsigned severity, const char *code)
{
	struct msg_EVENT m = {.kind = (uint16_t)kind,
	    .severity = (uint8_t)severity, .when_us = clock_wall_us()};

	(void)snprintf(m.code, sizeof(m.code), "%s", code);
	return m;
}

static void
say_there(struct dogpipe *p, unsigned severity, const char *code,
    const char *text)
{
	struct msg_EVENT m = event_of(EVK_WATCHDOG_THERE, severity, code);

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	p->ops.event(p->ops.ctx, &m);
	log_notice("watchdog", "%s", text);
}

/* ---- lines out ---- */

static void
lose_it(struct dogpipe *p)
{
	if (p->out >= 0) {
		ev_io_stop(p->loop, &p->w);
		(void)close(p->out);
	}
	if (p->in >= 0) {
		ev_io_stop(p->loop, &p->r);
		(void)close(p->in);
	}
	ev_timer_stop(p->loop, &p->again);
	p->out = p->in = -1;
	p->queued = p->have = 0;
	p->skip = false;
}

static void
flush(struct dogpipe *p)
{
	ssize_t n = write(p->out, p->queue, p->queued);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		lose_it(p);
		return;
	}
	if (n > 0) {
		p->queued -= (size_t)n;
		memmove(p->queue, p->queue + n, p->queued);
	}
	if (p->queued > 0)
		ev_io_start(p->loop, &p->w);
	else
		ev_io_stop(p->loop, &p->w);
}

static void
on_room(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	flush(w->data);
}

/* Whole lines or nothing. */
static void
send_line(struct dogpipe *p, const char *line, size_t n)
{
	if (p->out < 0)
		return;
	if (n == 0 || p->queued + n > DOGPIPE_QUEUE) {
		p->lost++;
		return;
	}
	memcpy(p->queue + p->queued, line, n);
	p->queued += n;
	if (!ev_is_active(&p->w))
		flush(p);
}

void
dogpipe_event(struct dogpipe *p, const struct msg_EVENT *e, const char *uid,
    unsigned severity, const char *body, size_t len)
{
	static char line[LINE];
	struct id32 job;
	struct fp peer;

	/* nobody is told what he said himself: it would go round */
	if (p->out < 0 || e->kind == EVK_WATCHDOG ||
	    e->kind == EVK_WATCHDOG_LINES)
		return;
	if (e->job_len == sizeof(job))
		memcpy(job.b, e->job, sizeof(job));
	if (e->peer_len == sizeof(peer))
		memcpy(peer.b, e->peer, sizeof(peer));
	dog_sent_event(&p->dog, uid, e->kind, severity,
	    e->job_len == sizeof(job) ? &job : NULL,
	    e->peer_len == sizeof(peer) ? &peer : NULL, clock_mono());
	send_line(p, line, dog_event_line(line, sizeof(line), body, len));
}

void
dogpipe_log(struct dogpipe *p, const struct msg_D_LOG *m)
{
	static char line[LINE];
	size_t at = 0;

	if (p->out < 0)
		return;
	dog_sent_log(&p->dog, &m->job, clock_mono());
	while (at < m->text_len)
		send_line(p, line, dog_log_line(line, sizeof(line), m, &at));
}

/* ---- proposals ---- */

static unsigned
entries(int fd)
{
	DIR *d = dir_take(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *de;
	unsigned n = 0;

	while (d != NULL && (de = readdir(d)) != NULL)
		n += de->d_name[0] != '.';
	if (d != NULL)
		(void)closedir(d);
	return n;
}

static json_t *
proposal(const struct dogpipe *p, const struct dog_verdict *v)
{
	const struct fp *peer = dog_peer(&p->dog, &v->job);
	char reason[4 * DOG_REASON_MAX + 1];
	json_t *refs = json_array();

	(void)text_printable(reason, sizeof(reason), v->reason,
	    strlen(v->reason));
	for (unsigned i = 0; i < v->nrefs; i++)
		(void)json_array_append_new(refs, json_string(v->ref[i]));
	return json_pack("{s:s, s:s, s:o, s:o, s:I, s:f, s:s, s:o}", "_type",
	    "klp.revocation-proposal", "by", "watchdog", "subject",
	    peer == NULL ? json_null() : json_hex(HASH_BYTES(*peer)), "job",
	    json_hex(HASH_BYTES(v->job)), "proposed",
	    (json_int_t)(clock_wall_us() / 1000000), "confidence",
	    (double)v->confidence / 1000., "reason", reason, "ref", refs);
}

/* A file for people, who sign or throw it away. name is set, or why not. */
static bool
propose(const struct dogpipe *p, const struct dog_verdict *v, char *name,
    size_t cap)
{
	_cleanup_fd_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	json_t *o;
	bool ok;

	if ((fd = dir_open(p->dir, PROPOSALS, true, 0700)) < 0)
		goto bad;
	if (entries(fd) >= DOGPIPE_PROPOSALS) {
		(void)snprintf(name, cap, "%d lie in warren/trail/" PROPOSALS
		    " already", DOGPIPE_PROPOSALS);
		return false;
	}
	o = proposal(p, v);
	text = o == NULL ? NULL : json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	(void)snprintf(name, cap, "%lld-%02x%02x%02x%02x.json",
	    (long long)(clock_wall_us() / 1000), v->job.b[0], v->job.b[1],
	    v->job.b[2], v->job.b[3]);
	ok = text != NULL && file_replace(fd, name, text, strlen(text),
	    0600) == 0;
	if (ok)
		return true;
bad:
	(void)snprintf(name, cap, "no file: %s", strerror(errno));
	return false;
}

/* ---- lines in ---- */

static void
tell_node(struct dogpipe *p, const struct dog_verdict *v)
{
	struct msg_D_ACT m = {.job = v->job, .action = (uint8_t)v->action,
	    .ttl_s = v->ttl_s};

	(void)text_printable(m.reason, sizeof(m.reason), v->reason,
	    strlen(v->reason));
	p->ops.act(p->ops.ctx, &m);
}

static void
judged(struct dogpipe *p, const struct dog_verdict *v)
{
	enum dog_end end = dog_judge(&p->dog, v, clock_mono());
	struct msg_EVENT m = event_of(EVK_WATCHDOG, dog_severity(v, end),
	    dog_end_name(end));
	char file[128] = "";

	if (end == DOG_TOO_MANY)
		return; /* counted: on_tick() */
	if (end == DOG_PASSED && v->action == DOG_PROPOSE &&
	    !propose(p, v, file, sizeof(file)))
		(void)snprintf(m.code, sizeof(m.code), "failed");
	m.a = v->confidence;
	m.b = v->has_ttl ? v->ttl_s : 0;
	if (v->has_job) {
		m.job_len = sizeof(v->job);
		memcpy(m.job, v->job.b, sizeof(v->job));
	}
	(void)snprintf(m.text, sizeof(m.text), "%s%s%s%s%s: %.300s",
	    dog_action_name(v->action), v->id[0] != '\0' ? " " : "", v->id,
	    file[0] != '\0' ? " " : "", file, v->reason);
	p->ops.event(p->ops.ctx, &m);
	if (end == DOG_PASSED && v->action != DOG_PROPOSE)
		tell_node(p, v);
}

static void
heard(struct dogpipe *p, const char *line, size_t n)
{
	enum dog_there was = p->dog.there;
	struct dog_verdict v;
	const char *why;
	enum dog_says says = dog_line_read(&v, line, n, &why);

	p->lines++;
	if (says == DOG_SAYS_NOTHING) {
		dog_bad(&p->dog, why);
		return;
	}
	dog_alive(&p->dog, clock_mono());
	there(p);
	if (was != DOG_PRESENT && p->dog.there == DOG_PRESENT)
		say_there(p, 1, "present", "the watchdog is there");
	if (says == DOG_SAYS_VERDICT)
		judged(p, &v);
}

/* Whole lines of what is there; false: enough for this second. */
static bool
lines(struct dogpipe *p)
{
	char *nl;

	while ((nl = memchr(p->line, '\n', p->have)) != NULL) {
		size_t n = (size_t)(nl - p->line), used = n + 1;
		char line[DOG_LINE_MAX + 1];

		if (p->lines >= DOG_LINES_S)
			return false;
		memcpy(line, p->line, n);
		p->have -= used;
		memmove(p->line, p->line + used, p->have);
		if (p->skip)
			p->skip = false;
		else
			heard(p, line, n);
	}
	if (p->have == sizeof(p->line)) {
		if (!p->skip)
			dog_bad(&p->dog, "longer than 4096 bytes");
		p->skip = true;
		p->have = 0;
	}
	return true;
}

static void
on_said(struct ev_loop *loop, ev_io *r, int revents)
{
	struct dogpipe *p = r->data;
	ssize_t n = read(p->in, p->line + p->have, sizeof(p->line) - p->have);

	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		lose_it(p);
		dog_waited_for(&p->dog, clock_mono());
		there(p);
		return;
	}
	p->have += (size_t)n;
	if (!lines(p)) { /* it waits until we listen again */
		ev_io_stop(loop, r);
		ev_timer_again(loop, &p->again);
	}
}

static void
on_again(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct dogpipe *p = t->data;

	(void)revents;
	p->lines = 0;
	if (p->in < 0 || lines(p)) {
		ev_timer_stop(loop, t);
		if (p->in >= 0)
			ev_io_start(loop, &p->r);
	}
}

/* ---- time ---- */

static void
say_dropped(struct dogpipe *p)
{
	struct msg_EVENT m = event_of(EVK_WATCHDOG_LINES, 0, "");

	if (p->dog.bad == 0 && p->dog.excess == 0)
		return;
	m.a = p->dog.excess;
	m.b = p->dog.bad;
	(void)snprintf(m.text, sizeof(m.text), "%u verdicts beyond its bounds "
	    "are dropped, %u lines are none%s%s", p->dog.excess, p->dog.bad,
	    p->dog.bad > 0 ? ": " : "", p->dog.bad > 0 ? p->dog.why : "");
	p->dog.bad = p->dog.excess = 0;
	p->ops.event(p->ops.ctx, &m);
}

static void
on_tick(struct ev_loop *loop, ev_timer *t, int revents)
{
	static char line[LINE];
	struct dog_count c[COUNTS];
	struct dogpipe *p = t->data;
	unsigned n;

	(void)loop;
	(void)revents;
	if (!ev_is_active(&p->again))
		p->lines = 0;
	say_dropped(p);
	if (dog_tick(&p->dog, clock_mono()))
		say_there(p, 3, "absent", "the watchdog has said nothing for "
		    "30 s");
	there(p);
	n = p->ops.counts(p->ops.ctx, c, COUNTS);
	if (p->out < 0)
		return;
	send_line(p, line, dog_tick_line(line, sizeof(line), p->lost, c, n));
	p->lost = 0;
}

/* ---- coming and going ---- */

void
dogpipe_conf(struct dogpipe *p, const struct msg_D_CONF *m)
{
	const struct dog_conf c = {m->on, m->act, m->corroborate};

	dog_set(&p->dog, &c, clock_mono());
	if (!m->on)
		lose_it(p);
	if (m->on && !ev_is_active(&p->tick))
		ev_timer_again(p->loop, &p->tick);
	else if (!m->on)
		ev_timer_stop(p->loop, &p->tick);
	there(p);
}

void
dogpipe_pipes(struct dogpipe *p, int out, int in)
{
	lose_it(p);
	(void)fcntl(out, F_SETFL, O_NONBLOCK);
	(void)fcntl(in, F_SETFL, O_NONBLOCK);
	p->out = out;
	p->in = in;
	p->lines = 0;
	ev_io_set(&p->w, out, EV_WRITE);
	ev_io_set(&p->r, in, EV_READ);
	ev_io_start(p->loop, &p->r);
	dog_waited_for(&p->dog, clock_mono());
	there(p);
}

struct dogpipe *
dogpipe_new(struct ev_loop *loop, int dir, const struct dogpipe_ops *ops)
{
	struct dogpipe *p = calloc(1, sizeof(*p));

	if (p == NULL || (p->queue = malloc(DOGPIPE_QUEUE)) == NULL) {
		free(p);
		return NULL;
	}
	p->loop = loop;
	p->ops = *ops;
	p->dir = dir;
	p->out = p->in = -1;
	dog_init(&p->dog, clock_mono());
	ev_init(&p->w, on_room);
	ev_init(&p->r, on_said);
	ev_init(&p->tick, on_tick);
	ev_init(&p->again, on_again);
	p->tick.repeat = DOG_TICK_S;
	p->again.repeat = 1.;
	p->w.data = p->r.data = p->tick.data = p->again.data = p;
	return p;
}

void
dogpipe_free(struct dogpipe *p)
{
	if (p == NULL)
		return;
	lose_it(p);
	ev_timer_stop(p->loop, &p->tick);
	free(p->queue);
	free(p);
}
