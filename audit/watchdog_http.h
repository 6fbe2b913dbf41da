/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_WATCHDOG_HTTP_H
#define WARREN_AUDIT_WATCHDOG_HTTP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * One question and its answer over a connection that somebody else has made,
 * as HTTP/1.0: an answer to it ends with the connection or where its length
 * says, and never comes in chunks. By hand, since libcurl up to 7.88 calls
 * connect(2) on such a socket too, and that is the right that the watchdog must
 * not have. Pure.
 */
#define DOG_HTTP_HEAD (16u * 1024) /* of an answer */
#define DOG_HTTP_URL 256

/* The head of a POST; its length, 0: no http://HOST:PORT/PATH, or no room. */
size_t dog_http_head(char *out, size_t cap, const char *url, size_t body);

enum dog_http { DOG_HTTP_MORE, DOG_HTTP_WHOLE, DOG_HTTP_BAD };
/*
 * What has come of an answer; ended: no more does. WHOLE: its code, and where
 * its body lies in it. max: the most bytes of a body.
 */
enum dog_http dog_http_read(const char *buf, size_t len, bool ended,
    size_t max, unsigned *code, const char **body, size_t *nbody);
#endif
