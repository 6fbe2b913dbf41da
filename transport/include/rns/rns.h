/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RNS_RNS_H
#define RNS_RNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/drop.h>
#include <rns/hash.h>
#include <rns/iface.h>
#include <rns/mono.h>

/*
 * librns: a Reticulum node without I/O. Bytes and time go in, bytes and events
 * come out. One context per node; no globals, threads, clock, sockets or files.
 * Section numbers are those of the protocol description in docs/PROTOCOL.md.
 *
 * A turn: rns_recv(), rns_submit() or rns_tick(); then rns_next_tx() and
 * rns_next_event() until both return false; then sleep until rns_deadline().
 * Nothing calls back. `now` must not run backwards; an older one is taken as
 * the newest seen.
 *
 * Pointers inside an event or a tx stay valid until the next call of any
 * function that takes the same context without `const`, other than
 * rns_next_tx() for an event and rns_next_event() for a tx.
 */

#define RNS_HASH 16 /* bytes of a destination or identity hash, a link id */
#define RNS_FULL_HASH 32
#define RNS_NAME_HASH 10
#define RNS_KEY 64 /* public or private identity: X25519, then Ed25519 */
#define RNS_RATCHET 32
#define RNS_SIG 64
#define RNS_MTU 500
#define RNS_HOPS_MAX 128 /* also "unknown" */

/* 0 is success; success writes every output, failure none. */
enum rns_err {
	RNS_OK = 0,
	RNS_EINVAL = -1,  /* an argument out of its range */
	RNS_ENOMEM = -2,  /* the allocator said no */
	RNS_ELIMIT = -3,  /* a ceiling of struct rns_limits is reached */
	RNS_ENOENT = -4,  /* no such interface, destination, link, request */
	RNS_ESTATE = -5,  /* not in this state (link not active, ...) */
	RNS_EBIG = -6,    /* does not fit the packet or the limit */
	RNS_EPARSE = -7,  /* malformed bytes */
	RNS_EAUTH = -8,   /* bad signature, MAC or key */
	RNS_EAGAIN = -9,  /* the channel's window is full; see CHANNEL_READY */
	RNS_EEXIST = -10, /* is there already */
};
const char *rns_strerror(int err);

/* Ceilings fixed at creation; reaching one is an error, never a realloc. */
struct rns_limits {
	uint32_t interfaces;      /* default 256 */
	uint32_t destinations;    /* own, default 256 */
	uint32_t known;           /* known destinations, default 131,072 */
	uint32_t paths;           /* default 131,072; in tunnels as many */
	uint32_t tunnels;         /* default 1,024 */
	uint32_t links;           /* own links, both sides, default 1,024 */
	uint32_t link_table;      /* relayed links, default 16,384 */
	uint32_t reverse;         /* reverse table, default 28,672 */
	uint32_t hashes;          /* per generation of the filter, 500,000 */
	uint32_t receipts;        /* default 1,024 */
	uint32_t events;          /* waiting events, default 65,536 */
	uint32_t tx_packets;      /* waiting to be pulled, default 65,536 */
	uint64_t resource_bytes;  /* buffers of all incoming resources, 256 MiB */
	uint64_t event_bytes;     /* bytes that waiting events hold, 64 MiB */
};
void rns_limits_default(struct rns_limits *);

/*
 * Proofs of work of packets (reticulum-1.6.md 10.2): where they would go into
 * ours, and what those of others are worth. All off: NULL, and nothing is
 * asked. They must not call the context. False, or 0: as without.
 */
#define RNS_SUFFIX_MAX 34
enum rns_value_kind {
	RNS_VALUE_ANNOUNCE_TAIL,   /* the last 32 bytes of the app data */
	RNS_VALUE_ANNOUNCE_RANDOM, /* the first 5 of the random hash */
	RNS_VALUE_PATH_REQUEST,    /* the tag */
	RNS_VALUE_LINK_REQUEST,    /* the X25519 key */
	RNS_VALUE_KINDS
};
struct rns_stamps {
	void *arg;
	/* the private X25519 key of a link to dest, whose Ed25519 key is ed */
	bool (*link_key)(void *arg, const struct hash16 *dest,
	    const uint8_t ed[32], uint8_t x_priv[32]);
	bool (*tag)(void *arg, const struct hash16 *dest, uint8_t tag[16]);
	/* the random bytes, and how many stand behind the app data */
	size_t (*announce)(void *arg, const struct hash16 *dest,
	    uint8_t random[5], uint8_t suffix[RNS_SUFFIX_MAX]);
	/* received; value in steps of 1/256 bit */
	void (*value)(void *arg, enum rns_value_kind,
	    const struct hash16 *dest, uint32_t value);
};

struct rns_config {
	/* n unpredictable bytes; must not fail */
	void (*random)(void *arg, uint8_t *out, size_t n);
	void *random_arg;
	struct rns_limits limits;
	uint8_t identity[RNS_KEY]; /* the transport identity's private key */
	int64_t wall_us;    /* Unix time at `now` of rns_new() */
	bool transport;     /* relay for others */
	bool attached;      /* a program behind a shared instance */
	bool implicit_proof;      /* use_implicit_proof */
	bool link_mtu_discovery;
	bool local_hops_delta; /* what begins here looks as if relayed */
	struct rns_stamps stamps; /* zeros: none */
};

struct rns;

/* NULL: out of memory or a limit of zero. The config is copied. */
struct rns *rns_new(const struct rns_config *, struct mono now);
void rns_free(struct rns *); /* zeroes every secret; NULL is fine */

/* Unix time may step; call when it did. */
void rns_set_wall(struct rns *, int64_t wall_us, struct mono now);

/*
 * One packet (unframed, access code still on it) from interface ifid. Returns
 * RNS_OK, also when the packet is dropped (see rns_drops()), or RNS_ENOENT.
 */
int rns_recv(struct rns *, unsigned ifid, const uint8_t *, size_t,
    struct mono now);

/* The same, from an interface that measures; NULL: it did not. */
int rns_recv_signal(struct rns *, unsigned ifid, const uint8_t *, size_t,
    const struct rns_signal *, struct mono now);
/* What the last packet was that came in; one for others is RELAY. */
enum rns_kind rns_rx_kind(const struct rns *);
/* Of the first copy that is kept. */
bool rns_signal_get(const struct rns *, const struct id32 *packet,
    struct rns_signal *out);

/* What the interface was good for. RNS_OK or RNS_ENOENT */
int rns_if_use(const struct rns *, unsigned ifid, struct rns_if_use *out);
void rns_tick(struct rns *, struct mono now);
/* When rns_tick() has something to do next; MONO_NEVER if nothing. */
struct mono rns_deadline(const struct rns *);

struct rns_tx {
	unsigned ifid;
	unsigned from; /* what came in there caused it; 0: our own */
	const uint8_t *data; /* with access code, without framing */
	size_t len;
	enum rns_kind kind;
	const struct hash16 *dest; /* or link; not masked */
};
bool rns_next_tx(struct rns *, struct rns_tx *);
/*
 * How full that queue is, of limits.tx_packets: who pulls before it is full
 * loses nothing there.
 */
uint32_t rns_tx_waiting(const struct rns *);

/* ---- destinations ---- */

enum rns_dest_type { RNS_SINGLE = 0, RNS_GROUP = 1, RNS_PLAIN = 2 };
enum rns_prove { RNS_PROVE_NONE, RNS_PROVE_APP, RNS_PROVE_ALL };
enum rns_allow { RNS_ALLOW_NONE, RNS_ALLOW_ALL, RNS_ALLOW_LIST };
enum rns_accept { RNS_ACCEPT_NONE, RNS_ACCEPT_APP, RNS_ACCEPT_ALL };

/* An incoming destination of this node. */
struct rns_dest {
	enum rns_dest_type type;
	const char *name; /* "app.aspect.aspect" */
	/* private key; PLAIN: all zero and has_identity false */
	uint8_t identity[RNS_KEY];
	bool has_identity;
	const uint8_t *group_key; /* GROUP: 64 or 32 bytes */
	size_t group_key_len;
	enum rns_prove prove;
	bool accept_links;
	enum rns_accept resources; /* plain resources on its links */
	uint32_t max_request;      /* bytes of a packed request, 0: no limit */
	bool ratchets;             /* announce ratchets, decrypt with them */
	bool enforce_ratchets;
	uint32_t ratchet_interval_s; /* 0: 1800 */
	uint32_t ratchet_retain;     /* 0: 512 */
	/* stored private ratchets, newest first, n * 32 bytes; may be NULL */
	const uint8_t *ratchet_keys;
	size_t ratchet_count;
};

/* ---- commands ---- */

enum rns_cmd_type {
	RNS_CMD_IF_ADD,      /* .iface */
	RNS_CMD_IF_DEL,      /* .ifid */
	RNS_CMD_IF_ONLINE,   /* .online {ifid, online} */
	RNS_CMD_IF_BITRATE,  /* .rate: what its device says; not 0 */
	RNS_CMD_DEST_ADD,    /* .dest; hash by rns_dest_hash() */
	RNS_CMD_DEST_DEL,    /* .hash */
	RNS_CMD_HANDLER_ADD, /* .handler */
	RNS_CMD_HANDLER_DEL, /* .handler: dest and path; RNS_ENOENT: none */
	RNS_CMD_APP_DATA,    /* .announce: default app data, nothing is sent */
	/* .announce; at most one a second of each: the last waits its turn */
	RNS_CMD_ANNOUNCE,
	RNS_CMD_PACKET,      /* .packet; events RECEIPT */
	RNS_CMD_PROVE,       /* .prove: answer to PACKET with prove_app */
	RNS_CMD_PATH_REQUEST, /* .hash */
	RNS_CMD_PATH_DROP,   /* .hash */
	RNS_CMD_ANNOUNCES_DROP, /* those that wait for their share */
	RNS_CMD_PATH_ADD,    /* .path: from storage */
	RNS_CMD_TUNNEL_ADD,  /* .tunnel: from storage, before its paths */
	RNS_CMD_KNOWN_ADD,   /* .known: from storage */
	RNS_CMD_RATCHET_ADD, /* .ratchet: from storage */
	RNS_CMD_HASHES_ADD,  /* .bytes: n * 32, from storage */
	RNS_CMD_BLACKHOLE,   /* .blackhole: for each source on its own */
	RNS_CMD_LINK_OPEN,   /* .link_open; event LINK_PENDING gives the id */
	RNS_CMD_LINK_CLOSE,  /* .hash = link id */
	RNS_CMD_LINK_IDENTIFY, /* .identify */
	RNS_CMD_LINK_SEND,   /* .packet with dest = link id */
	RNS_CMD_LINK_HOLD,   /* .hold: ask for no resource parts until then */
	RNS_CMD_REQUEST,     /* .request; events RESPONSE, REQUEST_FAILED */
	RNS_CMD_REQUEST_CANCEL, /* .cancel by tag: no event, no answer */
	RNS_CMD_RESPOND,     /* .respond; event SENT when it was a resource */
	RNS_CMD_RESOURCE_SEND,   /* .resource; events PROGRESS, SENT */
	RNS_CMD_RESOURCE_ANSWER, /* .answer: to RESOURCE_ADV */
	RNS_CMD_RESOURCE_CANCEL, /* .cancel: ours by tag, incoming by hash */
	RNS_CMD_CHANNEL_OPEN,  /* .hash = link id: receive messages */
	RNS_CMD_CHANNEL_SEND,  /* .channel; RNS_EAGAIN when the window is full */
	RNS_CMD_STREAM_OPEN,   /* .stream: receive this stream (opens channel) */
	RNS_CMD_STREAM_SEND,   /* .stream; takes as much as one message holds */
};

/* tag: the caller's word for the thing, echoed in its events. */
struct rns_cmd {
	enum rns_cmd_type type;
	union {
		struct rns_if iface;
		unsigned ifid;
		struct {
			unsigned ifid;
			bool online;
		} online;
		struct {
			unsigned ifid;
			uint64_t bitrate;
		} rate;
		struct rns_dest dest;
		struct hash16 hash;
		uint64_t tag;
		struct {
			struct hash16 dest;
			const char *path;
			enum rns_allow allow;
			const uint8_t *list; /* ALLOW_LIST: n identity hashes */
			size_t list_len;
			/* compress responses up to this size; 0 never */
			uint64_t compress_max;
		} handler;
		struct {
			struct hash16 dest;
			const uint8_t *app_data; /* NULL: the default */
			size_t app_data_len;
			bool path_response; /* context PATH_RESPONSE */
			bool one_interface; /* only on ifid */
			unsigned ifid;
		} announce;
		struct {
			struct hash16 dest; /* or link id */
			enum rns_dest_type type; /* as it was announced */
			const uint8_t *data;
			size_t len;
			bool receipt;
			uint64_t tag;
			/* GROUP: the key (64 or 32 bytes) */
			const uint8_t *group_key;
			size_t group_key_len;
		} packet;
		struct {
			struct hash16 dest; /* destination or link id */
			struct id32 packet_hash;
		} prove;
		struct {
			struct hash16 dest;
			struct hash16 next_hop;
			uint8_t hops;
			int64_t learned_us, expires_us; /* Unix time */
			unsigned ifid;
			const struct id32 *tunnel; /* NULL: ifid is its way */
			const uint8_t *blobs; /* n * 10 bytes, newest last */
			size_t blob_count;
			const uint8_t *announce; /* raw, hops as received */
			size_t announce_len;
		} path;
		struct {
			struct id32 id;
			int64_t expires_us; /* Unix time */
		} tunnel;
		struct {
			struct hash16 dest;
			uint8_t public_key[RNS_KEY];
			struct id32 packet_hash;
			const uint8_t *app_data; /* NULL: nil */
			size_t app_data_len;
			int64_t heard_us; /* Unix time */
			int64_t used_us;  /* 0 never, -1 retained */
		} known;
		struct {
			struct hash16 dest;
			uint8_t key[RNS_RATCHET];
			int64_t received_us;
		} ratchet;
		struct {
			const uint8_t *data;
			size_t len;
		} bytes;
		struct {
			/*
			 * all zeros: with on false all of that source; with
			 * on true nobody new, but the paths of all that came
			 * with `more` go
			 */
			struct hash16 identity;
			bool on;
			bool more; /* of many: its paths stay until then */
			uint8_t source; /* 0 to 7: it is in while one says so */
		} blackhole;
		struct {
			struct hash16 dest; /* must be known */
			uint64_t tag;
			enum rns_accept resources; /* plain ones on this link */
		} link_open;
		struct {
			struct hash16 link;
			uint8_t identity[RNS_KEY]; /* private */
		} identify;
		struct {
			struct hash16 link;
			struct mono until;
		} hold;
		struct {
			struct hash16 link;
			const char *path;
			/* packed value; NULL: nil. Copied. */
			const uint8_t *data;
			size_t len;
			/* 0: reticulum-endpoint.md 7.1 */
			int64_t timeout_us;
			uint64_t max_response; /* bytes, 0: resource_bytes */
			uint64_t tag;
		} request;
		struct {
			struct hash16 link;
			struct hash16 request_id;
			/*
			 * The packed response value. Not copied when it
			 * becomes a resource: it stays the caller's and must
			 * stay until SENT with this tag. RNS_OK with
			 * *as_resource false: it went as a packet, no SENT.
			 */
			const uint8_t *data;
			size_t len;
			/*
			 * file response (reticulum-endpoint.md 7.3): packed
			 * metadata, raw data
			 */
			const uint8_t *metadata;
			size_t metadata_len;
			uint64_t tag;
			bool *as_resource; /* output, may be NULL */
		} respond;
		struct {
			struct hash16 link;
			const uint8_t *data; /* the caller's until SENT */
			size_t len;
			const uint8_t *metadata; /* packed, copied; or NULL */
			size_t metadata_len;
			bool compress;
			/* of the advertisement, 0: reticulum-endpoint.md 8.4 */
			int64_t timeout_us;
			uint64_t tag;
		} resource;
		struct {
			struct hash16 link;
			struct id32 hash; /* of RESOURCE_ADV */
			bool accept;
		} answer;
		struct {
			struct hash16 link;
			bool incoming;
			struct id32 hash; /* incoming: original */
			uint64_t tag;                /* ours */
		} cancel;
		struct {
			struct hash16 link;
			uint16_t msgtype;
			const uint8_t *data; /* copied */
			size_t len;
			uint64_t tag; /* echoed in CHANNEL_DELIVERED */
		} channel;
		struct {
			struct hash16 link;
			uint16_t stream;
			const uint8_t *data;
			size_t len;
			bool eof;      /* with the last byte of data */
			size_t *taken; /* output: bytes that went */
		} stream;
	};
};

/*
 * Returns RNS_OK or what the command's row can meet: RNS_EINVAL, RNS_ENOENT,
 * RNS_ESTATE, RNS_EBIG, RNS_ELIMIT, RNS_ENOMEM, RNS_EAGAIN, RNS_EEXIST.
 */
int rns_submit(struct rns *, const struct rns_cmd *, struct mono now);

/* ---- events ---- */

enum rns_event_type {
	RNS_EV_ANNOUNCE,       /* .announce: accepted into the path table */
	RNS_EV_PACKET,         /* .packet */
	RNS_EV_RECEIPT,        /* .receipt */
	RNS_EV_RATCHETS,       /* .ratchets: own list changed, store it */
	RNS_EV_PATH_REQUEST,   /* .path_request: for one of our destinations */
	RNS_EV_LINK_PENDING,   /* .link: id of a LINK_OPEN */
	RNS_EV_LINK_UP,        /* .link */
	RNS_EV_LINK_IDENTIFIED, /* .link with identity */
	RNS_EV_LINK_CLOSED,    /* .link with reason */
	RNS_EV_LINK_DATA,      /* .packet, dest = link id */
	RNS_EV_REQUEST,        /* .request */
	RNS_EV_RESPONSE,       /* .response */
	RNS_EV_REQUEST_FAILED, /* .response, data NULL */
	RNS_EV_PROGRESS,       /* .progress, of a request's or our resource */
	RNS_EV_SENT,           /* .sent: outgoing resource concluded */
	RNS_EV_RESOURCE_ADV,   /* .resource: ACCEPT_APP, answer it */
	RNS_EV_RESOURCE_DATA,  /* .resource: next bytes, in order */
	RNS_EV_RESOURCE_DONE,  /* .resource: all data was delivered, or not */
	RNS_EV_CHANNEL_MESSAGE,   /* .channel */
	RNS_EV_CHANNEL_DELIVERED, /* .channel, tag */
	RNS_EV_CHANNEL_READY,  /* .link: window has room again */
	RNS_EV_STREAM_DATA,    /* .channel: msgtype = stream id, eof, err */
};

enum rns_link_reason {
	RNS_CLOSE_NONE = 0,
	RNS_CLOSE_TIMEOUT = 1,
	RNS_CLOSE_INITIATOR = 2,
	RNS_CLOSE_DESTINATION = 3,
	RNS_CLOSE_INTERFACE = 4, /* local: its interface is gone */
};

enum rns_receipt_status {
	RNS_RECEIPT_FAILED = 0,
	RNS_RECEIPT_DELIVERED = 2,
	RNS_RECEIPT_CULLED = 255,
};

enum rns_resource_status { /* reticulum-endpoint.md 8.1 */
	RNS_RES_COMPLETE = 6,
	RNS_RES_FAILED = 7,
	RNS_RES_CORRUPT = 8,
	RNS_RES_REJECTED = 9,
};

struct rns_event {
	enum rns_event_type type;
	union {
		struct {
			struct hash16 dest;
			uint8_t name_hash[RNS_NAME_HASH];
			uint8_t public_key[RNS_KEY];
			struct hash16 identity_hash;
			struct id32 packet_hash;
			const uint8_t *app_data; /* NULL: none */
			size_t app_data_len;
			const uint8_t *ratchet; /* NULL: none */
			const uint8_t *raw; /* hop byte as received */
			size_t raw_len;
			uint8_t hops;
			unsigned ifid;
			bool path_response;
		} announce;
		struct {
			struct hash16 dest;
			struct id32 packet_hash;
			const uint8_t *data;
			size_t len;
			unsigned ifid;
			bool prove_app; /* answer by RNS_CMD_PROVE if wanted */
		} packet;
		struct {
			uint64_t tag;
			enum rns_receipt_status status;
			int64_t rtt_us;
		} receipt;
		struct {
			struct hash16 dest;
			const uint8_t *keys; /* n * 32, newest first */
			size_t count;
		} ratchets;
		struct {
			struct hash16 dest;
			unsigned ifid;
		} path_request;
		struct {
			struct hash16 id;
			uint64_t tag; /* of LINK_OPEN; 0 on the responder */
			struct hash16 dest;
			bool initiator;
			uint8_t identity[RNS_KEY]; /* IDENTIFIED: public key */
			struct hash16 identity_hash;
			enum rns_link_reason reason; /* CLOSED */
			int64_t rtt_us;
			uint32_t mtu, mdu;
			uint8_t hops;
			unsigned ifid;
		} link;
		struct {
			struct hash16 link;
			struct hash16 request_id;
			struct hash16 path_hash;
			const uint8_t *data; /* packed value */
			size_t len;
			int64_t requested_us; /* the sender's clock */
			int64_t took_us; /* to come, but not held; 0: a packet */
			bool identified;
			struct hash16 identity_hash;
		} request;
		struct {
			struct hash16 link;
			uint64_t tag;
			const uint8_t *data; /* packed value; file: raw data */
			size_t len;
			const uint8_t *metadata; /* file response: packed */
			size_t metadata_len;
			bool too_large; /* REQUEST_FAILED */
			/* REQUEST_FAILED: it was a resource, and is proved */
			bool delivered;
			int64_t took_us;
		} response;
		struct {
			struct hash16 link;
			uint64_t tag;
			bool incoming;
			uint64_t done, total; /* bytes, of all segments */
		} progress;
		struct {
			struct hash16 link;
			uint64_t tag;
			enum rns_resource_status status;
		} sent;
		struct {
			struct hash16 link;
			struct id32 hash; /* original hash (o) */
			uint64_t size; /* data and metadata of all segments */
			const uint8_t *data;
			size_t len;
			uint64_t offset;
			const uint8_t *metadata; /* packed; with first DATA */
			size_t metadata_len;
			enum rns_resource_status status; /* DONE */
		} resource;
		struct {
			struct hash16 link;
			uint16_t msgtype; /* or stream id */
			const uint8_t *data;
			size_t len;
			bool eof;
			/* STREAM_DATA: not RNS_OK when a piece cannot be
			 * unpacked; the stream is over, without its end */
			int err;
			uint64_t tag;
		} channel;
	};
};

bool rns_next_event(struct rns *, struct rns_event *);

/* ---- looking, without changing ---- */

uint64_t rns_drops(const struct rns *, enum rns_drop);
const char *rns_drop_text(enum rns_drop);

/*
 * How many packets had a candidate worth so many whole bits, from 0 to
 * RNS_VALUE_BITS - 1, which stands for more too. Chance gives each bit half as
 * many as the one before.
 */
#define RNS_VALUE_BITS 33
uint64_t rns_values(const struct rns *, enum rns_value_kind, unsigned bits);

/*
 * The last drops that name a destination, a link or a packet: some hundreds. One
 * after the other from *at = 0 on; they may be drops of long ago.
 */
struct rns_noted {
	struct hash16 about;  /* a destination, a link, of a proof a packet */
	struct hash16 packet; /* the last one, of all zero: none */
	enum rns_drop why;
	unsigned ifid; /* 0: none in particular; may be gone */
	uint32_t times;
	int64_t first_us, last_us; /* Unix time */
};
bool rns_noted_next(const struct rns *, unsigned *at, struct rns_noted *out);

/*
 * What the tables say of a hash, besides rns_path_get(), rns_rate_next(),
 * rns_link_get() and rns_tunnel_next(). Times are Unix time, 0: never.
 */
struct rns_about {
	bool own;   /* a destination of this node */
	bool known; /* its identity is */
	struct hash16 identity; /* of one that is known */
	bool identity_blackholed;
	/* of its path: announces too often; its links failed, or did not */
	bool path_blocked, path_unresponsive, path_responsive;
	bool path_bare; /* no announce of it is kept to answer with */
	bool held; /* its announce is, there, until then at least */
	unsigned held_ifid;
	int64_t held_until_us;
	uint32_t waiting; /* its announces that are to leave, the first then */
	int64_t waiting_until_us;
	uint32_t queued; /* interfaces where it waits for the announce cap */
	int64_t asked_us; /* by us */
	bool searched; /* for others, until then; how many wait */
	int64_t search_until_us;
	uint32_t askers;
	bool relayed_link, link_proved;
	struct hash16 link_dest;
	unsigned link_from_ifid, link_to_ifid;
	uint8_t link_hops_taken, link_hops_left;
	int64_t link_used_us;
	bool reverse; /* a packet whose proof would go back there */
	unsigned reverse_ifid;
};
void rns_about(const struct rns *, const struct hash16 *, struct rns_about *);

/* The node's own transport identity. */
const uint8_t *rns_identity_public(const struct rns *); /* 64 bytes */
const uint8_t *rns_identity_hash(const struct rns *);   /* 16 bytes */

struct rns_path {
	struct hash16 dest;
	struct hash16 next_hop;
	uint8_t hops;
	unsigned ifid;
	int64_t learned_us, expires_us; /* Unix time */
	struct id32 packet_hash;
	const uint8_t *blobs; /* n * 10 */
	size_t blob_count;
	const uint8_t *announce; /* raw */
	size_t announce_len;
};
/* Fill *out for dest; false: no path. */
bool rns_path_get(const struct rns *, const struct hash16 *dest,
    struct rns_path *out);
/* In order of destination; start with all zero `after` and first = true. */
bool rns_path_next(const struct rns *, const struct hash16 *after,
    bool first, struct rns_path *out);

/*
 * Tunnels, in order of id. One that is up has its paths in the path table,
 * those of its interface; of one that waits, a path's ifid is 0, its order is
 * its own, and the same tunnel must be given each time.
 */
struct rns_tunnel {
	struct id32 id;
	bool up;
	unsigned ifid; /* of one that is up */
	int64_t expires_us; /* Unix time */
};
bool rns_tunnel_next(const struct rns *, const struct id32 *after,
    bool first, struct rns_tunnel *out);
bool rns_tunnel_path_next(const struct rns *, const struct id32 *tunnel,
    const struct hash16 *after, bool first, struct rns_path *out);

/* How often a destination announces itself (reticulum-transport.md 2.6). */
#define RNS_RATE_TIMES 16
struct rns_rate {
	struct hash16 dest;
	int64_t last_us, blocked_until_us; /* Unix time; 0: never was */
	uint32_t violations;
	unsigned count;
	int64_t times_us[RNS_RATE_TIMES]; /* newest last */
};
bool rns_rate_next(const struct rns *, const struct hash16 *after,
    bool first, struct rns_rate *out);

struct rns_known {
	struct hash16 dest;
	uint8_t public_key[RNS_KEY];
	struct id32 packet_hash;
	const uint8_t *app_data; /* NULL: nil */
	size_t app_data_len;
	int64_t heard_us, used_us;
	const uint8_t *ratchet; /* NULL: none */
	int64_t ratchet_us;
};
bool rns_known_get(const struct rns *, const struct hash16 *dest,
    struct rns_known *out);
bool rns_known_next(const struct rns *, const struct hash16 *after,
    bool first, struct rns_known *out);

bool rns_blackholed(const struct rns *, const struct hash16 *identity);

struct rns_link_info {
	struct hash16 id;
	struct hash16 dest;
	int status; /* reticulum-endpoint.md 6.1 */
	bool initiator, identified;
	struct hash16 identity_hash;
	int64_t rtt_us;
	/* as the initiator measured it, never more than rtt_us of who answers;
	 * 0: its word did not arrive */
	int64_t asker_rtt_us;
	unsigned hops; /* to the other end, 1: nobody is in between */
	/* of its packets, both ways, as seen by who waited for them lately */
	uint32_t loss_permille;
	uint32_t mtu, mdu;
	unsigned ifid;
	unsigned channel_room; /* messages that CHANNEL_SEND takes now */
};
bool rns_link_get(const struct rns *, const struct hash16 *id,
    struct rns_link_info *out);

struct rns_counts {
	/* link_table_active: those of link_table that were proved */
	uint32_t interfaces, destinations, known, paths, links, link_table,
	    link_table_active,
	    reverse, receipts, announces_waiting, held, signals;
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, relayed, announces;
};
void rns_counts(const struct rns *, struct rns_counts *);

/* RNS_ENOENT */
int rns_if_stats(const struct rns *, unsigned ifid, struct rns_if_stats *);
/* What an interface shows for those that it accepted; begin with all zero. */
void rns_if_stats_add(struct rns_if_stats *sum, const struct rns_if_stats *);
/* Drops while a packet from there was handled; 0 of an unknown one. */
uint64_t rns_if_drops(const struct rns *, unsigned ifid, enum rns_drop);

/*
 * Current filter generation, n * 32 bytes, for packet_hashlist.raw: of each
 * hash the first 6 bytes, which are what is kept, and zeros. HASHES_ADD takes
 * these and whole ones. out NULL: how many there are.
 */
size_t rns_hashes(const struct rns *, uint8_t *out, size_t cap_hashes);

/* ---- helpers without a context ---- */

void rns_sha256(struct id32 *out, const void *, size_t);
/* name "app.aspect"; identity hash NULL for PLAIN; RNS_EINVAL: bad name */
int rns_dest_hash(struct hash16 *out, const char *name,
    const struct hash16 *identity_hash);
void rns_name_hash(uint8_t out[RNS_NAME_HASH], const char *name);
void rns_path_hash(struct hash16 *out, const char *request_path);
/* public key (64) and identity hash (16) of a private key */
int rns_identity_derive(uint8_t pub[RNS_KEY], struct hash16 *hash,
    const uint8_t priv[RNS_KEY]);
void rns_identity_hash_of(struct hash16 *hash, const uint8_t pub[RNS_KEY]);
int rns_identity_sign(uint8_t sig[RNS_SIG], const uint8_t priv[RNS_KEY],
    const void *msg, size_t len);
bool rns_identity_verify(const uint8_t pub[RNS_KEY],
    const uint8_t sig[RNS_SIG], const void *msg, size_t len);
/* Either text may be NULL; RNS_EINVAL when both are. */
int rns_ifac_key(uint8_t key[64], const char *network_name,
    const char *passphrase);
/*
 * Hardware MTU of an autoconfiguring interface, 0: none
 * (reticulum-endpoint.md 6.14).
 */
uint32_t rns_mtu_for_bitrate(uint64_t bitrate);

/* ---- framing (9): pure, one per stream socket ---- */

enum rns_framing { RNS_FRAME_HDLC, RNS_FRAME_KISS };

struct rns_deframer;
/* max: hardware MTU and access code. NULL: out of memory, or max 0. */
struct rns_deframer *rns_deframer_new(enum rns_framing, size_t max);
void rns_deframer_free(struct rns_deframer *);
/*
 * Feed n bytes; call rns_deframer_next() until false before feeding again.
 * RNS_EBIG: the caller fed more than it may (max 65,536 at a time);
 * RNS_ESTATE: it did not ask until false; RNS_ENOMEM.
 */
int rns_deframer_feed(struct rns_deframer *, const uint8_t *, size_t n);
/* Next whole frame; the pointer is valid until the next feed. */
bool rns_deframer_next(struct rns_deframer *, const uint8_t **, size_t *);
/* Frames too short or too long; bytes (HDLC) before any flag count as one. */
uint64_t rns_deframer_dropped(const struct rns_deframer *);
/* Bytes a frame of n bytes can need at most. */
size_t rns_frame_max(enum rns_framing, size_t n);
/* Returns the length of the frame in out (at least rns_frame_max()). */
size_t rns_frame(enum rns_framing, uint8_t *out, const uint8_t *, size_t n);

#endif
