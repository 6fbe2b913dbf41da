/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standin NUMBER NAME=VALUE...: started as the parent starts the program with
 * that number, through the same drop, and hostile from there on. NUMBER 0: no
 * drop at all.
 */
#include <stdlib.h>

#include "common/program.h"
#include "tests/escape/attack.h"

int
main(int argc, char **argv)
{
	static struct process p;
	unsigned self = argc < 2 ? 0 : (unsigned)strtoul(argv[1], NULL, 10);

	if (self != 0) {
		argv[1] = argv[0];
		program_connect(&p, (enum program)self, argc - 1, argv + 1);
		program_confine(&p);
	}
	return attack_run();
}
