/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_HTTP_H
#define WARREN_SANDBOX_RUNNER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The answer to one request of HTTP/1.1 (RFC 9112) on a connection of its own,
 * as its bytes come: a status, and the beginning of the content. Pure. By
 * length, in chunks, or until the connection ends; content that finds no room
 * is counted and dropped, so nothing grows with what the other side says.
 */
#define HTTP_LINE 1024u		 /* the longest line of a head */
#define HTTP_LINES 100u		 /* ours: lines of a head, and behind chunks */
#define HTTP_CONTENT_MAX (16u << 20) /* ours: bytes of content, of any answer */

enum http_at {
	HTTP_STATUS,
	HTTP_FIELDS,
	HTTP_COUNTED,	/* content of a known length */
	HTTP_SIZE,	/* line that begins a chunk */
	HTTP_CHUNK,
	HTTP_CHUNK_END,
	HTTP_TRAILER,
	HTTP_TO_END,	/* content until the connection ends */
	HTTP_DONE,
	HTTP_BAD,
};

struct http {
	enum http_at at;
	unsigned status; /* 0: not known yet */
	char line[HTTP_LINE];
	size_t nline, lines;
	bool counted, chunked;
	uint64_t left;	/* of this content, or chunk */
	uint64_t all;	/* bytes of content so far */
	char *content;	/* NUL-terminated at each time */
	size_t len, cap;
};

/* content has room for cap, at least 1, and must stay. */
void http_init(struct http *, char *content, size_t cap);
/* How many bytes were taken: fewer than n only where it is over. */
size_t http_feed(struct http *, const char *p, size_t n);
/* The connection has ended. */
void http_end(struct http *);
/* Over: whole, or HTTP_BAD. */
bool http_over(const struct http *);

#endif
