/* Arbitrary bytes as a question for persons: it is understood, and then within all limits, or it is a fault
 * that says what is wrong; what it asks for is taken from a person without harm. */
#include <stdint.h>
#include <string.h>

#include "components/brp/fields.h"
#include "components/brp/person.h"
#include "components/brp/query.h"
#include "core/format/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char RECORD[] =
    "{\"burgerservicenummer\": \"999990019\", \"naam\": {\"voornamen\": \"Sara\", \"geslachtsnaam\": "
    "\"Zee\"},"
    " \"geboorte\": {\"datum\": \"19880412\"}, \"persoonInOnderzoek\": {\"aanduidingGegevensInOnderzoek\": "
    "{\"code\": \"010000\"}, \"datumIngangOnderzoek\": \"20200101\"}, \"nationaliteiten\": "
    "[{\"nationaliteit\": "
    "{\"code\": \"0001\"}}], \"verblijfplaats\": {\"straat\": \"Kade\", \"huisnummer\": \"1\"},"
    " \"partners\": [{\"naam\": {\"geslachtsnaam\": \"Duin\"}}], \"kinderen\": [{\"naam\": {\"voornamen\": "
    "\"Jo\"}}]}";

static void take(const BrpQuery *query)
{
    g_autoptr(json_t) record = json_parse_strict(RECORD, -1, NULL, NULL);
    g_autoptr(json_t) person = brp_person(record, "20261121");
    g_autoptr(json_t) answer =
        brp_fields_apply(person, (const char *const *)query->fields, query->type == BRP_BY_NAME_AND_BIRTH);
    g_autofree char *text = json_write(answer);
    g_assert_nonnull(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(json_t) body = json_parse_strict(size > 0 ? (const char *)data : "", (gssize)size, NULL, NULL);
    if (body == NULL)
        return 0;
    json_t *fault = NULL;
    g_autoptr(BrpQuery) query = brp_query_parse(body, "/here", &fault);
    g_assert_true((query == NULL) == (fault != NULL));
    if (query == NULL) {
        g_assert_cmpuint(json_array_size(json_object_get(fault, "invalidParams")), >, 0);
        json_decref(fault);
        return 0;
    }
    g_assert_cmpuint(g_strv_length(query->fields), <=, BRP_MAX_FIELDS);
    g_assert_cmpuint(g_strv_length(query->bsns), <=, BRP_MAX_BSNS);
    g_assert_true(query->type == BRP_BY_BSN || strlen(query->birth) == 8);
    take(query);
    return 0;
}
