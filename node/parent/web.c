/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/web.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/util.h"
#include "common/weburl.h"
#include "common/where.h"
#include "node/check/check_klp.h"
#include "node/parent/child.h"
#include "node/parent/dirs.h"
#include "node/parent/hubfiles.h"
#include "node/parent/parent.h"
#include "node/parent/resolve.h"

/* ---- settings ---- */

/* needed: not only by a hub that has its own */
static char *
certificates(struct parent *p, bool needed, size_t *len)
{
	char *text;

	if (p->node->ca != NULL) {
		text = dirs_read(p, p->dir, p->node->ca,
		    WHERE_CERTIFICATES_MAX, len);
		if (text == NULL)
			log_err(p->node->ca, "klp.ca: no web server is "
			    "believed");
		return text;
	}
	for (unsigned i = 0; where_certificates(i) != NULL; i++) {
		text = dirs_read(p, p->dir, where_certificates(i),
		    WHERE_CERTIFICATES_MAX, len);
		if (text != NULL)
			return text;
	}
	if (needed)
		log_errx("klp.ca", "no certificates of authorities are here, "
		    "so no web server is believed: install ca-certificates, "
		    "or set klp.ca");
	return NULL;
}

static int
hosts(const struct node_config *c)
{
	char text[NODE_PRIVATE_HOSTS_MAX * (WEBURL_HOST_MAX + 1) + 1];
	size_t n = 0;

	for (size_t i = 0; i < c->nprivate_hosts; i++) {
		const char *s = c->private_hosts[i];
		struct weburl u;

		if (weburl_host(&u, s, strlen(s)) == NULL)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%s\n", u.host);
	}
	if (n == 0)
		text[n++] = '\n'; /* none: an empty memfd is no setting */
	return memfd_sealed("hosts", text, n);
}

int
web_load(struct parent *p)
{
	_cleanup_free_ char *pem = NULL;
	bool klp = check_klp_https(p->dir, p->node);
	size_t len = 0;

	close_fd(&p->fd_web_ca);
	close_fd(&p->fd_web_hosts);
	p->web = p->compute && (klp || p->node->hub.url != NULL);
	if (hubfiles_load(p) < 0)
		return -1;
	if (!p->web)
		return 0;
	pem = certificates(p, klp || p->node->hub.ca == NULL, &len);
	p->fd_web_ca = memfd_sealed("certificates", pem == NULL ? "\n" : pem,
	    pem == NULL ? 1 : len);
	p->fd_web_hosts = hosts(p->node);
	if (p->fd_web_ca >= 0 && p->fd_web_hosts >= 0)
		return 0;
	log_err("egress", "memfd");
	return -1;
}

static int
send_one(struct ipc *c, enum setting what, int fd)
{
	struct msg_SETTING m = {.what = (uint8_t)what};

	return ipc_send_SETTING(c, &m, &fd, 1);
}

int
web_send(struct parent *p, struct ipc *c)
{
	return send_one(c, SET_WEB_HOSTS, p->fd_web_hosts) < 0 ||
	    send_one(c, SET_WEB_CA, p->fd_web_ca) < 0 ? -1 :
	    hubfiles_send_egress(p, c);
}

int
web_reload(struct parent *p)
{
	struct child *c = &p->child[PROGRAM_EGRESS];

	if (web_load(p) < 0)
		return -1;
	return p->web && c->ev != NULL ?
	    web_send(p, ipc_ev_channel(c->ev)) : 0;
}

/* ---- names ---- */

static void
answer(struct parent *p, const struct msg_LOOKED_UP *m)
{
	struct child *c = &p->child[PROGRAM_EGRESS];

	if (c->ev != NULL &&
	    ipc_send_LOOKED_UP(ipc_ev_channel(c->ev), m, NULL, 0) < 0)
		log_debug("egress", "not told an address");
}

static void
found(void *ctx, const struct lookup_addr *list, unsigned count,
    const char *error)
{
	struct web_look_up *w = ctx;
	struct msg_LOOKED_UP m = {.seq = w->seq};

	w->resolve = NULL;
	for (unsigned i = 0; i < count; i++) {
		uint8_t *at = m.addrs + m.addrs_len;

		at[0] = list[i].family;
		memcpy(at + 1, list[i].addr, sizeof(list[i].addr));
		m.addrs_len = (uint16_t)(m.addrs_len + IPC_ADDR);
	}
	if (count == 0)
		(void)snprintf(m.why, sizeof(m.why), "%s",
		    error != NULL ? error : "no address");
	answer(w->parent, &m);
}

void
web_look_up(struct parent *p, const struct msg_LOOK_UP *m)
{
	struct msg_LOOKED_UP no = {.seq = m->seq};

	for (size_t i = 0; i < NELEM(p->web_look_ups); i++) {
		struct web_look_up *w = &p->web_look_ups[i];

		if (w->resolve != NULL)
			continue;
		w->parent = p;
		w->seq = m->seq;
		w->resolve = resolve_start(p, m->host, found, w);
		if (w->resolve != NULL)
			return;
		break;
	}
	(void)snprintf(no.why, sizeof(no.why), "too many names are looked up "
	    "at once");
	answer(p, &no);
}

void
web_clear(struct parent *p)
{
	for (size_t i = 0; i < NELEM(p->web_look_ups); i++) {
		resolve_stop(p->web_look_ups[i].resolve);
		p->web_look_ups[i].resolve = NULL;
	}
}
