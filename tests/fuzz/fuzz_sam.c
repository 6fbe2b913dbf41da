/* SPDX-License-Identifier: BSD-2-Clause */
/* words: transport/engine/sam.c */
/* Lines of a SAM bridge, for each role. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transport/engine/sam.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct sam s;
	static char out[SAM_LINE_MAX];
	char *text, *line, *rest, b32[53];
	enum sam_step step = SAM_WAIT;

	if (n == 0 || (text = malloc(n)) == NULL)
		return 0;
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	memset(&s, 0, sizeof(s));
	s.role = (enum sam_role)(data[0] % 3);
	s.transient = (data[0] & 4) != 0;
	memcpy(s.id, "reticulum-abcdef", 17);
	memcpy(s.peer, "x.b32.i2p", data[0] & 8 ? 10 : 0);
	sam_begin(&s, out);
	for (line = text; line != NULL && step != SAM_DONE &&
	    step != SAM_FAILED; line = rest) {
		if ((rest = strchr(line, '\n')) != NULL)
			*rest++ = '\0';
		step = sam_line(&s, line, out);
		if (step == SAM_SAY && (strlen(out) == 0 ||
		    strchr(out, '\n') != out + strlen(out) - 1))
			abort();
	}
	(void)sam_b32(s.key, b32);
	(void)sam_b32(text, b32);
	free(text);
	return 0;
}
