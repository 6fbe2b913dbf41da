# SPDX-License-Identifier: BSD-2-Clause
"""Each tier of the probes in the kernel, on a kernel that takes them all: the
same table of hostile and quiet jobs, with the same rules broken."""
import subprocess
import sys

r = subprocess.run([sys.argv[1] + "/tests/escape/test_watch", "all"],
                   check=False)
sys.exit(r.returncode)
