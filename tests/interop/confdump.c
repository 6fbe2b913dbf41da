/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Warren reads in files of Reticulum's `config`, for a comparison with
 * the reference's reader: confdump FILE... prints a line of JSON for each,
 * {"error": LINE} or {"section": S}; S has "sections" (name to S) and
 * "entries" (key to the value as text, whole number, fraction and yes or no;
 * null: it is none).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "transport/config/confval.h"

struct dump {
	struct confobj *tree;
	struct mistakes m;
};

static json_t *
text_json(struct dump *d, const struct conf_section *sec,
    const struct conf_entry *e)
{
	json_t *list = json_array();
	const char *v;

	for (unsigned i = 0; i < e->n; i++) {
		v = conf_value(d->tree, sec, e, i, &d->m);
		if (v == NULL) {
			json_decref(list);
			return json_null();
		}
		(void)json_array_append_new(list, json_string(v));
	}
	if (e->list)
		return list;
	v = json_string_value(json_array_get(list, 0));
	json_t *one = json_string(v != NULL ? v : "");
	json_decref(list);
	return one;
}

static json_t *
entry_json(struct dump *d, const struct conf_section *sec,
    const struct conf_entry *e)
{
	struct conf_asked asked = {.n = 0};
	struct conf_reader r = {d->tree, sec, &d->m, &asked};
	json_t *o = json_object();
	bool yes;
	int64_t n;
	double f;
	char text[64];

	(void)json_object_set_new(o, "text", text_json(d, sec, e));
	(void)json_object_set_new(o, "bool", conf_get_bool(&r, e->key, &yes) >
	    0 ? json_boolean(yes) : json_null());
	(void)json_object_set_new(o, "int", conf_get_int(&r, e->key,
	    INT64_MIN, INT64_MAX, &n) > 0 ? json_integer(n) : json_null());
	(void)snprintf(text, sizeof(text), "%.17g",
	    conf_get_float(&r, e->key, &f) > 0 ? f : 0);
	(void)json_object_set_new(o, "float", conf_get_float(&r, e->key, &f) >
	    0 ? json_string(text) : json_null());
	return o;
}

static json_t *
section_json(struct dump *d, const struct conf_section *sec)
{
	json_t *sections = json_object(), *entries = json_object();
	const struct conf_section *s;
	const struct conf_entry *e;

	TAILQ_FOREACH(s, &sec->sections, link)
		(void)json_object_set_new(sections, s->name,
		    section_json(d, s));
	TAILQ_FOREACH(e, &sec->entries, link)
		(void)json_object_set_new(entries, e->key,
		    entry_json(d, sec, e));
	return json_pack("{s:o, s:o}", "sections", sections, "entries",
	    entries);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct dump d = {0};
		json_t *o;
		size_t len;
		char *text = file_load(AT_FDCWD, argv[i], CONF_TEXT_MAX, &len);

		if (text == NULL)
			return 1;
		if (confobj_parse(&d.tree, text, len, &d.m) < 0)
			o = json_pack("{s:i}", "error", (int)d.m.v[0].line);
		else
			o = json_pack("{s:o}", "section", section_json(&d,
			    confobj_root(d.tree)));
		(void)json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		(void)putchar('\n');
		json_decref(o);
		confobj_free(d.tree);
		free(text);
	}
	return 0;
}
