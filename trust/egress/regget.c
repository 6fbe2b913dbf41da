/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "trust/egress/regget.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fileat.h"
#include "common/util.h"

#define DOC_MS 60000	     /* a document; a blob has no deadline, but a pace */
#define OTHER_MOST 65536u    /* bytes of a body that is nothing */
#define GOT_ON (64u << 10)   /* bytes that make a failure a new one */
#define SLICE (1u << 20)     /* bytes hashed at a time */
#define SHOWS_MOST 3	     /* tokens for one and the same question */
#define HUB_TOKENS "auth.docker.io" /* whom docker.io shows who asks */

static void ask(struct regget *);

/* ---- ends ---- */

static void finish(struct regget *, enum fetch_end, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
stop(struct regget *g)
{
	ev_timer_stop(g->of->loop, &g->timer);
	ev_idle_stop(g->of->loop, &g->idle);
	transfer_clear(&g->t);
}

static void
finish(struct regget *g, enum fetch_end end, const char *fmt, ...)
{
	struct regset *s = g->of;
	char text[sizeof(g->why)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)text_printable(g->why, sizeof(g->why), text, strlen(text));
	stop(g);
	g->end = end;
	g->state = REGGET_ENDED;
	if (g->is_token) {
		s->token = NULL;
		s->shown(s->ctx, end == FETCH_OK, g);
	} else {
		s->done(s->ctx, g);
	}
}

/* The text may be one that finish() is about to write. */
static void
finish_at(struct regget *g, enum fetch_end end, const char *what)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "%s", what);
	finish(g, end, g->at.host.family == 6 ? "[%s]:%u %s" : "%s:%u %s",
	    g->at.host.host, g->at.host.port, text);
}

static void
wait_s(struct regget *g, unsigned seconds)
{
	g->state = REGGET_WAITING;
	ev_timer_stop(g->of->loop, &g->timer);
	ev_timer_set(&g->timer, seconds, 0.);
	ev_timer_start(g->of->loop, &g->timer);
}

/* From the beginning of its way: a signed address may have run out. */
static void
again(struct regget *g, uint32_t asked_s, enum fetch_end end, const char *what)
{
	/* the mark never falls: what begins afresh has got on nowhere */
	if (g->fd >= 0 && g->len >= g->mark + GOT_ON) {
		g->tries = 0;
		g->mark = g->len;
	}
	if (asked_s > REG_WAIT_MOST) {
		char text[100];

		(void)snprintf(text, sizeof(text), "is busy, and asks to wait "
		    "for %u s", asked_s);
		finish_at(g, FETCH_LATER, text);
	} else if (++g->tries >= REG_TRIES) {
		finish_at(g, end, what);
	} else {
		g->at = g->origin;
		g->hops = 0;
		wait_s(g, asked_s > 0 ? asked_s : registry_wait(g->tries));
	}
}

static bool
restart(struct regget *g)
{
	sha256_init(&g->sum);
	g->len = 0;
	return g->fd < 0 || ftruncate(g->fd, 0) == 0;
}

/* ---- what comes ---- */

static void
on_head(void *ctx, const char *line, size_t len)
{
	struct regget *g = ctx;

	reg_head_line(&g->head, line, len);
}

/* The last head counts: there may have been one of 1xx before it. */
static void
judge(struct regget *g)
{
	if (g->seen)
		return;
	g->seen = true;
	g->next = registry_next(&g->head, g->from, g->size, &g->reason);
	if (g->next == REG_WHOLE)
		g->next = restart(g) ? REG_TAKE : REG_FAIL;
	if (g->next == REG_TAKE)
		g->shows = 0; /* a token lives for minutes, a layer takes hours */
}

static enum fetch_end
on_body(void *ctx, const uint8_t *p, size_t n)
{
	struct regget *g = ctx;

	judge(g);
	if (g->next != REG_TAKE) {
		g->other += n;
		return g->other > OTHER_MOST ? FETCH_HTTP : FETCH_OK;
	}
	if (g->fd < 0) {
		if (n > g->doc_max - g->len)
			return FETCH_SIZE;
		memcpy(g->doc + g->len, p, n);
	} else {
		if (n > g->size - g->len)
			return FETCH_SIZE;
		if (!write_at(g->fd, p, n, g->len))
			return FETCH_OWN;
		sha256_update(&g->sum, n, p);
		g->of->fetched += n;
	}
	g->len += n;
	return FETCH_OK;
}

/* ---- who asks ---- */

/*
 * Tokens come from another port of the registry's machine as a rule, and the
 * operator has named that machine; layers do not.
 */
static bool
named(const struct regset *s, bool token, const struct weburl *u)
{
	return registry_named(s->named, u) ||
	    (token && strcmp(u->host, s->registry.host.host) == 0);
}

static bool
shown_there(const struct regset *s, const struct regurl *realm)
{
	return (realm->tls || !s->registry.tls) &&
	    ((s->hub && strcmp(realm->host.host, HUB_TOKENS) == 0) ||
	    named(s, true, &realm->host));
}

/* A word in a query: what need not be written as %XX is letters and digits. */
static void
put_escaped(char *out, size_t cap, const char *word)
{
	size_t n = strlen(out);

	for (; *word != '\0' && n + 4 < cap; word++) {
		bool plain = (*word >= 'a' && *word <= 'z') ||
		    (*word >= 'A' && *word <= 'Z') ||
		    (*word >= '0' && *word <= '9') ||
		    strchr("-._~", *word) != NULL;

		n += (size_t)snprintf(out + n, cap - n, plain ? "%c" :
		    "%%%02X", (unsigned char)*word);
	}
}

static void
token_url(const struct regget *g, char *out, size_t cap)
{
	size_t n = (size_t)snprintf(out, cap, "%s%sservice=", g->head.realm,
	    strchr(g->head.realm, '?') == NULL ? "?" : "&");

	if (n >= cap)
		return;
	put_escaped(out, cap, g->head.service);
	n = strlen(out);
	(void)snprintf(out + n, cap - n, "&scope=repository%%3A");
	put_escaped(out, cap, g->of->repo);
	n = strlen(out);
	(void)snprintf(out + n, cap - n, "%%3Apull");
}

/* A token, of whoever the registry says has them. false: said in g. */
static bool
fetch_token(struct regget *g)
{
	struct regset *s = g->of;
	char url[REGURL_MAX + 1024];
	struct regget *t;
	const char *why;
	struct regurl realm;

	if (g->head.realm[0] == '\0') {
		finish_at(g, FETCH_BROKEN, "wants to know who asks, and does "
		    "not say where tokens come from");
		return false;
	}
	token_url(g, url, sizeof(url));
	why = regurl_parse(&realm, url, strlen(url));
	if (why == NULL && s->registry.tls && !realm.tls)
		why = "tokens do not come without TLS to who has it";
	if (why == NULL)
		why = registry_may(&realm, named(s, true, &realm.host),
		    s->insecure);
	if (why != NULL) {
		finish(g, FETCH_REFUSED, "its tokens come from %.100s: %s",
		    g->head.realm, why);
		return false;
	}
	if (s->basic != NULL && !shown_there(s, &realm)) {
		finish(g, FETCH_REFUSED, "its tokens come from %s:%u, which "
		    "is another host and is shown no password unless --also "
		    "names it", realm.host.host, realm.host.port);
		return false;
	}
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		finish(g, FETCH_OWN, "no memory");
		return false;
	}
	s->token = t;
	t->is_token = true;
	t->origin = realm;
	regget_doc(t, s, NULL, REGDOC_TOKEN_MAX);
	return true;
}

static void
show(struct regget *g)
{
	struct regset *s = g->of;

	if (g->is_token) {
		finish_at(g, FETCH_REFUSED, s->basic != NULL ?
		    "does not take this name and password" :
		    "wants a name and a password: --auth has them");
	} else if (!regurl_same(&g->at, &s->registry)) {
		finish_at(g, FETCH_REFUSED, "wants to know who asks, and is "
		    "not the registry");
	} else if (g->gen != s->gen) {
		ask(g); /* another has asked meanwhile */
	} else if (++g->shows > SHOWS_MOST) {
		finish_at(g, FETCH_REFUSED, "takes no token that it is "
		    "shown");
	} else if (g->head.bearer) {
		g->state = REGGET_AUTH;
		if (s->token == NULL)
			(void)fetch_token(g);
	} else if (!g->head.basic) {
		finish_at(g, FETCH_REFUSED, "wants to know who asks, in a way "
		    "that is not known here");
	} else if (s->basic == NULL) {
		finish_at(g, FETCH_REFUSED, "wants a name and a password: "
		    "--auth has them");
	} else if (s->use_basic) {
		finish_at(g, FETCH_REFUSED, "does not take this name and "
		    "password");
	} else {
		s->use_basic = true;
		s->gen++;
		ask(g);
	}
}

void
regget_shown(struct regget *g, bool ok, const struct regget *token)
{
	if (g->state != REGGET_AUTH)
		return;
	if (ok)
		ask(g);
	else
		finish(g, token->end, "for a token: %s", token->why);
}

static void
take_token(struct regget *g)
{
	static char token[REGDOC_TOKEN + 1];
	struct regset *s = g->of;

	if (!regdoc_token(token, g->doc, (size_t)g->len)) {
		finish_at(g, FETCH_BROKEN, "answers without a token");
		return;
	}
	(void)snprintf(s->bearer, sizeof(s->bearer), "Authorization: Bearer "
	    "%s", token);
	explicit_bzero(token, sizeof(token));
	s->gen++;
	finish(g, FETCH_OK, "%s", "");
}

/* ---- what follows ---- */

static void
whole(struct regget *g)
{
	uint8_t got[32];

	if (g->is_token) {
		take_token(g);
		return;
	}
	if (g->fd < 0) {
		finish(g, FETCH_OK, "%s", "");
		return;
	}
	if (g->len < g->size) {
		again(g, 0, FETCH_BROKEN, "sends less than there should be");
		return;
	}
	sha256_digest(&g->sum, sizeof(got), got);
	if (memcmp(got, g->digest.b, sizeof(got)) == 0) {
		finish(g, FETCH_OK, "%s", "");
	} else if (g->resumed && !g->again) {
		/* whose fault it is nobody can tell: all of it, once */
		g->again = true;
		g->resumed = false;
		if (restart(g))
			ask(g);
		else
			finish(g, FETCH_OWN, "its file: %s", strerror(errno));
	} else {
		(void)restart(g);
		finish_at(g, FETCH_BROKEN, "sends what has another digest");
	}
}

static void
follow(struct regget *g)
{
	struct regurl to;
	const char *why = g->is_token ? "tokens are not looked for further on" :
	    ++g->hops > REG_HOPS ? "redirects without end" :
	    regurl_join(&to, &g->at, g->head.location,
		strlen(g->head.location));

	if (why == NULL)
		why = registry_may(&to, named(g->of, false, &to.host),
		    g->of->insecure);
	if (why != NULL) {
		finish(g, FETCH_REDIRECT, "%s:%u redirects to %.100s: %s",
		    g->at.host.host, g->at.host.port, g->head.location, why);
		return;
	}
	g->at = to;
	ask(g);
}

static void
answered(struct regget *g, uint32_t asked_s)
{
	char text[80];

	judge(g);
	switch (g->next) {
	case REG_TAKE:
	case REG_WHOLE:
		whole(g);
		break;
	case REG_AUTH:
		show(g);
		break;
	case REG_FOLLOW:
		follow(g);
		break;
	case REG_WAIT:
		(void)snprintf(text, sizeof(text), "answers %u again and "
		    "again", g->head.code);
		again(g, asked_s, g->head.code == 429 ? FETCH_LATER :
		    FETCH_HTTP, text);
		break;
	case REG_AFRESH:
		g->resumed = false;
		if (restart(g))
			again(g, 0, FETCH_BROKEN, "sends other parts than "
			    "are asked for");
		else
			finish(g, FETCH_OWN, "its file: %s", strerror(errno));
		break;
	case REG_FAIL:
		(void)snprintf(text, sizeof(text), "answers %u: %s",
		    g->head.code, g->reason);
		finish_at(g, g->head.code == 404 || g->head.code == 410 ?
		    FETCH_ABSENT : g->head.code == 403 ? FETCH_REFUSED :
		    FETCH_HTTP, text);
		break;
	}
}

static void
on_over(void *ctx, struct transfer *t)
{
	struct regget *g = ctx;
	enum fetch_end end = t->end;
	uint32_t asked_s = t->wait_s;
	bool ours = t->ended != FETCH_OK; /* it was we who ended it */
	char why[sizeof(t->why)];

	memcpy(why, t->why, sizeof(why));
	transfer_clear(t);
	g->resumed = g->resumed || g->from > 0;
	switch (ours && end != FETCH_OK ? FETCH_OWN : end) {
	case FETCH_OK:
		answered(g, asked_s);
		break;
	case FETCH_NAME:
	case FETCH_UNREACHABLE:
	case FETCH_SLOW:
	case FETCH_BROKEN:
		/* a document is asked for anew, from its beginning */
		if (g->fd < 0)
			g->len = 0;
		again(g, 0, end, why);
		break;
	default:
		if (end == FETCH_SIZE)
			(void)restart(g);
		finish_at(g, end, why);
	}
}

/* ---- questions ---- */

static const char *
credentials(const struct regget *g)
{
	const struct regset *s = g->of;

	/* nobody but the registry and its token server is shown anything */
	if (g->is_token)
		return s->basic != NULL && shown_there(s, &g->at) ? s->basic :
		    NULL;
	if (!regurl_same(&g->at, &s->registry) || s->gen == 0)
		return NULL;
	return s->use_basic ? s->basic : s->bearer;
}

static void
set_headers(struct regget *g)
{
	const char *show_ = credentials(g);
	unsigned n = 0;

	g->headers[n++] = g->is_token ? "Accept: application/json" :
	    g->fd < 0 ? regdoc_accept : "Accept: */*";
	/* what is packed on the way has no digest that anybody has signed */
	g->headers[n++] = "Accept-Encoding: identity";
	if (show_ != NULL)
		g->headers[n++] = show_;
	if (g->from > 0) {
		(void)snprintf(g->range, sizeof(g->range), "Range: bytes=%llu-",
		    (unsigned long long)g->from);
		g->headers[n++] = g->range;
	}
	g->headers[n] = NULL;
}

static void
start(struct regget *g, const uint8_t *addrs, unsigned n)
{
	g->state = REGGET_ASKING;
	transfer_start(g->of->ts, &g->t, addrs, n);
}

static void
ask(struct regget *g)
{
	struct regset *s = g->of;
	bool is = named(s, g->is_token, &g->at.host);
	const char *why = registry_may(&g->at, is, s->insecure);
	struct msg_LOOK_UP m = {.seq = 0};

	if (why != NULL) {
		finish_at(g, FETCH_REFUSED, why);
		return;
	}
	memset(&g->head, 0, sizeof(g->head));
	if (g->fd < 0)
		g->len = 0;
	g->from = g->fd < 0 ? 0 : g->len;
	g->seen = false;
	g->other = 0;
	g->gen = s->gen;
	g->reason = "";
	set_headers(g);
	memset(&g->t, 0, sizeof(g->t));
	g->t.fd = -1;
	g->t.deadline_ms = g->fd < 0 ? DOC_MS : 0;
	g->t.url = g->at.host;
	g->t.private_ok = is;
	g->t.reader = &g->reader;
	g->reader = (struct transfer_reader){.url = g->at.text,
	    .headers = g->headers, .plain = !g->at.tls, .ctx = g,
	    .pin = s->pin[0] != '\0' && regurl_same(&g->at, &s->registry) ?
		s->pin : NULL,
	    .head = on_head, .body = on_body, .over = on_over};
	if (g->at.host.family != 0) {
		start(g, NULL, 0);
		return;
	}
	if (++*s->asked == 0)
		*s->asked = 1;
	g->state = REGGET_LOOK_UP;
	m.seq = g->look_up = *s->asked;
	(void)snprintf(m.host, sizeof(m.host), "%s", g->at.host.host);
	(void)ipc_send_LOOK_UP(s->prog->parent, &m, NULL, 0);
}

bool
regget_looked_up(struct regget *g, const struct msg_LOOKED_UP *m)
{
	if (g->state != REGGET_LOOK_UP || g->look_up != m->seq)
		return false;
	if (m->addrs_len >= IPC_ADDR && m->addrs_len % IPC_ADDR == 0) {
		start(g, m->addrs, m->addrs_len / IPC_ADDR);
		return true;
	}
	transfer_fail(&g->t, FETCH_NAME, m->why[0] != '\0' ? m->why :
	    "has no address");
	on_over(g, &g->t);
	return true;
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	ask(w->data);
}

/* What an earlier pull has left, a slice at a time: others go on meanwhile. */
static void
on_idle(struct ev_loop *loop, ev_idle *w, int revents)
{
	static uint8_t buf[SLICE];
	struct regget *g = w->data;
	size_t want = g->from - g->len < SLICE ? (size_t)(g->from - g->len) :
	    SLICE;
	ssize_t n = pread(g->fd, buf, want, (off_t)g->len);

	(void)revents;
	if (n > 0) {
		sha256_update(&g->sum, (size_t)n, buf);
		g->len += (uint64_t)n;
	}
	if (n > 0 && g->len < g->from)
		return;
	ev_idle_stop(loop, w);
	g->resumed = g->len > 0;
	if (n < 0 || g->len < g->from || g->len < g->size)
		ask(g);
	else
		whole(g);
}

static void
prepare(struct regget *g, struct regset *s)
{
	g->of = s;
	ev_init(&g->timer, on_timer);
	ev_init(&g->idle, on_idle);
	g->timer.data = g->idle.data = g;
	g->t.fd = -1;
	sha256_init(&g->sum);
}

static void
set_origin(struct regget *g, const char *path)
{
	char url[REGURL_MAX + 1];

	(void)snprintf(url, sizeof(url), "%.*s/v2/%s/%s",
	    (int)g->of->registry.path, g->of->registry.text, g->of->repo,
	    path);
	/* host, repository and path have been looked at: it is one */
	(void)regurl_parse(&g->origin, url, strlen(url));
}

void
regget_doc(struct regget *g, struct regset *s, const char *path, size_t max)
{
	prepare(g, s);
	g->fd = -1;
	if (path != NULL)
		set_origin(g, path);
	g->at = g->origin;
	g->doc_max = max;
	g->doc = malloc(max);
	if (g->doc == NULL)
		finish(g, FETCH_OWN, "no memory");
	else
		ask(g);
}

void
regget_blob(struct regget *g, struct regset *s, const struct id32 *digest,
    uint64_t size, int fd)
{
	char path[96], hex[65];
	struct stat st;

	prepare(g, s);
	g->fd = fd;
	g->digest = *digest;
	g->size = size;
	hex_encode(hex, HASH_BYTES(*digest));
	(void)snprintf(path, sizeof(path), "blobs/sha256:%s", hex);
	set_origin(g, path);
	g->at = g->origin;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		finish(g, FETCH_OWN, "its file: %s", strerror(errno));
	} else if ((uint64_t)st.st_size > size && !restart(g)) {
		finish(g, FETCH_OWN, "its file: %s", strerror(errno));
	} else if ((uint64_t)st.st_size > size || st.st_size == 0) {
		if (size == 0)
			whole(g);
		else
			ask(g);
	} else {
		g->state = REGGET_HASHING;
		g->from = (uint64_t)st.st_size;
		ev_idle_start(s->loop, &g->idle);
	}
}

void
regget_clear(struct regget *g)
{
	if (g->of == NULL)
		return;
	stop(g);
	if (g->doc != NULL)
		explicit_bzero(g->doc, g->doc_max);
	free(g->doc);
	close_fd(&g->fd);
	memset(g, 0, sizeof(*g));
	g->fd = -1;
}
