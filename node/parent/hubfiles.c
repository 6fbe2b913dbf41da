/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/hubfiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/util.h"
#include "node/check/check_hub.h"
#include "node/parent/parent.h"
#include "trust/doc/keytext.h"

/* For egress; f NULL: there is none. -1. */
static int
post_fd(struct parent *p, const struct hub_files *f)
{
	const struct hub_conf *h = &p->node->hub;
	struct hubset s = {.url = ""};
	uint8_t *text = malloc(HUBSET_BYTES);
	char urn[URN_MAX] = "";
	size_t n = 0;
	int fd = -1;

	if (f != NULL) {
		(void)urn_make(urn, "kindai", "device", &p->mesh_fp);
		(void)snprintf(s.url, sizeof(s.url), "%s", h->url);
		(void)snprintf(s.pin, sizeof(s.pin), "%s",
		    h->pin != NULL ? h->pin : "");
		(void)snprintf(s.node, sizeof(s.node), "%s", urn);
		hub_files_set(f, &s);
	}
	if (text != NULL && (n = hubset_put(text, HUBSET_BYTES, &s)) > 0)
		fd = memfd_sealed("hub", text, n);
	if (text != NULL)
		explicit_bzero(text, n);
	free(text);
	return fd;
}

/* For audit: another address is another hub, which has nothing yet. -1. */
static int
audit_fd(struct parent *p)
{
	const struct hub_conf *h = &p->node->hub;
	uint8_t id[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(id) + 1], to[2 * RNS_HASH_LEN + 1] = "";
	char text[200];
	const char *where = h->mesh ? to : h->url;
	int n;

	if (h->mesh)
		hex_encode(to, HASH_BYTES(h->identity));
	if (where == NULL)
		return memfd_sealed("hub", "\n", 1); /* not empty: no setting */
	(void)crypto_hash_sha256(id, (const uint8_t *)where, strlen(where));
	hex_encode(hex, id, sizeof(id));
	n = snprintf(text, sizeof(text), "%s %u %u %llu %s\n", hex,
	    h->min_severity, h->batch_events,
	    (unsigned long long)h->batch_bytes, to);
	return memfd_sealed("hub", text, (size_t)n);
}

int
hubfiles_load(struct parent *p)
{
	bool on = p->compute && p->node->hub.url != NULL;
	struct hub_files f = {.bad = NULL};

	close_fd(&p->fd_hub_post);
	close_fd(&p->fd_hub);
	if (!p->compute)
		return 0;
	if (on && !hub_files_load(&f, p->dir, p->root, &p->node->hub))
		log_errx("node.yaml", "hub.%s: %s: %s: no events are sent",
		    f.bad, f.file, f.why);
	/* audit keeps its place, and is told that nobody takes them */
	p->fd_hub_post = post_fd(p, on && f.bad == NULL ? &f : NULL);
	p->fd_hub = audit_fd(p);
	hub_files_free(&f);
	if (p->fd_hub_post >= 0 && p->fd_hub >= 0)
		return 0;
	log_err("hub", "memfd");
	return -1;
}

static int
send_it(struct ipc *c, enum setting what, int fd)
{
	struct msg_SETTING m = {.what = (uint8_t)what};

	return ipc_send_SETTING(c, &m, &fd, 1);
}

int
hubfiles_send_egress(struct parent *p, struct ipc *c)
{
	return send_it(c, SET_HUB_POST, p->fd_hub_post);
}

int
hubfiles_send_audit(struct parent *p, struct ipc *c)
{
	return send_it(c, SET_HUB, p->fd_hub);
}

int
hubfiles_send_transport(struct parent *p, struct ipc *c)
{
	const struct hub_conf *h = p->node == NULL ? NULL : &p->node->hub;
	char to[2 * RNS_HASH_LEN + 1] = "-";
	int fd, r;

	if (p->compute && h != NULL && h->mesh)
		hex_encode(to, HASH_BYTES(h->identity));
	fd = memfd_sealed("hub", to, strlen(to));
	r = fd < 0 ? -1 : send_it(c, SET_HUB_PEER, fd);
	if (fd >= 0)
		(void)close(fd);
	return r;
}
