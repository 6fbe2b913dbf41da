/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/store_codec.h"

#include <math.h>
#include <string.h>

#include "common/mpk.h"

/* Beyond these seconds a time is nonsense: the year 9999. */
#define SECONDS_MAX 253402300799.0

static bool
get_time(struct rd *r, int64_t *us)
{
	double s;

	if (!mpk_get_number(r, &s) || !(s >= 0) || s > SECONDS_MAX)
		return false;
	*us = (int64_t)(s * 1e6);
	return true;
}

static void
put_time(struct wr *w, int64_t us)
{
	mpk_put_double(w, (double)us / 1e6);
}

bool
codec_paths_head(struct rd *r, size_t *count)
{
	return mpk_get_array(r, count);
}

/* The newest CODEC_BLOBS_MAX of a list of blobs. */
static bool
get_blobs(struct rd *r, struct codec_path *p)
{
	uint8_t blob[CODEC_BLOB];
	size_t n;

	if (!mpk_get_array(r, &n))
		return false;
	p->blob_count = 0;
	for (size_t i = 0; i < n; i++) {
		if (!mpk_get_bin_exact(r, blob, sizeof(blob)))
			return false;
		if (n - i > CODEC_BLOBS_MAX)
			continue;
		memcpy(p->blobs[p->blob_count++], blob, sizeof(blob));
	}
	return true;
}

int
codec_path_get(struct rd *r, struct codec_path *out)
{
	struct codec_path p;
	const uint8_t *entry;
	struct rd in;
	uint64_t hops;
	size_t n;

	if (!mpk_value(r, &entry, &n))
		return RNS_EPARSE;
	in = rd_make(entry, n);
	memset(&p, 0, sizeof(p));
	if (!mpk_get_array(&in, &n) || n != 8 ||
	    !mpk_get_bin_exact(&in, HASH_BYTES(p.dest)) ||
	    !get_time(&in, &p.learned_us) ||
	    !mpk_get_bin_exact(&in, HASH_BYTES(p.next_hop)) ||
	    !mpk_get_uint(&in, &hops) || hops > RNS_HOPS_MAX ||
	    !get_time(&in, &p.expires_us) || !get_blobs(&in, &p) ||
	    (!mpk_get_nil(&in) &&
	    !mpk_get_bin_exact(&in, HASH_BYTES(p.interface))) ||
	    !mpk_get_bin_exact(&in, HASH_BYTES(p.packet_hash)) ||
	    !rd_end(&in))
		return RNS_ENOENT;
	p.hops = (uint8_t)hops;
	*out = p;
	return RNS_OK;
}

static const struct id32 no_interface;

void
codec_path_put(struct wr *w, const struct codec_path *p)
{
	mpk_put_array(w, 8);
	mpk_put_bin(w, HASH_BYTES(p->dest));
	put_time(w, p->learned_us);
	mpk_put_bin(w, HASH_BYTES(p->next_hop));
	mpk_put_uint(w, p->hops);
	put_time(w, p->expires_us);
	mpk_put_array(w, p->blob_count);
	for (size_t i = 0; i < p->blob_count; i++)
		mpk_put_bin(w, p->blobs[i], CODEC_BLOB);
	if (id32_eq(&p->interface, &no_interface))
		mpk_put_nil(w);
	else
		mpk_put_bin(w, HASH_BYTES(p->interface));
	mpk_put_bin(w, HASH_BYTES(p->packet_hash));
}

int
codec_tunnel_get(struct rd *r, struct codec_tunnel *out)
{
	struct codec_tunnel t;
	const uint8_t *entry, *list;
	struct id32 interface;
	struct rd in;
	size_t n;

	if (!mpk_value(r, &entry, &n))
		return RNS_EPARSE;
	in = rd_make(entry, n);
	memset(&t, 0, sizeof(t));
	if (!mpk_get_array(&in, &n) || n != 4 ||
	    !mpk_get_bin_exact(&in, HASH_BYTES(t.id)) ||
	    (!mpk_get_nil(&in) &&
	    !mpk_get_bin_exact(&in, HASH_BYTES(interface))) ||
	    !mpk_value(&in, &list, &n) || !get_time(&in, &t.expires_us) ||
	    !rd_end(&in))
		return RNS_ENOENT;
	t.paths = rd_make(list, n);
	if (!mpk_get_array(&t.paths, &t.count))
		return RNS_ENOENT;
	*out = t;
	return RNS_OK;
}

void
codec_tunnel_put(struct wr *w, const struct id32 *id,
    const struct id32 *interface, size_t count)
{
	mpk_put_array(w, 4);
	mpk_put_bin(w, HASH_BYTES(*id));
	if (interface != NULL)
		mpk_put_bin(w, HASH_BYTES(*interface));
	else
		mpk_put_nil(w);
	mpk_put_array(w, count);
}

void
codec_tunnel_put_end(struct wr *w, int64_t expires_us)
{
	put_time(w, expires_us);
}

bool
codec_announce_get(const uint8_t *file, size_t len, const uint8_t **raw,
    size_t *raw_len)
{
	struct rd r = rd_make(file, len);
	const uint8_t *p;
	size_t n;

	if (!mpk_get_array(&r, &n) || n != 2 || !mpk_get_bin(&r, &p, &n) ||
	    n == 0 || !mpk_skip(&r) || !rd_end(&r))
		return false;
	*raw = p;
	*raw_len = n;
	return true;
}

void
codec_announce_put(struct wr *w, const uint8_t *raw, size_t raw_len,
    const char *interface)
{
	mpk_put_array(w, 2);
	mpk_put_bin(w, raw, raw_len);
	if (interface != NULL)
		mpk_put_str(w, interface);
	else
		mpk_put_nil(w);
}

bool
codec_holes_head(struct rd *r, size_t *count)
{
	return mpk_get_map(r, count);
}

static bool
get_until(struct rd *r, int64_t *until_us)
{
	if (mpk_get_nil(r)) {
		*until_us = 0;
		return true;
	}
	return get_time(r, until_us) && (*until_us != 0 || (*until_us = 1));
}

size_t
codec_reason_fits(const char *s, size_t n)
{
	if (n <= CODEC_REASON_MAX)
		return n;
	n = CODEC_REASON_MAX;
	while (n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static bool
get_reason(struct rd *r, struct codec_hole *h)
{
	const char *s;
	size_t n;

	if (mpk_get_nil(r))
		return true;
	if (!mpk_get_str(r, &s, &n))
		return false;
	h->reason = s;
	h->reason_len = codec_reason_fits(s, n);
	return true;
}

static bool
get_hole_member(struct rd *r, const struct mpk *k, struct codec_hole *h)
{
	if (mpk_str_is(k, "until"))
		return get_until(r, &h->until_us);
	if (mpk_str_is(k, "reason"))
		return get_reason(r, h);
	if (mpk_str_is(k, "source"))
		return mpk_get_nil(r) ||
		    mpk_get_bin_exact(r, HASH_BYTES(h->source));
	return mpk_skip(r);
}

int
codec_hole_get(struct rd *r, struct codec_hole *out)
{
	struct codec_hole h;
	const uint8_t *key, *value;
	size_t key_len, n;
	struct mpk k;
	struct rd in;

	memset(&h, 0, sizeof(h));
	if (!mpk_value(r, &key, &key_len) || !mpk_value(r, &value, &n))
		return RNS_EPARSE;
	in = rd_make(key, key_len);
	if (!mpk_get_bin_exact(&in, HASH_BYTES(h.identity)))
		return RNS_ENOENT;
	in = rd_make(value, n);
	if (!mpk_get_map(&in, &n))
		return RNS_ENOENT;
	while (n-- > 0)
		if (!mpk_get(&in, &k) || k.type != MPK_STR ||
		    !get_hole_member(&in, &k, &h))
			return RNS_ENOENT;
	*out = h;
	return RNS_OK;
}

void
codec_hole_put(struct wr *w, const struct codec_hole *h)
{
	static const struct hash16 none;

	mpk_put_bin(w, HASH_BYTES(h->identity));
	mpk_put_map(w, 3);
	mpk_put_str(w, "source");
	if (hash16_eq(&h->source, &none))
		mpk_put_nil(w);
	else
		mpk_put_bin(w, HASH_BYTES(h->source));
	mpk_put_str(w, "until");
	if (h->until_us == 0)
		mpk_put_nil(w);
	else
		put_time(w, h->until_us);
	mpk_put_str(w, "reason");
	if (h->reason == NULL)
		mpk_put_nil(w);
	else
		mpk_put_strn(w, h->reason, h->reason_len);
}
