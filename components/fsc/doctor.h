/* The doctor: tests a connection step by step and names the first thing that is wrong, with its mend.
 *
 * Three parts. Facts are gathered by I/O (doctor_node.c, doctor_peer.c), one step at a time, so that nothing
 * is asked of a door that is known to be closed. Rules (doctor_rules.c) are pure: facts in, finding out. The
 * table below is the order, and with it what "the first thing" means. Facts hold no secret: no key, no token.
 */
#pragma once

#include "core/node/node.h"

/* STEP, title, part. */
#define DOCTOR_STEP_TABLE(X)                                                                                 \
    X(CONFIG, "configuration", NODE)                                                                         \
    X(CLOCK, "clock", NODE)                                                                                  \
    X(KEYS, "keys", NODE)                                                                                    \
    X(CERTIFICATES, "certificates", NODE)                                                                    \
    X(CRL, "revocation list", NODE)                                                                          \
    X(SERVE, "serve", NODE)                                                                                  \
    X(STORE, "store", NODE)                                                                                  \
    X(JOURNAL, "journal", NODE)                                                                              \
    X(EDGE, "edge", NODE)                                                                                    \
    X(ADDRESS, "address", PEER)                                                                              \
    X(NAME, "name", PEER)                                                                                    \
    X(TCP, "TCP", PEER)                                                                                      \
    X(TLS, "TLS", PEER)                                                                                      \
    X(CHAIN, "certificate", PEER)                                                                            \
    X(HOST, "its name", PEER)                                                                                \
    X(PEER_ID, "its Peer ID", PEER)                                                                          \
    X(REVOKED, "revocation", PEER)                                                                           \
    X(MANAGER, "Manager", PEER)                                                                              \
    X(OFFSET, "clocks", PEER)                                                                                \
    X(VERSION, "FSC version", PEER)                                                                          \
    X(GROUP, "group", PEER)                                                                                  \
    X(CONTRACT, "contract", CONTRACT)                                                                        \
    X(GRANT, "grant", CONTRACT)                                                                              \
    X(TOKEN, "access token", CONTRACT)                                                                       \
    X(CLAIMS, "its claims", CONTRACT)                                                                        \
    X(INWAY_NAME, "name", INWAY)                                                                             \
    X(INWAY_TCP, "TCP", INWAY)                                                                               \
    X(INWAY_TLS, "TLS", INWAY)                                                                               \
    X(INWAY_CHAIN, "certificate", INWAY)                                                                     \
    X(INWAY_HOST, "its name", INWAY)                                                                         \
    X(INWAY_PEER_ID, "its Peer ID", INWAY)                                                                   \
    X(INWAY_REVOKED, "revocation", INWAY)                                                                    \
    X(INWAY, "Inway", INWAY)                                                                                 \
    X(SERVICE, "service", SERVICE)                                                                           \
    X(DELIVERY, "delivery", DELIVERY)

typedef enum {
#define X(name, title, part) DOCTOR_##name,
    DOCTOR_STEP_TABLE(X)
#undef X
        DOCTOR_STEP_COUNT
} DoctorStep;

typedef enum {
    DOCTOR_PART_NODE,
    DOCTOR_PART_PEER,
    DOCTOR_PART_CONTRACT,
    DOCTOR_PART_INWAY,
    DOCTOR_PART_SERVICE,
    DOCTOR_PART_DELIVERY,
    DOCTOR_PART_COUNT
} DoctorPart;

typedef struct {
    const char *name;  /* "inway_tcp": for --json */
    const char *title; /* for people */
    DoctorPart part;
} DoctorStepRow;

const DoctorStepRow *doctor_step_row(DoctorStep step);
const char *doctor_part_title(DoctorPart part); /* "this node" */

/* FAULT, step, mend; "{}" in the mend is what the finding is about (a file, an address, a hash). */
#define DOCTOR_FAULT_TABLE(X)                                                                                \
    X(CONFIG_FAULTS, CONFIG, "correct {}; fundament config check names every mistake with its line")         \
    X(CLOCK_UNSYNCHRONISED, CLOCK, "have the clock kept by NTP: start systemd-timesyncd or chrony")          \
    X(KEY_MISSING, KEYS, "put the key there, or have one made: fundament fsc init --help")                   \
    X(KEY_OPEN, KEYS, "let only the node's own user read it: chmod 600 {}")                                  \
    X(KEY_UNREADABLE, KEYS, "let this user read {}, or run the doctor as the user of the node")              \
    X(KEY_DAMAGED, KEYS, "put the right key in {}: PKCS#8 in PEM, RSA of 2048 bits or EC P-256/384/521")     \
    X(KEY_OTHER, KEYS, "put the key that belongs to the certificate in {}, or have a new one issued")        \
    X(CERTIFICATE_MISSING, CERTIFICATES,                                                                     \
      "put the certificate there: PEM, your own first, its issuers after it")                                \
    X(CERTIFICATE_DAMAGED, CERTIFICATES,                                                                     \
      "put the right certificate in {}: PEM, your own first, its issuers after it")                          \
    X(CERTIFICATE_EXPIRED, CERTIFICATES,                                                                     \
      "have a new certificate issued and put it in {}; no restart is needed")                                \
    X(CERTIFICATE_FUTURE, CERTIFICATES, "wait until it is valid, or correct this machine's clock")           \
    X(CERTIFICATE_CHAIN, CERTIFICATES,                                                                       \
      "have {} issued under the group's trust anchor, with its issuers in the file")                         \
    X(CERTIFICATE_REVOKED, CRL, "have a new certificate issued with a new key, and put it in {}")            \
    X(CERTIFICATE_USE, CERTIFICATES, "have {} issued for both server and client authentication")             \
    X(CERTIFICATE_NAME, CERTIFICATES, "have {} issued with that name in the subject alternative names")      \
    X(CERTIFICATE_OIN, CERTIFICATES,                                                                         \
      "have {} issued with the OIN of this organisation in subject.serialNumber")                            \
    X(CRL_UNREADABLE, CRL, "fetch the list of the certificate authority again and put it in {}")             \
    X(CRL_STALE, CRL,                                                                                        \
      "fetch the newest list of the certificate authority and put it in {}; no restart is needed")           \
    X(SERVE_DOWN, SERVE, "start the node: systemctl start fundament, or fundament serve")                    \
    X(SERVE_BROKEN, SERVE, "look in the log of the node, and restart it: systemctl restart fundament")       \
    X(STORE_DOWN, STORE, "see that the database of [node] store runs and that there is room on its disk")    \
    X(JOURNAL_DOWN, JOURNAL, "make room on the disk of {}, and see that the node's user may write there")    \
    X(EDGE_DOWN, EDGE, "start the edge: systemctl start fundament-edge, or fundament edge")                  \
    X(EDGE_APART, EDGE,                                                                                      \
      "restart the edge with the same program and node.conf as serve: their versions or sockets differ")     \
    X(ADDRESS_UNKNOWN, ADDRESS,                                                                              \
      "check the Peer ID; that Peer must announce itself to the Directory (fundament fsc peers announce)")   \
    X(NAME_UNKNOWN, NAME, "have {} put in DNS, or in [hosts] of node.conf")                                  \
    X(TCP_REFUSED, TCP, "ask that Peer to start its Manager at {}, and check firewalls on the way")          \
    X(TCP_SILENT, TCP, "have firewalls on both sides let connections to {} through")                         \
    X(TLS_NONE, TLS, "ask that Peer to offer TLS 1.2 or newer at {}: what listens there does not")           \
    X(TLS_REFUSED, TLS, "ask that Peer which TLS names and versions its Manager at {} takes")                \
    X(CHAIN_OTHER, CHAIN,                                                                                    \
      "that Peer must use a certificate under the group's trust anchor; check [node] anchors too")           \
    X(CHAIN_EXPIRED, CHAIN, "ask that Peer to renew the certificate of its Manager")                         \
    X(HOST_OTHER, HOST,                                                                                      \
      "ask that Peer for a certificate that holds {}, or for the right address of its Manager")              \
    X(PEER_OTHER, PEER_ID, "find out who answers at {}: the address belongs to another organisation")        \
    X(PEER_REVOKED, REVOKED, "do not trust it; ask that Peer to replace the certificate of its Manager")     \
    X(PEER_CRL, REVOKED, "put the list of that certificate's issuer in [node] crl")                          \
    X(MANAGER_SILENT, MANAGER, "ask that Peer to look at its Manager: TLS stands, but HTTP gives no answer") \
    X(MANAGER_REFUSES, MANAGER,                                                                              \
      "ask that Peer why it refuses our certificate (anchors, revocation list, clock)")                      \
    X(MANAGER_OTHER, MANAGER, "ask that Peer for the right address: what answers there is no FSC Manager")   \
    X(CLOCKS_DIFFER, OFFSET, "correct the clock that is wrong, here or there, with NTP")                     \
    X(VERSION_OTHER, VERSION, "one of the two must upgrade: this node speaks FSC 2.0.0 only")                \
    X(GROUP_OTHER, GROUP, "agree on one group: [node] group is {} here")                                     \
    X(CONTRACT_NONE, CONTRACT, "propose one: fundament fsc connect {}")                                      \
    X(CONTRACT_OURS, CONTRACT, "accept it: fundament fsc contract accept '{}'")                              \
    X(CONTRACT_THEIRS, CONTRACT, "ask them to accept the contract {}")                                       \
    X(CONTRACT_EARLY, CONTRACT,                                                                              \
      "wait until it begins, or propose one that begins now: fundament fsc connect {}")                      \
    X(CONTRACT_ENDED, CONTRACT, "propose a new one: fundament fsc connect {}")                               \
    X(CONTRACT_REVOKED, CONTRACT, "ask why, then propose a new one: fundament fsc connect {}")               \
    X(CONTRACT_REJECTED, CONTRACT, "ask why, then propose another one: fundament fsc connect {}")            \
    X(OUTWAY_MISSING, GRANT, "give this node an Outway key: put outway.key and outway.crt in {}")            \
    X(GRANT_OTHER_PEER, GRANT,                                                                               \
      "only that Peer can use this grant; propose your own: fundament fsc connect {}")                       \
    X(GRANT_OTHER_KEY, GRANT, "propose a contract for the key of today: fundament fsc connect {} --again")   \
    X(GRANT_OTHER_DOMAIN, GRANT,                                                                             \
      "have outway.crt issued with that domain name, or propose a new contract: fundament fsc connect {} "   \
      "--again")                                                                                             \
    X(TOKEN_REFUSED, TOKEN, "ask {} why its Manager gives no access token; the reason it gave is above")     \
    X(TOKEN_UNREACHABLE, TOKEN, "see that {} answers at POST /token; the reason is above")                   \
    X(TOKEN_WRONG, CLAIMS, "ask {} to mend its Manager: the access token does not say what the grant says")  \
    X(TOKEN_CLOCK, CLAIMS, "correct the clock that is wrong, here or at {}, with NTP")                       \
    X(INWAY_NAME_UNKNOWN, INWAY_NAME, "have {} put in DNS, or in [hosts] of node.conf")                      \
    X(INWAY_REFUSED, INWAY_TCP, "ask that Peer to start its Inway at {}, and check firewalls on the way")    \
    X(INWAY_SILENT, INWAY_TCP, "have firewalls on both sides let connections to {} through")                 \
    X(INWAY_NO_TLS, INWAY_TLS, "ask that Peer to offer TLS 1.2 or newer at {}: what listens there does not") \
    X(INWAY_TLS_REFUSED, INWAY_TLS, "ask that Peer which TLS names and versions its Inway at {} takes")      \
    X(INWAY_CHAIN_OTHER, INWAY_CHAIN,                                                                        \
      "that Peer must give its Inway a certificate under the group's trust anchor")                          \
    X(INWAY_CHAIN_EXPIRED, INWAY_CHAIN, "ask that Peer to renew the certificate of its Inway")               \
    X(INWAY_HOST_OTHER, INWAY_HOST, "ask that Peer for an Inway certificate that holds {}")                  \
    X(INWAY_PEER_OTHER, INWAY_PEER_ID,                                                                       \
      "find out who answers at {}: that Inway belongs to another organisation")                              \
    X(INWAY_IS_REVOKED, INWAY_REVOKED,                                                                       \
      "do not trust it; ask that Peer to replace the certificate of its Inway")                              \
    X(INWAY_CRL, INWAY_REVOKED, "put the list of that certificate's issuer in [node] crl")                   \
    X(INWAY_REFUSES, INWAY,                                                                                  \
      "ask that Peer why its Inway refuses our certificate (anchors, revocation list, clock)")               \
    X(INWAY_OTHER, INWAY, "ask that Peer to look at {}: what answers there is no FSC Inway")                 \
    X(CLIENT_NONE, SERVICE,                                                                                  \
      "let a client use it: [client.NAME] listen = 127.0.0.1:PORT and grants = {} in node.conf")             \
    X(OUTWAY_DOWN, SERVICE, "see that the edge runs with this node.conf: nothing listens at {}")             \
    X(OUTWAY_REFUSES, SERVICE, "the Outway says why above; what it says is to be mended at {}")              \
    X(SERVICE_DOWN, SERVICE, "ask that Peer to start the service {} behind its Inway")                       \
    X(SERVICE_FAULT, SERVICE,                                                                                \
      "ask that Peer to look at the service {}: it answered, with an error of its own")                      \
    X(DELIVERY_DEAD, DELIVERY, "mend the cause, then send it again: fundament outbox retry {}")              \
    X(DELIVERY_STUCK, DELIVERY,                                                                              \
      "nothing is lost; the node keeps trying, {} times so far, and the last error says why")

typedef enum {
    DOCTOR_FAULT_NONE,
#define X(name, step, mend) DOCTOR_FAULT_##name,
    DOCTOR_FAULT_TABLE(X)
#undef X
        DOCTOR_FAULT_COUNT
} DoctorFault;

typedef struct {
    const char *name; /* "TCP_REFUSED" */
    DoctorStep step;
    const char *mend;
} DoctorFaultRow;

const DoctorFaultRow *doctor_fault_row(DoctorFault fault); /* not for NONE */

/* --- facts --- */

/* One pair of files keys/<role>.{key,crt}. */
typedef struct {
    gboolean wanted;
    char *key_path, *certificate_path;
    gboolean has_key, has_certificate;
    guint key_mode;      /* permission bits */
    gboolean key_denied; /* the file is there and this user may not read it */
    char *key_error;     /* why it is no key; NULL: it is one */
    char *certificate_error;
    gboolean fits; /* the key belongs to the certificate */
    char *oin;     /* of the certificate; NULL: none */
    char *thumbprint, *public_key_thumbprint;
    gint64 not_before, not_after;
    gboolean server, client; /* extended key usage allows it */
    char *host;              /* that others use for it; NULL: none */
    gboolean host_matches;
    char *chain_error;   /* without revocation; NULL: it chains */
    char *revoked_error; /* with revocation; NULL: fine, or no list */
} RoleFacts;

/* A Manager or an Inway of another organisation, from outside. */
typedef struct {
    char *host, *ip; /* ip NULL: the name is unknown */
    guint port;
    gboolean from_hosts; /* [hosts], else DNS */
    char *name_error;
    gboolean connected, handshake;
    char *error; /* of TCP or TLS */
    gboolean timed_out;
    char *version, *cipher;
    gboolean has_certificate;
    char *peer_id;
    gint64 not_before, not_after;
    gboolean host_matches;
    char *chain_error, *revoked_error;
} EndpointFacts;

typedef struct {
    gint64 now_s;
    /* this node */
    char *config_path;
    GPtrArray *config_faults; /* strings; NULL: none */
    gboolean clock_synchronised;
    char *keys_path, *data_path;
    RoleFacts roles[ROLE_COUNT];
    char *crl_path, *crl_error; /* path NULL: no list */
    gint64 crl_next_update, crl_grace_s;
    char *serve_error; /* NULL: it answers */
    gboolean serve_listens;
    gboolean store_ok, journal_known, journal_ok;
    guint edge_workers, frame_version;
    gboolean edge_listens;
    char *edge_address;
    char *oin, *group;
    /* the other organisation */
    char *peer_id, *peer_name; /* name NULL: unknown */
    char *manager_address, *address_error;
    EndpointFacts manager;
    char *reply_error; /* NULL: HTTP answered */
    guint reply_status;
    char *reply_reason;
    char *reply_peer_id, *reply_version;
    gint64 peer_date_s, asked_s; /* 0: its answer has no Date */
    char *group_error;
    /* the contract */
    char *service;                        /* NULL: no service was asked about */
    char *connection;                     /* SERVICE.PEER */
    char *contract_hash, *contract_state; /* NULL: none; "VALID" */
    gint64 contract_not_before, contract_not_after;
    gboolean we_signed;
    char *not_signed; /* names of others that have not, or NULL */
    char *decided_by; /* who rejected or revoked */
    char *grant_hash, *grant_outway, *grant_thumbprint, *grant_domain;
    gboolean domain_matches;
    char *token_error;  /* NULL: a token came */
    guint token_status; /* of the answer; 0: none */
    char *claims_error; /* what is no token; NULL: the claims were read */
    char *token_group, *token_grant, *token_service, *token_issuer, *token_subject, *token_binding, *audience;
    gint64 token_not_before, token_expires_at;
    /* its Inway */
    EndpointFacts inway;
    char *inway_error;
    guint inway_status;
    char *inway_code; /* Fsc-Error-Code */
    /* the service */
    char *call_path;               /* NULL: not asked for */
    char *client, *client_address; /* NULL: no client may use it */
    char *call_error;
    guint call_status;
    char *call_code, *call_domain, *call_reason;
    /* delivery to that Peer */
    guint waiting, dead, tries; /* messages; the most tries of one that waits */
    gint64 dead_id;
    char *delivery_error;
} DoctorFacts;

void doctor_facts_clear(DoctorFacts *facts);

/* --- rules: pure --- */

typedef enum { FINDING_OK, FINDING_NOTE, FINDING_WRONG } FindingLevel;

typedef struct {
    FindingLevel level;
    DoctorFault fault; /* for WRONG, and for a NOTE that has a mend */
    char *text;        /* what was seen */
    char *mend;        /* one sentence; NULL without fault */
} Finding;

void finding_clear(Finding *finding);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Finding, finding_clear)

Finding doctor_check(DoctorStep step, const DoctorFacts *facts);

/* TRUE for the steps that make sense with this question: no contract without a service, no service without a
 * path. */
gboolean doctor_step_applies(DoctorStep step, const DoctorFacts *facts);

/* --- gathering: blocks --- */

typedef struct {
    char *config_path;
    Config *config; /* NULL when it has faults */
    HttpClient *client;
    TrustAnchors *anchors, *anchors_with_crl;
    const Clock *clock;
} Doctor;

/* What the step needs to know, into `facts`. */
void doctor_gather(Doctor *doctor, DoctorStep step, DoctorFacts *facts);

/* doctor_node.c and doctor_peer.c; NULL: nothing to gather for this step. */
typedef void (*DoctorGather)(Doctor *doctor, DoctorFacts *facts);
DoctorGather doctor_gather_node(DoctorStep step);
DoctorGather doctor_gather_peer(DoctorStep step);
/* "keys/<role>.crt" and "keys/<role>.key", the anchors and the list, as a TLS client uses them; borrowed from
 * `facts` and the configuration. */
TlsIdentity doctor_identity(const Doctor *doctor, const DoctorFacts *facts, Role role);
/* Replaces a text of the facts. */
void doctor_keep(char **where, char *text);
