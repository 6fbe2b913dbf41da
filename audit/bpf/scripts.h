/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_SCRIPTS_H
#define WARREN_AUDIT_BPF_SCRIPTS_H

/*
 * Programs that are run, and scripts: when a script's interpreter has been
 * found, the kernel has forgotten the script's file. By one of the job's own
 * descriptors it is looked up there. By another way near what the kernel shows
 * as files the path is kept, and what its interpreter finds under it, when it
 * comes to read, is what was run. Included by watch.bpf.c.
 */
static __noinline void
tell_run(struct watch_group *g, __u64 id, struct file *file)
{
	struct rec_exec *r;

	/* a crowd of programs hides none that is in no folder */
	r = BEGIN_NEAR(g, id, REC_EXEC, rec_exec, CALL_NONE, 0,
	    BPF_CORE_READ(file, f_inode, i_nlink) == 0);
	if (r == NULL)
		return;
	put_file(&r->file, file);
	bpf_ringbuf_submit(r, 0);
}

struct script {
	__u64 word[SCAN / 8];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__uint(key_size, 2 * sizeof(__u64)); /* group, process */
	__uint(value_size, sizeof(struct script));
} scripts SEC(".maps");

/* The room, with nothing in it but this text. */
static __always_inline struct script *
alone(const void *text, bool kernel)
{
	__u32 zero = 0;
	struct text *room = bpf_map_lookup_elem(&texts, &zero);
	struct script *s = (void *)room;

	if (room == NULL)
		return NULL;
	for (int i = 0; i < SCAN / 8; i++)
		s->word[i] = 0;
	return read_text(room->t, SCAN, text, kernel) < 0 ? NULL : s;
}

static __always_inline void
keep_script(struct watch_group *g, __u64 id, const char *path)
{
	__u64 k[2] = {id, bpf_get_current_pid_tgid() >> 32};
	struct script *s;
	char first = 0;

	bpf_probe_read_kernel(&first, 1, path);
	if (!g->linked && !near_text_of(path, true) &&
	    (first == '/' || !near_path(pwd_of((void *)
		bpf_get_current_task()))))
		return;
	s = alone(path, true);
	if (s == NULL)
		return;
	g->scripts = 1;
	bpf_map_update_elem(&scripts, k, s, BPF_ANY);
}

/* A script of its own descriptors that is in no folder, or what runs for it. */
static __always_inline struct file *
script_of(struct watch_group *g, __u64 id, struct linux_binprm *bprm)
{
	const char *path = BPF_CORE_READ(bprm, fdpath);
	__u32 behind = 0;
	bool whole = false;
	struct file *file;
	int fd;

	if (path == NULL)
		path = BPF_CORE_READ(bprm, filename);
	fd = by_fd(path, &behind, &whole, true);
	file = fd < 0 || !whole ? NULL : file_of(fd);
	if (file != NULL && BPF_CORE_READ(file, f_inode, i_nlink) == 0)
		return file;
	if (file == NULL && BPF_CORE_READ(bprm, interp) != path)
		keep_script(g, id, path);
	return BPF_CORE_READ(bprm, file);
}

/* An interpreter reads what it was run for. */
__noinline int
script_read(struct watch_group *g, struct act *a)
{
	__u64 k[2] = {0, bpf_get_current_pid_tgid() >> 32};
	struct script *want, *is;
	struct file *file;
	__u64 other = 0;

	if (g == NULL || a == NULL)
		return 0;
	k[0] = a->id;
	want = bpf_map_lookup_elem(&scripts, k);
	if (want == NULL || (is = alone(a->text, false)) == NULL)
		return 0;
	for (int i = 0; i < SCAN / 8; i++)
		other |= want->word[i] ^ is->word[i];
	file = other != 0 ? NULL : file_of(a->ret);
	if (file != NULL && BPF_CORE_READ(file, f_inode, i_nlink) == 0)
		tell_run(g, a->id, file);
	return 0;
}

#endif
