/* Inside core/crypto only: the certificates behind a Certificate. */
#pragma once

#include "core/crypto/certificate.h"

/* The leaf, then its intermediates as they came. Borrowed; `count` is at least 1. */
X509 *const *certificate_chain(const Certificate *certificate, guint *count);
