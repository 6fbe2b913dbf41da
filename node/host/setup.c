/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common/layers.h"
#include "common/log.h"
#include "node/host/blobs.h"
#include "node/work/reload.h"
#include "sandbox/plan/wasm.h"

_Static_assert(CONF_MODULE_USUAL == WASM_MODULE_USUAL &&
    CONF_MODULE_MAX == WASM_MODULE_MAX, "what is said of modules");

/*
 * From what the parent sent to what decisions need. The parent has read and
 * checked the same texts, so what does not parse here is a defect.
 */
#define TEXT_MAX (512u * 1024)

static void
complain(const struct mistakes *m, const char *file)
{
	char line[512];

	for (unsigned i = 0; i < m->n; i++) {
		mistake_line(line, sizeof(line), file, &m->v[i]);
		log_errx(NULL, "%s", line);
	}
	fatalx("%s cannot be used: `warren check-config` names all mistakes",
	    file);
}

/* The text of node.yaml as values; NULL, and *m says why. */
static struct node_config *
config_of(const char *text, size_t len, struct mistakes *m)
{
	struct node_config *c;

	return node_config_parse(&c, text, len, m) == 0 ? c : NULL;
}

static void
read_config(struct warren_node *wn)
{
	struct mistakes m = {0};
	size_t len = 0;
	char *text = settings_text(&wn->prog, SET_NODE_YAML, "", TEXT_MAX,
	    &len);

	if (text == NULL)
		fatal("node.yaml did not come");
	if ((wn->conf = config_of(text, len, &m)) == NULL)
		complain(&m, "node.yaml");
	free(text);
}

/*
 * The one that the parent chose; its name may not be that of node.yaml, when
 * another one waits for a start. NULL: *m says why.
 */
static struct profile *
profile_of(struct warren_node *wn, struct mistakes *m)
{
	ssize_t i = settings_next(&wn->prog, SET_PROFILE, 0);
	char name[PROFILE_NAME_MAX + 1], *text;
	struct profile *p = NULL;
	size_t len = 0;

	if (i < 0)
		return NULL;
	(void)snprintf(name, sizeof(name), "%.*s", PROFILE_NAME_MAX,
	    wn->prog.settings[i].name);
	text = settings_text(&wn->prog, SET_PROFILE, name, TEXT_MAX, &len);
	if (text == NULL || profile_parse(&p, text, len, m) != 0)
		p = NULL;
	else
		memcpy(wn->profile_name, name, sizeof(name));
	free(text);
	return p;
}

static void
read_profile(struct warren_node *wn)
{
	struct mistakes m = {0};

	if ((wn->profile = profile_of(wn, &m)) == NULL)
		complain(&m, "the container profile");
}

static void
read_seccomp(struct warren_node *wn)
{
	ssize_t i = -1;

	for (unsigned k = 0; k < wn->nseccomp; k++)
		free(wn->seccomp[k].text);
	wn->nseccomp = 0;
	while ((i = settings_next(&wn->prog, SET_SECCOMP, (size_t)(i + 1))) >=
	    0) {
		struct seccomp_text *t = &wn->seccomp[wn->nseccomp];
		const char *name = wn->prog.settings[i].name;

		if (wn->nseccomp == HOST_SECCOMP_MAX) {
			log_warnx("profiles/seccomp", "more than %d, the rest is left out",
			    HOST_SECCOMP_MAX);
			break;
		}
		(void)snprintf(t->name, sizeof(t->name), "%.*s",
		    PROFILE_NAME_MAX, name);
		t->text = settings_text(&wn->prog, SET_SECCOMP, name, TEXT_MAX,
		    &t->len);
		if (t->text != NULL)
			wn->nseccomp++;
	}
}

/*
 * What `trust` says to node: the floor, when a proof is asked for, and the pins
 * that take something away, which node applies itself.
 */
static void
take_trust(struct policy *p, const struct node_config *c)
{
	static const enum proof_policy live[] = {
	    [LIVE_ABOVE_2] = PROOF_ABOVE_2, [LIVE_ALWAYS] = PROOF_ALWAYS,
	    [LIVE_NEVER] = PROOF_NEVER};
	struct policy_pin *pins = calloc(c->npins + 1, sizeof(*pins));

	if (pins == NULL)
		fatal("out of memory");
	p->floor = node_config_floor(c);
	p->live = live[c->require_live_secp];
	p->npins = 0;
	for (size_t i = 0; i < c->npins; i++) {
		struct policy_pin *pin = &pins[p->npins];

		if (c->pins[i].level >= 0)
			continue;
		pin->by_rns = c->pins[i].is_rns;
		pin->id = c->pins[i].id;
		pin->level = c->pins[i].level;
		p->npins++;
	}
	p->pins = pins;
}

static void
take_boards(struct warren_node *wn, struct policy *p)
{
	const struct node_config *c = wn->conf;
	const char **boards = calloc(c->nboards + 1, sizeof(*boards));

	if (boards == NULL)
		fatal("out of memory");
	for (size_t i = 0; i < c->nboards; i++)
		boards[i] = c->boards[i].text;
	p->boards = boards;
	p->nboards = (unsigned)c->nboards;
}

static void
take_ceilings(struct warren_node *wn, struct policy *p)
{
	const struct msg_JAIL_LIMITS *l = &wn->prog.limits;
	const struct node_config *c = wn->conf;

	if (!wn->prog.have_limits)
		fatalx("JAIL_LIMITS did not come");
	/* the parent has filled in what depends on the machine */
	p->jobs_running = l->slots;
	p->required = l->required | LAYERS_FLOOR;
	p->ceiling = (struct limits){{[LIMIT_MEMORY] = l->memory,
	    [LIMIT_CPU] = l->cpu_milli, [LIMIT_TIME] = l->time_ms,
	    [LIMIT_PIDS] = l->pids, [LIMIT_OUTPUT] = l->output,
	    [LIMIT_IO_READ] = c->io_read, [LIMIT_IO_WRITE] = c->io_write}};
	p->spool = c->spool;
	p->profile_volumes = (unsigned)wn->profile->nvolumes;
	p->anchor = wn->profile->anchor;
	p->anchor_logs = wn->profile->anchor_logs;
	p->image_policy = c->attest.serial;
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		for (unsigned k = 0; k < 3; k++)
			p->level[k + 1].v[i] = c->levels[k][i];
		p->profile.v[i] = wn->profile->limit[i];
	}
}

/* All that the files say, with this machine as it was at the start. */
static void
fill_policy(struct warren_node *wn, struct policy *p)
{
	const struct node_config *c = wn->conf;

	p->accept = c->accept;
	if (c->has_identity)
		key_fp(&p->fp, &c->identity);
	(void)snprintf(p->name, sizeof(p->name), "%s", c->name);
	(void)snprintf(p->profile_name, sizeof(p->profile_name), "%s",
	    wn->profile_name);
	p->bytes_per_minute = c->data_limit_per_minute;
	p->requests_per_minute = c->requests_per_minute;
	p->jobs_queued = c->jobs_queued;
	p->jobs_per_hour = c->jobs_per_hour;
	p->cpu_seconds_per_day = c->cpu_seconds_per_day;
	p->peer_spool = c->quota_spool;
	p->module_bytes = c->wasm_module;
	p->max_airtime_s = (uint32_t)MIN_OF(c->max_airtime_ms / 1000,
	    (uint64_t)UINT32_MAX);
	p->announce_every_s = (uint32_t)(c->announce_every_ms / 1000);
	p->keep_results_s = (uint32_t)MIN_OF(c->keep_results_ms / 1000,
	    (uint64_t)UINT32_MAX / 4);
	p->keep_warm_s = (uint32_t)(c->keep_warm_ms / 1000);
	p->when = c->when;
	p->forensics = c->forensics;
	p->image_serve = c->handout.on;
	p->image_level = (int)c->handout.level;
	p->image_bytes_per_day = c->handout.per_day;
	p->mail = c->lxmf.on;
	p->mail_cost = c->lxmf.cost;
	p->watchdog_required = c->watchdog.run != WATCHDOG_OFF &&
	    c->watchdog.required;
	take_trust(p, c);
	take_boards(wn, p);
	p->hub = c->hub.accept;
	p->nhub = c->hub.naccept;
	take_ceilings(wn, p);
}

void
setup_policy(struct warren_node *wn, struct policy *p, unsigned cpus)
{
	struct sysinfo si = {0};

	read_config(wn);
	read_profile(wn);
	read_seccomp(wn);
	(void)sysinfo(&si);
	policy_init(p, cpus, (uint64_t)si.totalram * si.mem_unit);
	log_debug(NULL, "this machine: %u processors, %llu MiB", cpus,
	    (unsigned long long)p->machine_memory >> 20);
	fill_policy(wn, p);
}

/* The parent has checked the same texts: what does not parse is a defect. */
void
setup_again(struct warren_node *wn, int fd)
{
	struct policy p = wn->node.policy;
	const struct policy_pin *pins = p.pins;
	const char *const *boards = p.boards;
	struct node_config *c = NULL;
	struct profile *profile = NULL;
	struct mistakes m = {0};
	struct blobs_limits bl;
	size_t len = 0;
	const uint8_t *text = memfd_map(fd, &len, TEXT_MAX);

	if (text != NULL)
		c = config_of((const char *)text, len, &m);
	memfd_unmap(text, len);
	if (c == NULL || (profile = profile_of(wn, &m)) == NULL) {
		log_errx("node.yaml", "has mistakes and is not taken, the old one "
		    "holds: `warren check-config` names them");
		node_config_free(c);
		return;
	}
	node_config_free(wn->conf);
	profile_free(wn->profile);
	wn->conf = c;
	wn->profile = profile;
	read_seccomp(wn);
	fill_policy(wn, &p);
	node_reload(&wn->node, &p);
	node_verdicts_void(&wn->node);
	free((void *)(uintptr_t)pins);
	free((void *)(uintptr_t)boards);
	bl = (struct blobs_limits){p.spool, p.peer_spool};
	blobs_limit(wn->blobs, &bl);
}
