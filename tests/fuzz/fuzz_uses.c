/* Any JSON as the answer of two logbooks, as their register, as a period and as a person; then cases of it.
 * Every record that was taken in stands in exactly one case, below its parent. */
#include <stdlib.h>

#include "components/inzage/cases.h"
#include "components/inzage/own_data.h"
#include "core/format/json.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static Source *take_in(const char *oin, const json_t *answer)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *next = NULL;
    Source *source = source_new(oin, "name");
    if (source_add_operations(source, answer, &next, &error) != (error == NULL))
        abort();
    if (error != NULL && source->uses->len > 0)
        abort();
    source_set_period(source, answer);
    source->activities = activities_read(answer, NULL);
    source_match_activities(source);
    return source;
}

static guint steps_of(const GPtrArray *cases)
{
    guint steps = 0;
    for (guint i = 0; i < cases->len; i++) {
        const Case *item = cases->pdata[i];
        g_autoptr(GPtrArray) parties = case_parties(item);
        if (parties->len == 0 || item->steps->len == 0)
            abort();
        for (guint j = 0; j < item->steps->len; j++)
            if (case_step(item, j)->parent >= (int)j)
                abort();
        steps += item->steps->len;
    }
    return steps;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autoptr(json_t) answer = json_parse_strict((const char *)data, (gssize)size, NULL, NULL);
    if (answer == NULL)
        return 0;
    g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func((GDestroyNotify)source_free);
    g_ptr_array_add(sources, take_in("00000001000000000001", answer));
    g_ptr_array_add(sources, take_in("00000001000000000002", answer));
    ((Source *)sources->pdata[0])->own = TRUE;
    g_autoptr(GPtrArray) cases = cases_of(sources, "inzage", "00000001000000000002");
    if (steps_of(cases) != 2 * ((Source *)sources->pdata[0])->uses->len)
        abort();
    json_decref(own_data_sections(answer, "en"));
    return 0;
}
