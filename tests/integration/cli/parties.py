"""The parties of these tests: a real Kafka, the simulator and the worker, each as operators have
them. Every wait has a deadline; every test has topics, a group and a folder of its own."""

import base64
import collections
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
import uuid

import jsonschema
import yaml

WORKER, SIMULATOR, RECORDS, SCHEMAS, AMQP_FEED = (pathlib.Path(path) for path in sys.argv[1:6])
BROKERS = os.environ.get("HELSEKONTAKTER_TEST_KAFKA")

# What the machine needs at most, far beyond what it takes.
WITHIN_S = 60

Record = collections.namedtuple("Record", "partition key value headers offset")


def main():
    del sys.argv[1:6]
    unittest.main(verbosity=2)


def wait_for(what, holds):
    """Asks again until it holds; for what another process does."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {WITHIN_S} s: {what}")


def records(*words, given=""):
    done = subprocess.run([RECORDS, words[0], BROKERS, *words[1:]], input=given, text=True,
                          capture_output=True, timeout=WITHIN_S, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [line.split() for line in done.stdout.splitlines()]


def to_hex(value):
    return "-" if value is None else value.hex() or "."


def from_hex(text):
    return None if text == "-" else b"" if text == "." else bytes.fromhex(text)


def send(topic, messages):
    """Messages are (key, value) or (key, value, headers); returns (partition, offset) of each."""
    lines = []
    for key, value, *more in messages:
        headers = ",".join(f"{name}={to_hex(text)}" for name, text in (more[0] if more else []))
        lines.append(f"0 {to_hex(key)} {to_hex(value)} {headers or '-'}\n")
    return [(int(partition), int(offset))
            for partition, offset in records("send", topic, given="".join(lines))]


def read(topic):
    found = []
    for partition, key, value, headers, offset in records("read", topic):
        pairs = [] if headers == "-" else [header.split("=") for header in headers.split(",")]
        found.append(Record(int(partition), from_hex(key), from_hex(value),
                            [(name, from_hex(text)) for name, text in pairs], int(offset)))
    return found


class Simulator:
    """HelseID and Helsekontakter in one process; stopped by stop()."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run([SIMULATOR, "keys", "--out", folder, "--tenancy", "multi"], check=True,
                       capture_output=True, timeout=WITHIN_S)
        config = yaml.safe_load((folder / "simulator.yaml").read_text())
        config["api"] = {}
        self.client_id = config["clients"][0]["client_id"]
        (folder / "simulator.yaml").write_text(yaml.safe_dump(config))
        self.log = open(folder / "simulator.log", "wb")
        self.process = subprocess.Popen(
            [SIMULATOR, "run", "--config", folder / "simulator.yaml", "--ready-file",
             folder / "ready.json"], stdout=self.log, stderr=self.log)
        wait_for("the simulator listens", (folder / "ready.json").exists)
        self.addresses = json.loads((folder / "ready.json").read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(WITHIN_S)
        self.log.close()

    def control(self, sections):
        request = urllib.request.Request(self.addresses["control"] + "/control", method="PUT",
                                         data=json.dumps(sections).encode())
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            assert answer.status == 200

    def statistics(self):
        url = self.addresses["control"] + "/control/statistics"
        with urllib.request.urlopen(url, timeout=WITHIN_S) as answer:
            return json.load(answer)


class Running:
    """A worker that runs until SIGTERM; what it logs goes to a file."""

    def __init__(self, command, environment, log):
        self.log = log
        self.file = open(log, "wb")
        self.process = subprocess.Popen(command, env=environment, stdout=self.file,
                                        stderr=self.file)

    def logged(self):
        found = []
        for line in self.log.read_text().splitlines():
            with contextlib.suppress(ValueError):  # the last line may be half written
                found.append(json.loads(line))
        return found

    def port(self):
        def started():
            return [line for line in self.logged() if "operations_port" in line]
        return wait_for("the worker has started", started)[0]["operations_port"]

    def page(self, path):
        url = f"http://127.0.0.1:{self.port()}{path}"
        with urllib.request.urlopen(url, timeout=WITHIN_S) as answer:
            return answer.read().decode()

    def wait_until_ready(self):
        """What /ready says is as of a moment ago: there may be results before."""
        def says_so():
            with contextlib.suppress(urllib.error.HTTPError):
                return self.page("/ready") == "ready\n"
            return False
        wait_for("the worker is ready", says_so)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(WITHIN_S)
        self.file.close()
        return status


class WithWorker(unittest.TestCase):
    """A simulator for the class, and for each test a configuration with new topics."""

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.home.cleanup)
        cls.simulator = Simulator(pathlib.Path(cls.home.name))
        cls.addClassCleanup(cls.simulator.stop)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        name = "cli-" + uuid.uuid4().hex[:12]
        self.input, self.results, self.letters = name, name + "-results", name + "-letters"
        self.config = self.configuration(name)

    def configuration(self, name):
        addresses = self.simulator.addresses
        home = pathlib.Path(self.home.name)
        ca_file = str(home / "ca.pem")
        return {
            "environment": "custom",
            "identifier": {"synthetic_allowed": False},  # as in schemas/examples
            "source": {"kafka": {"brokers": [BROKERS], "topic": self.input, "group": name}},
            "results": {"source": "/helsekontakter/test",
                        "kafka": {"topic": self.results, "dead_letter_topic": self.letters}},
            "ledger": {"kafka": {"topic": name + "-ledger", "shared_topic": name + "-shared"},
                       "hmac_key_file": self.secret("hmac", base64.b64encode(bytes(range(32)))),
                       "sealing_key_files": [
                           self.secret("seal", base64.b64encode(bytes(range(32, 64))))]},
            "organizations": {"948554062": {}},
            "api": {"base_url": addresses["api"], "ca_file": ca_file, "request_timeout_s": 3,
                    "settle_time_s": 2, "requests_per_second_max": 0},
            "auth": {"issuer": addresses["helseid"], "ca_file": ca_file, "tenancy": "multi",
                     "client_id": self.simulator.client_id,
                     "jwk_file": str(home / "client.jwk.json")},
            "batch": {"age_max_ms": 50},
            "operations": {"listen": "127.0.0.1:0"},
        }

    def secret(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return str(path)

    def command(self, *words):
        file = self.folder / "worker.yaml"
        file.write_text(yaml.safe_dump(self.config))
        return [WORKER, words[0], "--config", file, *words[1:]]

    @staticmethod
    def environment():
        return {name: value for name, value in os.environ.items()
                if not name.startswith("HELSEKONTAKTER_")}

    def call(self, *words, given=""):
        """`given` is its standard input."""
        return subprocess.run(self.command(*words), env=self.environment(), text=True, input=given,
                              capture_output=True, timeout=3 * WITHIN_S, check=False)

    def start(self, name="worker"):
        running = Running(self.command("run"), self.environment(), self.folder / f"{name}.log")
        self.addCleanup(lambda: running.process.poll() is None and running.stop())
        return running

    def make_topics(self):
        done = self.call("check", "--connect", "--create", "--partitions", "1")
        self.assertEqual(done.returncode, 0, done.stdout)

    def drain(self):
        """Everything that is there now is concluded; returns what was logged."""
        done = self.call("run", "--drain")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr


def result_validator():
    store = {}
    for path in SCHEMAS.glob("*.schema.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        store[schema["$id"]] = schema
    schema = store["https://helsekontakter.example/schemas/result.v1.schema.json"]
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=store)
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def runs_of_eleven_digits(text):
    """What might be an identity number; stricter than the rule, which looks at date and check."""
    return re.findall(rb"(?<![0-9A-Za-z])[0-9]{11}(?![0-9A-Za-z])", text)
