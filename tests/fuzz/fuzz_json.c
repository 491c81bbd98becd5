/* Whatever the strict parser accepts can be canonicalized, and written and read again to the same value. */
#include <stdlib.h>
#include <string.h>

#include "core/format/jcs.h"
#include "core/format/json.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void must(gboolean condition)
{
    if (!condition)
        abort();
}

static void check_value(const json_t *value)
{
    const JsonLimits limits = {.bytes = G_MAXINT, .depth = 16, .values = 1000};
    g_autofree char *canonical = jcs_write(value, NULL);
    g_autofree char *written = json_write(value);
    g_autoptr(json_t) again = json_parse_strict(written, -1, &limits, NULL);
    must(canonical != NULL && again != NULL);
    g_autofree char *twice = jcs_write(again, NULL);
    must(strcmp(canonical, twice) == 0);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    const JsonLimits limits = {.bytes = 64 * 1024, .depth = 16, .values = 1000};
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_parse_strict((const char *)data, (gssize)size, &limits, &error);
    must((value == NULL) == (error != NULL));
    if (value == NULL)
        must(g_utf8_validate(error->message, -1, NULL) && strchr(error->message, '\n') == NULL);
    else
        check_value(value);
    return 0;
}
