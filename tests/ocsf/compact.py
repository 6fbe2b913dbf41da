#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The part of the OCSF schema that the trail's events touch, as one file.

    compact.py CHECKOUT >schema-1.3.0.json

CHECKOUT is a checkout of github.com/ocsf/ocsf-schema at the version wanted.
Classes and objects are flattened: what they extend, what they include, and
what the dictionary says of each attribute, without its descriptions.
"""
import json
import pathlib
import sys

CLASSES = ("base_event", "process_activity", "detection_finding",
           "authentication", "network_activity", "application_lifecycle",
           "api_activity", "file_activity")
OBJECTS = ("metadata", "product", "device", "actor", "user", "process",
           "container", "api", "service", "network_endpoint", "finding_info",
           "evidences", "file")


def merge(into, more):
    for k, v in more.items():
        if isinstance(v, dict) and isinstance(into.get(k), dict):
            merge(into[k], v)
        else:
            into[k] = json.loads(json.dumps(v))
    return into


class Schema:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.dictionary = self.load("dictionary.json")
        self.version = self.load("version.json")["version"]
        self.categories = {
            k: v["uid"] for k, v in
            self.load("categories.json")["attributes"].items()}
        self.by_name = {"event": {}, "object": {}}
        for what, folder in (("event", "events"), ("object", "objects")):
            for f in sorted((self.root / folder).rglob("*.json")):
                d = json.loads(f.read_text())
                self.by_name[what][d.get("name", d.get("extends"))] = d

    def load(self, name):
        return json.loads((self.root / name).read_text())

    def included(self, d):
        """Attributes with those of $include beneath them."""
        attributes = dict(d.get("attributes", {}))
        names = attributes.pop("$include", [])
        out = {}
        for name in [names] if isinstance(names, str) else names:
            inc = self.load(name)
            part = self.included(inc)
            for v in part.values():
                merge(v, {k: w for k, w in inc.get("annotations", {}).items()
                          if k not in v})
                if inc.get("meta") == "profile":
                    v["profile"] = inc["name"]
            merge(out, part)
        return merge(out, attributes)

    def flat(self, what, name):
        d = self.by_name[what][name]
        parent = d.get("extends")
        out = self.flat(what, parent) if parent and parent != name else {}
        merge(out, {k: v for k, v in d.items()
                    if k not in ("attributes", "profiles", "constraints")})
        out["profiles"] = sorted(set(out.get("profiles", [])) |
                                 set(d.get("profiles", [])))
        if "constraints" in d:
            out["constraints"] = d["constraints"]
        merge(out.setdefault("attributes", {}), self.included(d))
        return out

    def attribute(self, name, own):
        a = merge(json.loads(json.dumps(
            self.dictionary["attributes"].get(name, {}))), own)
        out = {"type": a["type"]}
        if a["type"] not in self.dictionary["types"]["attributes"]:
            out["object"] = True
        if a.get("is_array"):
            out["array"] = True
        if a.get("requirement") == "required":
            out["required"] = True
        if a.get("profile"):
            out["profile"] = a["profile"]
        if a.get("@deprecated"):
            out["deprecated"] = a["@deprecated"]["since"]
        if "enum" in a and name not in ("class_uid", "category_uid",
                                        "type_uid"):
            out["enum"] = sorted(a["enum"], key=lambda k: (len(k), k))
        return out

    def one(self, what, name):
        d = self.flat(what, name)
        out = {"attributes": {k: self.attribute(k, v) for k, v in
                              sorted(d["attributes"].items())}}
        for k in ("at_least_one", "just_one"):
            if k in d.get("constraints", {}):
                out[k] = d["constraints"][k]
        if what == "event":
            category = self.categories.get(d["category"], 0)
            out["category_uid"] = category
            out["uid"] = category * 1000 + d.get("uid", 0)
            out["profiles"] = d["profiles"]
        return out

    def types(self):
        out = {}
        for k, v in sorted(self.dictionary["types"]["attributes"].items()):
            out[k] = {w: v[w] for w in ("type", "regex", "range", "max_len",
                                        "values") if w in v}
        return out


def main():
    s = Schema(sys.argv[1])
    out = {
        "source": "github.com/ocsf/ocsf-schema, made by compact.py",
        "licence": "Apache-2.0, The Open Cybersecurity Schema Framework",
        "version": s.version,
        "types": s.types(),
        "classes": {n: s.one("event", n) for n in CLASSES},
        "objects": {n: s.one("object", n) for n in OBJECTS},
    }
    lines = ["{"]
    for k in ("source", "licence", "version"):
        lines.append(' "%s": %s,' % (k, json.dumps(out[k])))
    for k in ("types", "classes", "objects"):
        lines.append(' "%s": {' % k)
        items = list(out[k].items())
        for i, (n, v) in enumerate(items):
            head = '  "%s": ' % n
            if "attributes" not in v:
                lines.append(head + json.dumps(v) + ("," if i + 1 <
                                                     len(items) else ""))
                continue
            rest = {w: x for w, x in v.items() if w != "attributes"}
            lines.append(head + json.dumps(rest)[:-1] +
                         (", " if rest else "") + '"attributes": {')
            attrs = list(v["attributes"].items())
            for j, (a, x) in enumerate(attrs):
                lines.append('   "%s": %s%s' % (a, json.dumps(x), "," if
                             j + 1 < len(attrs) else "}}" +
                             ("," if i + 1 < len(items) else "")))
        lines.append(" }" + ("," if k != "objects" else ""))
    lines.append("}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
