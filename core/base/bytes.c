#include "core/base/bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/error.h"

static const char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *base64url_encode(const void *data, gsize length)
{
    const guint8 *bytes = data;
    char *text = g_malloc(length / 3 * 4 + 4);
    char *out = text;
    guint32 group = 0;
    guint bits = 0;
    for (gsize i = 0; i < length; i++) {
        group = (group << 8 | bytes[i]) & 0xffff;
        for (bits += 8; bits >= 6; bits -= 6)
            *out++ = base64url_alphabet[group >> (bits - 6) & 63];
    }
    if (bits > 0)
        *out++ = base64url_alphabet[group << (6 - bits) & 63];
    *out = '\0';
    return text;
}

/* The six bits that a character stands for, or -1. */
static int base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

GBytes *base64url_decode(const char *text, gssize length, GError **error)
{
    gsize n = length < 0 ? strlen(text) : (gsize)length;
    g_autofree guint8 *bytes = g_malloc(n / 4 * 3 + 3);
    gsize n_bytes = 0;
    guint32 group = 0;
    guint bits = 0;
    for (gsize i = 0; i < n; i++) {
        int value = base64url_value(text[i]);
        if (value < 0) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "not base64url: character %" G_GSIZE_FORMAT
                        " is outside the alphabet (no padding, no white space)",
                        i + 1);
            return NULL;
        }
        group = (group << 6 | (guint32)value) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[n_bytes++] = (guint8)(group >> bits);
        }
    }
    /* RFC 4648 3.5: left-over bits must be zero, or two texts would stand for the same bytes; six of them
     * mean that a character is missing. */
    if (bits == 6 || (group & ((1u << bits) - 1)) != 0) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "not base64url: the last character is cut off or has stray bits");
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&bytes), n_bytes);
}

char *hex_encode(const void *data, gsize length)
{
    static const char digits[] = "0123456789abcdef";
    const guint8 *bytes = data;
    char *text = g_malloc(length * 2 + 1);
    for (gsize i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * length] = '\0';
    return text;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

gboolean hex_decode(const char *text, guint8 *out, gsize length)
{
    if (text == NULL)
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        int high = hex_value(text[2 * i]);
        int low = high < 0 ? -1 : hex_value(text[2 * i + 1]);
        if (low < 0)
            return FALSE;
        out[i] = (guint8)(high << 4 | low);
    }
    return text[2 * length] == '\0';
}

void random_fill(void *out, gsize length)
{
    guint8 *at = out;
    while (length > 0) {
        ssize_t n = getrandom(at, length, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            g_error("the operating system gives no random bytes (getrandom: %s)", g_strerror(errno));
        at += n;
        length -= (gsize)n;
    }
}

void secret_wipe(void *data, gsize length)
{
    if (length > 0)
        explicit_bzero(data, length);
}

gboolean secret_equal(const void *a, gsize a_length, const void *b, gsize b_length)
{
    if (a_length != b_length)
        return FALSE;
    const volatile guint8 *left = a;
    const volatile guint8 *right = b;
    guint8 difference = 0;
    for (gsize i = 0; i < a_length; i++)
        difference |= left[i] ^ right[i];
    return difference == 0;
}

typedef struct {
    gsize length;
    guint8 data[];
} SecretBlock;

static void secret_block_free(gpointer pointer)
{
    SecretBlock *block = pointer;
    secret_wipe(block->data, block->length);
    g_free(block);
}

GBytes *secret_bytes_new(const void *data, gsize length)
{
    SecretBlock *block = g_malloc(sizeof *block + length);
    block->length = length;
    if (length > 0)
        memcpy(block->data, data, length);
    return g_bytes_new_with_free_func(block->data, length, secret_block_free, block);
}
