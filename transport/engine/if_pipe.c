/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_pipe.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/opener.h"

#define PIPE_BITRATE 1000000 /* reticulum-transport.md 8.3 */
#define PIPE_MTU 1064

static int
pipe_configure(struct nif *n)
{
	if (nif_configure(n, PIPE_BITRATE) < 0)
		return -1;
	n->cfg.hw_mtu = PIPE_MTU;
	return 0;
}

static void
pipe_gone(void *arg, int error)
{
	struct nif *n = arg;

	opener_why(n, "the command %.100s has ended%s%s", n->conf->argv[0],
	    error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	opener_lost(n);
	nif_online(n, false);
}

static void
pipe_opened(struct nif *n, const struct nif_open *o)
{
	if (o->send_fd >= 0)
		(void)close(o->send_fd);
	if (o->fd < 0) {
		opener_failed(n, "the command cannot be started", o->error,
		    o->text);
		return;
	}
	if (n->s.fd >= 0) { /* there is one already */
		(void)close(o->fd);
		return;
	}
	n->s.gone = pipe_gone;
	if (fsock_open(&n->s, o->fd, RNS_FRAME_HDLC, nif_frame_limit(n)) < 0) {
		(void)close(o->fd);
		opener_failed(n, "the command cannot be heard", errno, "");
		return;
	}
	opener_done(n);
	log_notice(n->conf->name, "the command %.100s runs", n->conf->argv[0]);
	nif_online(n, true);
}

const struct nif_kind pipe_kind = {
	.name = "PipeInterface",
	.carries = true,
	.configure = pipe_configure,
	.start = opener_ask,
	.opened = pipe_opened,
	.send = nif_stream_send,
	.flush = nif_stream_flush,
};
