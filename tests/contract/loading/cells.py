"""Loads files with the commands of docs/loading.md, and tells all cells as texts.

usage: cells.py < {"names", "loads"} > results.json

Each load is {"loader", "folder", "script", "environment", "database"}: the script runs in the folder. Then the table orders
is read, from the database if there is one. A result is {"Ok": rows} or {"Err": text}; NULL is null, times are in UTC.
"""

import contextlib
import datetime
import decimal
import json
import os
import sqlite3
import subprocess
import sys
import traceback

import duckdb
import numpy
import pandas
import polars
import pyarrow

question = json.load(sys.stdin)
names = question["names"]


def shell(load, script):
    environment = os.environ | load["environment"]
    done = subprocess.run(["sh", "-c", script], env=environment, cwd=load["folder"], capture_output=True)
    # Some clients report a row that they can't load, and go on.
    if done.returncode != 0 or done.stderr:
        raise RuntimeError((done.stdout + done.stderr).decode())
    return done.stdout.decode()


def lines(output):
    # Not splitlines, which also knows line ends of Unicode.
    return output.split("\n")[:-1]


def postgresql(load):
    shell(load, load["script"])
    output = shell(load, "psql -XAtc 'select row_to_json(orders) from orders'")
    rows = [json.loads(line, parse_int=str, parse_float=str) for line in lines(output)]
    return [tuple(row[name] for name in names) for row in rows]


def mariadb(load):
    warnings = shell(load, load["script"])
    assert warnings == "", warnings
    # In hexadecimal, so that its client has nothing to escape.
    cells = ", ".join(f"ifnull(hex(convert({name} using utf8mb4)), '-')" for name in names)
    output = shell(load, f"mariadb --batch --skip-column-names -e \"select {cells} from orders\"")
    cell = lambda digits: None if digits == "-" else bytes.fromhex(digits).decode()
    return [tuple(map(cell, line.split("\t"))) for line in lines(output)]


def sqlite(load):
    shell(load, load["script"])
    path = os.path.join(load["folder"], load["database"])
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(f"select {', '.join(names)} from orders").fetchall()


def duckdb_(load):
    os.chdir(load["folder"])
    database = duckdb.connect()
    database.execute(load["script"])
    # As an object of Python a time with a zone would need one more module.
    select = ", ".join(names).replace("updated_at", "make_timestamp(epoch_us(updated_at))")
    return database.execute(f"select {select} from orders").fetchall()


def python(load):
    os.chdir(load["folder"])
    variables = {}
    exec(load["script"], variables)
    orders = variables["orders"]
    if isinstance(orders, polars.DataFrame):
        return orders.select(names).rows()
    rows = orders.to_pylist() if isinstance(orders, pyarrow.Table) else orders.to_dict("records")
    return [tuple(row[name] for name in names) for row in rows]


def text(value):
    if isinstance(value, (list, numpy.ndarray)):
        return json.dumps(list(value))
    if pandas.isna(value):
        return None
    if isinstance(value, (bool, numpy.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        return (value.astimezone(datetime.timezone.utc) if value.tzinfo else value).isoformat()
    return str(value)


def result(load):
    ways = {"postgresql": postgresql, "mariadb": mariadb, "sqlite": sqlite, "duckdb": duckdb_}
    try:
        return {"Ok": [list(map(text, row)) for row in ways.get(load["loader"], python)(load)]}
    except Exception as error:
        return {"Err": "".join(traceback.format_exception_only(error))}


json.dump([result(load) for load in question["loads"]], sys.stdout)
