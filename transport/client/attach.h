/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CLIENT_ATTACH_H
#define WARREN_TRANSPORT_CLIENT_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ev.h>
#include <rns/hash.h>
#include <rns/rns.h>

/*
 * A program behind a shared instance, a stock one or Warren's: a librns core,
 * the local socket (reticulum-transport.md 12) and a libev loop of the caller.
 *
 * No call blocks (the connect of attach_open() is local) but attach_close(). Results come by
 * callback from the loop, never from inside the call that asked. Data that a
 * callback is given is valid until it returns. A callback may call everything
 * here but attach_close().
 *
 * When the instance goes away its links close (ATTACH_LINK_CLOSED), and the
 * connection is tried again every 8 s (reticulum-transport.md 12.4); what was
 * asked for goes on then, until its own time is over.
 */
struct attach;
struct attach_link;
struct attach_request;

/*
 * Connect to the shared instance of config_dir (NULL: found as rnsd finds it,
 * reticulum-transport.md 11.1). Known destinations and ratchets of its storage
 * folder are read when they are readable. 0, or -1 with *why a sentence for
 * people and errno: ENOENT no such configuration, EINVAL a mistake in it (file
 * and line in why), ECONNREFUSED no instance runs there, EOPNOTSUPP
 * share_instance is no, ENOMEM.
 */
int attach_open(struct attach **out, struct ev_loop *, const char *config_dir,
    char *why, size_t why_cap);
/*
 * Closes the links in order first; no callback comes after it. NULL is fine.
 * Blocks until the instance has read what was said last: some 10 ms (over TCP 50), at most 1 s.
 */
void attach_close(struct attach *);

/*
 * The core, to look at: rns_known_get(), rns_path_get(), rns_link_get(), ...
 * Commands go through attach_submit(), which takes the time and sends what
 * comes out of it before the loop sleeps.
 */
const struct rns *attach_rns(const struct attach *);
int attach_submit(struct attach *, const struct rns_cmd *);
/* Every event, before anything here acts on it; for programs that serve. */
void attach_on_event(struct attach *,
    void (*fn)(void *arg, const struct rns_event *), void *arg);
/* Announces of destinations with this name ("klp.node"; NULL: all). */
int attach_on_announce(struct attach *, const char *name,
    void (*fn)(void *arg, const struct rns_event *), void *arg);

/*
 * Ask for a path; fn once with true when there is one (at once in the next
 * turn if it is known), or false after timeout_us (0: 15 s). 0 or -1: ENOMEM.
 */
int attach_path(struct attach *, const struct hash16 *dest,
    int64_t timeout_us, void (*fn)(void *arg, bool found), void *arg);

/* ---- links ---- */

enum attach_link_state {
	ATTACH_LINK_PATH,   /* waiting for a path (news, not an end) */
	ATTACH_LINK_SETUP,  /* link request sent (news) */
	ATTACH_LINK_UP,     /* established, and identified when asked */
	ATTACH_LINK_FAILED, /* time is over: the handle is gone */
	ATTACH_LINK_CLOSED, /* was up: the handle is gone */
};

/*
 * The way to a destination as it was the last time, through this instance: a
 * program that has just attached knows no path, and the answer to its request
 * takes up to a second.
 */
struct attach_way {
	uint8_t public_key[RNS_KEY];
	struct hash16 next_hop;
	uint8_t hops;
};
/* The present one; false: not known. */
bool attach_way_get(const struct attach *, const struct hash16 *dest,
    struct attach_way *);
/* The configuration folder, whose instance it is. */
const char *attach_folder(const struct attach *);

struct attach_link_opts {
	/*
	 * NULL, or a way that may still hold: the link is asked for at once,
	 * and a path beside it; when the answer shows another way, or the link
	 * does not come, it is asked for once more.
	 */
	const struct attach_way *way;
	const uint8_t *identity; /* private key to identify with, or NULL */
	/*
	 * Of the whole way to UP; within it a path is asked for and a link is
	 * tried again and again. 0: 60 s.
	 */
	int64_t timeout_us;
};

/* NULL: out of memory. FAILED and CLOSED come once, as the last word. */
struct attach_link *attach_link_open(struct attach *,
    const struct hash16 *dest, const struct attach_link_opts *,
    void (*fn)(void *arg, struct attach_link *, enum attach_link_state),
    void *arg);
/* No callback comes after it; its requests end without one too. */
void attach_link_close(struct attach_link *);
/*
 * Once more: the one packet of it that an identified link begins with may have
 * been lost, and nothing tells of that but the peer. -1: not up, or without an
 * identity.
 */
int attach_link_identify(struct attach_link *);
/* Valid while UP. */
const uint8_t *attach_link_id(const struct attach_link *);
int64_t attach_link_rtt_us(const struct attach_link *);
bool attach_link_info(const struct attach_link *, struct rns_link_info *);

/* ---- requests (reticulum-endpoint.md 7, compute.md 3) ---- */

enum attach_result {
	ATTACH_ANSWERED,
	ATTACH_TIMEOUT,   /* no answer within the time */
	ATTACH_TOO_LARGE, /* the answer is over max_response */
	ATTACH_REJECTED,  /* the request was a resource and not taken */
	/* it was a resource and arrived, and its answer did not (repeat) */
	ATTACH_UNANSWERED,
	ATTACH_LINK_LOST,
};

struct attach_response {
	enum attach_result result;
	const uint8_t *data; /* packed value; NULL unless ANSWERED */
	size_t len;
	const uint8_t *metadata; /* of a file response, packed; or NULL */
	size_t metadata_len;
	int64_t took_us;
	unsigned copies; /* so often the request was sent (repeat) */
};

struct attach_request_opts {
	int64_t timeout_us;    /* without a sign of life; 0: 60 s, 60 RTT */
	uint64_t max_response; /* 0: 1 MiB */
	/*
	 * The request may be sent again (every one of compute.md may): after
	 * max(2 s, 8 RTT) without a sign of an answer, then after twice as
	 * long, and so on. One that goes as a resource is not: that long after
	 * it has arrived it ends UNANSWERED, and who asks may ask for less.
	 */
	bool repeat;
	/* the answer may be given so much later: not asked again before */
	int64_t patience_us;
	/* bytes of the request (sending) or of the answer; may be NULL */
	void (*progress)(void *arg, bool sending, uint64_t done,
	    uint64_t total);
};

/*
 * data: a packed value, copied; NULL: nil. fn comes exactly once, unless the
 * request is cancelled or the link closed by us. opts may be NULL. NULL: out
 * of memory, or the link is not up (ESTATE is ENOTCONN).
 */
struct attach_request *attach_request(struct attach_link *, const char *path,
    const uint8_t *data, size_t len, const struct attach_request_opts *opts,
    void (*fn)(void *arg, const struct attach_response *), void *arg);
void attach_request_cancel(struct attach_request *);
/* There is reason to have the answer now: its patience is over. */
void attach_request_hurry(struct attach_request *);

/*
 * Receive a stream of the link's channel (reticulum-endpoint.md 10); call it
 * before asking for the follow (compute.md 3.5). fn(NULL, 0, true) is the end
 * at the latest; a link that closes ends it by ATTACH_LINK_CLOSED only, and it
 * closes too when a piece is damaged. -1:
 * ENOMEM, ENOTCONN.
 */
int attach_stream(struct attach_link *, uint16_t stream,
    void (*fn)(void *arg, const uint8_t *, size_t, bool eof), void *arg);

#endif
