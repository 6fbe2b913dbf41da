/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs inside the sandbox and tries to hold more of what the kernel counts for
 * a whole host than a job's own limits allow. `counters NAME` ends with 0 when
 * it was refused in time, or is killed by its own group; with 1 and a line
 * when it holds more than its share. `counters list` prints the names.
 * MEMORY, in bytes, is what the job was given (0: no group bounds it); FILES,
 * FLIGHT and WATCHES are how many open files, descriptors in flight and inotify
 * watches are its share at most.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char note[200];

#define HELD return true
#define ESCAPED(...)                                                           \
	do {                                                                   \
		(void)snprintf(note, sizeof(note), __VA_ARGS__);               \
		return false;                                                  \
	} while (0)

static uint64_t
given(const char *name)
{
	const char *v = getenv(name);

	return v == NULL ? 0 : strtoull(v, NULL, 10);
}

/* Twice what it was given is more than any rounding. */
static bool
too_much(uint64_t bytes)
{
	return given("MEMORY") != 0 && bytes > 2 * given("MEMORY");
}

/* Bytes that lie in pairs of sockets of a family, unread. */
static uint64_t
fill_pair(int to)
{
	static char block[32768];
	uint64_t sum = 0;
	ssize_t n;

	while ((n = send(to, block, sizeof(block), MSG_DONTWAIT)) > 0)
		sum += (uint64_t)n;
	return sum;
}

static bool
c_udp_buffers(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < 900; i++) {
		struct sockaddr_in a = {.sin_family = AF_INET,
		    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof(a);
		int in = socket(AF_INET, SOCK_DGRAM, 0), out, big = 1 << 30;

		if (in == -1)
			HELD;
		(void)setsockopt(in, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
		out = socket(AF_INET, SOCK_DGRAM, 0);
		if (out == -1 || bind(in, (struct sockaddr *)&a, len) != 0 ||
		    getsockname(in, (struct sockaddr *)&a, &len) != 0 ||
		    connect(out, (struct sockaddr *)&a, len) != 0)
			HELD;
		sum += fill_pair(out);
		(void)close(out);
	}
	if (sum > 4u << 20)
		ESCAPED("%llu bytes in buffers of the host",
		    (unsigned long long)sum);
	HELD;
}

static bool
c_families(void)
{
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++)
		for (int family = AF_INET; family <= 46; family++)
			if (socket(family, type, 0) != -1)
				ESCAPED("a socket of family %d", family);
	HELD;
}

/* In as many processes as it takes; each with all the files it may open. */
static bool
in_children(bool (*fill)(uint64_t *), uint64_t most, const char *what)
{
	uint64_t *sum = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANONYMOUS, -1, 0);
	bool held = true;

	if (sum == MAP_FAILED)
		HELD;
	for (int i = 0; i < 250 && held; i++) {
		pid_t pid = fork();

		if (pid == -1)
			break;
		if (pid == 0) {
			uint64_t mine = 0;

			(void)fill(&mine);
			(void)__atomic_add_fetch(sum, mine, __ATOMIC_SEQ_CST);
			(void)__atomic_add_fetch(sum + 1, 1, __ATOMIC_SEQ_CST);
			for (;;)
				(void)pause();
		}
		while (__atomic_load_n(sum + 1, __ATOMIC_SEQ_CST) <=
		    (uint64_t)i && waitpid(pid, NULL, WNOHANG) == 0)
			(void)sched_yield();
		held = most == 0 || *sum <= most;
	}
	(void)snprintf(note, sizeof(note), "%llu %s, and %llu are its share",
	    (unsigned long long)*sum, what, (unsigned long long)most);
	return held;
}

static void
raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static bool
open_many(uint64_t *n)
{
	raise_files();
	while (open("/dev/null", O_RDONLY) != -1)
		(*n)++;
	return true;
}

static bool
c_open_files(void)
{
	return in_children(open_many, given("FILES"), "open files");
}

static bool
many_eventfds(uint64_t *n)
{
	raise_files();
	for (;;) {
		if (eventfd(0, 0) == -1)
			break;
		(*n)++;
		if (timerfd_create(CLOCK_MONOTONIC, 0) == -1)
			break;
		(*n)++;
	}
	return true;
}

static bool
c_timer_descriptors(void)
{
	return in_children(many_eventfds, given("FILES"), "timer and event "
	    "descriptors");
}

static bool
park(uint64_t *n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 250)];
	} u;
	int fds[250], sv[2];

	raise_files();
	for (int i = 0; i < 250; i++)
		fds[i] = 0;
	while (socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) == 0) {
		for (;;) {
			struct iovec iov = {fds, 1};
			struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &u, .msg_controllen = sizeof(u)};
			struct cmsghdr *c;

			memset(&u, 0, sizeof(u));
			c = CMSG_FIRSTHDR(&m);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(sizeof(fds));
			memcpy(CMSG_DATA(c), fds, sizeof(fds));
			if (sendmsg(sv[0], &m, MSG_DONTWAIT) == -1) {
				if (errno == ETOOMANYREFS)
					return true;
				break;
			}
			*n += 250;
		}
	}
	return true;
}

static bool
c_descriptors_in_flight(void)
{
	return in_children(park, given("FLIGHT"), "descriptors in flight");
}

/* What follows is charged: the group of the job ends it. */
static bool
c_unix_buffers(void)
{
	uint64_t sum = 0;
	int sv[2];

	raise_files();
	while (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0) {
		int big = 1 << 20;

		(void)setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &big,
		    sizeof(big));
		sum += fill_pair(sv[0]);
		if (too_much(sum))
			ESCAPED("%llu bytes in unix sockets",
			    (unsigned long long)sum);
	}
	HELD;
}

static bool
c_pipe_pages(void)
{
	static char block[65536];
	uint64_t sum = 0;
	int p[2];

	raise_files();
	while (pipe2(p, O_NONBLOCK) == 0) {
		ssize_t n;

		(void)fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
		while ((n = write(p[1], block, sizeof(block))) > 0)
			sum += (uint64_t)n;
		if (too_much(sum))
			ESCAPED("%llu bytes in pipes",
			    (unsigned long long)sum);
	}
	HELD;
}

/* An item is no less than 100 bytes of the kernel's. */
static bool
c_epoll_watches(void)
{
	int fds[64];
	uint64_t n = 0;

	raise_files();
	for (int i = 0; i < 64; i++)
		fds[i] = eventfd(0, 0);
	for (;;) {
		int e = epoll_create1(0);

		for (int i = 0; i < 64; i++) {
			struct epoll_event ev = {.events = EPOLLIN};

			if (e == -1 || epoll_ctl(e, EPOLL_CTL_ADD, fds[i],
			    &ev) != 0)
				HELD;
			n += 100;
		}
		if (too_much(n))
			ESCAPED("epoll watches of %llu bytes",
			    (unsigned long long)n);
	}
}

static bool
c_inotify(void)
{
	uint64_t n = 0, most = given("WATCHES");
	char path[64];
	int instances = 0;

	for (;;) {
		int fd = inotify_init1(IN_NONBLOCK);

		if (fd == -1)
			break;
		if (++instances > 64)
			ESCAPED("%d inotify instances", instances);
		for (int i = 0; i < 4000; i++) {
			(void)snprintf(path, sizeof(path), "/tmp/w%d", i);
			(void)close(open(path, O_CREAT | O_WRONLY, 0600));
			if (inotify_add_watch(fd, path, IN_MODIFY) == -1)
				break;
			n++;
		}
		if (n > most)
			ESCAPED("%llu inotify watches",
			    (unsigned long long)n);
	}
	HELD;
}

static bool
c_timers(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_NONE};
	unsigned n = 0;
	int id;

	while (syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id) == 0)
		if (++n > 1024)
			ESCAPED("%u timers", n);
	HELD;
}

static bool
c_aio(void)
{
	unsigned long ctx = 0;

	if (syscall(SYS_io_setup, 1000, &ctx) == 0)
		ESCAPED("events of fs.aio-max-nr");
	HELD;
}

static bool
c_keys(void)
{
	if (syscall(SYS_add_key, "user", "x", "y", 1, -3) != -1 ||
	    syscall(SYS_keyctl, 1, NULL) != -1)
		ESCAPED("a key");
	HELD;
}

static bool
c_socket_filter(void)
{
	static struct sock_filter ok[] = {{BPF_RET | BPF_K, 0, 0, ~0u}};
	struct sock_fprog p = {1, ok};
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) != 0)
		HELD;
	for (int option = 26; option <= 52; option += 25)
		if (setsockopt(sv[0], SOL_SOCKET, option, &p, sizeof(p)) == 0)
			ESCAPED("a program on a socket (%d)", option);
	HELD;
}

static bool
c_more_filters(void)
{
	static struct sock_filter ok[] = {
	    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
	struct sock_fprog p = {1, ok};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p) == 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0)
		ESCAPED("one more seccomp program");
	HELD;
}

static bool
c_huge_pages(void)
{
	if (mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_HUGETLB, -1, 0) != MAP_FAILED ||
	    memfd_create("x", MFD_HUGETLB) != -1 ||
	    shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | IPC_CREAT | 0600) != -1)
		ESCAPED("a huge page");
	HELD;
}

/* The calls that a packaged library does not know by name. */
static bool
c_new_calls(void)
{
	static const int refused[] = {451, 457, 458, 459, 460, 461, 467, 469,
	    470};

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (syscall(refused[i], 0, 0, 0, 0, 0, 0) != -1 ||
		    (errno != EPERM && errno != ENOSYS))
			ESCAPED("call %d", refused[i]);
	for (int nr = 471; nr < 2000; nr++)
		if (syscall(nr, 0, 0, 0, 0, 0, 0) != -1 || errno != ENOSYS)
			ESCAPED("call %d", nr);
	HELD;
}

/* What outlives its maker: shared memory of 192 MiB, messages, semaphores. */
static bool
c_sysv(void)
{
	enum { PART = 16 << 20, PARTS = 12 };
	static struct {
		long type;
		char text[8000];
	} m = {.type = 1};
	int q = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	(void)semget(IPC_PRIVATE, 100, IPC_CREAT | 0600);
	while (q != -1 && msgsnd(q, &m, sizeof(m.text), IPC_NOWAIT) == 0)
		continue;
	for (uint64_t i = 1; i <= PARTS; i++) {
		int id = shmget(IPC_PRIVATE, PART, IPC_CREAT | 0600);
		void *p = id == -1 ? (void *)-1 : shmat(id, NULL, 0);

		if (p == (void *)-1)
			break;
		memset(p, 1, PART);
		if (too_much(i * PART))
			ESCAPED("%llu bytes of shared memory",
			    (unsigned long long)(i * PART));
	}
	HELD;
}

static const struct {
	const char *name;
	bool (*run)(void);
} counters[] = {
	{"udp_buffers", c_udp_buffers}, {"families", c_families},
	{"open_files", c_open_files},
	{"timer_descriptors", c_timer_descriptors},
	{"descriptors_in_flight", c_descriptors_in_flight},
	{"unix_buffers", c_unix_buffers}, {"pipe_pages", c_pipe_pages},
	{"epoll_watches", c_epoll_watches}, {"inotify", c_inotify},
	{"timers", c_timers}, {"sysv", c_sysv}, {"aio", c_aio}, {"keys", c_keys},
	{"socket_filter", c_socket_filter}, {"more_filters", c_more_filters},
	{"huge_pages", c_huge_pages}, {"new_calls", c_new_calls},
};

int
main(int argc, char *argv[])
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		if (argc == 2 && strcmp(argv[1], "list") == 0)
			puts(counters[i].name);
		if (argc != 2 || strcmp(argv[1], counters[i].name) != 0)
			continue;
		if (counters[i].run())
			return 0;
		puts(note);
		return 1;
	}
	return argc == 2 && strcmp(argv[1], "list") == 0 ? 0 : 2;
}
