/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_LSM_H
#define WARREN_SANDBOX_PLAN_LSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/plan/apparmor.h"

/*
 * The kernel's own policy around a job, layer `lsm`: which module of the kernel
 * it is, under which label a job's command runs. Pure. The parent decides and
 * loads (node/parent/policy.h), jail is told by lsm_write()'s text.
 */
enum lsm_kind { LSM_NONE, LSM_APPARMOR, LSM_SELINUX };
#define LSM_LABEL_MAX 256
#define LSM_WHY_MAX 160

struct lsm {
	enum lsm_kind kind;
	/* AppArmor: the prefix of apparmor_text(), or with `whole` a profile */
	bool whole;
	char name[APPARMOR_NAME_MAX];
	/* SELinux: the label of the one that starts jobs; jail's to fill in */
	char current[LSM_LABEL_MAX];
	/* LSM_NONE: why not, for people; "": nobody expects one */
	char why[LSM_WHY_MAX];
};

/* "apparmor shapes NAME", ...; out has LSM_TEXT_MAX. */
#define LSM_TEXT_MAX 256
void lsm_write(char out[LSM_TEXT_MAX], const struct lsm *);
/* false: malformed, and *out is none. */
bool lsm_read(struct lsm *out, const char *text);

/* What jobs are to SELinux, and what their images are (etc/selinux/). */
#define SELINUX_JOB "warren_job_t"
#define SELINUX_IMAGE "system_u:object_r:warren_image_t:s0"
#define SELINUX_FILE "system_u:object_r:warren_file_t:s0"
/*
 * The context of a slot's jobs beside that of the one who starts them: its user
 * and role, our type, two categories that no other slot has both of. A policy
 * without levels has no fourth part. false: `current` is no context.
 */
bool selinux_context(char out[LSM_LABEL_MAX], const char *current,
    uint32_t slot);

/* The label of a job; false: there is none for it. */
bool lsm_label(char out[LSM_LABEL_MAX], const struct lsm *,
    const struct plan *, const struct apparmor_places *);
/* One that a job may have, to try. */
bool lsm_label_any(char out[LSM_LABEL_MAX], const struct lsm *);

#endif
