/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/nodeconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/config/nodeconf_impl.h"
#include "node/config/profile.h"
#include "common/layers.h"
#include "common/util.h"

#define GROUP_NAME_MAX 64
#define MIB (1ull << 20)
#define GRAPH_GRACE (7 * CONF_DAY) /* klp.md 1.8 */
#define LIST_GRACE CONF_DAY

/* What is wrong with a key that is none. */
static const char *
identity_hint(const char *s)
{
	if (strspn(s, "0123456789abcdefABCDEF") == 66 && s[66] == '\0')
		return "with pubkey:ecc-secp256k1: before it";
	if (strstr(s, "pubkey:") != NULL && strncmp(s, "pubkey:", 7) != 0)
		return "from \"pubkey:\" on, and no more";
	return "pubkey:ecc-secp256k1: and 66 hex digits; `warren identity "
	       "show --config DIR` prints it";
}

static void
read_identity(struct node_config *c, const struct ynode *map,
    struct mistakes *m)
{
	const char *s;

	WITH(map, "mesh_identity", n) {
		if (ynode_null(n) ||
		    !ynode_text(n, "mesh_identity", 1, 200, &s, m))
			continue;
		if (!key_parse(&c->identity, s, n->len)) {
			mistake_add(m, n->line, n->column, identity_hint(s),
			    "mesh_identity \"%.80s\" is no public key", s);
		} else if (c->identity.kind != KEY_SECP256K1) {
			mistake_add(m, n->line, n->column, identity_hint(""),
			    "mesh_identity must be a secp256k1 key");
		} else {
			c->has_identity = true;
		}
	}
}

static void
read_seed(struct node_config *c, const struct ynode *r, struct mistakes *m)
{
	read_identity(c, r, m);
	WITH(r, "auth_required", n)
		(void)ynode_bool(n, "auth_required", &c->auth_required, m);
	conf_uri(r, "trust_graph", &c->trust_graph, m);
	conf_size(r, "data_limit_per_minute", "data_limit_per_minute", 1024,
	    &c->data_limit_per_minute, m);
	WITH(r, "accept_computation_requests", n)
		(void)ynode_bool(n, "accept_computation_requests", &c->accept,
		    m);
}

static void
read_limits(struct node_config *c, const struct ynode *l, struct mistakes *m)
{
	if (!ynode_is_map(l, "limits", m))
		return;
	conf_known(l, IN_LIMITS, m);
	conf_int(l, "jobs_running", "limits.jobs_running", 1, NODE_JOBS_MAX,
	    &c->jobs_running, m);
	conf_size(l, "memory", "limits.memory", 16 * MIB, &c->memory, m);
	WITH(l, "cpu", n)
		(void)ynode_cpu_milli(n, "limits.cpu", &c->cpu_milli, m);
	conf_time(l, "time", "limits.time", CONF_SECOND, 366 * CONF_DAY,
	    &c->time_ms, m);
	conf_size(l, "output", "limits.output", 1024, &c->output, m);
	conf_size(l, "spool", "limits.spool", MIB, &c->spool, m);
	conf_size(l, "io_read", "limits.io_read", 65536, &c->io_read, m);
	conf_size(l, "io_write", "limits.io_write", 65536, &c->io_write, m);
}

static void
read_quotas(struct node_config *c, const struct ynode *q, struct mistakes *m)
{
	int64_t v;

	if (!ynode_is_map(q, "quotas", m))
		return;
	conf_known(q, IN_QUOTAS, m);
	conf_int(q, "jobs_queued", "quotas.jobs_queued", 1, 65535,
	    &c->jobs_queued, m);
	conf_int(q, "jobs_per_hour", "quotas.jobs_per_hour", 1, 1000000,
	    &c->jobs_per_hour, m);
	WITH(q, "cpu_seconds_per_day", n)
		if (ynode_int(n, "quotas.cpu_seconds_per_day", 1, INT64_C(1)
			<< 40, &v, m))
			c->cpu_seconds_per_day = (uint64_t)v;
	conf_size(q, "spool", "quotas.spool", 1024, &c->quota_spool, m);
	conf_int(q, "requests_per_minute", "quotas.requests_per_minute", 1,
	    1000000, &c->requests_per_minute, m);
}

static void
read_levels(struct node_config *c, const struct ynode *map, struct mistakes *m)
{
	static const char *const known[] = {"1", "2", "3"};

	if (ynode_null(map) || !ynode_is_map(map, "levels", m))
		return;
	(void)ynode_known(map, known, NELEM(known), m);
	for (unsigned i = 0; i < NELEM(known); i++) {
		char what[16];

		(void)snprintf(what, sizeof(what), "levels.%s", known[i]);
		WITH(map, known[i], n)
			(void)limits_read(n, what, c->levels[i], m);
	}
}

static void
read_layers(struct node_config *c, const struct ynode *list,
    struct mistakes *m)
{
	const char *names[32];
	size_t nnames = 0;

	if (!ynode_is_list(list, "require_layers", m))
		return;
	for (unsigned bit = 0; bit < 32; bit++)
		if (LAYERS_KNOWN & 1u << bit)
			names[nnames++] = layer_name(bit);
	c->require_layers = LAYERS_FLOOR;
	for (const struct ynode *n = list->first; n != NULL; n = n->next) {
		unsigned w;

		if (ynode_word(n, "a layer", names, nnames, &w, m))
			c->require_layers |= layer_bit(names[w]);
	}
}

static bool
metrics_ok(const char *s)
{
	struct sockaddr_storage sa;
	socklen_t len;

	if (strncmp(s, "unix:", 5) == 0)
		return s[5] == '/' && strlen(s) < 108;
	return metrics_address(s, &sa, &len);
}

static void
read_address(const struct ynode *map, const char *key, bool (*ok)(const char *),
    const char *hint, const char **out, struct mistakes *m)
{
	const char *s;

	WITH(map, key, n) {
		if (ynode_null(n) || !ynode_text(n, key, 1, 255, &s, m))
			continue;
		if (ok(s))
			*out = s;
		else
			mistake_add(m, n->line, n->column, hint,
			    "%s \"%.80s\" is not usable", key, s);
	}
}

static void
read_rest(struct node_config *c, const struct ynode *r, struct mistakes *m)
{
	WITH(r, "name", n)
		(void)ynode_text(n, "name", 0, NODE_NAME_MAX, &c->name, m);
	conf_uri(r, "revocation_list", &c->revocation_list, m);
	WITH(r, "profile", n)
		if (ynode_text(n, "profile", 1, PROFILE_NAME_MAX, &c->profile,
			m) &&
		    (!profile_name_ok(c->profile) ||
			strstr(c->profile, ".yaml") != NULL))
			mistake_add(m, n->line, n->column,
			    "a name of profiles/, without .yaml",
			    "profile \"%.64s\" is no name", c->profile);
	WITH(r, "runner", n)
		(void)runner_read(n, &c->runner, m);
	WITH(r, "runner_path", n)
		if (ynode_text(n, "runner_path", 2, 255, &c->runner_path, m) &&
		    c->runner_path[0] != '/')
			mistake_add(m, n->line, n->column,
			    "as in /usr/local/bin/nsjail",
			    "runner_path \"%.64s\" does not begin with /",
			    c->runner_path);
	conf_size(r, "neighbour_limit_per_minute", "neighbour_limit_per_minute",
	    0, &c->neighbour_limit_per_minute, m);
	conf_time(r, "max_airtime", "max_airtime", CONF_SECOND, 366 * CONF_DAY,
	    &c->max_airtime_ms, m);
	conf_time(r, "announce_every", "announce_every", 5 * CONF_MINUTE, CONF_DAY,
	    &c->announce_every_ms, m);
	conf_time(r, "keep_results", "keep_results", CONF_SECOND, 3660 * CONF_DAY,
	    &c->keep_results_ms, m);
	conf_time(r, "keep_warm", "keep_warm", 0, CONF_DAY, &c->keep_warm_ms,
	    m);
	read_address(r, "metrics", metrics_ok, "unix:/PATH, or HOST:PORT with an address or localhost and a port to 65535, as 127.0.0.1:9464",
	    &c->metrics, m);
	WITH(r, "metrics_group", n) {
		if (!ynode_text(n, "metrics_group", 1, GROUP_NAME_MAX,
			&c->metrics_group, m))
			return;
		if (c->metrics == NULL ||
		    strncmp(c->metrics, "unix:", 5) != 0)
			mistake_add(m, n->line, n->column,
			    "metrics: unix:/PATH, or leave it out",
			    "metrics_group is for a socket of metrics, and "
			    "there is none");
	}
}

static void
read_root(struct node_config *c, const struct ynode *r, struct mistakes *m)
{
	conf_known(r, AT_TOP, m);
	read_seed(c, r, m);
	read_rest(c, r, m);
	WITH(r, "trust", n)
		conf_trust(c, n, m);
	WITH(r, "klp", n)
		conf_klp(c, n, m);
	WITH(r, "klp", n)
		conf_klp_mesh(c, n, m);
	WITH(r, "integrity", n)
		conf_integrity(c, n, m);
	WITH(r, "probes", n)
		conf_probes(c, n, m);
	wasmconf_read(c, r, m);
	WITH(r, "limits", n)
		read_limits(c, n, m);
	WITH(r, "quotas", n)
		read_quotas(c, n, m);
	WITH(r, "levels", n)
		read_levels(c, n, m);
	WITH(r, "require_layers", n)
		read_layers(c, n, m);
	WITH(r, "compute_when", n)
		when_read(&c->when, n, m);
	WITH(r, "airtime", n)
		c->nair = air_read(c->air, n, m);
	WITH(r, "hub", n)
		hub_read(&c->hub, n, m);
	WITH(r, "forensics", n)
		forensics_read(&c->forensics, n, m);
	WITH(r, "lxmf", n)
		lxmfconf_read(&c->lxmf, n, m);
	WITH(r, "watchdog", n)
		watchdog_read(&c->watchdog, n, m);
	WITH(r, "image_policy", n)
		attest_conf_read(&c->attest, n, m);
	WITH(r, "image_serve", n)
		handout_read(&c->handout, n, m);
}

static void
set_defaults(struct node_config *c)
{
	*c = (struct node_config){
	    .auth_required = true,
	    .data_limit_per_minute = 5 * MIB,
	    .name = "",
	    .floor = 1,
	    .grace_graph_ms = GRAPH_GRACE,
	    .grace_list_ms = LIST_GRACE,
	    .refresh_ms = 5 * CONF_MINUTE,
	    .ways = {KLP_MESH, KLP_HTTPS},
	    .nways = KLP_WAYS,
	    .cpu_milli = 2000,
	    .time_ms = CONF_HOUR,
	    .output = 256 * MIB,
	    .spool = 1024 * MIB,
	    .jobs_queued = 16,
	    .jobs_per_hour = 120,
	    .cpu_seconds_per_day = 86400,
	    .quota_spool = 256 * MIB,
	    .requests_per_minute = 600,
	    .require_layers = LAYERS_FLOOR | LAYER_UTS | LAYER_MEMORY |
		LAYER_CPU | LAYER_PIDS,
	    .profile = "default",
	    .max_airtime_ms = 10 * CONF_MINUTE,
	    .announce_every_ms = 30 * CONF_MINUTE,
	    .keep_results_ms = 7 * CONF_DAY,
	    .keep_warm_ms = 10 * CONF_MINUTE,
	    .integrity_ms = CONF_HOUR,
	    .wasm_engine = true,
	    .wasm_module = CONF_MODULE_USUAL,
	};
	hub_defaults(&c->hub);
	forensics_defaults(&c->forensics);
	lxmfconf_defaults(&c->lxmf);
	watchdog_defaults(&c->watchdog);
	handout_defaults(&c->handout);
}

/* Whom a person trusts with inputs: the trust keys, without their section. */
static void
read_submit(struct node_config *c, const struct ynode *r, struct mistakes *m)
{
	static const char *const known[] = {
	    "anchors", "pins", "trust_graph", "revocation_list", "floor"};
	int64_t v;

	(void)ynode_known(r, known, NELEM(known), m);
	if (!conf_room_for_ids(c, r, m))
		return;
	WITH(r, "floor", n)
		if (ynode_int(n, "floor", LEVEL_MIN, LEVEL_MAX, &v, m))
			c->floor = (int)v;
	WITH(r, "anchors", n)
		conf_list(c, n, "anchors", LEVEL_ANCHORS_MAX, conf_anchor, m);
	WITH(r, "pins", n)
		conf_list(c, n, "pins", LEVEL_PINS_MAX, conf_pin, m);
	conf_uri(r, "trust_graph", &c->trust_graph, m);
	conf_uri(r, "revocation_list", &c->revocation_list, m);
}

/* look: what could be read is given beside the mistakes. */
static int
parse(struct node_config **out, const char *text, size_t len, const char *what,
    bool look,
    void (*read)(struct node_config *, const struct ynode *,
	struct mistakes *),
    struct mistakes *m)
{
	struct node_config *c = malloc(sizeof(*c));
	unsigned before = m->n;

	if (c == NULL) {
		mistake_add(m, 0, 0, NULL, "out of memory");
		return -1;
	}
	set_defaults(c);
	if (read == read_submit)
		c->floor = 0;
	if (ydoc_parse(&c->doc, text, len, m) == 0) {
		const struct ynode *r = ydoc_root(c->doc);

		if (!ynode_null(r) && ynode_is_map(r, what, m))
			read(c, r, m);
	}
	if (m->n != before && !(look && c->doc != NULL)) {
		node_config_free(c);
		return -1;
	}
	*out = c;
	return m->n != before ? -1 : 0;
}

int
node_config_look(struct node_config **out, const char *text, size_t len,
    struct mistakes *m)
{
	*out = NULL;
	return parse(out, text, len, "node.yaml", true, read_root, m);
}

int
node_config_parse(struct node_config **out, const char *text, size_t len,
    struct mistakes *m)
{
	return parse(out, text, len, "node.yaml", false, read_root, m);
}

int
submit_config_parse(struct node_config **out, const char *text, size_t len,
    struct mistakes *m)
{
	return parse(out, text, len, "submit.yaml", false, read_submit, m);
}

void
node_config_free(struct node_config *c)
{
	if (c == NULL)
		return;
	ydoc_free(c->doc);
	free(c->pins);
	free(c->anchors);
	attest_conf_free(&c->attest);
	free(c);
}
