/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_VISITS_H
#define WARREN_TRANSPORT_ENGINE_VISITS_H

#include <sys/types.h>

#include <rns/mono.h>

/*
 * How much the log says of those who come and go at one listener: whoever
 * connects again and again shall not push out of it what others have to say.
 * Pure. In a minute so many lines, the last of which says that it is the last;
 * counters go on.
 */
#define VISITS_LINES 100 /* ours: a minute */
#define VISITS_USERS 16	 /* ours: local users with lines of their own */

struct visits { /* all zero at first */
	struct mono since;
	unsigned lines;
	unsigned quiet;	 /* lines of this minute that are not said */
	unsigned unsaid; /* of a minute before: to be told now, once */
};

enum visits_say { VISITS_SAY, VISITS_LAST, VISITS_QUIET };
/* About to say a line. */
enum visits_say visits_ask(struct visits *, struct mono now);

/*
 * The same of local programs, so that those of one user push out no line of
 * another's: all zero at first. The last place is of all who find no other.
 */
struct visits_users {
	struct visits_user {
		uid_t uid;
		struct visits visits;
	} v[VISITS_USERS];
};
struct visits *visits_of(struct visits_users *, uid_t, struct mono now);
struct visits *visits_others(struct visits_users *);

#endif
