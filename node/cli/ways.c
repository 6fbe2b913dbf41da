/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/cli.h"

/* ways: "DEST NEXT_HOP HOPS KEY FOLDER" a line, the newest first */
#define FILE_NAME "ways"
#define AT_NEXT (2 * RNS_HASH + 1)
#define AT_HOPS (AT_NEXT + 2 * RNS_HASH + 1)
#define AT_KEY (AT_HOPS + 3)
#define AT_FOLDER (AT_KEY + 2 * RNS_KEY + 1)
#define WAYS_MAX 64 /* ours */
#define BYTES_MAX (WAYS_MAX * (AT_FOLDER + CLI_PATH))

static bool
is_through(const char *line, size_t len, const char *folder)
{
	return len == AT_FOLDER + strlen(folder) &&
	    memcmp(line + AT_FOLDER, folder, len - AT_FOLDER) == 0;
}

static bool
is_for(const char *line, size_t len, const char *folder,
    const char dest[2 * RNS_HASH + 1])
{
	return is_through(line, len, folder) &&
	    memcmp(line, dest, 2 * RNS_HASH) == 0;
}

static bool
read_line(const char *line, struct attach_way *out)
{
	return hex_decode(HASH_BYTES(out->next_hop), line + AT_NEXT,
		   2 * RNS_HASH) &&
	    hex_decode(&out->hops, 1, line + AT_HOPS, 2) &&
	    hex_decode(out->public_key, RNS_KEY, line + AT_KEY, 2 * RNS_KEY);
}

static bool
is_key_of(const struct attach_way *out, const struct hash16 *dest)
{
	struct hash16 id, want;

	rns_identity_hash_of(&id, out->public_key);
	return rns_dest_hash(&want, "klp.node", &id) == RNS_OK &&
	    hash16_eq(&want, dest);
}

bool
ways_find(const struct person *p, const char *folder,
    const struct hash16 *dest, const uint8_t key[RNS_KEY],
    struct attach_way *out)
{
	_cleanup_free_ char *text = NULL;
	char hex[2 * RNS_HASH + 1];
	bool other = false;
	size_t len, n;

	text = p->dir < 0 ? NULL : file_load(p->dir, FILE_NAME, BYTES_MAX, &len);
	hex_encode(hex, HASH_BYTES(*dest));
	for (const char *line = text; line != NULL && *line != '\0'; line += n) {
		n = strcspn(line, "\n");
		if (is_for(line, n, folder, hex))
			return read_line(line, out) && is_key_of(out, dest);
		/* the next hop from here is the instance, whatever is behind */
		if (!other && key != NULL && is_through(line, n, folder))
			other = read_line(line, out) && out->hops > 0;
		n += line[n] == '\n';
	}
	if (!other)
		return false;
	out->hops = 1;
	memcpy(out->public_key, key, RNS_KEY);
	return is_key_of(out, dest);
}

void
ways_note(const struct person *p, const char *folder,
    const struct hash16 *dest, const struct attach_way *way)
{
	_cleanup_free_ char *old = NULL, *text = NULL;
	char hex[2 * RNS_HASH + 1], next[2 * RNS_HASH + 1];
	char key[2 * RNS_KEY + 1];
	size_t len = 0, n, kept = 1;
	int k;

	if (p->dir < 0 || strchr(folder, '\n') != NULL ||
	    strlen(folder) >= CLI_PATH)
		return;
	hex_encode(hex, HASH_BYTES(*dest));
	hex_encode(next, HASH_BYTES(way->next_hop));
	hex_encode(key, way->public_key, RNS_KEY);
	old = file_load(p->dir, FILE_NAME, BYTES_MAX, &len);
	text = malloc(len + AT_FOLDER + CLI_PATH + 2);
	if (text == NULL)
		return;
	k = snprintf(text, AT_FOLDER + CLI_PATH + 2, "%s %s %02x %s %s\n", hex,
	    next, way->hops, key, folder);
	if (k < 0 ||
	    (old != NULL && strncmp(old, text, (size_t)k) == 0))
		return; /* the first line already */
	for (const char *line = old; line != NULL && *line != '\0' &&
	     kept < WAYS_MAX; line += n) {
		n = strcspn(line, "\n");
		if (!is_for(line, n, folder, hex) && line[n] == '\n') {
			memcpy(text + k, line, n + 1);
			k += (int)n + 1;
			kept++;
		}
		n += line[n] == '\n';
	}
	(void)file_replace(p->dir, FILE_NAME, text, (size_t)k, 0600);
}
