/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's network, its sockets, and what else its processes share. */
#include "sandbox/probe/probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FAMILY(name, family, type, protocol)                                   \
	PROBE(name)                                                            \
	{                                                                      \
		MUST_FAIL(socket(family, type, protocol));                     \
		HELD;                                                          \
	}
FAMILY(vsock, 40, SOCK_STREAM, 0)
FAMILY(packet, 17, SOCK_RAW, 0)
FAMILY(packet_cooked, 17, SOCK_DGRAM, 0)
FAMILY(netlink_route, 16, SOCK_RAW, 0)
FAMILY(netlink_diag, 16, SOCK_RAW, 4)
FAMILY(netlink_audit, 16, SOCK_RAW, 9)
FAMILY(netlink_netfilter, 16, SOCK_RAW, 12)
FAMILY(netlink_uevent, 16, SOCK_RAW, 15)
FAMILY(netlink_generic, 16, SOCK_RAW, 16)
FAMILY(netlink_crypto, 16, SOCK_RAW, 21)
FAMILY(kernel_crypto, 38, SOCK_SEQPACKET, 0)
FAMILY(raw, AF_INET, SOCK_RAW, 1)
FAMILY(raw6, AF_INET6, SOCK_RAW, 58)
FAMILY(ping, AF_INET, SOCK_DGRAM, 1)
FAMILY(bluetooth, 31, SOCK_RAW, 1)
FAMILY(can, 29, SOCK_RAW, 1)
FAMILY(tipc, 30, SOCK_STREAM, 0)
FAMILY(rds, 21, SOCK_SEQPACKET, 0)
FAMILY(kcm, 41, SOCK_DGRAM, 0)
FAMILY(xdp, 44, SOCK_RAW, 0)
FAMILY(smc, 43, SOCK_STREAM, 0)
FAMILY(qipcrtr, 42, SOCK_DGRAM, 0)

static struct sockaddr_in
loopback(const char *port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)host_number(port)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

PROBE(host_tcp)
{
	struct sockaddr_in a = loopback("HOST_PORT");
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0)
		MUST_FAIL(connect(fd, (struct sockaddr *)&a, sizeof(a)));
	HELD;
}
/* What the host's own programs would get: a port of it is taken twice. */
PROBE(host_port_taken)
{
	struct sockaddr_in a = loopback("HOST_PORT");
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		HELD;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 &&
	    errno == EADDRINUSE)
		ESCAPED("the host's ports are those of the job");
	HELD;
}
PROBE(outside)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(0xc0000201)}; /* 192.0.2.1 */
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd >= 0)
		MUST_FAIL(sendto(fd, "x", 1, 0, (struct sockaddr *)&a,
		    sizeof(a)));
	HELD;
}
PROBE(interfaces)
{
	struct ifreq list[16];
	struct ifconf c = {.ifc_len = sizeof(list)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	c.ifc_req = list;
	if (fd < 0 || ioctl(fd, SIOCGIFCONF, &c) != 0)
		HELD;
	for (size_t i = 0; i < (size_t)c.ifc_len / sizeof(*list); i++)
		if (strcmp(list[i].ifr_name, "lo") != 0)
			ESCAPED("interface %.16s", list[i].ifr_name);
	HELD;
}
PROBE(interface_down)
{
	struct ifreq r;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	memset(&r, 0, sizeof(r));
	memcpy(r.ifr_name, "lo", 3);
	if (fd >= 0)
		MUST_FAIL(ioctl(fd, SIOCSIFFLAGS, &r));
	HELD;
}

static socklen_t
abstract(struct sockaddr_un *a, const char *name)
{
	size_t n = strlen(name);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path + 1, name, n);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

/* As the shared instance, its RPC and many daemons of a desktop listen. */
PROBE(host_abstract)
{
	struct sockaddr_un a;
	socklen_t len = abstract(&a, host("HOST_ABSTRACT"));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0)
		MUST_FAIL(connect(fd, (struct sockaddr *)&a, len));
	HELD;
}
PROBE(abstract_taken)
{
	struct sockaddr_un a;
	socklen_t len = abstract(&a, host("HOST_ABSTRACT"));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, len) < 0 &&
	    errno == EADDRINUSE)
		ESCAPED("the host's abstract names are those of the job");
	HELD;
}
/* As node.sock and mesh.sock: by its path, and by what is open. */
PROBE(host_socket)
{
	char from[64] = "";

	for (int i = -1; i < 64; i++) {
		struct sockaddr_un a = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (i >= 0)
			(void)snprintf(from, sizeof(from), "/proc/self/fd/%d",
			    i);
		(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s%.80s", from,
		    host("HOST_SOCKET"));
		if (fd >= 0 && connect(fd, (struct sockaddr *)&a,
		    sizeof(a)) == 0)
			ESCAPED("connected to %.80s", a.sun_path);
		(void)close(fd);
	}
	HELD;
}
PROBE(proc_net)
{
	char line[512];
	FILE *f = fopen("/proc/net/unix", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strstr(line, host("HOST_ABSTRACT")) != NULL)
			ESCAPED("the host's sockets are listed");
	HELD;
}

PROBE(host_shm)
{
	MUST_FAIL(shmget((key_t)host_number("HOST_SHM"), 0, 0));
	HELD;
}
PROBE(host_sem)
{
	MUST_FAIL(semget((key_t)host_number("HOST_SHM"), 0, 0));
	HELD;
}
PROBE(host_msg)
{
	MUST_FAIL(msgget((key_t)host_number("HOST_SHM"), 0));
	HELD;
}
PROBE(mqueue)
{
	mqd_t q = mq_open("/warren-probe", O_CREAT | O_RDWR, 0600, NULL);

	if (q != (mqd_t)-1) {
		(void)mq_unlink("/warren-probe");
		ESCAPED("a message queue");
	}
	HELD;
}

#define KERNEL "where_the_kernel_has_it"
#define HOST_ROOT "only_the_host's_own_root_may"
static const struct probe list[] = {
	CALL(vsock, "seccomp", KERNEL),
	CALL(packet, "caps seccomp", HOST_ROOT),
	CALL(packet_cooked, "caps seccomp", HOST_ROOT),
	CALL(netlink_route, "seccomp", NULL), CALL(netlink_diag, "seccomp", KERNEL),
	CALL(netlink_audit, "seccomp", KERNEL),
	CALL(netlink_netfilter, "seccomp", KERNEL),
	CALL(netlink_uevent, "seccomp", NULL),
	CALL(netlink_generic, "seccomp", NULL),
	CALL(netlink_crypto, "seccomp", KERNEL),
	CALL(kernel_crypto, "seccomp", KERNEL),
	CALL(raw, "caps", HOST_ROOT),
	CALL(raw6, "caps", HOST_ROOT),
	DOOR(ping, "net seccomp", "closed_by_a_sysctl_of_most"),
	CALL(bluetooth, "seccomp", KERNEL), CALL(can, "seccomp", KERNEL),
	CALL(tipc, "seccomp", KERNEL), CALL(rds, "seccomp", KERNEL),
	CALL(kcm, "seccomp", KERNEL), CALL(xdp, "seccomp", KERNEL),
	CALL(smc, "seccomp", KERNEL), CALL(qipcrtr, "seccomp", KERNEL),
	DOOR(host_tcp, "seccomp net landlock", NULL),
	DOOR(host_port_taken, "seccomp net landlock", NULL),
	DOOR(outside, "seccomp net", "where_the_machine_has_a_route"),
	DOOR(interfaces, "seccomp net", "where_the_machine_has_one"),
	CALL(interface_down, "caps", HOST_ROOT),
	DOOR(host_abstract, "net landlock", NULL),
	DOOR(abstract_taken, "net", NULL),
	DOOR(host_socket, "mount", NULL), DOOR(proc_net, "net mount", NULL),
	DOOR(host_shm, "ipc", NULL), DOOR(host_sem, "ipc", NULL),
	DOOR(host_msg, "ipc", NULL),
	DOOR(mqueue, "rlimits", NULL),
};
PROBES(network);
