/* The first byte chooses the encoding. What is kept of a span must be something that strict JSON can hold. */
#include <stdlib.h>

#include "core/format/json.h"
#include "core/format/otlp.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void must(gboolean condition)
{
    if (!condition)
        abort();
}

static void check_object(const json_t *object)
{
    const JsonLimits limits = {.bytes = G_MAXINT, .depth = 32, .values = G_MAXINT};
    g_autofree char *text = json_write(object);
    g_autoptr(json_t) again = json_parse_strict(text, -1, &limits, NULL);
    must(again != NULL && json_is_object(again));
}

static void check_span(gpointer item, gpointer user_data)
{
    const OtlpSpan *span = item;
    must(span->name != NULL && span->status >= 0 && span->status <= 2);
    check_object(span->attributes);
    check_object(span->resource);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    const OtlpLimits limits = {.bytes = 64 * 1024, .spans = 8, .attributes = 8, .text = 64};
    g_autoptr(GError) error = NULL;
    if (size == 0)
        return 0;
    g_autoptr(GPtrArray) spans = data[0] & 1
                                     ? otlp_parse_protobuf(data + 1, size - 1, &limits, &error)
                                     : otlp_parse_json((const char *)data + 1, size - 1, &limits, &error);
    must((spans == NULL) == (error != NULL));
    if (spans != NULL)
        g_ptr_array_foreach(spans, check_span, NULL);
    return 0;
}
