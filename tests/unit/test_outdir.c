/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose the folder is that --out names, and whether it is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rns/rns.h>

#include "common/file.h"
#include "common/util.h"
#include "node/cli/jobdir.h"
#include "node/cli/outdir.h"
#include "tests/unit/cli_capture.h"
#include "trust/doc/envelope.h"
#include "trust/doc/receipt.h"

static struct person person;
static const char *top;
static char out[CLI_PATH];
static struct id32 there, ours = {{7}};

static void
put(const char *name, const void *p, size_t n)
{
	int dir = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	assert_int_equal(file_replace(dir, name, p, n, 0644), 0);
	(void)close(dir);
}

static bool
has(const char *name)
{
	char path[CLI_PATH + 32];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", out, name);
	return stat(path, &st) == 0;
}

static void
put_receipt(unsigned outcome)
{
	struct job_receipt r = {.outcome = (uint8_t)outcome, .job = there};
	uint8_t buf[JOB_RECEIPT_MAX];

	put("receipt", buf, job_receipt_put(buf, &r));
}

/* A folder as `submit` leaves it, of a job of which this was seen last. */
static void
begin(const char *seen)
{
	static const char payload[] = "a manifest";
	struct env_signed sig = {.sig = {1}};
	struct job_note note = {0};
	uint8_t text[1024];
	size_t n;

	top = temp_dir();
	(void)snprintf(out, sizeof(out), "%s/got", top);
	assert_int_equal(mkdir(out, 0700), 0);
	person.dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	n = env_build_json(text, sizeof(text), "application/x", payload,
	    strlen(payload), &sig, 1);
	assert_true(n > 0);
	put("manifest", text, n);
	put("stdout", "", 0);
	put("stderr", "", 0);
	rns_sha256(&there, payload, strlen(payload));
	note.job = there;
	(void)snprintf(note.folder, sizeof(note.folder), "%s", out);
	(void)snprintf(note.state, sizeof(note.state), "%s",
	    seen != NULL ? seen : "");
	if (seen != NULL)
		assert_true(person_note_job(&person, &note));
}

static const struct captured *
take(int want, const struct id32 *job)
{
	struct cli c = {.verb = "submit"};
	const struct captured *said;
	int rc;

	capture_begin();
	rc = outdir_take(&c, &person, out, job);
	said = capture_end();
	if (rc != want)
		fail_msg("%d: %s", rc, said->err);
	return said;
}

static void
end(void)
{
	(void)close(person.dir);
	temp_remove(top);
}

/* Open at a path that leads elsewhere by the time that it is taken away. */
static void
moved_away(void)
{
	struct cli c = {.verb = "submit"};
	struct jobdir j;
	char far[CLI_PATH + 32], was[CLI_PATH];
	int dir = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	put(JOBDIR_UPLOAD, "", 0);
	(void)snprintf(far, sizeof(far), "%s/far", top);
	assert_int_equal(mkdir(far, 0700), 0);
	(void)snprintf(far, sizeof(far), "%s/far/got", top);
	assert_int_equal(rename(out, far), 0);
	assert_int_equal(mkdir(out, 0700), 0);
	jobdir_begun(&j, &c, out, dir, jobdir_hold(dir, false));
	assert_true(j.mark >= 0);
	jobdir_void(&j);
	jobdir_close(&j);
	assert_true(has("."));
	memcpy(was, out, sizeof(was));
	(void)snprintf(out, sizeof(out), "%s/far/got", top);
	assert_false(has("."));
	memcpy(out, was, sizeof(out));
}

static void
used_again(void **state)
{
	static const char *const names[] = {"link", "link/", "got/."};
	char link[CLI_PATH];

	(void)state;
	begin("cancelled");
	put(JOBDIR_UPLOAD, "", 0);
	assert_non_null(strstr(take(CLI_OK, &ours)->err, "never ran"));
	assert_false(has("."));
	assert_string_equal(take(CLI_OK, &ours)->err, ""); /* nothing there */
	end();
	begin("refused");
	(void)take(CLI_OK, &ours);
	assert_false(has("manifest"));
	end();
	/* its receipt says it, whatever was seen before */
	begin("queued");
	put_receipt(JOB_CANCELLED);
	put("result.json", "{}", 2);
	(void)take(CLI_OK, &ours);
	assert_false(has("."));
	assert_string_equal(take(CLI_OK, &ours)->err, "");
	end();
	/* a name of it that cannot be taken away: nothing is lost */
	begin("cancelled");
	put_receipt(JOB_CANCELLED);
	(void)snprintf(link, sizeof(link), "%s/link", top);
	assert_int_equal(symlink(out, link), 0);
	for (size_t i = 0; i < NELEM(names); i++) {
		char was[CLI_PATH];

		memcpy(was, out, sizeof(was));
		(void)snprintf(out, sizeof(out), "%s/%s", top, names[i]);
		(void)take(CLI_USAGE, &ours);
		memcpy(out, was, sizeof(out));
		assert_true(has("manifest") && has("receipt"));
	}
	end();
	/* by a name that is another folder's meanwhile, that one stays */
	begin("cancelled");
	moved_away();
	end();
	/* its own job goes on in it */
	begin("cancelled");
	assert_string_equal(take(CLI_OK, &there)->err, "");
	assert_true(has("manifest"));
	end();
}

static void
kept(void **state)
{
	const char *states[] = {"queued", "running", "done", "", NULL};
	const struct captured *said;
	int mark;
	char path[CLI_PATH + 32];

	(void)state;
	/* it may run, it has run, or it is nobody's that we know */
	for (size_t i = 0; i < NELEM(states); i++) {
		begin(states[i]);
		said = take(CLI_USAGE, &ours);
		assert_non_null(strstr(said->err, "is not this job's"));
		assert_non_null(strstr(said->err, "warren result"));
		assert_true(has("manifest"));
		end();
	}
	for (unsigned outcome = 0; outcome < JOB_CANCELLED; outcome++) {
		begin("cancelled");
		put_receipt(outcome);
		(void)take(CLI_USAGE, &ours);
		end();
	}
	begin("cancelled");
	put("receipt", "half", 4);
	(void)take(CLI_USAGE, &ours);
	end();
	begin("cancelled");
	put("stdout", "x", 1);
	(void)take(CLI_USAGE, &ours);
	end();
	/* with a file of somebody's in it all stays, the receipt too */
	begin("queued");
	put_receipt(JOB_CANCELLED);
	put("notes", "x", 1);
	(void)take(CLI_USAGE, &ours);
	assert_true(has("notes") && has("receipt") && has("manifest"));
	end();
	/* somebody is at work in it */
	begin("cancelled");
	put(JOBDIR_UPLOAD, "", 0);
	(void)snprintf(path, sizeof(path), "%s/%s", out, JOBDIR_UPLOAD);
	mark = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(mark, LOCK_EX | LOCK_NB), 0);
	(void)take(CLI_USAGE, &ours);
	assert_true(has("manifest"));
	(void)close(mark);
	end();
	/* what is not emptied keeps no mark that was not there */
	begin("cancelled");
	put("stderr", "x", 1);
	(void)take(CLI_USAGE, &ours);
	assert_false(has(JOBDIR_UPLOAD));
	end();
	/* a folder of something else is not judged here */
	begin("cancelled");
	put("manifest", "{}", 2);
	assert_string_equal(take(CLI_OK, &ours)->err, "");
	assert_true(has("manifest"));
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_again),
		cmocka_unit_test(kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
