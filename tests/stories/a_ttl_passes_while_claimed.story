# A claim goes on when the tuple's time is over, and may be committed; a tuple that comes back
# after its time does not appear, nor is it buried.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "jobs", {"tries": 1}]
+ space tries 1 3 jobs
+ outcome session 2 number 2 null
a = [2, 0, null]
> a [3, "outs", "jobs", [["a"], ["b"], ["c"], ["d"], ["e"]], {"ttl": 10000}]
+ put 4 expires +10000 ["a"]
+ put 5 expires +10000 ["b"]
+ put 6 expires +10000 ["c"]
+ put 7 expires +10000 ["d"]
+ put 8 expires +10000 ["e"]
+ outcome session 2 number 3 [4, 5, 6, 7, 8]
a = [3, 0, [4, 5, 6, 7, 8]]
> a [4, "in", "jobs", null, {"max": 4, "lease": 20000}]
+ state 4 session 2 number 4 token 9 lease 20000 tries 1
+ state 5 session 2 number 4 token 10 lease 20000 tries 1
+ state 6 session 2 number 4 token 11 lease 20000 tries 1
+ state 7 session 2 number 4 token 12 lease 20000 tries 1
a = [4, 0, [[4, ["a"], 9, 1], [5, ["b"], 10, 1], [6, ["c"], 11, 1], [7, ["d"], 12, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, null]
a < [3, 0, [4, 5, 6, 7, 8]]
a < [4, 0, [[4, ["a"], 9, 1], [5, ["b"], 10, 1], [6, ["c"], 11, 1], [7, ["d"], 12, 1]]]
> pass 11s
+ delete 8
> a [5, "count", "jobs", null]
a = [5, 0, 4]
> a [6, "commit", {"done": [9], "back": [[10, 0]]}]
+ delete 4
+ delete 5
+ outcome session 2 number 6 []
a = [6, 0, []]
> a [7, "commit", {"bury": [11], "out": [["jobs", ["f"], {"ttl": 60000}]]}]
+ space 13 jobs.dead
+ delete 6
+ put 6 tries 1 ["c"]
+ put 14 expires +71000 ["f"]
+ outcome session 2 number 7 [14]
a = [7, 0, [14]]
> a [8, "rd", "jobs", null, {"timeout": 0}]
a = [8, 0, [[14, ["f"]]]]
> a [9, "rd", "jobs.dead", null, {"max": 10}]
a = [9, 0, [[6, ["c"]]]]
> commit
a < [5, 0, 4]
a < [6, 0, []]
a < [7, 0, [14]]
a < [8, 0, [[14, ["f"]]]]
a < [9, 0, [[6, ["c"]]]]
# The last claim ends with its lease.
> pass 9s
+ delete 7
> commit
> check
tuples 2 waiting 0 outcomes 4 sessions 1 taken 0 claims 0
> pass 10h
+ delete 14
> a [10, "count", "jobs.dead", null]
a < [10, 0, 1]
> commit
> check
tuples 1 waiting 0 outcomes 4 sessions 1 taken 0 claims 0
