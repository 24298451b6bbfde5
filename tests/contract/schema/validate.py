"""Validates TOML documents against a JSON schema, by a validator and a TOML reader that are not ours.

Input: {"schema": text, "documents": [text]}. Output: for each document null, or what is wrong with it and where.
"""

import json
import sys
import tomllib

from jsonschema import Draft202012Validator

request = json.load(sys.stdin)
schema = json.loads(request["schema"])
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)


def verdict(document):
    error = next(validator.iter_errors(tomllib.loads(document)), None)
    return error and f"{error.json_path}: {error.message}"


json.dump([verdict(document) for document in request["documents"]], sys.stdout)
