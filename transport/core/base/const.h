/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_CONST_H
#define WARREN_TRANSPORT_CORE_BASE_CONST_H

/*
 * Constants of the protocol, with the section that gives each. Our own choices
 * say "ours:" and why. Times in seconds unless the name has a unit.
 */

/* packets (3.1) */
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

enum packet_context { /* 3.2 */
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

#define TOKEN_OVERHEAD 48 /* 2.4: IV 16, HMAC 32 */
#define ENCRYPTED_MDU 383 /* 1.2 */
#define PLAIN_MDU 464     /* 1.2 */
#define PER_HOP_TIMEOUT 6 /* 1.1 */
#define RATCHET_EXPIRY 2592000 /* 1.1 */

/* transport (transport 1.2) */
#define PATH_RETRY_GRACE 5          /* PATHFINDER_G */
#define PATH_REBROADCAST_WINDOW_MS 500 /* PATHFINDER_RW */
#define PATH_EXPIRY 604800          /* PATHFINDER_E, DESTINATION_TIMEOUT */
#define PATH_EXPIRY_AP 86400        /* AP_PATH_TIME */
#define PATH_EXPIRY_ROAMING 21600   /* ROAMING_PATH_TIME */
#define PATH_BLOBS_MAX 64           /* MAX_RANDOM_BLOBS */
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
#define ATTACH_ANNOUNCE_MS 250  /* 12.2 step 2 */
#define REATTACH_ANNOUNCE 10    /* 12.4 */

/* The control destination of path requests (13), a PLAIN one. */
#define PATH_REQUEST_NAME "rnstransport.path.request"

#endif
