/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/egress/registry.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

/* ---- addresses ---- */

static const char *
take_host(struct regurl *u, const char *p, size_t n)
{
	const char *end = memchr(p, ']', n), *colon, *why;
	size_t host = n;

	u->host.path = "";
	u->host.port = u->tls ? 443 : 80;
	if (memchr(p, '@', n) != NULL)
		return "it has a user";
	colon = n > 0 && p[0] == '[' && end != NULL ? end + 1 :
	    memchr(p, ':', n);
	if (colon != NULL && colon < p + n) {
		if (*colon != ':')
			return "its host is no IPv6 address";
		host = (size_t)(colon - p);
		why = weburl_port(&u->host, colon + 1, n - host - 1);
		if (why != NULL)
			return why;
	}
	return weburl_host(&u->host, p, host);
}

/* scheme is known, rest is behind "//". */
static const char *
make(struct regurl *u, const char *rest, size_t n)
{
	const char *hash = memchr(rest, '#', n), *why;
	size_t host = 0;
	int k;

	if (hash != NULL)
		n = (size_t)(hash - rest);
	while (host < n && strchr("/?", rest[host]) == NULL)
		host++;
	if ((why = take_host(u, rest, host)) != NULL)
		return why;
	k = snprintf(u->text, sizeof(u->text), u->host.family == 6 ?
	    "%s://[%s]:%u" : "%s://%s:%u", u->tls ? "https" : "http",
	    u->host.host, u->host.port);
	u->path = (size_t)k;
	k = snprintf(u->text + u->path, sizeof(u->text) - u->path, "%s%.*s",
	    host == n || rest[host] == '?' ? "/" : "", (int)(n - host),
	    rest + host);
	return (size_t)k >= sizeof(u->text) - u->path ? "it is too long" :
	    NULL;
}

static const char *
printable(const char *text, size_t len)
{
	if (len > REGURL_MAX)
		return "it is too long";
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '\\')
			return "it has a character that none has";
	return NULL;
}

/* Of ASCII, and of either case. */
static bool
begins(const char *text, size_t len, const char *with)
{
	for (size_t i = 0; with[i] != '\0'; i++) {
		if (i >= len)
			return false;
		if (text[i] != with[i] && !(with[i] >= 'a' && with[i] <= 'z' &&
			text[i] == with[i] - 'a' + 'A'))
			return false;
	}
	return true;
}

const char *
regurl_parse(struct regurl *u, const char *text, size_t len)
{
	const char *why = printable(text, len);

	memset(u, 0, sizeof(*u));
	if (why != NULL)
		return why;
	u->tls = begins(text, len, "https://");
	if (!u->tls && !begins(text, len, "http://"))
		return "it does not begin with https://";
	return make(u, text + (u->tls ? 8 : 7), len - (u->tls ? 8 : 7));
}

const char *
regurl_join(struct regurl *u, const struct regurl *base, const char *text,
    size_t len)
{
	char whole[REGURL_MAX + 1];
	const char *query, *colon = memchr(text, ':', len), *why;
	size_t keep, word = 0;
	int n;

	if ((why = printable(text, len)) != NULL)
		return why;
	if (len == 0)
		return "it is empty";
	while (word < len && strchr("/?#", text[word]) == NULL)
		word++;
	if (colon != NULL && (size_t)(colon - text) < word)
		return regurl_parse(u, text, len);
	if (len > 1 && text[0] == '/' && text[1] == '/') {
		n = snprintf(whole, sizeof(whole), "%s:%.*s", base->tls ?
		    "https" : "http", (int)len, text);
		return (size_t)n >= sizeof(whole) ? "it is too long" :
		    regurl_parse(u, whole, (size_t)n);
	}
	/* from the root, beside the last part, or another query */
	keep = base->path;
	query = strchr(base->text + base->path, '?');
	if (text[0] != '/') {
		keep = query == NULL ? strlen(base->text) :
		    (size_t)(query - base->text);
		while (text[0] != '?' && keep > base->path &&
		    base->text[keep - 1] != '/')
			keep--;
	}
	n = snprintf(whole, sizeof(whole), "%.*s%.*s", (int)keep, base->text,
	    (int)len, text);
	return (size_t)n >= sizeof(whole) ? "it is too long" :
	    regurl_parse(u, whole, (size_t)n);
}

bool
regurl_same(const struct regurl *a, const struct regurl *b)
{
	return a->tls == b->tls && a->host.port == b->host.port &&
	    strcmp(a->host.host, b->host.host) == 0;
}

bool
registry_named(const char *list, const struct weburl *u)
{
	char bare[WEBURL_HOST_MAX + 4], port[WEBURL_HOST_MAX + 12];
	size_t nbare, nport, n;

	nbare = (size_t)snprintf(bare, sizeof(bare), u->family == 6 ? "[%s]" :
	    "%s", u->host);
	nport = (size_t)snprintf(port, sizeof(port), "%s:%u", bare, u->port);
	for (; list != NULL && *list != '\0'; list += n + (list[n] == '\n')) {
		n = strcspn(list, "\n");
		if ((n == nbare && memcmp(list, bare, n) == 0) ||
		    (n == nport && memcmp(list, port, n) == 0))
			return true;
	}
	return false;
}

const char *
registry_may(const struct regurl *u, bool named, bool insecure)
{
	if (u->tls)
		return NULL;
	if (!insecure)
		return "without TLS nothing is fetched, unless --insecure "
		       "says so";
	return named ? NULL :
	    "without TLS nothing is fetched from a host that nobody has "
	    "named: --also does";
}

/* ---- headers ---- */

struct text {
	const char *p;
	size_t n;
};

static void
skip(struct text *t, size_t n)
{
	t->p += n;
	t->n -= n;
}

static void
skip_space(struct text *t)
{
	while (t->n > 0 && (*t->p == ' ' || *t->p == '\t'))
		skip(t, 1);
}

static void
trim(struct text *t)
{
	skip_space(t);
	while (t->n > 0 && (t->p[t->n - 1] == ' ' || t->p[t->n - 1] == '\t' ||
		t->p[t->n - 1] == '\r' || t->p[t->n - 1] == '\n'))
		t->n--;
}

/* A word of a challenge: up to a space, a comma or an equals sign. */
static struct text
word(struct text *t)
{
	struct text w = {t->p, 0};

	while (t->n > 0 && strchr(" \t,=", *t->p) == NULL && *t->p != '\0') {
		w.n++;
		skip(t, 1);
	}
	return w;
}

static bool
is(struct text w, const char *name)
{
	return w.n == strlen(name) && begins(w.p, w.n, name);
}

/* false: it does not fit, or holds a NUL; out is "" then. */
static bool
copy(char *out, size_t cap, struct text t)
{
	out[0] = '\0';
	if (t.n >= cap || memchr(t.p, '\0', t.n) != NULL)
		return false;
	memcpy(out, t.p, t.n);
	out[t.n] = '\0';
	return true;
}

/* In quotes or bare; what does not fit is "". */
static void
value(struct text *t, char *out, size_t cap)
{
	size_t k = 0;
	bool fits = true;

	if (t->n == 0 || *t->p != '"') {
		(void)copy(out, cap, word(t));
		return;
	}
	for (skip(t, 1); t->n > 0 && *t->p != '"'; skip(t, 1)) {
		if (*t->p == '\\' && t->n > 1)
			skip(t, 1);
		if (k + 1 >= cap || *t->p == '\0')
			fits = false;
		else
			out[k++] = *t->p;
	}
	if (t->n > 0)
		skip(t, 1);
	out[fits ? k : 0] = '\0';
}

/*
 * SCHEME NAME=VALUE, NAME=VALUE, SCHEME ...: a word that no '=' follows begins
 * another challenge. The first of its kind counts.
 */
static void
challenges(struct reg_head *h, struct text t)
{
	char other[REGURL_MAX + 1];
	bool ours = false;

	while (t.n > 0) {
		struct text w, ahead;
		bool param;

		while (t.n > 0 && (*t.p == ',' || *t.p == ' ' || *t.p == '\t'))
			skip(&t, 1);
		w = word(&t);
		if (w.n == 0) {
			/* '=' or NUL where a word should be */
			if (t.n > 0)
				skip(&t, 1);
			continue;
		}
		ahead = t;
		skip_space(&ahead);
		param = ahead.n > 0 && *ahead.p == '=';
		if (!param) {
			ours = is(w, "bearer") && !h->bearer;
			h->bearer = h->bearer || ours;
			h->basic = h->basic || is(w, "basic");
			continue;
		}
		t = ahead;
		skip(&t, 1);
		skip_space(&t);
		if (ours && is(w, "realm") && h->realm[0] == '\0')
			value(&t, h->realm, sizeof(h->realm));
		else if (ours && is(w, "service") && h->service[0] == '\0')
			value(&t, h->service, sizeof(h->service));
		else
			value(&t, other, sizeof(other));
	}
}

static bool
number(struct text *t, uint64_t *v)
{
	size_t i = 0;

	*v = 0;
	while (t->n > 0 && *t->p >= '0' && *t->p <= '9') {
		if (++i > 18)
			return false;
		*v = *v * 10 + (uint64_t)(*t->p - '0');
		skip(t, 1);
	}
	return i > 0;
}

/* bytes FIRST-LAST/TOTAL, where TOTAL may be '*'. */
static void
range(struct reg_head *h, struct text t)
{
	uint64_t first, last, total = 0;

	if (!begins(t.p, t.n, "bytes "))
		return;
	skip(&t, 6);
	if (!number(&t, &first) || t.n == 0 || *t.p != '-')
		return;
	skip(&t, 1);
	if (!number(&t, &last) || last < first || t.n < 2 || *t.p != '/')
		return;
	skip(&t, 1);
	if (*t.p != '*' && (!number(&t, &total) || total <= last))
		return;
	h->ranged = true;
	h->first = first;
	h->total = total;
}

static void
media_type(struct reg_head *h, struct text t)
{
	size_t n = 0;

	while (n < t.n && strchr("; \t", t.p[n]) == NULL)
		n++;
	t.n = n;
	(void)copy(h->type, sizeof(h->type), t);
	for (char *p = h->type; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
}

static void
status(struct reg_head *h, struct text t)
{
	uint64_t code;

	memset(h, 0, sizeof(*h));
	while (t.n > 0 && *t.p != ' ')
		skip(&t, 1);
	skip_space(&t);
	if (number(&t, &code) && code < 1000)
		h->code = (unsigned)code;
}

void
reg_head_line(struct reg_head *h, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	struct text name = {line, 0}, t = {line, len};

	if (begins(line, len, "http/")) {
		status(h, t);
		return;
	}
	if (colon == NULL)
		return;
	name.n = (size_t)(colon - line);
	t.p = colon + 1;
	t.n = len - name.n - 1;
	trim(&t);
	if (is(name, "location"))
		h->location_long = !copy(h->location, sizeof(h->location), t);
	else if (is(name, "www-authenticate"))
		challenges(h, t);
	else if (is(name, "content-type"))
		media_type(h, t);
	else if (is(name, "content-encoding"))
		(void)copy(h->encoding, sizeof(h->encoding), t);
	else if (is(name, "docker-content-digest"))
		(void)copy(h->digest, sizeof(h->digest), t);
	else if (is(name, "content-range"))
		range(h, t);
}

/* ---- what follows ---- */

static enum reg_next
fail(const char **why, const char *text)
{
	*why = text;
	return REG_FAIL;
}

static enum reg_next
good(const struct reg_head *h, uint64_t from, uint64_t size, const char **why)
{
	if (h->encoding[0] != '\0' && strcmp(h->encoding, "identity") != 0)
		return fail(why, "sends it packed, which was not asked for");
	if (h->code == 200)
		return from == 0 ? REG_TAKE : REG_WHOLE;
	if (from == 0)
		return fail(why, "sends a part where all was asked for");
	/* another part than that one is no part of the file */
	if (!h->ranged || h->first != from ||
	    (h->total != 0 && size != 0 && h->total != size))
		return REG_AFRESH;
	return REG_TAKE;
}

enum reg_next
registry_next(const struct reg_head *h, uint64_t from, uint64_t size,
    const char **why)
{
	*why = "";
	switch (h->code) {
	case 200:
	case 206:
		return good(h, from, size, why);
	case 401:
		return REG_AUTH;
	case 403:
		return fail(why, "does not let this be fetched by who asks");
	case 404:
	case 410:
		return fail(why, "has no such image");
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		if (h->location_long)
			return fail(why, "redirects to an address that is too "
			    "long");
		return h->location[0] != '\0' ? REG_FOLLOW :
		    fail(why, "redirects to nowhere");
	case 416:
		return from > 0 ? REG_AFRESH : fail(why, "answers 416 to who "
		    "wants all of it");
	case 408:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return REG_WAIT;
	default:
		return fail(why, "gives no file");
	}
}

unsigned
registry_wait(unsigned n)
{
	return n == 0 ? 0 : n > 5 ? 30 : 1u << (n - 1);
}
