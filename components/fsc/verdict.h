/* Why a contract or a signature was refused: one table of every reason, with what the other Manager gets to
 * see.
 *
 * Rules give their verdict as a GError of this domain: the code is a reason from the table, the message says
 * which field. Reasons for which FSC Core 2.0.0, 4.4.5.3 has a code are answered with the error object and
 * the header Fsc-Error-Code; for all others, which the standard does not name, the answer is problem+json
 * without that header (docs/fsc-readings.md, 7).
 */
#pragma once

#include <glib.h>

#define FSC_VERDICT (fsc_verdict_quark())

/* name, HTTP status, Fsc-Error-Code or "", default message */
#define FSC_VERDICT_TABLE(X)                                                                                 \
    X(SCHEMA, 400, "", "the body does not have the shape of the OpenAPI document")                           \
    X(MANAGER_ADDRESS, 400, "",                                                                              \
      "the header Fsc-Manager-Address must be https://host:443 or https://host:8443")                        \
    X(UNKNOWN_FSC_VERSION, 422, "ERROR_CODE_UNKNOWN_FSC_VERSION",                                            \
      "this Manager knows FSC version 2.0.0 only")                                                           \
    X(UNKNOWN_HASH_ALGORITHM, 422, "ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH",                                 \
      "this Manager knows HASH_ALGORITHM_SHA3_512 only")                                                     \
    X(INCORRECT_GROUP_ID, 422, "ERROR_CODE_INCORRECT_GROUP_ID", "the contract is for another group")         \
    X(IV, 422, "", "iv must be a UUID")                                                                      \
    X(CREATED_AT, 422, "", "created_at is in the future")                                                    \
    X(PERIOD, 422, "", "not_after must be later than not_before")                                            \
    X(ENDED, 422, "", "not_after must be in the future")                                                     \
    X(NO_GRANTS, 422, "", "a contract holds at least one grant")                                             \
    X(TOO_MANY_GRANTS, 422, "", "a contract holds at most 10 grants")                                        \
    X(PEER_ID, 422, "", "a Peer ID in this group is an OIN: 20 digits")                                      \
    X(SERVICE_NAME, 422, "", "a service name is 1 to 100 of a-z A-Z 0-9 - . _")                              \
    X(THUMBPRINT, 422, "", "a public key thumbprint is 64 lower-case hexadecimal digits")                    \
    X(DOMAIN_NAME, 422, "", "the domain name of the Outway is not one")                                      \
    X(PROPERTIES, 422, "", "the properties of a connection grant may take 4 KB")                             \
    X(EXTERNAL_CONTRACT, 422, "",                                                                            \
      "an external contract reference is an object of reference, delegator_id and delegator_name, in a "     \
      "ServiceConnectionGrant or a ServicePublicationGrant")                                                 \
    X(GRANT_COMBINATION, 422, "ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED",                                    \
      "publications stand in contracts of their own")                                                        \
    X(SUBMITTER_NOT_IN_CONTRACT, 422, "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT",                     \
      "you are not part of this contract")                                                                   \
    X(RECEIVER_NOT_IN_CONTRACT, 422, "ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT",                       \
      "we are not part of this contract")                                                                    \
    X(SERVICE_NOT_OFFERED, 422, "", "we do not offer that service")                                          \
    X(URL_HASH, 422, "ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH",                                            \
      "the hash in the path is not that of the content")                                                     \
    X(SIGNATURE_SYNTAX, 422, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",                                     \
      "the signature is not a compact JWS")                                                                  \
    X(SIGNATURE_ALGORITHM, 422, "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE",                                    \
      "alg must be one of RS256 to RS512, ES256 to ES512")                                                   \
    X(SIGNATURE_HASH, 422, "ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH",                            \
      "the signature is over another contract")                                                              \
    X(SIGNATURE_TYPE, 422, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",                                       \
      "the type in the signature is not that of the request")                                                \
    X(SIGNATURE_TIME, 422, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED", "signed_at is in the future")         \
    X(CERTIFICATE_UNKNOWN, 422, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",                                  \
      "the signer's Manager has no such certificate")                                                        \
    X(CERTIFICATE_UNTRUSTED, 422, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",                                \
      "the signer's certificate is not trusted")                                                             \
    X(SIGNATURE_PEER, 422, "ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH", "the signature is another Peer's")       \
    X(SIGNATURE_WRONG, 422, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",                                      \
      "the signature does not fit the certificate")                                                          \
    X(IV_USED, 422, "", "another contract with this iv exists")                                              \
    X(TOO_MANY_SIGNATURES, 429, "", "this Peer has placed too many signatures on this contract")

typedef enum {
#define X(name, http, code, message) VERDICT_##name,
    FSC_VERDICT_TABLE(X)
#undef X
        VERDICT_COUNT
} Verdict;

typedef struct {
    const char *name; /* "SCHEMA" */
    guint http_status;
    const char *fsc_code; /* "" when the standard names none */
    const char *message;
} VerdictRow;

GQuark fsc_verdict_quark(void);

/* Borrowed. */
const VerdictRow *verdict_row(Verdict verdict);

/* Sets `error` and returns FALSE, so that a rule can `return verdict_set(...)`. The message is that of the
 * table, after `where`
 * ("content.grants[0].data") and a colon when that is not NULL. */
gboolean verdict_set(GError **error, Verdict verdict, const char *where);

/* The same, with the reason that a floor below gave in place of `where`. */
gboolean verdict_because(GError **error, Verdict verdict, const GError *why);
