/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays a committed corpus through a fuzz target without libFuzzer: each
 * file of the folder $CORPUS/NOUN (NOUN: the program's name behind "fuzz_"),
 * or of the arguments, twice.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
/*
 * A target that counts what it takes has a corpus of which some is taken: or
 * the form has got a member more, and its seeds show how they are refused.
 */
extern unsigned fuzz_taken __attribute__((weak));

static int
replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf;
	size_t n;

	if (f == NULL || (buf = malloc(FILE_MAX)) == NULL) {
		perror(path);
		if (f != NULL)
			(void)fclose(f);
		return 1;
	}
	n = fread(buf, 1, FILE_MAX, f);
	(void)fclose(f);
	for (int i = 0; i < 2; i++) {
		/* an exact copy, so that a sanitizer sees its end */
		uint8_t *copy = malloc(n > 0 ? n : 1);

		if (copy != NULL) {
			memcpy(copy, buf, n);
			(void)LLVMFuzzerTestOneInput(copy, n);
		}
		free(copy);
	}
	free(buf);
	return 0;
}

int
main(int argc, char *argv[])
{
	const char *name = strrchr(argv[0], '/');
	const char *corpus = getenv("CORPUS");
	char dir[1024], path[1300];
	struct dirent *de;
	unsigned count = 0;
	int bad = 0;
	DIR *d;

	for (int i = 1; i < argc; i++)
		bad |= replay(argv[i]);
	if (argc > 1)
		return bad;
	name = name == NULL ? argv[0] : name + 1;
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	(void)snprintf(dir, sizeof(dir), "%s/%s",
	    corpus == NULL ? "tests/fuzz/corpus" : corpus, name);
	if ((d = opendir(dir)) == NULL) {
		perror(dir);
		return 1;
	}
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		bad |= replay(path);
		count++;
	}
	(void)closedir(d);
	if (&fuzz_taken != NULL && fuzz_taken == 0) {
		fprintf(stderr, "%s: nothing of this corpus is taken\n", dir);
		bad = 1;
	}
	/* TAP, as the unit tests speak it */
	printf("1..1\n%s 1 - corpus %s, %u files\n",
	    bad != 0 || count == 0 ? "not ok" : "ok", name, count);
	return bad != 0 || count == 0;
}
