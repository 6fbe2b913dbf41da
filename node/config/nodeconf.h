/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_NODECONF_H
#define WARREN_NODE_CONFIG_NODECONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "trust/doc/fresh.h" /* enum on_stale */
#include "trust/doc/keytext.h"
#include "trust/doc/level.h"
#include "trust/doc/manifest.h" /* enum manifest_limit */
#include "common/ydoc.h"
#include "node/config/airconf.h"
#include "node/config/attestconf.h"
#include "node/config/handoutconf.h"
#include "node/config/hubconf.h"
#include "node/config/lxmfconf.h"
#include "node/config/forensicsconf.h"
#include "node/config/watchdogconf.h"
#include "node/config/whenconf.h"

/*
 * node.yaml as values (compute.md 10), read alike by the parent, node and
 * trust. Pure: text in, struct out; what is absent has its default. Texts
 * belong to the struct.
 */
#define NODE_NAME_MAX 32
#define NODE_JOBS_MAX 64 /* slots of the jail: sandbox/jail/jail.h */
#define NODE_BOARDS_MAX 64
#define NODE_ANCHORS_FROM_MAX 16
#define NODE_GATEWAYS_MAX 4
#define NODE_MIRRORS_MAX 4
#define NODE_MIRROR_OF_MAX 8
#define NODE_PRIVATE_HOSTS_MAX 16

enum live_secp { LIVE_ABOVE_2, LIVE_ALWAYS, LIVE_NEVER };

struct node_board {
	const char *text; /* approved_by of a manifest */
	const char *authority, *role;
};

/* Where documents come from besides klp/ (klp.md 1.5). */
enum klp_way { KLP_MESH, KLP_HTTPS, KLP_WAYS };

/* Bytes of a module, usually, and what may be allowed: sandbox/plan/wasm.h. */
#define CONF_MODULE_USUAL (64ull << 20)
#define CONF_MODULE_MAX (256ull << 20)

struct node_config {
	/* the five of compute.md 10 */
	bool has_identity;
	struct klp_key identity; /* mesh_identity */
	bool auth_required;
	const char *trust_graph; /* NULL: pins and anchors only */
	uint64_t data_limit_per_minute; /* bytes */
	bool accept; /* accept_computation_requests */

	const char *name; /* "" */
	const char *revocation_list; /* NULL */
	/* klp: where documents are fetched from (klp.md 1.5, 1.7) */
	const char *gateways[NODE_GATEWAYS_MAX]; /* https://..., no end slash */
	size_t ngateways;
	const char *private_hosts[NODE_PRIVATE_HOSTS_MAX];
	size_t nprivate_hosts;
	const char *ca; /* PEM file; NULL: the system's */
	uint64_t refresh_ms;
	struct hash16 mirrors[NODE_MIRRORS_MAX]; /* Reticulum identities */
	size_t nmirrors;
	/* authorities whose documents are here for others alone */
	const char *mirror_of[NODE_MIRROR_OF_MAX];
	size_t nmirror_of;
	bool allow_slow_fetch;
	enum klp_way ways[KLP_WAYS]; /* in which order they are asked */
	unsigned nways;

	int floor; /* as set; see node_config_floor() */
	struct level_pin *pins;
	size_t npins;
	struct level_anchor *anchors;
	size_t nanchors;
	struct node_board boards[NODE_BOARDS_MAX];
	size_t nboards;
	uint32_t log_witnesses; /* that must have signed a log */
	const char *anchors_from[NODE_ANCHORS_FROM_MAX];
	size_t nanchors_from;
	enum live_secp require_live_secp;
	enum on_stale on_stale;
	uint64_t grace_graph_ms, grace_list_ms;

	/* ceilings; 0: of the machine, until node_config_fit() */
	uint32_t jobs_running;
	uint64_t memory; /* bytes */
	uint32_t cpu_milli;
	uint64_t time_ms, output, spool;

	uint32_t jobs_queued, jobs_per_hour;
	uint64_t cpu_seconds_per_day, quota_spool;
	uint32_t requests_per_minute;

	/* [level - 1]: what `levels` says of rows +1 to +3; 0: as in 4 */
	uint64_t levels[3][LIMIT_COUNT];
	struct when_conf when;
	struct air_conf air[AIR_CONF_MAX]; /* airtime */
	unsigned nair;
	struct hub_conf hub;
	struct forensics_conf forensics;
	struct lxmf_conf lxmf;
	struct watchdog_conf watchdog;
	struct attest_conf attest; /* image_policy */
	uint64_t io_read, io_write; /* of all jobs, bytes a second; 0: any */
	struct handout_conf handout; /* image_serve */
	uint32_t require_layers; /* bits of sandbox/plan/plan.h, floor included */
	const char *profile;	 /* "default" */
	/* what contains jobs, unless the profile says (common/runner.h) */
	unsigned runner;
	const char *runner_path; /* of its program; NULL: the usual */
	uint64_t neighbour_limit_per_minute; /* 0: off */
	uint64_t max_airtime_ms;
	uint64_t announce_every_ms;
	const char *metrics; /* NULL */
	const char *metrics_group; /* who may read it too; NULL: nobody */
	uint64_t keep_results_ms;
	uint64_t keep_warm_ms; /* roots that are prepared; 0: none are */
	uint64_t integrity_ms; /* between two looks at what lies there */
	unsigned probes; /* the best tier that is wanted */
	bool wasm_engine; /* modules are run where the runner is installed */
	bool wasm_interpreted; /* ... without machine code of their own */
	uint64_t wasm_module; /* ... of so many bytes at most */

	struct ydoc *doc; /* owns the texts */
};

/*
 * 0 and *out, or -1: every mistake has its place and, where it helps, a hint.
 * An absent file is an empty text.
 */
int node_config_parse(struct node_config **out, const char *text, size_t len,
    struct mistakes *);
/*
 * The same for who names all mistakes: *out beside -1 too, with what could be
 * read and defaults in place of the rest; NULL when the text has no form.
 */
int node_config_look(struct node_config **out, const char *text, size_t len,
    struct mistakes *);
/*
 * submit.yaml, a person's (compute.md 11): anchors, pins, trust_graph,
 * revocation_list and floor (default 0) at the top; nothing else is set.
 */
int submit_config_parse(struct node_config **out, const char *text, size_t len,
    struct mistakes *);
void node_config_free(struct node_config *); /* NULL is fine */

/* Fill the ceilings that depend on the machine. */
void node_config_fit(struct node_config *, unsigned cpus, uint64_t memory);
/* Least level for a job: auth_required false waives it (klp.md 0). */
int node_config_floor(const struct node_config *);
/* For level_local(). */
struct level_conf node_config_levels(const struct node_config *);
/*
 * What is set and has no effect in this version: the i-th line to log at
 * start, or NULL behind the last.
 */
const char *node_config_later(const struct node_config *, unsigned i);

/*
 * HOST:PORT of metrics, where HOST is a numeric address, IPv6 in brackets, or
 * localhost: nobody looks names up for it.
 */
bool metrics_address(const char *, struct sockaddr_storage *, socklen_t *);

#endif
