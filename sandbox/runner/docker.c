/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/docker.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/pattern.h"
#include "common/util.h"
#include "sandbox/runner/terms.h"

#define LABEL "warren.node"
#define LABEL_MEET "warren.meet" /* in hex: of a path everything may be in it */
#define IMAGE "warren-inner" /* its tag is the node's */
/*
 * Ours, of the group that the daemon gives: its runtime's own start, and the
 * first process, which waits. The job goes into its own groups.
 */
#define ROOM_MEMORY (64ll << 20)
#define ROOM_PIDS 64

/* ---- requests ---- */

static size_t
said(int n, size_t cap)
{
	return n < 0 || (size_t)n >= cap ? 0 : (size_t)n;
}

static size_t
plain(char *out, size_t cap, const char *method, const char *path)
{
	return said(snprintf(out, cap, "%s %s HTTP/1.1\r\nHost: docker\r\n"
	    "Connection: close\r\nContent-Length: 0\r\n\r\n", method, path), cap);
}

size_t
docker_version_request(char *out, size_t cap)
{
	return plain(out, cap, "GET", "/version");
}

size_t
docker_info_request(char *out, size_t cap)
{
	return plain(out, cap, "GET", "/info");
}

size_t
docker_image_request(char *out, size_t cap, const char *node,
    const char *meet, uint64_t bytes)
{
	size_t len = strlen(meet);
	char hex[2 * DOCKER_MEET];

	if (len >= DOCKER_MEET)
		return 0;
	hex_encode(hex, (const uint8_t *)meet, len);
	return said(snprintf(out, cap, "POST /images/create?fromSrc=-&repo="
	    IMAGE "&tag=%s&changes=LABEL%%20" LABEL "%%3D%s%%20" LABEL_MEET
	    "%%3D%s HTTP/1.1\r\n"
	    "Host: docker\r\nConnection: close\r\n"
	    "Content-Type: application/x-tar\r\nContent-Length: %llu\r\n\r\n",
	    node, node, hex, (unsigned long long)bytes), cap);
}

size_t
docker_images_list(char *out, size_t cap)
{
	/* {"label":["warren.node"]} */
	return plain(out, cap, "GET", "/images/json?filters="
	    "%7B%22label%22%3A%5B%22" LABEL "%22%5D%7D");
}

size_t
docker_image_remove(char *out, size_t cap, const char *node)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "/images/" IMAGE ":%s?force=1",
	    node);
	return plain(out, cap, "DELETE", path);
}

size_t
docker_start(char *out, size_t cap, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/containers/%s/start", name);
	return plain(out, cap, "POST", path);
}

size_t
docker_remove(char *out, size_t cap, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/containers/%s?force=1&v=1", name);
	return plain(out, cap, "DELETE", path);
}

size_t
docker_list(char *out, size_t cap, const char *node)
{
	char path[160];

	/* {"label":["warren.node=..."]} */
	(void)snprintf(path, sizeof(path), "/containers/json?all=1&limit=%d"
	    "&filters=%%7B%%22label%%22%%3A%%5B%%22" LABEL "%%3D%s%%22%%5D%%7D",
	    DOCKER_ASKED, node);
	return plain(out, cap, "GET", path);
}

/*
 * As little as there is: no capability, no network, no log, no volume, no
 * group but one of its own for the first process. Docker's filter and its
 * policy of AppArmor would keep warren-inner from the job's root, and are not
 * asked for: those of Warren, which refuse what these do, are set behind it.
 * Nothing of the container's /proc is hidden, or the kernel would refuse the
 * job a /proc of its own, in which all of that is.
 */
static json_t *
container(const struct docker_container *c, const char *user)
{
	return json_pack("{s:s+, s:s, s:[s], s:[s], s:s, s:s, s:b, s:b, s:b,"
	    " s:b, s:[], s:{s:s, s:s},"
	    " s:{s:b, s:b, s:s, s:s, s:s, s:s, s:b, s:[s], s:[s,s,s,s],"
	    " s:[], s:[], s:{s:s}, s:I, s:I, s:i, s:b,"
	    " s:[{s:s, s:s, s:s, s:b, s:{s:s}}]}}",
	    "Image", IMAGE ":", c->node, "User", user,
	    "Entrypoint", "/" DOCKER_INNER, "Cmd", "arrive",
	    "WorkingDir", "/", "Hostname", "burrow", "NetworkDisabled", 1,
	    "AttachStdin", 0, "AttachStdout", 0, "AttachStderr", 0, "Env",
	    /* that of the image would make lists of containers long */
	    "Labels", LABEL, c->node, LABEL_MEET, "",
	    "HostConfig", "Privileged", 0, "ReadonlyRootfs", 1,
	    "NetworkMode", "none", "IpcMode", "none", "CgroupnsMode", "private",
	    "UsernsMode", "host", "AutoRemove", 1, "CapDrop", "ALL",
	    "SecurityOpt", "no-new-privileges", "seccomp=unconfined",
	    "apparmor=unconfined", "label=disable",
	    "MaskedPaths", "ReadonlyPaths", "LogConfig", "Type", "none",
	    "Memory", (json_int_t)ROOM_MEMORY, "MemorySwap",
	    (json_int_t)ROOM_MEMORY, "PidsLimit", ROOM_PIDS, "Init", 0,
	    "Mounts", "Type", "bind", "Source", c->socket, "Target",
	    "/" DOCKER_SOCKET, "ReadOnly", 1, "BindOptions", "Propagation",
	    "rprivate");
}

size_t
docker_create(char *out, size_t cap, const struct docker_container *c)
{
	char user[32];
	json_t *all;
	_cleanup_free_ char *text = NULL;

	(void)snprintf(user, sizeof(user), "%u:%u", c->id, c->id);
	all = container(c, user);
	text = all == NULL ? NULL : json_dumps(all, JSON_COMPACT |
	    JSON_SORT_KEYS);
	json_decref(all);
	if (text == NULL)
		return 0;
	return said(snprintf(out, cap, "POST /containers/create?name=%s "
	    "HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    c->name, strlen(text), text), cap);
}

/* ---- answers ---- */

static json_t *
read_text(const char *text)
{
	return json_loads(text, JSON_REJECT_DUPLICATES, NULL);
}

bool
docker_version_read(uint16_t out[RUNNER_PARTS], const char *text)
{
	json_t *all = read_text(text);
	const char *v = json_string_value(json_object_get(all, "Version"));
	uint16_t found[RUNNER_PARTS] = {0};

	if (v != NULL)
		terms_version(found, v);
	json_decref(all);
	if ((found[0] | found[1] | found[2]) == 0)
		return false;
	memcpy(out, found, sizeof(found));
	return true;
}

bool
docker_info_systemd(const char *text)
{
	json_t *all = read_text(text);
	const char *v = json_string_value(json_object_get(all, "CgroupDriver"));
	bool yes = v != NULL && strcmp(v, "systemd") == 0;

	json_decref(all);
	return yes;
}

static bool
hex_id(const char *s)
{
	return s != NULL && strlen(s) == DOCKER_ID - 1 &&
	    strspn(s, "0123456789abcdef") == DOCKER_ID - 1;
}

bool
docker_list_read(char out[DOCKER_LISTED][DOCKER_ID], size_t *n,
    const char *text)
{
	json_t *all = read_text(text);
	size_t k = json_array_size(all), taken = 0;
	bool ok = json_is_array(all);

	for (size_t i = 0; ok && i < k; i++)
		ok = hex_id(json_string_value(json_object_get(
		    json_array_get(all, i), "Id")));
	for (size_t i = 0; ok && i < MIN_OF(k, (size_t)DOCKER_LISTED); i++)
		memcpy(out[taken++], json_string_value(json_object_get(
		    json_array_get(all, i), "Id")), DOCKER_ID);
	json_decref(all);
	if (ok)
		*n = taken;
	return ok;
}

/* By a node's own name and labels; false: not one of ours. */
static bool
image_of_node(struct docker_image *out, json_t *image)
{
	json_t *labels = json_object_get(image, "Labels");
	json_t *tags = json_object_get(image, "RepoTags");
	const char *node = json_string_value(json_object_get(labels, LABEL));
	const char *hex = json_string_value(json_object_get(labels,
	    LABEL_MEET));
	char tag[sizeof(IMAGE) + DOCKER_NODE];
	struct docker_image i = {{0}, {0}};
	const char *said;
	size_t len = hex == NULL ? 0 : strlen(hex);

	if (node == NULL || strlen(node) != DOCKER_NODE - 1 ||
	    strspn(node, "0123456789abcdef") != DOCKER_NODE - 1 ||
	    len == 0 || len % 2 != 0 || len / 2 >= DOCKER_MEET ||
	    !hex_decode((uint8_t *)i.meet, len / 2, hex, len) ||
	    i.meet[0] != '/' || strlen(i.meet) != len / 2)
		return false;
	memcpy(i.node, node, DOCKER_NODE);
	/* that name and no other: what it has besides is somebody's */
	(void)snprintf(tag, sizeof(tag), IMAGE ":%s", node);
	said = json_string_value(json_array_get(tags, 0));
	if (json_array_size(tags) != 1 || said == NULL ||
	    strcmp(said, tag) != 0)
		return false;
	*out = i;
	return true;
}

bool
docker_images_read(struct docker_image out[DOCKER_LISTED], size_t *n,
    const char *text)
{
	json_t *all = read_text(text);
	bool ok = json_is_array(all);
	size_t taken = 0;

	for (size_t i = 0; ok && i < json_array_size(all) &&
	     taken < DOCKER_LISTED; i++)
		taken += image_of_node(&out[taken], json_array_get(all, i));
	json_decref(all);
	if (ok)
		*n = taken;
	return ok;
}

/* A member of the last of several texts in a row. */
static bool
member(char out[DOCKER_WHY], const char *text, const char *name)
{
	bool found = false;

	for (const char *p = text; p != NULL && *p != '\0';) {
		const char *end = strchr(p, '\n');
		size_t n = end == NULL ? strlen(p) : (size_t)(end - p);
		json_t *all = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
		const char *s = json_string_value(json_object_get(all, name));

		if (s != NULL) {
			(void)text_printable(out, DOCKER_WHY, s, strlen(s));
			found = true;
		}
		json_decref(all);
		p = end == NULL ? NULL : end + 1;
	}
	return found;
}

void
docker_message(char out[DOCKER_WHY], const char *text)
{
	out[0] = '\0';
	(void)member(out, text, "message");
}

bool
docker_image_taken(const char *text, char why[DOCKER_WHY])
{
	char status[DOCKER_WHY];

	why[0] = '\0';
	if (member(why, text, "error"))
		return false;
	if (member(status, text, "status") &&
	    strncmp(status, "sha256:", 7) == 0)
		return true;
	(void)snprintf(why, DOCKER_WHY, "it names no image");
	return false;
}
