"""psycopg and SQLAlchemy against the door: python psycopg_client.py PORT PASSWORD."""

import datetime
import sys
import threading
import time

import psycopg
import sqlalchemy

port, password = sys.argv[1:]
where = dict(host="127.0.0.1", port=port, user="wang", password=password, dbname="city", sslmode="disable")
utc = datetime.timezone.utc
start = datetime.datetime(2026, 11, 23, 8, tzinfo=utc)


def same(got, expected):
    if got != expected:
        raise SystemExit(f"got {got!r}, expected {expected!r}")


def fails(connection, sql, state, parameters=None):
    try:
        connection.execute(sql, parameters)
    except psycopg.Error as error:
        same((sql, error.sqlstate), (sql, state))
        return error
    raise SystemExit(f"{sql} did not fail")


with psycopg.connect(**where, autocommit=True) as connection:
    # Parameters and results, as text and as binary.
    for binary in (False, True):
        cursor = connection.cursor(binary=binary)
        cursor.execute(
            "SELECT entity_id, observed_at, value_number, journal_position FROM observations"
            " WHERE observed_at >= %s AND value_number > %s AND journal_position < %s AND door = %s ORDER BY journal_position LIMIT 2",
            (start + datetime.timedelta(seconds=100), 28.5, 500, "mqtt"),
        )
        same(
            cursor.fetchall(),
            [
                ("urn:ngsi-ld:WaterObserved:0", start + datetime.timedelta(seconds=100), 29.0, 100),
                ("urn:ngsi-ld:WaterObserved:1", start + datetime.timedelta(seconds=101), 29.01, 101),
            ],
        )
        cursor.execute("SELECT * FROM cases ORDER BY id")
        same(
            cursor.fetchall(),
            [
                (1, "井盖 'lost'", start + datetime.timedelta(seconds=10.5), 12.5, False, {"a": [1, 2]}),
                (2, None, None, None, True, None),
            ],
        )
        cursor.execute(
            "SELECT CAST(1 AS SMALLINT), CAST(2 AS INT), CAST(1.5 AS REAL), CAST('12.50' AS DECIMAL(10,2)), DATE '2026-11-23',"
            " TIMESTAMP '2026-11-23 08:00:00', TRUE, NULL, 'x'"
        )
        row = cursor.fetchone()
        same([str(v) for v in row], ["1", "2", "1.5", "12.50", "2026-11-23", "2026-11-23 08:00:00", "True", "None", "x"])
        same(cursor.execute("SELECT %s", ("水",)).fetchone(), ("水",))
        same(cursor.execute("SELECT count(*) FROM observations WHERE entity_id = %t", (None,)).fetchone(), (0,))

    # A statement prepared once and run often.
    for n in range(12):
        got = connection.execute("SELECT count(*) FROM observations WHERE journal_position < %s", (n,), prepare=True).fetchone()
        same(got, (n,))

    error = fails(connection, "SELECT * FROM observatons", "42P01")
    same("observations" in error.diag.message_hint, True)
    fails(connection, "SELECT count(*) FROM observations WHERE value_number > %s", "22P02", ("much",))
    fails(connection, "UPDATE cases SET id = 1", "25006")
    same(connection.execute("SELECT 1").fetchone(), (1,))

    # Cancelling from another connection.
    slow = (
        "SELECT count(*) FROM observations a, observations b, observations c, observations d"
        " WHERE a.value_number + b.value_number + c.value_number + d.value_number < 0"
    )
    stop = threading.Event()

    def cancel():
        while not stop.wait(0.1):
            connection.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    began = time.monotonic()
    fails(connection, slow, "57014")
    stop.set()
    thread.join()
    same(time.monotonic() - began < 15, True)
    for _ in range(50):  # A cancel that came late may still hit one more statement.
        try:
            same(connection.execute("SELECT 2").fetchone(), (2,))
            break
        except psycopg.errors.QueryCanceled:
            pass

with psycopg.connect(**where) as connection:
    # A transaction that fails is over until its end; server-side cursors give rows in parts.
    connection.execute("SELECT 1")
    fails(connection, "SELECT x", "42703")
    fails(connection, "SELECT 1", "25P02")
    connection.rollback()
    with connection.cursor(name="parts") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT journal_position FROM observations ORDER BY 1")
        same([row[0] for row in cursor], list(range(1000)))
    with connection.transaction():
        try:
            with connection.transaction():
                connection.execute("SELECT x")
        except psycopg.Error:
            pass
        same(connection.execute("SELECT 3").fetchone(), (3,))
    with connection.pipeline():
        a, b = connection.execute("SELECT 1"), connection.execute("SELECT 2")
    same((a.fetchone(), b.fetchone()), ((1,), (2,)))

url = sqlalchemy.URL.create("postgresql+psycopg", "wang", password, "127.0.0.1", int(port), "city", query={"sslmode": "disable"})
engine = sqlalchemy.create_engine(url)
inspector = sqlalchemy.inspect(engine)
rollups = [f"observations_{span}" for span in ("1d", "1h", "1m")]
same(sorted(inspector.get_table_names()), ["cases", "observations", *rollups])
same(inspector.get_view_names(), ["WaterObserved"])
same(inspector.get_schema_names(), ["information_schema", "public"])
columns = [(c["name"], str(c["type"])) for c in inspector.get_columns("cases")]
same(
    columns,
    [("id", "BIGINT"), ("title", "TEXT"), ("opened_at", "TIMESTAMP"), ("cost", "DOUBLE PRECISION"), ("closed", "BOOLEAN"), ("detail", "JSON")],
)
same(inspector.get_pk_constraint("cases")["constrained_columns"], [])
same(inspector.get_foreign_keys("cases"), [])
same(inspector.get_indexes("cases"), [])
with engine.connect() as connection:
    table = sqlalchemy.Table("observations", sqlalchemy.MetaData(), autoload_with=engine)
    question = sqlalchemy.select(sqlalchemy.func.count()).select_from(table).where(table.c.value_number < 29)
    same(connection.execute(question).scalar(), 100)

print("all as expected")
