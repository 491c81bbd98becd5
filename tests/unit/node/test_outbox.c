#include "core/node/outbox_private.h"
#include "tests/unit/node/support.h"

/* --- a receiver that does what a test says --- */

typedef struct {
    GMutex lock;
    GString *seen;       /* "destination:body " of each try */
    GHashTable *answers; /* destination -> FundamentError + 1; missing: delivered */
    guint at_once, most_at_once;
    gboolean slow;
} Receiver;

static Receiver receiver;

static gboolean deliver(Node *node, gpointer context, const char *destination, GBytes *body, GError **error)
{
    g_mutex_lock(&receiver.lock);
    g_string_append_printf(receiver.seen, "%s:%.*s ", destination, (int)g_bytes_get_size(body),
                           (const char *)g_bytes_get_data(body, NULL));
    int answer = GPOINTER_TO_INT(g_hash_table_lookup(receiver.answers, destination));
    receiver.at_once++;
    receiver.most_at_once = MAX(receiver.most_at_once, receiver.at_once);
    g_mutex_unlock(&receiver.lock);
    if (receiver.slow)
        g_usleep(20000);
    g_mutex_lock(&receiver.lock);
    receiver.at_once--;
    g_mutex_unlock(&receiver.lock);
    if (answer == 0)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, answer - 1, "the receiver said no");
    return FALSE;
}

static gpointer start(Node *node, GError **error)
{
    return &receiver;
}

static const OutboxKind kinds[] = {{"test.message", deliver}};
static const Component component = {.name = "test", .outbox = kinds, .n_outbox = 1, .start = start};

static void receiver_reset(void)
{
    if (receiver.seen != NULL)
        g_string_free(receiver.seen, TRUE);
    g_clear_pointer(&receiver.answers, g_hash_table_unref);
    receiver.seen = g_string_new(NULL);
    receiver.answers = g_hash_table_new(g_str_hash, g_str_equal);
    receiver.most_at_once = 0;
    receiver.slow = FALSE;
}

static void answers_with(const char *destination, int code)
{
    g_mutex_lock(&receiver.lock);
    g_hash_table_insert(receiver.answers, (gpointer)destination, GINT_TO_POINTER(code + 1));
    g_mutex_unlock(&receiver.lock);
}

static void delivers_again(const char *destination)
{
    g_mutex_lock(&receiver.lock);
    g_hash_table_remove(receiver.answers, destination);
    g_mutex_unlock(&receiver.lock);
}

static void assert_seen(const char *text)
{
    assert_string_equal(receiver.seen->str, text);
    g_string_truncate(receiver.seen, 0);
}

#define prepare(fixture, state)                                                                              \
    fixture_or_skip(fixture, state);                                                                         \
    receiver_reset();                                                                                        \
    {                                                                                                        \
        g_autoptr(GError) problem = NULL;                                                                    \
        node_start_component(fixture->node, &component, &problem);                                           \
        no_error(problem);                                                                                   \
    }

static void put_unique(NodeFixture *fixture, const char *kind, const char *destination, const char *unique,
                       const char *body)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    no_error(error);
    outbox_put(db, &fixture->clock, kind, destination, unique, body, strlen(body), &error);
    no_error(error);
}

static void put(NodeFixture *fixture, const char *destination, const char *body)
{
    put_unique(fixture, "test.message", destination, NULL, body);
}

static GPtrArray *list(NodeFixture *fixture)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *entries = outbox_list(fixture->store, NULL, &error);
    no_error(error);
    return entries;
}

/* --- tests --- */

static void waits_1_2_4_to_300_seconds_give_or_take_a_fifth(void **state)
{
    static const gint64 seconds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300};
    for (guint tries = 1; tries <= G_N_ELEMENTS(seconds); tries++) {
        gint64 base_ms = seconds[tries - 1] * 1000;
        assert_int_equal(outbox_backoff_ms(tries, 0, 1, 300), base_ms * 8 / 10);
        assert_int_equal(outbox_backoff_ms(tries, 500, 1, 300), base_ms);
        assert_int_equal(outbox_backoff_ms(tries, 1000, 1, 300), base_ms * 12 / 10);
    }
    assert_int_equal(outbox_backoff_ms(G_MAXUINT, 500, 1, 300), 300000);
    for (guint32 random = 0; random < 5000; random += 7)
        assert_in_range(outbox_backoff_ms(3, random, 1, 300), 3200, 4800);
}

static void delivers_in_the_order_of_writing(void **state)
{
    prepare(fixture, state);
    put(fixture, "a", "1");
    put(fixture, "a", "2");
    put(fixture, "b", "3");
    assert_int_equal(outbox_run_due(fixture->node), 0); /* the second to a is due now */
    assert_seen("a:1 b:3 ");
    assert_int_equal(outbox_run_due(fixture->node), 60000);
    assert_seen("a:2 ");
    g_autoptr(GPtrArray) entries = list(fixture);
    assert_int_equal(entries->len, 0);
}

static void a_failure_holds_up_its_own_destination_only(void **state)
{
    prepare(fixture, state);
    answers_with("a", FUNDAMENT_ERROR_UNAVAILABLE);
    put(fixture, "a", "1");
    put(fixture, "a", "2");
    put(fixture, "b", "3");
    gint64 wait = outbox_run_due(fixture->node);
    assert_in_range(wait, 800, 1200);
    assert_seen("a:1 b:3 ");
    outbox_run_due(fixture->node);
    assert_seen("");
    support_advance(fixture, wait - 1);
    outbox_run_due(fixture->node);
    assert_seen("");
    support_advance(fixture, 1);
    wait = outbox_run_due(fixture->node);
    assert_in_range(wait, 1600, 2400);
    assert_seen("a:1 ");
    delivers_again("a");
    support_advance(fixture, wait);
    assert_int_equal(outbox_run_due(fixture->node), 0);
    outbox_run_due(fixture->node);
    assert_seen("a:1 a:2 ");
}

static void writes_down_tries_and_the_last_reason(void **state)
{
    prepare(fixture, state);
    answers_with("a", FUNDAMENT_ERROR_UNAVAILABLE);
    put(fixture, "a", "1");
    g_autoptr(GPtrArray) before = list(fixture);
    const OutboxEntry *entry = before->pdata[0];
    assert_string_equal(entry->kind, "test.message");
    assert_string_equal(entry->destination, "a");
    assert_null(entry->last_error);
    assert_int_equal(entry->tries, 0);
    assert_int_equal(entry->created_ms, (gint64)SUPPORT_NOW * 1000);
    outbox_run_due(fixture->node);
    g_autoptr(GPtrArray) after = list(fixture);
    entry = after->pdata[0];
    assert_string_equal(entry->last_error, "the receiver said no");
    assert_int_equal(entry->tries, 1);
    assert_false(entry->dead);
}

static void what_another_try_cannot_mend_is_dead_at_once(void **state)
{
    static const FundamentError final[] = {FUNDAMENT_ERROR_INVALID, FUNDAMENT_ERROR_RULE,
                                           FUNDAMENT_ERROR_DENIED, FUNDAMENT_ERROR_NOT_FOUND};
    prepare(fixture, state);
    for (gsize i = 0; i < G_N_ELEMENTS(final); i++) {
        answers_with("a", (int) final[i]);
        put(fixture, "a", "1");
        outbox_run_due(fixture->node);
        assert_seen("a:1 ");
        g_autoptr(GPtrArray) entries = list(fixture);
        assert_int_equal(entries->len, i + 1);
        assert_true(((const OutboxEntry *)entries->pdata[i])->dead);
    }
    delivers_again("a");
    put(fixture, "a", "2");
    outbox_run_due(fixture->node);
    assert_seen("a:2 "); /* the dead are in nobody's way */
}

static void what_another_try_may_mend_is_not_dead(void **state)
{
    static const FundamentError passing[] = {FUNDAMENT_ERROR_CONFLICT, FUNDAMENT_ERROR_LIMIT,
                                             FUNDAMENT_ERROR_UNAVAILABLE, FUNDAMENT_ERROR_IO,
                                             FUNDAMENT_ERROR_INTERNAL};
    prepare(fixture, state);
    put(fixture, "a", "1");
    for (gsize i = 0; i < G_N_ELEMENTS(passing); i++) {
        answers_with("a", (int)passing[i]);
        support_advance(fixture, 1000000);
        outbox_run_due(fixture->node);
        g_autoptr(GPtrArray) entries = list(fixture);
        assert_false(((const OutboxEntry *)entries->pdata[0])->dead);
        assert_int_equal(((const OutboxEntry *)entries->pdata[0])->tries, i + 1);
    }
}

static void gives_up_after_seven_days_and_never_drops(void **state)
{
    prepare(fixture, state);
    answers_with("a", FUNDAMENT_ERROR_UNAVAILABLE);
    put(fixture, "a", "1");
    support_advance(fixture, (gint64)7 * 86400 * 1000 - 1);
    outbox_run_due(fixture->node);
    g_autoptr(GPtrArray) almost = list(fixture);
    assert_false(((const OutboxEntry *)almost->pdata[0])->dead);
    support_advance(fixture, 2000);
    outbox_run_due(fixture->node);
    g_autoptr(GPtrArray) after = list(fixture);
    assert_true(((const OutboxEntry *)after->pdata[0])->dead);
    g_autoptr(GString) metrics = g_string_new(NULL);
    outbox_metrics(fixture->node, metrics);
    assert_non_null(
        strstr(metrics->str, "fundament_outbox_messages{kind=\"test.message\",state=\"dead\"} 1\n"));
}

static void a_dead_one_is_tried_again_on_command(void **state)
{
    prepare(fixture, state);
    g_autoptr(GError) error = NULL;
    answers_with("a", FUNDAMENT_ERROR_DENIED);
    put(fixture, "a", "1");
    outbox_run_due(fixture->node);
    g_autoptr(GPtrArray) entries = list(fixture);
    gint64 id = ((const OutboxEntry *)entries->pdata[0])->id;
    answers_with("a", FUNDAMENT_ERROR_UNAVAILABLE);
    support_advance(fixture, (gint64)30 * 86400 * 1000);
    outbox_run_due(fixture->node);
    assert_seen("a:1 ");
    assert_true(outbox_retry(fixture->store, &fixture->clock, id, &error));
    outbox_run_due(fixture->node);
    assert_seen("a:1 ");
    g_autoptr(GPtrArray) again = list(fixture);
    assert_false(((const OutboxEntry *)again->pdata[0])->dead); /* its seven days began anew */
    assert_false(outbox_retry(fixture->store, &fixture->clock, id + 1, &error));
    expect_error(&error, FUNDAMENT_ERROR_NOT_FOUND);
}

static void a_second_message_with_the_same_unique_is_not_stored(void **state)
{
    prepare(fixture, state);
    put_unique(fixture, "test.message", "a", "once", "1");
    put_unique(fixture, "test.message", "a", "once", "2");
    put_unique(fixture, "test.message", "a", NULL, "3");
    put_unique(fixture, "test.message", "a", NULL, "4");
    g_autoptr(GPtrArray) entries = list(fixture);
    assert_int_equal(entries->len, 3);
}

static void is_part_of_the_callers_transaction(void **state)
{
    prepare(fixture, state);
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    assert_true(db_begin(db, &error));
    assert_true(outbox_put(db, &fixture->clock, "test.message", "a", NULL, "1", 1, &error));
    db_rollback(db);
    g_autoptr(GPtrArray) entries = list(fixture);
    assert_int_equal(entries->len, 0);
}

static void keeps_what_no_component_delivers(void **state)
{
    prepare(fixture, state);
    put_unique(fixture, "other.message", "a", NULL, "1");
    outbox_run_due(fixture->node);
    g_autoptr(GPtrArray) entries = list(fixture);
    assert_string_equal(((const OutboxEntry *)entries->pdata[0])->last_error,
                        "no component that is on delivers other.message");
}

static void carries_bytes_of_every_value(void **state)
{
    prepare(fixture, state);
    g_autoptr(GError) error = NULL;
    guint8 bytes[256];
    for (guint i = 0; i < sizeof bytes; i++)
        bytes[i] = (guint8)i;
    g_autoptr(Db) db = store_take(fixture->store, &error);
    assert_true(outbox_put(db, &fixture->clock, "test.message", "a", NULL, bytes, sizeof bytes, &error));
    g_autoptr(GPtrArray) messages = outbox_claim(fixture->node, 1, 1, &error);
    no_error(error);
    const OutboxMessage *message = messages->pdata[0];
    assert_int_equal(g_bytes_get_size(message->body), sizeof bytes);
    assert_memory_equal(g_bytes_get_data(message->body, NULL), bytes, sizeof bytes);
}

static void a_message_is_in_one_pair_of_hands_until_its_lease_ends(void **state)
{
    prepare(fixture, state);
    g_autoptr(GError) error = NULL;
    put(fixture, "a", "1");
    put(fixture, "a", "2");
    g_autoptr(GPtrArray) first = outbox_claim(fixture->node, 4, 4, &error);
    assert_int_equal(first->len, 1);
    g_autoptr(GPtrArray) second = outbox_claim(fixture->node, 4, 4, &error);
    assert_int_equal(second->len, 0);
    support_advance(fixture, 120000);
    g_autoptr(GPtrArray) later = outbox_claim(fixture->node, 4, 4, &error);
    assert_int_equal(later->len, 1);
    assert_int_equal(((const OutboxMessage *)later->pdata[0])->id,
                     ((const OutboxMessage *)first->pdata[0])->id);
    assert_true(outbox_release_leases(fixture->node, &error));
    g_autoptr(GPtrArray) freed = outbox_claim(fixture->node, 4, 4, &error);
    assert_int_equal(freed->len, 1);
}

static void wait_until_empty(NodeFixture *fixture)
{
    for (int i = 0; i < 20000 && support_number(fixture->store, "SELECT COUNT(*) FROM node_outbox") > 0; i++)
        g_usleep(1000);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_outbox"), 0);
}

static void the_sender_serves_a_bounded_number_of_destinations_at_once(void **state)
{
    static const char *const destinations[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    prepare(fixture, state);
    receiver.slow = TRUE;
    for (guint i = 0; i < 3 * G_N_ELEMENTS(destinations); i++)
        put(fixture, destinations[i % G_N_ELEMENTS(destinations)], i < 8 ? "1" : i < 16 ? "2" : "3");
    OutboxSender *sender = outbox_sender_start(fixture->node);
    wait_until_empty(fixture);
    outbox_sender_stop(sender);
    assert_in_range(receiver.most_at_once, 2, OUTBOX_PARALLEL);
    for (gsize i = 0; i < G_N_ELEMENTS(destinations); i++) { /* each in its own order, and once */
        g_autofree char *one = g_strdup_printf("%s:1 ", destinations[i]);
        g_autofree char *two = g_strdup_printf("%s:2 ", destinations[i]);
        g_autofree char *three = g_strdup_printf("%s:3 ", destinations[i]);
        const char *first = strstr(receiver.seen->str, one);
        const char *second = strstr(receiver.seen->str, two);
        assert_true(first != NULL && first < second && second < strstr(receiver.seen->str, three));
        assert_null(strstr(first + 1, one));
    }
}

static void a_wake_makes_the_sender_look_at_once(void **state)
{
    prepare(fixture, state);
    fixture->node->outbox = outbox_sender_start(fixture->node);
    put(fixture, "a", "1");
    outbox_wake(fixture->node);
    wait_until_empty(fixture);
    outbox_sender_stop(g_steal_pointer(&fixture->node->outbox));
    outbox_wake(fixture->node); /* nobody to wake: nothing happens */
    assert_seen("a:1 ");
}

static gpointer claim_all(gpointer data)
{
    NodeFixture *fixture = data;
    gsize claimed = 0;
    for (int i = 0; i < 20; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) messages = outbox_claim(fixture->node, 3, 3, &error);
        no_error(error);
        claimed += messages->len;
    }
    return GSIZE_TO_POINTER(claimed);
}

static void two_that_claim_at_once_never_get_the_same(void **state)
{
    prepare(fixture, state);
    for (guint i = 0; i < 100; i++) {
        g_autofree char *destination = g_strdup_printf("d%u", i);
        put(fixture, destination, "1");
    }
    GThread *threads[4];
    gsize claimed = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("claims", claim_all, fixture);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        claimed += GPOINTER_TO_SIZE(g_thread_join(threads[i]));
    assert_int_equal(claimed, 100);
}

/* FUNDAMENT_ERROR_LIMIT: the receiver answered, but took nothing. */
static void what_was_answered_but_not_taken_lets_those_behind_it_pass(void **state)
{
    prepare(fixture, state);
    put(fixture, "a", "1");
    put(fixture, "a", "2");
    answers_with("a", FUNDAMENT_ERROR_LIMIT);
    outbox_run_due(fixture->node);
    delivers_again("a");
    outbox_run_due(fixture->node);
    assert_seen("a:1 a:2 ");
    support_advance(fixture, 1200);
    outbox_run_due(fixture->node);
    assert_seen("a:1 ");
}

/* The negative twin: whoever cannot be reached is not asked for the next one either. */
static void what_was_not_answered_holds_up_those_behind_it(void **state)
{
    prepare(fixture, state);
    put(fixture, "a", "1");
    put(fixture, "a", "2");
    answers_with("a", FUNDAMENT_ERROR_UNAVAILABLE);
    outbox_run_due(fixture->node);
    delivers_again("a");
    outbox_run_due(fixture->node);
    assert_seen("a:1 ");
}

static void what_was_given_up_begins_anew_when_it_is_offered_again(void **state)
{
    prepare(fixture, state);
    put_unique(fixture, "test.message", "a", "key", "1");
    answers_with("a", FUNDAMENT_ERROR_UNAVAILABLE);
    outbox_run_due(fixture->node);
    support_advance(fixture, 7 * G_GINT64_CONSTANT(86400000));
    outbox_run_due(fixture->node);
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_outbox WHERE dead > 0"), 1);
    delivers_again("a");
    put_unique(fixture, "test.message", "a", "key", "1");
    g_string_truncate(receiver.seen, 0);
    outbox_run_due(fixture->node);
    assert_seen("a:1 ");
    assert_int_equal(support_number(fixture->store, "SELECT COUNT(*) FROM node_outbox"), 0);
}

static void what_was_refused_is_offered_again_once_a_day(void **state)
{
    prepare(fixture, state);
    put_unique(fixture, "test.message", "a", "key", "1");
    answers_with("a", FUNDAMENT_ERROR_RULE);
    outbox_run_due(fixture->node);
    delivers_again("a");
    support_advance(fixture, 80000000);
    put_unique(fixture, "test.message", "a", "key", "1");
    g_string_truncate(receiver.seen, 0);
    outbox_run_due(fixture->node);
    assert_seen("");
    support_advance(fixture, 10000000);
    put_unique(fixture, "test.message", "a", "key", "1");
    outbox_run_due(fixture->node);
    assert_seen("a:1 ");
}

static void who_is_heard_of_gets_what_waits_at_once(void **state)
{
    prepare(fixture, state);
    g_autoptr(GError) error = NULL;
    put(fixture, "a", "1");
    put(fixture, "b", "2");
    answers_with("a", FUNDAMENT_ERROR_UNAVAILABLE);
    answers_with("b", FUNDAMENT_ERROR_UNAVAILABLE);
    outbox_run_due(fixture->node);
    assert_false(outbox_hasten(fixture->node, "c", &error));
    g_string_truncate(receiver.seen, 0);
    outbox_run_due(fixture->node);
    assert_seen("");
    assert_true(outbox_hasten(fixture->node, "a", &error));
    no_error(error);
    outbox_run_due(fixture->node);
    assert_seen("a:1 ");
}

static void a_contact_wakes_the_sender(void **state)
{
    prepare(fixture, state);
    put(fixture, "a", "1");
    answers_with("a", FUNDAMENT_ERROR_UNAVAILABLE);
    outbox_run_due(fixture->node);
    delivers_again("a");
    fixture->node->outbox = outbox_sender_start(fixture->node);
    outbox_contact(fixture->node, "a"); /* the clock stands still: nothing else would make it due */
    wait_until_empty(fixture);
    outbox_sender_stop(g_steal_pointer(&fixture->node->outbox));
    assert_seen("a:1 a:1 ");
}

/* A slow one delays no other: those that failed before get only some of the threads. */
static void destinations_that_failed_before_leave_room_for_others(void **state)
{
    prepare(fixture, state);
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 12; i++) {
        g_autofree char *destination = g_strdup_printf("bad%02u", i);
        put(fixture, destination, "1");
        answers_with(g_intern_string(destination), FUNDAMENT_ERROR_UNAVAILABLE);
    }
    outbox_run_due(fixture->node);
    support_advance(fixture, 1200);
    put(fixture, "good", "1");
    g_autoptr(GPtrArray) messages = outbox_claim(fixture->node, 8, 8, &error);
    no_error(error);
    assert_int_equal(messages->len, 9);
    assert_string_equal(((const OutboxMessage *)messages->pdata[0])->destination, "good");
}

static void says_what_waits_for_each_destination(void **state)
{
    prepare(fixture, state);
    g_autoptr(GError) error = NULL;
    put(fixture, "a", "1");
    put(fixture, "a", "2");
    put(fixture, "b", "3");
    answers_with("a", FUNDAMENT_ERROR_UNAVAILABLE);
    answers_with("b", FUNDAMENT_ERROR_RULE);
    outbox_run_due(fixture->node);
    g_autoptr(GPtrArray) all = outbox_summaries(fixture->store, &error);
    no_error(error);
    assert_int_equal(all->len, 2);
    const OutboxSummary *a = all->pdata[0], *b = all->pdata[1];
    assert_string_equal(a->destination, "a");
    assert_int_equal(a->waiting, 2);
    assert_int_equal(a->dead, 0);
    assert_int_equal(a->oldest_ms, clock_now_ms(&fixture->clock));
    assert_true(a->next_try_ms > clock_now_ms(&fixture->clock));
    assert_string_equal(a->last_error, "the receiver said no");
    assert_int_equal(b->waiting, 0);
    assert_int_equal(b->dead, 1);
    assert_int_equal(b->oldest_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_1_2_4_to_300_seconds_give_or_take_a_fifth),
        on_both_engines(delivers_in_the_order_of_writing),
        on_both_engines(a_failure_holds_up_its_own_destination_only),
        on_both_engines(writes_down_tries_and_the_last_reason),
        on_both_engines(what_another_try_cannot_mend_is_dead_at_once),
        on_both_engines(what_another_try_may_mend_is_not_dead),
        on_both_engines(gives_up_after_seven_days_and_never_drops),
        on_both_engines(a_dead_one_is_tried_again_on_command),
        on_both_engines(a_second_message_with_the_same_unique_is_not_stored),
        on_both_engines(is_part_of_the_callers_transaction),
        on_both_engines(keeps_what_no_component_delivers),
        on_both_engines(carries_bytes_of_every_value),
        on_both_engines(a_message_is_in_one_pair_of_hands_until_its_lease_ends),
        on_both_engines(the_sender_serves_a_bounded_number_of_destinations_at_once),
        on_both_engines(a_wake_makes_the_sender_look_at_once),
        on_both_engines(two_that_claim_at_once_never_get_the_same),
        on_both_engines(what_was_answered_but_not_taken_lets_those_behind_it_pass),
        on_both_engines(what_was_not_answered_holds_up_those_behind_it),
        on_both_engines(what_was_given_up_begins_anew_when_it_is_offered_again),
        on_both_engines(what_was_refused_is_offered_again_once_a_day),
        on_both_engines(who_is_heard_of_gets_what_waits_at_once),
        on_both_engines(a_contact_wakes_the_sender),
        on_both_engines(destinations_that_failed_before_leave_room_for_others),
        on_both_engines(says_what_waits_for_each_destination),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
