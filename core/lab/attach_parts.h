/* What the files of attach.h share. */
#ifndef LAB_ATTACH_PARTS_H
#define LAB_ATTACH_PARTS_H

#include "lab/attach.h"
#include "lab/lab_control.h"

/* The lab has ended while it was spoken to. Returns -ECONNRESET. */
int attach_lost(struct error *error);

/* The next packet; one that tells a failure is the error. */
int attach_receive(int fd, struct lab_control_packet *packet, struct error *error);

#endif
