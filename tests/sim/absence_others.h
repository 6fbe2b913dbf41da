/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_SIM_ABSENCE_OTHERS_H
#define WARREN_TESTS_SIM_ABSENCE_OTHERS_H

#include <sys/queue.h>

#include <rns/rns.h>

#include "node/host/world.h"
#include "trust/doc/binding.h"

/*
 * The other programs of the node's machine: what they say to warren-node, and
 * what they keep while it is dead.
 */
struct other_event {
	TAILQ_ENTRY(other_event) link;
	enum ipc_type type;
	_Alignas(16) uint8_t msg[8192];
	uint8_t *data; /* of a memfd */
	size_t data_len;
};

struct others {
	uint8_t rns[RNS_KEY], rns_pub[RNS_KEY]; /* the node's two keys */
	struct klp_secret secret;
	struct klp_key key;
	uint8_t binding[BINDING_LEN];
};
extern struct others others;

void others_open(void);
void others_end(void);
/* To a node that begins. */
void others_hello(void);
/* It is dead: nobody hears what is on its way to it. */
void others_deaf(void);
struct other_event *others_next(void); /* NULL: nothing */
void others_free(struct other_event *);
bool others_waiting(void);

/* ---- jail ---- */
unsigned jail_number(const struct id32 *job);
void jail_works(void);
void jail_kill(const struct id32 *job, uint8_t why);
/* The ends of its pipes, which a node gets with STARTED and RUNNING. */
void jail_pipes(struct warren_node *, struct id32 job);
/* A slice with n bytes of a blob of this size, to the node or from it. */
void jail_moved(const struct id32 *sha, uint64_t size, size_t n, bool in);
void jail_output(unsigned number, const struct id32 *sha);
/* ---- absence_node.c ---- */
uint32_t others_unix(void);
void others_reply(const struct msg_N_REPLY *, const int *fds, unsigned nfds);
void others_follow(const struct msg_N_FOLLOW *, int fd);
void others_close(const struct msg_N_CLOSE *);
void others_app_data(const struct msg_N_APP_DATA *);
void others_pack(const struct msg_J_STEP *, unsigned number);

#endif
