/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/jail_io.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/cgdetect.h"
#include "common/file.h"
#include "common/layers.h"

void
jail_io_look(char text[JAIL_IO_TEXT])
{
	ssize_t n = file_read(AT_FDCWD, "/proc/self/cgroup", text,
	    JAIL_IO_TEXT - 1);

	text[n < 0 ? 0 : n] = '\0';
}

uint32_t
jail_io(const char *text, const struct msg_PARAMS *p, bool afar)
{
	char jobs[96];

	(void)snprintf(jobs, sizeof(jobs), "/warren-%s/jobs", p->instance);
	return (p->cg_v2 | (!afar && cg_ends(text, "blkio", jobs) ?
	    p->cg_v1 : 0)) & (uint32_t)LAYER_IO;
}
