#include "core/format/jcs.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/format/json_text.h"

#define LARGEST_INTEGER G_GINT64_CONSTANT(9007199254740991) /* 2^53-1 */
#define MAX_DIGITS 17                                       /* always enough for a double */
#define SAFE_DIGITS 15                                      /* DBL_DIG: survive text -> double -> text */

/* 0.d1d2d3... x 10^exponent, without trailing zeros. */
typedef struct {
    char digits[MAX_DIGITS + 2];
    int n;
    int exponent;
} Decimal;

static double decimal_value(const Decimal *decimal)
{
    char text[MAX_DIGITS + 16];
    g_snprintf(text, sizeof text, "0.%se%d", decimal->digits, decimal->exponent);
    return g_ascii_strtod(text, NULL);
}

/* The decimal of `n` digits that is nearest to a positive number. */
static void decimal_nearest(double number, int n, Decimal *out)
{
    char format[8];
    char text[MAX_DIGITS + 16];
    g_snprintf(format, sizeof format, "%%.%de", n - 1);
    g_ascii_formatd(text, sizeof text, format, number);
    out->n = 0;
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at != '.')
            out->digits[out->n++] = *at;
    out->digits[out->n] = '\0';
    out->exponent = (int)g_ascii_strtoll(at + 1, NULL, 10) + 1;
}

/* One more in the last digit. */
static void decimal_increment(Decimal *decimal)
{
    int i = decimal->n - 1;
    while (i >= 0 && decimal->digits[i] == '9')
        decimal->digits[i--] = '0';
    if (i >= 0) {
        decimal->digits[i]++;
        return;
    }
    decimal->digits[0] = '1';
    decimal->exponent++;
}

static void decimal_strip_zeros(Decimal *decimal)
{
    while (decimal->n > 1 && decimal->digits[decimal->n - 1] == '0')
        decimal->digits[--decimal->n] = '\0';
}

/* ECMA-262 7.1.12.1 step 5: the fewest digits that read back as the same double, and of those the nearest.
 * Every decimal of 15 digits survives the way through a normal double, so below 15 only zeros need to go;
 * subnormal numbers have less precision and are searched from one digit on. Just above a power of two doubles
 * lie twice as far apart as below it, so there the next decimal upwards may read back although the nearest
 * one, which lies below, does not (2^-44 is 5.684341886080802e-14). */
static void decimal_shortest(double number, Decimal *out)
{
    for (int n = number < DBL_MIN ? 1 : SAFE_DIGITS; n < MAX_DIGITS; n++) {
        decimal_nearest(number, n, out);
        if (decimal_value(out) != number)
            decimal_increment(out);
        if (decimal_value(out) == number) {
            decimal_strip_zeros(out);
            return;
        }
    }
    decimal_nearest(number, MAX_DIGITS, out);
    decimal_strip_zeros(out);
}

/* ECMA-262 7.1.12.1 steps 6 to 10; its n is our exponent, its k our number of digits. */
static void decimal_print(const Decimal *decimal, char *out, gsize size)
{
    static const char zeros[] = "00000000000000000000";
    const char *digits = decimal->digits;
    int k = decimal->n;
    int n = decimal->exponent;
    if (k <= n && n <= 21)
        g_snprintf(out, size, "%s%.*s", digits, n - k, zeros);
    else if (0 < n && n <= 21)
        g_snprintf(out, size, "%.*s.%s", n, digits, digits + n);
    else if (-6 < n && n <= 0)
        g_snprintf(out, size, "0.%.*s%s", -n, zeros, digits);
    else
        g_snprintf(out, size, "%c%s%se%+d", digits[0], k > 1 ? "." : "", digits + 1, n - 1);
}

gboolean jcs_format_number(double number, char out[32])
{
    if (!isfinite(number))
        return FALSE;
    if (fpclassify(number) == FP_ZERO) { /* minus zero too */
        g_strlcpy(out, "0", 32);
        return TRUE;
    }
    Decimal decimal;
    decimal_shortest(fabs(number), &decimal);
    gsize sign = number < 0;
    out[0] = '-';
    decimal_print(&decimal, out + sign, 32 - sign);
    return TRUE;
}

typedef struct {
    const char *name;
    gsize length;
    const json_t *value;
} Member;

/* RFC 8785 3.2.3 sorts by UTF-16 code units. UTF-8 sorts by code points, which differs in one thing:
 * characters from U+10000 on (lead bytes F0 to F4) are written with surrogates D800 to DFFF and so come
 * before U+E000 to U+FFFF (lead bytes EE and EF). Continuation bytes lie below all of these. */
static int utf16_rank(guchar byte)
{
    if (byte >= 0xf0)
        return byte - 0x02;
    return byte >= 0xee ? byte + 0x10 : byte;
}

static int member_compare(const void *a, const void *b)
{
    const Member *left = a;
    const Member *right = b;
    gsize shared = MIN(left->length, right->length);
    for (gsize i = 0; i < shared; i++) {
        int difference = utf16_rank((guchar)left->name[i]) - utf16_rank((guchar)right->name[i]);
        if (difference != 0)
            return difference;
    }
    return left->length < right->length ? -1 : left->length > right->length;
}

static gboolean write_value(GString *out, const json_t *value, GError **error);

static gboolean write_object(GString *out, json_t *object, GError **error)
{
    gsize n = json_object_size(object);
    g_autofree Member *members = g_new0(Member, n);
    gsize i = 0;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at))
        members[i++] =
            (Member){json_object_iter_key(at), json_object_iter_key_len(at), json_object_iter_value(at)};
    if (n > 1)
        qsort(members, n, sizeof *members, member_compare);
    g_string_append_c(out, '{');
    for (i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        json_text_append_string(out, members[i].name, members[i].length);
        g_string_append_c(out, ':');
        if (!write_value(out, members[i].value, error))
            return FALSE;
    }
    g_string_append_c(out, '}');
    return TRUE;
}

static gboolean write_array(GString *out, const json_t *array, GError **error)
{
    gsize index;
    json_t *element;
    g_string_append_c(out, '[');
    json_array_foreach(array, index, element)
    {
        if (index > 0)
            g_string_append_c(out, ',');
        if (!write_value(out, element, error))
            return FALSE;
    }
    g_string_append_c(out, ']');
    return TRUE;
}

static gboolean number_fits(const json_t *value)
{
    if (json_is_real(value))
        return isfinite(json_real_value(value));
    gint64 integer = json_integer_value(value);
    return integer <= LARGEST_INTEGER && integer >= -LARGEST_INTEGER;
}

static gboolean write_value(GString *out, const json_t *value, GError **error)
{
    if (json_is_object(value))
        return write_object(out, (json_t *)value, error); /* iterating only reads */
    if (json_is_array(value))
        return write_array(out, value, error);
    if (json_is_number(value) && !number_fits(value)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "a number that is not finite or an integer beyond 2^53-1 has no canonical JSON; "
                            "use a string");
        return FALSE;
    }
    json_text_append_scalar(out, value);
    return TRUE;
}

char *jcs_write(const json_t *value, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (!write_value(out, value, error))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}
