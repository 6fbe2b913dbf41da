/* SPDX-License-Identifier: BSD-2-Clause */
#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "transport/engine/air.h"
#include "transport/engine/binding.h"
#include "transport/engine/autodial.h"
#include "transport/engine/bridge.h"
#include "transport/engine/control.h"
#include "transport/engine/discovery.h"
#include "transport/engine/door.h"
#include "transport/engine/engine.h"
#include "transport/engine/errand.h"
#include "transport/engine/fetch.h"
#include "transport/engine/holes.h"
#include "transport/engine/if_auto.h"
#include "transport/engine/if_local.h"
#include "transport/engine/kinds.h"
#include "transport/engine/mail.h"
#include "transport/engine/manage.h"
#include "transport/engine/measure.h"
#include "transport/engine/metrics.h"
#include "transport/engine/nif.h"
#include "transport/engine/offering.h"
#include "transport/engine/rpc.h"
#include "transport/engine/store.h"
#include "transport/engine/turn.h"
#include "transport/lxmf/lxmfset.h"
#include "transport/modem/airset.h"

#define DESCRIPTORS 8192
/* reticulum-transport.md 12.4: link closes leave before sockets do */
#define STOP_LINGER_S 0.15

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
		.local_hops_delta = e->conf->local_hops_delta,
		.wall_us = clock_wall_us(),
	};
	struct mono now = clock_mono();

	rns_limits_default(&cfg.limits);
	cfg.limits.interfaces = ENGINE_IFS;
	memcpy(cfg.identity, e->identity, sizeof(cfg.identity));
	e->rns = rns_new(&cfg, now);
	explicit_bzero(&cfg, sizeof(cfg));
	if (e->rns == NULL)
		return -1;
	e->wall_minus_mono = clock_wall_us() - now.us;
	e->identity_hash = *hash16_at(rns_identity_hash(e->rns));
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
		fatalx("storage/transport_identity cannot be used: mend it, or "
		    "move it away and a new identity is made");
	}
}

static struct rnsconf *
config_parse(const char *text, size_t len)
{
	struct mistakes m = {0};
	struct rnsconf *c = NULL;
	char why[1024];

	if (rnsconf_parse(&c, text, len, &m) < 0) {
		mistake_line(why, sizeof(why), "config", &m.v[0]);
		log_errx(NULL, "%s", why);
	}
	return c;
}

static struct rnsconf *
config_take(struct engine *e, enum setting what)
{
	struct rnsconf *c;
	size_t len;
	char *text = settings_text(&e->program, what, "", CONF_TEXT_MAX, &len);

	if (text == NULL)
		return NULL;
	if ((c = config_parse(text, len)) == NULL)
		fatalx("the parent's configuration cannot be used");
	explicit_bzero(text, len);
	free(text);
	return c;
}

/* Of a node whose interfaces were changed while it ran, both. */
static void
config_load(struct engine *e)
{
	if ((e->conf = config_take(e, SET_RNS_CONFIG)) == NULL)
		fatal("no configuration from the parent");
	if ((e->ifconf = config_take(e, SET_RNS_INTERFACES)) == NULL)
		e->ifconf = e->conf;
}

/* What the parent read of network_identity; none is fine. */
static void
network_load(struct engine *e)
{
	uint8_t pub[RNS_KEY];
	char *id;
	size_t len;

	id = settings_text(&e->program, SET_NETWORK_ID, "", RNS_KEY, &len);
	if (id == NULL)
		return;
	if (len != RNS_KEY)
		fatalx("the network identity has %zu bytes", len);
	memcpy(e->network, id, RNS_KEY);
	explicit_bzero(id, len);
	free(id);
	e->has_network = rns_identity_derive(pub, &e->network_hash,
	    e->network) == RNS_OK;
}

static void
airtime_load(struct engine *e)
{
	size_t len;
	char *text = settings_text(&e->program, SET_AIRTIME, "", AIRSET_BYTES,
	    &len);

	if (text != NULL)
		air_settings(e, text, len);
	free(text);
}

static void
mail_load(struct engine *e)
{
	size_t len;
	char *text = settings_text(&e->program, SET_LXMF, "", LXMFSET_BYTES,
	    &len);

	e->now = clock_mono();
	if (text != NULL)
		mailroom_set(e, text, len);
	free(text);
}

/* A text that is no identity is nobody. */
static void
hub_set(struct engine *e, const char *text, size_t len)
{
	static const struct hash16 nobody;

	e->hub = nobody;
	if (len == 2 * sizeof(e->hub.b) &&
	    !hex_decode(HASH_BYTES(e->hub), text, len))
		e->hub = nobody;
}

static void
hub_load(struct engine *e)
{
	size_t len;
	char *text = settings_text(&e->program, SET_HUB_PEER, "", 64, &len);

	if (text != NULL)
		hub_set(e, text, len);
	free(text);
}

/* Neither stops the relay when it cannot be. */
static void
discovery_start(struct engine *e, int dir)
{
	const uint8_t *network = e->has_network ? e->network : NULL;

	if (e->conf->discovery.listen &&
	    (e->discovery = discovery_new(e, dir, network, autodial_heard)) ==
	    NULL)
		log_errx("discovery", "out of memory: interfaces of others "
		    "are not heard");
	if (e->discovery != NULL)
		e->autodial = autodial_new(e);
	if ((e->offering = offering_new(e, network)) == NULL)
		log_errx("discovery", "out of memory: interfaces are not "
		    "announced");
}

/*
 * In the order that reticulum-transport.md 12.1 asks for: who attaches finds
 * everything there.
 */
static void
engine_start(struct engine *e)
{
	struct process *p = &e->program;
	int dir = settings_take(p, SET_DIR_STORAGE, ""), fd;

	if (dir >= 0) /* the next warrend waits until it goes (dirs_make()) */
		(void)!flock(dir, LOCK_EX | LOCK_NB);
	config_load(e);
	identity_load(e, dir);
	network_load(e);
	hub_load(e);
	if (core_new(e) < 0)
		fatalx("the core cannot be made: memory");
	airtime_load(e);
	kinds_create_all(e);
	if ((e->holes = holes_new(e)) == NULL)
		fatal("blackhole");
	if (dir >= 0) {
		if ((e->store = store_new(e, dir)) == NULL)
			fatal("the storage folder cannot be used");
		store_load(e->store);
	}
	if ((e->manage = manage_new(e)) == NULL ||
	    (e->fetch = fetch_new(e)) == NULL ||
	    (e->errands = errands_new(e)) == NULL)
		fatalx("the destinations of the daemon cannot be made");
	discovery_start(e, dir);
	if ((fd = settings_take(p, SET_LISTEN_DATA, "")) >= 0 &&
	    local_listen(e, fd) < 0)
		fatalx("the shared instance cannot be served");
	if ((fd = settings_take(p, SET_LISTEN_RPC, "")) >= 0 &&
	    (e->rpc = rpc_new(e, fd)) == NULL)
		fatal("rpc");
	if (p->params.compute && (e->bridge = bridge_new(e)) == NULL)
		fatalx("klp.node cannot be made");
	if (e->bridge != NULL)
		mail_load(e);
	if ((fd = settings_take(p, SET_LISTEN_MESH, "")) >= 0 &&
	    (e->mesh_sock = control_new(e, fd)) == NULL)
		fatal("mesh.sock");
	if ((fd = settings_take(p, SET_LISTEN_METRICS, "")) >= 0 &&
	    (e->metrics = metrics_new(e, fd)) == NULL)
		fatal("metrics");
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
	asksock_free(e->metrics);
	reload_clear(e);
	measure_clear(&e->measure);
	rpc_free(e->rpc);
	mailroom_free(e->mailroom);
	bridge_free(e->bridge);
	fetch_free(e->fetch);
	errands_free(e->errands);
	manage_free(e->manage);
	/* children before their listener */
	while ((n = TAILQ_LAST(&e->ifs, nif_list)) != NULL)
		nif_free(n);
	offering_free(e->offering);
	discovery_free(e->discovery);
	autodial_free(e->autodial);
	store_free(e->store);
	holes_free(e->holes);
	air_clear(e);
	rns_free(e->rns);
	if (e->ifconf != e->conf)
		rnsconf_free(e->ifconf);
	rnsconf_free(e->conf);
	program_detach(&e->program);
	explicit_bzero(e->identity, sizeof(e->identity));
	explicit_bzero(e->network, sizeof(e->network));
}

/* ---- the others ---- */

static void
on_up(void *ctx, enum program who)
{
	struct engine *e = ctx;

	if (who == PROGRAM_NODE && e->bridge != NULL)
		bridge_node_up(e->bridge);
	if (who == PROGRAM_NODE && e->mailroom != NULL)
		mailroom_node(e->mailroom);
}

static void
on_down(void *ctx, enum program who, int error)
{
	struct engine *e = ctx;

	(void)error;
	if (who == PROGRAM_NODE && e->bridge != NULL)
		bridge_node_down(e->bridge);
	if (who == PROGRAM_NODE)
		measure_node_gone(&e->measure);
	errands_gone(e->errands, who);
}

#define IPC_ME TRANSPORT
#define IPC_CTX struct engine
#include "common/ipc_dispatch.h"

static void
on_PROGRAM(struct engine *e, const struct msg_PROGRAM *m, struct ipc_in *in)
{
	if (m->program >= PROGRAM_COUNT)
		program_malformed(&e->program, in);
	else
		e->programs[m->program] = (struct prog_state){true, m->running,
		    m->restarts, m->pid};
}

static void
on_RELOAD_SAID(struct engine *e, const struct msg_RELOAD_SAID *m,
    struct ipc_in *in)
{
	(void)in;
	reload_said(e, m);
}

static void
on_RELOAD_END(struct engine *e, const struct msg_RELOAD_END *m,
    struct ipc_in *in)
{
	(void)in;
	if (!reload_end(e, m))
		return;
	rpc_config_read(e->rpc);
	if (!reload_again(e))
		rpc_config_read(e->rpc);
}

static void
on_SAID(struct engine *e, const struct msg_SAID *m, struct ipc_in *in)
{
	(void)in;
	if (e->offering != NULL)
		offering_said(e->offering, m);
}

static void
on_MEMORY(struct engine *e, const struct msg_MEMORY *m, struct ipc_in *in)
{
	if (m->program > PROGRAM_COUNT)
		program_malformed(&e->program, in);
	else
		measure_memory(&e->measure, m);
}

static void
on_N_NUMBER(struct engine *e, const struct msg_N_NUMBER *m, struct ipc_in *in)
{
	if (m->family >= NUMBER_FAMILIES)
		program_malformed(&e->program, in);
	else
		measure_number(&e->measure, m);
}

static void
on_PROMPTED(struct engine *e, const struct msg_PROMPTED *m, struct ipc_in *in)
{
	(void)in;
	realtime_answer(e, m->error);
}

/* From within the loop: that it comes here is the answer. */
static void
on_ALIVE(struct engine *e, const struct msg_ALIVE *m, struct ipc_in *in)
{
	struct msg_ALIVE_STILL still = {.seq = m->seq};
	struct ipc *parent = engine_ipc(e, PROGRAM_PARENT);

	(void)in;
	if (parent != NULL &&
	    ipc_send_ALIVE_STILL(parent, &still, NULL, 0) < 0)
		engine_send_failed(PROGRAM_PARENT);
}

static void
on_OPENED(struct engine *e, const struct msg_OPENED *m, struct ipc_in *in)
{
	nif_opened(e, m, ipc_in_take(in, 0), ipc_in_take(in, 1));
}

static void
on_DEVICE(struct engine *e, const struct msg_DEVICE *m, struct ipc_in *in)
{
	const int fd[] = {ipc_in_take(in, 0), ipc_in_take(in, 1),
	    ipc_in_take(in, 2)};

	auto_device(e, m, fd);
}

static void
on_B_SIGN(struct engine *e, const struct msg_B_SIGN *m, struct ipc_in *in)
{
	(void)in;
	binding_sign(e, m);
}

static void
on_M_ASK(struct engine *e, const struct msg_M_ASK *m, struct ipc_in *in)
{
	errands_ask(e->errands, in->from, m, in);
}

static void
on_N_REPLY(struct engine *e, const struct msg_N_REPLY *m, struct ipc_in *in)
{
	if (e->bridge != NULL)
		bridge_reply(e->bridge, m, in);
}

static void
on_N_ALERT_TAKEN(struct engine *e, const struct msg_N_ALERT_TAKEN *m,
    struct ipc_in *in)
{
	(void)in;
	if (e->bridge != NULL)
		bridge_alert_taken(e->bridge, m);
}

static void
on_N_MAIL_TAKEN(struct engine *e, const struct msg_N_MAIL_TAKEN *m,
    struct ipc_in *in)
{
	(void)in;
	mailroom_taken(e, m);
}

static void
on_N_MAIL(struct engine *e, const struct msg_N_MAIL *m, struct ipc_in *in)
{
	mailroom_send(e, m, in);
}

static void
on_N_FOLLOW(struct engine *e, const struct msg_N_FOLLOW *m, struct ipc_in *in)
{
	if (e->bridge != NULL)
		bridge_follow(e->bridge, m, in);
}

static void
on_N_CLOSE(struct engine *e, const struct msg_N_CLOSE *m, struct ipc_in *in)
{
	(void)in;
	if (e->bridge != NULL)
		bridge_end(e->bridge, m);
}

static void
on_N_APP_DATA(struct engine *e, const struct msg_N_APP_DATA *m,
    struct ipc_in *in)
{
	(void)in;
	if (e->bridge != NULL)
		bridge_app_data(e->bridge, m);
}

static void
on_N_BLACKHOLE(struct engine *e, const struct msg_N_BLACKHOLE *m,
    struct ipc_in *in)
{
	(void)in;
	if (e->bridge != NULL)
		bridge_blackhole(e->bridge, m);
}

static void
on_N_HOLD(struct engine *e, const struct msg_N_HOLD *m, struct ipc_in *in)
{
	(void)in;
	if (e->bridge != NULL)
		bridge_hold(e->bridge, m);
}

static void
airtime_changed(struct engine *e, int fd)
{
	size_t len = 0;
	const uint8_t *text = memfd_map(fd, &len, AIRSET_BYTES);

	if (text != NULL || len == 0)
		air_settings(e, (const char *)text, len);
	if (text != NULL)
		memfd_unmap(text, len);
}

static void
mail_changed(struct engine *e, int fd)
{
	size_t len = 0;
	const uint8_t *text = memfd_map(fd, &len, LXMFSET_BYTES);

	mailroom_set(e, (const char *)text, text == NULL ? 0 : len);
	if (text != NULL)
		memfd_unmap(text, len);
}

/* config was changed, and the parent has found it good. */
static void
on_setting(void *ctx, enum setting what, int fd)
{
	struct engine *e = ctx;
	struct rnsconf *c = NULL;
	const uint8_t *text;
	size_t len = 0;

	if (what == SET_AIRTIME)
		airtime_changed(e, fd);
	if (what == SET_LXMF && e->bridge != NULL && !e->stopping)
		mail_changed(e, fd);
	if (what == SET_HUB_PEER &&
	    (text = memfd_map(fd, &len, 64)) != NULL) {
		hub_set(e, (const char *)text, len);
		memfd_unmap(text, len);
	}
	if (what != SET_RNS_INTERFACES || e->stopping)
		return;
	e->generation++;
	if ((text = memfd_map(fd, &len, CONF_TEXT_MAX)) != NULL) {
		c = config_parse((const char *)text, len);
		memfd_unmap(text, len);
	}
	/* then the two disagree, and a new start of ours mends it */
	if (c == NULL)
		fatalx("the parent's configuration cannot be used");
	kinds_reload(e, c);
}

static const struct program_ops ops = {.setting = on_setting, .message = ipc_dispatch, .up = on_up,
    .down = on_down, .stop = engine_stop, .gone = engine_stop};

/* Who waits for numbers of the other programs is answered. */
static void
measured(struct engine *e)
{
	metrics_measured(e);
	rpc_measured(e->rpc);
}

static void
loop_init(struct engine *e)
{
	/* the environment is empty: nothing from outside picks a backend */
	if ((e->loop = ev_default_loop(EVFLAG_NOENV)) == NULL)
		fatalx("no event loop");
	door_init(e);
	turn_init(e);
	measure_init(&e->measure, e, measured);
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

/* Those of the configuration that can come up. */
static unsigned
lasting(const struct engine *e)
{
	const struct nif *n;
	unsigned count = 0;

	TAILQ_FOREACH(n, &e->ifs, link)
		count += nif_lasting(n);
	return count;
}

/*
 * Blocks from here on go back when they are freed. The allocator's own mark
 * rises with what was freed, until a burst's stay for ever in the heap.
 */
#define LARGE_BLOCK (128 << 10)

int
main(int argc, char **argv)
{
	static struct engine e;

#ifdef M_MMAP_THRESHOLD
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
#endif
	TAILQ_INIT(&e.ifs);
	TAILQ_INIT(&e.dirty);
	e.started = e.now = clock_mono();
	if (sodium_init() < 0) /* before the filter: it opens its source */
		fatalx("libsodium does not start");
	descriptors_raise();
	realtime_limit(&e);
	program_start(&e.program, PROGRAM_TRANSPORT, argc, argv, NULL, NULL);
	loop_init(&e);
	engine_start(&e);
	if (program_attach(&e.program, e.loop, &ops, &e) < 0)
		fatal("parent");
	nif_start_all(&e);
	if (e.program.params.compute) /* else nobody burns the machine */
		realtime_start(&e);
	if (program_ready(&e.program) < 0)
		fatal("parent");
	log_notice(NULL, "ready: transport=%s interfaces=%u",
	    e.conf->enable_transport ? "yes" : "no", lasting(&e));
	(void)ev_run(e.loop, 0);
	engine_clear(&e);
	log_notice(NULL, "ended");
	return 0;
}
