/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_OPEN_H
#define WARREN_NODE_PARENT_OPEN_H

#include <ev.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "node/parent/resolve.h"

struct parent;
struct rnsconf_if;

/*
 * One question of transport's on its way to an answer, and what the openers of
 * the types of interfaces share. An opener is a file open_TYPE.c with one
 * function that dial.c has in its table: it takes the opening and the
 * section of our own copy of config, which it must not keep, and ends in
 * opening_done() or opening_failed(), now or later.
 */
union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct opening {
	struct opening *next;
	struct parent *parent;
	uint32_t index, seq;
	uint16_t port;
	bool v6; /* IPv6 before IPv4 */
	double seconds; /* for each address */
	struct resolve *resolve;
	void (*found)(struct opening *);
	struct lookup_addr list[LOOKUP_MAX];
	unsigned count, at; /* addresses; the next one to try */
	bool by_name;       /* they are a host's */
	int fd;             /* -1: none; closed with it */
	int send_fd;        /* of datagrams: to send from; -1: none */
	uint32_t to;        /* ... to that IPv4 address */
	uint16_t to_port;
	char host[256];     /* what is looked up second; "": nothing */
	void *own;          /* the opener's; stop() frees it */
	void (*stop)(struct opening *);
	ev_io io;           /* the opener's; both stopped with it */
	ev_timer late;
};

typedef void open_fn(struct opening *, const struct rnsconf_if *);
open_fn open_tcp_client, open_tcp_server; /* open_tcp.c */
open_fn open_auto, open_pipe, open_udp;
open_fn open_line; /* open_tty.c */

struct msg_DIAL_FOUND;
/* An interface of somebody else's; answered as index RNSCONF_FOUND. */
void open_found(struct parent *, const struct msg_DIAL_FOUND *);
open_fn open_i2p;
/* open_tcp.c: what a client does, for others; o->port is set. */
void open_connect(struct opening *, const char *host);

#define COMMAND_UID 8 /* ARCHITECTURE.md 12.5 */
#define KEEPER_UID 11 /* of those that keep a serial port open */
/*
 * In a child that was forked: become a command of the operator (open_pipe.c),
 * in a session of its own, without our rights. 126 or 127: it could not.
 */
void command_exec(const struct parent *, char *const *argv, int in, int out,
    int err) __attribute__((noreturn));
/* NULL: no room for it. */
struct opening *opening_new(struct parent *, uint32_t index, uint32_t seq);
/*
 * The answer, and its end. error 0: o->fd, and o->send_fd when there is one,
 * are what transport gets; else an errno and why.
 */
void opening_done(struct opening *, int error, const char *text);
/*
 * The answer that it stands, with that descriptor, which is taken, or without
 * (-1): it goes on by itself, until opening_over() or opening_clear().
 */
void opening_stands(struct opening *, int fd);
void opening_over(struct opening *);
/* ... that none of its addresses would do; a name's last one is named. */
void opening_failed(struct opening *, int error);
/*
 * The addresses of a name, or the one that host is, in o->list; then found().
 * A name without any is answered here.
 */
void opening_find(struct opening *, const char *host,
    void (*found)(struct opening *));
/* The same for what is not to be read here: a name, or nothing. */
void opening_look_up(struct opening *, const char *host,
    void (*found)(struct opening *));
/* Connect to the first of its addresses that answers (open_tcp.c). */
void opening_connect(struct opening *);
/* All of them, without an answer. */
void opening_clear(struct parent *);
/* Of an interface: those that are under way, or stand. */
void opening_forget(struct parent *, uint32_t index);
/* A question that is not even begun. */
void opening_refuse(struct parent *, uint32_t index, uint32_t seq, int error,
    const char *text);

socklen_t address_of(union address *, const struct lookup_addr *, uint16_t port);
/* The first address of a device, of the family that is preferred. */
bool device_address(const char *device, bool v6, uint16_t port,
    union address *);

#endif
