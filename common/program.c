/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "common/program.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "common/log.h"
#include "common/util.h"

#ifndef WARREN_BUILD
#define WARREN_BUILD "" /* configure --with-build-id */
#endif

#define SETTINGS_MAX 256

/*
 * The programs: ARCHITECTURE.md 12.5 (numbers), THREATS.md 1 (what each may).
 */
static const struct program_row rows[PROGRAM_COUNT] = {
    [PROGRAM_TRANSPORT] = {"warren-transport", 1, true, 0, SET_DIR_STORAGE},
    [PROGRAM_NODE] = {"warren-node", 2, true, 4096, SET_DIR_NODE},
    [PROGRAM_TRUST] = {"warren-trust", 3, true, 1024, SET_DIR_TRUST},
    [PROGRAM_EGRESS] = {"warren-egress", 4, false, 256, 0},
    [PROGRAM_JAIL] = {"warren-jail", 5, true, 16384, 0},
    [PROGRAM_AUDIT] = {"warren-audit", 6, true, 256, SET_DIR_TRAIL},
    [PROGRAM_KEYS] = {"warren-keys", 7, true, 64, 0},
};

/* Directories and how Landlock opens them. */
static const struct {
	enum setting what;
	const char *name;
	enum priv_access access;
} dirs[] = {
    {SET_DIR_STORAGE, "storage", PRIV_WRITE},
    {SET_DIR_NODE, "node", PRIV_WRITE},
    {SET_DIR_TRUST, "trust", PRIV_WRITE},
    {SET_DIR_TRAIL, "trail", PRIV_WRITE},
    {SET_DIR_EVENTS, "events", PRIV_WRITE},
    {SET_DIR_FORENSICS, "forensics", PRIV_WRITE},
    {SET_DIR_KLP, "klp", PRIV_READ},
    {SET_DIR_IMAGES, "images", PRIV_READ},
    {SET_CG_JOBS, "cg-jobs", PRIV_WRITE},
    {SET_CG_V1, "cg-v1", PRIV_WRITE},	/* cg-v1:CONTROLLER */
    {SET_VOLUME, "volume", PRIV_READ}, /* volume:INDEX */
    {SET_WASM, "wasm", PRIV_READ},     /* wasm:FILE */
};

const struct program_row *
program_row(enum program p)
{
	return p < PROGRAM_COUNT && rows[p].exe != NULL ? &rows[p] : NULL;
}

const char *
program_dir_name(enum setting what)
{
	for (size_t i = 0; i < NELEM(dirs); i++)
		if (dirs[i].what == what)
			return dirs[i].name;
	return NULL;
}

void
program_build_id(struct id32 *out)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, sizeof(PACKAGE_VERSION), /* NUL included */
	    (const uint8_t *)PACKAGE_VERSION);
	sha256_update(&ctx, sizeof(WARREN_BUILD), (const uint8_t *)WARREN_BUILD);
	for (unsigned t = IPC_NONE + 1; t < IPC_TYPES; t++) {
		const struct ipc_row *r = ipc_row(t);
		uint8_t b[8] = {r->senders, r->receivers, r->fds_min,
		    r->fds_max};

		put_u16(b + 4, r->size_min);
		put_u16(b + 6, r->size_max);
		sha256_update(&ctx, strlen(r->name) + 1,
		    (const uint8_t *)r->name);
		sha256_update(&ctx, sizeof(b), b);
	}
	sha256_digest(&ctx, SHA256_DIGEST_SIZE, out->b);
}

static void
add_setting(struct process *p, enum setting what, const char *name, int fd)
{
	struct setting_value *v;

	if (p->nsettings >= SETTINGS_MAX)
		fatalx("more than %d settings", SETTINGS_MAX);
	v = reallocarray(p->settings, p->nsettings + 1, sizeof(*v));
	if (v == NULL)
		fatal("settings");
	p->settings = v;
	v += p->nsettings++;
	memset(v, 0, sizeof(*v));
	v->what = what;
	v->fd = fd;
	memcpy(v->name, name, MIN_OF(strlen(name), sizeof(v->name) - 1));
}

/* "cg-v1:memory" is the setting SET_CG_V1 of name "memory". */
static bool
named_dir(struct process *p, const char *name, size_t len, int fd)
{
	const char *colon = memchr(name, ':', len);
	size_t base = colon != NULL ? (size_t)(colon - name) : len;

	for (size_t i = 0; i < NELEM(dirs); i++) {
		char rest[64] = "";

		if (strlen(dirs[i].name) != base ||
		    memcmp(dirs[i].name, name, base) != 0)
			continue;
		if (colon != NULL)
			memcpy(rest, colon + 1,
			    MIN_OF(len - base - 1, sizeof(rest) - 1));
		add_setting(p, dirs[i].what, rest, fd);
		return true;
	}
	return false;
}

static void
read_word(struct process *p, const char *word)
{
	const char *eq = strchr(word, '=');
	size_t len = eq != NULL ? (size_t)(eq - word) : 0;
	unsigned long v;
	char *end;

	if (len == 0 || len >= sizeof(p->named[0].name))
		fatalx("started by hand? warrend starts this program");
	errno = 0;
	v = strtoul(eq + 1, &end, 10);
	if (errno != 0 || *end != '\0' || end == eq + 1 || v > 0xffffffffu)
		fatalx("not a number: %s", word);
	if (len == 4 && memcmp(word, "base", 4) == 0) {
		p->base = (uint32_t)v;
		p->root = true;
	} else if (len == 5 && memcmp(word, "level", 5) == 0) {
		log_set_level((int)v);
	} else if (len == 7 && memcmp(word, "journal", 7) == 0) {
		log_set_journal(v != 0);
	} else if (len == 5 && memcmp(word, "slots", 5) == 0) {
		p->slots = (uint32_t)v;
	} else if (len == 6 && memcmp(word, "probes", 6) == 0) {
		p->probes = (uint32_t)v;
	} else if (v <= PROGRAM_CHANNEL || v > 65535) {
		fatalx("not a descriptor: %s", word);
	} else if (!named_dir(p, word, len, (int)v)) {
		if (p->nnamed >= PROGRAM_NAMED)
			fatalx("too many descriptors");
		memcpy(p->named[p->nnamed].name, word, len);
		p->named[p->nnamed++].fd = (int)v;
	}
}

static void
close_the_rest(const struct process *p)
{
	int keep[64] = {PROGRAM_CHANNEL};
	size_t n = 1;

	if (p->nnamed + p->nsettings >= NELEM(keep))
		fatalx("too many descriptors");
	for (size_t i = 0; i < p->nnamed; i++)
		keep[n++] = p->named[i].fd;
	for (size_t i = 0; i < p->nsettings; i++)
		keep[n++] = p->settings[i].fd;
	for (size_t i = 0; i < n; i++)
		if (fcntl(keep[i], F_SETFD, FD_CLOEXEC) < 0)
			fatal("descriptor %d: started by hand? warrend starts "
			      "this program",
			    keep[i]);
	if (priv_fds(keep, n) < 0)
		fatal("close_range");
}

/* A person asks; warrend never does. */
static void
answer_person(const char *exe, int argc, char **argv)
{
	if (argc != 2)
		return;
	if (strcmp(argv[1], "--version") == 0)
		printf("%s %s\n", exe, PACKAGE_VERSION);
	else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		printf("%s is a part of warrend, which starts it; it takes no "
		       "options.\nSee `man %s` and `man warrend`.\n",
		    exe, exe);
	else
		return;
	exit(0);
}

void
program_connect(struct process *p, enum program self, int argc, char **argv)
{
	const struct program_row *row = program_row(self);

	answer_person(row->exe, argc, argv);
	*p = (struct process){.self = self};
	log_init(row->exe, LOG_NOTICE);
	(void)signal(SIGPIPE, SIG_IGN);
	/* executed by descriptor, it would be called by its number */
	(void)prctl(PR_SET_NAME, row->exe, 0, 0, 0);
	tzset(); /* reads its file now; later there is none */
	for (int i = 1; i < argc; i++)
		read_word(p, argv[i]);
	close_the_rest(p);
	p->parent = ipc_new(PROGRAM_CHANNEL, self, PROGRAM_PARENT);
	if (p->parent == NULL)
		fatal("channel to the parent");
}

static enum priv_access
dir_access(enum setting what)
{
	for (size_t i = 0; i < NELEM(dirs); i++)
		if (dirs[i].what == what)
			return dirs[i].access;
	return PRIV_READ;
}

/* A mount's descriptor cannot be listed or synced; one opened in it can. */
static void
reopen_dirs(struct process *p)
{
	for (size_t i = 0; i < p->nsettings; i++) {
		int *fd = &p->settings[i].fd;
		int own = openat(*fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (own < 0)
			continue; /* may be searched but not read */
		if (dup3(own, *fd, O_CLOEXEC) < 0)
			fatal("a directory's descriptor");
		(void)close(own);
	}
}

static void
confine_files(struct process *p, enum setting folder)
{
	struct priv_dir list[PROGRAM_NAMED];
	size_t n = 0;
	int folder_fd = -1;

	for (size_t i = 0; i < p->nsettings; i++) {
		struct setting_value *v = &p->settings[i];

		if (v->fd < 0)
			continue; /* taken, by a process of its own */
		if (p->root && priv_detach(&v->fd, dir_access(v->what)) < 0 &&
		    v->what == folder)
			fatal("the folder as a mount of its own");
		if (v->what == folder)
			folder_fd = v->fd;
		if (n < NELEM(list))
			list[n++] = (struct priv_dir){
			    v->fd, dir_access(v->what)};
	}
	if (folder != 0 && folder_fd < 0)
		fatalx("no descriptor %s", program_dir_name(folder));
	if (p->root && priv_root(folder_fd) < 0)
		fatal("the folder as root directory");
	if (!p->root && folder_fd >= 0 && fchdir(folder_fd) < 0)
		fatal("the folder as working directory");
	if (p->root && priv_ids(p->base + program_row(p->self)->number) < 0)
		fatal("giving up root");
	if (!p->root && priv_ids(0) < 0)
		fatal("giving up capabilities");
	if (priv_landlock(list, n, !program_row(p->self)->own_net,
		&p->landlock_abi) < 0)
		fatal("Landlock");
	reopen_dirs(p);
	if (p->landlock_abi == 0)
		log_info(NULL, "this kernel has no Landlock");
}

void
program_confine(struct process *p)
{
	const struct program_row *row = program_row(p->self);

	if (priv_session(row->nofile) < 0)
		fatal("session and limits");
	if (p->root && priv_namespaces(row->own_net) < 0)
		fatal("namespaces");
	confine_files(p, row->folder);
	if (priv_filter(p->self) < 0)
		fatal("system-call filter");
}

/* Blocks: there is nothing else to do before the first message. */
static void
receive(struct ipc *c, struct ipc_in *in)
{
	if (ipc_wait(c, in, -1) == 0)
		return;
	if (errno == 0)
		exit(0); /* the parent ended while it started us */
	fatal("channel to the parent");
}

/* ---- what every program answers alike ---- */

#define IPC_ME ANY
#define IPC_CTX struct process
#include "common/ipc_dispatch.h"

static void
on_PARAMS(struct process *p, const struct msg_PARAMS *m, struct ipc_in *in)
{
	(void)in;
	p->params = *m;
	p->have_params = true;
	log_set_level(m->loglevel);
}

static void
on_JAIL_LIMITS(struct process *p, const struct msg_JAIL_LIMITS *m,
    struct ipc_in *in)
{
	(void)in;
	p->limits = *m;
	p->have_limits = true;
}

/* Profiles come again as a set, that of the container first. */
static void
forget_profiles(struct process *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->nsettings; i++) {
		struct setting_value *v = &p->settings[i];

		if (v->what != SET_PROFILE && v->what != SET_SECCOMP)
			p->settings[kept++] = *v;
		else if (v->fd >= 0)
			(void)close(v->fd);
	}
	p->nsettings = kept;
}

static void
on_SETTING(struct process *p, const struct msg_SETTING *m, struct ipc_in *in)
{
	if (p->started && m->what == SET_PROFILE)
		forget_profiles(p);
	if (!p->started || m->what == SET_PROFILE || m->what == SET_SECCOMP)
		add_setting(p, (enum setting)m->what, m->name,
		    ipc_in_take(in, 0));
	else if (p->ops->setting != NULL)
		p->ops->setting(p->ctx, (enum setting)m->what, in->fds[0]);
}

static void
on_START_DONE(struct process *p, const struct msg_START_DONE *m,
    struct ipc_in *in)
{
	(void)m;
	(void)in;
	p->started = true;
}

static void
on_STOP(struct process *p, const struct msg_STOP *m, struct ipc_in *in)
{
	(void)m;
	(void)in;
	if (!p->started)
		fatalx("STOP before START_DONE");
	p->ops->stop(p->ctx);
}

static void
on_NEIGHBOUR(struct process *p, const struct msg_NEIGHBOUR *m,
    struct ipc_in *in)
{
	enum program who = (enum program)m->program;

	if (!p->started)
		fatalx("NEIGHBOUR before START_DONE");
	if (who >= PROGRAM_COUNT || !ipc_related(p->self, who))
		log_warnx(program_name(who), "no business here");
	else
		p->neighbour(p, who, ipc_in_take(in, 0));
}

static void
on_HELLO(struct process *p, const struct msg_HELLO *m, struct ipc_in *in)
{
	(void)m; /* ipc_ev_expect_hello() has compared it */
	p->side[in->from].greeted = true;
	if (p->ops->up != NULL)
		p->ops->up(p->ctx, in->from);
}

void
program_malformed(struct process *p, const struct ipc_in *in)
{
	const char *name = ipc_row(in->type)->name;
	struct msg_ALARM m = {.severity = 4};
	uint32_t n = p->malformed[in->from];

	if (in->from == PROGRAM_PARENT)
		fatalx("malformed %s", name);
	if (n < UINT32_MAX)
		p->malformed[in->from] = ++n;
	if ((n & (n - 1)) != 0)
		return;
	(void)snprintf(m.text, sizeof(m.text),
	    "malformed %s from %s, dropped (%u so far)", name,
	    program_name(in->from), (unsigned)n);
	log_errx(program_name(in->from), "%s", m.text);
	(void)ipc_send_ALARM(p->parent, &m, NULL, 0);
}

void
program_message(struct process *p, struct ipc_in *in)
{
	enum ipc_done done = ipc_dispatch(p, in);

	if (done == IPC_NOT_MINE)
		done = p->ops->message(p->ctx, in);
	if (done == IPC_MALFORMED)
		program_malformed(p, in);
	else if (done == IPC_NOT_MINE)
		log_warnx(program_name(in->from), "unexpected message %s",
		    ipc_row(in->type)->name);
}

void
program_receive(struct process *p, program_extra_fn *extra, void *ctx)
{
	struct msg_HELLO hello = {.end_ = 0};

	while (!p->started) {
		enum ipc_done done;
		struct ipc_in in;

		receive(p->parent, &in);
		done = ipc_dispatch(p, &in);
		if (done == IPC_MALFORMED)
			program_malformed(p, &in);
		if (done == IPC_NOT_MINE && extra == NULL)
			fatalx("unexpected message %s at start",
			    ipc_row(in.type)->name);
		if (done == IPC_NOT_MINE)
			extra(ctx, &in);
		ipc_in_done(&in);
	}
	ipc_wipe();
	if (!p->have_params)
		fatalx("no PARAMS at start");
	program_build_id(&hello.build);
	if (ipc_send_HELLO(p->parent, &hello, NULL, 0) < 0)
		fatal("HELLO");
}

void
program_start(struct process *p, enum program self, int argc, char **argv,
    program_extra_fn *extra, void *ctx)
{
	program_connect(p, self, argc, argv);
	program_confine(p);
	program_receive(p, extra, ctx);
}

int
program_fd(struct process *p, const char *name)
{
	for (size_t i = 0; i < p->nnamed; i++) {
		int fd = p->named[i].fd;

		if (strcmp(p->named[i].name, name) != 0 || fd < 0)
			continue;
		p->named[i].fd = -1;
		return fd;
	}
	return -1;
}

int
settings_next(const struct process *p, enum setting what, size_t from)
{
	for (size_t i = from; i < p->nsettings; i++)
		if (p->settings[i].what == what)
			return (int)i;
	return -1;
}

int
settings_take(struct process *p, enum setting what, const char *name)
{
	for (size_t i = 0; i < p->nsettings; i++) {
		struct setting_value *v = &p->settings[i];
		int fd = v->fd;

		if (v->what != what || strcmp(v->name, name) != 0 || fd < 0)
			continue;
		v->fd = -1;
		return fd;
	}
	return -1;
}

char *
settings_text(struct process *p, enum setting what, const char *name,
    size_t max, size_t *len)
{
	int fd = settings_take(p, what, name);
	const uint8_t *map;
	char *text = NULL;

	if (fd < 0) {
		errno = ENOENT;
		return NULL;
	}
	*len = 0;
	map = memfd_map(fd, len, max);
	if (map != NULL && (text = malloc(*len + 1)) != NULL) {
		memcpy(text, map, *len);
		text[*len] = '\0';
	}
	memfd_unmap(map, *len);
	(void)close(fd);
	return text;
}
