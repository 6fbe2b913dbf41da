/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/terms.h"

#include "common/util.h"

/* ours: runc has 7 to 12 threads here, 12 MB, and two copies of itself */
#define GO_THREADS 32u
#define GO_MEMORY TERMS_MEMORY
/* ours: podman, conmon, crun, and podman again when the container ends */
#define PODMAN_PIDS 64u
#define SMALL (8ull << 20) /* ours: nsjail's peak here is 8, crun's 5 */

static const struct terms_tool tools[] = {
    {.number = RUNNER_NSJAIL, .pids = 3, .memory = SMALL,
	.make = nsjail_terms},
    {.number = RUNNER_BUBBLEWRAP, .pids = 3, .memory = SMALL,
	.version = "--version", .proc = true, .make = bubblewrap_terms},
    {.number = RUNNER_CRUN, .pids = 4, .memory = SMALL,
	.version = "--version", .make = crun_terms},
    {.number = RUNNER_RUNC, .pids = GO_THREADS, .memory = GO_MEMORY,
	.version = "--version", .groups = true, .make = runc_terms},
    {.number = RUNNER_PODMAN, .pids = PODMAN_PIDS, .memory = GO_MEMORY,
	.version = "--version", .env = "CONTAINERS_CONF=" TERMS_BUNDLE
	"/config.json", .groups = true, .stub = true, .make = podman_terms},
    /* one beside the job's first, and what that was copied with */
    {.number = RUNNER_DOCKER, .pids = 1, .memory = SMALL, .daemon = true},
};

const struct terms_tool *
terms_tool(unsigned runner)
{
	for (size_t i = 0; i < NELEM(tools); i++)
		if (tools[i].number == runner)
			return &tools[i];
	return NULL;
}
