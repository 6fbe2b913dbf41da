/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* unshare */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/jail/sysv.h"

/*
 * What a job leaves is removed in a namespace of its own, and nothing anywhere
 * else. All of it in a child with namespaces of its own: never the machine's.
 */
enum { GOOD, NO_NAMESPACE, BAD };

static int objects[3];

static bool
make(void)
{
	objects[0] = shmget(IPC_PRIVATE, 4096, 0600);
	objects[1] = semget(IPC_PRIVATE, 1, 0600);
	objects[2] = msgget(IPC_PRIVATE, 0600);
	return objects[0] >= 0 && objects[1] >= 0 && objects[2] >= 0;
}

/* How many of them are there. */
static int
there(void)
{
	struct shmid_ds shm;
	struct msqid_ds msg;
	struct semid_ds sem;
	union {
		struct semid_ds *one;
	} s = {&sem};

	return (shmctl(objects[0], IPC_STAT, &shm) == 0) +
	    (semctl(objects[1], 0, IPC_STAT, s) == 0) +
	    (msgctl(objects[2], IPC_STAT, &msg) == 0);
}

static int
child(void)
{
	struct sysv_home home, unknown = {.known = false};

	if (unshare(CLONE_NEWUSER | CLONE_NEWIPC) < 0)
		return NO_NAMESPACE;
	sysv_here(&home);
	if (!home.known || !make())
		return BAD;
	/* an unshare that did nothing: these are the user's */
	if (sysv_drop(&home) || there() != 3)
		return BAD;
	if (unshare(CLONE_NEWIPC) < 0 || there() != 0 || !make())
		return BAD;
	if (sysv_drop(&unknown) || there() != 3)
		return BAD;
	return sysv_drop(&home) && there() == 0 ? GOOD : BAD;
}

static void
test_drop(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_NAMESPACE)
		skip();
	assert_int_equal(WEXITSTATUS(status), GOOD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_drop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
