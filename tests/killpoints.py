# SPDX-License-Identifier: ISC
"""make killpoints: runs every case of tests/killpoints.tsv and prints row, cases and verdict.

The table: row (of the list of places where a program may die), kind and what. point: "POINT:COUNT MAIL [KEY=VALUE…]",
for test_killpoints.py. test: another test. unit: a suite of the unit tests. later: what has to exist first.
usage: killpoints.py BUILD
"""
import collections
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
ROWS = range(1, 31)
POINTS = "tests/system/test_killpoints.py"


def table():
    with open(os.path.join(ROOT, "tests", "killpoints.tsv"), encoding="utf-8") as file:
        _, *lines = file.read().rstrip("\n").split("\n")
    found = collections.defaultdict(list)
    for line in lines:
        row, kind, what = line.split("\t")
        found[int(row)].append((kind, what))
    return found


def node(row, kind, what):
    return f"{POINTS}::test_point[{row} {what}]" if kind == "point" else what


def run_tests(build, nodes):
    """{node without parameters or with them: ["passed" | "failed" | "skipped", …]}"""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", report.name,
                        *nodes], cwd=ROOT, env={**os.environ, "POSTSMS_BUILD": build}, check=False)
        cases = xml.etree.ElementTree.parse(report.name).iter("testcase")
    found = collections.defaultdict(list)
    for case in cases:
        tags = {child.tag for child in case}
        result = "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"
        name = case.get("classname").replace(".", "/") + ".py::" + case.get("name")
        found[name].append(result)
        if "[" in name:
            found[name.partition("[")[0]].append(result)
    return found


def run_unit(build, suite):
    done = subprocess.run([os.path.join(build, "tests", "check_all")], cwd=ROOT, check=False,
                          env={**os.environ, "CK_RUN_SUITE": suite})
    return ["failed" if done.returncode else "passed"]


def verdict(results):
    """Every row has cases that ran and passed, or a reason."""
    if not results:
        return "NO TEST"
    if "failed" in results:
        return "FAILED"
    return "ok" if set(results) == {"passed"} else "NOT RUN"


def main():
    build = os.path.abspath(sys.argv[1])
    rows = table()
    nodes = {node(row, kind, what) for row, cases in rows.items() for kind, what in cases if kind in ("point", "test")}
    results = run_tests(build, sorted(nodes))
    for suite in {what for cases in rows.values() for kind, what in cases if kind == "unit"}:
        results[suite] = run_unit(build, suite)
    bad = sorted(set(rows) - set(ROWS))
    print("row  cases  verdict")
    for row in sorted(set(ROWS) | set(rows)):
        later = [what for kind, what in rows[row] if kind == "later"]
        mine = [result for kind, what in rows[row] if kind != "later"
                for result in results.get(node(row, kind, what)) or ["missing"]]
        said = f"later: {'; '.join(later)}" if later and not mine else verdict(mine)
        if said != "ok" and not said.startswith("later: "):
            bad.append(row)
        print(f"{row:3}  {len(mine):5}  {said}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
