"""Reads files with a reader that shares no code with exportd.

usage: read.py python|duckdb|pandas < files.json > rows.json

Each file is {"path", "delimiter", "null"}; one called .ndjson is JSON, any other CSV. The answer holds for each the
rows, the columns' names first, every cell as text, or null where the reader tells NULL apart.
"""

import csv
import json
import sys


def is_json(file):
    return file["path"].endswith(".ndjson")


def text(value):
    return value if value is None or isinstance(value, str) else json.dumps(value)


def read_python(file):
    if not is_json(file):
        with open(file["path"], encoding="utf-8-sig", newline="") as lines:
            return list(csv.reader(lines, delimiter=file["delimiter"], strict=True))
    with open(file["path"], encoding="utf-8", newline="\n") as lines:
        rows = [json.loads(line) for line in lines]
    names = list(rows[0]) if rows else []
    assert all(list(row) == names for row in rows), "rows with other keys"
    return [names, *([text(value) for value in row.values()] for row in rows)]


def read_duckdb(file):
    import duckdb

    # It wants to be told the columns' names; the first column numbers the rows, whose order it does not keep.
    names = [name.replace("'", "''") for name in read_python(file)[0]]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    if is_json(file):
        table, params = f"read_ndjson($path, columns = {{{columns}}})", {"path": file["path"]}
    else:
        table = f"""read_csv($path, delim = $delimiter, nullstr = $null, quote = '"', escape = '"', header = true,
            auto_detect = false, allow_quoted_nulls = false, strict_mode = true, columns = {{{columns}}})"""
        params = file
    relation = duckdb.sql(f"select * from {table} order by #1::integer", params=params)
    return [relation.columns, *relation.fetchall()]


def read_pandas(file):
    import pandas

    if is_json(file):
        frame = pandas.read_json(file["path"], lines=True, dtype=False, convert_dates=False, encoding="utf-8")
    else:
        frame = pandas.read_csv(
            file["path"], sep=file["delimiter"], dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    rows = ([None if pandas.isna(cell) else text(cell) for cell in row] for row in frame.values.tolist())
    return [list(frame.columns), *rows]


reader = {"python": read_python, "duckdb": read_duckdb, "pandas": read_pandas}[sys.argv[1]]
json.dump([reader(file) for file in json.load(sys.stdin)], sys.stdout)
