/* The trunk, from a far side that may say anything, in slices; and places. */
#include "../../tools/boot/place.h"
#include "../../tools/boot/trunk.h"

#include <stdlib.h>

#define REQUIRE(cond) ((cond) ? (void)0 : abort())
#define MARK "mark"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void speak(const uint8_t *data, size_t size, size_t slice)
{
	struct trunk *t = trunk_create(3, MARK);
	struct trunk_frame f;
	int result = 1;

	trunk_feed(t, MARK "\n", sizeof MARK);
	REQUIRE(trunk_is_open(t));
	while (size > 0 && result >= 0) {
		size_t n = slice < size ? slice : size;

		trunk_feed(t, data, n);
		while ((result = trunk_next(t, &f)) == 1)
			REQUIRE(f.channel <= 3 && f.kind < TRUNK_KINDS && f.bytes.n <= TRUNK_FRAME);
		data += n;
		size -= n;
	}
	trunk_output(t);
	trunk_written(t);
	trunk_destroy(t);
}

static void places(const uint8_t *data, size_t size)
{
	struct place_list list = {0};
	char *text = malloc(size + 1), why[PLACE_WHY] = "";

	REQUIRE(text != NULL);
	for (size_t i = 0; i < size; i++)
		text[i] = (char)data[i];
	text[size] = '\0';
	if (place_list_add(&list, text, why) != 0)
		REQUIRE(why[0] != '\0' && list.count == 0);
	for (unsigned i = 0; i < list.count; i++)
		REQUIRE(list.at[i].slots > 0 && place_name(&list.at[i])[0] != '\0');
	place_list_close(&list);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] & 1)
		places(data + 1, size - 1);
	else
		speak(data + 1, size - 1, 1 + data[0]);
	return 0;
}
