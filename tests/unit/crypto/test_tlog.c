/* C2SP tlog-checkpoint, tlog-tiles and tlog-proof; and a log of other makers, verified. */
#include "tests/unit/crypto/fixture.h"

#include <string.h>

#include "core/crypto/note.h"
#include "core/crypto/tlog.h"

#define REAL_LOG_KEY "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"

static void paths_are_groups_of_three_digits(void **state)
{
    static const struct {
        guint level;
        guint64 index;
        guint width;
        const char *path;
    } cases[] = {
        {0, 0, 256, "tile/0/000"},
        {0, 0, 1, "tile/0/000.p/1"},
        {1, 999, 255, "tile/1/999.p/255"},
        {0, 1000, 256, "tile/0/x001/000"},
        {2, 1234067, 112, "tile/2/x001/x234/067.p/112"},
        {0, 36028797018963967, 256, "tile/0/x036/x028/x797/x018/x963/967"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char path[TLOG_PATH_MAX];
        TlogPath parsed;
        tlog_tile_path(cases[i].level, cases[i].index, cases[i].width, path);
        assert_string_equal(path, cases[i].path);
        assert_true(tlog_path_parse(path, &parsed));
        assert_false(parsed.entries);
        assert_int_equal(parsed.level, cases[i].level);
        assert_int_equal(parsed.index, cases[i].index);
        assert_int_equal(parsed.width, cases[i].width);
    }
}

static void bundles_of_entries_have_paths_of_their_own(void **state)
{
    char path[TLOG_PATH_MAX];
    TlogPath parsed;
    tlog_bundle_path(1234067, 256, path);
    assert_string_equal(path, "tile/entries/x001/x234/067");
    assert_true(tlog_path_parse(path, &parsed));
    assert_true(parsed.entries);
    assert_int_equal(parsed.level, 0);
}

static void paths_in_another_form_are_refused(void **state)
{
    static const char *const paths[] = {
        "",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/8/000",
        "tile/7/001",
        "tile/7/812",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0/001/000",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1/",
        "tile/0/000.p/-1",
        "/tile/0/000",
        "tile/x/000",
        "tile/entries",
        "tile/entriesx/000",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/999",
        "tile/0/x001/x001/x001/x001/x001/x001/001",
        "checkpoint",
    };
    TlogPath parsed;
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
        if (tlog_path_parse(paths[i], &parsed))
            fail_msg("%s is taken", paths[i]);
}

static void a_tile_is_as_wide_as_the_log_has_filled_it(void **state)
{
    assert_int_equal(tlog_width(0, 0, 0), 0);
    assert_int_equal(tlog_width(0, 0, 1), 1);
    assert_int_equal(tlog_width(0, 0, 256), 256);
    assert_int_equal(tlog_width(0, 1, 256), 0);
    assert_int_equal(tlog_width(0, 1, 300), 44);
    assert_int_equal(tlog_width(0, 2, 300), 0);
    assert_int_equal(tlog_width(1, 0, 255), 0);
    assert_int_equal(tlog_width(1, 0, 70000), 256);
    assert_int_equal(tlog_width(1, 1, 70000), 17);
    assert_int_equal(tlog_width(2, 0, 70000), 1);
    assert_int_equal(tlog_width(7, 0, TLOG_SIZE_MAX), 127);
}

static void checkpoints_are_read_back_as_written(void **state)
{
    g_auto(Checkpoint) parsed = {0};
    Checkpoint checkpoint = {(char[]){"example.org/log"}, 12345, {{1, 2, 3}}};
    g_autoptr(GError) error = NULL;
    g_autofree char *text = checkpoint_format(&checkpoint);
    assert_string_equal(text, "example.org/log\n12345\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    assert_ok(checkpoint_parse(text, &parsed, &error), error);
    assert_string_equal(parsed.origin, checkpoint.origin);
    assert_int_equal(parsed.size, 12345);
    assert_true(merkle_equal(&parsed.root, &checkpoint.root));
}

static void further_lines_of_a_checkpoint_are_passed_over(void **state)
{
    g_auto(Checkpoint) parsed = {0};
    g_autoptr(GError) error = NULL;
    assert_ok(checkpoint_parse("o\n0\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n", &parsed, &error),
              error);
    assert_int_equal(parsed.size, 0);
}

static void what_is_no_checkpoint_is_refused_with_the_reason(void **state)
{
#define ROOT "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    static const char *const cases[][2] = {
        {"", "origin"},
        {"\n1\n" ROOT "\n", "origin"},
        {"o\n", "size"},
        {"o\n01\n" ROOT "\n", "size"},
        {"o\n-1\n" ROOT "\n", "size"},
        {"o\n+1\n" ROOT "\n", "size"},
        {"o\n9223372036854775808\n" ROOT "\n", "size"},
        {"o\n99999999999999999999\n" ROOT "\n", "size"},
        {"o\n1\n", "third line"},
        {"o\n1\nAQID\n", "third line"},
        {"o\n1\n" ROOT, "third line"},
        {"o\n1\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n", "third line"},
        {"o\n1\n" ROOT "\n\n", "empty line"},
        {"o\n1\n" ROOT "\nmore", "does not end"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Checkpoint) parsed = {0};
        g_autoptr(GError) error = NULL;
        assert_false(checkpoint_parse(cases[i][0], &parsed, &error));
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, cases[i][1]);
    }
}

static void bundles_are_read_entry_by_entry(void **state)
{
    static const guint8 bundle[] = {0, 3, 'o', 'n', 'e', 0, 0, 0, 1, 'x'};
    gsize at = 0, length;
    g_autoptr(GError) error = NULL;
    const guint8 *entry = tlog_bundle_next(bundle, sizeof bundle, &at, &length, &error);
    assert_memory_equal(entry, "one", 3);
    assert_int_equal(length, 3);
    assert_non_null(tlog_bundle_next(bundle, sizeof bundle, &at, &length, &error));
    assert_int_equal(length, 0);
    assert_non_null(tlog_bundle_next(bundle, sizeof bundle, &at, &length, &error));
    assert_int_equal(length, 1);
    assert_null(tlog_bundle_next(bundle, sizeof bundle, &at, &length, &error));
    assert_null(error);
    for (gsize cut = 1; cut < 5; cut++) {
        at = 0;
        assert_null(tlog_bundle_next(bundle, cut, &at, &length, &error));
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "cut off");
    }
}

static void proofs_are_read_back_as_written(void **state)
{
    g_auto(TlogProof) parsed = {0};
    g_autoptr(GBytes) extra = g_bytes_new("salt", 4);
    TlogProof proof = {extra, 5, 2, {{{1}}, {{2}}}, (char[]){"o\n6\n" ROOT "\n\n\xe2\x80\x94 n AAAAAAAA\n"}};
    g_autoptr(GError) error = NULL;
    g_autofree char *text = tlog_proof_format(&proof);
    assert_true(g_str_has_prefix(text, "c2sp.org/tlog-proof@v1\nextra c2FsdA==\nindex 5\nAQAA"));
    assert_ok(tlog_proof_parse(text, -1, &parsed, &error), error);
    assert_true(g_bytes_equal(parsed.extra, extra));
    assert_int_equal(parsed.index, 5);
    assert_int_equal(parsed.count, 2);
    assert_true(merkle_equal(&parsed.hashes[1], &proof.hashes[1]));
    assert_string_equal(parsed.checkpoint, proof.checkpoint);
}

static void what_is_no_proof_is_refused_with_the_reason(void **state)
{
#define HEAD "c2sp.org/tlog-proof@v1\n"
    g_autoptr(GString) many = g_string_new(HEAD "index 1\n");
    for (guint i = 0; i <= MERKLE_PROOF_MAX; i++)
        g_string_append(many, ROOT "\n");
    g_string_append(many, "\ncheckpoint\n");
    const char *cases[][2] = {
        {"", "begins with"},
        {"c2sp.org/tlog-proof@v2\nindex 1\n\nc\n", "begins with"},
        {HEAD, "which entry"},
        {HEAD "index x\n\nc\n", "which entry"},
        {HEAD "index 01\n\nc\n", "which entry"},
        {HEAD "extra !\nindex 1\n\nc\n", "extra data"},
        {HEAD "extra c2FsdA==\n\nc\n", "which entry"},
        {HEAD "index 1\nAQID\n\nc\n", "no hash"},
        {HEAD "index 1\n" ROOT "\n", "no checkpoint"},
        {HEAD "index 1\n\n", "no checkpoint"},
        {many->str, "one too many"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(TlogProof) parsed = {0};
        g_autoptr(GError) error = NULL;
        assert_false(tlog_proof_parse(cases[i][0], -1, &parsed, &error));
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, cases[i][1]);
    }
}

/* --- a real log --- */

static char *real_log(void)
{
    const char *data = g_getenv("FUNDAMENT_DATA");
    char *folder = data == NULL ? NULL : g_build_filename(data, "tlog", "tessera-testdata-log", NULL);
    if (folder != NULL && g_file_test(folder, G_FILE_TEST_IS_DIR))
        return folder;
    g_free(folder);
    print_message("skipped: no ../shared/data\n");
    return NULL;
}

static char *read_file(const char *folder, const char *name, gsize *length)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text;
    g_autoptr(GError) error = NULL;
    assert_ok(g_file_get_contents(path, &text, length, &error), error);
    return text;
}

static void read_checkpoint(const char *folder, guint size, const NoteVerifier *verifier, Checkpoint *out)
{
    g_autofree char *name = g_strdup_printf("checkpoint.%u", size);
    g_autofree char *text = read_file(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Note) note = note_parse(text, -1, &error);
    assert_ok(note != NULL, error);
    assert_true(note_verified_by(note, verifier, NULL));
    assert_ok(checkpoint_parse(note_text(note), out, &error), error);
    assert_string_equal(out->origin, note_verifier_name(verifier));
    assert_int_equal(out->size, size);
    g_autofree char *again = checkpoint_format(out);
    assert_string_equal(again, note_text(note));
}

static gboolean read_tile(gpointer data, guint level, guint64 index, MerkleHash *out, GError **error)
{
    tlog_tile_hash(data, level, (guint)index, out);
    return TRUE;
}

static void a_log_of_other_makers_is_verified_whole(void **state)
{
    g_autofree char *folder = real_log();
    if (folder == NULL)
        skip();
    g_autoptr(GError) error = NULL;
    g_autoptr(NoteVerifier) verifier = note_verifier_parse(REAL_LOG_KEY, &error);
    assert_ok(verifier != NULL, error);
    gsize length, tile_length, entry_length, at = 0;
    g_autofree char *bundle = read_file(folder, "tile/entries/000.p/15", &length);
    g_autofree char *tile = read_file(folder, "tile/0/000.p/15", &tile_length);
    assert_int_equal(tile_length, 15 * sizeof(MerkleHash));
    MerkleEdge edge = {0};
    for (guint size = 0; size <= 15; size++) {
        MerkleHash root, proof[MERKLE_PROOF_MAX];
        gsize count;
        g_auto(Checkpoint) now = {0}, last = {0};
        read_checkpoint(folder, size, verifier, &now);
        read_checkpoint(folder, 15, verifier, &last);
        merkle_edge_root(&edge, &root);
        assert_true(merkle_equal(&root, &now.root));
        assert_ok(merkle_prove_consistency(size, 15, read_tile, tile, proof, &count, &error), error);
        assert_true(merkle_consistent(&now.root, size, &last.root, 15, proof, count));
        const guint8 *entry = tlog_bundle_next((const guint8 *)bundle, length, &at, &entry_length, &error);
        if (entry == NULL)
            break;
        MerkleHash leaf;
        merkle_leaf(entry, entry_length, &leaf);
        assert_memory_equal(&leaf, tile + size * sizeof leaf, sizeof leaf);
        assert_ok(merkle_prove_inclusion(size, 15, read_tile, tile, proof, &count, &error), error);
        assert_true(merkle_includes(&last.root, 15, size, &leaf, proof, count));
        merkle_edge_add(&edge, &leaf, NULL, NULL);
    }
    assert_int_equal(edge.size, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_groups_of_three_digits),
        cmocka_unit_test(bundles_of_entries_have_paths_of_their_own),
        cmocka_unit_test(paths_in_another_form_are_refused),
        cmocka_unit_test(a_tile_is_as_wide_as_the_log_has_filled_it),
        cmocka_unit_test(checkpoints_are_read_back_as_written),
        cmocka_unit_test(further_lines_of_a_checkpoint_are_passed_over),
        cmocka_unit_test(what_is_no_checkpoint_is_refused_with_the_reason),
        cmocka_unit_test(bundles_are_read_entry_by_entry),
        cmocka_unit_test(proofs_are_read_back_as_written),
        cmocka_unit_test(what_is_no_proof_is_refused_with_the_reason),
        cmocka_unit_test(a_log_of_other_makers_is_verified_whole),
    };
    return cmocka_run_group_tests_name("tlog", tests, NULL, NULL);
}
