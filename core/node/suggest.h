/* "Did you mean ...?" for what people type: keys of node.conf, commands. */
#pragma once

#include <glib.h>

/* The word of the NULL-terminated list `known` that is nearest to `word` (insertions, deletions, replacements
 * and swaps of neighbours; at most one for every three characters), or NULL when none is near. Borrowed.
 * Pure. */
const char *suggest(const char *word, const char *const *known);
