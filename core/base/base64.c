#include "core/base/base64.h"

#include <string.h>

/* The six bits that a character stands for, or -1. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static gsize padding(const char *text, gsize length)
{
    gsize count = 0;
    while (count < 2 && count < length && text[length - 1 - count] == '=')
        count++;
    return count;
}

gboolean base64_valid(const char *text, gsize length)
{
    if (length % 4 != 0)
        return FALSE;
    gsize pad = padding(text, length);
    for (gsize i = 0; i < length - pad; i++)
        if (value_of(text[i]) < 0)
            return FALSE;
    int last = pad == 0 ? 0 : value_of(text[length - pad - 1]);
    return (last & (pad == 1 ? 0x03 : 0x0f)) == 0;
}

GBytes *base64_decode(const char *text, gsize length, gsize min, gsize max)
{
    gsize size = length / 4 * 3 - padding(text, length);
    if (!base64_valid(text, length) || size < min || size > max)
        return NULL;
    g_autofree char *copy = g_strndup(text, length);
    gsize written = 0;
    guchar *bytes = length == 0 ? g_malloc0(1) : g_base64_decode(copy, &written);
    return g_bytes_new_take(bytes, written);
}

gboolean base64_decode_to(const char *text, gsize length, guint8 *out, gsize size)
{
    g_autoptr(GBytes) bytes = base64_decode(text, length, size, size);
    if (bytes == NULL)
        return FALSE;
    memcpy(out, g_bytes_get_data(bytes, NULL), size);
    return TRUE;
}
