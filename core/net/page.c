#include "core/net/page.h"

#include <string.h>

#include "core/base/asset.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/crypto/digest.h"
#include "core/format/json.h"
#include "core/format/mustache.h"
#include "core/net/http_private.h"
#include "core/net/phrases.h"
#include "core/net/problem.h"

#define LAYOUT "layout"
#define CSRF_COOKIE "csrf"
#define CSRF_FIELD "csrf"
#define CSRF_BYTES 16
#define CSRF_KEY_BYTES 32

static const struct {
    const char *name;
    const char *value;
} page_headers[] = {
    {"Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
                                "frame-ancestors 'none'; base-uri 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
};

/* Set before the server starts, read by all threads after. */
static char *site_organization;
static gboolean site_test;
static GBytes *csrf_key;

void page_set_site(const char *organization, gboolean test)
{
    g_free(site_organization);
    site_organization = g_strdup(organization);
    site_test = test;
}

void page_set_csrf_key(GBytes *key)
{
    g_clear_pointer(&csrf_key, g_bytes_unref);
    csrf_key = g_bytes_ref(key);
}

/* --- CSRF --- */

/* A process that was given no key makes its own; its forms are then of no use after a restart. */
static GBytes *key_for_csrf(void)
{
    static gsize initialised = 0;
    if (g_once_init_enter(&initialised)) {
        if (csrf_key == NULL) {
            guint8 random[CSRF_KEY_BYTES];
            random_fill(random, sizeof random);
            csrf_key = secret_bytes_new(random, sizeof random);
            secret_wipe(random, sizeof random);
        }
        g_once_init_leave(&initialised, 1);
    }
    return csrf_key;
}

static char *csrf_token(const char *cookie)
{
    guint8 mac[SHA256_SIZE];
    g_autofree char *text = g_strconcat("csrf:", cookie, NULL);
    hmac_sha256(key_for_csrf(), text, strlen(text), mac);
    return base64url_encode(mac, sizeof mac);
}

/* The shape that csrf_cookie() makes; what another made is not carried on. */
static gboolean csrf_cookie_valid(const char *cookie)
{
    g_autoptr(GBytes) bytes = cookie == NULL ? NULL : base64url_decode(cookie, -1, NULL);
    return bytes != NULL && g_bytes_get_size(bytes) == CSRF_BYTES;
}

/* The cookie of this browser, or a new one that goes with this answer. Lent by the request. */
static const char *csrf_cookie(Request *request)
{
    const char *present = request_cookie(request, CSRF_COOKIE);
    if (csrf_cookie_valid(present))
        return present;
    const char *made = request_get_data(request, "page.csrf");
    if (made != NULL)
        return made;
    guint8 random[CSRF_BYTES];
    random_fill(random, sizeof random);
    char *fresh = base64url_encode(random, sizeof random);
    request_set_data(request, "page.csrf", fresh, g_free);
    respond_cookie(request, CSRF_COOKIE, fresh, -1);
    return fresh;
}

gboolean page_check_csrf(Request *request, const json_t *form)
{
    const char *cookie = request_cookie(request, CSRF_COOKIE);
    const char *token = form == NULL ? NULL : json_string_at(form, CSRF_FIELD);
    if (csrf_cookie_valid(cookie) && token != NULL &&
        g_strcmp0(request_header(request, "Sec-Fetch-Site"), "cross-site") != 0) {
        g_autofree char *expected = csrf_token(cookie);
        if (secret_equal(token, strlen(token), expected, strlen(expected)))
            return TRUE;
    }
    page_problem(request, 403);
    return FALSE;
}

/* --- rendering --- */

static const char *template_text(const char *name, gpointer user_data)
{
    g_autofree char *path = g_strdup_printf("templates/%s.mustache", name);
    return asset_find(path, NULL);
}

/* This page in `code`: its own query, with another lang. */
static char *language_link(const Request *request, const char *code)
{
    GString *link = g_string_new(request_path(request));
    g_string_append_printf(link, "?lang=%s", code);
    for (guint i = 0; request->query != NULL && i < request->query->len; i++) {
        const UrlField *field = request->query->pdata[i];
        if (strcmp(field->name, "lang") == 0)
            continue;
        g_autofree char *name = g_uri_escape_string(field->name, NULL, FALSE);
        g_autofree char *value = g_uri_escape_string(field->value, NULL, FALSE);
        g_string_append_printf(link, "&%s=%s", name, value);
    }
    return g_string_free(link, FALSE);
}

static json_t *language_links(const Request *request, const char *current)
{
    json_t *list = json_array();
    for (gsize i = 0; i < languages_count; i++) {
        g_autofree char *href = language_link(request, languages[i].code);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "code", languages[i].code, "name",
                                              languages[i].name, "href", href, "current",
                                              strcmp(languages[i].code, current) == 0));
    }
    return list;
}

static void add_site(Request *request, json_t *context, const char *language)
{
    g_autofree char *token = csrf_token(csrf_cookie(request));
    g_autofree char *field =
        g_strdup_printf("<input type=\"hidden\" name=\"" CSRF_FIELD "\" value=\"%s\">", token);
    g_autofree char *stylesheet = page_static("fundament.css");
    g_autofree char *icon = page_static("icon.svg");
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(clock_now_s(clock_system()));
    g_autoptr(json_t) site =
        json_pack("{s:s, s:o, s:o, s:s, s:i, s:s, s:s, s:s, s:s?, s:b}", "language", language, "languages",
                  language_links(request, language), "l", phrases_of(language, LAYOUT), "csrf", field, "year",
                  g_date_time_get_year(now), "version", FUNDAMENT_VERSION, "stylesheet", stylesheet, "icon",
                  icon, "organization", site_organization, "test_mode", site_test);
    json_object_update(context, site);
    json_object_set_new(context, "has_navigation",
                        json_boolean(json_array_size(json_object_get(context, "navigation")) > 0));
    json_object_set_new(context, "has_breadcrumb",
                        json_boolean(json_array_size(json_object_get(context, "breadcrumb")) > 0));
}

/* NULL with an error when one of the templates is missing or malformed. */
static char *render(const char *template_name, json_t *context, GError **error)
{
    const char *layout = template_text(LAYOUT, NULL);
    const char *inner = template_text(template_name, NULL);
    if (layout == NULL || inner == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL, "no template %s",
                    layout == NULL ? LAYOUT : template_name);
        return NULL;
    }
    g_autofree char *content = mustache_render(inner, context, template_text, NULL, error);
    if (content == NULL) {
        g_prefix_error(error, "template %s: ", template_name);
        return NULL;
    }
    json_object_set_new(context, "content", json_string(content));
    char *page = mustache_render(layout, context, template_text, NULL, error);
    if (page == NULL)
        g_prefix_error(error, "template %s: ", LAYOUT);
    return page;
}

/* When templates fail, what is left is said without one. */
static char *plain_page(const Request *request, const char *language)
{
    return g_strdup_printf(
        "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>%s</title></head>"
        "<body><main><h1>%s</h1><p>%s</p><p>%s</p></main></body></html>\n",
        language, phrase(language, "layout.problem.500.title"), phrase(language, "layout.problem.500.title"),
        phrase(language, "layout.problem.500.text"), request_trace(request)->trace_id);
}

static void set_headers(Request *request, const char *language)
{
    for (gsize i = 0; i < G_N_ELEMENTS(page_headers); i++)
        respond_header(request, page_headers[i].name, page_headers[i].value);
    respond_header(request, "Content-Language", language);
}

void respond_page(Request *request, guint status, const char *template_name, const char *component,
                  json_t *context)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) values = context;
    const char *language = request_language(request);
    json_object_set_new(values, "t", phrases_of(language, component));
    add_site(request, values, language);
    char *html = render(template_name, values, &error);
    if (html == NULL) {
        g_critical("trace %s: %s", request_trace(request)->trace_id, error->message);
        status = 500;
        html = plain_page(request, language);
    }
    set_headers(request, language);
    respond_bytes(request, status, "text/html; charset=utf-8", g_bytes_new_take(html, strlen(html)));
}

/* "layout.problem.404.title"; a status without words of its own has those of its class. Caller frees. */
static char *problem_key(guint status, const char *part)
{
    g_autofree char *number = g_strdup_printf("%u", status);
    g_autofree char *key = g_strconcat("layout.problem.", number, ".", part, NULL);
    if (strcmp(phrase(languages[0].code, key), key) != 0)
        return g_steal_pointer(&key);
    return g_strconcat("layout.problem.", status < 500 ? "400" : "500", ".", part, NULL);
}

static void show_problem(Request *request, guint status, const char *title_key, const char *text_key)
{
    const char *language = request_language(request);
    respond_page(request, status, "problem", LAYOUT,
                 json_pack("{s:s, s:s, s:s}", "title", phrase(language, title_key), "text",
                           phrase(language, text_key), "trace", request_trace(request)->trace_id));
}

void page_problem(Request *request, guint status)
{
    g_autofree char *title = problem_key(status, "title");
    g_autofree char *text = problem_key(status, "text");
    show_problem(request, status, title, text);
}

void page_problem_because(Request *request, guint status, const char *key)
{
    g_autofree char *title = g_strconcat(key, ".title", NULL);
    g_autofree char *text = g_strconcat(key, ".text", NULL);
    show_problem(request, status, title, text);
}
