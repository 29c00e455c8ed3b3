# A delayed tuple is a put when it is due, or back if it was seen before; what its ttl,
# or the end of its session, takes away is an expire, unless nobody ever saw it.
> open a
> open b
> b [1, "hello", {"session": "new", "grace": 1000}]
+ session session 2
b = hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
> b [2, "space", "create", "v", {"volatile": true}]
+ space 3 v volatile
+ outcome session 2 number 2 null
b = [2, 0, null]
> commit
b < hello: boot 1 grace 1000 session h'00010000000000000000000000000000'
b < [2, 0, null]
> a [1, "watch", "v", null]
> b [3, "out", "v", ["later"], {"delay": 1000}]
b < [3, 0, 4]
> b [4, "out", "v", ["short"], {"ttl": 500}]
b < [4, 0, 5]
a < [1, 1, ["put", 3481600000000000, 5, ["short"]]]
> b [5, "out", "v", ["never seen"], {"ttl": 500, "delay": 1000}]
b < [5, 0, 6]
> a sent 1
> pass 500ms
a < [1, 1, ["expire", 3481600000000001, 5, ["short"]]]
> a sent 1
> pass 500ms
a < [1, 1, ["put", 3481600000000002, 4, ["later"]]]
> a sent 1
> b [6, "in", "v", ["later"], {"lease": 60000}]
b < [6, 0, [[4, ["later"], 7, 1]]]
a < [1, 1, ["claim", 3481600000000003, 4, ["later"]]]
> a sent 1
> b [7, "commit", {"back": [[7, 300]]}]
b < [7, 0, []]
> a sent 1
> pass 300ms
a < [1, 1, ["back", 3481600000000004, 4, ["later"]]]
> a sent 1
# its time is over while it is claimed: it does not come back
> b [8, "out", "v", ["job"], {"ttl": 500}]
b < [8, 0, 8]
a < [1, 1, ["put", 3481600000000005, 8, ["job"]]]
> b [9, "in", "v", ["job"], {"lease": 60000}]
b < [9, 0, [[8, ["job"], 9, 1]]]
> a sent 1
a < [1, 1, ["claim", 3481600000000006, 8, ["job"]]]
> pass 500ms
> b [10, "commit", {"back": [[9, 0]]}]
b < [10, 0, []]
> a sent 1
a < [1, 1, ["expire", 3481600000000007, 8, ["job"]]]
# a session takes with it what is bound to it
> b [11, "out", "v", ["here"], {"bound": true}]
b < [11, 0, 10]
> a sent 1
a < [1, 1, ["put", 3481600000000008, 10, ["here"]]]
> b [12, "bye"]
+ outcome-free session 2
b = [12, 0, null]
+ session-end session 2
> a sent 1
a < [1, 1, ["expire", 3481600000000009, 10, ["here"]]]
> check
tuples 1 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
