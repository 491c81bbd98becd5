/* The published files of a log, read as a stranger reads them; restarts and damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>

#include "components/logboek/tiles.h"
#include "tests/support/error.h"
#include "tests/support/folder.h"

#define ORIGIN "logboek.example.org/logboek/00000001000000000002/1.0"

static NoteSigner *signer, *other;

static void entry_of(guint64 number, guint8 out[PROOF_ENTRY_SIZE])
{
    MerkleHash commitment;
    proof_commit(1, NULL, &number, sizeof number, &commitment);
    proof_entry(1, (gint64)number * 7, &commitment, out);
}

static void leaf_of(guint64 number, MerkleHash *out)
{
    guint8 entry[PROOF_ENTRY_SIZE];
    entry_of(number, entry);
    merkle_leaf(entry, sizeof entry, out);
}

static void grow(Tiles *tiles, guint64 size)
{
    g_autoptr(GError) error = NULL;
    for (guint64 number = tiles_size(tiles); number < size; number++) {
        guint8 entry[PROOF_ENTRY_SIZE];
        entry_of(number, entry);
        if (!tiles_append(tiles, entry, &error))
            no_error(error);
    }
}

static void publish(Tiles *tiles, guint64 size)
{
    g_autoptr(GError) error = NULL;
    grow(tiles, size);
    tiles_publish(tiles, &error);
    no_error(error);
}

static Tiles *opened(const char *folder)
{
    g_autoptr(GError) error = NULL;
    Tiles *tiles = tiles_open(folder, signer, &error);
    no_error(error);
    return tiles;
}

static char *content(const char *folder, const char *name, gsize *length)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;
    if (!g_file_get_contents(path, &text, length, NULL))
        fail_msg("%s is not there", name);
    return text;
}

/* As a stranger with a browser: everything below a checkpoint, from the files alone. */
static void check_files(const char *folder, guint64 size)
{
    gsize length;
    g_autofree char *text = content(folder, "checkpoint", &length);
    g_autoptr(GError) error = NULL;
    g_autoptr(Note) note = note_parse(text, (gssize)length, &error);
    g_auto(Checkpoint) checkpoint = {0};
    MerkleEdge edge = {0};
    MerkleHash root;
    no_error(error);
    assert_true(note_verified_by(note, note_signer_verifier(signer), NULL));
    assert_true(checkpoint_parse(note_text(note), &checkpoint, NULL));
    assert_string_equal(checkpoint.origin, ORIGIN);
    assert_int_equal(checkpoint.size, size);
    for (guint64 tile = 0; tile * TLOG_TILE_WIDTH < size; tile++) {
        char name[TLOG_PATH_MAX];
        guint width = tlog_width(0, tile, size);
        gsize at = 0, entry_length, hashes_length;
        tlog_bundle_path(tile, width, name);
        g_autofree char *bundle = content(folder, name, &length);
        tlog_tile_path(0, tile, width, name);
        g_autofree char *hashes = content(folder, name, &hashes_length);
        assert_int_equal(hashes_length, width * sizeof(MerkleHash));
        for (guint i = 0; i < width; i++) {
            MerkleHash leaf, expected;
            const guint8 *entry =
                tlog_bundle_next((const guint8 *)bundle, length, &at, &entry_length, &error);
            assert_non_null(entry);
            merkle_leaf(entry, entry_length, &leaf);
            leaf_of(tile * TLOG_TILE_WIDTH + i, &expected);
            assert_true(merkle_equal(&leaf, &expected));
            assert_memory_equal(&leaf, hashes + i * sizeof leaf, sizeof leaf);
            merkle_edge_add(&edge, &leaf, NULL, NULL);
        }
        assert_int_equal(at, length);
    }
    merkle_edge_root(&edge, &root);
    assert_true(merkle_equal(&root, &checkpoint.root));
}

static void check_proofs(Tiles *tiles, guint64 size, guint64 step)
{
    MerkleHash root, old_root, proof[MERKLE_PROOF_MAX];
    gsize count;
    assert_true(merkle_root(size, tiles_read, tiles, &root, NULL));
    for (guint64 number = 0; number < size; number += step) {
        MerkleHash leaf;
        leaf_of(number, &leaf);
        assert_true(tiles_prove_inclusion(tiles, number, size, proof, &count, NULL));
        assert_true(merkle_includes(&root, size, number, &leaf, proof, count));
        assert_true(merkle_root(number, tiles_read, tiles, &old_root, NULL));
        assert_true(tiles_prove_consistency(tiles, number, size, proof, &count, NULL));
        assert_true(merkle_consistent(&old_root, number, &root, size, proof, count));
    }
}

static void what_is_published_can_be_checked_from_the_files_alone(void **state)
{
    static const guint64 sizes[] = {1, 2, 255, 256, 257, 511, 512, 1000, 65535, 65536, 65537, 66000};
    g_autoptr(Tiles) tiles = opened(*state);
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        publish(tiles, sizes[i]);
        check_files(*state, sizes[i]);
        check_proofs(tiles, sizes[i], 1 + sizes[i] / 40);
    }
}

static void an_empty_log_is_published_too(void **state)
{
    g_autoptr(Tiles) tiles = opened(*state);
    publish(tiles, 0);
    check_files(*state, 0);
}

static void narrower_files_go_when_a_tile_is_full(void **state)
{
    g_autoptr(Tiles) tiles = opened(*state);
    g_autofree char *hashes = g_build_filename(*state, "tile/0/000.p", NULL);
    g_autofree char *bundles = g_build_filename(*state, "tile/entries/000.p", NULL);
    for (guint64 size = 10; size < 256; size += 50)
        publish(tiles, size);
    assert_true(g_file_test(hashes, G_FILE_TEST_IS_DIR) && g_file_test(bundles, G_FILE_TEST_IS_DIR));
    publish(tiles, 300);
    assert_false(g_file_test(hashes, G_FILE_TEST_EXISTS) || g_file_test(bundles, G_FILE_TEST_EXISTS));
}

static void a_proof_beyond_what_is_published_is_refused(void **state)
{
    g_autoptr(Tiles) tiles = opened(*state);
    MerkleHash proof[MERKLE_PROOF_MAX];
    gsize count;
    g_autoptr(GError) error = NULL;
    publish(tiles, 10);
    grow(tiles, 20);
    assert_int_equal(tiles_size(tiles), 20);
    assert_int_equal(tiles_published(tiles), 10);
    assert_false(tiles_prove_inclusion(tiles, 3, 20, proof, &count, &error));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
    assert_false(tiles_prove_consistency(tiles, 3, 20, proof, &count, &error));
    expect_error(&error, FUNDAMENT_ERROR_INVALID);
}

static void after_a_restart_it_goes_on_from_what_was_synced(void **state)
{
    guint64 size = 0;
    for (guint round = 0; round < 8; round++) {
        g_autoptr(Tiles) tiles = opened(*state);
        assert_int_equal(tiles_size(tiles), size);
        publish(tiles, size + 333);
        assert_true(tiles_sync(tiles, NULL));
        size += 333;
        grow(tiles, size + 100); /* lost with the process */
    }
    check_files(*state, size);
}

static void a_checkpoint_is_never_followed_by_a_smaller_one(void **state)
{
    {
        g_autoptr(Tiles) tiles = opened(*state);
        publish(tiles, 300);
        assert_true(tiles_sync(tiles, NULL));
        publish(tiles, 700); /* not synced */
    }
    g_autoptr(Tiles) tiles = opened(*state);
    assert_int_equal(tiles_size(tiles), 300);
    publish(tiles, 500);
    check_files(*state, 700);
    publish(tiles, 700);
    check_files(*state, 700);
    publish(tiles, 900);
    check_files(*state, 900);
}

static void damaged_tiles_are_made_anew(void **state)
{
    static const char *const damaged[] = {"synced", "tile/0/001.p/44", "tile/1/000.p/1",
                                          "tile/entries/001.p/44"};
    for (gsize i = 0; i < G_N_ELEMENTS(damaged); i++) {
        g_autofree char *folder = test_folder_new();
        g_autofree char *path = g_build_filename(folder, damaged[i], NULL);
        {
            g_autoptr(Tiles) tiles = opened(folder);
            publish(tiles, 300);
            assert_true(tiles_sync(tiles, NULL));
            assert_int_equal(tiles_published(tiles), 300);
        }
        gsize length;
        g_autofree char *bytes = content(folder, damaged[i], &length);
        bytes[length / 2] ^= 1;
        /* The entries of a bundle are not what the root was made of: they are only as long as they have to
         * be. */
        gssize left = i == 3 ? (gssize)length - 1 : (gssize)length;
        assert_true(g_file_set_contents(path, bytes, left, NULL));
        g_autoptr(Tiles) tiles = opened(folder);
        assert_int_equal(tiles_size(tiles), 0);
        publish(tiles, 400);
        check_files(folder, 400);
    }
}

static void a_state_that_another_key_signed_is_not_believed(void **state)
{
    {
        g_autoptr(Tiles) tiles = tiles_open(*state, other, NULL);
        publish(tiles, 300);
        assert_true(tiles_sync(tiles, NULL));
    }
    g_autoptr(Tiles) tiles = opened(*state);
    assert_int_equal(tiles_size(tiles), 0);
}

static void cosignatures_are_added_once_and_only_to_their_own_checkpoint(void **state)
{
    g_autoptr(Tiles) tiles = opened(*state);
    publish(tiles, 10);
    assert_true(tiles_cosigned(tiles, 10, "\xe2\x80\x94 w1 AAAAAAAA\n\xe2\x80\x94 w2 AAAAAAAB\n", NULL));
    assert_true(tiles_cosigned(tiles, 10, "\xe2\x80\x94 w1 AAAAAAAA\n", NULL));
    assert_true(tiles_cosigned(tiles, 9, "\xe2\x80\x94 w3 AAAAAAAA\n", NULL));
    g_autofree char *text = tiles_checkpoint(tiles);
    g_autofree char *file = content(*state, "checkpoint", NULL);
    assert_string_equal(text, file);
    assert_non_null(strstr(text, "w1"));
    assert_non_null(strstr(text, "w2"));
    assert_null(strstr(text, "w3"));
    assert_null(strstr(strstr(text, "w1") + 1, "w1"));
    publish(tiles, 11);
    g_autofree char *later = tiles_checkpoint(tiles);
    assert_null(strstr(later, "w1"));
}

static void a_disk_that_does_not_take_a_tile_loses_nothing(void **state)
{
    g_autofree char *folder = g_build_filename(*state, "log", NULL);
    g_autofree char *hashes = g_build_filename(folder, "tile", NULL);
    g_autoptr(Tiles) tiles = opened(folder);
    g_autoptr(GError) error = NULL;
    guint8 entry[PROOF_ENTRY_SIZE];
    grow(tiles, 256);
    assert_true(g_file_set_contents(hashes, "in the way", -1, NULL));
    entry_of(256, entry);
    assert_false(tiles_append(tiles, entry, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
    assert_false(tiles_publish(tiles, &error));
    expect_error(&error, FUNDAMENT_ERROR_IO);
    assert_int_equal(tiles_size(tiles), 256);
    g_unlink(hashes);
    publish(tiles, 600);
    check_files(folder, 600);
}

static int set_up(void **state)
{
    *state = test_folder_new();
    return 0;
}

static int tear_down(void **state)
{
    g_free(*state);
    return 0;
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(what_is_published_can_be_checked_from_the_files_alone),
        in_folder(an_empty_log_is_published_too),
        in_folder(narrower_files_go_when_a_tile_is_full),
        in_folder(a_proof_beyond_what_is_published_is_refused),
        in_folder(after_a_restart_it_goes_on_from_what_was_synced),
        in_folder(a_checkpoint_is_never_followed_by_a_smaller_one),
        in_folder(damaged_tiles_are_made_anew),
        in_folder(a_state_that_another_key_signed_is_not_believed),
        in_folder(cosignatures_are_added_once_and_only_to_their_own_checkpoint),
        in_folder(a_disk_that_does_not_take_a_tile_loses_nothing),
    };
    guint8 seed[NOTE_SEED_SIZE] = {1};
    signer = note_signer_new(ORIGIN, NOTE_ED25519, seed, NULL);
    seed[0] = 2;
    other = note_signer_new(ORIGIN, NOTE_ED25519, seed, NULL);
    int failed = cmocka_run_group_tests_name("tiles", tests, NULL, NULL);
    note_signer_free(signer);
    note_signer_free(other);
    return failed;
}
