/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/libc.h"
#include "common/log.h"
#include "common/util.h"
#include "sandbox/base/sys.h"
#include "sandbox/jail/jail.h"
#include "sandbox/jail/slot.h"
#include "sandbox/runner/errand.h"

#define TOKEN 8
#define SWEEPS 64u /* ours: lists of containers, before a trial */

struct errand {
	const struct errand_of *of;
	int reply;
	pid_t envoy;
	char meet[2 * TOKEN + 1]; /* the socket's name */
	char name[DOCKER_NAME];	  /* the container's; "": there is none */
	bool unheard; /* there may be a container, or yet come to be one */
	struct errand_talk t;
	struct envoy_answer a;
};

static uint32_t
user(const struct errand *e)
{
	return e->t.k->setup.base + JAIL_SLOT_UID + e->of->slot;
}

/* The node has ended, which nobody may be kept waiting for. */
static bool
alone(const struct errand *e)
{
	pid_t parent = getppid();

	return parent != e->envoy && parent != e->t.k->keeper;
}

/* ---- once ---- */

/* What an earlier life has left: nothing of this node's runs before a trial. */
static bool
take_away(struct errand_talk *t, const char *id)
{
	char said[DOCKER_WHY];

	if (t->status / 100 == 2 || t->status == 404)
		return true;
	docker_message(said, t->content);
	log_warnx("docker", "container %.12s, which was left, is not removed: "
	    "status %u: %.150s", id, t->status, said);
	return false;
}

/* The latest; *gone: how many of them are not there any more. */
static bool
sweep_some(struct errand_talk *t, size_t *gone)
{
	static char ids[DOCKER_LISTED][DOCKER_ID];
	size_t n = 0;

	*gone = 0;
	if (!errand_ask(t, docker_list(t->head, sizeof(t->head),
	    t->k->place.node), NULL, 0) || !errand_done(t, "its containers"))
		return false;
	if (!docker_list_read(ids, &n, t->content)) {
		(void)snprintf(t->why, sizeof(t->why), "its list of containers "
		    "cannot be read");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!errand_ask(t, docker_remove(t->head, sizeof(t->head),
		    ids[i]), NULL, 0))
			return false;
		*gone += take_away(t, ids[i]);
	}
	return true;
}

/* Those that cannot be removed are no reason not to start. */
static bool
sweep(struct errand_talk *t)
{
	size_t gone, all = 0;
	unsigned rounds = 0;

	do {
		if (!sweep_some(t, &gone))
			return false;
		all += gone;
	} while (gone > 0 && ++rounds < SWEEPS);
	if (all > 0)
		log_notice("docker", "%zu containers that were left are "
		    "removed", all);
	return true;
}

static bool
make_ready(struct errand *e)
{
	struct errand_talk *t = &e->t;

	if (!errand_ask(t, docker_version_request(t->head, sizeof(t->head)),
	    NULL, 0) || !errand_done(t, "its version"))
		return false;
	if (!docker_version_read(e->a.version, t->content)) {
		(void)snprintf(t->why, sizeof(t->why), "it says no version");
		return false;
	}
	return sweep(t) && errand_image_sweep(t);
}

/*
 * A daemon that has systemd make its groups starts where there is no systemd,
 * and no container does: runc's word for it says nothing of a remedy.
 */
static void
advise(struct errand *e)
{
	struct errand_talk *t = &e->t;
	char said[DOCKER_WHY];

	memcpy(said, t->why, sizeof(said));
	if (strstr(said, "systemd") == NULL || !errand_ask(t,
	    docker_info_request(t->head, sizeof(t->head)), NULL, 0) ||
	    !docker_info_systemd(t->content))
		memcpy(t->why, said, sizeof(said));
	else
		(void)snprintf(t->why, sizeof(t->why), "systemd makes its "
		    "groups and does not run there: in its daemon.json "
		    "\"exec-opts\": [\"native.cgroupdriver=cgroupfs\"]");
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

/* From here on there may be one, whatever we hear of it. */
static bool
ask_for(struct errand *e, const struct docker_container *c)
{
	struct errand_talk *t = &e->t;

	memcpy(e->name, c->name, sizeof(e->name));
	e->unheard = true;
	if (errand_ask(t, docker_create(t->head, sizeof(t->head), c), NULL,
	    0)) {
		e->unheard = false;
		return true;
	}
	if (!t->asked)
		e->name[0] = '\0';
	return false;
}

static bool
create(struct errand *e)
{
	struct errand_talk *t = &e->t;
	const struct envoy_place *place = &t->k->place;
	char path[ENVOY_PATH + 2 * TOKEN + 2];
	struct docker_container c = {.socket = path, .id = user(e)};

	(void)snprintf(path, sizeof(path), "%s/%s", place->meet, e->meet);
	memcpy(c.node, place->node, sizeof(c.node));
	(void)snprintf(c.name, sizeof(c.name), "warren-%s-%s", c.node, e->meet);
	if (!ask_for(e, &c))
		return false;
	/* somebody has tidied up; not for a node that has ended */
	if (t->status == 404 && !alone(e) && (!errand_image_put(t) ||
	    !ask_for(e, &c)))
		return false;
	return errand_done(t, "a container") && errand_ask(t, docker_start(
	    t->head, sizeof(t->head), e->name), NULL, 0) &&
	    errand_done(t, "its start");
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
		(void)snprintf(e->t.why, sizeof(e->t.why), "nobody comes out of "
		    "its container");
		return -1;
	}
	fd = accept4(at, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	    who.uid == user(e))
		return fd;
	close_fd(&fd);
	(void)snprintf(e->t.why, sizeof(e->t.why), "its container is of another "
	    "user");
	return -1;
}

/* Who holds this may put itself into the group, wherever it comes from. */
static int
open_group(const struct errand *e)
{
	char path[PLAN_GROUP_MAX + 32], job[PLAN_GROUP_MAX];

	plan_group_name(job, &e->of->job);
	if (e->of->ask.trial)
		(void)snprintf(job, sizeof(job), "step-%u", e->of->slot);
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", job);
	return sys_openat2(e->t.k->setup.jobs, path, O_WRONLY | O_CLOEXEC,
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
	memcpy(e->a.why, e->t.why, sizeof(e->a.why));
	/* where it has no room for it, nobody has the container */
	if (slot_send_now(e->reply, buf, envoy_answer_write(buf, &e->a), fds,
	    fd < 0 ? 0 : group < 0 ? 1 : 2) < 0)
		e->a.ok = false;
}

static void
run(struct errand *e)
{
	_cleanup_fd_ int at = -1, fd = -1, group = -1;

	look_outside(&e->a);
	if (e->of->ask.trial && !make_ready(e))
		return;
	if ((at = listen_at(e)) < 0) {
		(void)snprintf(e->t.why, sizeof(e->t.why), "a socket for it: %s",
		    strerror(errno));
		return;
	}
	if (create(e))
		fd = meet(e, at);
	else if (e->of->ask.trial)
		advise(e);
	(void)unlink(e->meet);
	if (fd >= 0 && e->of->ask.grouped && (group = open_group(e)) < 0) {
		(void)snprintf(e->t.why, sizeof(e->t.why), "its group: %s",
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

	e->t.until = -1; /* nobody waits any more */
	for (;;) {
		struct mono now = clock_mono();
		int64_t ms = (now.us - began.us) / 1000;

		if (errand_ask(&e->t, docker_remove(e->t.head,
		    sizeof(e->t.head), e->name), NULL, 0) &&
		    (e->t.status / 100 == 2 || (e->t.status == 404 &&
		    (!e->unheard || ms > ENVOY_ANSWER_MS))))
			return;
		if (ms > ENVOY_REMOVE_MS) {
			log_warnx("docker", "%s is not removed: %s", e->name,
			    e->t.why);
			return;
		}
		/* one that may yet come to be is waited for */
		if (alone(e) && ms > (e->unheard ? ENVOY_ANSWER_MS :
		    ENVOY_ALONE_MS))
			return;
		(void)poll(NULL, 0, ERRAND_AGAIN_MS);
	}
}

/*
 * The job's first process has the other end, and is what ends. One that is
 * hostile may have it held elsewhere, even in itself: so jail's word counts too.
 */
static bool
wanted(const struct errand *e)
{
	struct pollfd p = {.fd = e->reply, .events = 0};

	return poll(&p, 1, ERRAND_LOOK_MS) <= 0 && !alone(e) &&
	    atomic_load(e->of->turn) == e->of->was;
}

void
errand(const struct envoy *k, const struct errand_of *of, int reply)
{
	static struct errand e;

	e.t.k = k;
	e.t.until = e.reply = reply;
	e.t.answer_ms = ENVOY_ANSWER_MS;
	e.of = of;
	e.envoy = getppid();
	run(&e);
	if (!e.a.ok)
		answer(&e, -1, -1);
	while (e.a.ok && wanted(&e))
		continue;
	if (e.name[0] != '\0')
		remove_it(&e);
	_exit(0);
}
