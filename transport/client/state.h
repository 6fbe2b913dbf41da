/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CLIENT_STATE_H
#define WARREN_TRANSPORT_CLIENT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ev.h>
#include <rns/hash.h>
#include <rns/rns.h>

#include "common/util.h"
#include "transport/client/attach.h"
#include "transport/config/rnsconf.h"
#include "transport/socket/fsock.h"

/*
 * What all files of the room share. Lowest first; a file knows only what
 * stands above it in this list:
 *
 *   state.c            the core, and what a link is
 *   attach_path.c      waits for paths
 *   attach_request.c   requests of a link, and its streams
 *   attach_link.c      links
 *   attach_folder.c    what the instance's folder knows already
 *   attach.c           the socket and the turn of the loop
 *
 * What a callback may free is marked dead and freed at the end of the turn.
 */
#define PATH_AGAIN_US (15 * MONO_SECOND) /* reticulum-transport.md 1.2 */
#define ATTACH_IFID 1   /* the one interface */
#define REQUEST_TRIES 16 /* ours: copies of one request */

struct announce_watch {
	SLIST_ENTRY(announce_watch) entry;
	bool all;
	uint8_t name_hash[RNS_NAME_HASH];
	void (*fn)(void *, const struct rns_event *);
	void *arg;
};

struct path_wait {
	TAILQ_ENTRY(path_wait) entry;
	struct attach *a;
	struct hash16 dest;
	ev_timer timer;
	struct mono until;
	void (*fn)(void *, bool);
	void *arg;
};

struct attach_stream_in {
	SLIST_ENTRY(attach_stream_in) entry;
	uint16_t stream;
	void (*fn)(void *, const uint8_t *, size_t, bool);
	void *arg;
};

struct attach_request {
	TAILQ_ENTRY(attach_request) entry;
	struct attach_link *l;
	char *path;
	uint8_t *data; /* NULL: nil */
	size_t len;
	struct attach_request_opts opts;
	uint64_t tags[REQUEST_TRIES]; /* of its copies */
	unsigned ntags, failed;
	bool alive; /* a sign of an answer came */
	bool sending; /* it is a resource */
	struct mono started, until, again;
	int64_t wait_us; /* until the next copy */
	ev_timer timer;
	void (*fn)(void *, const struct attach_response *);
	void *arg;
	bool dead;
};

struct attach_link {
	TAILQ_ENTRY(attach_link) entry;
	struct attach *a;
	struct hash16 dest;
	uint8_t identity[RNS_KEY];
	bool identify;
	enum attach_link_state state;
	bool told; /* of a state */
	uint64_t tag; /* of the LINK_OPEN that runs; 0: none */
	bool have_id;
	struct hash16 id;
	/* an attempt by a way of before: until the path's answer comes */
	bool by_way;
	struct attach_way way;
	struct mono opened, again_at; /* ... and then beside another one */
	uint64_t old_tag;
	struct hash16 old_id;
	struct mono until, path_asked;
	bool path_was_asked;
	unsigned tries;
	ev_timer timer;
	void (*fn)(void *, struct attach_link *, enum attach_link_state);
	void *arg;
	TAILQ_HEAD(attach_requests, attach_request) requests;
	SLIST_HEAD(, attach_stream_in) streams;
	bool dead;
};

struct attach {
	struct ev_loop *loop;
	struct rns *rns;
	struct rnsconf *conf;
	char *dir;
	char name[160];
	struct fsock sock;
	bool connected;
	struct mono spoke; /* when a packet was sent last */
	ev_prepare prepare;
	ev_timer deadline, reconnect;
	uint64_t next_tag;
	void (*on_event)(void *, const struct rns_event *);
	void *on_event_arg;
	SLIST_HEAD(, announce_watch) watches;
	TAILQ_HEAD(, path_wait) paths;
	TAILQ_HEAD(, attach_link) links;
};

/* A number for a command, that names its events; never 0. */
uint64_t attach_tag(struct attach *);

#endif
