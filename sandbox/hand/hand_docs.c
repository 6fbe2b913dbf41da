/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/hand_docs.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/platform.h"
#include "sandbox/base/sys.h"

#define JSON_DEPTH_MAX 32

/* ---- files ---- */

/* Who started us opens it, and hands it over: sandbox/image/source.h */
static int
ask(int sock, const char *path)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	int32_t err = EIO;
	struct iovec v = {&err, sizeof(err)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf)};
	const struct cmsghdr *c;
	int fd = -1;

	if (send(sock, path, strlen(path), MSG_NOSIGNAL) < 0 ||
	    recvmsg(sock, &m, MSG_CMSG_CLOEXEC) != sizeof(err))
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (fd < 0)
		errno = err;
	return fd;
}

int
docs_open(struct import *im, const char *path)
{
	char clean[IMPORT_PATH_MAX + 1], real[IMPORT_PATH_MAX + 1];
	_cleanup_fd_ int fd = -1;
	const char *why;
	struct stat st = {.st_mode = 0};

	if (!import_path(path, clean, &why)) {
		errno = EINVAL;
		return -1;
	}
	if (im->ask >= 0)
		return ask(im->ask, clean);
	if (import_resolve(im->src, clean, real) < 0)
		return -1;
	fd = sys_openat2(im->src, real, O_RDONLY | O_CLOEXEC | O_NONBLOCK,
	    SYS_BENEATH);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	return steal_fd(&fd);
}

bool
docs_has(struct import *im, const char *path)
{
	_cleanup_fd_ int fd = docs_open(im, path);

	/* one that cannot be read is told of when it is needed */
	return fd >= 0 || errno != ENOENT;
}

int
docs_digest(int fd, struct id32 *out, uint64_t *size)
{
	static uint8_t buf[65536];
	struct sha256_ctx ctx;
	off_t off = 0;
	ssize_t n;

	sha256_init(&ctx);
	while ((n = pread(fd, buf, sizeof(buf), off)) > 0) {
		sha256_update(&ctx, (size_t)n, buf);
		off += n;
	}
	sha256_digest(&ctx, 32, out->b);
	*size = (uint64_t)off;
	return n == 0 ? 0 : -1;
}

/* ---- documents ---- */

/* jansson recurses as deep as its input does. */
static bool
too_deep(const char *p, size_t n)
{
	unsigned depth = 0;
	bool text = false;

	for (size_t i = 0; i < n; i++) {
		if (text) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				text = false;
		} else if (p[i] == '"') {
			text = true;
		} else if (p[i] == '{' || p[i] == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return true;
		} else if ((p[i] == '}' || p[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

json_t *
docs_json(struct import *im, int fd, const char *what,
    const struct id32 *want)
{
	char *buf = malloc(IMPORT_JSON_MAX);
	json_error_t err;
	json_t *v = NULL;
	struct sha256_ctx ctx;
	struct id32 is;
	size_t n = 0;
	ssize_t k = 0;

	while (buf != NULL && n < IMPORT_JSON_MAX && (k = pread(fd, buf + n,
	    IMPORT_JSON_MAX - n, (off_t)n)) > 0)
		n += (size_t)k;
	sha256_init(&ctx);
	sha256_update(&ctx, n, (const uint8_t *)buf);
	sha256_digest(&ctx, sizeof(is.b), is.b);
	if (buf == NULL || k < 0 || n == IMPORT_JSON_MAX)
		(void)import_fail(im, "%s: cannot be read, or too large", what);
	else if (!id32_eq(&is, want))
		(void)import_fail(im, "%s: changed while it was read", what);
	else if (too_deep(buf, n))
		(void)import_fail(im, "%s: too deep", what);
	else if ((v = json_loadb(buf, n, JSON_REJECT_DUPLICATES,
	    &err)) == NULL)
		(void)import_fail(im, "%s: line %d: %.80s", what, err.line,
		    err.text);
	free(buf);
	return v;
}

json_t *
docs_json_at(struct import *im, const char *path, struct id32 *digest)
{
	_cleanup_fd_ int fd = docs_open(im, path);
	uint64_t size;

	if (fd < 0 || docs_digest(fd, digest, &size) < 0) {
		(void)import_fail(im, "%s: %s", path, strerror(errno));
		return NULL;
	}
	return docs_json(im, fd, path, digest);
}

int
docs_blob(struct import *im, const json_t *desc, const char *suffix,
    struct id32 *digest)
{
	const char *text = json_string_value(json_object_get(desc, "digest"));
	const json_t *said = json_object_get(desc, "size");
	char path[112];
	struct id32 got;
	uint64_t size;
	_cleanup_fd_ int fd = -1;

	if (!image_digest(digest, text))
		return import_fail(im, "\"%.80s\" is no digest by sha256",
		    text == NULL ? "" : text);
	(void)snprintf(path, sizeof(path), "%s%.64s%s",
	    im->flat ? "" : "blobs/sha256/", text + 7, im->flat ? suffix : "");
	if ((fd = docs_open(im, path)) < 0 ||
	    docs_digest(fd, &got, &size) < 0)
		return import_fail(im, "%s: %s", path, strerror(errno));
	if (!id32_eq(&got, digest))
		return import_fail(im, "%s: its content has another digest",
		    path);
	if (said != NULL && (!json_is_integer(said) ||
	    json_integer_value(said) != (json_int_t)size))
		return import_fail(im, "%s: its size is not what was said of "
		    "it", path);
	return steal_fd(&fd);
}

/* "sha256:" and 64 digits; out: the path of that blob. */
static bool
blob_path(char out[112], const char *digest)
{
	struct id32 id;

	if (!image_digest(&id, digest))
		return false;
	(void)snprintf(out, 112, "blobs/sha256/%.64s", digest + 7);
	return true;
}

int
docs_layer(struct import *im, const json_t *desc, const char *diff,
    struct id32 *digest)
{
	char blob[112], plain[112];
	json_t *by_diff;
	int fd;

	if (im->flat || !blob_path(blob, json_string_value(json_object_get(
	    desc, "digest"))) || docs_has(im, blob) ||
	    !blob_path(plain, diff) || !docs_has(im, plain))
		return docs_blob(im, desc, "", digest);
	by_diff = json_pack("{s:s}", "digest", diff);
	fd = by_diff == NULL ? import_fail(im, "memory") :
	    docs_blob(im, by_diff, "", digest);
	json_decref(by_diff);
	return fd;
}
