/* SPDX-License-Identifier: BSD-2-Clause */
/* warren audit anchor, warren audit witness: transparency logs are written. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/folders.h"
#include "node/cli/klpfile.h"
#include "node/cli/logcheck.h"
#include "node/cli/logdir.h"
#include "node/cli/logseen.h"
#include "node/cli/options.h"
#include "node/cli/person.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/config/keyset.h"
#include "sandbox/image/store.h"
#include "trust/doc/fingerprint.h"
#include "trust/doc/note_read.h"

#define RECORDS_MAX 1024

struct anchoring {
	const char *log, *key, *origin, *proofs;
	struct vkey vkey;
	uint8_t secret[64];
	uint32_t now;
	struct logdir_entry e[RECORDS_MAX];
	char *own[RECORDS_MAX]; /* their texts */
	enum fingerprint_of of[RECORDS_MAX];
	unsigned n;
};

/* ---- keys ---- */

static int
key_take(struct cli *c, const char *path, const char *name, uint8_t type,
    struct vkey *k, uint8_t secret[64])
{
	struct klp_secret s;
	uint8_t public[32];
	int rc = klpfile_key_read(c, path, &s);

	if (rc != CLI_OK)
		return rc;
	if (s.kind != KEY_ED25519) {
		cli_error(c, "%s is no Ed25519 key", path);
		cli_hint(c, "`warren klp keygen FILE` makes one.");
		rc = CLI_USAGE;
	} else {
		(void)crypto_sign_seed_keypair(public, secret, s.raw);
		if (!vkey_set(k, name, type, public)) {
			cli_error(c, "%s is no name for a key (no blanks, no "
			    "+)", name);
			rc = CLI_USAGE;
		}
	}
	explicit_bzero(&s, sizeof(s));
	return rc;
}

/* ---- what is anchored ---- */

static int
add(struct cli *c, struct anchoring *a, const struct fingerprint *f)
{
	struct logdir_entry *e = &a->e[a->n];

	if (a->n == RECORDS_MAX) {
		cli_error(c, "more than %d records at once", RECORDS_MAX);
		return CLI_USAGE;
	}
	a->own[a->n] = fingerprint_put(f, &e->len);
	e->text = a->own[a->n];
	if (e->text == NULL) {
		cli_error(c, "out of memory");
		return CLI_FAILED;
	}
	a->of[a->n++] = f->of;
	return CLI_OK;
}

/* The node's folder; -1: said. */
static int
node_folder(struct cli *c, char dir[CLI_PATH])
{
	int fd = -1;

	if (!cli_config_dir(c, dir))
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		cli_error(c, "%s: %s", dir, strerror(errno));
	return fd;
}

static int
add_node(struct cli *c, struct anchoring *a)
{
	struct fingerprint f = {.of = FINGERPRINT_NODE, .issued = a->now};
	char dir[CLI_PATH];
	uint8_t frame[BINDING_LEN];
	_cleanup_fd_ int fd = node_folder(c, dir);
	struct fp fp;

	if (fd < 0)
		return CLI_FAILED;
	if (!person_of_node(fd, &fp, frame)) {
		cli_error(c, "%s/warren/keys/binding: %s", dir,
		    errno == EACCES ? "it is for the owner of the folder"
				    : "there is none yet");
		cli_hint(c, "The node makes it when it first runs.");
		return CLI_FAILED;
	}
	(void)urn_make(f.urn, "kindai", "device", &fp);
	(void)crypto_hash_sha256(f.binding.b, frame, sizeof(frame));
	return add(c, a, &f);
}

/* What warren-keys has signed of it last. */
static int
add_trail(struct cli *c, struct anchoring *a)
{
	struct fingerprint f = {.of = FINGERPRINT_TRAIL, .issued = a->now};
	char dir[CLI_PATH], text[NOTE_MAX];
	_cleanup_fd_ int fd = node_folder(c, dir);
	struct note note;
	ssize_t n;

	if (fd < 0)
		return CLI_FAILED;
	n = file_read(fd, "warren/keys/" KEYSET_CHECKPOINT, text, sizeof(text));
	if (n < 0 || !note_parse(&note, text, (size_t)n)) {
		cli_error(c, "%s/warren/keys/" KEYSET_CHECKPOINT ": %s", dir,
		    n >= 0 ? "damaged" : errno == ENOENT ?
		    "nothing of the trail is signed yet" : strerror(errno));
		if (n < 0 && errno == ENOENT)
			cli_hint(c, "A node signs 10 s after its start, then "
				    "each hour or 1000 lines.");
		return CLI_FAILED;
	}
	(void)urn_make(f.urn, "kindai", "device", &note.fp);
	f.size = note.size;
	f.root = note.root;
	return add(c, a, &f);
}

struct images {
	struct cli *c;
	struct anchoring *a;
	int rc;
	struct id32 done[256]; /* names of the same image */
	unsigned ndone;
};

static bool
add_image(void *ctx, const char *name, const struct id32 *digest)
{
	struct images *i = ctx;
	struct fingerprint f = {.of = FINGERPRINT_IMAGE, .issued = i->a->now,
	    .image = *digest};

	(void)name;
	for (unsigned k = 0; k < i->ndone; k++)
		if (id32_eq(&i->done[k], digest))
			return true;
	if (i->ndone < NELEM(i->done))
		i->done[i->ndone++] = *digest;
	i->rc = add(i->c, i->a, &f);
	return i->rc == CLI_OK;
}

/* name: "" for all of the store. */
static int
add_images(struct cli *c, struct anchoring *a, const char *name)
{
	char dir[CLI_PATH], full[STORE_NAME_MAX + 1];
	_cleanup_fd_ int fd = node_folder(c, dir), warren = -1, store = -1;
	struct images *i;
	struct id32 digest;
	int rc = CLI_OK;

	if (fd < 0)
		return CLI_FAILED;
	warren = dir_open(fd, "warren", false, 0);
	store = warren < 0 ? -1 : dir_open(warren, "images", false, 0);
	if (store < 0) {
		cli_error(c, "%s/warren/images: %s", dir, strerror(errno));
		return CLI_FAILED;
	}
	if ((i = calloc(1, sizeof(*i))) == NULL)
		return CLI_FAILED;
	i->c = c;
	i->a = a;
	if (*name == '\0') {
		if (store_each(store, add_image, i) < 0) {
			cli_error(c, "%s/warren/images: %s", dir,
			    store_why(errno));
			rc = CLI_FAILED;
		}
	} else if (!store_name_ok(name, full) ||
	    store_resolve(store, full, &digest) < 0) {
		cli_error(c, "no image of this node is called %s", name);
		rc = CLI_FAILED;
	} else {
		(void)add_image(i, full, &digest);
	}
	if (rc == CLI_OK)
		rc = i->rc;
	free(i);
	return rc;
}

static int
add_file(struct cli *c, struct anchoring *a, const char *path)
{
	size_t len = 0;
	char *text = klpfile_load(c, path, FINGERPRINT_MAX, &len);
	struct fingerprint f;
	const char *why;
	int rc;

	if (text == NULL)
		return CLI_FAILED;
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (fingerprint_parse(&f, text, len, &why)) {
		rc = add(c, a, &f);
	} else {
		cli_error(c, "%s: %s", path, why);
		rc = CLI_REFUSED;
	}
	free(text);
	return rc;
}

static int
add_word(struct cli *c, struct anchoring *a, const char *word)
{
	if (strcmp(word, "node") == 0)
		return add_node(c, a);
	if (strcmp(word, "trail") == 0)
		return add_trail(c, a);
	if (strcmp(word, "images") == 0)
		return add_images(c, a, "");
	if (strncmp(word, "image:", 6) == 0 && word[6] != '\0')
		return add_images(c, a, word + 6);
	return add_file(c, a, word);
}

/* ---- proofs ---- */

static int
write_proof(struct cli *c, struct logdir *l, const struct anchoring *a, int dir,
    uint64_t index, const struct logdir_entry *e)
{
	struct tlog_tree tree = logdir_tree(l);
	struct tlog_proof *p = calloc(1, sizeof(*p));
	char *text = malloc(TLOG_PROOF_TEXT), name[48];
	int rc = CLI_FAILED;
	size_t n = 0;

	if (p != NULL && text != NULL &&
	    tlog_prove(&tree, l->head.size, index, p->hash, &p->n)) {
		p->index = index;
		p->note = l->note;
		p->note_len = l->note_len;
		n = tlog_proof_put(text, p);
	}
	if (n > 0) {
		(void)snprintf(name, sizeof(name), "%" PRIu64 ".json", index);
		rc = file_replace(dir, name, e->text, e->len, 0644) == 0
		    ? CLI_OK : CLI_FAILED;
		(void)snprintf(name, sizeof(name), "%" PRIu64 ".tlog-proof",
		    index);
		if (rc == CLI_OK && file_replace(dir, name, text, n, 0644) != 0)
			rc = CLI_FAILED;
		if (rc != CLI_OK)
			cli_error(c, "%s/%s: %s", a->proofs, name,
			    strerror(errno));
	}
	free(text);
	free(p);
	return rc;
}

static int
write_proofs(struct cli *c, struct logdir *l, const struct anchoring *a)
{
	uint64_t first = l->head.size - a->n;
	_cleanup_fd_ int dir = -1;
	int rc = CLI_OK;

	if (mkdir(a->proofs, 0755) < 0 && errno != EEXIST)
		dir = -1;
	else
		dir = open(a->proofs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		cli_error(c, "%s: %s", a->proofs, strerror(errno));
		return CLI_FAILED;
	}
	for (unsigned i = 0; i < a->n && rc == CLI_OK; i++)
		rc = write_proof(c, l, a, dir, first + i, &a->e[i]);
	return rc;
}

static void
print_anchored(struct cli *c, const struct logdir *l,
    const struct anchoring *a)
{
	uint64_t first = l->head.size - a->n;
	char key[VKEY_TEXT_MAX];

	(void)vkey_put(key, &a->vkey);
	if (c->json) {
		json_t *list = json_array();

		for (unsigned i = 0; i < a->n; i++)
			(void)json_array_append_new(list, json_pack(
			    "{s:I,s:s}", "index", (json_int_t)(first + i),
			    "of", fingerprint_name(a->of[i])));
		cli_json(json_pack("{s:s,s:I,s:s,s:o}", "log", l->head.origin,
		    "size", (json_int_t)l->head.size, "key", key, "entries",
		    list));
		return;
	}
	for (unsigned i = 0; i < a->n; i++)
		printf("%-8" PRIu64 " %s\n", first + i,
		    fingerprint_name(a->of[i]));
	printf("log      %s, %" PRIu64 " entries\n", l->head.origin,
	    l->head.size);
	printf("key      %s\n", key);
}

/* ---- anchor ---- */

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct anchoring *a = ctx;

	(void)c;
	switch (option) {
	case OPT_LOG:
		a->log = value;
		break;
	case OPT_KEY:
		a->key = value;
		break;
	case OPT_PROOFS:
		a->proofs = value;
		break;
	default:
		a->origin = value;
	}
	return true;
}

/* Who writes must be who has written: one key, and the checkpoint under it. */
static int
ours(struct cli *c, const struct logdir *l, const struct vkey *k)
{
	struct snote n;

	if (l->note_len == 0 || (snote_parse(&n, l->note, l->note_len) &&
		snote_signed(&n, k, NULL) == SNOTE_GOOD))
		return CLI_OK;
	cli_error(c, "%s is not signed by this key: it is another's log, or "
	    "was changed", l->path);
	return CLI_REFUSED;
}

static int
anchor(struct cli *c, struct anchoring *a)
{
	struct logdir *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return CLI_FAILED;
	l->fd = -1;
	rc = logdir_open(l, c, a->log, a->origin != NULL ? a->origin : "");
	if (rc == CLI_OK)
		rc = key_take(c, a->key, l->head.origin, SNOTE_ED25519,
		    &a->vkey, a->secret);
	if (rc == CLI_OK)
		rc = ours(c, l, &a->vkey);
	if (rc == CLI_OK)
		rc = logdir_add(l, a->e, a->n, &a->vkey, a->secret);
	if (rc == CLI_OK && a->proofs != NULL)
		rc = write_proofs(c, l, a);
	if (rc == CLI_OK)
		print_anchored(c, l, a);
	logdir_close(l);
	free(l);
	return rc;
}

int
verb_audit_anchor(struct cli *c, int argc, char **argv)
{
	struct anchoring *a = calloc(1, sizeof(*a));
	int rc;

	if (a == NULL)
		return CLI_FAILED;
	rc = cli_options(c, VERB_AUDIT_ANCHOR, argc, argv, set, a);
	if (rc == CLI_OK && (a->log == NULL || a->key == NULL)) {
		cli_error(c, "--log DIR and --key FILE are needed");
		rc = CLI_USAGE;
	}
	a->now = (uint32_t)time(NULL);
	for (int i = c->arg; rc == CLI_OK && i < argc; i++)
		rc = add_word(c, a, argv[i]);
	if (rc == CLI_OK)
		rc = anchor(c, a);
	for (unsigned i = 0; i < a->n; i++)
		free(a->own[i]);
	explicit_bzero(a->secret, sizeof(a->secret));
	free(a);
	return rc < 0 ? CLI_OK : rc;
}

/* ---- witness ---- */

struct witnessing {
	struct logcheck check;
	const char *key, *name;
};

static bool
set_witness(struct cli *c, void *ctx, int option, const char *value)
{
	struct witnessing *w = ctx;

	switch (option) {
	case OPT_KEY:
		w->key = value;
		return true;
	case OPT_NAME:
		w->name = value;
		return true;
	default:
		return logcheck_set(c, &w->check, option, value);
	}
}

/* It has grown from what was seen here last, and every entry is there. */
static int
cosign(struct cli *c, const struct witnessing *w, struct logdir *l)
{
	struct tlog_tree tree = logdir_tree(l);
	struct seen_log s = {&l->head, NULL, 0, &w->check.key, &tree};
	char key[VKEY_TEXT_MAX];
	uint8_t secret[64];
	struct vkey k;
	int rc = logdir_open(l, c, w->check.path, "");

	if (rc == CLI_OK)
		rc = ours(c, l, &w->check.key);
	if (rc == CLI_OK)
		rc = key_take(c, w->key, w->name, SNOTE_COSIGNATURE, &k,
		    secret);
	if (rc == CLI_OK)
		rc = logdir_check(l);
	s.note = l->note;
	s.note_len = l->note_len;
	if (rc == CLI_OK)
		rc = logseen_check(c, &s, true);
	if (rc == CLI_OK)
		rc = logdir_cosign(l, &k, secret, (uint64_t)time(NULL));
	explicit_bzero(secret, sizeof(secret));
	if (rc != CLI_OK)
		return rc;
	(void)vkey_put(key, &k);
	if (c->json)
		cli_json(json_pack("{s:s,s:I,s:s}", "log", l->head.origin,
		    "size", (json_int_t)l->head.size, "witness", key));
	else
		printf("log      %s, %" PRIu64 " entries\nwitness  %s\n",
		    l->head.origin, l->head.size, key);
	return CLI_OK;
}

int
verb_audit_witness(struct cli *c, int argc, char **argv)
{
	struct witnessing *w = calloc(1, sizeof(*w));
	struct logdir *l = calloc(1, sizeof(*l));
	int rc = CLI_FAILED;

	if (w != NULL && l != NULL)
		rc = cli_options(c, VERB_AUDIT_WITNESS, argc, argv,
		    set_witness, w);
	if (rc == CLI_OK && (w->check.path == NULL || w->key == NULL ||
		w->name == NULL || !w->check.has_key)) {
		cli_error(c, "--log DIR, --log-key KEY, --key FILE and --name "
			     "NAME are needed");
		rc = CLI_USAGE;
	}
	if (rc == CLI_OK) {
		l->fd = -1;
		rc = cosign(c, w, l);
		logdir_close(l);
	}
	free(l);
	free(w);
	return rc < 0 ? CLI_OK : rc;
}
