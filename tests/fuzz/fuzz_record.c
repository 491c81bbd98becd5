/* What stands in the journal of the logboek: LDV records and FSC transactions. What is accepted is encoded to
 * the same bytes again. */
#include <stdlib.h>
#include <string.h>

#include "components/logboek/record.h"
#include "components/logboek/rules.h"
#include "components/logboek/transaction_record.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void must(gboolean condition)
{
    if (!condition)
        abort();
}

static void try_record(const guint8 *data, gsize size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Record) record = record_decode(data, size, &error);
    must((record == NULL) == (error != NULL));
    if (record == NULL)
        return;
    const char *attribute;
    record_check(&record->fields, TRUE, &attribute);
    g_autoptr(GBytes) again = record_encode(&record->fields, &error);
    must(again != NULL && g_bytes_get_size(again) == size &&
         memcmp(g_bytes_get_data(again, NULL), data, size) == 0);
}

static void try_transaction(const guint8 *data, gsize size)
{
    TransactionParts parts;
    if (!transaction_split(data, size, &parts))
        return;
    json_t *record = transaction_json(&parts);
    must(record == NULL || json_is_object(record));
    json_decref(record);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        try_record(data + 1, size - 1);
    else
        try_transaction(data + 1, size - 1);
    return 0;
}
