/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/forensicsconf.h"

#include "common/util.h"
#include "node/config/nodeconf_impl.h"

#define MIB (1ull << 20)

void
forensics_defaults(struct forensics_conf *f)
{
	*f = (struct forensics_conf){.memory = true, .files = true,
	    .on_freeze = true, .bundles = 20, .per_hour = 6,
	    .total = 4096 * MIB, .most = 1024 * MIB};
}

static void
flag(const struct ynode *map, const char *key, const char *what, bool *out,
    struct mistakes *m)
{
	WITH(map, key, n)
		(void)ynode_bool(n, what, out, m);
}

void
forensics_read(struct forensics_conf *f, const struct ynode *map,
    struct mistakes *m)
{
	static const char *const known[] = {"memory", "files", "secrets",
	    "on_freeze", "on_revocation", "bundles", "per_hour", "total",
	    "most"};
	static const char *const words[] = {"exclude", "include"};
	unsigned w;

	if (ynode_null(map) || !ynode_is_map(map, "forensics", m))
		return;
	(void)ynode_known(map, known, NELEM(known), m);
	flag(map, "memory", "forensics.memory", &f->memory, m);
	flag(map, "files", "forensics.files", &f->files, m);
	flag(map, "on_freeze", "forensics.on_freeze", &f->on_freeze, m);
	flag(map, "on_revocation", "forensics.on_revocation",
	    &f->on_revocation, m);
	WITH(map, "secrets", n)
		if (ynode_word(n, "forensics.secrets", words, NELEM(words),
			&w, m))
			f->secrets = w == 1;
	conf_int(map, "bundles", "forensics.bundles", 0, 10000, &f->bundles, m);
	conf_int(map, "per_hour", "forensics.per_hour", 0, 10000, &f->per_hour,
	    m);
	conf_size(map, "total", "forensics.total", MIB, &f->total, m);
	conf_size(map, "most", "forensics.most", MIB, &f->most, m);
}
