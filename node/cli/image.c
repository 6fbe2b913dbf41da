/* SPDX-License-Identifier: BSD-2-Clause */
/* warren image import PATH[:TAG] --name NAME:TAG; warren image list */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "config.h"
#include "common/util.h"

#include "node/cli/disk.h"
#include "node/cli/folders.h"
#include "node/cli/format.h"
#include "node/cli/house.h"
#include "node/cli/image.h"
#include "node/cli/imagedir.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/verb.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/store.h"

/* ---- import ---- */

static bool
set_import(struct cli *c, void *ctx, int option, const char *value)
{
	struct image_import *im = ctx;
	char full[STORE_NAME_MAX + 1];

	if (option == OPT_SHARE) {
		im->share = true;
		return true;
	}
	if (!store_name_ok(value, full)) {
		cli_error(c, "--name: %s is no name", value);
		cli_hint(c, "A name is like kai/agent-runtime:latest: small "
			    "letters, digits and . _ - /, then a tag.");
		return false;
	}
	im->name = value;
	return true;
}

static void
say_imported(struct cli *c, const struct image_imported *im, const char *name,
    json_t *more)
{
	char hex[65], size[24], full[STORE_NAME_MAX + 1];

	hex_encode(hex, HASH_BYTES(im->digest));
	(void)store_name_ok(name, full);
	if (c->json) {
		char text[72], note[4 * sizeof(im->note)];
		json_t *o;

		(void)text_escape(note, sizeof(note), im->note,
		    strlen(im->note));
		(void)snprintf(text, sizeof(text), "sha256:%s", hex);
		o = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:b,s:s}",
		    "digest", text, "name", full, "bytes",
		    (json_int_t)im->bytes, "shared", (json_int_t)im->shared,
		    "members", (json_int_t)im->members,
		    "layers", (json_int_t)im->layers, "dropped",
		    (json_int_t)im->dropped, "was_here", im->was_here ? 1 : 0,
		    "mended", im->mended ? 1 : 0, "note", note);
		if (more != NULL)
			(void)json_object_update(o, more);
		cli_json(o);
		return;
	}
	printf("sha256:%s\n", hex);
	fprintf(stderr, "%s: %u members, %u layer%s, %s%s\n", full,
	    im->members, im->layers, im->layers == 1 ? "" : "s",
	    cli_bytes(size, im->bytes), im->mended ? "; was here, "
	    "with other files than this: they were replaced" :
	    im->was_here ? "; was here" : "");
	if (im->shared > 0)
		cli_note(c, "%s of it are other images' too, and lie here once",
		    cli_bytes(size, im->shared));
	if (im->note[0] != '\0')
		cli_note(c, "%s", im->note);
}

/*
 * PATH:TAG, where PATH holds several images: the longest PATH that is there.
 * path: room for all of it. NULL: no tag.
 */
static const char *
split_tag(char *path)
{
	if (access(path, F_OK) == 0)
		return NULL;
	for (size_t i = strlen(path); i > 1; i--) {
		if (path[i - 1] != ':')
			continue;
		path[i - 1] = '\0';
		if (access(path, F_OK) == 0 && path[i] != '\0')
			return path + i;
		path[i - 1] = ':';
	}
	return NULL;
}

int
image_take(struct cli *c, struct image_import *im, const char *what,
    json_t *more)
{
	_cleanup_fd_ int hand = house_open("warren-hand");
	struct image_imported done;
	char why[512] = "";

	if (hand < 0) {
		json_decref(more);
		cli_error(c, "warren-hand: %s", strerror(errno));
		cli_hint(c, "It lies beside this program or in %s.",
		    PKGLIBEXECDIR);
		return CLI_FAILED;
	}
	im->hand = hand;
	im->base = WARREN_UID_BASE;
	cli_progress(c, "importing %s ...", what);
	if (image_import(im, &done, why, sizeof(why)) != 0) {
		json_decref(more);
		cli_error(c, "%s: %s", what, why);
		if (done.unconfined)
			cli_hint(c, "That needs user namespaces (sysctl "
			    "user.max_user_namespaces, "
			    "kernel.unprivileged_userns_clone, AppArmor) and, "
			    "in a container, --security-opt unmask=ALL.");
		return CLI_FAILED;
	}
	cli_progress_end(c);
	say_imported(c, &done, im->name, more);
	json_decref(more);
	return disk_imported(c, &done.digest, &done.list);
}

int
verb_image_import(struct cli *c, int argc, char **argv)
{
	_cleanup_fd_ int images = -1;
	_cleanup_free_ char *path = NULL;
	struct image_import im = {.images = -1};
	int rc = cli_options(c, VERB_IMAGE_IMPORT, argc, argv, set_import, &im);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (im.name == NULL) {
		cli_error(c, "what shall jobs call it? say it with --name "
			     "NAME:TAG");
		return CLI_USAGE;
	}
	if ((path = strdup(argv[c->arg])) == NULL) {
		cli_error(c, "memory");
		return CLI_FAILED;
	}
	im.tag = split_tag(path);
	im.path = path;
	if (access(im.path, R_OK) != 0) {
		cli_error(c, "%s: %s", im.path, strerror(errno));
		return CLI_FAILED;
	}
	images = imagedir_open(c, true, &rc);
	if (images < 0)
		return rc;
	im.images = images;
	return image_take(c, &im, im.path, NULL);
}

/* ---- list ---- */

struct listing {
	struct cli *c;
	int images;
	struct cli_table *t;
	json_t *list;
	size_t n;
	uint8_t record[IMAGE_RECORD_MAX];
};

static bool
list_one(void *ctx, const char *name, const struct id32 *digest)
{
	struct listing *l = ctx;
	char hex[65], size[24] = "not here", digest_text[72], gone[GONE_WHY];
	const char *row[] = {name, digest_text, size};
	struct image_record r;
	bool here = store_record(l->images, digest, l->record, &r) == 0;
	bool buried = !here && store_buried(l->images, digest, gone);

	l->n++;
	hex_encode(hex, HASH_BYTES(*digest));
	(void)snprintf(digest_text, sizeof(digest_text), "sha256:%s", hex);
	if (l->list != NULL) {
		(void)json_array_append_new(l->list,
		    json_pack("{s:s,s:s,s:b,s:I,s:s*}", "name", name, "digest",
			digest_text, "here", here ? 1 : 0, "bytes",
			here ? (json_int_t)r.bytes : (json_int_t)0, "removed",
			buried ? gone : NULL));
		return true;
	}
	if (here)
		(void)cli_bytes(size, r.bytes);
	else if (buried)
		(void)snprintf(size, sizeof(size), "removed");
	cli_table_row(l->t, row);
	return true;
}

int
verb_image_list(struct cli *c, int argc, char **argv)
{
	static const struct cli_column columns[] = {{"NAME", COL_CUT},
	    {"DIGEST", COL_CUT}, {"SIZE", COL_RIGHT}};
	struct listing *l;
	int rc = cli_options(c, VERB_IMAGE_LIST, argc, argv, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return CLI_FAILED;
	l->c = c;
	l->images = imagedir_open(c, false, &rc);
	l->list = c->json ? json_array() : NULL;
	l->t = cli_table_new(c, columns);
	if (l->images >= 0 && store_each(l->images, list_one, l) != 0 &&
	    errno != ENOENT) {
		cli_error(c, "the store cannot be read: %s", store_why(errno));
		rc = CLI_FAILED;
	}
	if (rc == CLI_OK && c->json)
		cli_json(json_pack("{s:O}", "images", l->list));
	else if (rc == CLI_OK && l->n == 0)
		fprintf(stderr, "No images.\n");
	else if (rc == CLI_OK) {
		cli_table_print(l->t);
		l->t = NULL;
	}
	cli_table_free(l->t);
	json_decref(l->list);
	if (l->images >= 0)
		(void)close(l->images);
	free(l);
	return rc;
}
