/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/handstart.h"

#include <linux/capability.h>

#include "sandbox/base/caps.h"
#include "sandbox/base/sys.h"
#include "common/util.h"

/* Out of the way of 0 to 3 first: each of the four may be one of those. */
static int
streams(struct hand_start *h)
{
	int fds[4] = {h->in, h->out, h->report, h->hand};

	for (int i = 0; i < 4; i++)
		if ((fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 16)) < 0)
			return -1;
	/* the report may just be overwritten: its copy is not */
	h->report = fds[2];
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			return -1;
	h->report = STDERR_FILENO;
	if (dup3(fds[3], 3, O_CLOEXEC) < 0)
		return -1;
	return sys_close_range(4, ~0u);
}

const char *
hand_start(struct hand_start *h)
{
	uint64_t caps = (h->read_all ? 1ull << CAP_DAC_READ_SEARCH : 0) |
	    (h->trace ? 1ull << CAP_SYS_PTRACE : 0);
	char *env[] = {NULL};

	if (streams(h) < 0)
		return "descriptors";
	if (limits_apply(&h->limits) < 0)
		return "rlimits";
	if ((caps != 0 ? caps_keep(caps) : caps_drop_all()) < 0)
		return "capabilities";
	if (no_new_privs() < 0)
		return "no_new_privs";
	if (h->landlock_abi > 0 &&
	    landlock_apply(h->landlock_abi, h->paths, h->npaths) < 0)
		return "landlock";
	for (size_t i = 0; i < NELEM(h->filters) && h->filters[i] != NULL; i++)
		if (filter_load(h->filters[i]) < 0)
			return "base filter";
	(void)sys_execveat(3, h->argv, env);
	return "warren-hand";
}
