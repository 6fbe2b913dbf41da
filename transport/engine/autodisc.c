/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/autodisc.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void
autodisc_init(struct autodisc *d, const char *group, const uint8_t key[16])
{
	memset(d, 0, sizeof(*d));
	d->group = group;
	memcpy(d->key, key, sizeof(d->key));
}

void
autodisc_clear(struct autodisc *d)
{
	for (unsigned i = 0; i < AUTO_PEERS; i++)
		while (d->bucket[i] != NULL)
			autodisc_drop(d, d->bucket[i]);
}

void
autodisc_token(uint8_t out[AUTO_TOKEN], const char *group,
    const struct in6_addr *a)
{
	char text[INET6_ADDRSTRLEN] = "";
	crypto_hash_sha256_state s;

	(void)inet_ntop(AF_INET6, a, text, sizeof(text));
	(void)crypto_hash_sha256_init(&s);
	(void)crypto_hash_sha256_update(&s, (const uint8_t *)group,
	    strlen(group));
	(void)crypto_hash_sha256_update(&s, (const uint8_t *)text,
	    strlen(text));
	(void)crypto_hash_sha256_final(&s, out);
}

/* ---- devices ---- */

struct auto_device *
autodisc_device(struct autodisc *d, const char *name)
{
	for (unsigned i = 0; i < AUTO_DEVICES; i++)
		if (*name != '\0' && strcmp(d->device[i].name, name) == 0)
			return &d->device[i];
	return NULL;
}

struct auto_device *
autodisc_up(struct autodisc *d, const char *name, const struct in6_addr *addr,
    struct mono now)
{
	struct auto_device *dev = autodisc_device(d, name);

	for (unsigned i = 0; i < AUTO_DEVICES && dev == NULL; i++)
		if (d->device[i].name[0] == '\0' ||
		    (!d->device[i].up && d->device[i].npeers == 0))
			dev = &d->device[i];
	if (dev == NULL || strlen(name) >= sizeof(dev->name))
		return NULL;
	memset(dev->name, 0, sizeof(dev->name));
	memcpy(dev->name, name, strlen(name));
	dev->addr = *addr;
	dev->up = true;
	dev->echo = now;
	dev->silent = false;
	return dev;
}

void
autodisc_down(struct auto_device *dev)
{
	dev->up = false;
}

bool
autodisc_echo_changed(struct auto_device *dev, struct mono now)
{
	bool silent = dev->up && mono_sub(now, dev->echo) > AUTO_ECHO_US;

	if (!dev->up || silent == dev->silent)
		return false;
	dev->silent = silent;
	return true;
}

/* ---- peers ---- */

static struct auto_peer **
bucket_of(struct autodisc *d, const struct auto_device *dev,
    const struct in6_addr *a)
{
	uint8_t in[17], out[crypto_shorthash_BYTES];
	uint32_t h;

	memcpy(in, a, 16);
	in[16] = (uint8_t)(dev - d->device);
	(void)crypto_shorthash(out, in, sizeof(in), d->key);
	memcpy(&h, out, sizeof(h));
	return &d->bucket[h % AUTO_PEERS];
}

static struct auto_peer *
find(struct autodisc *d, const struct auto_device *dev,
    const struct in6_addr *a)
{
	struct auto_peer *p = *bucket_of(d, dev, a);

	while (p != NULL && (p->device != dev ||
	    memcmp(&p->addr, a, sizeof(*a)) != 0))
		p = p->next;
	return p;
}

void
autodisc_drop(struct autodisc *d, struct auto_peer *p)
{
	struct auto_peer **at = bucket_of(d, p->device, &p->addr);

	while (*at != NULL && *at != p)
		at = &(*at)->next;
	if (*at == p)
		*at = p->next;
	p->device->npeers--;
	d->npeers--;
	free(p);
}

static struct auto_peer *
add(struct autodisc *d, struct auto_device *dev, const struct in6_addr *a,
    struct mono now)
{
	struct auto_peer **bucket = bucket_of(d, dev, a), *p;

	if (d->npeers >= AUTO_PEERS || dev->npeers >= AUTO_DEVICE_PEERS ||
	    (p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	*p = (struct auto_peer){.next = *bucket, .device = dev, .addr = *a,
	    .heard = now, .reverse = now};
	*bucket = p;
	dev->npeers++;
	d->npeers++;
	return p;
}

enum auto_heard
autodisc_hear(struct autodisc *d, struct auto_device *dev,
    const struct in6_addr *from, const uint8_t *p, size_t len,
    struct mono now, struct auto_peer **peer)
{
	uint8_t want[AUTO_TOKEN];

	autodisc_token(want, d->group, from);
	if (len < AUTO_TOKEN || !dev->up ||
	    memcmp(p, want, sizeof(want)) != 0) {
		d->wrong++;
		return AUTO_WRONG;
	}
	for (unsigned i = 0; i < AUTO_DEVICES; i++) {
		struct auto_device *own = &d->device[i];

		if (!own->up || memcmp(&own->addr, from, sizeof(*from)) != 0)
			continue;
		if (own == dev)
			dev->echo = now;
		return AUTO_SELF; /* two of ours may be on one link */
	}
	if ((*peer = find(d, dev, from)) != NULL) {
		(*peer)->heard = now;
		return AUTO_KNOWN;
	}
	if ((*peer = add(d, dev, from, now)) != NULL)
		return AUTO_NEW;
	d->crowded++;
	return AUTO_CROWDED;
}

/* The same bytes came a moment ago; else they are remembered. */
static bool
twice(struct autodisc *d, const uint8_t *p, size_t len, struct mono now)
{
	uint64_t hash;
	uint8_t out[crypto_shorthash_BYTES];

	(void)crypto_shorthash(out, p, len, d->key);
	memcpy(&hash, out, sizeof(hash));
	for (unsigned i = 0; i < AUTO_REMEMBERED; i++)
		if (d->last[i].hash == hash && d->last[i].at.us != 0 &&
		    mono_sub(now, d->last[i].at) < AUTO_TWICE_US)
			return true;
	d->last[d->next].hash = hash;
	d->last[d->next].at = now;
	d->next = (d->next + 1) % AUTO_REMEMBERED;
	return false;
}

struct auto_peer *
autodisc_data(struct autodisc *d, struct auto_device *dev,
    const struct in6_addr *from, const uint8_t *p, size_t len,
    struct mono now)
{
	struct auto_peer *peer = find(d, dev, from);

	if (peer == NULL) {
		d->strangers++;
		return NULL;
	}
	peer->heard = now;
	if (twice(d, p, len, now)) {
		d->twice++;
		return NULL;
	}
	return peer;
}

struct auto_peer *
autodisc_silent(const struct autodisc *d, struct mono now)
{
	struct auto_peer *p;

	for (unsigned i = 0; i < AUTO_PEERS; i++)
		for (p = d->bucket[i]; p != NULL; p = p->next)
			if (mono_sub(now, p->heard) > AUTO_PEER_US)
				return p;
	return NULL;
}

struct auto_peer *
autodisc_reverse(struct autodisc *d, struct mono now)
{
	struct auto_peer *p;

	for (unsigned i = 0; i < AUTO_PEERS; i++)
		for (p = d->bucket[i]; p != NULL; p = p->next)
			if (p->device->up &&
			    mono_sub(now, p->reverse) > AUTO_REVERSE_US) {
				p->reverse = now;
				return p;
			}
	return NULL;
}
