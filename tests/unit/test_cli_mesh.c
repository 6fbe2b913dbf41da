/* SPDX-License-Identifier: BSD-2-Clause */
/* warren interfaces, paths, discovered, top, explain of a hash: what they make
 * of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/cli_capture.h"
#include "tests/unit/cli_serve.h"
#include "common/util.h"

#include "node/cli/reasons.h"
#include "node/cli/toprates.h"
#include "node/cli/verb.h"

static const char *const interfaces[] = {
    /* in two lines, as a daemon with many answers */
    "{\"ok\":true,\"interfaces\":[{\"radio\":{\"sent_15s_percent\":2.0,"
    "\"sent_1h_percent\":0.5,\"busy_15s_percent\":4.0,"
    "\"busy_1h_percent\":1.0,\"noise_dbm\":-110,\"celsius\":25,"
    "\"battery\":\"charging\",\"battery_percent\":87},"
    "\"name\":\"TCPServerInterface[hub]\","
    "\"section\":\"hub\",\"type\":\"TCPServerInterface\",\"online\":true,"
    "\"since_s\":300,\"rx_bytes\":2048,\"tx_bytes\":10,\"rx_drops\":3,"
    "\"tx_drops\":1,\"announce_queue\":4,\"held\":12,\"bursts\":1,"
    "\"path_request_bursts\":2,\"clients\":5,\"refused_flapping\":3,"
    "\"refused_share\":0,\"refused_full\":2,\"put_out\":1,"
    "\"blocked\":[\"192.0.2.1\"],\"drops\":{}}]}\n"
    "{\"ok\":true,\"end\":true,\"interfaces\":["
    "{\"name\":\"a\\u001bz\",\"section\":\"a\",\"online\":false,"
    "\"error\":\"refused\",\"given_up\":true,"
    "\"drops\":{\"malformed header or no data\":7}},"
    "{\"section\":\"gone\",\"online\":false,\"skipped\":"
    "\"off by a mistake\",\"error\":\"config:9:1: no such port\"}]}\n"};

static void
expect(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("%s is not in:\n%s", part, text);
}

static void
test_interfaces(void **state)
{
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "mesh.sock", interfaces, 1);

	(void)state;
	assert_int_equal(call(verb_interfaces, dir, &said, false, NULL, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	expect(said->out, "TCPServerInterface[hub]  TCPServerInterface  up");
	expect(said->out, "2.0 KiB");
	expect(said->out, "[hub]: burst of announces, 12 held back");
	expect(said->out, "burst of path requests");
	expect(said->out, "turned away: 3 come and go, 2 no place, 1 put out "
	    "for others, 1 addresses kept out now");
	expect(said->out, "a\\x1bz: given up: refused");
	expect(said->out, "a\\x1bz: HEADER, 7 times: malformed header");
	expect(said->out, "gone: config:9:1: no such port");
	expect(said->out, "the radio sent 2.00 % of 15 s and 0.50 % of an "
	    "hour, and heard others in 4.00 % and 1.00 %, noise -110 dBm, 25 "
	    "degrees Celsius, battery 87 % (charging)");
	expect(said->out, "off by a mistake");
	assert_null(strchr(said->out, '\033'));
	temp_remove(dir);
}

static void
test_json(void **state)
{
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "mesh.sock", interfaces, 1);
	json_t *o;

	(void)state;
	assert_int_equal(call(verb_interfaces, dir, &said, true, NULL, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	o = json_loads(said->out, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(o, "interfaces")), 3);
	json_decref(o);
	temp_remove(dir);
}

static void
test_paths(void **state)
{
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"paths\":[{\"destination\":\"00aa\","
	    "\"via\":\"00aa\",\"hops\":1,\"interface\":\"x\",\"age_s\":7,"
	    "\"expires_s\":600},{\"destination\":\"00ab\",\"via\":\"ffee\","
	    "\"hops\":4,\"interface\":null,\"age_s\":700,"
	    "\"expires_s\":-5}]}\n",
	    "{\"ok\":true,\"end\":true,\"paths\":[]}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "mesh.sock", answers, 2);

	(void)state;
	assert_int_equal(call(verb_paths, dir, &said, false, NULL, NULL),
	    CLI_OK);
	expect(said->out, "00aa            1  direct  x             7 s   "
	    "10 min");
	expect(said->out, "00ab            4  ffee    -          11 min      "
	    "0 s");
	assert_int_equal(call(verb_paths, dir, &said, false, NULL, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	expect(said->err, "No path is known");
	assert_string_equal(said->out, "");
	assert_int_equal(call(verb_paths, dir, &said, false, "x", NULL),
	    CLI_USAGE);
	temp_remove(dir);
}

static void
test_discovered(void **state)
{
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"listening\":true,\"discovered\":["
	    "{\"name\":\"hub\",\"type\":\"BackboneInterface\",\"status\":"
	    "\"available\",\"reachable_on\":\"192.0.2.7\",\"port\":4242,"
	    "\"hops\":2,\"value\":14.5,\"heard_s\":60}],"
	    "\"refused\":{\"stamp worth too little\":9}}\n",
	    "{\"ok\":true,\"end\":true,\"listening\":false,\"discovered\":[],"
	    "\"refused\":{}}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "mesh.sock", answers, 2);

	(void)state;
	assert_int_equal(call(verb_discovered, dir, &said, false, NULL, NULL),
	    CLI_OK);
	expect(said->out, "192.0.2.7:4242");
	expect(said->out, "14.5");
	expect(said->out, "refused 9 times: stamp worth too little");
	assert_int_equal(call(verb_discovered, dir, &said, false, NULL, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	expect(said->err, "discover_interfaces = yes");
	temp_remove(dir);
}

/* ---- top ---- */

#define STATUS(packets, drops)                                                 \
	"{\"ok\":true,\"end\":true,\"uptime_s\":9,\"compute\":false,"          \
	"\"counts\":{\"paths\":3,\"held\":2,\"rx_packets\":" packets "},"      \
	"\"drops\":{\"packet seen before\":" drops "}}\n"
#define LINES(bytes)                                                           \
	"{\"ok\":true,\"end\":true,\"interfaces\":[{\"name\":\"x\","           \
	"\"online\":true,\"held\":2,\"rx_bytes\":" bytes "}]}\n"

static void
test_top(void **state)
{
	static const char *const answers[] = {STATUS("10", "5"), LINES("100"),
	    STATUS("20", "5"), LINES("300")};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "mesh.sock", answers, 4);

	(void)state;
	assert_int_equal(call(verb_top, dir, &said, false, "--wait", "1ms"),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	expect(said->out, "3 paths");
	expect(said->out, "2 announces held");
	/* nothing was dropped meanwhile, and no terminal is there to clear */
	assert_null(strstr(said->out, "Dropped"));
	assert_null(strchr(said->out, '\033'));
	assert_int_equal(call(verb_top, dir, &said, false, "--wait", "0"),
	    CLI_USAGE);
	assert_int_equal(call(verb_top, dir, &said, false, "--wait", "2h"),
	    CLI_USAGE);
	temp_remove(dir);
}

static void
test_top_json(void **state)
{
	static const char *const answers[] = {STATUS("10", "5"), LINES("100"),
	    STATUS("20", "6"), LINES("300")};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "mesh.sock", answers, 4);
	json_t *o;

	(void)state;
	assert_int_equal(call(verb_top, dir, &said, true, "--wait", "1ms"),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	o = json_loads(said->out, 0, NULL);
	assert_true(json_number_value(json_object_get(json_object_get(o,
	    "drops"), "packet seen before")) > 0);
	json_decref(o);
	/* the daemon goes between two looks */
	pid = serve(dir, "mesh.sock", answers, 2);
	assert_int_equal(call(verb_top, dir, &said, false, "--wait", "1ms"),
	    CLI_UNREACHABLE);
	(void)waitpid(pid, NULL, 0);
	temp_remove(dir);
}

static double
number_at(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

/* Rates of two looks, one program started again, one interface new. */
static void
test_rates(void **state)
{
	json_t *a = json_pack("{s:{s:{s:i}, s:{s:i, s:i}}, s:[{s:s, s:i, s:i}]}",
	    "status", "counts", "relayed", 500, "drops", "x", 7, "y", 7,
	    "interfaces", "name", "one", "rx_bytes", 1000, "tx_drops", 50);
	json_t *b = json_pack("{s:{s:{s:i}, s:{s:i, s:i, s:i}}, "
	    "s:[{s:s, s:i, s:i}, {s:s, s:i}, {s:s, s:s}]}", "status", "counts",
	    "relayed", 900, "drops", "x", 7, "y", 11, "z", 2, "interfaces",
	    "name", "one", "rx_bytes", 3000, "tx_drops", 10, "name", "two",
	    "rx_packets", 8, "section", "off", "skipped", "off");
	json_t *r = toprates(a, b, 2.0);
	const json_t *ifs = json_object_get(r, "interfaces");
	const json_t *drops = json_object_get(r, "drops");

	(void)state;
	assert_int_equal(json_array_size(ifs), 2);
	assert_true(number_at(json_array_get(ifs, 0), "rx_bps") == 8000);
	/* it went back: the 10 are all new */
	assert_true(number_at(json_array_get(ifs, 0), "drops") == 5);
	assert_true(number_at(json_array_get(ifs, 1), "rx_pps") == 4);
	assert_true(number_at(json_object_get(r, "packets"), "relayed") ==
	    200);
	assert_null(json_object_get(drops, "x"));
	assert_true(number_at(drops, "y") == 2 && number_at(drops, "z") == 1);
	assert_null(json_object_get(r, "jobs"));
	json_decref(r);
	/* two looks in one moment */
	r = toprates(a, b, 0);
	assert_true(number_at(json_array_get(json_object_get(r, "interfaces"),
	    0), "rx_bps") == 0);
	json_decref(r);
	json_decref(a);
	json_decref(b);
}

/* ---- explain ---- */

#define HASH "00112233445566778899aabbccddeeff"

static void
test_explain(void **state)
{
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"hash\":\"" HASH "\",\"path\":{"
	    "\"via\":\"ffee\",\"hops\":3,\"interface\":\"TCP[x]\","
	    "\"age_s\":5,\"expires_s\":600,\"not_passed_on\":true,"
	    "\"no_announce_kept\":false,\"state\":\"unresponsive\"},"
	    "\"rate\":{\"last_s\":5,\"times\":4,\"violations\":2,"
	    "\"blocked_s\":60},\"held\":{\"interface\":\"TCP[x]\","
	    "\"left_s\":9,\"release_s\":5.0},\"blackholed\":{\"by\":"
	    "\"this node\",\"reason\":\"sp\\u001bam\"},\"drops\":[{"
	    "\"reason\":\"HELD\",\"text\":\"announce held back: burst on "
	    "its interface\",\"about\":\"" HASH "\",\"interface\":"
	    "\"TCP[x]\",\"last_s\":12,\"times\":3,\"first_s\":50},{"
	    "\"reason\":\"OF_TOMORROW\",\"text\":\"new\",\"about\":"
	    "\"aa\",\"interface\":null,\"last_s\":1,\"times\":1}]}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "mesh.sock", answers, 1);

	(void)state;
	assert_int_equal(call(verb_explain, dir, &said, false, HASH, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	expect(said->out, "path      3 hops, via ffee, on TCP[x]; heard 5 s "
	    "ago, forgotten in 10 min, its links: unresponsive");
	expect(said->out, "not passed on: it sends too many");
	expect(said->out, "2 times too soon; not passed on for 60 s");
	expect(said->out, "one is let go every 5 s");
	expect(said->out, "BLACKHOLE listed by this node: sp\\x1bam");
	expect(said->out, "12 s ago on TCP[x]: announce held back: burst");
	expect(said->out, "3 times since 50 s ago");
	expect(said->out, "raise ic_burst_freq of that interface or set "
	    "ingress_control = no");
	expect(said->out, "1 s ago: new, for aa");
	assert_string_equal(said->err, "");
	temp_remove(dir);
}

static void
test_explain_other(void **state)
{
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"candidates\":[\"00aa\","
	    "\"00ab\"]}\n",
	    "{\"ok\":true,\"end\":true,\"hash\":\"" HASH "\",\"drops\":"
	    "[]}\n",
	    "{\"ok\":true,\"end\":true,\"hash\":\"" HASH "\","
	    "\"relayed_link\":{\"destination\":\"dd\",\"proved\":false,"
	    "\"from\":\"a\",\"to\":\"b\",\"hops_taken\":1,"
	    "\"hops_left\":2,\"used_s\":3},\"drops\":[{\"reason\":"
	    "\"NO_PATH\"}]}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "mesh.sock", answers, 3);
	json_t *o, *d;

	(void)state;
	assert_int_equal(call(verb_explain, dir, &said, false, "00aa", NULL),
	    CLI_USAGE);
	expect(said->err, "more than one begins with 00aa");
	expect(said->err, "00ab");
	assert_int_equal(call(verb_explain, dir, &said, false, HASH, NULL),
	    CLI_FAILED);
	expect(said->err, "nothing is known of " HASH);
	expect(said->err, "paths, links and drops of the mesh.");
	assert_int_equal(call(verb_explain, dir, &said, true, HASH, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	o = json_loads(said->out, 0, NULL);
	d = json_array_get(json_object_get(json_object_get(o, "mesh"),
	    "drops"), 0);
	assert_string_equal(json_string_value(json_object_get(d, "remedy")),
	    reason_of(RNS_DROP_NO_PATH)->remedy);
	json_decref(o);
	temp_remove(dir);
}

/* The table is whole, and no two say the same of what is told apart. */
static void
test_reasons(void **state)
{
	static const char *const texts[RNS_DROP_COUNT] = {
#define TEXT(name, text) [RNS_DROP_##name] = (text),
		RNS_DROP_LIST(TEXT)
#undef TEXT
	};

	(void)state;
	for (int i = 0; i < RNS_DROP_COUNT; i++) {
		const struct reason *r = reason_of((enum rns_drop)i);

		if (r->name == NULL || r->means == NULL || r->remedy == NULL)
			fail_msg("no words for: %s", texts[i]);
		assert_ptr_equal(reason_named(r->name), r);
		assert_ptr_equal(reason_told(texts[i]), r);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(r->means,
			    reason_of((enum rns_drop)k)->means);
	}
	assert_null(reason_named("NO_SUCH"));
	assert_null(reason_told("no such"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_discovered),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_top_json),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_explain_other),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
