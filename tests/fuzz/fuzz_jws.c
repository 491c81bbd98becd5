/* Arbitrary text as a compact JWS. What parses must be whole: no half-filled result may reach those who
 * verify. */
#include <string.h>

#include "core/crypto/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(Jws) jws = jws_parse(text, &error);
    if (jws == NULL) {
        g_assert_true(error != NULL && error->domain == JWS_ERROR);
        return 0;
    }
    g_assert_no_error(error);
    g_assert_true(json_is_object(jws->header) && json_is_object(jws->payload));
    g_assert_cmpuint(strlen(jws->thumbprint), ==, 43);
    g_assert_cmpuint(g_bytes_get_size(jws->signature), >, 0);
    g_assert_cmpuint(g_bytes_get_size(jws->signing_input), <, strlen(text));
    return 0;
}
