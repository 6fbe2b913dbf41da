/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * law.h on lines: what tests/oracle/klp.py tells of an operator's klp/, of web
 * servers and of clocks, and what is known then.
 *
 *   open YAML            a node that knows nothing, and its node.yaml (hex)
 *   put NAME HEX         a file of klp/; del NAME
 *   web N NAME HEX       a file of https://N.test/klp/; webdel N NAME
 *   again                a restart
 *   look WALL SECONDS    klp/ is looked at, the system's clock says WALL, and so
 *                        many seconds have passed since the last look
 *   fetch WALL SECONDS   the same, and all servers are asked
 *   ask key|rns HEX      revocation and level of somebody, and are jobs taken
 *   end
 *
 * Answers: a line "event KIND CODE" for each event, then "state ...".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/ipc.h"
#include "common/util.h"
#include "trust/law.h"
#include "trust/doc/revlist.h"

#define FILES_MAX 256
#define SERVERS 4
#define TURNS_MAX 20000

struct page {
	char *name;
	uint8_t *p;
	size_t len;
};

static struct {
	char path[32];
	int klp, own;
	struct law *l;
	struct bindstore *store;
	struct node_config *conf;
	struct page page[SERVERS][FILES_MAX];
	struct msg_FETCH asked;
	bool is_asked;
	struct mono now, since; /* as the script says */
	uint32_t wall, floor;
} t;

static void __attribute__((noreturn))
bad(const char *what)
{
	fprintf(stderr, "law_lines: %s\n", what);
	exit(2);
}

static uint8_t *
hex_bytes(const char *hex, size_t *len)
{
	size_t n = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
	uint8_t *p = malloc(n + 1);

	if (p == NULL || (n > 0 && !hex_decode(p, n, hex, 2 * n)))
		bad("hex");
	p[n] = 0;
	*len = n;
	return p;
}

/* ---- files ---- */

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

/* Folders of NAME are made. */
static void
put_file(const char *name, const uint8_t *p, size_t len)
{
	char at[1024];
	int fd;

	(void)snprintf(at, sizeof(at), "%s", name);
	for (char *s = at; (s = strchr(s, '/')) != NULL; s++) {
		*s = '\0';
		(void)mkdirat(t.klp, at, 0700);
		*s = '/';
	}
	fd = openat(t.klp, at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write_full(fd, p, len) < 0 || close(fd) < 0)
		bad(name);
}

static struct page *
page_of(unsigned server, const char *name, bool make)
{
	struct page *none = NULL;

	for (unsigned i = 0; i < FILES_MAX; i++) {
		struct page *p = &t.page[server][i];

		if (p->name == NULL)
			none = none == NULL ? p : none;
		else if (strcmp(p->name, name) == 0)
			return p;
	}
	if (!make)
		return NULL;
	if (none == NULL || (none->name = strdup(name)) == NULL)
		bad("too many files");
	return none;
}

static void
page_drop(struct page *p)
{
	if (p == NULL)
		return;
	free(p->name);
	free(p->p);
	memset(p, 0, sizeof(*p));
}

/* ---- the judge ---- */

static void
event(void *ctx, enum event_kind kind, unsigned severity, const char *code,
    const char *text)
{
	(void)ctx;
	(void)severity;
	printf("event %u %s %s\n", (unsigned)kind, code, text);
}

static int
fetch(void *ctx, const struct msg_FETCH *m)
{
	(void)ctx;
	if (t.is_asked)
		bad("two questions at once");
	t.asked = *m;
	t.is_asked = true;
	return 0;
}

static void
answer(void)
{
	struct msg_FETCHED m = {.seq = t.asked.seq, .end = FETCH_ABSENT};
	const struct page *p;
	char name[URI_MAX + 1];
	unsigned server;
	int fd = -1;

	t.is_asked = false;
	if (sscanf(t.asked.url, "https://%u.test/klp/%*[^/]/%512s", &server,
		name) != 2 || server >= SERVERS)
		bad(t.asked.url);
	p = page_of(server, name, false);
	if (p != NULL && p->len > t.asked.max) {
		m.end = FETCH_SIZE;
		(void)snprintf(m.why, sizeof(m.why), "too large");
	} else if (p != NULL) {
		m.end = FETCH_OK;
		m.len = (uint32_t)p->len;
		fd = memfd_sealed("page", p->p, p->len);
	}
	(void)law_fetched(t.l, &m, fd);
}

static void
start(void)
{
	const struct law_ops ops = {.event = event, .fetch = fetch};

	t.l = law_new(dup(t.klp), t.own, t.store, &ops);
	if (t.l == NULL)
		bad("no memory");
	law_configure(t.l, t.conf);
	t.floor = 0;
	t.since = t.now;
}

static void
open_node(const char *yaml)
{
	struct mistakes wrong = {0};
	size_t n;
	uint8_t *text = hex_bytes(yaml, &n);

	(void)snprintf(t.path, sizeof(t.path), "law-lines-XXXXXX");
	if (mkdtemp(t.path) == NULL)
		bad("a folder");
	t.own = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(t.own, "conf", 0700) < 0)
		bad("a folder");
	t.klp = openat(t.own, "conf", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (node_config_parse(&t.conf, (const char *)text, n, &wrong) < 0)
		bad("node.yaml");
	free(text);
	t.store = bindstore_new(8);
	t.now = (struct mono){1000 * MONO_SECOND};
	start();
}

static void
end_node(void)
{
	if (t.l == NULL)
		return;
	law_free(t.l);
	bindstore_free(t.store);
	node_config_free(t.conf);
	(void)close(t.klp);
	(void)close(t.own);
	(void)nftw(t.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	for (unsigned s = 0; s < SERVERS; s++)
		for (unsigned i = 0; i < FILES_MAX; i++)
			page_drop(&t.page[s][i]);
	t.l = NULL;
}

/* As judge.c does, with the script's clocks. */
static uint32_t
tell_time(void)
{
	if (t.l->clock.floor != t.floor)
		t.since = t.now;
	t.floor = t.l->clock.floor;
	t.l->clock.since = t.since;
	return klp_now(&t.l->clock, t.wall, t.now);
}

static void
state(uint32_t now)
{
	const struct auth_state *s = &t.l->auth[0].a.state;
	char hex[65] = "-";

	if (t.l->list.version > 0)
		hex_encode(hex, HASH_BYTES(t.l->list.digest));
	printf("state root=%u head=%u list=%u set=%s graph=%u fresh=%u,%u "
	    "held=%d now=%u untrusted=%d\n", t.l->auth[0].pinned ?
	    s->root_version : 0, s->has_head ? s->head_version : 0,
	    t.l->list.version, hex, t.l->graph == NULL ? 0 :
	    graph_head(t.l->graph)->version,
	    (unsigned)standing_fresh(&t.l->standing.list, now),
	    (unsigned)standing_fresh(&t.l->standing.graph, now),
	    t.l->held[0] != '\0', now, t.l->clock.untrusted);
}

static void
look(const char *rest, bool web)
{
	unsigned wall, passed;

	if (sscanf(rest, "%u %u", &wall, &passed) != 2)
		bad(rest);
	t.wall = wall;
	t.now.us += passed * MONO_SECOND;
	(void)law_look(t.l, tell_time(), true);
	if (web)
		law_fetch_now(t.l);
	for (unsigned i = 0; web; i++) {
		if (i == TURNS_MAX)
			bad("no end of a round");
		if (t.is_asked)
			answer();
		(void)law_fetch(t.l);
		if (law_busy(t.l))
			(void)law_work(t.l, tell_time());
		else if (!t.is_asked)
			break;
	}
	state(tell_time());
}

static void
ask(const char *rest)
{
	struct standing_of o;
	char kind[8], hex[65];
	struct hash16 rns;
	struct fp fp;
	bool key;

	if (sscanf(rest, "%7s %64s", kind, hex) != 2)
		bad(rest);
	key = strcmp(kind, "key") == 0;
	if (!(key ? hex_decode(HASH_BYTES(fp), hex, strlen(hex)) :
	    hex_decode(HASH_BYTES(rns), hex, strlen(hex))))
		bad(rest);
	standing_ask(&t.l->standing, &o, key ? &fp : NULL, key ? NULL : &rns,
	    SCOPE_JOB_SUBMIT, tell_time());
	printf("is %d %u %u\n", o.level, (unsigned)o.revoked,
	    (unsigned)o.jobs);
}

static void
put(char *rest, unsigned server, bool web)
{
	char *hex = strchr(rest, ' ');
	struct page *p;
	uint8_t *b;
	size_t n;

	if (hex == NULL)
		bad(rest);
	*hex++ = '\0';
	b = hex_bytes(hex, &n);
	if (!web) {
		put_file(rest, b, n);
		free(b);
		return;
	}
	p = page_of(server, rest, true);
	free(p->p);
	p->p = b;
	p->len = n;
}

static void
take(const char *verb, char *rest)
{
	unsigned server = 0;
	int at = 0;

	if (strncmp(verb, "web", 3) == 0 &&
	    (sscanf(rest, "%u %n", &server, &at) < 1 || server >= SERVERS))
		bad(rest);
	rest += at;
	if (strcmp(verb, "open") == 0)
		open_node(rest);
	else if (t.l == NULL)
		bad(verb);
	else if (strcmp(verb, "put") == 0 || strcmp(verb, "web") == 0)
		put(rest, server, verb[0] == 'w');
	else if (strcmp(verb, "del") == 0)
		(void)unlinkat(t.klp, rest, 0);
	else if (strcmp(verb, "webdel") == 0)
		page_drop(page_of(server, rest, false));
	else if (strcmp(verb, "look") == 0 || strcmp(verb, "fetch") == 0)
		look(rest, verb[0] == 'f');
	else if (strcmp(verb, "ask") == 0)
		ask(rest);
	else if (strcmp(verb, "again") == 0) {
		law_free(t.l);
		start();
	} else if (strcmp(verb, "end") == 0)
		end_node();
	else
		bad(verb);
}

int
main(void)
{
	char *line = NULL, verb[16];
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%15s %n", verb, &at) < 1)
			bad(line);
		take(verb, line + at);
	}
	end_node();
	free(line);
	return 0;
}
