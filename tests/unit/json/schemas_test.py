"""Holds the golden examples against the schemas: each keeps to its schema, or breaks it, as
examples/index.json says. Also: the AsyncAPI document names schemas that exist."""

import json
import pathlib
import re
import sys
import unittest

import jsonschema

SCHEMAS = pathlib.Path(sys.argv.pop())


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def all_schemas():
    return {path.name: load(path) for path in SCHEMAS.glob("*.schema.json")}


def validator(name):
    store = {schema["$id"]: schema for schema in all_schemas().values()}
    schema = store["https://helsekontakter.example/schemas/" + name + ".schema.json"]
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=store)
    dates = jsonschema.FormatChecker(formats=["date"])
    return jsonschema.Draft202012Validator(schema, resolver=resolver, format_checker=dates)


class Schemas(unittest.TestCase):
    def test_schemas_are_schemas(self):
        self.assertEqual(len(all_schemas()), 4)
        for name, schema in all_schemas().items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)

    def test_examples_keep_to_their_schema_or_break_it_as_the_index_says(self):
        held = 0
        for example in load(SCHEMAS / "examples" / "index.json")["examples"]:
            if "schema" not in example:
                continue
            with self.subTest(example["file"]):
                event = load(SCHEMAS / "examples" / example["file"])
                errors = [error.message for error in validator(example["schema"]).iter_errors(event)]
                self.assertEqual(not errors, example["schemaValid"], errors)
                held += 1
        self.assertGreater(held, 30)

    def test_every_example_stands_in_the_index(self):
        listed = {example["file"] for example in load(SCHEMAS / "examples" / "index.json")["examples"]}
        present = {path.name for path in (SCHEMAS / "examples").glob("*.json")} - {"index.json"}
        self.assertEqual(listed, present)

    def test_result_schema_knows_every_reason(self):
        codes = [reason["code"] for reason in load(SCHEMAS / "reasons.json")["reasons"]]
        data = all_schemas()["result.v1.schema.json"]["$defs"]["data"]
        self.assertEqual(data["properties"]["reason"]["properties"]["code"]["enum"], codes)

    def test_asyncapi_names_files_that_exist(self):
        text = (SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8")
        files = re.findall(r'"\./([^"]+)"', text)
        self.assertEqual(len(files), 3)
        for name in files:
            self.assertTrue((SCHEMAS / name).exists(), name)


if __name__ == "__main__":
    unittest.main()
