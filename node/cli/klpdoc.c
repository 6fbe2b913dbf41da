/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/klpdoc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"
#include "trust/doc/contract.h"
#include "trust/doc/graph_json.h"
#include "trust/doc/jdoc.h"
#include "trust/doc/manifest_parse.h"
#include "trust/doc/revlist.h"
#include "trust/doc/root.h"
#include "trust/doc/rootsdoc.h"
#include "trust/doc/uri.h"

#define SMALL (64u << 10) /* klp.md 1.4: a contract or manifest */

static bool
bad(char why[KLPDOC_WHY], const char *text)
{
	(void)snprintf(why, KLPDOC_WHY, "%s", text);
	return false;
}

/* ---- the form of each type ---- */

static bool
check_root(const void *payload, size_t len, char why[KLPDOC_WHY])
{
	struct root r;
	const char *text = root_parse(&r, payload, len);

	return text == NULL || bad(why, text);
}

static bool
check_graph(const void *payload, size_t len, char why[KLPDOC_WHY])
{
	const char *text = NULL;

	return graph_form(payload, len, &text) || bad(why, text);
}

bool
klpdoc_edges(struct klpdoc_edges *out, const void *payload, size_t len,
    const struct klp_key *signers, size_t nsigners, uint32_t now)
{
	const char *why = NULL;
	struct graph_load *l;
	struct graph *g;
	int rc = 1;

	l = graph_load_new(payload, len, signers, nsigners, NULL, &why);
	while (l != NULL && rc > 0)
		rc = graph_load_step(l, GRAPH_BUDGET, &why);
	if (l == NULL || rc != 0) {
		graph_load_free(l);
		return false;
	}
	*out = (struct klpdoc_edges){.stats = *graph_load_stats(l)};
	g = graph_load_take(l);
	for (uint32_t i = 0; i < graph_edges(g); i++) {
		out->early += graph_edge(g, i)->issued > now;
		out->late += graph_edge(g, i)->expires <= now;
	}
	graph_free(g);
	graph_load_free(l);
	return true;
}

void
klpdoc_edges_text(char out[KLPDOC_EDGES], const struct klpdoc_edges *e)
{
	static const char *const what[] = {
	    [EDGE_UNSIGNED] = "without signature or record of their source",
	    [EDGE_BAD_SIG] = "with a bad signature",
	    [EDGE_UNKNOWN] = "with an unknown tag or scope",
	    [EDGE_NEVER] = "never valid",
	};
	const struct graph_stats *g = &e->stats;
	int n = snprintf(out, KLPDOC_EDGES, "%u of %u can count", g->accepted,
	    g->edges);

	for (size_t i = 0; i < NELEM(what); i++)
		if (what[i] != NULL && g->fault[i] > 0 && n > 0 &&
		    n < KLPDOC_EDGES)
			n += snprintf(out + n, KLPDOC_EDGES - (size_t)n,
			    "; %u %s", g->fault[i], what[i]);
	if (e->early > 0 && n > 0 && n < KLPDOC_EDGES)
		n += snprintf(out + n, KLPDOC_EDGES - (size_t)n,
		    "; %u not yet (issued is in the future)", e->early);
	if (e->late > 0 && n > 0 && n < KLPDOC_EDGES)
		(void)snprintf(out + n, KLPDOC_EDGES - (size_t)n,
		    "; %u no more (expired)", e->late);
}

static bool
check_list(const void *payload, size_t len, char why[KLPDOC_WHY])
{
	struct revlist r;
	const char *text = revlist_parse(&r, payload, len);

	if (text != NULL)
		return bad(why, text);
	revlist_clear(&r);
	return true;
}

static bool
check_roots(const void *payload, size_t len, char why[KLPDOC_WHY])
{
	char text[SIGROOT_WHY_MAX];
	struct rootsdoc d;

	if (!rootsdoc_parse(&d, payload, len, text)) {
		(void)snprintf(why, KLPDOC_WHY, "%.*s", KLPDOC_WHY - 1, text);
		return false;
	}
	rootsdoc_clear(&d);
	return true;
}

static bool
check_manifest(const void *payload, size_t len, char why[KLPDOC_WHY])
{
	struct manifest m;
	char text[MANIFEST_WHY];
	int rc = manifest_parse(&m, payload, len, text);

	manifest_clear(&m);
	return rc == 0 || bad(why, text);
}

static bool
check_contract(const void *payload, size_t len, char why[KLPDOC_WHY])
{
	struct contract *k = malloc(sizeof(*k));
	char text[CONTRACT_WHY];
	int rc = -1;

	if (k == NULL)
		return bad(why, "no memory");
	rc = contract_parse(k, payload, len, text);
	free(k);
	return rc == 0 || bad(why, text);
}

/* The signed JSON types of klp.md 2. */
static const struct {
	const char *what;
	size_t max;
	bool (*check)(const void *, size_t, char why[KLPDOC_WHY]);
	bool placed; /* a node takes it from where its uri says */
} types[] = {
    {"klp.root", ROOT_BYTES, check_root, false},
    {"klp.trust-graph", GRAPH_BYTES_MAX, check_graph, true},
    {"klp.revocation-list", REVLIST_BYTES, check_list, true},
    {ROOTSDOC_TYPE, ROOTSDOC_PAYLOAD, check_roots, true},
    {"klp.manifest", MANIFEST_PAYLOAD_MAX, check_manifest, false},
    {"klp.behavior-contract", SMALL, check_contract, false},
    {"klp.fingerprint", SMALL, NULL, false},
    {"klp.key-rotation", SMALL, NULL, false},
};

/* As a node compares it with the place (klp.md 1.1): no version, no part. */
static bool
placed(const struct klpdoc *d)
{
	struct klp_uri u;

	return uri_parse(&u, d->name, strlen(d->name)) &&
	    u.select == URI_NEWEST && u.pointer[0] == '\0';
}

/* ---- what it says of itself ---- */

static void
copy(char *out, size_t cap, const json_t *o, const char *member)
{
	const char *s;
	size_t n;

	out[0] = '\0';
	if (jdoc_text(o, member, &s, &n) && n < cap && memchr(s, '\0', n) == NULL)
		(void)snprintf(out, cap, "%.*s", (int)n, s);
}

static bool
head_of(struct klpdoc *d, const json_t *o)
{
	uint64_t version = 0, issued = 0, expires = 0;

	memset(d, 0, sizeof(*d));
	copy(d->what, sizeof(d->what), o, "_type");
	copy(d->name, sizeof(d->name), o, "uri");
	if (d->name[0] == '\0')
		copy(d->name, sizeof(d->name), o, "authority");
	d->dated = jdoc_uint(o, "version", UINT32_MAX, &version) &&
	    jdoc_uint(o, "issued", UINT32_MAX, &issued) &&
	    jdoc_uint(o, "expires", UINT32_MAX, &expires);
	d->version = (uint32_t)version;
	d->issued = (uint32_t)issued;
	d->expires = (uint32_t)expires;
	return d->what[0] != '\0';
}

/* A graph of 26 MB is read without a tree of the whole (graph.h). */
static bool
graph_head_of(struct klpdoc *d, const void *payload, size_t len,
    char why[KLPDOC_WHY])
{
	const char *text = NULL;
	struct graph_head h;

	if (!graph_peek(&h, payload, len, &text))
		return bad(why, text);
	*d = (struct klpdoc){.what = "klp.trust-graph", .dated = true,
	    .version = h.version, .issued = h.issued, .expires = h.expires};
	(void)snprintf(d->name, sizeof(d->name), "%s", h.uri);
	return true;
}

static bool
any_head_of(struct klpdoc *d, const void *payload, size_t len,
    char why[KLPDOC_WHY])
{
	const char *text = NULL;
	json_t *o = jdoc_parse_canonical(payload, len, KLPDOC_BYTES_MAX, &text);
	bool ok;

	if (o == NULL)
		return bad(why, text);
	ok = head_of(d, o);
	json_decref(o);
	return ok || bad(why, "_type: not there, so nobody knows what it is");
}

bool
klpdoc_check(struct klpdoc *d, const void *payload, size_t len,
    char why[KLPDOC_WHY])
{
	/* of a canonical one this is the beginning */
	static const char graph[] = "{\"_type\":\"klp.trust-graph\",";
	bool is_graph = len > sizeof(graph) &&
	    memcmp(payload, graph, sizeof(graph) - 1) == 0;

	if (is_graph ? !graph_head_of(d, payload, len, why)
		     : !any_head_of(d, payload, len, why))
		return false;
	for (size_t i = 0; i < NELEM(types); i++) {
		if (strcmp(types[i].what, d->what) != 0)
			continue;
		(void)snprintf(d->type, sizeof(d->type),
		    "application/vnd.%s+json", d->what);
		if (len > types[i].max)
			return bad(why, "larger than its type may be");
		if (types[i].placed && !placed(d))
			return bad(why, "uri: not klp://AUTHORITY/PATH alone, "
			    "so no node takes it");
		return types[i].check == NULL || types[i].check(payload, len,
		    why);
	}
	return bad(why, "_type: no type that is signed");
}

bool
klpdoc_at(const struct klpdoc *d, const char *authority, const char *path)
{
	static const char scheme[] = "klp://";
	size_t n = strlen(scheme), a = strlen(authority);

	return strncmp(d->name, scheme, n) == 0 &&
	    strncmp(d->name + n, authority, a) == 0 &&
	    d->name[n + a] == '/' && strcmp(d->name + n + a + 1, path) == 0;
}

/* ---- writing ---- */

static json_t *
parse(const void *text, size_t len, char why[KLPDOC_WHY])
{
	const char *what = NULL;
	json_t *o = jdoc_parse(text, len, KLPDOC_BYTES_MAX, &what);
	json_error_t err;
	json_t *again;

	if (o != NULL)
		return o;
	/* a person has written it, and wants to know where */
	again = json_loadb(text, len, JSON_REJECT_DUPLICATES, &err);
	if (again == NULL && err.line > 0)
		(void)snprintf(why, KLPDOC_WHY, "line %d, column %d: %s",
		    err.line, err.column, what);
	else
		(void)bad(why, what);
	json_decref(again);
	return NULL;
}

static char *
canonical(json_t *o, size_t *out_len, char why[KLPDOC_WHY])
{
	char *text = o == NULL ? NULL : jdoc_canonical(o, out_len);

	if (o != NULL && text == NULL)
		(void)bad(why, "it has no canonical form");
	json_decref(o);
	return text;
}

char *
klpdoc_canonical(const void *text, size_t len, size_t *out_len,
    char why[KLPDOC_WHY])
{
	return canonical(parse(text, len, why), out_len, why);
}

char *
klpdoc_dated(const void *text, size_t len, uint32_t now, uint32_t life,
    size_t *out_len, char why[KLPDOC_WHY])
{
	json_t *o = parse(text, len, why);

	if (o == NULL)
		return NULL;
	if (life > UINT32_MAX - now || json_object_set_new(o, "issued",
		json_integer(now)) != 0 || json_object_set_new(o, "expires",
		json_integer((json_int_t)now + life)) != 0) {
		json_decref(o);
		(void)bad(why, "issued and expires do not fit");
		return NULL;
	}
	return canonical(o, out_len, why);
}

/* One edge of this key without a signature gets one; NULL, or what is wrong. */
static const char *
sign_edge(json_t *o, const struct fp *own, const struct klp_secret *s,
    unsigned *count)
{
	uint8_t statement[EDGE_LEN], sig[SIG_LEN], aux[32];
	bool unknown = false, never = false;
	char b64[96];
	const char *why;
	struct edge e;

	if ((why = edge_json(&e, o, &unknown, &never)) != NULL)
		return why;
	if (!fp_eq(&e.source, own) || json_object_get(o, "sig") != NULL)
		return NULL;
	if (unknown)
		return "edges: a tag or scope that is not known here";
	if (never)
		return "edges: no level from -3 to 3";
	if ((why = edge_bad(&e)) != NULL)
		return why;
	edge_put(statement, &e);
	randombytes_buf(aux, sizeof(aux));
	if (!pae_sign(sig, s, TYPE_EDGE, statement, EDGE_LEN, aux))
		return "no memory";
	(void)sodium_bin2base64(b64, sizeof(b64), sig, SIG_LEN,
	    sodium_base64_VARIANT_ORIGINAL);
	(void)json_object_set_new(o, "sig", json_string(b64));
	++*count;
	return NULL;
}

char *
klpdoc_sign_edges(const void *text, size_t len, const struct klp_secret *s,
    unsigned *count, size_t *out_len, char why[KLPDOC_WHY])
{
	json_t *o = parse(text, len, why), *edges;
	const char *what = NULL;
	struct klp_key k;
	struct fp own;

	*count = 0;
	if (o == NULL || !secret_public(&k, s)) {
		json_decref(o);
		return NULL;
	}
	key_fp(&own, &k);
	edges = json_object_get(o, "edges");
	if (!json_is_array(edges))
		what = "edges: no list";
	for (size_t i = 0; what == NULL && i < json_array_size(edges); i++)
		what = sign_edge(json_array_get(edges, i), &own, s, count);
	if (what != NULL) {
		json_decref(o);
		(void)bad(why, what);
		return NULL;
	}
	return canonical(o, out_len, why);
}
