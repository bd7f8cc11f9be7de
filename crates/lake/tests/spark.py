"""Spark reads the folder of a lake while the city writes it, by nothing but the names of its files: see foreign.py,
whose lines of JSON it writes too.

  spark.py FOLDER

Spark lists the folder when it plans, and opens the files when it runs; one that went away meanwhile, because files were
made one, is told by it, and it is asked again.
"""
import json
import sys
import threading

import pyspark
from pyspark.sql import SparkSession, functions

folder = sys.argv[1]
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
settings = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.showConsoleProgress": "false",
}
builder = SparkSession.builder.master("local[1]")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")


def table():
    return spark.read.parquet(f"{folder}/observations")


def census(sealed):
    position = functions.col("journal_position")
    found = table().agg(
        functions.count("*"), functions.count_distinct(position), functions.count_if(position < sealed))
    return list(found.first())


def whole():
    rows = (
        table().groupBy(functions.col("day").cast("string"), "entity_id")
        .agg(functions.count("*"), functions.round(functions.sum("value_number"), 6),
             functions.date_format(functions.max("observed_at"), "yyyy-MM-dd'T'HH:mm:ss'Z'"), functions.count("value_text"))
        .orderBy("day", "entity_id"))
    return [list(row) for row in rows.collect()]


def again(look):
    """The answer of `look`, and how often a file went away meanwhile."""
    for tries in range(1000):
        try:
            return look(), tries
        except Exception as error:  # Spark's own, or the one of the Java side
            words = ("does not exist", "FileNotFound", "FILE_NOT_EXIST", "PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA")
            if not any(word in str(error) for word in words):
                raise
    raise SystemExit("the folder never stood still")


def say(**words):
    print(json.dumps(words), flush=True)


while not ended.is_set():
    with open(f"{folder}/manifest.json") as manifest:
        sealed = json.load(manifest)["sealed_position"]
    counted, tries = again(lambda: census(sealed))
    say(engine="spark", sealed=sealed, census=counted, tries=tries)
say(engine="spark", version=pyspark.__version__, whole=whole())
spark.stop()
