/* Pseudonyms: the same for the same person, for nobody else, and findable after the key was changed. */
#include "tests/unit/crypto/fixture.h"

#include "core/base/bytes.h"
#include "core/crypto/pseudonym.h"

/* Numbers that pass the 11-test and belong to nobody. */
#define BSN "999990019"
#define OTHER_BSN "999990135"

static Pseudonymizer *load(void **state)
{
    g_autoptr(GError) error = NULL;
    Pseudonymizer *pseudonymizer = pseudonymizer_load(*state, OIN, &error);
    assert_ok(pseudonymizer != NULL, error);
    return pseudonymizer;
}

/* 32 bytes, all of them `letter`. */
static void write_key(void **state, const char *name, char letter)
{
    g_autofree char *path = in_folder(state, name);
    g_autofree char *text = g_strnfill(32, letter);
    write_text(path, text, 0600);
}

static void the_first_key_is_made_as_version_1(void **state)
{
    g_autofree char *path = in_folder(state, "pseudonym.1.key");
    g_autoptr(Pseudonymizer) pseudonymizer = load(state);
    g_autofree char *pseudonym = pseudonym_of_bsn(pseudonymizer, BSN);
    assert_int_equal(mode_of(path), 0600);
    assert_true(g_str_has_prefix(pseudonym, "p1."));
    assert_int_equal(strlen(pseudonym), 3 + 43);
    assert_true(pseudonym_valid(pseudonym));
}

static void a_person_keeps_the_pseudonym_after_a_restart(void **state)
{
    g_autoptr(Pseudonymizer) first = load(state);
    g_autoptr(Pseudonymizer) second = load(state);
    g_autofree char *before = pseudonym_of_bsn(first, BSN), *after = pseudonym_of_bsn(second, BSN);
    g_autofree char *other = pseudonym_of_bsn(second, OTHER_BSN);
    assert_string_equal(before, after);
    assert_string_not_equal(before, other);
}

/* decisions.md 18: HMAC(key, OIN || "logboek" || BSN), by the openssl command over the text written out. */
static void the_pseudonym_is_the_hmac_over_oin_logboek_and_bsn(void **state)
{
    if (!openssl_is_there())
        skip();
    write_key(state, "pseudonym.1.key", 'k');
    g_autofree char *text_path = in_folder(state, "text"), *mac_path = in_folder(state, "mac");
    g_autofree char *mac = NULL;
    gsize length;
    write_text(text_path, OIN "logboek" BSN, 0600);
    assert_true(openssl_command(*state, "mac", "-digest", "SHA256", "-macopt",
                                "key:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "-in", "text", "-binary", "-out",
                                "mac", "HMAC", NULL));
    assert_true(g_file_get_contents(mac_path, &mac, &length, NULL));
    assert_int_equal(length, 32);
    g_autofree char *encoded = base64url_encode(mac, length);
    g_autofree char *expected = g_strconcat("p1.", encoded, NULL);
    g_autoptr(Pseudonymizer) pseudonymizer = load(state);
    g_autofree char *pseudonym = pseudonym_of_bsn(pseudonymizer, BSN);
    assert_string_equal(pseudonym, expected);
}

static void another_organisation_or_key_gives_another_pseudonym(void **state)
{
    write_key(state, "pseudonym.1.key", 'k');
    g_autoptr(Pseudonymizer) one = load(state);
    g_autoptr(Pseudonymizer) two = pseudonymizer_load(*state, "00000000000000000002", NULL);
    write_key(state, "pseudonym.1.key", 'j');
    g_autoptr(Pseudonymizer) three = load(state);
    g_autofree char *a = pseudonym_of_bsn(one, BSN), *b = pseudonym_of_bsn(two, BSN),
                    *c = pseudonym_of_bsn(three, BSN);
    assert_string_not_equal(a, b);
    assert_string_not_equal(a, c);
    assert_string_not_equal(b, c);
}

/* By number and not by text: 10 is newer than 9. */
static void the_newest_key_makes_and_all_keys_find(void **state)
{
    write_key(state, "pseudonym.9.key", 'a');
    write_key(state, "pseudonym.10.key", 'b');
    write_key(state, "pseudonym.1.key", 'c');
    write_key(state, "other.11.key", 'd');
    write_key(state, "pseudonym.12.key.old", 'e');
    g_autoptr(Pseudonymizer) pseudonymizer = load(state);
    g_autofree char *newest = pseudonym_of_bsn(pseudonymizer, BSN);
    g_auto(GStrv) all = pseudonyms_of_bsn(pseudonymizer, BSN);
    assert_int_equal(g_strv_length(all), 3);
    assert_true(g_str_has_prefix(all[0], "p10."));
    assert_true(g_str_has_prefix(all[1], "p9."));
    assert_true(g_str_has_prefix(all[2], "p1."));
    assert_string_equal(newest, all[0]);
    assert_string_not_equal(all[0] + 4, all[1] + 3);
}

/* Only when there is none: a second version 1 beside version 2 would be a key without use. */
static void no_key_is_made_when_there_is_one(void **state)
{
    g_autofree char *path = in_folder(state, "pseudonym.1.key");
    write_key(state, "pseudonym.2.key", 'a');
    g_autoptr(Pseudonymizer) pseudonymizer = load(state);
    g_auto(GStrv) all = pseudonyms_of_bsn(pseudonymizer, BSN);
    assert_int_equal(g_strv_length(all), 1);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void refuses_key_names_that_are_almost_right(void **state)
{
    const char *const names[] = {"pseudonym.01.key", "pseudonym.0.key",          "pseudonym.key",
                                 "pseudonym.x.key",  "pseudonym.-1.key",         "pseudonym.1a.key",
                                 "pseudonym..key",   "pseudonym.1234567890.key", "pseudonym. 1.key",
                                 "pseudonym.+1.key", "pseudonym.1.1.key"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = in_folder(state, names[i]);
        write_key(state, names[i], 'a');
        assert_null(pseudonymizer_load(*state, OIN, &error));
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, names[i]);
        assert_int_equal(g_unlink(path), 0);
    }
}

static void refuses_keys_that_are_short_or_open_to_others(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "pseudonym.1.key");
    write_text(path, "short", 0600);
    assert_null(pseudonymizer_load(*state, OIN, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "32 bytes was expected, not 5");
    write_key(state, "pseudonym.1.key", 'a');
    assert_int_equal(g_chmod(path, 0644), 0);
    assert_null(pseudonymizer_load(*state, OIN, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, "chmod 600");
}

static void refuses_an_oin_that_is_none_and_a_missing_folder(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = in_folder(state, "none");
    assert_null(pseudonymizer_load(*state, "123", &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "20 digits");
    assert_null(pseudonymizer_load(*state, NULL, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "20 digits");
    assert_null(pseudonymizer_load(missing, OIN, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "cannot read the key folder");
}

static void the_shape_of_a_pseudonym_is_exact(void **state)
{
    const char *hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; /* 43 */
    g_autofree char *good = g_strconcat("p1.", hash, NULL), *large = g_strconcat("p999999999.", hash, NULL);
    assert_true(pseudonym_valid(good));
    assert_true(pseudonym_valid(large));
    const char *const prefixes[] = {"",   "p",    "p.", "p0.",  "p01.", "P1.",
                                    "p1", "p1..", "1.", "p-1.", " p1.", "p1234567890."};
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_autofree char *text = g_strconcat(prefixes[i], hash, NULL);
        assert_false(pseudonym_valid(text));
    }
    const char *const rests[] = {"",
                                 "A",
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",   /* 42 */
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* 44 */
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", /* stray bits */
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+A",
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA "};
    for (gsize i = 0; i < G_N_ELEMENTS(rests); i++) {
        g_autofree char *text = g_strconcat("p1.", rests[i], NULL);
        assert_false(pseudonym_valid(text));
    }
    assert_false(pseudonym_valid(NULL));
    assert_false(pseudonym_valid(BSN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(the_first_key_is_made_as_version_1),
        with_folder(a_person_keeps_the_pseudonym_after_a_restart),
        with_folder(the_pseudonym_is_the_hmac_over_oin_logboek_and_bsn),
        with_folder(another_organisation_or_key_gives_another_pseudonym),
        with_folder(the_newest_key_makes_and_all_keys_find),
        with_folder(no_key_is_made_when_there_is_one),
        with_folder(refuses_key_names_that_are_almost_right),
        with_folder(refuses_keys_that_are_short_or_open_to_others),
        with_folder(refuses_an_oin_that_is_none_and_a_missing_folder),
        cmocka_unit_test(the_shape_of_a_pseudonym_is_exact),
    };
    return cmocka_run_group_tests_name("pseudonym", tests, NULL, NULL);
}
