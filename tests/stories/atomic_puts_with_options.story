# What an atomic puts may be delayed, end by itself, or with its session; a guard that waits is
# woken when a delayed tuple is due.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "atomic", [["no", "main", ["x", 21580(null)]], ["out", "main", ["x", 1], {"delay": 1000}], ["out", "main", ["x", 2], {"ttl": 500}], ["out", "main", ["x", 3], {"bound": true}]]]
+ put 3 due +1000 ["x", 1]
+ put 4 expires +500 ["x", 2]
+ put 5 bound 2 ["x", 3]
+ outcome session 2 number 2 [[null], [3, 4, 5]]
a = [2, 0, [[null], [3, 4, 5]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, [[null], [3, 4, 5]]]
> b [1, "rd", "main", ["x", 21580("int")], {"max": 9}]
b < [1, 0, [[4, ["x", 2]], [5, ["x", 3]]]]
> b [2, "atomic", [["rd", "main", ["x", 1]], ["no", "main", ["x", 2]], ["out", "main", ["both"]]]]
> pass 500ms
+ delete 4
> check
tuples 2 waiting 1 outcomes 1 sessions 1 taken 0 claims 0
> pass 500ms
+ put 6 ["both"]
b = [2, 0, [[[3, ["x", 1]], null], [6]]]
> check
tuples 3 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
> commit
b < [2, 0, [[[3, ["x", 1]], null], [6]]]
> a [3, "bye"]
+ outcome-free session 2
a = [3, 0, null]
+ delete 5
+ session-end session 2
> commit
a < [3, 0, null]
> b [3, "rd", "main", ["x", 21580("int")], {"max": 9}]
b < [3, 0, [[3, ["x", 1]]]]
> b [4, "atomic", [["out", "main", ["x", 3], {"ttl": 0}]]]
b < [4, -4, "atomic: step 0: option ttl: not above 0"]
> check
tuples 2 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
