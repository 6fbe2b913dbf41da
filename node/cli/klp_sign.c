/* SPDX-License-Identifier: BSD-2-Clause */
/* warren klp sign FILE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/units.h"
#include "common/util.h"
#include "node/cli/klpdoc.h"
#include "node/cli/klpfile.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "trust/doc/frame.h"
#include "trust/doc/graph.h"
#include "trust/doc/head.h"

struct signing {
	struct klpfile_keys keys;
	const char *out;
	uint32_t life; /* s; 0: as the file says */
	bool edges;    /* those of a graph, in place of the graph */
	/* what is signed */
	struct klpdoc doc;
	char *payload; /* own */
	size_t len;
	struct env_signed sigs[ENV_SIGS_MAX];
	unsigned nsigs;
};

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct signing *s = ctx;
	uint64_t ms;

	switch (option) {
	case OPT_KEY:
		return klpfile_keys_add(c, &s->keys, value);
	case OPT_OUT:
		s->out = value;
		return true;
	case OPT_EDGES:
		s->edges = true;
		return true;
	}
	if (units_time_ms(value, &ms) && ms >= 1000 &&
	    ms / 1000 <= UINT32_MAX / 2) {
		s->life = (uint32_t)(ms / 1000);
		return true;
	}
	cli_error(c, "--expires: %s is no time from 1s on (like 24h, 30d)",
	    value);
	return false;
}

/* ---- what the file is ---- */

/* Those that an envelope has already; false: one that names no key. */
static bool
take_sigs(struct signing *s, const struct env *e)
{
	for (unsigned i = 0; i < e->nsigs; i++) {
		if (e->sigs[i].hint_len == 0)
			return false;
		s->sigs[i].fp = e->sigs[i].hint;
		memcpy(s->sigs[i].sig, e->sigs[i].sig, SIG_LEN);
	}
	s->nsigs = e->nsigs;
	return true;
}

static int
take_envelope(struct cli *c, struct signing *s, const char *path,
    const char *text, size_t len)
{
	char bad[KLPDOC_WHY];
	const char *why = NULL;
	struct env e;
	int rc = CLI_FAILED;

	if (env_parse(&e, text, len, KLPDOC_ENVELOPE_MAX, KLPDOC_BYTES_MAX,
		&why) != 0)
		cli_error(c, "%s: %s", path, why);
	else if (!take_sigs(s, &e))
		cli_error(c, "%s: a signature that does not name its key", path);
	else if (!klpdoc_check(&s->doc, e.payload, e.payload_len, bad))
		cli_error(c, "%s: %s", path, bad);
	else if (strcmp(s->doc.type, e.type) != 0)
		cli_error(c, "%s: a %s under another type", path, s->doc.what);
	else
		rc = CLI_OK;
	if (rc == CLI_OK && s->life > 0) {
		cli_error(c, "--expires: %s is signed already", path);
		rc = CLI_USAGE;
	}
	if (rc == CLI_OK) {
		s->payload = malloc(e.payload_len + 1);
		s->len = e.payload_len;
		if (s->payload != NULL)
			memcpy(s->payload, e.payload, e.payload_len);
	}
	env_clear(&e);
	return rc == CLI_OK && s->payload == NULL ? CLI_FAILED : rc;
}

static int
take_payload(struct cli *c, struct signing *s, const char *path,
    const char *text, size_t len)
{
	uint32_t now = (uint32_t)time(NULL);
	char why[KLPDOC_WHY];

	s->payload = s->life > 0
	    ? klpdoc_dated(text, len, now, s->life, &s->len, why)
	    : klpdoc_canonical(text, len, &s->len, why);
	if (s->payload == NULL ||
	    !klpdoc_check(&s->doc, s->payload, s->len, why)) {
		cli_error(c, "%s: %s", path, why);
		return CLI_FAILED;
	}
	if (s->doc.dated && s->doc.expires <= now)
		cli_note(c, "%s has expired already: --expires dates it anew",
		    path);
	return CLI_OK;
}

static bool
is_envelope(const char *text, size_t len)
{
	return memmem(text, len, "\"payloadType\"", 13) != NULL;
}

/* ---- what comes of it ---- */

/*
 * Edges of a graph that count for nobody: those of sources who have signed
 * neither them nor, by now, the graph.
 */
static void
say_edges(struct cli *c, const struct signing *s)
{
	struct klp_key key[ENV_SIGS_MAX];
	char text[KLPDOC_EDGES];
	struct klpdoc_edges g;
	size_t n = 0;

	for (unsigned i = 0; i < s->keys.n && n < NELEM(key); i++)
		n += secret_public(&key[n], &s->keys.secret[i]);
	if (strcmp(s->doc.what, "klp.trust-graph") != 0 ||
	    !klpdoc_edges(&g, s->payload, s->len, key, n,
		(uint32_t)time(NULL)) || (g.stats.accepted == g.stats.edges &&
	    g.early + g.late == 0))
		return;
	klpdoc_edges_text(text, &g);
	cli_note(c, "edges: %s", text);
	if (g.stats.fault[EDGE_UNSIGNED] > 0)
		cli_hint(c, "An edge counts when its source signs it (`warren "
			    "klp sign --edges`), or the graph.");
}

static void
said(struct cli *c, const struct signing *s)
{
	const struct klpdoc *d = &s->doc;
	json_t *fps;

	if (!c->json) {
		cli_note(c, "%s %s version %u, %u signature%s", d->what,
		    d->name, d->version, s->nsigs, s->nsigs == 1 ? "" : "s");
		return;
	}
	fps = json_array();
	for (unsigned i = 0; i < s->nsigs; i++) {
		char hex[2 * FP_LEN + 1];

		hex_encode(hex, HASH_BYTES(s->sigs[i].fp));
		(void)json_array_append_new(fps, json_string(hex));
	}
	cli_json(json_pack("{s:s,s:s,s:I,s:o}", "type", d->what, "name",
	    d->name, "version", (json_int_t)d->version, "signers", fps));
}

static int
sign_document(struct cli *c, struct signing *s, const char *path,
    const char *text, size_t len)
{
	size_t n = 0;
	char *out;
	int rc = is_envelope(text, len)
	    ? take_envelope(c, s, path, text, len)
	    : take_payload(c, s, path, text, len);

	if (rc == CLI_OK)
		rc = klpfile_sign(c, &s->keys, s->doc.type, s->payload, s->len,
		    s->sigs, &s->nsigs);
	if (rc != CLI_OK)
		return rc;
	out = klpfile_envelope(c, s->doc.type, s->payload, s->len, s->sigs,
	    s->nsigs, &n);
	rc = out == NULL ? CLI_FAILED : klpfile_save(c, s->out, out, n);
	free(out);
	return rc;
}

/* The graph stays a payload, which others add to before the board signs. */
static int
sign_edges(struct cli *c, struct signing *s, const char *path,
    const char *text, size_t len)
{
	char why[KLPDOC_WHY] = "no memory";
	unsigned count = 0, one;
	char *next = NULL;

	if (is_envelope(text, len)) {
		cli_error(c, "%s: signed already: edges are signed before",
		    path);
		return CLI_FAILED;
	}
	for (unsigned i = 0; i < s->keys.n; i++) {
		next = klpdoc_sign_edges(i == 0 ? text : s->payload,
		    i == 0 ? len : s->len, &s->keys.secret[i], &one, &s->len,
		    why);
		free(s->payload);
		s->payload = next;
		count += one;
		if (next == NULL)
			break;
	}
	if (next == NULL || !klpdoc_check(&s->doc, s->payload, s->len, why)) {
		cli_error(c, "%s: %s", path, why);
		return CLI_FAILED;
	}
	if (count == 0) {
		cli_error(c, "%s: no edge of this key without a signature",
		    path);
		return CLI_FAILED;
	}
	if (!c->json)
		cli_note(c, "%u edge%s signed", count, count == 1 ? "" : "s");
	return klpfile_save(c, s->out, s->payload, s->len);
}

/* A head is binary and small; its signatures go behind it. */
static int
sign_head(struct cli *c, struct signing *s, const char *path,
    const uint8_t *frame, size_t len)
{
	uint8_t out[HEAD_BYTES];
	struct head h;
	struct env e;
	const char *why = head_parse(&h, &e, frame, len);
	size_t n;
	int rc;

	if (why != NULL || !take_sigs(s, &e)) {
		cli_error(c, "%s: %s", path, why);
		return CLI_FAILED;
	}
	rc = klpfile_sign(c, &s->keys, TYPE_HEAD, e.payload, e.payload_len,
	    s->sigs, &s->nsigs);
	if (rc != CLI_OK)
		return rc;
	n = frame_put(out, sizeof(out), e.payload, e.payload_len, s->sigs,
	    s->nsigs);
	(void)snprintf(s->doc.what, sizeof(s->doc.what), "head");
	s->doc.version = h.version;
	return klpfile_save(c, s->out, out, n);
}

int
verb_klp_sign(struct cli *c, int argc, char **argv)
{
	static struct signing s;
	const char *path;
	char *text;
	size_t len;
	int rc;

	memset(&s, 0, sizeof(s));
	rc = cli_options(c, VERB_KLP_SIGN, argc, argv, set, &s);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	path = argv[c->arg];
	if (c->json && s.out == NULL) {
		cli_error(c, "--json: say with --out where the envelope goes");
		return CLI_USAGE;
	}
	rc = klpfile_keys_read(c, &s.keys, true);
	text = rc != CLI_OK ? NULL : klpfile_load(c, path,
	    KLPDOC_ENVELOPE_MAX, &len);
	if (text != NULL && s.edges)
		rc = sign_edges(c, &s, path, text, len);
	else if (text != NULL)
		rc = len > 2 && memcmp(text, "KH\001", 3) == 0
		    ? sign_head(c, &s, path, (const uint8_t *)text, len)
		    : sign_document(c, &s, path, text, len);
	else if (rc == CLI_OK)
		rc = CLI_FAILED;
	if (rc == CLI_OK && (c->json || !s.edges))
		said(c, &s);
	if (rc == CLI_OK && !s.edges)
		say_edges(c, &s);
	klpfile_keys_clear(&s.keys);
	free(s.payload);
	free(text);
	return rc;
}
