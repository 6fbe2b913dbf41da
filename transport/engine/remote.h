/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_REMOTE_H
#define WARREN_TRANSPORT_ENGINE_REMOTE_H

#include <stddef.h>
#include <stdint.h>

struct engine;

/*
 * The answers of remote management (reticulum-transport.md 7.6): the packed
 * value to the packed argument of a request, *len bytes of malloc. NULL: the
 * argument is malformed, or no memory; nothing is answered then.
 */
uint8_t *remote_status(struct engine *, const uint8_t *, size_t n,
    size_t *len);
uint8_t *remote_path(struct engine *, const uint8_t *, size_t n, size_t *len);

#endif
