/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_REMEDY_H
#define WARREN_SANDBOX_JAIL_REMEDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A step of building a sandbox that this machine refused: which layers fail
 * with it, and what a person can do about it. Pure.
 */
struct remedy_facts {
	bool root;
	int userns_clone; /* kernel.unprivileged_userns_clone; -1: none here */
	int apparmor;     /* kernel.apparmor_restrict_unprivileged_userns */
};

/* Layers that cannot be had, one of the floor at least. */
uint32_t remedy_layers(const char *step);
/* "STEP: ERROR. What to do.", as much as fits. */
void remedy_text(char *out, size_t cap, const char *step, int error,
    const struct remedy_facts *);
/*
 * Of LAYERS_INHERITED those that lack, and why, behind what text holds. For
 * what is required: few machines have all of them.
 */
void remedy_inherited(char *text, size_t cap, uint32_t lacking);

#endif
