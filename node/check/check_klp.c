/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/check_klp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/netaddr.h"
#include "common/util.h"
#include "common/weburl.h"
#include "node/check/check_policy.h"
#include "node/check/follow.h"
#include "trust/doc/head.h"
#include "trust/doc/root.h"
#include "trust/doc/rootsdoc.h"
#include "trust/doc/sigroot.h"

#define CA_BYTES (2u << 20) /* as trust/egress takes them */

/*
 * Who runs by a number of its own reads what everybody may. false: told, or not
 * there.
 */
static bool
readable(struct check *c, const char *path)
{
	struct stat st;

	if (fstatat(c->dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (!S_ISREG(st.st_mode))
		check_tell(c, true, path, 0, 0, NULL,
		    "is not used: no regular file");
	else if (c->root && (st.st_mode & S_IROTH) == 0)
		check_tell(c, true, path, 0, 0, "chmod a+r",
		    "warren-trust cannot read it");
	else
		return true;
	return false;
}

/* klp/documents/NAME/head: the newest root need not be the pinned one. */
static void
check_head(struct check *c, const char *name, const struct id32 *id)
{
	_cleanup_free_ char *text = NULL;
	struct head h;
	struct env e;
	const char *why;
	char path[400];
	size_t len;

	(void)snprintf(path, sizeof(path), "klp/documents/%s/head", name);
	if (!readable(c, path) ||
	    (text = check_load(c->dir, path, O_NOFOLLOW, HEAD_BYTES, &len)) ==
		NULL)
		return;
	if ((why = head_parse(&h, &e, text, len)) != NULL)
		check_tell(c, true, path, 0, 0, NULL, "is not used: %s", why);
	else if (memcmp(h.atag, id->b, sizeof(h.atag)) != 0)
		check_tell(c, true, path, 0, 0, NULL,
		    "is not used: of another authority than the pinned root");
	else if ((int64_t)h.expires <= (int64_t)time(NULL))
		check_tell(c, true, path, 0, 0, "bring what its authority "
		    "publishes now", "has expired: nothing new is taken");
}

static void
check_authority(struct check *c, const char *name)
{
	struct root *r = calloc(1, sizeof(*r));
	_cleanup_free_ char *text = NULL;
	const char *why = "no memory";
	struct id32 id;
	char path[400];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "klp/authorities/%s.root.json",
	    name);
	if (faccessat(c->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
	    errno == ENOENT) {
		check_tell(c, true, "node.yaml", 0, 0, "put its first root "
		    "there", "nothing of %s counts: there is no %s", name,
		    path);
	} else if (readable(c, path)) {
		text = check_load(c->dir, path, O_NOFOLLOW, ROOT_BYTES, &len);
		if (text == NULL)
			why = strerror(errno);
		else if (r != NULL)
			why = root_first(r, &id, text, len);
		if (why == NULL && strncmp(name, "x-", 2) != 0 &&
		    strcmp(r->authority, name) != 0)
			why = "names another authority than its file";
		if (why != NULL)
			check_tell(c, true, path, 0, 0, NULL,
			    "is not used: %s", why);
		else
			check_head(c, name, &id);
	}
	free(r);
}

/* Each once; names[] are not the struct's. */
static void
add(char names[][URI_NAME_MAX + 1], unsigned *n, unsigned max,
    const char *text, bool whole)
{
	struct klp_uri u;

	if (text == NULL || *n >= max ||
	    !(whole ? uri_parse(&u, text, strlen(text)) :
		uri_authority(&u, text, strlen(text))))
		return;
	for (unsigned i = 0; i < *n; i++)
		if (strcmp(names[i], u.authority) == 0)
			return;
	memcpy(names[(*n)++], u.authority, sizeof(names[0]));
}

/* Without it no web server is believed; the rest of the node does. */
static void
check_ca(struct check *c, const struct node_config *conf)
{
	const struct ynode *n = ynode_get(ynode_get(ydoc_root(conf->doc),
	    "klp"), "ca");
	_cleanup_free_ char *text = NULL;
	char why[FOLLOW_WHY] = "";
	size_t len;

	if (conf->ca == NULL)
		return;
	text = check_load_own(c->dir, conf->ca, c->root, why, CA_BYTES, &len);
	if (text == NULL)
		check_tell(c, false, "node.yaml", n->line, n->column, NULL,
		    "klp.ca: %.200s: %s", conf->ca, why[0] != '\0' ? why :
		    strerror(errno));
	else if (strstr(text, "-----BEGIN CERTIFICATE-----") == NULL)
		check_tell(c, false, "node.yaml", n->line, n->column,
		    "PEM, as in /etc/ssl/certs/ca-certificates.crt",
		    "klp.ca: %.200s has no certificate", conf->ca);
}

/* Of the hosts that are named: an address that egress would not go to. */
static void
check_gateway(struct check *c, const struct node_config *conf,
    const struct ynode *n, const char *text)
{
	struct weburl u, named;
	enum netaddr_kind kind;

	if (weburl_parse(&u, text) != NULL || u.family == 0 ||
	    (kind = netaddr_kind(u.family, u.addr)) == NETADDR_PUBLIC)
		return;
	for (size_t i = 0; i < conf->nprivate_hosts; i++)
		if (weburl_host(&named, conf->private_hosts[i],
			strlen(conf->private_hosts[i])) == NULL &&
		    strcmp(named.host, u.host) == 0)
			return;
	check_tell(c, true, "node.yaml", n->line, n->column,
	    "name it in klp.private_hosts if that is meant",
	    "nothing is fetched from %s, %s", u.host, netaddr_text(kind));
}

static void
check_gateways(struct check *c, const struct node_config *conf,
    unsigned authorities)
{
	const struct ynode *n = ynode_get(ynode_get(ydoc_root(conf->doc),
	    "klp"), "gateways");

	if (conf->ngateways > 0 && authorities == 0)
		check_tell(c, true, "node.yaml", n->line, n->column, "as in "
		    "trust_graph: klp://AUTHORITY/PATH", "nothing is fetched "
		    "from klp.gateways: no authority is named");
	for (size_t i = 0; i < conf->ngateways; i++)
		check_gateway(c, conf, n, conf->gateways[i]);
}

typedef char authority_name[URI_NAME_MAX + 1];
#define NAMES_MAX                                                              \
	(2 + NODE_ANCHORS_FROM_MAX + NODE_BOARDS_MAX + ATTEST_SIGNERS_MAX +    \
	    ATTEST_ROOTS_MAX)

/* Of all authorities that node.yaml names. */
static unsigned
names_of(authority_name names[NAMES_MAX], const struct node_config *conf)
{
	unsigned n = 0;

	add(names, &n, NAMES_MAX, conf->trust_graph, true);
	add(names, &n, NAMES_MAX, conf->revocation_list, true);
	for (size_t i = 0; i < conf->nanchors_from; i++)
		add(names, &n, NAMES_MAX, conf->anchors_from[i], false);
	for (size_t i = 0; i < conf->nboards; i++)
		add(names, &n, NAMES_MAX, conf->boards[i].authority, false);
	for (size_t i = 0; i < conf->attest.nsigners; i++)
		if (conf->attest.signer[i].authority != NULL)
			add(names, &n, NAMES_MAX,
			    conf->attest.signer[i].authority, false);
	for (unsigned i = 0; attest_conf_roots(&conf->attest, i) != NULL; i++)
		if (attest_conf_is_document(attest_conf_roots(&conf->attest,
			i)))
			add(names, &n, NAMES_MAX,
			    attest_conf_roots(&conf->attest, i), true);
	return n;
}

/* Does this pinned root name a web server? */
static bool
root_https(int dir, const char *name)
{
	struct root *r = calloc(1, sizeof(*r));
	_cleanup_free_ char *text = NULL;
	char path[400];
	struct id32 id;
	size_t len = 0;
	bool any = false;

	(void)snprintf(path, sizeof(path), "klp/authorities/%s.root.json",
	    name);
	text = check_load(dir, path, O_NOFOLLOW, ROOT_BYTES, &len);
	if (r != NULL && text != NULL &&
	    root_first(r, &id, text, len) == NULL)
		any = r->nhttps > 0;
	free(r);
	return any;
}

bool
check_klp_https(int dir, const struct node_config *conf)
{
	static authority_name names[NAMES_MAX];
	unsigned n = names_of(names, conf);
	bool any = n > 0 && conf->ngateways > 0;

	for (unsigned i = 0; i < n && !any; i++)
		any = root_https(dir, names[i]);
	return any;
}

static void
tell_end(struct check *c, const char *path, const struct sigroot *r)
{
	int64_t now = (int64_t)time(NULL), end;
	const char *what;

	end = sigroot_end(r, &what);
	if (end < now)
		check_tell(c, true, path, 0, 0, "take a newer one",
		    "nothing that is signed from now on counts by it: %s",
		    what);
	else if (end - now <= 7 * 86400)
		check_tell(c, true, path, 0, 0, "take a newer one", "in %lld "
		    "days nothing that is signed counts by it: %s",
		    (long long)((end - now) / 86400), what);
}

/*
 * The document of an authority, as it lies in klp/documents: who fetches it has
 * none there. Its signatures, the judge looks at.
 */
static void
check_rootsdoc(struct check *c, const char *uri)
{
	_cleanup_free_ char *text = NULL;
	char path[URI_NAME_MAX + URI_MAX + 20], why[SIGROOT_WHY_MAX] = "";
	struct sigroot *r = NULL;
	struct klp_uri u;
	struct rootsdoc d;
	const char *bad;
	struct env e;
	size_t len;

	if (!uri_parse(&u, uri, strlen(uri)))
		return;
	(void)snprintf(path, sizeof(path), "klp/documents/%s/%s", u.authority,
	    u.path);
	if (!readable(c, path) || (text = check_load(c->dir, path, O_NOFOLLOW,
	    ROOTSDOC_BYTES, &len)) == NULL)
		return;
	if (env_parse(&e, text, len, ROOTSDOC_BYTES, ROOTSDOC_PAYLOAD,
		&bad) != 0)
		(void)snprintf(why, sizeof(why), "%s", bad);
	else if (rootsdoc_parse(&d, e.payload, e.payload_len, why)) {
		r = sigroot_parse(d.text, d.len, why);
		if (r != NULL && (int64_t)d.expires <= (int64_t)time(NULL))
			check_tell(c, true, path, 0, 0, "bring what its "
			    "authority publishes now", "has expired: it is "
			    "not taken");
		rootsdoc_clear(&d);
	}
	env_clear(&e);
	if (r == NULL)
		check_tell(c, true, path, 0, 0, NULL, "is not used: %s", why);
	else
		tell_end(c, path, r);
	sigroot_free(r);
}

/* By whom certificates and logs are believed: klp/roots/NAME. */
static void
check_sigroot(struct check *c, const char *name)
{
	_cleanup_free_ char *text = NULL;
	struct sigroot *r = NULL;
	char why[SIGROOT_WHY_MAX] = "";
	char path[200];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "klp/" ATTEST_ROOTS_DIR "/%s", name);
	if (faccessat(c->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
	    errno == ENOENT) {
		check_tell(c, true, "node.yaml", 0, 0, "put a "
		    "trusted_root.json of sigstore there", "no signature "
		    "counts by it: there is no %s", path);
		return;
	}
	if (!readable(c, path))
		return;
	text = check_load(c->dir, path, O_NOFOLLOW, SIGROOT_TEXT_MAX, &len);
	if (text == NULL)
		(void)snprintf(why, sizeof(why), "%s", strerror(errno));
	else
		r = sigroot_parse(text, len, why);
	if (r == NULL) {
		check_tell(c, false, path, 0, 0, NULL, "is not used: %s", why);
		c->off++; /* its images are refused */
	} else {
		tell_end(c, path, r);
	}
	sigroot_free(r);
}

/* Where it runs, the node's folder is an empty one. */
static bool
is_hidden(const struct check *c, const char *real)
{
	_cleanup_free_ char *dir = NULL;
	char link[40];
	size_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", c->dir);
	if ((dir = realpath(link, NULL)) == NULL)
		return false;
	n = strlen(dir);
	return strncmp(dir, real, n) == 0 && real[n] == '/';
}

/* The first folder on the way that not everybody may enter; false: none. */
static bool
is_shut(const char *path, char out[PATH_MAX])
{
	struct stat st;

	for (const char *p = strchr(path + 1, '/'); p != NULL;
	    p = strchr(p + 1, '/')) {
		(void)snprintf(out, PATH_MAX, "%.*s", (int)(p - path), path);
		if (stat(out, &st) == 0 && (st.st_mode & S_IXOTH) == 0)
			return true;
	}
	return false;
}

/* Looked at as the parent will execute it: not in its own folder. */
static void
check_verifier(struct check *c, const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	char shut[PATH_MAX];
	struct stat st;

	if (real == NULL || stat(real, &st) != 0)
		check_tell(c, true, "node.yaml", 0, 0, NULL, "the verifier "
		    "%.200s counts for nothing: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || (st.st_mode & S_IXOTH) == 0 ||
	    (st.st_mode & S_IROTH) == 0)
		check_tell(c, true, "node.yaml", 0, 0, "chmod a+rx",
		    "the verifier %.200s counts for nothing: not everybody "
		    "may execute it", path);
	else if (is_hidden(c, real))
		check_tell(c, true, "node.yaml", 0, 0, "put it elsewhere",
		    "the verifier %.200s counts for nothing: it lies in the "
		    "folder of the node, which is hidden from it", path);
	else if (c->root && (is_shut(path, shut) || is_shut(real, shut)))
		check_tell(c, true, "node.yaml", 0, 0, "chmod a+x", "the "
		    "verifier %.200s counts for nothing: not everybody may "
		    "enter %.200s", path, shut);
}

void
check_klp(struct check *c, const struct node_config *conf)
{
	static authority_name names[NAMES_MAX];
	unsigned n = names_of(names, conf);
	const char *roots;

	if (!conf->accept)
		return;
	check_ca(c, conf);
	check_gateways(c, conf, n);
	check_policy(c, conf);
	for (unsigned i = 0; (roots = attest_conf_roots(&conf->attest, i)) !=
	    NULL; i++)
		if (attest_conf_is_document(roots))
			check_rootsdoc(c, roots);
		else
			check_sigroot(c, roots);
	for (unsigned i = 0; attest_conf_verifier(&conf->attest, i) != NULL;
	    i++)
		check_verifier(c, attest_conf_verifier(&conf->attest, i));
	for (unsigned i = 0; i < n; i++)
		check_authority(c, names[i]);
}
