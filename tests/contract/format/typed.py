"""Reads a typed file, CSV or ndjson, with Python's own parsers, with DuckDB's, and CSV with pandas'.

usage: typed.py < {"path", "types"} > rows.json

The answer holds for each reader the rows in a notation that shows every bit: floats in hexadecimal, datetimes in
microseconds since 1970.
"""

import csv
import datetime
import decimal
import json
import sys

import duckdb
import pandas

file = json.load(sys.stdin)
epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def micros(text):
    return str((datetime.datetime.fromisoformat(text) - epoch) // datetime.timedelta(microseconds=1))


parse = {
    "HUGEINT": lambda text: str(int(text)),
    "DOUBLE": lambda text: float(text).hex(),
    "DECIMAL(38, 10)": lambda text: str(decimal.Decimal(text).normalize()),
    "BOOLEAN": lambda text: {"1": "true", "0": "false"}[text],
    "DATE": lambda text: str((datetime.date.fromisoformat(text) - epoch.date()).days),
    "TIMESTAMPTZ": micros,
}
exact = {
    "HUGEINT": lambda value: str(value),
    "DOUBLE": lambda value: value.hex(),
    "DECIMAL(38, 10)": lambda value: str(value.normalize()),
    "BOOLEAN": lambda value: str(value).lower(),
    "DATE": lambda value: str(value),
    "TIMESTAMPTZ": lambda value: str(value),
}
select = {"DATE": "date_diff('day', date '1970-01-01', {0})", "TIMESTAMPTZ": "epoch_us({0})"}


is_json = file["path"].endswith(".ndjson")
# What JSON has a type for is of that type in the file.
json_types = {"HUGEINT": int, "DOUBLE": float, "BOOLEAN": bool}


class Number(str):
    """A number as JSON spells it, and which of the two kinds it is."""

    def __new__(cls, digits, kind):
        number = super().__new__(cls, digits)
        number.kind = kind
        return number


def cell_of_json(kind, cell):
    if isinstance(cell, bool):
        assert kind == "BOOLEAN", kind
        return str(int(cell))
    assert getattr(cell, "kind", str) is json_types.get(kind, str), (kind, cell)
    return cell


def rows_as_text():
    if not is_json:
        with open(file["path"], encoding="utf-8", newline="") as lines:
            return list(csv.reader(lines))[1:]
    with open(file["path"], encoding="utf-8", newline="\n") as lines:
        numbers = {"parse_int": lambda digits: Number(digits, int), "parse_float": lambda digits: Number(digits, float)}
        rows = [json.loads(line, **numbers) for line in lines]
    of_row = lambda row: [
        None if row[name] is None else cell_of_json(kind, row[name]) for name, kind in file["types"].items()
    ]
    return [of_row(row) for row in rows]


def with_python():
    kinds = file["types"].values()
    return [[parse[kind](cell) if cell else None for kind, cell in zip(kinds, row)] for row in rows_as_text()]


def with_duckdb():
    names = ", ".join(select.get(kind, "{0}").format(name) for name, kind in file["types"].items())
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in file["types"].items())
    options = "" if is_json else "header = true, auto_detect = false, delim = ',', "
    table = f"{'read_ndjson' if is_json else 'read_csv'}($path, {options}columns = {{{columns}}})"
    rows = duckdb.sql(f"select {names} from {table}", params={"path": file["path"]}).fetchall()
    kinds = file["types"].values()
    return [[None if cell is None else exact[kind](cell) for kind, cell in zip(kinds, row)] for row in rows]


def with_pandas():
    """Only the floats: pandas has no exact decimals, and its dates end before the year 9999."""
    floats = [name for name, kind in file["types"].items() if kind == "DOUBLE"]
    frame = pandas.read_csv(file["path"], usecols=floats, float_precision="round_trip")
    return [[None if pandas.isna(cell) else cell.hex() for cell in row] for row in frame.values.tolist()]


answer = {"python": with_python(), "duckdb": with_duckdb()}
if not is_json:
    answer["pandas"] = with_pandas()
json.dump(answer, sys.stdout)
