/* Pages: templates/<name>.mustache inside templates/layout.mustache, with the phrases of the component as
 * {{t.*}} and those of the layout as {{l.*}}. No script, one stylesheet, and the headers that make a browser
 * keep to that.
 *
 * Headers set: Content-Security-Policy (default-src 'none'; style-src 'self'; img-src 'self'; form-action
 * 'self'; frame-ancestors 'none'; base-uri 'none'), Referrer-Policy no-referrer, X-Content-Type-Options,
 * Cache-Control no-store, Cross-Origin-Opener-Policy, Content-Language.
 */
#pragma once

#include "core/net/http.h"

/* `template_name` without folder and suffix; `component` names its phrases; `context` is taken. The context
 * may hold "title" (required), "lede", and whatever the template asks for; page.h adds t, l, language,
 * languages (for the switch, with links to this page in each), csrf, year, version. A template that fails is
 * a 500 with a plain page. */
void respond_page(Request *request, guint status, const char *template_name, const char *component,
                  json_t *context);

/* What the context may hold for the layout, beside "title":
 *   "lede"        one sentence below the title
 *   "navigation"  [{"href", "text", "current": true when it is this page}]
 *   "breadcrumb"  [{"href", "text"}], from the first page to the one above this
 *   "session"     {"name", "sign_out": path for a POST}: who is signed in
 * "title" stands in the layout as the only h1; a template begins below it.
 *
 * Elements look right by themselves: p, lists, h2, h3, table, caption, dl, details, code, figure, button,
 * fieldset, legend. The blocks of static/fundament.css (names as in the NL Design System, prefix fn-):
 * - text: fn-lead, fn-subtle, fn-visually-hidden, fn-badge [--ok --warning --error]
 * - actions: a.fn-button or button [fn-button--secondary --danger --subtle]; several in a div.fn-button-group
 * - a form field: div.fn-form-field [--invalid] > label.fn-form-label, p.fn-form-field-description,
 *   p.fn-form-field-error-message, then input.fn-textbox, select.fn-select or textarea.fn-textarea with
 *   aria-describedby and, when it is wrong, aria-invalid="true"
 * - choices: label.fn-radio-card > input[type=radio], span > strong.fn-radio-card__title, text;
 *   label.fn-checkbox > input[type=checkbox], span
 * - a table: div.fn-table-container[tabindex=0 role=region aria-labelledby] > table; td.fn-table__number.
 *   A table.fn-table--stacked becomes a list on a small screen: it needs role="table", "rowgroup", "row" and
 *   "cell" on its parts, and data-label on each td
 * - facts: dl.fn-data-list; ul.fn-card-list > li.fn-card
 * - time: ol.fn-timeline > li.fn-timeline__item > time.fn-timeline__time, then a heading or text
 * - charts: figure > svg.fn-chart[role=img] with fn-chart__bar, fn-chart__line, fn-chart__grid and text; a
 *   table beside it
 * - messages: div.fn-alert [--ok --warning --error] > h2.fn-alert__title, text; without a modifier: info
 * - more: details > summary, div.fn-details__content
 * - pages of a list: nav.fn-pagination[aria-label] > ul.fn-nav-list > li > a[aria-current=page] */

/* Whose pages these are, and whether this is a test node (then every page says so). Call once, before the
 * server starts. */
void page_set_site(const char *organization, gboolean test);

/* The error page of a status, in the person's language, with the trace id to quote. */
void page_problem(Request *request, guint status);
/* The same with the words of "KEY.title" and "KEY.text", a phrase: what is wrong here, and its mend. */
void page_problem_because(Request *request, guint status, const char *key);

/* CSRF: a token bound to the cookie `csrf` (double submit, HMAC under a key of this process's store; compared
 * in constant time). Every form holds {{{csrf}}} inside; every POST handler of a page calls this first; FALSE
 * when it answered 403 itself. */
gboolean page_check_csrf(Request *request, const json_t *form);
void page_set_csrf_key(GBytes *key);

/* /static/<name>: the embedded files, with a strong ETag and a year of caching when the address has
 * ?v=<version of the file>, as the addresses made by page_static() have. */
char *page_static(const char *name); /* "/static/fundament.css?v=1f2e3d4c5b6a"; caller frees */
extern const Route page_routes[];
extern const gsize page_routes_count;
