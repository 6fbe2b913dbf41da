/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_NIF_H
#define WARREN_TRANSPORT_ENGINE_NIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>
#include <rns/rns.h>

#include "common/ipc_msg.h"
#include "common/util.h"
#include "transport/config/rnsconf.h"
#include "transport/engine/engine.h"
#include "transport/socket/fsock.h"

enum nif_kind {
	NIF_TCP_CLIENT,
	NIF_TCP_SERVER, /* listens; not in the core */
	NIF_TCP_PEER,   /* accepted by a server */
	NIF_LOCAL_SERVER, /* the shared instance; not in the core */
	NIF_LOCAL,        /* an attached program */
};

struct nif {
	TAILQ_ENTRY(nif) link;
	TAILQ_ENTRY(nif) dirty_link;
	bool dirty; /* has frames for fsock_flush() */
	struct engine *e;
	unsigned id; /* the core's number; 0: not in the core */
	enum nif_kind kind;
	const struct rnsconf_if *conf; /* own or the parent's; NULL: local */
	struct nif *parent;            /* NULL: none */
	char name[300];                /* display name (8.1) */
	struct rns_if cfg;
	struct fsock s; /* of those that carry packets */
	unsigned clients; /* of a server */
	uint64_t accepted, refused; /* of a server */
	struct mono since; /* online, or listening, or offline since */
	bool online;
	/* servers */
	int listen_fd;
	ev_io accept;
	/* what was asked of the parent (DIAL, BIND): 0 nothing */
	uint32_t seq;
	unsigned tries; /* since it was last up */
	bool given_up;
	/* klp.node has still to be announced here; and when it was (bridge) */
	bool announce_due;
	struct mono announced;
	ev_timer retry;
	char error[128]; /* why it is not online; empty: nothing known */
	uid_t uid; /* of an attached program; -1: not known (tcp) */
	pid_t pid;
};

/* A new one, in the list, with a number when it carries packets. */
struct nif *nif_new(struct engine *, enum nif_kind, const struct rnsconf_if *,
    struct nif *parent);
/* Out of the core, closed and freed. */
void nif_free(struct nif *);
struct nif *nif_find(const struct engine *, unsigned id);
/* Put it into the core, offline or online as n->online says. 0 or -1. */
int nif_attach(struct nif *);
void nif_online(struct nif *, bool online);
/* A packet of the core's for the interface; goes out at nif_flush_all(). */
void nif_send(struct nif *, const uint8_t *, size_t);
void nif_flush_all(struct engine *);
/* The stream's packets go to the core. */
void nif_frame(void *nif, const uint8_t *, size_t);
/* What a configured interface gives to the core (8.2 to 8.7). */
int nif_configure(struct nif *, const struct rnsconf_if *);
size_t nif_frame_limit(const struct nif *);
const char *nif_kind_name(const struct nif *); /* TCPClientInterface, ... */
/* accept(2) failed so: try again later when that makes sense. */
void nif_accept_failed(struct nif *, int error);
/* All configured ones, offline; then dial and bind. */
int nif_create_all(struct engine *);
void nif_start_all(struct engine *);
/* The parent's answer; takes fd (-1: none). */
void nif_opened(struct engine *, const struct msg_OPENED *, int fd);

#endif
