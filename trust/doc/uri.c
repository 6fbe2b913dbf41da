/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/uri.h"

#include <string.h>

#include "common/util.h"

#define SCHEME "klp://"
#define SELF_DIGITS 52 /* 260 bits: the last four are 0 */

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

static bool
lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
self_get(struct id32 *root, const char *t, size_t len)
{
	uint32_t bits = 0;
	unsigned have = 0, n = 0;

	if (len != SELF_DIGITS)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char *at = memchr(base32, t[i], 32);

		if (at == NULL)
			return false;
		bits = (bits << 5 | (uint32_t)(at - base32)) & 0xfff;
		have += 5;
		if (have >= 8 && n < sizeof(root->b)) {
			have -= 8;
			root->b[n++] = (uint8_t)(bits >> have);
		}
	}
	/* one hash has one name */
	return (bits & 0xf) == 0;
}

void
uri_self(char out[URI_SELF_LEN + 1], const struct id32 *root)
{
	uint32_t bits = 0;
	unsigned have = 0, n = 2;

	out[0] = 'x';
	out[1] = '-';
	for (size_t i = 0; i < sizeof(root->b); i++) {
		bits = bits << 8 | root->b[i];
		have += 8;
		for (; have >= 5; have -= 5)
			out[n++] = base32[bits >> (have - 5) & 31];
	}
	out[n++] = base32[bits << (5 - have) & 31];
	out[n] = '\0';
}

/* An x- label is never a name: it would be mistaken for a hash. */
static bool
labels_ok(const char *t, size_t len)
{
	size_t at = 0;
	unsigned labels = 0;

	while (at <= len) {
		const char *dot = memchr(t + at, '.', len - at);
		size_t end = dot != NULL ? (size_t)(dot - t) : len;

		if (end == at || ++labels > 8 ||
		    (end - at > 1 && t[at] == 'x' && t[at + 1] == '-'))
			return false;
		for (size_t i = at; i < end; i++)
			if (!lower_or_digit(t[i]) && t[i] != '-')
				return false;
		at = end + 1;
	}
	return true;
}

bool
uri_authority(struct klp_uri *u, const char *t, size_t len)
{
	memset(u, 0, sizeof(*u));
	if (len < 1 || len > URI_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		u->authority[i] = t[i] >= 'A' && t[i] <= 'Z'
		    ? (char)(t[i] - 'A' + 'a')
		    : t[i];
	if (len == URI_SELF_LEN && memcmp(u->authority, "x-", 2) == 0)
		return u->self = self_get(&u->root, u->authority + 2, len - 2);
	return labels_ok(u->authority, len);
}

static bool
path_char(char c)
{
	return lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' ||
	    c == '_' || c == '~' || c == '-';
}

bool
uri_path_ok(const char *p, size_t len)
{
	size_t at = 0;

	if (len < 1 || len > URI_MAX)
		return false;
	while (at <= len) {
		const char *slash = memchr(p + at, '/', len - at);
		size_t end = slash != NULL ? (size_t)(slash - p) : len;
		size_t n = end - at;

		if (n < 1 || (n <= 2 && memcmp(p + at, "..", n) == 0))
			return false;
		for (size_t i = at; i < end; i++)
			if (!path_char(p[i]))
				return false;
		at = end + 1;
	}
	return true;
}

static bool
select_get(struct klp_uri *u, const char *t, size_t n)
{
	if (n > 7 && memcmp(t, "sha256=", 7) == 0) {
		u->select = URI_SHA256;
		return hex_decode(HASH_BYTES(u->sha256), t + 7, n - 7);
	}
	if (n < 3 || n > 12 || memcmp(t, "v=", 2) != 0)
		return false;
	u->select = URI_VERSION;
	for (size_t i = 2; i < n; i++) {
		if (t[i] < '0' || t[i] > '9')
			return false;
		u->version = u->version * 10 + (uint64_t)(t[i] - '0');
	}
	return true;
}

/* Cuts what stands behind c off; its length, or SIZE_MAX: there is no c. */
static size_t
cut(const char *t, size_t *len, char c)
{
	const char *at = memchr(t, c, *len);
	size_t n;

	if (at == NULL)
		return SIZE_MAX;
	n = *len - (size_t)(at - t) - 1;
	*len = (size_t)(at - t);
	return n;
}

bool
uri_parse(struct klp_uri *u, const char *t, size_t len)
{
	const size_t scheme = sizeof(SCHEME) - 1;
	const char *slash;
	size_t host, n;

	if (len > URI_MAX || len <= scheme || memcmp(t, SCHEME, scheme) != 0)
		return false;
	t += scheme;
	len -= scheme;
	if ((slash = memchr(t, '/', len)) == NULL)
		return false;
	host = (size_t)(slash - t);
	if (!uri_authority(u, t, host))
		return false;
	t += host + 1;
	len -= host + 1;
	if ((n = cut(t, &len, '#')) != SIZE_MAX) {
		for (size_t i = 0; i < n; i++) {
			char c = t[len + 1 + i];

			if (c <= ' ' || c > '~' || c == '%' || c == '#')
				return false;
			u->pointer[i] = c;
		}
	}
	if ((n = cut(t, &len, '?')) != SIZE_MAX &&
	    !select_get(u, t + len + 1, n))
		return false;
	if (!uri_path_ok(t, len))
		return false;
	memcpy(u->path, t, len);
	return true;
}
