/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_SAM_H
#define WARREN_TRANSPORT_ENGINE_SAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * What is said to an I2P router's SAM bridge, version 3.1, on one connection
 * until it is a session or a stream (reticulum-transport.md 10.5). Pure: a line
 * of the bridge in, the next line for it or the end out.
 */
#define SAM_LINE_MAX 8192 /* ours: a line, LF included */
#define SAM_KEY_MAX 4096  /* ours: a destination with its private keys */
#define SAM_DEST_MAX 2048 /* ours: a destination, or a host */
#define SAM_ID_MAX 24

enum sam_role { SAM_SESSION, SAM_CONNECT, SAM_ACCEPT };
enum sam_step {
	SAM_WAIT,   /* for another line */
	SAM_SAY,    /* out is the next line */
	SAM_DONE,   /* a session stands, or raw data comes next */
	SAM_FAILED, /* why says it */
};

struct sam {
	enum sam_role role;
	char id[SAM_ID_MAX]; /* of the session */
	/*
	 * SAM_SESSION: who we are, made when it is empty; transient: the
	 * bridge's own choice
	 */
	char key[SAM_KEY_MAX];
	bool transient;
	bool made; /* the key is new */
	/*
	 * SAM_SESSION: whom to look up, empty: nobody, and then his
	 * destination. SAM_CONNECT: that
	 */
	char peer[SAM_DEST_MAX];
	char why[200];
	int state;
};

/* The first line; of a struct that is filled in. */
void sam_begin(struct sam *, char out[SAM_LINE_MAX]);
/* The bridge's line, without LF. */
enum sam_step sam_line(struct sam *, const char *line, char out[SAM_LINE_MAX]);
/* Whether it is base64 in I2P's alphabet and not too long for a key. */
bool sam_key_ok(const char *);
/* The address of a key, without ".b32.i2p"; false: it is no key. */
bool sam_b32(const char *key, char out[53]);
/* Where Reticulum keeps the key of an interface: 64 hex digits and ".i2p". */
void sam_key_file(const char *name, const struct hash16 *identity,
    bool old, char out[69]);

#endif
