/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/mpk.h"
#include "node/proto/letter.h"

static uint8_t d32[32] = {1, 2, 3}, d242[BINDING_LEN], buf[4096];

static const struct letter ask = {.path = PATH_SUBMIT,
    .value = {(const uint8_t *)"\x81\xa1m\xc4\x01x", 6}, .give = LETTER_GIVE,
    .nblobs = 2, .blob = {{(const uint8_t *)"ab", 2}, {d32, 32}}};
static const struct letter answer = {.path = PATH_RESULT, .answer = true,
    .value = {(const uint8_t *)"\x93\x00\x80\xc0", 4}, .re = d32, .id = d32, .binding = d242,
    .give = LETTER_GIVE};

static size_t
put(const struct letter *l)
{
	struct wr w = wr_make(buf, sizeof(buf));

	letter_put(&w, l);
	assert_true(wr_ok(&w));
	return w.len;
}

static void
same(const struct letter *a, const struct letter *b)
{
	assert_int_equal(a->path, b->path);
	assert_int_equal(a->answer, b->answer);
	assert_int_equal(a->value.n, b->value.n);
	assert_memory_equal(a->value.p, b->value.p, a->value.n);
	assert_int_equal(a->re != NULL, b->re != NULL);
	assert_int_equal(a->id != NULL, b->id != NULL);
	assert_int_equal(a->binding != NULL, b->binding != NULL);
	assert_int_equal(a->give, b->give);
	assert_int_equal(a->nblobs, b->nblobs);
	for (size_t i = 0; i < a->nblobs; i++) {
		assert_int_equal(a->blob[i].n, b->blob[i].n);
		assert_memory_equal(a->blob[i].p, b->blob[i].p, a->blob[i].n);
	}
}

static void
there_and_back(void **state)
{
	const struct letter *const all[] = {&ask, &answer};
	struct letter l, other;
	size_t n;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		n = put(all[i]);
		assert_true(letter_get(&l, buf, n));
		same(all[i], &l);
		for (size_t cut = 0; cut < n; cut++) {
			struct wr w = wr_make(buf + n, cut);

			assert_false(letter_get(&l, buf, cut));
			letter_put(&w, all[i]);
			assert_false(wr_ok(&w));
		}
		assert_false(letter_get(&l, buf, n + 1)); /* behind it */
	}
	other = ask;
	other.give = 9;
	assert_true(letter_get(&l, buf, put(&other)));
	assert_int_equal(l.give, 9);
	other.give = LETTER_GIVE_MAX + 1; /* as much as there is */
	assert_true(letter_get(&l, buf, put(&other)));
	assert_int_equal(l.give, LETTER_GIVE_MAX);
	other = answer;
	other.id = NULL; /* a job that nobody knows */
	assert_true(letter_get(&l, buf, put(&other)));
	same(&other, &l);
}

struct member {
	const char *key, *packed;
	size_t n;
};
#define M(key, packed) {key, packed, sizeof(packed) - 1}
#define RE "\xc4\x20" "0123456789abcdef0123456789abcdef"
#define SUBMIT "\xb2/klp/v1/job/submit"

static bool
reads(const struct member *m, size_t n)
{
	struct wr w = wr_make(buf, sizeof(buf));
	struct letter l;

	mpk_put_map(&w, n);
	for (size_t i = 0; i < n; i++) {
		mpk_put_str(&w, m[i].key);
		mpk_put_raw(&w, m[i].packed, m[i].n);
	}
	assert_true(wr_ok(&w));
	return letter_get(&l, buf, w.len);
}

static void
hostile(void **state)
{
	static const struct {
		struct member m[4];
		bool good;
	} t[] = {
	    {{M("p", SUBMIT), M("d", "\xc0")}, true},
	    {{M("p", SUBMIT), M("d", "\xc0"), M("zz", "\x07")}, true},
	    {{M("p", SUBMIT), M("a", "\xc0"), M("re", RE)}, true},
	    {{M("p", SUBMIT)}, false},	       /* neither */
	    {{M("d", "\xc0")}, false},	       /* of no path */
	    {{M("p", "\xa2/x"), M("d", "\xc0")}, false},
	    {{M("p", "\x01"), M("d", "\xc0")}, false},
	    {{M("p", SUBMIT), M("a", "\xc0")}, false}, /* to nothing */
	    {{M("p", SUBMIT), M("d", "\xc0"), M("re", RE)}, false},
	    {{M("p", SUBMIT), M("d", "\xc0"), M("a", "\xc0"), M("re", RE)},
		false},
	    {{M("p", SUBMIT), M("d", "\xc0"), M("d", "\xc0")}, false},
	    {{M("p", SUBMIT), M("a", "\xc0"), M("re", "\xc4\x01x")}, false},
	    {{M("p", SUBMIT), M("a", "\xc0"), M("re", RE),
		 M("id", "\xc4\x01x")}, false},
	    {{M("p", SUBMIT), M("a", "\xc0"), M("re", RE),
		 M("b", "\xc4\x01x")}, false},
	    {{M("p", SUBMIT), M("d", "\xc0"), M("n", "\xff")}, false},
	    {{M("p", SUBMIT), M("d", "\xc0"), M("x", "\xc0")}, false},
	    {{M("p", SUBMIT), M("d", "\xc0"), M("x", "\x91\xa1x")}, false},
	    {{M("p", SUBMIT), M("d", "\xc0"), M("x", "\xdc\xff\xff")}, false},
	};
	struct wr w = wr_make(buf, sizeof(buf));
	struct letter l;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		size_t n = 0;

		while (n < 4 && t[i].m[n].key != NULL)
			n++;
		assert_int_equal(reads(t[i].m, n), t[i].good);
	}
	/* one blob more than there may be */
	mpk_put_map(&w, 3);
	mpk_put_str(&w, "p");
	mpk_put_str(&w, proto_path(PATH_SUBMIT));
	mpk_put_str(&w, "d");
	mpk_put_nil(&w);
	mpk_put_str(&w, "x");
	mpk_put_array(&w, LETTER_BLOBS + 1);
	for (int i = 0; i <= LETTER_BLOBS; i++)
		mpk_put_bin(&w, "", 0);
	assert_false(letter_get(&l, buf, w.len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_and_back),
	    cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
