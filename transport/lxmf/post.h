/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_LXMF_POST_H
#define WARREN_TRANSPORT_LXMF_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>
#include <rns/rns.h>

#include "transport/lxmf/lxmf.h"

/*
 * Sending and receiving LXMF messages above librns (docs/spec/lxmf.md 3, 4):
 * a machine that is fed with events and time, and commands a core through
 * struct post_io. One per identity; the caller owns the core, files and clock.
 *
 * Out: a message goes to its destination when that answers, in a packet or
 * over a link; else, when there is a propagation node, to that, and when that
 * does not take it to the next one. In: packets, links and what the propagation
 * nodes keep. A packet is not proved, and nothing
 * deleted at the node, before post_taken() says that it is kept. What comes on
 * a link is proved as soon as it is whole: the sender waits some round trips.
 */
struct post;

#define POST_MESSAGE_MAX 262144u /* ours: bytes of one, both ways */
#define POST_QUEUE 64		 /* ours: messages that wait to go out */
#define POST_RATCHETS 512	 /* of the reference */
#define POST_NODES 4		 /* ours: propagation nodes of one machine */
#define POST_INCOMING 4		 /* ours: resources that come in at once */

enum post_by {
	POST_BY_PACKET,
	POST_BY_LINK,
	POST_BY_NODE,
};

struct post_message {
	uint64_t handle; /* for post_taken() */
	struct lxmf m;
	const uint8_t *packed; /* with its destination */
	size_t len;
	enum post_by by;
	struct id32 transient; /* BY_NODE; else zeros */
};

enum post_end {
	POST_DELIVERED, /* its destination has proved it */
	POST_STORED,	/* the propagation node has it */
	POST_FAILED,	/* its time is over */
	POST_CANCELLED,
};

enum post_look {
	POST_LOOK_DONE,
	POST_LOOK_UNREACHED, /* no path, no link, or no answer */
	POST_LOOK_REFUSED,   /* it does not let us */
	POST_LOOK_MALFORMED,
};

struct post_io {
	void *arg;
	/* rns_submit() of the core */
	int (*submit)(void *arg, const struct rns_cmd *);
	/* rns_known_get(); what it borrows holds until the next call here */
	bool (*known)(void *arg, const struct hash16 *dest, struct rns_known *);
	bool (*path)(void *arg, const struct hash16 *dest); /* there is one */
	void (*random)(void *arg, uint8_t *, size_t);
	/*
	 * What follows must not call the machine. message: what it borrows
	 * holds until it returns. The signature is not looked at.
	 */
	void (*message)(void *arg, const struct post_message *);
	/* why: of FAILED, a literal for people: what was lacking */
	void (*ended)(void *arg, uint64_t tag, enum post_end, const char *why);
	/* a look into the node ended; n messages were handed out */
	void (*looked)(void *arg, enum post_look, unsigned n);
	/* other private ratchets, all there are: to be kept; may be NULL */
	void (*ratchets)(void *arg, const uint8_t *keys, size_t n);
};

struct post_conf {
	uint8_t identity[RNS_KEY]; /* private */
	uint64_t tags; /* high bits of its tags, that nobody else uses */
	/* lxmf.propagation of each, the first is asked first; 0: there is none */
	struct hash16 nodes[POST_NODES];
	unsigned nnodes;
	size_t message_max; /* 0: POST_MESSAGE_MAX, which is the most */
	/*
	 * Announce ratchets (reticulum-endpoint.md 5.7), for who announces
	 * itself; those of before, n * 32 bytes, newest first, copied
	 */
	bool ratchets;
	const uint8_t *keys;
	size_t nkeys; /* POST_RATCHETS at most */
};

/*
 * NULL: out of memory. Adds the destination lxmf.delivery of the identity to
 * the core (proofs by the caller's word).
 */
struct post *post_new(const struct post_conf *, const struct post_io *,
    struct mono now);
/* Closes its links, removes its destination; nobody is told. NULL is fine. */
void post_free(struct post *);
const struct hash16 *post_address(const struct post *);
/* Announce ourselves: name may be NULL; cost of the stamp asked, 0 none. */
int post_announce(struct post *, const char *name, unsigned cost);

enum post_way {
	POST_ANY,    /* to its destination, else to the node */
	POST_DIRECT, /* to its destination or not at all */
	POST_NODE,   /* to the node */
};

struct post_letter {
	uint64_t tag; /* the caller's, echoed in ended() */
	const uint8_t *packed; /* of lxmf_pack() with our identity; copied */
	size_t len;
	/* of its destination; NULL: as announced */
	const uint8_t *pub;
	enum post_way way;
	struct mono until; /* MONO_NEVER: for ever */
};
/* 0, RNS_EPARSE, RNS_EBIG, RNS_ELIMIT (POST_QUEUE), RNS_ENOMEM. */
int post_send(struct post *, const struct post_letter *, struct mono now);
void post_cancel(struct post *, uint64_t tag);
/*
 * Ask each node for what it has for us; one look at a time, looked() ends it:
 * DONE when one has answered, else as the last one.
 */
int post_look(struct post *, struct mono now); /* RNS_ENOENT: no node */
/*
 * kept: it will never be lost from here on; proved or deleted at the node
 * then. Otherwise it may come again.
 */
void post_taken(struct post *, uint64_t handle, bool kept, struct mono now);

/* true: the event was about us alone. Give it all that come. */
bool post_event(struct post *, const struct rns_event *, struct mono now);
void post_tick(struct post *, struct mono now);
struct mono post_deadline(const struct post *);
/*
 * Stamps are searched for when the caller has nothing better to do: while
 * post_busy(), up to so many candidates at a time (1,000 are some 0.3 ms; the
 * first call for a message takes some 10 ms more).
 */
bool post_busy(const struct post *);
void post_work(struct post *, unsigned tries, struct mono now);

/* Where a letter is that waits to go out, for people. */
enum post_stage {
	POST_SEEKS,  /* a path or a link */
	POST_STAMPS, /* a stamp is searched for */
	POST_SENDS,  /* it is on its way, its proof awaited */
	POST_WAITS,  /* until `next` */
};
struct post_tried {
	unsigned failed; /* how often it was tried in vain */
	const char *why; /* the last time, a literal; NULL: never */
};
struct post_where {
	enum post_stage stage;
	bool by_node; /* through `node`, else to its destination */
	unsigned node; /* of conf.nodes */
	struct mono next;
	struct post_tried direct;	     /* its destination, by this letter */
	struct post_tried nodes[POST_NODES]; /* each, by whatever letter or look */
};
/* False: no letter with this tag waits. */
bool post_where(const struct post *, uint64_t tag, struct mono now,
    struct post_where *);

struct post_counts {
	unsigned waiting; /* to go out */
	uint64_t delivered, stored, failed;
	uint64_t received, malformed, too_large;
	uint64_t deleted; /* at the node */
};
void post_counts(const struct post *, struct post_counts *);

#endif
