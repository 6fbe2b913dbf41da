/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>
#include <zlib.h>
#include <zstd.h>

#include "common/file.h"
#include "sandbox/image/import.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/import_group.h"
#include "sandbox/image/gc.h"
#include "sandbox/image/store.h"
#include "sandbox/base/tree.h"
#include "common/util.h"
#include "tests/unit/tarbuf.h"

/* ---- layouts ---- */

static void
hex_digest(char hex[65], const void *p, size_t n)
{
	struct sha256_ctx ctx;
	uint8_t d[32];

	sha256_init(&ctx);
	sha256_update(&ctx, n, p);
	sha256_digest(&ctx, 32, d);
	hex_encode(hex, d, 32);
}

/* ---- a folder for everything ---- */

static char top[64];
static int images = -1, hand = -1;
static bool possible;

static void
path_of(char *out, size_t cap, const char *a, const char *b)
{
	(void)snprintf(out, cap, "%s/%s/%s", top, a, b);
}

static int
setup(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/warren-image-XXXXXX");
	if (mkdtemp(top) == NULL || chmod(top, 0755) == -1)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/images", top);
	if (mkdir(path, 0755) == -1)
		return -1;
	images = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hand = open("warren-hand", O_RDONLY | O_CLOEXEC);
	possible = hand != -1;
	return images == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	(void)tree_empty(fd);
	(void)close(fd);
	(void)close(images);
	if (hand != -1)
		(void)close(hand);
	return rmdir(top);
}

static int
import(const char *path, const char *name, struct image_imported *out,
    char why[256])
{
	struct image_import in = {.images = images, .path = path,
	    .name = name, .hand = hand, .base = 0x70000000};

	return image_import(&in, out, why, 256);
}

static void
put(const char *dir, const char *name, const void *p, size_t n)
{
	char path[256];
	int fd;

	path_of(path, sizeof(path), dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, p, n), 0);
	(void)close(fd);
}

static void
blob(const char *dir, char hex[65], const void *p, size_t n)
{
	char name[128];

	hex_digest(hex, p, n);
	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", hex);
	put(dir, name, p, n);
}

static const char config_text[] =
    "{\"architecture\":\"\",\"os\":\"linux\",\"config\":{\"Env\":"
    "[\"A=1\",\"bad name=2\"],\"Entrypoint\":[\"/bin/app\"],"
    "\"Cmd\":[\"run\"],\"WorkingDir\":\"/srv\",\"User\":\"root\"}}";

/* A layout of these layers; packed: 1 gzip, 2 zstd. The manifest's digest in hex. */
static void
layout(const char *dir, const struct tarbuf *layers, size_t n, int packed,
    char hex[65])
{
	char path[256], config[65], layer[65], text[4096], desc[512];
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", top, dir);
	assert_int_equal(mkdir(path, 0755), 0);
	path_of(path, sizeof(path), dir, "blobs");
	assert_int_equal(mkdir(path, 0755), 0);
	path_of(path, sizeof(path), dir, "blobs/sha256");
	assert_int_equal(mkdir(path, 0755), 0);
	put(dir, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
	blob(dir, config, config_text, strlen(config_text));
	(void)snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"config\":"
	    "{\"digest\":\"sha256:%s\"},\"layers\":[", config);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = layers[i].p;
		uint8_t *z = NULL;

		len = whole(&layers[i]);
		if (packed == 2) {
			z = malloc(ZSTD_compressBound(len));
			assert_non_null(z);
			len = ZSTD_compress(z, ZSTD_compressBound(len), p, len,
			    3);
			assert_false(ZSTD_isError(len));
			p = z;
		} else if (packed == 1) {
			z_stream s;

			memset(&s, 0, sizeof(s));
			z = malloc(len + 1024);
			assert_int_equal(deflateInit2(&s, 6, Z_DEFLATED, 31, 8,
			    Z_DEFAULT_STRATEGY), Z_OK);
			s.next_in = layers[i].p;
			s.avail_in = (uInt)len;
			s.next_out = z;
			s.avail_out = (uInt)len + 1024;
			assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
			len = s.total_out;
			(void)deflateEnd(&s);
			p = z;
		}
		blob(dir, layer, p, len);
		free(z);
		(void)snprintf(desc, sizeof(desc), "%s{\"digest\":"
		    "\"sha256:%s\"}", i > 0 ? "," : "", layer);
		strncat(text, desc, sizeof(text) - strlen(text) - 1);
	}
	strncat(text, "]}", sizeof(text) - strlen(text) - 1);
	blob(dir, hex, text, strlen(text));
	(void)snprintf(text, sizeof(text), "{\"manifests\":[{\"digest\":"
	    "\"sha256:%s\"}]}", hex);
	put(dir, "index.json", text, strlen(text));
}

static bool
there(const char hex[65], const char *path, struct stat *st)
{
	char p[256];

	(void)snprintf(p, sizeof(p), "roots/%s/%s", hex, path);
	return fstatat(images, p, st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Some places give no user namespaces: then there is nothing to try. */
static bool
skip_if_impossible(void)
{
	static int known = -1;
	struct image_imported out;
	char why[256], path[128];

	if (known == -1) {
		(void)snprintf(path, sizeof(path), "%s/empty", top);
		(void)mkdir(path, 0755);
		known = possible && import(path, NULL, &out, why) == 0;
		if (!known)
			print_message("imports cannot be tried: %s\n", why);
	}
	return known == 0;
}

/* Files that are not the image's any more: an import puts it right. */
static void
damaged(const char *path, const char *hex, struct image_imported *out,
    char *why)
{
	char name[128];
	struct stat st;
	int fd;

	(void)snprintf(name, sizeof(name), "meta/%s.files", hex);
	assert_int_equal(fstatat(images, name, &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	(void)snprintf(name, sizeof(name), "roots/%s/dir/new", hex);
	assert_int_equal(fchmodat(images, name, 0644, 0), 0);
	fd = openat(images, name, O_WRONLY);
	assert_int_equal(pwrite(fd, "N", 1, 0), 1);
	assert_int_equal(fchmod(fd, 0444), 0);
	(void)close(fd);
	assert_int_equal(import(path, NULL, out, why), 0);
	assert_true(out->was_here && out->mended);
	fd = openat(images, name, O_RDONLY);
	assert_int_equal(pread(fd, why, 3, 0), 3);
	assert_memory_equal(why, "new", 3);
	(void)close(fd);
	assert_true(there(hex, "", &st));
	assert_int_equal(st.st_mode, S_IFDIR | 0555);
	/* one that was imported before there were lists */
	(void)snprintf(name, sizeof(name), "meta/%s.files", hex);
	assert_int_equal(unlinkat(images, name, 0), 0);
	assert_int_equal(import(path, NULL, out, why), 0);
	assert_true(out->was_here && !out->mended);
	assert_int_equal(fstatat(images, name, &st, 0), 0);
}

static void
test_layers(void **state)
{
	struct tarbuf l[2] = {{NULL, 0}, {NULL, 0}};
	struct image_imported out;
	char hex[65], path[128], why[256];
	struct image_record rec;
	static uint8_t buf[IMAGE_RECORD_MAX];
	struct id32 digest;
	struct stat st;

	(void)state;
	if (skip_if_impossible())
		skip();
	for (int gz = 0; gz < 3; gz++) {
		l[0].n = l[1].n = 0;
		member(&l[0], "./", '5', 0755, NULL, NULL, 0);
		member(&l[0], "bin/", '5', 0700, NULL, NULL, 0);
		file(&l[0], "bin/app", 04750, &"0\0001\0002"[2 * gz]);
		file(&l[0], "bin/gone", 0644, "x");
		member(&l[0], "bin/hard", '1', 0, "bin/app", NULL, 0);
		member(&l[0], "abs", '2', 0777, "/etc/passwd", NULL, 0);
		member(&l[0], "dir/", '5', 0755, NULL, NULL, 0);
		file(&l[0], "dir/old", 0644, "x");
		member(&l[0], "dev/null", '3', 0666, NULL, NULL, 0);
		file(&l[0], "deep/er/f", 0444, "x");
		file(&l[1], "bin/.wh.gone", 0, "");
		file(&l[1], "dir/new", 0600, "new");
		file(&l[1], "dir/.wh..wh..opq", 0, "");
		member(&l[1], "deep", '2', 0777, "bin", NULL, 0);
		(void)snprintf(path, sizeof(path), "layers%d", gz);
		layout(path, l, 2, gz, hex);
		(void)snprintf(path, sizeof(path), "%s/layers%d", top, gz);
		if (import(path, "kai/test:v1", &out, why) != 0)
			fail_msg("%s", why);
		assert_int_equal(out.layers, 2);
		assert_int_equal(out.dropped, 1);
		assert_non_null(strstr(out.note, "user is ignored"));
		assert_true(hex_decode(HASH_BYTES(digest), hex, 64));
		assert_memory_equal(digest.b, out.digest.b, 32);
		assert_true(there(hex, "bin/app", &st));
		assert_int_equal(st.st_mode, S_IFREG | 0555);
		assert_true(there(hex, "bin/hard", &st));
		assert_int_equal(st.st_nlink, 3); /* and of files/ */
		assert_false(there(hex, "bin/gone", &st));
		assert_false(there(hex, "bin/.wh.gone", &st));
		assert_false(there(hex, "dir/old", &st));
		assert_true(there(hex, "dir/new", &st));
		assert_int_equal(st.st_mode, S_IFREG | 0444);
		assert_false(there(hex, "dev/null", &st));
		assert_true(there(hex, "deep", &st) && S_ISLNK(st.st_mode));
		assert_true(there(hex, "bin", &st));
		assert_int_equal(st.st_mode, S_IFDIR | 0555);
		assert_true(there(hex, "", &st));
		assert_int_equal(st.st_mode, S_IFDIR | 0555);
		assert_int_equal(store_record(images, &digest, buf, &rec), 0);
		assert_int_equal(rec.argc, 2);
		assert_string_equal(rec.argv[0], "/bin/app");
		assert_int_equal(rec.envc, 1);
		assert_string_equal(rec.env[0], "A=1");
		assert_string_equal(rec.cwd, "/srv");
		assert_int_equal(store_resolve(images, "kai/test:v1", &digest),
		    0);
		assert_memory_equal(digest.b, out.digest.b, 32);
		/* again: here already */
		assert_int_equal(import(path, NULL, &out, why), 0);
		assert_true(out.was_here && !out.mended);
		damaged(path, hex, &out, why);
	}
	free(l[0].p);
	free(l[1].p);
}

/* The whole layout, or a docker save, as one archive. */
static void
add_file(struct tarbuf *t, const char *dir, const char *name)
{
	char path[256];
	size_t n;
	char *text;

	path_of(path, sizeof(path), dir, name);
	text = file_load(AT_FDCWD, path, 1 << 20, &n);
	assert_non_null(text);
	member(t, name, '0', 0644, NULL, text, n);
	free(text);
}

static void
test_archives(void **state)
{
	struct tarbuf l = {NULL, 0}, t = {NULL, 0};
	struct image_imported out;
	char hex[65], layer[65], config[65], name[128], text[1024], why[256];
	char path[128];
	struct stat st;
	gzFile gz;

	(void)state;
	if (skip_if_impossible())
		skip();
	file(&l, "bin/app", 0755, "archive");
	layout("arch", &l, 1, 0, hex);
	add_file(&t, "arch", "index.json");
	add_file(&t, "arch", "oci-layout");
	hex_digest(layer, l.p, whole(&l));
	hex_digest(config, config_text, strlen(config_text));
	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", hex);
	add_file(&t, "arch", name);
	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", layer);
	add_file(&t, "arch", name);
	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", config);
	add_file(&t, "arch", name);
	(void)snprintf(path, sizeof(path), "%s/arch.tar.gz", top);
	gz = gzopen(path, "wb");
	assert_int_equal(gzwrite(gz, t.p, (unsigned)whole(&t)), whole(&t));
	(void)gzclose(gz);
	if (import(path, "arch", &out, why) != 0)
		fail_msg("%s", why);
	assert_true(there(hex, "bin/app", &st));

	/* docker save */
	t.n = 0;
	(void)snprintf(text, sizeof(text), "{\"rootfs\":{\"diff_ids\":"
	    "[\"sha256:%s\"]},\"config\":{\"Cmd\":[\"sh\"]}}", layer);
	hex_digest(config, text, strlen(text));
	(void)snprintf(name, sizeof(name), "%s.json", config);
	file(&t, name, 0644, text);
	member(&t, "abc/layer.tar", '0', 0644, NULL, l.p, whole(&l));
	(void)snprintf(text, sizeof(text), "[{\"Config\":\"%s\","
	    "\"RepoTags\":[\"x:1\"],\"Layers\":[\"abc/layer.tar\"]}]", name);
	file(&t, "manifest.json", 0644, text);
	(void)snprintf(path, sizeof(path), "%s/save.tar", top);
	put(".", "save.tar", t.p, whole(&t));
	if (import(path, "save", &out, why) != 0)
		fail_msg("%s", why);
	hex_encode(hex, HASH_BYTES(out.digest));
	assert_true(there(hex, "bin/app", &st));
	/* a layer that is not what the configuration says */
	t.p[512 + 512 + 512 + 600] ^= 1;
	put(".", "save.tar", t.p, whole(&t));
	assert_int_equal(import(path, NULL, &out, why), -1);
	free(l.p);
	free(t.p);
}

static void
test_hostile(void **state)
{
	/* what must be there, or not, when it is taken */
	static const struct {
		const char *name;
		char type;
		const char *link;
		bool ok;
		const char *there, *not_there;
	} t[] = {
		{"../evil", '0', NULL, false, NULL, NULL},
		{"a/../../evil", '0', NULL, false, NULL, NULL},
		{"/../evil", '0', NULL, false, NULL, NULL},
		{"/evil", '0', NULL, true, "evil", NULL},
		{"evil\nname", '0', NULL, false, NULL, NULL},
		{"link/evil", '0', NULL, true, "evil", NULL},
		{"up/evil", '0', NULL, true, "evil", NULL},
		{"file/evil", '0', NULL, true, "file/evil", NULL},
		{"h1", '1', "../../etc/passwd", false, NULL, NULL},
		{"h2", '1', "/etc/passwd", false, NULL, NULL},
		{"h3", '1', "link/etc/passwd", false, NULL, NULL},
		{"h3", '1', "up/etc/passwd", false, NULL, NULL},
		{"h4", '1', "link", true, "h4", NULL},
		{"h5", '1', "none", false, NULL, NULL},
		{"h6", '1', "link/file", true, "h6", NULL},
		{"h7", '1', "", false, NULL, NULL},
		{"", '1', "file", false, NULL, NULL},
		{".wh...", '0', NULL, false, NULL, NULL},
		{"link/.wh...", '0', NULL, false, NULL, NULL},
		{"link/.wh.tmp", '0', NULL, true, "file", NULL},
		/* of this layer, so it stays */
		{"up/.wh.file", '0', NULL, true, "file", NULL},
		{"up/.wh..wh..opq", '0', NULL, true, "file", NULL},
		{"fifo", '6', NULL, true, NULL, "fifo"},
		{"blk", '4', NULL, true, NULL, "blk"},
		{"up/blk", '4', NULL, true, NULL, "blk"},
		{"l2", '2', "/etc/passwd", true, "l2", NULL},
		{"l3", '2', "", false, NULL, NULL},
		{"./", '2', "/tmp", false, NULL, NULL},
		{"a/b/../c", '0', NULL, false, NULL, NULL},
	};
	struct image_imported out;
	char hex[65], path[128], why[256];
	struct stat st;

	(void)state;
	if (skip_if_impossible())
		skip();
	for (size_t i = 0; i < NELEM(t); i++) {
		struct tarbuf l = {NULL, 0};
		int rv;

		member(&l, "link", '2', 0777, "/", NULL, 0);
		member(&l, "up", '2', 0777, "../../../../../..", NULL, 0);
		file(&l, "file", 0644, "x");
		member(&l, t[i].name, t[i].type, 0644, t[i].link, "evil",
		    t[i].type == '0' ? 4 : 0);
		(void)snprintf(path, sizeof(path), "hostile%zu", i);
		layout(path, &l, 1, 0, hex);
		(void)snprintf(path, sizeof(path), "%s/hostile%zu", top, i);
		rv = import(path, NULL, &out, why);
		if ((rv == 0) != t[i].ok)
			fail_msg("%s: %s", t[i].name, why);
		if (rv == -1) {
			/* which member, and of which layer */
			assert_non_null(strstr(why, "layer 1 of 1 (sha256:"));
			assert_false(there(hex, "", &st));
		}
		if (t[i].there != NULL && !there(hex, t[i].there, &st))
			fail_msg("%s: no %s", t[i].name, t[i].there);
		if (t[i].not_there != NULL)
			assert_false(there(hex, t[i].not_there, &st));
		free(l.p);
	}
}

/* Trees as deep as they get, truncated archives, a blob that was changed. */
static void
test_broken(void **state)
{
	struct tarbuf l = {NULL, 0}, w = {NULL, 0};
	struct image_imported out;
	char hex[65], path[256], why[256], deep[100] = "";
	uint8_t junk[1000];
	char name[128], layer[65];

	(void)state;
	if (skip_if_impossible())
		skip();
	for (int i = 0; i < 45; i++)
		strncat(deep, "d/", sizeof(deep) - strlen(deep) - 1);
	file(&l, deep, 0644, "");
	layout("deep", &l, 1, 0, hex);
	(void)snprintf(path, sizeof(path), "%s/deep", top);
	assert_int_equal(import(path, NULL, &out, why), 0);
	/* folders that no member names, beneath ones that are there */
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "%.60s%02d/f", deep, i);
		file(&w, name, 0644, "");
	}
	layout("wide", &w, 1, 0, hex);
	(void)snprintf(path, sizeof(path), "%s/wide", top);
	if (import(path, NULL, &out, why) != 0)
		fail_msg("%s", why);
	free(w.p);
	(void)snprintf(path, sizeof(path), "%s/deep", top);
	/* its layer's content changed, its name did not */
	hex_digest(layer, l.p, whole(&l));
	l.p[0] ^= 1;
	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", layer);
	put("deep", name, l.p, whole(&l));
	assert_int_equal(import(path, NULL, &out, why), -1);
	assert_non_null(strstr(why, "digest"));
	memset(junk, 0xaa, sizeof(junk));
	put(".", "junk", junk, sizeof(junk));
	(void)snprintf(path, sizeof(path), "%s/junk", top);
	assert_int_equal(import(path, NULL, &out, why), -1);
	put(".", "junk", "", 0);
	assert_int_equal(import(path, NULL, &out, why), -1);
	assert_int_equal(import("/nonexistent", NULL, &out, why), -1);
	assert_int_equal(import("/dev/null", NULL, &out, why), -1);
	free(l.p);
}

static void
test_plain(void **state)
{
	struct image_imported out, again;
	char path[128], why[256], hex[65];
	struct stat st;

	(void)state;
	if (skip_if_impossible())
		skip();
	(void)snprintf(path, sizeof(path), "%s/plain", top);
	assert_int_equal(mkdir(path, 0755), 0);
	put("plain", "app", "x", 1);
	(void)snprintf(path, sizeof(path), "%s/plain/app", top);
	assert_int_equal(chmod(path, 0750), 0);
	(void)snprintf(path, sizeof(path), "%s/plain/abs", top);
	assert_int_equal(symlink("/bin/sh", path), 0);
	(void)snprintf(path, sizeof(path), "%s/plain/fifo", top);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(path, sizeof(path), "%s/plain", top);
	if (import(path, "plain", &out, why) != 0)
		fail_msg("%s", why);
	hex_encode(hex, HASH_BYTES(out.digest));
	assert_true(there(hex, "app", &st));
	assert_int_equal(st.st_mode, S_IFREG | 0555);
	assert_true(there(hex, "abs", &st) && S_ISLNK(st.st_mode));
	assert_false(there(hex, "fifo", &st));
	assert_int_equal(import(path, "plain:2", &again, why), 0);
	assert_memory_equal(out.digest.b, again.digest.b, 32);
	assert_true(again.was_here);
	assert_int_equal(import(path, "Bad Name", &again, why), -1);
}

static void
test_record(void **state)
{
	struct image_record r = {.bytes = 5, .members = 2, .argc = 1,
	    .envc = 1, .cwd = "/w", .note = "n"}, got;
	uint8_t buf[1024];
	struct wr w = wr_make(buf, sizeof(buf));

	(void)state;
	r.argv[0] = "sh";
	r.env[0] = "A=b";
	image_record_encode(&w, &r);
	assert_true(wr_ok(&w));
	assert_true(image_record_parse(buf, w.len, &got));
	assert_string_equal(got.argv[0], "sh");
	assert_null(got.argv[1]);
	assert_string_equal(got.cwd, "/w");
	for (size_t n = 0; n < w.len; n++)
		assert_false(image_record_parse(buf, n, &got));
	for (size_t bit = 0; bit < w.len * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)image_record_parse(buf, w.len, &got);
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* What a killed import has left goes at the next; one at work stays. */
static void
test_sweep(void **state)
{
	static const char *const others[] = {"tmp-", "tmp-0123456789abcde",
	    "tmp-0123456789abcdef0", "tmp-0123456789ABCDEF", "roots"};
	char path[256];
	int fd, at_work;

	(void)state;
	for (size_t i = 0; i < NELEM(others); i++)
		assert_true(mkdirat(images, others[i], 0755) == 0 ||
		    errno == EEXIST);
	assert_int_equal(mkdirat(images, "tmp-0123456789abcdef", 0700), 0);
	assert_int_equal(mkdirat(images, "tmp-fedcba9876543210", 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/images/tmp-0123456789abcdef/"
	    "root", top);
	assert_int_equal(mkdir(path, 0), 0);
	at_work = openat(images, "tmp-fedcba9876543210", O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(at_work, LOCK_EX), 0);
	/* a link of that name leads nowhere */
	assert_int_equal(symlinkat("roots", images, "tmp-aaaaaaaaaaaaaaaa"), 0);
	assert_int_equal(store_sweep(images, false), 1);
	assert_int_equal(faccessat(images, "tmp-0123456789abcdef", F_OK, 0),
	    -1);
	assert_int_equal(faccessat(images, "tmp-fedcba9876543210", F_OK, 0), 0);
	for (size_t i = 0; i < NELEM(others); i++)
		assert_int_equal(faccessat(images, others[i], F_OK, 0), 0);
	(void)close(at_work);
	assert_int_equal(store_sweep(images, false), 1);
	fd = openat(images, "tmp-fedcba9876543210", O_RDONLY);
	assert_int_equal(fd, -1);
	for (size_t i = 0; i < NELEM(others) - 1; i++)
		(void)unlinkat(images, others[i], AT_REMOVEDIR);
	(void)unlinkat(images, "tmp-aaaaaaaaaaaaaaaa", 0);
}

/* A revoked image: an import is refused by name, and leaves nothing. */
static void
test_import_buried(void **state)
{
	struct tarbuf l = {NULL, 0};
	struct image_imported out;
	char hex[65], path[128], why[512];
	struct id32 digest;
	struct stat st;

	(void)state;
	if (skip_if_impossible())
		skip();
	file(&l, "app", 0755, "buried");
	layout("buried", &l, 1, 0, hex);
	path_of(path, sizeof(path), "buried", "");
	assert_int_equal(import(path, "bad:2", &out, why), 0);
	assert_true(hex_decode(HASH_BYTES(digest), hex, 64));
	assert_int_equal(store_bury(images, &digest, "it is revoked (policy)"),
	    0);
	assert_int_equal(import(path, "other:1", &out, why), -1);
	assert_non_null(strstr(why, hex));
	assert_non_null(strstr(why, "it is revoked (policy)"));
	assert_false(there(hex, "", &st));
	assert_int_equal(store_resolve(images, "other:1", &digest), -1);
	/* the operator's own hand */
	(void)snprintf(path, sizeof(path), "meta/%s.gone", hex);
	assert_int_equal(unlinkat(images, path, 0), 0);
	path_of(path, sizeof(path), "buried", "");
	assert_int_equal(import(path, NULL, &out, why), 0);
	assert_true(there(hex, "app", &st));
	free(l.p);
}

/* How often its name stands among the groups of this process. */
static unsigned
groups_named(const char *name)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[1024];
	unsigned n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, name) != NULL;
	if (f != NULL)
		(void)fclose(f);
	return n;
}

/* An import has a group wherever one can be made, and leaves none behind. */
static void
test_group(void **state)
{
	struct import_group g, left;
	unsigned n = import_group_make(&left);
	int status;
	pid_t pid;

	(void)state;
	/* as a killed import leaves it: the next one takes it along */
	(void)snprintf(g.name, sizeof(g.name), "%s", left.name);
	pid = fork();
	if (pid == 0) {
		assert_int_equal(import_group_make(&g), n);
		for (int i = 0; i < IMPORT_GROUPS; i++)
			if (left.at[i] >= 0 && faccessat(left.at[i], left.name,
			    F_OK, 0) == 0)
				_exit(1);
		if (import_group_join(&g) && groups_named(g.name) < n)
			_exit(2);
		/* who is in it cannot remove it: our parent's is removed so */
		pid = fork();
		if (pid > 0)
			_exit(waitpid(pid, &status, 0) == pid ? 0 : 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)snprintf(left.name, sizeof(left.name), "warren-import-%d",
	    (int)pid);
	import_group_remove(&left);
	n = import_group_make(&g);
	for (int i = 0; i < IMPORT_GROUPS; i++)
		if (g.at[i] >= 0)
			assert_int_equal(faccessat(g.at[i], left.name, F_OK,
			    0), -1);
	import_group_remove(&g);
	for (int i = 0; i < IMPORT_GROUPS; i++)
		assert_int_equal(g.at[i], -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_import_buried),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_archives),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
