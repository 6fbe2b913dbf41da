/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_METRICS_TEXT_H
#define WARREN_TRANSPORT_ENGINE_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "common/ipc_msg.h"
#include "transport/modem/airq.h"

/*
 * The numbers of /metrics in Prometheus' text format 0.0.4. Pure: numbers in,
 * text out. Each family is one line of a table; HELP and TYPE once, its samples
 * behind them, no series twice.
 */
#define METRICS_IFS 256 /* ours: interfaces shown, those of config first */

struct metrics_if {
	const char *name, *type; /* of the operator: escaped here */
	uint64_t online;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
	uint64_t rx_drops, tx_drops, tx_drop_bytes;
	uint64_t announces_rx, announces_tx, path_requests_rx, path_requests_tx;
	uint64_t announce_queue, held, bursts, waiting;
	uint64_t clients, accepted, refused, put_out; /* of a listener */
	struct rns_amount rx_kinds[RNS_KINDS], tx_kinds[RNS_KINDS];
	const struct airq_view *air; /* of serial and radio; NULL: others */
};

/* Of node, by family and, in one, of different labels. */
struct metrics_sample {
	uint8_t family; /* of enum number_family */
	char label[NUMBER_LABEL + 1];
	uint64_t value;
};

struct metrics_program {
	const char *name;
	uint64_t running, restarts;
	uint64_t rss, pss; /* bytes; 0: not known */
};

struct metrics {
	uint64_t uptime_s, hashes, holes;
	struct rns_counts counts;
	uint64_t drops[RNS_DROP_COUNT];
	const struct metrics_if *ifs;
	size_t nifs, left_out;
	const struct metrics_program *programs;
	size_t nprograms;
	const struct metrics_sample *samples; /* of node */
	size_t nsamples;
};

/* Of malloc; NULL: no memory. */
char *metrics_text(const struct metrics *, size_t *len);

enum metrics_asked { METRICS_OK = 200, METRICS_BAD = 400,
	METRICS_NOT_FOUND = 404, METRICS_NOT_GET = 405 };
/* What the first line of an HTTP request asks for, with or without its CR. */
enum metrics_asked metrics_asked(const uint8_t *line, size_t len);
/* The head of the answer, blank line included. */
const char *metrics_head(enum metrics_asked);

#endif
