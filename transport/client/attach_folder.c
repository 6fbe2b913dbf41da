/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/client/attach_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/where.h"
#include "common/wire.h"
#include "transport/client/state.h"
#include "transport/core/table/stores.h"

#define STORED_MAX (64u << 20)

/* ---- the configuration folder ---- */

char *
afolder_find(const char *given)
{
	char dir[4096];

	if (given != NULL)
		return strdup(given);
	if (!where_config(dir, sizeof(dir))) {
		errno = ENOENT;
		return NULL;
	}
	return strdup(dir);
}

int
afolder_read(struct attach *a, char *why, size_t cap)
{
	_cleanup_fd_ int fd = -1;
	struct mistakes m = {0};
	char *text;
	size_t len;

	fd = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	text = fd < 0 ? NULL : file_load(fd, "config", CONF_TEXT_MAX, &len);
	if (text == NULL) {
		int saved = errno;

		(void)snprintf(why, cap, "%s/config: %s", a->dir,
		    strerror(saved));
		errno = saved;
		return -1;
	}
	if (rnsconf_parse(&a->conf, text, len, &m) < 0) {
		char file[4400];

		(void)snprintf(file, sizeof(file), "%s/config", a->dir);
		mistake_line(why, cap, file, &m.v[0]);
		explicit_bzero(text, len);
		free(text);
		errno = EINVAL;
		return -1;
	}
	explicit_bzero(text, len);
	free(text);
	if (!a->conf->share_instance) {
		(void)snprintf(why, cap, "%s/config says share_instance = no",
		    a->dir);
		errno = EOPNOTSUPP;
		return -1;
	}
	return 0;
}

/* ---- what the folder knows already ---- */

static void
load_ratchet(struct attach *a, int dir, const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RATCHET_ADD};
	char name[2 * RNS_HASH + 1];
	uint8_t buf[256];
	ssize_t n;

	hex_encode(name, HASH_BYTES(*dest));
	if ((n = file_read(dir, name, buf, sizeof(buf))) <= 0 ||
	    stores_ratchet_get(buf, (size_t)n, cmd.ratchet.key,
	    &cmd.ratchet.received_us) != RNS_OK)
		return;
	cmd.ratchet.dest = *dest;
	(void)rns_submit(a->rns, &cmd, clock_mono());
}

static void
load_entries(struct attach *a, struct rd *r, size_t count, int ratchets)
{
	struct rns_cmd cmd;
	struct rns_known k;
	int rc;

	for (; count > 0; count--) {
		if ((rc = stores_known_next(r, &k)) == RNS_EPARSE)
			return;
		if (rc != RNS_OK)
			continue;
		cmd = stores_known_cmd(&k);
		if (rns_submit(a->rns, &cmd, clock_mono()) == RNS_OK &&
		    ratchets >= 0)
			load_ratchet(a, ratchets, &k.dest);
	}
}

void
afolder_known(struct attach *a)
{
	_cleanup_fd_ int dir = -1, storage = -1, ratchets = -1;
	_cleanup_free_ char *buf = NULL;
	size_t len, count;
	struct rd r;

	dir = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	storage = dir_open(dir, "storage", false, 0);
	buf = storage < 0 ? NULL : file_load(storage, "known_destinations",
	    STORED_MAX, &len);
	if (buf == NULL)
		return;
	ratchets = dir_open(storage, "ratchets", false, 0);
	r = rd_make(buf, len);
	if (stores_known_head(&r, &count) == RNS_OK)
		load_entries(a, &r, count, ratchets);
}
