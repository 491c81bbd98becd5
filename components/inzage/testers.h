/* The made-up persons that one can be at the test sign-in, from a file in the shape of the personen-mock. */
#pragma once

#include <glib.h>

typedef struct {
    char *bsn;
    char *name;  /* given names, prefix and surname */
    char *birth; /* YYYYMMDD with zeros for what is unknown, or NULL */
    char *town;  /* or NULL */
    gboolean adult;
    gboolean alive;
} Tester;

/* Living adults first, then by surname and given names. Those without a valid BSN are left out. Array of
 * Tester; NULL with an error. `today` is YYYYMMDD. */
GPtrArray *testers_load(const char *path, const char *today, GError **error);

/* Those of whose name every word of `words` begins a part, case and accents aside; all for NULL and "".
 * Borrows. */
GPtrArray *testers_search(const GPtrArray *testers, const char *words);

const Tester *testers_find(const GPtrArray *testers, const char *bsn);
