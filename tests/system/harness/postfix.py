# SPDX-License-Identifier: ISC
"""A private Postfix: own configuration, queue and data folders, own port on 127.0.0.1.

Ordinary recipients are delivered by a pipe service that keeps the octets; the glue to postsms is read from
contrib/postfix as it stands there, with paths, domain and user replaced.
"""
import json
import os
import pwd
import re
import signal
import socket
import subprocess

from .mail import Caught
from .wait import PATIENCE, Growing, wait_exit, wait_until

CONTRIB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "contrib", "postfix")

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {base}/spool
data_directory = {base}/lib
maillog_file = {base}/log/maillog
maillog_file_prefixes = {base}
syslog_name = postfix
myhostname = mx.example.test
mydomain = example.test
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
virtual_alias_maps = texthash:{base}/etc/virtual
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_authorized_xclient_hosts = 127.0.0.0/8
disable_dns_lookups = yes
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_tls_security_level = none
default_transport = catch
local_transport = catch
catch_destination_recipient_limit = 1
biff = no
in_flow_delay = 0
"""

MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
catch     unix - n n - - pipe
  flags= user={user} null_sender= directory=/ argv={base}/catch {base}/caught ${{queue_id}} ${{sender}} ${{recipient}}
"""

CATCH = """\
#!/bin/sh
# folder queue-id sender recipient: keeps the mail, complete or not at all
d=$(mktemp -d "$1/.new.XXXXXX") && cat >"$d/mail" && printf %s "$3" >"$d/sender" && printf %s "$4" >"$d/recipient" &&
chmod 755 "$d" && mv "$d" "$1/$2.${d##*.}" || exit 75
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postfix:
    """base: an existing folder that everybody may enter. glue: None, or what to replace in contrib/postfix:
    {"domain", "libdir", "run_dir", "user"}. settings: further lines of main.cf, as postconf -e would set them."""

    def __init__(self, base, glue=None, user="nobody", settings=()):
        self.base = base
        self.etc = os.path.join(base, "etc")
        self.queue = os.path.join(base, "spool")
        self.milter_dir = os.path.join(self.queue, "postsms")
        self.glue = glue
        self.user = user
        self.settings = dict(settings)
        self.virtual = {}
        self.port = None
        self.maillog = Growing(os.path.join(base, "log", "maillog"))
        self._make_folders()

    def _make_folders(self):
        catcher = pwd.getpwnam(self.user)
        postfix = pwd.getpwnam("postfix")
        for name in ("etc", "spool", "lib", "log", "caught"):
            os.makedirs(os.path.join(self.base, name))
        os.chown(os.path.join(self.base, "lib"), postfix.pw_uid, -1)
        os.chown(os.path.join(self.base, "caught"), catcher.pw_uid, catcher.pw_gid)
        catch = os.path.join(self.base, "catch")
        with open(catch, "w", encoding="utf-8") as file:
            file.write(CATCH)
        os.chmod(catch, 0o755)

    # Configuration

    def _piece(self, name):
        """contrib/postfix/NAME with this instance's places."""
        with open(os.path.join(CONTRIB, name), encoding="utf-8") as file:
            text = file.read()
        for old, new in (("/usr/local/lib/postsms", self.glue["libdir"]), ("/run/postsms", self.glue["run_dir"]),
                         ("/etc/postfix", self.etc), ("sms.example.com", self.glue["domain"]),
                         ("user=postsms-pipe:postsms-pipe", "user=" + self.glue["user"])):
            text = text.replace(old, new)
        return text

    def configure(self):
        """Writes the configuration; with the instance running, reload() makes it known."""
        main = MAIN_CF.format(base=self.base)
        master = MASTER_CF.format(base=self.base, port=self.port, user=self.user)
        if self.glue:
            main += self._piece("main.cf")
            master += self._piece("master.cf")
            self._write("postsms-transport", self._piece("transport"))
        self._write("main.cf", main)
        self._write("master.cf", master)
        self._write("virtual", "".join(f"{alias} {targets}\n" for alias, targets in self.virtual.items()))
        if self.settings:
            self.postfix_tool("postconf", "-e", *(f"{name} = {value}" for name, value in self.settings.items()))

    def _write(self, name, text):
        with open(os.path.join(self.etc, name), "w", encoding="utf-8") as file:
            file.write(text)

    def postfix_tool(self, tool, *args, check=True, **more):
        return subprocess.run([tool, "-c", self.etc, *args], check=check, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=more.pop("stdin", subprocess.DEVNULL), text=True, **more)

    # Life

    def start(self):
        for attempt in range(3):  # somebody may take the port between our look and master's bind
            self.port = self.port if self.port and not attempt else free_port()
            self.configure()
            done = self.postfix_tool("postfix", "start", check=False)
            if done.returncode == 0 and self._listening():
                return
            self._end_master()
        raise RuntimeError(f"postfix start: {done.stdout}{done.stderr}{self.maillog.text()}")

    def _master_pid(self):
        """The running master, as master.pid says and its lock proves; None if there is none."""
        try:
            with open(os.path.join(self.queue, "pid", "master.pid"), encoding="ascii") as file:
                pid = int(file.read())
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                return pid if file.read().strip() == "master" else None
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None

    def _listening(self):
        def answer():
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                    return connection.recv(3) == b"220"
            except OSError:
                if not self._master_pid():
                    raise ChildProcessError from None
                return False
        try:
            return wait_until(answer, 20, "Postfix answers")
        except (AssertionError, ChildProcessError):
            return False

    def reload(self):
        self.configure()
        self.postfix_tool("postfix", "reload")

    def _end_master(self):
        pid = self._master_pid()
        if not pid:
            return
        os.kill(pid, signal.SIGTERM)
        if not wait_exit(pid, 10 * PATIENCE):
            os.kill(pid, signal.SIGKILL)
            wait_exit(pid, 10)

    def processes(self, program, service=None):
        """Pids of this instance's processes of a program such as "pipe"; service: those of one line of master.cf."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode("utf-8", "replace").split("\0")
                ours = os.readlink(f"/proc/{pid}/cwd") == self.queue
            except OSError:
                continue
            if ours and os.path.basename(words[0]) == program and (not service or words[1:3] == ["-n", service]):
                found.append(int(pid))
        return found

    def crash(self):
        """What a power failure leaves of Postfix: master and every process it has started are gone."""
        pids = [self._master_pid()] + [pid for name in ("qmgr", "pickup", "cleanup", "smtpd", "pipe", "bounce", "flush")
                                       for pid in self.processes(name)]
        for pid in filter(None, pids):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            wait_exit(pid, 10)

    def stop(self):
        """Ends master, which ends its processes. Harmless if it does not run."""
        self._end_master()

    # The queue

    def mailq(self):
        """postqueue -j: one dict a mail."""
        return [json.loads(line) for line in self.postfix_tool("postqueue", "-j").stdout.splitlines()]

    def mailq_text(self):
        return self.postfix_tool("postqueue", "-p").stdout

    def queued(self, queue_id):
        """The mail's dict, or None."""
        return next((mail for mail in self.mailq() if mail["queue_id"] == queue_id), None)

    def flush(self):
        self.postfix_tool("postqueue", "-f")

    def sendmail(self, mail, *args):
        return subprocess.run(["sendmail", "-C", self.etc, *args], check=True, input=mail, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)

    # The log

    def log(self, queue_id=None):
        """Lines of the mail log without time stamps; those of one mail if queue_id is given."""
        return [line for line in self.maillog.lines() if not queue_id or f"{queue_id}:" in line]

    def removed(self, queue_id):
        return any(line.endswith(f"{queue_id}: removed") for line in self.maillog.lines())

    def deliveries(self, queue_id, recipient=None):
        """What became of each attempt, in order: dicts of to, orig_to, relay, dsn, status, text."""
        found = []
        for line in self.log(queue_id):
            match = re.search(r"to=<(?P<to>.*?)>, (?:orig_to=<(?P<orig_to>.*?)>, )?relay=(?P<relay>\S+?), .*"
                              r"dsn=(?P<dsn>[\d.]+), status=(?P<status>\w+) \((?P<text>.*)\)$", line)
            if match and (recipient is None or match["to"] == recipient):
                found.append({**match.groupdict(), "text": match["text"].strip()})
        return found

    def caught(self, recipient=None):
        """Mails delivered to ordinary recipients, bounces included, in no particular order."""
        folder = os.path.join(self.base, "caught")
        mails = [Caught(os.path.join(folder, name)) for name in os.listdir(folder) if not name.startswith(".")]
        return [mail for mail in mails if recipient in (None, mail.recipient)]

    def wait_caught(self, recipient, count=1, timeout=30):
        return wait_until(lambda: (lambda got: got if len(got) >= count else None)(self.caught(recipient)), timeout,
                          lambda: f"{count} mail for {recipient}; log:\n{self.maillog.text()}")

    def wait_removed(self, queue_id, timeout=30):
        wait_until(lambda: self.removed(queue_id), timeout,
                   lambda: f"{queue_id} leaves the queue; log:\n" + "\n".join(self.log(queue_id)))

    def wait_delivery(self, queue_id, status, count=1, timeout=30):
        """The first count deliveries of that status."""
        return wait_until(
            lambda: (lambda got: got if len(got) >= count else None)(
                [d for d in self.deliveries(queue_id) if d["status"] == status]), timeout,
            lambda: f"{queue_id}: {count} × {status}; log:\n" + "\n".join(self.log(queue_id)))
