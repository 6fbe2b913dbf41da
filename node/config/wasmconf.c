/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/util.h"
#include "node/config/nodeconf_impl.h"

/* wasm_engine, wasm_code, wasm_module of node.yaml: what runs which modules, how. */
void
wasmconf_read(struct node_config *c, const struct ynode *r, struct mistakes *m)
{
	static const struct {
		const char *name, *why;
	} others[] = {
	    {"wasmer", "it is in no registry as a library for C, and would be "
		"a second engine to trust for nothing that the first has not"},
	    {"wasmcloud", "its hosts take their work over a network of their "
		"own, outside the sandbox: no receipt could vouch for it. "
		"Its command components run here by wasmtime"}};
	static const char *const codes[] = {"native", "interpreted"};
	const struct ynode *n;
	const char *s;
	unsigned word;

	if ((n = ynode_get(r, "wasm_engine")) != NULL && !ynode_null(n) &&
	    ynode_text(n, "wasm_engine", 1, 16, &s, m)) {
		bool known = false;

		c->wasm_engine = strcmp(s, "none") != 0;
		known = strcmp(s, "wasmtime") == 0 || !c->wasm_engine;
		for (size_t i = 0; i < NELEM(others) && !known; i++) {
			if (strcmp(s, others[i].name) != 0)
				continue;
			mistake_add(m, n->line, n->column, "wasmtime, or none",
			    "wasm_engine: no %s: %s", s, others[i].why);
			known = true;
		}
		if (!known)
			mistake_add(m, n->line, n->column, "wasmtime, or none",
			    "wasm_engine: \"%.16s\" is none", s);
	}
	if ((n = ynode_get(r, "wasm_code")) != NULL && !ynode_null(n) &&
	    ynode_word(n, "wasm_code", codes, NELEM(codes), &word, m))
		c->wasm_interpreted = word == 1;
	conf_size(r, "wasm_module", "wasm_module", 1, &c->wasm_module, m);
	if (c->wasm_module > CONF_MODULE_MAX) {
		n = ynode_get(r, "wasm_module");
		mistake_add(m, n->line, n->column, "at most 256MB",
		    "wasm_module: a module of that size is run nowhere");
	}
}
