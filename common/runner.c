/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/runner.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

static const char *const names[RUNNER_COUNT] = {
    [RUNNER_NATIVE] = "native", [RUNNER_DOCKER] = "docker",
    [RUNNER_PODMAN] = "podman", [RUNNER_NSJAIL] = "nsjail",
    [RUNNER_BUBBLEWRAP] = "bubblewrap", [RUNNER_CRUN] = "crun",
    [RUNNER_RUNC] = "runc"};

static const char *const programs[RUNNER_COUNT] = {
    [RUNNER_NSJAIL] = "nsjail", [RUNNER_BUBBLEWRAP] = "bwrap",
    [RUNNER_CRUN] = "crun", [RUNNER_RUNC] = "runc",
    [RUNNER_PODMAN] = "podman",
    [RUNNER_DOCKER] = "docker.sock"};

const char *
runner_program(unsigned n)
{
	return n < NELEM(programs) ? programs[n] : NULL;
}

const char *
runner_name(unsigned n)
{
	return n < NELEM(names) ? names[n] : NULL;
}

int
runner_number(const char *name)
{
	for (size_t i = 0; i < NELEM(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

void
runner_text(char *out, size_t cap, unsigned runner,
    const uint16_t version[RUNNER_PARTS])
{
	const char *name = runner_name(runner);

	if (name == NULL)
		name = "unknown";
	if ((version[0] | version[1] | version[2]) == 0)
		(void)snprintf(out, cap, "%s", name);
	else
		(void)snprintf(out, cap, "%s %u.%u.%u", name, version[0],
		    version[1], version[2]);
}
