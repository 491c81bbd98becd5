#include "core/node/suggest.h"

#include <string.h>

#define WORD_MAX 64

static guint min3(guint a, guint b, guint c)
{
    return MIN(MIN(a, b), c);
}

/* Optimal string alignment distance; both words are shorter than WORD_MAX. */
static guint distance(const char *a, gsize a_length, const char *b, gsize b_length)
{
    guint rows[3][WORD_MAX + 1];
    for (guint j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (guint i = 1; i <= a_length; i++) {
        guint *row = rows[i % 3];
        const guint *above = rows[(i + 2) % 3];
        const guint *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (guint j = 1; j <= b_length; j++) {
            row[j] = min3(row[j - 1] + 1, above[j] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

const char *suggest(const char *word, const char *const *known)
{
    gsize length = strlen(word);
    const char *best = NULL;
    if (length == 0 || length > WORD_MAX)
        return NULL;
    guint best_distance = (guint)(length + 2) / 3 + 1;
    for (gsize i = 0; known[i] != NULL; i++) {
        gsize known_length = strlen(known[i]);
        if (known_length > WORD_MAX)
            continue;
        guint steps = distance(word, length, known[i], known_length);
        if (steps < best_distance) {
            best_distance = steps;
            best = known[i];
        }
    }
    return best;
}
