/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CONFIG_RNSCONF_READ_H
#define WARREN_TRANSPORT_CONFIG_RNSCONF_READ_H

#include <stddef.h>
#include <stdint.h>

#include "transport/config/confval.h"
#include "transport/config/rnsconf.h"

/*
 * What the readers of [reticulum] and of interfaces share: one file on its way
 * from tree to values. A mistake is added and the reading goes on, so that all of them are
 * told at once; what was wrong has its default then, and nobody gets the
 * struct.
 */
struct reader {
	struct rnsconf *c;
	struct conf_reader v;
	const char *where; /* for notes: "[reticulum]", or interface name */
	bool torn; /* lines could not be read: what is missing may be there */
	const struct mistakes *syntax; /* of the lines of the file */
};

/* A key that [reticulum] or an interface may have. */
enum kind { K_BOOL, K_INT, K_FLOAT, K_TEXT };

struct knob {
	const char *key;
	enum kind kind;
	size_t offset; /* in the struct; or the next: of no effect here */
	size_t size;
	int64_t min, max;
};
#define NOT_NEEDED SIZE_MAX /* the length of a queue that is not there */
#define FIELD(type, f) offsetof(struct type, f), sizeof(((struct type *)0)->f)

#define PORT 1, 65535
#define NAT 0, UINT32_MAX

/* reticulum-transport.md 8.5, of [reticulum] and of each interface */
#define INGRESS_FLOAT(type, key, f)                                            \
	{key, K_FLOAT, FIELD(type, ingress.f), 0, INT32_MAX}
#define INGRESS_KNOBS(type)                                                    \
	{"ic_max_held_announces", K_INT, FIELD(type, ingress.max_held), NAT},  \
	    INGRESS_FLOAT(type, "ic_burst_hold", hold_s),                      \
	    INGRESS_FLOAT(type, "ic_burst_freq_new", burst_hz_new),            \
	    INGRESS_FLOAT(type, "ic_burst_freq", burst_hz),                    \
	    INGRESS_FLOAT(type, "ic_pr_burst_freq_new", pr_burst_hz_new),      \
	    INGRESS_FLOAT(type, "ic_pr_burst_freq", pr_burst_hz),              \
	    INGRESS_FLOAT(type, "ic_new_time", new_time_s),                    \
	    INGRESS_FLOAT(type, "ic_burst_penalty", penalty_s),                \
	    INGRESS_FLOAT(type, "ic_held_release_interval", release_s),        \
	    INGRESS_FLOAT(type, "ec_pr_freq", egress_hz),                      \
	{"egress_control", K_BOOL, FIELD(type, ingress.egress), 0, 0}

/* The values of a list in one array of the tree; NULL: not there, or empty. */
const char *const *rnsconf_list(struct reader *, const char *key,
    unsigned *n);
/* Another section; its keys are asked for from now on. */
void rnsconf_enter(struct reader *, const struct conf_section *,
    const char *where);
void rnsconf_knobs(struct reader *, const struct knob *, size_t n, void *base);
/* hint: NULL or text. */
void rnsconf_note(struct reader *, unsigned line, const char *hint,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Mistakes of a section that is off: they would keep it off. */
void rnsconf_as_notes(struct reader *, const struct mistakes *);
/* Keys that nobody asked for; Reticulum ignores them in silence. */
void rnsconf_unknown(struct reader *);

void rnsconf_no_memory(struct reader *);
/* What an interface needs and has not; a key that is nearly it is named. */
void rnsconf_missing(struct reader *, const struct rnsconf_if *,
    const char *key, const char *example);

/*
 * id_interval, seconds from 1 to most: as conf_get_int(). rnsd takes less than
 * that, and says a call sign behind each packet.
 */
int rnsconf_id_interval(struct reader *, int64_t most, uint32_t *out);

/* What a word for a mode means; full, with a note, when it is none. */
enum rns_if_mode rnsconf_mode(struct reader *, const char *key,
    const char *word);
/* Discovery: rnsconf_disc.c of [reticulum], rnsconf_offer.c of an interface. */
void rnsconf_read_discovery(struct reader *);
void rnsconf_read_offer(struct reader *, struct rnsconf_if *);

/* The keys of one type: rnsconf_tcp.c */
void rnsconf_read_tcp_server(struct reader *, struct rnsconf_if *);
void rnsconf_read_tcp_client(struct reader *, struct rnsconf_if *);
/* rnsconf_udp.c, rnsconf_auto.c, rnsconf_pipe.c */
void rnsconf_read_udp(struct reader *, struct rnsconf_if *);
void rnsconf_read_auto(struct reader *, struct rnsconf_if *);
void rnsconf_read_pipe(struct reader *, struct rnsconf_if *);
/* rnsconf_serial.c; the port and its settings, for other types as well */
void rnsconf_read_serial(struct reader *, struct rnsconf_if *);
void rnsconf_read_port(struct reader *, struct rnsconf_if *, bool settings);
/* rnsconf_tnc.c */
void rnsconf_read_kiss(struct reader *, struct rnsconf_if *);
void rnsconf_read_ax25(struct reader *, struct rnsconf_if *);
/* rnsconf_rnode.c */
void rnsconf_read_rnode(struct reader *, struct rnsconf_if *);
void rnsconf_read_rnode_multi(struct reader *, struct rnsconf_if *);
void rnsconf_read_weave(struct reader *, struct rnsconf_if *);
/* rnsconf_i2p.c */
void rnsconf_read_i2p(struct reader *, struct rnsconf_if *);
void rnsconf_read_backbone(struct reader *, struct rnsconf_if *);
void rnsconf_read_backbone_client(struct reader *, struct rnsconf_if *);

/* Gives mistakes of which only the line is known their columns. */
void rnsconf_settle(struct reader *, struct mistakes *);

/*
 * rnsconf_if.c: all of [interfaces]; ar: the defaults of announce rates. What
 * is wrong in one keeps it off, and is added to m.
 */
void rnsconf_interfaces(struct reader *, const uint32_t ar[3],
    struct mistakes *m);
/* The [[section]] that a line is in; NULL: none, the line is the file's. */
const struct conf_section *rnsconf_owner(const struct reader *, unsigned line);

#endif
