/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces that programs take away and bring back (transport 18.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/if_i2p.h"
#include "transport/engine/kinds.h"
#include "transport/engine/nif.h"
#include "transport/engine/reach.h"
#include "transport/engine/switching.h"

static unsigned started, freed, left, told;
static uint32_t left_index, left_generation;
static bool cannot_create, cannot_send;
static struct nif spare; /* what kinds_create() gives */

/* ---- what switching.c has to do with ---- */

static void
on_start(struct nif *n)
{
	assert_ptr_equal(n, &spare);
	started++;
}

static const struct nif_kind plain = {.name = "Plain", .start = on_start};
const struct nif_kind i2p_kind = {.name = "I2PInterface"};

struct nif *
kinds_create(struct engine *x, struct rnsconf_if *own)
{
	if (cannot_create)
		return NULL;
	spare = (struct nif){.e = x, .kind = &plain, .conf = own};
	TAILQ_INSERT_TAIL(&x->ifs, &spare, link);
	return &spare;
}

void
nif_free(struct nif *n)
{
	TAILQ_REMOVE(&n->e->ifs, n, link);
	freed++;
}

void
reach_changed(struct engine *x)
{
	(void)x;
	told++;
}

int
program_send_LEFT(const struct process *p, const struct msg_LEFT *m,
    const int *fds, unsigned nfds)
{
	(void)p;
	(void)fds;
	(void)nfds;
	left++;
	left_index = m->index;
	left_generation = m->generation;
	return cannot_send ? -1 : 0;
}

void
engine_send_failed(enum program who)
{
	assert_int_equal(who, PROGRAM_PARENT);
	assert_true(cannot_send);
}

/* ---- a node with three of them, and a section that is off ---- */

static char a[] = "A", b[] = "I2p", c[] = "Found", d[] = "Off";
static struct rnsconf_if sections[] = {
    {.index = 0, .name = a, .enabled = true},
    {.index = 1, .name = b, .enabled = true},
    {.index = 2, .name = d, .enabled = false}};
static struct rnsconf_if found = {.index = RNSCONF_FOUND, .name = c,
    .enabled = true};
static struct rnsconf conf = {.enable_interface_management = true},
    ifconf = {.ifs = sections, .nifs = NELEM(sections)};
static struct engine e;
static struct nif first, second, third, client, local;

static void
add(struct nif *n, const struct nif_kind *kind, const struct rnsconf_if *own,
    struct nif *parent)
{
	*n = (struct nif){.e = &e, .kind = kind, .conf = own,
	    .parent = parent};
	TAILQ_INSERT_TAIL(&e.ifs, n, link);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test", 0);
	memset(&e, 0, sizeof(e));
	TAILQ_INIT(&e.ifs);
	e.conf = &conf;
	e.ifconf = &ifconf;
	e.generation = 5;
	conf.enable_interface_management = true;
	sections[0].enabled = true;
	started = freed = left = told = 0;
	cannot_create = cannot_send = false;
	add(&local, &plain, NULL, NULL);
	/* one that A accepted has A's section, and comes before it */
	add(&client, &plain, &sections[0], &first);
	add(&first, &plain, &sections[0], NULL);
	add(&second, &i2p_kind, &sections[1], NULL);
	add(&third, &plain, &found, NULL);
	return 0;
}

static bool
stands(const char *name)
{
	const struct nif *n;

	TAILQ_FOREACH(n, &e.ifs, link)
		if (n->conf != NULL && n->parent == NULL &&
		    strcmp(n->conf->name, name) == 0)
			return true;
	return false;
}

#define ASK(what, name) switching_ask(&e, what "_interface", name)
#define READ(what, name, ok) switching_read(&e, what "_interface", name, ok)

static void
test_detach(void **state)
{
	(void)state;
	assert_int_equal(ASK("detach", "A"), SWITCHED_DONE);
	assert_false(stands("A"));
	/* the parent ends what it has opened for it, by that config */
	assert_int_equal(left, 1);
	assert_int_equal(left_index, 0);
	assert_int_equal(left_generation, 5);
	assert_int_equal(told, 1);
	assert_int_equal(ASK("detach", "A"), SWITCHED_NONE);
	assert_int_equal(ASK("detach", ""), SWITCHED_NONE);
	assert_int_equal(ASK("detach", "a"), SWITCHED_NONE);
	/* as in the reference */
	assert_int_equal(ASK("detach", "I2p"), SWITCHED_NOT);
	assert_true(stands("I2p"));
	/* of a discovered one the parent has nothing */
	assert_int_equal(ASK("detach", "Found"), SWITCHED_DONE);
	assert_false(stands("Found"));
	assert_int_equal(left, 1);
	assert_int_equal(freed, 2);
}

static void
test_parent_deaf(void **state)
{
	(void)state;
	cannot_send = true;
	assert_int_equal(ASK("detach", "A"), SWITCHED_DONE);
	assert_false(stands("A"));
}

static void
test_attach(void **state)
{
	(void)state;
	assert_int_equal(ASK("attach", "A"), SWITCHED_NOT); /* it is there */
	(void)ASK("detach", "A");
	assert_int_equal(ASK("attach", "A"), SWITCHED_LATER);
	assert_int_equal(started, 0);
	assert_int_equal(READ("attach", "A", true), SWITCHED_DONE);
	assert_true(stands("A"));
	assert_int_equal(started, 1);
	assert_int_equal(told, 2);
	/* the new file had it, and the reload has brought it already */
	assert_int_equal(READ("attach", "A", true), SWITCHED_DONE);
	assert_int_equal(started, 1);
	assert_int_equal(freed, 1);
}

static void
test_attach_not(void **state)
{
	(void)state;
	assert_int_equal(ASK("attach", "Nobody"), SWITCHED_LATER);
	assert_int_equal(READ("attach", "Nobody", true), SWITCHED_NONE);
	/* the file is refused */
	(void)ASK("detach", "A");
	assert_int_equal(READ("attach", "A", false), SWITCHED_NONE);
	assert_false(stands("A"));
	/* it cannot be made */
	cannot_create = true;
	assert_int_equal(READ("attach", "A", true), SWITCHED_NOT);
	cannot_create = false;
	/* what the operator has off stays off, unlike in the reference */
	assert_int_equal(READ("attach", "Off", true), SWITCHED_NOT);
	assert_int_equal(started, 0);
}

static void
test_reload(void **state)
{
	(void)state;
	assert_int_equal(ASK("reload", "Nobody"), SWITCHED_NONE);
	assert_int_equal(ASK("reload", "Off"), SWITCHED_NONE);
	assert_int_equal(ASK("reload", "I2p"), SWITCHED_NOT);
	assert_int_equal(ASK("reload", "A"), SWITCHED_LATER);
	assert_int_equal(freed, 0);
	/* a refused file leaves it as it was */
	assert_int_equal(READ("reload", "A", false), SWITCHED_NONE);
	assert_int_equal(freed, 0);
	assert_int_equal(READ("reload", "A", true), SWITCHED_DONE);
	assert_int_equal(freed, 1);
	assert_int_equal(left, 1);
	assert_int_equal(started, 1);
	assert_true(stands("A"));
	/* the new file has it off: it goes, and does not come */
	sections[0].enabled = false;
	assert_int_equal(READ("reload", "A", true), SWITCHED_NOT);
	assert_false(stands("A"));
	assert_int_equal(started, 1);
}

static void
test_switched_off(void **state)
{
	(void)state;
	conf.enable_interface_management = false;
	assert_int_equal(ASK("detach", "A"), SWITCHED_NOT);
	assert_int_equal(ASK("reload", "A"), SWITCHED_NOT);
	assert_int_equal(ASK("attach", "Nobody"), SWITCHED_NOT);
	assert_true(stands("A"));
	assert_int_equal(freed + left + told, 0);
}

#define ON_NODE(t) cmocka_unit_test_setup(t, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {ON_NODE(test_detach),
	    ON_NODE(test_parent_deaf), ON_NODE(test_attach),
	    ON_NODE(test_attach_not), ON_NODE(test_reload),
	    ON_NODE(test_switched_off)};

	return cmocka_run_group_tests_name("switching", tests, NULL, NULL);
}
