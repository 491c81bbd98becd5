#include "tests/support/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

void no_error(const GError *error)
{
    if (error != NULL) {
        fail_msg("%s", error->message);
    }
}

void expect_error(GError **error, FundamentError code)
{
    assert_non_null(*error);
    if (!g_error_matches(*error, FUNDAMENT_ERROR, (int)code)) {
        fail_msg("expected error %d, got %d: %s", (int)code, (*error)->code, (*error)->message);
    }
    g_clear_error(error);
}
