/* Arbitrary bytes as a certificate in PEM or DER. What parses must come out as the same certificate again. */
#include <string.h>

#include "core/base/error.h"
#include "core/crypto/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) certificate = certificate_parse(data, size, &error);
    if (certificate == NULL) {
        g_assert_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID);
        return 0;
    }
    g_assert_no_error(error);
    g_assert_cmpuint(strlen(certificate_thumbprint(certificate)), ==, 43);
    g_assert_cmpuint(strlen(certificate_public_key_thumbprint(certificate)), ==, 64);
    certificate_matches_domain(certificate, "example.test");
    g_autoptr(GPtrArray) x5c = certificate_x5c(certificate);
    g_autoptr(Certificate) again = certificate_from_x5c((const char *const *)x5c->pdata, x5c->len, NULL);
    /* In base64 a chain that just fits in PEM or DER may be too large; otherwise it is the same. */
    if (again != NULL)
        g_assert_cmpstr(certificate_thumbprint(again), ==, certificate_thumbprint(certificate));
    return 0;
}
