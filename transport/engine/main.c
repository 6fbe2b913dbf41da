/* SPDX-License-Identifier: BSD-2-Clause */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/binding.h"
#include "transport/engine/bridge.h"
#include "transport/engine/control.h"
#include "transport/engine/engine.h"
#include "transport/engine/if_local.h"
#include "transport/engine/kinds.h"
#include "transport/engine/nif.h"
#include "transport/engine/rpc.h"
#include "transport/engine/store.h"
#include "transport/engine/turn.h"

#define DESCRIPTORS 8192
#define STOP_LINGER_S 0.15 /* 12.4: link closes leave before sockets do */

/* ---- start ---- */

static void
fill_random(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	randombytes_buf(out, n);
}

static int
core_new(struct engine *e)
{
	struct rns_config cfg = {
		.random = fill_random,
		.transport = e->conf->enable_transport,
		.implicit_proof = e->conf->use_implicit_proof,
		.link_mtu_discovery = e->conf->link_mtu_discovery,
		.wall_us = clock_wall_us(),
	};
	struct mono now = clock_mono();

	rns_limits_default(&cfg.limits);
	cfg.limits.interfaces = ENGINE_IFS;
	memcpy(cfg.identity, e->identity, sizeof(cfg.identity));
	e->rns = rns_new(&cfg, now);
	sodium_memzero(&cfg, sizeof(cfg));
	if (e->rns == NULL)
		return -1;
	e->wall_minus_mono = clock_wall_us() - now.us;
	memcpy(e->identity_hash, rns_identity_hash(e->rns), RNS_HASH);
	memcpy(e->identity_public, rns_identity_public(e->rns), RNS_KEY);
	return 0;
}

static void
identity_load(struct engine *e, int dir)
{
	if (dir < 0) {
		log_warnx("storage", "no folder: this identity and what is "
		    "learned end with the program");
		randombytes_buf(e->identity, sizeof(e->identity));
	} else if (store_identity(dir, e->identity) < 0) {
		fatalx("storage/transport_identity cannot be used");
	}
}

static void
config_load(struct engine *e)
{
	struct conf_err err;
	size_t len;
	char *text;

	text = settings_text(&e->program, SET_RNS_CONFIG, "", CONF_TEXT_MAX,
	    &len);
	if (text == NULL)
		fatal("configuration");
	if (rnsconf_parse(&e->conf, text, len, &err) < 0)
		fatalx("config:%u: %s%s%s", err.line, err.text,
		    err.hint[0] != '\0' ? "; " : "", err.hint);
	explicit_bzero(text, len);
	free(text);
	for (unsigned i = 0; i < e->conf->nnotes; i++)
		log_warnx("config", "line %u: %s", e->conf->notes[i].line,
		    e->conf->notes[i].text);
}

/* In the order that 12.1 asks for: who attaches finds everything there. */
static void
engine_start(struct engine *e)
{
	struct process *p = &e->program;
	int dir = settings_take(p, SET_DIR_STORAGE, ""), fd;

	config_load(e);
	identity_load(e, dir);
	if (core_new(e) < 0)
		fatalx("the core cannot be made");
	if (kinds_create_all(e) < 0)
		fatalx("an interface cannot be made");
	if (dir >= 0) {
		if ((e->store = store_new(e, dir)) == NULL)
			fatal("storage");
		store_load(e->store);
	}
	if ((fd = settings_take(p, SET_LISTEN_DATA, "")) >= 0 &&
	    local_listen(e, fd) < 0)
		fatalx("the shared instance cannot be served");
	if ((fd = settings_take(p, SET_LISTEN_RPC, "")) >= 0 &&
	    (e->rpc = rpc_new(e, fd)) == NULL)
		fatal("rpc");
	if (p->params.compute && (e->bridge = bridge_new(e)) == NULL)
		fatalx("klp.node cannot be made");
	if ((fd = settings_take(p, SET_LISTEN_MESH, "")) >= 0 &&
	    (e->mesh_sock = control_new(e, fd)) == NULL)
		fatal("mesh.sock");
}

/* ---- the end ---- */

static void
on_stopped(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void
engine_stop(void *ctx)
{
	struct engine *e = ctx;

	if (e->stopping)
		return;
	e->stopping = true;
	log_notice(NULL, "stopping");
	if (e->bridge != NULL)
		bridge_close(e->bridge);
	ev_timer_init(&e->stop_timer, on_stopped, STOP_LINGER_S, 0);
	ev_timer_start(e->loop, &e->stop_timer);
}

static void
engine_clear(struct engine *e)
{
	struct nif *n;

	if (e->store != NULL)
		store_persist(e->store);
	asksock_free(e->mesh_sock);
	rpc_free(e->rpc);
	bridge_free(e->bridge);
	/* children before their listener */
	while ((n = TAILQ_LAST(&e->ifs, nif_list)) != NULL)
		nif_free(n);
	store_free(e->store);
	rns_free(e->rns);
	rnsconf_free(e->conf);
	for (unsigned i = 0; i < PROGRAM_COUNT; i++)
		ipc_ev_free(e->siblings[i].ev);
	sodium_memzero(e->identity, sizeof(e->identity));
}

/* ---- the others ---- */

static void
sibling_message(void *ctx, struct ipc_in *in)
{
	struct sibling *s = ctx;
	struct engine *e = s->e;

	if (in->type == IPC_HELLO) {
		s->greeted = true;
		if (s->who == PROGRAM_NODE && e->bridge != NULL)
			bridge_node_up(e->bridge);
		return;
	}
	if (s->who == PROGRAM_NODE && e->bridge != NULL)
		(void)bridge_message(e->bridge, in);
	else if (s->who == PROGRAM_KEYS && in->type == IPC_B_SIGN)
		binding_sign(e, in);
}

static void
sibling_gone(void *ctx, int error)
{
	struct sibling *s = ctx;

	log_info(program_name(s->who), "channel closed%s",
	    error != 0 ? ": it broke the message table" : "");
	ipc_ev_free(s->ev);
	s->ev = NULL;
	s->greeted = false;
	if (s->who == PROGRAM_NODE && s->e->bridge != NULL)
		bridge_node_down(s->e->bridge);
}

static const struct ipc_ev_handlers sibling_handlers = {
	sibling_message, sibling_gone, NULL,
};

static void
on_neighbour(void *ctx, enum program who, int fd)
{
	struct engine *e = ctx;
	struct sibling *s = &e->siblings[who];

	if (s->ev != NULL)
		sibling_gone(s, 0);
	s->ev = program_neighbour(&e->program, e->loop, who, fd,
	    &sibling_handlers, s);
	if (s->ev == NULL)
		fatal("%s", program_name(who));
}

static void
on_message(void *ctx, struct ipc_in *in)
{
	struct engine *e = ctx;
	struct msg_PROGRAM m;
	struct msg_OPENED op;

	switch (in->type) {
	case IPC_PROGRAM:
		if (!msg_get_PROGRAM(in->body, &m) || m.program >= PROGRAM_COUNT)
			fatalx("parent: malformed PROGRAM");
		e->programs[m.program] = (struct prog_state){true, m.running,
		    m.restarts, m.pid};
		break;
	case IPC_OPENED:
		if (!msg_get_OPENED(in->body, &op))
			fatalx("parent: malformed OPENED");
		nif_opened(e, &op, in->nfds > 0 ? ipc_in_take(in, 0) : -1);
		break;
	default:
		break;
	}
}

static const struct program_ops ops = {
	on_neighbour, engine_stop, engine_stop, on_message,
};

static void
loop_init(struct engine *e)
{
	/* the environment is empty: nothing from outside picks a backend */
	if ((e->loop = ev_default_loop(EVFLAG_NOENV)) == NULL)
		fatalx("no event loop");
	turn_init(e);
	for (unsigned i = 0; i < PROGRAM_COUNT; i++)
		e->siblings[i] = (struct sibling){e, (enum program)i, NULL, false};
}

/* Every interface is a descriptor, and so is every stream of a job. */
static void
descriptors_raise(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return;
	lim.rlim_cur = MIN_OF(lim.rlim_max, (rlim_t)DESCRIPTORS);
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

int
main(int argc, char **argv)
{
	static struct engine e;

	TAILQ_INIT(&e.ifs);
	TAILQ_INIT(&e.dirty);
	e.started = e.now = clock_mono();
	if (sodium_init() < 0) /* before the filter: it opens its source */
		fatalx("libsodium does not start");
	descriptors_raise();
	program_start(&e.program, PROGRAM_TRANSPORT, argc, argv, NULL, NULL);
	loop_init(&e);
	engine_start(&e);
	if (program_attach(&e.program, e.loop, &ops, &e) < 0)
		fatal("parent");
	nif_start_all(&e);
	if (program_ready(&e.program) < 0)
		fatal("parent");
	log_notice(NULL, "ready: transport=%s",
	    e.conf->enable_transport ? "yes" : "no");
	(void)ev_run(e.loop, 0);
	engine_clear(&e);
	log_notice(NULL, "ended");
	return 0;
}
