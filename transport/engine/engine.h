/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_ENGINE_H
#define WARREN_TRANSPORT_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>
#include <rns/hash.h>
#include <rns/rns.h>

#include "common/ipc.h"
#include "common/ipc_ev.h"
#include "common/program.h"
#include "common/util.h"
#include "transport/config/rnsconf.h"
#include "transport/engine/realtime.h"
#include "transport/engine/callers.h"
#include "transport/engine/measure.h"
#include "transport/engine/reload.h"
#include "transport/engine/stats_pack.h"
#include "transport/engine/tidings.h"
#include "transport/engine/visits.h"

/*
 * warren-transport: sockets, files and channels around one librns context.
 * Lowest first; a file knows only what stands above it in this list:
 *
 *   engine.c    the state that all share, and sending
 *   realtime.c  going before jobs that burn, as promptness.c decides
 *   reach.c     whether anybody can be reached
 *   measure.c   numbers of the other programs
 *   nif.c       interfaces and their numbers in the core; fair.c whose packets wait
 *   opener.c    what the parent opens for them, and when to ask again
 *   line.c      devices behind a tty or a connection (transport/modem);
 *               air.c what waits for one, linesaid.c what is said of it
 *   store.c     the storage folder; store_file.c one of its files,
 *               store_codec.c formats, store_paths.c paths and tunnels
 *   holes.c     the blackhole
 *   path_rows.c the path table as other programs read it
 *   door.c      who may connect; callers.c decides it
 *   if_tcp.c, if_backbone.c (its flow control: stall.c), if_udp.c, if_auto.c
 *               (autodisc.c), if_pipe.c, if_serial.c, if_kiss.c, if_rnode.c,
 *               if_local.c
 *               the kinds of interfaces; kinds.c their table; seats.c whose
 *               place a local program takes
 *   autodial.c  connections to interfaces that others offer; discovery.c hears
 *               of those, offering.c announces ours
 *   binding.c   what keys may have signed
 *   bridge.c    klp.node for warren-node; follow.c its streams
 *   rpc.c       the RPC socket; rpc_auth.c its proof, rpc_calls.c its calls,
 *               rpc_stats.c the statistics, stats_pack.c their bytes
 *   manage.c    the daemon's own destinations; remote.c its answers
 *   fetch.c     blackhole lists of others
 *   tidings.c   what nodes announce of authorities
 *   mail.c      lxmf.delivery, for letters to warren-node
 *   errand.c    what trust and audit ask of the klp.node of others
 *   control.c   mesh.sock; views.c its answers
 *   air.c       queues of serial and radio, their limits and books
 *   turn.c      the loop's turn: packets and events of the core
 *   main.c      start, messages of the other programs, the end
 */
#define ENGINE_IFS 1024 /* ours: interfaces, accepted and local included */

struct nif;
TAILQ_HEAD(nif_list, nif);

struct prog_state { /* for status: what the parent says of the others */
	bool known, running;
	uint32_t restarts;
	uint32_t pid;
};

struct engine {
	struct ev_loop *loop;
	struct rns *rns;
	/* as the node was started: [reticulum] and [logging] */
	struct rnsconf *conf;
	struct rnsconf *ifconf; /* its interfaces now; conf until a reload */
	uint32_t generation;    /* how many of these have come */
	struct nif_list ifs;
	struct nif_list dirty;
	struct nif *by_id[ENGINE_IFS]; /* id % ENGINE_IFS */
	unsigned next_id;
	struct callers callers;
	struct visits_users programs_said; /* lines of the log, local ones */
	ev_prepare prepare;
	ev_check check;
	struct mono now; /* of this turn of the loop */
	ev_timer deadline;
	ev_timer second; /* housekeeping, once a second */
	struct mono started;
	struct realtime realtime;
	struct engine_totals { /* once a second (rpc_stats.c) */
		struct mono at;
		uint64_t rx_packets, tx_packets;
		double rx_pps, tx_pps;
	} totals;
	struct stats_flow gone; /* bytes of interfaces that went */
	int64_t wall_minus_mono; /* to notice that the wall clock stepped */

	struct process program;
	struct prog_state programs[PROGRAM_COUNT];
	bool stopping;
	bool reach_said; /* that nobody can be reached */
	ev_timer stop_timer;
	uint32_t next_seq;

	uint8_t identity[RNS_KEY]; /* storage/transport_identity */
	struct hash16 identity_hash;
	uint8_t identity_public[RNS_KEY];
	struct hash16 hub; /* whom audit may ask; zeros: nobody */
	/* network_identity (reticulum-transport.md 7.5), when there is one */
	bool has_network;
	uint8_t network[RNS_KEY];
	struct hash16 network_hash;

	/* an interface of the core came up; NULL: nobody wants to know */
	void (*on_online)(struct engine *, struct nif *);

	char *airtime; /* of node.yaml, modem/airset.h; NULL: nothing */
	size_t airtime_len;
	struct store *store;
	struct holes *holes;
	struct manage *manage;
	struct fetch *fetch;
	struct errands *errands;
	struct tidings tidings;
	const struct hash16 *probe; /* where probes are answered, or NULL */
	struct discovery *discovery; /* NULL: nobody listens */
	struct autodial *autodial;   /* NULL: nothing is connected to */
	struct offering *offering;   /* NULL: nothing is offered */
	struct bridge *bridge;
	struct mailroom *mailroom; /* NULL: no lxmf in node.yaml */
	struct reload reload; /* as the parent answered */
	struct measure measure;
	struct asksock *mesh_sock, *metrics; /* NULL: none */
	struct rpc *rpc;
	struct engine_counts {
		uint64_t unknown_tx;     /* packets of a lost interface */
		uint64_t submit_refused; /* commands that the core refused */
		uint64_t bindings_refused;
		uint64_t rpc_keys_refused; /* programs with another key */
		uint64_t rpc_requests;     /* behind a proof; decoded */
	} counts;
};

/* Walk a table of the core in order; first: a bool of the caller. */
#define EACH_PATH(rns, p, first)                                               \
	for ((first) = true; rns_path_next(rns,                                \
	    (first) ? &engine_zero : &(p)->dest, first, p); (first) = false)
#define EACH_KNOWN(rns, k, first)                                              \
	for ((first) = true; rns_known_next(rns,                               \
	    (first) ? &engine_zero : &(k)->dest, first, k); (first) = false)
extern const struct hash16 engine_zero;

/*
 * Give the core a command at the time of this turn. RNS_OK or what rns_submit()
 * says, in which case nothing happened; refusals but RNS_EAGAIN are counted
 * and logged here.
 */
int engine_submit(struct engine *, const struct rns_cmd *);
/*
 * The channel to another program, to send on; it stays the engine's. NULL: the
 * program is not there, or has not said hello yet.
 */
struct ipc *engine_ipc(const struct engine *, enum program);
/*
 * After ipc_send_*() failed, with its errno: says that a message was lost
 * where that is news. The caller goes on; the end of a channel is told to its
 * reader.
 */
void engine_send_failed(enum program);

#endif
