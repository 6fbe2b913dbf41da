/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "trust/egress/hub.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc.h"

struct hub *
hub_new(int fd)
{
	struct hub *h = calloc(1, sizeof(*h));
	const uint8_t *map;
	size_t len = 0;

	map = h == NULL ? NULL : memfd_map(fd, &len, HUBSET_BYTES);
	if (map != NULL && (h->text = malloc(len)) != NULL) {
		memcpy(h->text, map, len);
		h->len = len;
	}
	memfd_unmap(map, len);
	(void)close(fd);
	if (h == NULL)
		return NULL;
	h->users = 1;
	if (h->text != NULL && hubset_get(&h->set, h->text, h->len))
		return h;
	hub_drop(h);
	return NULL;
}

struct hub *
hub_use(struct hub *h)
{
	h->users++;
	return h;
}

void
hub_drop(struct hub *h)
{
	if (h == NULL || --h->users > 0)
		return;
	if (h->text != NULL)
		explicit_bzero(h->text, h->len);
	free(h->text);
	free(h);
}
