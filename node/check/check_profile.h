/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_CHECK_PROFILE_H
#define WARREN_NODE_CHECK_CHECK_PROFILE_H

#include "node/check/finding.h"

/*
 * profiles/NAME.yaml and what each names: folders, a seccomp profile, an
 * image; then profiles/seccomp/. Behind check_node(): what c->profile does not
 * name is not in use, and what it lacks is a note.
 */
void check_profiles(struct check *);

#endif
