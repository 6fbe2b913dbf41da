/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
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

#include "audit/filelist_make.h"
#include "audit/integrity_walk.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/tree.h"
#include "sandbox/image/store.h"
#include "sandbox/plan/about.h"
#include "tests/unit/storekit.h"

void
storekit_open(struct storekit *k)
{
	/* in memory where it can be: nothing here is to outlive a crash */
	(void)snprintf(k->top, sizeof(k->top), "%s/warren-store-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(k->top));
	k->dir = open(k->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(k->dir >= 0);
	assert_int_equal(store_make(k->dir), 0);
}

void
storekit_close(struct storekit *k)
{
	assert_int_equal(tree_empty(k->dir), 0);
	(void)close(k->dir);
	assert_int_equal(rmdir(k->top), 0);
}

struct id32
storekit_digest(uint8_t id)
{
	struct id32 d;

	memset(&d, id, sizeof(d));
	return d;
}

const char *
storekit_path(uint8_t id, const char *name)
{
	static char path[256];
	struct id32 d = storekit_digest(id);
	char hex[65];

	hex_encode(hex, HASH_BYTES(d));
	(void)snprintf(path, sizeof(path), "roots/%s%s%s", hex,
	    name[0] == '\0' ? "" : "/", name);
	return path;
}

static void
make_file(int root, const struct storekit_file *f)
{
	const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT},
	    {.tv_sec = f->time}};
	_cleanup_fd_ int fd = -1;

	if (f->content == NULL && f->to == NULL) {
		assert_int_equal(mkdirat(root, f->name, 0755), 0);
		return;
	}
	if (f->content == NULL) {
		assert_int_equal(linkat(root, f->to, root, f->name, 0), 0);
		return;
	}
	fd = openat(root, f->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, f->content, strlen(f->content)), 0);
	assert_int_equal(futimens(fd, t), 0);
	assert_int_equal(fchmod(fd, f->mode), 0);
}

void
storekit_work(struct storekit *k, uint8_t id, const struct storekit_file *f,
    size_t n, char tmp[32])
{
	static unsigned serial;
	static struct image_about a;
	static uint8_t buf[IMAGE_ABOUT_MAX];
	static char at[4096];
	struct wr w = wr_make(buf, sizeof(buf));
	_cleanup_fd_ int work = -1, root = -1, list = -1;

	(void)snprintf(tmp, 32, "tmp-%016x", ++serial);
	assert_int_equal(mkdirat(k->dir, tmp, 0700), 0);
	work = openat(k->dir, tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(work, "root", 0755), 0);
	root = openat(work, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < n; i++)
		make_file(root, &f[i]);
	/* as import_seal() leaves them */
	for (size_t i = 0; i < n; i++)
		if (f[i].content == NULL && f[i].to == NULL)
			assert_int_equal(fchmodat(root, f[i].name, 0555, 0),
			    0);
	list = openat(work, "files", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0444);
	assert_int_equal(filelist_make(root, list, at, sizeof(at)), 0);
	memset(&a, 0, sizeof(a));
	a.digest = storekit_digest(id);
	image_about_encode(&w, &a);
	assert_true(wr_ok(&w));
	assert_int_equal(file_replace(work, "about", buf, w.len, 0444), 0);
}

int
storekit_adopt(struct storekit *k, uint8_t id, const char *tmp)
{
	static uint8_t buf[IMAGE_RECORD_MAX];
	struct image_record r = {.digest = storekit_digest(id), .cwd = "/"};
	struct wr w = wr_make(buf, sizeof(buf));
	_cleanup_fd_ int lock = store_lock(k->dir), work = -1;
	struct store_adopted done;
	int rv, err;

	image_record_encode(&w, &r);
	rv = lock < 0 ? -1 : store_adopt(k->dir, tmp, buf, w.len, &done);
	err = errno;
	work = openat(k->dir, tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)tree_empty(work);
	(void)unlinkat(k->dir, tmp, AT_REMOVEDIR);
	errno = err;
	return rv;
}

void
storekit_put(struct storekit *k, uint8_t id, const struct storekit_file *f,
    size_t n)
{
	char tmp[32];

	storekit_work(k, id, f, n, tmp);
	assert_int_equal(storekit_adopt(k, id, tmp), 0);
	assert_true(storekit_good(k, id));
}

bool
storekit_there(struct storekit *k, uint8_t id)
{
	return faccessat(k->dir, storekit_path(id, ""), F_OK,
	    AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
differs(void *ctx, const char *path, enum walk_diff what)
{
	print_message("%s: %s\n", path, walk_text(what));
	*(bool *)ctx = true;
	return true;
}

bool
storekit_good(struct storekit *k, uint8_t id)
{
	static uint8_t buf[IMAGE_RECORD_MAX];
	bool other = false;
	struct walk w = {.ctx = &other, .differs = differs};
	struct id32 digest = storekit_digest(id);
	struct image_record r;
	_cleanup_free_ char *list = NULL;
	_cleanup_fd_ int root = openat(k->dir, storekit_path(id, ""),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t len;

	list = store_list(k->dir, &digest, &len);
	return root >= 0 && list != NULL && store_record(k->dir, &digest, buf,
	    &r) == 0 && walk_check(&w, root, (const uint8_t *)list, len) ==
	    0 && !other;
}
