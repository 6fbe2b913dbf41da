/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/report.h"

#include <string.h>
#include <unistd.h>

#include "common/wire.h"

void
report_send(int fd, const struct report *r)
{
	uint8_t buf[REPORT_MAX];
	struct wr w = wr_make(buf, sizeof(buf));

	wr_u8(&w, (uint8_t)r->kind);
	switch (r->kind) {
	case REPORT_READY:
		wr_u32(&w, r->layers);
		break;
	case REPORT_FAIL:
		wr_str(&w, r->code);
		wr_str(&w, r->why);
		break;
	case REPORT_EXIT:
		wr_u8(&w, r->how);
		wr_i32(&w, r->exit_code);
		break;
	case REPORT_HAND:
		wr_bool(&w, r->ok);
		wr_str(&w, r->why);
		wr_u32(&w, r->members);
		wr_u32(&w, r->left.count);
		wr_u16(&w, r->left.len);
		wr_bytes(&w, r->left.buf, r->left.len);
		break;
	case REPORT_SNAP:
		break;
	}
	if (!wr_ok(&w))
		return;
	(void)!write(fd, buf, w.len);
}

size_t
report_parse(const uint8_t *buf, size_t n, struct report *out)
{
	struct rd r = rd_make(buf, n);
	uint8_t kind;
	bool good = false;

	memset(out, 0, sizeof(*out));
	if (!rd_u8(&r, &kind))
		return 0;
	switch (kind) {
	case REPORT_READY:
		good = rd_u32(&r, &out->layers);
		break;
	case REPORT_FAIL:
		good = rd_str(&r, out->code, sizeof(out->code)) &&
		    rd_str(&r, out->why, sizeof(out->why));
		break;
	case REPORT_EXIT:
		good = rd_u8(&r, &out->how) && rd_i32(&r, &out->exit_code);
		break;
	case REPORT_HAND:
		good = rd_bool(&r, &out->ok) &&
		    rd_str(&r, out->why, sizeof(out->why)) &&
		    rd_u32(&r, &out->members) &&
		    rd_u32(&r, &out->left.count) &&
		    rd_u16(&r, &out->left.len) &&
		    out->left.len <= sizeof(out->left.buf) &&
		    rd_copy(&r, out->left.buf, out->left.len);
		break;
	case REPORT_SNAP:
		good = true;
		break;
	default:
		break;
	}
	if (!good)
		return 0;
	out->kind = (enum report_kind)kind;
	return n - rd_left(&r);
}
