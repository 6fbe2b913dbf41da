/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_CONST_H
#define WARREN_TRANSPORT_CORE_BASE_CONST_H

/*
 * Constants of the protocol, with the section that gives each. Our own choices
 * say "ours:" and why. Times in seconds unless the name has a unit.
 */

/* packets (reticulum-endpoint.md 3.1) */
enum packet_type {
	PACKET_DATA = 0,
	PACKET_ANNOUNCE = 1,
	PACKET_LINKREQUEST = 2,
	PACKET_PROOF = 3,
};

enum dest_type {
	DEST_SINGLE = 0,
	DEST_GROUP = 1,
	DEST_PLAIN = 2,
	DEST_LINK = 3,
};

#define FLAG_IFAC 0x80
#define FLAG_HEADER_2 0x40
#define FLAG_CONTEXT 0x20
#define FLAG_TRANSPORT 0x10
#define FLAGS_LOW 0x0f /* destination and packet type */

#define HEADER_1_LEN 19
#define HEADER_2_LEN 35

enum packet_context { /* reticulum-endpoint.md 3.2 */
	CTX_NONE = 0x00,
	CTX_RESOURCE = 0x01,
	CTX_RESOURCE_ADV = 0x02,
	CTX_RESOURCE_REQ = 0x03,
	CTX_RESOURCE_HMU = 0x04,
	CTX_RESOURCE_PRF = 0x05,
	CTX_RESOURCE_ICL = 0x06,
	CTX_RESOURCE_RCL = 0x07,
	CTX_CACHE_REQUEST = 0x08,
	CTX_REQUEST = 0x09,
	CTX_RESPONSE = 0x0a,
	CTX_PATH_RESPONSE = 0x0b,
	CTX_CHANNEL = 0x0e,
	CTX_KEEPALIVE = 0xfa,
	CTX_LINKIDENTIFY = 0xfb,
	CTX_LINKCLOSE = 0xfc,
	CTX_LINKPROOF = 0xfd,
	CTX_LRRTT = 0xfe,
	CTX_LRPROOF = 0xff,
};

/* announces (reticulum-endpoint.md 5.4) */
#define ANNOUNCE_BLOB 10  /* bytes of a random hash */
#define ANNOUNCE_BARE 148 /* data without ratchet and application data */

/* proofs of packets (reticulum-endpoint.md 3.6) */
#define PROOF_IMPLICIT_LEN 64 /* a signature */
#define PROOF_EXPLICIT_LEN 96 /* and the packet's hash before it */

/* reticulum-endpoint.md 15.1: the length of a signature */
#define IFAC_SIZE_MAX 64
#define TOKEN_OVERHEAD 48 /* reticulum-endpoint.md 2.4: IV 16, HMAC 32 */
#define ENCRYPTED_MDU 383 /* reticulum-endpoint.md 1.2 */
#define PLAIN_MDU 464     /* reticulum-endpoint.md 1.2 */
#define PER_HOP_TIMEOUT 6 /* reticulum-endpoint.md 1.1 */
#define RATCHET_EXPIRY 2592000 /* reticulum-endpoint.md 1.1 */
#define RATCHET_INTERVAL 1800  /* reticulum-endpoint.md 1.1 */
#define RATCHET_RETAIN 512     /* reticulum-endpoint.md 1.1 */

/* links (reticulum-endpoint.md 6.1 to 6.5, 6.11), own and relayed */
#define LINK_MODE_AES256 1
/* reticulum-endpoint.md 6.3: two keys of the initiator */
#define LINK_KEYS_LEN 64
/* reticulum-endpoint.md 6.5: signature, one key */
#define LINK_PROOF_LEN 96
/* reticulum-endpoint.md 6.2: may stand behind both */
#define LINK_SIGNALLING_LEN 3
#define LINK_MTU_MASK 0x1fffffu
#define LINK_IDENTIFY_LEN 128        /* reticulum-endpoint.md 6.11 */
#define LINK_HOP_TIMEOUT 6.0         /* s */
#define LINK_RESPONDER_GRACE 360.0   /* s, reticulum-endpoint.md 6.4 */
#define LINK_TRAFFIC_FACTOR 6.0      /* x RTT */
#define LINK_TRAFFIC_MIN 0.005       /* s */
#define LINK_KEEPALIVE_MAX 360.0     /* s */
#define LINK_KEEPALIVE_MIN 5.0       /* s */
#define LINK_KEEPALIVE_MAX_RTT 1.75  /* s */
#define LINK_STALE_FACTOR 2.0        /* x keepalive */
#define LINK_WATCHDOG_MAX 5.0        /* s */

/* resources (reticulum-endpoint.md 8.1) */
#define RES_WINDOW 4
#define RES_WINDOW_MIN 2
#define RES_WINDOW_MAX_SLOW 10
#define RES_WINDOW_MAX_VERY_SLOW 4
#define RES_WINDOW_MAX_FAST 75
#define RES_WINDOW_FLEX 4
#define RES_FAST_ROUNDS 4
#define RES_VERY_SLOW_ROUNDS 2
#define RES_RATE_FAST 6250.0
#define RES_RATE_VERY_SLOW 250.0
#define RES_MAPHASH 4
#define RES_MORE 0x00 /* of a request: the map does not end yet */
#define RES_EXHAUSTED 0xff
#define RES_RANDOM 4
#define RES_HASHMAP_MAX 74
#define RES_GUARD 224
#define RES_SEGMENT_MAX 1048575u
#define RES_METADATA_MAX 16777215u
#define RES_COMPRESS_MAX 67108864u
#define RES_TRANSFER_MAX 3145725u
#define RES_MAX_RETRIES 16
#define RES_MAX_ADV_RETRIES 4
#define RES_PROOF_RETRIES 3
#define RES_SENDER_GRACE 10.0
#define RES_PROCESSING_GRACE 1.0
#define RES_RETRY_GRACE 0.25
#define RES_PER_RETRY_DELAY 0.5
#define RES_HMU_WAIT 3.5
#define RES_PROOF_FACTOR 3.0
/* reticulum-endpoint.md 8.8: 0.5 * (1 + 2 + ... + 16) */
#define RES_ALL_RETRIES 68.0
#define RES_SDU_OVERHEAD 36

#define RES_FLAG_ENCRYPTED 0x01
#define RES_FLAG_COMPRESSED 0x02
#define RES_FLAG_SPLIT 0x04
#define RES_FLAG_REQUEST 0x08
#define RES_FLAG_RESPONSE 0x10
#define RES_FLAG_METADATA 0x20

/* transport (reticulum-transport.md 1.2) */
#define PATH_RETRY_GRACE 5          /* PATHFINDER_G */
#define PATH_REBROADCAST_WINDOW_MS 500 /* PATHFINDER_RW */
#define PATH_EXPIRY 604800          /* PATHFINDER_E, DESTINATION_TIMEOUT */
#define PATH_EXPIRY_AP 86400        /* AP_PATH_TIME */
#define PATH_EXPIRY_ROAMING 21600   /* ROAMING_PATH_TIME */
#define PATH_BLOBS_MAX 64           /* MAX_RANDOM_BLOBS */
#define TUNNEL_TIMEOUT 28800        /* and TUNNEL_PATH_TIMEOUT */
#define TUNNEL_BLOBS 32             /* PERSIST_RANDOM_BLOBS */
#define LOCAL_REBROADCASTS_MAX 2
#define PATH_REQUEST_TIMEOUT 15
#define PATH_REQUEST_GATE_TIMEOUT 45
#define PATH_REQUEST_GRACE_MS 400
#define PATH_REQUEST_ROAMING_MS 1500 /* PATH_REQUEST_RG, on top */
#define PATH_REQUEST_INTERVAL 20     /* PATH_REQUEST_MI */
#define PATH_REQUEST_TAGS 16000      /* max_pr_tags */
#define PATH_REQUEST_QUEUE 32        /* max_queued_discovery_prs */
#define PATH_REQUEST_PAUSE_MS 500    /* discovery_pr_tx_throttle */
#define LINK_TIMEOUT 900
#define REVERSE_TIMEOUT 480
#define ATTACH_ANNOUNCE_MS 250  /* reticulum-transport.md 12.2 step 2 */
#define REATTACH_ANNOUNCE 10    /* reticulum-transport.md 12.4 */

/* The control destination of path requests (13), a PLAIN one. */
#define PATH_REQUEST_NAME "rnstransport.path.request"

#endif
