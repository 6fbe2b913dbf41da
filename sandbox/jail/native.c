/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/kind.h"

/* warren-jail: contains the jobs itself. */
int
main(int argc, char *argv[])
{
	static struct jail_kind kind = {.job = init_job, .trial = init_trial,
	    .warm = true, .keep = {-1, -1}, .layers = ~0u,
	    .trial_ms = KIND_TRIAL_MS};

	return jail_main(&kind, argc, argv);
}
