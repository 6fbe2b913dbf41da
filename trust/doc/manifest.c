/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static const char *const limits[LIMIT_COUNT] = {
    "memory", "cpu", "time", "pids", "output", "log", "io_read", "io_write"};

void
manifest_init(struct manifest *m)
{
	memset(m, 0, sizeof(*m));
	m->read_only_fs = true;
	m->trust_level = 3;
}

static void
text_list_clear(struct text_list *l)
{
	for (unsigned i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

void
manifest_clear(struct manifest *m)
{
	text_list_clear(&m->command);
	text_list_clear(&m->env);
	text_list_clear(&m->cap_drop);
}

bool
text_list_add(struct text_list *l, const char *text, size_t len)
{
	char **v, *s;

	if (l->n >= MANIFEST_ARGS_MAX || memchr(text, '\0', len) != NULL)
		return false;
	v = realloc(l->v, (l->n + 2u) * sizeof(*v));
	if (v == NULL)
		return false;
	l->v = v;
	if ((s = malloc(len + 1)) == NULL)
		return false;
	memcpy(s, text, len);
	s[len] = '\0';
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
	return true;
}

uint8_t
wasm_files_word(const char *word)
{
	if (word == NULL)
		return WASM_FILES_AS_NODE;
	return strcmp(word, "memory") == 0 ? WASM_FILES_MEMORY :
	    strcmp(word, "folders") == 0 ? WASM_FILES_FOLDERS :
	    WASM_FILES_AS_NODE;
}

const char *
manifest_limit_name(unsigned limit)
{
	return limit < LIMIT_COUNT ? limits[limit] : NULL;
}

int
trust_word(const char *word, size_t len)
{
	static const char *const words[] = {
	    "none", "low", "medium", "high", "critical"};

	for (int i = 0; i < (int)NELEM(words); i++)
		if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
			return MIN_OF(i, 3);
	return -1;
}

void
manifest_seccomp(char out[MANIFEST_TEXT + 1], const struct manifest *m)
{
	const char *slash = strrchr(m->seccomp, '/');
	const char *name = slash == NULL ? m->seccomp : slash + 1;
	size_t n = strlen(name);

	if (n >= 5 && strcmp(name + n - 5, ".json") == 0)
		n -= 5;
	memmove(out, name, n);
	out[n] = '\0';
}

bool
manifest_input(const struct manifest *m, unsigned i,
    struct manifest_input *out)
{
	const struct manifest_volume *v = m->volume;

	if (i < m->nvolumes)
		*out = (struct manifest_input){&v[i].blob,
		    v[i].has_chunks ? &v[i].chunks : NULL, v[i].target};
	else if (i == MANIFEST_VOLUMES && (m->has & HAS_WASM) != 0)
		*out = (struct manifest_input){&m->wasm,
		    m->module.has_chunks ? &m->module.chunks : NULL, "module"};
	else if (i == MANIFEST_VOLUMES + 1 && (m->has & HAS_CONTRACT) != 0)
		*out = (struct manifest_input){&m->contract, NULL, "contract"};
	else
		return false;
	return true;
}

const char *
manifest_times(const struct manifest *m, uint32_t now)
{
	if (m->not_after <= now)
		return "not_after: is past";
	if (m->not_after - now > MANIFEST_AHEAD)
		return "not_after: more than 30 days ahead";
	if (m->deadline <= now)
		return "deadline: is past";
	return NULL;
}
