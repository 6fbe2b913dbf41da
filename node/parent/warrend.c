/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/parent.h"
#include "node/parent/policy.h"
#include "node/parent/tell.h"

#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common/where.h"
#include "node/check/check.h"
#include "node/parent/child.h"
#include "node/parent/dirs.h"
#include "node/parent/groups.h"
#include "node/parent/intact.h"
#include "node/parent/keyfiles.h"
#include "node/parent/listen.h"
#include "node/parent/logfile.h"
#include "node/parent/notify.h"
#include "node/parent/reload.h"
#include "node/parent/settings.h"
#include "node/parent/web.h"
#include "common/layers.h"
#include "common/file.h"
#include "common/log.h"
#include "common/lookup.h"
#include "common/numbers.h"
#include "common/opts.h"
#include "common/settle.h"
#include "trust/doc/secp.h"
#include "common/util.h"
#include "transport/config/example.h"

enum { EXIT_PANIC = 255 }; /* as rnsd: panic_on_interface_error */
enum { EXIT_OPERATOR = 2 }; /* usage, mistakes in files, whose they are */

enum { OPT_CONFIG = 1, OPT_VERBOSE, OPT_QUIET, OPT_SERVICE,
	OPT_INTERACTIVE, OPT_EXAMPLE, OPT_CHECK, OPT_LAYERS, OPT_HELP,
	OPT_VERSION };
static const struct opt option_table[] = {
    {OPT_CONFIG, 0, "config", "DIR",
	"Reticulum's folder; else found as rnsd does"},
    {OPT_VERBOSE, 'v', "verbose", NULL, "more in the log; may be repeated"},
    {OPT_QUIET, 'q', "quiet", NULL, "less in the log; may be repeated"},
    {OPT_SERVICE, 's', "service", NULL,
	"log to DIR/logfile, by the level of config alone"},
    {OPT_INTERACTIVE, 'i', "interactive", NULL,
	"taken, as rnsd's, and without effect: there is no shell"},
    {OPT_EXAMPLE, 0, "exampleconfig", NULL,
	"print a config with every key, and end"},
    {OPT_CHECK, 0, "check", NULL, "name every mistake in DIR's files, and end"},
    {OPT_LAYERS, 0, "layers", NULL,
	"which limits control groups give this user, and end"},
    {OPT_HELP, 'h', "help", NULL, "this text"},
    {OPT_VERSION, 0, "version", NULL, "the version"},
};

static void
parent_init(struct parent *p)
{
	p->base = WARREN_UID_BASE;
	p->dir = p->storage = p->warren = p->keys = p->run = p->lock = -1;
	p->node_dir = p->trust_dir = p->trail_dir = p->klp_dir = -1;
	p->forensics_dir = p->events_dir = -1;
	p->images_dir = p->stage_dir = -1;
	p->listen_data = p->listen_rpc = p->listen_mesh = p->listen_node = -1;
	p->listen_metrics = -1;
	p->asked = reload_asked;
	p->fd_config = p->fd_ifs = p->fd_node = p->fd_profile = p->fd_hand = -1;
	p->fd_tool = p->fd_inner = p->fd_lsm = p->fd_enforce = -1;
	p->fd_rules = p->fd_watchdog = -1;
	p->fd_network = -1;
	p->fd_web_ca = p->fd_web_hosts = -1;
	p->fd_hub_post = p->fd_hub = -1;
}

/* ---- options ---- */
#include "sandbox/image/store.h"
#include "common/libc.h"

#define EVENTS_KEPT 64 /* until they are in the trail */
#define RELAY_RANK "-500" /* oom_score_adj, also of transport */

struct options {
	const char *config;
	int verbose;
	bool service;
	bool interactive;
	bool check;
	bool layers;
};

static void
usage(FILE *f)
{
	fprintf(f, "usage: warrend [--config DIR] [-v | -q] [-s] [--check | "
		   "--layers |\n               --exampleconfig]\n"
		   "Relays Reticulum packets and runs jobs; stays in the "
		   "foreground.\n\n");
	opts_print(f, option_table, NELEM(option_table));
	fprintf(f, "\nSee `man warrend`.\n");
}

static int
wrong(const char *why)
{
	fprintf(stderr, "warrend: %s\n  `warrend --help` lists the options.\n",
	    why);
	return EXIT_OPERATOR + 1;
}

/* 0, or the exit status and one more. */
static int
options(struct options *o, int argc, char **argv)
{
	const char *value;
	char why[OPTS_WHY] = "";
	struct opts opts;
	int id;

	opts_init(&opts, option_table, NELEM(option_table));
	while ((id = opts_next(&opts, argc, argv, &value, why)) > 0) {
		switch (id) {
		case OPT_CONFIG:
			o->config = value;
			break;
		case OPT_CHECK:
			o->check = true;
			break;
		case OPT_LAYERS:
			o->layers = true;
			break;
		case OPT_VERBOSE:
			o->verbose++;
			break;
		case OPT_QUIET:
			o->verbose--;
			break;
		case OPT_SERVICE:
			o->service = true;
			break;
		case OPT_INTERACTIVE:
			o->interactive = true;
			break;
		case OPT_EXAMPLE:
			(void)fputs(rnsconf_example_text, stdout);
			return 1;
		case OPT_HELP:
			usage(stdout);
			return 1;
		case OPT_VERSION:
			(void)printf("warrend %s\n", PACKAGE_VERSION);
			return 1;
		}
	}
	if (id < 0)
		return wrong(why);
	if (opts.at == argc)
		return 0;
	(void)snprintf(why, sizeof(why), "%.200s is too much", argv[opts.at]);
	return wrong(why);
}

/* ---- what may be done here ---- */

/* A reader of /proc/PID/mem, or a core, would have the keys. */
static void
protect_self(void)
{
	struct rlimit one = {1, 1};

	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_CORE, &one); /* already lower: as good */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		fatal("prctl");
	/* without CAP_SYS_RESOURCE ours stays, and the others' is raised */
	(void)file_put(AT_FDCWD, "/proc/self/oom_score_adj", RELAY_RANK);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", O_RDWR) != fd)
			exit(1);
}

/* ---- the operator's files ---- */

/* A check_fn of the start and of SIGHUP: ctx is the parent. */
static void
say_finding(void *ctx, bool note, const char *file, const struct mistake *m)
{
	const struct parent *p = ctx;
	char line[1600];

	check_line(line, sizeof(line), p->path, note, file, m);
	if (note)
		log_warnx(NULL, "%s", line);
	else
		log_errx(NULL, "%s", line);
}

/* The rest of the node does without them. */
static void
say_off(const struct rnsconf *c)
{
	for (unsigned i = 0; i < c->nifs; i++)
		if (c->ifs[i].mistake != NULL)
			log_errx(c->ifs[i].name, "the interface in line %u of "
			    "config is OFF until that is mended and read "
			    "again (warren reload)", c->ifs[i].line);
}

static int
files_read(struct parent *p)
{
	struct mistakes m = {0};
	struct sysinfo si;
	unsigned off, n = check_config(p->path, p->root, &off, say_finding, p);

	if (n > off) {
		log_errx(p->path, "does not start: %u mistake%s, see above", n,
		    n == 1 ? "" : "s");
		return -1;
	}
	p->rns_text =
	    dirs_read(p, p->dir, "config", CONF_TEXT_MAX, &p->rns_len);
	if (p->rns_text == NULL ||
	    rnsconf_parse(&p->rns, p->rns_text, p->rns_len, &m) < 0) {
		log_err(p->path, "config");
		return -1;
	}
	p->ifs = p->rns;
	log_set_level(settings_level(p, p->rns));
	say_off(p->rns);
	p->node_text =
	    dirs_read(p, p->dir, "node.yaml", YDOC_BYTES_MAX, &p->node_len);
	if (p->node_text == NULL && errno != ENOENT) {
		log_err(p->path, "node.yaml");
		return -1;
	}
	if (node_config_parse(&p->node,
		p->node_text != NULL ? p->node_text : "", p->node_len, &m) < 0)
		return -1;
	if (sysinfo(&si) == 0)
		node_config_fit(p->node,
		    (unsigned)sysconf(_SC_NPROCESSORS_ONLN),
		    (uint64_t)si.totalram * si.mem_unit);
	return 0;
}

static void
say_rights(const struct parent *p)
{
	if (!p->root && p->compute)
		log_notice(NULL, "runs without numbers of its own, under uid "
				 "%u", (unsigned)geteuid());
}

/* ---- signals ---- */

static void
on_end(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct parent *p = w->data;

	(void)loop;
	(void)revents;
	if (p->stopping)
		return;
	log_notice(NULL, "stopping");
	notify_stopping(p);
	child_stop_all(p);
}

static void
on_hangup(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct parent *p = w->data;

	(void)loop;
	(void)revents;
	if (!p->stopping)
		(void)reload(p);
}

static void
on_facts(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	settings_facts(t->data);
}

/* The first time when node can have come up. */
static void
measure(struct parent *p)
{
	p->root_dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ev_timer_init(&p->facts_timer, on_facts, 0.5, FACTS_S);
	p->facts_timer.data = p;
	ev_timer_start(p->loop, &p->facts_timer);
}

static void
signals(struct parent *p)
{
	static const struct {
		int sig;
		void (*fn)(struct ev_loop *, ev_signal *, int);
	} table[] = {{SIGTERM, on_end}, {SIGINT, on_end}, {SIGHUP, on_hangup}};

	for (size_t i = 0; i < NELEM(table); i++) {
		ev_signal_init(&p->sig[i], table[i].fn, table[i].sig);
		p->sig[i].data = p;
		ev_signal_start(p->loop, &p->sig[i]);
	}
}

/* ---- the steps of a start ---- */

static int
prepare(struct parent *p, const char *dir, bool service)
{
	unsigned swept;
	int status;

	if (dirs_open(p, dir, &status) < 0)
		return status;
	if (service && logfile_open(p) < 0)
		return 1;
	if (files_read(p) < 0)
		return EXIT_OPERATOR;
	if (dirs_make(p, &status) < 0)
		return status;
	/* an import that was killed has left its folder */
	if (p->images_dir >= 0 && (swept = store_sweep(p->images_dir, false)) > 0)
		log_notice("images", "%u unfinished imports removed", swept);
	if (keyfiles_identity(p) < 0 || keyfiles_network(p) < 0)
		return 1;
	if (keyfiles_check(p) < 0)
		return EXIT_OPERATOR;
	if (listen_instance(p) < 0 || listen_control(p) < 0 ||
	    settings_load(p) < 0 || web_load(p) < 0 ||
	    child_open_all(p) < 0)
		return 1;
	listen_metrics(p);
	return 0;
}

/*
 * What groups of this user could limit, one word each: made for a moment under
 * a name that no daemon has.
 */
static int
show_layers(struct parent *p)
{
	struct mistakes m = {0};
	char text[64];

	if (node_config_parse(&p->node, "", 0, &m) < 0)
		return 1;
	randombytes_buf(HASH_BYTES(p->identity_hash));
	groups_make(p);
	layers_text(text, sizeof(text),
	    p->groups.v2_layers | p->groups.v1_layers);
	groups_remove(&p->groups);
	(void)printf("%s\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct parent p; /* zeros cost no page until they are written */
	struct options o = {0};
	char found[4096];
	uint64_t run;
	int r;

	if (argc == 3 && strcmp(argv[0], LOOKUP_NAME) == 0)
		return lookup_main(argv[1], argv[2]);
	log_init("warrend", LOG_NOTICE);
	r = options(&o, argc, argv);
	if (r != 0)
		return r - 1;
	if (o.config == NULL) {
		if (!where_config(found, sizeof(found)))
			fatalx("no home folder: use --config");
		o.config = found;
	}
	if (o.check)
		return check_print(o.config,
			   numbers_usable(WARREN_UID_BASE)) > 0
		    ? EXIT_OPERATOR
		    : 0;
	protect_self();
	parent_init(&p);
	p.verbose = o.service ? 0 : o.verbose;
	p.root = numbers_usable(p.base);
	if (sodium_init() < 0)
		fatalx("libsodium");
	randombytes_buf(&run, sizeof(run));
	witness_init(&p.witness, run, EVENTS_KEPT);
	if (o.layers)
		return show_layers(&p);
	if (o.interactive)
		log_warnx(NULL, "-i: there is no interactive shell here, and "
		    "the daemon goes on without; `warren status` looks at it");
	r = prepare(&p, o.config, o.service);
	if (r != 0)
		return r;
	p.loop = ev_default_loop(EVFLAG_NOENV);
	if (p.loop == NULL)
		fatalx("no event loop");
	signals(&p);
	notify_init(&p);
	groups_need(&p);
	if (p.compute)
		policy_load(&p);
	/* what a jail leaves when it falls is ours to wait for */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	measure(&p);
	if (o.service)
		logfile_watch(&p);
	say_rights(&p);
	child_start_all(&p);
	intact_programs(&p);
	parent_event(&p, EVK_START, 1, "", "the node starts");
	log_notice(NULL, "started, config=%s compute=%s", p.path,
	    p.compute ? "on" : "off");
	settle();
	(void)ev_run(p.loop, 0);
	groups_kill_jobs(&p.groups);
	child_await_envoy(&p);
	groups_remove(&p.groups);
	policy_remove(&p);
	log_notice(NULL, "ended");
	return p.panic ? EXIT_PANIC : 0;
}
