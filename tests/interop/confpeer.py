# SPDX-License-Identifier: BSD-2-Clause
"""What the reference reads in files of its `config`: confpeer.py FILE... prints what confdump does."""

import json
import sys

from RNS.vendor.configobj import ConfigObj


def typed(read, key):
    read.__self__.main.interpolation = True  # an error of another read may have switched it off
    try:
        return read(key)
    except Exception:
        return None


def number(n):
    return None if n is None else max(-2**63, min(2**63 - 1, n))


def entry(section, key):
    fraction = typed(section.as_float, key)
    yes = typed(section.as_bool, key)
    return {"text": typed(section.__getitem__, key), "bool": yes,
            "int": number(typed(section.as_int, key)),
            "float": None if fraction is None else "%.17g" % fraction}


def tree(section):
    return {"sections": {n: tree(section[n]) for n in section.sections},
            "entries": {k: entry(section, k) for k in section.scalars}}


for path in sys.argv[1:]:
    try:
        print(json.dumps({"section": tree(ConfigObj(path))}))
    except Exception as e:
        print(json.dumps({"error": str(e)}))
