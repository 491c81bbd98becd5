/* Plain words for what applications log as data categories: "verblijfplaats.datumVan" is "sinds wanneer u
 * daar woont". Pure, but for the tables of phrases. */
#pragma once

#include <glib.h>

/* The words for one category in `language`: its own phrase ("inzage.data.<path>"), else that of the nearest
 * group above it, else its last part as words; a text with a space in it is plain language already. Caller
 * frees. */
char *category_words(const char *language, const char *category);

/* The words for all, each once, in their order. NULL-terminated; caller frees with g_strfreev. */
char **categories_words(const char *language, const char *const *categories);

/* "datumVanVestiging" or "datum_van-vestiging" as "datum van vestiging". Caller frees. */
char *identifier_words(const char *identifier);

/* The phrase of a key, or NULL when there is none. Borrowed. */
const char *phrase_or_null(const char *language, const char *key);

/* At most `max` characters, with an ellipsis when it was longer. Caller frees. */
char *text_cut(const char *text, gsize max);

/* The text in at most `lines` lines of about `width` characters, broken between words; the last one is cut.
 * Caller frees with g_strfreev. */
char **text_wrap(const char *text, gsize width, guint lines);
