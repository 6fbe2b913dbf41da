/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/attestconf.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "common/pattern.h"
#include "common/util.h"
#include "trust/doc/uri.h"

#define IMAGE_MAX 255
#define PREDICATE_MAX 200
#define PATH_TEXT_MAX 200
#define PATTERN_MAX 300
#define SUBJECT_MAX 600
#define PROGRAM_MAX 1000

/* ---- who may sign ---- */

static bool
read_key(struct attest_signer *s, const struct ynode *n, struct mistakes *m)
{
	const char *text, *why;

	if (!ynode_text(n, "key", 1, PEMKEY_TEXT_MAX, &text, m))
		return false;
	if (pemkey_parse(&s->key, text, strlen(text), &why))
		return true;
	mistake_add(m, n->line, n->column, "the text of a file cosign.pub, "
	    "behind `key: |`, or pubkey:ed25519:...", "key: %s", why);
	return false;
}

/* A file of one folder: no path. */
static bool
is_file_name(const char *s)
{
	if (s[0] == '.' || strlen(s) > ATTEST_ROOTS_NAME)
		return false;
	for (; *s != '\0'; s++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
			   "xyz0123456789._-", *s) == NULL)
			return false;
	return true;
}

static bool
is_document(const char *s)
{
	struct klp_uri u;

	return uri_parse(&u, s, strlen(s)) && u.select == URI_NEWEST &&
	    u.pointer[0] == '\0';
}

static bool
read_roots(struct attest_signer *s, const struct ynode *n, const char *name,
    struct mistakes *m)
{
	if (!ynode_text(n, name, 1, URI_MAX, &s->roots, m))
		return false;
	if (attest_conf_is_document(s->roots) ? is_document(s->roots) :
	    is_file_name(s->roots))
		return true;
	if (attest_conf_is_document(s->roots)) {
		mistake_add(m, n->line, n->column, "klp://AUTHORITY/PATH, "
		    "without version and part", "%s is no name of a document",
		    name);
		return false;
	}
	mistake_add(m, n->line, n->column, "such as trusted_root.json, which "
	    "lies in klp/" ATTEST_ROOTS_DIR "/", "%s is the name of a file, "
	    "without a folder", name);
	return false;
}

/* Beside a key: the roots, of which some log must have its signatures. */
static bool
read_log(struct attest_signer *s, const struct ynode *n, struct mistakes *m)
{
	if (!read_roots(s, n, "log", m))
		return false;
	if (s->key.der_len > 0)
		return true;
	mistake_add(m, n->line, n->column, NULL, "log: a key of ours is in no "
	    "log of sigstore: it wants one of cosign's");
	return false;
}

static bool
read_role(struct attest_signer *s, const struct ynode *n, struct mistakes *m)
{
	static const char *const known[] = {"authority", "role"};

	if (!ynode_is_map(n, "klp_role", m) ||
	    !ynode_known(n, known, NELEM(known), m))
		return false;
	if (ynode_get(n, "authority") == NULL || ynode_get(n, "role") == NULL) {
		mistake_add(m, n->line, n->column,
		    "{authority: trust.kos, role: images}",
		    "klp_role needs authority and role");
		return false;
	}
	return ynode_text(ynode_get(n, "authority"), "authority", 1, 253,
		   &s->authority, m) &&
	    ynode_text(ynode_get(n, "role"), "role", 1, 64, &s->role, m);
}

/* Nothing in it that one person has and another has not. */
static bool
is_anybody(const char *s)
{
	static const char *const heads[] = {"https://", "http://"};
	size_t n;

	s += strspn(s, "*");
	for (size_t i = 0; i < NELEM(heads); i++) {
		for (n = 0; heads[i][n] != '\0' && s[n] == heads[i][n]; n++)
			;
		/* as much of it as there is */
		if (s[n] == '*') {
			s += n;
			break;
		}
	}
	return s[strspn(s, "*@./:!")] == '\0';
}

static bool
read_keyless(struct attest_signer *s, const struct ynode *n,
    struct mistakes *m)
{
	static const char *const known[] = {"roots", "issuer", "subject"};
	const struct ynode *roots, *issuer, *subject;

	if (!ynode_is_map(n, "keyless", m) ||
	    !ynode_known(n, known, NELEM(known), m))
		return false;
	roots = ynode_get(n, "roots");
	issuer = ynode_get(n, "issuer");
	subject = ynode_get(n, "subject");
	if (roots == NULL || subject == NULL || issuer == NULL) {
		mistake_add(m, n->line, n->column, "{roots: trusted_root.json, "
		    "issuer: https://accounts.example, subject: me@example}",
		    "keyless needs roots, issuer and subject, and has no %s: "
		    "without somebody who is meant it is anybody",
		    roots == NULL ? "roots" : issuer == NULL ? "issuer" :
		    "subject");
		return false;
	}
	if (!read_roots(s, roots, "roots", m) ||
	    !ynode_text(issuer, "issuer", 1, PATTERN_MAX, &s->issuer, m) ||
	    !ynode_text(subject, "subject", 1, SUBJECT_MAX, &s->subject, m))
		return false;
	if (is_anybody(s->subject)) {
		mistake_add(m, subject->line, subject->column, "such as "
		    "https://github.com/ORG/REPO/.github/workflows/*",
		    s->subject[strspn(s->subject, "*")] == '\0' ?
		    "subject: `*` alone is anybody" :
		    "subject: such a pattern is anybody");
		return false;
	}
	/* what a certificate needs of the build is what such a key does */
	s->key.kind = PEMKEY_P256;
	return true;
}

static bool
read_verifier(struct attest_signer *s, const struct ynode *n,
    struct mistakes *m)
{
	static const char *const known[] = {"program", "subject"};
	const struct ynode *program, *subject;

	if (!ynode_is_map(n, "verifier", m) ||
	    !ynode_known(n, known, NELEM(known), m))
		return false;
	program = ynode_get(n, "program");
	subject = ynode_get(n, "subject");
	if (program == NULL) {
		mistake_add(m, n->line, n->column, "{program: "
		    "/usr/local/bin/verify-image}", "verifier needs program");
		return false;
	}
	if (!ynode_text(program, "program", 1, PROGRAM_MAX, &s->verifier, m) ||
	    (subject != NULL && !ynode_text(subject, "subject", 1, SUBJECT_MAX,
		&s->subject, m)))
		return false;
	if (s->verifier[0] == '/')
		return true;
	mistake_add(m, program->line, program->column, NULL,
	    "program is a path from the root on");
	return false;
}

static bool
read_signer(struct attest_signer *s, const struct ynode *e, struct mistakes *m)
{
	static const char *const known[] = {"key", "klp_role", "keyless",
	    "verifier", "log"};
	const struct ynode *key, *log;

	if (!ynode_is_map(e, "a signer", m) ||
	    !ynode_known(e, known, NELEM(known), m))
		return false;
	key = ynode_get(e, "key");
	log = ynode_get(e, "log");
	if (e->count != 1 && (key == NULL || log == NULL || e->count != 2)) {
		mistake_add(m, e->line, e->column, "key: |, klp_role: {...}, "
		    "keyless: {...} or verifier: {...}", "a signer is one key, "
		    "one klp_role, one keyless or one verifier");
		return false;
	}
	if (ynode_get(e, "keyless") != NULL)
		return read_keyless(s, ynode_get(e, "keyless"), m);
	if (ynode_get(e, "verifier") != NULL)
		return read_verifier(s, ynode_get(e, "verifier"), m);
	if (log != NULL && key == NULL) {
		mistake_add(m, log->line, log->column, "key: | beside it",
		    "log belongs to a key");
		return false;
	}
	if (key != NULL)
		return read_key(s, key, m) &&
		    (log == NULL || read_log(s, log, m));
	return read_role(s, ynode_get(e, "klp_role"), m);
}

static void
read_signers(struct attest_conf *c, struct attest_rule *r,
    const struct ynode *list, struct mistakes *m)
{
	if (!ynode_is_list(list, "any_of", m))
		return;
	if (list->count == 0)
		mistake_add(m, list->line, list->column, NULL,
		    "any_of names nobody");
	for (const struct ynode *e = list->first; e != NULL; e = e->next) {
		if (c->nsigners == ATTEST_SIGNERS_MAX) {
			mistake_add(m, e->line, e->column, NULL,
			    "image_policy has more than %d signers",
			    ATTEST_SIGNERS_MAX);
			return;
		}
		if (read_signer(&c->signer[c->nsigners], e, m)) {
			c->nsigners++;
			r->nsigners++;
		}
	}
}

/* ---- what they must have said ---- */

static void
read_where(struct attest_want *w, const struct ynode *map, struct mistakes *m)
{
	if (!ynode_is_map(map, "where", m))
		return;
	for (const struct ynode *e = map->first; e != NULL; e = e->next) {
		if (w->nwhere == ATTEST_WHERE_MAX) {
			mistake_add(m, e->key_line, e->key_column, NULL,
			    "where has more than %d members",
			    ATTEST_WHERE_MAX);
			return;
		}
		if (strlen(e->key) > PATH_TEXT_MAX)
			mistake_add(m, e->key_line, e->key_column, NULL,
			    "a path of more than %d characters",
			    PATH_TEXT_MAX);
		else if (ynode_text(e, "where", 0, PATTERN_MAX,
			&w->where[w->nwhere].pattern, m))
			w->where[w->nwhere++].path = e->key;
	}
}

/* A type alone, or {type, where}. */
static void
read_want(struct attest_rule *r, const struct ynode *e, struct mistakes *m)
{
	static const char *const known[] = {"type", "where"};
	struct attest_want *w = &r->want[r->nwants];
	const struct ynode *type = e;

	if (e->kind == YNODE_MAP) {
		if (!ynode_known(e, known, NELEM(known), m))
			return;
		if ((type = ynode_get(e, "type")) == NULL) {
			mistake_add(m, e->line, e->column,
			    "type: https://slsa.dev/provenance/v1",
			    "what is required has no type");
			return;
		}
		if (ynode_get(e, "where") != NULL)
			read_where(w, ynode_get(e, "where"), m);
	}
	if (ynode_text(type, "a predicate's type", 1, PREDICATE_MAX, &w->type,
		m))
		r->nwants++;
}

static void
read_wants(struct attest_rule *r, const struct ynode *list, struct mistakes *m)
{
	if (!ynode_is_list(list, "require", m))
		return;
	if (list->count > ATTEST_WANTS_MAX) {
		mistake_add(m, list->line, list->column, NULL,
		    "require has more than %d entries", ATTEST_WANTS_MAX);
		return;
	}
	for (const struct ynode *e = list->first; e != NULL; e = e->next)
		read_want(r, e, m);
}

/* ---- the list ---- */

static void
read_rule(struct attest_conf *c, const struct ynode *e, struct mistakes *m)
{
	static const char *const known[] = {"image", "any_of", "require"};
	struct attest_rule *r = &c->rule[c->nrules];

	if (!ynode_is_map(e, "a rule of image_policy", m))
		return;
	(void)ynode_known(e, known, NELEM(known), m);
	if (ynode_get(e, "image") == NULL || ynode_get(e, "any_of") == NULL) {
		mistake_add(m, e->line, e->column, "image: \"*\" and any_of",
		    "a rule of image_policy needs image and any_of");
		return;
	}
	r->first = c->nsigners;
	if (!ynode_text(ynode_get(e, "image"), "image", 1, IMAGE_MAX,
		&r->image, m))
		return;
	read_signers(c, r, ynode_get(e, "any_of"), m);
	if (ynode_get(e, "require") != NULL)
		read_wants(r, ynode_get(e, "require"), m);
	c->nrules++;
}

/* Each text with its length, in the order of the tree. */
static void
add_text(struct sha256_ctx *h, const char *s)
{
	uint64_t n = s == NULL ? 0 : strlen(s) + 1;

	sha256_update(h, sizeof(n), (const uint8_t *)&n);
	sha256_update(h, (size_t)n, (const uint8_t *)s);
}

static void
add_tree(struct sha256_ctx *h, const struct ynode *n)
{
	struct {
		const struct ynode *n;
	} stack[YDOC_DEPTH_MAX + 1] = {{n}};
	unsigned depth = 1;

	while (depth > 0) {
		const struct ynode *at = stack[depth - 1].n;

		if (at == NULL) {
			add_text(h, NULL);
			depth--;
			continue;
		}
		stack[depth - 1].n = depth == 1 ? NULL : at->next;
		add_text(h, at->key);
		add_text(h, at->kind == YNODE_SCALAR ? at->text : "");
		if (at->kind != YNODE_SCALAR && depth < NELEM(stack))
			stack[depth++].n = at->first;
	}
}

static uint64_t
serial_of(const struct ynode *list)
{
	struct sha256_ctx h;
	uint64_t out;

	sha256_init(&h);
	add_tree(&h, list);
	sha256_digest(&h, sizeof(out), (uint8_t *)&out);
	return out == 0 ? 1 : out;
}

static const char *
roots_of(const struct attest_signer *s)
{
	return s->roots;
}

static const char *
verifier_of(const struct attest_signer *s)
{
	return s->verifier;
}

/* The i-th of the texts that signers have, each once. */
static const char *
once(const struct attest_conf *c, unsigned i,
    const char *of(const struct attest_signer *))
{
	for (unsigned k = 0; k < c->nsigners; k++) {
		const char *is = of(&c->signer[k]);
		unsigned j = 0;

		while (is != NULL && j < k && (of(&c->signer[j]) == NULL ||
			strcmp(of(&c->signer[j]), is) != 0))
			j++;
		if (is != NULL && j == k && i-- == 0)
			return is;
	}
	return NULL;
}

const char *
attest_conf_roots(const struct attest_conf *c, unsigned i)
{
	return once(c, i, roots_of);
}

bool
attest_conf_is_document(const char *roots)
{
	return strncmp(roots, "klp://", 6) == 0;
}

const char *
attest_conf_verifier(const struct attest_conf *c, unsigned i)
{
	return once(c, i, verifier_of);
}

static bool
is_key(const struct attest_signer *s)
{
	return s->authority == NULL && s->issuer == NULL && s->verifier == NULL;
}

bool
attest_conf_same_key(const struct attest_signer *a,
    const struct attest_signer *b)
{
	return is_key(a) && is_key(b) && pemkey_equal(&a->key, &b->key) &&
	    (a->roots == NULL) == (b->roots == NULL) &&
	    (a->roots == NULL || strcmp(a->roots, b->roots) == 0);
}

void
attest_conf_read(struct attest_conf *c, const struct ynode *list,
    struct mistakes *m)
{
	if (ynode_null(list) || !ynode_is_list(list, "image_policy", m))
		return;
	if (list->count > ATTEST_RULES_MAX) {
		mistake_add(m, list->line, list->column, NULL,
		    "image_policy has more than %d rules", ATTEST_RULES_MAX);
		return;
	}
	c->rule = calloc(list->count + 1, sizeof(*c->rule));
	c->signer = calloc(ATTEST_SIGNERS_MAX, sizeof(*c->signer));
	if (c->rule == NULL || c->signer == NULL) {
		mistake_add(m, 0, 0, NULL, "out of memory");
		return;
	}
	for (const struct ynode *e = list->first; e != NULL; e = e->next)
		read_rule(c, e, m);
	if (attest_conf_roots(c, ATTEST_ROOTS_MAX) != NULL)
		mistake_add(m, list->line, list->column, NULL, "image_policy "
		    "names more than %d sets of roots", ATTEST_ROOTS_MAX);
	if (attest_conf_verifier(c, ATTEST_VERIFIERS_MAX) != NULL)
		mistake_add(m, list->line, list->column, NULL, "image_policy "
		    "names more than %d verifiers", ATTEST_VERIFIERS_MAX);
	c->serial = c->nrules > 0 ? serial_of(list) : 0;
}

void
attest_conf_free(struct attest_conf *c)
{
	free(c->rule);
	free(c->signer);
}

uint32_t
attest_conf_about(const struct attest_conf *c, const char *name)
{
	uint32_t rules = 0;

	for (unsigned i = 0; i < c->nrules; i++)
		if (pattern_name(c->rule[i].image, strlen(c->rule[i].image),
			name, strlen(name), false))
			rules |= 1u << i;
	return rules;
}

uint32_t
attest_conf_all(const struct attest_conf *c)
{
	return (UINT32_C(1) << c->nrules) - 1;
}

const char *
attest_conf_unsupported(const struct attest_conf *c, unsigned i)
{
	const struct attest_rule *r = &c->rule[i];

	for (unsigned k = 0; k < r->nsigners; k++) {
		const struct attest_signer *s = &c->signer[r->first + k];

		if (s->authority != NULL || s->verifier != NULL ||
		    pemkey_supported(&s->key))
			return NULL;
	}
	/* a mistake in who may sign is told as that */
	return r->nsigners == 0 ? NULL : "oci_unsupported: keys of P-256, "
	    "P-384, P-521 and RSA, and certificates, want libcrypto, which "
	    "this build has not: such images are refused";
}
