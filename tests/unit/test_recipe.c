/* SPDX-License-Identifier: BSD-2-Clause */
/* How layers are put together again, and what is kept to hand them out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/util.h"
#include "common/wire.h"
#include "sandbox/base/tar.h"
#include "sandbox/image/chunksof.h"
#include "sandbox/image/parts.h"
#include "sandbox/plan/recipe.h"

static uint8_t tar[1 << 20];
static size_t tar_len;

/* ---- archives ---- */

static void
put(const void *p, size_t n)
{
	assert_true(tar_len + n <= sizeof(tar));
	memcpy(tar + tar_len, p, n);
	tar_len += n;
}

static void
noise(uint8_t *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		p[i] = (uint8_t)(seed >> 24);
	}
}

/* A member as the writer of compute.md 2.2 has it; its content is noise. */
static void
member(const char *path, char type, uint16_t mode, size_t size, uint32_t seed)
{
	static const uint8_t zeros[TAR_BLOCK];
	static uint8_t data[200000];
	struct tar_member m = {.type = type, .mode = mode, .size = size};
	uint8_t head[TAR_BLOCK];

	(void)snprintf(m.path, sizeof(m.path), "%s", path);
	assert_int_equal(tar_header(head, &m), TAR_OK);
	put(head, sizeof(head));
	noise(data, size, seed);
	put(data, size);
	put(zeros, tar_padding(size));
}

static void
end(void)
{
	static const uint8_t zeros[2 * TAR_BLOCK];

	put(zeros, sizeof(zeros));
}

/* The checksum of a header that was changed. */
static void
sum_again(uint8_t *h)
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += h[i];
	(void)snprintf((char *)h + 148, 8, "%06o", sum);
}

static uint8_t *
recipe_of(size_t step, size_t *len)
{
	struct recipe_maker *m = recipe_maker_new();
	struct recipe_made made;
	struct wr w;
	uint8_t *p;

	assert_non_null(m);
	for (size_t at = 0; at < tar_len; at += step)
		recipe_make(m, tar + at, MIN_OF(step, tar_len - at));
	assert_null(recipe_made(m, &made));
	*len = sizeof(made.head) + made.contents_len + made.steps_len +
	    made.literal_len;
	p = malloc(*len);
	w = wr_make(p, *len);
	wr_bytes(&w, made.head, sizeof(made.head));
	if (made.contents_len > 0)
		wr_bytes(&w, made.contents, made.contents_len);
	if (made.steps_len > 0)
		wr_bytes(&w, made.steps, made.steps_len);
	if (made.literal_len > 0)
		wr_bytes(&w, made.literal, made.literal_len);
	assert_true(wr_ok(&w));
	recipe_maker_free(m);
	return p;
}

static void
sha(struct id32 *out, const void *p, size_t n)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, n, p);
	sha256_digest(&ctx, sizeof(out->b), out->b);
}

/* Each piece is what stands there; how many contents. */
static unsigned
gives_back(const uint8_t *p, size_t len)
{
	struct recipe_at at = {0};
	struct recipe_piece piece;
	struct recipe r;
	const char *why;
	size_t off = 0;
	unsigned n = 0;

	assert_true(recipe_read(&r, p, len, &why));
	assert_int_equal(r.total, tar_len);
	while (recipe_next(&r, &at, &piece)) {
		struct id32 is;

		assert_true(piece.n <= tar_len - off);
		if (piece.bytes != NULL) {
			assert_memory_equal(piece.bytes, tar + off, piece.n);
		} else {
			sha(&is, tar + off, piece.n);
			assert_true(id32_eq(&is, recipe_digest(&r, piece.i)));
			assert_int_equal(piece.n, recipe_size(&r, piece.i));
			n++;
		}
		off += piece.n;
	}
	assert_int_equal(off, tar_len);
	return n;
}

static void
some_layer(void)
{
	tar_len = 0;
	member("a", TAR_DIR, 0755, 0, 0);
	member("a/large", TAR_FILE, 0644, 100000, 1);
	member("a/least", TAR_FILE, 0644, RECIPE_LEAST, 2);
	member("a/small", TAR_FILE, 0644, RECIPE_LEAST - 1, 3);
	member("b", TAR_FILE, 0644, 100000, 1);
	member("c", TAR_FILE, 0000, 5000, 4); /* nobody reads it */
	end();
}

static void
comes_back(void **state)
{
	static const size_t steps[] = {1, 7, 511, 512, 513, 65536, 1 << 20};
	uint8_t *first, *p;
	size_t n, len;

	(void)state;
	some_layer();
	first = recipe_of(1 << 20, &n);
	assert_true(gives_back(first, n) > 10);
	/* however it was cut when it came */
	for (unsigned i = 0; i < NELEM(steps); i++) {
		p = recipe_of(steps[i], &len);
		assert_int_equal(len, n);
		assert_memory_equal(p, first, n);
		free(p);
	}
	/* headers, what is small, what nobody reads */
	assert_true(n < 20000);
	free(first);
	tar_len = 0;
	p = recipe_of(1, &len);
	assert_int_equal(gives_back(p, len), 0);
	free(p);
}

/* What is no archive, or one that was made to be read in two ways. */
static void
odd_layers(void **state)
{
	static const uint8_t pax[] = "22 GNU.sparse.major=1\n";
	static uint8_t block[TAR_BLOCK];
	uint8_t *p;
	size_t len, at;

	(void)state;
	tar_len = 0;
	noise(tar, 50000, 9);
	tar_len = 50000;
	p = recipe_of(1000, &len);
	assert_int_equal(gives_back(p, len), 0);
	free(p);
	for (size_t cut = 0; cut < 4; cut++) { /* cut off anywhere */
		some_layer();
		tar_len = 1000 + cut * 997;
		p = recipe_of(1 << 20, &len);
		(void)gives_back(p, len);
		free(p);
	}
	/* a map of holes in front: its bytes are not the file's */
	tar_len = 0;
	member("x", TAR_FILE, 0644, sizeof(block), 0);
	memset(block, 0, sizeof(block));
	memcpy(block, pax, sizeof(pax) - 1);
	memcpy(tar + TAR_BLOCK, block, sizeof(block));
	tar[156] = 'x';
	sum_again(tar);
	member("y", TAR_FILE, 0644, 5000, 1);
	at = tar_len;
	p = recipe_of(1 << 20, &len);
	assert_int_equal(gives_back(p, len), 0);
	free(p);
	/* ... of that one alone */
	tar_len = at;
	member("z", TAR_FILE, 0644, 600, 1);
	p = recipe_of(1 << 20, &len);
	assert_int_equal(gives_back(p, len), 1);
	free(p);
	/* a size of another form */
	tar_len = 0;
	member("w", TAR_FILE, 0644, 5000, 1);
	tar[124] = 0x80;
	sum_again(tar);
	p = recipe_of(1 << 20, &len);
	assert_int_equal(gives_back(p, len), 0);
	free(p);
}

/* ---- what strangers say ---- */

static void
hostile_recipes(void **state)
{
	struct recipe r;
	uint8_t *p, *cut;
	const char *why;
	size_t len;

	(void)state;
	some_layer();
	p = recipe_of(1 << 20, &len);
	for (size_t n = 0; n < len; n += n < 2000 ? 1 : 97) {
		cut = malloc(n + 1); /* so that a read beyond it is seen */
		memcpy(cut, p, n);
		assert_false(recipe_read(&r, cut, n, &why));
		assert_non_null(why);
		free(cut);
	}
	cut = malloc(len + 1);
	memcpy(cut, p, len);
	cut[len] = 0;
	assert_false(recipe_read(&r, cut, len + 1, &why));
	free(cut);
	/* every bit of what counts and what adds up */
	assert_true(recipe_read(&r, p, len, &why));
	for (size_t i = 0; i < len; i++) {
		const uint8_t *at = p + i;
		bool counts = i < RECIPE_HEAD || (at >= r.steps &&
		    at < r.steps + (size_t)r.nsteps * RECIPE_STEP) ||
		    (at >= r.contents && at < r.steps &&
		    (size_t)(at - r.contents) % CHUNK_ENTRY >= 32);

		for (unsigned bit = 0; counts && bit < 8; bit++) {
			struct recipe bad;

			p[i] ^= (uint8_t)(1u << bit);
			assert_false(recipe_read(&bad, p, len, &why));
			p[i] ^= (uint8_t)(1u << bit);
		}
	}
	free(p);
}

/* Steps that go round and round without a byte. */
static void
empty_steps(void **state)
{
	uint8_t p[RECIPE_HEAD + 3 * RECIPE_STEP] = "KIL1";
	struct recipe r;
	const char *why;

	(void)state;
	put_u32(p + 16, 3);
	assert_false(recipe_read(&r, p, sizeof(p), &why));
	put_u32(p + 16, 0);
	assert_true(recipe_read(&r, p, RECIPE_HEAD, &why));
	put_u32(p + 12, RECIPE_CONTENTS_MAX + 1);
	assert_false(recipe_read(&r, p, sizeof(p), &why));
	put_u32(p + 12, UINT32_MAX);
	assert_false(recipe_read(&r, p, sizeof(p), &why));
}

static struct image_head head, again;

static size_t
some_head(uint8_t *out, size_t cap)
{
	struct wr w = wr_make(out, cap);

	head = (struct image_head){.manifest = (const uint8_t *)"manifest",
	    .manifest_len = 8, .config = (const uint8_t *)"{}",
	    .config_len = 2, .nlayers = 2};
	for (unsigned i = 0; i < 2; i++)
		head.layer[i] = (struct image_head_layer){.diff = {{1}},
		    .recipe = {{2}}, .size = 1000 + i, .recipe_len = 100};
	image_head_put(&w, &head);
	assert_true(wr_ok(&w));
	return w.len;
}

static void
heads(void **state)
{
	uint8_t p[400], *cut;
	size_t len = some_head(p, sizeof(p));
	const char *why;

	(void)state;
	assert_true(image_head_read(&again, p, len, &why));
	assert_int_equal(again.nlayers, 2);
	assert_int_equal(again.layer[1].size, 1001);
	assert_memory_equal(again.manifest, "manifest", 8);
	assert_memory_equal(again.config, "{}", 2);
	for (size_t n = 0; n < len; n++) {
		cut = malloc(n + 1);
		memcpy(cut, p, n);
		assert_false(image_head_read(&again, cut, n, &why));
		free(cut);
	}
	assert_false(image_head_read(&again, p, len + 1, &why));
	put_u16(p + 12, IMAGE_HEAD_LAYERS + 1);
	assert_false(image_head_read(&again, p, len, &why));
	(void)some_head(p, sizeof(p));
	put_u32(p + 4, IMAGE_HEAD_DOC + 1);
	assert_false(image_head_read(&again, p, len, &why));
	(void)some_head(p, sizeof(p));
	put_u32(p + IMAGE_HEAD_FIXED + 40, RECIPE_HEAD - 1);
	assert_false(image_head_read(&again, p, len, &why));
	(void)some_head(p, sizeof(p));
	put_u64(p + IMAGE_HEAD_FIXED + 32, RECIPE_TOTAL_MAX + 1);
	assert_false(image_head_read(&again, p, len, &why));
}

/* ---- what is kept ---- */

static char dir[] = "/tmp/warren-recipe.XXXXXX";
static int store = -1;
static const struct id32 image = {{0xab, 0xcd}};

static void
write_at(const char *name, const void *p, size_t n)
{
	int fd = openat(store, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	(void)close(fd);
}

/* An image of one file, with a content that no file has any more. */
static size_t
keep(uint8_t *p, size_t cap, const uint8_t *file, const uint8_t *rest)
{
	struct parts parts = {.nplaces = 2, .paths_len = 6, .rest_len = 700};
	struct parts_place a = {.size = 1000, .at = 24};
	struct parts_place b = {.size = 700, .path = PARTS_NO_PATH};
	struct wr w = wr_make(p, cap);
	char name[160], hex[65];
	size_t at;

	sha(&a.digest, file + 24, 1000);
	sha(&b.digest, rest, 700);
	if (memcmp(a.digest.b, b.digest.b, 32) > 0) {
		struct parts_place c = a;

		a = b;
		b = c;
	}
	wr_zero(&w, PARTS_FIXED);
	parts.head_len = (uint32_t)some_head(p + w.len, cap - w.len);
	w.len += parts.head_len;
	wr_zero(&w, 200); /* two recipes */
	parts.places = w.len;
	at = w.len;
	wr_zero(&w, 2 * PARTS_PLACE);
	parts_place_put(p + at, &a);
	parts_place_put(p + at + PARTS_PLACE, &b);
	parts.paths = w.len;
	wr_bytes(&w, "etc/x", 6);
	parts.rest = w.len;
	wr_bytes(&w, rest, 700);
	assert_true(wr_ok(&w));
	parts_put(p, &parts);
	hex_encode(hex, HASH_BYTES(image));
	(void)snprintf(name, sizeof(name), "roots/%s", hex);
	(void)mkdirat(store, "roots", 0755);
	(void)mkdirat(store, "meta", 0755);
	(void)mkdirat(store, name, 0755);
	(void)snprintf(name, sizeof(name), "roots/%s/etc", hex);
	(void)mkdirat(store, name, 0755);
	(void)snprintf(name, sizeof(name), "roots/%s/etc/x", hex);
	write_at(name, file, 2000);
	(void)snprintf(name, sizeof(name), "meta/%s.parts", hex);
	write_at(name, p, w.len);
	return w.len;
}

static void
handed_out(void **state)
{
	static uint8_t p[8192], out[CHUNK_MAX], file[2000], rest[700];
	char name[160], hex[65];
	struct image_parts i;
	struct id32 a, b, none = {{0}};
	uint64_t size;
	size_t len;

	(void)state;
	noise(file, sizeof(file), 5);
	noise(rest, sizeof(rest), 6);
	len = keep(p, sizeof(p), file, rest);
	sha(&a, file + 24, 1000);
	sha(&b, rest, 700);
	assert_int_equal(parts_open(&i, store, &none), -1);
	assert_int_equal(parts_open(&i, store, &image), 0);
	assert_int_equal(parts_part(&i, 0, 0, out, sizeof(out), &size),
	    i.p.head_len);
	assert_int_equal(size, i.p.head_len);
	assert_int_equal(parts_part(&i, 2, 40, out, 1000, &size), 60);
	assert_int_equal(size, 100);
	assert_int_equal(parts_part(&i, 2, 100, out, 1000, &size), 0);
	assert_int_equal(parts_part(&i, 2, UINT64_MAX, out, 9, &size), 0);
	assert_int_equal(parts_part(&i, 3, 0, out, 1000, &size), -1);
	assert_int_equal(parts_part(&i, UINT64_MAX, 0, out, 9, &size), -1);
	assert_int_equal(parts_content(&i, &a, out, sizeof(out)), 1000);
	assert_memory_equal(out, file + 24, 1000);
	assert_int_equal(parts_content(&i, &b, out, sizeof(out)), 700);
	assert_memory_equal(out, rest, 700);
	assert_int_equal(parts_content(&i, &a, out, 999), 0);
	assert_int_equal(parts_content(&i, &none, out, sizeof(out)), -1);
	assert_int_equal(errno, ENOENT);
	/* what is another one now is not handed out as what it was */
	hex_encode(hex, HASH_BYTES(image));
	(void)snprintf(name, sizeof(name), "roots/%s/etc/x", hex);
	file[30] ^= 1;
	write_at(name, file, sizeof(file));
	assert_int_equal(parts_content(&i, &a, out, sizeof(out)), -1);
	assert_int_equal(errno, EBADMSG);
	(void)unlinkat(store, name, 0);
	assert_int_equal(symlinkat("/etc/passwd", store, name), 0);
	assert_int_equal(parts_content(&i, &a, out, sizeof(out)), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(parts_content(&i, &b, out, sizeof(out)), 700);
	parts_close(&i);
	/* one that was cut off, or says too much of itself */
	(void)snprintf(name, sizeof(name), "meta/%s.parts", hex);
	for (size_t n = 0; n < len - 1; n += 13) {
		write_at(name, p, n);
		assert_int_equal(parts_open(&i, store, &image), -1);
	}
	for (size_t n = 0; n < PARTS_FIXED; n++) {
		p[n] ^= 0xff;
		write_at(name, p, len);
		if (parts_open(&i, store, &image) == 0) {
			(void)parts_content(&i, &a, out, sizeof(out));
			(void)parts_content(&i, &b, out, sizeof(out));
			(void)parts_part(&i, 1, 0, out, 9, &size);
			parts_close(&i);
		}
		p[n] ^= 0xff;
	}
}

struct chunks {
	uint8_t *p;
	size_t n, files;
};

static int
chunk(void *ctx, const struct id32 *id, const uint8_t *p, size_t n)
{
	struct chunks *c = ctx;
	struct id32 is;

	sha(&is, p, n);
	assert_true(id32_eq(&is, id));
	memcpy(c->p + c->n, p, n);
	c->n += n;
	return c->files > 0 && c->n >= c->files ? 7 : 0;
}

/* A file that is read in several windows is cut as one in memory is. */
static void
what_is_here(void **state)
{
	size_t n = 18 * CHUNK_MAX + 11;
	struct chunk_gear gear;
	struct chunks c = {malloc(n), 0, 0};
	uint8_t *data = malloc(n);

	(void)state;
	assert_int_equal(chunks_of_store(store, chunk, &c), 0);
	assert_int_equal(c.n, 0);
	noise(data, n, 8);
	(void)mkdirat(store, "files", 0755);
	(void)mkdirat(store, "files/ab", 0755);
	write_at("files/ab/one", data, n);
	assert_int_equal(chunks_of_store(store, chunk, &c), 0);
	assert_int_equal(c.n, n);
	assert_memory_equal(c.p, data, n);
	chunk_gear_init(&gear);
	c.n = 0;
	c.files = chunk_cut(&gear, data, CHUNK_MAX);
	assert_int_equal(chunks_of_store(store, chunk, &c), 7);
	assert_int_equal(c.n, c.files);
	free(c.p);
	free(data);
}

static int
make_store(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	store = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return store < 0 ? -1 : 0;
}

static int
remove_store(void **state)
{
	char hex[65], name[200];
	static const char *const rest[] = {"files/ab/one"};

	(void)state;
	hex_encode(hex, HASH_BYTES(image));
	(void)snprintf(name, sizeof(name), "roots/%s/etc/x", hex);
	(void)unlinkat(store, name, 0);
	(void)snprintf(name, sizeof(name), "meta/%s.parts", hex);
	(void)unlinkat(store, name, 0);
	(void)unlinkat(store, rest[0], 0);
	(void)snprintf(name, sizeof(name), "roots/%s/etc", hex);
	(void)unlinkat(store, name, AT_REMOVEDIR);
	(void)snprintf(name, sizeof(name), "roots/%s", hex);
	(void)unlinkat(store, name, AT_REMOVEDIR);
	(void)unlinkat(store, "roots", AT_REMOVEDIR);
	(void)unlinkat(store, "meta", AT_REMOVEDIR);
	(void)unlinkat(store, "files/ab", AT_REMOVEDIR);
	(void)unlinkat(store, "files", AT_REMOVEDIR);
	(void)close(store);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comes_back),
	    cmocka_unit_test(odd_layers),
	    cmocka_unit_test(hostile_recipes),
	    cmocka_unit_test(empty_steps),
	    cmocka_unit_test(heads),
	    cmocka_unit_test(handed_out),
	    cmocka_unit_test(what_is_here),
	};

	return cmocka_run_group_tests(tests, make_store, remove_store);
}
