// PostgreSQL's JDBC driver against the door: java -cp postgresql.jar JdbcClient.java PORT PASSWORD
// What DBeaver and BI tools on the Java side do: metadata, parameters of every kind, rows in parts, errors, settings.

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.TreeSet;

public class JdbcClient {
    static Connection connection;

    static void same(Object got, Object expected) {
        if (!Objects.equals(String.valueOf(got), String.valueOf(expected))) {
            throw new AssertionError("got " + got + ", expected " + expected);
        }
    }

    /** All rows, the named columns of each (all when none is named) between bars. */
    static List<String> rows(ResultSet rows, String... names) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) {
            List<String> cells = new ArrayList<>();
            for (String name : names) {
                cells.add(rows.getString(name));
            }
            for (int n = 1; names.length == 0 && n <= rows.getMetaData().getColumnCount(); n++) {
                cells.add(rows.getString(n));
            }
            found.add(String.join("|", cells.stream().map(String::valueOf).toList()));
        }
        rows.close();
        return found;
    }

    static List<String> ask(String sql, String... names) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return rows(statement.executeQuery(sql), names);
        } catch (SQLException error) {
            throw new SQLException(sql + ": " + error.getMessage(), error.getSQLState(), error);
        }
    }

    static void fails(String state, String sql) throws SQLException {
        try {
            ask(sql);
        } catch (SQLException error) {
            same(error.getSQLState() + " of " + sql, state + " of " + sql);
            return;
        }
        throw new AssertionError(sql + " did not fail");
    }

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.setProperty("user", "wang");
        settings.setProperty("password", arguments[1]);
        settings.setProperty("sslmode", "disable");
        settings.setProperty("ApplicationName", "DBeaver 24.1.0 - Main");
        connection = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + arguments[0] + "/city", settings);
        metadata(connection.getMetaData());
        // After five rounds the driver prepares on the server and asks for binary values.
        for (int round = 0; round < 8; round++) {
            parameters();
            values();
        }
        parts();
        errors();
        whatToolsSet();
        whatDBeaverAsks();
        whatChartsAsk();
        connection.close();
        System.out.println("all as expected");
    }

    static void metadata(DatabaseMetaData metadata) throws SQLException {
        same(metadata.getDatabaseProductName(), "PostgreSQL");
        same(metadata.getDatabaseMajorVersion(), 15);
        same(metadata.getUserName(), "wang");
        same(connection.getCatalog(), "city");
        same(connection.getSchema(), "public");
        same(rows(metadata.getCatalogs()), "[city]");
        same(rows(metadata.getSchemas(), "TABLE_SCHEM"), "[information_schema, pg_catalog, public]");
        same(
            rows(metadata.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}), "TABLE_TYPE", "TABLE_NAME"),
            "[TABLE|cases, TABLE|observations, TABLE|observations_1d, TABLE|observations_1h, TABLE|observations_1m, VIEW|WaterObserved]");
        same(rows(metadata.getTables(null, null, "cas%", null), "TABLE_SCHEM", "REMARKS"), "[public|Cases of the city.]");
        same(
            rows(metadata.getColumns(null, "public", "cases", "%"), "COLUMN_NAME", "TYPE_NAME", "DATA_TYPE", "IS_NULLABLE"),
            List.of(
                "id|int8|" + Types.BIGINT + "|YES", "title|text|" + Types.VARCHAR + "|YES",
                "opened_at|timestamptz|" + Types.TIMESTAMP + "|YES", "cost|float8|" + Types.DOUBLE + "|YES",
                "closed|bool|" + Types.BIT + "|YES", "detail|json|" + Types.OTHER + "|YES"));
        same(rows(metadata.getColumns(null, null, "Water%", "waterLevel"), "TABLE_NAME", "TYPE_NAME"), "[WaterObserved|float8]");
        // There are no keys, no indexes and no functions of one's own: asked for, and told so.
        same(rows(metadata.getPrimaryKeys(null, "public", "cases")), "[]");
        same(rows(metadata.getIndexInfo(null, "public", "cases", false, true)), "[]");
        same(rows(metadata.getImportedKeys(null, "public", "cases")), "[]");
        same(rows(metadata.getExportedKeys(null, "public", "cases")), "[]");
        same(rows(metadata.getCrossReference(null, "public", "cases", null, "public", "observations")), "[]");
        same(rows(metadata.getBestRowIdentifier(null, "public", "cases", DatabaseMetaData.bestRowSession, true)), "[]");
        same(rows(metadata.getProcedures(null, "public", "%")), "[]");
        same(rows(metadata.getFunctions(null, "public", "%")), "[]");
        same(rows(metadata.getFunctionColumns(null, "public", "%", "%")), "[]");
        same(rows(metadata.getProcedureColumns(null, "public", "%", "%")), "[]");
        same(rows(metadata.getUDTs(null, "public", "%", null)), "[]");
        List<String> types = rows(metadata.getTypeInfo(), "TYPE_NAME");
        same(types.containsAll(List.of("bool", "int8", "float8", "text", "timestamptz", "json")), true);
        // Who may see a table may read it, and nobody may more.
        same(new TreeSet<>(rows(metadata.getTablePrivileges(null, "public", "cases"), "PRIVILEGE")), "[SELECT]");
        rows(metadata.getColumnPrivileges(null, "public", "cases", "%"));
        same(metadata.getSQLKeywords().contains("ilike"), true);
        same(metadata.getMaxColumnNameLength(), 63);
    }

    static void parameters() throws SQLException {
        String sql = "SELECT entity_id, observed_at, value_number, journal_position FROM observations WHERE observed_at >= ?"
            + " AND value_number > ? AND journal_position < ? AND door = ? ORDER BY journal_position LIMIT ?";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setTimestamp(1, Timestamp.from(Instant.parse("2026-11-23T08:01:40Z")));
            statement.setDouble(2, 28.5);
            statement.setLong(3, 500);
            statement.setString(4, "mqtt");
            statement.setInt(5, 2);
            ResultSet rows = statement.executeQuery();
            same(rows.next(), true);
            same(rows.getString(1), "urn:ngsi-ld:WaterObserved:0");
            same(rows.getTimestamp(2).toInstant(), "2026-11-23T08:01:40Z");
            same(rows.getObject(2, OffsetDateTime.class).toInstant(), "2026-11-23T08:01:40Z");
            same(rows.getDouble(3), 29.0);
            same(rows.getLong(4), 100);
            same(rows.next(), true);
            same(rows.next(), false);
            same(statement.getMetaData().getColumnTypeName(2), "timestamptz");
            same(statement.getMetaData().getColumnLabel(3), "value_number");
        }
        sql = "SELECT count(*) FROM cases WHERE id = ? AND title = ? AND cost = ? AND closed = ? AND opened_at = ? AND opened_at < ?";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setShort(1, (short) 1);
            statement.setString(2, "井盖 'lost'");
            statement.setBigDecimal(3, new BigDecimal("12.5"));
            statement.setBoolean(4, false);
            statement.setObject(5, OffsetDateTime.of(2026, 11, 23, 8, 0, 10, 500_000_000, ZoneOffset.UTC));
            statement.setObject(6, LocalDate.of(2026, 11, 24));
            same(rows(statement.executeQuery()), "[1]");
        }
        sql = "SELECT count(*) FROM cases WHERE title = ? OR cost < ? OR (opened_at IS NULL AND id = ?)";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setNull(1, Types.VARCHAR);
            statement.setNull(2, Types.DOUBLE);
            statement.setObject(3, 2);
            same(rows(statement.executeQuery()), "[1]");
        }
        sql = "SELECT count(*) FROM observations WHERE CAST(observed_at AS DATE) = ? AND value_number < ?";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setDate(1, java.sql.Date.valueOf("2026-11-23"));
            statement.setFloat(2, 29);
            same(rows(statement.executeQuery()), "[100]");
        }
        sql = "SELECT ?, ? + 1, ?::float8, ?::timestamp, ?::date, ?::boolean";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, "水");
            statement.setInt(2, 1);
            statement.setString(3, "1.5");
            statement.setString(4, "2026-11-23 08:00:00");
            statement.setString(5, "2026-11-23");
            statement.setBoolean(6, true);
            ResultSet rows = statement.executeQuery();
            same(rows.next(), true);
            same(rows.getString(1) + rows.getLong(2) + rows.getDouble(3) + rows.getBoolean(6), "水21.5true");
            same(rows.getObject(4, java.time.LocalDateTime.class) + " " + rows.getDate(5), "2026-11-23T08:00 2026-11-23");
        }
    }

    static void values() throws SQLException {
        String sql = "SELECT *, CAST(1 AS SMALLINT) a, CAST(2 AS INT) b, CAST(1.5 AS REAL) c, CAST('12.50' AS DECIMAL(10,2)) d,"
            + " DATE '2026-11-23' e, TIMESTAMP '2026-11-23 08:00:00' f, TRUE g, NULL h, 'x' i, TIME '08:00:00' j FROM cases ORDER BY id";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            ResultSet rows = statement.executeQuery();
            same(rows.next(), true);
            same(rows.getLong("id") + rows.getString("title"), "1井盖 'lost'");
            same(rows.getTimestamp("opened_at").toInstant(), "2026-11-23T08:00:10.500Z");
            same(rows.getDouble("cost") + " " + rows.getBoolean("closed"), "12.5 false");
            same(rows.getString("detail").replace(" ", ""), "{\"a\":[1,2]}");
            same(rows.getObject("a") + " " + rows.getObject("b") + " " + rows.getObject("c"), "1 2 1.5");
            same(rows.getObject("d") + " " + rows.getObject("e") + " " + rows.getObject("f"), "12.50 2026-11-23 2026-11-23 08:00:00.0");
            same(rows.getObject("g") + " " + rows.getObject("h") + " " + rows.getObject("j"), "true null 08:00:00");
            same(rows.next(), true);
            same(rows.getObject("title") + " " + rows.getObject("opened_at"), "null null");
            same(rows.wasNull(), true);
        }
    }

    static void parts() throws SQLException {
        connection.setAutoCommit(false);
        connection.setReadOnly(true);
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT journal_position FROM observations WHERE journal_position >= ? ORDER BY 1")) {
            statement.setFetchSize(100);
            statement.setLong(1, 0);
            ResultSet rows = statement.executeQuery();
            long count = 0;
            while (rows.next()) {
                same(rows.getLong(1), count++);
            }
            same(count, 1000);
        }
        try (Statement statement = connection.createStatement()) {
            statement.setMaxRows(7);
            same(rows(statement.executeQuery("SELECT journal_position FROM observations ORDER BY 1")).size(), 7);
        }
        connection.commit();
    }

    static void errors() throws SQLException {
        fails("42703", "SELECT lvel FROM observations");
        fails("25P02", "SELECT 1");
        connection.rollback();
        Savepoint savepoint = connection.setSavepoint("before");
        fails("42P01", "SELECT 1 FROM observatons");
        connection.rollback(savepoint);
        same(ask("SELECT 1"), "[1]");
        connection.releaseSavepoint(savepoint);
        connection.commit();
        connection.setReadOnly(false);
        connection.setAutoCommit(true);
        fails("42601", "SELEC 1");
        fails("25006", "DELETE FROM cases");
        fails("25006", "INSERT INTO cases VALUES (1)");
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            statement.executeQuery("SELECT count(*) FROM observations a, observations b, observations c, observations d"
                + " WHERE a.value_number + b.value_number + c.value_number + d.value_number < 0");
            throw new AssertionError("it was not stopped");
        } catch (SQLException error) {
            same(error.getSQLState(), "57014");
        }
        same(connection.isValid(5), true);
    }

    static void whatToolsSet() throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String set : List.of(
                    "SET extra_float_digits = 3", "SET application_name = 'Tableau'", "SET search_path = public,\"$user\"",
                    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET statement_timeout = 60000", "SET DateStyle = 'ISO'",
                    "SET datestyle TO ISO, MDY", "SET TIME ZONE 'UTC'", "SET client_encoding = 'UTF8'", "SET lock_timeout = '5s'")) {
                statement.addBatch(set);
            }
            same(statement.executeBatch().length, 10);
            statement.execute("SET extra_float_digits = 3; SET application_name = 'x'; SELECT 1");
        }
        connection.setClientInfo("ApplicationName", "Metabase");
        same(connection.getClientInfo("ApplicationName"), "Metabase");
        connection.setSchema("public");
        same(connection.getSchema(), "public");
        same(ask("SHOW search_path"), "[public]");
        same(ask("SHOW TRANSACTION ISOLATION LEVEL"), "[read committed]");
    }

    /** What DBeaver sends to show databases, schemas, types, tables and columns. */
    static void whatDBeaverAsks() throws SQLException {
        same(ask("SELECT current_schema(),session_user"), "[public|wang]");
        same(ask("SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE 1=1 AND datallowconn AND NOT datistemplate ORDER BY db.datname", "datname"), "[city]");
        same(ask("SELECT a.oid,a.*,pd.description FROM pg_catalog.pg_roles a LEFT OUTER JOIN pg_catalog.pg_shdescription pd ON a.oid = pd.objoid ORDER BY a.rolname", "rolname"), "[city]");
        same(ask("SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname", "nspname"), "[information_schema, pg_catalog, public]");
        List<String> types = ask("SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description FROM pg_catalog.pg_type t"
            + " LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid"
            + " LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid=d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c')"
            + " AND (et.typcategory IS NULL OR et.typcategory <> 'C')", "oid", "typname", "base_type_name");
        same(types.containsAll(List.of("25|text|null", "701|float8|null", "1184|timestamptz|null")), true);
        List<String> tables = ask("SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key"
            + " FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass"
            + " WHERE c.relnamespace=2200 AND c.relkind not in ('i','I','c')", "relname", "relkind", "description");
        same(tables.contains("cases|r|Cases of the city."), true);
        same(tables.size(), 6);
        String number = ask("SELECT oid FROM pg_class WHERE relname = 'cases'").get(0);
        List<String> columns = ask("SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dsc.description,dep.objid FROM pg_catalog.pg_attribute a"
            + " INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum)"
            + " LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid)"
            + " LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid"
            + " WHERE NOT a.attisdropped AND c.relkind not in ('i','I','c') AND c.oid=" + number + " ORDER BY a.attnum", "relname", "attname", "atttypid");
        same(columns.subList(0, 2), "[cases|id|20, cases|title|25]");
        for (String nothing : List.of(
                "SELECT i.*,i.indkey as keys,c.relname,tc.relname as tabrelname,dsc.description,pg_catalog.pg_get_expr(i.indpred, i.indrelid) as pred_expr,pg_catalog.pg_relation_size(i.indexrelid) as index_rel_size"
                    + " FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid=i.indrelid"
                    + " LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid=dsc.objoid WHERE i.indrelid=" + number + " ORDER BY tabrelname, c.relname",
                "SELECT c.oid,c.*,t.relname as tabrelname,rt.relnamespace as refnamespace,d.description, case when c.contype='c' then \"substring\"(pg_get_constraintdef(c.oid), 7) else null end consrc_copy"
                    + " FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid"
                    + " LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass WHERE c.conrelid=" + number + " ORDER BY c.oid",
                "SELECT x.oid,x.* FROM pg_catalog.pg_event_trigger x", "SELECT l.oid,l.* FROM pg_catalog.pg_language l ORDER BY l.oid",
                "SELECT typcategory FROM pg_catalog.pg_type WHERE 1<>1 LIMIT 1", "SELECT 1 FROM pg_catalog.pg_class WHERE 1<>1 LIMIT 1")) {
            same(ask(nothing), "[]");
        }
        same(ask("SELECT nspname FROM pg_namespace WHERE nspname = ANY(current_schemas(true)) ORDER BY 1"), "[pg_catalog, public]");
        same(ask("SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT IN ('information_schema','pg_catalog') AND c.relkind IN ('v')"), "[public|WaterObserved]");
        same(ask("SELECT setting FROM pg_catalog.pg_settings WHERE name='standard_conforming_strings'"), "[on]");
        same(ask("SELECT pg_catalog.pg_total_relation_size(c.oid) as total_rel_size, c.relname FROM pg_catalog.pg_class c WHERE c.relname='cases'"), "[0|cases]");
    }

    /** Times and aggregates as charts ask for them. */
    static void whatChartsAsk() throws SQLException {
        same(ask("SELECT date_trunc('hour', observed_at) AS t, count(1) AS n FROM public.observations GROUP BY date_trunc('hour', observed_at) ORDER BY n DESC LIMIT 10"), "[2026-11-23 08:00:00+00|1000]");
        same(ask("SELECT CAST(date_trunc('month', CAST(observed_at AS date)) AS date) AS m, count(*) FROM observations GROUP BY CAST(date_trunc('month', CAST(observed_at AS date)) AS date)"), "[2026-11-01|1000]");
        same(ask("SELECT DATE_TRUNC('hour', observed_at) + INTERVAL '5 minutes' * FLOOR(EXTRACT(MINUTE FROM observed_at) / 5) AS t, count(*) FROM observations GROUP BY 1 ORDER BY 1 LIMIT 2"), "[2026-11-23 08:00:00+00|300, 2026-11-23 08:05:00+00|300]");
        same(ask("SELECT count(*) FROM observations WHERE observed_at >= TO_TIMESTAMP('2026-11-23 08:10:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND observed_at < TO_TIMESTAMP('2026-12-01', 'YYYY-MM-DD')"), "[400]");
        same(ask("SELECT to_char(observed_at, 'YYYY-MM-DD HH24:MI') AS m, count(*) FROM observations GROUP BY 1 ORDER BY 1 LIMIT 1"), "[2026-11-23 08:00|60]");
        same(ask("SELECT (observed_at AT TIME ZONE 'Asia/Shanghai')::date AS d, min(observed_at AT TIME ZONE 'Asia/Shanghai') FROM observations GROUP BY 1"), "[2026-11-23|2026-11-23 16:00:00]");
        same(ask("SELECT EXTRACT(epoch FROM min(observed_at))::bigint, date_part('dow', min(observed_at)) FROM observations"), "[1795420800|1]");
        same(ask("SELECT count(*) FILTER (WHERE value_number > 30), round(percentile_cont(0.5) WITHIN GROUP (ORDER BY value_number)::numeric, 3) FROM observations"), "[799|32.995]");
        same(ask("SELECT DISTINCT ON (entity_id) entity_id, value_number FROM observations ORDER BY entity_id, observed_at DESC LIMIT 1"), "[urn:ngsi-ld:WaterObserved:0|37.9]");
        same(ask("SELECT count(*) FROM observations WHERE entity_id = ANY('{urn:ngsi-ld:WaterObserved:1,urn:ngsi-ld:WaterObserved:2}'::text[]) AND now() - INTERVAL '7 days' < now()"), "[200]");
    }
}
