/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-jail as it is built, hostile from the moment on in which it has given
 * up its rights and would read its first message.
 */
#include <unistd.h>

#include "common/program.h"
#include "tests/escape/attack.h"

void __wrap_program_receive(struct process *, program_extra_fn *, void *);

void
__wrap_program_receive(struct process *p, program_extra_fn *extra, void *ctx)
{
	(void)p;
	(void)extra;
	(void)ctx;
	_exit(attack_run());
}
