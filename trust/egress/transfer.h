/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_EGRESS_TRANSFER_H
#define WARREN_TRUST_EGRESS_TRANSFER_H

#include <curl/curl.h>
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/hubset.h"
#include "common/ipc_msg.h"
#include "common/weburl.h"

/*
 * Files over HTTPS, by libcurl in a libev loop. A server is believed by its
 * certificate and its host name, followed nowhere, and connected to only where
 * the address itself allows it. What comes goes into a memfd, never more than
 * was asked for.
 */
struct transfers; /* the multi handle in its loop */

struct transfer;
/*
 * Who reads by itself, what a registry sends: the address may be longer, TLS
 * left away, and neither headers nor body are kept here. All of it is the
 * caller's until it is over.
 */
struct transfer_reader {
	const char *url;
	const char *const *headers; /* NULL ends them */
	const char *pin;	    /* "sha256//...", or NULL */
	bool plain;		    /* url is http://, and may be */
	void *ctx;
	/* a line of the head, as it came */
	void (*head)(void *ctx, const char *line, size_t len);
	/* FETCH_OK: go on; FETCH_HTTP: enough of it was seen */
	enum fetch_end (*body)(void *ctx, const uint8_t *, size_t len);
	/* in place of transfer_fn; FETCH_OK: it was answered, with any code */
	void (*over)(void *ctx, struct transfer *);
};

struct transfer {
	uint32_t seq;
	uint32_t max, deadline_ms; /* 0: none, of a reader */
	char text[IPC_URL + 1];
	struct weburl url; /* of text */
	bool private_ok;   /* the operator has named this very host */
	/* events in place of a question: what goes there, and how; NULL. Both
	 * are the caller's until it is over */
	const struct hubset *hub;
	const uint8_t *body;
	size_t body_len;
	const struct transfer_reader *reader; /* NULL: a file of klp.md 1.7 */

	/* of transfer.c */
	struct transfers *in;
	CURL *easy;
	struct curl_slist *resolved, *headers;
	int fd; /* memfd; -1: none */
	size_t len, head_len, other_len;
	bool refused; /* an address */
	char refused_text[48];
	bool tried;   /* ... and another one was connected to */
	enum fetch_end ended; /* by us, FETCH_OK: not yet */
	char error[CURL_ERROR_SIZE];

	/* the answer */
	enum fetch_end end;
	uint16_t code;
	uint32_t wait_s; /* Retry-After; 0: none */
	char why[200];
};

/*
 * It is over: t->end, and of FETCH_OK t->fd with t->len bytes (sealed; -1 when
 * there are none). Then it is free, which the callee does by transfer_clear().
 */
typedef void transfer_fn(void *ctx, struct transfer *);

/* Before rights are given up: libraries read their files now. false: no. */
bool transfers_library(void);
/* NULL: no memory. */
struct transfers *transfers_new(struct ev_loop *, transfer_fn *, void *ctx);
/* Certificates, PEM, a copy is made; false: no memory. Empty: none. */
bool transfers_trust(struct transfers *, const char *pem, size_t len);
/*
 * From addresses that were looked up (n of IPC_ADDR bytes; none when url has
 * one itself). It may be over, and fn called, before this returns.
 */
void transfer_start(struct transfers *, struct transfer *,
    const uint8_t *addrs, unsigned n);
/* Frees what it holds; one that is under way ends without an answer. */
void transfer_clear(struct transfer *);
/* Before it was started: over, with this. */
void transfer_fail(struct transfer *, enum fetch_end, const char *why);

#endif
