# SPDX-License-Identifier: ISC
"""contrib/postfix/setup: into somebody else's Postfix and out again, to the byte."""
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import threading

import pytest

from harness import build, wait_until
from harness.postfix import free_port
from harness.site import DOMAIN, ROOT

SETUP = os.path.join(ROOT, "contrib", "postfix", "setup")
STOCK = "/usr/share/postfix"
MILTER = "unix:postsms/milter.sock"

pytestmark = pytest.mark.skipif(not (shutil.which("postconf") and os.path.exists(f"{STOCK}/main.cf.debian")),
                                reason="needs Debian's Postfix")

BUSY_MAIN = """
# what this host does besides
myhostname = mx.example.test
mydestination = $myhostname, localhost,
    local.example.test
transport_maps = hash:$config_directory/transport,
# the second one is for the branch office
    texthash:$config_directory/branches
relay_domains = $mydestination, branch.example.test
relay_recipient_maps = texthash:$config_directory/branches
smtpd_milters = inet:127.0.0.1:8891
non_smtpd_milters =   inet:127.0.0.1:8891   inet:127.0.0.1:8893
"""
BUSY_MASTER = """\
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
# no milter but the signer
  -o smtpd_milters=inet:127.0.0.1:8891
submissions inet n - y - - smtpd -o { smtpd_milters = { inet:127.0.0.1:8891, connect_timeout=5s } inet:127.0.0.1:8893 }
127.0.0.1:10026 inet n  -       y       -       -       smtpd
  -o smtpd_milters=
"""


class Config:
    """A private configuration directory. run() is setup on it."""

    def __init__(self, folder):
        self.dir = str(folder)
        shutil.copy(f"{STOCK}/main.cf.debian", f"{self.dir}/main.cf")
        shutil.copy(f"{STOCK}/master.cf.dist", f"{self.dir}/master.cf")
        self.write("main.cf", self.read("main.cf") + f"queue_directory = {self.dir}/no-queue\n")

    def read(self, name):
        with open(f"{self.dir}/{name}", encoding="utf-8") as file:
            return file.read()

    def write(self, name, text):
        """As an admin did it, an hour ago: Postfix's programs wait before they read a file that is new."""
        with open(f"{self.dir}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        self.age(name)

    def append(self, name, text):
        self.write(name, self.read(name) + text)

    def age(self, *names):
        for name in names or os.listdir(self.dir):
            if os.path.isfile(f"{self.dir}/{name}"):
                before = os.stat(f"{self.dir}/{name}").st_mtime - 3600
                os.utime(f"{self.dir}/{name}", (before, before))

    def postconf(self, *args):
        return subprocess.run(["postconf", "-c", self.dir, *args], check=True, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL).stdout.strip()

    def value(self, name):
        return self.postconf("-h", name)

    def files(self):
        """{path: (octets, mode, owner)} of everything."""
        found = {}
        for folder, _, names in os.walk(self.dir):
            for name in names:
                path = os.path.join(folder, name)
                info = os.stat(path)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.dir)] = (file.read(), info.st_mode, info.st_uid, info.st_gid)
        return found

    def state(self):
        return self.files(), self.postconf("-n"), self.postconf("-M"), self.postconf("-P")

    def run(self, *args, check=True, script=SETUP, **more):
        done = subprocess.run([script, "-c", self.dir, *args], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, **more)
        if check:
            assert done.returncode == 0, (done.stdout, done.stderr)
        self.age(*(name for name in ("main.cf", "master.cf") if name in os.listdir(self.dir)))
        return done


@pytest.fixture
def stock(tmp_path):
    return Config(tmp_path)


@pytest.fixture
def busy(tmp_path):
    config = Config(tmp_path)
    config.append("main.cf", BUSY_MAIN)
    config.append("master.cf", BUSY_MASTER)
    config.write("transport", "partner.example smtp:[192.0.2.1]\n"
                              "example.test smtp:[192.0.2.2]\n.example.test smtp:[192.0.2.2]\n")
    config.write("branches", "branch.example.test smtp:[192.0.2.3]\n@branch.example.test OK\n")
    subprocess.run(["postmap", "-c", config.dir, f"hash:{config.dir}/transport"], check=True)
    os.chmod(f"{config.dir}/master.cf", 0o640)
    return config


@pytest.fixture(params=["stock", "busy"])
def config(request):
    return request.getfixturevalue(request.param)


def elements(text):
    """A list as Postfix reads it: commas and blanks outside braces."""
    return re.findall(r"(?:\{[^{}]*\}|[^\s,{}])+", text)


def lookup(config, key):
    """What transport_maps say, asked as trivial-rewrite does: all tables for one key, then the next key."""
    tables = elements(config.postconf("-hx", "transport_maps"))
    domain = key.partition("@")[2]
    for wanted in (key, domain, "." + domain.partition(".")[2]):
        for table in tables:
            done = subprocess.run(["postmap", "-c", config.dir, "-q", wanted, table], check=False, text=True,
                                  stdout=subprocess.PIPE)
            if done.returncode == 0:
                return done.stdout.strip()
    return None


def test_in_and_out(config):
    before = config.state()
    said = config.run(DOMAIN).stdout

    assert config.value("enable_long_queue_ids") == "yes"
    assert config.value("postsms_destination_recipient_limit") == "1"
    assert config.value("postsms_time_limit") == "3600s"
    assert DOMAIN in elements(config.postconf("-hx", "relay_domains"))
    service = config.postconf("-M", "postsms/unix")
    assert "/usr/local/lib/postsms/postsms-pipe -s /run/postsms/deliver.sock --deadline=3000" in service
    assert "user=postsms-pipe:postsms-pipe" in service and service.split()[6] == "200"
    assert lookup(config, f"+41791234567@{DOMAIN}") == "postsms:"
    assert lookup(config, f"+41791234567@alarm.{DOMAIN}") == "postsms:"
    for name in ("smtpd_milters", "non_smtpd_milters"):
        assert MILTER in elements(config.postconf("-hx", name))[0]
        assert [config.postconf("-hx", name).count(MILTER)] == [1]
    assert "postconf: warning" not in subprocess.run(["postconf", "-c", config.dir, "-n"], check=True, text=True,
                                                     stderr=subprocess.PIPE, stdout=subprocess.DEVNULL).stderr

    # Every setting that is another now was reported, as old -> new.
    was = dict(line.split(" =", 1) for line in before[1].splitlines())
    now = dict(line.split(" =", 1) for line in config.postconf("-n").splitlines())
    for name in was.keys() | now.keys():
        if was.get(name) != now.get(name):
            old = was.get(name, "").strip() or r"\((?:not set|empty)[^)]*\)"
            assert re.search(rf"^main\.cf: {name}: {old if name not in was else re.escape(old)} -> "
                             rf"{re.escape(now[name].strip())}$", said, re.M), (name, said)
    assert "master.cf: postsms/unix: (none) -> postsms unix" in said

    after = config.files()
    again = config.run(DOMAIN).stdout
    assert again.startswith("nothing to change\n") and "->" not in again
    assert config.files() == after

    said = config.run("--undo").stdout
    assert "all files are again as they were before" in said
    assert config.state() == before
    assert sorted(os.listdir(config.dir)) == sorted(before[0])

    assert config.run("--undo").stdout.startswith("nothing to take back")
    assert config.state() == before


def test_others_come_behind(busy):
    said = busy.run(DOMAIN).stdout
    signer = "inet:127.0.0.1:8891"
    assert elements(busy.value("smtpd_milters"))[1:] == [signer]
    assert elements(busy.value("non_smtpd_milters"))[1:] == [signer, "inet:127.0.0.1:8893"]
    # Services with a list of their own get ours in front, too.
    for service, others in (("submission", [signer]),
                            ("submissions", ["{inet:127.0.0.1:8891,connect_timeout=5s}", "inet:127.0.0.1:8893"])):
        found = elements(busy.postconf("-Ph", f"{service}/inet/smtpd_milters"))
        assert MILTER in found[0] and "default_action=accept" in found[0]
        assert found[1:] == others
        assert f"master.cf: -o {service}/inet/smtpd_milters: " in said
    # One that has none on purpose stays so, and the admin is told.
    assert busy.postconf("-Ph", "127.0.0.1:10026/inet/smtpd_milters") == ""
    assert "note: 127.0.0.1:10026/inet runs without milters" in said
    # The other tables and domains still work; numbers are valid recipients.
    assert lookup(busy, "a@partner.example") == "smtp:[192.0.2.1]"
    assert lookup(busy, "a@www.example.test") == "smtp:[192.0.2.2]"
    assert elements(busy.value("relay_domains")) == ["$mydestination", "branch.example.test", DOMAIN]
    maps = elements(busy.value("relay_recipient_maps"))
    assert maps[0] == "texthash:$config_directory/branches"
    done = subprocess.run(["postmap", "-c", busy.dir, "-q", f"@{DOMAIN}", maps[1]], check=True, text=True,
                          stdout=subprocess.PIPE)
    assert done.stdout.strip() == "OK"


def test_non_smtpd_milters_that_follow(busy):
    """$smtpd_milters needs nothing: ours is in it already."""
    busy.write("main.cf", re.sub(r"non_smtpd_milters.*", "non_smtpd_milters = $smtpd_milters", busy.read("main.cf")))
    busy.run(DOMAIN)
    assert busy.value("non_smtpd_milters") == "$smtpd_milters"


def test_ours_moves_to_the_front(busy):
    busy.write("main.cf", busy.read("main.cf").replace("smtpd_milters = inet:127.0.0.1:8891\n",
                                                       f"smtpd_milters = inet:127.0.0.1:8891, {MILTER}\n"))
    before = busy.state()
    busy.run(DOMAIN)
    assert elements(busy.value("smtpd_milters")) == [MILTER, "inet:127.0.0.1:8891"]
    busy.run("--undo")
    assert busy.state() == before


def test_more_domains(config):
    before = config.state()
    config.run(DOMAIN)
    said = config.run("sms.example.net", ".Text.example.ORG").stdout
    assert "main.cf: relay_domains: " in said and "transport_maps" not in said
    for domain in (DOMAIN, "sms.example.net", "text.example.org"):
        assert lookup(config, f"1@{domain}") == "postsms:"
        assert domain in elements(config.value("relay_domains"))
    refused = config.run("--undo", DOMAIN, check=False)
    assert refused.returncode == 1 and "was set up, too" in refused.stderr
    config.run("--undo", DOMAIN, "sms.example.net", "text.example.org")
    assert config.state() == before


def test_undo_keeps_what_the_admin_did(busy):
    before = dict(line.split(" =", 1) for line in busy.postconf("-n").splitlines())

    def entries():
        """master.cf without blanks and commas: postconf -P has its own way with them."""
        return {line.split(" -o ")[0].replace(" ", "") for line in busy.postconf("-M").splitlines()}, \
            {re.sub(r"[\s,]", "", line) for line in busy.postconf("-P").splitlines()}
    services, overrides = entries()
    busy.run(DOMAIN)
    added = {"smtpd_milters": ", inet:127.0.0.1:9999", "relay_domains": " other.example",
             "transport_maps": ", texthash:$config_directory/more"}
    for name, more in added.items():
        busy.postconf("-e", f"{name}={busy.value(name)}{more}")
    busy.append("main.cf", "# mine\nmessage_size_limit = 12345678\n")
    busy.append("master.cf", "mine unix - - n - - smtp\n")
    busy.append("postsms-transport", "pager.example postsms:\n")

    said = busy.run("--undo").stdout
    assert "changed since setup: main.cf, master.cf, postsms-transport" in said
    after = dict(line.split(" =", 1) for line in busy.postconf("-n").splitlines())
    expected = {**before, "message_size_limit": " 12345678"}
    for name, more in added.items():
        assert elements(after.pop(name)) == elements(expected.pop(name)) + elements(more), name
    assert after == expected
    assert "# mine\n" in busy.read("main.cf")
    assert entries() == (services | {"mineunix--n--smtp"}, overrides)
    assert busy.read("postsms-transport").splitlines()[-1] == "pager.example postsms:"
    assert DOMAIN not in "".join(line for line in busy.read("postsms-transport").splitlines() if line[0] != "#")
    assert "postsms-setup" not in os.listdir(busy.dir)


def test_undo_on_stock_with_comments_of_the_admin(stock):
    """Settings that were not there before are gone altogether, and so are the files."""
    main, master = stock.read("main.cf"), stock.read("master.cf")
    stock.run(DOMAIN)
    stock.append("main.cf", "# mine\n")
    stock.append("master.cf", "# mine\n")
    stock.run("--undo")
    assert stock.read("main.cf") == main + "# mine\n"
    assert stock.read("master.cf") == master + "# mine\n"
    assert not os.path.exists(f"{stock.dir}/postsms-transport")


def test_edits_between_two_runs(stock):
    """What the admin wrote between two runs of setup is no part of what the second one takes back."""
    main = stock.read("main.cf")
    stock.run(DOMAIN)
    stock.append("main.cf", "message_size_limit = 12345678\n")
    stock.run("sms.example.net")
    stock.run("--undo")
    assert stock.read("main.cf") == main + "message_size_limit = 12345678\n"


def test_own_figures_stay(stock):
    """More waiting mails, a longer deadline: another run does not set them back."""
    before = stock.state()
    stock.run(DOMAIN)
    stock.write("master.cf", re.sub(r"(?m)^(postsms .*)200( +pipe)", r"\g<1>400\2", stock.read("master.cf"))
                .replace("--deadline=3000", "--deadline=5000"))
    said = stock.run(DOMAIN).stdout
    assert "main.cf: postsms_time_limit: 3600s -> 5600s" in said
    service = stock.postconf("-M", "postsms/unix")
    assert service.split()[6] == "400" and "--deadline=5000" in service
    stock.postconf("-e", "postsms_time_limit=2h")
    assert stock.run(DOMAIN).stdout.startswith("nothing to change")
    assert stock.value("postsms_time_limit") == "2h"
    stock.run("--undo")
    assert stock.postconf("-n") == before[1] and stock.postconf("-M") == before[2]


@pytest.mark.parametrize("extra,domain,reason", [
    ("mydestination = localhost, sms.example.test", DOMAIN, "is in mydestination"),
    ("virtual_alias_domains = other.example, SMS.example.test", DOMAIN, "is in virtual_alias_domains"),
    ("virtual_alias_maps = inline:{sms.example.test=anything}", DOMAIN, "is in virtual_alias_domains"),
    ("virtual_mailbox_domains = sms.example.test", DOMAIN, "is in virtual_mailbox_domains"),
    ("transport_maps = regexp:$config_directory/all", DOMAIN, "would be asked first"),
    ("", "sms_.example.test.", "is not a domain"),
    ("", "sms.example.test other.example", "is not a domain"),
    ("", "+41791234567@sms.example.test", "is not a domain"),
])
def test_refuses(stock, extra, domain, reason):
    stock.append("main.cf", extra + "\n")
    stock.write("all", "/./ smtp:[192.0.2.9]\n")
    before = stock.state()
    done = stock.run(domain, check=False)
    assert done.returncode == 1 and reason in done.stderr, (done.stdout, done.stderr)
    assert stock.state() == before


def test_subdomains_that_are_not_ours(stock):
    """The host's own name below the SMS domain must not become SMS: transport_maps win over mydestination."""
    stock.append("main.cf", f"myhostname = mx.{DOMAIN}\n")
    said = stock.run(DOMAIN).stdout
    assert lookup(stock, f"1@{DOMAIN}") == "postsms:"
    assert lookup(stock, f"root@mx.{DOMAIN}") is None
    assert f"mydestination has mx.{DOMAIN}" in said


@pytest.mark.parametrize("victim", range(1, 6))
@pytest.mark.parametrize("undo", [False, True])
def test_killed(stock, tmp_path_factory, victim, undo):
    """SIGKILL before the nth rename: what is there can be read, and --undo still gives everything back."""
    before = stock.state()
    if undo:
        stock.run(DOMAIN)
    folder = tmp_path_factory.mktemp("bin")
    with open(folder / "mv", "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\necho >>{folder}/count\n"
                   f"test $(wc -l <{folder}/count) != {victim} || kill -9 $PPID\nexec /bin/mv \"$@\"\n")
    os.chmod(folder / "mv", 0o755)
    done = stock.run(*(["--undo"] if undo else [DOMAIN]), check=False,
                     env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
    assert done.returncode in (0, -signal.SIGKILL)
    # Used by main.cf means there: never a table or a service that is missing.
    if "postsms-transport" in stock.value("transport_maps"):
        assert stock.postconf("-M", "postsms/unix")
        assert lookup(stock, f"1@{DOMAIN}") == "postsms:"
    stock.run("--undo")
    assert stock.state() == before
    assert sorted(os.listdir(stock.dir)) == sorted(before[0])


def test_places(stock, tmp_path_factory):
    """Installed, it knows its prefix; the options are stronger. MAIL_CONFIG selects the instance."""
    prefix = tmp_path_factory.mktemp("tree")
    home = prefix / "share" / "postsms" / "postfix"
    home.mkdir(parents=True)
    shutil.copy(SETUP, home)
    for name in ("main.cf", "master.cf", "transport"):
        shutil.copy(os.path.join(ROOT, "contrib", "postfix", name), home)
    before = stock.state()
    stock.run(DOMAIN, script=str(home / "setup"))
    assert f"argv={prefix}/lib/postsms/postsms-pipe -s /run/postsms/" in stock.postconf("-M", "postsms/unix")
    stock.run("--undo")
    subprocess.run([SETUP, "--prefix=/opt/sms", "--run-dir", "/srv/run", "--user", "nobody", DOMAIN], check=True,
                   stdout=subprocess.DEVNULL, env={**os.environ, "MAIL_CONFIG": stock.dir})
    stock.age()
    service = stock.postconf("-M", "postsms/unix")
    assert "user=nobody " in service and "argv=/opt/sms/lib/postsms/postsms-pipe -s /srv/run/deliver.sock" in service
    stock.run("--undo")
    assert stock.state() == before


def test_usage(stock):
    for args in ([], ["--no-such", DOMAIN], ["--prefix"]):
        assert stock.run(*args, check=False).returncode == 2
    assert stock.run("--prefix", "/a b", DOMAIN, check=False).returncode == 1


def test_modes_and_links(busy, tmp_path_factory):
    """Files keep owner and mode, a link stays one, secrets are not copied to where others read them."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "main.cf"
    os.rename(f"{busy.dir}/main.cf", elsewhere)
    os.symlink(elsewhere, f"{busy.dir}/main.cf")
    before = busy.state()
    busy.run(DOMAIN)
    assert os.path.islink(f"{busy.dir}/main.cf") and DOMAIN in elsewhere.read_text()
    assert stat.S_IMODE(os.stat(f"{busy.dir}/master.cf").st_mode) == 0o640
    assert stat.S_IMODE(os.stat(f"{busy.dir}/postsms-transport").st_mode) == 0o644
    assert stat.S_IMODE(os.stat(f"{busy.dir}/postsms-setup").st_mode) == 0o700
    busy.run("--undo")
    assert os.path.islink(f"{busy.dir}/main.cf")
    assert busy.state() == before


# In a running Postfix

class Signer(threading.Thread):
    """A milter of somebody else on 127.0.0.1: takes note of recipients, adds a header."""

    def __init__(self):
        super().__init__(daemon=True)
        self.recipients = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._session, args=(peer,), daemon=True).start()

    def _session(self, peer):
        with peer, peer.makefile("rwb") as stream:
            def answer(command, data=b""):
                stream.write(struct.pack(">I", len(data) + 1) + command + data)
                stream.flush()
            while True:
                head = stream.read(5)
                if len(head) < 5:
                    return
                data = stream.read(struct.unpack(">I", head[:4])[0] - 1)
                command = head[4:]
                if command == b"O":
                    answer(b"O", struct.pack(">III", 6, 1, 0))
                    continue
                if command in b"DAK":
                    continue
                if command == b"Q":
                    return
                if command == b"R":
                    self.recipients.append(data.split(b"\0")[0].decode())
                if command == b"E":
                    answer(b"h", b"X-Signed\0by somebody else\0")
                answer(b"c")

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def test_running_postfix(new_site):
    """Refusals come from us before the signer hears of the mail; what passes is signed; out again, all is as before."""
    site = new_site(start=False)
    site.postfix.glue = None
    site.start()
    signer = Signer()
    second = free_port()
    etc = site.postfix.etc
    site.postfix.postfix_tool("postconf", "-e", f"smtpd_milters = inet:127.0.0.1:{signer.port}")
    with open(f"{etc}/master.cf", "a", encoding="utf-8") as file:
        file.write(f"127.0.0.1:{second} inet n - n - - smtpd\n  -o smtpd_milters=inet:127.0.0.1:{signer.port}\n")
    before = {name: open(f"{etc}/{name}", "rb").read() for name in os.listdir(etc)}

    def run(*args):
        return subprocess.run([SETUP, "-c", etc, *args], check=True, stdout=subprocess.PIPE, text=True).stdout
    said = run("--prefix", site.postsms.tree, "--run-dir", site.postsms.run_dir, "--user", "nobody", DOMAIN)
    assert "Postfix reloaded" in said
    first = site.postfix.port
    for port in (first, second):
        site.postfix.port = port
        wait_until(lambda: site.smtp().close() is None, 10, "Postfix answers")
        denied, allowed = site.number(), site.number()
        refused = site.send("denied@allowed.example", f"{denied}@{DOMAIN}", build("no"))
        assert refused.rcpts[0].code == 550, refused
        assert not any(denied in recipient for recipient in signer.recipients)
        local = f"{site.sender()}"
        sent = site.send("anna@allowed.example", [f"{allowed}@{DOMAIN}", local], build("yes"))
        assert sent.accepted, sent
        site.postfix.wait_removed(sent.queue_id)
        assert len(site.postsms.sent(allowed)) == 1
        assert any(allowed in recipient for recipient in signer.recipients)
        assert b"X-Signed: by somebody else" in site.postfix.wait_caught(local)[0].raw

    site.postfix.port = first
    assert "Postfix reloaded" in run("--undo")
    assert {name: open(f"{etc}/{name}", "rb").read() for name in os.listdir(etc)} == before
    signer.close()


def test_reload_is_asked_for(new_site):
    """--no-reload; and a Postfix with another configuration is none of our business."""
    site = new_site(glue=False)
    etc = site.postfix.etc

    def run(folder, *args):
        return subprocess.run([SETUP, "-c", folder, *args], check=True, stdout=subprocess.PIPE, text=True).stdout
    seen = len(site.postfix.log())
    assert "was not reloaded" in run(etc, "--no-reload", DOMAIN)
    checked = site.postfix.postfix_tool("postfix", "check")
    assert "postsms" not in checked.stdout + checked.stderr, checked.stderr
    copy = os.path.join(site.base, "copy")
    shutil.copytree(etc, copy)
    assert "nothing to reload" in run(copy, "sms.example.net")
    assert not [line for line in site.postfix.log()[seen:] if "reload" in line]
