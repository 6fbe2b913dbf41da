/* SPDX-License-Identifier: BSD-2-Clause */
/* Images of strangers: OCI layouts, `docker save` archives, plain folders. */
#include "sandbox/hand/hand_import.h"
#include "sandbox/hand/hand_archive.h"
#include "sandbox/hand/hand_layer.h"
#include "sandbox/hand/hand_docs.h"
#include "sandbox/hand/hand_image.h"
#include "sandbox/hand/hand_share.h"

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
#include "sandbox/base/report.h"
#include "sandbox/base/tar.h"
#include "sandbox/base/tree.h"
#include "common/util.h"

#define INDEX_DEPTH_MAX 3
#define TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define TYPE_EMPTY "application/vnd.oci.empty.v1+json"
#define TYPE_LAYER "application/vnd.oci.image.layer.v1.tar"

/* ---- layouts ---- */

static void
at_layer(struct import *im, size_t i, size_t n, const char *digest)
{
	(void)snprintf(im->layer, sizeof(im->layer),
	    "layer %zu of %zu (%.19s)", i + 1, n,
	    digest == NULL ? "?" : digest);
}

/*
 * What its maker says the layer is, if he does: compression is seen by its
 * first bytes, but another kind of thing is no tar, and one whose bytes may not
 * be handed on is fetched from its vendor, not from here.
 */
static int
check_type(struct import *im, const json_t *desc)
{
	static const char *const kinds[] = {
	    "application/vnd.oci.image.layer.v1.tar",
	    "application/vnd.docker.image.rootfs.diff.tar"};
	static const char *const packs[] = {"", "+gzip", "+zstd", ".gzip",
	    ".zstd"};
	const char *type = json_string_value(json_object_get(desc,
	    "mediaType"));

	if (type == NULL || type[0] == '\0')
		return 0;
	for (size_t i = 0; i < NELEM(kinds); i++) {
		size_t n = strlen(kinds[i]);

		for (size_t k = 0; k < NELEM(packs); k++)
			if (strncmp(type, kinds[i], n) == 0 &&
			    strcmp(type + n, packs[k]) == 0)
				return 0;
	}
	return import_fail(im, strstr(type, "nondistributable") != NULL ||
	    strstr(type, "foreign") != NULL ?
	    "its bytes are its vendor's and lie elsewhere (%.90s)" :
	    "no layer of files, but %.90s", type);
}

/* One that is no text is none that any layer has. */
static const char *
text_at(const json_t *list, size_t i)
{
	const char *text = json_string_value(json_array_get(list, i));

	return text == NULL ? "" : text;
}

static int
apply_layers(struct import *im, struct image *img, const json_t *layers)
{
	const json_t *ids = image_diff_ids(img);
	size_t i;
	json_t *v;

	if (!json_is_array(layers) ||
	    json_array_size(layers) > IMPORT_LAYERS_MAX)
		return import_fail(im, "manifest: its layers are no list, or "
		    "more than %d", IMPORT_LAYERS_MAX);
	if (ids != NULL && json_array_size(ids) != json_array_size(layers))
		return import_fail(im, "it has %zu layers, its configuration "
		    "%zu", json_array_size(layers), json_array_size(ids));
	json_array_foreach (layers, i, v) {
		struct reader_sums sums;
		struct id32 digest;
		_cleanup_fd_ int fd = -1;

		at_layer(im, i, json_array_size(layers),
		    json_string_value(json_object_get(v, "digest")));
		if (check_type(im, v) < 0)
			return -1;
		fd = docs_layer(im, v, ids == NULL ? NULL : text_at(ids, i),
		    &digest);
		if (fd < 0 || import_layer(im, fd, &digest, &sums) < 0 ||
		    image_layer(im, img, &sums, ids == NULL ? NULL :
		    text_at(ids, i)) < 0)
			return -1;
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
	/* the empty one is of a plain root, image_plain() */
	if (type != NULL && strstr(type, "image") == NULL &&
	    strcmp(type, TYPE_EMPTY) != 0)
		return import_fail(im, "no image, but a %.80s", type);
	fd = docs_blob(im, config, "", &digest);
	img->about.config = digest;
	if (fd < 0 || share_config_of(im, fd) < 0 ||
	    (img->config = docs_json(im, fd, "configuration",
	    &digest)) == NULL || image_take_config(im, img) < 0)
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

		if (list == NULL) {
			rv = take_manifest(im, img, doc);
			break;
		}
		if (level == INDEX_DEPTH_MAX) {
			(void)import_fail(im, "an index within an index, and "
			    "so on");
			break;
		}
		pick = image_choose(im, &img->here, list, named && level == 0);
		if (pick == NULL || (fd = docs_blob(im, pick,
		    ".manifest.json", &img->rec.digest)) < 0 ||
		    share_manifest_of(im, fd) < 0)
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
own_digest(struct import *im, struct image *img, json_t *config, json_t *layers)
{
	json_t *m = json_pack("{s:i,s:s,s:o,s:o}", "schemaVersion", 2,
	    "mediaType", TYPE_MANIFEST, "config", config, "layers", layers);
	char *text = m == NULL ? NULL : json_dumps(m, JSON_COMPACT |
	    JSON_SORT_KEYS);
	struct sha256_ctx ctx;
	int rv = -1;

	if (text != NULL) {
		sha256_init(&ctx);
		sha256_update(&ctx, strlen(text), (const uint8_t *)text);
		sha256_digest(&ctx, 32, img->rec.digest.b);
		rv = share_manifest(im, text, strlen(text));
	}
	free(text);
	json_decref(m);
	return rv;
}

int
image_plain(struct import *im, struct image *img,
    const struct reader_sums *sums)
{
	json_t *layers = json_array();
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, 2, (const uint8_t *)"{}");
	sha256_digest(&ctx, 32, img->about.config.b);
	if (image_layer(im, img, sums, NULL) < 0 ||
	    share_config(im, "{}", 2) < 0)
		return -1;
	if (layers == NULL || json_array_append_new(layers,
	    describe(TYPE_LAYER, &sums->diff, sums->diff_bytes)) < 0)
		return import_fail(im, "memory");
	return own_digest(im, img, describe(TYPE_EMPTY, &img->about.config, 2),
	    layers);
}

/* ---- a `docker save` ---- */

/* Layer i of a `docker save`: its digest must be the configuration's. */
static int
save_layer(struct import *im, struct image *img, const char *path,
    const char *want, json_t *layers)
{
	_cleanup_fd_ int fd = path == NULL ? -1 : docs_open(im, path);
	struct reader_sums sums;

	if (path == NULL)
		return import_fail(im, "manifest.json: no name of its file");
	if (fd < 0)
		return import_fail(im, "%.100s: %s", path, strerror(errno));
	if (import_layer(im, fd, NULL, &sums) < 0 ||
	    image_layer(im, img, &sums, want) < 0)
		return -1;
	if (json_array_append_new(layers, describe(TYPE_LAYER, &sums.diff,
	    sums.diff_bytes)) < 0)
		return import_fail(im, "memory");
	return 0;
}

static int
save_layers(struct import *im, struct image *img, const json_t *paths,
    json_t *layers)
{
	const json_t *ids = image_diff_ids(img);
	size_t n = json_array_size(paths);

	if (n != json_array_size(ids) || n > IMPORT_LAYERS_MAX)
		return import_fail(im, "it has %zu layers, its configuration "
		    "%zu, at most %d are taken", n, json_array_size(ids),
		    IMPORT_LAYERS_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *id = text_at(ids, i);

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
	const json_t *m = image_choose_saved(im, list);
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
	if (share_config_of(im, fd) < 0 ||
	    (img->config = docs_json(im, fd, "configuration", &digest)) ==
	    NULL || image_take_config(im, img) < 0)
		return -1;
	if ((layers = json_array()) == NULL)
		return import_fail(im, "memory");
	img->about.config = digest;
	rv = save_layers(im, img, json_object_get(m, "Layers"), layers);
	if (rv == 0)
		return own_digest(im, img, describe(TYPE_CONFIG, &digest, size),
		    layers);
	json_decref(layers);
	return rv;
}

/*
 * Docker 25 and later saves an image by its id with an index.json of nothing,
 * since it has no name; manifest.json says then what there is.
 */
static bool
is_of_nothing(const json_t *index)
{
	const json_t *list = json_object_get(index, "manifests");

	return list != NULL && (json_is_null(list) ||
	    (json_is_array(list) && json_array_size(list) == 0));
}

/* By the documents at the top of what is imported. */
static int
take_docs(struct import *im, struct image *img)
{
	struct id32 digest;
	_cleanup_fd_ int fd = -1;
	json_t *doc;
	int rv;

	if (docs_has(im, "index.json")) {
		doc = docs_json_at(im, "index.json", &digest);
		if (!is_of_nothing(doc) || !docs_has(im, "manifest.json"))
			return take_index(im, img, doc, true);
		json_decref(doc);
	}
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
	if ((fd = docs_open(im, "manifest.json")) < 0 ||
	    share_manifest_of(im, fd) < 0) {
		json_decref(doc);
		return -1;
	}
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

/* What a job sees there is not the image's. */
static bool
is_covered(const char *real)
{
	static const char *const covers[] = {"dev", "proc", "sys", "tmp"};
	size_t n = strcspn(real, "/");

	for (size_t i = 0; i < NELEM(covers); i++)
		if (real[n] == '/' && strlen(covers[i]) == n &&
		    memcmp(real, covers[i], n) == 0)
			return true;
	return false;
}

/* An error of the machine's, and none that the image is made so. */
static bool
is_ours(int e)
{
	return e == ENOSPC || e == EDQUOT || e == EMFILE || e == ENFILE ||
	    e == EIO || e == ENOMEM || e == EROFS;
}

/*
 * Where its jobs begin: other tools make that folder when a container starts,
 * and a job's root is read-only. What lies in its way stays.
 */
static int
make_cwd(struct import *im, struct image *img)
{
	char path[IMPORT_PATH_MAX + 1], real[IMPORT_PATH_MAX + 1];
	char text[120];
	const char *why;
	bool covered;
	int fd;

	if (img->rec.cwd == NULL)
		return 0;
	if (!import_path(img->rec.cwd, path, &why)) {
		(void)snprintf(text, sizeof(text), "its working folder is not "
		    "made: %s", why);
		image_note(img, text);
		return 0;
	}
	real[0] = '\0'; /* no way leads there */
	fd = import_folder(im->root, path, false, real);
	covered = is_covered(real);
	if (fd < 0 && errno == ENOENT && !covered)
		fd = import_folder(im->root, path, true, real);
	if (fd < 0 && is_ours(errno))
		return import_fail(im, "its working folder: %s",
		    strerror(errno));
	if (covered)
		image_note(img, "its working folder lies where each job has a "
		    "place of its own: jobs must name another");
	else if (fd < 0)
		image_note(img, "its working folder is none: jobs must name "
		    "another");
	close_fd(&fd);
	return 0;
}

int
image_finish(struct import *im, struct image *img, int rv)
{
	struct report r = {.kind = REPORT_HAND};
	char text[IMPORT_NAMES_MAX + 80];

	if (rv == 0)
		rv = make_cwd(im, img);
	if (rv == 0)
		rv = import_seal(im);
	if (rv == 0) /* before its links are counted */
		rv = share_finish(im, &img->rec.digest);
	if (rv == 0)
		rv = list_files(im);
	if (rv == 0)
		rv = image_write_about(im, img);
	if (rv == 0 && im->dropped > 0) {
		(void)snprintf(text, sizeof(text), "%u devices, pipes or "
		    "sockets were left out: %s", im->dropped, im->names);
		image_note(img, text);
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

bool
image_start(struct import *im, struct image *img, bool share)
{
	memset(im, 0, sizeof(*im));
	img->here = platform_here();
	im->root = im->src = im->ask = -1;
	im->v = open("/v", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (im->v < 0 || mkdirat(im->v, "root", 0755) < 0 ||
	    fchmodat(im->v, "root", 0755, 0) < 0 ||
	    (im->root = openat(im->v, "root", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW)) < 0) {
		(void)import_fail(im, "folder: %s", strerror(errno));
		return false;
	}
	return !share || share_start(im) == 0;
}

/* A tar of a root folder: its one layer. */
static int
take_root(struct import *im, struct image *img)
{
	struct reader_sums sums;

	if (im->tag != NULL)
		return import_fail(im, "a plain root has no tag %.60s",
		    im->tag);
	if (import_layer(im, STDIN_FILENO, NULL, &sums) < 0)
		return -1;
	return image_plain(im, img, &sums);
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
hand_import(const char *tag, bool share)
{
	static struct image img;
	struct import im;
	struct stat st;
	int rv;

	if (!image_start(&im, &img, share))
		return image_finish(&im, &img, -1);
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
	return image_finish(&im, &img, rv);
}
