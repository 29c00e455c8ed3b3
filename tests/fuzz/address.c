/* Addresses: what is accepted is read back from its own text. */
#include "../../libclient/address.h"

#include <stdlib.h>

#define REQUIRE(cond) ((cond) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void comes_back(const struct address *a)
{
	struct buf text = BUF_INIT;
	char why[ADDRESS_WHY];
	struct address b;

	address_print(&text, a);
	REQUIRE(address_parse(buf_bytes(&text), &b, why) == 0);
	REQUIRE(a->kind == b.kind && a->port == b.port && strcmp(a->name, b.name) == 0);
	address_close(&b);
	buf_close(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address_list list;
	char why[ADDRESS_WHY] = "";

	if (address_list_parse((struct bytes){data, size}, &list, why) != 0) {
		REQUIRE(why[0] != '\0');
		return 0;
	}
	REQUIRE(list.count > 0);
	for (unsigned i = 0; i < list.count; i++)
		comes_back(&list.at[i]);
	address_list_close(&list);
	return 0;
}
