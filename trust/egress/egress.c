/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-egress: the only way out by name. It fetches what trust asks for from
 * web servers, brings audit's events to the one hub that the parent has named,
 * and believes none of them. No file, no parser of documents: bytes go by, and
 * whoever asked for them looks at them. Of keys it has those that the hub is
 * shown, if there are any. One that `warren image pull` has started for itself
 * reads a registry's manifests too, and writes into files that it is handed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/program.h"
#include "common/util.h"
#include "common/where.h"
#include "trust/egress/backoff.h"
#include "trust/egress/hub.h"
#include "trust/egress/pull.h"
#include "trust/egress/transfer.h"

#define TRANSFERS 8		/* at once; ours: an authority has one */
#define HOSTS_BYTES (16u << 10)

struct egress {
	struct process prog;
	struct ev_loop *loop;
	struct transfers *ts;
	struct backoff backoff;
	char *hosts; /* a line each */
	struct hub *hub; /* NULL: none */
	struct pull *pull; /* of the command that has started this; NULL */
	struct {
		bool used;
		enum program who; /* has asked */
		struct hub *hub;  /* of a POST, with its body */
		const uint8_t *body;
		size_t body_len;
		uint32_t look_up; /* number of the question; 0: none is out */
		struct mono begun;
		struct transfer t;
	} slot[TRANSFERS];
	uint32_t asked;
};

#define IPC_ME EGRESS
#define IPC_CTX struct egress
#include "common/ipc_dispatch.h"

/* ---- answers ---- */

/* The two answers have one form. */
static void
send_answer(struct egress *e, enum program who, const struct msg_FETCHED *m,
    const int *fds, unsigned n)
{
	struct msg_POSTED p = {.seq = m->seq, .end = m->end, .code = m->code,
	    .len = m->len, .wait_s = m->wait_s};

	memcpy(p.why, m->why, sizeof(p.why));
	if (who == PROGRAM_AUDIT)
		(void)program_send_POSTED(&e->prog, &p, fds, n);
	else
		(void)program_send_FETCHED(&e->prog, m, fds, n);
}

static void
answer(struct egress *e, enum program who, uint32_t seq, enum fetch_end end,
    uint32_t wait_s, const char *why)
{
	struct msg_FETCHED m = {.seq = seq, .end = (uint8_t)end,
	    .wait_s = wait_s};

	(void)snprintf(m.why, sizeof(m.why), "%s", why);
	send_answer(e, who, &m, NULL, 0);
}

static void
slot_clear(struct egress *e, unsigned i)
{
	transfer_clear(&e->slot[i].t);
	hub_drop(e->slot[i].hub);
	memfd_unmap(e->slot[i].body, e->slot[i].body_len);
	e->slot[i].hub = NULL;
	e->slot[i].body = NULL;
	e->slot[i].used = false;
}

/* Whose fault it was: a server that refuses or lies is one that answers. */
static bool
of_server(enum fetch_end end)
{
	switch (end) {
	case FETCH_UNREACHABLE:
	case FETCH_TLS:
	case FETCH_HTTP:
	case FETCH_SLOW:
	case FETCH_BROKEN:
		return true;
	default:
		return false;
	}
}

static void
over(void *ctx, struct transfer *t)
{
	struct egress *e = ctx;
	struct msg_FETCHED m = {.seq = t->seq, .end = (uint8_t)t->end,
	    .code = t->code, .len = (uint32_t)t->len};

	memcpy(m.why, t->why, sizeof(t->why));
	if (of_server(t->end))
		backoff_note(&e->backoff, &t->url, false, clock_mono());
	else if (t->end == FETCH_OK || t->end == FETCH_ABSENT)
		backoff_note(&e->backoff, &t->url, true, clock_mono());
	log_debug(t->url.host, "end=%u code=%u bytes=%zu%s%s", m.end, m.code,
	    t->len, t->why[0] != '\0' ? ": " : "", t->why);
	for (unsigned i = 0; i < TRANSFERS; i++)
		if (&e->slot[i].t == t) {
			send_answer(e, e->slot[i].who, &m,
			    t->fd >= 0 ? &t->fd : NULL, t->fd >= 0);
			slot_clear(e, i);
			return;
		}
}

/* ---- questions ---- */

static bool
named(const struct egress *e, const char *host)
{
	size_t n = strlen(host);

	for (const char *p = e->hosts; p != NULL && *p != '\0';) {
		size_t line = strcspn(p, "\n");

		if (line == n && memcmp(p, host, n) == 0)
			return true;
		p += line + (p[line] == '\n');
	}
	return false;
}

static int
free_slot(const struct egress *e)
{
	for (int i = 0; i < TRANSFERS; i++)
		if (!e->slot[i].used)
			return i;
	return -1;
}

static void
begin(struct egress *e, unsigned i, enum program who, uint32_t seq,
    uint32_t max, uint32_t deadline_ms, const char *text)
{
	struct transfer *t = &e->slot[i].t;
	struct msg_LOOK_UP ask = {.seq = 0};
	struct weburl *u = &t->url;

	memset(t, 0, sizeof(*t));
	t->fd = -1;
	t->seq = seq;
	t->max = max;
	t->deadline_ms = deadline_ms;
	(void)snprintf(t->text, sizeof(t->text), "%s", text);
	(void)weburl_parse(u, t->text);
	/* the operator names the hub himself, and nobody else does */
	t->private_ok = who == PROGRAM_AUDIT || named(e, u->host);
	if (who == PROGRAM_AUDIT) {
		t->hub = &e->slot[i].hub->set;
		t->body = e->slot[i].body;
		t->body_len = e->slot[i].body_len;
	}
	e->slot[i].used = true;
	e->slot[i].who = who;
	e->slot[i].begun = clock_mono();
	e->slot[i].look_up = 0;
	if (u->family != 0) {
		transfer_start(e->ts, t, NULL, 0);
		return;
	}
	if (++e->asked == 0)
		e->asked = 1;
	ask.seq = e->slot[i].look_up = e->asked;
	(void)snprintf(ask.host, sizeof(ask.host), "%s", u->host);
	(void)ipc_send_LOOK_UP(e->prog.parent, &ask, NULL, 0);
}

static void
on_FETCH(struct egress *e, const struct msg_FETCH *m, struct ipc_in *in)
{
	struct weburl u;
	const char *why = weburl_parse(&u, m->url);
	uint32_t wait;
	char text[80];
	int i;

	(void)in;
	if (m->kind != FETCH_KLP || m->max == 0 || m->max > IPC_FETCH_BYTES ||
	    m->deadline_ms == 0 || m->deadline_ms > IPC_FETCH_MS)
		why = "it is asked for in a way that nobody asks here";
	if (why != NULL) {
		answer(e, PROGRAM_TRUST, m->seq, FETCH_REFUSED, 0, why);
	} else if ((wait = backoff_wait(&e->backoff, &u, clock_mono())) > 0) {
		(void)snprintf(text, sizeof(text), "failed too often: not "
		    "asked again for %u s", wait);
		answer(e, PROGRAM_TRUST, m->seq, FETCH_LATER, wait, text);
	} else if ((i = free_slot(e)) < 0) {
		answer(e, PROGRAM_TRUST, m->seq, FETCH_LATER, 1,
		    "too many at once");
	} else {
		begin(e, (unsigned)i, PROGRAM_TRUST, m->seq, m->max,
		    m->deadline_ms, m->url);
	}
}

/* Events: one lot at a time, so that there is an order among them. */
static bool
posting(const struct egress *e)
{
	for (unsigned i = 0; i < TRANSFERS; i++)
		if (e->slot[i].used && e->slot[i].who == PROGRAM_AUDIT)
			return true;
	return false;
}

static void
on_POST(struct egress *e, const struct msg_POST *m, struct ipc_in *in)
{
	const char *why = NULL;
	struct weburl u;
	uint32_t wait;
	size_t len = m->len;
	char text[80];
	int i;

	if (m->kind != POST_HUB || m->len == 0 || m->len > IPC_POST_BYTES ||
	    m->max == 0 || m->max > IPC_POSTED_BYTES || m->deadline_ms == 0 ||
	    m->deadline_ms > IPC_FETCH_MS)
		why = "it is asked for in a way that nobody asks here";
	else if (e->hub == NULL || weburl_parse(&u, e->hub->set.url) != NULL)
		why = "no hub is named";
	if (why != NULL) {
		answer(e, PROGRAM_AUDIT, m->seq, FETCH_REFUSED, 0, why);
	} else if ((wait = backoff_wait(&e->backoff, &u, clock_mono())) > 0) {
		(void)snprintf(text, sizeof(text), "failed too often: not "
		    "asked again for %u s", wait);
		answer(e, PROGRAM_AUDIT, m->seq, FETCH_LATER, wait, text);
	} else if (posting(e) || (i = free_slot(e)) < 0) {
		answer(e, PROGRAM_AUDIT, m->seq, FETCH_LATER, 1,
		    "too many at once");
	} else if ((e->slot[i].body = memfd_map(in->fds[0], &len,
			IPC_POST_BYTES)) == NULL) {
		answer(e, PROGRAM_AUDIT, m->seq, FETCH_OWN, 0,
		    "what is to be sent cannot be read");
	} else {
		e->slot[i].body_len = len;
		e->slot[i].hub = hub_use(e->hub);
		begin(e, (unsigned)i, PROGRAM_AUDIT, m->seq, m->max,
		    m->deadline_ms, e->hub->set.url);
	}
}

/* What is left of its time after the look-up. */
static bool
in_time(struct egress *e, unsigned i)
{
	struct transfer *t = &e->slot[i].t;
	int64_t took = mono_sub(clock_mono(), e->slot[i].begun) / 1000;

	if (took >= (int64_t)t->deadline_ms)
		return false;
	t->deadline_ms -= (uint32_t)took;
	return true;
}

static void
on_LOOKED_UP(struct egress *e, const struct msg_LOOKED_UP *m,
    struct ipc_in *in)
{
	unsigned i = 0;
	struct transfer *t;

	(void)in;
	while (i < TRANSFERS && !(e->slot[i].used && m->seq != 0 &&
		e->slot[i].look_up == m->seq))
		i++;
	if (i == TRANSFERS) {
		(void)pull_looked_up(e->pull, m);
		return;
	}
	t = &e->slot[i].t;
	e->slot[i].look_up = 0;
	if (m->addrs_len < IPC_ADDR || m->addrs_len % IPC_ADDR != 0)
		transfer_fail(t, FETCH_NAME, m->why[0] != '\0' ? m->why :
		    "has no address");
	else if (!in_time(e, i))
		transfer_fail(t, FETCH_NAME, "its look-up took too long");
	else {
		transfer_start(e->ts, t, m->addrs, m->addrs_len / IPC_ADDR);
		return;
	}
	over(e, t);
}

/* ---- an image ---- */

static void
on_PULL(struct egress *e, const struct msg_PULL *m, struct ipc_in *in)
{
	struct msg_PULL_END no = {.end = FETCH_OWN};

	if (e->pull == NULL)
		e->pull = pull_new(e->loop, e->ts, &e->prog, &e->asked, m,
		    e->hosts, in->nfds > 0 ? in->fds[0] : -1);
	if (e->pull != NULL)
		return;
	(void)snprintf(no.why, sizeof(no.why), "no memory, or a registry "
	    "that is none");
	(void)ipc_send_PULL_END(e->prog.parent, &no, NULL, 0);
}

static void
on_PULL_FILE(struct egress *e, const struct msg_PULL_FILE *m,
    struct ipc_in *in)
{
	if (e->pull != NULL)
		pull_file(e->pull, m, ipc_in_take(in, 0));
}

/* ---- settings ---- */

static char *
text_of(int fd, size_t max, size_t *len)
{
	const uint8_t *map;
	char *text = NULL;

	*len = 0;
	map = memfd_map(fd, len, max);
	if (map != NULL && (text = malloc(*len + 1)) != NULL) {
		memcpy(text, map, *len);
		text[*len] = '\0';
	}
	memfd_unmap(map, *len);
	return text;
}

static void
take(struct egress *e, enum setting what, char *text, size_t len)
{
	if (what == SET_WEB_CA && !transfers_trust(e->ts, text, len)) {
		fatal("certificates");
	} else if (what == SET_WEB_HOSTS) {
		free(e->hosts);
		e->hosts = steal_ptr(&text);
	}
	free(text);
}

/* What is under way ends as it began. */
static void
take_hub(struct egress *e, int fd)
{
	struct hub *h = hub_new(fd);

	if (h == NULL)
		log_warnx("hub", "is not known from now on: no memory for it, "
		    "or not as the parent says it");
	hub_drop(e->hub);
	e->hub = h;
}

static void
on_setting(void *ctx, enum setting what, int fd)
{
	size_t len;
	char *text;

	if (what == SET_HUB_POST) {
		take_hub(ctx, fd);
		return;
	}
	text = what == SET_WEB_CA || what == SET_WEB_HOSTS ?
	    text_of(fd, what == SET_WEB_CA ? WHERE_CERTIFICATES_MAX : HOSTS_BYTES, &len) :
	    NULL;

	if (text != NULL)
		take(ctx, what, text, len);
	else
		log_warnx(NULL, "a setting is not taken: the old one holds");
	(void)close(fd);
}

static void
first_settings(struct egress *e)
{
	size_t len;
	int fd;
	char *text = settings_text(&e->prog, SET_WEB_HOSTS, "", HOSTS_BYTES,
	    &len);

	if (text != NULL)
		take(e, SET_WEB_HOSTS, text, len);
	text = settings_text(&e->prog, SET_WEB_CA, "", WHERE_CERTIFICATES_MAX, &len);
	if (text != NULL)
		take(e, SET_WEB_CA, text, len);
	if ((fd = settings_take(&e->prog, SET_HUB_POST, "")) >= 0)
		take_hub(e, fd);
}

/* Who asked is gone; the next one asks for itself, and counts anew. */
static void
on_down(void *ctx, enum program who, int error)
{
	struct egress *e = ctx;

	(void)error;
	for (unsigned i = 0; i < TRANSFERS; i++)
		if (e->slot[i].used && e->slot[i].who == who)
			slot_clear(e, i);
}

static void
on_stop(void *ctx)
{
	ev_break(((struct egress *)ctx)->loop, EVBREAK_ALL);
}

int
main(int argc, char *argv[])
{
	static const struct program_ops ops = {.message = ipc_dispatch,
	    .down = on_down, .stop = on_stop, .setting = on_setting};
	static struct egress e;

	/* libraries read their files now: later there is none */
	if (!transfers_library())
		return 1;
	program_start(&e.prog, PROGRAM_EGRESS, argc, argv, NULL, NULL);
	if ((e.loop = ev_default_loop(0)) == NULL)
		fatalx("no event loop");
	if ((e.ts = transfers_new(e.loop, over, &e)) == NULL)
		fatalx("libcurl");
	first_settings(&e);
	if (program_attach(&e.prog, e.loop, &ops, &e) < 0 ||
	    program_ready(&e.prog) < 0)
		fatal("channel to the parent");
	ev_run(e.loop, 0);
	pull_free(e.pull);
	return 0;
}
