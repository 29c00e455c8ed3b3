/* What is sent to the other side: made by payload.py from the Python client. */
#ifndef TILIA_BOOT_PAYLOAD_H
#define TILIA_BOOT_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

struct payload {
	const char *path; /* of a module: "tilia/_net.py" */
	const unsigned char *data;
	size_t size;
	uint32_t crc; /* CRC-32, of the core alone */
};

/* The core (tilia/__init__.py and tilia/_hub.py), deflated. */
extern const struct payload payload_core;

/* The client's other modules, minified; ends with a NULL path. */
extern const struct payload payload_modules[];

#endif
