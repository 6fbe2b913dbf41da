/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/hub_mesh.h"

#include "common/mpk.h"

#define BUSY_S_MOST 900u

size_t
hub_mesh_body(uint8_t *out, size_t cap, const void *bytes, size_t len)
{
	struct wr w = wr_make(out, cap);

	mpk_put_map(&w, 1);
	mpk_put_str(&w, "b");
	mpk_put_bin(&w, bytes, len);
	return wr_ok(&w) ? w.len : 0;
}

/* Of meta, of which "s" (compute.md 3) alone counts here. */
static bool
get_meta(struct rd *r, uint32_t *wait_s)
{
	size_t pairs;

	if (mpk_get_nil(r))
		return true;
	if (!mpk_get_map(r, &pairs))
		return false;
	for (size_t i = 0; i < pairs; i++) {
		struct rd before = *r;
		struct mpk key;
		uint64_t v;

		if (mpk_get(r, &key) && mpk_str_is(&key, "s") &&
		    mpk_get_uint(r, &v)) {
			*wait_s = v > BUSY_S_MOST ? BUSY_S_MOST : (uint32_t)v;
			continue;
		}
		*r = before;
		if (!mpk_skip(r) || !mpk_skip(r))
			return false;
	}
	return true;
}

uint64_t
hub_mesh_ack(const void *text, size_t len, const uint64_t *last, unsigned n,
    const char **why, uint32_t *wait_s, uint64_t *status)
{
	static const char *const says[] = {NULL, "answers: not modified",
	    "knows no such request: it is no hub", "answers: too large",
	    "is busy, or our budget there is used up",
	    "does not take events of this node", "answers: malformed",
	    "answers: not yet", "answers: gone"};
	struct rd r = rd_make(text, len);
	uint64_t v = 0;
	size_t members;

	*wait_s = 0;
	*status = 0;
	*why = "its answer is none of a hub";
	if (!mpk_get_array(&r, &members) || members < 2 || members > 3 ||
	    !mpk_get_uint(&r, status) || !get_meta(&r, wait_s))
		return 0;
	if (*status != 0) {
		*why = *status < sizeof(says) / sizeof(says[0]) ?
		    says[*status] : "answers something unknown";
		return 0;
	}
	if (members != 3 || !mpk_get_uint(&r, &v) || !rd_end(&r))
		return 0;
	for (unsigned i = 0; i < n; i++)
		if (last[i] == v)
			return v;
	*why = n > 0 && v < last[0] ?
	    "it has taken nothing of what was sent" :
	    "it says that it has taken a line that was not sent";
	return 0;
}

enum fetch_end
hub_mesh_end(enum mesh_end end)
{
	switch (end) {
	case MESH_OK:
		return FETCH_OK;
	case MESH_NO_PATH:
		return FETCH_NAME;
	case MESH_NO_LINK:
		return FETCH_UNREACHABLE;
	case MESH_TIMEOUT:
	case MESH_SLOW:
		return FETCH_SLOW;
	case MESH_TOO_LARGE:
		return FETCH_SIZE;
	case MESH_LATER:
		return FETCH_LATER;
	default:
		return FETCH_OWN;
	}
}
