/* SPDX-License-Identifier: BSD-2-Clause */
/* Bundles of evidence: names, the snapshot's table, archive and signature. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "audit/bundle_name.h"
#include "audit/zipout.h"
#include "common/snapshot.h"
#include "common/util.h"
#include "node/cli/bundle_zip.h"
#include "trust/doc/bundle.h"
#include "trust/doc/digest.h"

/* ---- names ---- */

static void
name_is(const char *path, size_t len, const char *want)
{
	char out[BUNDLE_NAME_MAX];

	bundle_name(out, "job", (const uint8_t *)path, len);
	if (strcmp(out, want) != 0)
		fail_msg("%s: %s", want, out);
}

static void
test_names(void **state)
{
	static uint8_t deep[4096], other[4096];
	char a[BUNDLE_NAME_MAX], b[BUNDLE_NAME_MAX];

	(void)state;
	name_is("tmp/x", 5, "job/tmp/x");
	name_is("/tmp//x/", 8, "job/tmp/x");
	name_is("../../etc/passwd", 16, "job/%2E%2E/%2E%2E/etc/passwd");
	name_is("./a/..", 6, "job/%2E/a/%2E%2E");
	name_is("...", 3, "job/...");
	name_is("a\nb\x1b[31m", 8, "job/a%0Ab%1B%5B31m");
	name_is("a\0b", 3, "job/a%00b");
	name_is("a%2Fb\\c:", 8, "job/a%252Fb%5Cc%3A");
	name_is("\xff\xfe", 2, "job/%FF%FE");
	/* however long, and then not the same as another */
	for (unsigned n = 1; n < sizeof(deep); n += 37) {
		memset(deep, 'a', n);
		for (unsigned i = 50; i < n; i += 50)
			deep[i] = n % 2 == 0 ? '/' : '\n';
		memcpy(other, deep, n);
		other[n - 1] = 'b';
		bundle_name(a, "job/files", deep, n);
		bundle_name(b, "job/files", other, n);
		assert_string_not_equal(a, b);
		assert_null(strstr(a, "//"));
		for (char *p = strtok(a, "/"); p != NULL; p = strtok(NULL, "/"))
			assert_true(strlen(p) <= 255);
	}
}

/* ---- the table of a snapshot ---- */

#define TABLE 4096
static uint8_t table[TABLE];

static size_t
one_member(uint8_t kind, uint16_t name, uint32_t n, uint64_t off, uint64_t len)
{
	struct wr w = wr_make(table, sizeof(table));

	wr_u8(&w, kind);
	wr_u16(&w, name);
	wr_bytes(&w, "0123456789", name);
	wr_u32(&w, n);
	wr_u64(&w, off);
	wr_u64(&w, len);
	return w.len;
}

static bool
takes(size_t n, uint64_t size, uint64_t *left)
{
	struct rd r = rd_make(table, n);
	struct snapshot_member m;

	return snapshot_member_get(&r, &m, size, left);
}

static void
test_table(void **state)
{
	struct snapshot_head h = {100, 50, 7}, g;
	uint8_t head[SNAPSHOT_HEAD];
	struct snapshot_member m;
	uint64_t left = 1000, off, len;
	struct rd r;
	size_t n;

	(void)state;
	snapshot_head_put(head, &h);
	assert_true(snapshot_head_get(&g, head, sizeof(head), 150));
	assert_int_equal(g.table_len, 50);
	assert_int_equal(g.pause_us, 7);
	assert_false(snapshot_head_get(&g, head, sizeof(head), 149));
	for (n = 0; n < sizeof(head); n++)
		assert_false(snapshot_head_get(&g, head, n, 150));
	h.table = UINT64_MAX;
	snapshot_head_put(head, &h);
	assert_false(snapshot_head_get(&g, head, sizeof(head), UINT64_MAX));

	n = one_member(SNAPSHOT_FILE, 4, 1, 200, 300);
	r = rd_make(table, n);
	assert_true(snapshot_member_get(&r, &m, 1000, &left));
	assert_int_equal(left, 700);
	assert_int_equal(m.size, 300);
	assert_true(snapshot_extent(&m, &off, &len));
	assert_int_equal(off, 200);
	assert_false(snapshot_extent(&m, &off, &len));
	for (size_t k = 0; k < n; k++) {
		left = 1000;
		assert_false(takes(k, 1000, &left));
	}
	/* outside, more than there is, of no kind, without a name */
	left = 1000;
	assert_false(takes(one_member(2, 4, 1, 800, 201), 1000, &left));
	assert_false(takes(one_member(2, 4, 1, UINT64_MAX, 2), 1000, &left));
	assert_false(takes(one_member(2, 4, 1, 2, UINT64_MAX), 1000, &left));
	left = 99;
	assert_false(takes(one_member(2, 4, 1, 0, 100), 1000, &left));
	left = 1000;
	assert_false(takes(one_member(3, 4, 1, 0, 1), 1000, &left));
	assert_false(takes(one_member(2, 0, 1, 0, 1), 1000, &left));
	assert_false(takes(one_member(2, 4, UINT32_MAX, 0, 1), 1000, &left));
}

/* ---- an archive, and its signature ---- */

static const struct klp_secret secret = {.kind = KEY_SECP256K1, .raw = {[31] = 7}};
static uint8_t binding_bytes[BINDING_LEN];

/* A small bundle in a memfd, as audit and keys make one together. */
static int
make(uint64_t most)
{
	uint8_t frame[BUNDLE_LEN], aux[32] = {1};
	char comment[BUNDLE_COMMENT_MAX];
	struct bundle b = {.kind = BUNDLE_JOB, .made = 1800000000};
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	struct zipout_sum s;
	struct zipout *z;
	size_t n;

	n = bundle_comment(comment, (uint8_t[BUNDLE_LEN]){0}, binding_bytes);
	z = zipout_new(fd, most, 1800000000, n);
	assert_non_null(z);
	if (zipout_put(z, "node.json", "{\"a\":1}", 7) < 0 ||
	    zipout_put(z, "job/processes/2/core", table, sizeof(table)) < 0 ||
	    zipout_put(z, "logs/stdout", "", 0) < 0 ||
	    zipout_close(z, &s) < 0) {
		zipout_free(z);
		(void)close(fd);
		return -1;
	}
	assert_int_equal(s.members, 3);
	memset(b.job.b, 0x11, sizeof(b.job.b));
	b.size = s.size;
	b.digest = s.digest;
	b.sums = s.sums;
	assert_true(bundle_sign(frame, &b, &secret, aux));
	n = bundle_comment(comment, frame, binding_bytes);
	assert_int_equal(zipout_comment(z, comment, n), 0);
	zipout_free(z);
	return fd;
}

/* The same questions that `warren audit verify-bundle` asks of the frame. */
static bool
holds(const uint8_t *p, size_t n)
{
	uint8_t frame[BUNDLE_LEN], binding[BINDING_LEN];
	size_t k = n < 22 ? 0 : n - 22;
	struct id32 d;
	struct klp_key key;
	struct bundle b;
	const char *why;
	struct env e;

	for (; k > 0; k--)
		if (memcmp(p + k, "PK\5\6", 4) == 0 &&
		    k + 22 + (size_t)(p[k + 20] | p[k + 21] << 8) == n)
			break;
	if (k == 0 || !bundle_comment_parse((const char *)p + k + 22,
	    n - k - 22, frame, binding) ||
	    memcmp(binding, binding_bytes, sizeof(binding)) != 0 ||
	    bundle_parse(&b, &e, frame, sizeof(frame), &why) < 0)
		return false;
	assert_true(secret_public(&key, &secret));
	digest_of(&d, p, k + 22);
	return bundle_signed_by(&e, &key) &&
	    b.size == k + 22 && id32_eq(&d, &b.digest);
}

static void
test_every_byte(void **state)
{
	int fd = make(1 << 20);
	struct stat st;
	uint8_t *p;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	p = malloc((size_t)st.st_size + 1);
	assert_int_equal(pread(fd, p, (size_t)st.st_size, 0), st.st_size);
	assert_true(holds(p, (size_t)st.st_size));
	for (size_t i = 0; i < (size_t)st.st_size; i++)
		for (unsigned bit = 0; bit < 8; bit += 7) {
			p[i] ^= (uint8_t)(1u << bit);
			if (holds(p, (size_t)st.st_size))
				fail_msg("byte %zu", i);
			p[i] ^= (uint8_t)(1u << bit);
		}
	for (size_t n = 0; n < (size_t)st.st_size; n += 13)
		assert_false(holds(p, n));
	p[st.st_size] = '\n';
	assert_false(holds(p, (size_t)st.st_size + 1));
	free(p);
	(void)close(fd);
}

/* What a reader without rights says of it. */
static void
test_members(void **state)
{
	static const uint8_t magic[4] = {'P', 'K', 3, 4};
	int fd = make(1 << 20);
	struct bundle_zip z;
	struct id32 d;
	char line[200], hex[65];
	struct stat st;

	(void)state;
	assert_true(bundle_zip_read(&z, fd));
	assert_string_equal(z.why, "");
	assert_int_equal(z.n, 4);
	assert_string_equal(z.members[0].name, "node.json");
	digest_of(&d, "{\"a\":1}", 7);
	assert_true(id32_eq(&d, &z.members[0].digest));
	hex_encode(hex, HASH_BYTES(d));
	(void)snprintf(line, sizeof(line), "%s  node.json\n", hex);
	assert_non_null(z.sums);
	assert_int_equal(strncmp(z.sums, line, strlen(line)), 0);
	bundle_zip_clear(&z);
	/* what is none, and what is cut, is said */
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, "XXXX", 4, st.st_size / 2), 4);
	assert_true(bundle_zip_read(&z, fd));
	bundle_zip_clear(&z);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_true(bundle_zip_read(&z, fd));
	assert_string_not_equal(z.why, "");
	bundle_zip_clear(&z);
	assert_int_equal(pwrite(fd, magic, 4, 0), 4);
	(void)close(fd);
}

/* A quota, and a disk that is full: an error each, and nothing is signed. */
static void
test_full(void **state)
{
	struct zipout_sum s;
	struct zipout *z;
	int fd;

	(void)state;
	for (uint64_t most = 0; most < 600; most += 50)
		assert_int_equal(make(most), -1);
	fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	z = zipout_new(fd, 1 << 20, 0, 10);
	(void)zipout_put(z, "a", table, sizeof(table));
	assert_int_equal(zipout_close(z, &s), -1);
	assert_int_equal(zipout_comment(z, "0123456789", 10), -1);
	zipout_free(z);
	(void)close(fd);
}

static void
test_frame(void **state)
{
	uint8_t frame[BUNDLE_LEN], bad[BUNDLE_LEN], aux[32] = {2};
	struct bundle b = {.kind = BUNDLE_TRAIL, .made = 5, .size = 6}, c;
	const char *why;
	struct env e;

	(void)state;
	assert_true(bundle_sign(frame, &b, &secret, aux));
	assert_int_equal(bundle_parse(&c, &e, frame, sizeof(frame), &why), 0);
	assert_int_equal(c.kind, BUNDLE_TRAIL);
	assert_int_equal(c.size, 6);
	for (size_t n = 0; n < sizeof(frame); n++)
		assert_int_equal(bundle_parse(&c, &e, frame, n, &why), -1);
	memcpy(bad, frame, sizeof(bad));
	bad[3] = 3; /* no such kind */
	assert_int_equal(bundle_parse(&c, &e, bad, sizeof(bad), &why), -1);
	memcpy(bad, frame, sizeof(bad));
	bad[112] = 1; /* what is for later is not for now */
	assert_int_equal(bundle_parse(&c, &e, bad, sizeof(bad), &why), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_frame),
	    cmocka_unit_test(test_every_byte),
	    cmocka_unit_test(test_members),
	    cmocka_unit_test(test_full),
	};
	uint8_t seed[32] = {3};

	if (sodium_init() < 0 || !secp_init(seed))
		return 1;
	memset(binding_bytes, 0x5a, sizeof(binding_bytes));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
