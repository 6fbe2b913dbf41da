/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/errand.h"

#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "sandbox/base/tar.h"

#define LOOK "look" /* of a container that is made and not started */
/* ours: containers are gone by then, or stay until the next start */
#define FAREWELL_MS (2 * ENVOY_ALONE_MS)

/* ---- our own ---- */

static uint8_t *
put_member(uint8_t *p, const char *path, char type, uint16_t mode,
    uint64_t size)
{
	struct tar_member m = {.type = type, .mode = mode, .size = size};

	(void)snprintf(m.path, sizeof(m.path), "%s", path);
	return tar_header(p, &m) == TAR_OK ? p + TAR_BLOCK : NULL;
}

/* warren-inner and what is mounted on; free() it. */
static uint8_t *
archive(int inner, size_t *len)
{
	static const char *const dirs[] = {"dev", DOCKER_JOB, "proc", "sys"};
	_cleanup_free_ uint8_t *all = NULL;
	uint8_t *p, *out;
	struct stat st;
	size_t size;

	if (fstat(inner, &st) < 0 || st.st_size <= 0)
		return NULL;
	size = (size_t)st.st_size;
	*len = (NELEM(dirs) + 2 + 2) * TAR_BLOCK + size + tar_padding(size);
	if ((all = p = calloc(1, *len)) == NULL)
		return NULL;
	for (size_t i = 0; p != NULL && i < NELEM(dirs); i++)
		p = put_member(p, dirs[i], TAR_DIR, 0755, 0);
	if (p != NULL)
		p = put_member(p, DOCKER_SOCKET, TAR_FILE, 0644, 0);
	if (p != NULL)
		p = put_member(p, DOCKER_INNER, TAR_FILE, 0755, size);
	if (p == NULL || pread(inner, p, size, 0) != (ssize_t)size)
		return NULL;
	out = all;
	all = NULL;
	return out;
}

bool
errand_image_put(struct errand_talk *e)
{
	size_t n = 0;
	_cleanup_free_ uint8_t *tar = archive(e->k->setup.inner, &n);
	const struct envoy_place *p = &e->k->place;
	char why[DOCKER_WHY];

	if (tar == NULL) {
		(void)snprintf(e->why, sizeof(e->why), "an archive of "
		    "warren-inner");
		return false;
	}
	if (!errand_ask(e, docker_image_request(e->head, sizeof(e->head),
	    p->node, p->meet, n), tar, n) || !errand_done(e, "its image"))
		return false;
	if (docker_image_taken(e->content, why))
		return true;
	(void)snprintf(e->why, sizeof(e->why), "its image: %.150s", why);
	return false;
}

static bool
take_away(struct errand_talk *e, const char *node)
{
	return errand_ask(e, docker_image_remove(e->head, sizeof(e->head),
	    node), NULL, 0);
}

void
farewell(const struct envoy *k)
{
	static struct errand_talk e;
	struct mono began = clock_mono();

	e.k = k;
	e.until = -1;
	e.answer_ms = FAREWELL_MS;
	/* it is refused while a container is there that is of it */
	while (!take_away(&e, k->place.node) || e.status == 409) {
		struct mono now = clock_mono();

		if (e.err == ENOENT || e.err == ECONNREFUSED ||
		    (now.us - began.us) / 1000 > FAREWELL_MS)
			return;
		(void)poll(NULL, 0, ERRAND_AGAIN_MS);
	}
}

/* ---- of nodes that are gone ---- */

/*
 * A folder that we do not see may be one of another mount namespace: the daemon
 * has to see none either, in which that node's sockets would have to be. It is
 * asked for a container with that folder, which nobody starts.
 */
static bool
gone(struct errand_talk *e, const struct docker_image *i)
{
	struct docker_container c = {.id = e->k->setup.base, .socket = i->meet};
	struct stat st;
	char said[DOCKER_WHY];

	if (stat(i->meet, &st) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return false;
	memcpy(c.node, e->k->place.node, sizeof(c.node));
	(void)snprintf(c.name, sizeof(c.name), "warren-%s-" LOOK, c.node);
	if (!errand_ask(e, docker_create(e->head, sizeof(e->head), &c), NULL,
	    0))
		return false;
	docker_message(said, e->content);
	if (e->status == 400 && strstr(said, "does not exist") != NULL)
		return true;
	(void)errand_ask(e, docker_remove(e->head, sizeof(e->head), c.name),
	    NULL, 0);
	return false;
}

static void
sweep_others(struct errand_talk *e)
{
	static struct docker_image found[DOCKER_LISTED];
	size_t n = 0;

	if (!errand_ask(e, docker_images_list(e->head, sizeof(e->head)), NULL,
	    0) || !errand_done(e, "its images")) {
		log_warnx("docker", "images of nodes that are gone stay: %s",
		    e->why);
		return;
	}
	if (!docker_images_read(found, &n, e->content)) {
		log_warnx("docker", "images of nodes that are gone stay: its "
		    "list of images cannot be read");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(found[i].node, e->k->place.node) == 0 ||
		    !gone(e, &found[i]))
			continue;
		if (take_away(e, found[i].node) && errand_done(e, "removing it"))
			log_notice("docker", "the image of a node that was at "
			    "%s is removed", found[i].meet);
		else
			log_warnx("docker", "the image of a node that was at "
			    "%s stays: %s", found[i].meet, e->why);
	}
}

bool
errand_image_sweep(struct errand_talk *e)
{
	/* the image is of this build's warren-inner, the one before is not */
	if (!take_away(e, e->k->place.node) || !errand_image_put(e))
		return false;
	/* theirs are no reason not to start */
	sweep_others(e);
	return true;
}
