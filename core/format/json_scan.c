#include "core/format/json_scan.h"

#include <string.h>

#include "core/base/error.h"

#define LARGEST_INTEGER "9007199254740991" /* 2^53-1, RFC 7493 2.2 */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

typedef struct {
    const char *text;
    gsize length;
    gsize at; /* the next byte */
} Scan;

char *json_scan_where(const char *text, gsize offset)
{
    guint line = 1;
    guint column = 1;
    for (gsize i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if ((text[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return g_strdup_printf("line %u, column %u: ", line, column);
}

/* Always FALSE, so that a check can end with it. */
static gboolean refuse(const Scan *scan, gsize offset, FundamentError code, const char *reason,
                       GError **error)
{
    g_autofree char *where = json_scan_where(scan->text, offset);
    g_set_error(error, FUNDAMENT_ERROR, (int)code, "%s%s", where, reason);
    return FALSE;
}

static gboolean refuse_here(const Scan *scan, const char *reason, GError **error)
{
    return refuse(scan, scan->at, FUNDAMENT_ERROR_INVALID, reason, error);
}

static gboolean is_noncharacter(gunichar c)
{
    return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

gboolean json_text_valid(const char *text, gssize length)
{
    gsize n = length < 0 ? strlen(text) : (gsize)length;
    if (!g_utf8_validate_len(text, n, NULL))
        return FALSE;
    for (const char *at = text; at < text + n; at = g_utf8_next_char(at))
        if ((guchar)*at >= 0xef && is_noncharacter(g_utf8_get_char(at)))
            return FALSE;
    return TRUE;
}

/* The four digits of \uXXXX, with scan->at on the backslash; -1 when it is not such an escape. */
static int read_unicode_escape(const Scan *scan)
{
    const char *at = scan->text + scan->at;
    if (scan->length - scan->at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    int code = 0;
    for (int i = 2; i < 6; i++) {
        if (!g_ascii_isxdigit(at[i]))
            return -1;
        code = code << 4 | g_ascii_xdigit_value(at[i]);
    }
    return code;
}

/* RFC 7493 2.1: no lone surrogates and no noncharacters. NUL is refused because C strings end there. */
static gboolean scan_unicode_escape(Scan *scan, GError **error)
{
    int code = read_unicode_escape(scan);
    if (code < 0)
        return refuse_here(scan, "\\u must be followed by four hexadecimal digits", error);
    if (code == 0)
        return refuse_here(scan, "a string may not hold NUL", error);
    gunichar c = (gunichar)code;
    gsize length = 6;
    if (code >= 0xd800 && code <= 0xdfff) {
        Scan next = {scan->text, scan->length, scan->at + 6};
        int low = code <= 0xdbff ? read_unicode_escape(&next) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return refuse_here(scan, "half of a surrogate pair stands alone", error);
        c = 0x10000 + ((gunichar)(code - 0xd800) << 10 | (gunichar)(low - 0xdc00));
        length = 12;
    }
    if (is_noncharacter(c))
        return refuse_here(scan, "a string may not hold a Unicode noncharacter", error);
    scan->at += length;
    return TRUE;
}

static gboolean scan_escape(Scan *scan, GError **error)
{
    char kind = scan->at + 1 < scan->length ? scan->text[scan->at + 1] : '\0';
    if (kind == 'u')
        return scan_unicode_escape(scan, error);
    if (kind == '\0' || strchr("\"\\/bfnrt", kind) == NULL)
        return refuse_here(scan, "unknown escape in a string", error);
    scan->at += 2;
    return TRUE;
}

static gboolean scan_string(Scan *scan, GError **error)
{
    gsize start = scan->at++;
    while (scan->at < scan->length) {
        guchar c = (guchar)scan->text[scan->at];
        if (c == '"') {
            scan->at++;
            return TRUE;
        }
        if (c == '\\') {
            if (!scan_escape(scan, error))
                return FALSE;
            continue;
        }
        if (c < 0x20)
            return refuse_here(scan, "control characters in a string must be escaped", error);
        if (c >= 0xef && is_noncharacter(g_utf8_get_char(scan->text + scan->at)))
            return refuse_here(scan, "a string may not hold a Unicode noncharacter", error);
        scan->at += (gsize)(g_utf8_next_char(scan->text + scan->at) - (scan->text + scan->at));
    }
    return refuse(scan, start, FUNDAMENT_ERROR_INVALID, "this string is never closed", error);
}

/* Takes every byte that could belong to a number; whether they form one is jansson's to say. */
static gboolean scan_number(Scan *scan, JsonScanFlags flags, GError **error)
{
    gsize start = scan->at;
    gboolean integer = TRUE;
    for (; scan->at < scan->length; scan->at++) {
        char c = scan->text[scan->at];
        if (c == '.' || c == 'e' || c == 'E')
            integer = FALSE;
        else if (!g_ascii_isdigit(c) && c != '-' && c != '+')
            break;
    }
    if (!integer || (flags & JSON_SCAN_BIG_INTEGERS))
        return TRUE;
    const char *digits = scan->text + start + (scan->text[start] == '-');
    gsize n = (gsize)(scan->text + scan->at - digits);
    gsize most = strlen(LARGEST_INTEGER);
    if (n > most || (n == most && memcmp(digits, LARGEST_INTEGER, most) > 0))
        return refuse(scan, start, FUNDAMENT_ERROR_INVALID,
                      "integers beyond 2^53-1 lose their last digits on the way; send it as a string", error);
    return TRUE;
}

static gboolean scan_literal(Scan *scan, GError **error)
{
    gsize start = scan->at;
    while (scan->at < scan->length && g_ascii_isalpha(scan->text[scan->at]))
        scan->at++;
    const char *word = scan->text + start;
    gsize n = scan->at - start;
    if ((n == 4 && memcmp(word, "true", 4) == 0) || (n == 5 && memcmp(word, "false", 5) == 0) ||
        (n == 4 && memcmp(word, "null", 4) == 0))
        return TRUE;
    return refuse(scan, start, FUNDAMENT_ERROR_INVALID,
                  "only strings in quotes, numbers, true, false, null, objects and arrays may stand here",
                  error);
}

static void skip_white_space(Scan *scan)
{
    while (scan->at < scan->length && scan->text[scan->at] != '\0' &&
           strchr(" \t\n\r", scan->text[scan->at]) != NULL)
        scan->at++;
}

/* One token from a byte that is there. */
static gboolean scan_token(Scan *scan, JsonScanFlags flags, GError **error)
{
    char c = scan->text[scan->at];
    if (strchr("{}[],:", c) != NULL) {
        scan->at++;
        return TRUE;
    }
    if (c == '"')
        return scan_string(scan, error);
    if (c == '-' || g_ascii_isdigit(c))
        return scan_number(scan, flags, error);
    return scan_literal(scan, error);
}

static gboolean scan_bytes(const Scan *scan, const JsonLimits *limits, GError **error)
{
    const char *end;
    if (scan->length > limits->bytes) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT,
                    "the text of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT " allowed",
                    scan->length, limits->bytes);
        return FALSE;
    }
    if (scan->length >= 3 && memcmp(scan->text, BYTE_ORDER_MARK, 3) == 0)
        return refuse(scan, 0, FUNDAMENT_ERROR_INVALID,
                      "a byte order mark may not stand before JSON (RFC 8259 8.1)", error);
    if (!g_utf8_validate_len(scan->text, scan->length, &end))
        return refuse(scan, (gsize)(end - scan->text), FUNDAMENT_ERROR_INVALID,
                      *end == '\0' ? "a NUL byte" : "not UTF-8", error);
    return TRUE;
}

gboolean json_scan(const char *text, gsize length, const JsonLimits *limits, JsonScanFlags flags,
                   GError **error)
{
    Scan scan = {text, length, 0};
    guint depth = 0;
    guint values = 0;
    if (!scan_bytes(&scan, limits, error))
        return FALSE;
    for (skip_white_space(&scan); scan.at < length; skip_white_space(&scan)) {
        gsize start = scan.at;
        char c = text[start];
        if (!scan_token(&scan, flags, error))
            return FALSE;
        if ((c == '{' || c == '[') && ++depth > limits->depth)
            return refuse(&scan, start, FUNDAMENT_ERROR_LIMIT, "nested too deep", error);
        if ((c == '}' || c == ']') && depth > 0)
            depth--;
        if (strchr("}],:", c) == NULL && ++values > limits->values)
            return refuse(&scan, start, FUNDAMENT_ERROR_LIMIT, "too many values", error);
    }
    if (values == 0)
        return refuse(&scan, scan.at, FUNDAMENT_ERROR_INVALID, "there is no JSON value; the text is empty",
                      error);
    return TRUE;
}

gsize json_scan_token_start(const char *text, gsize length, gsize end)
{
    Scan scan = {text, length, 0};
    for (skip_white_space(&scan); scan.at < length; skip_white_space(&scan)) {
        gsize start = scan.at;
        if (!scan_token(&scan, JSON_SCAN_BIG_INTEGERS, NULL) || scan.at >= end)
            return start;
    }
    return length;
}
