/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_DOOR_H
#define WARREN_TRANSPORT_ENGINE_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <jansson.h>

struct engine;
struct nif;

/*
 * The listeners' door: what callers.c decides of who connects, done to the
 * interfaces, and counted.
 */
void door_init(struct engine *);
/*
 * May server take who connects from there? Another may have been put out for
 * it. false: counted, and logged when it begins.
 */
bool door_ask(struct nif *server, const struct sockaddr_storage *);
/* It was taken. */
void door_came(struct nif *, const struct sockaddr_storage *);
/* nif_kind.stop of those that were taken. */
void door_went(struct nif *);
/* What became of callers of this server, for status. */
void door_json(const struct nif *server, json_t *);

/* Of callers_blocked(), INET6_ADDRSTRLEN bytes. */
void door_text(const uint8_t addr[16], char *out);
/* "IP:PORT", IPv6 in brackets. */
void door_address(const struct sockaddr_storage *, char *out, size_t cap);

#endif
