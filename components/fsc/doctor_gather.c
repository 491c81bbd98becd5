/* Gathering facts: the table of who gathers what. */
#include "components/fsc/doctor.h"

void doctor_keep(char **where, char *text)
{
    g_free(*where);
    *where = text;
}

void doctor_gather(Doctor *doctor, DoctorStep step, DoctorFacts *facts)
{
    DoctorGather gather = doctor_gather_node(step);
    if (gather == NULL)
        gather = doctor_gather_peer(step);
    if (gather != NULL)
        gather(doctor, facts);
}

TlsIdentity doctor_identity(const Doctor *doctor, const DoctorFacts *facts, Role role)
{
    return (TlsIdentity){
        .certificate_path = facts->roles[role].certificate_path,
        .key_path = facts->roles[role].key_path,
        .anchors_path = config_text(doctor->config, "node", "anchors"),
        .crl_path = config_text(doctor->config, "node", "crl"),
    };
}
