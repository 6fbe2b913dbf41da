/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_CRED_H
#define WARREN_AUDIT_BPF_CRED_H

/* Credentials and capabilities. Included by watch.bpf.c. */
#define PR_SET_SECUREBITS 28
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2

static __always_inline void
put_ids(struct rec_ids *out, const struct cred *c)
{
	__u64 eff = 0, perm = 0;

	out->uid = BPF_CORE_READ(c, uid.val);
	out->euid = BPF_CORE_READ(c, euid.val);
	out->suid = BPF_CORE_READ(c, suid.val);
	out->gid = BPF_CORE_READ(c, gid.val);
	out->egid = BPF_CORE_READ(c, egid.val);
	out->sgid = BPF_CORE_READ(c, sgid.val);
	bpf_core_read(&eff, sizeof(eff), &c->cap_effective);
	bpf_core_read(&perm, sizeof(perm), &c->cap_permitted);
	out->caps = eff | perm;
}

static __always_inline void
set_ready(struct watch_group *g, struct task_struct *task)
{
	const struct cred *c = BPF_CORE_READ(task, cred);

	put_ids(&g->ids, c);
	g->user_ns = (__u64)BPF_CORE_READ(c, user_ns);
	g->level = BPF_CORE_READ(task, thread_pid, level);
	g->ready = 1;
}

static __always_inline bool
ids_same(const struct rec_ids *a, const struct rec_ids *b)
{
	return a->uid == b->uid && a->euid == b->euid && a->suid == b->suid &&
	    a->gid == b->gid && a->egid == b->egid && a->sgid == b->sgid &&
	    (b->caps & ~a->caps) == 0;
}

static __always_inline void
tell_cred(struct watch_group *g, __u64 id, __u32 call, long ret,
    const struct rec_ids *is, __u32 changed, __u32 user_ns,
    const __u64 args[3])
{
	struct rec_cred *r = BEGIN(g, id, REC_CRED, rec_cred, call, ret);

	if (r == NULL)
		return;
	r->changed = changed;
	r->user_ns = user_ns;
	r->was = g->ids;
	r->is = *is;
	for (int i = 0; i < 3; i++)
		r->args[i] = args[i];
	bpf_ringbuf_submit(r, 0);
}

/* At each call that is looked at: an exploit of the kernel says nothing. */
static __always_inline bool
cred_over(struct watch_group *g, __u64 id, __u32 call, long ret,
    const __u64 args[3], bool asked)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *c = BPF_CORE_READ(task, cred);
	__u32 ns = (__u64)BPF_CORE_READ(c, user_ns) != g->user_ns;
	struct rec_ids is;
	bool same;

	put_ids(&is, c);
	same = ids_same(&g->ids, &is) && ns == 0;
	if (!same || asked)
		tell_cred(g, id, call, ret, &is, !same, ns, args);
	return same;
}

#define CAPS_OF_ONE_WORD 0x19980330 /* the oldest form */

/* All rights that a capset names, to whatever set they are to go. */
static __always_inline __u64
caps_asked(__u64 header, __u64 data)
{
	__u32 version = 0, d[6] = {0};
	__u64 all;

	bpf_probe_read_user(&version, sizeof(version), (void *)header);
	bpf_probe_read_user(d, 3 * sizeof(d[0]), (void *)data);
	all = d[0] | d[1] | d[2];
	if (version == CAPS_OF_ONE_WORD)
		return all;
	bpf_probe_read_user(d, sizeof(d), (void *)data);
	return all | (__u64)(d[3] | d[4] | d[5]) << 32;
}

static __always_inline bool
asks_cred(__u32 call, long ret, const __u64 args[3])
{
	__u64 flags = 0;

	switch (call) {
	case __NR_setuid:
	case __NR_setgid:
	case __NR_setreuid:
	case __NR_setregid:
	case __NR_setresuid:
	case __NR_setresgid:
	case __NR_setfsuid:
	case __NR_setfsgid:
	case __NR_setgroups:
	case __NR_capset:
	case __NR_setns:
		return true;
	case __NR_unshare:
	case __NR_clone:
		return (args[0] & CLONE_NEWUSER) != 0;
	case __NR_clone3:
		/* the child's copy: its maker may have other things there */
		if (ret == 0)
			return false;
		bpf_probe_read_user(&flags, sizeof(flags), (void *)args[0]);
		return (flags & CLONE_NEWUSER) != 0;
	case __NR_prctl:
		return args[0] == PR_SET_SECUREBITS ||
		    (args[0] == PR_CAP_AMBIENT &&
			args[1] == PR_CAP_AMBIENT_RAISE);
	default:
		return false;
	}
}

#endif
