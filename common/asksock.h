/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_ASKSOCK_H
#define WARREN_COMMON_ASKSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>

/*
 * A socket that local programs ask at: questions one way, answers the other,
 * each a line, or bytes behind their length. One question at a time: the next
 * one is read when the answer to the last has left. What a client may hold is
 * bounded in every direction: its question, the answer that waits for it, its
 * time, and the places of its user. Whoever breaks a bound is closed, and each
 * reason is counted.
 */
struct asksock;
struct asker; /* a connection; ends inside no call of its owner */

enum asksock_framing {
	ASKSOCK_LINES,    /* a newline behind each */
	ASKSOCK_PREFIXED, /* its length before each, 32 bits big-endian */
};

struct asksock_rules {
	const char *name; /* for the log */
	enum asksock_framing framing;
	size_t question_max; /* bytes of a question, without framing */
	size_t waiting_max;  /* bytes of answers that wait, with framing */
	unsigned clients_max;
	unsigned user_max; /* of one user but root; 0: no such limit */
	/* when there is no place, the oldest that is not known yet goes */
	bool makes_room;
	double idle_s;     /* without a byte either way; 0: no limit */
	double whole_s;    /* from connect to close; 0: no limit */
	size_t state_size; /* of asker_state() */

	/* uid -1: not known, as over TCP. NULL: everybody may */
	bool (*may)(void *ctx, uid_t);
	/* A client is there and may be told something. NULL; false: close. */
	bool (*opened)(void *ctx, struct asker *);
	/*
	 * A whole question, valid until it returns; answer by asker_put().
	 * false: close, and what waits is lost.
	 */
	bool (*question)(void *ctx, struct asker *, const uint8_t *, size_t);
	/*
	 * The answer so far has left: asker_put() its next piece, or nothing
	 * when it is complete. For answers that are made as they go. NULL;
	 * false: close.
	 */
	bool (*more)(void *ctx, struct asker *);
};

/* What happened at a socket, and the names of it for status. */
enum asksock_count {
	ASKSOCK_QUESTIONS,
	ASKSOCK_NOT_ALLOWED, /* rules.may */
	ASKSOCK_NO_PLACE,    /* clients_max, user_max, memory */
	ASKSOCK_PUT_OUT,     /* makes_room */
	ASKSOCK_TOO_LONG,    /* question_max */
	ASKSOCK_TOO_MUCH,    /* waiting_max */
	ASKSOCK_TOO_SLOW,    /* idle_s, whole_s */
	ASKSOCK_BROKEN_OFF,  /* the owner said false */
	ASKSOCK_PAUSES,      /* no descriptor was free */
	ASKSOCK_COUNTS,
};
const char *asksock_count_name(enum asksock_count);

/*
 * Serve on the listening fd, which is taken. rules and ctx outlive it. NULL: no
 * memory, and fd is closed.
 */
struct asksock *asksock_new(struct ev_loop *, int fd,
    const struct asksock_rules *, void *ctx);
/* Closes everything; not from a call of its own. NULL is fine. */
void asksock_free(struct asksock *);
uint64_t asksock_count(const struct asksock *, enum asksock_count);

/*
 * One answer, or one line of it; framing is added. It leaves after the owner's
 * call. false: over waiting_max, or no memory; nothing was added, and the owner
 * should return false.
 */
bool asker_put(struct asker *, const void *, size_t);
/* Close when what waits has left; whatever else it says is not read. */
void asker_end(struct asker *);
/* Who it is has been seen: it makes room for nobody (rules.makes_room). */
void asker_known(struct asker *);
/* Shorter questions only, until this is called again; <= question_max. */
void asker_limit(struct asker *, size_t question_max);
/* Outside a call of its owner: what it was told leaves; it may be gone then. */
void asker_go(struct asker *);
/* All of them; fn may let go the one that it is told. */
void asksock_each(struct asksock *, void (*fn)(void *ctx, struct asker *),
    void *ctx);
/* The owner's own, zero at first and wiped at the end. */
void *asker_state(struct asker *);

#endif
