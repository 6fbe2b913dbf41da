/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_IMAGE_FROM_H
#define WARREN_NODE_CLI_IMAGE_FROM_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/cli.h"
#include "sandbox/image/pulled.h"

/*
 * `warren image pull --from NODE`: an image of another node, over the mesh
 * (compute.md 3.7), into the layout of pulled.h, from which it is imported as
 * any other. What the node says is believed as far as digests go: contents by
 * their own, layers by that of the configuration. What has come and was looked
 * at stays, so that a pull which was cut goes on.
 *
 * Results are exit statuses, what fails is said.
 */
struct image_from;
struct image_from_ask {
	const char *node, *image; /* NAME[:TAG] or sha256:... */
	bool by_digest; /* the image that open() is given, whatever its name */
	int images;		  /* the store */
	struct pulled *at;
	uint64_t max; /* bytes of its layers; of its contents here, in blocks */
	bool slow;    /* however long it takes */
};
struct image_from_done {
	uint64_t fetched; /* bytes of answers */
	uint64_t reused;  /* of contents that are in the store, or were left */
	uint64_t total;	  /* of all layers */
};

/*
 * To the node, and which image it is (by_digest: in); close it in any case.
 */
int image_from_open(struct cli *, struct image_from **,
    const struct image_from_ask *, struct id32 *digest);
/* All of it, with the layout's index. */
int image_from_fetch(struct image_from *, struct image_from_done *);
/* It is imported: what had come can go. */
void image_from_drop(struct image_from *);
void image_from_close(struct image_from *); /* NULL is fine */

#endif
