/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_local.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"
#include "transport/engine/seats.h"
#include "transport/engine/store.h"

/*
 * The shared instance's data socket (reticulum-transport.md 12.1, 12.3): any
 * local program may attach, and each is an interface of its own. Nothing is
 * expected of a program, not even that it speaks. Bounds are per program (4 MiB
 * of frames waiting; one read a turn), per process and per user (seats.h), so
 * that one's programs cannot take the places of all others.
 */

static const struct nif_kind local_server_kind = {
	.name = "LocalServerInterface",
	.local = true,
};

static const struct nif_kind local_kind = {
	.name = "LocalClientInterface",
	.carries = true,
	.local = true,
	.send = nif_stream_send,
	.flush = nif_stream_flush,
};

static void
local_gone(void *arg, int error)
{
	struct nif *n = arg;
	struct engine *e = n->e;

	if (nif_visit_said(n))
		log_info(n->name, "program %ld detached%s%s", (long)n->pid,
		    error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	nif_free(n);
	if (e->store != NULL)
		store_detached(e->store);
}

static unsigned
seats_of(struct engine *e, struct seat *seats, struct nif **who)
{
	struct nif *n;
	unsigned count = 0;

	TAILQ_FOREACH(n, &e->ifs, link) {
		struct rns_if_use use = {0};

		if (n->kind != &local_kind)
			continue;
		(void)rns_if_use(e->rns, n->id, &use);
		who[count] = n;
		seats[count++] = (struct seat){n->uid, n->pid, use.heard};
	}
	return count;
}

static void
refused(struct nif *server, uint64_t *count, const char *why)
{
	server->refused++;
	/* the first time only: the rest is in the count */
	if (count != NULL && (*count)++ == 0)
		log_warnx(server->name, "a program is refused: %s", why);
}

/* Another may be put out for it. */
static bool
may_attach(struct nif *server, uid_t uid)
{
	struct engine *e = server->e;
	struct seat seats[SEATS_MAX];
	struct nif *who[SEATS_MAX];
	size_t out;

	switch (seats_ask(seats, seats_of(e, seats, who), uid, &out)) {
	case SEATS_TAKE:
		return true;
	case SEATS_SWAP:
		if (server->door.put_out++ == 0)
			log_warnx(server->name, "all places are taken: program "
			    "%ld, which never sent a packet, makes room",
			    (long)who[out]->pid);
		nif_free(who[out]);
		return true;
	case SEATS_SHARE:
		refused(server, &server->door.share,
		    "all places of its user are in use");
		return false;
	case SEATS_FULL:
		refused(server, &server->door.full, "all places are in use");
		return false;
	}
	return false;
}

static void
name_local(struct nif *n, const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *v4 = (const void *)sa;

	if (sa->ss_family == AF_INET)
		(void)snprintf(n->name, sizeof(n->name), "LocalInterface[%u]",
		    ntohs(v4->sin_port));
	else
		(void)snprintf(n->name, sizeof(n->name),
		    "LocalInterface[rns/%s]", n->e->conf->instance_name);
}

static void
accept_local(void *arg, int fd, const struct sockaddr_storage *sa)
{
	struct nif *server = arg, *n;
	struct engine *e = server->e;
	int one = 1;
	uid_t uid;
	pid_t pid;

	acceptor_who(fd, &uid, &pid);
	if (!may_attach(server, uid)) {
		(void)close(fd);
		return;
	}
	if ((n = nif_new(e, &local_kind, NULL, server)) == NULL) {
		refused(server, NULL, NULL);
		(void)close(fd);
		return;
	}
	n->uid = uid;
	n->pid = pid;
	n->online = true;
	n->s.gone = local_gone;
	n->cfg = (struct rns_if){
		.kind = RNS_IF_LOCAL_CLIENT,
		.mode = RNS_MODE_FULL,
		.bitrate = (uint64_t)e->conf->local_bitrate,
		.hw_mtu = RNSCONF_LOCAL_MTU,
		.mtu_signal = true,
		.out = true,
		.announce_cap_permille = RNSCONF_LOCAL_CAP_PERMILLE,
	};
	name_local(n, sa);
	if (sa->ss_family == AF_INET)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
	if (fsock_open(&n->s, fd, RNS_FRAME_HDLC, RNSCONF_LOCAL_MTU) < 0) {
		(void)close(fd);
		server->refused++;
		nif_free(n);
		return;
	}
	if (nif_attach(n) < 0) {
		server->refused++;
		nif_free(n);
		return;
	}
	server->accepted++;
	if (nif_visit_said(n))
		log_info(n->name, "program %ld of user %ld attached",
		    (long)n->pid, (long)(int)n->uid);
}

int
local_listen(struct engine *e, int fd)
{
	struct nif *n;

	if ((n = nif_new(e, &local_server_kind, NULL, NULL)) == NULL) {
		(void)close(fd);
		return -1;
	}
	if (e->conf->shared_instance_type == RNSCONF_TCP)
		(void)snprintf(n->name, sizeof(n->name),
		    "Shared Instance[%u]", e->conf->shared_instance_port);
	else
		(void)snprintf(n->name, sizeof(n->name),
		    "Shared Instance[rns/%s]", e->conf->instance_name);
	n->online = true;
	n->cfg.bitrate = (uint64_t)e->conf->local_bitrate;
	n->cfg.hw_mtu = RNSCONF_LOCAL_MTU;
	n->cfg.mode = RNS_MODE_FULL;
	if (e->conf->local_bitrate != RNSCONF_LOCAL_BITRATE)
		log_notice(n->name, "counts as an interface of %" PRId64
		    " bit/s: force_shared_instance_bitrate",
		    e->conf->local_bitrate);
	log_notice(n->name, "programs may attach");
	nif_listen(n, fd, accept_local);
	return 0;
}
