/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_IPC_H
#define WARREN_COMMON_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"

/*
 * One channel between two programs: a non-blocking SOCK_SEQPACKET socket.
 * Sending never blocks: what the socket does not take, or the kernel for its
 * descriptors, is queued, up to
 * IPC_QUEUE_MAX messages; above IPC_QUEUE_HIGH ipc_full() says so and the
 * program must stop reading what makes it send (water marks). Receiving checks
 * the table before it returns: type, direction, size, number of descriptors;
 * MSG_TRUNC and MSG_CTRUNC are violations.
 */
#define IPC_QUEUE_HIGH 256
#define IPC_QUEUE_MAX 4096

struct ipc;

struct ipc_in {
	enum ipc_type type;
	enum program from;
	struct rd body; /* valid until the next ipc_recv() of any channel */
	int fds[IPC_FDS_MAX];
	unsigned nfds; /* ours: taken by ipc_in_take() or closed by _done() */
};

/* Takes fd (set non-blocking and close-on-exec). NULL: out of memory. */
struct ipc *ipc_new(int fd, enum program me, enum program other);
void ipc_free(struct ipc *); /* closes; NULL is fine */
int ipc_fd(const struct ipc *);
enum program ipc_other(const struct ipc *);

/*
 * Encodes once and sends: ipc_send_SETTING(), ... The channel may be NULL: the
 * other end is not there. fds are duplicated by the kernel: they stay the
 * caller's and may be closed at once (queued ones are dup'ed). 0, or -1: EPIPE
 * (the other end is gone), ENOBUFS (queue over its end: a defect upstream),
 * EMSGSIZE, EINVAL (the table forbids it), ENOMEM.
 */
#define IPC_SENDER(name, s, r, lo, hi)                                         \
	int ipc_send_##name(struct ipc *, const struct msg_##name *,           \
	    const int *fds, unsigned nfds);
IPC_MESSAGES(IPC_SENDER)
/*
 * The same in two steps, for who keeps messages: encoded into a writer with
 * room for IPC_SIZE_NAME, type first, by ipc_put_SETTING(), ...; then sent
 * (and checked against the table) as it is.
 */
#define IPC_PUTTER(name, s, r, lo, hi)                                         \
	void ipc_put_##name(struct wr *, const struct msg_##name *);
IPC_MESSAGES(IPC_PUTTER)
int ipc_send(struct ipc *, const uint8_t *message, size_t len, const int *fds,
    unsigned nfds);

/* What became of a message that was handed to ipc_dispatch(). */
enum ipc_done {
	IPC_NOT_MINE,  /* no row of this receiver: somebody else's to handle */
	IPC_DONE,      /* its handler has run */
	IPC_MALFORMED, /* it fits the table and does not decode */
};

/*
 * 1: a message in *in; 0: nothing now; -1: the other end is gone (errno 0) or
 * broke the table (errno EPROTO, logged).
 */
int ipc_recv(struct ipc *, struct ipc_in *);
/*
 * The same for who has no loop: waits so long, in milliseconds, or for ever
 * (-1). 0: a message in *in; -1 as above, or ETIMEDOUT.
 */
int ipc_wait(struct ipc *, struct ipc_in *, int ms);
int ipc_in_take(struct ipc_in *, unsigned i); /* -1: not there */
void ipc_in_done(struct ipc_in *);            /* closes what was not taken */
/* Zero the bytes that the last ipc_recv() left behind: after a secret. */
void ipc_wipe(void);

/* Send what is queued: 0, or -1 as ipc_send(). */
int ipc_flush(struct ipc *);
bool ipc_pending(const struct ipc *); /* wait for POLLOUT */
/*
 * What is queued waits until the kernel takes descriptors again (ETOOMANYREFS:
 * a user's descriptors in flight are counted in one sum, and rootless a job is
 * of this user). POLLOUT does not tell: flush again after IPC_HELD_MS.
 */
bool ipc_held(const struct ipc *);
#define IPC_HELD_MS 50
bool ipc_full(const struct ipc *);

/* A pair for two programs; both close-on-exec. 0 or -1. */
int ipc_pair(int fds[2]);

/*
 * A sealed memfd (no write, grow, shrink, seal) with these bytes; -1 on error.
 * name appears in /proc only.
 */
int memfd_sealed(const char *name, const void *, size_t);
/* The same in two steps, with write() between them. */
int memfd_unsealed(const char *name);
int memfd_seal(int fd);
/*
 * Map a descriptor that must be a sealed memfd of exactly len bytes (len 0:
 * whatever it has, at most max). NULL: EINVAL when not sealed or another size.
 */
const uint8_t *memfd_map(int fd, size_t *len, size_t max);
void memfd_unmap(const uint8_t *, size_t len);

#endif
