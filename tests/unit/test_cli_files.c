/* SPDX-License-Identifier: BSD-2-Clause */
/* What people write: JOB.yaml, submit.yaml, their keys. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/cli_capture.h"
#include "common/util.h"

#include "node/cli/busy.h"
#include "node/cli/jobfile.h"
#include "node/cli/person.h"
#include "node/cli/remote.h"
#include "node/cli/ways.h"

static struct cli c = {.verb = "test"};

/* ---- JOB.yaml ---- */

static void
test_job_good(void **state)
{
	static const char text[] =
	    "image: kai/agent-runtime:latest\n"
	    "command: [\"/bin/sh\", \"-c\", \"sort\"]\n"
	    "env: {LANG: C, N: 07}\n"
	    "cap_drop: [ALL]\n"
	    "seccomp_profile: /etc/seccomp/kai-default.json\n"
	    "read_only_fs: true\n"
	    "limits: {memory: 256MB, cpu: 0.5, time: 60s, pids: 64,"
	    " output: 1MB, log: 64kB}\n"
	    "volumes:\n"
	    "  - ./data:/agent/data:ro\n"
	    "  - ./a:b:/agent/tmp:rw\n"
	    "network: isolated\n"
	    "trust: {level: high, requires_review: false,"
	    " approved_by: \"kOS Core Trust Board v1.4\"}\n"
	    "deadline: 24h\n"
	    "retries: 2\n";
	const char *dir = temp_dir();
	struct job_file f;
	char path[512];

	(void)state;
	write_text(dir, "job.yaml", text);
	(void)snprintf(path, sizeof(path), "%s/job.yaml", dir);
	assert_int_equal(job_file_read(&c, path, &f), CLI_OK);
	assert_string_equal(f.m.image, "kai/agent-runtime:latest");
	assert_int_equal(f.m.command.n, 3);
	assert_string_equal(f.m.env.v[1], "N=07");
	assert_int_equal(f.m.limit[LIMIT_MEMORY], 256u << 20);
	assert_int_equal(f.m.limit[LIMIT_CPU], 500);
	assert_int_equal(f.m.limit[LIMIT_TIME], 60000);
	assert_int_equal(f.m.limit[LIMIT_LOG], 65536);
	assert_int_equal(f.m.nvolumes, 2);
	assert_string_equal(f.local[0], "./data");
	assert_string_equal(f.local[1], "./a:b");
	assert_string_equal(f.m.volume[1].target, "/agent/tmp");
	assert_true(f.m.volume[1].rw);
	assert_int_equal(f.deadline_s, 86400);
	assert_int_equal(f.m.retries, 2);
	job_file_clear(&f);
	temp_remove(dir);
}

static void
test_job_bad(void **state)
{
	/* text, and where what is said */
	static const struct {
		const char *text, *said;
	} t[] = {
	    {"", "the file is empty"},
	    {"- a\n", ":1:1: "},
	    {"image: x\nimagee: y\n", ":2:1: unknown key \"imagee\""},
	    {"image: x\ncomand: [a]\n", "did you mean \"command\""},
	    {"command: [a]\n", ":1:1: a job has exactly one of"},
	    {"image: x\nwasm: ./m\n", ":1:1: a job has exactly one of"},
	    {"image: [x]\n", ":1:8: "},
	    {"wasm: {fuel: 1}\n", ":1:7: wasm names no module"},
	    {"wasm: {module: m, fuel: 0}\n", ":1:25: wasm.fuel"},
	    {"wasm: {module: m, files: disk}\n", ":1:26: "},
	    {"wasm: {module: m, deterministic: 3}\n", ":1:34: "},
	    {"wasm: {module: m, stack: 3}\n", ":1:19: unknown key"},
	    {"wasm: [m]\n", ":1:7: "},
	    {"image: \"\"\n", ":1:8: "},
	    {"image: x\nlimits: {memroy: 1MB}\n", ":2:10: unknown key"},
	    {"image: x\nlimits: {memory: 1XB}\n", ":2:18: limits.memory"},
	    {"image: x\nlimits: {cpu: fast}\n", ":2:15: limits.cpu"},
	    {"image: x\nlimits: {pids: 0}\n", ":2:16: limits.pids"},
	    {"image: x\nlimits: {time: 5}\n", ":2:16: limits.time"},
	    {"image: x\nvolumes: ./a\n", ":2:10: volumes"},
	    {"image: x\nvolumes:\n  - ./a:/b\n", ":3:5: volumes"},
	    {"image: x\nvolumes:\n  - ./a:/b:rx\n", ":3:5: volumes"},
	    {"image: x\nvolumes:\n  - ./a:b:ro\n", ":3:5: volumes"},
	    {"image: x\nvolumes:\n  - ./a:/proc/x:ro\n", ":3:5: volumes"},
	    {"image: x\nvolumes:\n  - ./a:/b/../c:ro\n", ":3:5: volumes"},
	    {"image: x\nvolumes:\n  - ./a:/b:ro\n  - ./c:/b/d:rw\n",
		":4:5: volumes: ./c:/b/d:rw: it lies in another"},
	    {"image: x\nnetwork: host\n", ":2:10: network"},
	    {"image: x\ntrust: {level: huge}\n", ":2:16: trust.level"},
	    {"image: x\ntrust: {levle: high}\n", ":2:9: unknown key"},
	    {"image: x\nretries: 17\n", ":2:10: retries"},
	    {"image: x\nretries: many\n", ":2:10: retries"},
	    {"image: x\ndeadline: tomorrow\n", ":2:11: deadline"},
	    {"image: x\nread_only_fs: maybe\n", ":2:15: read_only_fs"},
	    {"image: x\nenv: {A: [b]}\n", ":2:10: env: A"},
	    {"image: x\nenv: {1A: b}\n", ":2:11: env: 1A is no name"},
	    {"image: x\nenv: {A b: c, B: [d]}\n", ":2:12: env: A b is no name"},
	    {"image: x\nimage: y\n", ":2:"},
	    {"image: &a x\n", ":1:"},
	    {"image: x\n\tcommand: y\n", ":2:"},
	    {"image: x\ncommand: {a: b}\n", ":2:10: command"},
	};
	const char *dir = temp_dir();
	char path[512];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/job.yaml", dir);
	for (size_t i = 0; i < NELEM(t); i++) {
		const struct captured *said;
		struct job_file f;
		int rc;

		write_text(dir, "job.yaml", t[i].text);
		capture_begin();
		rc = job_file_read(&c, path, &f);
		said = capture_end();
		job_file_clear(&f);
		if (rc != CLI_USAGE || strstr(said->err, t[i].said) == NULL ||
		    strstr(said->err, "job.yaml:") == NULL)
			fail_msg("%s: %d, says %s", t[i].text, rc, said->err);
	}
	temp_remove(dir);
}

/* More than a list may hold is told once, and nothing goes by the board. */
static void
test_job_lists(void **state)
{
	static const struct {
		const char *head, *tail, *said;
		int most;
	} t[] = {
	    {"command: [", "a]", "command: there are more than 256", 255},
	    {"cap_drop: [", "ALL]",
		"cap_drop: there are more than 64", 63},
	    {"env: {", "Z: b}", "env: there are more than 256", 255},
	};
	const char *dir = temp_dir();
	char path[512], text[8192];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/job.yaml", dir);
	for (size_t i = 0; i < 2 * NELEM(t); i++) {
		size_t k = i / 2, n;
		bool over = i % 2 != 0;
		const struct captured *said;
		struct job_file f;
		int rc;

		n = (size_t)snprintf(text, sizeof(text), "image: x\n%s",
		    t[k].head);
		for (int j = 0; j < t[k].most + over; j++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    k == 2 ? "A%d: b," : k == 1 ? "CAP_CHOWN," : "a,",
			    j);
		(void)snprintf(text + n, sizeof(text) - n, "%s\n", t[k].tail);
		write_text(dir, "job.yaml", text);
		capture_begin();
		rc = job_file_read(&c, path, &f);
		said = capture_end();
		job_file_clear(&f);
		if (over ? rc != CLI_USAGE ||
			strstr(said->err, t[k].said) == NULL ||
			strlen(said->err) > 200 :
			rc != CLI_OK)
			fail_msg("%zu: %d, says %s", i, rc, said->err);
	}
	temp_remove(dir);
}

/* A folder in the place of the file is said to be one. */
static void
test_job_folder(void **state)
{
	const char *dir = temp_dir();
	const struct captured *said;
	struct job_file f;
	char path[512];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/job.yaml", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	capture_begin();
	assert_int_equal(job_file_read(&c, path, &f), CLI_USAGE);
	said = capture_end();
	job_file_clear(&f);
	assert_non_null(strstr(said->err, "job.yaml: Is a directory"));
	temp_remove(dir);
}

/* Several mistakes are told at once; --json has each as an object. */
static void
test_job_many(void **state)
{
	struct cli js = {.verb = "submit", .json = true};
	const char *dir = temp_dir();
	const struct captured *said;
	const char *p;
	struct job_file f;
	char path[512];
	int n = 0;

	(void)state;
	write_text(dir, "job.yaml", "image: x\na: 1\nb: 2\nretries: x\n");
	(void)snprintf(path, sizeof(path), "%s/job.yaml", dir);
	capture_begin();
	assert_int_equal(job_file_read(&js, path, &f), CLI_USAGE);
	said = capture_end();
	job_file_clear(&f);
	for (p = said->out; (p = strstr(p, "\"event\":\"error\"")) != NULL; p++)
		n++;
	assert_int_equal(n, 3);
	temp_remove(dir);
}

/* ---- keys ---- */

static int
load(const char *dir, struct person *p, const struct captured **said)
{
	struct cli me = {.verb = "test", .identity = dir};
	int rc;

	capture_begin();
	rc = person_load(&me, p);
	*said = capture_end();
	person_clear(p);
	return rc;
}

static void
test_person(void **state)
{
	const char *base = temp_dir();
	const struct captured *said;
	struct person a, b;
	struct binding bound, made;
	char dir[400], path[512];
	struct stat st;
	int fd;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/deep/me", base);
	assert_int_equal(load(dir, &a, &said), CLI_OK);
	assert_int_equal(load(dir, &b, &said), CLI_OK);
	assert_memory_equal(a.fp.b, b.fp.b, FP_LEN);
	assert_memory_equal(a.binding, b.binding, BINDING_LEN);
	for (int i = 0; i < 3; i++) {
		static const char *const name[] = {"reticulum", "mesh",
		    "binding"};

		(void)snprintf(path, sizeof(path), "%s/%s", dir, name[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	/* a broken binding is made anew */
	write_text(dir, "binding", "nothing");
	assert_int_equal(load(dir, &b, &said), CLI_OK);
	assert_memory_equal(a.fp.b, b.fp.b, FP_LEN);
	/* a new one is higher than the old, also when the clock went back */
	assert_true(binding_parse(&bound, b.binding, BINDING_LEN));
	bound.serial += 86400;
	bound.not_after = bound.not_before + 1;
	binding_put(b.binding, &bound);
	(void)snprintf(path, sizeof(path), "%s/binding", dir);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, b.binding, BINDING_LEN), BINDING_LEN);
	(void)close(fd);
	assert_int_equal(load(dir, &b, &said), CLI_OK);
	assert_true(binding_parse(&made, b.binding, BINDING_LEN));
	assert_int_equal(made.serial, bound.serial + 1);
	/* a key that others can read is refused, and is left as it is */
	(void)snprintf(path, sizeof(path), "%s/mesh", dir);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(load(dir, &b, &said), CLI_FAILED);
	assert_non_null(strstr(said->err, "chmod 600"));
	assert_int_equal(chmod(path, 0600), 0);
	/* a key of another length */
	write_text(dir, "mesh", "short");
	assert_int_equal(load(dir, &b, &said), CLI_FAILED);
	assert_non_null(strstr(said->err, "mesh: "));
	write_text(dir, "mesh", "this text is longer than thirty-two bytes");
	assert_int_equal(load(dir, &b, &said), CLI_FAILED);
	/* not a scalar of the curve */
	write_text(dir, "mesh",
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	assert_int_equal(load(dir, &b, &said), CLI_FAILED);
	/* a link to elsewhere */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(load(dir, &b, &said), CLI_FAILED);
	assert_int_equal(unlink(path), 0);
	/* a folder that others can write */
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(load(dir, &b, &said), CLI_FAILED);
	assert_non_null(strstr(said->err, "chmod go-w"));
	temp_remove(base);
}

static void
test_notes(void **state)
{
	const char *base = temp_dir();
	struct cli me = {.verb = "test", .identity = base};
	struct job_note n = {.folder = "/some/where"}, got;
	struct person p;

	(void)state;
	assert_int_equal(person_load(&me, &p), CLI_OK);
	memset(&n.job, 0xab, sizeof(n.job));
	memset(&n.dest, 7, sizeof(n.dest));
	assert_true(person_note_job(&p, &n));
	assert_int_equal(person_find_job(&p, "abab", &got), 1);
	assert_memory_equal(&got, &n, sizeof(n));
	assert_int_equal(person_find_job(&p, "ABABAB", &got), 1);
	assert_int_equal(person_find_job(&p, "abac", &got), 0);
	assert_int_equal(person_find_job(&p, "aba", &got), 0);
	n.job.b[20] = 0xac;
	assert_true(person_note_job(&p, &n));
	assert_int_equal(person_find_job(&p, "abab", &got), -1);
	person_forget_job(&p, &n.job);
	assert_int_equal(person_find_job(&p, "abab", &got), 1);
	/* a name, of several the last; what was seen; all that was noted */
	(void)snprintf(n.name, sizeof(n.name), "nightly");
	(void)snprintf(n.label[0], sizeof(n.label[0]), "team=moles");
	(void)snprintf(n.label[1], sizeof(n.label[1]), "dry run");
	(void)snprintf(n.image, sizeof(n.image), "a:b");
	n.at = 7;
	assert_true(person_note_job(&p, &n));
	assert_int_equal(person_find_job(&p, "nightly", &got), 1);
	assert_memory_equal(&got, &n, sizeof(n));
	n.job.b[0] = 1;
	n.at = 9;
	assert_true(person_note_job(&p, &n));
	assert_int_equal(person_find_job(&p, "nightly", &got), 1);
	assert_memory_equal(got.job.b, n.job.b, 32);
	assert_int_equal(person_find_job(&p, "night", &got), 0);
	/* within one second too, in whatever order the folder lists them */
	for (unsigned i = 0; i < 32; i++) {
		n.job.b[0] = (uint8_t)(32 + i * 7);
		n.at_us = 1 + (i * 5) % 32;
		assert_true(person_note_job(&p, &n));
	}
	assert_int_equal(person_find_job(&p, "nightly", &got), 1);
	assert_int_equal(got.at, 9);
	assert_int_equal(got.at_us, 32);
	n = got;
	person_saw_job(&p, &n.job, "done", "killed memory");
	assert_int_equal(person_find_job(&p, "nightly", &got), 1);
	assert_string_equal(got.state, "done");
	assert_string_equal(got.outcome, "killed memory");
	assert_string_equal(got.label[1], "dry run");
	assert_true(person_get_job(&p, &n.job, &got));
	assert_string_equal(got.outcome, "killed memory");
	/* nothing is noted of what was not submitted from here */
	n.job.b[0] = 2;
	person_saw_job(&p, &n.job, "done", "exited 0");
	assert_int_equal(person_find_job(&p, "02ababab", &got), 0);
	assert_false(person_get_job(&p, &n.job, &got));
	person_clear(&p);
	temp_remove(base);
}

static void
test_names(void **state)
{
	static const struct {
		const char *text;
		bool name, label;
	} t[] = {
	    {"nightly", true, true}, {"a", true, true}, {"b-1.x_y", true, true},
	    {"", false, false}, {"-x", false, false}, {".x", false, false},
	    {"a b", false, false}, {"a/b", false, false}, {"beef", false, true},
	    {"BEEF", false, true}, {"bee", true, true}, {"0123", false, true},
	    {"beefy", true, true}, {"k=v", false, true}, {"k=", false, true},
	    {"=v", false, false}, {"k=a b", false, true},
	    {"k=a\nb", false, false}, {"\xc3\xbc", false, false},
	};
	char big[200];

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++)
		if ((job_name_bad(t[i].text) == NULL) != t[i].name ||
		    (job_label_bad(t[i].text) == NULL) != t[i].label)
			fail_msg("%s", t[i].text);
	memset(big, 'x', sizeof(big));
	big[JOB_LABEL_MAX + 1] = '\0';
	assert_non_null(job_label_bad(big));
	big[JOB_LABEL_MAX] = '\0';
	assert_null(job_label_bad(big));
	big[JOB_NAME_MAX + 1] = '\0';
	assert_non_null(job_name_bad(big));
	big[JOB_NAME_MAX] = '\0';
	assert_null(job_name_bad(big));
}

/* ---- whom inputs may go to ---- */

/* Whose budget, what is left of it, when it is full, how long all of it takes. */
static void
test_busy(void **state)
{
	struct proto_meta m = {.code = pstr_of("bytes"), .of = pstr_of("peer"),
	    .has_limit = true, .limit = 5 << 20, .left = 3 << 10,
	    .full_s = 58};
	static const char *const codes[] = {"disk", "ledger", "trust", "keys",
	    "load", "stream"};
	const struct captured *said;
	struct busy_shown shown = {""};
	char text[BUSY_TEXT], plain[BUSY_TEXT];

	(void)state;
	busy_text(text, &m, 0);
	assert_string_equal(text, "your budget of bytes on this node is used "
				  "up: 3.0 KiB of 5.0 MiB a minute left, full "
				  "again in 58 s");
	busy_text(text, &m, 50u << 20);
	assert_non_null(strstr(text, "; what is to be moved still takes about "
				     "10 min"));
	m.of = pstr_of("strangers");
	m.code = pstr_of("requests");
	m.limit = 600;
	m.left = 0;
	busy_text(text, &m, 50u << 20);
	assert_string_equal(text, "the budget that all strangers share of "
				  "requests on this node is used up: 0 of 600 "
				  "a minute left, full again in 58 s");
	/* one line when it changes, not one for every answer */
	capture_begin();
	busy_say(&c, &shown, &m, 1, 0);
	busy_say(&c, &shown, &m, 2, 0);
	m.code = pstr_of("disk");
	busy_say(&c, &shown, &m, 2, 0);
	busy_say(&c, &shown, &m, 2, 0);
	said = capture_end();
	assert_non_null(strstr(said->err, "share of requests"));
	assert_null(strstr(strstr(said->err, "share of") + 1, "share of"));
	assert_non_null(strstr(said->err, "no room"));
	/* each code has words of its own; of an older node there is none */
	m = (struct proto_meta){0};
	busy_text(plain, &m, 0);
	assert_string_equal(plain, "the node is busy");
	for (size_t i = 0; i < NELEM(codes); i++) {
		m.code = pstr_of(codes[i]);
		busy_text(text, &m, 0);
		assert_string_not_equal(text, plain);
	}
	/* known before: for a script, too, whether it is known of now */
	for (unsigned kept = 0; kept < 2; kept++) {
		struct cli script = c;

		script.json = true;
		capture_begin();
		busy_foresee(&script, "upload", 100 << 20, 5 << 20, 0, kept);
		said = capture_end();
		assert_non_null(strstr(said->out, kept ? "\"kept\":true" :
		    "\"kept\":false"));
		assert_non_null(strstr(said->err, kept ? "when it was asked" :
		    "is 5.0 MiB a minute"));
	}
	assert_int_equal(busy_transfer_s(100, 0, 0), 0);
	assert_int_equal(busy_transfer_s(100, 10, 100), 0);
	assert_int_equal(busy_transfer_s(160, 10, 100), 361);
	assert_true(busy_transfer_s(UINT64_MAX, 1, 0) > 0);
}

/* A key that is nobody's in particular, and its klp.node destination. */
static void
node_key(unsigned n, uint8_t key[RNS_KEY], struct hash16 *dest)
{
	uint8_t priv[RNS_KEY];
	struct hash16 id;

	memset(priv, (int)n + 1, sizeof(priv));
	assert_int_equal(rns_identity_derive(key, &id, priv), RNS_OK);
	assert_int_equal(rns_dest_hash(dest, "klp.node", &id), RNS_OK);
}

/* The ways to nodes: by folder, the newest first, a strange file is no way. */
static void
test_ways(void **state)
{
	const char *dir = temp_dir();
	struct person p = {.dir = open(dir, O_RDONLY | O_DIRECTORY)};
	struct attach_way way = {.hops = 2}, got;
	struct hash16 dest[3];
	uint8_t key[3][RNS_KEY];
	char text[65536];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		node_key(i, key[i], &dest[i]);
	assert_false(ways_find(&p, "/etc/reticulum", &dest[0], NULL, &got));
	memset(&way.next_hop, 7, sizeof(way.next_hop));
	memcpy(way.public_key, key[0], RNS_KEY);
	ways_note(&p, "/etc/reticulum", &dest[0], &way);
	memset(&way.next_hop, 8, sizeof(way.next_hop));
	ways_note(&p, "/home/a b", &dest[0], &way);
	memcpy(way.public_key, key[1], RNS_KEY);
	ways_note(&p, "/home/a b", &dest[1], &way);
	assert_true(ways_find(&p, "/etc/reticulum", &dest[0], NULL, &got));
	assert_int_equal(got.next_hop.b[0], 7);
	assert_int_equal(got.hops, 2);
	assert_memory_equal(got.public_key, key[0], RNS_KEY);
	assert_true(ways_find(&p, "/home/a b", &dest[0], NULL, &got));
	assert_int_equal(got.next_hop.b[0], 8);
	assert_false(ways_find(&p, "/home/a", &dest[0], NULL, &got));
	assert_false(ways_find(&p, "/etc/reticulum", &dest[1], NULL, &got));
	/* one that was heard of, through the same instance; not by any key */
	assert_true(ways_find(&p, "/etc/reticulum", &dest[1], key[1], &got));
	assert_int_equal(got.next_hop.b[0], 7);
	assert_memory_equal(got.public_key, key[1], RNS_KEY);
	assert_false(ways_find(&p, "/etc/reticulum", &dest[1], key[2], &got));
	/* noted anew; no more than there is room for */
	memcpy(way.public_key, key[0], RNS_KEY);
	memset(&way.next_hop, 9, sizeof(way.next_hop));
	ways_note(&p, "/etc/reticulum", &dest[0], &way);
	assert_true(ways_find(&p, "/etc/reticulum", &dest[0], NULL, &got));
	assert_int_equal(got.next_hop.b[0], 9);
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(text, 40, "/folder/%u", i);
		ways_note(&p, text, &dest[0], &way);
	}
	assert_true(ways_find(&p, "/folder/99", &dest[0], NULL, &got));
	assert_true(ways_find(&p, "/folder/36", &dest[0], NULL, &got));
	assert_false(ways_find(&p, "/folder/35", &dest[0], NULL, &got));
	/* somebody else's words */
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	write_text(dir, "ways", text);
	assert_false(ways_find(&p, "/etc/reticulum", &dest[0], key[0], &got));
	ways_note(&p, "/etc/reticulum", &dest[0], &way);
	assert_true(ways_find(&p, "/etc/reticulum", &dest[0], NULL, &got));
	(void)close(p.dir);
	temp_remove(dir);
}

static void
test_judge(void **state)
{
	struct remote r = {0};
	char fp[65];
	static const struct {
		const char *text; /* %s: the fingerprint */
		enum node_by by;
		bool may;
		int level;
	} t[] = {
	    {"", NODE_BY_HASH, true, 0},
	    {"", NODE_BY_URN, true, 0},
	    {"", NODE_BY_NAME, false, 0},
	    {"floor: 1\n", NODE_BY_HASH, false, 0},
	    {"floor: -1\n", NODE_BY_NAME, false, 0},
	    {"pins: [{id: \"urn:klp:x:device:%s\", level: 0}]\n",
		NODE_BY_NAME, true, 0},
	    {"pins: [{id: \"urn:klp:x:device:%s\", level: 2}]\nfloor: 2\n",
		NODE_BY_NAME, true, 2},
	    {"pins: [{id: \"urn:klp:x:device:%s\", level: 1}]\nfloor: 2\n",
		NODE_BY_HASH, false, 1},
	    {"pins: [{id: \"urn:klp:x:device:%s\", level: -1}]\n",
		NODE_BY_HASH, false, -1},
	    {"pins: [{id: \"urn:klp:x:device:%s\", level: -3}]\nfloor: -3\n",
		NODE_BY_URN, false, -3},
	    {"anchors: [{id: \"urn:klp:x:device:%s\", max_level: 3}]\n",
		NODE_BY_NAME, true, 3},
	    {"anchors: [{id: \"urn:klp:x:device:%s\", scopes: "
	     "[job.submit]}]\n",
		NODE_BY_NAME, false, 0},
	    {"anchors: [{id: \"urn:klp:x:device:%s\", scopes: "
	     "[job.result]}]\nfloor: 3\n",
		NODE_BY_HASH, true, 3},
	};

	(void)state;
	memset(&r.fp, 0x5c, sizeof(r.fp));
	hex_encode(fp, HASH_BYTES(r.fp));
	for (size_t i = 0; i < NELEM(t); i++) {
		static struct mistakes bad;
		struct node_config *conf;
		char text[400];
		const char *at = strstr(t[i].text, "%s"), *why;
		int level;

		if (at != NULL)
			(void)snprintf(text, sizeof(text), "%.*s%s%s",
			    (int)(at - t[i].text), t[i].text, fp, at + 2);
		else
			(void)snprintf(text, sizeof(text), "%s", t[i].text);
		assert_int_equal(submit_config_parse(&conf, text, strlen(text),
				     &bad), 0);
		why = remote_judge(conf, &r, t[i].by, &level);
		if ((why == NULL) != t[i].may || level != t[i].level)
			fail_msg("%zu: %s, level %d", i,
			    why != NULL ? why : "may", level);
		node_config_free(conf);
	}
}

/* ---- who is meant ---- */

static void
test_match(void **state)
{
	enum { NOW = 1800000000, DAY = 24 * 3600 };
	/* two of one name, one of them gone; one gone; one never heard */
	static const struct {
		uint8_t first, second;
		const char *name;
		int64_t heard;
		bool noted;
	} nodes[] = {
	    {0xa1, 0xa1, "burrow", NOW - 60, false},
	    {0xa1, 0xa2, "burrow", NOW - 2 * DAY, false},
	    {0xb1, 0, "den", NOW - DAY - 1, false},
	    {0xb2, 0, "hole", 0, true},
	    {0xc3, 0, "beef", NOW, false},
	};
	static const struct {
		const char *text;
		int found;
		enum node_by by;
		uint8_t second;
		uint8_t first;
	} t[] = {
	    {"burrow", 1, NODE_BY_NAME, 0xa1, 0xa1}, /* the one that is heard */
	    {"den", 1, NODE_BY_NAME, 0, 0xb1}, /* gone, and nobody else */
	    {"hole", 1, NODE_BY_NAME, 0, 0xb2},
	    {"nobody", 0, NODE_BY_NAME, 0, 0},
	    {"a1", 0, NODE_BY_NAME, 0, 0},     /* too short for a hash */
	    {"a1a2", 1, NODE_BY_NAME, 0xa2, 0xa1},
	    {"A1A2", 1, NODE_BY_NAME, 0xa2, 0xa1},
	    {"b200", 1, NODE_BY_HASH, 0, 0xb2}, /* dealt with: one's own word */
	    {"beef", 1, NODE_BY_NAME, 0, 0xc3}, /* a name that looks like one */
	    {"a1a1070707070707", 1, NODE_BY_HASH, 0xa1, 0xa1},
	    {"a1a107070707070", 1, NODE_BY_NAME, 0xa1, 0xa1},
	    {"a1a20707070707070707070707070707", 1, NODE_BY_HASH, 0xa2, 0xa1},
	    {"a1a30707070707070707070707070707", 0, NODE_BY_HASH, 0, 0},
	};
	struct node_info v[NELEM(nodes) + 1] = {0};
	struct node_list l = {v, NELEM(nodes)};
	enum node_by by;
	struct hash16 dest;

	(void)state;
	for (size_t i = 0; i < NELEM(nodes); i++) {
		memset(&v[i].dest, nodes[i].noted ? 0 : 7, sizeof(v[i].dest));
		v[i].dest.b[0] = nodes[i].first;
		v[i].dest.b[1] = nodes[i].second;
		(void)snprintf(v[i].name, sizeof(v[i].name), "%s",
		    nodes[i].name);
		v[i].heard_us = nodes[i].heard * 1000000;
		v[i].noted = nodes[i].noted;
	}
	for (size_t i = 0; i < NELEM(t); i++) {
		int found = nodes_match(&l, t[i].text, NOW, &by, &dest);

		if (found != t[i].found || by != t[i].by ||
		    (found == 1 && (dest.b[0] != t[i].first ||
					dest.b[1] != t[i].second)))
			fail_msg("%s: %d, by %d, %02x%02x", t[i].text, found,
			    (int)by, dest.b[0], dest.b[1]);
	}
	/* two that are heard are two */
	v[l.n] = v[0];
	v[l.n++].dest.b[1] = 0xa4;
	assert_int_equal(nodes_match(&l, "burrow", NOW, &by, &dest), -1);
	l.n--;
	/* listed are those that are heard, and those that were dealt with */
	assert_int_equal(nodes_drop_aged(&l, NOW), 2);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.v[0].name, "burrow");
	assert_string_equal(l.v[1].name, "hole");
	assert_string_equal(l.v[2].name, "beef");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_job_good),
	    cmocka_unit_test(test_job_bad),
	    cmocka_unit_test(test_job_lists),
	    cmocka_unit_test(test_job_folder),
	    cmocka_unit_test(test_job_many),
	    cmocka_unit_test(test_person),
	    cmocka_unit_test(test_notes),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_ways),
	    cmocka_unit_test(test_busy),
	    cmocka_unit_test(test_judge),
	    cmocka_unit_test(test_match),
	};

	return cmocka_run_group_tests_name("cli_files", tests, NULL, NULL);
}
