#ifndef RNS_KNOWN_H
#define RNS_KNOWN_H

#include "announce.h"
#include "core.h"

/* Known destinations (4.6) and received ratchets (4.7), bounded. */
struct known {
	RB_ENTRY(known) node;
	uint8_t dest[RNS_HASH];
	uint8_t public_key[RNS_KEY];
	uint8_t identity_hash[RNS_HASH];
	uint8_t packet_hash[RNS_FULL_HASH];
	uint8_t *app_data; /* NULL: nil */
	size_t app_data_len;
	int64_t heard_us, used_us;
	bool has_ratchet;
	uint8_t ratchet[RNS_RATCHET];
	int64_t ratchet_us;
};

int known_table_new(struct rns *);
void known_table_free(struct rns *);
struct known *known_find(const struct rns *, const uint8_t dest[RNS_HASH]);
/* KNOWN_ADD and RATCHET_ADD; core.c passes them on. */
int known_submit(struct rns *, const struct rns_cmd *);
/*
 * Steps 5 to 7 of 5.5 for an announce that passed steps 1 to 4. RNS_EAUTH:
 * known with another key; RNS_ENOMEM, RNS_ELIMIT: nothing was stored.
 */
int known_learn(struct rns *, const struct announce *, const struct packet *);
/* The ratchet to encrypt with, or NULL (none, or older than 30 days). */
const uint8_t *known_ratchet(const struct rns *, const struct known *);
void known_mark_used(struct rns *, struct known *);

#endif
