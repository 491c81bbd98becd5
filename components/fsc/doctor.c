/* `fundament fsc doctor`: runs the table of steps over one question after another, and tells. */
#include "components/fsc/doctor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "components/fsc/hash.h"
#include "components/fsc/cli_commands.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/node/admin.h"

#define TITLE_WIDTH 16
#define LINE_WIDTH 79

typedef struct {
    Doctor doctor;
    gboolean as_json;
    json_t *steps;       /* of all questions */
    json_t *first_fault; /* NULL: none */
    guint wrong;
} Consultation;

/* --- telling --- */

static const char *const level_words[] = {
    [FINDING_OK] = "ok", [FINDING_NOTE] = "note", [FINDING_WRONG] = "WRONG"};

/* Text that does not fit goes on below itself. */
static void print_wrapped(const char *text, guint indent)
{
    gsize room = LINE_WIDTH - indent;
    while (strlen(text) > room) {
        gsize cut = room;
        while (cut > 0 && text[cut] != ' ')
            cut--;
        if (cut == 0)
            cut = strcspn(text, " ");
        printf("%.*s\n%*s", (int)cut, text, (int)indent, "");
        text += cut + (text[cut] == ' ');
    }
    printf("%s\n", text);
}

static void print_part(DoctorPart part, const DoctorFacts *facts)
{
    gboolean named = part == DOCTOR_PART_PEER;
    printf("\n%s%s%s%s%s\n", doctor_part_title(part), named ? " " : "", named ? facts->peer_id : "",
           named && facts->peer_name != NULL ? " " : "",
           named && facts->peer_name != NULL ? facts->peer_name : "");
}

static void print_line(DoctorStep step, const char *word, const char *text)
{
    printf("  %-*s %-6s ", TITLE_WIDTH, doctor_step_row(step)->title, word);
    print_wrapped(text, TITLE_WIDTH + 10);
}

static json_t *step_json(DoctorStep step, const DoctorFacts *facts, const char *result,
                         const Finding *finding)
{
    const DoctorStepRow *row = doctor_step_row(step);
    g_autofree char *name = g_ascii_strdown(row->name, -1);
    gboolean fault = finding != NULL && finding->fault != DOCTOR_FAULT_NONE;
    return json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*}", "step", name, "part",
                     doctor_part_title(row->part), "result", result, "peer_id",
                     row->part == DOCTOR_PART_NODE ? NULL : facts->peer_id, "text",
                     finding != NULL ? finding->text : NULL, "fault",
                     fault ? doctor_fault_row(finding->fault)->name : NULL, "mend",
                     finding != NULL ? finding->mend : NULL);
}

static void tell(Consultation *consultation, DoctorStep step, const DoctorFacts *facts,
                 const Finding *finding)
{
    const char *word = finding == NULL ? "-" : level_words[finding->level];
    json_t *entry = step_json(step, facts,
                              finding == NULL                   ? "not tested"
                              : finding->level == FINDING_WRONG ? "wrong"
                                                                : word,
                              finding);
    if (finding != NULL && finding->level == FINDING_WRONG && consultation->first_fault == NULL)
        consultation->first_fault = json_incref(entry);
    json_array_append_new(consultation->steps, entry);
    if (consultation->as_json)
        return;
    print_line(step, word, finding == NULL ? "not tested" : finding->text);
    fflush(stdout);
}

/* --- one question --- */

/* The steps of one question from `first` on. TRUE when none is wrong. */
static gboolean run(Consultation *consultation, DoctorFacts *facts, DoctorStep first, DoctorStep end)
{
    gboolean well = TRUE;
    int part = -1;
    for (DoctorStep step = first; step < end; step++) {
        if (!doctor_step_applies(step, facts))
            continue;
        g_auto(Finding) finding = {0};
        if (well) {
            doctor_gather(&consultation->doctor, step, facts);
            finding = doctor_check(step, facts);
        }
        if (!consultation->as_json && (int)doctor_step_row(step)->part != part)
            print_part(doctor_step_row(step)->part, facts);
        part = (int)doctor_step_row(step)->part;
        tell(consultation, step, facts, well ? &finding : NULL);
        if (well && finding.level == FINDING_WRONG) {
            well = FALSE;
            consultation->wrong++;
        }
    }
    return well;
}

#define NODE_STEPS_END DOCTOR_ADDRESS

static void ask_about_peer(Consultation *consultation, DoctorFacts *facts, const char *peer_id)
{
    doctor_keep(&facts->peer_id, g_strdup(peer_id));
    run(consultation, facts, NODE_STEPS_END, DOCTOR_STEP_COUNT);
}

static void ask_about_service(Consultation *consultation, DoctorFacts *facts, const char *service,
                              const char *peer_id)
{
    doctor_keep(&facts->service, g_strdup(service));
    doctor_keep(&facts->connection, g_strdup_printf("%s.%s", service, peer_id));
    ask_about_peer(consultation, facts, peer_id);
}

/* --- what is asked about --- */

/* The service behind a grant hash. FALSE with the error. */
static gboolean find_grant(Consultation *consultation, DoctorFacts *facts, const char *hash, char **service,
                           char **peer_id, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(hash, NULL, FALSE);
    g_autofree char *path = g_strconcat("/fsc/v1/contracts?grantHash=", escaped, NULL);
    g_autoptr(json_t) answer = admin_call(consultation->doctor.config_path, "GET", path, NULL, error);
    const json_t *contract = json_array_get(json_object_get(answer, "contracts"), 0),
                 *grants = json_object_get(contract, "grants");
    if (answer == NULL)
        return FALSE;
    for (gsize i = 0; i < json_array_size(grants); i++) {
        const json_t *grant = json_array_get(grants, i), *data = json_object_get(grant, "data"),
                     *named = json_object_get(data, "service");
        if (g_strcmp0(json_string_at(grant, "hash"), hash) != 0 || json_object_get(data, "outway") == NULL)
            continue;
        *service = g_strdup(json_string_at(named, "name"));
        *peer_id = g_strdup(json_string_at(named, "peer_id"));
        doctor_keep(&facts->grant_hash, g_strdup(hash));
        return TRUE;
    }
    g_set_error_literal(
        error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
        "no contract here holds a connection grant with that hash; see fundament fsc contract list");
    return FALSE;
}

typedef struct {
    const char *target, *service_path;
    char *service, *peer_id, *grant_hash;
} Question;

/* "SERVICE.PEER", "PEER" or a hash. */
static gboolean question_read(Question *question, GError **error)
{
    const char *target = question->target, *dot = target != NULL ? strrchr(target, '.') : NULL;
    HashType type;
    if (target == NULL)
        return TRUE;
    if (oin_valid(target)) {
        question->peer_id = g_strdup(target);
    } else if (fsc_hash_parse(target, &type) && type != HASH_TYPE_CONTRACT) {
        question->grant_hash = g_strdup(target);
    } else if (dot != NULL && dot != target && oin_valid(dot + 1)) {
        question->service = g_strndup(target, (gsize)(dot - target));
        question->peer_id = g_strdup(dot + 1);
    }
    if (question->peer_id != NULL || question->grant_hash != NULL)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                "\"%s\" is no SERVICE.PEER, no Peer ID (20 digits) and no hash of a connection grant",
                target);
    return FALSE;
}

static void question_clear(Question *question)
{
    g_free(question->service);
    g_free(question->peer_id);
    g_free(question->grant_hash);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Question, question_clear)

/* --- all of them --- */

/* What is known of the node is kept for the next question; the rest begins anew. */
static void forget_peer(DoctorFacts *facts)
{
    DoctorFacts peer = {0};
    g_autofree DoctorFacts *keep = g_memdup2(facts, sizeof *facts);
    memset(keep, 0, sizeof *keep);
    keep->now_s = facts->now_s;
    keep->clock_synchronised = facts->clock_synchronised;
    keep->oin = g_steal_pointer(&facts->oin);
    keep->group = g_steal_pointer(&facts->group);
    keep->keys_path = g_steal_pointer(&facts->keys_path);
    keep->data_path = g_steal_pointer(&facts->data_path);
    keep->config_path = g_steal_pointer(&facts->config_path);
    memcpy(keep->roles, facts->roles, sizeof keep->roles);
    memcpy(facts->roles, peer.roles, sizeof facts->roles);
    doctor_facts_clear(facts);
    *facts = *keep;
}

/* Services that our Outway may use now, "SERVICE.PEER", and the Peers of all valid contracts. */
static void collect(const json_t *contracts, const char *own, GPtrArray *services, GPtrArray *peers)
{
    for (gsize i = 0; i < json_array_size(contracts); i++) {
        const json_t *contract = json_array_get(contracts, i), *grants = json_object_get(contract, "grants"),
                     *signers = json_object_get(contract, "peers");
        for (gsize j = 0; j < json_array_size(grants); j++) {
            const json_t *data = json_object_get(json_array_get(grants, j), "data"),
                         *service = json_object_get(data, "service");
            if (g_strcmp0(json_string_at(json_object_get(data, "outway"), "peer_id"), own) != 0)
                continue;
            g_autofree char *name =
                g_strdup_printf("%s.%s", json_string_at(service, "name"), json_string_at(service, "peer_id"));
            if (!g_ptr_array_find_with_equal_func(services, name, g_str_equal, NULL))
                g_ptr_array_add(services, g_steal_pointer(&name));
        }
        for (gsize j = 0; j < json_array_size(signers); j++) {
            const char *id = json_string_at(json_array_get(signers, j), "peer_id");
            if (g_strcmp0(id, own) != 0 && !g_ptr_array_find_with_equal_func(peers, id, g_str_equal, NULL))
                g_ptr_array_add(peers, g_strdup(id));
        }
    }
}

static void ask_about_one(Consultation *consultation, DoctorFacts *facts, const char *target)
{
    g_auto(Question) question = {.target = target};
    if (!question_read(&question, NULL))
        return;
    forget_peer(facts);
    if (question.service != NULL)
        ask_about_service(consultation, facts, question.service, question.peer_id);
    else
        ask_about_peer(consultation, facts, question.peer_id);
}

/* Each service once; each Peer that is not the provider of one. */
static void ask_about_all(Consultation *consultation, DoctorFacts *facts)
{
    g_autoptr(GPtrArray) services = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) peers = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(json_t) answer = admin_call(consultation->doctor.config_path, "GET",
                                          "/fsc/v1/contracts?limit=1000&state=VALID", NULL, NULL);
    collect(json_object_get(answer, "contracts"), facts->oin, services, peers);
    for (guint i = 0; i < services->len; i++) {
        const char *service = g_ptr_array_index(services, i), *provider = strrchr(service, '.') + 1;
        guint at = 0;
        if (g_ptr_array_find_with_equal_func(peers, provider, g_str_equal, &at))
            g_ptr_array_remove_index(peers, at);
        ask_about_one(consultation, facts, service);
    }
    for (guint i = 0; i < peers->len; i++)
        ask_about_one(consultation, facts, g_ptr_array_index(peers, i));
}

static gboolean answer_question(Consultation *consultation, DoctorFacts *facts, Question *question,
                                GError **error)
{
    if (!run(consultation, facts, DOCTOR_CONFIG, NODE_STEPS_END))
        return TRUE;
    if (question->grant_hash != NULL &&
        !find_grant(consultation, facts, question->grant_hash, &question->service, &question->peer_id, error))
        return FALSE;
    doctor_keep(&facts->call_path, g_strdup(question->service_path));
    if (question->service != NULL)
        ask_about_service(consultation, facts, question->service, question->peer_id);
    else if (question->peer_id != NULL)
        ask_about_peer(consultation, facts, question->peer_id);
    else
        ask_about_all(consultation, facts);
    return TRUE;
}

/* --- the end --- */

static void print_mend(const json_t *step)
{
    printf("mend:  ");
    print_wrapped(json_string_at(step, "mend"), 7);
}

/* What is not wrong yet, but will be. */
static void print_notes(const Consultation *consultation)
{
    for (gsize i = 0; i < json_array_size(consultation->steps); i++) {
        const json_t *step = json_array_get(consultation->steps, i);
        if (g_strcmp0(json_string_at(step, "result"), "note") != 0 || json_string_at(step, "mend") == NULL)
            continue;
        printf("\nnote:  ");
        print_wrapped(json_string_at(step, "text"), 7);
        print_mend(step);
    }
}

static void print_conclusion(const Consultation *consultation)
{
    const json_t *fault = consultation->first_fault;
    print_notes(consultation);
    if (fault == NULL) {
        printf("\nAll is well.\n");
        return;
    }
    const char *peer_id = json_string_at(fault, "peer_id");
    g_autofree char *wrong = g_strdup_printf("%s%s%s, %s: %s", json_string_at(fault, "part"),
                                             peer_id != NULL ? " " : "", peer_id != NULL ? peer_id : "",
                                             json_string_at(fault, "step"), json_string_at(fault, "text"));
    printf("\nwrong: ");
    print_wrapped(wrong, 7);
    print_mend(fault);
    if (consultation->wrong > 1)
        printf("(and %u more, above)\n", consultation->wrong - 1);
}

static void conclude(const Consultation *consultation, const char *target)
{
    if (!consultation->as_json) {
        print_conclusion(consultation);
        return;
    }
    g_autoptr(json_t) whole = json_pack("{s:s*, s:s, s:O*, s:O}", "target", target, "result",
                                        consultation->first_fault == NULL ? "ok" : "wrong", "first_fault",
                                        consultation->first_fault, "steps", consultation->steps);
    g_autofree char *text = json_write(whole);
    printf("%s\n", text);
}

static void consultation_clear(Consultation *consultation)
{
    Doctor *doctor = &consultation->doctor;
    g_clear_pointer(&doctor->config, config_free);
    g_clear_pointer(&doctor->client, http_client_free);
    g_clear_pointer(&doctor->anchors, trust_anchors_unref);
    g_clear_pointer(&doctor->anchors_with_crl, trust_anchors_unref);
    g_free(doctor->config_path);
    json_decref(consultation->steps);
    json_decref(consultation->first_fault);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Consultation, consultation_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DoctorFacts, doctor_facts_clear)

int cli_doctor(const Arguments *arguments)
{
    g_autoptr(GError) error = NULL;
    g_auto(DoctorFacts) facts = {0};
    g_auto(Question) question = {.target = arguments_word(arguments, 0),
                                 .service_path = arguments_value(arguments, "--call")};
    g_auto(Consultation)
        consultation = {.as_json = arguments_flag(arguments, "--json"), .steps = json_array()};
    if (question.service_path != NULL && question.service_path[0] != '/')
        g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "--call %s: a path begins with /",
                    question.service_path);
    if (error != NULL || !question_read(&question, &error))
        return admin_fail(error);
    consultation.doctor = (Doctor){.config_path = config_choose_path(arguments_value(arguments, "--config")),
                                   .client = http_client_new(),
                                   .clock = clock_system()};
    if (!answer_question(&consultation, &facts, &question, &error))
        return admin_fail(error);
    conclude(&consultation, question.target);
    return consultation.first_fault == NULL ? 0 : 1;
}
