/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/opts.h"

#include <string.h>

#include "common/util.h"
#include "common/ydoc.h"

/* getopt's number of the first option; letters have their own below it. */
#define FIRST 1000
/* the column where what an option does begins */
#define DOES_AT 26

void
opts_init(struct opts *o, const struct opt *v, size_t n)
{
	memset(o, 0, sizeof(*o));
	o->letters[0] = ':'; /* what is wrong is said here, not by getopt */
	opts_add(o, v, n);
	optind = 0; /* glibc: from the beginning, whatever was read before */
}

void
opts_add(struct opts *o, const struct opt *v, size_t n)
{
	size_t k = strlen(o->letters);

	for (size_t i = 0; i < n && o->n < OPTS_MAX; i++) {
		o->list[o->n] = (struct option){v[i].name,
		    v[i].value != NULL ? required_argument : no_argument, NULL,
		    FIRST + (int)o->n};
		o->v[o->n++] = &v[i];
		if (v[i].letter == 0)
			continue;
		o->letters[k++] = v[i].letter;
		if (v[i].value != NULL)
			o->letters[k++] = ':';
	}
}

/* As a long option may be written: whole, or an unambiguous beginning. */
static bool
begins(const struct opt *p, const char *word, size_t len)
{
	return strncmp(p->name, word, len) == 0;
}

static int
unknown(const struct opts *o, const char *word, char why[OPTS_WHY])
{
	const char *names[OPTS_MAX], *near;
	char bare[64];
	size_t len, hits = 0;
	const char *hit[2] = {NULL, NULL};

	if (strncmp(word, "--", 2) != 0) {
		(void)snprintf(why, OPTS_WHY, "unknown option %s", word);
		return -1;
	}
	len = strcspn(word + 2, "=");
	(void)snprintf(bare, sizeof(bare), "%.*s",
	    (int)MIN_OF(len, sizeof(bare) - 1), word + 2);
	for (size_t i = 0; i < o->n; i++) {
		names[i] = o->v[i]->name;
		if (begins(o->v[i], word + 2, len) && hits < 2)
			hit[hits++] = o->v[i]->name;
	}
	if (hits == 2) {
		(void)snprintf(why, OPTS_WHY, "--%s could be --%s or --%s",
		    bare, hit[0], hit[1]);
		return -1;
	}
	near = nearest_word(bare, names, o->n);
	(void)snprintf(why, OPTS_WHY, "unknown option --%s%s%s%s", bare,
	    near != NULL ? "; did you mean --" : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
	return -1;
}

static const struct opt *
by_number(const struct opts *o, int c)
{
	if (c >= FIRST && (size_t)(c - FIRST) < o->n)
		return o->v[c - FIRST];
	for (size_t i = 0; i < o->n; i++)
		if (o->v[i]->letter != 0 && o->v[i]->letter == c)
			return o->v[i];
	return NULL;
}

static int
no_value(const struct opt *p, char why[OPTS_WHY])
{
	(void)snprintf(why, OPTS_WHY, "--%s needs a value: --%s %s", p->name,
	    p->name, p->value);
	return -1;
}

int
opts_next(struct opts *o, int argc, char **argv, const char **value,
    char why[OPTS_WHY])
{
	const struct opt *p;
	char letter[3] = "-";
	int c = getopt_long(argc, argv, o->letters, o->list, NULL);

	*value = optarg;
	if (c < 0) {
		o->at = optind;
		return 0;
	}
	if (c != '?' && c != ':') {
		p = by_number(o, c);
		/* no option means anything by nothing: a variable was empty */
		if (p != NULL && p->value != NULL && *optarg == '\0')
			return no_value(p, why);
		return p != NULL ? p->id : -1;
	}
	p = by_number(o, optopt);
	if (p == NULL && optopt != 0) {
		letter[1] = (char)optopt;
		return unknown(o, letter, why);
	}
	if (p == NULL)
		return unknown(o, argv[optind - 1], why);
	if (c == ':')
		return no_value(p, why);
	(void)snprintf(why, OPTS_WHY, "--%s takes no value", p->name);
	return -1;
}

void
opts_print(FILE *f, const struct opt *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char left[80], letter[5] = "    ";

		if (v[i].letter != 0)
			(void)snprintf(letter, sizeof(letter), "-%c, ",
			    v[i].letter);
		(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter,
		    v[i].name, v[i].value != NULL ? " " : "",
		    v[i].value != NULL ? v[i].value : "");
		fprintf(f, "  %-*s %s\n", DOES_AT - 3, left, v[i].does);
	}
}

bool
opts_has(const struct opt *v, size_t n, const char *word)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < n; i++)
		if (strncmp(word, "--", 2) == 0 ?
			len > 2 && begins(&v[i], word + 2, len - 2) :
			word[0] == '-' && word[1] != '\0' &&
			    v[i].letter == word[1])
			return true;
	return false;
}

bool
opts_takes_next(const struct opt *v, size_t n, const char *word)
{
	bool is_long = strncmp(word, "--", 2) == 0;
	size_t len = strlen(word);
	bool takes = false;

	for (size_t i = 0; i < n; i++) {
		if (is_long && strcmp(v[i].name, word + 2) == 0)
			return v[i].value != NULL;
		if (is_long)
			takes |= begins(&v[i], word + 2, len - 2) &&
			    v[i].value != NULL;
		else if (len == 2 && v[i].letter == word[1])
			return v[i].value != NULL;
	}
	return takes;
}
