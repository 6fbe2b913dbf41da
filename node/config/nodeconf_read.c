/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/nodeconf_impl.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

#define SIZE_TOP (1ull << 50) /* ours: a petabyte is a typing error */

/* ---- which key stands where ---- */

static const char *const top_keys[] = {"mesh_identity", "auth_required",
    "trust_graph", "data_limit_per_minute", "accept_computation_requests",
    "name", "revocation_list", "trust", "limits", "quotas", "levels",
    "require_layers", "profile", "neighbour_limit_per_minute", "max_airtime",
    "announce_every", "hub", "metrics", "metrics_group", "keep_results", "keep_warm",
    "compute_when", "airtime", "watchdog", "klp", "forensics", "integrity",
    "lxmf", "probes", "image_policy", "image_serve", "wasm_engine",
    "wasm_code", "wasm_module", "runner", "runner_path"};
static const char *const trust_keys[] = {"floor", "anchors", "pins", "boards",
    "anchors_from", "require_live_secp", "on_stale", "grace",
    "log_witnesses"};
static const char *const limit_keys[] = {
    "jobs_running", "memory", "cpu", "time", "output", "spool",
    "io_read", "io_write"};
static const char *const quota_keys[] = {"jobs_queued", "jobs_per_hour",
    "cpu_seconds_per_day", "spool", "requests_per_minute"};

static const char *const klp_keys[] = {"gateways", "private_hosts", "ca",
    "refresh", "mirrors", "mirror_of", "allow_slow_fetch", "order"};

static const char *const integrity_keys[] = {"every"};

static const struct place {
	const char *name; /* NULL: at the top */
	const char *const *keys;
	size_t n;
} places[] = {{NULL, top_keys, NELEM(top_keys)},
    {"trust", trust_keys, NELEM(trust_keys)},
    {"limits", limit_keys, NELEM(limit_keys)},
    {"quotas", quota_keys, NELEM(quota_keys)},
    {"klp", klp_keys, NELEM(klp_keys)},
    {"integrity", integrity_keys, NELEM(integrity_keys)}};

/* Keys that are none here; one that is somewhere else is told so. */
void
conf_known(const struct ynode *map, unsigned at, struct mistakes *m)
{
	for (const struct ynode *c = map->first; c != NULL; c = c->next) {
		const struct place *p = NULL;
		char hint[80];

		if (ynode_key_in(c, places[at].keys, places[at].n))
			continue;
		for (size_t i = 0; p == NULL && i < NELEM(places); i++)
			if (ynode_key_in(c, places[i].keys, places[i].n))
				p = &places[i];
		if (p == NULL) {
			ynode_unknown(c, places[at].keys, places[at].n, m);
			continue;
		}
		if (p->name != NULL)
			(void)snprintf(hint, sizeof(hint), "it belongs below "
			    "\"%s:\", indented", p->name);
		else
			(void)snprintf(hint, sizeof(hint), "it belongs beside "
			    "\"%s:\", not below it", places[at].name);
		mistake_add(m, c->key_line, c->key_column, hint,
		    "\"%s\" stands in the wrong place", c->key);
	}
}

void
conf_int(const struct ynode *map, const char *key, const char *what,
    int64_t min, int64_t max, uint32_t *out, struct mistakes *m)
{
	int64_t v;

	WITH(map, key, n)
		if (ynode_int(n, what, min, max, &v, m))
			*out = (uint32_t)v;
}

void
conf_size(const struct ynode *map, const char *key, const char *what,
    uint64_t min, uint64_t *out, struct mistakes *m)
{
	WITH(map, key, n)
		(void)ynode_size(n, what, min, SIZE_TOP, out, m);
}

void
conf_time(const struct ynode *map, const char *key, const char *what,
    uint64_t min, uint64_t max, uint64_t *out, struct mistakes *m)
{
	WITH(map, key, n)
		(void)ynode_time_ms(n, what, min, max, out, m);
}

#define URI_CHARS                                                              \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-"

/* klp.md 1.1: an authority and a path; the parts are checked where used. */
static bool
klp_uri_ok(const char *s)
{
	size_t n;

	if (strncmp(s, "klp://", 6) != 0)
		return false;
	s += 6;
	n = strspn(s, URI_CHARS);
	if (n == 0 || n > 253 || s[n] != '/' || s[n + 1] == '\0')
		return false;
	return strspn(s, URI_CHARS "/?#=") == strlen(s);
}

void
conf_uri(const struct ynode *map, const char *key, const char **out,
    struct mistakes *m)
{
	const char *s;

	WITH(map, key, n) {
		if (ynode_null(n) || !ynode_text(n, key, 1, 512, &s, m))
			continue;
		if (klp_uri_ok(s))
			*out = s;
		else
			mistake_add(m, n->line, n->column,
			    "as in klp://trust.kos/mesh-overlay.json",
			    "%s \"%.80s\" is no klp:// address", key, s);
	}
}
