/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/reader.h"

#include <grp.h>
#include <stddef.h>
#include <unistd.h>

#include "common/log.h"

void
reader_group(const char *path, const char *name)
{
	const struct group *g = getgrnam(name);

	if (g == NULL)
		log_warnx("node.yaml", "metrics_group: no group \"%s\" here "
		    "(`getent group` lists them); only this user and root "
		    "read metrics", name);
	else if (lchown(path, (uid_t)-1, g->gr_gid) < 0)
		log_warn("node.yaml", "metrics_group: %s", name);
}
