/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/rules.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/layers.h"
#include "common/runner.h"
#include "common/util.h"
#include "node/check/seccomp_dir.h"
#include "node/parent/dirs.h"
#include "node/parent/hubfiles.h"
#include "node/parent/intact.h"
#include "node/parent/keyfiles.h"
#include "node/parent/parent.h"
#include "node/parent/wasmfiles.h"
#include "node/parent/web.h"
#include "transport/lxmf/lxmfset.h"
#include "transport/modem/airset.h"

/* ---- what the operator's files say, as descriptors that are handed on ---- */

static int
keep_seccomp(struct parent *p, const char *name, int at, const char *file)
{
	struct named_fd *n = &p->seccomp[p->nseccomp];
	size_t len;
	_cleanup_free_ char *text = NULL;

	for (unsigned i = 0; i < p->nseccomp; i++)
		if (strcmp(p->seccomp[i].name, name) == 0)
			return 0; /* the operator's comes before ours */
	if (p->nseccomp == NELEM(p->seccomp) ||
	    strlen(name) >= sizeof(n->name))
		return 0;
	text = dirs_read(p, at, file, SECCOMP_BYTES_MAX, &len);
	if (text == NULL)
		return -1;
	n->fd = memfd_sealed("seccomp", text, len);
	if (n->fd < 0)
		return -1;
	(void)snprintf(n->name, sizeof(n->name), "%s", name);
	p->nseccomp++;
	return 0;
}

static void
found_seccomp(void *ctx, bool own, int at, const char *file, const char *name)
{
	struct parent *p = ctx;
	unsigned n = p->nseccomp;

	if (name != NULL && keep_seccomp(p, name, at, file) < 0)
		log_warn(file, "seccomp profile");
	if (p->nseccomp > n)
		p->seccomp[n].own = own;
}

static int
volumes_open(struct parent *p)
{
	for (unsigned i = 0; i < p->profile->nvolumes; i++) {
		const char *source = p->profile->volume[i].source;

		p->volumes[i] = openat(p->dir, source,
		    O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (p->volumes[i] < 0) {
			log_err(source, "volume of the container profile");
			return -1;
		}
	}
	return 0;
}

/* The one that node.yaml names now; its memfd in *fd. 0 or -1, said. */
static int
profile_read(struct parent *p, struct profile **out, int *fd)
{
	char file[PROFILE_NAME_MAX + 32];
	struct mistakes m = {0};
	size_t len;
	char *text;
	int r;

	(void)snprintf(
	    file, sizeof(file), "profiles/%s.yaml", p->node->profile);
	text = dirs_read(p, p->dir, file, YDOC_BYTES_MAX, &len);
	if (text == NULL && errno == ENOENT &&
	    strcmp(p->node->profile, "default") == 0) {
		text = strdup(profile_default_text());
		len = text != NULL ? strlen(text) : 0;
	}
	if (text == NULL) {
		log_err(file, "container profile");
		return -1;
	}
	r = profile_parse(out, text, len, &m);
	for (unsigned i = 0; i < m.n; i++)
		log_errx(file, "%u:%u: %s", m.v[i].line, m.v[i].column,
		    m.v[i].text);
	*fd = r == 0 ? memfd_sealed("profile", text, len) : -1;
	free(text);
	return *fd < 0 ? -1 : 0;
}

static void
profile_named(struct parent *p)
{
	(void)snprintf(p->profile_name, sizeof(p->profile_name), "%s",
	    p->node->profile);
}

/* All that are there, the one that the container profile names first. */
static void
seccomp_load(struct parent *p)
{
	p->nseccomp = 0;
	/* the path of the profile, if it is there, else its name */
	if (p->profile->seccomp != NULL &&
	    strchr(p->profile->seccomp, '/') != NULL &&
	    keep_seccomp(p, "", p->dir, p->profile->seccomp) < 0 &&
	    errno != ENOENT)
		log_warn(p->profile->seccomp, "seccomp profile");
	seccomp_dir_each(p->dir, found_seccomp, p);
}

/* Of the same bytes? */
static bool
same_file(int a, int b)
{
	size_t na = 0, nb = 0;
	const uint8_t *x = memfd_map(a, &na, SECCOMP_BYTES_MAX);
	const uint8_t *y = memfd_map(b, &nb, SECCOMP_BYTES_MAX);
	bool same = na == nb && (na == 0 || (x != NULL && y != NULL &&
	    memcmp(x, y, na) == 0));

	memfd_unmap(x, na);
	memfd_unmap(y, nb);
	return same;
}

/* The operator's rules, if there are any; audit reads them. -1: said. */
static int
rules_load(struct parent *p)
{
	size_t len = 0;
	_cleanup_free_ char *text = dirs_read(p, p->dir, "rules.yaml",
	    RULES_BYTES_MAX, &len);
	int fd;

	if (text == NULL && errno != ENOENT) {
		log_err("rules.yaml", "rules over what jobs do");
		return -1;
	}
	fd = text == NULL ? -1 : memfd_sealed("rules.yaml", text, len);
	if (text != NULL && fd < 0) {
		log_err("rules.yaml", "memfd");
		return -1;
	}
	p->rules_changed = (fd < 0) != (p->fd_rules < 0) ||
	    (fd >= 0 && !same_file(fd, p->fd_rules));
	if (p->fd_rules >= 0)
		(void)close(p->fd_rules);
	p->fd_rules = fd;
	return 0;
}

unsigned
settings_runner(const struct parent *p)
{
	return p->profile->runner >= 0 ? (unsigned)p->profile->runner :
	    p->node->runner;
}

int
settings_load(struct parent *p)
{
	p->fd_config = memfd_sealed("config", p->rns_text, p->rns_len);
	p->fd_node = memfd_sealed("node.yaml",
	    p->node_text != NULL ? p->node_text : "", p->node_len);
	if (p->fd_config < 0 || p->fd_node < 0) {
		log_err(p->path, "memfd");
		return -1;
	}
	if (!p->compute)
		return 0;
	if (profile_read(p, &p->profile, &p->fd_profile) < 0 ||
	    volumes_open(p) < 0 || rules_load(p) < 0)
		return -1;
	profile_named(p);
	p->runner = settings_runner(p);
	seccomp_load(p);
	intact_authorities(p);
	return 0;
}

int
settings_level(const struct parent *p, const struct rnsconf *c)
{
	int v = c->loglevel + p->verbose;

	return v < 0 ? 0 : v > 8 ? 8 : v;
}

/* ---- the command line ---- */

static void
spawn_fd(struct spawn *s, const char *name, int fd)
{
	if (fd < 0 || s->nfds == SPAWN_FDS)
		return;
	(void)snprintf(s->fd[s->nfds].name, sizeof(s->fd[0].name), "%s", name);
	s->fd[s->nfds++].fd = fd;
}

static void spawn_word(struct spawn *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
spawn_word(struct spawn *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->word[s->nwords++], sizeof(s->word[0]), fmt, ap);
	va_end(ap);
}

static int
jobs_dir(const struct parent *p, int hierarchy)
{
	return p->groups.on[hierarchy] ? p->groups.dir[hierarchy][GROUP_JOBS]
				       : -1;
}

/* Words and directories beyond everybody's; sandbox/jail/jail.h has the jail's. */
static void
spawn_groups(struct parent *p, struct spawn *s)
{
	spawn_fd(s, "cg-jobs", jobs_dir(p, 0));
	for (unsigned c = 0; c < CG_CONTROLLERS; c++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "cg-v1:%s", cg_name(c));
		spawn_fd(s, name, jobs_dir(p, 1 + (int)c));
	}
}

static void
spawn_jail(struct parent *p, struct spawn *s)
{
	const char *gone;

	if (wasmfiles_gone(p->fd_wasm, &gone))
		log_warnx(gone, "has been replaced on the disk: no modules are "
		    "run until the next start of warrend");
	p->slots = p->node->jobs_running;
	spawn_word(s, "slots=%u", p->slots);
	spawn_fd(s, "images", p->images_dir);
	spawn_fd(s, "stage", p->stage_dir);
	spawn_fd(s, "hand", p->fd_hand);
	spawn_fd(s, "lsm", p->fd_lsm);
	spawn_fd(s, "enforce", p->fd_enforce);
	if (p->runner != RUNNER_NATIVE) {
		char name[24];

		(void)snprintf(name, sizeof(name), "tool:%s",
		    runner_name(p->runner));
		spawn_fd(s, name, p->fd_tool);
		spawn_fd(s, "inner", p->fd_inner);
	}
	for (unsigned i = 0; i < p->profile->nvolumes; i++) {
		char name[24];

		(void)snprintf(name, sizeof(name), "volume:%u", i);
		spawn_fd(s, name, p->volumes[i]);
	}
	for (unsigned i = 0; i < WASM_FILES; i++) {
		char name[48];

		(void)snprintf(name, sizeof(name), "wasm:%s", wasm_files[i]);
		spawn_fd(s, name, p->fd_wasm[i]);
	}
	spawn_groups(p, s);
	/* a daemon's jobs do not begin where we put jail (iolimit.h) */
	if (p->runner == RUNNER_DOCKER && p->groups.made)
		spawn_fd(s, "cg-v1:blkio", p->groups.io.v1_jobs);
}

void
settings_spawn(struct parent *p, enum program who, struct spawn *s)
{
	memset(s, 0, sizeof(*s));
	if (p->root)
		spawn_word(s, "base=%u", p->base);
	spawn_word(s, "level=%d", log_get_level());
	if (log_get_journal())
		spawn_word(s, "journal=1");
	switch (who) {
	case PROGRAM_TRANSPORT:
		spawn_fd(s, "storage", p->storage);
		break;
	case PROGRAM_NODE:
		spawn_fd(s, "node", p->node_dir);
		spawn_fd(s, "events", p->events_dir);
		spawn_fd(s, "images", p->images_dir);
		spawn_groups(p, s);
		break;
	case PROGRAM_TRUST:
		spawn_fd(s, "trust", p->trust_dir);
		spawn_fd(s, "klp", p->klp_dir);
		break;
	case PROGRAM_AUDIT:
		spawn_word(s, "probes=%u", p->node->probes);
		spawn_fd(s, "trail", p->trail_dir);
		spawn_fd(s, "forensics", p->forensics_dir);
		spawn_fd(s, "images", p->images_dir);
		break;
	case PROGRAM_JAIL:
		spawn_jail(p, s);
		break;
	default:
		break;
	}
}

/* ---- the first messages ---- */

static int
send_setting(struct ipc *c, enum setting what, const char *name, int fd)
{
	struct msg_SETTING m = {.what = (uint8_t)what};

	if (fd < 0)
		return 0;
	(void)snprintf(m.name, sizeof(m.name), "%s", name);
	return ipc_send_SETTING(c, &m, &fd, 1);
}

static int
send_params(struct parent *p, struct ipc *c)
{
	struct msg_PARAMS m = {
	    .loglevel = (uint8_t)log_get_level(),
	    .root = p->root,
	    .cg_v2 = p->groups.v2_layers |
		(p->groups.devices ? LAYER_DEVICES : 0) |
		(p->groups.made && p->groups.io.v2 ? LAYER_IO : 0),
	    .cg_v1 = p->groups.v1_layers |
		(p->groups.made && p->groups.io.v1_jobs >= 0 ? LAYER_IO : 0),
	    .compute = p->compute,
	};

	hex_encode(m.instance, p->identity_hash.b, 4);
	if (p->groups.made)
		(void)snprintf(m.io_disk, sizeof(m.io_disk), "%s",
		    p->groups.io.disk);
	m.identity_hash = p->identity_hash;
	memcpy(m.rns_public, p->rns_public, sizeof(m.rns_public));
	return ipc_send_PARAMS(c, &m, NULL, 0);
}

static int
send_jail_limits(struct parent *p, struct ipc *c)
{
	const struct node_config *n = p->node;
	struct msg_JAIL_LIMITS m = {
	    .required = n->require_layers,
	    .memory = n->memory,
	    .cpu_milli = n->cpu_milli,
	    .pids = 256, /* row +3 of compute.md 4, unless levels has more */
	    .time_ms = n->time_ms,
	    .output = n->output,
	    .slots = n->jobs_running,
	};

	for (size_t i = 0; i < NELEM(n->levels); i++)
		if (n->levels[i][LIMIT_PIDS] > m.pids)
			m.pids = (uint32_t)n->levels[i][LIMIT_PIDS];
	return ipc_send_JAIL_LIMITS(c, &m, NULL, 0);
}

static int
send_keys(struct parent *p, struct ipc *c)
{
	struct msg_KEY_MATERIAL m;
	int r = keyfiles_read(p, &m);

	if (r == 0)
		r = ipc_send_KEY_MATERIAL(c, &m, NULL, 0);
	explicit_bzero(&m, sizeof(m));
	return r;
}

/* The operator's files; node.yaml behind those that it names. */
static int
send_files(struct parent *p, struct ipc *c)
{
	if (send_jail_limits(p, c) < 0 ||
	    send_setting(c, SET_PROFILE, p->profile_name, p->fd_profile) < 0)
		return -1;
	for (unsigned i = 0; i < p->nseccomp; i++)
		if (send_setting(c, SET_SECCOMP, p->seccomp[i].name,
			p->seccomp[i].fd) < 0)
			return -1;
	return send_setting(c, SET_NODE_YAML, "", p->fd_node);
}

static int
send_node(struct parent *p, struct ipc *c)
{
	if (send_setting(c, SET_LISTEN_NODE, "", p->listen_node) < 0)
		return -1;
	return send_files(p, c);
}

/* How often audit looks at everything. */
static int
send_every(struct parent *p, struct ipc *c)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)(p->node->integrity_ms / 1000));
	int fd = memfd_sealed("integrity", text, (size_t)n);
	int r = fd < 0 ? -1 : send_setting(c, SET_INTEGRITY, "", fd);

	if (fd >= 0)
		(void)close(fd);
	return r;
}

int
settings_airtime(struct parent *p, struct ipc *c)
{
	_cleanup_free_ char *text = malloc(AIRSET_BYTES);
	size_t len = 0;
	int fd, r;

	for (unsigned i = 0; text != NULL && i < p->node->nair; i++) {
		const struct air_conf *a = &p->node->air[i];
		const struct airq_conf q = {.duty = a->duty,
		    .window_us = (int64_t)a->window_ms * 1000,
		    .announces = a->announces, .jobs = a->jobs};

		(void)airset_put(text, &len, a->name, &q);
	}
	if (text == NULL || (fd = memfd_sealed("airtime", text, len)) < 0)
		return -1;
	r = send_setting(c, SET_AIRTIME, "", fd);
	(void)close(fd);
	return r;
}

int
settings_lxmf(struct parent *p, struct ipc *c)
{
	const struct lxmf_conf *l = &p->node->lxmf;
	struct lxmfset s = {.nnodes = l->nnodes, .look_s = (uint32_t)(l->look_ms / 1000),
	    .announce_s = (uint32_t)(l->announce_ms / 1000),
	    .message_max = (uint32_t)l->message, .cost = l->cost};
	char text[LXMFSET_BYTES];
	size_t len = 0;
	int fd, r;

	_Static_assert(sizeof(s.nodes) == sizeof(l->nodes), "one number");
	memcpy(s.nodes, l->nodes, sizeof(s.nodes));
	(void)snprintf(s.name, sizeof(s.name), "%s", p->node->name);
	if (p->compute && l->on)
		len = lxmfset_put(text, &s);
	if ((fd = memfd_sealed("lxmf", text, len)) < 0)
		return -1;
	r = send_setting(c, SET_LXMF, "", fd);
	(void)close(fd);
	return r;
}

void
settings_facts(struct parent *p)
{
	struct child *c = &p->child[PROGRAM_NODE];
	uint64_t cpu_us, memory;
	struct msg_FACTS m;
	bool known;

	if (c->ev == NULL || !p->node->when.set)
		return;
	known = groups_jobs_use(&p->groups, &cpu_us, &memory);
	facts_measure(&p->facts, &m, p->root_dir, clock_mono().us, known,
	    cpu_us, memory);
	facts_zone(&m, clock_wall_us() / 1000000);
	if (ipc_send_FACTS(ipc_ev_channel(c->ev), &m, NULL, 0) < 0)
		log_debug("node", "not told about this machine");
}

int
settings_send(struct parent *p, enum program who, struct ipc *c)
{
	struct msg_START_DONE done = {0};
	int r = send_params(p, c);

	switch (r < 0 ? PROGRAM_PARENT : who) {
	case PROGRAM_TRANSPORT:
		p->generation = 0;
		r = send_setting(c, SET_RNS_CONFIG, "", p->fd_config);
		if (r == 0 && p->fd_network >= 0)
			r = send_setting(c, SET_NETWORK_ID, "", p->fd_network);
		if (r == 0)
			r = send_setting(c, SET_RNS_INTERFACES, "",
			    p->fd_ifs);
		if (r == 0)
			r = settings_airtime(p, c);
		if (r == 0)
			r = settings_lxmf(p, c);
		if (r == 0)
			r = send_setting(c, SET_LISTEN_DATA, "",
			    p->listen_data);
		if (r == 0)
			r = send_setting(c, SET_LISTEN_RPC, "", p->listen_rpc);
		if (r == 0)
			r = send_setting(c, SET_LISTEN_MESH, "",
			    p->listen_mesh);
		if (r == 0)
			r = hubfiles_send_transport(p, c);
		if (r == 0 && p->listen_metrics >= 0)
			r = send_setting(c, SET_LISTEN_METRICS, "",
			    p->listen_metrics);
		break;
	case PROGRAM_NODE:
		r = send_node(p, c);
		break;
	case PROGRAM_TRUST:
		r = send_setting(c, SET_NODE_YAML, "", p->fd_node);
		break;
	case PROGRAM_EGRESS:
		r = web_send(p, c);
		break;
	case PROGRAM_KEYS:
		r = send_keys(p, c);
		break;
	case PROGRAM_JAIL:
		r = send_jail_limits(p, c);
		break;
	case PROGRAM_AUDIT:
		r = send_setting(c, SET_RULES, "", p->fd_rules);
		if (r == 0)
			r = hubfiles_send_audit(p, c);
		if (r == 0)
			r = send_every(p, c);
		break;
	default:
		break;
	}
	return r < 0 ? -1 : ipc_send_START_DONE(c, &done, NULL, 0);
}

static struct ipc *
channel_to(struct parent *p, enum program who)
{
	struct child *c = &p->child[who];

	return c->ev != NULL ? ipc_ev_channel(c->ev) : NULL;
}

void
settings_params(struct parent *p)
{
	struct ipc *to;

	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		to = channel_to(p, (enum program)i);
		if (to != NULL && send_params(p, to) < 0)
			log_warn(program_name((enum program)i), "not told");
	}
}

int
settings_interfaces(struct parent *p, const char *text, size_t len)
{
	struct ipc *to = channel_to(p, PROGRAM_TRANSPORT);
	int fd = memfd_sealed("config", text, len);

	if (fd < 0) {
		log_err("config", "memfd");
		return -1;
	}
	if (to != NULL && send_setting(to, SET_RNS_INTERFACES, "", fd) < 0) {
		log_warn("transport", "was not told of other interfaces");
		(void)close(fd);
		return -1;
	}
	/* one that starts meanwhile has it from the start on */
	p->generation += to != NULL;
	if (p->fd_ifs >= 0)
		(void)close(p->fd_ifs);
	p->fd_ifs = fd;
	return 0;
}

static bool
same_volumes(const struct profile *a, const struct profile *b)
{
	if (a->nvolumes != b->nvolumes)
		return false;
	for (unsigned i = 0; i < a->nvolumes; i++) {
		if (strcmp(a->volume[i].source, b->volume[i].source) != 0 ||
		    strcmp(a->volume[i].target, b->volume[i].target) != 0 ||
		    a->volume[i].rw != b->volume[i].rw)
			return false;
	}
	return true;
}

/* Folders of volumes are jail's since it started: others wait for a start. */
static int
profile_again(struct parent *p)
{
	struct profile *now = NULL;
	int fd = -1;

	p->profile_waits = p->profile_changed = false;
	if (profile_read(p, &now, &fd) < 0)
		return -1;
	if (!same_volumes(p->profile, now)) {
		p->profile_waits = true;
		profile_free(now);
		(void)close(fd);
		return 0;
	}
	p->profile_changed = strcmp(p->profile_name, p->node->profile) != 0 ||
	    !same_file(p->fd_profile, fd);
	profile_free(p->profile);
	(void)close(p->fd_profile);
	p->profile = now;
	p->fd_profile = fd;
	profile_named(p);
	return 0;
}

static void
seccomp_again(struct parent *p)
{
	struct named_fd was[NELEM(p->seccomp)];
	unsigned n = p->nseccomp;

	memcpy(was, p->seccomp, sizeof(was));
	seccomp_load(p);
	p->seccomp_changed = n != p->nseccomp;
	for (unsigned i = 0; i < n && !p->seccomp_changed; i++)
		p->seccomp_changed = strcmp(was[i].name, p->seccomp[i].name) !=
		    0 || !same_file(was[i].fd, p->seccomp[i].fd);
	for (unsigned i = 0; i < n; i++)
		(void)close(was[i].fd);
}

/* An empty file is no rules of the operator's: he has taken it away. */
static int
send_rules(struct parent *p, struct ipc *c)
{
	int fd, r;

	if (p->fd_rules >= 0)
		return send_setting(c, SET_RULES, "", p->fd_rules);
	if ((fd = memfd_sealed("rules.yaml", "", 0)) < 0)
		return -1;
	r = send_setting(c, SET_RULES, "", fd);
	(void)close(fd);
	return r;
}

int
settings_reload(struct parent *p)
{
	struct ipc *jail = channel_to(p, PROGRAM_JAIL);
	struct ipc *trust = channel_to(p, PROGRAM_TRUST);
	struct ipc *node = channel_to(p, PROGRAM_NODE);
	struct ipc *audit = channel_to(p, PROGRAM_AUDIT);
	struct ipc *mesh = channel_to(p, PROGRAM_TRANSPORT);
	int fd = memfd_sealed("node.yaml",
	    p->node_text != NULL ? p->node_text : "", p->node_len);
	int r = 0;

	if (fd < 0) {
		log_err("node.yaml", "memfd");
		return -1;
	}
	(void)close(p->fd_node);
	p->fd_node = fd;
	if (profile_again(p) < 0)
		return -1;
	seccomp_again(p);
	if (rules_load(p) < 0)
		return -1;
	intact_authorities(p);
	/* ceilings before the jobs that use them, hosts and hub before who asks */
	if (web_reload(p) < 0 || (jail != NULL && send_jail_limits(p, jail) < 0) ||
	    (trust != NULL && send_setting(trust, SET_NODE_YAML, "",
		p->fd_node) < 0) ||
	    (node != NULL && send_files(p, node) < 0) ||
	    (mesh != NULL && hubfiles_send_transport(p, mesh) < 0) ||
	    (audit != NULL && (send_rules(p, audit) < 0 ||
		hubfiles_send_audit(p, audit) < 0 ||
		send_every(p, audit) < 0))) {
		log_warn("node.yaml", "not every program was told");
		r = -1;
	}
	return r;
}
