/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/rank.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/file.h"

/*
 * Without root our own files in /proc are closed to us while we cannot be
 * dumped; the user whose processes could look meanwhile is who started us.
 */
void
rank_before_relay(const char *rank)
{
	if (geteuid() != 0)
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	(void)file_put(AT_FDCWD, "/proc/self/oom_score_adj", rank);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
