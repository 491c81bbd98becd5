#include "core/format/json_text.h"

#include "core/format/jcs.h"

/* RFC 8785 3.2.2.2: the two-character escapes where JSON has them, \u00xx in lower case for other control
 * characters, and everything else as it is. */
void json_text_append_string(GString *out, const char *text, gsize length)
{
    static const char *const escapes[] = {['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
                                          ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};
    g_string_append_c(out, '"');
    gsize plain = 0; /* start of what has not been copied yet */
    for (gsize i = 0; i < length; i++) {
        guchar c = (guchar)text[i];
        const char *escape = c < G_N_ELEMENTS(escapes) ? escapes[c] : NULL;
        if (escape == NULL && c >= 0x20)
            continue;
        g_string_append_len(out, text + plain, (gssize)(i - plain));
        if (escape != NULL)
            g_string_append(out, escape);
        else
            g_string_append_printf(out, "\\u%04x", c);
        plain = i + 1;
    }
    g_string_append_len(out, text + plain, (gssize)(length - plain));
    g_string_append_c(out, '"');
}

void json_text_append_scalar(GString *out, const json_t *value)
{
    char number[32];
    if (json_is_string(value))
        json_text_append_string(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        g_string_append_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value) && jcs_format_number(json_real_value(value), number))
        g_string_append(out, number);
    else
        g_string_append(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
}
