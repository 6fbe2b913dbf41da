/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/hostkit.h"

#include <string.h>

#include "node/host/outbox.h"
#include "sandbox/plan/plan.h"

static bool
start(void *ctx, struct job *j, const char **code, char why[128])
{
	struct plan plan = {.job = j->id, .slot = j->slot};
	struct msg_J_RUN m;
	struct wr out = wr_make(m.plan, sizeof(m.plan));

	(void)code;
	(void)why;
	plan_encode(&out, &plan);
	if (!wr_ok(&out))
		return false;
	m.plan_len = (uint16_t)out.len;
	outbox_J_RUN(ctx, &m, NULL, 0);
	return true;
}

static enum image_state
image(void *ctx, const struct manifest *m, struct id32 *digest)
{
	(void)ctx;
	(void)m;
	memset(digest, 0x11, sizeof(*digest));
	return IMAGE_HERE;
}

static enum image_state
image_here(void *ctx, const struct id32 *digest)
{
	(void)ctx;
	(void)digest->b;
	return IMAGE_HERE;
}

static const char *
volumes(void *ctx, const struct manifest *m, const struct id32 *id,
    char why[HOST_WHY])
{
	(void)ctx;
	(void)m;
	(void)id->b;
	(void)why;
	return NULL;
}

static const char *
seccomp(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return NULL;
}

static uint64_t
disk_free(void *ctx)
{
	(void)ctx;
	return UINT64_C(1) << 40;
}

static bool
disk_readonly(void *ctx)
{
	(void)ctx;
	return false;
}

void
hostkit_fill(struct host *h)
{
	h->start = start;
	h->image = image;
	h->image_here = image_here;
	h->volumes = volumes;
	h->seccomp = seccomp;
	h->disk_free = disk_free;
	h->disk_readonly = disk_readonly;
}
