/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_APPARMOR_H
#define WARREN_SANDBOX_PLAN_APPARMOR_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/plan/plan.h"

/*
 * A job's profile in AppArmor's own language, made of the plan. Pure.
 *
 * A profile is loaded before the first job and says where by names, while a
 * manifest may put its volumes anywhere: so there is one for each shape that a
 * plan can have, all loaded at the start, and a job gets the narrowest that its
 * own volumes fit in. What no shape gives: a capability, a mount, a trace, a
 * socket that is not of the unix family, a write below /sys or to the kernel's
 * files in /proc, another profile, a signal to what has another one.
 */
enum apparmor_writes {
	APPARMOR_TMP,	 /* /tmp alone: no volume of the job's is to write */
	APPARMOR_BESIDE, /* ... and what is the job's, beside the system */
	APPARMOR_OWN,	 /* ... and what is the job's, wherever it lies */
	APPARMOR_ALL,	 /* the whole root, which is the job's to change */
};
struct apparmor_shape {
	enum apparmor_writes writes;
	bool noexec; /* nothing in /tmp is a program */
	bool wasm;   /* nothing is, but the runner of modules */
};
/* Every shape is one of these. */
#define APPARMOR_SHAPES 12u
void apparmor_shape(unsigned number, struct apparmor_shape *out);

/*
 * Of a plan whose volumes lie at these places, which are without their first
 * slash and without links; tmp likewise. false: /dev or /proc is not where
 * every profile has it.
 */
struct apparmor_places {
	const char *dev, *tmp, *proc;
	const char *volumes[PLAN_VOLUMES_ALL];
};
bool apparmor_shape_of(struct apparmor_shape *out, const struct plan *,
    const struct apparmor_places *);

/* "warren-0123abcd" and the shape: "warren-0123abcd-beside-noexec". */
#define APPARMOR_NAME_MAX 80
#define APPARMOR_PREFIX_MAX 48
void apparmor_name(char out[APPARMOR_NAME_MAX], const char *prefix,
    const struct apparmor_shape *);
/* A name that is said to a kernel: [A-Za-z0-9_.:/-]+, short enough. */
bool apparmor_name_ok(const char *);

/*
 * The text of all shapes, with a NUL; the length without it, or -1: it does not
 * fit in cap.
 */
#define APPARMOR_TEXT_MAX 65536
int apparmor_text(char *out, size_t cap, const char *prefix);

#endif
