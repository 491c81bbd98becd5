#include "tests/unit/fsc/sample.h"

static json_t *vectors(void)
{
    const char *folder = g_getenv("FUNDAMENT_DATA");
    g_autofree char *path =
        g_build_filename(folder != NULL ? folder : "", "fsc", "examples", "derived-hash-vectors.json", NULL);
    json_t *file = json_read_file(path, NULL, NULL);
    if (file == NULL) {
        print_message("skipped: no ../shared/data\n");
        skip();
    }
    return file;
}

/* FSC Core 2.0.0, 4.2.4 and 4.2.5. The vectors come from another implementation of the text, not from another
 * product. */
static void agrees_with_the_derived_vectors(void **state)
{
    g_autoptr(json_t) file = vectors();
    gsize i, j, grants = 0;
    json_t *vector, *expected;
    json_array_foreach(json_object_get(file, "vectors"), i, vector)
    {
        json_t *content = json_object_get(vector, "content");
        g_autofree char *hash = fsc_content_hash(content, NULL);
        assert_string_equal(hash, json_string_at(vector, "content_hash"));
        json_array_foreach(json_object_get(vector, "grants"), j, expected)
        {
            const char *right = json_string_at(expected, "grant_hash_over_content_hash_string");
            const json_t *data =
                json_object_get(json_array_get(json_object_get(content, "grants"), j), "data");
            g_autofree char *grant_hash = fsc_grant_hash(hash, (HashType)(right[3] - '0'), data, NULL);
            assert_string_equal(grant_hash, right);
            assert_string_not_equal(grant_hash, json_string_at(expected, "grant_hash_over_raw_digest"));
            grants++;
        }
    }
    assert_true(grants >= 8);
}

/* All vectors but one are contracts of 2.0.0; that one is the example as the standard prints it, which its
 * own OpenAPI document refuses. */
static void parses_the_vectors_to_the_same_hashes(void **state)
{
    g_autoptr(json_t) file = vectors();
    gsize i, parsed = 0;
    json_t *vector;
    json_array_foreach(json_object_get(file, "vectors"), i, vector)
    {
        g_autoptr(GError) error = NULL;
        g_autoptr(Contract) contract = contract_parse(json_object_get(vector, "content"), &error);
        if (contract == NULL) {
            assert_non_null(strstr(json_string_at(vector, "name"), "spec-section-example-verbatim"));
            continue;
        }
        const json_t *expected = json_array_get(json_object_get(vector, "grants"), 0);
        assert_string_equal(contract->hash, json_string_at(vector, "content_hash"));
        assert_string_equal(contract->grants[0].hash,
                            json_string_at(expected, "grant_hash_over_content_hash_string"));
        parsed++;
    }
    assert_int_equal(parsed, json_array_size(json_object_get(file, "vectors")) - 1);
}

static char *hash_of(json_t *content)
{
    g_autoptr(GError) error = NULL;
    char *hash = fsc_content_hash(content, &error);
    assert_non_null(hash);
    json_decref(content);
    return hash;
}

/* RFC 8785: the order of members is no part of the content ... */
static void ignores_the_order_of_members(void **state)
{
    json_t *turned = json_object();
    g_autoptr(json_t) content = sample_content(sample_connection());
    const char *names[] = {"created_at", "grants", "validity",   "hash_algorithm",
                           "group_id",   "iv",     "fsc_version"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        json_object_set(turned, names[i], json_object_get(content, names[i]));
    g_autofree char *a = hash_of(turned);
    g_autofree char *b = fsc_content_hash(content, NULL);
    assert_string_equal(a, b);
}

/* ... the order of grants is (4.4.1.2) */
static void minds_the_order_of_grants(void **state)
{
    json_t *one = sample_content(sample_connection());
    json_array_append_new(json_object_get(one, "grants"), sample_delegated_connection());
    json_t *two = sample_content(sample_delegated_connection());
    json_array_append_new(json_object_get(two, "grants"), sample_connection());
    g_autofree char *a = hash_of(one);
    g_autofree char *b = hash_of(two);
    assert_string_not_equal(a, b);
}

/* 4.2.5: "The iv field is included in the Grant hash to create a Grant hash that references to a single
 * Contract." */
static void the_same_grant_in_another_contract_has_another_hash(void **state)
{
    g_autoptr(json_t) one = sample_content(sample_connection());
    g_autoptr(json_t) two = sample_content(sample_connection());
    sample_change(two, "", "iv", json_string("019b76da-a800-7000-8000-000000000002"));
    g_autoptr(Contract) a = contract_parse(one, NULL);
    g_autoptr(Contract) b = contract_parse(two, NULL);
    assert_string_not_equal(a->grants[0].hash, b->grants[0].hash);
}

/* 4.2.6.1 */
static void hash_types_are_those_of_the_table(void **state)
{
    json_t *grants[] = {sample_publication(), sample_connection(), sample_delegated_connection(),
                        sample_delegated_publication()};
    static const char *const prefixes[] = {"$1$2$", "$1$3$", "$1$4$", "$1$5$"};
    for (gsize i = 0; i < G_N_ELEMENTS(grants); i++) {
        g_autoptr(json_t) content = sample_content(grants[i]);
        g_autoptr(Contract) contract = contract_parse(content, NULL);
        HashType type;
        assert_true(g_str_has_prefix(contract->hash, "$1$1$"));
        assert_true(g_str_has_prefix(contract->grants[0].hash, prefixes[i]));
        assert_true(fsc_hash_parse(contract->grants[0].hash, &type));
        assert_int_equal(type, (int)(i + 2));
        assert_int_equal(strlen(contract->hash), FSC_HASH_LENGTH);
    }
}

static void parse_refuses_other_shapes(void **state)
{
    g_autoptr(json_t) content = sample_content(sample_connection());
    g_autofree char *good = fsc_content_hash(content, NULL);
    assert_true(fsc_hash_parse(good, NULL));
    static const struct {
        gsize position;
        char character;
    } wrong[] = {{0, '%'},  {1, '2'},  {3, '0'},  {3, '6'},  {4, '1'},
                 {10, '+'}, {10, '/'}, {10, '='}, {90, '_'}, {90, '\0'}};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *bad = g_strdup(good);
        bad[wrong[i].position] = wrong[i].character;
        if (fsc_hash_parse(bad, NULL))
            fail_msg("accepted %s", bad);
    }
    g_autofree char *longer = g_strconcat(good, "A", NULL);
    assert_false(fsc_hash_parse(longer, NULL));
    assert_false(fsc_hash_parse("", NULL));
    assert_false(fsc_hash_parse(NULL, NULL));
}

/* The examples printed in the standard use standard base64; the rule says base64url (docs/fsc-readings.md,
 * 3). */
static void parse_refuses_the_examples_of_the_standard(void **state)
{
    assert_false(fsc_hash_parse(
        "$1$4$+PQI7we01qIfEwq4O5UioLKzjGBgRva6F5+bUfDlKxUjcY5yX1MRsn6NKquDbL8VcklhYO9sk18rHD6La3w/mg", NULL));
    assert_true(fsc_hash_parse(
        "$1$4$-PQI7we01qIfEwq4O5UioLKzjGBgRva6F5-bUfDlKxUjcY5yX1MRsn6NKquDbL8VcklhYO9sk18rHD6La3w_mg", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_derived_vectors),
        cmocka_unit_test(parses_the_vectors_to_the_same_hashes),
        cmocka_unit_test(ignores_the_order_of_members),
        cmocka_unit_test(minds_the_order_of_grants),
        cmocka_unit_test(the_same_grant_in_another_contract_has_another_hash),
        cmocka_unit_test(hash_types_are_those_of_the_table),
        cmocka_unit_test(parse_refuses_other_shapes),
        cmocka_unit_test(parse_refuses_the_examples_of_the_standard),
    };
    return cmocka_run_group_tests_name("fsc hash", tests, NULL, NULL);
}
