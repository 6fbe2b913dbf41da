/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/plan/plan.h"
#include "sandbox/plan/wasm.h"
#include "sandbox/plan/compile.h"
#include "sandbox/base/report.h"
#include "common/util.h"

static const struct plan_limits limits = {
	.required = LAYERS_FLOOR, .available = LAYERS_FLOOR | LAYER_UTS |
	    LAYER_MEMORY | LAYER_CPU | LAYER_PIDS | LAYER_RLIMITS,
	.memory = 1 << 30, .cpu_milli = 2000, .pids = 256, .time_ms = 3600000,
	.output = 1 << 28, .slots = 4, .nvolumes = 2,
};

static struct plan
good(void)
{
	struct plan p;

	memset(&p, 0, sizeof(p));
	memset(&p.job, 1, sizeof(p.job));
	memset(&p.image, 2, sizeof(p.image));
	p.slot = 1;
	p.layers = LAYERS_FLOOR;
	p.memory = plan_memory_least(3, false);
	p.cpu_milli = 500;
	p.pids = 10;
	p.time_ms = 1000;
	p.output = 4096;
	p.io_read = 65536;
	p.args_len = 100;
	p.targets_len = 30;
	p.filter_len = 10;
	p.read_only = true;
	p.nvolumes = 3;
	p.volumes[0] = (struct plan_volume){PLAN_VOL_RO, 0, 1024, 0, 0};
	p.volumes[1] = (struct plan_volume){PLAN_VOL_RW, 0, 2048, 0, 0};
	p.volumes[2] = (struct plan_volume){PLAN_VOL_PROFILE, 1, 0, 0, 0};
	return p;
}

static void
test_codec(void **state)
{
	uint8_t buf[PLAN_BYTES_MAX];
	struct plan p = good(), q;
	struct wr w = wr_make(buf, sizeof(buf));
	struct plan most = good();

	(void)state;
	plan_encode(&w, &p);
	assert_true(wr_ok(&w));
	assert_true(plan_decode(rd_make(buf, w.len), &q));
	assert_memory_equal(&p, &q, sizeof(p));
	for (size_t n = 0; n < w.len; n++)
		assert_false(plan_decode(rd_make(buf, n), &q));
	assert_false(plan_decode(rd_make(buf, w.len + 1), &q));
	for (size_t bit = 0; bit < w.len * 8; bit++) {
		const char *why;

		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (plan_decode(rd_make(buf, w.len), &q))
			(void)plan_check(&q, &limits, &why);
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* the largest fits in its message */
	most.nvolumes = PLAN_VOLUMES_ALL;
	w = wr_make(buf, sizeof(buf));
	plan_encode(&w, &most);
	assert_true(wr_ok(&w));
}

#define CASE(code_, stmt)                                                      \
	do {                                                                   \
		struct plan p = good();                                        \
		const char *why = NULL, *code;                                 \
		stmt;                                                          \
		code = plan_check(&p, &limits, &why);                          \
		if (code == NULL || strcmp(code, code_) != 0)                  \
			fail_msg("%s: %s", #stmt, code == NULL ? "taken" : code); \
		assert_non_null(why);                                          \
	} while (0)

static void
test_check(void **state)
{
	struct plan fine = good();
	const char *no;

	(void)state;
	assert_null(plan_check(&fine, &limits, &no));
	fine.layers = 0; /* the floor holds all the same */
	assert_null(plan_check(&fine, &limits, &no));
	CASE("posture", p.layers = LAYER_BPF);
	CASE("posture", p.layers = 1u << 25);
	CASE("internal", p.slot = 0);
	CASE("internal", p.slot = 5);
	CASE("limits", p.memory = limits.memory + 1);
	CASE("limits", p.memory = 0);
	CASE("limits", p.memory--);
	CASE("limits", p.nvolumes = 4);
	CASE("limits", p.cpu_milli = 2001);
	CASE("limits", p.cpu_milli = 0);
	CASE("limits", p.pids = 257);
	CASE("limits", p.pids = 0);
	CASE("limits", p.time_ms = limits.time_ms + 1);
	CASE("limits", p.time_ms = 0);
	CASE("limits", p.output = limits.output + 1);
	CASE("limits", p.output = 0);
	CASE("internal", p.args_len = 0);
	CASE("internal", p.args_len = PLAN_MEMFD_MAX + 1);
	CASE("internal", p.targets_len = 100);
	CASE("internal", p.args_len = PLAN_MEMFD_MAX;
	    p.targets_len = PLAN_TARGETS_BYTES + 1);
	CASE("internal", p.filter_len = 0);
	CASE("internal", p.filter_len = PLAN_FILTER_MAX + 1);
	CASE("volume", p.volumes[0].kind = 0);
	CASE("volume", p.volumes[0].kind = 9);
	CASE("volume", p.volumes[0].index = 1);
	CASE("volume", p.volumes[2].index = 2);
	CASE("volume", p.volumes[2].size = 1);
	/* a module where there is no runner, a program with one */
	CASE("image", p.runtime = PLAN_WASM; p.module = 1;
	    p.memory = limits.memory; p.pids = WASM_PIDS_LEAST);
	CASE("image", p.runtime = 2);
	CASE("image", p.module = 1);
	CASE("image", p.fuel = 1);
	CASE("image", p.wasm = 1);
}

static void
test_module(void **state)
{
	static const struct {
		uint8_t flags;
		uint64_t size;
		bool good;
	} rows[] = {
	    {WASM_COMPILE, 8, true}, {WASM_COMPILE, 0, false},
	    {WASM_COMPILE, WASM_MODULE_MAX, true},
	    {WASM_COMPILE, WASM_MODULE_MAX + 1, false},
	    {0, WASM_CODE_MAX, true},
	    {0, WASM_CODE_MAX + 1ull, false}, {0, 0, false},
	    {WASM_FLAGS, 8, true}, {WASM_FLAGS + 1, 8, false},
	    {255, 8, false}};
	struct plan_limits l = limits;
	struct plan p = good();
	const char *why;

	(void)state;
	assert_int_equal(wasm_compile_memory(2 << 20), 128 << 20);
	assert_int_equal(wasm_compile_memory(200 << 20), 200 << 20);
	assert_int_equal(wasm_compile_memory(UINT64_MAX), 2048u << 20);
	assert_int_equal(wasm_compile_ms(1), WASM_COMPILE_MS);
	assert_int_equal(wasm_compile_ms(5 << 20), WASM_COMPILE_MS + 10000);
	assert_int_equal(wasm_compile_ms(UINT64_MAX), WASM_COMPILE_MS +
	    252 * 10000);
	l.wasm = true;
	p.runtime = PLAN_WASM;
	p.memory = plan_memory_least(p.nvolumes, true);
	p.pids = WASM_PIDS_LEAST;
	for (size_t i = 0; i < NELEM(rows); i++) {
		const char *code;

		p.wasm = rows[i].flags;
		p.module = rows[i].size;
		code = plan_check(&p, &l, &why);
		if (rows[i].good != (code == NULL))
			fail_msg("%zu: %s", i, code == NULL ? "good" : why);
		assert_int_equal(plan_wasm_fds(&p),
		    (p.wasm & WASM_COMPILE) != 0 ? 3 : 1);
	}
	p.wasm = 0;
	p.module = 8;
	p.memory--;
	assert_string_equal(plan_check(&p, &l, &why), "limits");
	p.memory++;
	p.pids--;
	assert_string_equal(plan_check(&p, &l, &why), "limits");
	p.runtime = PLAN_NATIVE;
	assert_int_equal(plan_wasm_fds(&p), 0);
}

static void
test_missing_layer(void **state)
{
	struct plan_limits l = limits;
	struct plan p = good();
	const char *why;

	(void)state;
	for (unsigned bit = 0; bit < 19; bit++) {
		if ((LAYERS_FLOOR & 1u << bit) == 0)
			continue;
		l.available = limits.available & ~(1u << bit);
		l.required = 0;
		p.layers = 0;
		assert_string_equal(plan_check(&p, &l, &why), "posture");
	}
}

static void
test_targets(void **state)
{
	static const struct {
		const char *t;
		bool ok;
	} t[] = {{"/data", true}, {"/agent/tmp", true}, {"/", false},
	    {"", false}, {"data", false}, {"/a/", false}, {"//a", false},
	    {"/a//b", false}, {"/./a", false}, {"/a/..", false},
	    {"/..", false}, {"/proc", false}, {"/proc/self", false},
	    {"/process", true}, {"/sys", false}, {"/sys/fs", false},
	    {"/dev/shm", false}, {"/device", true}, {"/a\n", false},
	    {"/\xff", false}, {"/\xc2\x80", false}, {"/\xc3\xa4", true},
	    {"/...", true}, {"/tmp", true}};
	static const char *const inside[] = {"/a/b", "/a"};
	static const char *const same[] = {"/a", "/a"};
	static const char *const beside[] = {"/a", "/ab", "/a-b"};
	char longest[PLAN_TARGET_MAX + 2];

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++)
		if (plan_target_ok(t[i].t) != t[i].ok)
			fail_msg("%s", t[i].t);
	assert_non_null(plan_targets_check(inside, 2));
	assert_non_null(plan_targets_check(same, 2));
	assert_null(plan_targets_check(beside, 3));
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[PLAN_TARGET_MAX + 1] = '\0';
	assert_false(plan_target_ok(longest));
	longest[PLAN_TARGET_MAX] = '\0';
	assert_true(plan_target_ok(longest));
}

static void
test_args(void **state)
{
	static uint8_t buf[4096];
	struct plan_args a, b;
	struct wr w = wr_make(buf, sizeof(buf));

	(void)state;
	memset(&a, 0, sizeof(a));
	a.targets[a.ntargets++] = "/data";
	a.argv[a.argc++] = "/bin/sh";
	a.argv[a.argc++] = "";
	a.env[a.envc++] = "A=b=c";
	a.cwd = "/";
	a.rules[a.nrules++] = "1*/data";
	a.rules[a.nrules++] = "6=/bin/app";
	plan_args_encode(&w, &a);
	assert_true(wr_ok(&w));
	assert_null(plan_args_parse(buf, w.len, &b));
	assert_string_equal(b.argv[0], "/bin/sh");
	assert_string_equal(b.argv[1], "");
	assert_null(b.argv[2]);
	assert_string_equal(b.env[0], "A=b=c");
	for (size_t n = 0; n < w.len; n++)
		assert_non_null(plan_args_parse(buf, n, &b));
	for (size_t bit = 0; bit < w.len * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)plan_args_parse(buf, w.len, &b);
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (int i = 0; i < 4; i++) {
		static const char *const bad[] = {"noequals", "=x", "1A=x",
		    "A B=x"};

		a.env[0] = bad[i];
		w = wr_make(buf, sizeof(buf));
		plan_args_encode(&w, &a);
		assert_non_null(plan_args_parse(buf, w.len, &b));
	}
	a.env[0] = "A=1";
	for (int i = 0; i < 5; i++) {
		static const char *const bad[] = {"", "0*/a", "8*/a", "1+/a",
		    "1*a"};

		a.rules[1] = bad[i];
		w = wr_make(buf, sizeof(buf));
		plan_args_encode(&w, &a);
		assert_non_null(plan_args_parse(buf, w.len, &b));
	}
	a.rules[1] = "4*/";
	a.cwd = "relative";
	w = wr_make(buf, sizeof(buf));
	plan_args_encode(&w, &a);
	assert_non_null(plan_args_parse(buf, w.len, &b));
}

/* The beginning of the record by itself: these bytes, and no others. */
static void
test_prefix(void **state)
{
	static uint8_t buf[PLAN_TARGETS_BYTES + 256];
	static char longest[PLAN_VOLUMES_ALL][PLAN_TARGET_MAX + 1];
	struct plan_args a = {.argv = {"/bin/sh"}, .argc = 1, .cwd = "/"}, b;
	struct wr w;
	uint32_t len;

	(void)state;
	for (uint32_t n = 0; n <= PLAN_VOLUMES_ALL; n++) {
		if (n > 0) {
			memset(longest[n - 1], 'a', PLAN_TARGET_MAX);
			(void)snprintf(longest[n - 1], 4, "/%02u", n);
			longest[n - 1][3] = 'b';
			a.targets[n - 1] = longest[n - 1];
		}
		a.ntargets = n;
		w = wr_make(buf, sizeof(buf));
		plan_args_encode(&w, &a);
		assert_true(wr_ok(&w));
		len = plan_targets_len(&a);
		assert_true(len <= PLAN_TARGETS_BYTES);
		assert_null(plan_targets_parse(buf, len, &b));
		assert_int_equal(b.ntargets, n);
		assert_int_equal(b.argc, 0);
		assert_non_null(plan_targets_parse(buf, len + 1, &b));
		for (uint32_t k = 0; k < len; k++)
			assert_non_null(plan_targets_parse(buf, k, &b));
	}
	assert_int_equal(len, PLAN_TARGETS_BYTES);
	assert_null(plan_args_parse(buf, w.len, &b));
	assert_int_equal(plan_targets_len(&b), len);
	a.targets[1] = a.targets[0];
	w = wr_make(buf, sizeof(buf));
	plan_args_encode(&w, &a);
	assert_non_null(plan_targets_parse(buf, len, &b));
}

/* What a behaviour contract makes of a plan, and what jail takes of it. */
static void
test_contract(void **state)
{
	uint64_t granted[LIMIT_COUNT] = {8 << 20, 500, 1000, 10, 4096, 100};
	struct id32 image = {{3}};
	struct image_record rec = {.argc = 1, .cwd = "/", .argv = {"/a"}};
	struct contract con = {.anonymous_exec = false, .read = {true, 1,
	    {{"/data", true, 0, 0}}}, .write = {true, 6, {{"/tmp", true, 1000,
	    5}, {"/v0", true, 2000, 0}, {"/v1", true, 0, UINT32_MAX},
	    {"/v0/*.log", false, 0, 0}, {"/*.x", false, 0, 0},
	    {"/u/*/in", true, 0, 0}}},
	    .exec = {true, 1, {{"/bin/app", false, 0, 0}}}};
	static const struct profile prof = {.read_only_fs = false};
	struct manifest m;
	struct compile_in in = {.m = &m, .granted = granted, .image = &image,
	    .rec = &rec, .slot = 2, .filter_len = 5, .contract = &con};
	struct plan_limits lim = limits;
	struct compiled c;
	struct plan_args a;
	const char *why, *path;
	bool beneath;

	(void)state;
	manifest_init(&m);
	/* what is written to a root could be executed, so nothing is */
	in.profile = &prof;
	m.read_only_fs = false;
	assert_null(plan_compile(&c, &in, &why));
	assert_true(c.plan.read_only);
	free(c.args);
	con.anonymous_exec = true;
	assert_null(plan_compile(&c, &in, &why));
	assert_false(c.plan.read_only);
	free(c.args);
	con.anonymous_exec = false;
	in.profile = NULL;
	m.nvolumes = 2;
	for (unsigned i = 0; i < 2; i++) {
		m.volume[i].rw = true;
		memcpy(m.volume[i].target, i == 0 ? "/v0" : "/v1", 4);
	}
	assert_null(plan_compile(&c, &in, &why));
	assert_true(c.plan.noexec);
	assert_int_equal(c.plan.ruled, PLAN_MAY_READ | PLAN_MAY_WRITE |
	    PLAN_MAY_EXEC);
	assert_int_equal(c.plan.tmp_bytes, 1000);
	assert_int_equal(c.plan.tmp_inodes, 6);
	assert_int_equal(c.plan.volumes[0].bytes, 2000);
	assert_int_equal(c.plan.volumes[0].inodes, 0);
	assert_int_equal(c.plan.volumes[1].bytes, 0);
	assert_int_equal(c.plan.volumes[1].inodes, PLAN_RW_INODES);
	assert_null(plan_args_parse(c.args, c.plan.args_len, &a));
	assert_int_equal(a.nrules, 8);
	assert_string_equal(a.rules[0], "1*/data");
	assert_string_equal(a.rules[1], "2*/tmp");
	/* files that are made: their folder; what is there: as it is */
	assert_string_equal(a.rules[4], "2*/v0");
	assert_string_equal(a.rules[5], "2*/");
	assert_string_equal(a.rules[6], "2*/u/*/in");
	assert_string_equal(a.rules[7], "4=/bin/app");
	assert_int_equal(plan_rule(a.rules[7], &beneath, &path),
	    PLAN_MAY_EXEC);
	assert_false(beneath);
	assert_string_equal(path, "/bin/app");
	/* without Landlock nobody would hold the job to its paths */
	assert_string_equal(plan_check(&c.plan, &lim, &why), "posture");
	lim.available |= LAYER_LANDLOCK;
	assert_null(plan_check(&c.plan, &lim, &why));
	/* jail believes no size beyond the plan's own */
	c.plan.volumes[0].bytes = c.plan.output + 1;
	assert_string_equal(plan_check(&c.plan, &lim, &why), "volume");
	c.plan.volumes[0].bytes = 0;
	c.plan.volumes[0].inodes = PLAN_RW_INODES + 1;
	assert_string_equal(plan_check(&c.plan, &lim, &why), "volume");
	c.plan.volumes[0].inodes = 0;
	c.plan.tmp_bytes = c.plan.memory / 4 + 1;
	assert_string_equal(plan_check(&c.plan, &lim, &why), "limits");
	c.plan.tmp_bytes = 0;
	c.plan.tmp_inodes = PLAN_TMP_INODES + 1;
	assert_string_equal(plan_check(&c.plan, &lim, &why), "limits");
	c.plan.tmp_inodes = 0;
	c.plan.ruled = 8;
	assert_string_equal(plan_check(&c.plan, &lim, &why), "internal");
	free(c.args);
}

static void
test_layers(void **state)
{
	char text[300], small[10];

	(void)state;
	assert_int_equal(layer_bit("pids"), LAYER_PIDS);
	assert_int_equal(layer_bit("nope"), 0);
	assert_null(layer_name(LAYER_COUNT));
	layers_text(text, sizeof(text), LAYER_USER | LAYER_IO);
	assert_string_equal(text, "user io");
	layers_text(small, sizeof(small), LAYERS_KNOWN);
	assert_true(strlen(small) < sizeof(small));
}

static void
test_compile(void **state)
{
	uint64_t granted[LIMIT_COUNT] = {8 << 20, 500, 1000, 10, 4096, 100};
	struct id32 image = {{3}};
	struct image_record rec = {.argc = 1, .envc = 2, .cwd = "/w"};
	struct profile prof;
	struct manifest m;
	struct compile_in in = {.m = &m, .profile = &prof, .granted = granted,
	    .image = &image, .rec = &rec, .slot = 2, .filter_len = 5};
	char t1[] = "sort", t2[] = "x", t3[] = "A=2";
	char *command[] = {t1, t2, NULL}, *env[] = {t3, NULL};
	struct compiled c;
	struct plan_args a;
	const char *why;

	(void)state;
	manifest_init(&m);
	memset(&prof, 0, sizeof(prof));
	rec.argv[0] = "/bin/app";
	rec.env[0] = "A=1";
	rec.env[1] = "B=1";
	prof.read_only_fs = true;
	prof.nvolumes = 2;
	memcpy(prof.volume[0].target, "/agent/data", 12);
	memcpy(prof.volume[1].target, "/agent/tmp", 11);
	prof.volume[1].rw = true;
	m.nvolumes = 1;
	memcpy(m.volume[0].target, "/agent/data", 12);
	m.volume[0].blob.size = 1024;
	m.env.n = 1;
	m.env.v = env;
	assert_null(plan_compile(&c, &in, &why));
	assert_int_equal(c.plan.nvolumes, 2);
	assert_int_equal(c.plan.volumes[0].kind, PLAN_VOL_RO);
	assert_int_equal(c.plan.volumes[1].kind, PLAN_VOL_PROFILE_RW);
	assert_int_equal(c.plan.volumes[1].index, 1);
	assert_true(c.plan.read_only);
	assert_null(plan_args_parse(c.args, c.plan.args_len, &a));
	assert_string_equal(a.argv[0], "/bin/app");
	assert_int_equal(a.envc, 3);
	assert_string_equal(a.env[0], "A=2");
	assert_string_equal(a.env[1], "B=1");
	assert_string_equal(a.cwd, "/w");
	assert_null(plan_check(&c.plan, &limits, &why));
	free(c.args);
	m.command.n = 2;
	m.command.v = command;
	assert_null(plan_compile(&c, &in, &why));
	assert_null(plan_args_parse(c.args, c.plan.args_len, &a));
	assert_int_equal(a.argc, 2);
	assert_string_equal(a.argv[0], "sort");
	free(c.args);
	m.command.n = 0;
	rec.argc = 0;
	assert_string_equal(plan_compile(&c, &in, &why), "image");
	assert_null(c.args);
}

static void
test_report(void **state)
{
	uint8_t junk[REPORT_MAX] = {0};
	struct report r;

	(void)state;
	assert_int_equal(report_parse(junk, 0, &r), 0);
	for (unsigned seed = 0; seed < 20000; seed++) {
		size_t n = seed % 64;

		for (size_t i = 0; i < n; i++)
			junk[i] = (uint8_t)(seed * 2654435761u >> (i % 24));
		junk[0] = (uint8_t)"RFEH"[seed % 4];
		if (n > 0)
			assert_true(report_parse(junk, n, &r) <= n);
	}
}

/* A volume that is filled by one file packs within its limit. */
static void
test_output_room(void **state)
{
	(void)state;
	for (uint64_t output = 1024; output < (1u << 20); output += 999) {
		uint64_t room = plan_output_room(output);

		assert_true(room <= output && room >= output / 2);
		if (output < 4 * PLAN_OUTPUT_PAGE)
			continue;
		assert_int_equal(room % PLAN_OUTPUT_PAGE, 0);
		assert_true(room + 512 + 1024 <= output);
		assert_true(output - room < 2 * PLAN_OUTPUT_PAGE +
			PLAN_OUTPUT_OVER);
	}
	/* and six of them within a limit of whole pages */
	assert_int_equal(plan_output_room(1u << 20) + 6 * 512 + 1024,
	    1u << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_room),
	    cmocka_unit_test(test_codec),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_module), cmocka_unit_test(test_missing_layer),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_args),
	    cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_compile),
	    cmocka_unit_test(test_contract),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
