/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_SHARE_H
#define WARREN_SANDBOX_IMAGE_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What images have in common lies on the disk once: a file with content is a
 * name more (a hard link) of files/XX/KEY, and so is the same file of every
 * other image. KEY comes of the file's digest (audit/filesum.h), mode and
 * time, so a layer that two images have is shared whole, whoever packed it.
 * Several equal files of one image stay several (KEY-1, KEY-2, ...): which
 * names are one file is the image's own business.
 *
 * Nothing of what an import says of its files is believed: content is hashed
 * here before it gets its name, and again when it is used for another image.
 */
/*
 * The files of root, a fresh folder beneath work that nobody writes to any
 * more, as list has them. dir: the store. here: bytes that were here
 * already. 0; -1 with errno, EINVAL: the files are not those of the list. What
 * was shared until then stays so.
 */
int share_root(int dir, int work, int root, const uint8_t *list, size_t len,
    uint64_t *here);

/*
 * Removes what no image has any more. dry: only counts. 0 or -1; files and
 * bytes are added to.
 */
int share_drop(int dir, bool dry, uint32_t *files, uint64_t *bytes);

/* Bytes of the root's files that no other image has, and that others have. */
int share_weigh(int root, const uint8_t *list, size_t len, uint64_t *alone,
    uint64_t *shared);

#endif
