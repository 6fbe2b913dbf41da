/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_OCSF_H
#define WARREN_AUDIT_OCSF_H

#include <stddef.h>
#include <stdint.h>

#include "common/fp.h"
#include "common/ipc_msg.h"

/* Events of the house as OCSF objects (klp.md 7). Pure. */
#define OCSF_MAX 12288 /* below TRAIL_LINE_MAX */
#define OCSF_VERSION "1.3.0"

struct ocsf_source {
	struct fp fp;	     /* of the node; zeros: not known yet */
	char boot[33];	     /* hex: this run of warren-audit */
	char urn[128];	     /* of the node */
};

/*
 * The object's JSON text on one line; its length, 0: no memory or too long.
 * from: who sent the event. seq: of the line that will hold it. Texts are
 * escaped; severity is brought into 1 to 5.
 */
size_t ocsf_event(char *out, size_t cap, const struct msg_EVENT *,
    enum program from, const struct ocsf_source *, uint64_t seq);
/* Of its kind, for who has no room for the object. */
void ocsf_class(const struct msg_EVENT *, uint16_t *class_uid,
    uint8_t *activity, uint8_t *disposition);
/* metadata.uid of the event in that line. */
#define OCSF_UID_MAX 90
void ocsf_uid(char out[OCSF_UID_MAX], const struct ocsf_source *, uint64_t seq);
/* As it will stand in the object: 1 to 5, also for an event without one. */
unsigned ocsf_severity(const struct msg_EVENT *);

#endif
