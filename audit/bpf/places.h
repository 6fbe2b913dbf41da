/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_PLACES_H
#define WARREN_AUDIT_BPF_PLACES_H

/*
 * Is an act near a place that the rules watch: /proc, /sys, /dev, /boot, or
 * what the kernel shows as files anywhere else? Only whether it is told is
 * decided here; what it broke is found by who reads it. Included by
 * watch.bpf.c behind its file_of().
 */
#define SCAN 128 /* bytes of a text that are looked through */

/* Too large for the stack; at the end of a call nothing else runs here. */
struct text {
	char t[SCAN + 8];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct text);
} texts SEC(".maps");

struct scan {
	struct text *text;
	char before;
	bool near;
};

static __always_inline bool
ends(char c)
{
	return c == '/' || c == 0;
}

static __always_inline bool
is_place(const char *t)
{
	return (t[0] == 'p' && t[1] == 'r' && t[2] == 'o' && t[3] == 'c' &&
		   ends(t[4])) ||
	    (t[0] == 'b' && t[1] == 'o' && t[2] == 'o' && t[3] == 't' &&
		ends(t[4])) ||
	    (t[0] == 'd' && t[1] == 'e' && t[2] == 'v' && ends(t[3])) ||
	    (t[0] == 's' && t[1] == 'y' && t[2] == 's' && ends(t[3]));
}

static long
scan_at(__u32 i, struct scan *s)
{
	__u64 at = i;
	char *t;

	/* the verifier wants to see it, which the compiler knows */
	asm volatile("%0 &= 127" : "+r"(at));
	t = s->text->t + at;
	if (t[0] == 0)
		return 1;
	if ((s->before == 0 || s->before == '/') && is_place(t)) {
		s->near = true;
		return 1;
	}
	s->before = t[0];
	return 0;
}

static __always_inline long
read_text(char *to, __u32 size, const void *from, bool kernel)
{
	return kernel ? bpf_probe_read_kernel_str(to, size, from) :
	    bpf_probe_read_user_str(to, size, from);
}

/* One of its names is that of a place, wherever the dots lead. */
static __always_inline bool
near_text_of(const void *text, bool kernel)
{
	__u32 zero = 0;
	struct text *room = bpf_map_lookup_elem(&texts, &zero);
	struct scan s = {.text = room};
	long n;

	if (room == NULL ||
	    (n = read_text(room->t, SCAN, text, kernel)) < 0)
		return false;
	UNKNOWN_ZERO(s.before);
	UNKNOWN_ZERO(s.near);
	bpf_loop(SCAN, scan_at, &s, 0);
	return s.near || n == SCAN;
}

static __always_inline bool
near_text(const void *text)
{
	return near_text_of(text, false);
}

static __always_inline bool
near_inode(struct inode *inode)
{
	__u32 kind = BPF_CORE_READ(inode, i_mode) & S_IFMT;

	if (kind == S_IFCHR || kind == S_IFBLK)
		return true;
	switch (BPF_CORE_READ(inode, i_sb, s_magic)) {
	case 0x9fa0:	 /* proc */
	case 0x62656572: /* sysfs */
	case 0x64626720: /* debugfs */
	case 0x74726163: /* tracefs */
	case 0x73636673: /* securityfs */
	case 0x27e0eb:	 /* cgroup */
	case 0x63677270: /* cgroup2 */
	case 0xcafe4a11: /* bpf */
	case 0xde5e81e4: /* efivarfs */
		return true;
	default:
		return false;
	}
}

struct climb {
	struct dentry *d, *top;
	struct mount *m;
};

static long
climb_one(__u32 i, struct climb *c)
{
	struct dentry *d = c->d, *up = BPF_CORE_READ(d, d_parent);
	struct mount *m = c->m, *above;

	(void)i;
	if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
		above = BPF_CORE_READ(m, mnt_parent);
		if (above == m || above == NULL)
			return 1;
		c->d = BPF_CORE_READ(m, mnt_mountpoint);
		c->m = above;
		return 0;
	}
	c->top = d;
	c->d = up;
	return d == up;
}

/* The name of the folder below the root that it is in, as far as t goes. */
static __always_inline bool
top_of(struct path *path, char t[6])
{
	struct climb c = {.d = BPF_CORE_READ(path, dentry),
	    .m = real_mount(BPF_CORE_READ(path, mnt))};
	struct dentry *top;

	UNKNOWN_ZERO(c.top);
	bpf_loop(REC_WALK, climb_one, &c, 0);
	top = c.top;
	if (top == NULL)
		return false;
	bpf_probe_read_kernel_str(t, 6, BPF_CORE_READ(top, d_name.name));
	return true;
}

/* Beneath a place, or what the kernel shows as files anywhere. */
static __always_inline bool
near_path(struct path *path)
{
	char t[6] = {0};

	return near_inode(BPF_CORE_READ(path, dentry, d_inode)) ||
	    (top_of(path, t) && is_place(t));
}

static __always_inline struct path *
path_of(struct file *file)
{
	return (void *)file + bpf_core_field_offset(struct file, f_path);
}

static __always_inline struct path *
pwd_of(struct task_struct *task)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	return (void *)fs + bpf_core_field_offset(struct fs_struct, pwd);
}

/*
 * "/proc/self/fd/3/x" is x beneath descriptor 3. The number that d begins
 * with, the length of its digits, and what stands behind; -1: there is none.
 */
static __always_inline int
number_at(const char d[8], __u32 *len, char *behind)
{
	int n = 0;

	for (int i = 0; i < 6; i++) {
		*behind = d[i];
		if (d[i] < '0' || d[i] > '9')
			break;
		n = n * 10 + (d[i] - '0');
		*len = i + 1;
	}
	return *len == 0 ? -1 : n;
}

#define IS(t, at, a, b, c, d)                                                  \
	((t)[at] == a && (t)[at + 1] == b && (t)[at + 2] == c &&               \
	    (t)[at + 3] == d)

/* "/proc/self/cwd": how long that is; 0: the path begins otherwise. */
static __always_inline __u32
cwd_length(const char t[24])
{
	if (!IS(t, 0, '/', 'p', 'r', 'o') || !IS(t, 4, 'c', '/', t[6], t[7]))
		return 0;
	if (IS(t, 6, 's', 'e', 'l', 'f') && IS(t, 10, '/', 'c', 'w', 'd') &&
	    ends(t[14]))
		return 14;
	if (IS(t, 6, 't', 'h', 'r', 'e') && IS(t, 10, 'a', 'd', '-', 's') &&
	    IS(t, 14, 'e', 'l', 'f', '/') && IS(t, 17, '/', 'c', 'w', 'd') &&
	    ends(t[21]))
		return 21;
	return 0;
}

/* Where the number of a descriptor would stand in a path; 0: nowhere. */
static __always_inline __u32
fd_offset(const char t[24])
{
	if (IS(t, 0, '/', 'd', 'e', 'v') && IS(t, 4, '/', 'f', 'd', '/'))
		return 8;
	if (!IS(t, 0, '/', 'p', 'r', 'o') || !IS(t, 4, 'c', '/', t[6], t[7]))
		return 0;
	if (IS(t, 6, 's', 'e', 'l', 'f') && IS(t, 10, '/', 'f', 'd', '/'))
		return 14;
	if (IS(t, 6, 't', 'h', 'r', 'e') && IS(t, 10, 'a', 'd', '-', 's') &&
	    IS(t, 14, 'e', 'l', 'f', '/') && t[18] == 'f' && t[19] == 'd' &&
	    t[20] == '/')
		return 21;
	return 0;
}

/* -1: not by a descriptor of its own. kernel: whose memory has the text. */
static __always_inline int
by_fd(const void *text, __u32 *behind, bool *whole, bool kernel)
{
	char t[24] = {0}, d[8] = {0}, end = 0;
	__u32 off, len = 0;
	int fd;

	if (read_text(t, sizeof(t), text, kernel) < 0 ||
	    (off = fd_offset(t)) == 0 ||
	    read_text(d, sizeof(d), text + off, kernel) < 0)
		return -1;
	fd = number_at(d, &len, &end);
	if (fd < 0 || !ends(end))
		return -1;
	*whole = end == 0;
	*behind = off + len + 1;
	return fd;
}

#endif
