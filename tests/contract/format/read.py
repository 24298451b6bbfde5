"""Reads CSV files with a reader that shares no code with exportd.

usage: read.py python|duckdb|pandas < files.json > rows.json

Each file is {"path", "delimiter", "null"}. The answer holds for each the rows, the header first, every
cell as text, or null where the reader tells NULL apart.
"""

import csv
import json
import sys


def read_python(file):
    with open(file["path"], encoding="utf-8-sig", newline="") as lines:
        return list(csv.reader(lines, delimiter=file["delimiter"], strict=True))


def read_duckdb(file):
    import duckdb

    # It wants to be told the columns' names; the first column numbers the rows, whose order it does not keep.
    names = [name.replace("'", "''") for name in read_python(file)[0]]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    relation = duckdb.sql(
        f"""select * from read_csv($path, delim = $delimiter, nullstr = $null, quote = '"',
        escape = '"', header = true, auto_detect = false, allow_quoted_nulls = false, strict_mode = true,
        columns = {{{columns}}}) order by #1::integer""",
        params=file,
    )
    return [relation.columns, *relation.fetchall()]


def read_pandas(file):
    import pandas

    frame = pandas.read_csv(file["path"], sep=file["delimiter"], dtype=str, keep_default_na=False, encoding="utf-8-sig")
    return [list(frame.columns), *frame.values.tolist()]


reader = {"python": read_python, "duckdb": read_duckdb, "pandas": read_pandas}[sys.argv[1]]
json.dump([reader(file) for file in json.load(sys.stdin)], sys.stdout)
