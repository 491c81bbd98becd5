/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): the check of journal records. Not for other folders. */
#pragma once

#include <glib.h>

/* Uses the processor's instruction where there is one. */
guint32 crc32c(const void *data, gsize length);

/* The same by table, for other processors; offered for the test that compares both. */
guint32 crc32c_by_table(const void *data, gsize length);
