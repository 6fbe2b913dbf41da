/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/libc.h"
#include "common/log.h"
#include "common/util.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/tar.h"
#include "sandbox/jail/jail.h"
#include "sandbox/jail/slot.h"
#include "sandbox/runner/envoy.h"
#include "sandbox/runner/talk.h"

#define CONTENT (1u << 18) /* ours: of an answer; 256 containers are 200 KB */
#define AGAIN_MS 200	   /* ours: until a container is removed again */
#define TOKEN 8

struct errand {
	const struct envoy *k;
	const struct envoy_ask *ask;
	int reply;
	pid_t envoy;
	char meet[2 * TOKEN + 1]; /* the socket's name */
	char name[DOCKER_NAME];	  /* the container's; "": there is none */
	char head[DOCKER_TEXT];
	char content[CONTENT];
	bool for_removal; /* nobody waits any more */
	bool unheard; /* there may be a container, or yet come to be one */
	int err; /* of talk(), when there is no answer */
	struct envoy_answer a;
};

/* The node has ended, which nobody may be kept waiting for. */
static bool
alone(const struct errand *e)
{
	pid_t parent = getppid();

	return parent != e->envoy && parent != e->k->keeper;
}

/* ---- what the daemon is told ---- */

/* false: no answer, and a.why. */
static bool
request(struct errand *e, size_t n, const void *body, size_t nbody,
    unsigned *status)
{
	struct talk t = {.socket = e->k->place.socket, .head = e->head,
	    .nhead = n, .body = body, .nbody = nbody,
	    .until = e->for_removal ? -1 : e->reply,
	    .answer_ms = ENVOY_ANSWER_MS, .content = e->content,
	    .cap = sizeof(e->content)};

	e->err = 0;
	if (n == 0) {
		e->err = E2BIG;
		(void)snprintf(e->a.why, sizeof(e->a.why), "a request of ours is "
		    "too long");
		return false;
	}
	if (talk(&t) < 0) {
		e->err = errno;
		(void)snprintf(e->a.why, sizeof(e->a.why), "its daemon: %s",
		    strerror(e->err));
		return false;
	}
	*status = t.status;
	return true;
}

static bool
done(struct errand *e, const char *what, unsigned status)
{
	char said[DOCKER_WHY];

	if (status / 100 == 2)
		return true;
	docker_message(said, e->content);
	(void)snprintf(e->a.why, sizeof(e->a.why), "%s: %.150s", what,
	    said[0] != '\0' ? said : "refused");
	if (said[0] == '\0')
		(void)snprintf(e->a.why, sizeof(e->a.why), "%s: status %u",
		    what, status);
	return false;
}

/* ---- the image ---- */

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

static bool
put_image(struct errand *e)
{
	size_t n = 0;
	_cleanup_free_ uint8_t *tar = archive(e->k->setup.inner, &n);
	unsigned status;
	char why[DOCKER_WHY];

	if (tar == NULL) {
		(void)snprintf(e->a.why, sizeof(e->a.why), "an archive of "
		    "warren-inner");
		return false;
	}
	if (!request(e, docker_image_request(e->head, sizeof(e->head),
	    e->k->place.node, n), tar, n, &status) ||
	    !done(e, "its image", status))
		return false;
	if (docker_image_taken(e->content, why))
		return true;
	(void)snprintf(e->a.why, sizeof(e->a.why), "its image: %.150s", why);
	return false;
}

/* ---- once ---- */

/* What an earlier life has left: nothing of this node's runs before a trial. */
static bool
sweep(struct errand *e)
{
	static char ids[DOCKER_LISTED][DOCKER_ID];
	unsigned status;
	size_t n = 0;

	if (!request(e, docker_list(e->head, sizeof(e->head),
	    e->k->place.node), NULL, 0, &status) ||
	    !done(e, "its containers", status))
		return false;
	if (!docker_list_read(ids, &n, e->content)) {
		(void)snprintf(e->a.why, sizeof(e->a.why), "its list of "
		    "containers cannot be read");
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!request(e, docker_remove(e->head, sizeof(e->head),
		    ids[i]), NULL, 0, &status))
			return false;
	if (n > 0)
		log_notice("docker", "%zu containers that were left are "
		    "removed", n);
	return true;
}

static bool
make_ready(struct errand *e)
{
	unsigned status;

	if (!request(e, docker_version_request(e->head, sizeof(e->head)), NULL,
	    0, &status) || !done(e, "its version", status))
		return false;
	if (!docker_version_read(e->a.version, e->content)) {
		(void)snprintf(e->a.why, sizeof(e->a.why), "it says no "
		    "version");
		return false;
	}
	/* the image is of this build's warren-inner, the one before is not */
	return sweep(e) && request(e, docker_image_remove(e->head,
	    sizeof(e->head), e->k->place.node), NULL, 0, &status) &&
	    put_image(e);
}

/* ---- a container ---- */

static bool
names(struct errand *e)
{
	uint8_t token[TOKEN];

	if (getrandom(token, sizeof(token), 0) != sizeof(token))
		return false;
	hex_encode(e->meet, token, sizeof(token));
	return true;
}

/* Where warren-inner comes to; whoever is in the container may. */
static int
listen_at(struct errand *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || !names(e))
		return -1;
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", e->meet);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, 1) < 0)
		return -1;
	return steal_fd(&fd);
}

static bool
create(struct errand *e)
{
	char path[ENVOY_PATH + 2 * TOKEN + 2];
	struct docker_container c = {.socket = path,
	    .id = e->k->setup.base + JAIL_SLOT_UID + e->ask->slot};
	unsigned status;

	(void)snprintf(path, sizeof(path), "%s/%s", e->k->place.meet, e->meet);
	memcpy(c.node, e->k->place.node, sizeof(c.node));
	(void)snprintf(c.name, sizeof(c.name), "warren-%s-%s", c.node, e->meet);
	/* from here on there may be one, whatever we hear of it */
	memcpy(e->name, c.name, sizeof(e->name));
	e->unheard = true;
	if (!request(e, docker_create(e->head, sizeof(e->head), &c), NULL, 0,
	    &status)) {
		if (e->err == ENOENT || e->err == ECONNREFUSED ||
		    e->err == E2BIG)
			e->name[0] = '\0'; /* it was not even asked */
		return false;
	}
	/* somebody has tidied up; not for a node that has ended */
	if (status == 404 && !alone(e) && (!put_image(e) || !request(e, docker_create(
	    e->head, sizeof(e->head), &c), NULL, 0, &status)))
		return false;
	e->unheard = false;
	if (!done(e, "a container", status))
		return false;
	if (!request(e, docker_start(e->head, sizeof(e->head), e->name), NULL,
	    0, &status))
		return false;
	return done(e, "its start", status);
}

/* The first that comes, if it is the slot's user. */
static int
meet(struct errand *e, int at)
{
	struct pollfd p[2] = {{.fd = at, .events = POLLIN},
	    {.fd = e->reply, .events = 0}};
	struct ucred who;
	socklen_t n = sizeof(who);
	int fd;

	if (poll(p, 2, ENVOY_COMES_MS) <= 0 || p[1].revents != 0) {
		(void)snprintf(e->a.why, sizeof(e->a.why), "nobody comes out of "
		    "its container");
		return -1;
	}
	fd = accept4(at, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	    who.uid == e->k->setup.base + JAIL_SLOT_UID + e->ask->slot)
		return fd;
	close_fd(&fd);
	(void)snprintf(e->a.why, sizeof(e->a.why), "its container is of another "
	    "user");
	return -1;
}

/* Who holds this may put itself into the group, wherever it comes from. */
static int
open_group(const struct errand *e)
{
	char path[PLAN_GROUP_MAX + 32], job[PLAN_GROUP_MAX];

	plan_group_name(job, &e->ask->job);
	if (e->ask->trial)
		(void)snprintf(job, sizeof(job), "step-%u", e->ask->slot);
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", job);
	return sys_openat2(e->k->setup.jobs, path, O_WRONLY | O_CLOEXEC,
	    SYS_BENEATH);
}

static void
look_outside(struct envoy_answer *a)
{
	char path[32];
	struct stat st;

	for (unsigned i = 0; i < INNER_NS; i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s",
		    inner_ns_names[i]);
		a->ns[i] = stat(path, &st) == 0 ? st.st_ino : 0;
	}
}

static void
answer(struct errand *e, int fd, int group)
{
	uint8_t buf[ENVOY_ANSWER_MAX];
	int fds[2] = {fd, group};

	e->a.ok = fd >= 0;
	(void)slot_send(e->reply, buf, envoy_answer_write(buf, &e->a), fds,
	    fd < 0 ? 0 : group < 0 ? 1 : 2);
}

static void
run(struct errand *e)
{
	_cleanup_fd_ int at = -1, fd = -1, group = -1;

	look_outside(&e->a);
	if (e->ask->trial && !make_ready(e))
		return;
	if ((at = listen_at(e)) < 0) {
		(void)snprintf(e->a.why, sizeof(e->a.why), "a socket for it: %s",
		    strerror(errno));
		return;
	}
	if (create(e))
		fd = meet(e, at);
	(void)unlink(e->meet);
	if (fd >= 0 && e->ask->grouped && (group = open_group(e)) < 0) {
		(void)snprintf(e->a.why, sizeof(e->a.why), "its group: %s",
		    strerror(errno));
		return;
	}
	if (fd >= 0)
		answer(e, fd, group);
}

/* Until it is gone; it goes by itself too when its first process has ended. */
static void
remove_it(struct errand *e)
{
	struct mono began = clock_mono();
	unsigned status = 0;

	e->for_removal = true;
	for (;;) {
		struct mono now = clock_mono();
		int64_t ms = (now.us - began.us) / 1000;

		if (request(e, docker_remove(e->head, sizeof(e->head),
		    e->name), NULL, 0, &status) &&
		    (status / 100 == 2 || (status == 404 && (!e->unheard ||
		    ms > ENVOY_ANSWER_MS))))
			return;
		if (ms > ENVOY_REMOVE_MS) {
			log_warnx("docker", "%s is not removed: %s", e->name,
			    e->a.why);
			return;
		}
		/* one that may yet come to be is waited for */
		if (alone(e) && ms > (e->unheard ? ENVOY_ANSWER_MS :
		    ENVOY_ALONE_MS))
			return;
		(void)poll(NULL, 0, AGAIN_MS);
	}
}

void
envoy_errand(const struct envoy *k, const struct envoy_ask *ask, int reply)
{
	static struct errand e;
	struct pollfd p = {.fd = reply, .events = 0};

	e.k = k;
	e.ask = ask;
	e.reply = reply;
	e.envoy = getppid();
	run(&e);
	if (!e.a.ok)
		answer(&e, -1, -1);
	/* the job's first process has the other end, and is what ends */
	while (e.a.ok && poll(&p, 1, -1) <= 0)
		continue;
	if (e.name[0] != '\0')
		remove_it(&e);
	_exit(0);
}
