/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/cell_take.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <nettle/sha2.h>
#include <unistd.h>

#include "common/ipc.h"

static bool
blob_ok(int fd, uint64_t size)
{
	struct stat st;
	int fl = fcntl(fd, F_GETFL);

	return fl >= 0 && (fl & O_ACCMODE) == O_RDONLY &&
	    (fl & O_PATH) == 0 && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

bool
take_policy(struct cell *c, const uint8_t *plan, size_t n, int args,
    int filter)
{
	size_t al = c->plan.args_len;
	size_t fl = c->plan.filter_len * sizeof(struct sock_filter);
	const uint8_t *a = memfd_map(args, &al, PLAN_MEMFD_MAX);
	const uint8_t *f = memfd_map(filter, &fl, PLAN_MEMFD_MAX);
	struct sha256_ctx ctx;

	if (a != NULL && f != NULL) {
		sha256_init(&ctx);
		sha256_update(&ctx, n, plan);
		sha256_update(&ctx, al, a);
		sha256_update(&ctx, fl, f);
		sha256_digest(&ctx, sizeof(c->policy), c->policy.b);
	}
	memfd_unmap(a, al);
	memfd_unmap(f, fl);
	return a != NULL && f != NULL;
}

/* Where the code of a module goes, and where it is read from: one new file. */
static bool
code_ok(int w, int r)
{
	int fl = fcntl(w, F_GETFL);
	struct stat a, b;

	return fl >= 0 && (fl & O_ACCMODE) == O_WRONLY &&
	    (fl & O_PATH) == 0 && blob_ok(r, 0) && fstat(w, &a) == 0 &&
	    fstat(r, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static const char *
take_module(struct cell *c, struct ipc_in *in, unsigned next)
{
	switch (plan_wasm_fds(&c->plan)) {
	case 0:
		return NULL;
	case 1:
		c->code_r = ipc_in_take(in, next);
		return blob_ok(c->code_r, c->plan.module) ? NULL :
		    "code that is no read-only regular file of its size";
	default:
		c->module = ipc_in_take(in, next);
		c->code_w = ipc_in_take(in, next + 1);
		c->code_r = ipc_in_take(in, next + 2);
		return blob_ok(c->module, c->plan.module) &&
		    code_ok(c->code_w, c->code_r) ? NULL :
		    "a module or a place for its code that is none";
	}
}

const char *
take_descriptors(struct cell *c, struct ipc_in *in, int *args, int *filter)
{
	unsigned next = 2;

	*args = ipc_in_take(in, 0);
	*filter = ipc_in_take(in, 1);
	if (in->nfds != 2 + plan_blobs(&c->plan) + plan_wasm_fds(&c->plan))
		return "number of descriptors";
	for (uint32_t i = 0; i < c->plan.nvolumes; i++) {
		const struct plan_volume *v = &c->plan.volumes[i];

		if (v->kind != PLAN_VOL_RO && v->kind != PLAN_VOL_RW)
			continue;
		c->blobs[i] = ipc_in_take(in, next++);
		if (!blob_ok(c->blobs[i], v->size))
			return "a blob that is no read-only regular file of "
			    "its size";
	}
	return take_module(c, in, next);
}

bool
take_stream(int *r, int *w)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return false;
	*r = p[0];
	*w = p[1];
	if (fcntl(p[0], F_SETFL, O_NONBLOCK) < 0)
		return false;
	(void)fchmod(p[1], 0222);
	return true;
}
