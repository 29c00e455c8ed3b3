# `in` with `drain` takes like any other, and ends with [] when nothing that matches
# exists any more: not while a job is claimed, by whomever, nor by a commit that puts another.
> open a
> open b
> open c
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> b [1, "in", "main", ["job", 21580("int")], {"drain": true}]
b < [1, 0, []]
> b [2, "outs", "main", [["job", 1], ["job", 2]]]
+ put 3 ["job", 1]
+ put 4 ["job", 2]
b = [2, 0, [3, 4]]
> a [2, "in", "main", ["job", 21580("int")], {"drain": true, "lease": 1000}]
+ state 3 session 2 number 2 token 5 lease 1000 tries 1
a = [2, 0, [[3, ["job", 1], 5, 1]]]
> b [3, "in", "main", ["job", 21580("int")], {"drain": true, "lease": 60000}]
+ state 4 tries 1
b = [3, 0, [[4, ["job", 2], 6, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
b < [2, 0, [3, 4]]
a < [2, 0, [[3, ["job", 1], 5, 1]]]
b < [3, 0, [[4, ["job", 2], 6, 1]]]
> a [3, "in", "main", ["job", 21580("int")], {"drain": true, "lease": 1000}]
> b [4, "in", "main", ["job", 21580("int")], {"drain": true, "timeout": 0}]
b < [4, 0, []]
> c [1, "in", "main", ["job", 21580({"type": "int", "ge": 0})], {"drain": true, "lease": 1000}]
> check
tuples 2 waiting 2 outcomes 2 sessions 1 taken 0 claims 2
# a's lease is over: the job is back, and goes to who has waited longest.
> pass 1s
+ state 3 tries 1
+ state 3 session 2 number 3 token 7 lease 1000 tries 2
a = [3, 0, [[3, ["job", 1], 7, 2]]]
> commit
a < [3, 0, [[3, ["job", 1], 7, 2]]]
> b [5, "commit", {"done": [6], "out": [["main", ["job", 3]]]}]
+ delete 4
+ put 8 ["job", 3]
+ state 8 tries 1
c = [1, 0, [[8, ["job", 3], 9, 1]]]
b = [5, 0, [8]]
> commit
c < [1, 0, [[8, ["job", 3], 9, 1]]]
b < [5, 0, [8]]
> check
tuples 2 waiting 0 outcomes 2 sessions 1 taken 0 claims 2
> a [4, "commit", {"done": [7]}]
+ delete 3
+ outcome session 2 number 4 []
a = [4, 0, []]
> commit
a < [4, 0, []]
> check
tuples 1 waiting 0 outcomes 2 sessions 1 taken 0 claims 1
> c [2, "commit", {"done": [9]}]
+ delete 8
c = [2, 0, []]
> commit
c < [2, 0, []]
> check
tuples 0 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
# One's own claims exist too: with two jobs in one session, one may still come back.
> a [5, "out", "main", ["job", 4]]
+ put 10 ["job", 4]
+ outcome session 2 number 5 10
a = [5, 0, 10]
> a [6, "in", "main", ["job", 21580("int")], {"drain": true, "lease": 1000}]
+ state 10 session 2 number 6 token 11 lease 1000 tries 1
a = [6, 0, [[10, ["job", 4], 11, 1]]]
> commit
a < [5, 0, 10]
a < [6, 0, [[10, ["job", 4], 11, 1]]]
> a [7, "in", "main", ["job", 21580("int")], {"drain": true, "lease": 1000, "timeout": 500}]
> pass 500ms
a < [7, 0, []]
> a [8, "in", "main", ["job", 21580("int")], {"drain": true, "lease": 1000}]
> a [9, "commit", {"done": [11]}]
+ delete 10
+ outcome session 2 number 9 []
a = [9, 0, []]
a = [8, 0, []]
> commit
a < [9, 0, []]
a < [8, 0, []]
> check
tuples 0 waiting 0 outcomes 3 sessions 1 taken 0 claims 0
# A plain take that is cancelled puts its tuple back; the drain has ended before.
> b [6, "out", "main", ["job", 5]]
+ put 12 ["job", 5]
b = [6, 0, 12]
> a [10, "in", "main", ["job", 21580("int")]]
+ state 12 session 2 number 10
a = [10, 0, [[12, ["job", 5]]]]
> b [7, "in", "main", ["job", 21580("int")], {"drain": true}]
b = [7, 0, []]
> a [11, "cancel", 10]
+ state 12
a = [11, 0, true]
> b [8, "in", "main", ["job", 21580("int")], {"drain": true}]
+ delete 12
b = [8, 0, [[12, ["job", 5]]]]
> commit
b < [6, 0, 12]
a < [10, 0, [[12, ["job", 5]]]]
b < [7, 0, []]
a < [11, 0, true]
b < [8, 0, [[12, ["job", 5]]]]
> check
tuples 0 waiting 0 outcomes 4 sessions 1 taken 1 claims 0
