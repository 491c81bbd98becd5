/* Arbitrary JSON as a record of the register: a person comes of it, whatever its members are, and taking a
 * part of that person gives a part of it. The record stays as it was. */
#include <stdint.h>

#include "components/brp/catalogue.h"
#include "components/brp/fields.h"
#include "components/brp/person.h"
#include "core/format/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(json_t) record =
        json_parse_strict(size > 0 ? (const char *)data : "", (gssize)size, NULL, NULL);
    if (record == NULL)
        return 0;
    g_autoptr(json_t) before = json_deep_copy(record);
    g_autoptr(json_t) person = brp_person(record, "20261121");
    g_assert_true(json_equal(record, before));
    for (gsize i = 0; i < BRP_FIELD_COUNT; i++) {
        const char *fields[] = {BRP_FIELDS[i].path, NULL};
        g_autoptr(json_t) part = brp_fields_apply(person, fields, BRP_FIELDS[i].limited);
        g_autofree char *text = json_write(part);
        g_autoptr(json_t) again = json_parse_strict(text, -1, NULL, NULL);
        g_assert_true(json_equal(part, again));
    }
    return 0;
}
