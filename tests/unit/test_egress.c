/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-egress itself, with the test as its parent and as warren-trust, and
 * web servers that lie (egress_server.py): what is fetched, what is refused,
 * and with which reason. And what is decided without a socket.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/hubset.h"
#include "common/util.h"
#include "common/weburl.h"
#include "tests/unit/prog_peer.h"
#include "trust/egress/backoff.h"

#define SOON 400 /* ms: what does not come is not waited for any longer */

static struct prog p;
static struct ipc *trust, *audit;
static pid_t server;
static int server_in;
static char pem[4096];
static struct {
	char name[16];
	unsigned port;
	char value[200]; /* what it is when it is no port */
} webs[16];
static unsigned nwebs;

/* ---- addresses of files ---- */

static void
test_url(void **state)
{
	static const struct {
		const char *text, *host, *path;
		unsigned port, family;
	} good[] = {
	    {"https://gw.example.net/klp", "gw.example.net", "/klp", 443, 0},
	    {"https://GW.Example.net", "gw.example.net", "", 443, 0},
	    {"https://h:8443/a?b=c", "h", "/a?b=c", 8443, 0},
	    {"https://h?b", "h", "?b", 443, 0},
	    {"https://10.0.0.1:1", "10.0.0.1", "", 1, 4},
	    {"https://[::1]:65535/x", "::1", "/x", 65535, 6},
	    {"https://[2001:DB8::5]", "2001:db8::5", "", 443, 6},
	    {"https://1a.b-c.d9/", "1a.b-c.d9", "/", 443, 0},
	};
	static const char *bad[] = {"", "http://h/", "https://", "https:///x",
	    "HTTPS://h/", "https://h:/", "https://h:0/", "https://h:65536/",
	    "https://h:99999999999/", "https://h:8 0/", "https://u@h/",
	    "https://u:p@h/", "https://h/#x", "https://h/a b", "https://h\\x/",
	    "https://h/\x80", "https://h/\n", "https://.h/", "https://h./",
	    "https://a..b/", "https://-a.b/", "https://a-/", "https://a_b/",
	    "https://127.1/", "https://0x7f.1/", "https://2130706433/",
	    "https://1.2.3.4.5/", "https://0177.0.0.1/", "https://a.0x7f/",
	    "https://[::1/", "https://[::1]x/", "https://::1/",
	    "https://[127.0.0.1]/", "https://[fe80::1%251]/", "https://h%2e/",
	    "https://[]/", "https://256.1.1.1/"};
	struct weburl u;
	char text[WEBURL_MAX + 2];

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		assert_null(weburl_parse(&u, good[i].text));
		assert_string_equal(u.host, good[i].host);
		assert_string_equal(u.path, good[i].path);
		assert_int_equal(u.port, good[i].port);
		assert_int_equal(u.family, good[i].family);
		/* every beginning is one, or is refused; none is read past */
		for (size_t n = strlen(good[i].text); n > 0; n--) {
			char *cut = strndup(good[i].text, n - 1);

			(void)weburl_parse(&u, cut);
			free(cut);
		}
	}
	for (size_t i = 0; i < NELEM(bad); i++)
		if (weburl_parse(&u, bad[i]) == NULL)
			fail_msg("taken: %s", bad[i]);
	memset(text, 'a', sizeof(text));
	memcpy(text, "https://", 8);
	text[8 + 64] = '/';
	text[WEBURL_MAX + 1] = '\0';
	assert_non_null(weburl_parse(&u, text));
	text[8 + 63] = '/';
	assert_non_null(weburl_parse(&u, text));
	text[WEBURL_MAX] = '\0';
	assert_null(weburl_parse(&u, text));
}

static struct mono
at(int64_t s)
{
	return (struct mono){s * MONO_SECOND};
}

static void
test_backoff(void **state)
{
	static const uint32_t waits[] = {0, 1, 2, 4, 8, 16, 32, 60, 60, 60};
	static struct backoff b;
	struct weburl u, other;
	char text[64];

	(void)state;
	assert_null(weburl_parse(&u, "https://a:1"));
	assert_null(weburl_parse(&other, "https://a:2"));
	for (size_t i = 0; i < NELEM(waits); i++) {
		int64_t now = 1000 + 100 * (int64_t)i;

		backoff_note(&b, &u, false, at(now));
		assert_int_equal(backoff_wait(&b, &u, at(now)), waits[i]);
		assert_int_equal(backoff_wait(&b, &other, at(now)), 0);
		assert_int_equal(backoff_wait(&b, &u, at(now + waits[i])), 0);
	}
	backoff_note(&b, &u, true, at(9000));
	backoff_note(&b, &u, false, at(9000));
	assert_int_equal(backoff_wait(&b, &u, at(9000)), 0);
	/* others make room, the one that was spoken of longest ago */
	for (unsigned i = 0; i < BACKOFF_SERVERS; i++) {
		(void)snprintf(text, sizeof(text), "https://b%u.c", i);
		assert_null(weburl_parse(&other, text));
		backoff_note(&b, &other, false, at(9001 + i));
	}
	backoff_note(&b, &u, false, at(9500));
	assert_int_equal(backoff_wait(&b, &u, at(9500)), 0);
	backoff_note(&b, &u, false, at(9500));
	assert_int_equal(backoff_wait(&b, &u, at(9500)), 1);
}

/* ---- the program ---- */

static unsigned
port_of(const char *name)
{
	for (unsigned i = 0; i < nwebs; i++)
		if (strcmp(webs[i].name, name) == 0)
			return webs[i].port;
	fail_msg("no server %s", name);
	return 0;
}

static struct msg_FETCHED
outcome(char *body, size_t cap)
{
	struct msg_FETCHED m;
	struct ipc_in in;

	prog_wait(trust, IPC_FETCHED, &in);
	assert_true(msg_get_FETCHED(in.body, &m));
	assert_int_equal(in.nfds, m.end == FETCH_OK && m.len > 0);
	if (in.nfds > 0) {
		size_t len = m.len;
		const uint8_t *map = memfd_map(in.fds[0], &len,
		    IPC_FETCH_BYTES);

		assert_non_null(map);
		if (body != NULL)
			(void)snprintf(body, cap, "%.*s", (int)len,
			    (const char *)map);
		memfd_unmap(map, len);
	}
	ipc_in_done(&in);
	return m;
}

static void
ask(uint32_t seq, uint32_t max, uint32_t ms, const char *url)
{
	struct msg_FETCH m = {.seq = seq, .kind = FETCH_KLP, .max = max,
	    .deadline_ms = ms};

	(void)snprintf(m.url, sizeof(m.url), "%s", url);
	assert_int_equal(ipc_send_FETCH(trust, &m, NULL, 0), 0);
}

/* Of the server of this name, at an address that needs no look-up. */
static struct msg_FETCHED
from(const char *name, const char *path, uint32_t max, uint32_t ms)
{
	static uint32_t seq = 100;
	struct msg_FETCHED m;
	char url[128];

	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/%s",
	    port_of(name), path);
	ask(++seq, max, ms, url);
	m = outcome(NULL, 0);
	assert_int_equal(m.seq, seq);
	return m;
}

/* A host by name; the parent, which is the test, knows these addresses. */
static void
ask_by_name(const char *host, const char *path, uint32_t ms,
    const uint8_t *addrs, unsigned n)
{
	struct msg_LOOKED_UP known = {.seq = 0};
	struct msg_LOOK_UP m;
	char url[300];

	(void)snprintf(url, sizeof(url), "https://%s:%u/%s", host,
	    port_of("good"), path);
	ask(7, 1000, ms, url);
	PROG_GET(LOOK_UP, p.parent, &m);
	assert_string_equal(m.host, host);
	known.seq = m.seq;
	known.addrs_len = (uint16_t)(n * IPC_ADDR);
	if (n > 0)
		memcpy(known.addrs, addrs, n * IPC_ADDR);
	else
		(void)snprintf(known.why, sizeof(known.why), "nobody has it");
	assert_int_equal(ipc_send_LOOKED_UP(p.parent, &known, NULL, 0), 0);
}

static struct msg_FETCHED
by_name(const char *host, const uint8_t *addrs, unsigned n, char *body,
    size_t cap)
{
	ask_by_name(host, "ok", 10000, addrs, n);
	return outcome(body, cap);
}

static void
is(struct msg_FETCHED m, enum fetch_end end, const char *why)
{
	if (m.end != end || strstr(m.why, why) == NULL)
		fail_msg("%u (%s) instead of %u (%s)", m.end, m.why, end, why);
}

static void
test_good(void **state)
{
	static const uint8_t here[][IPC_ADDR] = {{6, [16] = 1},
	    {4, 127, 0, 0, 1}};
	char body[64] = "";
	struct msg_FETCHED m;

	(void)state;
	m = by_name("good.test", here[0], 2, body, sizeof(body));
	is(m, FETCH_OK, "");
	assert_string_equal(body, "here it is");
	assert_int_equal(m.len, 10);
	is(from("good", "empty", 10, 10000), FETCH_OK, "");
	is(from("good", "big", 300000, 10000), FETCH_OK, "");
	is(from("good", "ok?x=y", 10, 10000), FETCH_OK, "");
	is(from("good", "not-there", 10, 10000), FETCH_ABSENT, "404");
}

static void
test_bytes(void **state)
{
	(void)state;
	is(from("good", "big", 299999, 10000), FETCH_SIZE, "299999");
	is(from("good", "endless", 100000, 10000), FETCH_SIZE, "100000");
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
	is(from("good", "short", 1000, 10000), FETCH_BROKEN, "");
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
	is(from("good", "cut", 1000, 10000), FETCH_BROKEN, "");
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
	is(from("good", "headers", 1000, 10000), FETCH_BROKEN, "headers");
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
	is(from("good", "nothing", 1000, 10000), FETCH_BROKEN, "");
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
}

static void
test_time(void **state)
{
	(void)state;
	/* connected to in time, whatever else this machine does */
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
	is(from("good", "silent", 1000, SOON), FETCH_SLOW, "");
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
	is(from("good", "drops", 1000, SOON), FETCH_SLOW, "");
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
}

static void
test_answers(void **state)
{
	struct msg_FETCHED m = from("good", "away", 1000, 10000);

	(void)state;
	is(m, FETCH_REDIRECT, "302");
	assert_int_equal(m.code, 302);
	is(from("good", "fault", 1000, 10000), FETCH_HTTP, "500");
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
}

static void
test_tls(void **state)
{
	(void)state;
	is(from("unknown", "ok", 10, 10000), FETCH_TLS, "");
	is(from("named", "ok", 10, 10000), FETCH_TLS, "");
	is(from("expired", "ok", 10, 10000), FETCH_TLS, "");
	is(from("plain", "ok", 10, 10000), FETCH_TLS, "");
}

static void
test_places(void **state)
{
	static const uint8_t bad[][IPC_ADDR] = {{4, 127, 0, 0, 1},
	    {6, [16] = 1}, {4, 10, 1, 2, 3}, {4, 192, 168, 0, 1},
	    {4, 169, 254, 169, 254}, {4, 224, 0, 0, 1}, {4, 0, 0, 0, 0},
	    {6, 0xfe, 0x80, [16] = 5}, {6, 0xfd, [16] = 5},
	    {6, [11] = 0xff, [12] = 0xff, 127, 0, 0, 1},
	    {6, 0, 0x64, 0xff, 0x9b, [13] = 10, 0, 0, 1}};
	char url[64];

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		is(by_name("evil.test", bad[i], 1, NULL, 0), FETCH_REFUSED,
		    "nothing is fetched from there");
	/* all of its addresses, and a name that has none */
	is(by_name("evil.test", bad[0], NELEM(bad) > 8 ? 8 : NELEM(bad), NULL,
		0), FETCH_REFUSED, "");
	is(by_name("none.test", NULL, 0, NULL, 0), FETCH_NAME,
	    "nobody has it");
	/* what is of no host is nowhere, whoever is named */
	is(by_name("good.test", bad[5], 1, NULL, 0), FETCH_REFUSED, "");
	/* as an address, another one than the one that is named */
	(void)snprintf(url, sizeof(url), "https://127.0.0.2:%u/ok",
	    port_of("good"));
	ask(1, 10, 10000, url);
	is(outcome(NULL, 0), FETCH_REFUSED, "of this machine");
}

static void
test_form(void **state)
{
	static const char *urls[] = {"", "http://127.0.0.1/", "file:///etc/passwd",
	    "https://127.0.0.1@127.0.0.1/", "https://127.1/"};
	struct msg_FETCH m = {.seq = 1, .kind = FETCH_KLP, .max = 1,
	    .deadline_ms = 1, .url = "https://a.b/"};
	struct msg_FETCH odd[4] = {m, m, m, m};

	(void)state;
	for (size_t i = 0; i < NELEM(urls); i++) {
		ask(1, 10, 1000, urls[i]);
		is(outcome(NULL, 0), FETCH_REFUSED, "");
	}
	odd[0].kind = 9;
	odd[1].max = 0;
	odd[2].max = IPC_FETCH_BYTES + 1;
	odd[3].deadline_ms = IPC_FETCH_MS + 1;
	for (size_t i = 0; i < NELEM(odd); i++) {
		assert_int_equal(ipc_send_FETCH(trust, &odd[i], NULL, 0), 0);
		is(outcome(NULL, 0), FETCH_REFUSED, "");
	}
}

/* Settings come again while a question is out, and count from the next on. */
static void
test_settings(void **state)
{
	static const uint8_t here[IPC_ADDR] = {4, 127, 0, 0, 1};

	(void)state;
	is(by_name("good.test", here, 1, NULL, 0), FETCH_OK, "");
	ask_by_name("good.test", "drops", SOON, here, 1);
	prog_text(&p, SET_WEB_CA, "", "\n");
	is(outcome(NULL, 0), FETCH_SLOW, "");
	assert_true(from("unknown", "ok", 10, 10000).end != FETCH_OK);
	prog_text(&p, SET_WEB_CA, "", pem);
	prog_text(&p, SET_WEB_HOSTS, "", "good.test\n");
	/* behind them on the same channel: now they are taken */
	is(by_name("good.test", here, 1, NULL, 0), FETCH_OK, "");
	is(from("good", "ok", 10, 10000), FETCH_REFUSED, "private_hosts");
}

/* Many at once, and a server that fails again and again. */
static void
test_crowd(void **state)
{
	unsigned later = 0;
	struct msg_FETCHED m;
	char url[64];

	(void)state;
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/silent",
	    port_of("good"));
	for (uint32_t i = 0; i < 10; i++)
		ask(i, 10, SOON, url);
	for (unsigned i = 0; i < 10; i++) {
		m = outcome(NULL, 0);
		later += m.end == FETCH_LATER;
	}
	assert_int_equal(later, 2);
	is(from("failing", "fault", 10, 10000), FETCH_HTTP, "500");
	is(from("failing", "fault", 10, 10000), FETCH_HTTP, "500");
	m = from("failing", "ok", 10, 10000);
	is(m, FETCH_LATER, "too often");
	assert_int_equal(m.wait_s, 1);
}

/* ---- events ---- */

static const char *
value_of(const char *name)
{
	for (unsigned i = 0; i < nwebs; i++)
		if (strcmp(webs[i].name, name) == 0)
			return webs[i].value;
	fail_msg("nothing is %s", name);
	return "";
}

static struct hubset_file
file_of(const char *name)
{
	static char texts[8][8192];
	static unsigned used;
	FILE *f = fopen(value_of(name), "r");
	char *text = texts[used++];
	size_t n;

	assert_non_null(f);
	assert_true(used <= NELEM(texts));
	n = fread(text, 1, sizeof(texts[0]) - 1, f);
	(void)fclose(f);
	return (struct hubset_file){(uint8_t *)text, n};
}

/* The parent names a hub. */
static void
name_hub(struct hubset *s, const char *web, const char *path)
{
	struct msg_SETTING m = {.what = SET_HUB_POST};
	static uint8_t text[65536];
	size_t n;
	int fd;

	(void)snprintf(s->url, sizeof(s->url), "https://127.0.0.1:%u/%s",
	    port_of(web), path);
	(void)snprintf(s->node, sizeof(s->node), "urn:klp:x:device:1");
	n = hubset_put(text, sizeof(text), s);
	assert_true(n > 0);
	assert_true((fd = memfd_sealed("hub", text, n)) >= 0);
	assert_int_equal(ipc_send_SETTING(p.parent, &m, &fd, 1), 0);
	(void)close(fd);
	/* two channels have no order: behind this one it is taken */
	is(from("good", "ok", 10, 10000), FETCH_OK, "");
}

static void
post(const char *text, uint32_t seq, uint32_t max, uint32_t ms)
{
	struct msg_POST m = {.seq = seq, .kind = POST_HUB, .max = max,
	    .deadline_ms = ms, .len = (uint32_t)strlen(text)};
	int fd = memfd_sealed("events", text, m.len);

	assert_int_equal(ipc_send_POST(audit, &m, &fd, 1), 0);
	(void)close(fd);
}

static struct msg_POSTED
taken(char *body, size_t cap)
{
	struct msg_POSTED m;
	struct ipc_in in;

	prog_wait(audit, IPC_POSTED, &in);
	assert_true(msg_get_POSTED(in.body, &m));
	assert_int_equal(in.nfds, m.end == FETCH_OK && m.len > 0);
	if (in.nfds > 0 && body != NULL) {
		size_t len = m.len;
		const uint8_t *map = memfd_map(in.fds[0], &len,
		    IPC_POSTED_BYTES);

		assert_non_null(map);
		(void)snprintf(body, cap, "%.*s", (int)len, (const char *)map);
		memfd_unmap(map, len);
	}
	ipc_in_done(&in);
	return m;
}

static void
ends(enum fetch_end end, const char *why)
{
	struct msg_POSTED m = taken(NULL, 0);

	if (m.end != end || strstr(m.why, why) == NULL)
		fail_msg("%u (%s) instead of %u (%s)", m.end, m.why, end, why);
}

static void
test_hub(void **state)
{
	struct hubset s = {.url = ""};
	struct msg_POSTED m;
	char body[400] = "", *large;

	(void)state;
	post("{}\n", 1, 1000, 10000);
	ends(FETCH_REFUSED, "no hub");
	name_hub(&s, "good", "hub");
	post("{}\n{}\n", 2, 1000, 10000);
	m = taken(body, sizeof(body));
	assert_int_equal(m.seq, 2);
	assert_int_equal(m.code, 202);
	assert_non_null(strstr(body, "\"ack\": 2, \"bytes\": 6"));
	assert_non_null(strstr(body, "\"token\": null"));
	assert_non_null(strstr(body, "urn:klp:x:device:1"));
	assert_non_null(strstr(body, "application/x-ndjson"));
	s.token = (struct hubset_file){(const uint8_t *)"se/cr=et", 8};
	(void)snprintf(s.pin, sizeof(s.pin), "%s", value_of("pin"));
	name_hub(&s, "good", "hub");
	assert_non_null(large = malloc(IPC_POST_BYTES + 2));
	memset(large, '\n', IPC_POST_BYTES + 1);
	large[IPC_POST_BYTES] = '\0';
	post(large, 3, 1000, 10000);
	(void)taken(body, sizeof(body));
	assert_non_null(strstr(body, "\"ack\": 262144"));
	assert_non_null(strstr(body, "Bearer se/cr=et"));
	/* in a way that nobody asks here */
	large[IPC_POST_BYTES] = '\n';
	large[IPC_POST_BYTES + 1] = '\0';
	post(large, 4, 1000, 10000);
	ends(FETCH_REFUSED, "nobody");
	post("x", 4, 0, 10000);
	ends(FETCH_REFUSED, "nobody");
	post("x", 4, IPC_POSTED_BYTES + 1, 10000);
	ends(FETCH_REFUSED, "nobody");
	post("x", 4, 1, IPC_FETCH_MS + 1);
	ends(FETCH_REFUSED, "nobody");
	free(large);
}

/* Who it is, who we are. */
static void
test_hub_tls(void **state)
{
	struct hubset s = {.url = ""};

	(void)state;
	(void)snprintf(s.pin, sizeof(s.pin), "%s", value_of("otherpin"));
	name_hub(&s, "good", "hub");
	post("{}\n", 1, 1000, 10000);
	ends(FETCH_TLS, "pinned");
	s.pin[0] = '\0';
	name_hub(&s, "expired", "hub");
	post("{}\n", 1, 1000, 10000);
	ends(FETCH_TLS, "expired");
	/* a pin does not make up for what a certificate lacks */
	(void)snprintf(s.pin, sizeof(s.pin), "%s", value_of("pin"));
	name_hub(&s, "unknown", "hub");
	post("{}\n", 1, 1000, 10000);
	ends(FETCH_TLS, "");
	s.pin[0] = '\0';
	name_hub(&s, "mutual", "hub");
	post("{}\n", 1, 1000, 10000);
	/* of TLS 1.3 it comes only after the handshake */
	assert_int_not_equal(taken(NULL, 0).end, FETCH_OK);
	s.cert = file_of("client-cert");
	s.key = file_of("client-key");
	name_hub(&s, "mutual", "hub");
	post("{}\n", 1, 1000, 10000);
	ends(FETCH_OK, "");
	s.cert = file_of("stranger-cert");
	s.key = file_of("stranger-key");
	name_hub(&s, "mutual", "hub");
	post("{}\n", 1, 1000, 10000);
	assert_int_not_equal(taken(NULL, 0).end, FETCH_OK);
	s.key = file_of("client-key");
	name_hub(&s, "mutual", "hub");
	post("{}\n", 1, 1000, 10000);
	assert_int_not_equal(taken(NULL, 0).end, FETCH_OK);
	/* its own authority, in place of those of web servers */
	s = (struct hubset){.url = "", .ca = file_of("stranger-cert")};
	name_hub(&s, "good", "hub");
	post("{}\n", 1, 1000, 10000);
	assert_int_equal(taken(NULL, 0).end, FETCH_TLS);
}

static void
test_hub_lies(void **state)
{
	static const struct {
		const char *path;
		enum fetch_end end;
		const char *why;
	} rows[] = {
	    {"not-there", FETCH_HTTP, "404"}, {"away", FETCH_REDIRECT, "302"},
	    {"endless", FETCH_SIZE, "1000"}, {"short", FETCH_BROKEN, ""},
	    {"cut", FETCH_BROKEN, ""}, {"headers", FETCH_BROKEN, "headers"},
	    {"fault", FETCH_HTTP, "500"},
	};
	struct hubset s = {.url = ""};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		name_hub(&s, "good", rows[i].path);
		post("{}\n", 1, 1000, 10000);
		ends(rows[i].end, rows[i].why);
	}
	name_hub(&s, "good", "silent");
	post("{}\n", 1, 1000, SOON);
	post("{}\n", 2, 1000, SOON);
	/* one at a time, so that there is an order among them */
	ends(FETCH_LATER, "at once");
	ends(FETCH_SLOW, "");
	name_hub(&s, "plain", "hub");
	post("{}\n", 1, 1000, 10000);
	assert_int_equal(taken(NULL, 0).end, FETCH_TLS);
}

/* ---- around them ---- */

static void
start_server(void)
{
	const char *vectors = getenv("VECTORS");
	char script[512], line[256], name[16], value[200];
	int in[2], out[2];
	FILE *f;

	(void)snprintf(script, sizeof(script), "%s/../unit/egress_server.py",
	    vectors != NULL ? vectors : "../tests/vectors");
	assert_int_equal(pipe(in) | pipe(out), 0);
	if ((server = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(in[0], 0);
		(void)dup2(out[1], 1);
		(void)close(in[1]);
		(void)execlp("python3", "python3", script, (char *)NULL);
		_exit(1);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	server_in = in[1];
	f = fdopen(out[0], "r");
	while (fgets(line, sizeof(line), f) != NULL &&
	    sscanf(line, "%15s %199s", name, value) == 2) {
		FILE *ca = strcmp(name, "ca") == 0 ? fopen(value, "r") : NULL;

		if (ca != NULL) {
			pem[fread(pem, 1, sizeof(pem) - 1, ca)] = '\0';
			(void)fclose(ca);
			continue;
		}
		(void)snprintf(webs[nwebs].name, sizeof(webs[0].name), "%s",
		    name);
		(void)snprintf(webs[nwebs].value, sizeof(webs[0].value), "%s",
		    value);
		webs[nwebs++].port = (unsigned)strtoul(value, NULL, 10);
	}
	assert_string_equal(line, "go\n");
	(void)fclose(f);
}

static int
setup(void **state)
{
	static const uint8_t rns_public[64];

	(void)state;
	if (pem[0] == '\0')
		start_server();
	prog_start(&p, PROGRAM_EGRESS, NULL, -1);
	prog_params(&p, rns_public);
	prog_text(&p, SET_WEB_HOSTS, "", "good.test\n127.0.0.1\n");
	prog_text(&p, SET_WEB_CA, "", pem);
	prog_begin(&p);
	trust = prog_neighbour(&p, PROGRAM_TRUST);
	audit = prog_neighbour(&p, PROGRAM_AUDIT);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	prog_stop(&p);
	return 0;
}

int
main(void)
{
#define PROGRAM_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_url),
	    cmocka_unit_test(test_backoff),
	    PROGRAM_TEST(test_good),
	    PROGRAM_TEST(test_bytes),
	    PROGRAM_TEST(test_time),
	    PROGRAM_TEST(test_answers),
	    PROGRAM_TEST(test_tls),
	    PROGRAM_TEST(test_places),
	    PROGRAM_TEST(test_form),
	    PROGRAM_TEST(test_settings),
	    PROGRAM_TEST(test_crowd),
	    PROGRAM_TEST(test_hub),
	    PROGRAM_TEST(test_hub_tls),
	    PROGRAM_TEST(test_hub_lies),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	(void)close(server_in);
	(void)waitpid(server, NULL, 0);
	return rc;
}
