/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <stdlib.h>
#include <string.h>

#include "transport/config/shwords.h"

/* PipeInterface: reticulum-transport.md 10.10 */
#define RESPAWN_S 5.0
#define RESPAWN_LEAST_S 0.05   /* ours */
#define RESPAWN_MOST_S 86400.0 /* ours: a day */

void
rnsconf_read_pipe(struct reader *r, struct rnsconf_if *i)
{
	unsigned line = conf_line(&r->v, "command");
	const char *v, *why;
	size_t len;
	char *mem;

	i->respawn_delay = RESPAWN_S;
	if (conf_get_float(&r->v, "respawn_delay", &i->respawn_delay) > 0 &&
	    !(i->respawn_delay >= 0 && i->respawn_delay <= RESPAWN_MOST_S))
		mistake_add(r->v.m, conf_line(&r->v, "respawn_delay"), 1,
		    "seconds, 0 to 86400", "%s: respawn_delay is out of range",
		    r->where);
	i->respawn_delay = MAX_OF(i->respawn_delay, RESPAWN_LEAST_S);
	switch (conf_get_text(&r->v, "command", &v)) {
	case 0:
		rnsconf_missing(r, i, "command", "\"ssh -T relay\"");
		return;
	case 1:
		break;
	default:
		return;
	}
	len = shwords_size(v);
	if ((mem = conf_keep(r->v.tree, NULL, len)) == NULL) {
		rnsconf_no_memory(r);
		return;
	}
	if ((why = shwords_split(v, mem)) != NULL)
		mistake_add(r->v.m, line, 1, "words as a shell reads them; "
		    "nothing else of a shell is understood", "%s: command: "
		    "%s", r->where, why);
	else if ((i->argv = (char *const *)(void *)mem)[0] == NULL)
		mistake_add(r->v.m, line, 1, "the program and its words",
		    "%s: command is empty", r->where);
}
