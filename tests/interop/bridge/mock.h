/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_INTEROP_BRIDGE_MOCK_H
#define WARREN_TESTS_INTEROP_BRIDGE_MOCK_H

#include "tests/interop/bridge/call.h"
#include "transport/core/base/ctx.h"
#include "transport/core/table/iface.h"

/*
 * A node without network: one context of the library whose interfaces are
 * queues in memory. Several may be there at a time. What is due in one happens
 * when it is told to look, and when it is asked what it sent in a pause.
 */
struct mock_if {
	struct mock_if *next;
	unsigned ifid;
	char id[9]; /* as commands name it */
	char *name; /* as it is shown */
	json_t *sent;
};

struct mock_dest {
	struct mock_dest *next;
	struct hash16 hash;
	json_t *deliveries;
};

struct mock_handler { /* of announces */
	struct mock_handler *next;
	char id[9];
	char *filter; /* NULL: all */
	bool responses, fails, with_hash;
	json_t *calls;
};

struct mock {
	struct mock *next;
	char handle[17];
	struct rns *r;
	struct rns_if defaults; /* of its interfaces */
	bool attached;
	unsigned last_id;
	struct mono heard; /* the last packet */
	struct mock_if *ifs;
	struct mock_dest *dests;
	struct mock_handler *handlers;
	const uint8_t *tag; /* of the path request that is sent now */
	struct holding *holding; /* the blackhole; mock_holes.c */
};

/* Their clock. */
struct mono mock_now(void);
/* The one that the call names, or a mistake. */
struct mock *mock_of(struct call *);
/* Of the parameter, or a mistake. */
struct mock_if *mock_if_of(struct call *, struct mock *, const char *key);
struct iface *mock_iface(struct call *, struct mock *, const char *key);
/* NULL: none. */
struct mock_if *mock_if_by(struct mock *, const struct iface *);
/* Takes what is to be sent and what happened. */
void mock_turn(struct mock *);
void mock_submit(struct call *, struct mock *, const struct rns_cmd *,
    const char *what);
void mock_event(struct mock *, const struct rns_event *);
/* The id of an interface, or null. */
void put_if(struct call *, const char *key, struct mock *,
    const struct iface *);
/* Unix time in seconds. */
void put_time(struct call *, const char *key, int64_t us);
/* That Unix time, by the clock of the context. */
struct mono mono_of(const struct rns *, double unix_s);
void holding_free(struct mock *);

#endif
