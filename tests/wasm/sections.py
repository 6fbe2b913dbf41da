# SPDX-License-Identifier: BSD-2-Clause
"""A module of WebAssembly taken apart into its sections and put together: as
much as it takes to give one a _start that calls its exports."""

FUNC, TABLE, MEMORY, GLOBAL = range(4)
TYPES, IMPORTS, FUNCTIONS, TABLES, MEMORIES, GLOBALS, EXPORTS = range(1, 8)
CODE, TAGS = 10, 13
ORDER = (1, 2, 3, 4, 5, TAGS, 6, 7, 8, 9, 12, 10, 11)
# what the suite's own module holds, by type
GIVEN = {0x7f: b"\x41\x9a\x05", 0x7e: b"\x42\x9a\x05",
         0x7d: b"\x43\x66\xa6\x26\x44",
         0x7c: b"\x44\xcd\xcc\xcc\xcc\xcc\xd4\x84\x40"}


class Odd(Exception):
    """More than is taken apart here."""


def unsigned(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def signed(n):
    out = bytearray()
    while not -64 <= n < 64:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n & 127])


def number(p, at):
    n = shift = 0
    while True:
        n |= (p[at] & 127) << shift
        shift += 7
        at += 1
        if not p[at - 1] & 128:
            return n, at


def bounds(p, at):
    """Behind the limits of a table or memory."""
    flags = p[at]
    _, at = number(p, at + 1)
    return number(p, at)[1] if flags & 1 else at


class Module:
    def __init__(self, data):
        if data[:8] != b"\0asm\1\0\0\0":
            raise Odd("its head")
        self.sections, at = {}, 8
        while at < len(data):
            kind = data[at]
            n, at = number(data, at + 1)
            if kind != 0:
                self.sections[kind] = data[at:at + n]
            at += n

    def bytes(self):
        return b"\0asm\1\0\0\0" + b"".join(
            bytes([k]) + unsigned(len(self.sections[k])) + self.sections[k]
            for k in ORDER if k in self.sections)

    def items(self, kind):
        """How many, and their bytes."""
        body = self.sections.get(kind, b"\0")
        n, at = number(body, 0)
        return n, body[at:]

    def add(self, kind, *more, first=False):
        """The place of the first of them."""
        n, rest = self.items(kind)
        new = b"".join(more)
        if more:
            self.sections[kind] = unsigned(n + len(more)) + (
                new + rest if first else rest + new)
        return n

    def imports(self):
        """(module, name, kind, type as bytes)"""
        n, p = self.items(IMPORTS)
        at = 0
        for _ in range(n):
            words = []
            for _ in range(2):
                k, at = number(p, at)
                words.append(p[at:at + k])
                at += k
            kind, begin = p[at], at + 1
            if kind > GLOBAL or kind in (TABLE, GLOBAL) and p[begin] in (
                    0x63, 0x64):
                raise Odd("a type of an import")
            if kind == FUNC:
                at = number(p, begin)[1]
            elif kind == GLOBAL:
                at = begin + 2
            else:
                at = bounds(p, begin + (kind == TABLE))
            yield (*words, kind, p[begin:at])

    def exports(self):
        n, p = self.items(EXPORTS)
        at = 0
        for _ in range(n):
            k, at = number(p, at)
            name, kind = p[at:at + k], p[at + k]
            index, at = number(p, at + k + 1)
            yield name, kind, index

    def given(self):
        """What is imported of the suite's own module is defined instead, at
        the same places."""
        new = {kind: [] for kind in range(4)}
        for module, name, kind, what in self.imports():
            if module != b"spectest":
                raise Odd("imports of another")
            new[kind].append(
                what if kind == FUNC else what[:1] + b"\1\x0a\x14" if
                kind == TABLE else b"\1\1\2" if kind == MEMORY else
                what + GIVEN[what[0]] + b"\x0b")
        self.sections.pop(IMPORTS, None)
        self.add(CODE, *[b"\2\0\x0b"] * len(new[FUNC]), first=True)
        for kind, section in ((FUNC, FUNCTIONS), (TABLE, TABLES),
                              (MEMORY, MEMORIES), (GLOBAL, GLOBALS)):
            self.add(section, *new[kind], first=True)

    def results(self, name):
        """How many a function of that name gives."""
        n, p = self.items(TYPES)
        at, counts = 0, []
        for _ in range(n):
            if p[at] != 0x60:
                raise Odd("a type")
            at += 1
            for part in range(2):
                k, at = number(p, at)
                if any(t in (0x63, 0x64) for t in p[at:at + k]):
                    raise Odd("a type of a reference")
                at += k
            counts.append(k)
        types = [number(what, 0)[0] for _, _, kind, what in self.imports()
                 if kind == FUNC]
        n, p = self.items(FUNCTIONS)
        at = 0
        for _ in range(n):
            t, at = number(p, at)
            types.append(t)
        return counts[types[self.function(name)]]

    def function(self, name):
        for n, kind, index in self.exports():
            if (n, kind) == (name, FUNC):
                return index
        raise Odd("no such export")

    def start(self, calls):
        """A _start that makes these calls: (name, constants, results)."""
        body = b"\0" + b"".join(
            constants + b"\x10" + unsigned(self.function(name)) +
            b"\x1a" * results for name, constants, results in calls) + b"\x0b"
        index = sum(kind == FUNC for _, _, kind, _ in self.imports()) + \
            self.add(FUNCTIONS, unsigned(self.add(TYPES, b"\x60\0\0")))
        self.add(CODE, unsigned(len(body)) + body)
        exports = [e for e in self.exports() if e[0] != b"_start"]
        exports.append((b"_start", FUNC, index))
        self.sections[EXPORTS] = unsigned(len(exports)) + b"".join(
            unsigned(len(name)) + name + bytes([kind]) + unsigned(i)
            for name, kind, i in exports)
