/* SPDX-License-Identifier: BSD-2-Clause */
/* warren image remove IMAGE, warren image gc: what goes out of the store. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/imagedir.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "sandbox/image/gc.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/pulled.h"
#include "sandbox/image/share.h"
#include "sandbox/image/store.h"

/*
 * A node that runs here says whether a job of its has the image or waits for
 * it; if none has, none gets it for a minute. CLI_OK, also without a node.
 */
static int
release(struct cli *c, const struct id32 *digest)
{
	json_t *all = json_object();
	char hex[65];
	int rc = CLI_OK;

	hex_encode(hex, HASH_BYTES(*digest));
	if (ask_possible(c, ASK_NODE) && ask_answers(c, ASK_NODE))
		rc = ask_whole_of(c, ASK_NODE, json_pack("{s:s,s:s}", "verb",
		    "release", "image", hex), all);
	json_decref(all);
	return rc;
}

/* Its files; the lock of the store is ours. */
static int
take_away(struct cli *c, int images, const struct id32 *digest,
    uint64_t *bytes)
{
	uint32_t files = 0;
	int rc = release(c, digest);

	if (rc != CLI_OK)
		return rc;
	if (store_bury(images, digest, NULL) < 0) {
		cli_error(c, "the image cannot be removed: %s",
		    strerror(errno));
		return CLI_FAILED;
	}
	(void)store_sweep(images, false);
	(void)share_drop(images, false, &files, bytes);
	return CLI_OK;
}

/* ---- remove ---- */

struct named {
	const struct id32 *digest;
	const char *except;
	unsigned n;
	char first[STORE_NAME_MAX + 1], list[512];
};

static bool
count_name(void *ctx, const char *name, const struct id32 *digest)
{
	struct named *m = ctx;
	size_t n = strlen(m->list);

	if (!id32_eq(digest, m->digest) || (m->except != NULL &&
	    strcmp(name, m->except) == 0))
		return true;
	if (m->n++ == 0)
		(void)snprintf(m->first, sizeof(m->first), "%s", name);
	(void)snprintf(m->list + n, sizeof(m->list) - n, "%s%s", n > 0 ?
	    ", " : "", name);
	return true;
}

static int
say_removed(struct cli *c, const char *name, const struct id32 *digest,
    bool files, uint64_t bytes, const struct named *left)
{
	char hex[65], size[24];

	hex_encode(hex, HASH_BYTES(*digest));
	if (c->json)
		cli_json(json_pack("{s:s,s:s+,s:b,s:I,s:I}", "name", name,
		    "digest", "sha256:", hex, "removed", files ? 1 : 0,
		    "bytes", (json_int_t)bytes, "names_left",
		    (json_int_t)left->n));
	else if (files)
		printf("%s removed, %s are free again\n", name, cli_bytes(size,
		    bytes));
	else if (left->n > 0)
		printf("%s is no name any more; its image stays as %s\n", name,
		    left->list);
	else
		printf("%s is no name any more; its files were not here\n",
		    name);
	return CLI_OK;
}

static int
drop_name(struct cli *c, int images, const char *name)
{
	struct id32 was;
	unsigned left;

	if (store_drop_name(images, name, &was, &left) == 0)
		return CLI_OK;
	cli_error(c, "the name cannot be removed: %s", store_why(errno));
	return CLI_FAILED;
}

static int
remove_one(struct cli *c, int images, const char *what)
{
	_cleanup_fd_ int lock = store_lock(images);
	char full[STORE_NAME_MAX + 1];
	/* a name in front of a digest says nothing more */
	bool by_digest = strncmp(what, "sha256:", 7) == 0 ||
	    strchr(what, '@') != NULL;
	struct id32 digest;
	struct named left = {.digest = &digest};
	uint64_t bytes = 0;
	int rc = CLI_OK, here;

	if (lock < 0) {
		cli_error(c, "the store cannot be locked: %s",
		    strerror(errno));
		return CLI_FAILED;
	}
	here = store_resolve(images, what, &digest);
	if (!by_digest && store_name_ok(what, full))
		left.except = full;
	/* a name may outlive its image, which a revocation has removed */
	if (here < 0 && (left.except == NULL || store_drop_name(images, full,
	    &digest, &left.n) < 0))
		return imagedir_find(c, images, what, &digest);
	if (here < 0)
		return say_removed(c, full, &digest, false, 0, &left);
	if (store_each(images, count_name, &left) < 0) {
		cli_error(c, "it cannot be removed: %s", store_why(errno));
		return CLI_FAILED;
	}
	if (by_digest && left.n > 1) {
		cli_error(c, "it has %u names: %s", left.n, left.list);
		cli_hint(c, "Remove these; its files go with the last one.");
		return CLI_REFUSED;
	}
	if (by_digest || left.n == 0)
		rc = take_away(c, images, &digest, &bytes);
	/* one that is killed in between leaves a name that is told of */
	if (rc == CLI_OK && !by_digest)
		rc = drop_name(c, images, full);
	else if (rc == CLI_OK && left.n == 1)
		rc = drop_name(c, images, left.first);
	if (rc != CLI_OK)
		return rc;
	if (by_digest)
		left.n = 0;
	return say_removed(c, by_digest ? what : full, &digest, by_digest ||
	    left.n == 0, bytes, &left);
}

int
verb_image_remove(struct cli *c, int argc, char **argv)
{
	_cleanup_fd_ int images = -1;
	int rc = cli_options(c, VERB_IMAGE_REMOVE, argc, argv, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	images = imagedir_open(c, true, &rc);
	if (images < 0)
		return rc;
	for (int i = c->arg; rc == CLI_OK && i < argc; i++)
		rc = remove_one(c, images, argv[i]);
	return rc;
}

/* ---- gc ---- */

struct clearing {
	struct cli *c;
	int images;
	bool dry, unnamed; /* --dry-run, --unnamed */
	unsigned images_gone, kept;
	struct pulled_gone pulled;
	uint64_t bytes;
	struct id32 todo[256];
	unsigned n;
};

static bool
set_option(struct cli *c, void *ctx, int option, const char *value)
{
	struct clearing *k = ctx;

	(void)c;
	(void)value;
	if (option == OPT_DRY_RUN)
		k->dry = true;
	else
		k->unnamed = true;
	return true;
}

static bool
find_unnamed(void *ctx, const struct id32 *digest)
{
	struct clearing *k = ctx;

	if (store_unnamed(k->images, digest))
		k->todo[k->n++] = *digest;
	return k->n < NELEM(k->todo);
}

static bool
any_name(void *ctx, const char *name, const struct id32 *digest)
{
	(void)ctx;
	(void)name;
	(void)digest;
	return true;
}

/* What is refused is said, and stays; the rest goes. */
static int
clear_unnamed(struct clearing *k)
{
	_cleanup_fd_ int lock = store_lock(k->images);
	int rc = CLI_OK;

	if (lock < 0) {
		cli_error(k->c, "the store cannot be locked: %s",
		    strerror(errno));
		return CLI_FAILED;
	}
	if (store_each(k->images, any_name, NULL) < 0 ||
	    store_each_root(k->images, find_unnamed, k) < 0) {
		cli_error(k->c, "which images have no name cannot be told: %s",
		    store_why(errno));
		return CLI_FAILED;
	}
	for (unsigned i = 0; i < k->n; i++) {
		int one = !k->unnamed || k->dry ? CLI_OK : take_away(k->c,
		    k->images, &k->todo[i], &k->bytes);

		if (k->unnamed && one == CLI_OK)
			k->images_gone++;
		else
			k->kept++;
		if (one != CLI_OK)
			rc = one;
	}
	return rc;
}

/* By the rule of a pull; one that is at work sees to its own. */
static int
clear_pulled(struct clearing *k)
{
	struct pulled p = {-1, -1};
	int rc = CLI_OK;

	if (pulled_open(&p, k->images, false) < 0) {
		if (errno == ENOENT)
			return CLI_OK;
		if (errno == EWOULDBLOCK) {
			cli_note(k->c, "a pull is at work: what was pulled "
			    "stays");
			return CLI_OK;
		}
		cli_error(k->c, "warren/images/%s: %s", PULLED_FOLDER,
		    strerror(errno));
		return CLI_FAILED;
	}
	if (pulled_prune(&p, PULLED_KEEP, k->dry, &k->pulled) < 0) {
		cli_error(k->c, "warren/images/%s: not all could be removed: "
		    "%s", PULLED_FOLDER, strerror(errno));
		rc = CLI_FAILED;
	}
	pulled_close(&p);
	return rc;
}

static void
say_cleared(const struct clearing *k, const struct store_gc *gc)
{
	uint64_t bytes = gc->bytes + k->bytes + k->pulled.bytes;
	char size[24];

	if (k->c->json) {
		cli_json(json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "dry_run",
		    k->dry ? 1 : 0, "unfinished", (json_int_t)gc->halves,
		    "orphans", (json_int_t)gc->orphans, "files",
		    (json_int_t)gc->files, "bytes",
		    (json_int_t)bytes, "pulled",
		    (json_int_t)k->pulled.files, "images",
		    (json_int_t)k->images_gone, "unnamed",
		    (json_int_t)k->kept));
		return;
	}
	printf("%s%u unfinished imports, %u images in parts, %u files that no "
	    "image has, %u files of pulls, %u images without a name: %s\n",
	    k->dry ? "would remove " : "", gc->halves, gc->orphans, gc->files,
	    k->pulled.files, k->images_gone, cli_bytes(size, bytes));
	if (k->kept > 0 && !k->unnamed)
		cli_note(k->c, "%u images without a name stay (--unnamed)",
		    k->kept);
}

int
verb_image_gc(struct cli *c, int argc, char **argv)
{
	struct clearing k = {.c = c};
	struct store_gc gc;
	_cleanup_fd_ int images = -1;
	int rc = cli_options(c, VERB_IMAGE_GC, argc, argv, set_option, &k),
	    one;

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	k.images = images = imagedir_open(c, true, &rc);
	if (images < 0)
		return rc;
	rc = clear_unnamed(&k);
	if (store_gc(images, k.dry, &gc) < 0) {
		cli_error(c, "not all could be removed: %s", strerror(errno));
		rc = CLI_FAILED;
	}
	one = clear_pulled(&k);
	say_cleared(&k, &gc);
	return rc == CLI_OK ? one : rc;
}
