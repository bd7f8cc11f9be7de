"""DuckDB and Polars read the folder of a lake while the city writes it, by nothing but the names of its files.

  foreign.py FOLDER    until standard input ends: one line of JSON for each look at the folder; then one line
                       of JSON for each engine with what it makes of the whole table

A file may go away between listing and opening, when files are made one: the engine says so and is asked again.
"""
import json
import sys
import threading

import duckdb
import polars

folder = sys.argv[1]
files = f"{folder}/observations/*/*.parquet"
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
database = duckdb.connect()


def by_duckdb(sql):
    return database.execute(sql.format(table=f"read_parquet('{files}', hive_partitioning = true)")).fetchall()


def census_of_duckdb(sealed):
    return list(by_duckdb(f"SELECT count(*), count(DISTINCT journal_position), count(*) FILTER (journal_position < {sealed}) FROM {{table}}")[0])


def census_of_polars(sealed):
    position = polars.col("journal_position")
    table = polars.scan_parquet(files, hive_partitioning=True)
    found = table.select(count=polars.len(), distinct=position.n_unique(), below=(position < sealed).sum()).collect()
    return list(found.row(0))


def whole_of_duckdb():
    return by_duckdb(
        "SELECT CAST(day AS VARCHAR), entity_id, count(*), round(sum(value_number), 6), strftime(max(observed_at) AT TIME ZONE 'UTC', "
        "'%Y-%m-%dT%H:%M:%SZ'), count(value_text) FROM {table} GROUP BY 1, 2 ORDER BY 1, 2")


def whole_of_polars():
    col = polars.col
    return (
        polars.scan_parquet(files, hive_partitioning=True)
        .group_by(col("day").cast(polars.String), "entity_id")
        .agg(polars.len(), col("value_number").sum().round(6), col("observed_at").max().dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
             col("value_text").count())
        .sort("day", "entity_id").collect().rows())


def again(look):
    """The answer of `look`, and how often a file went away meanwhile."""
    for tries in range(1000):
        try:
            return look(), tries
        except Exception as error:  # each engine has its own kind
            if "No such file" not in str(error) and "No files found" not in str(error) and "empty" not in str(error):
                raise
    raise SystemExit("the folder never stood still")


def say(**words):
    print(json.dumps(words), flush=True)


while not ended.is_set():
    for engine, look in (("duckdb", census_of_duckdb), ("polars", census_of_polars)):
        with open(f"{folder}/manifest.json") as manifest:
            sealed = json.load(manifest)["sealed_position"]
        census, tries = again(lambda: look(sealed))
        say(engine=engine, sealed=sealed, census=census, tries=tries)
say(engine="duckdb", version=duckdb.__version__, whole=[list(row) for row in whole_of_duckdb()])
say(engine="polars", version=polars.__version__, whole=[list(row) for row in whole_of_polars()])
