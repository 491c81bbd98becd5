/* The catalogue without a node: descriptions, DCAT-AP-NL from a struct, Turtle, search. Whether the result is
 * valid under the shapes is for tests/conformance/test_catalogue. */
#include <string.h>

#include "components/fsc/catalogue.h"
#include "components/fsc/description.h"
#include "components/fsc/turtle.h"
#include "core/format/json.h"
#include "tests/unit/fsc/sample.h"

#define FIRST "00000001000000000001"
#define SECOND "00000001000000000002"

static json_t *service(const char *name, const char *peer_id, const char *peer_name, json_t *description)
{
    g_autofree char *page = catalogue_page_path(peer_id, name, NULL);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:b, s:o}", "name", name, "peer_id", peer_id,
                     "peer_name", peer_name, "manager_address", "https://manager.example:8443", "protocol",
                     "PROTOCOL_TCP_HTTP_1.1", "since", (json_int_t)1800000000, "page", page, "described", 1,
                     "description", description);
}

static json_t *document_of(json_t *services)
{
    const Catalogue catalogue = {.address = "https://portal.example",
                                 .group = "group",
                                 .oin = FIRST,
                                 .publisher = "Directory",
                                 .about = NULL,
                                 .services = services};
    return catalogue_dcat(&catalogue, -1);
}

static const json_t *node_at(const json_t *document, const char *address)
{
    gsize i;
    const json_t *node;
    json_array_foreach(json_object_get(document, "@graph"), i,
                       node) if (g_strcmp0(json_string_at(node, "@id"), address) == 0) return node;
    return NULL;
}

/* DCAT-AP-NL 3.0.1: the properties that a data service must have. */
static void a_service_has_every_mandatory_property(void **state)
{
    static const char *const mandatory[] = {"dct:title",
                                            "dct:description",
                                            "dct:accessRights",
                                            "dcat:contactPoint",
                                            "dcat:endpointDescription",
                                            "dcat:endpointURL",
                                            "dct:identifier",
                                            "dct:license",
                                            "dct:publisher",
                                            "dcat:theme"};
    g_autoptr(json_t) services = json_pack("[o]", service("persons", SECOND, "Register", json_object()));
    g_autoptr(json_t) document = document_of(services);
    const json_t *node = node_at(document, "https://portal.example/catalogus/" SECOND "/persons#dienst");
    assert_non_null(node);
    for (gsize i = 0; i < G_N_ELEMENTS(mandatory); i++)
        if (json_object_get(node, mandatory[i]) == NULL)
            fail_msg("%s is missing", mandatory[i]);
}

static void agents_and_concepts_are_stated_once(void **state)
{
    g_autoptr(json_t) services = json_pack("[o, o]", service("one", SECOND, "Register", json_object()),
                                           service("two", SECOND, "Register", json_object()));
    g_autoptr(json_t) document = document_of(services);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    gsize i;
    const json_t *node;
    json_array_foreach(json_object_get(document, "@graph"), i, node)
        assert_true(g_hash_table_add(seen, (gpointer)json_string_at(node, "@id")));
}

static void one_service_alone_is_chosen_by_its_index(void **state)
{
    g_autoptr(json_t) services = json_pack("[o, o]", service("one", SECOND, "Register", json_object()),
                                           service("two", SECOND, "Register", json_object()));
    const Catalogue catalogue = {
        .address = "https://p.example", .group = "g", .oin = FIRST, .publisher = "D", .services = services};
    g_autoptr(json_t) document = catalogue_dcat(&catalogue, 1);
    assert_null(node_at(document, "https://p.example/catalogus/" SECOND "/one#dienst"));
    assert_non_null(node_at(document, "https://p.example/catalogus/" SECOND "/two#dienst"));
}

static void pages_of_services_have_escaped_paths(void **state)
{
    g_autofree char *path = catalogue_page_path("00/01", "a b?#%", "<x>");
    assert_string_equal(path, "/catalogus/00%2F01/a%20b%3F%23%25/%3Cx%3E");
}

/* --- Turtle --- */

/* Turtle 1.1, 6.4: what may stand in a string in quotes, and between < and >. */
static void turtle_escapes_strings_and_addresses(void **state)
{
    g_autoptr(json_t) document =
        json_pack("{s:{s:s}, s:[{s:s, s:s, s:[{s:s, s:s}, {s:s}], s:{s:s}}]}", "@context", "dct",
                  "http://purl.org/dc/terms/", "@graph", "@id", "http://x/a", "@type", "dct:Thing",
                  "dct:title", "@value", "a\"b\\c\nd\te\rf\x7f", "@language", "nl", "@value", "\"\"\"",
                  "dct:source", "@id", "http://x/<y> z\"");
    g_autofree char *text = turtle_write(document);
    assert_non_null(strstr(text, "@prefix dct: <http://purl.org/dc/terms/> ."));
    assert_non_null(strstr(text, "\"a\\\"b\\\\c\\nd\\u0009e\\rf\\u007F\"@nl"));
    assert_non_null(strstr(text, "\"\\\"\\\"\\\"\""));
    assert_non_null(strstr(text, "<http://x/\\u003Cy\\u003E\\u0020z\\u0022>"));
    assert_null(strstr(text, "\t"));
}

/* Every text of one to three of the characters that mean something somewhere: in the Turtle there are as many
 * lines and as many unescaped quotes as with a text that means nothing. */
static void no_text_changes_the_shape_of_turtle(void **state)
{
    static const char letters[] = "\"\\\n'<>@.;[]u{}";
    for (gsize i = 0; i < 2744; i++) {
        char text[4] = {letters[i % 14], letters[i / 14 % 14], letters[i / 196], '\0'};
        g_autoptr(json_t) document = json_pack("{s:{}, s:[{s:s, s:{s:s}}]}", "@context", "@graph", "@id",
                                               "http://x", "a:b", "@value", text);
        g_autofree char *turtle = turtle_write(document);
        guint lines = 0, quotes = 0;
        for (const char *c = turtle; *c != '\0'; c++) {
            if (*c == '\\')
                c++;
            else if (*c == '"')
                quotes++;
            else if (*c == '\n')
                lines++;
        }
        assert_int_equal(quotes, 2);
        assert_int_equal(lines, 3);
    }
}

/* --- descriptions --- */

static void addresses_that_would_end_an_iri_are_refused(void **state)
{
    static const char *const good[] = {"https://example.nl", "http://example.nl/a?b=c#d",
                                       "https://[::1]:8443/x", "https://example.nl/%C3%A9"};
    static const char *const wrong[] = {"",
                                        "https://",
                                        "https:///x",
                                        "ftp://example.nl",
                                        "javascript:alert(1)",
                                        "https://x/>",
                                        "https://x/ y",
                                        "https://x/\"",
                                        "https://x/{y}",
                                        "https://x/\\",
                                        "https://x/%4",
                                        "https://x/%zz",
                                        "https://x/\xc3\xa9",
                                        "HTTPS://x"};
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        if (!description_iri_valid(good[i]))
            fail_msg("refused %s", good[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        if (description_iri_valid(wrong[i]))
            fail_msg("accepted %s", wrong[i]);
}

static void email_addresses_hold_nothing_that_needs_quoting(void **state)
{
    static const char *const wrong[] = {"",      "a",     "@b",    "a@",    "a@b>c",
                                        "a b@c", "a@b?c", "a?b@c", "a@b@c", "\"a\"@b"};
    assert_true(description_email_valid("loket+vraag@example.nl"));
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        if (description_email_valid(wrong[i]))
            fail_msg("accepted %s", wrong[i]);
}

static void what_is_wrong_is_left_out_and_the_rest_is_kept(void **state)
{
    g_autoptr(json_t) given = json_pack("{s:s, s:s, s:i, s:s, s:[s], s:[s, s], s:{}}", "title", "good",
                                        "description", "bell\a", "contact_name", 5, "licence", "https://x/<",
                                        "theme", "NONE", "keywords", "a", "b", "surprise");
    g_autoptr(json_t) clean = description_clean(given);
    assert_int_equal(json_object_size(clean), 2);
    assert_string_equal(json_string_at(clean, "title"), "good");
    assert_int_equal(json_array_size(json_object_get(clean, "keywords")), 2);
    g_autoptr(json_t) nothing = description_clean(NULL);
    assert_int_equal(json_object_size(nothing), 0);
}

static void our_own_mistakes_are_told(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) given = json_pack("{s:s}", "access_rights", "all");
    assert_null(description_check(given, "[service.x] ", &error));
    assert_non_null(
        strstr(error->message, "[service.x] access_rights: must be public, restricted or non-public"));
}

/* Directional marks could make a page say something else than what stands there. */
static void text_with_marks_that_turn_it_around_is_refused(void **state)
{
    g_autoptr(json_t) given = json_pack("{s:s, s:s}", "title",
                                        "abc\xe2\x80\xae"
                                        "def",
                                        "title_en", "two\nlines");
    g_autoptr(json_t) clean = description_clean(given);
    assert_null(json_object_get(clean, "title"));
    assert_non_null(json_object_get(clean, "title_en"));
}

static void the_language_of_the_page_goes_first(void **state)
{
    const char *in;
    g_autoptr(json_t) both = json_pack("{s:s, s:s}", "title", "parkeren", "title_en", "parking");
    g_autoptr(json_t) dutch = json_pack("{s:s}", "title", "parkeren");
    g_autoptr(json_t) english = json_pack("{s:s}", "title_en", "parking");
    assert_string_equal(catalogue_text(both, "title", "en", &in), "parking");
    assert_string_equal(catalogue_text(dutch, "title", "en", &in), "parkeren");
    assert_string_equal(in, "nl");
    assert_string_equal(catalogue_text(english, "title", "nl", &in), "parking");
    assert_string_equal(in, "en");
    assert_null(catalogue_text(NULL, "title", "nl", &in));
}

/* --- search --- */

static gsize found(const json_t *services, CatalogueFilter filter)
{
    g_autoptr(json_t) list = catalogue_search(services, &filter);
    return json_array_size(list);
}

static void search_wants_every_word_somewhere(void **state)
{
    g_autoptr(json_t) services = json_pack(
        "[o, o]",
        service("parkeren", FIRST, "Gemeente Noord", json_pack("{s:s}", "description", "Één vergunning")),
        service("persons", SECOND, "Register", json_pack("{s:[s]}", "keywords", "adres")));
    assert_int_equal(found(services, (CatalogueFilter){0}), 2);
    assert_int_equal(found(services, (CatalogueFilter){.text = "  VERGUNNING noord "}), 1);
    assert_int_equal(found(services, (CatalogueFilter){.text = "vergunning register"}), 0);
    assert_int_equal(found(services, (CatalogueFilter){.text = "adres"}), 1);
    assert_int_equal(found(services, (CatalogueFilter){.text = "een vergunning"}), 1);
    assert_int_equal(found(services, (CatalogueFilter){.peer_id = SECOND}), 1);
    assert_int_equal(found(services, (CatalogueFilter){.protocol = "PROTOCOL_TCP_HTTP_2"}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_has_every_mandatory_property),
        cmocka_unit_test(agents_and_concepts_are_stated_once),
        cmocka_unit_test(one_service_alone_is_chosen_by_its_index),
        cmocka_unit_test(pages_of_services_have_escaped_paths),
        cmocka_unit_test(turtle_escapes_strings_and_addresses),
        cmocka_unit_test(no_text_changes_the_shape_of_turtle),
        cmocka_unit_test(addresses_that_would_end_an_iri_are_refused),
        cmocka_unit_test(email_addresses_hold_nothing_that_needs_quoting),
        cmocka_unit_test(what_is_wrong_is_left_out_and_the_rest_is_kept),
        cmocka_unit_test(our_own_mistakes_are_told),
        cmocka_unit_test(text_with_marks_that_turn_it_around_is_refused),
        cmocka_unit_test(the_language_of_the_page_goes_first),
        cmocka_unit_test(search_wants_every_word_somewhere),
    };
    return cmocka_run_group_tests_name("fsc catalogue", tests, NULL, NULL);
}
