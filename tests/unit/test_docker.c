/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Docker's daemon is told, word for word; what it answers, whole, cut off
 * anywhere and turned anywhere; what a job's first process and who asks the
 * daemon say to each other.
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
#include "sandbox/runner/docker.h"
#include "sandbox/runner/envoy.h"
#include "sandbox/runner/http.h"

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16

static char out[DOCKER_TEXT];

/* ---- what is said ---- */

static void
test_requests(void **state)
{
#define TAIL " HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n" \
	"Content-Length: 0\r\n\r\n"
	size_t n = docker_version_request(out, sizeof(out));

	(void)state;
	assert_int_equal(n, strlen(out));
	assert_string_equal(out, "GET /version" TAIL);
	assert_true(docker_info_request(out, sizeof(out)) > 0);
	assert_string_equal(out, "GET /info" TAIL);
	assert_true(docker_start(out, sizeof(out), "warren-1-2") > 0);
	assert_string_equal(out, "POST /containers/warren-1-2/start" TAIL);
	assert_true(docker_remove(out, sizeof(out), HEX64) > 0);
	assert_string_equal(out, "DELETE /containers/" HEX64 "?force=1&v=1"
	    TAIL);
	assert_true(docker_list(out, sizeof(out), "12345678") > 0);
	assert_string_equal(out, "GET /containers/json?all=1&limit=64&filters=%7B"
	    "%22label%22%3A%5B%22warren.node%3D12345678%22%5D%7D" TAIL);
	assert_true(docker_image_remove(out, sizeof(out), "12345678") > 0);
	assert_string_equal(out, "DELETE /images/warren-inner:12345678?force=1"
	    TAIL);
	assert_true(docker_images_list(out, sizeof(out)) > 0);
	assert_string_equal(out, "GET /images/json?filters=%7B%22label%22%3A%5B"
	    "%22warren.node%22%5D%7D" TAIL);
	assert_true(docker_image_request(out, sizeof(out), "12345678", "/a b",
	    99) > 0);
	assert_string_equal(out, "POST /images/create?fromSrc=-&repo=warren-inner"
	    "&tag=12345678&changes=LABEL%20warren.node%3D12345678%20warren.meet"
	    "%3D2f612062 HTTP/1.1\r\n"
	    "Host: docker\r\nConnection: close\r\n"
	    "Content-Type: application/x-tar\r\nContent-Length: 99\r\n\r\n");
}

static void
test_create(void **state)
{
	static const char want[] = "{\"AttachStderr\":false,"
	    "\"AttachStdin\":false,\"AttachStdout\":false,\"Cmd\":[\"arrive\"],"
	    "\"Entrypoint\":[\"/warren-inner\"],\"Env\":[],\"HostConfig\":{"
	    "\"AutoRemove\":true,\"CapDrop\":[\"ALL\"],"
	    "\"CgroupnsMode\":\"private\",\"Init\":false,\"IpcMode\":\"none\","
	    "\"LogConfig\":{\"Type\":\"none\"},\"MaskedPaths\":[],"
	    "\"Memory\":67108864,\"MemorySwap\":67108864,"
	    "\"Mounts\":[{\"BindOptions\":{\"Propagation\":\"rprivate\"},"
	    "\"ReadOnly\":true,\"Source\":\"/d/\\\"m/ab\",\"Target\":\"/meet\","
	    "\"Type\":\"bind\"}],\"NetworkMode\":\"none\",\"PidsLimit\":64,"
	    "\"Privileged\":false,\"ReadonlyPaths\":[],\"ReadonlyRootfs\":true,"
	    "\"SecurityOpt\":[\"no-new-privileges\",\"seccomp=unconfined\","
	    "\"apparmor=unconfined\",\"label=disable\"],"
	    "\"UsernsMode\":\"host\"},\"Hostname\":\"burrow\","
	    "\"Image\":\"warren-inner:12345678\","
	    "\"Labels\":{\"warren.meet\":\"\",\"warren.node\":\"12345678\"},"
	    "\"NetworkDisabled\":true,\"User\":\"1879048449:1879048449\","
	    "\"WorkingDir\":\"/\"}";
	struct docker_container c = {.node = "12345678",
	    .name = "warren-12345678-ab", .id = 1879048449,
	    .socket = "/d/\"m/ab"};
	char whole[DOCKER_TEXT];
	size_t n = docker_create(out, sizeof(out), &c);

	(void)state;
	(void)snprintf(whole, sizeof(whole), "POST /containers/create?name="
	    "warren-12345678-ab HTTP/1.1\r\nHost: docker\r\n"
	    "Connection: close\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n%s", sizeof(want) - 1, want);
	assert_int_equal(n, strlen(whole));
	assert_string_equal(out, whole);
	/* no room is no request */
	for (size_t cap = 1; cap <= n; cap += 7)
		assert_int_equal(docker_create(whole, cap, &c), 0);
}

/* ---- HTTP ---- */

static struct http h;
static char content[64];

/* Fed in parts of this size. */
static void
feed(const char *p, size_t n, size_t part)
{
	http_init(&h, content, sizeof(content));
	for (size_t at = 0; at < n && !http_over(&h);)
		at += http_feed(&h, p + at, MIN_OF(part, n - at));
	http_end(&h);
}

static const struct {
	const char *text;
	unsigned status; /* 0: it is none */
	const char *content;
} answers[] = {
    {"HTTP/1.1 201 Created\r\nApi-Version: 1.41\r\nContent-Length: 3\r\n\r\n"
     "abc", 201, "abc"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", 200,
     "abc0123456789"},
    {"HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end"},
    {"HTTP/1.0 404 \r\nContent-Length:\t0 \r\n\r\n", 404, ""},
    {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
    {"HTTP/1.1 200\nContent-Length: 1\n\nx", 200, "x"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", 0, NULL},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 0,
     NULL},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 0,
     NULL},
    {"HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1"
     "\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3 x\r\nabc\r\n"
     "0\r\n\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n"
     "0\r\n\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\nname : x\r\n\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\n: x\r\n\r\n", 0, NULL},
    {"HTTP/1.1 200 OK\r\nnothing\r\n\r\n", 0, NULL},
    {"HTTP/1.1 099 OK\r\n\r\n", 0, NULL},
    {"HTTP/1.1 100 Continue\r\n\r\n", 0, NULL},
    {"HTTP/1.1 2000 OK\r\n\r\n", 0, NULL},
    {"HTTP/2 200\r\n\r\n", 0, NULL},
    {"SSH-2.0-OpenSSH_9.2\r\n", 0, NULL},
    {"", 0, NULL},
};

static void
test_http(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(answers); i++)
		for (size_t part = 1; part < 40; part++) {
			feed(answers[i].text, strlen(answers[i].text), part);
			if (answers[i].status == 0) {
				assert_int_equal(h.at, HTTP_BAD);
				continue;
			}
			assert_int_equal(h.at, HTTP_DONE);
			assert_int_equal(h.status, answers[i].status);
			assert_string_equal(content, answers[i].content);
		}
}

static void
test_http_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(answers); i++) {
		size_t n = strlen(answers[i].text);
		char text[256];

		assert_true(n < sizeof(text));
		/* what has a length is not whole before its end */
		for (size_t k = 0; k < n; k++) {
			feed(answers[i].text, k, 256);
			assert_true(http_over(&h));
			if (h.at == HTTP_DONE)
				assert_true(strncmp(answers[i].content, content,
				    strlen(content)) == 0);
		}
		for (size_t bit = 0; bit < n * 8; bit++) {
			memcpy(text, answers[i].text, n);
			text[bit / 8] ^= (char)(1u << bit % 8);
			feed(text, n, 5);
			assert_true(http_over(&h));
			assert_true(h.len < sizeof(content));
		}
	}
}

static void
test_http_long(void **state)
{
	static char text[HTTP_LINE + 64];
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	uint64_t sent = 0;

	(void)state;
	/* a line without an end, lines without an end, content without one */
	memset(text, 'x', sizeof(text));
	feed(text, sizeof(text), 100);
	assert_int_equal(h.at, HTTP_BAD);
	http_init(&h, content, sizeof(content));
	(void)http_feed(&h, head, sizeof(head) - 3);
	for (unsigned i = 0; i < HTTP_LINES && h.at == HTTP_FIELDS; i++)
		(void)http_feed(&h, "a: b\r\n", 6);
	assert_int_equal(h.at, HTTP_BAD);
	http_init(&h, content, sizeof(content));
	(void)http_feed(&h, head, sizeof(head) - 1);
	while (!http_over(&h) && sent <= HTTP_CONTENT_MAX)
		sent += http_feed(&h, text, sizeof(text));
	assert_int_equal(h.at, HTTP_BAD);
	assert_true(sent <= HTTP_CONTENT_MAX);
	assert_int_equal(strlen(content), sizeof(content) - 1);
}

/* ---- what is answered ---- */

static void
test_version(void **state)
{
	static const char good[] = "{\"Components\":[{\"Name\":\"Engine\","
	    "\"Version\":\"1.2.3\"}],\"Version\":\"20.10.24+dfsg1\"}";
	static const char *const bad[] = {"", "{", "[]", "{\"Version\":5}",
	    "{\"Version\":\"\"}", "{\"Version\":\"new\"}", "{\"version\":\"1.2\"}",
	    "{\"Version\":\"1.2\",\"Version\":\"1.3\"}", "{\"Version\":\"1.2\"} x"};
	uint16_t v[RUNNER_PARTS] = {7, 7, 7};
	char text[sizeof(good)];

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_false(docker_version_read(v, bad[i]));
	for (size_t n = 0; n < sizeof(good) - 1; n++) {
		memcpy(text, good, n);
		text[n] = '\0';
		assert_false(docker_version_read(v, text));
	}
	assert_int_equal(v[0], 7);
	assert_true(docker_version_read(v, good));
	assert_int_equal(v[0], 20);
	assert_int_equal(v[1], 10);
	assert_int_equal(v[2], 24);
}

static void
test_info(void **state)
{
	static const char good[] = "{\"ID\":\"x\",\"CgroupDriver\":\"systemd\"}";
	static const char *const others[] = {"{}", "[]", "{\"CgroupDriver\":1}",
	    "{\"CgroupDriver\":\"cgroupfs\"}", "{\"CgroupDriver\":\"\"}"};
	char text[sizeof(good)];

	(void)state;
	assert_true(docker_info_systemd(good));
	for (size_t n = 0; n < sizeof(good) - 1; n++) {
		memcpy(text, good, n);
		text[n] = '\0';
		assert_false(docker_info_systemd(text));
	}
	for (size_t i = 0; i < NELEM(others); i++)
		assert_false(docker_info_systemd(others[i]));
}

static void
test_list(void **state)
{
	static char ids[DOCKER_LISTED][DOCKER_ID], many[64u << 10];
	static const char *const bad[] = {"", "{}", "[{}]", "[{\"Id\":1}]",
	    "[\"" HEX64 "\"]", "[{\"Id\":\"" HEX64 "0\"}]",
	    "[{\"Id\":\"../" HEX64 "\"}]", "[{\"Id\":\"" HEX64 "\"},{}]",
	    "[{\"Id\":\"" HEX16 HEX16 HEX16 "0123456789abcd/.\"}]"};
	size_t n = 99, at = 1;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_false(docker_list_read(ids, &n, bad[i]));
	assert_int_equal(n, 99);
	assert_true(docker_list_read(ids, &n, "[]"));
	assert_int_equal(n, 0);
	assert_true(docker_list_read(ids, &n, "[{\"Id\":\"" HEX64
	    "\",\"Names\":[\"/x\"]}]"));
	assert_int_equal(n, 1);
	assert_string_equal(ids[0], HEX64);
	many[0] = '[';
	for (unsigned i = 0; i < DOCKER_LISTED + 9; i++)
		at += (size_t)snprintf(many + at, sizeof(many) - at,
		    "%s{\"Id\":\"" HEX64 "\"}", i > 0 ? "," : "");
	(void)snprintf(many + at, sizeof(many) - at, "]");
	assert_true(docker_list_read(ids, &n, many));
	assert_int_equal(n, DOCKER_LISTED);
}

#define IMAGE_IS(tags, labels) "[{\"RepoTags\":" tags ",\"Labels\":" labels "}]"
#define TAG "\"warren-inner:12345678\""
#define AT "\"warren.meet\":\"2f612062\""

static void
test_images(void **state)
{
	static const char good[] = IMAGE_IS("[" TAG "]",
	    "{\"warren.node\":\"12345678\"," AT ",\"x\":\"y\"}");
	/* a list, of which nothing is a node's */
	static const char *const none[] = {"[]", "[{}]", "[1]",
	    IMAGE_IS("[" TAG "]", "null"), IMAGE_IS("[" TAG "]", "{" AT "}"),
	    IMAGE_IS("null", "{\"warren.node\":\"12345678\"," AT "}"),
	    IMAGE_IS("[]", "{\"warren.node\":\"12345678\"," AT "}"),
	    IMAGE_IS("[" TAG ",\"mine:1\"]", "{\"warren.node\":\"12345678\","
	    AT "}"),
	    IMAGE_IS("[\"mine:12345678\"]", "{\"warren.node\":\"12345678\"," AT
	    "}"),
	    IMAGE_IS("[" TAG "]", "{\"warren.node\":\"12345679\"," AT "}"),
	    IMAGE_IS("[\"warren-inner:../../xx\"]", "{\"warren.node\":"
	    "\"../../xx\"," AT "}"),
	    IMAGE_IS("[" TAG "]", "{\"warren.node\":\"12345678\"}"),
	    IMAGE_IS("[" TAG "]", "{\"warren.node\":\"12345678\","
	    "\"warren.meet\":\"\"}"),
	    IMAGE_IS("[" TAG "]", "{\"warren.node\":\"12345678\","
	    "\"warren.meet\":\"2f6\"}"),
	    IMAGE_IS("[" TAG "]", "{\"warren.node\":\"12345678\","
	    "\"warren.meet\":\"612f\"}"),
	    IMAGE_IS("[" TAG "]", "{\"warren.node\":\"12345678\","
	    "\"warren.meet\":\"2f0061\"}")};
	static struct docker_image found[DOCKER_LISTED];
	static char many[128u << 10];
	char text[sizeof(good)];
	size_t n = 99, at = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(good) - 1; k++) {
		memcpy(text, good, k);
		text[k] = '\0';
		assert_false(docker_images_read(found, &n, text));
	}
	assert_false(docker_images_read(found, &n, "{}"));
	assert_int_equal(n, 99);
	assert_true(docker_images_read(found, &n, good));
	assert_int_equal(n, 1);
	assert_string_equal(found[0].node, "12345678");
	assert_string_equal(found[0].meet, "/a b");
	for (size_t i = 0; i < NELEM(none); i++) {
		assert_true(docker_images_read(found, &n, none[i]));
		assert_int_equal(n, 0);
	}
	/* a path that is too long; more than there is room for */
	(void)snprintf(many, sizeof(many), IMAGE_IS("[" TAG "]",
	    "{\"warren.node\":\"12345678\",\"warren.meet\":\"2f%0*d\"}"),
	    2 * DOCKER_MEET, 0);
	assert_true(docker_images_read(found, &n, many));
	assert_int_equal(n, 0);
	for (unsigned i = 0; i < DOCKER_LISTED + 9; i++)
		at += (size_t)snprintf(many + at, sizeof(many) - at, "%s%.*s",
		    i > 0 ? "," : "[", (int)sizeof(good) - 3, good + 1);
	(void)snprintf(many + at, sizeof(many) - at, "]");
	assert_true(docker_images_read(found, &n, many));
	assert_int_equal(n, DOCKER_LISTED);
}

static void
test_words(void **state)
{
	char why[DOCKER_WHY], text[4096];

	(void)state;
	docker_message(why, "{\"message\":\"No such image: x\"}\n");
	assert_string_equal(why, "No such image: x");
	docker_message(why, "{\"message\":\"a\\u001b[2Jb\"}");
	assert_null(strchr(why, '\033'));
	docker_message(why, "<html>");
	assert_string_equal(why, "");
	(void)snprintf(text, sizeof(text), "{\"message\":\"%01000d\"}", 1);
	docker_message(why, text);
	assert_true(strlen(why) < sizeof(why));
	assert_true(docker_image_taken("{\"status\":\"Importing\"}\r\n"
	    "{\"status\":\"sha256:" HEX64 "\"}\r\n", why));
	assert_false(docker_image_taken("{\"status\":\"sha256:1\"}\n{\"error\":"
	    "\"no space left\",\"errorDetail\":{}}\n", why));
	assert_string_equal(why, "no space left");
	assert_false(docker_image_taken("", why));
	assert_string_equal(why, "it names no image");
	assert_false(docker_image_taken("{\"status\":[]}\n{\"status\"", why));
}

/* ---- between a job's first process and who asks the daemon ---- */

static void
test_place(void **state)
{
	struct envoy_place p = {"/run/docker.sock", "/d/warren/run/docker",
	    "0123cdef"}, got = {{0}, {0}, {0}};
	char text[sizeof(p) + 3];
	size_t n;

	(void)state;
	assert_true(envoy_place_write(text, sizeof(text), &p));
	n = strlen(text);
	assert_true(envoy_place_read(&got, text, n));
	assert_string_equal(got.socket, p.socket);
	assert_string_equal(got.meet, p.meet);
	assert_string_equal(got.node, p.node);
	for (size_t k = 0; k < n; k++)
		assert_false(envoy_place_read(&got, text, k));
	assert_false(envoy_place_read(&got, "/a\n/b\n0123456g\n", 15));
	assert_false(envoy_place_read(&got, "a\n/b\n01234567\n", 14));
	assert_false(envoy_place_read(&got, "/a\n/b\n01234567\nx", 16));
	(void)snprintf(p.meet, sizeof(p.meet), "/a\nb");
	assert_false(envoy_place_write(text, sizeof(text), &p));
}

static void
test_ask(void **state)
{
	uint8_t buf[ENVOY_ASK + 1] = {0};
	struct envoy_ask a = {.grouped = true}, got;

	(void)state;
	envoy_ask_write(buf, &a);
	assert_true(envoy_ask_read(&got, buf, ENVOY_ASK));
	assert_true(!got.trial && got.grouped);
	for (size_t n = 0; n < ENVOY_ASK; n++)
		assert_false(envoy_ask_read(&got, buf, n));
	assert_false(envoy_ask_read(&got, buf, ENVOY_ASK + 1));
	buf[0] = 2;
	assert_false(envoy_ask_read(&got, buf, ENVOY_ASK));
}

static void
test_answer(void **state)
{
	uint8_t buf[ENVOY_ANSWER_MAX + 1];
	struct envoy_answer a = {.ok = true, .version = {20, 10, 24},
	    .ns = {1, 2, 3, 4, 5, 6}, .why = "none"}, got;
	size_t n = envoy_answer_write(buf, &a);

	(void)state;
	assert_true(n > 0);
	assert_true(envoy_answer_read(&got, buf, n));
	assert_true(got.ok && got.version[2] == 24 && got.ns[5] == 6);
	assert_string_equal(got.why, "none");
	for (size_t k = 0; k < n; k++)
		assert_false(envoy_answer_read(&got, buf, k));
	assert_false(envoy_answer_read(&got, buf, n + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requests), cmocka_unit_test(test_create),
	    cmocka_unit_test(test_http), cmocka_unit_test(test_http_cut),
	    cmocka_unit_test(test_http_long), cmocka_unit_test(test_version),
	    cmocka_unit_test(test_info), cmocka_unit_test(test_list),
	    cmocka_unit_test(test_images), cmocka_unit_test(test_words),
	    cmocka_unit_test(test_place), cmocka_unit_test(test_ask),
	    cmocka_unit_test(test_answer)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
