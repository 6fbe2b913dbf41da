/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probes of the tier with trampolines (fentry): those of the raw
 * tracepoints, and beside them what the kernel's own decisions are about.
 * What is denied by them shows at the end of the call, as ever.
 */
#define OBJECTS_SEEN /* who opens and protects is told here */
#include "audit/bpf/watch.bpf.c"

#include "audit/bpf/objects.h"

SEC("fexit/security_file_open")
int
at_file_open(__u64 *ctx)
{
	return (int)ctx[1] != 0 ? 0 : file_opened((struct file *)ctx[0], 0);
}

/* The folder, and the name in it. */
#define NAME(hook, args)                                                       \
	SEC("fexit/security_path_" #hook)                                      \
	int at_##hook(__u64 *ctx)                                              \
	{                                                                      \
		return name_changed((struct path *)ctx[0],                     \
		    (struct dentry *)ctx[1], (int)ctx[args]);                  \
	}
NAME(mkdir, 3)
NAME(rmdir, 2)
NAME(unlink, 2)
NAME(mknod, 4)
NAME(symlink, 3)

/* Both names of a rename; the new one of a link. */
SEC("fexit/security_path_rename")
int
at_rename_from(__u64 *ctx)
{
	return name_changed((struct path *)ctx[0], (struct dentry *)ctx[1],
	    (int)ctx[5]);
}

SEC("fexit/security_path_rename")
int
at_rename_to(__u64 *ctx)
{
	return name_changed((struct path *)ctx[2], (struct dentry *)ctx[3],
	    (int)ctx[5]);
}

SEC("fexit/security_path_link")
int
at_link(__u64 *ctx)
{
	return name_changed((struct path *)ctx[1], (struct dentry *)ctx[2],
	    (int)ctx[3]);
}

SEC("fexit/security_path_truncate")
int
at_truncate(__u64 *ctx)
{
	return place_changed((struct path *)ctx[0], (int)ctx[1]);
}

SEC("fexit/security_path_chmod")
int
at_chmod(__u64 *ctx)
{
	return place_changed((struct path *)ctx[0], (int)ctx[2]);
}

SEC("fentry/security_file_mprotect")
int
at_mprotect(__u64 *ctx)
{
	return protected((struct vm_area_struct *)ctx[0], ctx[2], 0);
}

/* Whoever calls it: an exploit does, and no call of a job that may. */
SEC("fentry/commit_creds")
int
at_commit_creds(__u64 *ctx)
{
	becomes((const struct cred *)ctx[0], 0);
	return 0;
}
