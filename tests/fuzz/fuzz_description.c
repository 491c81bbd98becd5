/* What another organisation says of its service, of any content: what is left of it is a good description. */
#include "components/fsc/description.h"

#include <stdlib.h>

#include "core/format/json.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    const JsonLimits limits = {.bytes = 64 * 1024, .depth = 16, .values = 1000};
    g_autoptr(json_t) given = json_parse_strict((const char *)data, (gssize)size, &limits, NULL);
    g_autoptr(json_t) clean = description_clean(given);
    g_autoptr(json_t) again = description_clean(clean);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) checked = description_check(clean, "x", &error);
    if (clean == NULL || checked == NULL || !json_equal(clean, again) || !json_equal(clean, checked))
        abort();
    for (gsize i = 0; i < description_fields_count; i++)
        if (description_fields[i].kind == DESCRIPTION_IRI) {
            const char *iri = json_string_at(clean, description_fields[i].key);
            if (iri != NULL && !description_iri_valid(iri))
                abort();
        }
    return 0;
}
