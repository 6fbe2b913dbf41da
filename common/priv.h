/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_PRIV_H
#define WARREN_COMMON_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"

/*
 * Giving up rights (THREATS.md 1; facts: Linux 5.13 and later). Each call
 * returns 0, or -1 with errno; what a kernel does not have is not an error
 * where the contract says so. Most programs call none of these: they call
 * program_start(), which calls them in the order below. The jail calls them
 * itself, because it makes its user namespaces between two of them.
 */

/* 1. Close every descriptor above 2 but these (any order; E2BIG beyond). */
#define PRIV_FDS_MAX 320
int priv_fds(const int *keep, size_t count);

/*
 * 2. Own session, empty session keyring, umask 077, RLIMIT_CORE 1 (0 would not
 * stop a core handler), no more than nofile descriptors (0: as it is),
 * no_new_privs, dumpable 0. Also for a program that stays root for now:
 * dumpable is set again by priv_ids().
 */
int priv_session(unsigned nofile);

/*
 * Lowers a limit of setrlimit(2), hard and soft; a hard limit that is lower
 * already is as good.
 */
int priv_limit(int which, uint64_t most);

/* 3. As root: own mount (private), ipc and, when net is set, net namespace. */
int priv_namespaces(bool net);

/*
 * 3b. As root, after that: *fd, a directory of the old mount namespace, becomes
 * one of a mount of its own that is attached nowhere (nosuid, nodev, noexec;
 * read-only unless PRIV_WRITE), so that `..` does not lead out of it. Needs
 * /proc. On failure *fd stays as it is.
 */
enum priv_access {
	PRIV_READ,
	PRIV_WRITE,
	PRIV_EXECUTE, /* of Landlock alone: to read, and to execute */
	PRIV_WRITE_FILE /* ... and of one file that is no folder */
};
int priv_detach(int *fd, enum priv_access);

/*
 * 4. As root: the mount of priv_detach() becomes the root directory, and the
 * old one is gone. fd -1: an empty read-only tmpfs. The working directory is
 * the new root.
 */
int priv_root(int fd);

/*
 * 5. As root: no supplementary group, uid and gid are id in all their forms.
 * Then, also rootless (id 0: the ids stay): every capability is gone from all
 * five sets, no_new_privs and dumpable 0 are set.
 */
int priv_ids(uint32_t id);

/*
 * 6. Landlock: what may be opened beneath which directory. The ABI is asked
 * for; rights, attribute size, TCP and scopes (ABI 4, 6) follow it. An empty
 * list forbids every file; nobody listens on TCP, and only who connects does
 * that. *abi: 0 when the kernel has none (not an error).
 */
struct priv_dir {
	int fd;
	enum priv_access access;
};
int priv_landlock(const struct priv_dir *dirs, size_t count, bool connects,
    int *abi);

/*
 * 7. The system-call filter of a program (common/filter.c). Allow-list: what is
 * not in it fails with EPERM; what no program may do kills the process. No-op
 * when the parent asks, and in builds with sanitizers (logged). -1 EINVAL for
 * the jail, which loads its own (sandbox/base/basefilter.h).
 */
int priv_filter(enum program);
/*
 * ... and of the child that looks up a host name, which is no program of the
 * table: sockets, files to read, code of files (the resolver's modules).
 */
int priv_filter_lookup(void);
/* ... and of those that read files for audit (audit/integrity_reader.h). */
int priv_filter_reader(void);
/* ... and of who speaks to Docker's daemon (sandbox/runner/envoy.h). */
int priv_filter_envoy(void);
/* ... and of the watchdog's, which has its descriptors and nothing else. */
int priv_filter_watchdog(void);
/*
 * ... and of a program of the operator that verifies signatures: what no program
 * does, sockets, mounts, namespaces and modules are refused, all else is let.
 */
int priv_filter_verifier(void);
#define WATCHDOG_UID 10 /* + base, as root */

#endif
