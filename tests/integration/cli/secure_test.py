#!/usr/bin/env python3
"""A Kafka that asks who is there: SASL over TLS, and client certificates. Starts one of its own."""

import os
import pathlib
import subprocess
import tempfile

import parties
from tools_test import PEOPLE, WithTopics, event

KAFKA = pathlib.Path(__file__).parents[2] / "support/kafka.sh"


def kafka(*words):
    subprocess.run(["bash", KAFKA, *words], check=True, capture_output=True, timeout=300)


class Secured(WithTopics):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.kafka = pathlib.Path(folder.name) / "kafka"
        kafka("start", "--dir", cls.kafka, "--secure", "yes")
        cls.addClassCleanup(kafka, "stop", "--dir", cls.kafka)
        lines = (cls.kafka / "env").read_text().split()
        cls.address = dict(line.split("=", 1) for line in lines)
        parties.BROKERS = cls.address["KAFKA_BOOTSTRAP"]  # for feeding and reading

    def configuration(self, name):
        config = super().configuration(name)
        config["source"]["kafka"].update(self.access())
        return config

    def access(self):
        """How source.kafka reaches the broker; `results` and `ledger` follow it."""
        return {"brokers": [self.address["KAFKA_SASL_SSL"]], "user": "worker",
                "password_file": self.secret("password", b"worker-secret\n"),
                "tls_ca_file": str(self.kafka / "tls/ca.pem")}

    def run_one(self):
        parties.send(self.input, [(b"a", event(PEOPLE[0], 1, "a-1"))])
        self.drain()
        result, = self.told(1)
        self.assertEqual(result["data"]["verdict"], "accepted")


class WithPassword(Secured):
    def test_everything_goes_over_it(self):
        self.run_one()

    def assert_check_says(self, *words, **changes):
        self.config["source"]["kafka"].update(changes)
        done = self.call("check", "--connect")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertNotIn("secret", done.stdout)
        for word in words:
            self.assertIn(word, done.stdout)

    def test_a_password_that_changes_is_read_again(self):
        """As after a rotation: the file has another one than the worker began with."""
        self.secret("password", b"not-the-secret\n")
        worker = self.start()
        parties.wait_for("it says why", lambda: "invalid credentials" in worker.log.read_text())
        self.secret("password", b"worker-secret\n")
        parties.send(self.input, [(b"a", event(PEOPLE[0], 1, "a-1"))])
        result, = self.told(1)
        self.assertEqual(result["data"]["verdict"], "accepted")
        self.assertEqual(worker.stop(), 0)

    def test_a_wrong_password_is_said(self):
        wrong = self.secret("wrong", b"not-the-secret\n")
        self.assert_check_says("invalid credentials", "password_file", password_file=wrong)

    def test_an_authority_that_did_not_sign_is_said(self):
        other = self.folder / "other"
        subprocess.run(["bash", KAFKA.with_name("amqp_certificates.sh"), other], check=True,
                       timeout=60)
        self.assert_check_says("certificate verify failed", "tls_ca_file",
                               tls_ca_file=str(other / "ca.pem"))


class WithCertificate(Secured):
    def access(self):
        tls = self.kafka / "tls"
        os.chmod(tls / "client-key.pem", 0o600)
        return {"brokers": [self.address["KAFKA_SSL"]], "tls_ca_file": str(tls / "ca.pem"),
                "tls_certificate_file": str(tls / "client.pem"),
                "tls_key_file": str(tls / "client-key.pem")}

    def test_everything_goes_over_it(self):
        self.run_one()


if __name__ == "__main__":
    parties.main()
