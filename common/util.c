/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/util.h"

#include <string.h>

void
hex_encode(char *out, const uint8_t *in, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * n] = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
hex_decode(uint8_t *out, size_t n, const char *in, size_t in_len)
{
	if (in_len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(in[2 * i]), lo = hex_digit(in[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

/* Length of the UTF-8 sequence at p, 0 when it is not well formed. */
static size_t
utf8_sequence(const uint8_t *p, size_t left)
{
	size_t n;
	uint32_t v;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		n = 2;
		v = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		n = 3;
		v = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		n = 4;
		v = p[0] & 0x07;
	} else {
		return 0;
	}
	if (left < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && v < 0x800) || (n == 4 && v < 0x10000) || v > 0x10ffff ||
	    (v >= 0xd800 && v <= 0xdfff))
		return 0;
	return n;
}

bool
utf8_valid(const void *src, size_t n)
{
	const uint8_t *p = src;

	while (n > 0) {
		size_t k = utf8_sequence(p, n);

		if (k == 0)
			return false;
		p += k;
		n -= k;
	}
	return true;
}

static size_t
escape(char *dst, size_t cap, const void *src, size_t n, bool backslash)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = src;
	size_t len = 0;

	if (cap == 0)
		return 0;
	while (n > 0) {
		size_t k = utf8_sequence(p, n);
		/* C0, DEL, C1 and the bidi and line separators (U+2028...) */
		bool bad = k == 0 || p[0] < 0x20 || p[0] == 0x7f ||
		    (p[0] == '\\' && backslash) ||
		    (k == 2 && p[0] == 0xc2 && p[1] < 0xa0) ||
		    (k == 3 && p[0] == 0xe2 && (p[1] == 0x80 || p[1] == 0x81) &&
			(p[2] >= 0xa8 || p[1] == 0x81));

		if (!bad) {
			if (len + k >= cap)
				break;
			memcpy(dst + len, p, k);
			len += k;
			p += k;
			n -= k;
			continue;
		}
		if (len + 4 >= cap)
			break;
		dst[len++] = '\\';
		dst[len++] = 'x';
		dst[len++] = digits[p[0] >> 4];
		dst[len++] = digits[p[0] & 15];
		p++;
		n--;
	}
	dst[len] = '\0';
	return len;
}

size_t
text_escape(char *dst, size_t cap, const void *src, size_t n)
{
	return escape(dst, cap, src, n, true);
}

size_t
text_printable(char *dst, size_t cap, const void *src, size_t n)
{
	return escape(dst, cap, src, n, false);
}

void
octal_unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}
