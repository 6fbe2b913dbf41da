/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_RESOLVE_H
#define WARREN_NODE_PARENT_RESOLVE_H

#include <stdint.h>

struct parent;

#define RESOLVE_MAX 8 /* addresses of an answer */
#define RESOLVE_UID 9 /* + base: the child that looks up a host name */
struct resolved {
	uint8_t family; /* 4 or 6 */
	uint8_t addr[16];
	uint32_t scope; /* of an address of one link; 0: none */
};
struct resolve;
/*
 * count 0: error is a text for people. Called once, not from inside start; the
 * resolve is over then and its handle gone.
 */
typedef void resolve_fn(void *ctx, const struct resolved *, unsigned count,
    const char *error);
/* Look it up in a confined child; NULL with errno: there will be no answer. */
struct resolve *resolve_start(struct parent *, const char *host, resolve_fn *,
    void *ctx);
void resolve_stop(struct resolve *); /* before the answer; NULL is fine */

/*
 * That child itself, when warrend is executed by this name: host, the number
 * to run as (0: ours); the answer goes to descriptor 3. Its exit status.
 */
#define RESOLVE_NAME "warrend-look-up"
int resolve_main(const char *host, const char *id);

#endif
