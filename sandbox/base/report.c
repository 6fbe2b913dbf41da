/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/report.h"

#include <sys/wait.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc_msg.h"
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
	case REPORT_TOOL:
		wr_u32(&w, r->layers);
		for (unsigned i = 0; i < RUNNER_PARTS; i++)
			wr_u16(&w, r->version[i]);
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
	case REPORT_TOOL:
		good = rd_u32(&r, &out->layers);
		for (unsigned i = 0; i < RUNNER_PARTS; i++)
			good = good && rd_u16(&r, &out->version[i]);
		break;
	default:
		break;
	}
	if (!good)
		return 0;
	out->kind = (enum report_kind)kind;
	return n - rd_left(&r);
}

void
report_wait(pid_t child, siginfo_t *si)
{
	for (;;) {
		memset(si, 0, sizeof(*si));
		if (waitid(P_ALL, 0, si, WEXITED) == 0) {
			if (si->si_pid == child)
				return;
		} else if (errno != EINTR) {
			_exit(1);
		}
	}
}

void
report_reap(pid_t command, int report, bool module)
{
	struct report r = {.kind = REPORT_EXIT};
	siginfo_t si;

	report_wait(command, &si);
	r.how = si.si_code == CLD_EXITED ? EXIT_CODE : EXIT_SIGNAL;
	r.exit_code = si.si_status;
	if (module && r.how == EXIT_SIGNAL && si.si_status == SIGXCPU)
		r.how = EXIT_JAIL_TIME;
	report_send(report, &r);
	/* with pid 1 the kernel kills all that is left */
	_exit(0);
}
