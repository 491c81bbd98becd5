/* A decision record as an application or a journal gives it: what is accepted is read back as it was. */
#include "components/logboek/decision.h"

#include <stdlib.h>

#include "core/format/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    guint8 key[KEY_SIZE];
    g_autoptr(json_t) record = json_parse_strict((const char *)data, (gssize)size, NULL, NULL);
    json_decref(decision_decode(data, size, NULL));
    if (record == NULL || !decision_check(record, NULL))
        return 0;
    g_autoptr(GBytes) bytes = decision_encode(record, NULL);
    if (bytes == NULL)
        return 0;
    gsize length;
    const guint8 *canonical = g_bytes_get_data(bytes, &length);
    g_autoptr(json_t) again = decision_decode(canonical, length, NULL);
    if (again == NULL)
        abort();
    decision_key(record, key);
    if (decision_word(record) == NULL)
        abort();
    return 0;
}
