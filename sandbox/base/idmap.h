/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_IDMAP_H
#define WARREN_SANDBOX_BASE_IDMAP_H

#include <stdint.h>

/*
 * Images whose files belong to the job: an id-mapped mount over /images of the
 * base, in which what belongs on the disk to who unpacked it, user and group
 * `owner`, belongs to `job`, which is user 1000 in the job. What belongs to
 * somebody else is nobody's, as all of it is without. Read-only like the one below, and locked
 * so once the mount namespace is copied into the slot's user namespace. A job
 * with a writable root can then change and rename what its image brought: an
 * overlay copies a file up with its owner, and one without an id inside is
 * refused.
 *
 * By root, in a mount namespace of the slot's own whose root is the base. 0; or
 * -1 with errno, and /images is as it was: the kernel cannot map this file
 * system's ids, or its overlay takes no such mount below (before Linux 5.19).
 */
int idmap_images(uint32_t owner, uint32_t job);

#endif
