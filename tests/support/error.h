/* Errors in cmocka tests. */
#pragma once

#include "core/base/error.h"

/* Ends the test with the error's message when there is one. */
void no_error(const GError *error);

/* Ends the test unless it is this error; frees it. */
void expect_error(GError **error, FundamentError code);
