/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/der.h"

static bool
head(struct rd *r, uint8_t *tag, size_t *len)
{
	uint8_t n8;
	uint16_t n;

	if (!rd_u8(r, tag) || !rd_u8(r, &n8))
		return false;
	n = n8;
	if (n8 == 0x81) {
		if (!rd_u8(r, &n8) || n8 < 0x80)
			return false;
		n = n8;
	} else if (n8 == 0x82) {
		if (!rd_u16(r, &n) || n < 0x100)
			return false;
	} else if (n8 >= 0x80) {
		return false;
	}
	*len = n;
	return true;
}

bool
der_in(struct rd *r, uint8_t tag, struct rd *inner)
{
	uint8_t is;
	size_t n;

	return head(r, &is, &n) && is == tag && rd_sub(r, n, inner);
}

bool
der_number(struct rd *r, const uint8_t **p, size_t *n)
{
	struct rd in;

	if (!der_in(r, DER_INTEGER, &in) || (*n = rd_left(&in)) == 0 ||
	    !rd_ref(&in, p, *n) || (*p)[0] >= 0x80)
		return false;
	if ((*p)[0] == 0) {
		if (*n == 1 || (*p)[1] < 0x80)
			return false;
		(*p)++;
		(*n)--;
	}
	return true;
}

bool
der_cert_key(const uint8_t *cert, size_t len, const uint8_t **key, size_t *n)
{
	struct rd r = rd_make(cert, len), all, tbs, in;
	const uint8_t *start;
	uint8_t tag;
	size_t left, size;

	if (!der_in(&r, DER_SEQUENCE, &all) || !rd_end(&r) ||
	    !der_in(&all, DER_SEQUENCE, &tbs))
		return false;
	/* version, serial, algorithm, issuer, validity, subject */
	for (int i = 0; i < 6; i++)
		if (!head(&tbs, &tag, &size) || !rd_skip(&tbs, size))
			return false;
	/* its bytes are what is behind them less what is behind it */
	r = tbs;
	left = rd_left(&tbs);
	if (!der_in(&tbs, DER_SEQUENCE, &in))
		return false;
	*n = left - rd_left(&tbs);
	if (!rd_ref(&r, &start, *n))
		return false;
	*key = start;
	return true;
}
