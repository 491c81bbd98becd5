#include "core/base/trace.h"

#include <string.h>

#include "core/base/bytes.h"

#define FLAG_SAMPLED 0x01
#define TRACEPARENT_LENGTH (TRACEPARENT_SIZE - 1)

/* Lower-case hexadecimal of exactly `length` characters, not all zero. */
static gboolean id_valid(const char *text, gsize length)
{
    gboolean all_zero = TRUE;
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isdigit(text[i]) && !(text[i] >= 'a' && text[i] <= 'f'))
            return FALSE;
        all_zero = all_zero && text[i] == '0';
    }
    return !all_zero;
}

gboolean trace_id_valid(const char *text)
{
    return text != NULL && strnlen(text, TRACE_ID_SIZE) == TRACE_ID_SIZE - 1 &&
           id_valid(text, TRACE_ID_SIZE - 1);
}

gboolean span_id_valid(const char *text)
{
    return text != NULL && strnlen(text, SPAN_ID_SIZE) == SPAN_ID_SIZE - 1 &&
           id_valid(text, SPAN_ID_SIZE - 1);
}

/* A random id that is not all zero, as hexadecimal; `size` includes the NUL. */
static void id_new(char *out, gsize size)
{
    do {
        guint8 bytes[(TRACE_ID_SIZE - 1) / 2];
        random_fill(bytes, (size - 1) / 2);
        g_autofree char *hex = hex_encode(bytes, (size - 1) / 2);
        memcpy(out, hex, size);
    } while (!id_valid(out, size - 1));
}

void trace_new(TraceContext *out)
{
    id_new(out->trace_id, sizeof out->trace_id);
    id_new(out->span_id, sizeof out->span_id);
    out->parent_id[0] = '\0';
    out->flags = FLAG_SAMPLED;
}

/* Trace Context 3.2.2 and 3.2.4: version 00 has exactly 55 characters; a later one may go on after a further
 * dash. */
static gboolean traceparent_valid(const char *text)
{
    gsize length = strlen(text);
    guint8 version;
    guint8 flags;
    if (length < TRACEPARENT_LENGTH || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return FALSE;
    const char version_text[] = {text[0], text[1], '\0'};
    const char flags_text[] = {text[53], text[54], '\0'};
    if (!hex_decode(version_text, &version, 1) || !hex_decode(flags_text, &flags, 1) || version == 0xff)
        return FALSE;
    if (length > TRACEPARENT_LENGTH && (version == 0 || text[TRACEPARENT_LENGTH] != '-'))
        return FALSE;
    return id_valid(text + 3, TRACE_ID_SIZE - 1) && id_valid(text + 36, SPAN_ID_SIZE - 1);
}

gboolean trace_continue(const char *traceparent, TraceContext *out)
{
    if (traceparent == NULL || !traceparent_valid(traceparent)) {
        trace_new(out);
        return FALSE;
    }
    g_strlcpy(out->trace_id, traceparent + 3, sizeof out->trace_id);
    g_strlcpy(out->parent_id, traceparent + 36, sizeof out->parent_id);
    id_new(out->span_id, sizeof out->span_id);
    out->flags = (guint8)(g_ascii_xdigit_value(traceparent[53]) << 4 | g_ascii_xdigit_value(traceparent[54]));
    return TRUE;
}

void trace_child(const TraceContext *from, TraceContext *out)
{
    TraceContext child = *from;
    memcpy(child.parent_id, from->span_id, sizeof child.parent_id);
    id_new(child.span_id, sizeof child.span_id);
    *out = child;
}

/* Trace Context 3.2.2.5: of the flags only "sampled" is defined; the others MUST be sent as zero. */
void trace_format(const TraceContext *context, char out[TRACEPARENT_SIZE])
{
    g_snprintf(out, TRACEPARENT_SIZE, "00-%s-%s-%02x", context->trace_id, context->span_id,
               (guint)(context->flags & FLAG_SAMPLED));
}
