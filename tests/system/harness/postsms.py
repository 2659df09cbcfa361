# SPDX-License-Identifier: ISC
"""The postsms programs of one build in a folder of their own: configuration, ledger, both daemons, admin commands."""
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess

from .wait import Growing, wait_until

DEMO = {"type": "file", "demo": True}


def _value(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "{ " + ", ".join(_value(item) for item in value) + " }"
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _block(settings, indent=""):
    lines = []
    for name, value in settings.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name} {{", _block(value, indent + "    "), indent + "}"]
        else:
            lines.append(f"{indent}{name} = {_value(value)}")
    return "\n".join(lines)


class Postsms:
    """base: an existing folder that everybody may enter. build: build/<variant>. The programs are copied below base:
    the checkout may lie where an unprivileged user cannot go. user: whom daemons and pipe(8) run as.

    settings: top-level keys of postsms.conf; a dict is a section. gateway: keys of the gateway "demo", or None.
    gateways: further gateways, {name: keys}; file gateways unless "type" says another."""

    def __init__(self, base, build, milter_socket, user="nobody", settings=(), gateway=(), rules="", gateways=()):
        self.base = base
        self.user = user
        self.tree = os.path.join(base, "tree")
        self.sbin = os.path.join(self.tree, "sbin")
        self.libdir = os.path.join(self.tree, "lib", "postsms")
        self.conf = os.path.join(base, "etc", "postsms.conf")
        self.rules_file = os.path.join(base, "etc", "smtp.rules")
        self.state_dir = os.path.join(base, "state")
        self.run_dir = os.path.join(base, "run")
        self.sent_file = os.path.join(base, "sent", "sent.jsonl")
        self.mail_config = None  # which Postfix "postsms queue" and "check" look at
        for name in ("sbin", "lib", "share"):
            shutil.copytree(os.path.join(build, name), os.path.join(self.tree, name))
        owner = pwd.getpwnam(user)
        for name, mode in (("etc", 0o755), ("state", 0o750), ("run", 0o755), ("sent", 0o755), ("log", 0o755)):
            folder = os.path.join(base, name)
            os.mkdir(folder)
            os.chmod(folder, mode)
            if name in ("state", "run", "sent"):
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        self.settings = {
            "domains": ["sms.example.test", ".sms.example.test"],
            "user": user,
            "state_dir": self.state_dir,
            "run_dir": self.run_dir,
            "country_code": "41",
            "readers": 2,
            "milter": {"socket": "unix:" + milter_socket, "rules": self.rules_file},
            "transport": {"maxmsgs": 5},
            "access": {"require": "known", "networks": ["127.0.0.0/8"], "prefixes": ["+41"]},
        }
        self.gateway = None if gateway is None else {**DEMO, "path": self.sent_file, **dict(gateway)}
        self.gateways = {name: dict(keys) if "type" in keys else
                         {**DEMO, "path": os.path.join(base, "sent", name + ".jsonl"), **keys}
                         for name, keys in dict(gateways).items()}
        self.rules = rules
        self.change(**dict(settings))
        self._sent = [Growing(self.sent_file)] + [Growing(keys["path"]) for keys in self.gateways.values()
                                                 if "path" in keys]
        self.logs = {name: Growing(os.path.join(base, "log", name + ".log")) for name in ("postsmsd", "postsms-milter")}
        self.processes = {}
        self.tolerated = None  # a pattern: complaints of sanitizers that a test provokes

    # Configuration

    def change(self, gateway=None, rules=None, gateways=(), **settings):
        """Changes keys (a section's keys are merged) and writes the files; reload() makes a daemon read them."""
        for name, value in settings.items():
            if isinstance(value, dict):
                self.settings[name] = {**self.settings.get(name, {}), **value}
            else:
                self.settings[name] = value
        if gateway:
            self.gateway.update(gateway)
        for name, keys in dict(gateways).items():
            self.gateways[name].update(keys)
        if rules is not None:
            self.rules = rules
        text = _block(self.settings) + "\n"
        for name, keys in {"demo": self.gateway, **self.gateways}.items():
            if keys:
                text += f'gateway "{name}" {{\n{_block(keys, "    ")}\n}}\n'
        self._write(self.conf, text)
        self._write(self.rules_file, self.rules)

    @staticmethod
    def _write(path, text):
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    # Daemons

    def _program(self, name):
        return os.path.join(self.sbin, name)

    def start_daemon(self, name="postsmsd", kill=None):
        """kill: "point:count", where a build with kill points is to die; then nobody waits until it is ready."""
        log = self.logs[name]
        environment = {**os.environ, "POSTSMS_KILL": kill} if kill else None
        seen = len(log.lines())
        with open(log.path, "ab") as stderr:
            process = subprocess.Popen([self._program(name), "-c", self.conf, "-e"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=stderr, cwd="/", env=environment,
                                       start_new_session=True)  # Ctrl-C is for us, we end them in order
        self.processes[name] = process

        def ready():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}: " + "\n".join(log.lines()[seen:]))
            return any(line.endswith("ready") for line in log.lines()[seen:])
        if not kill:
            wait_until(ready, 20, lambda: f"{name} ready: {log.text()}")

    def start_milter(self):
        self.start_daemon("postsms-milter")

    def start(self):
        """Both daemons; the ledger first if there is none."""
        if not os.path.exists(os.path.join(self.state_dir, "spool.db")):
            self.admin("init")
        self.start_daemon()
        self.start_milter()

    def pid(self, name="postsmsd"):
        return self.processes[name].pid

    def send_signal(self, number, name="postsmsd"):
        self.processes[name].send_signal(number)

    def stop_daemon(self, name="postsmsd", number=signal.SIGTERM, timeout=15):
        """Its exit status; killed if it does not go."""
        process = self.processes.pop(name, None)
        if not process:
            return None
        if process.poll() is None:
            process.send_signal(number)

        def gone():
            if name == "postsms-milter":
                self._nudge_milter()
            return process.poll() is not None
        try:
            wait_until(gone, timeout, f"{name} ends after signal {number}")
        finally:
            process.kill()
            process.wait()
        return process.returncode

    def _nudge_milter(self):
        """libmilter looks at its end flag when somebody connects, else every five seconds."""
        with socket.socket(socket.AF_UNIX) as nudge:
            try:
                nudge.connect(self.settings["milter"]["socket"].removeprefix("unix:"))
            except OSError:
                pass

    def wait_death(self, name="postsmsd", timeout=20):
        """Returns once the daemon has died of SIGKILL by itself."""
        process = self.processes[name]
        wait_until(lambda: process.poll() is not None, timeout, lambda: f"{name} dies: {self.logs[name].text()}")
        assert process.returncode == -signal.SIGKILL, process.returncode
        del self.processes[name]

    def kill_daemon(self, name="postsmsd"):
        self.stop_daemon(name, signal.SIGKILL)

    def stop(self):
        """Ends both; AssertionError if one did not end well or a sanitizer complained."""
        problems = []
        for name in list(self.processes):
            try:
                status = self.stop_daemon(name)
                if status != 0:
                    problems.append(f"{name} ended with {status}")
            except AssertionError as problem:
                problems.append(str(problem))
        for name, log in self.logs.items():
            for index, line in enumerate(log.lines()):
                if re.search(r"ERROR: \w*Sanitizer|runtime error:", line) and not (
                        self.tolerated and re.search(self.tolerated, line)):
                    problems += [f"{name}'s log:", *log.lines()[index:index + 40]]
        if problems:
            raise AssertionError("\n".join(problems))

    def program_pids(self, program):
        """Processes that run a program of lib/postsms, zombies not counted."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/exe") == os.path.join(self.libdir, program):
                    found.append(int(pid))
            except OSError:
                pass
        return found

    def reload(self, name="postsmsd"):
        """SIGHUP (the milter: SIGUSR1); returns when the log says what came of it: the new lines."""
        seen = len(self.logs[name].lines())
        self.send_signal(signal.SIGUSR1 if name == "postsms-milter" else signal.SIGHUP, name)

        def said():
            new = self.logs[name].lines()[seen:]
            return new if any("reload" in line or "generation" in line for line in new) else None
        return wait_until(said, 10, lambda: f"{name} reloads: {self.logs[name].text()}")

    def run(self, program, *args):
        """A program of the tree with our configuration, to its end."""
        return subprocess.run([self._program(program), "-c", self.conf, *args], stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)

    # Admin commands

    def admin(self, *args, check=True, mail=None, env=()):
        """postsms -c CONF ARGS; mail: octets for stdin. stdout and stderr as text."""
        environment = {**os.environ, **dict(env)}
        if self.mail_config:
            environment["MAIL_CONFIG"] = self.mail_config
        done = subprocess.run([self._program("postsms"), "-c", self.conf, *args], input=mail or b"", check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=120)
        done.stdout = done.stdout.decode("utf-8", "replace")
        done.stderr = done.stderr.decode("utf-8", "replace")
        if check and done.returncode:
            raise AssertionError(f"postsms {' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def admin_status(self):
        """Exit status of "postsms status"."""
        return self.admin("status", check=False).returncode

    def json(self, *args, **more):
        return json.loads(self.admin(*args, "--json", **more).stdout)

    def explain(self, sender, recipient, mail, login=None, client=None, others=()):
        args = ["explain", "-s", sender, "-r", recipient]
        for other in others:
            args += ["-r", other]
        if login:
            args += ["-u", login]
        if client:
            args += ["-a", client]
        return self.json(*args, mail=mail)

    def deliver(self, number, mail, queue_id, sender="anna@allowed.example", original=None):
        """postsms-pipe as Postfix starts it, one mail to one number: its exit status and its line."""
        recipient = f"{number}@sms.example.test"
        done = subprocess.run([os.path.join(self.libdir, "postsms-pipe"), "-s",
                               os.path.join(self.run_dir, "deliver.sock"), "--deadline=60", f"--queue-id={queue_id}",
                               f"--sender={sender}", f"--recipient={recipient}",
                               f"--original={original or recipient}", "--login=", "--client=127.0.0.1"], input=mail, stdout=subprocess.PIPE, check=False, timeout=120)
        return done.returncode, done.stdout.decode("utf-8", "replace").strip()

    # What left

    def sent(self, number=None):
        """The parts that each file gateway got, in order: dicts as in the design's section 5."""
        parts = [json.loads(line) for sent in self._sent for line in sent.lines() if line]
        return parts if number is None else [part for part in parts if part["number"] == number]

    def sent_count(self):
        """How many parts, without a look at them."""
        return sum(len(sent.lines()) for sent in self._sent)

    def wait_sent(self, number, count=1, timeout=30):
        return wait_until(lambda: (lambda got: got if len(got) >= count else None)(self.sent(number)), timeout,
                          lambda: f"{count} parts for {number}; postsmsd said:\n{self.logs['postsmsd'].text()}")
