/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ledgerkit.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

char ledgerkit_dir[64];
char ledgerkit_path[128];
struct jobs ledgerkit_jobs;

static void
changed(void *ctx, struct job *j, enum job_state old)
{
	(void)ctx;
	(void)j;
	(void)old;
}

static void
remove_tree(const char *arg)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execl("/bin/rm", "rm", "-rf", arg, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

int
ledgerkit_setup(void **state)
{
	(void)state;
	(void)snprintf(ledgerkit_dir, sizeof(ledgerkit_dir),
	    "/tmp/warren-ledger-XXXXXX");
	assert_non_null(mkdtemp(ledgerkit_dir));
	(void)snprintf(ledgerkit_path, sizeof(ledgerkit_path), "%s/ledger.db",
	    ledgerkit_dir);
	jobs_init(&ledgerkit_jobs, changed, NULL);
	return 0;
}

int
ledgerkit_teardown(void **state)
{
	(void)state;
	jobs_clear(&ledgerkit_jobs);
	remove_tree(ledgerkit_dir);
	return 0;
}

void
ledgerkit_forget(void)
{
	jobs_clear(&ledgerkit_jobs);
	jobs_init(&ledgerkit_jobs, changed, NULL);
}

struct ledger *
ledgerkit_open(void)
{
	char why[160];
	struct ledger *l = ledger_open(ledgerkit_path, why);

	if (l == NULL)
		fail_msg("%s", why);
	return l;
}

void
ledgerkit_commit(struct ledger *l)
{
	bool full;

	assert_int_equal(ledger_commit(l, &ledgerkit_jobs, &full), 0);
	assert_false(ledger_pending(l, &ledgerkit_jobs));
}
