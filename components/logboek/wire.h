/* Fields with a length before them, for the binary forms of this component (record.h, transactions.h).
 * Numbers are big endian. */
#pragma once

#include <glib.h>
#include <string.h>

static inline void wire_put_u32(GByteArray *out, guint32 value)
{
    guint32 bytes = GUINT32_TO_BE(value);
    g_byte_array_append(out, (const guint8 *)&bytes, sizeof bytes);
}

static inline void wire_put_u64(GByteArray *out, guint64 value)
{
    guint64 bytes = GUINT64_TO_BE(value);
    g_byte_array_append(out, (const guint8 *)&bytes, sizeof bytes);
}

static inline guint64 wire_get_u64(const guint8 *data)
{
    guint64 bytes;
    memcpy(&bytes, data, sizeof bytes);
    return GUINT64_FROM_BE(bytes);
}

static inline void wire_put_field(GByteArray *out, const void *data, gsize length)
{
    wire_put_u32(out, (guint32)length);
    if (length > 0)
        g_byte_array_append(out, data, (guint)length);
}

/* NULL counts as empty. */
static inline void wire_put_text(GByteArray *out, const char *text)
{
    wire_put_field(out, text, text == NULL ? 0 : strlen(text));
}

typedef struct {
    const guint8 *data;
    gsize length;
} WireField;

/* Reads the field at `*position` and moves on. FALSE at the end or when it is cut short. */
static inline gboolean wire_get_field(const guint8 *data, gsize length, gsize *position, WireField *field)
{
    guint32 size;
    if (*position > length || length - *position < sizeof size)
        return FALSE;
    memcpy(&size, data + *position, sizeof size);
    size = GUINT32_FROM_BE(size);
    if (size > length - *position - sizeof size)
        return FALSE;
    field->data = data + *position + sizeof size;
    field->length = size;
    *position += sizeof size + size;
    return TRUE;
}
