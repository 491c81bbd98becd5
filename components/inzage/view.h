/* What pages show of answers and cases: facts turned into plain sentences in the person's language, as values
 * for the templates. Names and texts of others are cut to a length that keeps a page small; the file to take
 * along has them whole. */
#pragma once

#include "components/inzage/ask.h"
#include "components/inzage/cases.h"

typedef struct {
    const Inzage *inzage;
    const Answers *answers;
    const char *language;
} View;

/* One case on a card: {"title", "href", "when", "lead": party, "others": [party], "gaps": [...], "n_steps"}.
 */
json_t *view_case(const View *view, const Case *item);

/* The case step by step, with what is missing in its place: [{"heading", "name", "when", "why", ...}]. */
json_t *view_steps(const View *view, const Case *item);

/* The chain of a case as a picture: SVG. `*whole` is FALSE when it shows the beginning only. Caller frees. */
char *view_chain(const View *view, const Case *item, gboolean *whole);

/* The headline of a case: the name of its activity, else of its first action. {"text", "lang"?} */
json_t *view_title(const View *view, const Case *item);

/* "naam, leeftijd en adres"; beyond `max` the rest is counted. Caller frees. */
char *view_enumerate(const char *language, const char *const *words, guint max);

/* {"text", "lang"?}: the language is said only where it is not that of the page (WCAG 3.1.2). NULL for no
 * text. */
json_t *view_text(const View *view, const char *text, const char *text_language, gsize max);

/* [{"name", "answered", "since" or "reason", ...}] for each organisation, those without an answer first. */
json_t *view_sources(const View *view);

char *view_name(const View *view, const char *oin);
