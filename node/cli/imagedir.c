/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/imagedir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/numbers.h"
#include "common/where.h"
#include "config.h"
#include "node/cli/ask.h"
#include "node/cli/folders.h"
#include "node/cli/say.h"
#include "sandbox/image/store.h"

int
imagedir_open(struct cli *c, bool make, int *rc)
{
	_cleanup_fd_ int conf = -1, warren = -1, images = -1;
	char dir[CLI_PATH];
	struct stat st;

	*rc = CLI_FAILED;
	if (!cli_config_dir(c, dir))
		return -1;
	conf = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (conf < 0 || fstat(conf, &st) != 0) {
		bool none = errno == ENOENT;

		cli_error(c, "%s: %s", dir, strerror(errno));
		if (none && !ask_hint_service(c, WHERE_SERVICE))
			cli_hint(c, "Name the node's folder with --config, "
				    "and make it first if it is new.");
		return -1;
	}
	if (make && st.st_uid != geteuid()) {
		cli_error(c, "%s belongs to another user", dir);
		cli_hint(c, "Import as that user: the store is written by its "
			    "owner only.");
		*rc = CLI_REFUSED;
		return -1;
	}
	/* the modes that the parent gives them, whatever the umask */
	if (make)
		(void)umask(022);
	warren = dir_open(conf, "warren", make, numbers_usable(WARREN_UID_BASE) ?
	    0711 : 0700);
	if (warren >= 0)
		images = dir_open(warren, "images", make, 0755);
	if (images < 0 || (make && store_make(images) != 0)) {
		if (!make && errno == ENOENT)
			*rc = CLI_OK; /* an empty store */
		else {
			bool denied = errno == EACCES;

			cli_error(c, "%s/warren/images: %s", dir,
			    strerror(errno));
			if (denied)
				cli_hint(c, "The images are for the owner of "
					    "the folder.");
		}
		return -1;
	}
	*rc = CLI_OK;
	return steal_fd(&images);
}

int
imagedir_find(struct cli *c, int images, const char *name,
    struct id32 *digest)
{
	if (images >= 0 && store_resolve(images, name, digest) == 0)
		return CLI_OK;
	if (images >= 0 && errno == EINVAL) {
		cli_error(c, "%s is neither a name nor sha256: and 64 digits",
		    name);
		return CLI_USAGE;
	}
	if (images >= 0 && errno != ENOENT) {
		cli_error(c, "the store cannot be read: %s", store_why(errno));
		return CLI_FAILED;
	}
	cli_error(c, "there is no image %s here", name);
	cli_hint(c, "`warren image list` shows those that are.");
	return CLI_FAILED;
}
