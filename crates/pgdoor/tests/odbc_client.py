"""psqlODBC against the door, as Excel, Power BI and their like use it: python odbc_client.py PORT PASSWORD DRIVER."""

import datetime
import sys

import pyodbc

port, password, driver = sys.argv[1:]
where = f"DRIVER={driver};SERVER=127.0.0.1;PORT={port};DATABASE=city;UID=wang;PWD={password};SSLmode=disable"
start = datetime.datetime(2026, 11, 23, 8)


def same(got, expected):
    if got != expected:
        raise SystemExit(f"got {got!r}, expected {expected!r}")


def rows(cursor):
    return [tuple(row) for row in cursor.fetchall()]


def fails(cursor, sql, state):
    try:
        cursor.execute(sql)
    except pyodbc.Error as error:
        same((sql, error.args[0]), (sql, state))
        return
    raise SystemExit(f"{sql} did not fail")


# What the tools' dialogs ask for: with prepared statements and without, all rows at once and in parts, and with the
# types that Access and Excel want.
for more in (
    "",
    "UseServerSidePrepare=0",
    "UseDeclareFetch=1;Fetch=100",
    "Protocol=7.4-2;BoolsAsChar=0;TextAsLongVarchar=0;UnknownSizes=1;RowVersioning=1;ShowSystemTables=1;ShowOidColumn=1",
):
    with pyodbc.connect(f"{where};{more}", autocommit=True) as connection:
        cursor = connection.cursor()
        same(connection.getinfo(pyodbc.SQL_DBMS_NAME), "PostgreSQL")
        same(connection.getinfo(pyodbc.SQL_DATABASE_NAME), "city")

        # The list of tables and views, and of their columns.
        tables = {(t.table_schem, t.table_name, t.table_type) for t in cursor.tables(schema="public")}
        same({("public", "cases", "TABLE"), ("public", "observations", "TABLE"), ("public", "WaterObserved", "VIEW")} <= tables, True)
        same([t.table_name for t in cursor.tables(tableType="VIEW", schema="public")], ["WaterObserved"])
        same([t.table_name for t in cursor.tables(table="case%", schema="public")], ["cases"])
        columns = [(c.column_name, c.type_name) for c in cursor.columns(table="cases", schema="public")]
        wanted = [("id", "int8"), ("title", "text"), ("opened_at", "timestamptz"), ("cost", "float8"), ("closed", "bool"), ("detail", "json")]
        # Columns of the system are told where they are asked for.
        same([c for c in columns if c[0] not in ("oid", "xmin")], wanted)
        columns = [c.column_name for c in cursor.columns(table="WaterObserved")]
        same(set(columns) - {"oid", "xmin"}, {"entity_id", "observed_at", "waterLevel", "flooded"})
        # What there is of databases, schemas and kinds of tables.
        cursor.tables(catalog="%", schema="", table="").fetchall()
        same("public" in [t.table_schem for t in cursor.tables(catalog="", schema="%", table="")], True)
        same({"TABLE", "VIEW"} <= {t.table_type for t in cursor.tables(catalog="", schema="", table="", tableType="%")}, True)
        # What does not exist is empty, and no error.
        for none in (
            cursor.primaryKeys("cases"),
            cursor.foreignKeys("cases"),
            cursor.foreignKeys(foreignTable="cases"),
            cursor.statistics("cases"),
            cursor.procedures(schema="public"),
            cursor.tables(schema="elsewhere"),
        ):
            same(len(none.fetchall()) <= 1, True)
        cursor.rowIdColumns("cases").fetchall()
        cursor.rowVerColumns("cases").fetchall()
        same("timestamptz" in [t.type_name for t in cursor.getTypeInfo()], True)

        # Values, nulls and parameters.
        cursor.execute("SELECT id, title, opened_at, cost, closed FROM cases ORDER BY id")
        first, second = rows(cursor)
        same(first[:4], (1, "井盖 'lost'", start + datetime.timedelta(seconds=10.5), 12.5))
        same(second[:4], (2, None, None, None))
        same([str(row[4]) in ("0", "False", "1", "True") for row in (first, second)], [True, True])
        cursor.execute(
            "SELECT entity_id, observed_at, value_number, journal_position FROM observations WHERE observed_at >= ? AND"
            " value_number > ? AND journal_position < ? AND door = ? ORDER BY journal_position LIMIT 2",
            start + datetime.timedelta(seconds=100),
            28.5,
            500,
            "mqtt",
        )
        same(
            rows(cursor),
            [
                ("urn:ngsi-ld:WaterObserved:0", start + datetime.timedelta(seconds=100), 29.0, 100),
                ("urn:ngsi-ld:WaterObserved:1", start + datetime.timedelta(seconds=101), 29.01, 101),
            ],
        )
        same(cursor.execute("SELECT count(*) FROM observations WHERE entity_id = ?", None).fetchval(), 0)
        same(cursor.execute("SELECT count(*) FROM observations WHERE observed_at::date = ?", start.date()).fetchval(), 1000)
        same(cursor.execute("SELECT title FROM cases WHERE title = ?", "井盖 'lost'").fetchval(), "井盖 'lost'")
        for n in range(5):
            same(cursor.execute("SELECT count(*) FROM observations WHERE journal_position < ?", n).fetchval(), n)
        cursor.execute("SELECT journal_position FROM observations ORDER BY 1")
        same([row[0] for row in cursor], list(range(1000)))
        # Power BI folds its steps into questions of this kind.
        cursor.execute(
            'select "_"."entity_id", avg(cast("_"."value_number" as double precision)) as "mean", {fn hour({ts \'2026-11-23 08:00:00\'})} as "h"'
            ' from "city"."public"."observations" "_" where "_"."entity_id" like \'%:1\' group by "_"."entity_id" limit 1000'
        )
        same([row[0] for row in rows(cursor)], ["urn:ngsi-ld:WaterObserved:1"])

        fails(cursor, "SELECT * FROM observatons", "42P01")
        fails(cursor, "UPDATE cases SET id = 1", "25006")
        same(cursor.execute("SELECT 1").fetchval(), 1)

# A transaction, as tools without autocommit open it.
with pyodbc.connect(where) as connection:
    cursor = connection.cursor()
    same(cursor.execute("SELECT count(*) FROM observations").fetchval(), 1000)
    fails(cursor, "SELECT x", "42703")
    connection.rollback()
    same(cursor.execute("SELECT 2").fetchval(), 2)
    connection.commit()

# ODBC's times have no zone: they are the session's clock, both ways.
with pyodbc.connect(f"{where};ConnSettings=SET+TIME+ZONE+'Asia/Shanghai'", autocommit=True) as connection:
    cursor = connection.cursor()
    local = datetime.datetime(2026, 11, 23, 16)
    same(cursor.execute("SELECT min(observed_at) FROM observations").fetchval(), local)
    same(cursor.execute("SELECT date_trunc('day', min(observed_at)) FROM observations").fetchval(), datetime.datetime(2026, 11, 23))
    later = local + datetime.timedelta(seconds=10)
    same(cursor.execute("SELECT count(*) FROM observations WHERE observed_at < ?", later).fetchval(), 10)

print("all as expected")
