/* Phrases in the languages of the pages: locale/<language>/<component>.txt, embedded, lines of "key = text",
 * # comments. Dutch is the source; a phrase that a language lacks falls back to Dutch, phrase by phrase.
 * `./run check` fails on phrases that are missing in Dutch, unused, or have other {placeholders} than the
 * Dutch.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct {
    const char *code; /* BCP 47, as in the `lang` attribute and in the names of the folders */
    const char *name; /* as its speakers write it */
} Language;

/* The languages of the pages, Dutch first. */
extern const Language languages[];
extern const gsize languages_count;

/* The code of the table when `code` is in it; else NULL. NULL is not in it. */
const char *language_find(const char *code);
/* What fits an Accept-Language header best (RFC 9110 12.5.4, by primary tag); Dutch for none or NULL. */
const char *language_negotiate(const char *accept_language);

/* Reads the embedded tables once; ends the process on a malformed table (a mistake in this program). */
void phrases_init(void);

/* The text of "component.key" in `language`; the key itself when there is none, so that a page shows what is
 * missing. */
const char *phrase(const char *language, const char *key);

/* With {name} placeholders filled in, pairs of name and value, ended by NULL. Plurals: when the table has
 * key.one and the placeholder {n} is "1", that one is used. Not HTML-escaped. Caller frees. */
char *phrase_format(const char *language, const char *key, ...) G_GNUC_NULL_TERMINATED;

/* All phrases of a component as an object, for templates: {{t.title}}. New reference. */
json_t *phrases_of(const char *language, const char *component);

/* A moment for people: "21 november 2026, 18:31" / "21 November 2026, 18:31", in Amsterdam or Kralendijk
 * time. Caller frees. */
char *phrase_time(const char *language, gint64 unix_ms, const char *time_zone);
char *phrase_date(const char *language, gint64 unix_ms, const char *time_zone);
