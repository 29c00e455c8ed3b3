# The clock of leases stands still while the server does: stopped for two leases, it ends nobody's.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["job"]]
+ put 3 ["job"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "in", "main", ["job"], {"lease": 30000}]
+ state 3 session 2 number 3 token 4 lease 30000 tries 1
a = [3, 0, [[3, ["job"], 4, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, [[3, ["job"], 4, 1]]]
> pass 10s
> sleep 60s
> a [4, "renew", [4], 1000]
a < [4, 0, [19000]]
> a [5, "count", "main", null]
a < [5, 0, 1]
> pass 18s
> a [6, "rd", "main", null, {"timeout": 0}]
a < [6, 0, []]
> pass 1s
+ state 3 tries 1
> commit
> a [7, "rd", "main", null, {"timeout": 0}]
a < [7, 0, [[3, ["job"]]]]
> commit
> check
tuples 1 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
