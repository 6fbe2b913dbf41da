/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_RPC_AUTH_H
#define WARREN_TRANSPORT_ENGINE_RPC_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

/*
 * How Python's multiprocessing.connection proves that both sides know a key
 * (reticulum-transport.md 13.3). Pure. A message is what stands behind its
 * length prefix; none of these is longer than RPC_AUTH_MAX.
 */
#define RPC_AUTH_MAX 256
#define RPC_CHALLENGE "#CHALLENGE#"
#define RPC_WELCOME "#WELCOME#"
#define RPC_FAILURE "#FAILURE#"
#define RPC_CHALLENGE_LEN 59 /* ours: the word, {sha256}, 40 random bytes */

/*
 * The key (reticulum-transport.md 13.1): that of the configuration, or with
 * none (conf_len 0) one that is derived, into *derived, of the stored
 * identity's 64 bytes. Its bytes stay whose they are; returns their number.
 */
size_t rpc_auth_key(const uint8_t **key, struct id32 *derived,
    const uint8_t *conf, size_t conf_len, const uint8_t identity[RNS_KEY]);
/* Our challenge, from 40 unpredictable bytes. */
void rpc_auth_challenge(uint8_t out[RPC_CHALLENGE_LEN],
    const uint8_t random[40]);
/* Whether msg answers our challenge (raw HMAC-MD5, or with a prefix). */
bool rpc_auth_check(const uint8_t *key, size_t key_len,
    const uint8_t challenge[RPC_CHALLENGE_LEN], const uint8_t *msg,
    size_t len);
/*
 * The answer to the challenge in msg; its length, or 0: no challenge, or one
 * of an algorithm that is not known here.
 */
size_t rpc_auth_answer(uint8_t out[RPC_AUTH_MAX], const uint8_t *key,
    size_t key_len, const uint8_t *msg, size_t len);

/*
 * The server's side of it, message by message: until RPC_ASKS every message is
 * one of the proof and is compared, never decoded.
 */
enum rpc_state { /* of reticulum-transport.md 13.3, named by what is waited for */
	RPC_WAIT_RESPONSE,  /* 2: to our challenge */
	RPC_WAIT_CHALLENGE, /* 4: theirs */
	RPC_WAIT_VERDICT,   /* 6 */
	RPC_WAIT_REQUEST,
};
struct rpc_talk {
	enum rpc_state state;
	uint8_t challenge[RPC_CHALLENGE_LEN];
};
enum rpc_step {
	RPC_BREAK,  /* close */
	RPC_SAY,    /* out is to be sent */
	RPC_LISTEN, /* nothing is to be sent */
	RPC_REFUSE, /* another key: out is to be sent, then close */
	RPC_ASKS,   /* the proof is complete, and this is a request */
};
/* out: the first message. */
size_t rpc_talk_open(struct rpc_talk *, const uint8_t random[40],
    uint8_t out[RPC_AUTH_MAX]);
enum rpc_step rpc_talk_step(struct rpc_talk *, const uint8_t *key,
    size_t key_len, const uint8_t *msg, size_t len, uint8_t out[RPC_AUTH_MAX],
    size_t *out_len);

#endif
