/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_LINK_REPLAY_H
#define WARREN_TESTS_UNIT_LINK_REPLAY_H

#include <jansson.h>

#include "tests/unit/link_pair.h"

/*
 * Plays one side of a recorded transcript with our core, with the random bytes
 * that the record gives: what the peer sent is fed, what we send must be the
 * recorded bytes. An entry of ours that nothing has triggered yet is asked of
 * act(), by its context; without one, time passes until something is sent.
 */
struct replay {
	struct pair p;
	int me; /* 0 initiator, 1 responder */
	const json_t *item; /* link, transcript, ... */
	json_t *transcript;
	const uint8_t *key; /* derived_key */
	/* a command for entry i; false: there is none for it */
	bool (*act)(struct replay *, size_t i, const json_t *entry,
	    const char *context, const uint8_t *plain, size_t plain_len);
	void (*fed)(struct replay *, size_t i, const char *context);
	const json_t *segments; /* streams of parts that are not recorded */
	size_t segment;
	size_t parts; /* unrecorded ones, seen or fed */
	bool whole; /* the transcript begins with the handshake */
	void *arg;
};

void replay_begin(struct replay *, const json_t *item, const json_t *link,
    int me, const struct pair_opts *);
void replay_run(struct replay *);
void replay_end(struct replay *);
int replay_submit(struct replay *, const struct rns_cmd *);
/* Bring the link up from link material alone (no recorded handshake). */
void replay_handshake(struct replay *, const json_t *link);

#endif
