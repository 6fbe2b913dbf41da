/* SPDX-License-Identifier: BSD-2-Clause */
/* Refusals in the words of who asked: what, what is allowed, how to go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/layers.h"
#include "common/util.h"
#include "node/cli/outcome.h"
#include "node/cli/refusal.h"
#include "tests/unit/cli_capture.h"
#include "trust/doc/receipt.h"

#define NOW INT64_C(1800000000)

#define M(c, st, w) .code = {c, sizeof(c) - 1}, .step = st,                    \
	.why = {w, sizeof(w) - 1}
#define ASKED(v, l) .has_value = true, .value = v, .has_limit = true, .limit = l
#define MIB (UINT64_C(1) << 20)
static const struct {
	struct proto_meta m;
	const char *words, *remedy; /* remedy: what it holds */
} ROWS[] = {
    {{M("limits", 9, "log"), ASKED(2 * MIB, MIB)},
	"limits (step 9): log: 2.0 MiB asked, 1.0 MiB allowed",
	"Lower `log` of `limits`"},
    /* two that would read the same are told to the byte */
    {{M("limits", 9, "memory"), ASKED(64 * MIB + 1, 64 * MIB)},
	"limits (step 9): memory: 67108865 bytes asked, 67108864 bytes "
	"allowed", "Lower `memory`"},
    {{M("limits", 9, "cpu"), ASKED(1500, 250)},
	"limits (step 9): cpu: 1.500 cores asked, 0.250 cores allowed",
	"Lower `cpu`"},
    {{M("limits", 9, "time"), ASKED(7200000, 60000)},
	"limits (step 9): time: 2 h 0 min asked, 1 min 0 s allowed",
	"Lower `time`"},
    {{M("limits", 9, "pids"), ASKED(100, 32)},
	"limits (step 9): pids: 100 asked, 32 allowed", "Lower `pids`"},
    {{M("limits", 9, "output"), ASKED(UINT64_C(1) << 40, MIB)},
	"limits (step 9): output: 1.0 TiB asked, 1.0 MiB allowed",
	"Lower `output`"},
    /* a limit that is the least */
    {{M("limits", 9, "memory: too little to start in"), ASKED(1, 2 * MIB)},
	"limits (step 9): memory: too little to start in: 1 B asked, 2.0 MiB "
	"needed at least", "Give the job a higher `memory` of `limits`."},
    {{M("image", 8, "wasm is not a runtime of this node")},
	"image (step 8): wasm is not a runtime of this node",
	"Name an `image` in place of `wasm`"},
    {{M("image", 8, "it has no command, and the manifest gives none")},
	"image (step 8): it has no command, and the manifest gives none",
	"Say what to run: `command` in JOB.yaml, or behind `--`"},
    {{M("image", 8, "module imports env.foo, not offered here")},
	"image (step 8): module imports env.foo, not offered here",
	"with WASI preview 1"},
    {{M("image", 8, "component exports no wasi:cli/run@0.2: it is no command")},
	"image (step 8): component exports no wasi:cli/run@0.2: it is no command",
	"components of WASI 0.2"},
    {{M("image", 8, "its compilation took too long")},
	"image (step 8): its compilation took too long",
	"the pace of the job's `cpu`"},
    {{M("image", 8, "its compilation fell: more memory?")},
	"image (step 8): its compilation fell: more memory?",
	"the job's own `memory`"},
    {{M("volume", 8, "/etc/passwd is a file")},
	"volume (step 8): /etc/passwd is a file", "another target"},
    /* an approval is another's than the key that asks for the job */
    {{M("trust", 5, "the submitter's own key does not count")},
	"trust (step 5): the submitter's own key does not count",
	"another reviewer"},
    {{M("trust", 5, "its approval does not count any more")},
	"trust (step 5): its approval does not count any more",
	"Submit it again"},
    {{M("limits", 9, "network"), .value_text = {"broker", 6}},
	"limits (step 9): network: broker", "no way out"},
    {{M("limits", 9, "seccomp_profile: there is none"),
	.value_text = {"x", 1}},
	"limits (step 9): seccomp_profile: there is none: x",
	"Leave `seccomp_profile` out"},
    {{M("too_large", 10, "memory"), ASKED(2048 * MIB, 1024 * MIB)},
	"too_large (step 10): memory: 2.0 GiB asked, 1.0 GiB allowed",
	"no job gets more"},
    {{M("too_large", 10, "cpu"), ASKED(8000, 4000)},
	"too_large (step 10): cpu: 8.000 cores asked, 4.000 cores allowed",
	"no job gets more"},
    {{M("too_large", 10, "disk"), ASKED(20 * MIB, MIB)},
	"too_large (step 10): disk: 20.0 MiB asked, 1.0 MiB allowed",
	"no room"},
    {{M("quota", 6, "jobs_queued"), ASKED(17, 16), .has_s = true, .s = 60},
	"quota (step 6): jobs_queued: 17 asked, 16 allowed",
	"cancel one: `warren jobs`. Again in 1 min 0 s at the earliest."},
    {{M("quota", 6, "jobs_per_hour"), ASKED(121, 120), .has_s = true, .s = 30},
	"quota (step 6): jobs_per_hour: 121 asked, 120 allowed",
	"your own budget on this node; it comes back by and by. Again in 30.0 s"
    },
    {{M("quota", 6, "cpu_seconds_per_day"), ASKED(90000, 86400)},
	"quota (step 6): cpu_seconds_per_day: 1 d 1 h asked, 1 d 0 h allowed",
	"your own budget"},
    {{M("quota", 6, "spool"), ASKED(300 * MIB, 256 * MIB)},
	"quota (step 6): spool: 300 MiB asked, 256 MiB allowed", "send less"},
    {{M("airtime", 11, "max_airtime"), ASKED(1200, 600)},
	"airtime (step 11): max_airtime: 20 min 0 s asked, 10 min 0 s allowed",
	"faster path"},
    {{M("airtime", 11, "deadline"), ASKED((uint64_t)NOW + 60, (uint64_t)NOW),
	.has_time = true, .time = (uint64_t)NOW},
	"airtime (step 11): deadline: it could begin 2027-01-15 08:01:00, and "
	"is to be over 2027-01-15 08:00:00", "a later `deadline`"},
    {{M("image", 8, "is not on the node"), .value_text = {"a/b:1", 5}},
	"image (step 8): a/b:1: is not on the node", "`warren describe`"},
    {{M("posture", 1, "memory cpu pids")},
	"posture (step 1): the machine of the node lacks what its operator "
	"requires for every job: memory cpu pids",
	"Nothing in your job changes that"},
    {{M("not_accepting", 1, "the disk of the node is full"), .has_s = true,
	.s = 10},
	"not_accepting (step 1): the disk of the node is full",
	"Again in 10.0 s"},
    {{M("trust", 5, "level 0, needed 1")},
	"trust (step 5): level 0, needed 1", "`warren identity show`"},
    {{M("revoked", 3, ""), .value_text = {"key", 3}},
	"revoked (step 3): key", "they alone"},
    {{M("binding", 4, "binding: older than the one that this identity has "
	"shown")}, "binding (step 4): older than the one that this "
	"identity has shown", "newer binding elsewhere"},
    {{M("binding", 4, "no key is known for this identity: send b")},
	"binding (step 4): no key is known for this identity: send b",
	"`warren describe`"},
    {{M("manifest", 7, "nonce")}, "manifest (step 7): nonce", "signed anew"},
    {{M("manifest", 7, "node"), .value_text = {"urn:x", 5}},
	"manifest (step 7): urn:x: node", "another node"},
    {{M("manifest", 7, "submitter")}, "manifest (step 7): submitter",
	"--identity"},
    {{M("manifest", 7, "env: unknown")}, "manifest (step 7): env: unknown",
	"another version"},
    {{M("contract", 8, "are not enforced")},
	"contract (step 8): are not enforced", "Leave `behavior_contract` out"},
    {{M("not_identified", 2, "")}, "not_identified (step 2)", "again"},
    {{M("not_wanted", 0, "")}, "not_wanted", "`warren show`"},
    {{M("digest", 0, "")}, "digest", "Run it again"},
    /* of a node that is newer than this */
    {{M("moon", 12, "wrong phase"), ASKED(3, 2)},
	"moon (step 11): wrong phase: 3 asked, 2 allowed", ""},
};

static void
test_words(void **state)
{
	char words[REFUSAL_TEXT], remedy[REFUSAL_TEXT];
	struct cli_refusal r;

	(void)state;
	for (size_t i = 0; i < NELEM(ROWS); i++) {
		refusal_take(&r, &ROWS[i].m, NOW);
		refusal_words(words, &r);
		assert_string_equal(words, ROWS[i].words);
		refusal_remedy(remedy, &r, true);
		if (strstr(remedy, ROWS[i].remedy) == NULL ||
		    (remedy[0] == '\0') != (ROWS[i].remedy[0] == '\0'))
			fail_msg("%s: %s", words, remedy);
	}
}

/* A compilation has two bounds, and each another remedy. */
static void
test_operator(void **state)
{
	const struct cli_refusal slow = {.code = "image",
	    .why = "its compilation took too long"};
	const struct cli_refusal large = {.code = "image",
	    .why = "its compilation fell: more memory?"};

	(void)state;
	assert_non_null(strstr(refusal_operator(&slow), "ceiling of cpu"));
	assert_non_null(strstr(refusal_operator(&large), "ceiling of memory"));
}

/* Both clocks, which is off and by how much, whichever it is. */
static void
test_clocks(void **state)
{
	static const struct {
		int64_t node;
		bool synced;
		const char *remedy;
	} rows[] = {
	    {NOW + 7200, false, "The clocks differ: here it is 2027-01-15 "
		"08:00:00, on the node 2027-01-15 10:00:00. This machine is "
		"2 h 0 min behind. Nothing keeps its clock: set it "
		"(`timedatectl set-ntp true`) and run it again; if it is "
		"right, tell the operator of the node."},
	    {NOW - 7200, true, "The clocks differ: here it is 2027-01-15 "
		"08:00:00, on the node 2027-01-15 06:00:00. This machine is "
		"2 h 0 min ahead. Its clock is kept by NTP, so that of the "
		"node is off: tell its operator."},
	    {NOW + 59, false, "Run it again: it is signed anew."},
	};
	struct proto_meta m = {M("manifest", 7, "not_after: is past"),
	    ASKED((uint64_t)NOW - 5, (uint64_t)NOW), .has_time = true};
	char words[REFUSAL_TEXT], remedy[REFUSAL_TEXT];
	struct cli_refusal r;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		m.time = (uint64_t)rows[i].node;
		refusal_take(&r, &m, NOW);
		refusal_words(words, &r);
		assert_non_null(strstr(words, "manifest (step 7): not_after: "
		    "is past: 2027-01-15 07:59:55, and the clock of the node "
		    "says "));
		refusal_remedy(remedy, &r, rows[i].synced);
		assert_string_equal(remedy, rows[i].remedy);
	}
}

static void
test_reason(void **state)
{
	char words[REFUSAL_TEXT];
	struct cli_refusal r;

	(void)state;
	refusal_reason(&r, "volume: a name that leads out");
	refusal_words(words, &r);
	assert_string_equal(words,
	    "volume (after it was admitted): a name that leads out");
	refusal_reason(&r, "limits: memory: the command did not start");
	refusal_remedy(words, &r, false);
	assert_string_equal(words, "Give the job a higher `memory` of "
	    "`limits`.");
	refusal_reason(&r, "trust");
	refusal_words(words, &r);
	assert_string_equal(words, "trust (after it was admitted)");
	refusal_reason(&r, "");
	refusal_words(words, &r);
	assert_string_equal(words, " (after it was admitted)");
}

/* On the terminal and for a script: the same fields, nothing unescaped. */
static void
test_said(void **state)
{
	struct cli c = {.verb = "submit", .json = true};
	struct proto_meta m = {M("limits", 9, "log"), ASKED(2 * MIB, MIB),
	    .has_s = true, .s = 9};
	const struct captured *said;
	struct cli_refusal r;

	(void)state;
	refusal_take(&r, &m, NOW);
	capture_begin();
	cli_refused(&c, &r);
	said = capture_end();
	assert_non_null(strstr(said->err, "warren submit: refused: limits "
	    "(step 9): log: 2.0 MiB asked, 1.0 MiB allowed\n  Lower `log`"));
	assert_non_null(strstr(said->out, "\"event\":\"error\",\"code\":"
	    "\"limits\",\"step\":9,\"why\":\"log\""));
	assert_non_null(strstr(said->out, "\"value\":2097152,\"limit\":1048576,"
	    "\"s\":9,\"remedy\":\"Lower `log`"));
	m = (struct proto_meta){M("im\x1b" "age", 8, "\x9b"),
	    .value_text = {"a\n", 2}, .has_time = true, .time = 1};
	refusal_take(&r, &m, NOW);
	capture_begin();
	cli_refused(&c, &r);
	said = capture_end();
	assert_non_null(strstr(said->err, "im\\x1bage (step 8): a\\x0a: \\x9b\n"));
	assert_null(strchr(said->out, '\x1b'));
	assert_non_null(strstr(said->out, "\"time\":1,\"now\":1800000000"));
	capture_begin();
	cli_refused_clock(&c, "binding: not valid yet", NOW);
	said = capture_end();
	assert_non_null(strstr(said->err, "refused: clock: binding: not valid "
	    "yet\n  The clocks differ: here it is "));
}

/* Every outcome in words; a number only where it says something. */
static void
test_outcomes(void **state)
{
	static const struct {
		unsigned outcome;
		int32_t code;
		const char *reason, *words, *json;
		bool remedy;
	} rows[] = {
	    {JOB_EXITED, 0, "", "exited with 0", "[\"exited\",0]", false},
	    {JOB_EXITED, 127, "", "exited with 127", "[\"exited\",127]", true},
	    {JOB_SIGNALLED, 9, "", "ended by signal 9 (SIGKILL)",
		"[\"signalled\",9]", false},
	    {JOB_SIGNALLED, 99, NULL, "ended by signal 99",
		"[\"signalled\",99]", false},
	    {JOB_KILLED, KILL_MEMORY, "", "killed: over its memory",
		"[\"killed\",\"memory\"]", true},
	    {JOB_KILLED, KILL_VIOLATION + 256 * 7, "",
		"killed: against disk.max_files of its behaviour contract",
		"[\"killed\",\"violation:disk.max_files\"]", false},
	    {JOB_KILLED, KILL_VIOLATION + 256 * 99, "",
		"killed: a forbidden action", "[\"killed\",\"violation\"]",
		false},
	    {JOB_KILLED, 99, "", "killed: for a reason not known here",
		"[\"killed\",null]", false},
	    {JOB_LOST, 0, "the jail fell", "lost: the jail fell",
		"[\"lost\",\"the jail fell\"]", true},
	    {JOB_LOST, 0, NULL, "lost: the node did not see its end",
		"[\"lost\",null]", true},
	    {JOB_CANCELLED, 0, "inputs", "cancelled before it started: inputs",
		"[\"cancelled\",\"inputs\"]", true},
	    {77, 1, "", "ended in a way not known here", "[null,null]", false},
	};
	static const char *const cancels[] = {"deadline", "inputs", "review",
	    "operator"};
	char words[200], mem[24], *json;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		json_t *o = outcome_json_of(rows[i].outcome, rows[i].code,
		    rows[i].reason);

		outcome_words(words, sizeof(words), rows[i].outcome,
		    rows[i].code, rows[i].reason);
		assert_string_equal(words, rows[i].words);
		json = json_dumps(o, JSON_COMPACT);
		assert_string_equal(json, rows[i].json);
		free(json);
		json_decref(o);
		assert_int_equal(outcome_remedy(rows[i].outcome,
		    rows[i].code, rows[i].reason) != NULL, rows[i].remedy);
	}
	/* each reason of a job that was cancelled has its way on */
	for (size_t i = 0; i < NELEM(cancels); i++) {
		assert_non_null(outcome_remedy(JOB_CANCELLED, 0, cancels[i]));
		assert_non_null(outcome_operator(JOB_CANCELLED, 0,
		    cancels[i]));
	}
	assert_null(outcome_remedy(JOB_CANCELLED, 0, "submitter"));
	assert_string_equal(outcome_operator(JOB_CANCELLED, 0, NULL), "");
	/* each reason of a kill has its words */
	for (int32_t k = KILL_MEMORY; k < KILL_REASONS; k++) {
		outcome_words(words, sizeof(words), JOB_KILLED, k, NULL);
		assert_null(strstr(words, "not known"));
	}
	assert_string_equal(cli_memory(mem, 0), "not measured");
	assert_string_equal(cli_memory(mem, 12288), "12.0 MiB");
}

/* A wish that the node's profile did not grant is told, and only that. */
static void
test_denied(void **state)
{
	struct manifest m;
	const char *says;

	(void)state;
	manifest_init(&m);
	assert_null(outcome_denied(&m, LAYER_READONLY));
	assert_null(outcome_denied(&m, 0));
	m.read_only_fs = false;
	assert_null(outcome_denied(&m, ~(uint32_t)LAYER_READONLY));
	says = outcome_denied(&m, LAYER_USER | LAYER_READONLY);
	assert_non_null(says);
	assert_non_null(strstr(says, "read-only"));
	manifest_clear(&m);
}

/* What was signed by what was kept of a node, and nothing else. */
static void
test_by_old(void **state)
{
	static const struct {
		struct cli_refusal r;
		bool old;
	} t[] = {
	    {{.code = "manifest", .why = "not_after", .has_time = true}, true},
	    {{.code = "manifest", .why = "deadline", .has_time = true}, true},
	    {{.code = "manifest", .why = "node"}, true},
	    {{.code = "airtime", .why = "deadline"}, true},
	    {{.code = "airtime", .why = "max_airtime"}, false},
	    {{.code = "manifest", .why = "nonce"}, false},
	    {{.code = "manifest", .why = "signature"}, false},
	    {{.code = "binding", .why = "expired", .has_time = true}, false},
	    {{.code = "limits", .why = "memory"}, false},
	    {{.code = "image"}, false},
	    {{.code = ""}, false},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++)
		assert_int_equal(refusal_by_old(&t[i].r), t[i].old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_by_old),
	    cmocka_unit_test(test_words), cmocka_unit_test(test_operator),
	    cmocka_unit_test(test_clocks),
	    cmocka_unit_test(test_reason),
	    cmocka_unit_test(test_said),
	    cmocka_unit_test(test_outcomes), cmocka_unit_test(test_denied),
	};

	(void)setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
