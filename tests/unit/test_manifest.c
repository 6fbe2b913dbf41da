/* SPDX-License-Identifier: BSD-2-Clause */
/* Manifests: compute-manifest.json, borders, records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/envelope.h"
#include "trust/doc/jdoc.h"
#include "trust/doc/manifest_build.h"
#include "trust/doc/manifest_parse.h"
#include "trust/doc/manifest_record.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static void
test_vector(void **state)
{
	json_t *root = vec_load("compute-manifest.json");
	size_t n, got_n, en;
	uint8_t *p = vec_bytes(root, "payload", &n);
	struct fp want;
	uint8_t *env = vec_bytes(root, "binary", &en);
	struct klp_secret s = {.kind = KEY_SECP256K1};
	char why[MANIFEST_WHY], *got, name[256];
	struct manifest m;
	struct klp_key k;
	const char *w;
	struct env e;

	(void)state;
	assert_int_equal(manifest_parse(&m, p, n, why), 0);
	vec_exact(root, "job_id", HASH_BYTES(want));
	assert_memory_equal(m.job.b, want.b, 32);
	vec_exact(root, "nonce", want.b, 16);
	assert_memory_equal(m.nonce, want.b, 16);
	assert_int_equal(m.command.n, 3);
	assert_string_equal(m.command.v[1], "-c");
	assert_null(m.command.v[3]);
	assert_string_equal(m.env.v[0], "LANG=C");
	assert_int_equal(m.limit[LIMIT_CPU], 500);
	assert_int_equal(m.limit[LIMIT_TIME], 60000);
	assert_int_equal(m.nvolumes, 2);
	assert_false(m.volume[0].rw);
	assert_true(m.volume[1].rw);
	assert_int_equal(m.trust_level, 3);
	assert_false(m.requires_review);
	manifest_seccomp(name, &m);
	assert_string_equal(name, "kai-default");
	assert_null(manifest_times(&m, 1800000000));
	assert_non_null(manifest_times(&m, m.not_after));
	assert_null(manifest_times(&m, m.not_after - 1));
	assert_null(manifest_times(&m, m.not_after - MANIFEST_AHEAD));
	assert_non_null(manifest_times(&m, m.not_after - MANIFEST_AHEAD - 1));
	got = manifest_build(&m, &got_n, why);
	assert_non_null(got);
	vec_equal(got, got_n, p, n);
	free(got);
	vec_exact(root, "private", s.raw, 32);
	assert_true(secret_public(&k, &s));
	assert_int_equal(env_parse(&e, env, en, ENV_MANIFEST_MAX,
	    ENV_MANIFEST_PAYLOAD, &w), 0);
	assert_int_equal(env_verify(&e, TYPE_MANIFEST, &k, 1, NULL), 1);
	key_fp(&want, &k);
	assert_memory_equal(want.b, m.submitter.b, FP_LEN);
	env_clear(&e);
	manifest_clear(&m);
}

static void
test_schema(void **state)
{
	json_t *root = vec_load("compute-manifest.json"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "schema"), i, row)
	{
		size_t n;
		uint8_t *p = vec_bytes(row, "payload", &n);
		char why[MANIFEST_WHY];
		struct manifest m;
		bool ok = manifest_parse(&m, p, n, why) == 0;

		if (ok != vec_bool(row, "valid"))
			fail_msg("%s: %s", vec_str(row, "name"), why);
		assert_int_equal(ok, why[0] == '\0');
		manifest_clear(&m);
	}
}

/* The vector's payload with one member replaced (value NULL: taken out). */
static bool
with(const char *member, const char *value, char why[MANIFEST_WHY])
{
	json_t *root = vec_load("compute-manifest.json"), *doc, *v;
	size_t n;
	uint8_t *p = vec_bytes(root, "payload", &n);
	struct manifest m;
	const char *w;
	char *text;
	bool ok;

	doc = jdoc_parse(p, n, n, &w);
	assert_non_null(doc);
	if (value == NULL) {
		json_object_del(doc, member);
	} else {
		v = json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		assert_non_null(v);
		json_object_set_new(doc, member, v);
	}
	text = jdoc_canonical(doc, &n);
	assert_non_null(text);
	ok = manifest_parse(&m, text, n, why) == 0;
	manifest_clear(&m);
	free(text);
	json_decref(doc);
	return ok;
}

#define D64 "14bc9183765eb1036fde76f4877349b9a1e7a663fe76135191caba02f1b09c05"
#define VOL(t, rest)                                                           \
	"{\"mode\":\"ro\",\"sha256\":\"" D64 "\",\"size\":1,\"target\":\"" t  \
	"\"" rest "}"

static void
test_members(void **state)
{
	static const struct {
		const char *member, *value;
		bool ok;
	} rows[] = {
	    {"_type", NULL, false}, {"_type", "\"klp.root\"", false},
	    {"_type", "\"klp.manifest\\u0000\"", false},
	    {"submitter", NULL, false}, {"nonce", NULL, false},
	    {"not_after", NULL, false}, {"deadline", NULL, false},
	    {"deadline", "4294967296", false}, {"deadline", "\"1\"", false},
	    {"deadline", "4294967295", true}, {"node", NULL, true},
	    {"node", "null", false}, {"node", "\"any\"", false},
	    {"image", NULL, false}, {"image", "\"\"", false},
	    {"image", "\"sha256:00\"", false},
	    {"image", "\"sha256:" D64 "\"", true},
	    {"command", NULL, true}, {"command", "[]", false},
	    {"command", "[\"\"]", true}, {"command", "[1]", false},
	    {"env", NULL, true}, {"env", "{}", true},
	    {"env", "{\"A\":\"x=y\"}", true}, {"env", "{\"1A\":\"\"}", false},
	    {"env", "{\"A-B\":\"\"}", false}, {"env", "{\"A\":1}", false},
	    {"env", "{\"\":\"\"}", false},
	    {"env", "{\"A\":\"\\u0000\"}", false},
	    {"cap_drop", NULL, true}, {"cap_drop", "[\"CAP_KILL\"]", true},
	    {"cap_drop", "[\"a b\"]", false}, {"cap_drop", "\"ALL\"", false},
	    {"seccomp_profile", NULL, true},
	    {"seccomp_profile", "\"\"", true}, {"seccomp_profile", "1", false},
	    {"read_only_fs", NULL, true}, {"read_only_fs", "1", false},
	    {"limits", NULL, true}, {"limits", "{}", true},
	    {"limits", "{\"memory\":9007199254740991}", true},
	    {"limits", "{\"memory\":-1}", false},
	    {"limits", "{\"io_read\":65536,\"io_write\":9}", true},
	    {"limits", "{\"io_read\":0}", false},
	    {"limits", "{\"memory\":null}", false}, {"limits", "[]", false},
	    {"network", NULL, true}, {"network", "\"none\"", true},
	    {"network", "\"broker\"", true}, {"network", "\"host\"", false},
	    {"trust", NULL, true}, {"trust", "{}", true},
	    {"trust", "{\"level\":\"critical\"}", true},
	    {"trust", "{\"level\":\"max\"}", false},
	    {"trust", "{\"level\":3}", false},
	    {"trust", "{\"requires_review\":\"no\"}", false},
	    {"trust", "{\"later\":1}", true},
	    {"retries", NULL, true}, {"retries", "16", true},
	    {"retries", "17", false}, {"retries", "-1", false},
	    {"crit", "[]", true}, {"crit", "[\"node\"]", true},
	    {"crit", "[1]", false}, {"crit", "\"node\"", false},
	    {"wasm", "{\"sha256\":\"" D64 "\",\"size\":1}", false},
	    {"wasm", "{\"sha256\":\"" D64 "\",\"size\":1,\"fuel\":0}", false},
	    {"behavior_contract", "{\"sha256\":\"" D64 "\",\"size\":1}", true},
	    {"behavior_contract", "{\"sha256\":\"" D64 "\"}", false},
	    {"behavior_contract", "\"x\"", false},
	    {"volumes", NULL, true}, {"volumes", "[]", true},
	    {"volumes", "[" VOL("/a", "") "]", true},
	    {"volumes", "[" VOL("/a", ",\"future\":1") "]", true},
	    {"volumes",
		"[" VOL("/a", ",\"chunks\":{\"sha256\":\"" D64
			      "\",\"size\":40}") "]",
		true},
	    {"volumes", "[" VOL("/a", ",\"chunks\":1") "]", false},
	    {"volumes", "[" VOL("/a", "") "," VOL("/a", "") "]", false},
	    {"volumes", "[" VOL("/a/b", "") "," VOL("/a", "") "]", false},
	    {"volumes", "[" VOL("a", "") "]", false},
	    {"volumes", "[" VOL("/a/", "") "]", false},
	    {"volumes", "[" VOL("//a", "") "]", false},
	    {"volumes", "[" VOL("/a/./b", "") "]", false},
	    {"volumes", "[" VOL("/a/..", "") "]", false},
	    {"volumes", "[" VOL("/...", "") "]", true},
	    {"volumes", "[" VOL("/proc", "") "]", false},
	    {"volumes", "[" VOL("/proc/x", "") "]", false},
	    {"volumes", "[" VOL("/process", "") "]", true},
	    {"volumes", "[" VOL("/sys/fs", "") "]", false},
	    {"volumes", "[" VOL("/dev/shm", "") "]", false},
	    {"volumes", "[" VOL("/a\\n", "") "]", false},
	    {"volumes", "[" VOL("/a\\u007f", "") "]", false},
	    {"volumes", "[" VOL("/a\\u0085", "") "]", false},
	    {"volumes", "[" VOL("/a\\u00a0", "") "]", true},
	    {"volumes", "[" VOL("", "") "]", false},
	};
	char why[MANIFEST_WHY];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		bool ok = with(rows[i].member, rows[i].value, why);

		if (ok != rows[i].ok)
			fail_msg("%s %s: %s", rows[i].member,
			    rows[i].value == NULL ? "absent" : rows[i].value,
			    why);
		/* why names the member; images and wasm are one rule */
		if (!ok && strcmp(rows[i].member, "wasm") != 0)
			assert_memory_equal(why, rows[i].member,
			    strlen(rows[i].member));
	}
}

/* A module in place of the image: what may be asked for it, there and back. */
static void
test_module(void **state)
{
	static const struct {
		const char *rest;
		bool ok;
		struct wasm_ask ask;
	} rows[] = {
	    {"", true, {0}},
	    {",\"fuel\":1", true, {.fuel = 1}},
	    {",\"fuel\":9007199254740991", true,
		{.fuel = UINT64_C(9007199254740991)}},
	    {",\"fuel\":0", false, {0}}, {",\"fuel\":-1", false, {0}},
	    {",\"fuel\":\"1\"", false, {0}}, {",\"fuel\":null", false, {0}},
	    {",\"deterministic\":true", true, {.deterministic = true}},
	    {",\"deterministic\":false", false, {0}},
	    {",\"deterministic\":1", false, {0}},
	    {",\"files\":\"memory\"", true, {.files = WASM_FILES_MEMORY}},
	    {",\"files\":\"folders\"", true, {.files = WASM_FILES_FOLDERS}},
	    {",\"files\":\"\"", false, {0}}, {",\"files\":1", false, {0}},
	    {",\"chunks\":{\"sha256\":\"" D64 "\",\"size\":9}", true,
		{.has_chunks = true, .chunks = {.size = 9}}},
	    {",\"chunks\":{\"sha256\":\"" D64 "\"}", false, {0}},
	    {",\"chunks\":{\"size\":9}", false, {0}},
	    {",\"chunks\":null", false, {0}}, {",\"chunks\":1", false, {0}},
	    {",\"later\":1", true, {0}}};
	static uint8_t record[MANIFEST_RECORD_MAX];
	json_t *root = vec_load("compute-manifest.json"), *doc, *v;
	char why[MANIFEST_WHY], value[384], *text, *again;
	struct manifest m, back;
	const char *w;
	size_t n, len;
	uint8_t *p = vec_bytes(root, "payload", &n);

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		doc = jdoc_parse(p, n, n, &w);
		(void)snprintf(value, sizeof(value), "{\"sha256\":\"" D64
		    "\",\"size\":5%s}", rows[i].rest);
		v = json_loads(value, 0, NULL);
		assert_non_null(v);
		json_object_del(doc, "image");
		json_object_set_new(doc, "wasm", v);
		text = jdoc_canonical(doc, &len);
		json_decref(doc);
		if ((manifest_parse(&m, text, len, why) == 0) != rows[i].ok)
			fail_msg("%s: %s", value, why);
		if (rows[i].ok) {
			assert_int_equal(m.module.fuel, rows[i].ask.fuel);
			assert_int_equal(m.module.deterministic,
			    rows[i].ask.deterministic);
			assert_int_equal(m.module.files, rows[i].ask.files);
			assert_int_equal(m.module.has_chunks,
			    rows[i].ask.has_chunks);
			assert_int_equal(m.module.chunks.size,
			    rows[i].ask.chunks.size);
			len = manifest_record_put(record, sizeof(record), &m);
			assert_true(manifest_record_get(&back, record, len));
			assert_memory_equal(&back.module, &m.module,
			    sizeof(m.module));
			for (size_t cut = 0; cut < len; cut += 7) {
				struct manifest no;

				assert_false(manifest_record_get(&no, record,
				    cut));
			}
			again = manifest_build(&back, &len, why);
			assert_non_null(again);
			if (strstr(value, "later") == NULL)
				assert_string_equal(again, text);
			free(again);
			manifest_clear(&back);
		}
		manifest_clear(&m);
		free(text);
	}
}

/* Of several in one member, which it is; not what could be no word. */
static void
test_which(void **state)
{
	static const struct {
		const char *member, *value, *says;
	} rows[] = {
	    {"limits", "{\"disk\":1}", "limits.disk: "},
	    {"limits", "{\"cpu\":0,\"time\":1}", "limits.cpu: "},
	    {"limits", "{\"a b\":1}", "limits: "}, {"limits", "[]", "limits: "},
	    {"env", "{\"A\":\"\",\"B\":[]}", "env.B: "},
	    {"env", "{\"1A\":\"\"}", "env: "},
	};
	char why[MANIFEST_WHY];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		if (with(rows[i].member, rows[i].value, why) ||
		    strncmp(why, rows[i].says, strlen(rows[i].says)) != 0)
			fail_msg("%s: %s", rows[i].value, why);
}

static void
test_bounds(void **state)
{
	char why[MANIFEST_WHY], *t = malloc(80000);
	size_t n;

	(void)state;
	assert_non_null(t);
	for (int count = 256; count <= 257; count++) {
		n = (size_t)snprintf(t, 80000, "[");
		for (int i = 0; i < count; i++)
			n += (size_t)snprintf(t + n, 80000 - n, "%s\"x\"",
			    i > 0 ? "," : "");
		(void)snprintf(t + n, 80000 - n, "]");
		assert_int_equal(with("command", t, why), count == 256);
	}
	for (int len = 32768; len <= 32769; len++) {
		(void)snprintf(t, 80000, "[\"%0*d\"]", len, 0);
		assert_int_equal(with("command", t, why), len == 32768);
	}
	for (int len = 4096; len <= 4097; len++) {
		(void)snprintf(t, 80000, "{\"A\":\"%0*d\"}", len, 0);
		assert_int_equal(with("env", t, why), len == 4096);
	}
	for (int len = 128; len <= 129; len++) {
		(void)snprintf(t, 80000, "{\"A%0*d\":\"\"}", len - 1, 0);
		assert_int_equal(with("env", t, why), len == 128);
	}
	for (int len = 255; len <= 256; len++) {
		(void)snprintf(t, 80000, "\"%0*d\"", len, 0);
		assert_int_equal(with("image", t, why), len == 255);
		assert_int_equal(with("seccomp_profile", t, why), len == 255);
		(void)snprintf(t, 80000, "{\"approved_by\":\"%0*d\"}", len, 0);
		assert_int_equal(with("trust", t, why), len == 255);
		(void)snprintf(t, 80000, "[" VOL("/%0*d", "") "]", len - 1, 0);
		assert_int_equal(with("volumes", t, why), len == 255);
	}
	for (int count = 16; count <= 17; count++) {
		n = (size_t)snprintf(t, 80000, "[");
		for (int i = 0; i < count; i++)
			n += (size_t)snprintf(t + n, 80000 - n,
			    "%s" VOL("/%d", ""), i > 0 ? "," : "", i);
		(void)snprintf(t + n, 80000 - n, "]");
		assert_int_equal(with("volumes", t, why), count == 16);
	}
	/* the payload as a whole */
	(void)snprintf(t, 80000, "\"%070000d\"", 0);
	assert_false(with("future", t, why));
	assert_string_equal(why, "payload: too large");
	free(t);
}

static void
test_critical(void **state)
{
	static const char p[] =
	    "{\"_type\":\"klp.manifest\",\"deadline\":20,\"image\":\"i\","
	    "\"nonce\":\"000102030405060708090a0b0c0d0e0f\",\"not_after\":10,"
	    "\"submitter\":\"urn:klp:k:human:" D64
	    "\",\"trust\":{\"level\":\"critical\"}}";
	char why[MANIFEST_WHY], *again;
	struct manifest m;
	size_t n;

	(void)state;
	assert_int_equal(manifest_parse(&m, p, sizeof(p) - 1, why), 0);
	assert_int_equal(m.trust_level, 3);
	assert_true(m.requires_review);
	assert_true(m.read_only_fs);
	again = manifest_build(&m, &n, why);
	vec_equal(again, n, p, sizeof(p) - 1);
	free(again);
	manifest_clear(&m);
}

static bool
same(const struct manifest *a, const struct manifest *b)
{
	uint8_t *x = malloc(MANIFEST_RECORD_MAX);
	uint8_t *y = malloc(MANIFEST_RECORD_MAX);
	size_t xn, yn;
	bool ok;

	assert_non_null(x);
	assert_non_null(y);
	xn = manifest_record_put(x, MANIFEST_RECORD_MAX, a);
	yn = manifest_record_put(y, MANIFEST_RECORD_MAX, b);
	ok = xn > 0 && xn == yn && memcmp(x, y, xn) == 0;
	free(x);
	free(y);
	return ok;
}

/* What is accepted can be written again as it was. */
static void
record(void *arg, const uint8_t *p, size_t n)
{
	struct manifest m;
	uint8_t out[4096];

	(void)arg;
	if (manifest_record_get(&m, p, n)) {
		assert_int_equal(manifest_record_put(out, sizeof(out), &m), n);
		assert_memory_equal(out, p, n);
	}
	manifest_clear(&m);
}

static void
cut(void *arg, const uint8_t *p, size_t n)
{
	struct manifest m;

	(void)arg;
	assert_false(manifest_record_get(&m, p, n));
	manifest_clear(&m);
}

static void
test_record(void **state)
{
	json_t *root = vec_load("compute-manifest.json");
	size_t n;
	uint8_t *p = vec_bytes(root, "payload", &n), buf[4096];
	char why[MANIFEST_WHY];
	struct manifest m, r;

	(void)state;
	assert_int_equal(manifest_parse(&m, p, n, why), 0);
	n = manifest_record_put(buf, sizeof(buf), &m);
	assert_true(n > 0);
	assert_int_equal(manifest_record_put(buf, n - 1, &m), 0);
	n = manifest_record_put(buf, sizeof(buf), &m);
	assert_true(manifest_record_get(&r, buf, n));
	assert_true(same(&m, &r));
	vec_each_prefix(buf, n, cut, NULL);
	vec_each_flip(buf, n, record, NULL);
	/* bounds that only the struct can break */
	r.deadline = r.not_after - 1;
	n = manifest_record_put(buf, sizeof(buf), &r);
	cut(NULL, buf, n);
	r.deadline = m.deadline;
	(void)snprintf(r.volume[0].target, 256, "/proc/1");
	n = manifest_record_put(buf, sizeof(buf), &r);
	cut(NULL, buf, n);
	manifest_clear(&m);
	manifest_clear(&r);
}

static void
payload(void *arg, const uint8_t *p, size_t n)
{
	char why[MANIFEST_WHY];
	struct manifest m;

	(void)arg;
	(void)manifest_parse(&m, p, n, why);
	manifest_clear(&m);
}

static void
test_payload_cuts(void **state)
{
	size_t n;
	uint8_t *p = vec_bytes(vec_load("compute-manifest.json"), "payload",
	    &n);

	(void)state;
	vec_each_prefix(p, n, payload, NULL);
	vec_each_flip(p, n, payload, NULL);
}

static void
test_build_refuses(void **state)
{
	struct manifest m;
	char why[MANIFEST_WHY];
	size_t n;

	(void)state;
	manifest_init(&m);
	assert_null(manifest_build(&m, &n, why));
	assert_memory_equal(why, "submitter", 9);
	assert_false(text_list_add(&m.command, "a\0b", 3));
	assert_true(text_list_add(&m.env, "A=1", 3));
	assert_true(text_list_add(&m.env, "A=2", 3));
	m.has |= HAS_ENV;
	assert_null(manifest_build(&m, &n, why));
	(void)snprintf(m.image, sizeof(m.image), "\xff");
	assert_null(manifest_build(&m, &n, why));
	manifest_clear(&m);
	assert_int_equal(trust_word("none", 4), 0);
	assert_int_equal(trust_word("critical", 8), 3);
	assert_int_equal(trust_word("None", 4), -1);
}

/* The n-th allocation of jansson fails, for every n: no leak, no half truth. */
static long fuse;

static void *
failing(size_t n)
{
	return fuse-- == 0 ? NULL : malloc(n);
}

static void
test_no_memory(void **state)
{
	json_t *root = vec_load("compute-manifest.json");
	size_t n, jn, got_n;
	uint8_t *p = vec_bytes(root, "payload", &n);
	uint8_t *json = vec_bytes(root, "json", &jn), *out = vec_alloc(4096);
	struct env_signed one = {{{0}}, {0}};
	struct manifest m, again;
	char why[MANIFEST_WHY], *text;
	const char *w;
	struct env e;

	(void)state;
	assert_int_equal(manifest_parse(&m, p, n, why), 0);
	json_set_alloc_funcs(failing, free);
	for (long i = 0;; i++) {
		bool failed;

		fuse = i;
		if (manifest_parse(&again, p, n, why) == 0)
			assert_memory_equal(again.job.b, m.job.b, 32);
		manifest_clear(&again);
		failed = fuse < 0;
		fuse = i;
		text = manifest_build(&m, &got_n, why);
		if (text != NULL)
			vec_equal(text, got_n, p, n);
		free(text);
		failed |= fuse < 0;
		fuse = i;
		if (env_parse(&e, json, jn, jn, jn, &w) == 0)
			assert_int_equal(e.payload_len, n);
		env_clear(&e);
		fuse = i;
		(void)env_build_json(out, 4096, "t", p, 100, &one, 1);
		if (!failed)
			break;
		assert_true(i < 10000);
	}
	json_set_alloc_funcs(malloc, free);
	manifest_clear(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vector),
	    cmocka_unit_test(test_schema),
	    cmocka_unit_test(test_members),
	    cmocka_unit_test(test_module),
	    cmocka_unit_test(test_which),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_critical),
	    cmocka_unit_test(test_record),
	    cmocka_unit_test(test_payload_cuts),
	    cmocka_unit_test(test_build_refuses),
	    cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
