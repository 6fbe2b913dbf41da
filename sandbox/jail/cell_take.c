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

const char *
take_descriptors(struct cell *c, struct ipc_in *in, int *args, int *filter)
{
	unsigned next = 2;

	*args = ipc_in_take(in, 0);
	*filter = ipc_in_take(in, 1);
	if (in->nfds != 2 + plan_blobs(&c->plan))
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
	return NULL;
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
