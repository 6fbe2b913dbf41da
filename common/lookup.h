/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_LOOKUP_H
#define WARREN_COMMON_LOOKUP_H

#include <stdint.h>
#include <sys/types.h>

/*
 * A host name is looked up by a child that lives for one answer and has no
 * right and no memory of ours: what DNS servers send is parsed there. It
 * answers a record of fixed size.
 */
#define LOOKUP_MAX 8	 /* addresses of an answer */
#define LOOKUP_UID 9	 /* + base, as root */
#define LOOKUP_SECONDS 10 /* whoever started it waits no longer, and kills it */
/* A program that is executed by this name, with two words, is that child. */
#define LOOKUP_NAME "warrend-look-up"

struct lookup_addr {
	uint8_t family; /* 4 or 6 */
	uint8_t addr[16];
	uint32_t scope; /* of an address of one link; 0: none */
};
struct lookup_answer {
	int32_t error; /* of getaddrinfo() */
	uint32_t count;
	struct lookup_addr list[LOOKUP_MAX];
};

/*
 * Starts it: this very program, anew, as uid (0: ours). *fd is the end of a
 * pipe, non-blocking. Its pid, or -1 with errno.
 */
pid_t lookup_start(const char *host, uint32_t uid, int *fd);
/*
 * What is read when the pipe is readable. NULL: it is an answer, with addresses;
 * else why there is none, for people, a literal or the resolver's. errno EAGAIN
 * and NULL with count 0: not yet.
 */
const char *lookup_read(int fd, struct lookup_answer *);
/* That child: host, the number to run as. Its exit status. */
int lookup_main(const char *host, const char *id);

#endif
