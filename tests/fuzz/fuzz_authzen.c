/* What a decision point answers: a decision or an error, never both, and never a permit that is not written
 * there. */
#include "components/fsc/authzen.h"

#include <stdlib.h>
#include <string.h>

#include "core/format/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(AuthzenAnswer) answer = {0};
    g_autoptr(GError) error = NULL;
    gboolean good = authzen_answer_parse(200, "application/json", data, size, &answer, &error);
    if (good != (error == NULL) || (!good && answer.decision))
        abort();
    if (answer.decision && g_strstr_len((const char *)data, (gssize)size, "true") == NULL)
        abort();
    g_autoptr(json_t) metadata = json_parse_strict((const char *)data, (gssize)size, NULL, NULL);
    g_autofree char *endpoint =
        metadata == NULL ? NULL : authzen_endpoint("https://pdp.example", metadata, NULL);
    if (endpoint != NULL && !g_str_has_prefix(endpoint, "https://"))
        abort();
    return 0;
}
