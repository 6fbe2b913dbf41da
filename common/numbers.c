/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/numbers.h"

#include <stdio.h>
#include <unistd.h>

#include "common/util.h"

static bool
numbers_mapped(const char *file, uint32_t base)
{
	FILE *f = fopen(file, "re");
	unsigned long in, out, count;
	bool ok = false;

	while (!ok && f != NULL &&
	    fscanf(f, "%lu %lu %lu", &in, &out, &count) == 3)
		ok = in <= base && base + 512ul - in <= count;
	if (f != NULL)
		(void)fclose(f);
	return ok;
}

bool
numbers_usable(uint32_t base)
{
	static const int needed[] = {0 /* CHOWN */, 6 /* SETGID */,
	    7 /* SETUID */, 8 /* SETPCAP */, 21 /* SYS_ADMIN */};
	FILE *f;
	char line[128];
	unsigned long long caps = 0;

	if (geteuid() != 0)
		return false;
	f = fopen("/proc/self/status", "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (f != NULL)
		(void)fclose(f);
	for (size_t i = 0; i < NELEM(needed); i++)
		if (!(caps >> needed[i] & 1))
			return false;
	return numbers_mapped("/proc/self/uid_map", base) &&
	    numbers_mapped("/proc/self/gid_map", base);
}
