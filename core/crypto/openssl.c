#include "core/crypto/openssl.h"

#include <openssl/err.h>
#include <time.h>

const char *openssl_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    ERR_clear_error();
    return reason == NULL ? "no reason given" : reason;
}

void openssl_require(int ok, const char *what)
{
    if (ok != 1)
        g_error("%s failed in OpenSSL: %s", what, openssl_reason());
}

gboolean openssl_time_to_unix(const ASN1_TIME *time, gint64 *unix_s)
{
    struct tm parts;
    /* ASN1_TIME_to_tm takes NULL for the time of day. */
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
        return FALSE;
    *unix_s = timegm(&parts);
    return TRUE;
}
