/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/idmap.h"

#include <sys/mount.h>

#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/userns.h"

#define IMAGES "/images"

/* An overlay of what is there now, for a moment. */
static int
overlay_takes_it(void)
{
	if (mount("overlay", "/hold", "overlay", MS_RDONLY | MS_NOSUID |
	    MS_NODEV, "lowerdir=" IMAGES ":/new,userxattr") < 0)
		return -1;
	return umount2("/hold", MNT_DETACH);
}

int
idmap_images(uint32_t owner, uint32_t job)
{
	_cleanup_fd_ int tree = -1, ns = -1;
	struct mount_attr a = {.attr_set = MOUNT_ATTR_IDMAP |
	    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	int saved;

	if ((ns = userns_holder(owner, job)) < 0)
		return -1;
	a.userns_fd = (uint64_t)ns;
	tree = open_tree(AT_FDCWD, IMAGES, OPEN_TREE_CLONE |
	    OPEN_TREE_CLOEXEC);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &a,
	    sizeof(a)) < 0 ||
	    move_mount(tree, "", AT_FDCWD, IMAGES, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	if (overlay_takes_it() == 0)
		return 0;
	saved = errno;
	(void)umount2(IMAGES, MNT_DETACH);
	errno = saved;
	return -1;
}
