/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "trust/egress/transfer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/netaddr.h"
#include "common/util.h"

#define CONNECT_MS 10000L  /* klp.md 1.7 */
#define SLOW_BYTES 64L	   /* a second, for ... */
#define SLOW_SECONDS 30L   /* ... so long: nobody who means to answer */
#define SLOW_READER 1024L  /* ... where there is no deadline */
#define HEAD_MOST 32768u   /* bytes of headers, trailers among them */
#define OTHER_MOST 65536u  /* ... of the body of a refusal, to keep the line */
#define KEPT_LINES 8L	   /* connections that wait for another question */
#define ACCEPT "Accept: application/vnd.klp.envelope+json, */*;q=0.1"

struct transfers {
	struct ev_loop *loop;
	CURLM *multi;
	ev_timer timer;
	transfer_fn *fn;
	void *ctx;
	char *pem;
	size_t pem_len;
};

struct watch {
	ev_io io;
	struct transfers *in;
};

/* ---- how it ended ---- */

static void say(struct transfer *, enum fetch_end, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(struct transfer *t, enum fetch_end end, const char *fmt, ...)
{
	char text[CURL_ERROR_SIZE + 64];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->end = end;
	/* names of certificates come from the other side */
	(void)text_printable(t->why, sizeof(t->why), text, strlen(text));
}

void
transfer_fail(struct transfer *t, enum fetch_end end, const char *why)
{
	say(t, end, "%s", why);
}

/* A file is whole or none; a hub may say 201 or 202. */
static bool
is_good(const struct transfer *t, long code)
{
	return t->hub != NULL ? code / 100 == 2 : code == 200;
}

static void
by_code(struct transfer *t)
{
	unsigned code = t->code;

	if (t->reader != NULL || is_good(t, code))
		say(t, FETCH_OK, "%s", "");
	else if (t->hub == NULL && (code == 404 || code == 410))
		say(t, FETCH_ABSENT, "answers %u: no such file", code);
	else if (code == 304)
		say(t, FETCH_HTTP, "answers %u: unchanged, though nothing was "
		    "asked for that it could be compared with", code);
	else if (code / 100 == 3)
		say(t, FETCH_REDIRECT, "answers %u: redirects are not "
		    "followed", code);
	else
		say(t, FETCH_HTTP, "answers %u", code);
}

static void
by_us(struct transfer *t)
{
	switch (t->ended) {
	case FETCH_SIZE:
		if (t->reader != NULL)
			say(t, FETCH_SIZE, "sends more bytes than there "
			    "should be");
		else
			say(t, FETCH_SIZE, "sends more than the %u bytes that "
			    "were asked for", t->max);
		break;
	case FETCH_HTTP:
		by_code(t);
		break;
	case FETCH_BROKEN:
		say(t, FETCH_BROKEN, "sends headers without end");
		break;
	default:
		say(t, FETCH_OWN, "no room for what it sends");
	}
}

static void
by_connection(struct transfer *t, const char *text)
{
	if (t->refused && !t->tried)
		say(t, FETCH_REFUSED, "it lies at %s: nothing is fetched from "
		    "there unless %s names it", t->refused_text,
		    t->reader != NULL ? "--also" : "klp.private_hosts");
	else
		say(t, FETCH_UNREACHABLE, "%s", text);
}

/* What libcurl says has numbers and names in it that help. */
static void
judge(struct transfer *t, CURLcode result)
{
	const char *text = t->error[0] != '\0' ? t->error :
	    curl_easy_strerror(result);
	curl_off_t connected = 0;
	curl_off_t wait = 0;
	long code = 0, made = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &code);
	(void)curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME_T,
	    &connected);
	(void)curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &made);
	(void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &wait);
	t->code = (uint16_t)code;
	t->wait_s = wait > UINT32_MAX ? UINT32_MAX : (uint32_t)wait;
	if (t->ended != FETCH_OK) {
		by_us(t);
		return;
	}
	switch (result) {
	case CURLE_OK:
		by_code(t);
		break;
	case CURLE_FILESIZE_EXCEEDED:
		t->ended = FETCH_SIZE;
		by_us(t);
		break;
	case CURLE_COULDNT_CONNECT:
		by_connection(t, text);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		if (t->refused && !t->tried)
			by_connection(t, text);
		else
			say(t, connected > 0 || made == 0 ? FETCH_SLOW :
				FETCH_UNREACHABLE, "%s", text);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		say(t, FETCH_TLS, "%s", text);
		break;
	case CURLE_OUT_OF_MEMORY: /* libcurl says so of such a line too */
		say(t, FETCH_OWN, "sends a header line that is too long, or "
		    "there is no memory here for it");
		break;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		say(t, FETCH_OWN, "%s", text);
		break;
	default:
		say(t, FETCH_BROKEN, "%s", text);
	}
}

static void
finish(struct transfer *t, CURLcode result)
{
	judge(t, result);
	if (t->reader != NULL) {
		t->reader->over(t->reader->ctx, t);
		return;
	}
	if (t->end != FETCH_OK)
		t->len = 0;
	if (t->len == 0)
		close_fd(&t->fd);
	if (t->fd >= 0 && memfd_seal(t->fd) < 0) {
		close_fd(&t->fd);
		say(t, FETCH_OWN, "what it sent cannot be sealed");
	}
	t->in->fn(t->in->ctx, t);
}

static void
harvest(struct transfers *ts)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(ts->multi, &left)) != NULL) {
		struct transfer *t = NULL;

		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle,
			CURLINFO_PRIVATE, (char **)&t) != CURLE_OK)
			continue;
		finish(t, m->data.result);
	}
}

/* ---- libcurl in the loop ---- */

static void
on_ready(struct ev_loop *loop, ev_io *io, int revents)
{
	struct watch *w = io->data;
	struct transfers *ts = w->in;
	int mask = (revents & EV_READ ? CURL_CSELECT_IN : 0) |
	    (revents & EV_WRITE ? CURL_CSELECT_OUT : 0), running;

	(void)loop;
	/* w may be gone after this */
	(void)curl_multi_socket_action(ts->multi, io->fd, mask, &running);
	harvest(ts);
}

static void
on_time(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct transfers *ts = w->data;
	int running;

	(void)loop;
	(void)revents;
	(void)curl_multi_socket_action(ts->multi, CURL_SOCKET_TIMEOUT, 0,
	    &running);
	harvest(ts);
}

static int
set_timer(CURLM *multi, long ms, void *ctx)
{
	struct transfers *ts = ctx;

	(void)multi;
	ev_timer_stop(ts->loop, &ts->timer);
	if (ms < 0)
		return 0;
	/* never from within: libcurl does not expect to be called again */
	ev_timer_set(&ts->timer, (double)ms / 1000, 0.);
	ev_timer_start(ts->loop, &ts->timer);
	return 0;
}

static int
set_socket(CURL *easy, curl_socket_t s, int what, void *ctx, void *ours)
{
	struct transfers *ts = ctx;
	struct watch *w = ours;
	int events = (what & CURL_POLL_IN ? EV_READ : 0) |
	    (what & CURL_POLL_OUT ? EV_WRITE : 0);

	(void)easy;
	if (w != NULL)
		ev_io_stop(ts->loop, &w->io);
	if (what == CURL_POLL_REMOVE) {
		free(w);
		return 0;
	}
	if (w == NULL) {
		if ((w = calloc(1, sizeof(*w))) == NULL)
			return -1;
		w->in = ts;
		ev_init(&w->io, on_ready);
		w->io.data = w;
		(void)curl_multi_assign(ts->multi, s, w);
	}
	ev_io_set(&w->io, s, events);
	ev_io_start(ts->loop, &w->io);
	return 0;
}

bool
transfers_library(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct transfers *
transfers_new(struct ev_loop *loop, transfer_fn *fn, void *ctx)
{
	struct transfers *ts = calloc(1, sizeof(*ts));

	if (ts == NULL || (ts->multi = curl_multi_init()) == NULL) {
		free(ts);
		return NULL;
	}
	ts->loop = loop;
	ts->fn = fn;
	ts->ctx = ctx;
	ev_init(&ts->timer, on_time);
	ts->timer.data = ts;
	(void)curl_multi_setopt(ts->multi, CURLMOPT_SOCKETFUNCTION,
	    set_socket);
	(void)curl_multi_setopt(ts->multi, CURLMOPT_SOCKETDATA, ts);
	(void)curl_multi_setopt(ts->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	(void)curl_multi_setopt(ts->multi, CURLMOPT_TIMERDATA, ts);
	(void)curl_multi_setopt(ts->multi, CURLMOPT_MAXCONNECTS, KEPT_LINES);
	return ts;
}

bool
transfers_trust(struct transfers *ts, const char *pem, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return false;
	memcpy(copy, pem, len);
	free(ts->pem);
	copy[len] = '\0';
	ts->pem = copy;
	/* a text without one is none: nothing was found to be sent */
	ts->pem_len = strstr(copy, "-----BEGIN") != NULL ? len : 0;
	return true;
}

/* ---- what libcurl asks of a transfer ---- */

static enum netaddr_kind
kind_of(const struct sockaddr *sa)
{
	uint8_t addr[16] = {0};

	if (sa->sa_family == AF_INET) {
		memcpy(addr, &((const struct sockaddr_in *)(const void *)sa)
		    ->sin_addr, 4);
		return netaddr_kind(4, addr);
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(addr, &((const struct sockaddr_in6 *)(const void *)sa)
		    ->sin6_addr, 16);
		return netaddr_kind(6, addr);
	}
	return NETADDR_NOBODY;
}

static bool
may_go_to(struct transfer *t, enum netaddr_kind kind)
{
	if (kind == NETADDR_PUBLIC ||
	    (kind != NETADDR_NOBODY && t->private_ok))
		return true;
	t->refused = true;
	(void)snprintf(t->refused_text, sizeof(t->refused_text), "%s",
	    netaddr_text(kind));
	return false;
}

/*
 * The very address that is connected to next, whoever said that the name has
 * it: there is no other way to a socket here.
 */
static curl_socket_t
on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = ctx;

	(void)purpose;
	if (!may_go_to(t, kind_of(&a->addr)))
		return CURL_SOCKET_BAD;
	t->tried = true;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t
on_head(char *p, size_t one, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	t->head_len += one * n;
	if (t->head_len <= HEAD_MOST) {
		if (t->reader != NULL)
			t->reader->head(t->reader->ctx, p, one * n);
		return one * n;
	}
	t->ended = FETCH_BROKEN;
	return 0;
}

static size_t
on_body(char *p, size_t one, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = one * n;
	long code = 0;

	if (t->reader != NULL) {
		t->ended = t->reader->body(t->reader->ctx,
		    (const uint8_t *)p, len);
		return t->ended == FETCH_OK ? len : 0;
	}
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &code);
	if (!is_good(t, code)) {
		t->other_len += len;
		if (t->other_len <= OTHER_MOST)
			return len;
		t->ended = FETCH_HTTP;
		return 0;
	}
	if (len > t->max - t->len) {
		t->ended = FETCH_SIZE;
		return 0;
	}
	if (t->fd < 0)
		t->fd = memfd_unsealed("fetched");
	if (t->fd < 0 || write_full(t->fd, p, len) < 0) {
		t->ended = FETCH_OWN;
		return 0;
	}
	t->len += len;
	return len;
}

/* ---- a transfer ---- */

/*
 * "HOST:PORT:ADDRESS,ADDRESS": then libcurl looks nothing up. Without those
 * that it may not go to: it takes its time over each that fails. false: none is
 * left, or no memory.
 */
static bool
use_addresses(struct transfer *t, const uint8_t *addrs, unsigned n)
{
	char text[WEBURL_HOST_MAX + 16 + 8 * (INET6_ADDRSTRLEN + 3)];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s:%u",
	    t->url.host, t->url.port);
	bool any = t->url.family != 0;

	for (unsigned i = 0; i < n; i++, addrs += IPC_ADDR) {
		char addr[INET6_ADDRSTRLEN];
		bool v6 = addrs[0] == 6;

		if (!may_go_to(t, netaddr_kind(addrs[0], addrs + 1)) ||
		    len >= sizeof(text) || inet_ntop(v6 ? AF_INET6 : AF_INET,
			addrs + 1, addr, sizeof(addr)) == NULL)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s%s%s", any ? "," : ":", v6 ? "[" : "", addr,
		    v6 ? "]" : "");
		any = true;
	}
	if (t->url.family != 0)
		return true;
	t->resolved = any && len < sizeof(text) ?
	    curl_slist_append(NULL, text) : NULL;
	return t->resolved != NULL;
}

#define SET(option, value)                                                     \
	(ok = ok && curl_easy_setopt(t->easy, option, value) == CURLE_OK)

/* The files of a hub's, in libcurl's own copies. */
static bool
set_up_hub(struct transfer *t)
{
	const struct hubset *h = t->hub;
	struct curl_blob ca = {(void *)(uintptr_t)h->ca.p, h->ca.len,
	    CURL_BLOB_COPY};
	struct curl_blob cert = {(void *)(uintptr_t)h->cert.p, h->cert.len,
	    CURL_BLOB_COPY};
	struct curl_blob key = {(void *)(uintptr_t)h->key.p, h->key.len,
	    CURL_BLOB_COPY};
	bool ok = true;

	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
	SET(CURLOPT_POSTFIELDS, t->body);
	if (h->ca.p != NULL)
		SET(CURLOPT_CAINFO_BLOB, &ca);
	if (h->pin[0] != '\0')
		SET(CURLOPT_PINNEDPUBLICKEY, h->pin);
	if (h->cert.p != NULL) {
		SET(CURLOPT_SSLCERT_BLOB, &cert);
		SET(CURLOPT_SSLCERTTYPE, "PEM");
		SET(CURLOPT_SSLKEY_BLOB, &key);
		SET(CURLOPT_SSLKEYTYPE, "PEM");
	}
	return ok;
}

static bool
set_up(struct transfer *t)
{
	/* others may come while it is under way */
	struct curl_blob pem = {t->in->pem, t->in->pem_len, CURL_BLOB_COPY};
	const struct transfer_reader *r = t->reader;
	bool ok = true;

	SET(CURLOPT_URL, r != NULL ? r->url : t->text);
	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* one way, to one place */
	SET(CURLOPT_PROTOCOLS_STR, r != NULL && r->plain ? "http" : "https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_RESOLVE, t->resolved);
	SET(CURLOPT_DNS_CACHE_TIMEOUT, -1L);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
	SET(CURLOPT_OPENSOCKETDATA, t);
	/* who it is */
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CAINFO_BLOB, &pem);
	/* how much, and how long */
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, (long)t->deadline_ms);
	SET(CURLOPT_LOW_SPEED_LIMIT, t->deadline_ms == 0 ? SLOW_READER :
	    SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
	SET(CURLOPT_HEADERFUNCTION, on_head);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_HTTPHEADER, t->headers);
	if (r != NULL && r->pin != NULL)
		SET(CURLOPT_PINNEDPUBLICKEY, r->pin);
	return ok && (t->hub == NULL || set_up_hub(t));
}

static bool
add_header(struct transfer *t, const char *text)
{
	struct curl_slist *more = curl_slist_append(t->headers, text);

	if (more == NULL)
		return false;
	t->headers = more;
	return true;
}

static bool
headers(struct transfer *t)
{
	char text[HUBSET_FILE + 32];
	const struct hubset *h = t->hub;

	if (t->reader != NULL) {
		for (const char *const *p = t->reader->headers; *p != NULL; p++)
			if (!add_header(t, *p))
				return false;
		return true;
	}
	if (h == NULL)
		return add_header(t, ACCEPT);
	(void)snprintf(text, sizeof(text), "Klp-Node: %s", h->node);
	if (!add_header(t, "Content-Type: application/x-ndjson") ||
	    !add_header(t, "Accept: application/json") ||
	    /* the body at once: nobody is asked whether he wants it */
	    !add_header(t, "Expect:") || !add_header(t, text))
		return false;
	if (h->token.p == NULL)
		return true;
	(void)snprintf(text, sizeof(text), "Authorization: Bearer %.*s",
	    (int)h->token.len, (const char *)h->token.p);
	return add_header(t, text);
}

void
transfer_start(struct transfers *ts, struct transfer *t, const uint8_t *addrs,
    unsigned n)
{
	t->in = ts;
	if (ts->pem_len == 0 && (t->hub == NULL || t->hub->ca.p == NULL) &&
	    (t->reader == NULL || !t->reader->plain)) {
		say(t, FETCH_OWN, "no certificates of authorities are known "
		    "here: install ca-certificates, or set %s",
		    t->reader != NULL ? "--ca" :
		    t->hub == NULL ? "klp.ca" : "hub.ca");
	} else if (!use_addresses(t, addrs, n)) {
		by_connection(t, "no memory");
	} else if ((t->easy = curl_easy_init()) == NULL ||
	    !headers(t) || !set_up(t)) {
		say(t, FETCH_OWN, "no memory");
	} else if (curl_multi_add_handle(ts->multi, t->easy) == CURLM_OK) {
		return;
	} else {
		say(t, FETCH_OWN, "no memory");
	}
	if (t->reader != NULL)
		t->reader->over(t->reader->ctx, t);
	else
		ts->fn(ts->ctx, t);
}

void
transfer_clear(struct transfer *t)
{
	if (t->easy != NULL) {
		(void)curl_multi_remove_handle(t->in->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	curl_slist_free_all(t->resolved);
	curl_slist_free_all(t->headers);
	close_fd(&t->fd);
	memset(t, 0, sizeof(*t));
	t->fd = -1;
}
