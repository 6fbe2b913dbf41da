/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/seccomp_gen.h"

#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <errno.h>
#include <jansson.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"

#define RULES_MAX 8192 /* of one profile, names counted each */
#define ARGS_MAX 6
#define DEPTH_MAX 16

struct gen {
	scmp_filter_ctx ctx;
	const struct seccomp_host *host;
	uint32_t default_action;
	uint32_t default_errno;
	char *err;
	size_t err_cap;
	char *notes;
	const struct seccomp_less *less; /* or NULL */
	unsigned exec_allowed; /* 1 << of EXEC_CALLS: the profile allows it */
	/* what was said of a call: to find conflicts */
	struct said {
		int nr;
		uint32_t action;
		bool bare; /* without conditions */
	} *said;
	size_t nsaid;
};

static int fail(struct gen *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static int
fail(struct gen *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(g->err, g->err_cap, fmt, ap);
	va_end(ap);
	return -1;
}

bool
seccomp_host_native(struct seccomp_host *h)
{
	static const struct {
		uint32_t token;
		const char *name;
	} archs[] = {{SCMP_ARCH_X86_64, "amd64"}, {SCMP_ARCH_AARCH64, "arm64"},
	    {SCMP_ARCH_ARM, "arm"}, {SCMP_ARCH_X86, "x86"},
	    {SCMP_ARCH_RISCV64, "riscv64"}, {SCMP_ARCH_MIPS, "mips"},
	    {SCMP_ARCH_MIPSEL, "mipsel"}, {SCMP_ARCH_PPC64LE, "ppc64le"},
	    {SCMP_ARCH_S390X, "s390x"}};
	struct utsname u;

	h->arch = NULL;
	for (size_t i = 0; i < NELEM(archs); i++)
		if (archs[i].token == seccomp_arch_native())
			h->arch = archs[i].name;
	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &h->kernel_major,
	    &h->kernel_minor) != 2)
		return false;
	return h->arch != NULL;
}

/* Every key of the object is one of the list. */
static int
only_keys(struct gen *g, json_t *o, const char *const *keys, size_t n,
    const char *where)
{
	const char *key;
	json_t *v;

	json_object_foreach (o, key, v) {
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known |= strcmp(key, keys[i]) == 0;
		if (!known)
			return fail(g, "%s: unknown member %.40s", where, key);
	}
	return 0;
}

static int
action_of(struct gen *g, const json_t *name, uint32_t err, uint32_t *out)
{
	static const struct {
		const char *name;
		uint32_t action;
	} t[] = {{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
	    {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
	    {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
	    {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
	    {"SCMP_ACT_TRAP", SCMP_ACT_TRAP}, {"SCMP_ACT_LOG", SCMP_ACT_LOG}};
	const char *s = json_string_value(name);

	if (s == NULL)
		return fail(g, "an action is missing");
	if (strcmp(s, "SCMP_ACT_ERRNO") == 0) {
		*out = SCMP_ACT_ERRNO(err & 0xffff);
		return 0;
	}
	for (size_t i = 0; i < NELEM(t); i++)
		if (strcmp(s, t[i].name) == 0) {
			*out = t[i].action;
			return 0;
		}
	return fail(g, "action %.40s is not possible here; SCMP_ACT_ALLOW, "
	    "ERRNO, KILL, KILL_THREAD, KILL_PROCESS, TRAP or LOG", s);
}

static int
errno_of(struct gen *g, const json_t *o, const char *key, uint32_t dflt,
    uint32_t *out)
{
	json_t *v = json_object_get(o, key);
	json_int_t n = json_integer_value(v);

	*out = dflt;
	if (v == NULL || json_is_null(v))
		return 0;
	if (!json_is_integer(v) || n < 1 || n > 4095)
		return fail(g, "%s: a number from 1 to 4095", key);
	*out = (uint32_t)n;
	return 0;
}

/* ---- which entries count here ---- */

static bool
has_text(const json_t *list, const char *text)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v)
		if (json_is_string(v) &&
		    strcmp(json_string_value(v), text) == 0)
			return true;
	return false;
}

static bool
kernel_at_least(const struct gen *g, const char *s, bool *ok)
{
	unsigned major, minor;

	*ok = s != NULL && sscanf(s, "%u.%u", &major, &minor) == 2;
	if (!*ok)
		return false;
	return g->host->kernel_major > major ||
	    (g->host->kernel_major == major && g->host->kernel_minor >= minor);
}

/* 1: the entry counts, 0: not here, -1: mistake. */
static int
counts(struct gen *g, const json_t *entry)
{
	static const char *const keys[] = {"caps", "arches", "minKernel"};
	json_t *in = json_object_get(entry, "includes");
	json_t *ex = json_object_get(entry, "excludes");
	bool ok;

	if ((in != NULL && !json_is_object(in)) ||
	    (ex != NULL && !json_is_object(ex)))
		return fail(g, "includes and excludes are objects");
	if ((in != NULL && only_keys(g, in, keys, NELEM(keys), "includes")) ||
	    (ex != NULL && only_keys(g, ex, keys, NELEM(keys), "excludes")))
		return -1;
	/* no capability is held: what wants one is dropped, what is for those
	 * without it stays */
	if (json_array_size(json_object_get(in, "caps")) > 0)
		return 0;
	if (json_array_size(json_object_get(in, "arches")) > 0 &&
	    !has_text(json_object_get(in, "arches"), g->host->arch))
		return 0;
	if (has_text(json_object_get(ex, "arches"), g->host->arch))
		return 0;
	if (json_object_get(in, "minKernel") != NULL &&
	    !kernel_at_least(g, json_string_value(json_object_get(in,
	    "minKernel")), &ok))
		return ok ? 0 : fail(g, "minKernel: MAJOR.MINOR");
	if (json_object_get(ex, "minKernel") != NULL) {
		if (kernel_at_least(g, json_string_value(json_object_get(ex,
		    "minKernel")), &ok))
			return 0;
		if (!ok)
			return fail(g, "minKernel: MAJOR.MINOR");
	}
	return 1;
}

/* ---- conditions ---- */

static int
read_arg(struct gen *g, json_t *a, struct scmp_arg_cmp *out)
{
	static const char *const keys[] = {"index", "value", "valueTwo", "op"};
	static const struct {
		const char *name;
		enum scmp_compare op;
	} ops[] = {{"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT},
	    {"SCMP_CMP_LE", SCMP_CMP_LE}, {"SCMP_CMP_EQ", SCMP_CMP_EQ},
	    {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT},
	    {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
	const char *op;
	json_int_t index;

	if (!json_is_object(a) || only_keys(g, a, keys, NELEM(keys), "args"))
		return g->err[0] != '\0' ? -1 : fail(g, "args: objects");
	op = json_string_value(json_object_get(a, "op"));
	index = json_integer_value(json_object_get(a, "index"));
	if (!json_is_integer(json_object_get(a, "index")) || index < 0 ||
	    index >= ARGS_MAX || op == NULL ||
	    !json_is_integer(json_object_get(a, "value")) ||
	    (json_object_get(a, "valueTwo") != NULL &&
	    !json_is_integer(json_object_get(a, "valueTwo"))))
		return fail(g, "args: index 0 to 5, value, op");
	out->arg = (unsigned)index;
	out->datum_a = (scmp_datum_t)json_integer_value(json_object_get(a,
	    "value"));
	out->datum_b = (scmp_datum_t)json_integer_value(json_object_get(a,
	    "valueTwo"));
	for (size_t i = 0; i < NELEM(ops); i++)
		if (strcmp(op, ops[i].name) == 0) {
			out->op = ops[i].op;
			return 0;
		}
	return fail(g, "args: unknown op %.40s", op);
}

/* Two rules that contradict each other: neither may win by its place. */
static int
remember(struct gen *g, const char *name, int nr, uint32_t action, bool bare)
{
	for (size_t i = 0; i < g->nsaid; i++)
		if (g->said[i].nr == nr && g->said[i].action != action &&
		    (g->said[i].bare || bare))
			return fail(g, "two rules contradict each other: %.40s",
			    name);
	if (g->nsaid == RULES_MAX)
		return fail(g, "more than %d rules", RULES_MAX);
	g->said[g->nsaid++] = (struct said){nr, action, bare};
	return 0;
}

/* ---- what a contract takes away ---- */

/*
 * Calls that make memory executable: where its protection is among the
 * arguments, and the bit. A mapping of a file has its flags too.
 */
static const struct exec_call {
	const char *name;
	unsigned arg;
	scmp_datum_t exec;
	bool maps;
} EXEC_CALLS[] = {{"mmap", 2, PROT_EXEC, true}, {"mmap2", 2, PROT_EXEC, true},
    {"mprotect", 2, PROT_EXEC, false}, {"pkey_mprotect", 2, PROT_EXEC, false},
    {"shmat", 2, SHM_EXEC, false}, {"memfd_create", 0, 0, false}};

/* Its rules are not the profile's to make. */
static bool
taken(struct gen *g, const char *name, uint32_t action)
{
	const struct seccomp_less *l = g->less;

	for (unsigned i = 0; l != NULL && i < l->ndeny; i++)
		if (strcmp(l->deny[i], name) == 0)
			return true;
	for (size_t i = 0; l != NULL && l->no_anonymous_exec &&
	    i < NELEM(EXEC_CALLS); i++) {
		if (strcmp(EXEC_CALLS[i].name, name) != 0)
			continue;
		if (action == SCMP_ACT_ALLOW)
			g->exec_allowed |= 1u << i;
		return true;
	}
	return false;
}

static int
put(struct gen *g, uint32_t action, int nr, unsigned n,
    const struct scmp_arg_cmp *cmp)
{
	int rv = action == g->default_action ? 0 :
	    seccomp_rule_add_array(g->ctx, action, nr, n, cmp);

	return rv != 0 && rv != -EEXIST ?
	    fail(g, "contract: %s", strerror(-rv)) : 0;
}

static int
less_exec(struct gen *g, unsigned i, uint32_t no)
{
	const struct exec_call *c = &EXEC_CALLS[i];
	int nr = seccomp_syscall_resolve_name(c->name);
	const struct scmp_arg_cmp plain[] = {
	    {c->arg, SCMP_CMP_MASKED_EQ, c->exec, 0}};
	const struct scmp_arg_cmp makes[] = {
	    {c->arg, SCMP_CMP_MASKED_EQ, c->exec, c->exec}};
	/* a file's code, not to be written: not anonymous */
	const struct scmp_arg_cmp file[] = {
	    {2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC},
	    {3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0}};
	const struct scmp_arg_cmp anon[] = {
	    {2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC},
	    {3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS}};
	const struct scmp_arg_cmp both[] = {
	    {2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE,
		PROT_EXEC | PROT_WRITE}};
	bool allowed = (g->exec_allowed & (1u << i)) != 0 ||
	    g->default_action == SCMP_ACT_ALLOW;

	if (nr < 0)
		return 0;
	if (!allowed || c->exec == 0)
		return put(g, no, nr, 0, NULL);
	if (put(g, SCMP_ACT_ALLOW, nr, 1, plain) < 0)
		return -1;
	if (!c->maps)
		return put(g, no, nr, 1, makes);
	return put(g, SCMP_ACT_ALLOW, nr, 2, file) < 0 ||
	    put(g, no, nr, 2, anon) < 0 ? -1 : put(g, no, nr, 1, both);
}

static int
take_less(struct gen *g)
{
	const struct seccomp_less *l = g->less;
	uint32_t eperm = SCMP_ACT_ERRNO(EPERM);

	for (unsigned i = 0; l != NULL && i < l->ndeny; i++) {
		int nr = seccomp_syscall_resolve_name(l->deny[i]);

		if (nr == __NR_SCMP_ERROR)
			return fail(g, "syscalls.deny: no call %.40s",
			    l->deny[i]);
		if (nr >= 0 && put(g, l->deny_kills ? SCMP_ACT_KILL_PROCESS :
			eperm, nr, 0, NULL) < 0)
			return -1;
	}
	for (unsigned i = 0; l != NULL && l->no_anonymous_exec &&
	    i < NELEM(EXEC_CALLS); i++) {
		bool denied = false;

		for (unsigned k = 0; k < l->ndeny; k++)
			denied |= strcmp(l->deny[k], EXEC_CALLS[i].name) == 0;
		if (!denied && less_exec(g, i, l->exec_kills ?
			SCMP_ACT_KILL_PROCESS : eperm) < 0)
			return -1;
	}
	return 0;
}

static int
add_rule(struct gen *g, const char *name, uint32_t action,
    const struct scmp_arg_cmp *args, unsigned nargs, bool any_of)
{
	int nr = seccomp_syscall_resolve_name(name), rv;
	size_t used;

	if (nr == __NR_SCMP_ERROR) {
		used = strlen(g->notes);
		(void)snprintf(g->notes + used, SECCOMP_NOTES_MAX - used,
		    "%s%.40s", used > 0 ? " " : "", name);
		return 0;
	}
	if (nr < 0) /* not on this architecture */
		return 0;
	if (taken(g, name, action))
		return 0;
	if (remember(g, name, nr, action, nargs == 0) < 0)
		return -1;
	if (action == g->default_action)
		return 0;
	if (!any_of) {
		rv = seccomp_rule_add_array(g->ctx, action, nr, nargs, args);
		if (rv != 0 && rv != -EEXIST)
			return fail(g, "%.40s: %s", name, strerror(-rv));
		return 0;
	}
	for (unsigned i = 0; i < nargs; i++) {
		rv = seccomp_rule_add_array(g->ctx, action, nr, 1, &args[i]);
		if (rv != 0 && rv != -EEXIST)
			return fail(g, "%.40s: %s", name, strerror(-rv));
	}
	return 0;
}

static int
add_entry(struct gen *g, json_t *entry)
{
	static const char *const keys[] = {"names", "name", "action",
	    "errnoRet", "errno", "args", "comment", "includes", "excludes"};
	json_t *names = json_object_get(entry, "names"), *v;
	json_t *args = json_object_get(entry, "args");
	struct scmp_arg_cmp cmp[ARGS_MAX * 2];
	uint32_t action, err;
	bool any_of = false;
	unsigned n = 0;
	size_t i;
	int rv;

	if (!json_is_object(entry) ||
	    only_keys(g, entry, keys, NELEM(keys), "syscalls") < 0)
		return g->err[0] != '\0' ? -1 : fail(g, "syscalls: objects");
	if ((rv = counts(g, entry)) != 1)
		return rv;
	if (errno_of(g, entry, "errnoRet", g->default_errno, &err) < 0 ||
	    action_of(g, json_object_get(entry, "action"), err, &action) < 0)
		return -1;
	if (args != NULL && !json_is_null(args) && !json_is_array(args))
		return fail(g, "args is a list");
	json_array_foreach (args, i, v) {
		if (n == NELEM(cmp))
			return fail(g, "too many args");
		if (read_arg(g, v, &cmp[n]) < 0)
			return -1;
		for (unsigned k = 0; k < n; k++)
			any_of |= cmp[k].arg == cmp[n].arg;
		n++;
	}
	v = json_object_get(entry, "name");
	if (names == NULL && json_is_string(v))
		return add_rule(g, json_string_value(v), action, cmp, n,
		    any_of);
	if (!json_is_array(names))
		return fail(g, "syscalls: names is a list of text");
	json_array_foreach (names, i, v) {
		if (!json_is_string(v))
			return fail(g, "syscalls: names is a list of text");
		if (add_rule(g, json_string_value(v), action, cmp, n, any_of) <
		    0)
			return -1;
	}
	return 0;
}

/* ---- whole ---- */

static int
export(struct gen *g, struct seccomp_program *out)
{
	_cleanup_fd_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	struct stat st;
	size_t n;

	if (fd < 0 || seccomp_export_bpf(g->ctx, fd) != 0 ||
	    fstat(fd, &st) < 0)
		return fail(g, "export: %s", strerror(errno));
	n = (size_t)st.st_size;
	if (n == 0 || n / sizeof(*out->insns) > BPF_MAXINSNS)
		return fail(g, "more than %d instructions", BPF_MAXINSNS);
	if ((out->insns = malloc(n)) == NULL ||
	    pread(fd, out->insns, n, 0) != (ssize_t)n) {
		free(out->insns);
		out->insns = NULL;
		return fail(g, "export: %s", strerror(errno));
	}
	out->len = (uint16_t)(n / sizeof(*out->insns));
	return 0;
}

static int
generate(struct gen *g, json_t *root, struct seccomp_program *out)
{
	static const char *const keys[] = {"defaultAction", "defaultErrnoRet",
	    "defaultErrno", "archMap", "architectures", "flags", "syscalls",
	    "comment"};
	json_t *list, *v;
	size_t i;

	if (!json_is_object(root))
		return fail(g, "not an object");
	if (only_keys(g, root, keys, NELEM(keys), "profile") < 0 ||
	    errno_of(g, root, "defaultErrnoRet", EPERM, &g->default_errno) <
	    0 || action_of(g, json_object_get(root, "defaultAction"),
	    g->default_errno, &g->default_action) < 0)
		return -1;
	/* a rule that gives no number of its own means EPERM, as in runc */
	g->default_errno = EPERM;
	if ((g->ctx = seccomp_init(g->default_action)) == NULL)
		return fail(g, "libseccomp");
	if (seccomp_attr_set(g->ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS) != 0)
		return fail(g, "libseccomp");
	(void)seccomp_attr_set(g->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	list = json_object_get(root, "syscalls");
	if (list != NULL && !json_is_array(list))
		return fail(g, "syscalls is a list");
	json_array_foreach (list, i, v)
		if (add_entry(g, v) < 0)
			return -1;
	return take_less(g) < 0 ? -1 : export(g, out);
}

/* jansson recurses as deep as its input does */
static bool
too_deep(const char *json, size_t len)
{
	unsigned depth = 0;
	bool text = false;

	for (size_t i = 0; i < len; i++) {
		char c = json[i];

		if (text) {
			if (c == '\\')
				i++;
			else if (c == '"')
				text = false;
		} else if (c == '"') {
			text = true;
		} else if (c == '{' || c == '[') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

int
seccomp_gen(struct seccomp_program *out, const char *json, size_t len,
    const struct seccomp_host *host, char *err, size_t err_cap)
{
	return seccomp_gen_less(out, json, len, host, NULL, err, err_cap);
}

int
seccomp_gen_less(struct seccomp_program *out, const char *json, size_t len,
    const struct seccomp_host *host, const struct seccomp_less *less,
    char *err, size_t err_cap)
{
	struct gen g = {.host = host, .less = less, .err = err, .err_cap = err_cap,
	    .notes = out->notes};
	json_error_t je;
	json_t *root;
	int rv = -1;

	memset(out, 0, sizeof(*out));
	err[0] = '\0';
	if (len > SECCOMP_JSON_MAX)
		return fail(&g, "larger than %u bytes", SECCOMP_JSON_MAX);
	if (too_deep(json, len))
		return fail(&g, "too deep");
	/* some editors begin a text with it */
	if (len >= 3 && memcmp(json, "\xef\xbb\xbf", 3) == 0) {
		json += 3;
		len -= 3;
	}
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
	if (root == NULL)
		return fail(&g, "line %d, column %d: %.100s", je.line,
		    je.column, je.text);
	if ((g.said = calloc(RULES_MAX, sizeof(*g.said))) != NULL)
		rv = generate(&g, root, out);
	else
		(void)fail(&g, "out of memory");
	free(g.said);
	if (g.ctx != NULL)
		seccomp_release(g.ctx);
	json_decref(root);
	return rv;
}

void
seccomp_calls(uint8_t bits[64], const char *const *names, unsigned n)
{
	memset(bits, 0, 64);
	for (unsigned i = 0; i < n; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);

		if (nr >= 0 && nr < 512)
			bits[nr / 8] |= (uint8_t)(1u << nr % 8);
	}
}
