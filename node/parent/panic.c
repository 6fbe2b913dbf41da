/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/panic.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "node/parent/parent.h"

void
panic(struct parent *p, const struct msg_PANIC *m)
{
	char name[4 * sizeof(m->name)];

	if (!p->rns->panic_on_interface_error || p->stopping)
		return;
	(void)text_printable(name, sizeof(name), m->name, strlen(m->name));
	log_errx(name, "has failed, and panic_on_interface_error = yes: "
	    "warrend ends");
	p->panic = true;
	(void)kill(getpid(), SIGTERM); /* as if we were told to end */
}
