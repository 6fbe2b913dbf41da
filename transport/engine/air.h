/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_AIR_H
#define WARREN_TRANSPORT_ENGINE_AIR_H

#include <stddef.h>

#include "transport/engine/nif.h"
#include "transport/modem/airq.h"

/*
 * The queue of an interface of serial or radio (transport/modem/airq.h) with
 * what node.yaml says of its airtime, and its book on the disk, so that a
 * restart gives no fresh budget: storage/airtime/ has a file for each that has
 * a limit, by the hash of its name. It is written each AIR_SAVE_S seconds
 * while something is sent, and at the end. After a crash as much counts as
 * sent as may have been since.
 */
#define AIR_SAVE_S 60 /* ours: some 50 kB at most; flash wears */
#define AIR_FILE_MAX (16 + AIRQ_SAVED)

struct air {
	struct airq *q;
	bool loaded;         /* the book of the last run, or of its section */
	enum rns_kind last;  /* of a section: what left its radio last */
	uint64_t below;      /* ... and frames of all that share it */
	uint64_t saved_sent; /* frames, when it was saved last */
	struct mono saved;
};

/* n->medium from now on, of one that has its cfg. -1: no memory. */
int air_new(struct nif *);
/*
 * Where a section itself has a medium, that is the one radio of all that are
 * below it: what one of them sends counts for each, under the section's name on
 * the disk, so that a peer more, or one that comes back, is no fresh budget.
 * After airq_next(); and after airq_sent().
 */
void air_left(struct nif *, enum rns_kind, size_t len);
void air_sent(struct nif *);
/* Saves; for the stop() of its kind. */
void air_free(struct nif *);
/* The device is there and says how long packets last on its medium. */
void air_up(struct nif *, const struct airtime *);
/* `airtime` of node.yaml, airset.h, of all from now on; the text is copied. */
void air_settings(struct engine *, const char *text, size_t len);
void air_clear(struct engine *);
/* Once a second: writes what is due. */
void air_second(struct engine *);

#endif
