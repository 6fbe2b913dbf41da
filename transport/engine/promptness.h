/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_PROMPTNESS_H
#define WARREN_TRANSPORT_ENGINE_PROMPTNESS_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/mono.h>

/*
 * Whether a loop may go before everybody else. Pure. It may while it uses less
 * than a quarter of a processor; one that uses more, for instance because a
 * peer floods it, waits its turn like any program, until it has been modest for
 * a while. So nobody from outside can take the machine from its operator.
 */
#define PROMPT_LOOK_US 20000   /* between two looks, at least */
#define PROMPT_CALM_US 200000  /* so long modest before it is let in again */
#define PROMPT_TURN_US 100000  /* of one turn of the loop: RLIMIT_RTTIME */

struct promptness {
	bool prompt;
	struct mono at;    /* of the last look */
	int64_t used_us;   /* of a processor, by then */
	int64_t calm_us;   /* modest since so long */
};

/* A look is due: the next one needs the time used so far. */
bool prompt_due(const struct promptness *, struct mono now);
/* used_us: of a processor, by the whole program so far. What is right now. */
bool prompt_look(struct promptness *, struct mono now, int64_t used_us);
/* It was put out from elsewhere: modest from now on. */
void prompt_out(struct promptness *);

#endif
