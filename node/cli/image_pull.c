/* SPDX-License-Identifier: BSD-2-Clause */
/* warren image pull [REGISTRY/]NAME[:TAG][@DIGEST] [--from NODE] */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/units.h"
#include "common/util.h"
#include "common/where.h"
#include "config.h"
#include "node/cli/format.h"
#include "node/cli/image.h"
#include "node/cli/image_from.h"
#include "node/cli/imagedir.h"
#include "node/cli/options.h"
#include "node/cli/puller.h"
#include "node/cli/regauth.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/pulled.h"
#include "sandbox/image/store.h"
#include "trust/egress/regname.h"

#define MAX_DEFAULT (8ull << 30)
#define ALSO_MAX 4096 /* bytes of all hosts that are named */
#define PIN_HEAD "sha256//"

struct pull {
	struct cli *c;
	const char *text; /* as it was asked for */
	struct regname name, mirror; /* mirror.host "": none */
	const char *as; /* its name in the store */
	char own[STORE_NAME_MAX + 1];
	const char *auth, *ca, *pin;
	char also[ALSO_MAX + 1];
	bool insecure;
	uint64_t max;
	const char *from; /* a node, in place of a registry */
	bool slow, share;
	bool by_digest; /* of that node, and manifest is it */

	int images;
	struct pulled at;
	struct msg_PULL_WANT first; /* what the name means, .kind 0: none */
	struct id32 manifest; /* of this machine's image */
	bool here, buried;
	struct mono begun;
};

/* ---- what was asked ---- */

static bool
set_also(struct cli *c, struct pull *p, const char *value)
{
	size_t n = strlen(p->also), k = strlen(value);
	const char *end = strchr(value, ']'), *colon;
	struct weburl u;

	colon = strchr(value[0] == '[' && end != NULL ? end : value, ':');
	if (weburl_host(&u, value, colon == NULL ? k :
		(size_t)(colon - value)) != NULL || k + n + 1 > ALSO_MAX ||
	    (colon != NULL && weburl_port(&u, colon + 1,
		strlen(colon + 1)) != NULL)) {
		cli_error(c, "--also: %s is no HOST or HOST:PORT", value);
		return false;
	}
	/* hosts are compared in small letters */
	(void)snprintf(p->also + n, sizeof(p->also) - n, u.family == 6 ?
	    "[%s]%s\n" : "%s%s\n", u.host, colon == NULL ? "" : colon);
	return true;
}

/* HOST or HOST:PORT, as the registry of a name. */
static bool
set_mirror(struct cli *c, struct pull *p, const char *value)
{
	char name[WEBURL_HOST_MAX + 32];

	/* a port makes a registry of any host; one of TLS's is not shown */
	(void)snprintf(name, sizeof(name), strchr(value, ':') != NULL ||
	    strchr(value, '.') != NULL || strcmp(value, "localhost") == 0 ?
	    "%s/a" : "%s:443/a", value);
	if (strlen(value) <= WEBURL_HOST_MAX && strchr(value, '/') == NULL &&
	    regname_parse(&p->mirror, name) == NULL)
		return true;
	cli_error(c, "--mirror: %s is no HOST or HOST:PORT", value);
	return false;
}

static bool
set_one(struct cli *c, void *ctx, int option, const char *value)
{
	struct pull *p = ctx;

	switch (option) {
	case OPT_NAME:
		if (!store_name_ok(value, p->own)) {
			cli_error(c, "--name: %s is no name", value);
			cli_hint(c, "A name is like kai/agent-runtime:latest: "
			    "small letters, digits and . _ - /, then a tag.");
			return false;
		}
		p->as = value;
		return true;
	case OPT_AUTH:
		p->auth = value;
		return true;
	case OPT_CA:
		p->ca = value;
		return true;
	case OPT_PIN:
		if (strncmp(value, PIN_HEAD, strlen(PIN_HEAD)) != 0 ||
		    strlen(value) > IPC_PULL_PIN) {
			cli_error(c, "--pin: it is sha256// and base64 of the "
			    "digest of a public key");
			return false;
		}
		p->pin = value;
		return true;
	case OPT_ALSO:
		return set_also(c, p, value);
	case OPT_MIRROR:
		return set_mirror(c, p, value);
	case OPT_INSECURE:
		p->insecure = true;
		return true;
	case OPT_FROM:
		p->from = value;
		return true;
	case OPT_SLOW:
		p->slow = true;
		return true;
	case OPT_SHARE:
		p->share = true;
		return true;
	default:
		if (units_size(value, &p->max) && p->max > 0)
			return true;
		cli_error(c, "--max: %s is no size (500MB, 20GB)", value);
		return false;
	}
}

/* What the other kind of giver has no use for is not left out in silence. */
static bool
options_fit(struct pull *p)
{
	const char *odd = p->auth != NULL ? "--auth" : p->ca != NULL ? "--ca" :
	    p->pin != NULL ? "--pin" : p->mirror.host[0] != '\0' ? "--mirror" :
	    p->also[0] != '\0' ? "--also" : p->insecure ? "--insecure" : NULL;

	if (p->from != NULL && odd != NULL) {
		cli_error(p->c, "%s is about registries, and --from names a "
		    "node", odd);
		return false;
	}
	if (p->from == NULL && p->slow)
		cli_error(p->c, "--slow is about nodes: it needs --from");
	return p->from != NULL || !p->slow;
}

/* What the other node calls it; by its digest it has no name yet. */
static int
read_node_name(struct pull *p)
{
	const char *hex = strncmp(p->text, "sha256:", 7) == 0 ? p->text + 7 :
	    NULL;

	p->by_digest = hex != NULL;
	if (hex != NULL ? !hex_decode(HASH_BYTES(p->manifest), hex,
		strlen(hex)) :
	    !store_name_ok(p->text, p->own)) {
		cli_error(p->c, "%s: neither NAME:TAG nor sha256:DIGEST",
		    p->text);
		return CLI_USAGE;
	}
	if (p->as == NULL && hex != NULL) {
		cli_error(p->c, "what shall jobs call it? say it with --name "
		    "NAME:TAG");
		return CLI_USAGE;
	}
	if (p->as == NULL)
		p->as = p->own;
	return CLI_OK;
}

static int
read_name(struct pull *p)
{
	const char *why = regname_parse(&p->name, p->text);
	char local[STORE_NAME_MAX + 1];

	if (p->from != NULL)
		return read_node_name(p);
	if (why != NULL) {
		cli_error(p->c, "%s: %s", p->text, why);
		cli_hint(p->c, "An image is named like alpine:3.19 or "
		    "ghcr.io/kai/agent:1.2, or with a digest: "
		    "NAME@sha256:...");
		return CLI_USAGE;
	}
	if (p->as != NULL)
		return CLI_OK;
	if (!regname_local(&p->name, local, sizeof(local)) ||
	    !store_name_ok(local, p->own)) {
		cli_error(p->c, "what shall jobs call it? say it with --name "
		    "NAME:TAG");
		return CLI_USAGE;
	}
	p->as = p->own;
	return CLI_OK;
}

/* Texts of the operator's. NULL: said. */
static char *
certificates(struct pull *p)
{
	char *text = NULL;
	size_t len;

	if (p->ca != NULL) {
		text = file_load(AT_FDCWD, p->ca, WHERE_CERTIFICATES_MAX, &len);
		if (text == NULL)
			cli_error(p->c, "%s: %s", p->ca, strerror(errno));
		return text;
	}
	for (unsigned i = 0; text == NULL && where_certificates(i) != NULL;
	     i++) {
		/* it may be a link, where systems keep theirs */
		_cleanup_free_ char *real = realpath(where_certificates(i),
		    NULL);

		if (real != NULL)
			text = file_load(AT_FDCWD, real,
			    WHERE_CERTIFICATES_MAX, &len);
	}
	/* without any, egress says what is needed where it is */
	return text != NULL ? text : strdup("");
}

/* ---- while it comes ---- */

/*
 * Whole: a record without files, or the reverse, is one that goes; and with what
 * others need of it, where that was asked for.
 */
static bool
is_here(struct pull *p, const struct id32 *digest)
{
	static uint8_t buf[IMAGE_RECORD_MAX];
	char name[80], hex[65], parts[80];
	struct image_record r;
	struct id32 found;

	hex_encode(hex, HASH_BYTES(*digest));
	(void)snprintf(name, sizeof(name), "sha256:%s", hex);
	(void)snprintf(parts, sizeof(parts), "meta/%s.parts", hex);
	if (p->share && faccessat(p->images, parts, F_OK, 0) < 0)
		return false;
	return store_record(p->images, digest, buf, &r) == 0 &&
	    store_resolve(p->images, name, &found) == 0;
}

/* Before all of it is fetched; an import would refuse it, too. */
static bool
is_buried(struct pull *p, const struct id32 *digest)
{
	char gone[GONE_WHY], hex[65];

	if (!store_buried(p->images, digest, gone))
		return false;
	hex_encode(hex, HASH_BYTES(*digest));
	cli_error(p->c, "image sha256:%s was removed from this node: %s", hex,
	    gone);
	cli_hint(p->c, "Only when no list names it any more, remove "
	    "warren/images/meta/%s.gone and pull it again.", hex);
	return true;
}

static int
on_file(void *ctx, const struct msg_PULL_WANT *m)
{
	struct pull *p = ctx;
	int fd;

	if (p->first.kind == 0) {
		p->first = *m;
		if (p->name.by_digest && !id32_eq(&m->digest,
			&p->name.digest)) {
			cli_error(p->c, "warren-egress has another document "
			    "than the one that was asked for");
			return -1;
		}
	}
	if (m->kind == PULL_MANIFEST) {
		p->manifest = m->digest;
		/* what an index that is promised has is hand's to say */
		p->here = (!p->name.by_digest || id32_eq(&m->digest,
		    &p->name.digest)) && is_here(p, &m->digest);
		p->buried = is_buried(p, &m->digest);
		if (p->here || p->buried)
			return -1;
	}
	fd = pulled_blob(&p->at, &m->digest, m->size);
	if (fd < 0) {
		char size[24];

		cli_error(p->c, "warren/images/%s: no place for %s more: %s",
		    PULLED_FOLDER, cli_bytes(size, m->size), strerror(errno));
	}
	return fd;
}

static bool
on_at(void *ctx, const struct msg_PULL_AT *m)
{
	struct pull *p = ctx;
	int64_t ms = mono_sub(clock_mono(), p->begun) / 1000;
	uint64_t rate = ms > 0 ? m->fetched * 1000 / (uint64_t)ms : 0;
	char done[24], total[24], speed[24], left[24];

	(void)cli_bytes(done, m->done);
	(void)cli_bytes(total, m->total);
	(void)cli_bytes(speed, rate);
	if (rate > 0 && m->total > m->done)
		cli_progress(p->c, "pulling %s: %s of %s, %s/s, %s left",
		    p->text, done, total, speed, cli_duration(left,
			(int64_t)((m->total - m->done) * 1000 / rate)));
	else
		cli_progress(p->c, "pulling %s: %s of %s", p->text, done,
		    total);
	return true;
}

/* ---- its ends ---- */

static int
exit_of(enum fetch_end end)
{
	switch (end) {
	case FETCH_REFUSED:
	case FETCH_REDIRECT:
		return CLI_REFUSED;
	case FETCH_NAME:
	case FETCH_UNREACHABLE:
	case FETCH_TLS:
	case FETCH_SLOW:
	case FETCH_LATER:
		return CLI_UNREACHABLE;
	default:
		return CLI_FAILED;
	}
}

static int
failed(struct pull *p, const struct msg_PULL_END *end)
{
	cli_error(p->c, "%s: %s", p->text, end->why);
	if (end->end == FETCH_UNREACHABLE || end->end == FETCH_SLOW ||
	    end->end == FETCH_BROKEN || end->end == FETCH_LATER)
		if (end->fetched > 0)
			cli_hint(p->c, "What has come stays: the same command "
			    "goes on there.");
	return exit_of((enum fetch_end)end->end);
}

static int
was_here(struct pull *p)
{
	_cleanup_fd_ int lock = store_lock(p->images);
	char hex[65], digest[72], full[STORE_NAME_MAX + 1];

	if (lock < 0) {
		cli_error(p->c, "the store cannot be locked: %s",
		    strerror(errno));
		return CLI_FAILED;
	}
	/* asked again: it may have gone since, and none goes from here on */
	if (is_buried(p, &p->manifest))
		return CLI_REFUSED;
	if (!is_here(p, &p->manifest)) {
		cli_error(p->c, "the image was here, and was removed "
		    "meanwhile");
		cli_hint(p->c, "The same command fetches it.");
		return CLI_FAILED;
	}
	if (store_set_name(p->images, p->as, &p->manifest) < 0) {
		cli_error(p->c, "names: %s", store_why(errno));
		return CLI_FAILED;
	}
	hex_encode(hex, HASH_BYTES(p->manifest));
	(void)store_name_ok(p->as, full);
	(void)snprintf(digest, sizeof(digest), "sha256:%s", hex);
	if (p->c->json) {
		cli_json(json_pack("{s:s,s:s,s:b,s:I}", "digest", digest,
		    "name", full, "was_here", 1, "fetched", (json_int_t)0));
		return CLI_OK;
	}
	printf("%s\n", digest);
	fprintf(stderr, "%s: was here, nothing was fetched\n", full);
	return CLI_OK;
}

/* What the layout's index names; more is taken. */
static int
import_layout(struct pull *p, json_t *more)
{
	struct image_import im = {.images = p->images, .name = p->as,
	    .share = p->share};
	char path[64];
	_cleanup_free_ char *real = NULL;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", p->at.dir);
	/* for hand the name counts: links of /proc are not followed there */
	real = realpath(path, NULL);
	im.path = real != NULL ? real : path;
	return image_take(p->c, &im, p->text, more);
}

static int
import(struct pull *p, const struct msg_PULL_END *end)
{
	int64_t ms = mono_sub(clock_mono(), p->begun) / 1000;
	char size[24], total[24];

	if (pulled_index(&p->at, &p->first.digest, p->first.size,
		p->first.type) < 0) {
		cli_error(p->c, "warren/images/%s: %s", PULLED_FOLDER,
		    strerror(errno));
		return CLI_FAILED;
	}
	cli_progress_end(p->c);
	if (!p->c->json)
		fprintf(stderr, "%s of %s were fetched\n", cli_bytes(size,
		    end->fetched), cli_bytes(total, end->total));
	return import_layout(p, p->c->json ? json_pack(
	    "{s:I,s:I,s:I}", "fetched", (json_int_t)end->fetched, "total",
	    (json_int_t)end->total, "fetch_ms", (json_int_t)ms) : NULL);
}

/* Over the mesh. */
static int
from_node(struct pull *p)
{
	struct image_from_ask ask = {.node = p->from, .image = p->text,
	    .images = p->images, .at = &p->at, .max = p->max,
	    .slow = p->slow, .by_digest = p->by_digest};
	struct image_from_done done = {0};
	struct image_from *f;
	char fetched[24], reused[24], total[24];
	int rc = image_from_open(p->c, &f, &ask, &p->manifest);

	p->begun = clock_mono();
	if (rc == CLI_OK && is_buried(p, &p->manifest))
		rc = CLI_REFUSED;
	else if (rc == CLI_OK && (p->here = is_here(p, &p->manifest)))
		rc = was_here(p);
	else if (rc == CLI_OK && (rc = image_from_fetch(f, &done)) == CLI_OK) {
		if (!p->c->json)
			fprintf(stderr, "%s were fetched of layers of %s, %s "
			    "were here\n", cli_bytes(fetched, done.fetched),
			    cli_bytes(total, done.total), cli_bytes(reused,
				done.reused));
		rc = import_layout(p, p->c->json ? json_pack(
		    "{s:I,s:I,s:I,s:I}", "fetched", (json_int_t)done.fetched,
		    "total", (json_int_t)done.total, "reused",
		    (json_int_t)done.reused, "fetch_ms", (json_int_t)(mono_sub(
			clock_mono(), p->begun) / 1000)) : NULL);
		if (rc == CLI_OK)
			image_from_drop(f);
	}
	image_from_close(f);
	return rc;
}

/* From there, as puller_run(). */
static int
fetch(struct pull *p, const struct regname *from, const char *ca, int secret,
    struct msg_PULL_END *end, char *why, size_t cap)
{
	struct puller job = {.ca = ca, .hosts = p->also, .secret = secret,
	    .ctx = p, .file = on_file, .at = on_at};
	int rv;

	job.ask.port = from->port;
	job.ask.insecure = p->insecure;
	job.ask.hub = from->hub;
	job.ask.max = p->max;
	(void)snprintf(job.ask.host, sizeof(job.ask.host), "%s", from->host);
	(void)snprintf(job.ask.repo, sizeof(job.ask.repo), "%s", p->name.repo);
	(void)snprintf(job.ask.pin, sizeof(job.ask.pin), "%s", p->pin == NULL ||
	    from != &p->name ? "" : p->pin);
	regname_ref(&p->name, job.ask.ref);
	p->begun = clock_mono();
	p->first.kind = 0;
	cli_progress(p->c, "pulling %s ...", p->text);
	rv = puller_run(&job, end, why, cap);
	cli_progress_end(p->c);
	return rv;
}

static int
run(struct pull *p, const char *ca, int secret)
{
	struct msg_PULL_END end = {.end = FETCH_OWN};
	char why[200] = "";
	int rv = 0;

	if (p->mirror.host[0] != '\0') {
		rv = fetch(p, &p->mirror, ca, -1, &end, why, sizeof(why));
		if (rv == 0 && end.end != FETCH_OK)
			cli_note(p->c, "%s of the mirror: %s; the registry is "
			    "asked", p->text, end.why);
	}
	if (rv == 0 && end.end != FETCH_OK)
		rv = fetch(p, &p->name, ca, secret, &end, why, sizeof(why));
	if (rv < 0) {
		cli_error(p->c, "%s", why);
		return CLI_FAILED;
	}
	if (p->buried)
		return CLI_REFUSED; /* said, as what follows */
	if (p->here)
		return was_here(p);
	if (rv == 1)
		return CLI_FAILED;
	return end.end == FETCH_OK ? import(p, &end) : failed(p, &end);
}

static int
open_places(struct pull *p)
{
	int rc;

	p->images = imagedir_open(p->c, true, &rc);
	if (p->images < 0)
		return rc;
	if (pulled_open(&p->at, p->images, true) == 0)
		return CLI_OK;
	if (errno == EWOULDBLOCK)
		cli_error(p->c, "another pull is at work in this store");
	else
		cli_error(p->c, "warren/images/%s: %s", PULLED_FOLDER,
		    strerror(errno));
	return CLI_FAILED;
}

static int
credentials(struct pull *p, int *fd)
{
	char why[400];

	*fd = -1;
	if (p->auth == NULL)
		return CLI_OK;
	*fd = regauth_load(p->auth, &p->name, why, sizeof(why));
	if (*fd >= 0)
		return CLI_OK;
	if (why[0] == '\0')
		cli_error(p->c, "%s: nothing in it is of this registry",
		    p->auth);
	else
		cli_error(p->c, "%s", why);
	return CLI_FAILED;
}

int
verb_image_pull(struct cli *c, int argc, char **argv)
{
	static struct pull p;
	_cleanup_free_ char *ca = NULL;
	_cleanup_fd_ int secret = -1;
	int rc;

	p = (struct pull){.c = c, .images = -1, .max = MAX_DEFAULT,
	    .at = {-1, -1}};
	rc = cli_options(c, VERB_IMAGE_PULL, argc, argv, set_one, &p);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	p.text = argv[c->arg];
	if (!options_fit(&p))
		return CLI_USAGE;
	if ((rc = read_name(&p)) != CLI_OK ||
	    (p.from == NULL && (rc = credentials(&p, &secret)) != CLI_OK))
		return rc;
	if (p.from == NULL && (ca = certificates(&p)) == NULL)
		return CLI_FAILED;
	if ((rc = open_places(&p)) == CLI_OK) {
		(void)pulled_prune(&p.at, p.max > PULLED_KEEP ? p.max :
		    PULLED_KEEP, false, NULL);
		rc = p.from != NULL ? from_node(&p) : run(&p, ca, secret);
		/* what was cut stays for the next time */
		if (rc == CLI_OK)
			(void)pulled_prune(&p.at, PULLED_KEEP, false, NULL);
	}
	pulled_close(&p.at);
	close_fd(&p.images);
	return rc;
}
