/* An intrusive doubly linked circular list. A head and a link are the same
 * struct; a link that is in no list points to itself, so list_remove() twice
 * is harmless. Nothing is allocated, nothing is owned. */
#ifndef TILIA_BASE_LIST_H
#define TILIA_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

/* The struct of type `type` whose member `member` is the link `ptr`. */
#define list_entry(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Walks the links; the loop's body may remove `it` itself, nothing else. */
#define list_each(it, head)                                                                        \
	for (struct list *it = (head)->next, *it##_next = it->next; it != (head);                  \
	     it = it##_next, it##_next = it->next)

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Puts `l` at the end of the list `head`. */
static inline void list_append(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* Puts all of `from` at the end of the list `head`; `from` is empty then. */
static inline void list_splice(struct list *head, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = head->prev;
	head->prev->next = from->next;
	from->prev->next = head;
	head->prev = from->prev;
	list_init(from);
}

/* Takes `l` out of its list, if it is in one. */
static inline void list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* The first link, or NULL in an empty list. */
static inline struct list *list_first(struct list *head)
{
	return list_empty(head) ? NULL : head->next;
}

#endif
