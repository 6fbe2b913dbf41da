/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_INIT_LABEL_H
#define WARREN_SANDBOX_JAIL_INIT_LABEL_H

#include <stdint.h>

#include "sandbox/base/command.h"
#include "sandbox/jail/init.h"

/*
 * The label of a job's command, by its first process: chosen by the plan and
 * by where its volumes lie, and looked at when the command runs. NULL; or why
 * the plan is refused, which asks for the layer.
 */
const char *init_label(const struct init_env *, const struct init_job *,
    const struct place *, struct command *);
/*
 * Why the command could not have its label, for people; NULL: it was not that,
 * or nothing that a policy which has changed since the start explains.
 */
const char *init_unlabelled(const struct command *);
/*
 * LAYER_LSM into *layers, if the started command is seen to be under its label,
 * else 0. NULL; or why the job must end: it is under another one, or the plan
 * asks for the layer.
 */
const char *init_labelled(const struct command *, pid_t, uint32_t *layers);

#endif
