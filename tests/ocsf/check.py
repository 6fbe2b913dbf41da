#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks events against the OCSF schema: schema-1.3.0.json (see compact.py).

    check.py [FILE]     one object a line; says what is wrong, exit status 1

As the schema's own server does: attributes that the class or object does not
have, required ones that are missing, types, enumerations, profiles that an
attribute needs, and constraints between attributes.
"""
import json
import pathlib
import re
import sys

SCHEMA = json.loads(
    (pathlib.Path(__file__).parent / "schema-1.3.0.json").read_text())
BY_UID = {c["uid"]: c for c in SCHEMA["classes"].values()}
PROFILES = {a["profile"] for part in ("classes", "objects")
            for c in SCHEMA[part].values()
            for a in c["attributes"].values() if "profile" in a}
INT = {"integer_t": 2 ** 31, "long_t": 2 ** 63}


def scalar(name, value):
    """What is wrong with a value of the type of this name; None: nothing."""
    t = SCHEMA["types"].get(name)
    if t is None:
        return "has the type %s, which is not known here" % name
    base = t.get("type", name)
    if base == "boolean_t":
        return None if isinstance(value, bool) else "is no boolean"
    if base in INT:
        if isinstance(value, bool) or not isinstance(value, int) or \
                not -INT[base] <= value < INT[base]:
            return "is no %s" % name
        low, high = t.get("range", (value, value))
        return None if low <= value <= high else "is out of its range"
    if base == "float_t":
        return None if isinstance(value, (int, float)) else "is no number"
    if base == "json_t":
        return None
    if not isinstance(value, str):
        return "is no text"
    if len(value) > t.get("max_len", 65535):
        return "is too long"
    if "regex" in t and not re.search(t["regex"], value):
        return "is no %s" % name
    return None


def attribute(where, a, value, profiles, wrong):
    if a.get("array"):
        if not isinstance(value, list):
            wrong.append("%s is no list" % where)
            return
        for i, v in enumerate(value):
            attribute("%s[%d]" % (where, i),
                      {k: w for k, w in a.items() if k != "array"}, v,
                      profiles, wrong)
        return
    if a.get("object"):
        if a["type"] == "object":
            if not isinstance(value, dict):
                wrong.append("%s is no object" % where)
        elif a["type"] not in SCHEMA["objects"]:
            wrong.append("%s: the object %s is not in this copy of the "
                         "schema" % (where, a["type"]))
        else:
            members(where + ".", SCHEMA["objects"][a["type"]], value,
                    profiles, wrong)
        return
    why = scalar(a["type"], value)
    if why is None and "enum" in a and str(value) not in a["enum"]:
        why = "is %s, which is none of %s" % (value, ", ".join(a["enum"]))
    if why is not None:
        wrong.append("%s %s" % (where, why))


def members(where, c, value, profiles, wrong):
    if not isinstance(value, dict):
        wrong.append("%s is no object" % where)
        return
    known = {k: a for k, a in c["attributes"].items()
             if "profile" not in a or a["profile"] in profiles}
    for k, v in value.items():
        if k in known:
            attribute(where + k, known[k], v, profiles, wrong)
            if "deprecated" in known[k]:
                wrong.append("%s%s is deprecated" % (where, k))
        elif k in c["attributes"]:
            wrong.append("%s%s needs the profile %s in metadata.profiles" %
                         (where, k, c["attributes"][k]["profile"]))
        else:
            wrong.append("%s%s is no attribute here" % (where, k))
    for k, a in known.items():
        if a.get("required") and k not in value:
            wrong.append("%s%s is missing" % (where, k))
    for word, good in (("at_least_one", lambda n: n >= 1),
                       ("just_one", lambda n: n == 1)):
        names = c.get(word)
        if names and not good(sum(k in value for k in names)):
            wrong.append("%s%s: %s" % (where, word, ", ".join(names)))


def check(e):
    """A list of what is wrong with an event."""
    wrong = []
    if not isinstance(e, dict):
        return ["is no object"]
    c = BY_UID.get(e.get("class_uid"))
    if c is None:
        return ["class_uid %s is not in this copy of the schema" %
                e.get("class_uid")]
    m = e.get("metadata")
    profiles = m.get("profiles", []) if isinstance(m, dict) else []
    for p in profiles:
        if p not in c["profiles"] and p not in PROFILES:
            wrong.append("profile %s is not known" % p)
    members("", c, e, profiles, wrong)
    if e.get("category_uid") != c["category_uid"]:
        wrong.append("category_uid is not that of the class")
    if isinstance(e.get("activity_id"), int) and \
            e.get("type_uid") != c["uid"] * 100 + e["activity_id"]:
        wrong.append("type_uid does not follow from class and activity")
    if e.get("activity_id") == 99 and not e.get("activity_name"):
        wrong.append("activity 99 without its activity_name")
    if isinstance(m, dict) and m.get("version") != SCHEMA["version"]:
        wrong.append("metadata.version is not %s" % SCHEMA["version"])
    return wrong


def main():
    bad = n = 0
    with open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin as f:
        for line in f:
            n += 1
            for w in check(json.loads(line)):
                print("%d: %s: %s" % (n, w, line.strip()[:400]))
                bad += 1
    print("%d events, %d mistakes" % (n, bad))
    return 1 if bad or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
