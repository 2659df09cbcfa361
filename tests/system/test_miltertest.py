# SPDX-License-Identifier: ISC
"""postsms-milter and postsmsd without Postfix: tests/milter/*.lua, run by miltertest.

In each script the lines that begin with "--! " are its rules, those with "--= " settings of the milter section."""
import glob
import os
import shutil
import subprocess
import tempfile

import pytest
from harness import Postsms
from harness.wait import PATIENCE

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "milter")
NAMES = sorted(os.path.basename(path).removesuffix(".lua") for path in glob.glob(os.path.join(SCRIPTS, "*.lua"))
               if os.path.basename(path) not in ("common.lua", "run.lua"))

pytestmark = [pytest.mark.skipif(not shutil.which("miltertest"), reason="needs miltertest"),
              pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the programs run as another user")]


@pytest.fixture(scope="module")
def postsms():
    """Both daemons; the ledger, the readers and a socket in a folder of their own."""
    base = tempfile.mkdtemp(prefix="postsms-", dir="/tmp")
    os.chmod(base, 0o755)
    os.mkdir(os.path.join(base, "milter"))
    os.chmod(os.path.join(base, "milter"), 0o777)
    place = Postsms(base, os.path.abspath(os.environ.get("POSTSMS_BUILD", "build/plain")),
                    os.path.join(base, "milter", "milter.sock"))
    try:
        place.start()
        yield place
    finally:
        place.stop()
        shutil.rmtree(base)


def lines(path, mark):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").removeprefix(mark) for line in file if line.startswith(mark)]


@pytest.mark.parametrize("name", NAMES)
def test_script(postsms, name):
    """A milter of its own: generation 1, and no rule of another script."""
    path = os.path.join(SCRIPTS, name + ".lua")
    postsms.settings["milter"] = {key: postsms.settings["milter"][key] for key in ("socket", "rules")}
    postsms.change(rules="".join(line + "\n" for line in lines(path, "--! ")),
                   milter=dict(line.split("=") for line in lines(path, "--= ")))
    postsms.stop_daemon("postsms-milter")
    postsms.start_milter()
    done = subprocess.run(["miltertest", "-D", "socket=" + postsms.settings["milter"]["socket"],
                           "-D", "common=" + os.path.join(SCRIPTS, "common.lua"), "-D", "script=" + path,
                           "-s", os.path.join(SCRIPTS, "run.lua")],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=60 * PATIENCE)
    assert done.returncode == 0, done.stdout
