/* SPDX-License-Identifier: BSD-2-Clause */
/* jobs/ beside a person's keys: one file a job, named by its id. */
#include "node/cli/person.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/table.h"

#define JOB_NOTE_MAX 16384
#define HEX "0123456789abcdefABCDEF"
#define ID_DIGITS_MIN 4 /* fewer are no id */

/* ---- names and labels ---- */

static bool
word_ok(const char *s, size_t n)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (n == 0 || s[0] == '.' || s[0] == '-')
		return false;
	return strspn(s, may) >= n;
}

const char *
job_name_bad(const char *s)
{
	size_t n = strlen(s);

	if (n > JOB_NAME_MAX)
		return "it is longer than 63 characters";
	if (!word_ok(s, n))
		return "a name has letters, digits and . _ -, and begins with "
		       "a letter, a digit or _";
	if (n >= ID_DIGITS_MIN && strspn(s, HEX) == n)
		return "it could be taken for an id; put another letter in";
	return NULL;
}

const char *
job_label_bad(const char *s)
{
	size_t key = strcspn(s, "=");

	if (strlen(s) > JOB_LABEL_MAX)
		return "it is longer than 127 characters";
	if (!word_ok(s, key))
		return "a label is KEY or KEY=VALUE; a key has letters, digits "
		       "and . _ -";
	for (const char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "it holds a control character";
	return NULL;
}

/* ---- one note ---- */

static bool
put_note(FILE *f, const struct job_note *n)
{
	char dest[33], fp[65];

	hex_encode(dest, HASH_BYTES(n->dest));
	hex_encode(fp, HASH_BYTES(n->node_fp));
	/* a line is one value */
	fprintf(f, "node %s\nkey %s\nfolder %s\n", dest, fp,
	    strchr(n->folder, '\n') == NULL ? n->folder : "");
	if (n->name[0] != '\0')
		fprintf(f, "name %s\n", n->name);
	for (size_t i = 0; i < JOB_LABELS && n->label[i][0] != '\0'; i++)
		fprintf(f, "label %s\n", n->label[i]);
	if (n->image[0] != '\0')
		fprintf(f, "image %s\n", n->image);
	if (n->at != 0)
		fprintf(f, "at %lld.%06u\n", (long long)n->at, n->at_us);
	if (n->state[0] != '\0')
		fprintf(f, "state %s\n", n->state);
	if (n->outcome[0] != '\0')
		fprintf(f, "outcome %s\n", n->outcome);
	return ferror(f) == 0;
}

bool
person_note_job(const struct person *p, const struct job_note *n)
{
	_cleanup_fd_ int dir = dir_open(p->dir, "jobs", true, 0700);
	_cleanup_free_ char *text = NULL;
	char name[65];
	size_t len = 0;
	FILE *f = dir >= 0 ? open_memstream(&text, &len) : NULL;
	bool ok;

	if (f == NULL)
		return false;
	hex_encode(name, HASH_BYTES(n->job));
	ok = put_note(f, n);
	return fclose(f) == 0 && ok && len < JOB_NOTE_MAX &&
	    file_replace(dir, name, text, len, 0600) == 0;
}

void
person_forget_job(const struct person *p, const struct id32 *job)
{
	_cleanup_fd_ int dir = dir_open(p->dir, "jobs", false, 0);
	char name[65];

	hex_encode(name, HASH_BYTES(*job));
	if (dir >= 0)
		(void)unlinkat(dir, name, 0);
	person_letter_over(p, job);
}

void
person_letter_over(const struct person *p, const struct id32 *job)
{
	_cleanup_fd_ int dir = dir_open(p->dir, PERSON_LETTERS, false, 0);
	char hex[65], name[72];

	hex_encode(hex, HASH_BYTES(*job));
	(void)snprintf(name, sizeof(name), "%s.way", hex);
	if (dir >= 0)
		(void)unlinkat(dir, name, 0);
}

/* "SECONDS.MICROSECONDS", or the first alone. */
static void
read_at(const char *text, struct job_note *out)
{
	char *end;

	out->at = strtoll(text, &end, 10);
	if (end[0] == '.' && strlen(end + 1) == 6 &&
	    strspn(end + 1, "0123456789") == 6)
		out->at_us = (uint32_t)strtoul(end + 1, NULL, 10);
}

int
job_note_later(const struct job_note *a, const struct job_note *b)
{
	if (a->at != b->at)
		return a->at > b->at ? 1 : -1;
	return (a->at_us > b->at_us) - (a->at_us < b->at_us);
}

/* "word value"; false: another word. Too long a value is none. */
static bool
take(const char *line, const char *word, char *out, size_t cap)
{
	size_t w = strlen(word);

	if (strncmp(line, word, w) != 0 || line[w] != ' ')
		return false;
	if (strlen(line + w + 1) < cap)
		(void)snprintf(out, cap, "%s", line + w + 1);
	return true;
}

static bool
read_note(int dir, const char *name, struct job_note *out)
{
	_cleanup_free_ char *text = NULL;
	char *line, *save = NULL, dest[40] = "", fp[72] = "", at[32] = "";
	size_t len, labels = 0;

	memset(out, 0, sizeof(*out));
	text = file_load(dir, name, JOB_NOTE_MAX, &len);
	if (text == NULL || !hex_decode(HASH_BYTES(out->job), name,
	    strlen(name)))
		return false;
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (labels < JOB_LABELS &&
		    take(line, "label", out->label[labels], JOB_LABEL_MAX + 1))
			labels += out->label[labels][0] != '\0';
		else if (!take(line, "node", dest, sizeof(dest)) &&
		    !take(line, "key", fp, sizeof(fp)) &&
		    !take(line, "folder", out->folder, sizeof(out->folder)) &&
		    !take(line, "name", out->name, sizeof(out->name)) &&
		    !take(line, "image", out->image, sizeof(out->image)) &&
		    !take(line, "at", at, sizeof(at)) &&
		    !take(line, "state", out->state, sizeof(out->state)))
			(void)take(line, "outcome", out->outcome,
			    sizeof(out->outcome));
	}
	read_at(at, out);
	return hex_decode(HASH_BYTES(out->dest), dest, strlen(dest)) &&
	    hex_decode(HASH_BYTES(out->node_fp), fp, strlen(fp));
}

/* ---- all of them ---- */

bool
person_each_job(const struct person *p,
    bool (*fn)(void *arg, const struct job_note *), void *arg)
{
	DIR *d = dir_take(dir_open(p->dir, "jobs", false, 0));
	const struct dirent *e;
	struct job_note note;
	bool taken = false;

	if (d == NULL)
		return false;
	while (!taken && (e = readdir(d)) != NULL)
		taken = strlen(e->d_name) == 64 &&
		    read_note(dirfd(d), e->d_name, &note) && fn(arg, &note);
	(void)closedir(d);
	return taken;
}

bool
person_get_job(const struct person *p, const struct id32 *job,
    struct job_note *out)
{
	_cleanup_fd_ int dir = dir_open(p->dir, "jobs", false, 0);
	char name[65];

	hex_encode(name, HASH_BYTES(*job));
	return dir >= 0 && read_note(dir, name, out);
}

void
person_saw_job(const struct person *p, const struct id32 *job,
    const char *state, const char *outcome)
{
	struct job_note n;

	if (state[0] == '\0' || !person_get_job(p, job, &n) ||
	    (strcmp(n.state, state) == 0 && strcmp(n.outcome, outcome) == 0))
		return;
	(void)snprintf(n.state, sizeof(n.state), "%s", state);
	(void)snprintf(n.outcome, sizeof(n.outcome), "%s", outcome);
	if (!cli_job_goes_on(state))
		person_letter_over(p, job);
	/* a hint for later commands: a failure costs nothing now */
	(void)person_note_job(p, &n);
}

struct finding {
	const char *text;
	bool by_id;
	struct job_note *out;
	int found;
};

static bool
look(void *arg, const struct job_note *n)
{
	struct finding *f = arg;
	char hex[65];

	hex_encode(hex, HASH_BYTES(n->job));
	if (!f->by_id && strcmp(n->name, f->text) == 0) {
		if (f->found == 0 || job_note_later(n, f->out) > 0)
			*f->out = *n;
		f->found = 1;
	} else if (f->by_id &&
	    strncasecmp(hex, f->text, strlen(f->text)) == 0) {
		f->found = f->found == 0 ? 1 : -1;
		*f->out = *n;
	}
	return f->found < 0;
}

int
person_find_job(const struct person *p, const char *text,
    struct job_note *out)
{
	size_t n = strlen(text);
	struct finding f = {.text = text,
	    .by_id = n >= ID_DIGITS_MIN && n <= 64 && strspn(text, HEX) == n,
	    .out = out};

	if (n > 0)
		(void)person_each_job(p, look, &f);
	return f.found;
}
