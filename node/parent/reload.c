/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/reload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/runner.h"
#include "node/check/check.h"
#include "node/config/nodediff.h"
#include "node/parent/child.h"
#include "node/parent/dial.h"
#include "node/parent/dirs.h"
#include "node/parent/groups.h"
#include "node/parent/parent.h"
#include "node/parent/policy.h"
#include "node/parent/tell.h"
#include "node/parent/settings.h"
#include "node/parent/watchdog.h"
#include "transport/config/rnsdiff.h"

#define ASKED_EACH_US 200000 /* ours: whoever asks, not more often */

static void say(struct parent *, enum reload_said, const char *file,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* To the log, and to who asked. */
static void
say(struct parent *p, enum reload_said kind, const char *file,
    const char *fmt, ...)
{
	struct child *t = &p->child[PROGRAM_TRANSPORT];
	struct msg_RELOAD_SAID m = {.seq = p->reload_seq,
	    .kind = (uint8_t)kind};
	char text[900];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_at(kind == RELOAD_MISTAKE ? LOG_ERR : kind == RELOAD_CHANGED ?
		LOG_NOTICE : LOG_WARN, *file == '\0' ? NULL : file, "%s",
	    text);
	if (p->reload_seq == 0 || t->ev == NULL)
		return;
	(void)snprintf(m.text, sizeof(m.text), "%.80s%s%s", file,
	    *file == '\0' ? "" : ": ", text);
	if (ipc_send_RELOAD_SAID(ipc_ev_channel(t->ev), &m, NULL, 0) < 0)
		log_debug("transport", "not told what was said");
}

static void
found(void *ctx, bool note, const char *file, const struct mistake *m)
{
	struct parent *p = ctx;
	char line[800];

	check_line(line, sizeof(line), p->path, note, file, m);
	say(p, note ? RELOAD_NOTE : RELOAD_MISTAKE, "", "%s", line);
}

/* ---- what is other ---- */

/* Of the text that is there now; free it. */
struct files {
	char *rns_text, *node_text;
	size_t rns_len, node_len;
	struct rnsconf *rns;
	struct node_config *node;
};

static void
files_free(struct files *f)
{
	free(f->rns_text);
	free(f->node_text);
	rnsconf_free(f->rns);
	node_config_free(f->node);
}

static bool
files_read(struct parent *p, struct files *f)
{
	struct mistakes m = {0};
	struct sysinfo si;

	f->rns_text = dirs_read(p, p->dir, "config", CONF_TEXT_MAX,
	    &f->rns_len);
	f->node_text = dirs_read(p, p->dir, "node.yaml", YDOC_BYTES_MAX,
	    &f->node_len);
	if (f->rns_text == NULL || (f->node_text == NULL && errno != ENOENT))
		return false;
	if (f->node_text == NULL)
		f->node_len = 0;
	/* what has come into it since it was checked is refused as well */
	if (rnsconf_parse(&f->rns, f->rns_text, f->rns_len, &m) < 0 ||
	    mistakes_count(&m) > 0 ||
	    node_config_parse(&f->node, f->node_text != NULL ? f->node_text :
		"", f->node_len, &m) < 0)
		return false;
	if (sysinfo(&si) == 0)
		node_config_fit(f->node,
		    (unsigned)sysconf(_SC_NPROCESSORS_ONLN),
		    (uint64_t)si.totalram * si.mem_unit);
	return true;
}

static bool
same_dir(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Why a key waits for the next start; NULL: it does not. */
static const char *
waits(const struct parent *p, const struct node_config *now, const char *key)
{
	if (strcmp(key, "accept_computation_requests") == 0 && !p->compute)
		return "the programs of a compute node are started with it";
	if (strcmp(key, "metrics") == 0 || strcmp(key, "metrics_group") == 0)
		return "its listener is opened at the start";
	if (strcmp(key, "airtime") == 0)
		return NULL;
	if (!p->compute)
		return "nothing is computed here";
	if (strcmp(key, "hub") == 0 && !same_dir(p->node->hub.dir,
		now->hub.dir))
		return "hub.dir is opened at the start, the rest is in effect";
	if (strcmp(key, "limits.jobs_running") == 0 &&
	    now->jobs_running > p->slots)
		return "jail makes its slots when it starts";
	if (strcmp(key, "runner") == 0 || strcmp(key, "runner_path") == 0)
		return "what contains jobs is opened when warrend starts";
	if (strcmp(key, "probes") == 0)
		return "audit loads its probes when it starts";
	if (strcmp(key, "wasm_engine") == 0)
		return "jail takes the runner of modules when it starts";
	return NULL;
}

static bool
same_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static void
other_interface(void *ctx, enum rnsdiff what, struct rnsconf_if *was,
    struct rnsconf_if *now)
{
	static const char *const words[] = {[RNSDIFF_ADDED] = "is there now",
	    [RNSDIFF_REMOVED] = "is closed: config has it no more, or off",
	    [RNSDIFF_CHANGED] = "has changed and was opened anew"};

	if (what != RNSDIFF_SAME)
		say(ctx, RELOAD_CHANGED, "config", "interface \"%.100s\" %s",
		    (was != NULL ? was : now)->name, words[what]);
}

static void
other_key(void *ctx, const char *key)
{
	say(ctx, RELOAD_WAITS, "config", "%.100s of [reticulum] takes effect "
	    "at the next start: what it sets is made then", key);
}

/*
 * Interfaces that are other, at once: links through those that are not go on.
 * The rest of config but loglevel waits, and is said again until then.
 */
static bool
take_rns(struct parent *p, struct files *f)
{
	struct rnsconf *was = p->ifs;
	char *text = p->rns_text;

	if (!same_text(f->rns_text, f->rns_len, p->rns_text, p->rns_len)) {
		if (settings_interfaces(p, f->rns_text, f->rns_len) < 0)
			return false;
		p->ifs = f->rns;
		p->rns_text = f->rns_text;
		p->rns_len = f->rns_len;
		f->rns = was != p->rns ? was : NULL;
		f->rns_text = text;
		groups_need(p);
		dial_reload(p, was);
		rnsconf_diff(was, p->ifs, other_interface, p);
	}
	rnsconf_diff_keys(p->rns, p->ifs, other_key, p);
	return true;
}

static void
take_level(struct parent *p)
{
	int was = log_get_level();

	log_set_level(settings_level(p, p->ifs));
	log_notice(NULL, "configuration read again: loglevel=%d",
	    p->ifs->loglevel);
	if (log_get_level() != was)
		say(p, RELOAD_CHANGED, "config", "loglevel is in effect");
}

struct difference {
	struct parent *p;
	const struct node_config *now;
};

static void
different(void *ctx, const char *key)
{
	struct difference *d = ctx;
	const char *why = waits(d->p, d->now, key);

	if (why == NULL)
		say(d->p, RELOAD_CHANGED, "node.yaml", "%s is in effect", key);
	else
		say(d->p, RELOAD_WAITS, "node.yaml", "%s takes effect at the "
		    "next start: %s", key, why);
}

/* What receipts and jobs are bound to cannot change under them. */
static bool
same_key(const struct parent *p, const struct node_config *now)
{
	return !p->compute || (now->has_identity == p->node->has_identity &&
	    now->identity.len == p->node->identity.len &&
	    memcmp(now->identity.raw, p->node->identity.raw,
		now->identity.len) == 0);
}

/* ---- taken over ---- */

static void
take_node(struct parent *p, struct files *f)
{
	struct difference d = {p, f->node};
	struct node_config *was = p->node;
	struct child *t = &p->child[PROGRAM_TRANSPORT];
	char *text = p->node_text;
	int r;

	node_config_diff(was, f->node, different, &d);
	p->node = f->node;
	p->node_text = f->node_text;
	p->node_len = f->node_len;
	f->node = was;
	f->node_text = text;
	if (t->ev != NULL && settings_airtime(p, ipc_ev_channel(t->ev)) < 0)
		say(p, RELOAD_MISTAKE, "node.yaml", "transport could not be "
		    "told of airtime: start the node anew");
	if (t->ev != NULL && settings_lxmf(p, ipc_ev_channel(t->ev)) < 0)
		say(p, RELOAD_MISTAKE, "node.yaml", "transport could not be "
		    "told of lxmf: start the node anew");
	if (!p->compute)
		return;
	r = settings_reload(p);
	child_want(&p->child[PROGRAM_EGRESS], p->web);
	watchdog_reload(p);
	policy_again(p);
	if (r < 0) {
		say(p, RELOAD_MISTAKE, "node.yaml", "not every program could "
		    "be told: start the node anew");
		return;
	}
	if (p->profile_waits)
		say(p, RELOAD_WAITS, "profiles", "the container profile takes "
		    "effect at the next start: folders of its volumes are "
		    "opened and handed to jail when that starts");
	else if (p->profile_changed)
		say(p, RELOAD_CHANGED, "profiles", "the container profile is "
		    "in effect for the next jobs");
	if (settings_runner(p) != p->runner)
		say(p, RELOAD_WAITS, "node.yaml", "jobs are contained by %s "
		    "until the next start", runner_name(p->runner));
	if (p->seccomp_changed)
		say(p, RELOAD_CHANGED, "profiles/seccomp", "seccomp profiles "
		    "are in effect for the next jobs");
	if (p->rules_changed)
		say(p, RELOAD_CHANGED, "rules.yaml", "rules over what jobs do "
		    "are in effect");
	groups_limits(p);
	settings_facts(p);
}

bool
reload(struct parent *p)
{
	struct files f = {0};
	bool ok = false;

	notify_reloading(p);
	child_look_again(p);
	if (check_config(p->path, p->root, NULL, found, p) > 0) {
		say(p, RELOAD_MISTAKE, "", "the files have mistakes: "
		    "nothing was changed");
	} else if (!files_read(p, &f)) {
		say(p, RELOAD_MISTAKE, "", "the files cannot be read: "
		    "nothing was changed");
	} else if (!same_key(p, f.node)) {
		say(p, RELOAD_MISTAKE, "node.yaml", "mesh_identity is another "
		    "one, which needs a start: jobs that are here and their "
		    "receipts are bound to it; nothing was changed");
	} else if (!take_rns(p, &f)) {
		say(p, RELOAD_MISTAKE, "config", "transport could not be told "
		    "of it: nothing was changed, try again");
	} else {
		ok = true;
		take_level(p);
		settings_params(p);
		take_node(p, &f);
		parent_event(p, EVK_CONFIG, 1, "", "configuration read again");
	}
	files_free(&f);
	notify_reloaded(p);
	return ok;
}

static void
answer(struct parent *p)
{
	struct msg_RELOAD_END end = {.seq = p->reload_next};
	struct child *t = &p->child[PROGRAM_TRANSPORT];

	p->reload_seq = p->reload_next;
	if (!p->stopping)
		end.ok = reload(p);
	else
		say(p, RELOAD_MISTAKE, "", "the daemon is stopping: nothing "
		    "was changed");
	p->reload_at = clock_mono().us + ASKED_EACH_US;
	p->reload_seq = 0;
	if (t->ev != NULL)
		(void)ipc_send_RELOAD_END(ipc_ev_channel(t->ev), &end, NULL, 0);
}

static void
on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	answer(w->data);
}

/* Who asks too soon after another waits for his turn: his files may be newer. */
void
reload_asked(struct parent *p, const struct msg_RELOAD *m)
{
	int64_t wait = p->reload_at - clock_mono().us;

	p->reload_next = m->seq;
	if (ev_is_active(&p->reload_turn))
		return;
	if (wait <= 0) {
		answer(p);
		return;
	}
	ev_timer_init(&p->reload_turn, on_turn, (double)wait / 1e6, 0.);
	p->reload_turn.data = p;
	ev_timer_start(p->loop, &p->reload_turn);
}
