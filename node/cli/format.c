/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/format.h"

#include <stdio.h>
#include <time.h>

#include "common/util.h"

const char *
cli_bytes(char out[24], uint64_t b)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)b;
	size_t i = 0;

	while (v >= 1024 && i + 1 < NELEM(unit)) {
		v /= 1024;
		i++;
	}
	(void)snprintf(out, 24, i == 0 || v >= 100 ? "%.0f %s" : "%.1f %s", v,
	    unit[i]);
	return out;
}

const char *
cli_duration(char out[24], int64_t ms)
{
	long long s = ms / 1000;

	if (ms < 0)
		(void)snprintf(out, 24, "-");
	else if (ms < 1000)
		(void)snprintf(out, 24, "%d ms", (int)ms);
	else if (s < 60)
		(void)snprintf(out, 24, "%.1f s", (double)ms / 1000);
	else if (s < 3600)
		(void)snprintf(out, 24, "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		(void)snprintf(out, 24, "%lld h %lld min", s / 3600,
		    s % 3600 / 60);
	else
		(void)snprintf(out, 24, "%lld d %lld h", s / 86400 % 1000000,
		    s % 86400 / 3600);
	return out;
}

const char *
cli_time(char out[24], int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (unix_s == 0 || localtime_r(&t, &tm) == NULL ||
	    strftime(out, 24, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(out, 24, "-");
	return out;
}
