# Set back a year it hurts no lease and hides nothing that was due; what is not due yet waits for
# the time it was given. Set forward, everything is due, or gone, at once.
> open a
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["due"], {"delay": 1000}]
+ put 3 due +1000 ["due"]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "out", "main", ["delayed"], {"delay": 10000}]
+ put 4 due +10000 ["delayed"]
+ outcome session 2 number 3 4
a = [3, 0, 4]
> a [4, "out", "main", ["short"], {"ttl": 10000}]
+ put 5 expires +10000 ["short"]
+ outcome session 2 number 4 5
a = [4, 0, 5]
> a [5, "out", "main", ["job"]]
+ put 6 ["job"]
+ outcome session 2 number 5 6
a = [5, 0, 6]
> a [6, "in", "main", ["job"], {"lease": 5000}]
+ state 6 session 2 number 6 token 7 lease 5000 tries 1
a = [6, 0, [[6, ["job"], 7, 1]]]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, 4]
a < [4, 0, 5]
a < [5, 0, 6]
a < [6, 0, [[6, ["job"], 7, 1]]]
> pass 2s
> wall -365d
> a [7, "rd", "main", null, {"max": 10}]
a = [7, 0, [[3, ["due"]], [5, ["short"]]]]
> pass 3s
+ state 6 tries 1
> commit
a < [7, 0, [[3, ["due"]], [5, ["short"]]]]
> a [8, "rd", "main", null, {"max": 10}]
a < [8, 0, [[3, ["due"]], [5, ["short"]], [6, ["job"]]]]
> pass 60s
> a [9, "rd", "main", null, {"max": 10}]
a < [9, 0, [[3, ["due"]], [5, ["short"]], [6, ["job"]]]]
> commit
> wall 365d
> a [10, "rd", "main", null, {"max": 10}]
+ delete 5
a = [10, 0, [[3, ["due"]], [4, ["delayed"]], [6, ["job"]]]]
> commit
a < [10, 0, [[3, ["due"]], [4, ["delayed"]], [6, ["job"]]]]
# Nobody asks: it is noticed all the same, and whoever waits is served.
> a [11, "out", "main", ["tomorrow"], {"delay": 86400000}]
+ put 8 due +86465000 ["tomorrow"]
+ outcome session 2 number 11 8
a = [11, 0, 8]
> a [12, "in", "main", ["tomorrow"]]
> wall 2d
> pass 1s
+ state 8 session 2 number 12
a = [12, 0, [[8, ["tomorrow"]]]]
> commit
a < [11, 0, 8]
a < [12, 0, [[8, ["tomorrow"]]]]
> check
tuples 3 waiting 0 outcomes 6 sessions 1 taken 1 claims 0
