/* Bundles: honest ones hold, and every lie is found with its reason. Seeds make each case the same again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "tests/unit/logboek/proof_log.h"

#define LOGS 12
#define PERSONS 9
#define ROUNDS 80 /* of each lie */

static void assert_whole(const json_t *bundle, const TlogPolicy *policy)
{
    g_auto(BundleReport) report = {0};
    if (!bundle_verify(bundle, policy, &report))
        fail_msg("%s at %s: %s", bundle_fault_name(report.fault), report.where, report.detail);
    assert_int_equal(report.fault, BUNDLE_WHOLE);
}

static void honest_logs_hold_for_everybody(void **state)
{
    for (guint seed = 0; seed < 60; seed++) {
        g_autoptr(ProofLog) log = proof_log_new(seed, 1 + seed % PERSONS, 2 + seed * 3);
        g_autoptr(TlogPolicy) policy = proof_log_policy(log);
        for (guint person = 0; person < PERSONS + 3; person++) {
            g_autoptr(json_t) bundle = proof_log_bundle(log, person);
            assert_whole(bundle, policy);
        }
    }
}

static void a_report_tells_what_was_found(void **state)
{
    g_autoptr(ProofLog) log = proof_log_new(1, 1, 40);
    g_autoptr(TlogPolicy) policy = proof_log_policy(log);
    g_auto(BundleReport) report = {0};
    proof_log_delete(log, 1);
    g_autoptr(json_t) bundle = proof_log_bundle(log, 0);
    assert_true(bundle_verify(bundle, policy, &report));
    assert_int_equal(report.entries,
                     42); /* with the three that came after the first epoch, less the deleted one */
    assert_int_equal(report.deleted, 1);
    assert_int_equal(report.witnesses, 2);
    assert_int_equal(report.lists, 1);
    assert_int_equal(report.epoch, 1);
    assert_true(report.through < report.log_size && report.epoch_time_ms > 0 && report.witnessed_s > 0);
}

static void nobody_used_your_data_is_proven(void **state)
{
    g_autoptr(ProofLog) log = proof_log_new(5, 3, 30);
    g_autoptr(TlogPolicy) policy = proof_log_policy(log);
    g_auto(BundleReport) report = {0};
    g_autoptr(json_t) bundle = proof_log_bundle(log, 77);
    assert_true(bundle_verify(bundle, policy, &report));
    assert_int_equal(report.entries, 0);
}

static void what_was_deleted_after_its_time_leaves_every_proof_valid(void **state)
{
    for (guint seed = 0; seed < LOGS; seed++) {
        g_autoptr(ProofLog) log = proof_log_new(seed, 3, 60);
        g_autoptr(TlogPolicy) policy = proof_log_policy(log);
        g_autoptr(GRand) random = g_rand_new_with_seed(seed);
        for (guint i = 0; i < 10; i++)
            proof_log_delete(log, (guint64)MAX(proof_log_any_entry(log, i % 3, random), 1));
        for (guint person = 0; person < 3; person++) {
            g_autoptr(json_t) bundle = proof_log_bundle(log, person);
            assert_whole(bundle, policy);
        }
    }
}

/* --- lies --- */

typedef struct {
    ProofLog *log, *other; /* another log of the same keys, with other records */
    GRand *random;
    guint person;
    json_t *bundle;
    json_t *list, *entries;
} Case;

static guint below(const Case *c, gsize end)
{
    return (guint)g_rand_int_range(c->random, 0, (gint32)end);
}

static gsize count_of(const Case *c)
{
    return json_array_size(c->entries);
}

static void recount(const Case *c)
{
    json_object_set_new(c->list, "count", json_integer((json_int_t)count_of(c)));
}

static json_t *any_entry(const Case *c)
{
    return json_array_get(c->entries, below(c, count_of(c)));
}

/* Changes one byte of what a member holds in base64. */
static void twist(const Case *c, json_t *object, const char *name)
{
    gsize length;
    g_autofree guchar *bytes = g_base64_decode(json_string_value(json_object_get(object, name)), &length);
    bytes[below(c, length)] ^= (guchar)(1 + below(c, 255));
    g_autofree char *text = g_base64_encode(bytes, length);
    json_object_set_new(object, name, json_string(text));
}

static gboolean lie_drop(Case *c)
{
    return json_array_remove(c->entries, below(c, count_of(c))) == 0;
}

static gboolean lie_drop_and_count(Case *c)
{
    lie_drop(c);
    recount(c);
    return TRUE;
}

static gboolean lie_drop_all(Case *c)
{
    json_array_clear(c->entries);
    recount(c);
    return TRUE;
}

static gboolean lie_alter_salt(Case *c)
{
    twist(c, any_entry(c), "salt");
    return TRUE;
}

/* The name of the action, so that it still is a record. */
static gboolean lie_alter_name(Case *c)
{
    json_t *entry = any_entry(c);
    gsize length;
    g_autofree guchar *bytes = g_base64_decode(json_string_value(json_object_get(entry, "content")), &length);
    guchar *name = memmem(bytes, length, "Gegevens", 8);
    name[below(c, 8)] = 'x';
    g_autofree char *text = g_base64_encode(bytes, length);
    json_object_set_new(entry, "content", json_string(text));
    return TRUE;
}

static gboolean lie_alter_any_byte(Case *c)
{
    twist(c, any_entry(c), "content");
    return TRUE;
}

static gboolean lie_reorder(Case *c)
{
    if (count_of(c) < 2)
        return FALSE;
    guint at = below(c, count_of(c) - 1);
    json_t *entry = json_incref(json_array_get(c->entries, at));
    json_array_remove(c->entries, at);
    json_array_insert_new(c->entries, at + 1, entry);
    return TRUE;
}

static gboolean lie_reorder_with_numbers(Case *c)
{
    if (count_of(c) < 2)
        return FALSE;
    guint at = below(c, count_of(c) - 1);
    json_t *a = json_array_get(c->entries, at), *b = json_array_get(c->entries, at + 1);
    json_t *number = json_incref(json_object_get(a, "number"));
    json_object_set(a, "number", json_object_get(b, "number"));
    json_object_set_new(b, "number", number);
    return lie_reorder(c);
}

static gboolean lie_duplicate(Case *c)
{
    guint at = below(c, count_of(c));
    json_array_insert_new(c->entries, at, json_deep_copy(json_array_get(c->entries, at)));
    recount(c);
    return TRUE;
}

static gboolean lie_duplicate_with_number(Case *c)
{
    json_t *copy = json_deep_copy(json_array_get(c->entries, count_of(c) - 1));
    json_int_t number = json_integer_value(json_object_get(copy, "number")) + 1;
    json_object_set_new(copy, "number", json_integer(number));
    json_array_append_new(c->entries, copy);
    recount(c);
    return TRUE;
}

static gboolean lie_other_person(Case *c)
{
    g_autoptr(json_t) other = proof_log_bundle(c->log, (c->person + 1) % PERSONS);
    const json_t *entries = json_object_get(json_array_get(json_object_get(other, "lists"), 0), "entries");
    if (json_array_size(entries) == 0)
        return FALSE;
    json_t *entry = json_deep_copy(json_array_get(entries, below(c, json_array_size(entries))));
    guint at = below(c, count_of(c));
    json_object_set(entry, "number", json_object_get(json_array_get(c->entries, at), "number"));
    json_array_set_new(c->entries, at, entry);
    return TRUE;
}

static gboolean lie_list_of_another(Case *c)
{
    g_autofree char *subject = proof_log_subject((c->person + 1) % PERSONS);
    json_object_set_new(c->list, "subject", json_string(subject));
    return TRUE;
}

static gboolean lie_other_list(Case *c)
{
    json_object_set_new(c->list, "list", json_string("restricted"));
    return TRUE;
}

static gboolean lie_label(Case *c)
{
    twist(c, c->list, "vrf");
    return TRUE;
}

/* The proof that somebody is not in the map, shown for one who is. */
static gboolean lie_absent(Case *c)
{
    g_autoptr(json_t) other = proof_log_bundle(c->log, 1000 + below(c, 1000));
    json_object_set(c->list, "map",
                    json_object_get(json_array_get(json_object_get(other, "lists"), 0), "map"));
    return lie_drop_all(c);
}

static gboolean lie_map(Case *c)
{
    twist(c, c->list, "map");
    return TRUE;
}

static gboolean lie_epoch(Case *c)
{
    twist(c, json_object_get(c->bundle, "epoch"), "data");
    return TRUE;
}

static gboolean lie_epoch_time(Case *c)
{
    json_t *epoch = json_object_get(c->bundle, "epoch");
    json_int_t time = json_integer_value(json_object_get(epoch, "time"));
    json_object_set_new(epoch, "time", json_integer(time + 1 + below(c, 100000)));
    return TRUE;
}

static gboolean lie_entry_time(Case *c)
{
    json_t *entry = any_entry(c);
    json_int_t time = json_integer_value(json_object_get(entry, "time"));
    json_object_set_new(entry, "time", json_integer(time - 1 - below(c, 100000)));
    return TRUE;
}

static gboolean lie_path(Case *c)
{
    json_t *path = json_object_get(json_object_get(c->bundle, "epoch"), "path");
    json_array_remove(path, below(c, json_array_size(path)));
    return TRUE;
}

static gboolean lie_start(Case *c)
{
    twist(c, json_object_get(c->bundle, "start"), "data");
    return TRUE;
}

/* The entry EPOCH shown as the first one, and the other way round. */
static gboolean lie_start_elsewhere(Case *c)
{
    json_object_set(c->bundle, "start", json_object_get(c->bundle, "epoch"));
    return TRUE;
}

static gboolean lie_signature(Case *c)
{
    const char *note = json_string_value(json_object_get(c->bundle, "checkpoint"));
    g_autofree char *changed = g_strdup(note);
    char *size = strchr(changed, '\n') + 1;
    *size = *size == '1' ? '2' : '1';
    json_object_set_new(c->bundle, "checkpoint", json_string(changed));
    return TRUE;
}

static gboolean lie_unwitnessed(Case *c)
{
    g_autofree char *note = proof_log_unwitnessed(c->log);
    json_object_set_new(c->bundle, "checkpoint", json_string(note));
    return TRUE;
}

/* Another log that the same key signed, not shown to the witnesses: a person apart is shown it. */
static gboolean lie_split_view(Case *c)
{
    proof_log_fork(c->other, FALSE);
    json_decref(c->bundle);
    c->bundle = proof_log_bundle(c->other, c->person);
    return TRUE;
}

/* The checkpoint of the other log, with the proofs of this one. */
static gboolean lie_other_checkpoint(Case *c)
{
    g_autoptr(json_t) other = proof_log_bundle(c->other, c->person);
    json_object_set(c->bundle, "checkpoint", json_object_get(other, "checkpoint"));
    return TRUE;
}

static gboolean lie_origin(Case *c)
{
    json_object_set_new(c->bundle, "origin",
                        json_string("other.example.org/logboek/00000001000000000002/1.0"));
    return TRUE;
}

/* Content taken away without saying that it was deleted; deleted with another commitment. */
static gboolean lie_pruned(Case *c)
{
    json_object_del(any_entry(c), "content");
    return TRUE;
}

static gboolean lie_deleted(Case *c)
{
    json_t *entry = any_entry(c);
    json_object_del(entry, "content");
    json_object_del(entry, "salt");
    json_object_set_new(entry, "deleted", json_integer(1));
    json_object_set_new(entry, "commitment", json_string("AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    return TRUE;
}

static gboolean lie_member(Case *c)
{
    static const char *const members[] = {"format", "origin", "checkpoint", "start", "epoch", "lists"};
    json_object_del(c->bundle, members[below(c, G_N_ELEMENTS(members))]);
    return TRUE;
}

#define ONE(fault) (1U << BUNDLE_##fault)

static const struct {
    const char *name;
    gboolean (*tell)(Case *c); /* FALSE: not with this bundle */
    guint reasons;             /* one of these is to be given */
} lies[] = {
    {"an entry left out", lie_drop, ONE(COUNT)},
    {"an entry left out and not counted", lie_drop_and_count, ONE(ENTRIES)},
    {"all left out", lie_drop_all, ONE(ENTRIES)},
    {"a salt changed", lie_alter_salt, ONE(ENTRIES)},
    {"the name of an action changed", lie_alter_name, ONE(ENTRIES)},
    {"any byte of a record changed", lie_alter_any_byte, ONE(ENTRIES) | ONE(SUBJECT)},
    {"two entries the other way round", lie_reorder, ONE(ORDER)},
    {"two entries the other way round, with each other's number", lie_reorder_with_numbers,
     ONE(ENTRIES) | ONE(ORDER)},
    {"an entry twice", lie_duplicate, ONE(ORDER)},
    {"an entry twice under another number", lie_duplicate_with_number,
     ONE(COUNT) | ONE(ENTRIES) | ONE(ORDER)},
    {"an entry about somebody else", lie_other_person, ONE(SUBJECT)},
    {"the list of somebody else", lie_list_of_another, ONE(LABEL)},
    {"another list", lie_other_list, ONE(LABEL)},
    {"the proof of the label changed", lie_label, ONE(LABEL)},
    {"somebody who is there shown as absent", lie_absent, ONE(MAP) | ONE(ENTRIES)},
    {"the proof of the map changed", lie_map, ONE(MAP)},
    {"the epoch changed", lie_epoch, ONE(EPOCH)},
    {"the time of the epoch changed", lie_epoch_time, ONE(EPOCH)},
    {"the time of an entry changed", lie_entry_time, ONE(ENTRIES)},
    {"a path cut short", lie_path, ONE(EPOCH)},
    {"the first entry changed", lie_start, ONE(START)},
    {"another entry as the first", lie_start_elsewhere, ONE(START)},
    {"a signed state changed", lie_signature, ONE(LOG) | ONE(CHECKPOINT)},
    {"no witnesses", lie_unwitnessed, ONE(WITNESSES)},
    {"a log for one person only", lie_split_view, ONE(WITNESSES)},
    {"the state of another log", lie_other_checkpoint, ONE(START) | ONE(EPOCH)},
    {"another origin", lie_origin, ONE(ORIGIN)},
    {"content that is gone without a word", lie_pruned, ONE(UNREADABLE)},
    {"a deletion that was none", lie_deleted, ONE(ENTRIES)},
    {"a member missing", lie_member, ONE(UNREADABLE)},
};

static void tell_lie(gsize which, guint round)
{
    g_autoptr(ProofLog) log = proof_log_new(round % LOGS, PERSONS, 60);
    g_autoptr(ProofLog) other = proof_log_new(1000 + round % LOGS, PERSONS, 61);
    g_autoptr(TlogPolicy) policy = proof_log_policy(log);
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)(which * 100003 + round));
    Case c = {.log = log, .other = other, .random = random, .person = round % PERSONS};
    c.bundle = proof_log_bundle(log, c.person);
    c.list = json_array_get(json_object_get(c.bundle, "lists"), 0);
    c.entries = json_object_get(c.list, "entries");
    g_auto(BundleReport) report = {0};
    if (count_of(&c) > 0 && lies[which].tell(&c)) {
        if (bundle_verify(c.bundle, policy, &report))
            fail_msg("%s, round %u: not found", lies[which].name, round);
        if ((lies[which].reasons >> report.fault & 1) == 0)
            fail_msg("%s, round %u: found as %s at %s (%s)", lies[which].name, round,
                     bundle_fault_name(report.fault), report.where, report.detail);
    }
    json_decref(c.bundle);
}

static void every_lie_is_found_with_its_reason(void **state)
{
    for (gsize which = 0; which < G_N_ELEMENTS(lies); which++)
        for (guint round = 0; round < ROUNDS; round++)
            tell_lie(which, round);
}

/* Not one character of a bundle can be changed. */
static void no_single_byte_of_a_bundle_can_be_changed(void **state)
{
    g_autoptr(ProofLog) log = proof_log_new(3, 4, 30);
    g_autoptr(TlogPolicy) policy = proof_log_policy(log);
    g_autoptr(json_t) bundle = proof_log_bundle(log, 1);
    g_autofree char *text = json_write(bundle);
    gsize length = strlen(text);
    for (gsize at = 0; at < length; at++) {
        char right = text[at];
        text[at] = right == 'A'   ? 'B'
                   : right == '1' ? '2'
                   : right == '}' ? ']'
                   : right == 'Z' ? 'z'
                                  : right ^ 1;
        g_autoptr(json_t) changed = bundle_parse(text, length, NULL);
        g_auto(BundleReport) report = {0};
        if (changed != NULL && bundle_verify(changed, policy, &report)) {
            g_autofree char *near = g_strndup(text + (at < 40 ? 0 : at - 40), 60);
            fail_msg("byte %zu can be changed: %s", at, near);
        }
        text[at] = right;
    }
}

/* --- later --- */

static void a_later_bundle_continues_the_one_of_before(void **state)
{
    for (guint seed = 0; seed < LOGS; seed++) {
        g_autoptr(ProofLog) log = proof_log_new(seed, 3, 30);
        g_autoptr(json_t) before = proof_log_bundle(log, 1);
        g_auto(BundleReport) report = {0}, again = {0}, back = {0};
        assert_true(bundle_continues(before, before, &again));
        proof_log_grow(log, 20);
        proof_log_delete(log, 1);
        g_autoptr(json_t) today = proof_log_bundle(log, 1);
        assert_true(bundle_continues(before, today, &report));
        assert_false(bundle_continues(today, before, &back));
        assert_int_equal(back.fault, BUNDLE_SHRUNK);
    }
}

static void a_log_that_was_rewritten_with_its_witnesses_is_found_by_who_kept_a_bundle(void **state)
{
    guint found = 0, tried = 0;
    for (guint seed = 0; seed < LOGS; seed++) {
        for (guint person = 0; person < 3; person++) {
            g_autoptr(ProofLog) log = proof_log_new(seed, 3, 30);
            g_autoptr(json_t) before = proof_log_bundle(log, person);
            proof_log_fork(log, TRUE);
            proof_log_grow(log, 20);
            g_autoptr(json_t) today = proof_log_bundle(log, person);
            g_auto(BundleReport) report = {0};
            tried++;
            if (!bundle_continues(before, today, &report)) {
                assert_true(report.fault == BUNDLE_REWRITTEN || report.fault == BUNDLE_SHRUNK);
                found++;
            }
        }
    }
    /* Entries after the one that was taken out have other numbers: nearly everybody sees it. */
    assert_true(found > tried / 2);
}

static void text_that_is_no_bundle_is_refused(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "null", "{}", "{\"format\":1}"};
    g_autoptr(ProofLog) log = proof_log_new(1, 2, 4);
    g_autoptr(TlogPolicy) policy = proof_log_policy(log);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(json_t) bundle = bundle_parse(texts[i], strlen(texts[i]), NULL);
        g_auto(BundleReport) report = {0};
        if (bundle == NULL)
            continue;
        assert_false(bundle_verify(bundle, policy, &report));
        assert_int_equal(report.fault, BUNDLE_UNREADABLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_logs_hold_for_everybody),
        cmocka_unit_test(a_report_tells_what_was_found),
        cmocka_unit_test(nobody_used_your_data_is_proven),
        cmocka_unit_test(what_was_deleted_after_its_time_leaves_every_proof_valid),
        cmocka_unit_test(every_lie_is_found_with_its_reason),
        cmocka_unit_test(no_single_byte_of_a_bundle_can_be_changed),
        cmocka_unit_test(a_later_bundle_continues_the_one_of_before),
        cmocka_unit_test(a_log_that_was_rewritten_with_its_witnesses_is_found_by_who_kept_a_bundle),
        cmocka_unit_test(text_that_is_no_bundle_is_refused),
    };
    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
