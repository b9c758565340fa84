#!/usr/bin/env python3
"""The program's command line: exit statuses, and that what `options` writes is what it reads.

usage: program_test.py PROGRAM
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

PROGRAM = ""


def call(*arguments, **variables):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("HELSEKONTAKTER_")}
    return subprocess.run([PROGRAM, *arguments], env={**environment, **variables}, check=False,
                          capture_output=True, text=True, timeout=30)


class Options(unittest.TestCase):
    def test_the_schema_is_valid_and_accepts_the_file_of_defaults(self):
        schema = json.loads(call("options", "--format", "json-schema").stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        written = yaml.safe_load(call("options", "--format", "yaml").stdout)
        jsonschema.Draft202012Validator(schema).validate(written)

    def test_the_schema_refuses_what_the_program_refuses(self):
        schema = json.loads(call("options", "--format", "json-schema").stdout)
        validator = jsonschema.Draft202012Validator(schema)
        for wrong in ({"batch": {"entries_max": 0}}, {"batches": {}}, {"log": {"level": "loud"}},
                      {"digital_status": {"list_max": 1001}}, {"api": {"path": []}},
                      {"organizations": {"948554062": {"pause": True}}}):
            self.assertFalse(validator.is_valid(wrong), wrong)

    def test_the_default_of_the_schema_is_of_its_own_type(self):
        def visit(schema, path):
            if "default" in schema:
                jsonschema.Draft202012Validator(schema).validate(schema["default"])
            for name, below in schema.get("properties", {}).items():
                visit(below, f"{path}.{name}")

        visit(json.loads(call("options", "--format", "json-schema").stdout), "")

    def test_an_unknown_format_is_wrong_usage(self):
        self.assertEqual(call("options", "--format", "toml").returncode, 2)


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def secrets(self):
        key = self.write("hmac", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
        seal = self.write("seal", "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n")
        return {"HELSEKONTAKTER_LEDGER__HMAC_KEY_FILE": key,
                "HELSEKONTAKTER_LEDGER__SEALING_KEY_FILES": f"[{seal}]",
                "HELSEKONTAKTER_AUTH__JWK_FILE": self.write("jwk", "{}")}

    def test_what_options_writes_is_well(self):
        config = self.write("worker.yaml", call("options", "--format", "yaml").stdout)
        done = call("check", "--config", config, **self.secrets())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("delivery: Kafka to Kafka", done.stdout)

    def test_every_error_is_a_line_and_the_status_is_two(self):
        config = self.write("worker.yaml", call("options", "--format", "yaml").stdout)
        done = call("check", "--config", config, HELSEKONTAKTER_LOG__LEVEL="loud",
                    HELSEKONTAKTER_BATCH__ENTRIES_MAX="0", **self.secrets())
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.splitlines()), 3, done.stderr)
        self.assertIn("2 errors in", done.stderr)

    def test_a_missing_file_is_wrong_configuration(self):
        done = call("check", "--config", os.path.join(self.folder, "missing"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot read", done.stderr)


class Usage(unittest.TestCase):
    def test_exit_statuses(self):
        for arguments, status in (((), 2), (("check",), 2), (("fly",), 2), (("--version",), 0),
                                  (("--help",), 0), (("run", "--help"), 0), (("run", "--fly"), 2),
                                  (("check", "--config", "f", "--create"), 2)):
            self.assertEqual(call(*arguments).returncode, status, arguments)

    def test_an_identity_number_among_the_arguments_is_not_printed(self):
        number = "21814497167"
        for arguments in (("show", "--config", "f", number), (number,), (f"--{number}",),
                          ("check", "--config", "f", "--partitions", number),
                          ("options", "--format", number), ("check", "--config", number)):
            done = call(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertNotEqual(done.stderr, "", arguments)
            self.assertNotIn(number, done.stdout + done.stderr, arguments)

    def test_the_help_says_when_a_drained_queue_ends(self):
        said = " ".join(call("run", "--help").stdout.split())
        self.assertIn("the broker says that it has nothing more", said)
        self.assertIn("10 minutes", said)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
