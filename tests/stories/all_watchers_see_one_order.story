# Two watchers of all, and one of a template: each event once, in one order, with the
# batch that made it. A delivered burst is followed by the next when the kernel has it.
> open a
> open b
> open c
> open d
> d [1, "hello", {"session": "new"}]
+ session session 2
d = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [1, "watch", "main", null]
> b [1, "watch", "main", null]
> c [1, "watch", "main", ["job", ?int>1]]
> commit
d < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> d [2, "out", "main", ["job", 1]]
+ put 3 ["job", 1]
+ outcome session 2 number 2 3
d = [2, 0, 3]
a = [1, 1, ["put", 3481600000000000, 3, ["job", 1]]]
b = [1, 1, ["put", 3481600000000000, 3, ["job", 1]]]
> d [3, "out", "main", ["job", 2]]
+ put 4 ["job", 2]
+ outcome session 2 number 3 4
d = [3, 0, 4]
c = [1, 1, ["put", 3481600000000001, 4, ["job", 2]]]
> d [4, "rd", "main", ["job", ?]]
d = [4, 0, [[3, ["job", 1]]]]
> check
tuples 2 waiting 0 outcomes 2 sessions 1 taken 0 claims 0
> commit
d < [2, 0, 3]
a < [1, 1, ["put", 3481600000000000, 3, ["job", 1]]]
b < [1, 1, ["put", 3481600000000000, 3, ["job", 1]]]
d < [3, 0, 4]
c < [1, 1, ["put", 3481600000000001, 4, ["job", 2]]]
d < [4, 0, [[3, ["job", 1]]]]
> a sent 1
a < [1, 1, ["put", 3481600000000001, 4, ["job", 2]]]
> b sent 1
b < [1, 1, ["put", 3481600000000001, 4, ["job", 2]]]
> c sent 1
> d [5, "in", "main", ["job", 1]]
+ state 3 session 2 number 5
d = [5, 0, [[3, ["job", 1]]]]
> d [6, "in", "main", ["job", 2], {"lease": 1000}]
+ state 4 session 2 number 6 token 5 lease 1000 tries 1
d = [6, 0, [[4, ["job", 2], 5, 1]]]
c = [1, 1, ["claim", 3481600000000003, 4, ["job", 2]]]
> commit
d < [5, 0, [[3, ["job", 1]]]]
d < [6, 0, [[4, ["job", 2], 5, 1]]]
c < [1, 1, ["claim", 3481600000000003, 4, ["job", 2]]]
> a sent 1
a < [1, 1, ["take", 3481600000000002, 3, ["job", 1]]]
a < [1, 1, ["claim", 3481600000000003, 4, ["job", 2]]]
> b sent 1
b < [1, 1, ["take", 3481600000000002, 3, ["job", 1]]]
b < [1, 1, ["claim", 3481600000000003, 4, ["job", 2]]]
> c sent 1
# undone, and given back: both are there again
> d [7, "cancel", 5]
+ state 3
d = [7, 0, true]
> d [8, "commit", {"back": [[5, 0]]}]
+ state 4 tries 1
+ outcome session 2 number 8 []
d = [8, 0, []]
c = [1, 1, ["back", 3481600000000005, 4, ["job", 2]]]
> commit
d < [7, 0, true]
d < [8, 0, []]
c < [1, 1, ["back", 3481600000000005, 4, ["job", 2]]]
> a sent 1
a < [1, 1, ["back", 3481600000000004, 3, ["job", 1]]]
a < [1, 1, ["back", 3481600000000005, 4, ["job", 2]]]
> b sent 1
b < [1, 1, ["back", 3481600000000004, 3, ["job", 1]]]
b < [1, 1, ["back", 3481600000000005, 4, ["job", 2]]]
> c sent 1
# a lease is over, a claim is done, another is buried: there it is a put
> d [9, "in", "main", ["job", 2], {"lease": 1000}]
+ state 4 session 2 number 9 token 6 lease 1000 tries 2
d = [9, 0, [[4, ["job", 2], 6, 2]]]
c = [1, 1, ["claim", 3481600000000006, 4, ["job", 2]]]
> pass 1000ms
+ state 4 tries 2
> d [10, "in", "main", ["job", ?], {"lease": 1000, "max": 2}]
+ state 3 session 2 number 10 token 7 lease 1000 tries 1
+ state 4 session 2 number 10 token 8 lease 1000 tries 3
d = [10, 0, [[3, ["job", 1], 7, 1], [4, ["job", 2], 8, 3]]]
> commit
d < [9, 0, [[4, ["job", 2], 6, 2]]]
c < [1, 1, ["claim", 3481600000000006, 4, ["job", 2]]]
d < [10, 0, [[3, ["job", 1], 7, 1], [4, ["job", 2], 8, 3]]]
> a sent 1
a < [1, 1, ["claim", 3481600000000006, 4, ["job", 2]]]
a < [1, 1, ["back", 3481600000000007, 4, ["job", 2]]]
a < [1, 1, ["claim", 3481600000000008, 3, ["job", 1]]]
a < [1, 1, ["claim", 3481600000000009, 4, ["job", 2]]]
> b sent 1
b < [1, 1, ["claim", 3481600000000006, 4, ["job", 2]]]
b < [1, 1, ["back", 3481600000000007, 4, ["job", 2]]]
b < [1, 1, ["claim", 3481600000000008, 3, ["job", 1]]]
b < [1, 1, ["claim", 3481600000000009, 4, ["job", 2]]]
> c sent 1
c < [1, 1, ["back", 3481600000000007, 4, ["job", 2]]]
c < [1, 1, ["claim", 3481600000000009, 4, ["job", 2]]]
> d [11, "space", "create", "main.dead"]
+ space 9 main.dead
+ outcome session 2 number 11 null
d = [11, 0, null]
> b [2, "watch", "main.dead", null]
> d [12, "commit", {"done": [7], "bury": [8], "out": [["main", ["job", 3]]]}]
+ delete 3
+ delete 4
+ put 4 tries 3 ["job", 2]
+ put 10 ["job", 3]
+ outcome session 2 number 12 [10]
d = [12, 0, [10]]
b = [2, 1, ["put", 3481600000000011, 4, ["job", 2]]]
> commit
d < [11, 0, null]
d < [12, 0, [10]]
b < [2, 1, ["put", 3481600000000011, 4, ["job", 2]]]
> a sent 1
a < [1, 1, ["done", 3481600000000010, 3, ["job", 1]]]
a < [1, 1, ["bury", 3481600000000011, 4, ["job", 2]]]
a < [1, 1, ["put", 3481600000000012, 10, ["job", 3]]]
> b sent 1
b < [1, 1, ["done", 3481600000000010, 3, ["job", 1]]]
b < [1, 1, ["bury", 3481600000000011, 4, ["job", 2]]]
b < [1, 1, ["put", 3481600000000012, 10, ["job", 3]]]
> b sent 2
> c sent 1
c < [1, 1, ["bury", 3481600000000011, 4, ["job", 2]]]
c < [1, 1, ["put", 3481600000000012, 10, ["job", 3]]]
# a waiting taker gets it: put, then take
> a sent 1
> d [13, "in", "main", ["late"]]
> d [14, "out", "main", ["late"]]
+ put 11 ["late"]
+ state 11 session 2 number 13
d = [13, 0, [[11, ["late"]]]]
+ outcome session 2 number 14 11
d = [14, 0, 11]
a = [1, 1, ["put", 3481600000000013, 11, ["late"]]]
a = [1, 1, ["take", 3481600000000014, 11, ["late"]]]
> commit
d < [13, 0, [[11, ["late"]]]]
d < [14, 0, 11]
a < [1, 1, ["put", 3481600000000013, 11, ["late"]]]
a < [1, 1, ["take", 3481600000000014, 11, ["late"]]]
> check
tuples 2 waiting 0 outcomes 7 sessions 1 taken 1 claims 0
