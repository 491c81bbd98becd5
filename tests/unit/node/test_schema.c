/* decisions.md 30: a schema grows and takes along what was there. A store as the first migration of every
 * component made it, filled to the last column, is brought to the newest on each engine: nothing is lost or
 * changed. */
#include "core/base/asset.h"
#include "tests/unit/node/support.h"
#include "tests/support/postgresql.h"

#define ROWS 20

typedef struct {
    char *name, *type;
} Column;

typedef struct {
    char *name;
    GArray *columns; /* Column */
} Table;

typedef struct {
    GArray *migrations; /* Migration: the first of each component */
    GPtrArray *tables;  /* Table, in the order in which they were made */
} First;

static Table *table_new(const char *name)
{
    Table *table = g_new0(Table, 1);
    table->name = g_strdup(name);
    table->columns = g_array_new(FALSE, FALSE, sizeof(Column));
    return table;
}

static void table_free(gpointer data)
{
    Table *table = data;
    for (guint i = 0; i < table->columns->len; i++) {
        g_free(g_array_index(table->columns, Column, i).name);
        g_free(g_array_index(table->columns, Column, i).type);
    }
    g_array_unref(table->columns);
    g_free(table->name);
    g_free(table);
}

static gboolean is_column(const char *word)
{
    static const char *const clauses[] = {"PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "--", NULL};
    return !g_strv_contains(clauses, word);
}

/* Our migrations have a column a line. */
static void read_tables(GPtrArray *tables, const char *sql)
{
    g_auto(GStrv) lines = g_strsplit(sql, "\n", -1);
    Table *table = NULL;
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " ,", 4);
        guint n = g_strv_length(words);
        if (n >= 3 && strcmp(words[0], "CREATE") == 0 && strcmp(words[1], "TABLE") == 0) {
            table = table_new(words[2]);
            g_ptr_array_add(tables, table);
        } else if (table != NULL && words[0] != NULL && words[0][0] == ')') {
            table = NULL;
        } else if (table != NULL && n >= 2 && is_column(words[0])) {
            Column column = {.name = g_strdup(words[0]), .type = g_strdup(words[1])};
            g_array_append_val(table->columns, column);
        }
    }
}

static void take_first(const char *name, const char *bytes, gsize length, gpointer user_data)
{
    First *first = user_data;
    g_auto(GStrv) parts = g_strsplit(name, "/", 3);
    if (g_strcmp0(parts[2], "0001.sql") != 0)
        return;
    Migration migration = {.component = g_strdup(parts[1]), .number = 1, .sql = bytes};
    g_array_append_val(first->migrations, migration);
    read_tables(first->tables, bytes);
}

static void first_clear(First *first)
{
    for (guint i = 0; i < first->migrations->len; i++)
        g_free((char *)g_array_index(first->migrations, Migration, i).component);
    g_array_unref(first->migrations);
    g_ptr_array_unref(first->tables);
}

/* Row `i` has `i` in every number, and the name of the column with `i` in every text, so that what refers to
 * another table finds it: thumbprint to thumbprint, contract_id to id. */
static Value value_of(const Column *column, gint64 i, char **text)
{
    if (strcmp(column->type, "BIGINT") == 0 || strcmp(column->type, "{id}") == 0)
        return value_integer(i);
    *text = g_strdup_printf("%s-%" G_GINT64_FORMAT, column->name, i);
    return strcmp(column->type, "TEXT") == 0 ? value_text(*text) : value_blob(*text, strlen(*text));
}

static void fill_row(Db *db, const Table *table, gint64 i)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) sql = g_string_new("INSERT INTO ");
    g_autoptr(GString) places = g_string_new(NULL);
    g_autofree Value *values = g_new0(Value, table->columns->len);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_string_append_printf(sql, "%s (", table->name);
    for (guint c = 0; c < table->columns->len; c++) {
        const Column *column = &g_array_index(table->columns, Column, c);
        char *text = NULL;
        values[c] = value_of(column, i, &text);
        g_ptr_array_add(texts, text);
        g_string_append_printf(sql, "%s%s", c > 0 ? ", " : "", column->name);
        g_string_append_printf(places, "%s?%u", c > 0 ? ", " : "", c + 1);
    }
    g_string_append_printf(sql, ") VALUES (%s)", places->str);
    db_run_values(db, sql->str, values, table->columns->len, &error);
    no_error(error);
}

static gint64 count(Db *db, const char *sql, Value value)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rows) rows = db_query(db, &error, sql, value);
    no_error(error);
    assert_true(rows_next(rows));
    return rows_integer(rows, 0);
}

/* What a migration throws away on purpose: which file of persons was read, so that it is read again. */
static gboolean is_set_anew(const Table *table)
{
    return strcmp(table->name, "brp_source") == 0;
}

static void check_table(Db *db, const Table *table)
{
    for (guint c = 0; c < table->columns->len; c++) {
        const Column *column = &g_array_index(table->columns, Column, c);
        g_autofree char *sql =
            g_strdup_printf("SELECT COUNT(*) FROM %s WHERE %s = ?1", table->name, column->name);
        for (gint64 i = 1; i <= ROWS && !is_set_anew(table); i++) {
            char *text = NULL;
            gint64 found = count(db, sql, value_of(column, i, &text));
            g_free(text);
            if (found != 1)
                print_message("%s.%s of row %" G_GINT64_FORMAT "\n", table->name, column->name, i);
            assert_int_equal(found, 1);
        }
    }
}

static void migrate_filled(const char *url)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Store) store = store_open(url, &error);
    no_error(error);
    First first = {.migrations = g_array_new(FALSE, FALSE, sizeof(Migration)),
                   .tables = g_ptr_array_new_with_free_func(table_free)};
    asset_each("schema/", take_first, &first);
    assert_true(first.tables->len >= 19);
    assert_true(
        store_migrate(store, (const Migration *)first.migrations->data, first.migrations->len, &error));
    g_autoptr(Db) db = store_take(store, &error);
    for (guint t = 0; t < first.tables->len; t++)
        for (gint64 i = 1; i <= ROWS; i++)
            fill_row(db, first.tables->pdata[t], i);
    node_migrate(store, NULL, 0, &error);
    no_error(error);
    for (guint t = 0; t < first.tables->len; t++)
        check_table(db, first.tables->pdata[t]);
    node_migrate(store, NULL, 0, &error); /* and again, which is nothing */
    no_error(error);
    g_clear_pointer(&db, db_release);
    first_clear(&first);
}

static void a_filled_store_of_the_first_migrations_becomes_the_newest_on_sqlite(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *url = g_strconcat("sqlite:", folder, "/node.db", NULL);
    migrate_filled(url);
}

static void a_filled_store_of_the_first_migrations_becomes_the_newest_on_postgresql(void **state)
{
    g_autofree char *url = test_postgresql_start();
    if (url == NULL)
        skip();
    migrate_filled(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filled_store_of_the_first_migrations_becomes_the_newest_on_sqlite),
        cmocka_unit_test(a_filled_store_of_the_first_migrations_becomes_the_newest_on_postgresql),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
