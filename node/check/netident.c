/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/netident.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int
netident_path(const struct rnsconf *conf, const char *dir, char *out,
    size_t cap)
{
	const char *path = conf->network_identity, *home = getenv("HOME");
	int n;

	if (path[0] == '~' && path[1] == '/')
		n = home == NULL ? -1 : snprintf(out, cap, "%s%s", home,
		    path + 1);
	else
		n = snprintf(out, cap, "%s%s%s", path[0] == '/' ? "" : dir,
		    path[0] == '/' ? "" : "/", path);
	return n < 0 || (size_t)n >= cap ? -1 : 0;
}

bool
netident_exposed(const struct rnsconf *conf, const char *dir, char *out,
    size_t cap)
{
	struct stat st;

	return conf->network_identity != NULL &&
	    netident_path(conf, dir, out, cap) == 0 && stat(out, &st) == 0 &&
	    S_ISREG(st.st_mode) && (st.st_mode & 077) != 0;
}

void
check_netident(struct check *c)
{
	char path[PATH_MAX];

	if (c->rns != NULL && netident_exposed(c->rns, c->path, path,
	    sizeof(path)))
		check_tell(c, true, "config", 0, 0, "chmod 600 it, and think "
		    "about who has it by now", "network_identity: others can "
		    "read or write %.300s", path);
}
