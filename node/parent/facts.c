/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/facts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#define STAT_WORDS 8 /* user nice system idle iowait irq softirq steal */
#define ZONE_LOOK (9 * 86400) /* s: as far as node looks ahead */
#define ZONE_STEP 21600

/* The kernel's files have no size; NUL at the end. */
static bool
get(int at, const char *name, char *out, size_t cap)
{
	_cleanup_fd_ int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, cap - 1);

	out[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

/* cpu time of all that ran, of the first line of /proc/stat. */
static bool
busy_ms(int root, uint64_t *ms)
{
	char text[512], *p = text + 4, *end;
	uint64_t v[STAT_WORDS];
	long hz = sysconf(_SC_CLK_TCK);

	if (!get(root, "proc/stat", text, sizeof(text)) ||
	    strncmp(text, "cpu ", 4) != 0 || hz <= 0)
		return false;
	for (unsigned i = 0; i < STAT_WORDS; i++) {
		v[i] = strtoull(p, &end, 10);
		if (end == p)
			return false;
		p = end;
	}
	*ms = (v[0] + v[1] + v[2] + v[5] + v[6]) * 1000 / (uint64_t)hz;
	return true;
}

/* The first minute: what the kernel's own mean says. */
static bool
load_milli(int root, uint32_t *milli)
{
	char text[128], *end;
	unsigned long whole, part;

	if (!get(root, "proc/loadavg", text, sizeof(text)))
		return false;
	whole = strtoul(text, &end, 10);
	if (end == text || *end != '.')
		return false;
	part = strtoul(end + 1, NULL, 10); /* two digits */
	*milli = (uint32_t)(whole * 1000 + part * 10);
	return true;
}

static void
measure_busy(struct facts *f, struct msg_FACTS *m, int root, int64_t now_us,
    bool jobs_known, uint64_t jobs_us)
{
	struct facts_sample s = {.us = now_us, .jobs_known = jobs_known,
	    .jobs_ms = jobs_us / 1000}, *old;
	uint64_t ms;

	m->busy_milli = UINT32_MAX;
	if (!busy_ms(root, &s.busy_ms)) {
		f->n = 0;
		return;
	}
	if (f->n == FACTS_SAMPLES) {
		memmove(f->ring, f->ring + 1, (FACTS_SAMPLES - 1) *
			sizeof(f->ring[0]));
		f->n--;
	}
	f->ring[f->n++] = s;
	old = &f->ring[0];
	ms = (uint64_t)MAX_OF(s.us - old->us, INT64_C(0)) / 1000;
	if (ms == 0) {
		if (!load_milli(root, &m->busy_milli))
			m->busy_milli = UINT32_MAX;
		return;
	}
	/* a counter that was begun anew is no time that went backwards */
	m->busy_milli = (uint32_t)MIN_OF((s.busy_ms -
	    MIN_OF(old->busy_ms, s.busy_ms)) * 1000 / ms,
	    (uint64_t)UINT32_MAX);
	m->jobs_known = s.jobs_known && old->jobs_known;
	m->jobs_milli = (uint32_t)MIN_OF((s.jobs_ms -
	    MIN_OF(old->jobs_ms, s.jobs_ms)) * 1000 / ms,
	    (uint64_t)UINT32_MAX);
}

static uint64_t
memory_available(int root)
{
	char text[4096], *p;

	if (!get(root, "proc/meminfo", text, sizeof(text)) ||
	    (p = strstr(text, "\nMemAvailable:")) == NULL)
		return 0;
	return strtoull(p + sizeof("\nMemAvailable:") - 1, NULL, 10) * 1024;
}

static bool
supply_is(int supply, const char *file, const char *word)
{
	char text[64];

	return get(supply, file, text, sizeof(text)) &&
	    strncmp(text, word, strlen(word)) == 0;
}

/*
 * On mains: a supply of that kind is on line, or there is none and no battery
 * of the machine (one of a mouse is not) is being emptied.
 */
static bool
on_mains(int root)
{
	DIR *d = dir_take(openat(root,
	    "sys/class/power_supply", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;
	bool any = false, online = false, emptied = false;

	if (d == NULL)
		return true;
	while ((e = readdir(d)) != NULL) {
		_cleanup_fd_ int at = e->d_name[0] == '.' ? -1 :
		    openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY |
			O_CLOEXEC);

		if (at < 0)
			continue;
		if (supply_is(at, "type", "Mains")) {
			any = true;
			online |= supply_is(at, "online", "1");
		} else if (supply_is(at, "type", "Battery") &&
		    !supply_is(at, "scope", "Device")) {
			emptied |= supply_is(at, "status", "Discharging");
		}
	}
	(void)closedir(d);
	return online || (!any && !emptied);
}

void
facts_measure(struct facts *f, struct msg_FACTS *m, int root, int64_t now_us,
    bool jobs_known, uint64_t jobs_us, uint64_t jobs_memory)
{
	memset(m, 0, sizeof(*m));
	measure_busy(f, m, root, now_us, jobs_known, jobs_us);
	m->mains = on_mains(root);
	m->memory_free = memory_available(root) + jobs_memory;
}

static int32_t
offset(int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm;

	return localtime_r(&t, &tm) == NULL ? 0 : (int32_t)tm.tm_gmtoff;
}

void
facts_zone(struct msg_FACTS *m, int64_t now)
{
	int64_t lo, hi;

	tzset(); /* the machine may have moved */
	m->offset_s = offset(now);
	m->next_at = 0;
	m->next_offset_s = m->offset_s;
	for (hi = now; hi < now + ZONE_LOOK; hi += ZONE_STEP)
		if (offset(hi) != m->offset_s)
			break;
	if (offset(hi) == m->offset_s)
		return;
	for (lo = MAX_OF(hi - ZONE_STEP, now); hi - lo > 1;) {
		int64_t mid = lo + (hi - lo) / 2;

		if (offset(mid) == m->offset_s)
			lo = mid;
		else
			hi = mid;
	}
	m->next_at = (uint32_t)hi;
	m->next_offset_s = offset(hi);
}
