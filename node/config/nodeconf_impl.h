/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_NODECONF_IMPL_H
#define WARREN_NODE_CONFIG_NODECONF_IMPL_H

#include "node/config/nodeconf.h"

/*
 * What the readers of node.yaml's sections share; for the files of
 * node/config/ alone. `what` names a key for people. A key that is not there
 * leaves *out as it is, and so does a mistake, which is noted.
 */
#define CONF_SECOND 1000ull
#define CONF_MINUTE (60 * CONF_SECOND)
#define CONF_HOUR (60 * CONF_MINUTE)
#define CONF_DAY (24 * CONF_HOUR)

/* Reads one key if it is there. */
#define WITH(map, key, n)                                                      \
	for (const struct ynode *n = ynode_get(map, key); n != NULL; n = NULL)

/* Keys that a section has; one that belongs elsewhere is told so. */
enum conf_place { AT_TOP, IN_TRUST, IN_LIMITS, IN_QUOTAS, IN_KLP,
	IN_INTEGRITY };
void conf_known(const struct ynode *map, unsigned at, struct mistakes *);

void conf_int(const struct ynode *map, const char *key, const char *what,
    int64_t min, int64_t max, uint32_t *out, struct mistakes *);
void conf_size(const struct ynode *map, const char *key, const char *what,
    uint64_t min, uint64_t *out, struct mistakes *); /* bytes */
void conf_time(const struct ynode *map, const char *key, const char *what,
    uint64_t min, uint64_t max, uint64_t *out, struct mistakes *); /* ms */
/* klp.md 1.1 */
void conf_uri(const struct ynode *map, const char *key, const char **out,
    struct mistakes *);
/* read() for each entry of a list of at most max. */
void conf_list(struct node_config *, const struct ynode *list,
    const char *what, unsigned max,
    void (*read)(struct node_config *, const struct ynode *,
	struct mistakes *),
    struct mistakes *);

/* Sections, and parts of them that submit.yaml has too. */
bool conf_room_for_ids(struct node_config *, const struct ynode *trust,
    struct mistakes *);
void conf_pin(struct node_config *, const struct ynode *, struct mistakes *);
void conf_anchor(struct node_config *, const struct ynode *,
    struct mistakes *);
void conf_trust(struct node_config *, const struct ynode *, struct mistakes *);
void conf_integrity(struct node_config *, const struct ynode *,
    struct mistakes *);
void wasmconf_read(struct node_config *, const struct ynode *root,
    struct mistakes *);
void conf_probes(struct node_config *, const struct ynode *,
    struct mistakes *);
void conf_klp(struct node_config *, const struct ynode *, struct mistakes *);
void conf_klp_mesh(struct node_config *, const struct ynode *klp,
    struct mistakes *);

#endif
