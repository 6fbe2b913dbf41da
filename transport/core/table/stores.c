/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/stores.h"

#include <string.h>

#include "transport/core/base/packet.h"
#include "common/mpk.h"

#define TIME_MAX_S 4.0e12 /* ours: fits in microseconds with room */

static bool
get_time(struct rd *r, int64_t *us)
{
	double s;

	if (!mpk_get_number(r, &s) || !(s >= 0) || s > TIME_MAX_S)
		return false;
	*us = (int64_t)(s * 1e6 + 0.5);
	return true;
}

static void
put_time(struct wr *w, int64_t us)
{
	mpk_put_double(w, (double)us / 1e6);
}

/* ---- known destinations ---- */

int
stores_known_head(struct rd *r, size_t *count)
{
	return mpk_get_map(r, count) ? RNS_OK : RNS_EPARSE;
}

/* Field 4: 0 never, -1 for good, else when; absent in old files. */
static bool
get_use(struct rd *r, size_t fields, int64_t *us)
{
	struct rd peek = *r;
	double d;

	*us = 0;
	if (fields < 5)
		return true;
	if (mpk_get_number(&peek, &d) && d < 0) {
		*us = -1;
		*r = peek;
		return d >= -1;
	}
	return get_time(r, us);
}

static bool
get_known(struct rd *r, struct rns_known *k)
{
	size_t fields;

	if (!mpk_get_array(r, &fields) || fields < 4 || fields > 5 ||
	    !get_time(r, &k->heard_us) ||
	    !mpk_get_bin_exact(r, HASH_BYTES(k->packet_hash)) ||
	    !mpk_get_bin_exact(r, k->public_key, RNS_KEY))
		return false;
	if (!mpk_get_nil(r) &&
	    !mpk_get_bin(r, &k->app_data, &k->app_data_len))
		return false;
	return get_use(r, fields, &k->used_us) && rd_end(r);
}

int
stores_known_next(struct rd *r, struct rns_known *out)
{
	struct rns_known k = {0};
	const uint8_t *key, *value;
	size_t key_len, value_len;
	struct rd kr, vr;

	if (!mpk_value(r, &key, &key_len) || !mpk_value(r, &value, &value_len))
		return RNS_EPARSE;
	kr = rd_make(key, key_len);
	vr = rd_make(value, value_len);
	if (!mpk_get_bin_exact(&kr, HASH_BYTES(k.dest)) || !get_known(&vr, &k))
		return RNS_ENOENT;
	*out = k;
	return RNS_OK;
}

struct rns_cmd
stores_known_cmd(const struct rns_known *k)
{
	struct rns_cmd cmd = {.type = RNS_CMD_KNOWN_ADD};

	cmd.known.dest = k->dest;
	memcpy(cmd.known.public_key, k->public_key, RNS_KEY);
	cmd.known.packet_hash = k->packet_hash;
	cmd.known.app_data = k->app_data;
	cmd.known.app_data_len = k->app_data_len;
	cmd.known.heard_us = k->heard_us;
	cmd.known.used_us = k->used_us;
	return cmd;
}

void
stores_known_put_head(struct wr *w, size_t count)
{
	mpk_put_map(w, count);
}

void
stores_known_put(struct wr *w, const struct rns_known *k)
{
	mpk_put_bin(w, HASH_BYTES(k->dest));
	mpk_put_array(w, 5);
	put_time(w, k->heard_us);
	mpk_put_bin(w, HASH_BYTES(k->packet_hash));
	mpk_put_bin(w, k->public_key, RNS_KEY);
	if (k->app_data == NULL)
		mpk_put_nil(w);
	else
		mpk_put_bin(w, k->app_data, k->app_data_len);
	if (k->used_us <= 0)
		mpk_put_int(w, k->used_us < 0 ? -1 : 0);
	else
		put_time(w, k->used_us);
}

size_t
stores_known_max(const struct rns_known *k)
{
	return 2 + RNS_HASH + 1 + 9 + 2 + RNS_FULL_HASH + 2 + RNS_KEY + 5 +
	    k->app_data_len + 9;
}

/* ---- a received ratchet ---- */

int
stores_ratchet_get(const uint8_t *p, size_t n, uint8_t key[RNS_RATCHET],
    int64_t *received_us)
{
	struct rd r = rd_make(p, n);
	uint8_t ratchet[RNS_RATCHET];
	int64_t us = 0;
	bool have_key = false, have_time = false;
	size_t pairs;

	if (!mpk_get_map(&r, &pairs))
		return RNS_EPARSE;
	for (size_t i = 0; i < pairs; i++) {
		struct mpk name;

		if (!mpk_get(&r, &name))
			return RNS_EPARSE;
		if (mpk_str_is(&name, "ratchet") && !have_key) {
			have_key = mpk_get_bin_exact(&r, ratchet,
			    sizeof(ratchet));
			if (!have_key)
				return RNS_EPARSE;
		} else if (mpk_str_is(&name, "received") && !have_time) {
			have_time = get_time(&r, &us);
			if (!have_time)
				return RNS_EPARSE;
		} else {
			return RNS_EPARSE;
		}
	}
	if (!have_key || !have_time)
		return RNS_EPARSE;
	memcpy(key, ratchet, sizeof(ratchet));
	*received_us = us;
	return RNS_OK;
}

void
stores_ratchet_put(struct wr *w, const uint8_t key[RNS_RATCHET],
    int64_t received_us)
{
	mpk_put_map(w, 2);
	mpk_put_str(w, "ratchet");
	mpk_put_bin(w, key, RNS_RATCHET);
	mpk_put_str(w, "received");
	put_time(w, received_us);
}

/* ---- own ratchets ---- */

int
stores_own_get(const uint8_t *p, size_t n, const uint8_t pub[RNS_KEY],
    uint8_t (*keys)[RNS_RATCHET], size_t cap, size_t *count)
{
	struct rd r = rd_make(p, n), list;
	uint8_t sig[RNS_SIG];
	const uint8_t *packed = NULL;
	size_t packed_len = 0, pairs, total;
	bool have_sig = false;

	if (!mpk_get_map(&r, &pairs))
		return RNS_EPARSE;
	for (size_t i = 0; i < pairs; i++) {
		struct mpk name;

		if (!mpk_get(&r, &name))
			return RNS_EPARSE;
		if (mpk_str_is(&name, "signature") && !have_sig)
			have_sig = mpk_get_bin_exact(&r, sig, sizeof(sig));
		else if (!mpk_str_is(&name, "ratchets") || packed != NULL ||
		    !mpk_get_bin(&r, &packed, &packed_len))
			return RNS_EPARSE;
	}
	if (!have_sig || packed == NULL)
		return RNS_EPARSE;
	if (!rns_identity_verify(pub, sig, packed, packed_len))
		return RNS_EAUTH;
	list = rd_make(packed, packed_len);
	if (!mpk_get_array(&list, &total))
		return RNS_EPARSE;
	for (size_t i = 0; i < total; i++) {
		const uint8_t *key;
		size_t key_len;

		if (!mpk_get_bin(&list, &key, &key_len) ||
		    key_len != RNS_RATCHET)
			return RNS_EPARSE;
		if (i < cap)
			memcpy(keys[i], key, RNS_RATCHET);
	}
	*count = total < cap ? total : cap;
	return RNS_OK;
}

/* Bytes of the packed list alone. */
static size_t
list_len(size_t count)
{
	size_t head = count < 16 ? 1 : count <= UINT16_MAX ? 3 : 5;

	return head + count * (2 + RNS_RATCHET);
}

size_t
stores_own_len(size_t count)
{
	size_t n = list_len(count);
	size_t head = n <= UINT8_MAX ? 2 : n <= UINT16_MAX ? 3 : 5;

	return 1 + 10 + 2 + RNS_SIG + 9 + head + n;
}

void
stores_own_put(struct wr *w, const struct identity *id,
    const uint8_t (*keys)[RNS_RATCHET], size_t count)
{
	uint8_t *sig;
	size_t from;

	mpk_put_map(w, 2);
	mpk_put_str(w, "signature");
	mpk_put_bin_head(w, RNS_SIG);
	sig = wr_room(w, RNS_SIG);
	mpk_put_str(w, "ratchets");
	mpk_put_bin_head(w, list_len(count));
	from = w->len;
	mpk_put_array(w, count);
	for (size_t i = 0; i < count; i++)
		mpk_put_bin(w, keys[i], RNS_RATCHET);
	if (sig != NULL && wr_ok(w))
		identity_sign(id, sig, w->buf + from, w->len - from);
}
