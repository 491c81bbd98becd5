/* Any text as a template, and as a partial of itself, over a context with every kind of value. */
#include <stdlib.h>
#include <string.h>

#include "core/format/json.h"
#include "core/format/mustache.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static const char *partial_of(const char *name, gpointer user_data)
{
    return strcmp(name, "p") == 0 ? user_data : NULL;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    static const char context_text[] = "{\"a\":[1],\"b\":{\"c\":\"<&\",\"d\":{\"e\":[]}},\"f\":false,\"t\":"
                                       "true,\"n\":null,\"r\":0.5,\"s\":\"\"}";
    g_autoptr(GError) error = NULL;
    g_autofree char *template_text = g_strndup((const char *)data, size);
    g_autoptr(json_t) context = json_parse_strict(context_text, -1, NULL, NULL);
    g_autofree char *text = mustache_render(template_text, context, partial_of, template_text, &error);
    if ((text == NULL) != (error != NULL))
        abort();
    return 0;
}
