"""Reads a typed CSV file with Python's own parsers, with DuckDB's and with pandas'.

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


def with_python():
    with open(file["path"], encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    kinds = file["types"].values()
    return [[parse[kind](cell) if cell else None for kind, cell in zip(kinds, row)] for row in rows]


def with_duckdb():
    names = ", ".join(select.get(kind, "{0}").format(name) for name, kind in file["types"].items())
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in file["types"].items())
    rows = duckdb.sql(
        f"select {names} from read_csv($path, header = true, auto_detect = false, delim = ',', columns = {{{columns}}})",
        params={"path": file["path"]},
    ).fetchall()
    kinds = file["types"].values()
    return [[None if cell is None else exact[kind](cell) for kind, cell in zip(kinds, row)] for row in rows]


def with_pandas():
    """Only the floats: pandas has no exact decimals, and its dates end before the year 9999."""
    floats = [name for name, kind in file["types"].items() if kind == "DOUBLE"]
    frame = pandas.read_csv(file["path"], usecols=floats, float_precision="round_trip")
    return [[None if pandas.isna(cell) else cell.hex() for cell in row] for row in frame.values.tolist()]


json.dump({"python": with_python(), "duckdb": with_duckdb(), "pandas": with_pandas()}, sys.stdout)
