/* A private, volatile tiliad that goes with the run: for those who have none. */
#ifndef TILIA_BOOT_PRIVATE_H
#define TILIA_BOOT_PRIVATE_H

#include <sys/types.h>

#define PRIVATE_WHY 1024

struct private_server {
	pid_t pid;     /* 0: none */
	char *address; /* owned: "unix:..." */
};

/* Starts it, found beside this program, else in $PATH, and waits until it
 * answers. It ends when this process does, however that ends. 0, or ERROR_SYSTEM
 * or ERROR_CONNECT with a text in why[PRIVATE_WHY]. Call it before there are
 * threads. */
int private_start(struct private_server *s, char *why);

/* Ends it; harmless when there is none. */
void private_stop(struct private_server *s);

#endif
