/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile slot at its line to who asks docker's daemon: what it says concerns
 * its own container, if anything. The daemon is a stand-in, which makes
 * "containers" of one process that comes to its socket as the user it was told.
 * test_envoy BUILD-FOLDER BUSYBOX [NAME]
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "common/file.h"
#include "sandbox/base/tree.h"
#include "sandbox/jail/jail.h"
#include "sandbox/jail/slot.h"
#include "sandbox/runner/daemon.h"
#include "tests/escape/drive.h"
#include "tests/until.h"

#define BASE DRIVE_BASE
#define SLOTS 2u
#define ERRANDS 16 /* of a slot, at once, while no other has more than ... */
#define ERRANDS_OWN 4
#define MEET "meet"

static char top[64];
static int jobs, lines[JAIL_SLOTS_MAX];
static uint32_t slots = SLOTS;
static struct id32 job_of[SLOTS] = {{{1}}, {{2}}};

/* ---- the daemon ---- */

/* What it was asked, whole; one writer. */
static struct seen {
	atomic_uint n;
	char asked[256][640];
	atomic_uint left; /* containers of an earlier life, taken away or not */
	atomic_uint stuck; /* ... of which it does not give up so many */
} *seen;
#define LISTED 64u /* as many are asked for at once */

static unsigned
count(const char *word)
{
	unsigned n = 0;

	for (unsigned i = 0; i < atomic_load(&seen->n); i++)
		n += strstr(seen->asked[i], word) != NULL;
	return n;
}

static bool
asked(const char *word, unsigned n)
{
	struct until u = until_begin(word, PATIENCE_MS);

	while (count(word) < n && until_step(&u))
		continue;
	return count(word) >= n;
}

static void
container(const char *text)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const char *user = strstr(text, "\"User\":\""), *from;
	uid_t id = user == NULL ? 0 : (uid_t)strtoul(user + 8, NULL, 10);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char c;

	from = strstr(text, "\"Source\":\"");
	if (id == 0 || from == NULL || sscanf(from, "\"Source\":\"%107[^\"]",
	    a.sun_path) != 1 || setresgid(id, id, id) < 0 ||
	    setresuid(id, id, id) < 0 ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		_exit(1);
	(void)!read(fd, &c, 1);
	_exit(0);
}

/* The latest first, as many as are asked for. */
static const char *
list_left(void)
{
	static char out[LISTED * 80 + 64];
	unsigned n = atomic_load(&seen->left);
	size_t at = (size_t)snprintf(out, sizeof(out), "200 OK\r\n\r\n[");

	for (unsigned i = 0; i < n && i < LISTED; i++)
		at += (size_t)snprintf(out + at, sizeof(out) - at,
		    "%s{\"Id\":\"%064x\"}", i > 0 ? "," : "", n - i);
	(void)snprintf(out + at, sizeof(out) - at, "]");
	return out;
}

static const char *
answer_to(const char *line)
{
	if (strncmp(line, "GET /containers/json?all=1&limit=64&", 36) == 0)
		return list_left();
	if (strncmp(line, "DELETE /containers/0", 20) == 0) {
		if (atomic_load(&seen->left) <= atomic_load(&seen->stuck))
			return "500 No\r\n\r\n{\"message\":\"it is stuck\"}";
		(void)atomic_fetch_sub(&seen->left, 1);
	}
	if (strncmp(line, "GET /version", 12) == 0)
		return "200 OK\r\n\r\n{\"Version\":\"20.10.24\"}";
	if (strncmp(line, "GET ", 4) == 0)
		return "200 OK\r\n\r\n[]";
	if (strncmp(line, "POST /images", 12) == 0)
		return "200 OK\r\n\r\n{\"status\":\"sha256:0\"}";
	if (strncmp(line, "POST /containers/create", 23) == 0)
		return "201 Created\r\n\r\n{}";
	return "204 No Content\r\n\r\n";
}

static void
serve(int fd)
{
	static char last[640];
	char buf[8192];
	const char *said;
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);
	unsigned at = atomic_load(&seen->n);
	long more = 0;
	char *len, *body;

	if (n <= 0)
		return;
	buf[n] = '\0';
	len = strstr(buf, "Content-Length: ");
	body = strstr(buf, "\r\n\r\n");
	if (len != NULL && body != NULL)
		more = strtol(len + 16, NULL, 10) - (n - (body + 4 - buf));
	while (more > 0) {
		char rest[4096];
		ssize_t k = recv(fd, rest, sizeof(rest), 0);

		if (k <= 0)
			return;
		more -= k;
	}
	if (at < NELEM(seen->asked)) {
		(void)snprintf(seen->asked[at], sizeof(seen->asked[at]),
		    "%.300s", buf);
		/* what counts of a creation stands behind its head */
		if (body != NULL)
			(void)snprintf(seen->asked[at] + strlen(
			    seen->asked[at]), 300, "%.290s",
			    strstr(body, "\"User\"") == NULL ? "" :
			    strstr(body, "\"User\""));
		atomic_store(&seen->n, at + 1);
	}
	if (strncmp(buf, "POST /containers/create", 23) == 0)
		(void)snprintf(last, sizeof(last), "%.300s %.300s",
		    strstr(body, "\"Source\""), strstr(body, "\"User\""));
	else if (strstr(buf, "/start ") != NULL && fork() == 0)
		container(last);
	said = answer_to(buf);
	(void)!write(fd, "HTTP/1.1 ", 9);
	(void)!write(fd, said, strlen(said));
}

static pid_t
start_daemon(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int at = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/d.sock", top);
	if (bind(at, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(at, 64) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGCHLD, SIG_IGN);
		(void)signal(SIGPIPE, SIG_IGN);
		for (;;) {
			int fd = accept4(at, NULL, NULL, SOCK_CLOEXEC);

			serve(fd);
			(void)close(fd);
		}
	}
	(void)close(at);
	return pid;
}

/* ---- who asks ---- */

static bool
start_envoy(void)
{
	struct envoy_place p;
	struct envoy_setup s = {.slots = slots, .base = BASE, .jobs = jobs};
	char text[700];

	(void)snprintf(p.socket, sizeof(p.socket), "%s/d.sock", top);
	(void)snprintf(p.meet, sizeof(p.meet), "%s/" MEET, top);
	(void)snprintf(p.node, sizeof(p.node), "12345678");
	if (!envoy_place_write(text, sizeof(text), &p))
		return false;
	s.place = memfd_sealed("place", text, strlen(text));
	s.inner = memfd_sealed("inner", text, strlen(text));
	envoy_start(&s, lines);
	(void)close(s.place);
	(void)close(s.inner);
	return s.place >= 0 && s.inner >= 0;
}

/* The line is cut: its other end is gone. */
static bool
cut(int line)
{
	struct pollfd p = {.fd = line};

	return poll(&p, 1, PATIENCE_MS) == 1;
}

static bool
heard(int line)
{
	struct pollfd p = {.fd = line};

	return poll(&p, 1, 0) == 0;
}

/* As a job's first process in that slot: what it does decides. */
static bool
in_slot(uint32_t slot, bool (*act)(uint32_t))
{
	uid_t id = BASE + JAIL_SLOT_UID + slot;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (slots >= SLOTS)
			(void)close(lines[SLOTS - slot]);
		if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 ||
		    setresuid(id, id, id) < 0)
			_exit(2);
		_exit(act(slot) ? 0 : 1);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static ino_t
group_of(uint32_t slot)
{
	char path[PLAN_GROUP_MAX + 16], name[PLAN_GROUP_MAX];
	struct stat st;

	plan_group_name(name, &job_of[slot - 1]);
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", name);
	return fstatat(jobs, path, &st, 0) == 0 ? st.st_ino : 0;
}

/* A container, and the group that came with it is the slot's own. */
static bool
one(uint32_t slot)
{
	struct daemon d = {.envoy = lines[slot - 1]};
	struct envoy_ask a = {.grouped = true};
	char why[DOCKER_WHY];
	struct stat st;

	if (daemon_ask(&d, &a, why) < 0) {
		(void)fprintf(stderr, "slot %u: %s\n", slot, why);
		return false;
	}
	return fstat(d.group, &st) == 0 && st.st_ino == group_of(slot);
}

static bool
served(uint32_t slot)
{
	char user[48];

	(void)snprintf(user, sizeof(user), "\"User\":\"%u:",
	    BASE + JAIL_SLOT_UID + slot);
	return in_slot(slot, one) && count(user) > 0;
}

/* ---- what a hostile one does ---- */

static bool
say(uint32_t slot, const void *p, size_t n, bool own_pair)
{
	int sv[2] = {-1, -1};
	bool ok;

	if (own_pair && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    sv) < 0)
		return false;
	ok = slot_send(lines[slot - 1], p, n, &sv[1], own_pair ? 1 : 0) == 0;
	return ok && cut(lines[slot - 1]);
}

static bool
says_rubbish(uint32_t slot)
{
	return say(slot, "what an unkind job says", 23, true);
}

/* A slot and a job behind a good question: there is no such field. */
static bool
names_other(uint32_t slot)
{
	uint8_t buf[ENVOY_ASK + 4 + 32] = {0, 1, 0, 0, 0, 1, 1};

	return say(slot, buf, sizeof(buf), true);
}

static bool
sends_nothing(uint32_t slot)
{
	return say(slot, "", 0, false);
}

static bool
no_pair(uint32_t slot)
{
	return say(slot, "\0\1", 2, false);
}

static bool
shuts_down(uint32_t slot)
{
	return shutdown(lines[slot - 1], SHUT_RDWR) == 0;
}

static bool
shuts_half(uint32_t slot)
{
	return shutdown(lines[slot - 1], SHUT_WR) == 0 && cut(lines[slot - 1]);
}

/* A trial would have all containers of the node taken away. */
static bool
tries_again(uint32_t slot)
{
	struct daemon d = {.envoy = lines[slot - 1]};
	struct envoy_ask a = {.trial = true};
	char why[DOCKER_WHY];

	return daemon_ask(&d, &a, why) < 0 && strstr(why, "before") != NULL;
}

/* One end of a pair is in the other's queue: nobody but it ends it. */
static bool
both_ends(uint32_t slot)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return false;
	return slot_send(lines[slot - 1], "\0\1", 2, (int[]){sv[1], sv[0]},
	    2) == 0 && cut(lines[slot - 1]);
}

/* An answer that has no room: who asks for all must not sleep over it. */
static bool
has_no_room(uint32_t slot)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return false;
	while (send(sv[1], "full", 4, MSG_DONTWAIT) > 0)
		continue;
	/* a trial is refused by the worker itself */
	return slot_send(lines[slot - 1], "\1\0", 2, &sv[1], 1) == 0 &&
	    one(slot);
}

/* As many as there are; then none for it. */
static bool
asks_much(uint32_t slot)
{
	struct daemon d[ERRANDS + 1];
	struct envoy_ask a = {.grouped = true};
	char why[DOCKER_WHY];

	for (unsigned i = 0; i <= ERRANDS; i++) {
		int rv;

		d[i] = (struct daemon){.envoy = lines[slot - 1]};
		rv = daemon_ask(&d[i], &a, why);
		if ((rv == 0) != (i < ERRANDS))
			return false;
	}
	return strstr(why, "too many") != NULL;
}

/* What is always there for a slot, all at once. */
static bool
asks_own(uint32_t slot)
{
	struct daemon d[ERRANDS_OWN];
	struct envoy_ask a = {.grouped = true};
	char why[DOCKER_WHY];

	for (unsigned i = 0; i < ERRANDS_OWN; i++) {
		d[i] = (struct daemon){.envoy = lines[slot - 1]};
		if (daemon_ask(&d[i], &a, why) < 0)
			return false;
	}
	return true;
}

static bool
too_many(uint32_t slot)
{
	struct daemon d = {.envoy = lines[slot - 1]};
	struct envoy_ask a = {.grouped = true};
	char why[DOCKER_WHY];

	return daemon_ask(&d, &a, why) < 0 && strstr(why, "too many") != NULL;
}

static int ours, theirs; /* of a line to who holds what it has asked for */

static bool
holds_much(uint32_t slot)
{
	char c = 0;

	return asks_much(slot) && write(theirs, &c, 1) == 1 &&
	    read(theirs, &c, 1) == 0;
}

/* While slot 1 has all that it gets. */
static bool
meanwhile(bool (*act)(void))
{
	bool ok;
	int sv[2];
	pid_t pid;
	char c;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return false;
	ours = sv[0];
	theirs = sv[1];
	pid = fork();
	if (pid == 0) {
		(void)close(ours);
		_exit(in_slot(1, holds_much) ? 0 : 1);
	}
	(void)close(theirs);
	ok = read(ours, &c, 1) == 1 && act();
	(void)close(ours);
	return waitpid(pid, NULL, 0) == pid && ok;
}

/* Its container is kept by who is not of the job any more. */
static int kept[2];

static bool
gives_away(uint32_t slot)
{
	struct daemon d = {.envoy = lines[slot - 1]};
	struct envoy_ask a = {.grouped = true};
	char why[DOCKER_WHY];

	return daemon_ask(&d, &a, why) == 0 &&
	    slot_send(kept[1], "", 1, &d.reply, 1) == 0;
}

/* A pair that somebody else has made is no proof. */
static bool
pair_of_other(void)
{
	int sv[2];
	bool ok;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return false;
	ok = slot_send(lines[0], "\0\1", 2, &sv[1], 1) == 0 && cut(lines[0]);
	(void)close(sv[0]);
	(void)close(sv[1]);
	return ok;
}

/* ---- the trials ---- */

static bool
t_own(void)
{
	return served(1) && served(2);
}

static bool
hostile(bool (*act)(uint32_t), bool lives)
{
	return in_slot(1, act) && (lives ? heard(lines[0]) : cut(lines[0])) &&
	    heard(lines[1]) && served(2);
}

static bool t_rubbish(void) { return hostile(says_rubbish, false); }
static bool t_names(void)
{
	return hostile(names_other, false) &&
	    count("POST /containers/create") == 1;
}
static bool t_nothing(void) { return hostile(sends_nothing, false); }
static bool t_no_pair(void) { return hostile(no_pair, false); }
static bool t_shut(void) { return hostile(shuts_down, false); }
static bool t_shut_half(void) { return hostile(shuts_half, false); }
static bool t_both(void)
{
	return hostile(both_ends, false) &&
	    count("POST /containers/create") == 1;
}
static bool t_no_room(void) { return hostile(has_no_room, true); }
static bool t_pair(void) { return pair_of_other() && served(2); }
static bool other_has_own(void) { return in_slot(2, asks_own); }
static bool t_much(void) { return meanwhile(other_has_own); }

static bool
t_kept(void)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, kept) < 0 ||
	    !in_slot(1, gives_away) || count("DELETE /containers/") > 0)
		return false;
	envoy_ends(1);
	return asked("DELETE /containers/", 1) && served(2);
}

static bool
t_trial(void)
{
	return hostile(tries_again, true) && count("GET /containers/json") == 0;
}

static bool
is_tried(uint32_t slot)
{
	struct daemon d = {.envoy = lines[slot - 1]};
	struct envoy_ask a = {.trial = true};
	char why[DOCKER_WHY];

	return daemon_ask(&d, &a, why) == 0;
}

/* More than one list holds; those that stay are no reason not to start. */
static bool
sweeps(unsigned stuck, unsigned lists)
{
	atomic_store(&seen->left, LISTED + 6);
	atomic_store(&seen->stuck, stuck);
	return in_slot(1, is_tried) && atomic_load(&seen->left) == stuck &&
	    count("GET /containers/json") == lists;
}

static bool t_sweep(void) { return sweeps(0, 3); }
static bool t_stuck(void) { return sweeps(2, 3); }

/* The children of a process, as text. */
static pid_t
first_child(pid_t of, char *text, size_t cap)
{
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", of, of);
	n = file_read(AT_FDCWD, path, text, cap - 1);
	text[n < 0 ? 0 : n] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

/* Who watches over it is our only child. */
static pid_t
worker(void)
{
	char text[256];
	pid_t keeper = first_child(getpid(), text, sizeof(text));

	return keeper == 0 ? 0 : first_child(keeper, text, sizeof(text));
}

/* One that follows knows what jail has said before. */
static bool
t_falls(void)
{
	struct until u = until_begin("who asks", PATIENCE_MS);
	pid_t pid;

	while ((pid = worker()) == 0 && until_step(&u))
		continue;
	return pid > 0 && kill(pid, SIGKILL) == 0 && served(1) &&
	    in_slot(2, tries_again) && served(2);
}

static bool
falls(void)
{
	pid_t pid = worker();

	return pid > 0 && kill(pid, SIGKILL) == 0 && in_slot(1, too_many);
}

/* ... and who has what; it hears of those that go. */
static bool
t_falls_much(void)
{
	struct until u = until_begin("a place", PATIENCE_MS);

	if (!meanwhile(falls))
		return false;
	while (in_slot(1, too_many))
		if (!until_step(&u))
			return false;
	return served(1);
}

static bool
t_over(void)
{
	envoy_over();
	for (unsigned i = 0; i < slots; i++)
		(void)close(lines[i]);
	return asked("DELETE /images/warren-inner:12345678", 1);
}

static const struct {
	const char *name;
	bool (*run)(void);
	uint32_t slots; /* 0: as most have; 1: before any job */
} all[] = {
    {"own", t_own, 0}, {"all-slots", t_own, JAIL_SLOTS_MAX},
    {"rubbish", t_rubbish, 0}, {"names-other", t_names, 0},
    {"nothing", t_nothing, 0}, {"no-pair", t_no_pair, 0}, {"shut", t_shut, 0},
    {"shut-half", t_shut_half, 0}, {"both-ends", t_both, 0},
    {"no-room", t_no_room, 0}, {"pair-of-other", t_pair, 0},
    {"kept", t_kept, 0}, {"much", t_much, 0}, {"trial", t_trial, 0},
    {"sweep", t_sweep, 1}, {"stuck", t_stuck, 1},
    {"falls", t_falls, 0}, {"falls-much", t_falls_much, 0},
    {"over", t_over, 0}};

static bool
make_folders(void)
{
	char name[PLAN_GROUP_MAX], path[PLAN_GROUP_MAX + 80];
	int fd;

	(void)snprintf(top, sizeof(top), "/tmp/warren-envoy-XXXXXX");
	if (mkdtemp(top) == NULL || chmod(top, 0711) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/" MEET, top);
	if (mkdir(path, 0711) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/jobs", top);
	if (mkdir(path, 0755) < 0 ||
	    (jobs = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return false;
	for (unsigned i = 0; i < SLOTS; i++) {
		plan_group_name(name, &job_of[i]);
		if (mkdirat(jobs, name, 0755) < 0)
			return false;
		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", name);
		fd = openat(jobs, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			return false;
		(void)close(fd);
	}
	return true;
}

/* In a process of its own: with that one end its lines. */
static bool
play(bool (*run)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		bool ok = start_envoy();

		for (unsigned i = 0; slots >= SLOTS && i < SLOTS; i++)
			envoy_begins(i + 1, &job_of[i]);
		_exit(ok && run() ? 0 : 1);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

/* All that it has made ends behind it, without being told to. */
static bool
all_ended(pid_t but)
{
	struct until u = until_begin("the end of who asked", PATIENCE_MS);
	char text[256], want[16];

	(void)snprintf(want, sizeof(want), "%d ", but);
	do {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
		(void)first_child(getpid(), text, sizeof(text));
	} while (strcmp(text, want) != 0 && until_step(&u));
	return strcmp(text, want) == 0;
}

static void
clean_up(pid_t docker)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (docker > 0 && kill(docker, SIGKILL) == 0)
		(void)waitpid(docker, NULL, 0);
	(void)close(jobs);
	if (fd >= 0) {
		(void)tree_empty(fd);
		(void)close(fd);
		(void)rmdir(top);
	}
}

static bool
usable(void)
{
	uid_t id = BASE + JAIL_SLOT_UID + 1;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(geteuid() == 0 && setresuid(id, id, id) == 0 ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

int
main(int argc, char *argv[])
{
	const char *only = argc > 3 ? argv[3] : NULL;
	int rc = 0;

	if (!usable()) {
		(void)printf("skip envoy: docker is asked by root only\n");
		return 0;
	}
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return 1;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < NELEM(all); i++) {
		pid_t docker = -1;
		bool ok = false;

		if (only != NULL && strcmp(only, all[i].name) != 0)
			continue;
		atomic_store(&seen->n, 0);
		atomic_store(&seen->left, 0);
		slots = all[i].slots != 0 ? all[i].slots : SLOTS;
		if (make_folders())
			docker = start_daemon();
		ok = docker > 0 && play(all[i].run) && all_ended(docker);
		clean_up(docker);
		(void)printf("%s envoy-%s\n", ok ? "ok" : "not ok",
		    all[i].name);
		rc |= !ok;
	}
	return rc;
}
