/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The storage folder's formats (reticulum-transport.md 11.4), against files of
 * a stock rnsd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/engine/store_codec.h"
#include "common/mpk.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static const json_t *files;
static const json_t *whole;

static uint8_t *
file(const char *name, size_t *n)
{
	return vec_bytes(files, name, n);
}

static bool
is_dest(const struct hash16 *dest)
{
	json_t *list = vec_array(whole, "destinations"), *v;
	char hex[2 * RNS_HASH + 1];
	size_t i;

	hex_encode(hex, HASH_BYTES(*dest));
	json_array_foreach(list, i, v)
		if (strcmp(json_string_value(v), hex) == 0)
			return true;
	return false;
}

static void
read_paths(void **state)
{
	struct id32 display, hash;
	uint8_t out[4096];
	const char *name = vec_str(whole, "interface");
	char cached[120] = "cache/announces/";
	const uint8_t *raw;
	struct codec_path p;
	size_t n, count, raw_len, an;
	uint8_t *buf = file("destination_table", &n), *announce;
	struct rd r = rd_make(buf, n);
	struct wr w = wr_make(out, sizeof(out));

	(void)state;
	rns_sha256(&display, name, strlen(name));
	assert_true(codec_paths_head(&r, &count));
	assert_int_equal(count, 3);
	mpk_put_array(&w, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(codec_path_get(&r, &p), RNS_OK);
		assert_true(is_dest(&p.dest));
		assert_int_equal(p.hops, 2);
		assert_true(p.expires_us - p.learned_us >
		    INT64_C(604700) * 1000000);
		assert_memory_equal(p.interface.b, display.b, RNS_FULL_HASH);
		assert_int_equal(p.blob_count, 1);
		/* its announce is there and says the same */
		hex_encode(cached + 16, HASH_BYTES(p.packet_hash));
		announce = file(cached, &an);
		assert_non_null(announce);
		assert_true(codec_announce_get(announce, an, &raw, &raw_len));
		assert_true(raw_len > 35);
		assert_memory_equal(raw + 18, p.dest.b, RNS_HASH);
		codec_path_put(&w, &p);
		(void)hash.b;
	}
	assert_true(rd_end(&r));
	/* written again: the same bytes, but for the times' last digits */
	assert_true(wr_ok(&w));
	assert_int_equal(w.len, n);
	r = rd_make(out, w.len);
	assert_true(codec_paths_head(&r, &count));
	assert_int_equal(codec_path_get(&r, &p), RNS_OK);
}

static void
announces(void **state)
{
	const char *name = vec_str(whole, "interface"), *key;
	uint8_t out[CODEC_ANNOUNCE_MAX], *buf;
	const uint8_t *raw;
	size_t n, raw_len;
	struct wr w;
	json_t *v;
	int seen = 0;

	(void)state;
	json_object_foreach((json_t *)files, key, v) {
		if (strncmp(key, "cache/announces/", 16) != 0)
			continue;
		buf = file(key, &n);
		assert_true(codec_announce_get(buf, n, &raw, &raw_len));
		w = wr_make(out, sizeof(out));
		codec_announce_put(&w, raw, raw_len, name);
		assert_true(wr_ok(&w));
		vec_equal(out, w.len, buf, n);
		seen++;
	}
	assert_int_equal(seen, 3);
}

/* Whatever comes, the decoders end, and read nothing behind their input. */
static void
decode_all(void *arg, const uint8_t *data, size_t n)
{
	struct codec_path p;
	struct codec_tunnel t;
	struct codec_hole h;
	const uint8_t *raw;
	size_t count, len;
	int rc;
	struct rd r = rd_make(data, n);

	(void)arg;
	if (codec_paths_head(&r, &count))
		while (count-- > 0 && codec_path_get(&r, &p) != RNS_EPARSE)
			;
	r = rd_make(data, n);
	if (codec_paths_head(&r, &count))
		while (count-- > 0 && (rc = codec_tunnel_get(&r, &t)) !=
		    RNS_EPARSE)
			while (rc == RNS_OK && t.count-- > 0 &&
			    codec_path_get(&t.paths, &p) != RNS_EPARSE)
				;
	r = rd_make(data, n);
	if (codec_holes_head(&r, &count))
		while (count-- > 0 && codec_hole_get(&r, &h) != RNS_EPARSE)
			;
	(void)codec_announce_get(data, n, &raw, &len);
}

static void
holes(void **state)
{
	struct codec_hole h;
	size_t n, count;
	uint8_t *buf = file("blackhole/local", &n);
	struct rd r = rd_make(buf, n);
	uint8_t out[512];
	struct wr w = wr_make(out, sizeof(out));
	int forever = 0;

	(void)state;
	assert_true(codec_holes_head(&r, &count));
	assert_int_equal(count, 2);
	mpk_put_map(&w, count);
	while (count-- > 0) {
		assert_int_equal(codec_hole_get(&r, &h), RNS_OK);
		assert_true(h.identity.b[0] == 0x00 || h.identity.b[0] == 0xff);
		if (h.identity.b[0] == 0xff)
			assert_int_equal(h.until_us, 0);
		forever += h.until_us == 0;
		codec_hole_put(&w, &h);
	}
	assert_true(rd_end(&r));
	assert_int_equal(forever, 1);
	/* written again: the same, but for the time's last digits */
	assert_true(wr_ok(&w));
	assert_int_equal(w.len, n);
}

/* A reason that is too long is cut, and never inside a character. */
static void
reasons(void **state)
{
	char text[CODEC_REASON_MAX + 40];
	struct codec_hole in = {.reason = text}, h;
	uint8_t out[1024];
	struct wr w;
	struct rd r;

	(void)state;
	for (size_t off = 0; off < 2; off++) {
		text[0] = 'x';
		for (size_t i = off; i + 2 <= sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa4", 2);
		in.reason_len = sizeof(text) - 2 + off;
		w = wr_make(out, sizeof(out));
		codec_hole_put(&w, &in);
		assert_true(wr_ok(&w));
		r = rd_make(out, w.len);
		assert_int_equal(codec_hole_get(&r, &h), RNS_OK);
		assert_int_equal(h.reason_len, CODEC_REASON_MAX - off);
		assert_memory_equal(h.reason, text, h.reason_len);
	}
}

static void
tunnels(void **state)
{
	struct id32 id = {{7}}, interface = {{8}};
	struct codec_path p = {.dest = {{1}}, .hops = 3, .learned_us = 5000000,
	    .expires_us = 9000000, .packet_hash = {{4}}, .blob_count = 1}, q;
	struct codec_tunnel t;
	uint8_t out[1024];
	size_t count;
	struct wr w = wr_make(out, sizeof(out));
	struct rd r;

	(void)state;
	mpk_put_array(&w, 2);
	codec_tunnel_put(&w, &id, NULL, 2);
	codec_path_put(&w, &p);
	p.interface = interface;
	codec_path_put(&w, &p);
	codec_tunnel_put_end(&w, 7000000);
	codec_tunnel_put(&w, &interface, &interface, 0);
	codec_tunnel_put_end(&w, 8000000);
	assert_true(wr_ok(&w));
	r = rd_make(out, w.len);
	assert_true(codec_paths_head(&r, &count));
	assert_int_equal(count, 2);
	assert_int_equal(codec_tunnel_get(&r, &t), RNS_OK);
	assert_true(id32_eq(&t.id, &id));
	assert_int_equal(t.expires_us, 7000000);
	assert_int_equal(t.count, 2);
	assert_int_equal(codec_path_get(&t.paths, &q), RNS_OK);
	assert_int_equal(q.interface.b[0], 0);
	assert_int_equal(codec_path_get(&t.paths, &q), RNS_OK);
	assert_int_equal(q.interface.b[0], 8);
	assert_int_equal(q.hops, 3);
	assert_true(rd_end(&t.paths));
	assert_int_equal(codec_tunnel_get(&r, &t), RNS_OK);
	assert_int_equal(t.count, 0);
	assert_true(rd_end(&r));
	vec_each_prefix(out, w.len, decode_all, NULL);
	vec_each_flip(out, w.len, decode_all, NULL);
}

static void
many_blobs(void **state)
{
	uint8_t out[8192];
	struct wr w = wr_make(out, sizeof(out));
	struct codec_path p;
	struct rd r;

	(void)state;
	mpk_put_array(&w, 8);
	mpk_put_bin(&w, (uint8_t[16]){1}, 16);
	mpk_put_double(&w, 1700000000.5);
	mpk_put_bin(&w, (uint8_t[16]){2}, 16);
	mpk_put_uint(&w, 128);
	mpk_put_double(&w, 1700000001.0);
	mpk_put_array(&w, 100);
	for (uint8_t i = 0; i < 100; i++)
		mpk_put_bin(&w, (uint8_t[10]){i}, 10);
	mpk_put_bin(&w, (uint8_t[32]){3}, 32);
	mpk_put_bin(&w, (uint8_t[32]){4}, 32);
	assert_true(wr_ok(&w));
	r = rd_make(out, w.len);
	assert_int_equal(codec_path_get(&r, &p), RNS_OK);
	assert_int_equal(p.blob_count, CODEC_BLOBS_MAX);
	assert_int_equal(p.blobs[0][0], 36); /* the newest stay */
	assert_int_equal(p.blobs[63][0], 99);
	assert_int_equal(p.learned_us, 1700000000500000);
}

static void
hostile(void **state)
{
	const char *key;
	uint8_t *buf;
	json_t *v;
	size_t n;

	(void)state;
	json_object_foreach((json_t *)files, key, v) {
		buf = file(key, &n);
		vec_each_prefix(buf, n, decode_all, NULL);
		vec_each_flip(buf, n, decode_all, NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_paths), cmocka_unit_test(announces),
		cmocka_unit_test(holes), cmocka_unit_test(reasons),
		cmocka_unit_test(tunnels), cmocka_unit_test(many_blobs),
		cmocka_unit_test(hostile),
	};

	whole = vec_load("storage-1.5.json");
	files = json_object_get(whole, "files");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
