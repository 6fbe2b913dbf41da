/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/snap_core.h"

#include <elf.h>
#include <string.h>

#include "common/util.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif
#ifndef NT_FILE
#define NT_FILE 0x46494c45
#endif
#ifndef NT_SIGINFO
#define NT_SIGINFO 0x53494749
#endif
#define ALIGN4(n) (((n) + 3u) & ~(size_t)3)

/* Where the next bytes go; p NULL: they are only counted. */
struct out {
	uint8_t *p;
	size_t n;
};

static void
put(struct out *o, const void *p, size_t n)
{
	if (o->p != NULL && n > 0)
		memcpy(o->p + o->n, p, n);
	o->n += n;
}

static void
pad(struct out *o)
{
	static const uint8_t none[4];

	put(o, none, ALIGN4(o->n) - o->n);
}

static void
note_head(struct out *o, const char *owner, uint32_t type, size_t n)
{
	Elf64_Nhdr h = {.n_namesz = (uint32_t)strlen(owner) + 1,
	    .n_descsz = (uint32_t)n, .n_type = type};

	put(o, &h, sizeof(h));
	put(o, owner, strlen(owner) + 1);
	pad(o);
}

static void
note(struct out *o, const char *owner, uint32_t type, const void *p, size_t n)
{
	if (n == 0)
		return;
	note_head(o, owner, type, n);
	put(o, p, n);
	pad(o);
}

static void
note_thread(struct out *o, const struct core_of *c,
    const struct core_thread *t)
{
	struct elf_prstatus s;

	memset(&s, 0, sizeof(s));
	s.pr_pid = t->tid;
	s.pr_ppid = c->ppid;
	s.pr_pgrp = c->pgrp;
	s.pr_sid = c->sid;
	s.pr_fpvalid = t->fp.n > 0;
	memcpy(&s.pr_reg, &t->regs, sizeof(s.pr_reg));
	note(o, "CORE", NT_PRSTATUS, &s, sizeof(s));
}

static void
note_process(struct out *o, const struct core_of *c)
{
	static const char states[] = "RSDTZW";
	const char *at = strchr(states, c->state);
	struct elf_prpsinfo s;

	memset(&s, 0, sizeof(s));
	s.pr_sname = c->state;
	s.pr_state = (char)(at != NULL && c->state != '\0' ? at - states : 0);
	s.pr_zomb = c->state == 'Z';
	s.pr_uid = c->uid;
	s.pr_gid = c->gid;
	s.pr_pid = c->pid;
	s.pr_ppid = c->ppid;
	s.pr_pgrp = c->pgrp;
	s.pr_sid = c->sid;
	memcpy(s.pr_fname, c->name, sizeof(s.pr_fname));
	memcpy(s.pr_psargs, c->args, sizeof(s.pr_psargs));
	note(o, "CORE", NT_PRPSINFO, &s, sizeof(s));
}

static void
note_files(struct out *o, const struct core_of *c)
{
	uint64_t head[2] = {c->nfiles, CORE_PAGE};
	size_t n = sizeof(head);

	if (c->nfiles == 0)
		return;
	for (size_t i = 0; i < c->nfiles; i++)
		n += 24 + c->files[i].name_len + 1;
	note_head(o, "CORE", NT_FILE, n);
	put(o, head, sizeof(head));
	for (size_t i = 0; i < c->nfiles; i++) {
		uint64_t v[3] = {c->files[i].start, c->files[i].end,
		    c->files[i].offset / CORE_PAGE};

		put(o, v, sizeof(v));
	}
	for (size_t i = 0; i < c->nfiles; i++) {
		put(o, c->files[i].name, c->files[i].name_len);
		put(o, "", 1);
	}
	pad(o);
}

static void
note_rest(struct out *o, const struct core_thread *t)
{
	note(o, "CORE", NT_FPREGSET, t->fp.p, t->fp.n);
	note(o, "LINUX", NT_X86_XSTATE, t->xstate.p, t->xstate.n);
	note(o, "CORE", NT_SIGINFO, t->siginfo.p, t->siginfo.n);
}

/* In the kernel's order: what is the process's stands behind its first thread. */
static void
notes(struct out *o, const struct core_of *c)
{
	for (size_t i = 0; i < c->nthreads; i++) {
		note_thread(o, c, &c->threads[i]);
		if (i == 0) {
			note_process(o, c);
			note(o, "CORE", NT_AUXV, c->auxv.p, c->auxv.n);
			note_files(o, c);
		}
		note_rest(o, &c->threads[i]);
	}
}

static size_t
heads_size(const struct core_of *c)
{
	return sizeof(Elf64_Ehdr) + (1 + c->nsegs) * sizeof(Elf64_Phdr);
}

size_t
core_front_size(const struct core_of *c)
{
	struct out o = {NULL, 0};

	notes(&o, c);
	return (heads_size(c) + o.n + CORE_PAGE - 1) / CORE_PAGE * CORE_PAGE;
}

void
core_front(uint8_t *out, const struct core_of *c)
{
	Elf64_Ehdr e = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
			    ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
	    .e_type = ET_CORE, .e_machine = MACHINE, .e_version = EV_CURRENT,
	    .e_phoff = sizeof(e), .e_ehsize = sizeof(e),
	    .e_phentsize = sizeof(Elf64_Phdr),
	    .e_phnum = (Elf64_Half)(1 + c->nsegs)};
	Elf64_Phdr n = {.p_type = PT_NOTE, .p_offset = heads_size(c),
	    .p_align = 4};
	uint64_t at = core_front_size(c);
	struct out o = {out, heads_size(c)};

	memset(out, 0, at);
	notes(&o, c);
	n.p_filesz = o.n - n.p_offset;
	o.n = 0;
	put(&o, &e, sizeof(e));
	put(&o, &n, sizeof(n));
	for (size_t i = 0; i < c->nsegs; i++) {
		const struct core_seg *s = &c->segs[i];
		Elf64_Phdr p = {.p_type = PT_LOAD, .p_flags = s->flags,
		    .p_offset = at, .p_vaddr = s->start,
		    .p_filesz = s->filesz, .p_memsz = s->memsz,
		    .p_align = CORE_PAGE};

		put(&o, &p, sizeof(p));
		at += s->filesz;
	}
}
