/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of rns.h that need no context, and the texts of its numbers. */
#include <string.h>

#include <rns/rns.h>

#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"
#include "common/util.h"

void
rns_sha256(struct id32 *out, const void *p, size_t n)
{
	crypt_sha256(out, p, n);
}

void
rns_name_hash(uint8_t out[RNS_NAME_HASH], const char *name)
{
	struct id32 full;

	crypt_sha256(&full, name, strlen(name));
	memcpy(out, full.b, RNS_NAME_HASH);
}

int
rns_dest_hash(struct hash16 *out, const char *name,
    const struct hash16 *identity_hash)
{
	struct id32 full;
	uint8_t name_hash[RNS_NAME_HASH];
	struct iovec_c v[2] = {
	    {name_hash, RNS_NAME_HASH},
	    {identity_hash != NULL ? identity_hash->b : NULL, RNS_HASH},
	};

	/*
	 * the part before the first dot is the application's name
	 * (reticulum-endpoint.md 5.1)
	 */
	if (name == NULL || name[0] == '\0' || name[0] == '.' ||
	    !utf8_valid(name, strlen(name)))
		return RNS_EINVAL;
	rns_name_hash(name_hash, name);
	crypt_sha256v(&full, v, identity_hash != NULL ? 2 : 1);
	*out = *hash16_at(full.b);
	return RNS_OK;
}

void
rns_path_hash(struct hash16 *out, const char *path)
{
	struct id32 full;

	crypt_sha256(&full, path, strlen(path));
	*out = *hash16_at(full.b);
}

uint32_t
rns_mtu_for_bitrate(uint64_t bitrate)
{
	/*
	 * RNS 1.5: from this rate on, this many bytes
	 * (reticulum-endpoint.md 6.14)
	 */
	static const struct {
		uint64_t bitrate;
		uint32_t mtu;
	} tiers[] = {
	    {1000000000, 524288},
	    {750000000, 262144},
	    {400000000, 131072},
	    {200000000, 65536},
	    {100000000, 32768},
	    {10000000, 16384},
	    {5000000, 8192},
	    {2000000, 4096},
	    {1000000, 2048},
	    {62500, 1024},
	};

	for (size_t i = 0; i < NELEM(tiers); i++) {
		if (bitrate >= tiers[i].bitrate)
			return tiers[i].mtu;
	}
	return 0;
}

const char *
rns_strerror(int err)
{
	switch (err) {
	case RNS_OK:
		return "success";
	case RNS_EINVAL:
		return "argument out of its range";
	case RNS_ENOMEM:
		return "out of memory";
	case RNS_ELIMIT:
		return "a limit is reached";
	case RNS_ENOENT:
		return "not there";
	case RNS_ESTATE:
		return "not in this state";
	case RNS_EBIG:
		return "too big";
	case RNS_EPARSE:
		return "malformed";
	case RNS_EAUTH:
		return "wrong signature, code or key";
	case RNS_EAGAIN:
		return "not now";
	case RNS_EEXIST:
		return "there already";
	default:
		return "unknown error";
	}
}

const char *
rns_drop_text(enum rns_drop drop)
{
	static const char *const texts[RNS_DROP_COUNT] = {
#define RNS_DROP_TEXT(name, text) [RNS_DROP_##name] = (text),
	    RNS_DROP_LIST(RNS_DROP_TEXT)
#undef RNS_DROP_TEXT
	};

	if ((unsigned)drop >= RNS_DROP_COUNT)
		return "unknown reason";
	return texts[drop];
}

void
rns_limits_default(struct rns_limits *l)
{
	*l = (struct rns_limits){
	    .interfaces = 256,
	    .destinations = 256,
	    .known = 131072,
	    .paths = 131072,
	    .tunnels = 1024,
	    .links = 1024,
	    .link_table = 16384,
	    .reverse = 28672, /* what 32,768 slots find well; 60 a second */
	    .hashes = 500000,
	    .receipts = 1024,
	    .events = 65536,
	    .tx_packets = 65536,
	    .resource_bytes = UINT64_C(256) << 20,
	    .event_bytes = UINT64_C(64) << 20,
	};
}
