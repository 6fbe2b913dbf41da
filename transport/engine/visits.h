/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_VISITS_H
#define WARREN_TRANSPORT_ENGINE_VISITS_H

#include <rns/mono.h>

/*
 * How much the log says of those who come and go at one listener: whoever
 * connects again and again shall not push out of it what others have to say.
 * Pure. In a minute so many lines, the last of which says that it is the last;
 * counters go on.
 */
#define VISITS_LINES 100 /* ours: a minute */

struct visits { /* all zero at first */
	struct mono since;
	unsigned lines;
	unsigned quiet;	 /* lines of this minute that are not said */
	unsigned unsaid; /* of a minute before: to be told now, once */
};

enum visits_say { VISITS_SAY, VISITS_LAST, VISITS_QUIET };
/* About to say a line. */
enum visits_say visits_ask(struct visits *, struct mono now);

#endif
