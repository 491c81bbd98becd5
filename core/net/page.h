/* Pages: templates/<name>.mustache inside templates/layout.mustache, with the phrases of the component as {{t.*}} and those
 * of the layout as {{l.*}}. No script, one stylesheet, and the headers that make a browser keep to that.
 *
 * Headers set: Content-Security-Policy (default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';
 * frame-ancestors 'none'; base-uri 'none'), Referrer-Policy no-referrer, X-Content-Type-Options, Cache-Control no-store,
 * Cross-Origin-Opener-Policy, Content-Language.
 */
#pragma once

#include "core/net/http.h"

/* `template_name` without folder and suffix; `component` names its phrases; `context` is taken. The context may hold
 * "title" (required), "lede", and whatever the template asks for; page.h adds t, l, language, languages (for the switch, with
 * links to this page in each), csrf, year, version. A template that fails is a 500 with a plain page. */
void respond_page(Request *request, guint status, const char *template_name, const char *component, json_t *context);

/* CSRF: a token bound to the cookie `csrf` (double submit, HMAC under a key of this process's store; compared in constant time).
 * Every form holds {{{csrf}}} inside; every POST handler of a page calls this first; FALSE when it answered 403 itself. */
gboolean page_check_csrf(Request *request, const json_t *form);
void page_set_csrf_key(GBytes *key);

/* /static/<name>: the embedded files, with a strong ETag and a year of caching when the address has ?v=<version>. */
extern const Route page_routes[];
extern const gsize page_routes_count;
