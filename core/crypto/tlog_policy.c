#include "core/crypto/tlog_policy.h"

#include <string.h>

#include "core/base/error.h"

#define MEMBERS_MAX 1024 /* logs, witnesses and groups together */

typedef struct {
    NoteVerifier *verifier;
    char *url;
} Log;

/* A witness, or a group of `members`, of which `threshold` must have seen the checkpoint. */
typedef struct {
    char *name, *url;
    NoteVerifier *verifier; /* NULL: a group */
    guint threshold;
    GArray *members; /* of guint: places in `parties`, always before this one */
    gboolean is_member;
} Party;

struct tlog_policy {
    GPtrArray *logs;    /* of Log */
    GPtrArray *parties; /* of Party */
    gboolean has_quorum, needs_none;
    guint quorum; /* a place in `parties` */
};

typedef struct {
    TlogPolicy *policy;
    guint line;
    GPtrArray *words; /* of this line; borrowed */
} Reader;

static gboolean refuse(const Reader *reader, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean refuse(const Reader *reader, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "policy, line %u: %s", reader->line, what);
    return FALSE;
}

static void log_free(gpointer data)
{
    Log *log = data;
    note_verifier_unref(log->verifier);
    g_free(log->url);
    g_free(log);
}

static void party_free(gpointer data)
{
    Party *party = data;
    note_verifier_unref(party->verifier);
    g_clear_pointer(&party->members, g_array_unref);
    g_free(party->name);
    g_free(party->url);
    g_free(party);
}

void tlog_policy_free(TlogPolicy *policy)
{
    if (policy == NULL)
        return;
    g_ptr_array_unref(policy->logs);
    g_ptr_array_unref(policy->parties);
    g_free(policy);
}

static const char *word(const Reader *reader, guint i)
{
    return i < reader->words->len ? g_ptr_array_index(reader->words, i) : NULL;
}

/* --- lines --- */

/* The same key under two names is one key: it counts once (2, "duplicate"). */
static gboolean same_key(const NoteVerifier *a, const NoteVerifier *b)
{
    /* Kind and key are what follows the id in the text. */
    const char *key_a = note_verifier_text(a) + strlen(note_verifier_name(a)) + 10;
    const char *key_b = note_verifier_text(b) + strlen(note_verifier_name(b)) + 10;
    return strcmp(key_a, key_b) == 0;
}

static NoteVerifier *read_key(const Reader *reader, const char *text, GError **error)
{
    g_autoptr(GError) reason = NULL;
    NoteVerifier *verifier = note_verifier_parse(text, &reason);
    if (verifier == NULL)
        refuse(reader, error, "%s", reason->message);
    return verifier;
}

static gboolean read_log(Reader *reader, GError **error)
{
    if (reader->words->len < 2 || reader->words->len > 3)
        return refuse(reader, error, "expected: log VERIFIER-KEY [URL]");
    g_autoptr(NoteVerifier) verifier = read_key(reader, word(reader, 1), error);
    if (verifier == NULL)
        return FALSE;
    for (guint i = 0; i < reader->policy->logs->len; i++)
        if (same_key(((Log *)g_ptr_array_index(reader->policy->logs, i))->verifier, verifier))
            return refuse(reader, error, "this log is there already");
    Log *log = g_new0(Log, 1);
    log->verifier = g_steal_pointer(&verifier);
    log->url = g_strdup(word(reader, 2));
    g_ptr_array_add(reader->policy->logs, log);
    return TRUE;
}

static gboolean find_party(const TlogPolicy *policy, const char *name, guint *place)
{
    for (guint i = 0; i < policy->parties->len; i++) {
        const Party *party = g_ptr_array_index(policy->parties, i);
        if (strcmp(party->name, name) == 0) {
            *place = i;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean name_free(const Reader *reader, const char *name, GError **error)
{
    guint place;
    if (strcmp(name, "none") == 0 || find_party(reader->policy, name, &place))
        return refuse(reader, error, "the name \"%s\" is taken", name);
    return reader->policy->parties->len < MEMBERS_MAX ||
           refuse(reader, error, "more than 1024 witnesses and groups");
}

static gboolean read_witness(Reader *reader, GError **error)
{
    if (reader->words->len < 3 || reader->words->len > 4)
        return refuse(reader, error, "expected: witness NAME VERIFIER-KEY [URL]");
    if (!name_free(reader, word(reader, 1), error))
        return FALSE;
    g_autoptr(NoteVerifier) verifier = read_key(reader, word(reader, 2), error);
    if (verifier == NULL)
        return FALSE;
    if (note_verifier_algorithm(verifier) != NOTE_COSIGNATURE)
        return refuse(reader, error, "the key of a witness is of kind 04, for cosignatures");
    for (guint i = 0; i < reader->policy->parties->len; i++) {
        const Party *other = g_ptr_array_index(reader->policy->parties, i);
        if (other->verifier != NULL && same_key(other->verifier, verifier))
            return refuse(reader, error, "this witness is there already, as \"%s\"", other->name);
    }
    Party *party = g_new0(Party, 1);
    party->name = g_strdup(word(reader, 1));
    party->verifier = g_steal_pointer(&verifier);
    party->url = g_strdup(word(reader, 3));
    g_ptr_array_add(reader->policy->parties, party);
    return TRUE;
}

/* "all", "any" or a number from 1 to `members`; 0 when it is none of these. */
static guint read_threshold(const char *text, guint members)
{
    guint64 value = 0;
    if (strcmp(text, "all") == 0)
        return members;
    if (strcmp(text, "any") == 0)
        return 1;
    return g_ascii_string_to_unsigned(text, 10, 1, members, &value, NULL) && text[0] != '0' ? (guint)value
                                                                                            : 0;
}

static gboolean add_member(const Reader *reader, Party *group, const char *name, GError **error)
{
    guint place;
    if (!find_party(reader->policy, name, &place))
        return refuse(reader, error, "\"%s\" is not defined before this line", name);
    Party *member = g_ptr_array_index(reader->policy->parties, place);
    if (member->is_member)
        return refuse(reader, error, "\"%s\" is in a group already", name);
    member->is_member = TRUE;
    g_array_append_val(group->members, place);
    return TRUE;
}

static gboolean read_group(Reader *reader, GError **error)
{
    if (reader->words->len < 4)
        return refuse(reader, error, "expected: group NAME all|any|K NAME...");
    if (!name_free(reader, word(reader, 1), error))
        return FALSE;
    guint members = reader->words->len - 3;
    Party *group = g_new0(Party, 1);
    group->name = g_strdup(word(reader, 1));
    group->members = g_array_new(FALSE, FALSE, sizeof(guint));
    group->threshold = read_threshold(word(reader, 2), members);
    gboolean ok = group->threshold > 0 ||
                  refuse(reader, error, "a group needs all, any, or a number from 1 to %u", members);
    for (guint i = 0; ok && i < members; i++)
        ok = add_member(reader, group, word(reader, 3 + i), error);
    g_ptr_array_add(reader->policy->parties, group);
    return ok;
}

static gboolean read_quorum(Reader *reader, GError **error)
{
    TlogPolicy *policy = reader->policy;
    if (reader->words->len != 2)
        return refuse(reader, error, "expected: quorum NAME");
    if (policy->has_quorum)
        return refuse(reader, error, "a policy has one quorum");
    policy->has_quorum = TRUE;
    policy->needs_none = strcmp(word(reader, 1), "none") == 0;
    return policy->needs_none || find_party(policy, word(reader, 1), &policy->quorum) ||
           refuse(reader, error, "\"%s\" is not defined before this line", word(reader, 1));
}

static gboolean read_line(Reader *reader, char *line, GError **error)
{
    static const struct {
        const char *word;
        gboolean (*read)(Reader *reader, GError **error);
    } kinds[] = {
        {"log", read_log}, {"witness", read_witness}, {"group", read_group}, {"quorum", read_quorum}};
    g_ptr_array_set_size(reader->words, 0);
    for (char *rest = NULL, *at = strtok_r(line, " \t", &rest); at != NULL; at = strtok_r(NULL, " \t", &rest))
        g_ptr_array_add(reader->words, at);
    if (reader->words->len == 0 || word(reader, 0)[0] == '#')
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(word(reader, 0), kinds[i].word) == 0)
            return kinds[i].read(reader, error);
    return refuse(reader, error, "a line begins with log, witness, group or quorum");
}

static gboolean octets_valid(const char *data, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        guchar c = (guchar)data[i];
        if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
            return FALSE;
    }
    return TRUE;
}

TlogPolicy *tlog_policy_parse(const char *data, gssize length, GError **error)
{
    gsize size = length < 0 ? strlen(data) : (gsize)length;
    if (size > TLOG_POLICY_MAX || !octets_valid(data, size)) {
        g_set_error_literal(
            error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
            "a policy has at most 256 KiB, and no control characters but tabs and line breaks");
        return NULL;
    }
    g_autoptr(TlogPolicy) policy = g_new0(TlogPolicy, 1);
    policy->logs = g_ptr_array_new_with_free_func(log_free);
    policy->parties = g_ptr_array_new_with_free_func(party_free);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    Reader reader = {policy, 0, words};
    g_autofree char *text = g_strndup(data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        reader.line++;
        if (!read_line(&reader, *line, error))
            return NULL;
    }
    if (!policy->has_quorum)
        return refuse(&reader, error, "there is no quorum line"), NULL;
    return g_steal_pointer(&policy);
}

/* --- what is in it --- */

guint tlog_policy_logs(const TlogPolicy *policy)
{
    return policy->logs->len;
}

const NoteVerifier *tlog_policy_log(const TlogPolicy *policy, guint i, const char **url)
{
    const Log *log = g_ptr_array_index(policy->logs, i);
    if (url != NULL)
        *url = log->url;
    return log->verifier;
}

/* The `i`th party that is a witness, or NULL. */
static const Party *witness_at(const TlogPolicy *policy, guint i)
{
    for (guint at = 0; at < policy->parties->len; at++) {
        const Party *party = g_ptr_array_index(policy->parties, at);
        if (party->verifier != NULL && i-- == 0)
            return party;
    }
    return NULL;
}

guint tlog_policy_witnesses(const TlogPolicy *policy)
{
    guint count = 0;
    while (witness_at(policy, count) != NULL)
        count++;
    return count;
}

TlogWitness tlog_policy_witness(const TlogPolicy *policy, guint i)
{
    const Party *party = witness_at(policy, i);
    return (TlogWitness){.name = party->name, .verifier = party->verifier, .url = party->url};
}

/* --- checking --- */

static gboolean log_signed(const TlogPolicy *policy, const Note *note, const char *origin)
{
    for (guint i = 0; i < policy->logs->len; i++) {
        const Log *log = g_ptr_array_index(policy->logs, i);
        if (strcmp(note_verifier_name(log->verifier), origin) == 0 &&
            note_verified_by(note, log->verifier, NULL))
            return TRUE;
    }
    return FALSE;
}

/* For each party whether it has seen the checkpoint: members come before their groups. */
static void collect(const TlogPolicy *policy, const Note *note, gboolean *seen, TlogWitness *witnesses)
{
    for (guint i = 0, next = 0; i < policy->parties->len; i++) {
        const Party *party = g_ptr_array_index(policy->parties, i);
        guint count = 0;
        if (party->verifier != NULL) {
            guint64 time = 0;
            seen[i] = note_verified_by(note, party->verifier, &time);
            if (witnesses != NULL)
                witnesses[next++] = (TlogWitness){party->name, party->verifier, party->url, seen[i], time};
            continue;
        }
        for (guint m = 0; m < party->members->len; m++)
            count += seen[g_array_index(party->members, guint, m)] ? 1 : 0;
        seen[i] = count >= party->threshold;
    }
}

gboolean tlog_policy_check(const TlogPolicy *policy, const Note *note, Checkpoint *checkpoint,
                           TlogWitness *witnesses, GError **error)
{
    g_auto(Checkpoint) found = {0};
    if (!checkpoint_parse(note_text(note), &found, error))
        return FALSE;
    g_autofree gboolean *seen = g_new0(gboolean, policy->parties->len + 1);
    collect(policy, note, seen, witnesses);
    if (!log_signed(policy, note, found.origin)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
                    "the checkpoint of %s is not signed by a log that the policy knows under this name",
                    found.origin);
        return FALSE;
    }
    if (!policy->needs_none && !seen[policy->quorum]) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED,
                    "too few witnesses of the policy have cosigned the checkpoint of %s", found.origin);
        return FALSE;
    }
    *checkpoint = found;
    found.origin = NULL;
    return TRUE;
}
