# SPDX-License-Identifier: ISC
"""postsmsd with HTTP gateways and no Postfix: mails come by postsms-pipe, as pipe(8) would run it."""
import os
import shutil
import subprocess

from .mail import build
from .postsms import Postsms
from .site import ROOT

BUILD = os.environ.get("POSTSMS_BUILD") or os.path.join(ROOT, "build", "plain")
SECRET = "s3cr3t/&-value"


class Place:
    """base: an existing folder. gateways: {name: keys}; URL in a key is the Provider of the same name among providers,
    "SECRET" for secret_file a file with user anna and secret SECRET."""

    def __init__(self, base, gateways, providers, settings=()):
        self.base, self.providers, self.count = base, providers, 0
        os.mkdir(os.path.join(base, "postsms"))
        os.chmod(os.path.join(base, "postsms"), 0o755)
        self.secret = self.put_secret("secret", f"user = anna\nsecret = {SECRET}\n")
        made = {}
        for name, keys in gateways.items():
            url = self.providers[name].url if name in self.providers else None
            made[name] = {"type": "http", "out_after": 1000, "url": f"{url}/send?to=%number%&text=%data%&ref=%ref%",
                          **{key: value.replace("URL", url) if isinstance(value, str) and url else value
                             for key, value in keys.items()}}
            if made[name].get("secret_file") == "SECRET":
                made[name]["secret_file"] = self.secret
        self.postsms = Postsms(os.path.join(base, "postsms"), BUILD, os.path.join(base, "milter.sock"), gateway=None,
                               gateways=made, settings={"transport": {"message": "%%Body%%", "maxmsgs": 5},
                                                        **dict(settings)})
        self.postsms.admin("init")
        self.postsms.start_daemon()

    def put_secret(self, name, text, mode=0o640):
        path = os.path.join(self.base, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        shutil.chown(path, "nobody", "nogroup")
        os.chmod(path, mode)
        return path

    def pipe(self, gateway, text=None, parameters="", queue_id=None, deadline=60, mail=None):
        """A running postsms-pipe; its queue id."""
        self.count += 1
        queue_id = queue_id or f"4Q{self.count:08d}zABCD"
        pin = f"id={gateway}" if gateway else "maxmsgs=5"
        recipient = f"sms:+4179{self.count % 10000000:07d}?{pin}{parameters}@sms.example.test"
        process = subprocess.Popen(
            [os.path.join(self.postsms.libdir, "postsms-pipe"), "-s",
             os.path.join(self.postsms.run_dir, "deliver.sock"), f"--deadline={deadline}", f"--queue-id={queue_id}",
             "--sender=anna@allowed.example", f"--recipient={recipient}", f"--original={recipient}", "--login=",
             "--client=127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.again = (queue_id, recipient, mail or build(text or f"text {self.count}"))
        process.stdin.write(process.again[2])
        process.stdin.close()
        process.stdin = None
        return process

    def again(self, process):
        """The same mail offered again."""
        queue_id, recipient, mail = process.again
        done = subprocess.run([os.path.join(self.postsms.libdir, "postsms-pipe"), "-s",
                               os.path.join(self.postsms.run_dir, "deliver.sock"), "--deadline=60",
                               f"--queue-id={queue_id}", "--sender=anna@allowed.example", f"--recipient={recipient}",
                               f"--original={recipient}", "--login=", "--client=127.0.0.1"], input=mail,
                              stdout=subprocess.PIPE, check=False, timeout=90)
        return done.returncode, done.stdout.decode().strip()

    @staticmethod
    def answer(process, timeout=90):
        line = process.communicate(timeout=timeout)[0].decode().strip()
        return process.returncode, line

    def send(self, gateway, text=None, parameters="", **more):
        """Exit status and line."""
        return self.answer(self.pipe(gateway, text, parameters, **more))

    def parts(self, process):
        delivery, = self.postsms.json("trace", process.again[0])
        return delivery["parts"]

    def close(self):
        for provider in self.providers.values():
            provider.close()
        self.postsms.stop()
