/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a trust graph. A payload of 26 MB would be 150 MB as one JSON tree,
 * and its reading would hold up whoever asks: so its two long lists are taken
 * out, the rest is read as a document of its own, and each node and edge as
 * another. All of them are canonical exactly if the whole is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/b64.h"
#include "common/util.h"
#include "trust/doc/graph_in.h"
#include "trust/doc/graph_json.h"
#include "trust/doc/jdoc.h"

#define REST_MAX (256u << 10) /* ours: a document without its lists */
#define ONE_MAX (64u << 10)   /* ours: a node or an edge */
#define PARSED_A_CHECK 16     /* elements that cost as much as a signature */
#define EDGE_TEXT_MIN 128     /* a shorter one has not both names */

#define TEXT_A_CHECK 8192     /* bytes looked through, likewise */
#define SORTED_A_CHECK 128    /* elements put in order, likewise */

enum stage {
	STAGE_SPLIT, /* the text is cut */
	STAGE_EDGES,
	STAGE_NODES,
	STAGE_KEYS,  /* of nodes, in order */
	STAGE_CHECK, /* signatures */
	STAGE_MAKE,
	STAGE_CLOSE, /* what is known of signatures, in order */
	STAGE_DONE
};

struct span {
	const char *p, *end;
};

struct named_key {
	struct fp fp;
	struct klp_key key; /* len 0: the record has none */
};

struct said {
	struct edge edge;
	bool has_sig;
	uint8_t sig[SIG_LEN];
};

static bool
refuse(const char **why, const char *text)
{
	*why = text;
	return false;
}

/* ---- the text, without a tree ---- */

/* On the way to the end of a value, which lies at this depth. */
struct skip {
	unsigned depth, open;
	bool in_text;
};

/* Behind the closing quote, or not much beyond limit. */
static const char *
skip_text(struct skip *k, const char *p, const char *limit, const char *end)
{
	while (p < limit && *p != '"')
		p += *p == '\\' && end - p > 1 ? 2 : 1;
	if (p >= limit)
		return p;
	k->in_text = false;
	return p + 1;
}

/*
 * 0: *p is behind the value; 1: not yet, but behind limit; -1: it does not end,
 * or is too deep. Grammar is left to who reads it.
 */
static int
skip_on(struct skip *k, const char **p, const char *limit, const char *end)
{
	while (*p < limit) {
		char c = **p;

		if (k->in_text) {
			*p = skip_text(k, *p, limit, end);
			if (k->in_text)
				continue;
		} else if (c == '"') {
			k->in_text = true;
			++*p;
			continue;
		} else if (c == '{' || c == '[') {
			if (k->depth + k->open++ > JDOC_DEPTH)
				return -1;
			++*p;
			continue;
		} else if (c == '}' || c == ']') {
			if (k->open == 0)
				return 0; /* of what is around a number */
			k->open--;
			++*p;
		} else if (k->open == 0 && c == ',') {
			return 0;
		} else {
			++*p;
			continue;
		}
		if (k->open == 0)
			return 0;
	}
	return *p < end ? 1 : -1;
}

/* Behind the value at p; NULL: it does not end before `end`, or is too deep. */
static const char *
skip_value(const char *p, const char *end, unsigned depth)
{
	struct skip k = {.depth = depth};

	return skip_on(&k, &p, end, end) == 0 ? p : NULL;
}

/* The document without what is in its lists, in an own allocation. */
struct rest {
	char *text;
	size_t len;
};

static bool
rest_add(struct rest *r, const char *from, const char *to)
{
	size_t n = (size_t)(to - from);

	if (n > REST_MAX - r->len)
		return false;
	memcpy(r->text + r->len, from, n);
	r->len += n;
	return true;
}

static bool
is_key(const char *key, const char *behind, const char *name)
{
	size_t n = strlen(name);

	return (size_t)(behind - key) == n + 2 && memcmp(key + 1, name, n) == 0;
}

/*
 * Finds the lists, and copies all else. What is not canonical here may be cut
 * in wrong places: then the rest or an element is refused when it is read.
 */
struct split {
	const char *p, *end, *from;
	const char *value;  /* of the member that is skipped; NULL: none */
	struct span *list;  /* ... if it is one of the two */
	struct skip skip;
	struct span nodes, edges;
	struct rest rest;
};

static bool
split_begin(struct split *s, const char *text, size_t len)
{
	*s = (struct split){.p = text + 1, .end = text + len, .from = text};
	if ((s->rest.text = malloc(REST_MAX)) == NULL)
		return false;
	if (len < 2 || text[0] != '{')
		s->p = s->end; /* and no rest, which is refused */
	return true;
}

static void
split_free(struct split *s)
{
	free(s->rest.text);
	s->rest.text = NULL;
}

/* At a member's name; names are short, or the rest would be too long. */
static bool
split_name(struct split *s)
{
	struct skip k = {.depth = 2, .in_text = true};
	const char *key = s->p, *limit = MIN_OF(s->end, key + REST_MAX);

	s->p++;
	s->p = skip_text(&k, s->p, limit, s->end);
	if (k.in_text || s->p >= s->end || *s->p != ':')
		return false;
	s->list = is_key(key, s->p, "nodes") ? &s->nodes :
	    is_key(key, s->p, "edges") ? &s->edges : NULL;
	s->value = ++s->p;
	s->skip = (struct skip){.depth = 2};
	return true;
}

/* Behind a member's value. */
static bool
split_value(struct split *s)
{
	const char *value = s->value;

	s->value = NULL;
	if (s->p >= s->end)
		return false;
	if (s->list != NULL && *value == '[' && s->list->p == NULL) {
		*s->list = (struct span){value + 1, s->p - 1};
		if (!rest_add(&s->rest, s->from, value + 1))
			return false;
		s->from = s->p - 1;
	}
	if (*s->p == ',')
		s->p++;
	return true;
}

/* 1: more; 0: rest and lists are there; -1: not in canonical form. */
static int
split_on(struct split *s, size_t budget)
{
	const char *limit = (size_t)(s->end - s->p) > budget ? s->p + budget :
	    s->end;
	int rc;

	while (s->p < limit) {
		if (s->value == NULL && *s->p != '"')
			return rest_add(&s->rest, s->from, s->end) ? 0 : -1;
		if (s->value == NULL && !split_name(s))
			return -1;
		rc = skip_on(&s->skip, &s->p, MAX_OF(limit, s->p), s->end);
		if (rc != 0)
			return rc;
		if (!split_value(s))
			return -1;
	}
	return s->p < s->end ? 1 :
	    rest_add(&s->rest, s->from, s->end) ? 0 : -1;
}

/* ---- the head ---- */

static bool
crit_known(const json_t *root)
{
	static const char *const known[] = {"_type", "uri", "version", "issued",
	    "expires", "namespace", "nodes", "edges", "crit"};
	const json_t *crit = json_object_get(root, "crit");

	if (crit != NULL && !json_is_array(crit))
		return false;
	for (size_t i = 0; i < json_array_size(crit); i++) {
		const char *s = json_string_value(json_array_get(crit, i));
		bool found = false;

		for (size_t j = 0; s != NULL && j < NELEM(known); j++)
			found |= strcmp(s, known[j]) == 0;
		if (!found)
			return false;
	}
	return true;
}

static bool
head_read(struct graph_head *h, const json_t *root, const char **why)
{
	uint64_t version, issued, expires;
	const char *s;
	size_t n;

	if (!jdoc_text(root, "_type", &s, &n) || n != 15 ||
	    memcmp(s, "klp.trust-graph", n) != 0)
		return refuse(why, "_type: no klp.trust-graph");
	if (!crit_known(root))
		return refuse(why, "crit: names what is not known here");
	if (!jdoc_text(root, "uri", &s, &n) || n > GRAPH_URI_MAX ||
	    memchr(s, '\0', n) != NULL)
		return refuse(why, "uri");
	memcpy(h->uri, s, n);
	h->uri[n] = '\0';
	if (!jdoc_uint(root, "version", UINT32_MAX, &version))
		return refuse(why, "version");
	if (!jdoc_uint(root, "issued", UINT32_MAX, &issued))
		return refuse(why, "issued");
	if (!jdoc_uint(root, "expires", UINT32_MAX, &expires))
		return refuse(why, "expires");
	if (!jdoc_text(root, "namespace", &s, &n))
		return refuse(why, "namespace");
	if (!json_is_array(json_object_get(root, "nodes")))
		return refuse(why, "nodes: no list");
	if (!json_is_array(json_object_get(root, "edges")))
		return refuse(why, "edges: no list");
	h->version = (uint32_t)version;
	h->issued = (uint32_t)issued;
	h->expires = (uint32_t)expires;
	return true;
}

/* What is around the lists. */
static bool
read_rest(struct graph_head *h, const struct rest *r, const char **why)
{
	json_t *root = jdoc_parse_canonical(r->text, r->len, REST_MAX, why);
	bool ok;

	memset(h, 0, sizeof(*h));
	if (root == NULL)
		return false;
	ok = head_read(h, root, why);
	json_decref(root);
	return ok;
}

bool
graph_peek(struct graph_head *h, const void *payload, size_t len,
    const char **why)
{
	struct split s;
	bool ok;

	if (len > GRAPH_BYTES_MAX)
		return refuse(why, "too large");
	if (!split_begin(&s, payload, len))
		return refuse(why, "no memory");
	ok = split_on(&s, len + 1) == 0 ? read_rest(h, &s.rest, why) :
	    refuse(why, "not in canonical form");
	split_free(&s);
	return ok;
}

/* ---- elements ---- */

struct graph_load {
	enum stage stage;
	struct split split; /* its lists: what is not read yet */
	struct graph_head head;
	const struct sigset *before;
	struct named_key *key, *signer;
	size_t nkeys, nsigners, keys_cap;
	struct said *said;
	struct edge *good;
	size_t nsaid, ngood, at, said_cap;
	struct sorting sort;
	struct sigset *known;
	struct graph_making *making;
	struct graph *graph;
	struct graph_stats stats;
};

/* The next of a list; 1: *out, the caller's; 0: there is none; -1. */
static int
element(json_t **out, struct span *list, const char **why)
{
	const char *from = list->p, *to, *limit;

	if (from == list->end)
		return 0;
	/* none is longer, and nothing longer is looked through at once */
	limit = from + MIN_OF((size_t)(list->end - from), ONE_MAX + (size_t)1);
	to = *from == '{' ? skip_value(from, limit, 3) : NULL;
	if (to == NULL || (to != list->end && (*to != ',' ||
				      to + 1 == list->end))) {
		*why = "nodes, edges: not in canonical form";
		return -1;
	}
	*out = jdoc_parse_canonical(from, (size_t)(to - from), ONE_MAX, why);
	if (*out == NULL)
		return -1;
	list->p = to == list->end ? to : to + 1;
	return 1;
}

/* ---- steps ---- */

static int
key_order(const void *a, const void *b)
{
	const struct named_key *x = a, *y = b;

	return fp_cmp(&x->fp, &y->fp);
}

static int
key_sorting(const void *a, const void *b, void *arg)
{
	(void)arg;
	return key_order(a, b);
}

/* A text that is no signature is one that does not hold. */
static const char *
sig_read(struct said *said, const json_t *o)
{
	const json_t *sig = json_object_get(o, "sig");
	size_t got;

	if (sig != NULL && !json_is_string(sig))
		return "edges: sig";
	said->has_sig = sig != NULL;
	if (sig != NULL && !b64_get(said->sig, SIG_LEN, json_string_value(sig),
		json_string_length(sig), &got,
		sodium_base64_VARIANT_ORIGINAL))
		memset(said->sig, 0, SIG_LEN);
	return NULL;
}

/* 1: took one; 0: the list is at its end; -1. */
static int
take_edge(struct graph_load *l, const char **why)
{
	bool unknown = false, never = false;
	struct said said = {.has_sig = false};
	json_t *o = NULL;
	int rc = element(&o, &l->split.edges, why);

	if (rc <= 0)
		return rc;
	*why = edge_json(&said.edge, o, &unknown, &never);
	if (*why == NULL)
		*why = sig_read(&said, o);
	json_decref(o);
	if (*why != NULL)
		return -1;
	if (++l->stats.edges > GRAPH_EDGES_MAX) {
		*why = "edges: more than 50,000";
		return -1;
	}
	if (unknown)
		l->stats.fault[EDGE_UNKNOWN]++;
	else if (never || edge_bad(&said.edge) != NULL)
		l->stats.fault[EDGE_NEVER]++;
	else if (l->nsaid < l->said_cap)
		l->said[l->nsaid++] = said;
	return 1;
}

static int
take_node(struct graph_load *l, const char **why)
{
	json_t *o = NULL;
	int rc = element(&o, &l->split.nodes, why);

	if (rc <= 0)
		return rc;
	if (l->nkeys >= l->keys_cap) {
		json_decref(o);
		*why = "nodes: more than 20,000";
		return -1;
	}
	*why = node_json(&l->key[l->nkeys].fp, &l->key[l->nkeys].key, o);
	l->nkeys++;
	json_decref(o);
	return *why == NULL ? 1 : -1;
}

static bool
keys_close(struct graph_load *l, const char **why)
{
	for (size_t i = 1; i < l->nkeys; i++)
		if (fp_eq(&l->key[i].fp, &l->key[i - 1].fp))
			return refuse(why, "nodes: one key twice");
	return true;
}

static const struct named_key *
find_key(const struct named_key *v, size_t n, const struct fp *fp)
{
	const struct named_key want = {.fp = *fp};

	return n == 0 ? NULL : bsearch(&want, v, n, sizeof(*v), key_order);
}

/* Does it count, by whom it is signed? *cost: signatures looked at. */
static bool
check(struct graph_load *l, const struct said *s, unsigned *cost)
{
	const struct named_key *signer = find_key(l->signer, l->nsigners,
	    &s->edge.source);
	const struct named_key *key = signer != NULL ? signer :
	    find_key(l->key, l->nkeys, &s->edge.source);
	uint8_t statement[EDGE_LEN];
	struct id32 digest;

	if (signer != NULL && !s->has_sig)
		return true;
	if (!s->has_sig || key == NULL || key->key.len == 0) {
		l->stats.fault[EDGE_UNSIGNED]++;
		return false;
	}
	edge_put(statement, &s->edge);
	sigset_digest(&digest, &key->key, TYPE_EDGE, statement, EDGE_LEN,
	    s->sig);
	if (l->before == NULL || !sigset_has(l->before, &digest)) {
		++*cost;
		l->stats.checked++;
		if (!pae_verify(&key->key, s->sig, TYPE_EDGE, statement,
			EDGE_LEN)) {
			l->stats.fault[EDGE_BAD_SIG]++;
			return false;
		}
	}
	return sigset_add(l->known, &digest);
}

static int
step_list(struct graph_load *l, unsigned budget, const char **why)
{
	for (unsigned i = 0; i < budget * PARSED_A_CHECK; i++) {
		int rc = l->stage == STAGE_EDGES ? take_edge(l, why)
						 : take_node(l, why);

		if (rc < 0)
			return -1;
		if (rc > 0)
			continue;
		if (l->stage == STAGE_NODES && !sorting_begin(&l->sort, l->key,
			l->nkeys, sizeof(l->key[0]), key_sorting, NULL)) {
			*why = "no memory";
			return -1;
		}
		l->stage++;
		return 1;
	}
	return 1;
}

static int
step_check(struct graph_load *l, unsigned budget)
{
	unsigned cost = 0;

	for (unsigned i = 0; i < budget * PARSED_A_CHECK; i++) {
		if (l->at == l->nsaid) {
			l->stage++;
			return 1;
		}
		if (check(l, &l->said[l->at++], &cost))
			l->good[l->ngood++] = l->said[l->at - 1].edge;
		if (cost >= budget)
			return 1;
	}
	return 1;
}

static int
step_split(struct graph_load *l, unsigned budget, const char **why)
{
	int rc = split_on(&l->split, (size_t)budget * TEXT_A_CHECK);

	if (rc > 0)
		return 1;
	if (rc < 0) {
		*why = "not in canonical form";
		return -1;
	}
	if (!read_rest(&l->head, &l->split.rest, why))
		return -1;
	split_free(&l->split);
	l->stage++;
	return 1;
}

static int
step_keys(struct graph_load *l, unsigned budget, const char **why)
{
	if (sorting_step(&l->sort, (size_t)budget * SORTED_A_CHECK))
		return 1;
	sorting_free(&l->sort);
	l->stage++;
	return keys_close(l, why) ? 1 : -1;
}

static int
no_memory(const char **why)
{
	*why = "no memory";
	return -1;
}

static int
step_make(struct graph_load *l, unsigned budget, const char **why)
{
	int rc;

	if (l->making == NULL)
		l->making = graph_making_new(&l->head, l->good, l->ngood);
	rc = l->making == NULL ? -1 : graph_making_step(l->making,
	    (size_t)budget * SORTED_A_CHECK, &l->graph);
	if (rc < 0)
		return no_memory(why);
	l->stage += rc == 0;
	return 1;
}

static int
step_close(struct graph_load *l, unsigned budget, const char **why)
{
	int rc = sigset_close(l->known, (size_t)budget * SORTED_A_CHECK);

	if (rc != 0)
		return rc > 0 ? 1 : no_memory(why);
	graph_set_known(l->graph, l->known);
	l->known = NULL;
	l->stats.accepted = (uint32_t)l->ngood;
	l->stage = STAGE_DONE;
	return 0;
}

int
graph_load_step(struct graph_load *l, unsigned budget, const char **why)
{
	switch (l->stage) {
	case STAGE_SPLIT:
		return step_split(l, budget, why);
	case STAGE_EDGES:
	case STAGE_NODES:
		return step_list(l, budget, why);
	case STAGE_KEYS:
		return step_keys(l, budget, why);
	case STAGE_CHECK:
		return step_check(l, budget);
	case STAGE_MAKE:
		return step_make(l, budget, why);
	case STAGE_CLOSE:
		return step_close(l, budget, why);
	case STAGE_DONE:
		break;
	}
	return 0;
}

/* ---- memory ---- */

static bool
load_open(struct graph_load *l, size_t len, const struct klp_key *signers,
    size_t nsigners)
{
	size_t most = len / EDGE_TEXT_MIN + 1;

	l->said_cap = MIN_OF(most, (size_t)GRAPH_EDGES_MAX);
	l->keys_cap = MIN_OF(most, (size_t)GRAPH_NODES_MAX);
	l->said = calloc(l->said_cap, sizeof(*l->said));
	l->good = calloc(l->said_cap, sizeof(*l->good));
	l->key = calloc(l->keys_cap, sizeof(*l->key));
	l->signer = calloc(nsigners + 1, sizeof(*l->signer));
	l->known = sigset_new(l->said_cap);
	if (l->said == NULL || l->good == NULL || l->key == NULL ||
	    l->signer == NULL || l->known == NULL)
		return false;
	for (size_t i = 0; i < nsigners; i++) {
		l->signer[i].key = signers[i];
		key_fp(&l->signer[i].fp, &signers[i]);
	}
	l->nsigners = nsigners;
	qsort(l->signer, nsigners, sizeof(l->signer[0]), key_order);
	return true;
}

struct graph_load *
graph_load_begin(const void *payload, size_t len, const struct klp_key *signers,
    size_t nsigners, const struct sigset *before, const char **why)
{
	struct graph_load *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		*why = "no memory";
		return NULL;
	}
	l->before = before;
	*why = len > GRAPH_BYTES_MAX ? "too large" : "no memory";
	if (len <= GRAPH_BYTES_MAX && split_begin(&l->split, payload, len) &&
	    load_open(l, len, signers, nsigners))
		return l;
	graph_load_free(l);
	return NULL;
}

struct graph_load *
graph_load_new(const void *payload, size_t len, const struct klp_key *signers,
    size_t nsigners, const struct sigset *before, const char **why)
{
	struct graph_load *l = graph_load_begin(payload, len, signers,
	    nsigners, before, why);

	while (l != NULL && l->stage == STAGE_SPLIT)
		if (step_split(l, GRAPH_BUDGET, why) < 0) {
			graph_load_free(l);
			return NULL;
		}
	return l;
}

bool
graph_form(const void *payload, size_t len, const char **why)
{
	struct graph_load *l = graph_load_new(payload, len, NULL, 0, NULL,
	    why);
	int rc = 1;

	while (l != NULL && rc > 0 && l->stage < STAGE_CHECK)
		rc = graph_load_step(l, GRAPH_BUDGET, why);
	graph_load_free(l);
	return l != NULL && rc > 0;
}

struct graph *
graph_load_take(struct graph_load *l)
{
	struct graph *g = l->graph;

	l->graph = NULL;
	return g;
}

const struct graph_head *
graph_load_head(const struct graph_load *l)
{
	return l->stage == STAGE_SPLIT ? NULL : &l->head;
}

const struct graph_stats *
graph_load_stats(const struct graph_load *l)
{
	return &l->stats;
}

void
graph_load_says(char out[GRAPH_SAYS_MAX], const struct graph_load *l)
{
	const struct graph_stats *s = &l->stats;

	(void)snprintf(out, GRAPH_SAYS_MAX,
	    "edges=%u accepted=%u unsigned=%u bad-signature=%u "
	    "unknown-tag-or-scope=%u never-valid=%u checked=%u",
	    s->edges, s->accepted, s->fault[EDGE_UNSIGNED],
	    s->fault[EDGE_BAD_SIG], s->fault[EDGE_UNKNOWN],
	    s->fault[EDGE_NEVER], s->checked);
}

void
graph_load_free(struct graph_load *l)
{
	if (l == NULL)
		return;
	free(l->key);
	free(l->signer);
	free(l->said);
	free(l->good);
	split_free(&l->split);
	sorting_free(&l->sort);
	sigset_free(l->known);
	graph_making_free(l->making);
	graph_free(l->graph);
	free(l);
}
