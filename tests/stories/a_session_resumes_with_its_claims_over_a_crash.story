# Leases begin again in full; what was acknowledged is no reply any more, but a claim.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "outs", "main", [["x", 1], ["x", 2]]]
+ put 3 ["x", 1]
+ put 4 ["x", 2]
+ outcome session 2 number 2 [3, 4]
a = [2, 0, [3, 4]]
> a [3, "in", "main", ["x", ?], {"lease": 3000}]
+ state 3 session 2 number 3 token 5 lease 3000 tries 1
a = [3, 0, [[3, ["x", 1], 5, 1]]]
> work
> a [4, "in", "main", ["x", ?], {"lease": 3000}]
+ state 4 session 2 number 4 token 6 lease 3000 tries 1
a = [4, 0, [[4, ["x", 2], 6, 1]]]
> a [0, "ack", 3]
+ state 3 session 2 token 5 lease 3000 tries 1
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, [3, 4]]
a < [3, 0, [[3, ["x", 1], 5, 1]]]
a < [4, 0, [[4, ["x", 2], 6, 1]]]
> pass 2s
> crash
+ ceiling number 2097154
> check
tuples 2 waiting 0 outcomes 2 sessions 1 taken 0 claims 2
> pass 2s
> open b
> b [1, "hello", {"session": h'00010000000000000000000000000000', "have": [[1, 3]]}]
+ outcome-free session 2
b < hello: boot 2 grace 60000 session h'00010000000000000000000000000000'
> b [4, "in", "main", ["x", ?], {"lease": 3000}]
b < [4, 0, [[4, ["x", 2], 6, 1]]]
> commit
> b [5, "commit", {"done": [5], "back": [[6, 0]]}]
+ delete 3
+ state 4 tries 1
+ outcome session 2 number 5 []
b = [5, 0, []]
> b [6, "rd", "main", null, {"max": 10}]
b = [6, 0, [[4, ["x", 2]]]]
> commit
b < [5, 0, []]
b < [6, 0, [[4, ["x", 2]]]]
> check
tuples 1 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
