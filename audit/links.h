/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_LINKS_H
#define WARREN_AUDIT_LINKS_H

#include "audit/decode.h"

/*
 * The symbolic links that a job has made near the watched places, or under a
 * contract: of a call
 * that was refused, or has no file, only the path is known, and it may lead
 * through one of them. Pure; bounded, the oldest goes first.
 */
#define LINKS_MAX 16
#define LINK_PATH 256

struct links {
	struct link {
		char at[LINK_PATH], to[LINK_PATH]; /* at "": none */
	} link[LINKS_MAX];
	unsigned next;
	char renamed[EVENT_PATH]; /* of a rename, whose old name comes next */
};

/* In the order of the events: learns of links, and follows them in e->path. */
void links_follow(struct links *, struct watch_event *);

#endif
