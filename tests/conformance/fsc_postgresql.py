"""A PostgreSQL of our own for tests against processes: on a Unix socket, thrown away afterwards."""
import glob
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time


def program(name):
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found[-1] if found else shutil.which(name)


def installed():
    return bool(program("initdb") and program("postgres"))


class Postgresql:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fsc-pg-"))
        self.user = None
        if os.geteuid() == 0:  # it refuses to run as root
            self.user = "postgres"
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self.as_user(program("initdb"), "-D", str(self.folder), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").wait()
        self.process = self.as_user(program("postgres"), "-D", str(self.folder), "-k", str(self.folder), "-h", "", "-F")
        end = time.monotonic() + 30
        while self.psql("postgres", "SELECT 1") != 0:
            if time.monotonic() > end:
                raise AssertionError("PostgreSQL does not start")
            time.sleep(0.05)

    def as_user(self, *words):
        return subprocess.Popen(words, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self.user)

    def psql(self, database, sql):
        return subprocess.run([program("psql"), "-h", str(self.folder), "-U", "postgres", "-d", database, "-c", sql], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode

    def database(self, name):
        """A fresh one; its URL."""
        if self.psql("postgres", f"CREATE DATABASE {name}") != 0:
            raise AssertionError(f"the database {name} cannot be made")
        return f"postgresql:///{name}?host={self.folder}&user=postgres"

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
