/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * librns as a whole node on one TCP connection, for figures beside stock
 * endpoints (stock.py takes the same words and prints the same lines).
 *
 *   endpoint serve listen:PORT|connect:PORT
 *   endpoint visit connect:PORT DEST links N resource BYTES N [packed BYTES N]
 *
 * serve prints "dest HEX" and takes links and resources. visit prints
 * "link US" for each link opened, from the command to LINK_UP, and
 * "resource BYTES US" from the command until the other side's proof is here.
 * "packed": with compression tried, as programs have it by default.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "transport/socket/fsock.h"
#include "common/util.h"

#define BITRATE 10000000 /* of TCP interfaces (reticulum-transport.md 8.3) */
#define IFID 1
#define PATH_EVERY_S 2
#define ROUND_LIMIT_S 120

static struct ev_loop *loop;
static struct rns *rns;
static struct fsock sock;
static ev_timer deadline, ask, limit;
static uint8_t identity[RNS_KEY];
static struct hash16 dest, link_id;
static bool serving, path_known, link_up;
static int listener = -1;
static ev_io accepting;

/* the visitor's list of things to do */
static char **words;
static int left;
static unsigned rounds;
static size_t size;
static uint8_t *data;
static int64_t began;

static void
fill_random(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	randombytes_buf(out, n);
}

static void
fail(const char *what)
{
	fprintf(stderr, "endpoint: %s\n", what);
	exit(1);
}

static void
submit(const struct rns_cmd *cmd, const char *what)
{
	int err = rns_submit(rns, cmd, clock_mono());

	if (err != RNS_OK) {
		fprintf(stderr, "%s: %s\n", what, rns_strerror(err));
		exit(1);
	}
}

static void
announce(bool path_response)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};

	cmd.announce.dest = dest;
	cmd.announce.path_response = path_response;
	submit(&cmd, "announce");
}

/* ---- visit ---- */

static void
link_open(void)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};

	cmd.link_open.dest = dest;
	began = clock_mono().us;
	submit(&cmd, "link");
}

static void
resource_send(void)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_SEND};

	cmd.resource.link = link_id;
	cmd.resource.data = data;
	cmd.resource.len = size;
	cmd.resource.compress = strcmp(words[0], "packed") == 0;
	began = clock_mono().us;
	submit(&cmd, "resource");
}

static void
next(void)
{
	ev_timer_again(loop, &limit);
	if (rounds == 0) {
		if (left < 2) {
			ev_break(loop, EVBREAK_ALL);
			return;
		}
		if (strcmp(words[0], "links") == 0) {
			rounds = (unsigned)strtoul(words[1], NULL, 10);
		} else {
			size = strtoul(words[1], NULL, 10);
			rounds = (unsigned)strtoul(words[2], NULL, 10);
			free(data);
			if ((data = malloc(size)) == NULL)
				fail("no memory");
			randombytes_buf(data, size);
		}
	}
	if (strcmp(words[0], "links") == 0 || !link_up)
		link_open();
	else
		resource_send();
}

static void
round_done(void)
{
	int used = strcmp(words[0], "links") == 0 ? 2 : 3;

	if (--rounds == 0) {
		words += used;
		left -= used;
	}
	next();
}

static void
on_link_up(const struct rns_event *ev)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE};

	if (serving)
		return;
	link_id = ev->link.id;
	if (strcmp(words[0], "links") == 0) {
		printf("link %lld\n", (long long)(clock_mono().us - began));
		cmd.hash = link_id;
		submit(&cmd, "close");
		round_done();
	} else {
		link_up = true;
		resource_send();
	}
}

static void
on_ask(struct ev_loop *l, ev_timer *w, int revents)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_REQUEST};
	struct rns_path p;

	(void)revents;
	path_known = path_known || rns_path_get(rns, &dest, &p);
	if (path_known) {
		ev_timer_stop(l, w);
		return;
	}
	cmd.hash = dest;
	submit(&cmd, "path");
}

static void
on_limit(struct ev_loop *l, ev_timer *w, int revents)
{
	(void)l;
	(void)w;
	(void)revents;
	fail("no answer in time");
}

/* ---- the turn ---- */

static void
on_event(const struct rns_event *ev)
{
	switch (ev->type) {
	case RNS_EV_ANNOUNCE:
		if (!serving && !path_known &&
		    hash16_eq(&ev->announce.dest, &dest)) {
			path_known = true;
			next();
		}
		break;
	case RNS_EV_PATH_REQUEST:
		announce(true);
		break;
	case RNS_EV_LINK_UP:
		on_link_up(ev);
		break;
	case RNS_EV_LINK_CLOSED:
		if (!serving && !hash16_eq(&ev->link.id, &link_id))
			fail("the link did not come up");
		break;
	case RNS_EV_SENT:
		if (ev->sent.status != RNS_RES_COMPLETE)
			fail("the resource failed");
		printf("%s %zu %lld\n", words[0], size,
		    (long long)(clock_mono().us - began));
		round_done();
		break;
	default:
		break;
	}
	fflush(stdout);
}

static void
on_prepare(struct ev_loop *l, ev_prepare *w, int revents)
{
	struct rns_event ev;
	struct rns_tx tx;
	struct mono at;
	bool more;

	(void)w;
	(void)revents;
	do {
		while (rns_next_tx(rns, &tx))
			(void)fsock_send(&sock, tx.data, tx.len);
		if ((more = rns_next_event(rns, &ev)))
			on_event(&ev);
	} while (more);
	fsock_flush(&sock);
	at = rns_deadline(rns);
	ev_timer_stop(l, &deadline);
	if (at.us == INT64_MAX)
		return;
	ev_now_update(l);
	ev_timer_set(&deadline, MAX_OF(0., (double)mono_sub(at, clock_mono()) /
	    1e6), 0);
	ev_timer_start(l, &deadline);
}

static void
on_deadline(struct ev_loop *l, ev_timer *w, int revents)
{
	(void)l;
	(void)w;
	(void)revents;
	rns_tick(rns, clock_mono());
}

static void
on_frame(void *arg, const uint8_t *packet, size_t len)
{
	(void)arg;
	(void)rns_recv(rns, IFID, packet, len, clock_mono());
}

static void
on_gone(void *arg, int error)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_DEL, .ifid = IFID};

	(void)arg;
	(void)error;
	if (listener < 0)
		exit(serving ? 0 : 1);
	submit(&cmd, "interface");
	ev_io_start(loop, &accepting);
}

static void
interface_up(int fd)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD, .iface = {.id = IFID,
	    .kind = RNS_IF_NET, .mode = RNS_MODE_FULL, .bitrate = BITRATE,
	    .mtu_signal = true, .out = true, .online = true,
	    .announce_cap_permille = 20}};
	int one = 1;

	cmd.iface.hw_mtu = rns_mtu_for_bitrate(BITRATE);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fsock_open(&sock, fd, RNS_FRAME_HDLC, cmd.iface.hw_mtu + 64) < 0)
		fail("no memory");
	submit(&cmd, "interface");
	if (serving)
		announce(false);
}

static void
on_accept(struct ev_loop *l, ev_io *w, int revents)
{
	int fd = accept(w->fd, NULL, NULL);

	(void)revents;
	if (fd < 0)
		return;
	ev_io_stop(l, w);
	interface_up(fd);
}

static void
open_socket(const char *where)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	bool listening = strncmp(where, "listen:", 7) == 0;
	const char *port = strchr(where, ':');
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || port == NULL)
		fail("listen:PORT or connect:PORT");
	sa.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!listening) {
		if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
			fail(strerror(errno));
		interface_up(fd);
		return;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, 4) < 0)
		fail(strerror(errno));
	listener = fd;
	ev_io_init(&accepting, on_accept, fd, EV_READ);
	ev_io_start(loop, &accepting);
}

static void
add_dest(void)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	uint8_t pub[RNS_KEY];
	struct hash16 hash;
	char hex[2 * RNS_HASH + 1];

	if (rns_identity_derive(pub, &hash, identity) != RNS_OK ||
	    rns_dest_hash(&dest, "bench.endpoint", &hash) != RNS_OK)
		fail("identity");
	cmd.dest.type = RNS_SINGLE;
	cmd.dest.name = "bench.endpoint";
	memcpy(cmd.dest.identity, identity, RNS_KEY);
	cmd.dest.has_identity = true;
	cmd.dest.accept_links = true;
	cmd.dest.resources = RNS_ACCEPT_ALL;
	submit(&cmd, "destination");
	hex_encode(hex, HASH_BYTES(dest));
	printf("dest %s\n", hex);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct rns_config cfg = {.random = fill_random,
	    .wall_us = clock_wall_us(), .implicit_proof = true,
	    .link_mtu_discovery = true};
	ev_prepare turn;

	if (argc < 3 || sodium_init() < 0)
		return 2;
	serving = strcmp(argv[1], "serve") == 0;
	randombytes_buf(identity, sizeof(identity));
	randombytes_buf(cfg.identity, sizeof(cfg.identity));
	rns_limits_default(&cfg.limits);
	loop = ev_default_loop(0);
	if (loop == NULL || (rns = rns_new(&cfg, clock_mono())) == NULL)
		return 1;
	fsock_init(&sock, loop);
	sock.frame = on_frame;
	sock.gone = on_gone;
	ev_init(&deadline, on_deadline);
	ev_init(&limit, on_limit);
	limit.repeat = ROUND_LIMIT_S;
	ev_prepare_init(&turn, on_prepare);
	ev_prepare_start(loop, &turn);
	if (serving) {
		add_dest();
	} else {
		if (argc < 4 || !hex_decode(HASH_BYTES(dest), argv[3],
		    strlen(argv[3])))
			return 2;
		words = argv + 4;
		left = argc - 4;
		ev_timer_init(&ask, on_ask, 0.2, PATH_EVERY_S);
		ev_timer_start(loop, &ask);
		ev_timer_again(loop, &limit);
	}
	open_socket(argv[2]);
	ev_run(loop, 0);
	fsock_close(&sock);
	rns_free(rns);
	free(data);
	return 0;
}
