/* What the files of the doctor's rules share. */
#pragma once

#include "components/fsc/doctor.h"

Finding finding_ok(const char *format, ...) G_GNUC_PRINTF(1, 2);
Finding finding_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* `subject` fills "{}" in the fault's mend. */
Finding finding_wrong(DoctorFault fault, const char *subject, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The same, but worth no more than a note. */
Finding finding_mind(DoctorFault fault, const char *subject, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* "3 days", "5 hours", "40 seconds". Caller frees. */
char *doctor_span(gint64 seconds);

typedef Finding (*DoctorCheck)(const DoctorFacts *facts);

DoctorCheck doctor_check_of_node(DoctorStep step);
DoctorCheck doctor_check_of_peer(DoctorStep step);
DoctorCheck doctor_check_of_contract(DoctorStep step);
