/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/ydoc.h"
#include "trust/doc/tlv.h"
#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/say.h"

#define NOTES_MAX (256u * 1024)
#define PART_WAIT_US (3 * MONO_SECOND) /* ours: for the beginning of a hash */
#define LISTEN_TURN_US (200 * 1000)

static struct node_info *
list_get(struct node_list *l, const struct hash16 *dest)
{
	for (size_t i = 0; i < l->n; i++)
		if (hash16_eq(&l->v[i].dest, dest))
			return &l->v[i];
	if (l->n == NODES_MAX)
		return NULL;
	memset(&l->v[l->n], 0, sizeof(l->v[0]));
	l->v[l->n].dest = *dest;
	l->v[l->n].hops = -1;
	return &l->v[l->n++];
}

/* What the announce of a node says, as far as it proves itself. */
static void
take_announce(struct node_info *n, const struct rns_known *k)
{
	struct app_data a;
	struct binding b;
	struct klp_key key;

	n->heard_us = k->heard_us;
	if (k->app_data == NULL ||
	    !app_data_parse(&a, k->app_data, k->app_data_len))
		return;
	memcpy(n->name, a.name, sizeof(n->name));
	n->has_caps = a.has_caps;
	if (a.has_caps) {
		n->accepting = (a.caps.flags & APP_ACCEPTING) != 0;
		n->cpu_milli = a.caps.cpu_milli;
		n->memory_mib = a.caps.memory_mib;
		n->queue = a.caps.queue;
	}
	if (a.has_binding &&
	    binding_parse_announce(&b, a.binding, BINDING_ANNOUNCE_LEN,
		k->public_key) &&
	    binding_check_announce(&b, k->public_key, (uint32_t)time(NULL)) ==
		NULL &&
	    binding_key(&key, &b)) {
		n->has_key = true;
		key_fp(&n->fp, &key);
	}
}

static void
collect_known(struct session *s, struct node_list *l)
{
	const struct rns *r = session_rns(s);
	struct hash16 at = {0}, want, id;
	bool first = true;
	struct rns_known k;
	struct rns_path p;

	while (rns_known_next(r, &at, first, &k)) {
		struct node_info *n;

		first = false;
		at = k.dest;
		rns_identity_hash_of(&id, k.public_key);
		if (rns_dest_hash(&want, "klp.node", &id) != RNS_OK ||
		    !hash16_eq(&want, &k.dest))
			continue;
		n = list_get(l, &k.dest);
		if (n == NULL)
			return;
		take_announce(n, &k);
		if (rns_path_get(r, &k.dest, &p))
			n->hops = p.hops;
	}
}

/* nodes: "DEST FP NAME" a line */
static void
collect_noted(const struct person *p, struct node_list *l)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	char *line, *save = NULL;

	text = file_load(p->dir, "nodes", NOTES_MAX, &len);
	if (text == NULL)
		return;
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		struct hash16 dest;
		struct fp fp;
		struct node_info *n;

		if (strlen(line) < 32 + 1 + 64 || line[32] != ' ' ||
		    !hex_decode(HASH_BYTES(dest), line, 32) ||
		    !hex_decode(HASH_BYTES(fp), line + 33, 64))
			continue;
		n = list_get(l, &dest);
		if (n == NULL)
			return;
		n->noted = true;
		if (!n->has_key) {
			n->has_key = true;
			n->fp = fp;
		}
		if (n->name[0] == '\0' && strlen(line) > 98)
			(void)snprintf(n->name, sizeof(n->name), "%s",
			    line + 98);
	}
}

/* ---- what the daemon of this machine says ---- */

static bool
keep_answer(void *arg, const json_t *o)
{
	(void)json_object_update(arg, (json_t *)o);
	return true;
}

static json_t *
status_of(struct cli *c, enum ask_whom whom)
{
	json_t *o = json_object();

	if (o == NULL || !ask_answers(c, whom) ||
	    ask(c, whom, json_pack("{s:s}", "verb", "status"), keep_answer,
		o) != CLI_OK) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* The node of this machine: nobody announces to himself. */
static void
collect_own(struct cli *c, struct node_list *l)
{
	json_t *mesh = status_of(c, ASK_MESH), *node = NULL;
	const char *id, *urn, *name;
	struct hash16 hash, dest;
	struct node_info *n;

	if (mesh != NULL && json_is_true(json_object_get(mesh, "compute")))
		node = status_of(c, ASK_NODE);
	id = json_string_value(json_object_get(mesh, "identity"));
	if (node != NULL && id != NULL &&
	    hex_decode(HASH_BYTES(hash), id, strlen(id)) &&
	    rns_dest_hash(&dest, "klp.node", &hash) == RNS_OK &&
	    (n = list_get(l, &dest)) != NULL) {
		urn = json_string_value(json_object_get(node, "urn"));
		name = json_string_value(json_object_get(node, "name"));
		n->own = true;
		n->hops = 0;
		n->heard_us = (int64_t)time(NULL) * 1000000;
		n->accepting = json_is_true(json_object_get(node, "accepting"));
		n->has_key |= urn != NULL &&
		    urn_parse(&n->fp, urn, strlen(urn));
		if (name != NULL)
			(void)snprintf(n->name, sizeof(n->name), "%s", name);
	}
	json_decref(mesh);
	json_decref(node);
}

static bool
take_heard(void *arg, const json_t *o)
{
	struct node_list *l = arg;
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(o, "nodes"), i, v) {
		const char *dest = json_string_value(
		    json_object_get(v, "destination"));
		const char *pub = json_string_value(
		    json_object_get(v, "public_key"));
		const char *data = json_string_value(
		    json_object_get(v, "app_data"));
		struct rns_known k = {.heard_us = json_integer_value(
		    json_object_get(v, "heard_us"))};
		uint8_t raw[RNS_MTU];
		struct node_info *n;

		if (dest == NULL || pub == NULL ||
		    !hex_decode(HASH_BYTES(k.dest), dest, strlen(dest)) ||
		    !hex_decode(k.public_key, RNS_KEY, pub, strlen(pub)) ||
		    (n = list_get(l, &k.dest)) == NULL)
			continue;
		if (data != NULL && strlen(data) <= 2 * sizeof(raw) &&
		    hex_decode(raw, strlen(data) / 2, data, strlen(data))) {
			k.app_data = raw;
			k.app_data_len = strlen(data) / 2;
		}
		if (k.heard_us > n->heard_us)
			take_announce(n, &k);
		if (n->hops < 0)
			n->hops = (int)json_integer_value(
			    json_object_get(v, "hops"));
	}
	return true;
}

/* What it has heard: its storage folder has it some minutes later. */
static void
collect_heard(struct cli *c, struct node_list *l)
{
	if (ask_answers(c, ASK_MESH))
		(void)ask(c, ASK_MESH, json_pack("{s:s}", "verb", "nodes"),
		    take_heard, l);
}

/* ---- all of them ---- */

int
nodes_collect(struct cli *c, struct session *s, const struct person *p,
    struct node_list *l)
{
	l->n = 0;
	l->v = calloc(NODES_MAX, sizeof(*l->v));
	if (l->v == NULL)
		return -1;
	collect_known(s, l);
	collect_heard(c, l);
	collect_noted(p, l);
	collect_own(c, l);
	return 0;
}

void
nodes_note(const struct person *p, const struct hash16 *dest,
    const struct fp *fp, const char *name)
{
	_cleanup_free_ char *old = NULL, *text = NULL;
	char hex[33], hex_fp[65], safe[64];
	size_t len = 0, cap;
	char *line, *save = NULL;
	int n;

	hex_encode(hex, HASH_BYTES(*dest));
	hex_encode(hex_fp, HASH_BYTES(*fp));
	text_escape(safe, sizeof(safe), name, strlen(name));
	old = file_load(p->dir, "nodes", NOTES_MAX, &len);
	cap = len + 256;
	text = malloc(cap);
	if (text == NULL)
		return;
	n = snprintf(text, cap, "%s %s %s\n", hex, hex_fp, safe);
	if (old != NULL && n > 0 && strncmp(old, text, (size_t)n) == 0)
		return; /* it is the first line already */
	for (line = old != NULL ? strtok_r(old, "\n", &save) : NULL;
	     line != NULL && n > 0; line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, hex, 32) != 0)
			n += snprintf(text + n, cap - (size_t)n, "%s\n", line);
	/* a hint for later commands: a failure costs nothing now */
	if (n > 0)
		(void)file_replace(p->dir, "nodes", text, (size_t)n, 0600);
}

bool
node_aged(const struct node_info *n, int64_t now_s)
{
	return n->heard_us / 1000000 < now_s - NODE_AGE_S;
}

size_t
nodes_drop_aged(struct node_list *l, int64_t now_s)
{
	size_t n = 0, dropped;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].noted || !node_aged(&l->v[i], now_s))
			l->v[n++] = l->v[i];
	dropped = l->n - n;
	l->n = n;
	return dropped;
}

/* The beginning of a hash: digits, and not all of them. */
static bool
is_part(const char *text)
{
	size_t n = strlen(text);

	return n >= NODE_DIGITS_MIN && n < 32 &&
	    strspn(text, "0123456789abcdefABCDEF") == n;
}

/* What the text of a person may mean. */
struct wanted {
	const char *text;
	size_t len;
	bool is_hash, is_urn, is_short;
	struct hash16 hash, as_identity;
	struct fp fp;
};

static bool
is_wanted(const struct wanted *w, const struct node_info *n)
{
	char hex[33];

	if (w->is_hash)
		return hash16_eq(&n->dest, &w->hash) ||
		    hash16_eq(&n->dest, &w->as_identity);
	if (w->is_urn)
		return n->has_key && fp_eq(&n->fp, &w->fp);
	if (strcmp(n->name, w->text) == 0)
		return true;
	hex_encode(hex, HASH_BYTES(n->dest));
	return w->is_short && strncasecmp(hex, w->text, w->len) == 0;
}

int
nodes_match(const struct node_list *l, const char *text, int64_t now_s,
    enum node_by *by, struct hash16 *dest)
{
	struct wanted w = {.text = text, .len = strlen(text)};
	int found = 0;

	w.is_hash = hex_decode(HASH_BYTES(w.hash), text, w.len);
	w.is_urn = !w.is_hash && urn_parse(&w.fp, text, w.len);
	w.is_short = !w.is_hash && is_part(text);
	if (w.is_hash &&
	    rns_dest_hash(&w.as_identity, "klp.node", &w.hash) != RNS_OK)
		return 0;
	*by = w.is_hash ? NODE_BY_HASH : w.is_urn ? NODE_BY_URN : NODE_BY_NAME;
	/* those that are heard; who is gone only where nobody else is meant */
	for (int aged = 0; aged < 2 && found == 0; aged++)
		for (size_t i = 0; i < l->n && found >= 0; i++) {
			const struct node_info *n = &l->v[i];

			if (node_aged(n, now_s) != (aged != 0) ||
			    !is_wanted(&w, n))
				continue;
			found = found == 0 ? 1 : -1;
			*dest = n->dest;
			if (w.is_short && strcmp(n->name, text) != 0 &&
			    (n->noted || w.len >= NODE_DIGITS_SAFE))
				*by = NODE_BY_HASH;
		}
	return found;
}

/* The known name that is nearest to what was written; NULL. */
static const char *
nearest_name(const struct node_list *l, const char *text, char out[33])
{
	const char *names[NODES_MAX], *near;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].name[0] != '\0')
			names[n++] = l->v[i].name;
	near = nearest_word(text, names, n);
	if (near == NULL)
		return NULL;
	(void)snprintf(out, 33, "%s", near);
	return out;
}

int
nodes_resolve(struct cli *c, struct session *s, const struct person *p,
    const char *text, int64_t wait_us, struct hash16 *dest, enum node_by *by)
{
	bool told = false, part = is_part(text);
	struct mono end;

	/* who is known by a part of the hash was heard of before */
	if (part)
		wait_us = MIN_OF(wait_us, PART_WAIT_US);
	end = mono_add(clock_mono(), wait_us);

	for (;;) {
		struct node_list l;
		const char *near;
		char name[33], t[24];
		int found;

		if (nodes_collect(c, s, p, &l) != 0)
			return CLI_FAILED;
		found = nodes_match(&l, text, (int64_t)time(NULL), by, dest);
		near = found == 0 ? nearest_name(&l, text, name) : NULL;
		free(l.v);
		if (found == 1)
			return CLI_OK;
		if (found < 0) {
			cli_error(c, "more than one node is named %s, or "
				     "begins so", text);
			cli_hint(c, "Name it by its hash: `warren nodes --all "
				    "--wide`.");
			return CLI_USAGE;
		}
		if (*by == NODE_BY_HASH) {
			/* not heard of: the mesh may know a path to it */
			return hex_decode(HASH_BYTES(*dest), text,
			    strlen(text)) ? CLI_OK : CLI_USAGE;
		}
		if (session_interrupted(s) ||
		    mono_reached(clock_mono(), end)) {
			cli_error(c, "no node %s is known%s%s%s", text,
			    near != NULL ? "; did you mean " : "",
			    near != NULL ? near : "", near != NULL ? "?" : "");
			cli_hint(c, part ? "A whole hash of 32 digits is "
				"looked for even if nobody here has heard of "
				"it; `warren nodes` lists who is heard." :
				"`warren nodes` lists who is heard.");
			return CLI_UNREACHABLE;
		}
		if (!told)
			cli_note(c, "no node %s is known yet: listening for it "
				    "for %s%s%s%s", text,
			    cli_duration(t, wait_us / 1000),
			    near != NULL ? ", unless you mean " : "",
			    near != NULL ? near : "",
			    near != NULL ? " (Ctrl-C)" : "");
		told = true;
		cli_progress(c, "listening for %s ...", text);
		session_run(s, LISTEN_TURN_US);
	}
}
