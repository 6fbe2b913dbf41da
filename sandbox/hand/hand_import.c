/* SPDX-License-Identifier: BSD-2-Clause */
/* Images of strangers: OCI layouts, `docker save` archives, plain folders. */
#include "sandbox/hand/hand_import.h"
#include "sandbox/hand/hand_archive.h"
#include "sandbox/hand/hand_layer.h"
#include "sandbox/hand/hand_docs.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/filelist_make.h"
#include "common/cleanup.h"
#include "sandbox/plan/record.h"
#include "sandbox/base/report.h"
#include "sandbox/base/tar.h"
#include "sandbox/base/tree.h"
#include "common/util.h"

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
	const char *os = json_string_value(json_object_get(img->config, "os"));
	const char *cwd, *user;
	uint32_t all = 0;

	if (arch != NULL && arch[0] != '\0' && strcmp(arch, GO_ARCH) != 0)
		return import_fail(im, "image for %.20s, this machine is %s",
		    arch, GO_ARCH);
	if (os != NULL && os[0] != '\0' && strcmp(os, "linux") != 0)
		return import_fail(im, "image for %.20s, not for linux", os);
	if (take_texts(im, json_object_get(c, "Entrypoint"), img->rec.argv,
	    &img->rec.argc, IMAGE_ARGS_MAX) < 0 ||
	    take_texts(im, json_object_get(c, "Cmd"), img->rec.argv,
	    &img->rec.argc, IMAGE_ARGS_MAX) < 0 ||
	    take_texts(im, json_object_get(c, "Env"), img->rec.env, &all,
	    IMAGE_ENV_MAX) < 0)
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

/* An image without a name is called by its digest, or the start of it. */
#define DIGEST_SHORT 19 /* sha256: and 12 digits */

static bool
is_digest(const char *digest, const char *want)
{
	return digest != NULL && strlen(want) >= DIGEST_SHORT &&
	    strncmp(digest, want, strlen(want)) == 0;
}

/* Is this name, a whole reference maybe, the one that is asked for? */
static bool
called(const char *name, const char *want)
{
	size_t n = name == NULL ? 0 : strlen(name), k = strlen(want);

	return n >= k && k > 0 && strcmp(name + n - k, want) == 0 &&
	    (n == k || name[n - k - 1] == ':' || name[n - k - 1] == '/');
}

static const char *
name_of(const json_t *desc)
{
	const json_t *a = json_object_get(desc, "annotations");
	const char *name = json_string_value(json_object_get(a,
	    "io.containerd.image.name"));

	return name != NULL ? name : json_string_value(json_object_get(a,
	    "org.opencontainers.image.ref.name"));
}

static void
list_name(char list[128], const char *name, const char *digest)
{
	size_t n = strlen(list);

	if (name != NULL)
		(void)snprintf(list + n, 128 - n, "%s%s", n > 0 ? ", " : "",
		    name);
	else if (digest != NULL)
		(void)snprintf(list + n, 128 - n, "%s%.*s", n > 0 ? ", " : "",
		    DIGEST_SHORT, digest);
}

/* One of a layout's images: there is no first among several. NULL: why. */
static const json_t *
choose(struct import *im, const json_t *list, const char *tag)
{
	const json_t *found = NULL;
	const char *digest, *first = "";
	char names[128] = "";
	unsigned ours = 0, count = 0;
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		if (!for_us(v))
			continue;
		ours++;
		digest = json_string_value(json_object_get(v, "digest"));
		list_name(names, name_of(v), digest);
		if (tag != NULL && !called(name_of(v), tag) &&
		    !is_digest(digest, tag))
			continue;
		if (found != NULL && digest != NULL &&
		    strcmp(digest, first) == 0)
			continue; /* by another name */
		count++;
		found = found == NULL ? v : found;
		first = digest == NULL ? "" : digest;
	}
	if (count == 1)
		return found;
	if (ours == 0)
		(void)import_fail(im, "index: no image for linux/%s", GO_ARCH);
	else if (count == 0)
		(void)import_fail(im, "no image is called %.60s; there is: %s",
		    tag, names);
	else
		(void)import_fail(im, "%u images (%s): name one as PATH:TAG",
		    count, names[0] != '\0' ? names : "without names");
	return NULL;
}

static void
at_layer(struct import *im, size_t i, size_t n, const char *digest)
{
	(void)snprintf(im->layer, sizeof(im->layer),
	    "layer %zu of %zu (%.19s)", i + 1, n,
	    digest == NULL ? "?" : digest);
}

static int
apply_layers(struct import *im, struct image *img, const json_t *layers)
{
	size_t i;
	json_t *v;

	if (!json_is_array(layers) ||
	    json_array_size(layers) > IMPORT_LAYERS_MAX)
		return import_fail(im, "manifest: its layers are no list, or "
		    "more than %d", IMPORT_LAYERS_MAX);
	json_array_foreach (layers, i, v) {
		struct id32 digest;
		_cleanup_fd_ int fd = -1;

		at_layer(im, i, json_array_size(layers),
		    json_string_value(json_object_get(v, "digest")));
		fd = docs_blob(im, v, "", &digest);
		if (fd < 0 || import_layer(im, fd, &digest) < 0)
			return -1;
		img->rec.layers++;
	}
	im->layer[0] = '\0';
	return 0;
}

static int
take_manifest(struct import *im, struct image *img, const json_t *doc)
{
	const json_t *config = json_object_get(doc, "config");
	const char *type = json_string_value(json_object_get(config,
	    "mediaType"));
	struct id32 digest;
	_cleanup_fd_ int fd = -1;

	if (json_object_get(doc, "fsLayers") != NULL)
		return import_fail(im, "its manifest is of schema 1: copy it "
		    "with a newer tool first");
	if (type != NULL && strstr(type, "image") == NULL)
		return import_fail(im, "no image, but a %.80s", type);
	fd = docs_blob(im, config, "", &digest);
	if (fd < 0 || (img->config = docs_json(im, fd, "configuration",
	    &digest)) == NULL || take_config(im, img) < 0)
		return -1;
	return apply_layers(im, img, json_object_get(doc, "layers"));
}

/* A manifest, or an index of them or of further ones; doc is taken. */
static int
take_index(struct import *im, struct image *img, json_t *doc, bool named)
{
	int rv = -1;

	for (int level = 0; doc != NULL; level++) {
		const json_t *list = json_object_get(doc, "manifests");
		const json_t *pick = NULL;
		_cleanup_fd_ int fd = -1;
		json_t *next;
		size_t i;
		json_t *v;

		if (list == NULL) {
			rv = take_manifest(im, img, doc);
			break;
		}
		if (level == INDEX_DEPTH_MAX) {
			(void)import_fail(im, "an index within an index, and "
			    "so on");
			break;
		}
		if (named && level == 0) {
			pick = choose(im, list, im->tag);
		} else {
			json_array_foreach (list, i, v)
				if (pick == NULL && for_us(v))
					pick = v;
			if (pick == NULL)
				(void)import_fail(im, "index: no image for "
				    "linux/%s", GO_ARCH);
		}
		if (pick == NULL || (fd = docs_blob(im, pick,
		    ".manifest.json", &img->rec.digest)) < 0)
			break;
		next = docs_json(im, fd, "manifest", &img->rec.digest);
		json_decref(doc);
		doc = next;
	}
	json_decref(doc);
	return rv;
}

/* ---- manifests of our own, for images that have none ---- */

static json_t *
describe(const char *type, const struct id32 *digest, uint64_t size)
{
	char hex[65], text[80];

	hex_encode(hex, HASH_BYTES(*digest));
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
		sha256_digest(&ctx, 32, img->rec.digest.b);
	}
	free(text);
	json_decref(m);
	return text == NULL ? -1 : 0;
}

/* An image of one layer, and an empty configuration. */
static int
plain_digest(struct image *img, const struct id32 *digest, uint64_t size)
{
	json_t *layers = json_array();
	struct id32 empty;
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, 2, (const uint8_t *)"{}");
	sha256_digest(&ctx, 32, empty.b);
	if (layers == NULL || json_array_append_new(layers,
	    describe(TYPE_LAYER, digest, size)) < 0)
		return -1;
	img->rec.layers = 1;
	return own_digest(img, describe(TYPE_EMPTY, &empty, 2), layers);
}

/* ---- a `docker save` ---- */

/* Layer i of a `docker save`: its digest must be the configuration's. */
static int
save_layer(struct import *im, struct image *img, const char *path,
    const char *want, json_t *layers)
{
	_cleanup_fd_ int fd = path == NULL ? -1 : docs_open(im, path);
	char hex[65];
	struct id32 digest, raw;
	uint64_t size;

	if (path == NULL)
		return import_fail(im, "manifest.json: no name of its file");
	if (fd < 0)
		return import_fail(im, "%.100s: %s", path, strerror(errno));
	if (reader_digest(im, fd, &digest, &size, &raw) < 0)
		return -1;
	hex_encode(hex, HASH_BYTES(digest));
	if (want == NULL || strncmp(want, "sha256:", 7) != 0 ||
	    strcmp(want + 7, hex) != 0)
		return import_fail(im, "%.100s: its content has another digest "
		    "than the configuration says", path);
	if (json_array_append_new(layers, describe(TYPE_LAYER, &digest,
	    size)) < 0)
		return import_fail(im, "memory");
	img->rec.layers++;
	return import_layer(im, fd, &raw);
}

/* The one image of an archive, or the one that is asked for. NULL: why. */
static const json_t *
choose_saved(struct import *im, const json_t *list)
{
	const json_t *found = NULL;
	char names[128] = "";
	size_t i, k;
	json_t *v, *name;

	json_array_foreach (list, i, v)
		json_array_foreach (json_object_get(v, "RepoTags"), k, name) {
			list_name(names, json_string_value(name), NULL);
			if (im->tag != NULL && found == NULL &&
			    called(json_string_value(name), im->tag))
				found = v;
		}
	if (im->tag == NULL && json_array_size(list) == 1)
		return json_array_get(list, 0);
	if (im->tag == NULL)
		(void)import_fail(im, "%zu images (%s): name one as PATH:TAG",
		    json_array_size(list),
		    names[0] != '\0' ? names : "without names");
	else if (found == NULL)
		(void)import_fail(im, "no image is called %.60s; there is: %s",
		    im->tag, names);
	return found;
}

static int
save_layers(struct import *im, struct image *img, const json_t *paths,
    json_t *layers)
{
	const json_t *ids = json_object_get(json_object_get(img->config,
	    "rootfs"), "diff_ids");
	size_t n = json_array_size(paths);

	if (n != json_array_size(ids) || n > IMPORT_LAYERS_MAX)
		return import_fail(im, "it has %zu layers, its configuration "
		    "%zu, at most %d are taken", n, json_array_size(ids),
		    IMPORT_LAYERS_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *id = json_string_value(json_array_get(ids, i));

		at_layer(im, i, n, id);
		if (save_layer(im, img, json_string_value(json_array_get(paths,
		    i)), id, layers) < 0)
			return -1;
	}
	im->layer[0] = '\0';
	return 0;
}

static int
take_save(struct import *im, struct image *img, const json_t *list)
{
	const json_t *m = choose_saved(im, list);
	const char *config = json_string_value(json_object_get(m, "Config"));
	json_t *layers;
	struct id32 digest;
	uint64_t size = 0;
	_cleanup_fd_ int fd = -1;
	int rv;

	if (m == NULL)
		return -1;
	if (config == NULL)
		return import_fail(im, "manifest.json: no configuration");
	if ((fd = docs_open(im, config)) < 0 ||
	    docs_digest(fd, &digest, &size) < 0)
		return import_fail(im, "configuration: %.100s: %s", config,
		    strerror(errno));
	if ((img->config = docs_json(im, fd, "configuration", &digest)) ==
	    NULL || take_config(im, img) < 0)
		return -1;
	if ((layers = json_array()) == NULL)
		return import_fail(im, "memory");
	rv = save_layers(im, img, json_object_get(m, "Layers"), layers);
	if (rv == 0)
		return own_digest(img, describe(TYPE_CONFIG, &digest, size),
		    layers);
	json_decref(layers);
	return rv;
}

/* By the documents at the top of what is imported. */
static int
take_docs(struct import *im, struct image *img)
{
	struct id32 digest;
	json_t *doc;
	int rv;

	if (docs_has(im, "index.json"))
		return take_index(im, img, docs_json_at(im, "index.json",
		    &digest), true);
	if (!docs_has(im, "manifest.json"))
		return import_fail(im, "an image's documents without "
		    "index.json (OCI layout) or manifest.json (docker save, "
		    "skopeo's dir:)");
	if ((doc = docs_json_at(im, "manifest.json", &digest)) == NULL)
		return -1;
	if (json_is_array(doc)) {
		rv = take_save(im, img, doc);
		json_decref(doc);
		return rv;
	}
	if (json_object_get(doc, "schemaVersion") == NULL) {
		json_decref(doc);
		return import_fail(im, "manifest.json at its top is of no "
		    "image that is known here");
	}
	/* skopeo's dir: blobs by their digests beside the manifest */
	im->flat = true;
	img->rec.digest = digest;
	return take_index(im, img, doc, false);
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

/* What is in it now is what audit finds in it later (audit/filelist.h). */
static int
list_files(struct import *im)
{
	_cleanup_fd_ int fd = openat(im->v, "files", O_WRONLY | O_CREAT |
	    O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	static char at[IMPORT_PATH_MAX + 1];

	if (fd < 0 || filelist_make(im->root, fd, at, sizeof(at)) < 0 ||
	    fchmod(fd, 0444) < 0)
		return import_fail(im, "the list of its files: %.100s: %s", at,
		    strerror(errno));
	return 0;
}

static int
finish(struct import *im, struct image *img, int rv)
{
	struct report r = {.kind = REPORT_HAND};
	char text[IMPORT_NAMES_MAX + 80];

	if (rv == 0)
		rv = import_seal(im);
	if (rv == 0)
		rv = list_files(im);
	if (rv == 0 && im->dropped > 0) {
		(void)snprintf(text, sizeof(text), "%u devices, pipes or "
		    "sockets were left out: %s", im->dropped, im->names);
		note(img, text);
	}
	img->rec.bytes = im->bytes;
	img->rec.members = im->members;
	img->rec.dropped = im->dropped;
	img->rec.note = img->note;
	if (img->rec.cwd == NULL)
		img->rec.cwd = "/";
	if (rv == 0 && write_record(&img->rec) < 0)
		rv = import_fail(im, "its configuration is too large");
	if (im->src >= 0)
		(void)import_remove(im->v, "src");
	r.ok = rv == 0;
	r.left.count = im->dropped;
	(void)snprintf(r.why, sizeof(r.why), "%s", im->why);
	report_send(STDERR_FILENO, &r);
	json_decref(img->config);
	return rv == 0 ? 0 : 1;
}

static bool
start(struct import *im)
{
	memset(im, 0, sizeof(*im));
	im->root = im->src = im->ask = -1;
	im->v = open("/v", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (im->v < 0 || mkdirat(im->v, "root", 0755) < 0 ||
	    fchmodat(im->v, "root", 0755, 0) < 0 ||
	    (im->root = openat(im->v, "root", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW)) < 0) {
		(void)import_fail(im, "folder: %s", strerror(errno));
		return false;
	}
	return true;
}

/* A tar of a root folder: its one layer. */
static int
take_root(struct import *im, struct image *img)
{
	struct id32 digest, raw;
	uint64_t size;

	if (im->tag != NULL)
		return import_fail(im, "a plain root has no tag %.60s",
		    im->tag);
	if (reader_digest(im, STDIN_FILENO, &digest, &size, &raw) < 0 ||
	    import_layer(im, STDIN_FILENO, &raw) < 0)
		return -1;
	return plain_digest(img, &digest, size);
}

static int
take_archive(struct import *im, struct image *img)
{
	switch (reader_kind(im, STDIN_FILENO)) {
	case ARCHIVE_BAD:
		return -1;
	case ARCHIVE_ROOT:
		return take_root(im, img);
	case ARCHIVE_DOCS:
		break;
	}
	if (mkdirat(im->v, "src", 0755) < 0 || (im->src = openat(im->v,
	    "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return import_fail(im, "folder: %s", strerror(errno));
	if (import_archive(im, STDIN_FILENO) < 0)
		return -1;
	/* scratch is no part of the image */
	im->bytes = 0;
	im->members = 0;
	return take_docs(im, img);
}

int
hand_import(const char *tag)
{
	static struct image img;
	struct import im;
	struct stat st;
	int rv;

	if (!start(&im))
		return finish(&im, &img, -1);
	im.tag = tag;
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
		rv = take_archive(&im, &img);
	} else if (S_ISSOCK(st.st_mode)) {
		im.ask = STDIN_FILENO;
		rv = take_docs(&im, &img);
	} else {
		im.src = open("/s", O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		    O_NOFOLLOW);
		rv = im.src < 0 ? import_fail(&im, "/s: %s",
		    strerror(errno)) : take_docs(&im, &img);
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
	char path[IMPORT_PATH_MAX + 1], real[IMPORT_PATH_MAX + 1], *name;
	_cleanup_fd_ int up = -1;
	int rv = -1;

	if (p->file >= 0)
		(void)close(p->file);
	p->file = -1;
	(void)snprintf(path, sizeof(path), "%s", m->path);
	up = import_parent(p->im->root, path, false, &name, real);
	p->im->members++;
	if (up < 0)
		return import_fail(p->im, "%s: %s", m->path, strerror(errno));
	if (m->type == TAR_DIR)
		rv = mkdirat(up, name, 0755);
	else if (m->type == TAR_LINK)
		rv = symlinkat(m->link, up, name);
	else if ((p->file = openat(up, name, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600)) >= 0)
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
			if (plain_member(p, m) < 0)
				return -1;
			break;
		case TAR_DATA:
			if (import_count(p->im, n) < 0)
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

int
hand_import_plain(void)
{
	static struct image img;
	static uint8_t buf[65536];
	struct import im;
	struct plain p = {.im = &im, .file = -1};
	struct id32 digest;
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
	if (rv == 0) {
		sha256_digest(&p.ctx, 32, digest.b);
		rv = plain_digest(&img, &digest, p.size);
	}
	if (p.file >= 0)
		(void)close(p.file);
	tar_reader_free(p.r);
	return finish(&im, &img, rv);
}
