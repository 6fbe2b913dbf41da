/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_TCP_H
#define WARREN_TRANSPORT_ENGINE_IF_TCP_H

struct nif;

void tcp_start(struct nif *);
void tcp_opened(struct nif *, int fd, int error, const char *text);

#endif
