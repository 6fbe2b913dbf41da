/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_STOREKIT_H
#define WARREN_TESTS_UNIT_STOREKIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/* A store of images without warren-hand: what it would deliver, by hand. */
struct storekit {
	char top[64];
	int dir; /* the store */
};

void storekit_open(struct storekit *);
void storekit_close(struct storekit *);

/* One file of a root; content NULL: a hard link to the file `to`. */
struct storekit_file {
	const char *name, *content, *to;
	unsigned mode;
	int64_t time;
};
/*
 * A fresh folder of the store as an import has it when hand is done: root,
 * files and about of an image whose digest is all `id`. Its name into tmp.
 */
void storekit_work(struct storekit *, uint8_t id,
    const struct storekit_file *, size_t n, char tmp[32]);
/* store_adopt() of that, with the lock; then what is left of tmp goes. */
int storekit_adopt(struct storekit *, uint8_t id, const char *tmp);
/* Both. */
void storekit_put(struct storekit *, uint8_t id,
    const struct storekit_file *, size_t n);

struct id32 storekit_digest(uint8_t id);
/* Are the image's files there, and as its list has them? */
bool storekit_good(struct storekit *, uint8_t id);
bool storekit_there(struct storekit *, uint8_t id);
/* A path of its root, beneath the store. */
const char *storekit_path(uint8_t id, const char *name);

#endif
