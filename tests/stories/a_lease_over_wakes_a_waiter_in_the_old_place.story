# The claimed tuple is hidden, but it exists; back, it is the oldest again. A commit
# that comes too late changes nothing, its outs included.
> open a
> open b
> b [1, "outs", "main", [["job", 1], ["job", 2]]]
+ put 2 ["job", 1]
+ put 3 ["job", 2]
b = [1, 0, [2, 3]]
> a [1, "hello", {"session": "new"}]
+ session session 4
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "in", "main", ["job", ?int], {"lease": 2000}]
+ state 2 session 4 number 2 token 5 lease 2000 tries 1
a = [2, 0, [[2, ["job", 1], 5, 1]]]
> commit
b < [1, 0, [2, 3]]
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, [[2, ["job", 1], 5, 1]]]
> b [2, "rd", "main", null, {"max": 10}]
b < [2, 0, [[3, ["job", 2]]]]
> b [3, "count", "main", ["job", ?int]]
b < [3, 0, 2]
> b [4, "count", "main", null]
b < [4, 0, 2]
> b [5, "in", "main", ["job", 1]]
> work
> pass 1999ms
> check
tuples 2 waiting 1 outcomes 1 sessions 1 taken 0 claims 1
> pass 1ms
+ state 2 tries 1
+ delete 2 tries 1
b = [5, 0, [[2, ["job", 1]]]]
> commit
b < [5, 0, [[2, ["job", 1]]]]
> a [3, "commit", {"done": [5], "out": [["main", ["result", 1]]]}]
a < [3, -12, "commit: the claim 5 is over", [5]]
> a [4, "renew", [5], 1000]
a < [4, -12, "renew: the claim 5 is over", [5]]
> a [5, "rd", "main", null, {"max": 10}]
a < [5, 0, [[3, ["job", 2]]]]
> b sent 5
> check
tuples 1 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
