# SPDX-License-Identifier: ISC
"""Who may open what: every socket and file, tried as the users of design section 4 and as nobody.

The daemons are started by root and drop to their users. "three users" gives them postsms, postsms-milter and
postsms-pipe, which exist in a private mount namespace only; "one user" is what user = "mail" makes of it anywhere.
"""
import grp
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

import pytest

from harness import build, why_not
from harness.postsms import Postsms
from harness.site import DOMAIN, ROOT
from harness.wait import wait_until

pytestmark = pytest.mark.skipif(bool(why_not()), reason=str(why_not()))

# Numbers that no Debian host hands out.
USERS = {"postsms": 64101, "postsms-milter": 64102, "postsms-pipe": 64103}
GROUPS_OF = {"postsms": ["postsms-milter", "postsms-pipe"]}

# What a child does with its rights; exit status 0: it may.
ATTEMPTS = {
    "connect": "s = socket.socket(socket.AF_UNIX); s.connect(path)",
    "read": "open(path, 'rb').read(1)",
    "write": "open(path, 'r+b')",
    "list": "os.listdir(path)",
    "enter": "os.chdir(path)",
    "create": "open(os.path.join(path, '.probe'), 'x'); os.unlink(os.path.join(path, '.probe'))",
    "unlink": "os.access(os.path.dirname(path), os.W_OK | os.X_OK) or denied()",
}
PROBE = """
import os, socket, sys
def denied():
    raise PermissionError
try:
    path = sys.argv[1]
    {attempt}
except PermissionError:
    sys.exit(13)
"""


def may_unshare():
    return subprocess.run(["unshare", "-m", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0


class Three(Postsms):
    """Programs see passwd and group of their own."""

    def __init__(self, base, *args):
        super().__init__(base, *args)
        del self.settings["user"]
        self.change()
        own = os.path.join(base, "names")
        os.mkdir(own)
        with open("/etc/passwd", encoding="utf-8") as passwd, open("/etc/group", encoding="utf-8") as group:
            names = {"passwd": [line for line in passwd if line.split(":")[0] not in USERS],
                     "group": [line for line in group if line.split(":")[0] not in USERS]}
        for name, number in USERS.items():
            names["passwd"].append(f"{name}:x:{number}:{number}::/:/usr/sbin/nologin\n")
            members = ",".join(user for user, groups in GROUPS_OF.items() if name in groups)
            names["group"].append(f"{name}:x:{number}:{members}\n")
        for name, lines in names.items():
            with open(os.path.join(own, name), "w", encoding="utf-8") as file:
                file.writelines(lines)
        self.wrappers = os.path.join(base, "wrappers")
        os.mkdir(self.wrappers)
        for name in os.listdir(self.sbin):
            path = os.path.join(self.wrappers, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\nexec unshare -m sh -c 'mount --bind {own}/passwd /etc/passwd && "
                           f"mount --bind {own}/group /etc/group && exec \"$0\" \"$@\"' {self.sbin}/{name} \"$@\"\n")
            os.chmod(path, 0o755)
        for folder in (self.state_dir, os.path.dirname(self.sent_file)):
            os.chown(folder, USERS["postsms"], USERS["postsms"])
        os.rmdir(self.run_dir)  # the daemon makes it, and must get it right

    def _program(self, name):
        return os.path.join(self.wrappers, name)


class House:
    """Daemons that run, and who is who: {"daemon", "milter", "pipe", "smtpd", "nobody"}: (uid, gid, other groups)."""

    def __init__(self, three):
        self.base = tempfile.mkdtemp(prefix="postsms-modes-", dir="/tmp")
        os.chmod(self.base, 0o755)
        postfix = pwd.getpwnam("postfix")
        home, queue = os.path.join(self.base, "home"), os.path.join(self.base, "queue")
        os.mkdir(home)
        os.mkdir(queue)
        self.milter_dir = os.path.join(queue, "postsms")
        build_dir = os.environ.get("POSTSMS_BUILD") or os.path.join(ROOT, "build", "plain")
        arguments = (home, build_dir, os.path.join(self.milter_dir, "milter.sock"))
        if three:
            self.postsms = Three(*arguments)
            one = {name: (number, number) for name, number in USERS.items()}
            self.daemon, self.milter, self.pipe = one["postsms"], one["postsms-milter"], one["postsms-pipe"]
            groups = [USERS[name] for name in GROUPS_OF["postsms"]]
        else:
            self.postsms = Postsms(*arguments, "mail")
            mail = pwd.getpwnam("mail")
            self.daemon = self.milter = (mail.pw_uid, mail.pw_gid)
            # Without a group postsms-pipe, deliver.sock is for the daemon's own group.
            names = [group.gr_name for group in grp.getgrall()]
            self.pipe = (pwd.getpwnam("games").pw_uid,
                         grp.getgrnam("postsms-pipe").gr_gid if "postsms-pipe" in names else mail.pw_gid)
            groups = []
        nobody = pwd.getpwnam("nobody")
        self.who = {"daemon": (*self.daemon, groups), "milter": (*self.milter, []), "pipe": (*self.pipe, []),
                    "smtpd": (postfix.pw_uid, postfix.pw_gid, []), "nobody": (nobody.pw_uid, nobody.pw_gid, [])}
        self.postfix_gid = postfix.pw_gid
        os.umask(0o077)  # what the daemons inherit must not matter
        try:
            self.postsms.start()
        finally:
            os.umask(0o022)

    def close(self):
        try:
            self.postsms.stop()
        finally:
            shutil.rmtree(self.base)

    def path(self, name):
        return {"state": self.postsms.state_dir, "run": self.postsms.run_dir, "milter": self.milter_dir,
                "conf": self.postsms.conf, "rules": self.postsms.rules_file, "sent": self.postsms.sent_file,
                "deliver.sock": os.path.join(self.postsms.run_dir, "deliver.sock"),
                "ask.sock": os.path.join(self.postsms.run_dir, "ask.sock"),
                "milter.sock": os.path.join(self.milter_dir, "milter.sock"),
                }.get(name) or os.path.join(self.postsms.state_dir, name)

    def child(self, who, *args, **more):
        uid, gid, groups = self.who[who]
        return subprocess.run(args, user=uid, group=gid, extra_groups=groups, cwd="/", check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **more)

    def may(self, who, attempt, name):
        done = self.child(who, sys.executable, "-c", PROBE.format(attempt=ATTEMPTS[attempt]), self.path(name))
        assert done.returncode in (0, 13), done.stderr
        return done.returncode == 0

    def deliver(self, who, number):
        """postsms-pipe as that user: exit status and output."""
        recipient = f"{number}@{DOMAIN}"
        done = self.child(who, os.path.join(self.postsms.libdir, "postsms-pipe"), "-s", self.path("deliver.sock"),
                          "--deadline=60", f"--queue-id=4Q{number[-6:]}zABCD", "--sender=anna@allowed.example",
                          f"--recipient={recipient}", f"--original={recipient}", "--login=", "--client=127.0.0.1",
                          input=build("hello"))
        return done.returncode, done.stdout.decode()


@pytest.fixture(scope="module", params=["three users", "one user"])
def house(request):
    three = request.param == "three users"
    if three and not may_unshare():
        pytest.skip("no private mount namespace here")
    place = House(three)
    # The ledger's -wal and the file gateway's file exist once something was sent.
    status, output = place.deliver("pipe", "+41791110000")
    try:
        assert status == 0, output
        yield place
    finally:
        place.close()


def owner_and_mode(path):
    info = os.stat(path)
    return info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)


def test_folders_and_sockets(house):
    """Owner, group and mode of what the daemons made, whatever umask they were started with."""
    daemon, milter = house.daemon, house.milter
    assert owner_and_mode(house.path("state")) == (*daemon, 0o750)
    assert owner_and_mode(house.path("run")) == (*daemon, 0o755)
    assert owner_and_mode(house.path("milter")) == (milter[0], house.postfix_gid, 0o2750)
    assert owner_and_mode(house.path("deliver.sock")) == (daemon[0], house.pipe[1], 0o660)
    uid, gid, mode = owner_and_mode(house.path("milter.sock"))
    assert (uid, gid) == (milter[0], house.postfix_gid) and mode & 0o667 == 0o660
    for folder, user in ((house.path("run"), daemon), (house.path("milter"), milter)):
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if name.endswith(".lock"):
                assert owner_and_mode(path)[::2] == (user[0], 0o600), path
            else:
                assert stat.S_ISSOCK(os.stat(path).st_mode), path
    # Sockets that a daemon may have besides: nobody adds one without saying here who may use it.
    known = {"deliver.sock": None, "control.sock": (daemon[0], 0o600), "ask.sock": (daemon[0], 0o660)}
    for name in os.listdir(house.path("run")):
        if not name.endswith(".lock"):
            uid, _, mode = owner_and_mode(os.path.join(house.path("run"), name))
            assert known[name] in (None, (uid, mode)), name


def test_ask_socket_is_for_the_milter(house):
    assert os.stat(house.path("ask.sock")).st_gid == house.milter[1]


def test_nothing_for_others(house):
    """The ledger's files and what stands in them: for postsms alone to write, for nobody else to read."""
    names = os.listdir(house.path("state"))
    assert {"spool.db", "spool.db-wal"} <= set(names)
    for name in names:
        uid, _, mode = owner_and_mode(house.path(name))
        assert uid == house.daemon[0] and mode & 0o137 == 0, (name, oct(mode))
    uid, _, mode = owner_and_mode(house.path("sent"))
    assert uid == house.daemon[0] and mode & 0o137 == 0, oct(mode)


@pytest.mark.parametrize("who,can", [
    ("nobody", {("list", "run"), ("read", "conf"), ("read", "rules")}),
    ("pipe", {("list", "run"), ("read", "conf"), ("read", "rules"), ("connect", "deliver.sock")}),
    ("milter", {("list", "run"), ("read", "conf"), ("read", "rules"), ("list", "milter"), ("enter", "milter"),
                ("create", "milter"), ("unlink", "milter.sock"), ("connect", "milter.sock"), ("connect", "ask.sock")}),
    ("smtpd", {("list", "run"), ("read", "conf"), ("read", "rules"), ("list", "milter"), ("enter", "milter"),
               ("connect", "milter.sock")}),
    ("daemon", {("list", "run"), ("create", "run"), ("unlink", "deliver.sock"), ("read", "conf"), ("read", "rules"),
                ("connect", "deliver.sock"), ("connect", "ask.sock"), ("list", "state"), ("enter", "state"),
                ("create", "state"), ("read", "spool.db"), ("write", "spool.db"), ("read", "spool.db-wal"),
                ("write", "spool.db-wal"),
                ("read", "spool.db-shm"), ("write", "spool.db-shm"), ("unlink", "spool.db"),
                ("read", "sent"), ("write", "sent")}),
])
def test_who_may_what(house, who, can):
    everything = {(attempt, name) for attempt, names in {
        "connect": ("deliver.sock", "ask.sock", "milter.sock"),
        "read": ("conf", "rules", "sent", "spool.db", "spool.db-wal", "spool.db-shm"),
        "write": ("conf", "rules", "sent", "spool.db", "spool.db-wal", "spool.db-shm"),
        "list": ("run", "state", "milter"), "enter": ("state", "milter"), "create": ("run", "state", "milter"),
        "unlink": ("deliver.sock", "milter.sock", "spool.db", "conf"),
    }.items() for name in names}
    if house.daemon == house.milter and who in ("daemon", "milter"):
        pytest.skip("one user is both")
    if house.daemon[1] == house.pipe[1] and who == "pipe":
        # The daemon's group: read, but not the ledger's files.
        can = can | {("list", "state"), ("enter", "state"), ("connect", "ask.sock")}
        everything -= {("read", "spool.db"), ("read", "spool.db-wal"), ("read", "spool.db-shm"), ("read", "sent")}
    found = {(attempt, name) for attempt, name in everything if house.may(who, attempt, name)}
    assert found == can & everything


def test_delivery_is_for_the_pipe_user(house):
    """Not being let in is no reason to bounce a mail."""
    status, output = house.deliver("pipe", "+41791110001")
    assert status == 0 and len(house.postsms.wait_sent("+41791110001")) == 1, output
    for who in ("nobody", "smtpd"):
        status, output = house.deliver(who, "+41791110002")
        assert status == 75 and re.match(r"4\.\d\.\d \S", output), (status, output)
    assert house.postsms.sent("+41791110002") == []


def test_peer_is_looked_at(house):
    """A stranger who got past the file's mode is not listened to."""
    path = house.path("deliver.sock")
    before = os.stat(path)
    os.chmod(path, 0o666)
    try:
        status, output = house.deliver("nobody", "+41791110003")
    finally:
        os.chmod(path, stat.S_IMODE(before.st_mode))
    assert status == 75 and house.postsms.sent("+41791110003") == [], (status, output)


def test_peer_at_ask_is_looked_at(house):
    """The same at ask.sock: the milter is greeted, a stranger is not, nor the pipe's user where it has its own."""
    path = house.path("ask.sock")
    before = os.stat(path)
    greeted = []
    os.chmod(path, 0o666)
    try:
        for who in ("milter", "pipe", "nobody", "smtpd"):
            done = house.child(who, sys.executable, "-c", "import socket, sys; s = socket.socket(socket.AF_UNIX); "
                               "s.connect(sys.argv[1]); sys.stdout.buffer.write(s.recv(99))", path)
            if b"hello=" in done.stdout:
                greeted.append(who)
    finally:
        os.chmod(path, stat.S_IMODE(before.st_mode))
    assert greeted == (["milter"] if house.milter[1] != house.pipe[1] else ["milter", "pipe"])


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def test_root_is_gone(house):
    """All four ids and every capability, the groups of the user and no others, umask 027; readers likewise."""
    for name, who in (("postsmsd", "daemon"), ("postsms-milter", "milter")):
        pid = house.postsms.pid(name)
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        assert bool(children) == (name == "postsmsd")
        uid, gid, groups = house.who[who]
        for process in (pid, *children):
            status = status_of(process)
            assert status["Uid"].split() == [str(uid)] * 4
            assert status["Gid"].split() == [str(gid)] * 4
            assert set(map(int, status["Groups"].split())) <= {gid, *groups}
            for capabilities in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                assert int(status[capabilities], 16) == 0, (name, capabilities)
            if process == pid:
                assert status["Umask"] == "0027"


def test_restart_as_the_user(house):
    """What an init that drops privileges itself does: the daemon finds its folders and leaves the same modes."""
    if not isinstance(house.postsms, Three):
        pytest.skip("of interest with groups of their own")
    postsms = house.postsms
    postsms.stop_daemon("postsmsd")
    uid, gid, groups = house.who["daemon"]
    wrapper = os.path.join(postsms.wrappers, "postsmsd")
    with open(wrapper, encoding="utf-8") as file:
        as_root = file.read()
    drop = f"exec setpriv --reuid={uid} --regid={gid} --groups={','.join(map(str, groups))}"
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(as_root.replace('exec "$0"', drop + ' "$0"'))
    try:
        postsms.start_daemon("postsmsd")
        assert owner_and_mode(house.path("deliver.sock")) == (uid, house.pipe[1], 0o660)
        status, output = house.deliver("pipe", "+41791110004")
        assert status == 0, output
        assert not house.may("nobody", "connect", "deliver.sock")
        postsms.stop_daemon("postsmsd")
    finally:
        with open(wrapper, "w", encoding="utf-8") as file:
            file.write(as_root)
    postsms.start_daemon("postsmsd")


def test_second_instance_is_refused(house):
    """The socket of a running daemon is never taken, not even by root."""
    before = os.stat(house.path("deliver.sock")).st_ino
    done = subprocess.run([house.postsms._program("postsmsd"), "-c", house.postsms.conf, "-e"], check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "another instance is running" in done.stderr
    assert os.stat(house.path("deliver.sock")).st_ino == before
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(house.path("deliver.sock"))
    wait_until(lambda: house.postsms.processes["postsmsd"].poll() is None, 5)
