#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes the model in one place at a time and checks that a test fails.

Mutants come from comparisons, constants and statuses in src/model/*.c. A mutant that compiles to
the same object as the original changes nothing and is not counted. The object of each other one is
linked with the rest into a shared library, and the tests run against it, fastest first, until one
fails. Mutants that survive must be listed, with the reason, in mutation-survivors.txt; any other
survivor, and any listed mutant that does not survive, is a failure.
"""

import argparse
import concurrent.futures
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading

TESTS = ["queue", "bytes", "chosen", "vectors", "record", "checksum", "batch", "delta", "sizes",
         "dif", "random", "faults", "checks"]
SHARED = ["space", "reference", "ref-rules", "ref-ops", "trial", "scenario"]
# Ways to build the model: what one of them leaves out, another one compiles.
BUILDS = {"isal": ["-DSVA_MODEL_ISAL"], "tables": [],
          "plain": ["-DSVA_MODEL_ISAL", "-DMODEL_PLAIN_LOOPS=1"],
          "sse": ["-DSVA_MODEL_ISAL", "-DMODEL_AVX2=0"]}
BUILDS_OF = {"checksum.c": ["isal", "tables"], "bytes.c": ["isal", "sse", "plain"]}
# A long test that reaches one file only.
TEST_OF = {"checksum": "checksum.c"}
SWAPS = {
    "<": ["<="], "<=": ["<"], ">": [">="], ">=": [">"], "==": ["!="], "!=": ["=="],
    "&&": ["||"], "||": ["&&"],
    "true": ["false"], "false": ["true"],
    "SVA_MODEL_READ": ["SVA_MODEL_WRITE"], "SVA_MODEL_WRITE": ["SVA_MODEL_READ"],
}
TOKEN = re.compile(
    r"<<=?|>>=?|->|<=|>=|==|!=|&&|\|\||<|>|0x[0-9a-fA-F]+u?l*|\b\d+u?l*\b|\b[A-Za-z_]\w*\b")
FLAG = re.compile(r"(SVA_DESC|SVA_GENCAP|SVA_DIF)_[A-Z0-9_]+$|"
                  r"MODEL_(PRIV|PASID_RESERVED|DSTS|CRSTS|DUALCAST_STS2)$")


def blank_comments(text):
    """The same text, comments and strings overwritten with spaces."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", blank, text,
                  flags=re.S)


def replacements(token):
    if token in SWAPS:
        return SWAPS[token]
    if re.match(r"\d|0x", token):
        digits = re.match(r"0x[0-9a-fA-F]+|\d+", token).group(0)
        value, suffix = int(digits, 0), token[len(digits):]
        return [("0x%x" if digits.startswith("0x") else "%d") % (value + 1) + suffix]
    if token.startswith("SVA_STATUS_"):
        return ["SVA_STATUS_HW_ERROR"]
    if token.startswith("OPERAND_"):
        return ["OPERAND_UNKNOWN"]
    if FLAG.match(token):
        return ["0u"]
    return []


def mutants_of(path):
    """(line number, original line, mutated line), for each change of one token."""
    with open(path) as file:
        text = file.read()
    lines, code = text.split("\n"), blank_comments(text).split("\n")
    for number, (line, visible) in enumerate(zip(lines, code)):
        if re.match(r"\s*#\s*(?!define)", visible):
            continue
        start = re.match(r"\s*#\s*define\s+\w+(\([^)]*\))?", visible)
        for match in TOKEN.finditer(visible, start.end() if start else 0):
            for new in replacements(match.group(0)):
                yield number, line, line[:match.start()] + new + line[match.end():]


class Mutation:
    def __init__(self, args, work):
        self.args, self.work = args, work
        # A copy, as the tree may change meanwhile.
        for folder in ("include", "src/model", "tests/model"):
            subprocess.run(["cp", "-R", "--parents", folder, work], cwd=args.srcdir, check=True)
        subprocess.run(["chmod", "-R", "u+w", work], check=True)
        shutil.copy(os.path.join(args.srcdir, "tests/tap.h"), os.path.join(work, "tests"))
        self.src = os.path.join(work, "src/model")
        self.flags = ["-O1", "-w", "-fPIC", "-D_GNU_SOURCE", "-I" + os.path.join(work, "include"),
                      "-I" + os.path.join(work, "src"), "-I" + work]
        self.files = sorted(name for name in os.listdir(self.src) if name.endswith(".c"))
        self.names = [name for name in self.files
                      if any(part in name for part in args.only.split(","))]
        self.builds = sorted({"isal"} | {build for name in self.names
                                         for build in BUILDS_OF.get(name, ["isal"])})
        self.seconds, self.kills = {}, {}

    def compile(self, source, output, more):
        command = [*self.args.cc.split(), *self.flags, "-fno-builtin", *more, "-c", source,
                   "-o", output]
        return subprocess.run(command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def link(self, output, objects):
        subprocess.run([*self.args.cc.split(), "-shared", "-Wl,-soname,libmodel.so", "-o", output,
                        *objects, *self.args.libs.split()], check=True)

    def object(self, build, name):
        return os.path.join(self.work, build, name[:-2] + ".o")

    def prepare(self):
        """Objects of the original in each build, and the tests, linked to a library of them."""
        for build in self.builds:
            os.mkdir(os.path.join(self.work, build))
            for name in self.files:
                if not self.compile(os.path.join(self.src, name), self.object(build, name),
                                    BUILDS[build]):
                    sys.exit("FAIL: %s does not compile" % name)
            self.link(os.path.join(self.work, build, "libmodel.so"),
                      [self.object(build, name) for name in self.files])
        tests = os.path.join(self.work, "tests/model")
        shared = [os.path.join(tests, name + ".c") for name in SHARED]
        for test in TESTS:
            subprocess.run([*self.args.cc.split(), *self.flags,
                            os.path.join(tests, "test-%s.c" % test), *shared,
                            os.path.join(self.work, "isal/libmodel.so"),
                            "-o", os.path.join(self.work, test)], check=True)
        for test in TESTS:
            for build in self.builds:
                begin = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
                if not self.passes(test, os.path.join(self.work, build), 600):
                    sys.exit("FAIL: %s fails without a mutant (%s)" % (test, build))
                spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begin
                self.seconds[test] = max(self.seconds.get(test, 0), spent)

    def in_order(self, name):
        """The tests, those first that find most in this file for their time."""
        tests = [test for test in TESTS if TEST_OF.get(test, name) == name]
        return sorted(tests, key=lambda test:
                      self.seconds[test] / (1 + self.kills.get((name, test), 0)))

    def passes(self, test, folder, limit):
        """Within a limit of processor time, since a mutant may never end."""
        def bound():
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        env = dict(os.environ, LD_LIBRARY_PATH=folder, SVA_TEST_STOP="1")
        try:
            done = subprocess.run([os.path.join(self.work, test)], env=env, timeout=60 * limit,
                                  preexec_fn=bound, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def fate(self, name, number, mutated):
        """The test that killed the mutant, or one of the words below."""
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            with open(os.path.join(self.src, name)) as file:
                lines = file.read().split("\n")
            lines[number] = mutated
            source, output = os.path.join(folder, name), os.path.join(folder, "mutant.o")
            with open(source, "w") as file:
                file.write("\n".join(lines))
            fate = "same"
            for build in BUILDS_OF.get(name, ["isal"]):
                if not self.compile(source, output, BUILDS[build]):
                    return "invalid"
                original = self.object(build, name)
                with open(output, "rb") as a, open(original, "rb") as b:
                    if a.read() == b.read():
                        continue
                fate = "survived"
                others = [self.object(build, other) for other in self.files if other != name]
                self.link(os.path.join(folder, "libmodel.so"), [output, *others])
                for test in self.in_order(name):
                    if not self.passes(test, folder, int(4 * self.seconds[test]) + 3):
                        self.kills[name, test] = self.kills.get((name, test), 0) + 1
                        return test
            return fate


def read_survivors(path):
    """{(file, original, mutated): reason}"""
    known, name, changes = {}, None, []
    with open(path) as file:
        lines = [line.rstrip("\n") for line in file if line.strip() and line[0] != "#"]
    for line in lines:
        if line.startswith("file "):
            name, changes = line[5:].strip(), []
        elif line[0] == "-":
            original = line[1:].strip()
        elif line[0] == "+":
            changes.append((name, original, line[1:].strip()))
        elif line.startswith("why "):
            known.update({change: line[4:].strip() for change in changes})
            changes = []
        else:
            sys.exit("%s: what is this line? %s" % (path, line))
    return known


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srcdir", default=".")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--libs", default="-lisal")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="",
                        help="files whose names contain one of these, comma separated")
    args = parser.parse_args()
    args.srcdir = os.path.abspath(args.srcdir)
    path = os.path.join(args.srcdir, "tests/model/mutation-survivors.txt")
    known, counts, survivors, lock = read_survivors(path), {}, set(), threading.Lock()

    with tempfile.TemporaryDirectory() as work:
        mutation = Mutation(args, work)
        mutation.prepare()
        mutants = [(name, *mutant) for name in mutation.names
                   for mutant in mutants_of(os.path.join(mutation.src, name))]
        print("%d mutants of %d files" % (len(mutants), len(mutation.names)), flush=True)

        def judge(mutant):
            name, number, original, mutated = mutant
            fate = mutation.fate(name, number, mutated)
            key = (name, original.strip(), mutated.strip())
            with lock:
                counts[fate] = counts.get(fate, 0) + 1
                if sum(counts.values()) % 100 == 0:
                    print("# %d done" % sum(counts.values()), flush=True)
                if fate == "survived":
                    survivors.add(key)
                    if key not in known: # in the form of the list
                        print("file %s\n-%s\n+%s\nwhy (line %d)\n" % (*key, number + 1), flush=True)

        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            list(pool.map(judge, mutants))

    for fate in sorted(counts):
        print("%-10s %5d" % (fate, counts[fate]))
    new = survivors - set(known)
    stale = {key for key in known if key[0] in mutation.names} - survivors
    for key in sorted(stale):
        print("listed, but it no longer survives: %s: %s" % (key[0], key[2]))
    print("%s: %d survivors that are explained, %d that are not, %d stale entries" %
          ("FAIL" if new or stale else "PASS", len(survivors) - len(new), len(new), len(stale)))
    return 1 if new or stale else 0


if __name__ == "__main__":
    sys.exit(main())
