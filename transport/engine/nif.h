/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_NIF_H
#define WARREN_TRANSPORT_ENGINE_NIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>
#include <rns/rns.h>

#include "common/acceptor.h"
#include "common/ipc_msg.h"
#include "common/util.h"
#include "transport/config/rnsconf.h"
#include "transport/engine/engine.h"
#include "transport/engine/stats_pack.h"
#include "transport/engine/fair.h"
#include "transport/engine/stall.h"
#include "transport/engine/visits.h"
#include "transport/socket/fsock.h"

struct air;
struct nif;

#define NIF_COUNTS 32
struct nif_count {
	const char *name;
	uint64_t n;
};

/* What the parent has opened; fd -1: nothing, and why, of which one is empty. */
struct nif_open {
	int fd;
	uint32_t seq; /* of the question */
	int error; /* errno */
	const char *text;
	/* of one of datagrams; send_fd -1: it does not send */
	int send_fd;
	uint32_t to; /* IPv4, in the order of the network */
	uint16_t to_port;
};

/*
 * What a kind of interface does itself; all else is here. A kind is a file
 * with one of these, and kinds.c has a line for each that can be configured.
 */
struct nif_kind {
	/* TCPClientInterface, ... (reticulum-transport.md 8.1) */
	const char *name;
	/*
	 * Whether it carries packets and so is an interface of the core; else
	 * it only listens, and each that it accepts is one.
	 */
	bool carries;
	bool lasts; /* is of the configuration, though another made it */
	double retry_s; /* before the first try again; 0: opener.c's */
	bool steady;    /* each try again as soon as the first */
	bool local; /* of the shared instance, not of a network */
	/*
	 * For one of the configuration: fill in n->cfg, offline. 0, or -1: its
	 * keys make no interface. May use nif_configure(). NULL: not
	 * configured.
	 */
	int (*configure)(struct nif *);
	/* Everything is there: dial, bind, listen. NULL: nothing to do. */
	void (*start)(struct nif *);
	/*
	 * For opener_ask(): send the question under this number, 0 or -1 with
	 * errno. NULL: DIAL or BIND by the section's index.
	 */
	int (*ask)(struct nif *, uint32_t seq);
	/*
	 * The parent's answer to opener_ask(), whose descriptors it takes.
	 * NULL: never asks.
	 */
	void (*opened)(struct nif *, const struct nif_open *);
	/*
	 * Of a section with a line: a port of its device can carry packets, or
	 * not any more, and has or is an interface only so long. NULL: each has
	 * one all the time.
	 */
	void (*port)(struct nif *, unsigned port, bool up);
	/*
	 * Of those that carry packets: take one that is to go out at flush();
	 * false: dropped, and counted in n->s. nif_stream_send() and
	 * nif_stream_flush() for a stream of frames.
	 */
	bool (*send)(struct nif *, const uint8_t *, size_t);
	/* In place of it, for who asks whose it is. */
	bool (*take)(struct nif *, const struct rns_tx *);
	void (*flush)(struct nif *);
	/* Bytes that wait; NULL: those of n->s. */
	size_t (*waiting)(const struct nif *);
	/* What rnstatus shows of this kind alone. NULL: nothing. */
	void (*stats)(const struct nif *, struct stats_if *);
	/*
	 * What it counts of its own, for status: how many it filled in. NULL:
	 * nothing.
	 */
	unsigned (*counts)(const struct nif *, struct nif_count[NIF_COUNTS]);
	/* Once a second while it is there; may free it. NULL: nothing. */
	void (*second)(struct nif *);
	/* Of a server: the kind of those that it accepts. */
	const struct nif_kind *accepts;
	/* It goes; its socket and timers are closed after it. NULL: nothing. */
	void (*stop)(struct nif *);
};

/* Those that a server did not let in, or put out again (door.c). */
struct door_counts {
	uint64_t flapping, share, full, put_out;
	uint64_t put_out_useful; /* of these; callers.h says what is */
};

struct nif {
	TAILQ_ENTRY(nif) link;
	TAILQ_ENTRY(nif) dirty_link;
	bool dirty; /* has something for flush() */
	struct engine *e;
	unsigned id; /* the core's number; 0: not in the core */
	const struct nif_kind *kind;
	const struct rnsconf_if *conf; /* own or the parent's; NULL: local */
	struct nif *parent;            /* NULL: none */
	/* display name (reticulum-transport.md 8.1) */
	char name[300];
	struct rns_if cfg;
	/*
	 * the stream, and counts of every kind; of a server the counts of
	 * those that it accepted and that are gone
	 */
	struct fsock s;
	unsigned clients; /* of a server */
	uint64_t accepted, refused; /* of a server */
	struct door_counts door;    /* of a server */
	struct visits visits;       /* of a server: lines of the log */
	struct guest guest;         /* of those that it accepted */
	struct stats_sample sample; /* once a second, for rnstatus */
	struct rns_if_stats past;   /* of those accepted that are gone */
	struct stall stall;         /* Backbone */
	struct fair fair;           /* whose packets may wait when many do */
	uint64_t unfair;            /* dropped because of that */
	struct air *medium; /* of serial and radio: what waits; NULL: none */
	struct mono since; /* online, or listening, or offline since */
	bool online;
	bool taken_down; /* goes with its parent, which is nobody's flap */
	/* servers */
	int listen_fd;
	struct acceptor accept;
	/* opener.c: what was asked of the parent (DIAL, BIND): 0 nothing */
	uint32_t seq;
	unsigned tries; /* since it was last up */
	unsigned thrown; /* links in a row that did not live long */
	bool given_up;
	/* klp.node has still to be announced here; and when it was (bridge) */
	bool announce_due;
	struct mono announced;
	struct mono air; /* what is not urgent may leave again (bridge) */
	ev_timer retry;
	char error[400]; /* why it is not online; empty: nothing known */
	/* what its device complained of last, and goes on; NULL: of nothing */
	const char *remark;
	struct mono remarked;
	void *more; /* the kind's own; freed by its stop() */
	uid_t uid; /* of an attached program; -1: not known (tcp) */
	pid_t pid;
	void *own; /* the kind's; stop() frees it */
};

/*
 * A new one in the engine's list, offline, with a number when it carries
 * packets; not in the core before nif_attach(). conf must outlive it. NULL: no
 * memory, or all numbers taken.
 */
struct nif *nif_new(struct engine *, const struct nif_kind *,
    const struct rnsconf_if *conf, struct nif *parent);
/* Out of the core, closed and freed; before it those that have it as parent. */
void nif_free(struct nif *);
/* By the core's number; NULL: there is none (any more). */
struct nif *nif_find(const struct engine *, unsigned id);
/* Its counters; a server's are those of all that it has accepted. */
void nif_counts(const struct nif *, struct fsock *sum);
/* Bytes that it was given to send and that wait. */
size_t nif_waiting(const struct nif *);
/* What the core counted of it, or of all that a server has accepted. */
void nif_stats(const struct nif *, struct rns_if_stats *sum);
/* The bytes of both. */
void nif_flow(const struct nif *, struct stats_flow *);
/* Per cent with one decimal, as others compute it, not the float nearest to it. */
double nif_quality(const struct rns_signal *);
/* Whether the same interface is there again after a restart. */
bool nif_lasting(const struct nif *);
/*
 * One that a server accepted has something to tell of its coming or going: log
 * it? The last time for a while it is said here.
 */
bool nif_visit_said(struct nif *);

/*
 * What the common keys of n->conf give to the core (reticulum-transport.md 8.2
 * to 8.7); bitrate: the kind's where the configuration has none. 0, or -1: no
 * access code can be made of the name and passphrase.
 */
int nif_configure(struct nif *, uint64_t bitrate);
/* Bytes of the longest packet of cfg, access code included. */
size_t nif_frame_limit(const struct nif *);

/*
 * Put it into the core, offline or online as n->online says. 0 or -1: the core
 * has no place (counted there).
 */
int nif_attach(struct nif *);
/*
 * What its device says that it carries, bit/s, unless its section says so; 0:
 * not known, as it was.
 */
void nif_bitrate(struct nif *, uint64_t bitrate);
/* It can carry packets, or accept; or not any more. Tells who asked to know. */
void nif_online(struct nif *, bool online);

/*
 * What the core has to send, to its interfaces; goes out at nif_flush_all(). Not
 * only at the end of a turn: when much came in, before the core's queue is full.
 */
void nif_out_all(struct engine *);
void nif_flush_all(struct engine *);
bool nif_stream_send(struct nif *, const uint8_t *, size_t);
void nif_stream_flush(struct nif *);
/* fsock.frame: the stream's packets go to the core. */
void nif_frame(void *nif, const uint8_t *, size_t);
/* One packet whose reception an interface of radio measured; NULL: it did not. */
void nif_frame_signal(struct nif *, const uint8_t *, size_t,
    const struct rns_signal *);
/*
 * A server that does not listen yet takes the listening fd, and from now on
 * what connects to it: `take` owns each descriptor that it is given, and counts
 * it in accepted or refused.
 */
void nif_listen(struct nif *, int fd,
    void (*take)(void *nif, int fd, const struct sockaddr_storage *));

/* Once a second: whoever has something to do then. */
void nif_second_all(struct engine *);

/* Start those that can be. */
void nif_start_all(struct engine *);
/*
 * The parent's OPENED for whoever waits for it; takes the descriptors (-1:
 * none), and closes them when nobody does.
 */
void nif_opened(struct engine *, const struct msg_OPENED *, int fd,
    int send_fd);

#endif
