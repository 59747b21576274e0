/* Between dialogue.c and dialogue_data.c. For nobody else. */
#ifndef PROGRAMS_FTP_DIALOGUE_PARTS_H
#define PROGRAMS_FTP_DIALOGUE_PARTS_H

#include "programs/ftp/dialogue.h"

/* Step the machine, do the actions in order, step again with what they brought. */
void dialogue_step(struct dialogue *dialogue, const struct ftp_client_event *event);

/* The actions CONNECT, LISTEN and MOVE. answer: of LISTEN, its kind is set already. */
void dialogue_connect(struct dialogue *dialogue, const struct endpoint *endpoint);
void dialogue_listen(struct dialogue *dialogue, struct ftp_client_event *answer);
void dialogue_move(struct dialogue *dialogue);

/* What data.h and transfer.h tell their owner, a dialogue. */
void dialogue_data_made(void *owner, int take_fd);
void dialogue_moved(void *owner, enum ftp_outcome outcome);

#endif
