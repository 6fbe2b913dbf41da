/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is decided about a registry without a socket: names of images, addresses
 * and where they lead, challenges, answers, manifests and tokens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "trust/egress/regdoc.h"
#include "trust/egress/registry.h"
#include "trust/egress/regname.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- names ---- */

static void
test_names(void **state)
{
	static const struct {
		const char *text, *host, *repo, *ref, *local, *shown;
		unsigned port;
	} good[] = {
	    {"alpine", "registry-1.docker.io", "library/alpine", "latest",
		"alpine:latest", "docker.io", 0},
	    {"alpine:3.19", "registry-1.docker.io", "library/alpine", "3.19",
		"alpine:3.19", "docker.io", 0},
	    {"kai/agent:V1_a-b", "registry-1.docker.io", "kai/agent", "V1_a-b",
		"kai/agent:V1_a-b", "docker.io", 0},
	    {"docker.io/alpine", "registry-1.docker.io", "library/alpine",
		"latest", "alpine:latest", "docker.io", 0},
	    {"index.docker.io/a/b", "registry-1.docker.io", "a/b", "latest",
		"a/b:latest", "docker.io", 0},
	    {"ghcr.io/kai/a/b:1", "ghcr.io", "kai/a/b", "1", "ghcr.io/kai/a/b:1",
		"ghcr.io", 0},
	    {"GHCR.io/kai/a", "ghcr.io", "kai/a", "latest",
		"ghcr.io/kai/a:latest", "ghcr.io", 0},
	    {"localhost/a", "localhost", "a", "latest", "localhost/a:latest",
		"localhost", 0},
	    {"localhost:5000/a:2", "localhost", "a", "2", "localhost:5000/a:2",
		"localhost:5000", 5000},
	    {"h:1/a@sha256:" HEX, "h", "a", "sha256:" HEX, NULL, "h:1", 1},
	    {"h:1/a:t@sha256:" HEX, "h", "a", "sha256:" HEX, "h:1/a:t", "h:1", 1},
	    {"[::1]:5000/a", "::1", "a", "latest", NULL, "[::1]:5000", 5000},
	    {"127.0.0.1:65535/a", "127.0.0.1", "a", "latest",
		"127.0.0.1:65535/a:latest", "127.0.0.1:65535", 65535},
	    {"docker.io:443/a", "docker.io", "a", "latest",
		"docker.io:443/a:latest", "docker.io:443", 443},
	    {"a.b/c.d__e-f--g/h_i", "a.b", "c.d__e-f--g/h_i", "latest",
		"a.b/c.d__e-f--g/h_i:latest", "a.b", 0}};
	static const char *bad[] = {"", ":", "@", "a:", "a@", "a@sha256:",
	    "a@sha256:0", "a@md5:" HEX, "a@sha512:" HEX HEX, "A", "a/B",
	    "a//b", "/a", "a/", "h:0/a", "h:65536/a", "h:999999/a", "h:x/a",
	    "h:/a", "https://h/a", "docker://a", "a b", "a:b c", "a/../b",
	    "../a", "a..b", "a._b", "a___b", "-a", "a-", "a:-t", "a:.t",
	    "h.x/", "[::1/a", "[::1]x/a", "[x]:1/a", "u@h/a", "a:\x80",
	    "h.x/a?b", "h.x/a%2fb", "a@sha256:" HEX "0"};
	struct regname r;
	char ref[REGNAME_TAG + 1], local[300], shown[WEBURL_HOST_MAX + 16];
	char text[REGNAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		bool is;

		assert_null(regname_parse(&r, good[i].text));
		assert_string_equal(r.host, good[i].host);
		assert_string_equal(r.repo, good[i].repo);
		assert_int_equal(r.port, good[i].port);
		regname_ref(&r, ref);
		assert_string_equal(ref, good[i].ref);
		regname_host(&r, shown);
		assert_string_equal(shown, good[i].shown);
		is = regname_local(&r, local, sizeof(local));
		assert_int_equal(is, good[i].local != NULL);
		if (is)
			assert_string_equal(local, good[i].local);
		for (size_t n = strlen(good[i].text); n > 0; n--) {
			char *cut = strndup(good[i].text, n - 1);

			(void)regname_parse(&r, cut);
			free(cut);
		}
	}
	for (size_t i = 0; i < NELEM(bad); i++)
		if (regname_parse(&r, bad[i]) == NULL)
			fail_msg("taken: %s", bad[i]);
	memset(text, 'a', sizeof(text));
	text[REGNAME_MAX + 1] = '\0';
	assert_non_null(regname_parse(&r, text));
	text[REGNAME_REPO + 1] = '\0';
	assert_non_null(regname_parse(&r, text));
	text[REGNAME_REPO - 8] = '\0';
	assert_null(regname_parse(&r, text));
	assert_int_equal(strlen(r.repo), REGNAME_REPO);
	memset(text, 'a', sizeof(text));
	memcpy(text, "docker.io/library/", 18);
	text[REGNAME_REPO + 10] = '\0';
	assert_null(regname_parse(&r, text));
	assert_int_equal(strlen(r.repo), REGNAME_REPO);
	text[REGNAME_REPO + 10] = 'a';
	text[REGNAME_REPO + 11] = '\0';
	assert_non_null(regname_parse(&r, text));
	assert_null(regname_parse(&r, "alpine"));
	assert_false(regname_local(&r, local, 13));
}

/* ---- addresses ---- */

static void
parse(struct regurl *u, const char *text)
{
	const char *why = regurl_parse(u, text, strlen(text));

	if (why != NULL)
		fail_msg("%s: %s", text, why);
}

static void
test_urls(void **state)
{
	static const struct {
		const char *text, *whole;
	} good[] = {{"https://h", "https://h:443/"},
	    {"HTTPS://H.Test/a?b@c#d", "https://h.test:443/a?b@c"},
	    {"http://h:8/x/../y", "http://h:8/x/../y"},
	    {"https://[::1]?q", "https://[::1]:443/?q"},
	    {"http://127.0.0.1#f", "http://127.0.0.1:80/"}};
	static const char *bad[] = {"", "h", "ftp://h/", "file:///etc/passwd",
	    "https:/h", "https://", "https:///x", "https://u@h/",
	    "https://u:p@h/", "https://h:/", "https://h:0/",
	    "https://h:65536/", "https://h:1x/", "https://h x/", "https://h\\/",
	    "https://h/\x7f", "https://127.1/", "https://0x7f000001/",
	    "https://[::1/", "https://[::1]x/", "https://::1/"};
	static const struct {
		const char *base, *to, *whole;
	} joins[] = {
	    {"https://h/v2/a/blobs/x?y=/z", "/up", "https://h:443/up"},
	    {"https://h/v2/a/blobs/x?y=/z", "w", "https://h:443/v2/a/blobs/w"},
	    {"https://h/v2/a", "?q", "https://h:443/v2/a?q"},
	    {"https://h/v2/a?p", "?q:r", "https://h:443/v2/a?q:r"},
	    {"https://h", "w", "https://h:443/w"},
	    {"https://h/a", "//g:1/w", "https://g:1/w"},
	    {"http://h/a", "//g/w", "http://g:80/w"},
	    {"https://h/a", "http://g/w", "http://g:80/w"},
	    {"https://h/a/b", "c/d:e", "https://h:443/a/c/d:e"}};
	static const char *no[] = {"", "file:///x", "javascript:x", "x:y",
	    "///x", "https:", "a b"};
	struct regurl u, base;
	char text[REGURL_MAX + 2];

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		parse(&u, good[i].text);
		assert_string_equal(u.text, good[i].whole);
		assert_int_equal(u.text[u.path], '/');
		for (size_t n = strlen(good[i].text); n > 0; n--) {
			char *cut = strndup(good[i].text, n - 1);

			(void)regurl_parse(&u, cut, n - 1);
			free(cut);
		}
	}
	for (size_t i = 0; i < NELEM(bad); i++)
		if (regurl_parse(&u, bad[i], strlen(bad[i])) == NULL)
			fail_msg("taken: %s", bad[i]);
	assert_non_null(regurl_parse(&u, "https://h/\0x", 12));
	for (size_t i = 0; i < NELEM(joins); i++) {
		parse(&base, joins[i].base);
		assert_null(regurl_join(&u, &base, joins[i].to,
		    strlen(joins[i].to)));
		assert_string_equal(u.text, joins[i].whole);
	}
	parse(&base, "https://h/a");
	for (size_t i = 0; i < NELEM(no); i++)
		if (regurl_join(&u, &base, no[i], strlen(no[i])) == NULL)
			fail_msg("joined: %s", no[i]);
	memset(text, 'a', sizeof(text));
	memcpy(text, "https://h/", 10);
	assert_non_null(regurl_parse(&u, text, REGURL_MAX + 1));
	/* the port that is written is part of what must fit */
	assert_non_null(regurl_parse(&u, text, REGURL_MAX));
	assert_null(regurl_parse(&u, text, REGURL_MAX - 4));
	memset(text, 'a', 10);
	assert_non_null(regurl_join(&u, &base, text, REGURL_MAX - 5));
}

static void
test_named(void **state)
{
	static const char list[] = "a.test\nb.test:8\n[::1]:5\n127.0.0.1:80\n";
	static const struct {
		const char *url;
		bool named;
	} rows[] = {{"https://a.test/", true}, {"https://a.test:9/", true},
	    {"https://b.test:8/", true}, {"https://b.test/", false},
	    {"https://xb.test:8/", false}, {"https://b.test:80/", false},
	    {"https://a.test.evil/", false}, {"https://a.tes/", false},
	    {"https://[::1]:5/", true}, {"https://[::1]:6/", false},
	    {"http://127.0.0.1/", true}, {"https://127.0.0.1/", false},
	    {"https://[::ffff:127.0.0.1]:80/", false}};
	struct regurl u, v;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		parse(&u, rows[i].url);
		if (registry_named(list, &u.host) != rows[i].named)
			fail_msg("%s", rows[i].url);
	}
	assert_false(registry_named("", &u.host));
	assert_false(registry_named(NULL, &u.host));
	parse(&u, "https://b.test/");
	assert_null(registry_may(&u, false, false));
	parse(&u, "http://b.test/");
	assert_non_null(registry_may(&u, true, false));
	assert_null(registry_may(&u, true, true));
	assert_non_null(registry_may(&u, false, true));
	parse(&u, "https://b.test:8/x");
	parse(&v, "https://b.test:8/y");
	assert_true(regurl_same(&u, &v));
	parse(&v, "http://b.test:8/x");
	assert_false(regurl_same(&u, &v));
	parse(&v, "https://b.test:9/x");
	assert_false(regurl_same(&u, &v));
	parse(&v, "https://c.test:8/x");
	assert_false(regurl_same(&u, &v));
}

/* ---- headers ---- */

static void
line(struct reg_head *h, const char *text)
{
	for (size_t n = 0; n < strlen(text); n++) {
		struct reg_head part = *h;
		char *cut = strndup(text, n);

		reg_head_line(&part, cut, n);
		free(cut);
	}
	reg_head_line(h, text, strlen(text));
}

static void
test_challenges(void **state)
{
	static const struct {
		const char *text, *realm, *service;
		bool basic;
	} rows[] = {
	    {"Bearer realm=\"https://a/t\",service=\"s\",scope=\"x:y:z\"",
		"https://a/t", "s", false},
	    {"bearer Realm = \"https://a/t\" , service = s", "https://a/t",
		"s", false},
	    {"Basic realm=\"x, Bearer realm=\\\"https://evil/\\\"\", Bearer "
	     "realm=\"https://a/t\"", "https://a/t", "", true},
	    {"Negotiate, Basic realm=q, Bearer service=\"\\\"s\"", "", "\"s",
		true},
	    {"Digest realm=\"d\", nonce=\"n\", Bearer realm=\"r\"", "r", "",
		false},
	    {"Bearer realm=\"1\", Bearer realm=\"2\"", "1", "", false},
	    {"Bearer realm=\"no end", "no end", "", false},
	    {"Bearer", "", "", false},
	    {"Bearer ,,, = = realm=\"r\"", "r", "", false}};
	char text[REGURL_MAX + 100], *p;
	struct reg_head h;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		memset(&h, 0, sizeof(h));
		(void)snprintf(text, sizeof(text), "WWW-Authenticate: %s\r\n",
		    rows[i].text);
		line(&h, text);
		assert_true(h.bearer);
		assert_int_equal(h.basic, rows[i].basic);
		assert_string_equal(h.realm, rows[i].realm);
		assert_string_equal(h.service, rows[i].service);
	}
	/* two lines, of which the second has what counts */
	memset(&h, 0, sizeof(h));
	line(&h, "www-authenticate: Basic realm=x\r\n");
	assert_false(h.bearer);
	line(&h, "www-authenticate: Bearer realm=y\r\n");
	assert_true(h.bearer && h.basic);
	assert_string_equal(h.realm, "y");
	/* what does not fit is none */
	memset(&h, 0, sizeof(h));
	p = text + snprintf(text, sizeof(text),
	    "www-authenticate: Bearer realm=\"");
	memset(p, 'a', REGURL_MAX + 1);
	p[REGURL_MAX + 1] = '"';
	reg_head_line(&h, text, (size_t)(p - text) + REGURL_MAX + 2);
	assert_true(h.bearer);
	assert_string_equal(h.realm, "");
}

static void
test_heads(void **state)
{
	struct reg_head h;
	char text[REGURL_MAX + 100];

	(void)state;
	memset(&h, 0, sizeof(h));
	line(&h, "HTTP/1.1 307 Temporary\r\n");
	line(&h, "Location:  https://h/x \r\n");
	line(&h, "Content-Type: Application/JSON; charset=utf-8\r\n");
	line(&h, "Content-Encoding: gzip\r\n");
	line(&h, "Docker-Content-Digest: sha256:" HEX "\r\n");
	line(&h, "Content-Range: bytes 5-9/10\r\n");
	line(&h, "No colon here\r\n");
	line(&h, "\r\n");
	assert_int_equal(h.code, 307);
	assert_string_equal(h.location, "https://h/x");
	assert_string_equal(h.type, "application/json");
	assert_string_equal(h.encoding, "gzip");
	assert_string_equal(h.digest, "sha256:" HEX);
	assert_true(h.ranged && h.first == 5 && h.total == 10);
	/* the next one has nothing of it */
	line(&h, "HTTP/1.1 200 OK\r\n");
	assert_int_equal(h.code, 200);
	assert_true(h.location[0] == '\0' && !h.ranged && h.type[0] == '\0');
	line(&h, "Content-Range: bytes 5-9/*\r\n");
	assert_true(h.ranged && h.total == 0);
	for (const char *const *p = (const char *const[]){"bytes 5-4/10",
		"bytes 5-9/9", "bytes */10", "bytes 5-", "bytes -9/10",
		"lines 5-9/10", "bytes 5-9", "bytes 5-9/",
		"bytes 9999999999999999999-99999999999999999999/*", NULL};
	     *p != NULL; p++) {
		memset(&h, 0, sizeof(h));
		(void)snprintf(text, sizeof(text), "content-range: %s\r\n", *p);
		line(&h, text);
		if (h.ranged)
			fail_msg("%s", *p);
	}
	memset(text, 'a', sizeof(text));
	memcpy(text, "location:", 9);
	reg_head_line(&h, text, sizeof(text));
	assert_true(h.location_long && h.location[0] == '\0');
	reg_head_line(&h, "location: a\0b", 13);
	assert_true(h.location_long);
}

static void
test_next(void **state)
{
	static const struct {
		struct reg_head h;
		uint64_t from, size;
		enum reg_next next;
	} rows[] = {
	    {{.code = 200}, 0, 10, REG_TAKE}, {{.code = 200}, 5, 10, REG_WHOLE},
	    {{.code = 200, .encoding = "gzip"}, 0, 10, REG_FAIL},
	    {{.code = 200, .encoding = "identity"}, 0, 10, REG_TAKE},
	    {{.code = 206, .ranged = true, .first = 5, .total = 10}, 5, 10,
		REG_TAKE},
	    {{.code = 206, .ranged = true, .first = 5}, 5, 10, REG_TAKE},
	    {{.code = 206, .ranged = true, .first = 4, .total = 10}, 5, 10,
		REG_AFRESH},
	    {{.code = 206, .ranged = true, .first = 5, .total = 11}, 5, 10,
		REG_AFRESH},
	    {{.code = 206}, 5, 10, REG_AFRESH},
	    {{.code = 206, .ranged = true}, 0, 10, REG_FAIL},
	    {{.code = 401}, 0, 0, REG_AUTH}, {{.code = 403}, 0, 0, REG_FAIL},
	    {{.code = 404}, 0, 0, REG_FAIL}, {{.code = 416}, 5, 10, REG_AFRESH},
	    {{.code = 416}, 0, 10, REG_FAIL},
	    {{.code = 302, .location = "/x"}, 0, 0, REG_FOLLOW},
	    {{.code = 302}, 0, 0, REG_FAIL},
	    {{.code = 308, .location_long = true}, 0, 0, REG_FAIL},
	    {{.code = 304}, 0, 0, REG_FAIL}, {{.code = 429}, 0, 0, REG_WAIT},
	    {{.code = 503}, 0, 0, REG_WAIT}, {{.code = 501}, 0, 0, REG_FAIL},
	    {{.code = 204}, 0, 0, REG_FAIL}, {{.code = 0}, 0, 0, REG_FAIL},
	    {{.code = 999}, 0, 0, REG_FAIL}};
	const char *why;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		enum reg_next next = registry_next(&rows[i].h, rows[i].from,
		    rows[i].size, &why);

		if (next != rows[i].next)
			fail_msg("row %zu: %d", i, next);
		assert_int_equal(why[0] != '\0', next == REG_FAIL);
	}
	assert_int_equal(registry_wait(0), 0);
	assert_int_equal(registry_wait(1), 1);
	assert_int_equal(registry_wait(5), 16);
	assert_int_equal(registry_wait(1000), 30);
}

/* ---- documents ---- */

#define IMAGE "application/vnd.oci.image."
#define DIG(c)                                                                 \
	"sha256:0123456789abcdef0123456789abcdef0123456789abcdef"              \
	"0123456789abcde" c

static const struct platform here = {"linux", "amd64", 3};

static bool
doc(struct regdoc *d, const char *type, const char *text, char why[256])
{
	for (size_t n = 0; n < strlen(text); n++) {
		char *cut = malloc(n + 1); /* no NUL behind it */

		memcpy(cut, text, n);
		assert_false(regdoc_parse(d, type, cut, n, &here, why, 256));
		free(cut);
	}
	why[0] = '\0';
	return regdoc_parse(d, type, text, strlen(text), &here, why, 256);
}

static void
test_manifests(void **state)
{
	static const char good[] = "{\"schemaVersion\":2,\"config\":{"
	    "\"mediaType\":\"" IMAGE "config.v1+json\",\"digest\":\"" DIG("1")
	    "\",\"size\":7},\"layers\":[{\"digest\":\"" DIG("2") "\",\"size\":"
	    "100},{\"digest\":\"" DIG("3") "\",\"size\":50},{\"digest\":\""
	    DIG("2") "\",\"size\":100}],\"annotations\":{\"a\":\"b\"}}";
	static const struct {
		const char *type, *text, *why;
	} bad[] = {
	    {IMAGE "manifest.v1+json", "{\"mediaType\":\"" IMAGE
		"index.v1+json\",\"manifests\":[]}", "calls itself"},
	    {"", "{}", "without a type"}, {"", "[]", "without a type"},
	    {IMAGE "manifest.v1+json", "{\"layers\":[],\"manifests\":[]}",
		"index and a manifest"},
	    {IMAGE "index.v1+json", "{\"layers\":[],\"manifests\":[]}",
		"index and a manifest"},
	    {IMAGE "manifest.v1+json", "{}", "no image, but a"},
	    {IMAGE "manifest.v1+json", "{\"config\":{\"mediaType\":\"" IMAGE
		"config.v1+json\",\"digest\":\"" DIG("A") "\",\"size\":1}}",
		"no digest by sha256"},
	    {IMAGE "manifest.v1+json", "{\"config\":{\"mediaType\":\"" IMAGE
		"config.v1+json\",\"digest\":\"" DIG("1") "\",\"size\":"
		"4194305}}", "more than 4 MiB"},
	    {IMAGE "manifest.v1+json", "{\"config\":{\"mediaType\":\"" IMAGE
		"config.v1+json\",\"digest\":\"" DIG("1") "\",\"size\":1},"
		"\"layers\":{}}", "no list"},
	    {IMAGE "manifest.v1+json", "{\"config\":{\"mediaType\":\"" IMAGE
		"config.v1+json\",\"digest\":\"" DIG("1") "\",\"size\":1},"
		"\"layers\":[{\"digest\":\"" DIG("2") "\",\"size\":1},"
		"{\"digest\":\"" DIG("2") "\",\"size\":2}]}", "two sizes"},
	    {IMAGE "index.v1+json", "{\"manifests\":{}}", "no list"},
	    {IMAGE "index.v1+json", "{\"manifests\":[{\"digest\":\"" DIG("1")
		"\",\"size\":4194305}]}", "more than 4 MiB"},
	    {IMAGE "index.v1+json", "{\"manifests\":[]}", "but for nothing"}};
	struct regdoc *d = malloc(sizeof(*d));
	char why[256];

	(void)state;
	assert_true(doc(d, IMAGE "manifest.v1+json", good, why));
	assert_int_equal(d->kind, REGDOC_OCI_MANIFEST);
	assert_int_equal(d->nlayers, 2);
	assert_int_equal(d->total, 157);
	assert_int_equal(d->config.size, 7);
	assert_int_equal(d->config.digest.b[31], 0xe1);
	assert_int_equal(d->layer[1].digest.b[31], 0xe3);
	assert_true(doc(d,
	    "application/vnd.docker.distribution.manifest.v2+json", good, why));
	for (size_t i = 0; i < NELEM(bad); i++) {
		assert_false(doc(d, bad[i].type, bad[i].text, why));
		if (strstr(why, bad[i].why) == NULL)
			fail_msg("row %zu: %s", i, why);
	}
	free(d);
}

#define PLATFORM(c, os, arch, more)                                            \
	"{\"digest\":\"" DIG(c) "\",\"size\":5,\"platform\":{\"os\":\"" os     \
	"\",\"architecture\":\"" arch "\"" more "}}"

static void
test_indexes(void **state)
{
	static const struct {
		const char *text;
		int last; /* byte of the one that is chosen; 0: none */
	} rows[] = {
	    {PLATFORM("1", "linux", "arm64", "") ","
	     PLATFORM("2", "linux", "amd64", "") ","
	     PLATFORM("3", "linux", "amd64", ""), 0xe2},
	    {PLATFORM("1", "linux", "amd64", ",\"variant\":\"v1\"") ","
	     PLATFORM("2", "linux", "amd64", ",\"variant\":\"v3\"") ","
	     PLATFORM("3", "linux", "amd64", ",\"variant\":\"v2\""), 0xe2},
	    {PLATFORM("1", "linux", "amd64", ",\"variant\":\"v4\"") ","
	     PLATFORM("2", "linux", "amd64", ""), 0xe2},
	    {PLATFORM("1", "linux", "amd64", ",\"variant\":\"v4\""), 0},
	    {PLATFORM("1", "windows", "amd64", "") ","
	     PLATFORM("2", "unknown", "unknown", ""), 0},
	    {"{\"digest\":\"" DIG("4") "\",\"size\":5}", 0xe4},
	    {"{\"digest\":\"" DIG("4") "\",\"size\":5},{}", 0xe4},
	    {"1,\"a\",null,[],{\"platform\":7}", 0}};
	struct regdoc *d = malloc(sizeof(*d));
	char text[1024], why[256];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		bool good;

		(void)snprintf(text, sizeof(text), "{\"manifests\":[%s]}",
		    rows[i].text);
		good = doc(d, IMAGE "index.v1+json", text, why);
		assert_int_equal(good, rows[i].last != 0);
		if (good)
			assert_int_equal(d->pick.digest.b[31], rows[i].last);
	}
	free(d);
}

/* Small texts that would be large in memory, or deep. */
static void
test_bombs(void **state)
{
	struct regdoc *d = malloc(sizeof(*d));
	char *text = malloc(REGDOC_MAX + 1), why[256];

	(void)state;
	memset(text, '[', REGDOC_MAX);
	assert_false(regdoc_parse(d, "", text, 1000, &here, why, 256));
	assert_false(regdoc_parse(d, "", text, REGDOC_MAX, &here, why, 256));
	for (size_t i = 0; i < REGDOC_MAX; i++)
		text[i] = "{},"[i % 3];
	text[0] = '[';
	assert_false(regdoc_parse(d, "", text, REGDOC_MAX, &here, why, 256));
	assert_non_null(strstr(why, "too many values"));
	memset(text, ' ', REGDOC_MAX + 1);
	assert_false(regdoc_parse(d, "", text, REGDOC_MAX + 1, &here, why,
	    256));
	free(text);
	free(d);
}

static void
test_tokens(void **state)
{
	static const struct {
		const char *text, *token;
	} rows[] = {{"{\"token\":\"a.b-c_d~\"}", "a.b-c_d~"},
	    {"{\"access_token\":\"x\",\"expires_in\":300}", "x"},
	    {"{\"token\":\"\",\"access_token\":\"x\"}", "x"},
	    {"{\"token\":\"a b\"}", NULL}, {"{\"token\":\"a\\r\\nb\"}", NULL},
	    {"{\"token\":7}", NULL}, {"{}", NULL}, {"[]", NULL}, {"", NULL},
	    {"{\"token\":\"a\",\"token\":\"b\"}", NULL},
	    {"{\"token\":\"\\u0000\"}", NULL}, {"{\"token\":\"\xff\"}", NULL},
	    {"{\"token\":\"\\u00e9\"}", NULL}};
	static char out[REGDOC_TOKEN + 1], big[REGDOC_TOKEN + 64];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		size_t len = strlen(rows[i].text);

		assert_int_equal(regdoc_token(out, rows[i].text, len),
		    rows[i].token != NULL);
		if (rows[i].token != NULL)
			assert_string_equal(out, rows[i].token);
		for (size_t n = 0; n < len; n++)
			assert_false(regdoc_token(out, rows[i].text, n));
	}
	memset(big, 'a', sizeof(big));
	memcpy(big, "{\"token\":\"", 10);
	memcpy(big + 10 + REGDOC_TOKEN, "\"}", 2);
	assert_true(regdoc_token(out, big, 12 + REGDOC_TOKEN));
	memcpy(big + 11 + REGDOC_TOKEN, "\"}", 2);
	big[10 + REGDOC_TOKEN] = 'a';
	assert_false(regdoc_token(out, big, 13 + REGDOC_TOKEN));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_named),
	    cmocka_unit_test(test_challenges),
	    cmocka_unit_test(test_heads),
	    cmocka_unit_test(test_next),
	    cmocka_unit_test(test_manifests),
	    cmocka_unit_test(test_indexes),
	    cmocka_unit_test(test_bombs),
	    cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
