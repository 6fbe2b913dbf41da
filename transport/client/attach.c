/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/client/attach.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "transport/client/attach_folder.h"
#include "transport/client/attach_link.h"
#include "transport/client/attach_path.h"
#include "transport/client/state.h"

#define RECONNECT_S 8.   /* reticulum-transport.md 12.4 */
#define DRAIN_MS 1000    /* ours: an instance has so long to read the end */
#define HANDLE_MS 10     /* ours: ... and to handle it */
#define HANDLE_TCP_MS 50 /* ours: ... and to read it, which TCP does not tell */

/* ---- the socket ---- */

static int
connect_unix(const struct attach *a)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = -1;
	size_t n;

	n = rnsconf_socket_name(a->conf, false, sa.sun_path + 1,
	    sizeof(sa.sun_path) - 1);
	if (n == 0) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)) < 0)
		return -1;
	return steal_fd(&fd);
}

static int
connect_tcp(const struct attach *a)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	_cleanup_fd_ int fd = -1;
	int one = 1;

	sa.sin_port = htons(a->conf->shared_instance_port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return steal_fd(&fd);
}

/* Connect, and give the core its interface. */
static int
connect_instance(struct attach *a)
{
	struct rns_cmd cmd = {
		.type = RNS_CMD_IF_ADD,
		.iface = {
			.id = ATTACH_IFID,
			.kind = RNS_IF_SHARED,
			.mode = RNS_MODE_FULL,
			.bitrate = (uint64_t)a->conf->local_bitrate,
			.hw_mtu = RNSCONF_LOCAL_MTU,
			.mtu_signal = true,
			.out = true,
			.online = true,
			.announce_cap_permille = RNSCONF_LOCAL_CAP_PERMILLE,
		},
	};
	int fd;

	fd = a->conf->shared_instance_type == RNSCONF_TCP ? connect_tcp(a) :
	    connect_unix(a);
	if (fd < 0)
		return -1;
	if (fsock_open(&a->sock, fd, RNS_FRAME_HDLC, RNSCONF_LOCAL_MTU) < 0) {
		(void)close(fd);
		return -1;
	}
	if (rns_submit(a->rns, &cmd, clock_mono()) != RNS_OK) {
		fsock_close(&a->sock);
		errno = ENOMEM;
		return -1;
	}
	a->connected = true;
	return 0;
}

static void
on_frame(void *arg, const uint8_t *packet, size_t len)
{
	struct attach *a = arg;

	(void)rns_recv(a->rns, ATTACH_IFID, packet, len, clock_mono());
}

/* The instance went away: links close by this, and it is tried again. */
static void
on_gone(void *arg, int error)
{
	struct attach *a = arg;
	struct rns_cmd cmd = {.type = RNS_CMD_IF_DEL, .ifid = ATTACH_IFID};

	(void)error;
	a->connected = false;
	(void)rns_submit(a->rns, &cmd, clock_mono());
	ev_timer_set(&a->reconnect, RECONNECT_S, 0);
	ev_timer_start(a->loop, &a->reconnect);
}

static void
on_reconnect(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct attach *a = w->data;

	(void)revents;
	if (connect_instance(a) == 0)
		return;
	ev_timer_set(w, RECONNECT_S, 0);
	ev_timer_start(loop, w);
}

/* ---- the turn ---- */

static void
watches_event(struct attach *a, const struct rns_event *ev)
{
	uint8_t app_data[RNS_MTU], ratchet[RNS_RATCHET];
	struct rns_event copy = *ev;
	struct announce_watch *w;

	/* a command of the callback would end the event's own bytes */
	copy.announce.raw = NULL;
	copy.announce.raw_len = 0;
	if (ev->announce.app_data != NULL) {
		copy.announce.app_data_len = MIN_OF(ev->announce.app_data_len,
		    sizeof(app_data));
		memcpy(app_data, ev->announce.app_data,
		    copy.announce.app_data_len);
		copy.announce.app_data = app_data;
	}
	if (ev->announce.ratchet != NULL) {
		memcpy(ratchet, ev->announce.ratchet, sizeof(ratchet));
		copy.announce.ratchet = ratchet;
	}
	SLIST_FOREACH(w, &a->watches, entry)
		if (w->all || memcmp(w->name_hash, copy.announce.name_hash,
		    RNS_NAME_HASH) == 0)
			w->fn(w->arg, &copy);
}

static void
on_event(struct attach *a, const struct rns_event *ev)
{
	struct rns_event first = *ev;
	struct hash16 dest;

	if (a->on_event != NULL)
		a->on_event(a->on_event_arg, ev);
	if (ev->type == RNS_EV_ANNOUNCE) {
		dest = ev->announce.dest;
		watches_event(a, ev);
		apaths_announce(a, &dest);
		alinks_announce(a, &dest);
	}
	alinks_event(a, &first);
}

static void
send_all(struct attach *a)
{
	struct rns_tx tx;

	while (rns_next_tx(a->rns, &tx)) {
		(void)fsock_send(&a->sock, tx.data, tx.len);
		a->spoke = clock_mono();
	}
}

static void
turn(struct attach *a)
{
	struct rns_event ev;
	bool more;

	do {
		more = false;
		send_all(a);
		if (rns_next_event(a->rns, &ev)) {
			on_event(a, &ev);
			more = true;
		}
	} while (more);
	fsock_flush(&a->sock);
	alinks_reap(a);
}

static void
on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct attach *a = w->data;
	struct mono at;
	double s;

	(void)revents;
	turn(a);
	at = rns_deadline(a->rns);
	ev_timer_stop(loop, &a->deadline);
	if (at.us == INT64_MAX)
		return;
	s = (double)mono_sub(at, clock_mono()) / 1e6;
	ev_now_update(loop);
	ev_timer_set(&a->deadline, s > 0 ? s : 0, 0);
	ev_timer_start(loop, &a->deadline);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct attach *a = w->data;

	(void)loop;
	(void)revents;
	rns_tick(a->rns, clock_mono());
}

/* ---- life ---- */

static void
fill_random(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	randombytes_buf(out, n);
}

static int
make_core(struct attach *a)
{
	struct rns_config cfg = {
		.random = fill_random,
		.wall_us = clock_wall_us(),
		.attached = true,
		.implicit_proof = a->conf->use_implicit_proof,
		.link_mtu_discovery = a->conf->link_mtu_discovery,
	};

	rns_limits_default(&cfg.limits);
	/* a program's own identity matters to nobody */
	randombytes_buf(cfg.identity, sizeof(cfg.identity));
	a->rns = rns_new(&cfg, clock_mono());
	return a->rns != NULL ? 0 : -1;
}

static void
set_name(struct attach *a)
{
	char sock[110];

	if (a->conf->shared_instance_type == RNSCONF_TCP)
		(void)snprintf(a->name, sizeof(a->name),
		    "attached to 127.0.0.1:%u", a->conf->shared_instance_port);
	else if (rnsconf_socket_name(a->conf, false, sock, sizeof(sock)) > 0)
		(void)snprintf(a->name, sizeof(a->name), "attached to %s",
		    sock);
}

static int
open_all(struct attach *a, const char *config_dir, char *why, size_t cap)
{
	if ((a->dir = afolder_find(config_dir)) == NULL) {
		(void)snprintf(why, cap, "out of memory");
		errno = ENOMEM;
		return -1;
	}
	if (afolder_read(a, why, cap) < 0)
		return -1;
	set_name(a);
	if (sodium_init() < 0 || make_core(a) < 0) {
		(void)snprintf(why, cap, "out of memory");
		errno = ENOMEM;
		return -1;
	}
	if (connect_instance(a) < 0) {
		(void)snprintf(why, cap, "no shared instance runs at %s "
		    "(configuration %s): %s", a->name +
		    strlen("attached to "), a->dir, strerror(errno));
		errno = ECONNREFUSED;
		return -1;
	}
	afolder_known(a);
	return 0;
}

static void
free_all(struct attach *a)
{
	struct announce_watch *w;
	int saved = errno;

	fsock_close(&a->sock);
	ev_prepare_stop(a->loop, &a->prepare);
	ev_timer_stop(a->loop, &a->deadline);
	ev_timer_stop(a->loop, &a->reconnect);
	while ((w = SLIST_FIRST(&a->watches)) != NULL) {
		SLIST_REMOVE_HEAD(&a->watches, entry);
		free(w);
	}
	rns_free(a->rns);
	rnsconf_free(a->conf);
	free(a->dir);
	free(a);
	errno = saved;
}

int
attach_open(struct attach **out, struct ev_loop *loop, const char *config_dir,
    char *why, size_t why_cap)
{
	struct attach *a;

	if ((a = calloc(1, sizeof(*a))) == NULL) {
		(void)snprintf(why, why_cap, "out of memory");
		return -1;
	}
	a->loop = loop;
	SLIST_INIT(&a->watches);
	TAILQ_INIT(&a->paths);
	TAILQ_INIT(&a->links);
	fsock_init(&a->sock, loop);
	a->sock.frame = on_frame;
	a->sock.gone = on_gone;
	a->sock.arg = a;
	ev_prepare_init(&a->prepare, on_prepare);
	ev_init(&a->deadline, on_deadline);
	ev_init(&a->reconnect, on_reconnect);
	a->prepare.data = a->deadline.data = a->reconnect.data = a;
	if (open_all(a, config_dir, why, why_cap) < 0) {
		free_all(a);
		return -1;
	}
	ev_prepare_start(loop, &a->prepare);
	*out = a;
	return 0;
}

/*
 * The last words, link closes among them. Stock RNS 1.5.7 handles packets
 * beside reading them, and forgets those of a connection that has ended.
 */
static void
last_words(struct attach *a)
{
	const bool tcp = a->conf->shared_instance_type == RNSCONF_TCP;
	struct timespec handle = {
	    .tv_nsec = (tcp ? HANDLE_TCP_MS : HANDLE_MS) * INT64_C(1000000)};

	send_all(a);
	fsock_drain(&a->sock, DRAIN_MS);
	if (a->connected && mono_sub(clock_mono(), a->spoke) < MONO_SECOND)
		(void)nanosleep(&handle, NULL);
}

void
attach_close(struct attach *a)
{
	if (a == NULL)
		return;
	a->on_event = NULL;
	alinks_free(a);
	apaths_free(a);
	last_words(a);
	free_all(a);
}

const char *
attach_folder(const struct attach *a)
{
	return a->dir;
}

void
attach_on_event(struct attach *a, void (*fn)(void *, const struct rns_event *),
    void *arg)
{
	a->on_event = fn;
	a->on_event_arg = arg;
}

int
attach_on_announce(struct attach *a, const char *name,
    void (*fn)(void *, const struct rns_event *), void *arg)
{
	struct announce_watch *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return -1;
	w->all = name == NULL;
	if (name != NULL)
		rns_name_hash(w->name_hash, name);
	w->fn = fn;
	w->arg = arg;
	SLIST_INSERT_HEAD(&a->watches, w, entry);
	return 0;
}
