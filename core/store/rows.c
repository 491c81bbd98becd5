/* Values that go in and rows that come out, the same for both engines. */
#include "core/store/store_private.h"

#include <string.h>

typedef struct {
    ValueKind kind;
    gint64 integer;
    gsize offset; /* of the text or bytes in `data` */
    gsize length;
} Cell;

struct rows {
    guint columns;
    gint64 position; /* -1 before the first */
    GArray *cells;
    GByteArray *data; /* every text and blob, each with a NUL behind it */
};

Value value_null(void)
{
    return (Value){.kind = VALUE_NULL};
}

Value value_integer(gint64 integer)
{
    return (Value){.kind = VALUE_INTEGER, .integer = integer};
}

Value value_text(const char *text)
{
    if (text == NULL) {
        return value_null();
    }
    return (Value){.kind = VALUE_TEXT, .data = text, .length = strlen(text)};
}

Value value_blob(const void *data, gsize length)
{
    return (Value){.kind = VALUE_BLOB, .data = data != NULL ? data : "", .length = length};
}

Value value_bytes(GBytes *bytes)
{
    if (bytes == NULL) {
        return value_null();
    }
    gsize length = 0;
    const void *data = g_bytes_get_data(bytes, &length);
    return value_blob(data, length);
}

Rows *rows_new(guint columns)
{
    Rows *rows = g_new0(Rows, 1);
    rows->columns = columns;
    rows->position = -1;
    rows->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
    rows->data = g_byte_array_new();
    return rows;
}

void rows_free(Rows *rows)
{
    if (rows == NULL) {
        return;
    }
    g_array_unref(rows->cells);
    g_byte_array_unref(rows->data);
    g_free(rows);
}

void rows_add_null(Rows *rows)
{
    Cell cell = {.kind = VALUE_NULL};
    g_array_append_val(rows->cells, cell);
}

void rows_add_integer(Rows *rows, gint64 integer)
{
    Cell cell = {.kind = VALUE_INTEGER, .integer = integer};
    g_array_append_val(rows->cells, cell);
}

void rows_add_data(Rows *rows, ValueKind kind, const void *data, gsize length)
{
    Cell cell = {.kind = kind, .offset = rows->data->len, .length = length};
    g_array_append_val(rows->cells, cell);
    if (length > 0) {
        g_byte_array_append(rows->data, data, (guint)length);
    }
    g_byte_array_append(rows->data, (const guint8 *)"", 1);
}

guint rows_count(const Rows *rows)
{
    return rows->columns == 0 ? 0 : rows->cells->len / rows->columns;
}

gboolean rows_next(Rows *rows)
{
    if (rows->position + 1 >= (gint64)rows_count(rows)) {
        return FALSE;
    }
    rows->position++;
    return TRUE;
}

/* The cell of the current row, or NULL when it holds NULL. A column or a kind that is not there is a mistake
 * in the calling code: it is logged and reads as NULL. */
static const Cell *cell_at(const Rows *rows, guint column, ValueKind kind)
{
    g_return_val_if_fail(rows->position >= 0 && column < rows->columns, NULL);
    const Cell *cell = &g_array_index(rows->cells, Cell, (guint)rows->position * rows->columns + column);
    if (cell->kind == VALUE_NULL) {
        return NULL;
    }
    g_return_val_if_fail(cell->kind == kind, NULL);
    return cell;
}

gint64 rows_integer(const Rows *rows, guint column)
{
    const Cell *cell = cell_at(rows, column, VALUE_INTEGER);
    return cell != NULL ? cell->integer : 0;
}

const char *rows_text(const Rows *rows, guint column)
{
    const Cell *cell = cell_at(rows, column, VALUE_TEXT);
    return cell != NULL ? (const char *)rows->data->data + cell->offset : NULL;
}

gconstpointer rows_blob(const Rows *rows, guint column, gsize *length)
{
    const Cell *cell = cell_at(rows, column, VALUE_BLOB);
    *length = cell != NULL ? cell->length : 0;
    return cell != NULL ? rows->data->data + cell->offset : NULL;
}

gboolean rows_is_null(const Rows *rows, guint column)
{
    g_return_val_if_fail(rows->position >= 0 && column < rows->columns, TRUE);
    return g_array_index(rows->cells, Cell, (guint)rows->position * rows->columns + column).kind ==
           VALUE_NULL;
}
