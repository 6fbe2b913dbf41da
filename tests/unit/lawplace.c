/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/lawplace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

static void
place_open(struct place *p, uint32_t now)
{
	p->l = law_new(dup(p->klp.fd), p->dir, p->store, &p->ops);
	assert_non_null(p->l);
	law_configure(p->l, p->conf);
	(void)law_look(p->l, now, true);
}

static void
read_conf(struct place *p, const char *yaml)
{
	struct mistakes bad = {0};

	assert_int_equal(node_config_parse(&p->conf, yaml, strlen(yaml),
	    &bad), 0);
}

void
lawplace_make(struct place *p, const char *yaml, const struct law_ops *ops)
{
	kit_dir_make(&p->klp);
	(void)snprintf(p->own, sizeof(p->own), "/tmp/trust-own-XXXXXX");
	assert_non_null(mkdtemp(p->own));
	p->dir = open(p->own, O_RDONLY | O_DIRECTORY);
	p->ops = *ops;
	read_conf(p, yaml);
	p->store = bindstore_new(8);
	place_open(p, NOW);
}

void
lawplace_again_at(struct place *p, uint32_t now)
{
	law_free(p->l);
	place_open(p, now);
}

void
lawplace_again(struct place *p)
{
	lawplace_again_at(p, NOW);
}

void
lawplace_judge(struct place *p, const char *yaml)
{
	struct node_config *old = p->conf;

	read_conf(p, yaml);
	law_configure(p->l, p->conf);
	(void)law_look(p->l, NOW, true);
	node_config_free(old);
}

void
lawplace_remove(struct place *p)
{
	law_free(p->l);
	bindstore_free(p->store);
	node_config_free(p->conf);
	kit_dir_remove(&p->klp);
	(void)close(p->dir);
	kit_remove(p->own);
}
