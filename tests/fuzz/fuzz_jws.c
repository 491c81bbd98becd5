/* Arbitrary text as a compact JWS, and arbitrary text as the header and payload inside one: base64url keeps a
 * fuzzer from finding its way in. What parses must be whole: no half-filled result may reach those who
 * verify. */
#include <string.h>

#include "core/base/bytes.h"
#include "core/crypto/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *compact)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Jws) jws = jws_parse(compact, &error);
    if (jws == NULL) {
        g_assert_true(error != NULL && error->domain == JWS_ERROR);
        return;
    }
    g_assert_no_error(error);
    g_assert_true(json_is_object(jws->header) && json_is_object(jws->payload));
    g_assert_true(strcmp(jws->alg, json_string_value(json_object_get(jws->header, "alg"))) == 0);
    g_assert_cmpuint(strlen(jws->thumbprint), ==, 43);
    g_assert_cmpuint(g_bytes_get_size(jws->signature), >, 0);
    g_assert_cmpuint(g_bytes_get_size(jws->signing_input), <, strlen(compact));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    parse(text);
    const uint8_t *line_end = size == 0 ? NULL : memchr(data, '\n', size);
    if (line_end == NULL)
        return 0;
    size_t header_size = (size_t)(line_end - data);
    g_autofree char *header = base64url_encode(data, header_size);
    g_autofree char *payload = base64url_encode(line_end + 1, size - header_size - 1);
    g_autofree char *compact = g_strjoin(".", header, payload, "AAAA", NULL);
    parse(compact);
    return 0;
}
