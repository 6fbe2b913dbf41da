/* SPDX-License-Identifier: BSD-2-Clause */
/* Verbs of this machine: the control sockets, the trail, the configuration. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <rns/rns.h>

#include "audit/trail_file.h"
#include "audit/trail_line.h"
#include "tests/unit/cli_capture.h"
#include "tests/unit/cli_serve.h"
#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/person.h"
#include "node/cli/verb.h"

static void
test_ask(void **state)
{
	static const struct {
		const char *answer;
		int rc;
		const char *said; /* on either */
	} t[] = {
	    {"{\"ok\":true,\"end\":true,\"jobs\":[]}\n", CLI_OK, "No jobs"},
	    {"{\"ok\":true,\"jobs\":[{\"id\":\"aa\",\"state\":\"queued\","
	     "\"reason\":null,\"outcome\":null,\"at\":5}]}\n"
	     "{\"ok\":true,\"end\":true,\"jobs\":[{\"id\":\"bb\","
	     "\"state\":\"done\",\"outcome\":[\"killed\",\"memory\"],"
	     "\"at\":7}]}\n",
		CLI_OK, "killed memory"},
	    {"{\"ok\":false,\"exit\":3,\"why\":\"no\\u001bt you\"}\n",
		CLI_REFUSED, "no\\x1bt you"},
	    {"{\"ok\":false,\"exit\":77,\"why\":\"x\"}\n", CLI_FAILED, "x"},
	    {"{\"ok\":false}\n", CLI_FAILED, "refused"},
	    {"[1]\n", CLI_FAILED, "malformed"},
	    {"{\"ok\":true,\"ok\":true}\n", CLI_FAILED, "malformed"},
	    {"not json\n", CLI_FAILED, "malformed"},
	    {"{\"ok\":true}", CLI_UNREACHABLE, "hung up"},
	    {"{\"ok\":true,\"jobs\":[]}\n", CLI_UNREACHABLE, "hung up"},
	    {"{\"ok\":true,\"end\":true,\"jobs\":[{}]}\n", CLI_OK, "?"},
	    {"{\"ok\":true,\"end\":true,\"jobs\":7}\n", CLI_OK, "No jobs"},
	};
	const char *dir = temp_dir();

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		const char *const answers[] = {t[i].answer};
		pid_t pid = serve(dir, "node.sock", answers, 1);
		const struct captured *said;
		int rc = call(verb_jobs, dir, &said, false, "--here", NULL);

		(void)waitpid(pid, NULL, 0);
		if (rc != t[i].rc || (strstr(said->err, t[i].said) == NULL &&
					 strstr(said->out, t[i].said) == NULL))
			fail_msg("%zu: %d, %s%s", i, rc, said->out, said->err);
	}
	temp_remove(dir);
}

/* The service's folder is named when nobody answers at the default one. */
static void
test_hint_service(void **state)
{
	const char *const answers[] = {"{\"ok\":true}\n"};
	struct cli c = {.verb = "image import"};
	const char *dir = temp_dir();
	char typed[500];
	pid_t pid;

	(void)state;
	capture_begin();
	assert_false(ask_hint_service(&c, dir)); /* nobody answers there */
	assert_string_equal(capture_end()->err, "");
	(void)snprintf(typed, sizeof(typed), ": warren image import --config "
					     "%s\n", dir);
	pid = serve(dir, "mesh.sock", answers, 1);
	capture_begin();
	assert_true(ask_hint_service(&c, dir));
	assert_non_null(strstr(capture_end()->err, typed));
	c.config = dir;
	capture_begin();
	assert_false(ask_hint_service(&c, dir)); /* that is what was asked */
	assert_string_equal(capture_end()->err, "");
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	temp_remove(dir);
}

/* Image, person, age and name; what was noted where no node computes. */
static void
test_jobs(void **state)
{
	static const char answer[] =
	    "{\"ok\":true,\"end\":true,\"jobs\":[{\"id\":\"%s\",\"state\":"
	    "\"done\",\"outcome\":[\"exited\",3],\"at\":%lld,\"admitted\":"
	    "%lld,\"owner\":\"5555\",\"image\":\"99\",\"image_name\":"
	    "\"kai/tools:1\"}]}\n";
	const char *dir = temp_dir();
	struct cli me = {.verb = "test", .identity = dir};
	struct job_note n = {.name = "nightly", .label = {"team=moles"},
	    .image = "kai/tools:1", .state = "lost"};
	const struct captured *said;
	long long now = (long long)time(NULL);
	char text[1024], id[65];
	const char *answers[] = {text, text, text};
	struct person p;
	pid_t pid;

	(void)state;
	memset(&n.job, 0xcd, sizeof(n.job));
	n.at = now - 7300;
	hex_encode(id, HASH_BYTES(n.job));
	assert_int_equal(person_load(&me, &p), CLI_OK);
	assert_true(person_note_job(&p, &n));
	person_clear(&p);
	(void)snprintf(text, sizeof(text), answer, id, now - 60, now - 300);
	pid = serve(dir, "node.sock", answers, 3);
	assert_int_equal(call(verb_jobs, dir, &said, false, NULL, NULL),
	    CLI_OK);
	assert_non_null(strstr(said->out, id));
	assert_non_null(strstr(said->out, "nightly"));
	assert_non_null(strstr(said->out, "exited 3"));
	assert_non_null(strstr(said->out, "kai/tools:1"));
	assert_non_null(strstr(said->out, "5555"));
	assert_non_null(strstr(said->out, "5 min"));
	assert_int_equal(call(verb_jobs, dir, &said, true, NULL, NULL), CLI_OK);
	assert_non_null(strstr(said->out, "\"name\":\"nightly\""));
	assert_non_null(strstr(said->out, "\"labels\":[\"team=moles\"]"));
	assert_int_equal(call(verb_jobs, dir, &said, false, "--label=team=x",
			     NULL),
	    CLI_OK);
	assert_string_equal(said->err, "No jobs.\n");
	(void)waitpid(pid, NULL, 0);
	/* nobody is asked: the socket answers no more */
	assert_int_equal(call(verb_jobs, dir, &said, false, "--mine",
			     "--label=team"),
	    CLI_OK);
	assert_non_null(strstr(said->out, "lost"));
	assert_non_null(strstr(said->out, "2 h"));
	assert_non_null(strstr(said->out, "you"));
	assert_int_equal(call(verb_jobs, dir, &said, false, "--mine", "--here"),
	    CLI_USAGE);
	temp_remove(dir);
}

/* A line that never ends costs 64 KiB, no more. */
static void
test_ask_long(void **state)
{
	const char *dir = temp_dir();
	const struct captured *said;
	char *big = malloc(100001);
	const char *answers[1];
	pid_t pid;

	(void)state;
	assert_non_null(big);
	memset(big, ' ', 100000);
	big[100000] = '\0';
	answers[0] = big;
	pid = serve(dir, "node.sock", answers, 1);
	assert_int_equal(call(verb_jobs, dir, &said, false, NULL, NULL),
	    CLI_FAILED);
	assert_non_null(strstr(said->err, "too long"));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	free(big);
	temp_remove(dir);
}

/* The node's own word: asked again until its keys have signed. */
static void
test_approve(void **state)
{
	static const char pending[] =
	    "{\"ok\":true,\"end\":true,\"pending\":true}\n";
	static const char *const answers[] = {pending, pending,
	    "{\"ok\":true,\"end\":true,\"id\":\"abcd01\",\"state\":"
	    "\"queued\",\"reason\":\"slots\"}\n",
	    "{\"ok\":true,\"end\":true,\"id\":\"abcd01\",\"state\":"
	    "\"cancelled\",\"reason\":\"review\"}\n",
	    "{\"ok\":false,\"exit\":1,\"why\":\"it does not wait any "
	    "more\"}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "node.sock", answers, 5);

	(void)state;
	assert_int_equal(call(verb_approve, dir, &said, false, "abcd", NULL),
	    CLI_OK);
	assert_string_equal(said->out, "abcd01 approved: queued slots\n");
	assert_int_equal(call(verb_reject, dir, &said, true, "abcd", NULL),
	    CLI_OK);
	assert_string_equal(said->out, "{\"id\":\"abcd01\",\"verdict\":"
	    "\"reject\",\"state\":\"cancelled\",\"reason\":\"review\"}\n");
	assert_int_equal(call(verb_reject, dir, &said, false, "abcd", NULL),
	    CLI_FAILED);
	assert_non_null(strstr(said->err, "does not wait"));
	(void)waitpid(pid, NULL, 0);
	temp_remove(dir);
}

/* In the units of people; --json as the node gave it. */
static void
test_show(void **state)
{
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"id\":\"abcd\",\"state\":\"done\","
	    "\"reason\":null,\"outcome\":[\"killed\",\"memory\"],\"at\":7,"
	    "\"owner\":\"5555\",\"attempts\":1,\"admitted\":5,\"deadline\":"
	    "9,\"level\":2,\"limits\":{\"memory\":67108864,\"cpu\":500,"
	    "\"time\":90000,\"pids\":16},\"image\":\"99\",\"layers\":"
	    "\"user pid\",\"usage\":{\"wall_ms\":2500,\"cpu_ms\":7,"
	    "\"memory_kb\":2048},\"log\":[3,4,5],\"receipt\":true}\n",
	    "{\"ok\":true,\"end\":true,\"id\":\"abcd\",\"limits\":{},"
	    "\"level\":2}\n",
	    "{\"ok\":true,\"end\":true,\"id\":\"abcd\",\"state\":"
	    "\"cancelled\",\"reason\":\"operator\"}\n",
	    "{\"ok\":true,\"end\":true,\"id\":\"abcd\",\"state\":\"lost\","
	    "\"usage\":{\"wall_ms\":0,\"cpu_ms\":0,\"memory_kb\":0}}\n",
	    "{\"ok\":true,\"end\":true,\"id\":\"abcd\",\"state\":\"running\","
	    "\"usage\":{\"wall_ms\":0,\"cpu_ms\":0,\"memory_kb\":0}}\n",
	    "{\"ok\":true,\"end\":true,\"id\":\"abcd\",\"state\":"
	    "\"running\",\"reason\":null}\n"};
	static const char *const lines[] = {"person    5555, level +2\n",
	    "outcome   killed memory, attempt 1\n", " memory 64MB", " time 90s",
	    " cpu 0.500", " pids 16\n", "ran 2.5 s, cpu 7 ms",
	    "peak 2.0 MiB", "stdout 3, stderr 4 bytes kept, 5 discarded"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "node.sock", answers, 6);

	(void)state;
	assert_int_equal(call(verb_show, dir, &said, false, "abcd", NULL),
	    CLI_OK);
	for (size_t i = 0; i < NELEM(lines); i++)
		if (strstr(said->out, lines[i]) == NULL)
			fail_msg("no %s in %s", lines[i], said->out);
	assert_int_equal(call(verb_show, dir, &said, true, "abcd", NULL),
	    CLI_OK);
	assert_string_equal(said->out,
	    "{\"id\":\"abcd\",\"limits\":{},\"level\":2}\n");
	assert_int_equal(call(verb_cancel, dir, &said, false, "abcd", NULL),
	    CLI_OK);
	assert_string_equal(said->out, "abcd cancelled operator\n");
	/* what nobody has measured is no number */
	assert_int_equal(call(verb_show, dir, &said, false, "abcd", NULL),
	    CLI_OK);
	assert_non_null(strstr(said->out, "memory peak not measured\n"));
	/* nor is what is counted at the end */
	assert_int_equal(call(verb_show, dir, &said, false, "abcd", NULL),
	    CLI_OK);
	assert_null(strstr(said->out, "usage"));
	assert_int_equal(call(verb_cancel, dir, &said, false, "abcd", NULL),
	    CLI_OK);
	assert_string_equal(said->out, "abcd running, is being ended\n");
	(void)waitpid(pid, NULL, 0);
	temp_remove(dir);
}

/* An id that nobody noted, where no node computes: asking goes nowhere. */
static void
test_nobodys(void **state)
{
	const char *dir = temp_dir();
	const struct captured *said;

	(void)state;
	assert_int_equal(call(verb_show, dir, &said, false, "abcd", NULL),
	    CLI_UNREACHABLE);
	assert_non_null(strstr(said->err, "was submitted from here"));
	assert_non_null(strstr(said->err, "--to NODE"));
	assert_int_equal(call(verb_show, dir, &said, false, "abcd", "--here"),
	    CLI_UNREACHABLE);
	assert_int_equal(call(verb_show, dir, &said, false, "no-name", NULL),
	    CLI_USAGE);
	/* the beginning of an id, but too little of one */
	assert_int_equal(call(verb_show, dir, &said, false, "abc", NULL),
	    CLI_USAGE);
	assert_non_null(strstr(said->err, "at least 4 digits"));
	assert_int_equal(call(verb_jobs, dir, &said, false, NULL, NULL),
	    CLI_OK);
	assert_string_equal(said->err, "No jobs.\n");
	temp_remove(dir);
}

static void
test_status(void **state)
{
	static const char *const mesh[] = {
	    "{\"ok\":true,\"end\":true,\"identity\":\"00ff\",\"instance\":"
	    "\"rns/x\",\"uptime_s\":65,\"attached\":2,\"transport\":true,"
	    "\"compute\":true,\"programs\":[{\"name\":\"transport\","
	    "\"running\":true,\"restarts\":1,\"pid\":7}],"
	    "\"counts\":{\"paths\":3}}\n",
	    "{\"ok\":true,\"end\":true,\"interfaces\":[{\"name\":\"a\","
	    "\"online\":true,\"rx_bytes\":2048}]}\n"};
	static const char *const node[] = {
	    "{\"ok\":true,\"end\":true,\"accepting\":true,\"running\":1,"
	    "\"queued\":2,\"held\":0,\"layers\":\"user pid\",\"missing\":"
	    "\"memory\"}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t a = serve(dir, "mesh.sock", mesh, 2);
	pid_t b = serve(dir, "node.sock", node, 1);

	(void)state;
	assert_int_equal(call(verb_status, dir, &said, false, NULL, NULL),
	    CLI_OK);
	assert_non_null(strstr(said->out, "1 min 5 s"));
	assert_non_null(strstr(said->out, "accepting, 1 running, 2 queued"));
	assert_non_null(strstr(said->out, "2.0 KiB"));
	assert_non_null(strstr(said->out, "missing   memory"));
	assert_non_null(strstr(said->out, "rns/x, 2 programs attached"));
	(void)waitpid(a, NULL, 0);
	(void)waitpid(b, NULL, 0);
	temp_remove(dir);
}

/* A node that nobody on this machine shares, and takes no jobs. */
static void
test_status_alone(void **state)
{
	static const char *const mesh[] = {
	    "{\"ok\":true,\"end\":true,\"identity\":\"00ff\",\"instance\":"
	    "\"\",\"uptime_s\":65,\"attached\":0,\"compute\":false}\n",
	    "{\"ok\":true,\"end\":true,\"interfaces\":[]}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t a = serve(dir, "mesh.sock", mesh, 2);

	(void)state;
	assert_int_equal(call(verb_status, dir, &said, false, NULL, NULL),
	    CLI_OK);
	assert_non_null(strstr(said->out, "\ninstance  not shared"));
	(void)waitpid(a, NULL, 0);
	temp_remove(dir);
}

/* ---- the trail ---- */

static void
make_trail(const char *dir, char path[400])
{
	static const char body[] =
	    "{\"class_uid\":6003,\"severity_id\":2,\"time\":1800000000000,"
	    "\"message\":\"quota\",\"unmapped\":{\"klp\":{\"kind\":"
	    "\"job_refused\",\"job\":\"4a4a\"}}}";
	struct id32 prev = {0};
	char head[TRAIL_HEAD_LEN + 1];
	FILE *f;

	(void)snprintf(path, 400, "%s/warren", dir);
	(void)mkdir(path, 0755);
	(void)snprintf(path, 400, "%s/warren/trail", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, 400, "%s/warren/trail/00000001.jsonl", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	for (uint64_t seq = 1; seq <= 5; seq++) {
		char line[1024];
		size_t n = trail_line_event(line, sizeof(line), seq, &prev,
		    body, sizeof(body) - 1);

		assert_true(n > 0);
		assert_int_equal(fwrite(line, 1, n, f), n);
		rns_sha256(&prev, line, n - 1);
	}
	assert_int_equal(fclose(f), 0);
	trail_head_put(head, 5, &prev);
	(void)snprintf(path, 400, "%s/warren/trail", dir);
	write_text(path, TRAIL_HEAD, head);
	(void)snprintf(path, 400, "%s/warren/trail/00000001.jsonl", dir);
}

static void
test_trail(void **state)
{
	const char *dir = temp_dir();
	const struct captured *said;
	char path[400], text[8192];
	size_t n;
	FILE *f;

	(void)state;
	make_trail(dir, path);
	assert_int_equal(call(verb_audit_tail, dir, &said, false, "-n", "2"),
	    CLI_OK);
	assert_null(strstr(said->out, "3  "));
	assert_non_null(strstr(said->out, "low      job_refused job=4a4a: "
					  "quota"));
	assert_int_equal(call(verb_audit_tail, dir, &said, true, NULL, NULL),
	    CLI_OK);
	assert_int_equal(strncmp(said->out, "{\"seq\":1,", 9), 0);
	/* no key but the one that may lie beside it: whole, and not proven */
	assert_int_equal(call(verb_audit_verify, dir, &said, false, NULL, NULL),
	    CLI_UNPROVEN);
	assert_non_null(strstr(said->out, "whole"));
	assert_non_null(strstr(said->err, "nobody vouches"));
	assert_int_equal(call(verb_audit_verify, dir, &said, false, "--key",
	    "pubkey:ed25519:1"), CLI_USAGE);
	assert_int_equal(call(verb_audit_verify, dir, &said, false, "--key",
	    "pubkey:ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af"
	    "021a68f707511a"), CLI_OK);
	/* one changed byte, anywhere */
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	for (size_t at = 0; at < n; at += 13) {
		text[at] ^= 1;
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(text, 1, n, f), n);
		(void)fclose(f);
		text[at] ^= 1;
		if (call(verb_audit_verify, dir, &said, at % 2 == 0, NULL,
			NULL) != CLI_FAILED)
			fail_msg("byte %zu is not missed: %s", at, said->out);
	}
	temp_remove(dir);
}

/* ---- the configuration ---- */

static void
test_check(void **state)
{
	const char *dir = temp_dir();
	const struct captured *said;
	char path[400], text[300];
	size_t n;

	(void)state;
	write_text(dir, "config", "[reticulum]\n  enable_transport = yes\n");
	assert_int_equal(call(verb_check_config, dir, &said, false, NULL, NULL),
	    CLI_OK);
	write_text(dir, "config", "[reticulum]\n  enable_transport = maybe\n");
	write_text(dir, "node.yaml", "trust: {floor: 7}\naccept: true\n");
	(void)snprintf(path, sizeof(path), "%s/profiles", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	write_text(path, "a.yaml", "limits: {memori: 1}\n");
	(void)snprintf(path, sizeof(path), "%s/profiles/seccomp", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	write_text(path, "b.json", "{\n \"defaultAction\": 1,\n}");
	assert_int_equal(call(verb_check_config, dir, &said, false, NULL, NULL),
	    CLI_USAGE);
	assert_non_null(strstr(said->err, "/config:2:22: "));
	assert_non_null(strstr(said->err, "/node.yaml:1:16: trust.floor"));
	assert_non_null(strstr(said->err, "/node.yaml:2:1: unknown key"));
	assert_non_null(strstr(said->err, "/profiles/a.yaml:1:10: "));
	assert_non_null(strstr(said->err, "/profiles/seccomp/b.json:3:"));
	assert_non_null(strstr(said->err, ": 5 mistakes\n"));
	assert_int_equal(call(verb_check_config, dir, &said, true, NULL, NULL),
	    CLI_USAGE);
	assert_int_equal(strncmp(said->out, "{\"ok\":false,", 12), 0);
	/* one is one; a value of half a character is JSON all the same */
	write_text(dir, "node.yaml", "name: x\n");
	write_text(path, "b.json", "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	(void)snprintf(path, sizeof(path), "%s/profiles", dir);
	write_text(path, "a.yaml", "");
	n = (size_t)snprintf(text, sizeof(text), "[reticulum]\n"
	    "share_instance = ");
	while (n + 4 < sizeof(text)) {
		memcpy(text + n, "\xe2\x82\xac", 4);
		n += 3;
	}
	write_text(dir, "config", text);
	assert_int_equal(call(verb_check_config, dir, &said, false, NULL, NULL),
	    CLI_USAGE);
	assert_non_null(strstr(said->err, ": 1 mistake\n"));
	assert_int_equal(call(verb_check_config, dir, &said, true, NULL, NULL),
	    CLI_USAGE);
	assert_non_null(strstr(said->out, "share_instance"));
	temp_remove(dir);
}

/* The node's keys: made once; not replaced when node.yaml names one. */
static void
test_identity(void **state)
{
	struct cli me = {.verb = "identity", .json = true};
	const char *dir = temp_dir();
	const struct captured *said;
	char verb[] = "identity", first[1024], text[256], path[400], other[400];
	char *argv[] = {verb, NULL}, *key;

	(void)state;
	me.config = dir;
	capture_begin();
	assert_int_equal(verb_identity(&me, 1, argv), CLI_OK);
	said = capture_end();
	(void)snprintf(first, sizeof(first), "%.1023s", said->out);
	capture_begin();
	assert_int_equal(verb_identity(&me, 1, argv), CLI_OK);
	said = capture_end();
	assert_string_equal(said->out, first);
	key = strstr(first, "pubkey:ecc-secp256k1:");
	assert_non_null(key);
	(void)snprintf(text, sizeof(text), "mesh_identity: %.*s\n",
	    (int)strcspn(key, "\""), key);
	write_text(dir, "node.yaml", text);
	capture_begin();
	assert_int_equal(verb_identity(&me, 1, argv), CLI_OK);
	said = capture_end();
	assert_int_equal(call(verb_check_config, dir, &said, false, NULL, NULL),
	    CLI_OK);
	/* a key that was brought back needs nothing else there */
	(void)snprintf(other, sizeof(other), "%s/storage/transport_identity",
	    dir);
	assert_int_equal(unlink(other), 0);
	capture_begin();
	assert_int_equal(verb_identity(&me, 1, argv), CLI_OK);
	said = capture_end();
	assert_int_equal(access(other, F_OK), 0);
	/* the key is lost: neither made anew nor passed over */
	(void)snprintf(path, sizeof(path), "%s/warren/keys/mesh", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(other), 0);
	capture_begin();
	assert_int_equal(verb_identity(&me, 1, argv), CLI_FAILED);
	said = capture_end();
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(other, F_OK), -1);
	assert_non_null(strstr(said->err, "warren/keys/mesh: No such"));
	assert_non_null(strstr(said->err, "take the line out"));
	assert_int_equal(call(verb_check_config, dir, &said, false, NULL, NULL),
	    CLI_USAGE);
	/* a folder that is not there is not made: it may be a slip */
	me.config = path;
	capture_begin();
	assert_int_equal(verb_identity(&me, 1, argv), CLI_FAILED);
	assert_non_null(strstr(capture_end()->err, "mkdir -m 700"));
	assert_int_equal(access(path, F_OK), -1);
	temp_remove(dir);
}

/* node.yaml with the key of who writes it: told apart, and the way out. */
static void
test_identity_personal(void **state)
{
	struct cli me = {.verb = "identity", .json = true};
	const char *dir = temp_dir();
	const struct captured *said;
	char verb[] = "identity", text[256], home[400], mine[1024];
	char *argv[] = {verb, NULL}, *key;

	(void)state;
	(void)snprintf(home, sizeof(home), "%s/home", dir);
	assert_int_equal(setenv("XDG_CONFIG_HOME", home, 1), 0);
	capture_begin();
	assert_int_equal(verb_identity(&me, 1, argv), CLI_OK);
	said = capture_end();
	(void)snprintf(mine, sizeof(mine), "%.1023s", said->out);
	key = strstr(mine, "pubkey:ecc-secp256k1:");
	assert_non_null(key);
	(void)snprintf(text, sizeof(text), "mesh_identity: %.*s\n",
	    (int)strcspn(key, "\""), key);
	write_text(dir, "node.yaml", text);
	me.config = dir;
	capture_begin();
	assert_int_equal(verb_identity(&me, 1, argv), CLI_FAILED);
	said = capture_end();
	assert_non_null(strstr(said->err, "your personal key"));
	key = strstr(said->out, "pubkey:ecc-secp256k1:");
	assert_non_null(key);
	(void)snprintf(text, sizeof(text), "mesh_identity: %.*s\n",
	    (int)strcspn(key, "\""), key);
	write_text(dir, "node.yaml", text);
	text[strlen(text) - 1] = '\0'; /* the end of the line */
	assert_null(strstr(mine, text + strlen("mesh_identity: ")));
	capture_begin();
	assert_int_equal(verb_identity(&me, 1, argv), CLI_OK);
	said = capture_end();
	assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
	temp_remove(dir);
}

static void
test_images(void **state)
{
	const char *dir = temp_dir();
	const struct captured *said;

	(void)state;
	assert_int_equal(call(verb_image_list, dir, &said, false, NULL, NULL),
	    CLI_OK);
	assert_string_equal(said->err, "No images.\n");
	assert_int_equal(call(verb_image_list, dir, &said, true, NULL, NULL),
	    CLI_OK);
	assert_string_equal(said->out, "{\"images\":[]}\n");
	assert_int_equal(call(verb_image_import, dir, &said, false, dir, NULL),
	    CLI_USAGE);
	assert_int_equal(call(verb_image_import, dir, &said, false,
			     "--name=UPPER", dir), CLI_USAGE);
	assert_int_equal(call(verb_image_import, dir, &said, false,
			     "--name=a:b", "/nonexistent"), CLI_FAILED);
	temp_remove(dir);
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Asked until the answer is there; the path is shown edge by edge. */
static void
test_trust_why(void **state)
{
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"pending\":true}\n",
	    "{\"ok\":true,\"end\":true,\"fp\":\"" B64 "\",\"rns\":null,"
	    "\"level\":2,\"why\":\"reached\",\"revoked\":\"\",\"jobs\":\"\","
	    "\"valid_until\":1800000000,\"paths\":[[{\"source\":\"" A64 "\","
	    "\"target\":\"" B64 "\",\"level\":2,\"confidence\":1000,"
	    "\"left\":72,\"issued\":5,\"expires\":1800000000}]]}\n"};
	static const char *const refused[] = {
	    "{\"ok\":false,\"exit\":2,\"why\":\"\\\"scope\\\": none\"}\n"};
	const char *dir = temp_dir();
	pid_t pid = serve(dir, "node.sock", answers, 2);
	const struct captured *said;

	(void)state;
	assert_int_equal(call(verb_trust_why, dir, &said, false, B64, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	assert_non_null(strstr(said->out, "level       +2\n"));
	assert_non_null(strstr(said->out, "because     reached\n"));
	assert_non_null(strstr(said->out, "path 1      aaaaaaaaaaaaaaaa\n"));
	assert_non_null(strstr(said->out, "+2 -> bbbbbbbbbbbbbbbb  confidence "
					  "1.000, by now 0.072"));
	pid = serve(dir, "node.sock", answers + 1, 1);
	assert_int_equal(call(verb_trust_why, dir, &said, true, B64, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	assert_non_null(strstr(said->out, "\"paths\":[[{"));
	pid = serve(dir, "node.sock", refused, 1);
	assert_int_equal(call(verb_trust_why, dir, &said, false, B64,
	    "--scope=x"), CLI_USAGE);
	(void)waitpid(pid, NULL, 0);
	assert_int_equal(call(verb_trust_why, dir, &said, false, "bob", NULL),
	    CLI_USAGE);
	assert_non_null(strstr(said->err, "bob: no URN"));
	temp_remove(dir);
}

static void
test_trust_show(void **state)
{
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"documents\":[]}\n",
	    "{\"ok\":true,\"end\":true,\"documents\":[{\"authority\":"
	    "\"board.example\",\"path\":\"graph.json\",\"root\":3,\"version\":"
	    "7,\"fresh\":\"stale\",\"expires\":1800000000,\"entries\":12,"
	    "\"held\":\"3 of 9\"}]}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid;

	(void)state;
	pid = serve(dir, "node.sock", answers, 1);
	assert_int_equal(call(verb_trust_show, dir, &said, false, NULL, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	assert_non_null(strstr(said->err, "no authority counts here"));
	pid = serve(dir, "node.sock", answers + 1, 1);
	assert_int_equal(call(verb_trust_show, dir, &said, false, NULL, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	assert_non_null(strstr(said->out, "board.example"));
	assert_non_null(strstr(said->out, "stale"));
	assert_non_null(strstr(said->out, "3 of 9"));
	temp_remove(dir);
}

static void
test_trust_clock(void **state)
{
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"now\":1800000000,\"floor\":"
	    "1800000100,\"behind\":100,\"signed\":0,\"lowered\":0}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid;

	(void)state;
	pid = serve(dir, "node.sock", answers, 1);
	assert_int_equal(call(verb_trust_clock, dir, &said, false, NULL, NULL),
	    CLI_OK);
	(void)waitpid(pid, NULL, 0);
	assert_non_null(strstr(said->out, "100 s behind"));
	assert_non_null(strstr(said->err, "trust clock --lower"));
	temp_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ask),
	    cmocka_unit_test(test_hint_service),
	    cmocka_unit_test(test_trust_why),
	    cmocka_unit_test(test_trust_show),
	    cmocka_unit_test(test_trust_clock),
	    cmocka_unit_test(test_ask_long),
	    cmocka_unit_test(test_jobs),
	    cmocka_unit_test(test_approve),
	    cmocka_unit_test(test_show),
	    cmocka_unit_test(test_nobodys),
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_status_alone),
	    cmocka_unit_test(test_trail),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_identity),
	    cmocka_unit_test(test_identity_personal),
	    cmocka_unit_test(test_images),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("cli_here", tests, NULL, NULL);
}
