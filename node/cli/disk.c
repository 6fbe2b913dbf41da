/* SPDX-License-Identifier: BSD-2-Clause */
/* warren audit check, warren image verify: what lies on the disk. */
#include "node/cli/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit/integrity_walk.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/imagedir.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "sandbox/image/store.h"

#define LOOK_MS 100

static void
pause_look(void)
{
	const struct timespec look = {0, LOOK_MS * 1000000};

	(void)nanosleep(&look, NULL);
}

/* ---- warren audit check ---- */

static void
print_found(const json_t *o)
{
	char when[24];
	const json_t *f;
	size_t i;

	json_array_foreach(json_object_get(o, "found"), i, f)
		printf("%s %s: %s (found %s)\n", ask_text(f, "kind"),
		    ask_text(f, "name"), ask_text(f, "why"),
		    cli_time(when, ask_int(f, "at")));
}

/* What the node says now; into is emptied. */
static int
look(struct cli *c, json_t *steal_request, json_t *into)
{
	(void)json_object_clear(into);
	return ask_whole_of(c, ASK_NODE, steal_request, into);
}

static int
wait_pass(struct cli *c, json_t *all)
{
	const json_t *o;
	json_int_t until;
	char bytes[24];
	int rc = look(c, json_pack("{s:s}", "verb", "integrity"), all);

	if (rc != CLI_OK)
		return rc;
	o = json_object_get(all, "integrity");
	/* of one that runs already nobody knows what it has passed */
	until = ask_int(o, "passes") +
	    (json_is_true(json_object_get(o, "running")) ? 2 : 1);
	rc = look(c, json_pack("{s:s,s:b}", "verb", "integrity", "pass", 1),
	    all);
	while (rc == CLI_OK) {
		o = json_object_get(all, "integrity");
		if (ask_int(o, "passes") >= until &&
		    !json_is_true(json_object_get(o, "running")))
			break;
		cli_progress(c, "looking at everything: %s",
		    cli_bytes(bytes, (uint64_t)ask_int(o, "done")));
		pause_look();
		rc = look(c, json_pack("{s:s}", "verb", "integrity"), all);
	}
	cli_progress_end(c);
	return rc;
}

int
verb_audit_check(struct cli *c, int argc, char **argv)
{
	json_t *all = json_object();
	const json_t *o;
	char bytes[24], took[24];
	int rc = cli_options(c, VERB_AUDIT_CHECK, argc, argv, NULL, NULL);
	size_t n;

	if (rc == CLI_OK)
		rc = wait_pass(c, all);
	if (rc != CLI_OK) {
		json_decref(all);
		return rc < 0 ? CLI_OK : rc;
	}
	o = json_object_get(all, "integrity");
	n = json_array_size(json_object_get(o, "found"));
	if (c->json) {
		cli_json(json_deep_copy(o));
	} else {
		print_found(o);
		fprintf(stderr, "%lld images, %lld files (%lld kept by "
		    "fs-verity), %s, in %s: %s\n",
		    (long long)ask_int(o, "images"),
		    (long long)ask_int(o, "files"),
		    (long long)ask_int(o, "kept"), cli_bytes(bytes,
		    (uint64_t)ask_int(o, "bytes")), cli_duration(took,
		    ask_int(o, "took_ms")), n == 0 ? "all is as it was" :
		    "see above");
	}
	json_decref(all);
	return n == 0 ? CLI_OK : CLI_FAILED;
}

/* ---- warren image verify ---- */

/* Until audit has looked at it; its answer is in all. */
static int
wait_image(struct cli *c, const char *name, const char *list, json_t *all)
{
	json_t *q = json_pack("{s:s,s:s}", "verb", "verify", "image", name);
	char hex[65];
	int rc;

	if (list != NULL)
		(void)json_object_set_new(q, "list", json_string(list));
	if ((rc = look(c, q, all)) != CLI_OK)
		return rc;
	(void)snprintf(hex, sizeof(hex), "%s", ask_text(all, "digest"));
	do {
		cli_progress(c, "looking at %s ...", name);
		pause_look();
		rc = look(c, json_pack("{s:s,s:s}", "verb", "integrity",
		    "image", hex), all);
	} while (rc == CLI_OK && json_object_get(all, "said") == NULL);
	cli_progress_end(c);
	(void)json_object_set_new(all, "digest", json_string(hex));
	return rc;
}

/* Who has signed for it, as image_policy wants that. */
static void
say_vouched(const json_t *all)
{
	const json_t *list = json_object_get(all, "vouched");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);

		printf("signed by %s (rule %lld of image_policy)\n",
		    ask_text(v, "who"), (long long)ask_int(v, "rule"));
	}
}

static int
say_image(struct cli *c, const char *name, const json_t *all)
{
	const char *end = ask_text(all, "said"), *why = ask_text(all,
	    "why_not");
	bool good = strcmp(end, "good") == 0;

	if (c->json) {
		cli_json(json_pack("{s:s,s:b,s:s,s:s,s:O?}", "digest",
		    ask_text(all, "digest"), "good", good, "said", end, "why",
		    why, "vouched", json_object_get(all, "vouched")));
		return good ? CLI_OK : CLI_FAILED;
	}
	say_vouched(all);
	if (good) {
		printf("%s is as it was imported, and may run\n", name);
		return CLI_OK;
	}
	if (strcmp(end, "unlisted") == 0)
		cli_error(c, "%s: there is no list of its files, it was "
		    "imported before there were any", name);
	else
		cli_error(c, "%s: %s", name, why[0] != '\0' ? why : end);
	cli_hint(c, "Import it again (`warren image import`), or remove it "
	    "and pull it anew: that puts its files right, and it may run.");
	return CLI_FAILED;
}

/* ---- without a node ---- */

static bool
differs(void *ctx, const char *path, enum walk_diff what)
{
	json_t *all = ctx;
	char name[1024], why[1200];

	(void)text_printable(name, sizeof(name), path, strlen(path));
	(void)snprintf(why, sizeof(why), "%s%s%s", name, name[0] == '\0' ?
	    "" : ": ", walk_text(what));
	(void)json_object_set_new(all, "said", json_string("changed"));
	(void)json_object_set_new(all, "why_not", json_string(why));
	return false;
}

/* The same answer as audit's, by this command. */
static int
look_here(struct cli *c, const char *name, json_t *all)
{
	struct walk w = {.ctx = all, .differs = differs,
	    .now = clock_wall_us() / 1000000};
	_cleanup_fd_ int images = -1, root = -1;
	_cleanup_free_ char *list = NULL;
	struct id32 digest;
	char path[80] = "roots/";
	size_t len;
	int rc;

	images = imagedir_open(c, false, &rc);
	if (images < 0 && rc != CLI_OK)
		return rc;
	if ((rc = imagedir_find(c, images, name, &digest)) != CLI_OK)
		return rc;
	hex_encode(path + 6, HASH_BYTES(digest));
	(void)json_object_set_new(all, "digest", json_string(path + 6));
	(void)json_object_set_new(all, "said", json_string("good"));
	root = openat(images, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	list = store_list(images, &digest, &len);
	cli_progress(c, "looking at %s ...", name);
	if (list == NULL && errno == ENOENT) {
		(void)json_object_set_new(all, "said",
		    json_string("unlisted"));
	} else if (root < 0 || list == NULL || walk_check(&w, root,
	    (const uint8_t *)list, len) < 0) {
		(void)json_object_set_new(all, "said", json_string("failed"));
		(void)json_object_set_new(all, "why_not",
		    json_string(strerror(errno)));
	}
	cli_progress_end(c);
	return CLI_OK;
}

int
verb_image_verify(struct cli *c, int argc, char **argv)
{
	json_t *all = json_object();
	int rc = cli_options(c, VERB_IMAGE_VERIFY, argc, argv, NULL, NULL);

	if (rc == CLI_OK)
		rc = ask_possible(c, ASK_NODE) && ask_answers(c, ASK_NODE) ?
		    wait_image(c, argv[c->arg], NULL, all) :
		    look_here(c, argv[c->arg], all);
	if (rc == CLI_OK)
		rc = say_image(c, argv[c->arg], all);
	json_decref(all);
	return rc < 0 ? CLI_OK : rc;
}

int
disk_imported(struct cli *c, const struct id32 *image, const struct id32 *list)
{
	char name[72] = "sha256:", hex[65];
	json_t *all;
	int rc;

	if (!ask_possible(c, ASK_NODE) || !ask_answers(c, ASK_NODE))
		return CLI_OK; /* it looks when it starts */
	hex_encode(name + 7, HASH_BYTES(*image));
	hex_encode(hex, HASH_BYTES(*list));
	all = json_object();
	rc = wait_image(c, name, hex, all);
	if (rc == CLI_OK && strcmp(ask_text(all, "said"), "good") != 0)
		rc = say_image(c, name, all);
	json_decref(all);
	return rc;
}
