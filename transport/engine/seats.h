/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_SEATS_H
#define WARREN_TRANSPORT_ENGINE_SEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The places of local programs on the shared instance (reticulum-transport.md
 * 12.1). Pure. They are apart from those of the mesh: callers.h has the rest
 * of ENGINE_IFS. A program that has nothing to say yet is as good as any, so
 * whoever comes gets a place; but when there is none, one that never sent a
 * packet makes room, of the process that has the most. So a process that
 * attaches without end takes the places from itself.
 */
#define SEATS_MAX 256     /* ours: programs */
#define SEATS_UID_MAX 128 /* ours: programs of one user but root */

struct seat {
	uid_t uid; /* -1: not known, as over TCP */
	pid_t pid; /* 0: not known */
	bool heard; /* has sent a packet */
};

enum seats_say {
	SEATS_TAKE,  /* there is a place */
	SEATS_SWAP,  /* the one at *out makes room */
	SEATS_SHARE, /* the user has his, and all of them are in use */
	SEATS_FULL,  /* all of them are in use */
};
/* May a program of that user attach? seats: those that are, the oldest first. */
enum seats_say seats_ask(const struct seat *, size_t n, uid_t, size_t *out);

#endif
