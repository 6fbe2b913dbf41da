/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "common/util.h"
#include "trust/doc/digest.h"
#include "trust/doc/fingerprint.h"
#include "trust/doc/fresh.h"
#include "trust/doc/keytext.h"
#include "trust/doc/tlogedge.h"
#include "trust/lawio.h"

/*
 * Transparency logs of authorities (klp.md 8), whose keys their roots name by
 * the role `log`: what was seen of each is kept, goes on only by proof, and two
 * states that cannot both be true are kept as evidence. The operator's proofs
 * in klp/anchors then say which images a log vouches for.
 */
#define PROOFS_MAX 256 /* ours: looked at in one turn */

bool
lawlog_wanted(const struct law_authority *la)
{
	return la->pinned && root_role(&la->a.root, "log") != NULL;
}

void
lawlog_free(struct law_authority *la)
{
	if (la->log != NULL)
		logbook_clear(la->log);
	free(la->log);
	la->log = NULL;
	lawtile_free(la);
}

/* ---- where they lie ---- */

/* The Ed25519 keys of the role: as many logs as are followed. */
static unsigned
key_ids(const struct law_authority *la, uint8_t id[LOGBOOK_LOGS][16])
{
	const struct root *r = &la->a.root;
	const struct root_role *is = root_role(r, "log");
	unsigned n = 0;

	for (size_t i = 0; is != NULL && i < is->nkeys &&
	     n < LOGBOOK_LOGS; i++) {
		struct fp fp;

		if (r->keys[is->keys[i]].kind != KEY_ED25519)
			continue;
		key_fp(&fp, &r->keys[is->keys[i]]);
		memcpy(id[n++], fp.b, 16);
	}
	return n;
}

bool
lawlog_place(const struct law_authority *la, unsigned i,
    char out[LAWLOG_PLACE])
{
	uint8_t id[LOGBOOK_LOGS][16];
	unsigned n;

	memcpy(out, "log/", sizeof("log/"));
	if (i == 0) {
		out[3] = '\0';
		return lawlog_wanted(la);
	}
	n = key_ids(la, id);
	if (!lawlog_wanted(la) || n < 2 || i > n)
		return false;
	hex_encode(out + 4, id[i - 1], sizeof(id[0]));
	return true;
}

bool
lawlog_named(const char *file, uint8_t id16[16], const uint8_t **id)
{
	const size_t hex = LAWLOG_PLACE - sizeof("log/");

	*id = NULL;
	if (strcmp(file, "log" LAWLOG_FILE) == 0)
		return true;
	if (strlen(file) != LAWLOG_PLACE - 1 + strlen(LAWLOG_FILE) ||
	    strncmp(file, "log/", 4) != 0 ||
	    strcmp(file + LAWLOG_PLACE - 1, LAWLOG_FILE) != 0 ||
	    !hex_decode(id16, 16, file + 4, hex))
		return false;
	*id = id16;
	return true;
}

/* ---- whom to believe ---- */

struct people {
	struct klp_key log[ENV_KEYS_MAX], witness[ENV_KEYS_MAX];
	struct logbook_keys k;
};

static size_t
role(const struct law_authority *la, const char *name,
    struct klp_key keys[ENV_KEYS_MAX])
{
	const struct root *r = &la->a.root;
	const struct root_role *is = root_role(r, name);
	size_t n = 0;

	for (; is != NULL && n < is->nkeys; n++)
		keys[n] = r->keys[is->keys[n]];
	return n;
}

static void
people(struct people *p, const struct law *l, const struct law_authority *la)
{
	p->k = (struct logbook_keys){.log = p->log, .witness = p->witness,
	    .nlog = role(la, "log", p->log), .now = l->now,
	    .nwitness = role(la, "witness", p->witness),
	    .want = l->conf->log_witnesses};
}

/* ---- what was seen ---- */

/* NULL: no memory. */
static struct logbook *
book(struct law *l, struct law_authority *la)
{
	uint8_t *kept;
	size_t len;

	if (la->log != NULL || (la->log = calloc(1, sizeof(*la->log))) == NULL)
		return la->log;
	kept = klpdir_logs(&l->dir, la->a.name, LOGBOOK_BYTES, &len);
	if (kept != NULL)
		logbook_get(la->log, kept, len);
	free(kept);
	return la->log;
}

static void
keep(struct law *l, const struct law_authority *la)
{
	uint8_t *buf = malloc(LOGBOOK_BYTES);
	size_t n = buf == NULL ? 0 : logbook_put(buf, la->log);

	if (n == 0 || klpdir_keep_logs(&l->dir, la->a.name, buf, n) < 0)
		log_warn(la->a.name, "what was seen of its log cannot be "
		    "kept: a fork may go unseen after a restart");
	free(buf);
	l->logs_changed = true;
}

static void
fork_seen(struct law *l, const struct law_authority *la,
    const struct logbook_log *log, const char *text, size_t len,
    const char *from)
{
	uint8_t *both = malloc(log->note_len + len);
	struct id32 sha;

	if (both != NULL) {
		memcpy(both, log->note, log->note_len);
		memcpy(both + log->note_len, text, len);
		digest_of(&sha, both, log->note_len + len);
	}
	if (both == NULL || klpdir_evidence(&l->dir, &sha, both,
		log->note_len + len) < 0)
		log_warn(la->a.name, "the two states of its log cannot be kept "
		    "as evidence");
	free(both);
	log_errx(la->a.name, "its log %s has shown two states that cannot both "
	    "be true, the second in %s: nothing that it vouches for counts. "
	    "Both, signed by it, are in warren/trust/klp/equivocation-*",
	    log->head.origin, from);
	lawio_event(l, EVK_EQUIVOCATION, 5, "log", "%s: its log %s has shown "
	    "two states that cannot both be true, the second in %s",
	    la->a.name, log->head.origin, from);
}

/* Once, until it is another complaint. */
void
lawlog_complain(struct law *l, struct law_authority *la, const char *from,
    const char *why)
{
	char text[sizeof(la->log_said)];

	(void)snprintf(text, sizeof(text), "%s: %s", from, why);
	if (strcmp(text, la->log_said) == 0)
		return;
	memcpy(la->log_said, text, sizeof(text));
	log_warnx(la->a.name, "its log as it is in %s", text);
	lawio_event(l, EVK_AUTHORITY, 2, "log", "%s: its log as it is in %s",
	    la->a.name, text);
}

static void
seen(struct law *l, struct law_authority *la, enum logbook_end end,
    const struct logbook_log *log, const char *text, size_t len,
    const char *from, const char *why)
{
	switch (end) {
	case LOGBOOK_TAKEN:
		log_info(la->a.name, "its log %s: entries=%llu from=%s",
		    log->head.origin, (unsigned long long)log->head.size, from);
		la->log_said[0] = '\0';
		keep(l, la);
		break;
	case LOGBOOK_FORK:
		fork_seen(l, la, log, text, len, from);
		keep(l, la);
		break;
	case LOGBOOK_UNPROVEN:
		/* of a proof it is no news: what it is of is what counts */
		lawlog_complain(l, la, from, "it is longer, and nothing shows "
		    "that it goes on from what was seen");
		break;
	case LOGBOOK_BAD:
		lawlog_complain(l, la, from, why);
		break;
	default:
		break;
	}
}

enum logbook_end
lawlog_shown(struct law *l, struct law_authority *la, const char *text,
    size_t len, const char *from, uint64_t *known)
{
	struct logbook_log *log;
	enum logbook_end end;
	const char *why = "";
	struct people p;

	if (!lawlog_wanted(la) || book(l, la) == NULL)
		return LOGBOOK_BAD;
	people(&p, l, la);
	end = logbook_see(la->log, &p.k, text, len, &log, &why);
	if (end == LOGBOOK_UNPROVEN && known != NULL)
		*known = log->head.size;
	else if (end == LOGBOOK_OLDER && known != NULL)
		lawlog_complain(l, la, from, "it is older than what was seen");
	else
		seen(l, la, end, log, text, len, from, why);
	return end;
}

/* ---- a log's folder: klp/documents/AUTHORITY/log ---- */

struct tiles {
	struct law *l;
	const struct law_authority *la;
	const char *place;
	struct tlog_tiles t;
};

static bool
tile(void *ctx, uint32_t level, uint64_t n, struct id32 *hashes,
    unsigned width)
{
	struct tiles *x = ctx;
	char path[TLOG_PATH_MAX], file[LAWLOG_PLACE + TLOG_PATH_MAX];
	uint8_t *p = NULL;
	size_t len = 0;

	/* a log that has gone on has the whole one in place of this */
	for (int i = 0; i < 2 && p == NULL; i++) {
		tlog_path(path, level, n, i == 0 ? width : TLOG_TILE);
		(void)snprintf(file, sizeof(file), "%s/%s", x->place, path);
		p = klpdir_document(&x->l->dir, x->la->a.name, file, "",
		    TLOG_TILE * sizeof(*hashes), &len);
	}
	if (p == NULL || len < width * sizeof(*hashes)) {
		free(p);
		return false;
	}
	memcpy(hashes, p, width * sizeof(*hashes));
	free(p);
	return true;
}

/* Its checkpoint; NULL: there is none. */
static char *
checkpoint(struct law *l, const struct law_authority *la, const char *place,
    struct tlog_head *h, size_t *len)
{
	char file[LAWLOG_PLACE + sizeof(LAWLOG_FILE)], *note;
	struct snote n;

	(void)snprintf(file, sizeof(file), "%s" LAWLOG_FILE, place);
	note = (char *)klpdir_document(&l->dir, la->a.name, file, "",
	    SNOTE_MAX, len);

	if (note == NULL || (snote_parse(&n, note, *len) &&
		tlog_head_parse(h, n.text, n.text_len)))
		return note;
	free(note);
	return NULL;
}

/* From this size on, as its tiles have it; the length of it, 0: no memory. */
static size_t
grow(struct law *l, const struct law_authority *la, const char *place,
    const struct tlog_head *h, const char *note, size_t note_len,
    uint64_t size, char **out)
{
	struct tiles x = {l, la, place, {&h->size, tile, &x}};
	const struct tlog_tree tree = {tlog_tiles_read, &x.t};
	struct tlog_growth *g = calloc(1, sizeof(*g));
	size_t n = 0;

	*out = malloc(TLOG_GROWTH_TEXT);
	if (g != NULL && *out != NULL) {
		g->note = note;
		g->note_len = note_len;
		g->old.size = size;
		/* without its tiles: the checkpoint alone */
		if (size == 0 || size >= h->size ||
		    !tlog_root(&tree, size, &g->old.root) ||
		    !tlog_prove_growth(&tree, size, h->size, g->hash, &g->n)) {
			g->old.size = 0;
			g->n = 0;
		}
		n = tlog_growth_put(*out, g);
	}
	free(g);
	return n;
}

static const struct logbook_log *
known(const struct law_authority *la, const char *origin)
{
	for (unsigned i = 0; la->log != NULL && i < la->log->n; i++)
		if (strcmp(la->log->log[i].head.origin, origin) == 0)
			return &la->log->log[i];
	return NULL;
}

static void
folder(struct law *l, struct law_authority *la, unsigned i, const char *place)
{
	const struct logbook_log *log;
	struct tlog_head h;
	struct id32 sha;
	size_t len = 0, n;
	char *note = checkpoint(l, la, place, &h, &len), *text = NULL;

	if (note == NULL)
		return;
	digest_of(&sha, note, len);
	if (!id32_eq(&sha, &la->log_seen[i])) {
		log = known(la, h.origin);
		n = grow(l, la, place, &h, note, len, log == NULL ? 0 :
		    log->head.size, &text);
		if (n > 0)
			(void)lawlog_shown(l, la, text, n, "klp/documents",
			    NULL);
		la->log_seen[i] = sha;
	}
	free(text);
	free(note);
}

/* ---- for others ---- */

/* The one with this key; id NULL: the first that was seen. NULL: there is none. */
static const struct logbook_log *
one_of(const struct law_authority *la, const uint8_t id[16])
{
	struct klp_key k = {.kind = KEY_ED25519, .len = 32};
	struct fp fp;

	for (unsigned i = 0; la->log != NULL && i < la->log->n; i++) {
		memcpy(k.raw, la->log->log[i].key.key, 32);
		key_fp(&fp, &k);
		if (id == NULL || memcmp(fp.b, id, 16) == 0)
			return &la->log->log[i];
	}
	return NULL;
}

uint64_t
lawlog_size(const struct law_authority *la, const uint8_t id[16])
{
	const struct logbook_log *log = one_of(la, id);

	return log == NULL ? 0 : log->head.size;
}

size_t
lawlog_give(struct law *l, const struct law_authority *la, uint64_t size,
    const uint8_t id[16], uint8_t **body)
{
	const struct logbook_log *log = one_of(la, id);
	char place[LAWLOG_PLACE], *text = NULL, *note;
	size_t len = 0, n;
	bool is = false;

	if (log == NULL)
		return 0;
	/* only what counts here: a folder's may be ahead, or another's */
	for (unsigned i = 0; !is && lawlog_place(la, i, place); i++) {
		struct tlog_head h;

		note = checkpoint(l, la, place, &h, &len);
		is = note != NULL && strcmp(h.origin, log->head.origin) == 0 &&
		    h.size == log->head.size &&
		    id32_eq(&h.root, &log->head.root);
		free(note);
	}
	n = grow(l, la, place, &log->head, log->note, log->note_len,
	    is ? size : 0, &text);
	*body = (uint8_t *)text;
	return n > LAWLOG_BYTES ? 0 : n;
}

/* ---- proofs: klp/anchors ---- */

struct looking {
	struct law *l;
	crypto_hash_sha256_state hash;
	struct pair {
		struct id32 image;
		uint8_t key[32]; /* of a log that has it */
	} *pair;
	size_t n;
	unsigned proofs, good;
	char first[200]; /* that does not count */
};

static void
add_hash(void *ctx, const char *name, const char *proof, size_t len,
    const void *record, size_t record_len)
{
	struct looking *x = ctx;
	const uint64_t sizes[2] = {len, record_len};

	(void)crypto_hash_sha256_update(&x->hash, (const uint8_t *)name,
	    strlen(name) + 1);
	(void)crypto_hash_sha256_update(&x->hash, (const uint8_t *)sizes,
	    sizeof(sizes));
	if (proof != NULL)
		(void)crypto_hash_sha256_update(&x->hash,
		    (const uint8_t *)proof, len);
	if (record != NULL)
		(void)crypto_hash_sha256_update(&x->hash, record, record_len);
}

/* Has nothing changed that they are judged by? */
static bool
as_before(struct law *l)
{
	struct looking x = {.l = l};
	struct id32 sha;
	bool same;

	(void)crypto_hash_sha256_init(&x.hash);
	for (unsigned i = 0; i < l->nauth; i++) {
		const struct law_authority *la = &l->auth[i];
		const uint32_t v[3] = {lawlog_wanted(la),
		    la->a.state.root_version, l->conf->log_witnesses};

		(void)crypto_hash_sha256_update(&x.hash,
		    la->a.state.id.b, 32);
		(void)crypto_hash_sha256_update(&x.hash, (const uint8_t *)v,
		    sizeof(v));
	}
	(void)klpdir_proofs(&l->dir, PROOFS_MAX, TLOG_PROOF_TEXT,
	    FINGERPRINT_MAX, add_hash, &x);
	(void)crypto_hash_sha256_final(&x.hash, sha.b);
	same = !l->logs_changed && id32_eq(&sha, &l->proofs_sha);
	l->logs_changed = false;
	l->proofs_sha = sha;
	return same;
}

/* By any log of any authority here; else *why. */
static bool
vouched(struct law *l, const char *name, const char *proof, size_t len,
    const void *record, size_t record_len, uint8_t key[32], const char **why)
{
	*why = "no root that is pinned here names a log (role log)";
	for (unsigned i = 0; i < l->nauth; i++) {
		struct law_authority *la = &l->auth[i];
		struct logbook_log *log;
		enum logbook_end end;
		struct people p;
		bool is;

		if (!lawlog_wanted(la) || book(l, la) == NULL)
			continue;
		people(&p, l, la);
		is = logbook_vouches(la->log, &p.k, record, record_len, proof,
		    len, &end, &log, why);
		if (end == LOGBOOK_TAKEN || end == LOGBOOK_FORK)
			seen(l, la, end, log, proof, len, name, "");
		if (is)
			return memcpy(key, log->key.key, 32), true;
	}
	return false;
}

static void
one_proof(void *ctx, const char *name, const char *proof, size_t len,
    const void *record, size_t record_len)
{
	struct looking *x = ctx;
	struct fingerprint f;
	uint8_t key[32];
	const char *why = "cannot be read, or is too large";

	x->proofs++;
	if (proof != NULL && record == NULL)
		why = "its record, NAME.json, is not beside it";
	if (proof != NULL && record != NULL &&
	    fingerprint_parse(&f, record, record_len, &why)) {
		if (f.issued > (uint64_t)x->l->now + FRESH_AHEAD)
			why = "issued in the future";
		else if (vouched(x->l, name, proof, len, record, record_len,
			key, &why)) {
			x->good++;
			if (f.of == FINGERPRINT_IMAGE ||
			    f.of == FINGERPRINT_AGENT) {
				x->pair[x->n].image = f.image;
				memcpy(x->pair[x->n++].key, key, sizeof(key));
			}
			return;
		}
	}
	if (x->first[0] == '\0') {
		char safe[100];

		(void)text_escape(safe, sizeof(safe), name, strlen(name));
		(void)snprintf(x->first, sizeof(x->first), "%s: %s", safe, why);
	}
}

static int
cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pair));
}

/* Sorted, each image once, with the number of its logs. */
static void
settle(struct law *l, struct looking *x, struct anchored *a)
{
	size_t k = 0;

	qsort(x->pair, x->n, sizeof(*x->pair), cmp);
	for (size_t i = 0; i < x->n; i++) {
		if (i > 0 && cmp(&x->pair[i - 1], &x->pair[i]) == 0)
			continue;
		if (k == 0 || !id32_eq(&a[k - 1].image, &x->pair[i].image))
			a[k++] = (struct anchored){.image = x->pair[i].image};
		if (a[k - 1].logs < UINT8_MAX)
			a[k - 1].logs++;
	}
	if (k != l->nanchored || (k > 0 &&
		memcmp(l->anchored, a, k * sizeof(*a)) != 0))
		l->changed = true;
	free(l->anchored);
	l->anchored = a;
	l->nanchored = k;
}

static void
judge(struct law *l)
{
	struct anchored *a = calloc(PROOFS_MAX, sizeof(*a));
	struct looking x = {.l = l};
	bool more;

	x.pair = calloc(PROOFS_MAX, sizeof(*x.pair));
	if (x.pair == NULL || a == NULL) {
		log_errx("klp/anchors", "no memory to look at it");
		free(x.pair);
		free(a);
		return;
	}
	more = klpdir_proofs(&l->dir, PROOFS_MAX, TLOG_PROOF_TEXT,
	    FINGERPRINT_MAX, one_proof, &x);
	settle(l, &x, a);
	free(x.pair);
	if (x.proofs > 0)
		log_notice("klp/anchors", "proofs=%u good=%u images=%zu%s%s%s",
		    x.proofs, x.good, l->nanchored, x.first[0] != '\0' ?
		    "; not counted: " : "", x.first, more ?
		    "; more than are looked at are there" : "");
}

/* What one of them has shown of a log speaks of those before it, too. */
static void
proofs(struct law *l)
{
	if (as_before(l))
		return;
	judge(l);
	if (!l->logs_changed)
		return;
	l->logs_changed = false;
	judge(l);
}

void
lawlog_look(struct law *l)
{
	char place[LAWLOG_PLACE];

	for (unsigned i = 0; i < l->nauth; i++)
		for (unsigned k = 0; lawlog_place(&l->auth[i], k, place); k++)
			if (book(l, &l->auth[i]) != NULL)
				folder(l, &l->auth[i], k, place);
	proofs(l);
}

const struct anchored *
law_anchored(const struct law *l, size_t *n)
{
	*n = l->nanchored;
	return l->anchored;
}
