/* SPDX-License-Identifier: BSD-2-Clause */
/* Images of strangers: OCI layouts, `docker save` archives, plain folders. */
#include "sandbox/hand/hand_import.h"
#include "sandbox/hand/hand_layer.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "sandbox/plan/record.h"
#include "sandbox/base/report.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/tar.h"
#include "sandbox/base/tree.h"
#include "common/util.h"

#define JSON_DEPTH_MAX 32
#define INDEX_DEPTH_MAX 3
#define TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define TYPE_EMPTY "application/vnd.oci.empty.v1+json"
#define TYPE_LAYER "application/vnd.oci.image.layer.v1.tar"

#if defined(__x86_64__)
#define GO_ARCH "amd64"
#elif defined(__aarch64__)
#define GO_ARCH "arm64"
#elif defined(__arm__)
#define GO_ARCH "arm"
#elif defined(__riscv)
#define GO_ARCH "riscv64"
#else
#define GO_ARCH ""
#endif

static int
open_file(int dir, const char *path)
{
	struct stat st;
	int fd = sys_openat2(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK,
	    SYS_BENEATH);

	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		(void)close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

static int
digest_fd(int fd, uint8_t out[32], uint64_t *size)
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
	sha256_digest(&ctx, 32, out);
	*size = (uint64_t)off;
	return n == 0 ? 0 : -1;
}

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

/* NULL: why is set. */
static json_t *
read_json(struct import *im, int fd, const char *what)
{
	char *buf = malloc(IMPORT_JSON_MAX);
	json_error_t err;
	json_t *v = NULL;
	size_t n = 0;
	ssize_t k = 0;

	while (buf != NULL && n < IMPORT_JSON_MAX && (k = pread(fd, buf + n,
	    IMPORT_JSON_MAX - n, (off_t)n)) > 0)
		n += (size_t)k;
	if (buf == NULL || k < 0 || n == IMPORT_JSON_MAX)
		(void)import_fail(im, "%s: cannot be read, or too large", what);
	else if (too_deep(buf, n))
		(void)import_fail(im, "%s: too deep", what);
	else if ((v = json_loadb(buf, n, 0, &err)) == NULL)
		(void)import_fail(im, "%s: line %d: %.80s", what, err.line,
		    err.text);
	free(buf);
	return v;
}

static json_t *
read_json_at(struct import *im, const char *path)
{
	_cleanup_fd_ int fd = open_file(im->src, path);

	if (fd == -1) {
		(void)import_fail(im, "%s: %s", path, strerror(errno));
		return NULL;
	}
	return read_json(im, fd, path);
}

/* The blob that a descriptor of the layout names; its digest is checked. */
static int
open_blob(struct import *im, const json_t *desc, uint8_t digest[32])
{
	const char *text = json_string_value(json_object_get(desc, "digest"));
	char path[96];
	uint8_t got[32];
	uint64_t size;
	_cleanup_fd_ int fd = -1;

	if (text == NULL || strncmp(text, "sha256:", 7) != 0 ||
	    !hex_decode(digest, 32, text + 7, strlen(text + 7)))
		return import_fail(im, "a digest that is no sha256");
	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", text + 7);
	if ((fd = open_file(im->src, path)) == -1)
		return import_fail(im, "%s: %s", path, strerror(errno));
	if (digest_fd(fd, got, &size) == -1)
		return import_fail(im, "%s: %s", path, strerror(errno));
	if (memcmp(got, digest, 32) != 0)
		return import_fail(im, "%s: its content has another digest",
		    path);
	return steal_fd(&fd);
}

/* ---- configuration ---- */

struct image {
	json_t *config; /* holds the texts of the record */
	struct image_record rec;
	char note[IMAGE_NOTE_MAX];
};

static void
note(struct image *img, const char *text)
{
	size_t n = strlen(img->note);

	(void)snprintf(img->note + n, sizeof(img->note) - n, "%s%s",
	    n > 0 ? "; " : "", text);
}

static int
take_texts(struct import *im, const json_t *list, const char **out,
    uint32_t *count, uint32_t max)
{
	size_t i;
	json_t *v;

	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return import_fail(im, "configuration: a list of text");
	json_array_foreach (list, i, v) {
		if (!json_is_string(v) || *count >= max ||
		    strlen(json_string_value(v)) != json_string_length(v))
			return import_fail(im, "configuration: a list of text");
		out[(*count)++] = json_string_value(v);
	}
	return 0;
}

static bool
env_name_ok(const char *s)
{
	size_t n = strcspn(s, "=");

	if (n == 0 || s[n] != '=' || n > 128 || strlen(s + n) > 4097)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' &&
		    s[i] <= 'z') || s[i] == '_' || (i > 0 && s[i] >= '0' &&
		    s[i] <= '9')))
			return false;
	return true;
}

static int
take_config(struct import *im, struct image *img)
{
	const json_t *c = json_object_get(img->config, "config");
	const char *arch = json_string_value(json_object_get(img->config,
	    "architecture"));
	const char *cwd, *user;
	uint32_t all = 0;

	if (arch != NULL && arch[0] != '\0' && strcmp(arch, GO_ARCH) != 0)
		return import_fail(im, "image for %.20s, this machine is %s",
		    arch, GO_ARCH);
	if (take_texts(im, json_object_get(c, "Entrypoint"), img->rec.argv,
	    &img->rec.argc, IMAGE_ARGS_MAX) == -1 ||
	    take_texts(im, json_object_get(c, "Cmd"), img->rec.argv,
	    &img->rec.argc, IMAGE_ARGS_MAX) == -1 ||
	    take_texts(im, json_object_get(c, "Env"), img->rec.env, &all,
	    IMAGE_ENV_MAX) == -1)
		return -1;
	for (uint32_t i = 0; i < all; i++) {
		if (env_name_ok(img->rec.env[i]))
			img->rec.env[img->rec.envc++] = img->rec.env[i];
		else
			note(img, "an environment variable was left out");
	}
	cwd = json_string_value(json_object_get(c, "WorkingDir"));
	img->rec.cwd = cwd == NULL || cwd[0] != '/' ? "/" : cwd;
	user = json_string_value(json_object_get(c, "User"));
	if (user != NULL && user[0] != '\0' && strcmp(user, "1000") != 0)
		note(img, "its user is ignored: jobs run as 1000");
	return 0;
}

/* ---- layouts ---- */

static bool
for_us(const json_t *desc)
{
	const json_t *p = json_object_get(desc, "platform");
	const char *arch = json_string_value(json_object_get(p,
	    "architecture"));
	const char *os = json_string_value(json_object_get(p, "os"));

	return (arch == NULL || strcmp(arch, GO_ARCH) == 0) &&
	    (os == NULL || strcmp(os, "linux") == 0);
}

static int
apply_layers(struct import *im, struct image *img, const json_t *layers)
{
	size_t i;
	json_t *v;

	if (!json_is_array(layers) ||
	    json_array_size(layers) > IMPORT_LAYERS_MAX)
		return import_fail(im, "manifest: layers");
	json_array_foreach (layers, i, v) {
		uint8_t digest[32];
		_cleanup_fd_ int fd = open_blob(im, v, digest);

		if (fd == -1 || import_layer(im, fd) == -1)
			return -1;
		img->rec.layers++;
	}
	return 0;
}

/* An index names a manifest, or another index. */
static int
take_layout(struct import *im, struct image *img)
{
	json_t *index = read_json_at(im, "index.json"), *doc = NULL;
	int rv = -1;

	for (int level = 0; index != NULL && level < INDEX_DEPTH_MAX;
	    level++) {
		const json_t *list = json_object_get(index, "manifests");
		const json_t *pick = NULL;
		size_t i;
		json_t *v;

		json_array_foreach (list, i, v)
			if (pick == NULL && for_us(v))
				pick = v;
		if (pick == NULL) {
			(void)import_fail(im, "index: no image for linux/%s",
			    GO_ARCH);
			break;
		}
		_cleanup_fd_ int fd = open_blob(im, pick, img->rec.digest);
		if (fd == -1 || (doc = read_json(im, fd, "manifest")) == NULL)
			break;
		json_decref(index);
		index = doc;
		if (json_object_get(doc, "manifests") != NULL)
			continue;
		uint8_t digest[32];
		_cleanup_fd_ int cfd = open_blob(im, json_object_get(doc,
		    "config"), digest);
		if (cfd == -1 || (img->config = read_json(im, cfd,
		    "configuration")) == NULL ||
		    take_config(im, img) == -1)
			break;
		rv = apply_layers(im, img, json_object_get(doc, "layers"));
		break;
	}
	json_decref(index);
	return rv;
}

/* ---- manifests of our own, for images that have none ---- */

static json_t *
describe(const char *type, const uint8_t digest[32], uint64_t size)
{
	char hex[65], text[80];

	hex_encode(hex, digest, 32);
	(void)snprintf(text, sizeof(text), "sha256:%s", hex);
	return json_pack("{s:s,s:s,s:I}", "mediaType", type, "digest", text,
	    "size", (json_int_t)size);
}

static int
own_digest(struct image *img, json_t *config, json_t *layers)
{
	json_t *m = json_pack("{s:i,s:s,s:o,s:o}", "schemaVersion", 2,
	    "mediaType", TYPE_MANIFEST, "config", config, "layers", layers);
	char *text = m == NULL ? NULL : json_dumps(m, JSON_COMPACT |
	    JSON_SORT_KEYS);
	struct sha256_ctx ctx;

	if (text != NULL) {
		sha256_init(&ctx);
		sha256_update(&ctx, strlen(text), (const uint8_t *)text);
		sha256_digest(&ctx, 32, img->rec.digest);
	}
	free(text);
	json_decref(m);
	return text == NULL ? -1 : 0;
}

/* Layer i of a `docker save`: its digest must be the configuration's. */
static int
save_layer(struct import *im, struct image *img, const char *path,
    const json_t *diff_id, json_t *layers)
{
	_cleanup_fd_ int fd = -1;
	char clean[IMPORT_PATH_MAX + 1], hex[65];
	const char *want = json_string_value(diff_id);
	uint8_t digest[32];
	uint64_t size;

	if (path == NULL || !import_path(path, clean) ||
	    (fd = open_file(im->src, clean)) == -1)
		return import_fail(im, "layer %.100s: not there",
		    path == NULL ? "?" : path);
	if (digest_fd(fd, digest, &size) == -1)
		return import_fail(im, "layer: %s", strerror(errno));
	hex_encode(hex, digest, 32);
	if (want == NULL || strncmp(want, "sha256:", 7) != 0 ||
	    strcmp(want + 7, hex) != 0)
		return import_fail(im, "layer %.100s: not what the "
		    "configuration says", path);
	if (json_array_append_new(layers, describe(TYPE_LAYER, digest,
	    size)) == -1)
		return import_fail(im, "memory");
	img->rec.layers++;
	return import_layer(im, fd);
}

static int
take_save(struct import *im, struct image *img)
{
	json_t *list = read_json_at(im, "manifest.json");
	const json_t *m = json_array_get(list, 0), *paths, *ids;
	const char *config = json_string_value(json_object_get(m, "Config"));
	char clean[IMPORT_PATH_MAX + 1];
	_cleanup_fd_ int fd = -1;
	json_t *layers = json_array();
	uint8_t digest[32];
	uint64_t size = 0;
	int rv = -1;

	if (list == NULL)
		goto out;
	if (json_array_size(list) != 1) {
		(void)import_fail(im, "the archive holds %zu images, not one",
		    json_array_size(list));
		goto out;
	}
	if (config == NULL || !import_path(config, clean) ||
	    (fd = open_file(im->src, clean)) == -1 ||
	    digest_fd(fd, digest, &size) == -1) {
		(void)import_fail(im, "its configuration is not there");
		goto out;
	}
	if ((img->config = read_json(im, fd, "configuration")) == NULL ||
	    take_config(im, img) == -1)
		goto out;
	paths = json_object_get(m, "Layers");
	ids = json_object_get(json_object_get(img->config, "rootfs"),
	    "diff_ids");
	if (json_array_size(paths) != json_array_size(ids) ||
	    json_array_size(paths) > IMPORT_LAYERS_MAX) {
		(void)import_fail(im, "layers and configuration differ");
		goto out;
	}
	for (size_t i = 0; i < json_array_size(paths); i++)
		if (save_layer(im, img, json_string_value(json_array_get(paths,
		    i)), json_array_get(ids, i), layers) == -1)
			goto out;
	rv = own_digest(img, describe(TYPE_CONFIG, digest, size), layers);
	layers = NULL;
out:
	json_decref(layers);
	json_decref(list);
	return rv;
}

/* ---- the step ---- */

static int
write_record(const struct image_record *r)
{
	static uint8_t buf[IMAGE_RECORD_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	size_t off = 0;
	ssize_t n;

	image_record_encode(&w, r);
	if (!wr_ok(&w))
		return -1;
	while (off < w.len && (n = write(STDOUT_FILENO, buf + off,
	    w.len - off)) > 0)
		off += (size_t)n;
	return off == w.len ? 0 : -1;
}

static int
finish(struct import *im, struct image *img, int rv)
{
	struct report r = {.kind = REPORT_HAND};
	char text[80];

	if (rv == 0)
		rv = import_seal(im);
	if (rv == 0 && im->dropped > 0) {
		(void)snprintf(text, sizeof(text), "%u devices, pipes or "
		    "sockets were left out", im->dropped);
		note(img, text);
	}
	img->rec.bytes = im->bytes;
	img->rec.members = im->members;
	img->rec.dropped = im->dropped;
	img->rec.note = img->note;
	if (img->rec.cwd == NULL)
		img->rec.cwd = "/";
	if (rv == 0 && write_record(&img->rec) == -1)
		rv = import_fail(im, "its configuration is too large");
	if (im->src != -1)
		(void)import_remove(im->v, "src");
	r.ok = rv == 0;
	r.dropped = im->dropped;
	(void)snprintf(r.why, sizeof(r.why), "%s", im->why);
	report_send(STDERR_FILENO, &r);
	json_decref(img->config);
	return rv == 0 ? 0 : 1;
}

static bool
start(struct import *im)
{
	memset(im, 0, sizeof(*im));
	im->root = im->src = -1;
	im->v = open("/v", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (im->v == -1 || mkdirat(im->v, "root", 0755) == -1 ||
	    fchmodat(im->v, "root", 0755, 0) == -1 ||
	    (im->root = openat(im->v, "root", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW)) == -1) {
		(void)import_fail(im, "folder: %s", strerror(errno));
		return false;
	}
	return true;
}

int
hand_import(void)
{
	static struct image img;
	struct import im;
	struct stat st;
	int rv = -1;

	if (!start(&im))
		return finish(&im, &img, -1);
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
		if (mkdirat(im.v, "src", 0755) == -1 || (im.src = openat(im.v,
		    "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
			(void)import_fail(&im, "folder: %s", strerror(errno));
		else
			rv = import_archive(&im, STDIN_FILENO);
		/* scratch is no part of the image */
		im.bytes = 0;
		im.members = 0;
	} else {
		im.src = open("/s", O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		    O_NOFOLLOW);
		rv = im.src == -1 ? import_fail(&im, "/s: %s",
		    strerror(errno)) : 0;
	}
	if (rv == 0) {
		if (faccessat(im.src, "index.json", F_OK, 0) == 0)
			rv = take_layout(&im, &img);
		else if (faccessat(im.src, "manifest.json", F_OK, 0) == 0)
			rv = take_save(&im, &img);
		else
			rv = import_fail(&im, "neither an OCI layout "
			    "(index.json) nor a docker save (manifest.json)");
	}
	return finish(&im, &img, rv);
}

/* ---- a plain folder: the packer's stream, links as an image has them ---- */

struct plain {
	struct import *im;
	struct tar_reader *r;
	struct sha256_ctx ctx;
	uint64_t size;
	int file;
};

static int
plain_member(struct plain *p, const struct tar_member *m)
{
	char path[IMPORT_PATH_MAX + 1], *name;
	_cleanup_fd_ int up = -1;
	int rv = -1;

	if (p->file != -1)
		(void)close(p->file);
	p->file = -1;
	(void)snprintf(path, sizeof(path), "%s", m->path);
	name = strrchr(path, '/');
	if (name != NULL)
		*name++ = '\0';
	up = import_folder(p->im->root, name == NULL ? "" : path, false);
	if (name == NULL)
		name = path;
	p->im->members++;
	if (up == -1)
		return import_fail(p->im, "%s: %s", m->path, strerror(errno));
	if (m->type == TAR_DIR)
		rv = mkdirat(up, name, 0755);
	else if (m->type == TAR_LINK)
		rv = symlinkat(m->link, up, name);
	else if ((p->file = openat(up, name, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600)) != -1)
		rv = fchmod(p->file, (m->mode & 0400 ? 0444 : 0) |
		    (m->mode & 0100 ? 0111 : 0));
	return rv == 0 ? 0 : import_fail(p->im, "%s: %s", m->path,
	    strerror(errno));
}

static int
plain_bytes(struct plain *p, const uint8_t *in, size_t len)
{
	const struct tar_member *m = NULL;
	const uint8_t *data;
	size_t n;

	sha256_update(&p->ctx, len, in);
	p->size += len;
	for (;;) {
		switch (tar_read(p->r, &m, &data, &n, &in, &len)) {
		case TAR_MORE:
			return 0;
		case TAR_MEMBER:
			if (plain_member(p, m) == -1)
				return -1;
			break;
		case TAR_DATA:
			if (import_count(p->im, n) == -1)
				return -1;
			while (n > 0) {
				ssize_t k = write(p->file, data, n);

				if (k <= 0)
					return import_fail(p->im, "write: %s",
					    strerror(errno));
				data += k;
				n -= (size_t)k;
			}
			break;
		case TAR_BAD:
			return import_fail(p->im, "%s",
			    tar_strerror(tar_reader_error(p->r)));
		}
	}
}

static int
plain_digest(struct plain *p, struct image *img)
{
	json_t *layers = json_array();
	uint8_t digest[32], empty[32];
	struct sha256_ctx ctx;

	sha256_digest(&p->ctx, 32, digest);
	sha256_init(&ctx);
	sha256_update(&ctx, 2, (const uint8_t *)"{}");
	sha256_digest(&ctx, 32, empty);
	if (layers == NULL || json_array_append_new(layers,
	    describe(TYPE_LAYER, digest, p->size)) == -1)
		return -1;
	img->rec.layers = 1;
	return own_digest(img, describe(TYPE_EMPTY, empty, 2), layers);
}

int
hand_import_plain(void)
{
	static struct image img;
	static uint8_t buf[65536];
	struct import im;
	struct plain p = {.im = &im, .file = -1};
	ssize_t n = 0;
	int rv = 0;

	if (!start(&im))
		return finish(&im, &img, -1);
	if ((p.r = tar_reader_new()) == NULL)
		return finish(&im, &img, import_fail(&im, "memory"));
	tar_reader_any_links(p.r);
	sha256_init(&p.ctx);
	while (rv == 0 && (n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		rv = plain_bytes(&p, buf, (size_t)n);
	if (rv == 0 && (n < 0 || tar_reader_end(p.r) != TAR_OK))
		rv = import_fail(&im, "the folder could not be read whole");
	if (rv == 0)
		rv = plain_digest(&p, &img);
	if (p.file != -1)
		(void)close(p.file);
	tar_reader_free(p.r);
	return finish(&im, &img, rv);
}
