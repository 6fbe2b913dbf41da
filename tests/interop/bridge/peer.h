/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_INTEROP_BRIDGE_PEER_H
#define WARREN_TESTS_INTEROP_BRIDGE_PEER_H

#include "tests/interop/bridge/call.h"

/*
 * A live node: one context of the library, its TCP sockets, and what its events
 * left for the commands that ask. There is one at a time; it runs while the
 * bridge waits for a request and while a command waits for an event.
 */
#define PEER_CONNS 64
#define PEER_PROVED 256
#define RECEIPT_SENT 1 /* its status in the reference; ours has no event */
#define BRIDGE_MESSAGE 0x0101 /* the type of messages that are sent */

struct conn {
	int fd; /* -1: free */
	unsigned ifid;
	struct rns_deframer *in;
	uint8_t *out;
	size_t out_len, out_cap;
};

struct stream_got { /* of one stream of a listener */
	struct stream_got *next;
	int64_t id;
	uint8_t *data;
	size_t len;
	bool eof;
	int err; /* not RNS_OK: it broke off */
};

struct rnsconf;
struct listener { /* what wire_listen made */
	struct listener *next;
	struct hash16 dest;
	struct hash16 last_link; /* the newest incoming one */
	int links;
	bool no_channel;
	const uint16_t *stream_ids; /* that are open on each link, besides 0 */
	size_t nstream_ids;
	struct stream_got *streams;
	json_t *packets, *link_packets, *resources, *messages, *requests;
	struct { /* the incoming resource that ended last */
		int count, status;
		struct bytes data, metadata;
	} came;
	struct { /* the one that is on its way, or was last */
		struct id32 orig;
		bool now, compressed, asked; /* asked: for more of its map */
		uint32_t height;             /* hashes of it that are known */
		int status, maps_asked, maps_got;
	} going;
};

struct seen { /* a link, which outlives itself here */
	struct seen *next;
	struct hash16 id, dest, identity;
	uint64_t tag;
	bool pending, up, closed, initiator, identified;
	enum rns_link_reason reason;
	int64_t rtt_us;
	uint32_t mtu, mdu;
	struct listener *listener; /* NULL: we opened it */
	json_t *messages;          /* of one that we opened */
	struct channel_seen {      /* its channel when it was last looked at */
		bool any;
		unsigned window, window_min, window_max, flex;
		int rx_next, tx_next;
	} channel;
	/* the incoming resource so far */
	uint8_t *data;
	size_t len, cap;
	struct bytes metadata;
};

struct result { /* of a packet, a request, a resource of ours */
	struct result *next;
	uint64_t tag;
	bool done;
	int status;
	int64_t took_us;
	struct hash16 link; /* of a resource, whose bytes must stay */
	struct id32 packet; /* of a packet, and where it left; 0: it did not */
	unsigned ifid;
	uint8_t *sent;
	struct bytes data, metadata;
};

struct served { /* what a request handler says */
	struct served *next;
	struct hash16 dest, path_hash;
	struct bytes answer; /* packed; of a file: as it is */
	struct bytes metadata; /* of a file, packed */
	bool none;
};

struct peer {
	char handle[17];
	struct rns *r;
	struct rns_if iface; /* as each connection is made; id counts up */
	struct rns_if local; /* those of programs, its ids as well */
	bool fixed_mtu;
	struct rnsconf *conf; /* [reticulum] of its start */
	int listen_fd;
	int local_fd;   /* of programs; -1: none are served */
	int control_fd; /* where RPC would be; nobody is there */
	struct conn conns[PEER_CONNS];
	struct listener *listeners;
	struct seen *links;
	struct result *results;
	struct served *served;
	uint64_t next_tag;
	int64_t next_seq;
	/* what was sent last, and of proofs of links */
	unsigned sent_ifid;
	uint8_t sent[RNS_MTU], lrproof[RNS_MTU];
	size_t sent_len, lrproof_len;
	uint8_t keepalive[RNS_MTU]; /* the last one */
	size_t keepalive_len;
	struct id32 proved[PEER_PROVED]; /* by links, a ring */
	size_t proved_count;
	size_t own_packets; /* that came over links that we opened */
	json_t *tap; /* of every packet that came in */
	/* done to packets of data that leave: behind the header, at the end */
	enum { DAMAGE_NONE, DAMAGE_CUT, DAMAGE_TAIL } damage;
	bool no_proofs; /* those that come in are lost on the way */
};

extern const char *const status_names[]; /* of links */
/* The peer that the call names, or a mistake. */
struct peer *peer_of(struct call *);
void peer_stop(void);
/* Runs it until something happened, or `until`; extra: a descriptor too. */
bool peer_run(struct mono until, int extra);
/* Of the call's timeout_ms. */
struct mono peer_until(struct call *, int64_t ms);
void peer_submit(struct call *, struct peer *, const struct rns_cmd *,
    const char *what);
/* Sends what there is to send, and takes the events. */
void peer_turn(struct peer *);
void peer_event(struct peer *, const struct rns_event *);
void peer_forget(struct peer *); /* what its events left */
/* Of resources that come in: before the events of each packet, and those. */
void arrivals_look(struct peer *);
void channels_look(struct peer *);
const char *res_name(int status); /* enum res_status */
void arrival_event(struct peer *, const struct rns_event *);
struct bytes bytes_copy(const uint8_t *, size_t); /* of malloc */
/* The msgpack binary in it; not set: there is none. */
struct bytes unpacked(struct bytes);
/* An announce; where there is nobody to hear it, it is no mistake. */
void peer_announce(struct call *, struct peer *, const struct rns_cmd *);
/* What the call says of [reticulum]; a mistake in it is one. */
struct rnsconf *peer_conf(struct call *);
/* Sends the call's data as a single packet. */
struct result *peer_packet(struct call *, struct peer *, bool receipt);
/* Of the call's receipt_id, or a mistake. */
struct result *peer_receipt(struct call *, struct peer *);
/* Its status and name; true: proved. */
bool put_receipt(struct call *, const struct result *);
struct result *peer_result(struct call *, struct peer *);
/* Until it is done, or the call's time is over. */
void peer_wait(struct call *, const struct result *);
struct listener *peer_listener(struct call *, struct peer *);
json_t *messages_of(struct seen *);
/* The link that the call names, while it is open, or a mistake. */
struct link *peer_open_link(struct call *, struct peer *);
/* As a msgpack binary; of malloc. */
struct bytes packed(struct bytes);
struct seen *peer_link(struct peer *, const struct hash16 *id);
/* Data packets that came over links so far. */
size_t peer_delivered(const struct peer *);
/* Did a link prove that packet, of the last ones? */
bool peer_proved(const struct peer *, const struct id32 *);

#endif
