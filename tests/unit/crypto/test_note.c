/* C2SP signed-note and tlog-cosignature: keys, signatures, and everything that may be wrong with a note. */
#include "tests/unit/crypto/fixture.h"

#include <string.h>

#include "core/crypto/note.h"

#define TEXT "example.org/log\n3\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n"

static const guint8 seed[NOTE_SEED_SIZE] = {1, 2, 3}, other_seed[NOTE_SEED_SIZE] = {9};

static NoteSigner *signer_of(const char *name, NoteAlgorithm algorithm, const guint8 *from)
{
    g_autoptr(GError) error = NULL;
    NoteSigner *signer = note_signer_new(name, algorithm, from, &error);
    assert_ok(signer != NULL, error);
    return signer;
}

/* A note with the signatures of these, NULL-terminated. */
static char *note_by(const NoteSigner *first, const NoteSigner *second)
{
    g_autofree char *one = note_sign(first, TEXT, 1000);
    g_autofree char *two = second == NULL ? g_strdup("") : note_sign(second, TEXT, 2000);
    return g_strconcat(TEXT, "\n", one, two, NULL);
}

static Note *parsed(const char *text)
{
    g_autoptr(GError) error = NULL;
    Note *note = note_parse(text, -1, &error);
    assert_ok(note != NULL, error);
    return note;
}

static void a_signature_is_verified_with_the_key_as_text(void **state)
{
    g_autoptr(NoteSigner) signer = signer_of("example.org/log", NOTE_ED25519, seed);
    g_autofree char *text = note_by(signer, NULL);
    g_autoptr(Note) note = parsed(text);
    g_autoptr(GError) error = NULL;
    g_autoptr(NoteVerifier) verifier =
        note_verifier_parse(note_verifier_text(note_signer_verifier(signer)), &error);
    assert_ok(verifier != NULL, error);
    guint64 time = 7;
    assert_true(note_verified_by(note, verifier, &time));
    assert_int_equal(time, 0);
    assert_string_equal(note_text(note), TEXT);
    assert_string_equal(note_verifier_text(verifier), note_verifier_text(note_signer_verifier(signer)));
}

static void a_cosignature_carries_its_time(void **state)
{
    g_autoptr(NoteSigner) log = signer_of("example.org/log", NOTE_ED25519, seed);
    g_autoptr(NoteSigner) witness = signer_of("witness.example.org", NOTE_COSIGNATURE, other_seed);
    g_autofree char *text = note_by(log, witness);
    g_autoptr(Note) note = parsed(text);
    guint64 time = 0;
    assert_true(note_verified_by(note, note_signer_verifier(log), NULL));
    assert_true(note_verified_by(note, note_signer_verifier(witness), &time));
    assert_int_equal(time, 2000);
}

static void a_cosignature_with_another_time_is_false(void **state)
{
    g_autoptr(NoteSigner) witness = signer_of("w", NOTE_COSIGNATURE, seed);
    g_autofree char *line = note_sign(witness, TEXT, 1000);
    gsize length;
    const char *encoded = strrchr(line, ' ') + 1;
    g_autofree guint8 *bytes = g_base64_decode(encoded, &length);
    bytes[4 + 7] ^= 1; /* the last byte of the time */
    g_autofree char *changed = g_base64_encode(bytes, length);
    g_autofree char *text = g_strconcat(TEXT, "\n\xe2\x80\x94 w ", changed, "\n", NULL);
    g_autoptr(Note) note = parsed(text);
    assert_false(note_verified_by(note, note_signer_verifier(witness), NULL));
}

static void a_text_that_changed_is_not_verified(void **state)
{
    g_autoptr(NoteSigner) signer = signer_of("example.org/log", NOTE_ED25519, seed);
    g_autofree char *text = note_by(signer, NULL);
    for (gsize i = 0; i < strlen(TEXT) - 1; i++) {
        g_autofree char *changed = g_strdup(text);
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        g_autoptr(Note) note = parsed(changed);
        assert_false(note_verified_by(note, note_signer_verifier(signer), NULL));
    }
}

static void the_same_key_under_another_name_or_kind_is_another(void **state)
{
    g_autoptr(NoteSigner) signer = signer_of("example.org/log", NOTE_ED25519, seed);
    g_autoptr(NoteSigner) renamed = signer_of("example.org/gol", NOTE_ED25519, seed);
    g_autoptr(NoteSigner) witness = signer_of("example.org/log", NOTE_COSIGNATURE, seed);
    g_autoptr(NoteSigner) other = signer_of("example.org/log", NOTE_ED25519, other_seed);
    g_autofree char *text = note_by(signer, NULL);
    g_autoptr(Note) note = parsed(text);
    assert_false(note_verified_by(note, note_signer_verifier(renamed), NULL));
    assert_false(note_verified_by(note, note_signer_verifier(witness), NULL));
    assert_false(note_verified_by(note, note_signer_verifier(other), NULL));
}

static void signatures_of_strangers_and_of_other_kinds_are_passed_over(void **state)
{
    g_autoptr(NoteSigner) signer = signer_of("example.org/log", NOTE_ED25519, seed);
    g_autofree char *own = note_by(signer, NULL);
    g_autofree char *text = g_strconcat(own, "\xe2\x80\x94 someone AAAAAAAA\n", NULL);
    g_autoptr(Note) note = parsed(text);
    assert_true(note_verified_by(note, note_signer_verifier(signer), NULL));
}

static void a_false_signature_beside_a_true_one_counts(void **state)
{
    g_autoptr(NoteSigner) signer = signer_of("example.org/log", NOTE_ED25519, seed);
    g_autofree char *own = note_by(signer, NULL);
    g_autofree char *of_another_text = note_sign(signer, "another\n", 0);
    g_autofree char *text = g_strconcat(own, of_another_text, NULL);
    g_autoptr(Note) note = parsed(text);
    assert_false(note_verified_by(note, note_signer_verifier(signer), NULL));
}

static void a_text_may_have_blank_lines_of_its_own(void **state)
{
    g_autoptr(NoteSigner) signer = signer_of("n", NOTE_ED25519, seed);
    g_autofree char *line = note_sign(signer, "a\n\nb\n", 0);
    g_autofree char *text = g_strconcat("a\n\nb\n\n", line, NULL);
    g_autoptr(Note) note = parsed(text);
    assert_string_equal(note_text(note), "a\n\nb\n");
    assert_true(note_verified_by(note, note_signer_verifier(signer), NULL));
}

static void what_is_no_note_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "blank line"},
        {"text\n", "blank line"},
        {"\n\n\xe2\x80\x94 n AAAAAAAA\n", "blank line"},
        {"text\n\n", "no signature"},
        {"text\n\n\xe2\x80\x94 n AAAAAAAA", "is no signature"},
        {"text\n\n- n AAAAAAAA\n", "is no signature"},
        {"text\n\n\xe2\x80\x94 n AAAA\n", "is no signature"},
        {"text\n\n\xe2\x80\x94 n AAAAAAA\n", "is no signature"},
        {"text\n\n\xe2\x80\x94 n AAAAAAB=\n", "is no signature"},
        {"text\n\n\xe2\x80\x94 n AAAA_AAA\n", "is no signature"},
        {"text\n\n\xe2\x80\x94 n+m AAAAAAAA\n", "is no signature"},
        {"text\n\n\xe2\x80\x94  AAAAAAAA\n", "is no signature"},
        {"text\n\n\xe2\x80\x94 n AAAAAAAA\nmore\n", "is no signature"},
        {"text\r\n\n\xe2\x80\x94 n AAAAAAAA\n", "control characters"},
        {"te\xffxt\n\n\xe2\x80\x94 n AAAAAAAA\n", "UTF-8"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Note) note = note_parse(cases[i].text, -1, &error);
        assert_null(note);
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, cases[i].part);
    }
}

static void notes_have_limits(void **state)
{
    g_autoptr(GString) many = g_string_new("text\n\n");
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i <= NOTE_SIGNATURES_MAX; i++)
        g_string_append(many, "\xe2\x80\x94 n AAAAAAAA\n");
    assert_null(note_parse(many->str, -1, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "100");
    g_autofree char *big = g_strnfill(NOTE_MAX + 1, 'a');
    assert_null(note_parse(big, -1, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "64 KiB");
}

static void what_is_no_verifier_key_is_refused(void **state)
{
    g_autoptr(NoteSigner) signer = signer_of("n", NOTE_ED25519, seed);
    const char *good = note_verifier_text(note_signer_verifier(signer));
    g_autofree char *wrong_id = g_strdup(good), *short_key = g_strndup(good, strlen(good) - 4);
    wrong_id[2] = wrong_id[2] == '0' ? '1' : '0';
    const char *cases[][2] = {
        {"", "NAME+ID+KEY"},
        {"n+01020304", "NAME+ID+KEY"},
        {"n+0102030G+AAAA", "NAME+ID+KEY"},
        {"a b+01020304+AAAA", "NAME+ID+KEY"},
        {"n+01020304+AAAA", "Ed25519"},
        {"n+01020304+BwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "kind 01 or 04"},
        {short_key, "32 bytes"},
        {wrong_id, "not that of its name and key"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(note_verifier_parse(cases[i][0], &error));
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, cases[i][1]);
    }
}

static void a_signer_has_a_name_that_fits_in_a_line(void **state)
{
    static const char *const names[] = {"", "a b", "a+b", "a\nb", "a\xc2\xa0"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(note_signer_new(names[i], NOTE_ED25519, seed, &error));
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "name of a signer");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_verified_with_the_key_as_text),
        cmocka_unit_test(a_cosignature_carries_its_time),
        cmocka_unit_test(a_cosignature_with_another_time_is_false),
        cmocka_unit_test(a_text_that_changed_is_not_verified),
        cmocka_unit_test(the_same_key_under_another_name_or_kind_is_another),
        cmocka_unit_test(signatures_of_strangers_and_of_other_kinds_are_passed_over),
        cmocka_unit_test(a_false_signature_beside_a_true_one_counts),
        cmocka_unit_test(a_text_may_have_blank_lines_of_its_own),
        cmocka_unit_test(what_is_no_note_is_refused_with_the_reason),
        cmocka_unit_test(notes_have_limits),
        cmocka_unit_test(what_is_no_verifier_key_is_refused),
        cmocka_unit_test(a_signer_has_a_name_that_fits_in_a_line),
    };
    return cmocka_run_group_tests_name("note", tests, NULL, NULL);
}
