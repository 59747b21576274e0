/* The parts of the doctor: features, limits and tools, each with its table. */
#ifndef LAB_DOCTOR_PARTS_H
#define LAB_DOCTOR_PARTS_H

#include "lab/doctor.h"

/* One way to try something, in a child with privilege that ends afterwards. */
typedef int (*doctor_trial)(const char *argument, struct error *error);

/* Each fails where the feature is not there, and says so. */
int trial_privilege(const char *argument, struct error *error);
int trial_topology(const char *text, struct error *error); /* is built */
int trial_link_kind(const char *kind, struct error *error);
int trial_queue_kind(const char *kind, struct error *error);
int trial_long_name(const char *argument, struct error *error);
int trial_low_ports(const char *argument, struct error *error);
int trial_offloads(const char *argument, struct error *error);
int trial_processes(const char *argument, struct error *error);
int trial_room(const char *argument, struct error *error);
int trial_capture(const char *argument, struct error *error);
int trial_events(const char *argument, struct error *error);
int trial_landlock(const char *argument, struct error *error);
int trial_group(const char *controller, struct error *error);

int doctor_find_features(const struct places *places, struct doctor *doctor, struct error *error);
void doctor_find_limits(struct doctor *doctor);
int doctor_find_tools(struct doctor *doctor, struct error *error);

#endif
