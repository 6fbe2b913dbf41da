/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/terms.h"

#include "common/util.h"

/* ours: runc has 7 to 12 threads here, 12 MB, and two copies of itself */
#define GO_THREADS 32u
#define GO_MEMORY TERMS_MEMORY
#define SMALL (8ull << 20) /* ours: nsjail's peak here is 8, crun's 5 */

static const struct terms_tool tools[] = {
    {RUNNER_NSJAIL, 3, SMALL, NULL, false, nsjail_terms},
    {RUNNER_BUBBLEWRAP, 3, SMALL, "--version", false, bubblewrap_terms},
    {RUNNER_CRUN, 4, SMALL, "--version", false, crun_terms},
    {RUNNER_RUNC, GO_THREADS, GO_MEMORY, "--version", true, runc_terms},
};

const struct terms_tool *
terms_tool(unsigned runner)
{
	for (size_t i = 0; i < NELEM(tools); i++)
		if (tools[i].number == runner)
			return &tools[i];
	return NULL;
}
