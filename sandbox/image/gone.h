/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_GONE_H
#define WARREN_SANDBOX_IMAGE_GONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * Images that are taken out of the store. Of one that is revoked (klp.md 4.6)
 * meta/DIGEST.gone, the tombstone, is left, which says why in a line, and an
 * import of that image is refused while it stands. Names stay as they are.
 * Written by the store's owner only.
 */
#define GONE_WHY 160

/*
 * Nothing of it can be opened any more when this returns 0; what it was made
 * of lies in a folder tmp-*, for store_sweep(). One that is not here any more
 * is no fault. why NULL: without a tombstone. The caller holds the lock of the
 * store. -1 with errno: it may be asked for again.
 */
int store_bury(int dir, const struct id32 *digest, const char *why);
/* Does a tombstone stand for it, and what does it say? */
bool store_buried(int dir, const struct id32 *digest, char why[GONE_WHY]);
/*
 * Each image whose files are here, in no order, until the function says false.
 * 0 or -1.
 */
int store_each_root(int dir, bool (*fn)(void *ctx, const struct id32 *),
    void *ctx);

#endif
