/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_ENGINE_H
#define WARREN_TRANSPORT_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>
#include <rns/rns.h>

#include "common/ipc.h"
#include "common/ipc_ev.h"
#include "common/program.h"
#include "transport/config/rnsconf.h"
#include "transport/socket/fsock.h"
#include "common/util.h"

/*
 * warren-transport: sockets, files and channels around one librns context.
 *
 *   main.c      start, messages of the parent, the loop's turn
 *   engine.c    state and sending: below all others
 *   nif.c       interfaces and their numbers; if_tcp.c, if_local.c the kinds
 *   stream.c    framed sockets
 *   store.c     the storage folder; store_codec.c its formats
 *   bridge.c    klp.node for warren-node; follow.c its streams
 *   binding.c   what keys may have signed
 *   control.c   mesh.sock; views.c its answers
 *   rpc.c       the RPC socket; rpc_auth.c its proof, rpc_calls.c its calls
 */
#define ENGINE_IFS 1024 /* ours: interfaces, accepted and local included */

enum nif_kind {
	NIF_TCP_CLIENT,
	NIF_TCP_SERVER, /* listens; not in the core */
	NIF_TCP_PEER,   /* accepted by a server */
	NIF_LOCAL_SERVER, /* the shared instance; not in the core */
	NIF_LOCAL,        /* an attached program */
};

struct engine;

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
TAILQ_HEAD(nif_list, nif);

struct prog_state { /* for status: what the parent says of the others */
	bool known, running;
	uint32_t restarts;
	uint32_t pid;
};

struct sibling {
	struct engine *e;
	enum program who;
	struct ipc_ev *ev; /* NULL: not there */
	bool greeted;      /* its HELLO came */
};

struct engine {
	struct ev_loop *loop;
	struct rns *rns;
	struct rnsconf *conf;
	struct nif_list ifs;
	struct nif_list dirty;
	struct nif *by_id[ENGINE_IFS]; /* id % ENGINE_IFS */
	unsigned next_id;
	unsigned local_clients;
	ev_prepare prepare;
	ev_check check;
	struct mono now; /* of this turn of the loop */
	ev_timer deadline;
	ev_timer second; /* housekeeping, once a second */
	struct mono started;
	int64_t wall_minus_mono; /* to notice that the wall clock stepped */

	struct process program;
	struct sibling siblings[PROGRAM_COUNT];
	struct prog_state programs[PROGRAM_COUNT];
	bool stopping;
	ev_timer stop_timer;
	uint32_t next_seq;

	uint8_t identity[RNS_KEY]; /* storage/transport_identity */
	uint8_t identity_hash[RNS_HASH];
	uint8_t identity_public[RNS_KEY];

	/* an interface of the core came up; NULL: nobody wants to know */
	void (*on_online)(struct engine *, struct nif *);

	struct store *store;
	struct bridge *bridge;
	struct control *control;
	struct rpc *rpc;
	struct engine_counts {
		uint64_t unknown_tx;
		uint64_t submit_refused;
	} counts;
};

/* ---- engine.c ---- */

/* Walk a table of the core in order; first: a bool of the caller. */
#define EACH_PATH(rns, p, first)                                               \
	for ((first) = true; rns_path_next(rns,                                \
	    (first) ? engine_zero : (p)->dest, first, p); (first) = false)
#define EACH_KNOWN(rns, k, first)                                              \
	for ((first) = true; rns_known_next(rns,                               \
	    (first) ? engine_zero : (k)->dest, first, k); (first) = false)
extern const uint8_t engine_zero[RNS_HASH];

/* rns_submit at the time of now; refusals are logged. */
int engine_submit(struct engine *, const struct rns_cmd *);
/*
 * The channel to another program, to send on; NULL: it is not there, or has
 * not said hello yet.
 */
struct ipc *engine_ipc(const struct engine *, enum program);
/* A message could not be sent: say so once where it is not just the end. */
void engine_send_failed(enum program);

/* ---- nif.c ---- */

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

/* ---- if_tcp.c ---- */

void tcp_start(struct nif *);
void tcp_opened(struct nif *, int fd, int error, const char *text);

/* ---- if_local.c ---- */

/* Listen on the parent's descriptor; takes it. 0 or -1. */
int local_listen(struct engine *, int fd);

#endif
