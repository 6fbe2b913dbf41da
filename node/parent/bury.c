/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/bury.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/priv.h"
#include "common/util.h"
#include "node/parent/parent.h"
#include "node/parent/rank.h"
#include "node/parent/tell.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/share.h"
#include "sandbox/image/store.h"
#include "trust/doc/revlist.h"

/* Holds nothing but the store: a channel kept open here would hide our end. */
static void
child(const struct parent *p, const struct bury *b)
{
	char why[GONE_WHY];
	int images = p->images_dir, lock = -1;
	uint64_t bytes = 0;
	uint32_t files = 0;

	rank_before_relay(RANK_HOUSE);
	(void)snprintf(why, sizeof(why), "it is revoked (%s)",
	    rev_reason_name(b->reason));
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    priv_fds(&images, 1) < 0 || (lock = store_lock(images)) < 0 ||
	    store_bury(images, &b->image, why) < 0)
		_exit(errno > 0 && errno < 256 ? errno : 255);
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)store_sweep(images, false);
	(void)share_drop(images, false, &files, &bytes);
	(void)close(lock);
	_exit(0);
}

static void
on_exited(struct ev_loop *loop, ev_child *w, int revents)
{
	struct parent *p = w->data;
	struct bury *b = &p->bury;
	int err = WIFEXITED(w->rstatus) ? WEXITSTATUS(w->rstatus) : EINTR;
	char hex[65], text[256];

	(void)revents;
	ev_child_stop(loop, w);
	b->busy = false;
	hex_encode(hex, HASH_BYTES(b->image));
	if (err != 0 && b->failed)
		return;
	b->failed = err != 0;
	if (err != 0) {
		(void)snprintf(text, sizeof(text), "the files of image "
		    "sha256:%s, which is revoked (%s), cannot be removed: %s",
		    hex, rev_reason_name(b->reason), strerror(err));
		log_errx("images", "%s; it is tried again, and no job gets it",
		    text);
	} else {
		(void)snprintf(text, sizeof(text), "image sha256:%s is revoked "
		    "(%s): its files were removed", hex,
		    rev_reason_name(b->reason));
		log_warnx("images", "%s", text);
	}
	parent_event(p, EVK_REVOKED, 4, "image", text);
}

void
bury(struct parent *p, const struct msg_N_BURY *m)
{
	struct bury *b = &p->bury;
	pid_t pid;

	if (b->busy || p->stopping || p->images_dir < 0)
		return;
	if (!id32_eq(&b->image, &m->image))
		b->failed = false;
	b->image = m->image;
	b->reason = m->reason;
	if ((pid = fork()) == 0)
		child(p, b);
	if (pid < 0) {
		log_warn("images", "a revoked image is not removed yet");
		return;
	}
	b->busy = true;
	ev_child_init(&b->exited, on_exited, pid, 0);
	b->exited.data = p;
	ev_child_start(p->loop, &b->exited);
}
