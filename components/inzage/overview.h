/* Parts that the overview and the print view share: who took part, the timeline with its table, and what is
 * missing. */
#pragma once

#include "components/inzage/view.h"

/* OINs of all who take part in these cases, those with most cases first. Borrowed. */
GPtrArray *overview_parties(const GPtrArray *cases);

/* Sets "timeline" (SVG) and "timeline_rows", the same facts as a table; nothing when there are no cases.
 * `oin`: only its row. */
void overview_add_timeline(json_t *page, const View *view, const GPtrArray *cases, const char *oin,
                           gint64 from_ms, gint64 now_ms);

/* Sets "gaps" (organisations without an answer), "partial" (those of whom not everything is here), "sources"
 * (how far back each goes) and the state of the Directory. */
void overview_add_gaps(json_t *page, const View *view);

/* Sets `name` to those of `items` that stand on page `number` (from 1; the last one when there are fewer), at
 * most `most`, and no more than keep the page under its size with what it holds already, which must be alike
 * on every page. Sets "paged", "newer" and "older": addresses made of `link` and the number of the page. */
void overview_add_page(json_t *page, const char *name, const json_t *items, guint most, guint number,
                       const char *link);

/* The number in ?pagina=, 1 when there is none. */
guint overview_page_number(const Request *request);
