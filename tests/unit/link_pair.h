/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_LINK_PAIR_H
#define WARREN_TESTS_UNIT_LINK_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bsd/sys/queue.h>

#include <rns/hash.h>
#include <rns/rns.h>

/*
 * Two cores and a wire between them, under virtual time, for unit tests and
 * fuzz targets. Node 0 opens links to the one destination of node 1. Whatever
 * cannot happen ends the program. Chance is a counter hashed, unless a test
 * has laid out the bytes that are to be drawn.
 */
#define PAIR_IF 1

struct pair_script {
	STAILQ_ENTRY(pair_script) entry;
	size_t n;
	uint8_t bytes[64];
};

struct pair_event {
	TAILQ_ENTRY(pair_event) entry;
	struct rns_event ev; /* its pointers lead to copies */
	uint8_t *data, *metadata;
};

struct pair_frame {
	TAILQ_ENTRY(pair_frame) entry;
	int to;
	struct mono at;
	size_t len;
	uint8_t data[];
};

struct pair_node {
	struct rns *r;
	uint64_t seed;
	STAILQ_HEAD(, pair_script) script;
	TAILQ_HEAD(pair_events, pair_event) events;
};

struct pair_opts {
	uint32_t hw_mtu; /* 0: 500, not signalled */
	uint32_t responder_mtu; /* 0: as hw_mtu */
	const uint8_t *identity; /* of the destination; NULL: some */
	enum rns_accept resources;
	enum rns_prove prove;
	uint32_t max_request;
	uint64_t resource_bytes; /* 0: default */
	int64_t delay_us;
	const char *name; /* NULL: "test.link" */
};

struct pair {
	struct pair_node n[2];
	struct mono now;
	int64_t delay_us;
	struct hash16 dest, link;
	/* sees each packet before the wire; false: it is lost */
	bool (*tap)(void *, int from, const uint8_t *, size_t);
	void *tap_arg;
	TAILQ_HEAD(, pair_frame) wire;
	uint64_t frames;
};

void pair_new(struct pair *, const struct pair_opts *);
void pair_free(struct pair *);
/* The next n bytes that node draws when it draws exactly n. */
void pair_random(struct pair *, int node, const uint8_t *, size_t n);
/* Announce the destination, so that node 0 knows it and a path. */
void pair_announce(struct pair *);
/* Announce, open a link and wait until it is up; tag 1. */
void pair_up(struct pair *);
int pair_open(struct pair *, enum rns_accept);
int pair_submit(struct pair *, int node, const struct rns_cmd *);
/* Bytes from the wire into a node. */
void pair_recv(struct pair *, int node, const uint8_t *, size_t);
/* Move what is due until both are quiet. */
void pair_run(struct pair *);
/* The same for so long, with all timers. */
void pair_wait(struct pair *, int64_t us);
/* Take the first event of a type, or NULL; freed by the next take. */
const struct rns_event *pair_take(struct pair *, int node,
    enum rns_event_type);
/* Let time pass until there is one; NULL after so long. */
const struct rns_event *pair_until(struct pair *, int node,
    enum rns_event_type, int64_t us);
void pair_forget(struct pair *); /* all events */
void pair_handler(struct pair *, const char *path, enum rns_allow,
    const uint8_t *list, size_t list_len, uint64_t compress_max);
/* A packet that node has to send, into buf; false when there is none. */
bool pair_pull(struct pair *, int node, uint8_t *buf, size_t cap, size_t *n);
/* n bytes that salt decides; the caller's to free. */
uint8_t *pair_filler(size_t n, unsigned salt);
/* A command on the pair's link. */
struct rns_cmd pair_cmd(const struct pair *, enum rns_cmd_type);

#endif
