/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_DECODE_H
#define WARREN_AUDIT_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/bpf/watch_rec.h"

/*
 * A record of the kernel as an event that rules and people read; names of its
 * members as Falco has them where it has them (warren-rules(5)). Pure.
 */
#define EVENT_PATH 1200

struct watch_event {
	enum rec_type type;
	const char *call; /* evt.type: openat, execve, procexit, ... */
	uint32_t number;  /* ... as the kernel counts; of procexit: its last */
	uint64_t group, when_ns;
	uint32_t pid, tid;
	int64_t ret; /* 0 or more: done; else an errno, negative */
	char comm[REC_COMM + 1];
	/*
	 * The file: as it was opened, run or mapped; of what was refused, the
	 * path that was given, made plain. "": none.
	 */
	char path[EVENT_PATH];
	bool cut;   /* names are missing: too long or too deep */
	bool write; /* opened, or to be opened, for writing */
	uint64_t magic; /* of its file system; 0: not known */
	uint32_t mode, major, minor;
	bool deleted; /* no folder has it any more, or ever had */
	bool memfd;
	uint32_t what;	/* MEM_ */
	uint32_t child; /* clone */
	uint32_t code;	/* procexit, as wait(2) has it */
	bool oom;
	bool changed; /* credentials are others than the job's */
	uint32_t uid, was_uid; /* effective, of the host */
	uint64_t gained; /* rights that it had not, bits */
	bool foreign; /* in another user namespace */
	bool asked;   /* a call for others than the job's */
	bool from;    /* the name that a rename takes away */
	bool alias;   /* the name that a file has already, of link */
	bool follows; /* ... or what that leads to */
	char to[REC_TEXT]; /* where a new symbolic link leads */
};

/* "openat", ...: of a system call by its number; "syscall": of no call here. */
const char *event_call(uint32_t number);
/* Whether evt.type of an event can be this; near: what may be meant, or NULL. */
bool event_call_known(const char *name, const char **near);

/* false: not a record of these probes; *e is then of no use. */
bool event_decode(struct watch_event *, const void *rec, size_t len);

/* Goes on from e->path, a folder, by this text: without dots. */
void event_join(struct watch_event *, const char *text);

/* "proc", "tmpfs", ... or "" for what is not known by name. */
const char *event_fs(const struct watch_event *);
/* Behind the last slash. */
const char *event_leaf(const struct watch_event *);
/* "SUCCESS" or the errno's name ("EACCES"). */
const char *event_result(const struct watch_event *);
/*
 * For people, a line: "opens /proc/sys/kernel/core_pattern for writing:
 * EACCES". Nothing in it is escaped.
 */
void event_text(char *out, size_t cap, const struct watch_event *);

#endif
