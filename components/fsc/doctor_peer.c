/* Facts about another organisation, and about what is agreed with it. */
#include "components/fsc/doctor.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "components/fsc/address.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/probe.h"
#include "core/node/admin.h"
#include "core/node/frames.h"

#define PROBE_TIMEOUT_MS 4000
#define CALL_TIMEOUT_MS 20000

static json_t *ask_node(const Doctor *doctor, const char *method, const char *path, const json_t *body,
                        GError **error)
{
    return admin_call(doctor->config_path, method, path, body, error);
}

/* --- where it is --- */

static void ask_address(Doctor *doctor, DoctorFacts *facts)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_strconcat("/fsc/v1/peers/", facts->peer_id, NULL);
    g_autoptr(json_t) answer = ask_node(doctor, "GET", path, NULL, &error);
    if (answer == NULL) {
        doctor_keep(&facts->address_error, g_strdup(error->message));
        return;
    }
    doctor_keep(&facts->peer_name, g_strdup(json_string_at(answer, "name")));
    doctor_keep(&facts->manager_address, g_strdup(json_string_at(answer, "manager_address")));
    doctor_keep(&facts->address_error, g_strdup(json_string_at(answer, "address_error")));
}

static char *look_up(const char *host, char **reason)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    char text[NI_MAXHOST];
    int result = getaddrinfo(host, NULL, &hints, &found);
    if (result == 0)
        result = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    if (found != NULL)
        freeaddrinfo(found);
    if (result == 0)
        return g_strdup(text);
    doctor_keep(reason, g_strdup_printf("not in [hosts], and DNS says: %s", gai_strerror(result)));
    return NULL;
}

static void resolve(const Doctor *doctor, EndpointFacts *endpoint, const char *url)
{
    g_auto(Address) address = {0};
    if (!address_parse(url, &address, NULL)) {
        doctor_keep(&endpoint->host, g_strdup(url));
        doctor_keep(&endpoint->name_error, g_strdup("that is no address of FSC"));
        return;
    }
    const char *known = config_host(doctor->config, address.host);
    endpoint->port = address.port;
    endpoint->from_hosts = known != NULL;
    doctor_keep(&endpoint->host, g_strdup(address.host));
    doctor_keep(&endpoint->ip,
                known != NULL ? g_strdup(known) : look_up(address.host, &endpoint->name_error));
}

static void judge_certificate(const Doctor *doctor, EndpointFacts *endpoint, const Certificate *certificate,
                              gint64 now_s)
{
    g_autoptr(GError) chain = NULL;
    g_autoptr(GError) revoked = NULL;
    endpoint->has_certificate = TRUE;
    endpoint->not_before = certificate_not_before(certificate);
    endpoint->not_after = certificate_not_after(certificate);
    endpoint->host_matches = certificate_matches_domain(certificate, endpoint->host);
    doctor_keep(&endpoint->peer_id, g_strdup(certificate_peer_id(certificate)));
    if (doctor->anchors != NULL && !trust_anchors_verify(doctor->anchors, certificate, now_s, &chain))
        doctor_keep(&endpoint->chain_error, g_strdup(chain->message));
    else if (doctor->anchors_with_crl != NULL &&
             !trust_anchors_verify(doctor->anchors_with_crl, certificate, now_s, &revoked))
        doctor_keep(&endpoint->revoked_error, g_strdup(revoked->message));
}

/* TCP and TLS in one go; the rules tell them apart. */
static void probe(const Doctor *doctor, DoctorFacts *facts, EndpointFacts *endpoint, Role role)
{
    TlsIdentity identity = doctor_identity(doctor, facts, role);
    g_autoptr(TlsProbe) seen =
        tls_probe(endpoint->ip, endpoint->port, endpoint->host, &identity, PROBE_TIMEOUT_MS);
    endpoint->connected = seen->connected;
    endpoint->handshake = seen->handshake;
    endpoint->timed_out = !seen->connected && g_strcmp0(seen->error, g_strerror(ETIMEDOUT)) == 0;
    doctor_keep(&endpoint->error, g_steal_pointer(&seen->error));
    doctor_keep(&endpoint->version, g_steal_pointer(&seen->version));
    doctor_keep(&endpoint->cipher, g_steal_pointer(&seen->cipher));
    if (seen->certificate != NULL)
        judge_certificate(doctor, endpoint, seen->certificate, facts->now_s);
}

static void resolve_manager(Doctor *doctor, DoctorFacts *facts)
{
    resolve(doctor, &facts->manager, facts->manager_address);
}

static void probe_manager(Doctor *doctor, DoctorFacts *facts)
{
    probe(doctor, facts, &facts->manager, ROLE_MANAGER);
}

static void resolve_inway(Doctor *doctor, DoctorFacts *facts)
{
    resolve(doctor, &facts->inway, facts->audience);
}

static void probe_inway(Doctor *doctor, DoctorFacts *facts)
{
    probe(doctor, facts, &facts->inway, ROLE_OUTWAY);
}

/* --- what it says --- */

/* GET over mTLS at an address that the probe has seen. NULL with the reason in `*why`. */
static HttpReply *get(const Doctor *doctor, const DoctorFacts *facts, const EndpointFacts *endpoint,
                      Role role, const char *path, char **why)
{
    g_autoptr(GError) error = NULL;
    TlsIdentity identity = doctor_identity(doctor, facts, role);
    g_autofree char *url = g_strdup_printf("https://%s:%u%s", endpoint->host, endpoint->port, path);
    HttpCall call = {.url = url,
                     .tls = &identity,
                     .expected_peer_id = facts->peer_id,
                     .resolve = config_resolve(doctor->config),
                     .timeout_ms = CALL_TIMEOUT_MS};
    HttpReply *reply = http_client_call(doctor->client, &call, &error);
    if (reply == NULL)
        doctor_keep(why, g_strdup(error->message));
    return reply;
}

static char *reason_in(const json_t *body)
{
    const char *const names[] = {"message", "detail", "title"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (json_string_at(body, names[i]) != NULL)
            return g_strdup(json_string_at(body, names[i]));
    return NULL;
}

static void ask_manager(Doctor *doctor, DoctorFacts *facts)
{
    facts->asked_s = clock_now_s(doctor->clock);
    g_autoptr(HttpReply) reply =
        get(doctor, facts, &facts->manager, ROLE_MANAGER, "/v1/peer", &facts->reply_error);
    if (reply == NULL)
        return;
    g_autoptr(json_t) body = http_reply_json(reply, NULL);
    const char *date = g_hash_table_lookup(reply->headers, "date"), *name = json_string_at(body, "peer_name");
    facts->reply_status = reply->status;
    facts->peer_date_s = date == NULL ? 0 : MAX((gint64)curl_getdate(date, NULL), 0);
    doctor_keep(&facts->reply_reason, reason_in(body));
    doctor_keep(&facts->reply_peer_id, g_strdup(json_string_at(body, "peer_id")));
    doctor_keep(&facts->reply_version, g_strdup(json_string_at(body, "fsc_version")));
    if (name != NULL)
        doctor_keep(&facts->peer_name, g_strdup(name));
}

/* A destination is "PEER" or "PEER ADDRESS". */
static gboolean is_for(const json_t *message, const char *peer_id)
{
    const char *destination = json_string_at(message, "destination");
    return destination != NULL && strncmp(destination, peer_id, strlen(peer_id)) == 0;
}

static void read_message(DoctorFacts *facts, const json_t *message)
{
    const char *error = json_string_at(message, "last_error");
    if (json_boolean_at(message, "dead")) {
        facts->dead++;
        facts->dead_id = json_integer_at(message, "id");
    } else {
        facts->waiting++;
        facts->tries = MAX(facts->tries, (guint)json_integer_at(message, "tries"));
    }
    if (error == NULL)
        return;
    doctor_keep(&facts->delivery_error, g_strdup(error));
    if (strstr(error, "INCORRECT_GROUP_ID") != NULL || strstr(error, "another group") != NULL)
        doctor_keep(&facts->group_error, g_strdup(error));
}

static void ask_outbox(Doctor *doctor, DoctorFacts *facts)
{
    g_autoptr(json_t) answer = ask_node(doctor, "GET", "/node/v1/outbox", NULL, NULL);
    const json_t *messages = json_object_get(answer, "messages");
    facts->waiting = facts->dead = facts->tries = 0;
    for (gsize i = 0; i < json_array_size(messages); i++)
        if (is_for(json_array_get(messages, i), facts->peer_id))
            read_message(facts, json_array_get(messages, i));
}

/* --- contract and grant --- */

/* Which of several contracts says most about what is wrong: the one that works, else the one that could. */
static int rank(const char *state)
{
    static const char *const order[] = {"EXPIRED", "REJECTED", "REVOKED", "PROPOSED", "ACCEPTED", "VALID"};
    for (gsize i = 0; i < G_N_ELEMENTS(order); i++)
        if (g_strcmp0(state, order[i]) == 0)
            return (int)i;
    return -1;
}

static gboolean domain_matches(const DoctorFacts *facts, const char *domain)
{
    g_autoptr(Certificate) outway = certificate_load(facts->roles[ROLE_OUTWAY].certificate_path, NULL);
    return outway != NULL && domain != NULL && certificate_matches_domain(outway, domain);
}

typedef struct {
    const json_t *contract, *grant;
    int rank;
    gboolean fits; /* this grant is for today's Outway */
} Candidate;

static gboolean grant_fits(const DoctorFacts *facts, const json_t *data)
{
    const json_t *outway = json_object_get(data, "outway"), *how = json_object_get(outway, "identification");
    const char *thumbprint = json_string_at(how, "public_key_thumbprint");
    if (g_strcmp0(json_string_at(outway, "peer_id"), facts->oin) != 0)
        return FALSE;
    return thumbprint != NULL ? g_strcmp0(thumbprint, facts->roles[ROLE_OUTWAY].public_key_thumbprint) == 0
                              : domain_matches(facts, json_string_at(how, "domain_name"));
}

static gboolean is_wanted(const DoctorFacts *facts, const json_t *grant)
{
    const json_t *data = json_object_get(grant, "data"), *service = json_object_get(data, "service");
    if (json_object_get(data, "outway") == NULL)
        return FALSE;
    if (facts->grant_hash != NULL)
        return g_strcmp0(json_string_at(grant, "hash"), facts->grant_hash) == 0;
    return g_strcmp0(json_string_at(json_object_get(data, "outway"), "peer_id"), facts->oin) == 0 &&
           g_strcmp0(json_string_at(service, "name"), facts->service) == 0 &&
           g_strcmp0(json_string_at(service, "peer_id"), facts->peer_id) == 0;
}

/* Lists come newest first, so that of equals the first stays. */
static void consider(const DoctorFacts *facts, const json_t *contract, Candidate *best)
{
    const json_t *grants = json_object_get(contract, "grants");
    for (gsize i = 0; i < json_array_size(grants); i++) {
        const json_t *grant = json_array_get(grants, i);
        if (!is_wanted(facts, grant))
            continue;
        Candidate one = {contract, grant, rank(json_string_at(contract, "state")),
                         grant_fits(facts, json_object_get(grant, "data"))};
        if (one.rank > best->rank || (one.rank == best->rank && one.fits && !best->fits))
            *best = one;
    }
}

static void keep_signers(DoctorFacts *facts, const json_t *contract)
{
    const json_t *peers = json_object_get(contract, "peers");
    g_autoptr(GString) missing = g_string_new(NULL);
    for (gsize i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        const char *id = json_string_at(peer, "peer_id"), *name = json_string_at(peer, "name");
        gboolean signed_it = json_object_get(peer, "accept") != NULL;
        if (g_strcmp0(id, facts->oin) == 0)
            facts->we_signed = signed_it;
        else if (!signed_it)
            g_string_append_printf(missing, "%sPeer %s (%s)", missing->len > 0 ? ", " : "", id, name);
        if (json_object_get(peer, "reject") != NULL || json_object_get(peer, "revoke") != NULL)
            doctor_keep(&facts->decided_by, g_strdup_printf("Peer %s (%s)", id, name));
    }
    doctor_keep(&facts->not_signed, missing->len > 0 ? g_strdup(missing->str) : NULL);
}

static void keep_contract(DoctorFacts *facts, const Candidate *found)
{
    const json_t *data = json_object_get(found->grant, "data"), *outway = json_object_get(data, "outway"),
                 *how = json_object_get(outway, "identification");
    doctor_keep(&facts->contract_hash, g_strdup(json_string_at(found->contract, "hash")));
    doctor_keep(&facts->contract_state, g_strdup(json_string_at(found->contract, "state")));
    facts->contract_not_before = json_integer_at(found->contract, "not_before");
    facts->contract_not_after = json_integer_at(found->contract, "not_after");
    doctor_keep(&facts->grant_hash, g_strdup(json_string_at(found->grant, "hash")));
    doctor_keep(&facts->grant_outway, g_strdup(json_string_at(outway, "peer_id")));
    doctor_keep(&facts->grant_thumbprint, g_strdup(json_string_at(how, "public_key_thumbprint")));
    doctor_keep(&facts->grant_domain, g_strdup(json_string_at(how, "domain_name")));
    facts->domain_matches = domain_matches(facts, facts->grant_domain);
    keep_signers(facts, found->contract);
}

static void ask_contract(Doctor *doctor, DoctorFacts *facts)
{
    g_autofree char *escaped =
        facts->grant_hash == NULL ? NULL : g_uri_escape_string(facts->grant_hash, NULL, FALSE);
    g_autofree char *path = escaped != NULL
                                ? g_strconcat("/fsc/v1/contracts?limit=1000&grantHash=", escaped, NULL)
                                : g_strdup_printf("/fsc/v1/contracts?limit=1000&peerId=%s&service=%s",
                                                  facts->peer_id, facts->service);
    g_autoptr(json_t) answer = ask_node(doctor, "GET", path, NULL, NULL);
    const json_t *contracts = json_object_get(answer, "contracts");
    Candidate best = {NULL, NULL, -1, FALSE};
    for (gsize i = 0; i < json_array_size(contracts); i++)
        consider(facts, json_array_get(contracts, i), &best);
    if (best.contract != NULL)
        keep_contract(facts, &best);
}

/* --- token --- */

static void keep_claims(DoctorFacts *facts, const json_t *claims)
{
    doctor_keep(&facts->token_group, g_strdup(json_string_at(claims, "gid")));
    doctor_keep(&facts->token_grant, g_strdup(json_string_at(claims, "gth")));
    doctor_keep(&facts->token_service, g_strdup(json_string_at(claims, "svc")));
    doctor_keep(&facts->token_issuer, g_strdup(json_string_at(claims, "iss")));
    doctor_keep(&facts->token_subject, g_strdup(json_string_at(claims, "sub")));
    doctor_keep(&facts->token_binding, g_strdup(json_string_at(json_object_get(claims, "cnf"), "x5t#S256")));
    doctor_keep(&facts->audience, g_strdup(json_string_at(claims, "aud")));
    facts->token_not_before = json_integer_at(claims, "nbf");
    facts->token_expires_at = json_integer_at(claims, "exp");
}

static void ask_token(Doctor *doctor, DoctorFacts *facts)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = json_pack("{s:s}", "grant_hash", facts->grant_hash);
    g_autoptr(json_t) answer = ask_node(doctor, "POST", "/fsc/v1/token-tests", body, &error);
    if (answer == NULL) {
        doctor_keep(&facts->token_error, g_strdup(error->message));
        return;
    }
    facts->token_status = (guint)json_integer_at(answer, "status");
    facts->now_s = clock_now_s(doctor->clock);
    doctor_keep(&facts->token_error, g_strdup(json_string_at(answer, "error")));
    doctor_keep(&facts->claims_error, g_strdup(json_string_at(answer, "claims_error")));
    keep_claims(facts, json_object_get(answer, "claims"));
}

/* --- requests --- */

static void ask_inway(Doctor *doctor, DoctorFacts *facts)
{
    g_autoptr(HttpReply) reply = get(doctor, facts, &facts->inway, ROLE_OUTWAY, "/", &facts->inway_error);
    if (reply == NULL)
        return;
    facts->inway_status = reply->status;
    doctor_keep(&facts->inway_code, g_strdup(g_hash_table_lookup(reply->headers, "fsc-error-code")));
}

/* The first client that may use the grant: node.conf, [client.NAME] grants. */
static const char *client_for(const Doctor *doctor, const DoctorFacts *facts)
{
    g_autofree char *any = g_strconcat(facts->service, ".*", NULL);
    for (const char *const *name = config_family(doctor->config, "client"); *name != NULL; name++) {
        g_autofree char *section = g_strconcat("client.", *name, NULL);
        const char *const *grants = config_list(doctor->config, section, "grants");
        if (g_strv_contains(grants, facts->connection) || g_strv_contains(grants, any) ||
            g_strv_contains(grants, facts->grant_hash))
            return *name;
    }
    return NULL;
}

/* What our own Outway refuses without a code of FSC is problem+json with the title of that status. */
static const char *outway_refusal(const json_t *body)
{
    static const struct {
        const char *name, *title;
    } refusals[] = {
#define X(name, number, http, code, message) {#name, message},
        FRAME_STATUS_TABLE(X)
#undef X
    };
    const char *title = json_string_at(body, "title");
    for (gsize i = 0; title != NULL && i < G_N_ELEMENTS(refusals); i++)
        if (g_str_equal(title, refusals[i].title))
            return refusals[i].name;
    return NULL;
}

static void call_service(Doctor *doctor, DoctorFacts *facts)
{
    const char *client = client_for(doctor, facts);
    if (client == NULL)
        return;
    g_autofree char *section = g_strconcat("client.", client, NULL);
    g_autofree char *wanted = g_strconcat("Fsc-Grant-Hash: ", facts->grant_hash, NULL);
    const char *const headers[] = {wanted, NULL};
    doctor_keep(&facts->client, g_strdup(client));
    doctor_keep(&facts->client_address, g_strdup(config_text(doctor->config, section, "listen")));
    g_autofree char *url = g_strdup_printf("http://%s%s", facts->client_address, facts->call_path);
    g_autoptr(GError) error = NULL;
    HttpCall call = {.url = url, .headers = headers, .timeout_ms = CALL_TIMEOUT_MS};
    g_autoptr(HttpReply) reply = http_client_call(doctor->client, &call, &error);
    if (reply == NULL) {
        doctor_keep(&facts->call_error, g_strdup(error->message));
        return;
    }
    g_autoptr(json_t) body = http_reply_json(reply, NULL);
    facts->call_status = reply->status;
    const char *code = g_hash_table_lookup(reply->headers, "fsc-error-code");
    doctor_keep(&facts->call_code, g_strdup(code != NULL ? code : outway_refusal(body)));
    doctor_keep(&facts->call_domain, g_strdup(json_string_at(body, "domain")));
    doctor_keep(&facts->call_reason, reason_in(body));
}

DoctorGather doctor_gather_peer(DoctorStep step)
{
    static const DoctorGather gathers[DOCTOR_STEP_COUNT] = {
        [DOCTOR_ADDRESS] = ask_address, [DOCTOR_NAME] = resolve_manager,     [DOCTOR_TCP] = probe_manager,
        [DOCTOR_MANAGER] = ask_manager, [DOCTOR_GROUP] = ask_outbox,         [DOCTOR_CONTRACT] = ask_contract,
        [DOCTOR_TOKEN] = ask_token,     [DOCTOR_INWAY_NAME] = resolve_inway, [DOCTOR_INWAY_TCP] = probe_inway,
        [DOCTOR_INWAY] = ask_inway,     [DOCTOR_SERVICE] = call_service,     [DOCTOR_DELIVERY] = ask_outbox,
    };
    return gathers[step];
}
