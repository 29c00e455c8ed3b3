# A delayed tuple exists, but nobody finds it until it is due. Then it stands where its id says,
# and whoever waits is served as by any other tuple: all readers, then the taker.
> open a
> open b
> open c
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "out", "main", ["job", 1], {"delay": 5000}]
+ put 3 due +5000 ["job", 1]
+ outcome session 2 number 2 3
a = [2, 0, 3]
> a [3, "out", "main", ["job", 2]]
+ put 4 ["job", 2]
+ outcome session 2 number 3 4
a = [3, 0, 4]
> a [4, "outs", "main", [["late", 1], ["late", 2]], {"delay": 60000, "ttl": 90000}]
+ put 5 due +60000 expires +90000 ["late", 1]
+ put 6 due +60000 expires +90000 ["late", 2]
+ outcome session 2 number 4 [5, 6]
a = [4, 0, [5, 6]]
> a [5, "count", "main", ["job", ?int]]
a = [5, 0, 2]
> a [6, "rd", "main", ["job", ?int], {"max": 10}]
a = [6, 0, [[4, ["job", 2]]]]
> a [7, "rd", "main", ["job", 1], {"timeout": 0}]
a = [7, 0, []]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, 3]
a < [3, 0, 4]
a < [4, 0, [5, 6]]
a < [5, 0, 2]
a < [6, 0, [[4, ["job", 2]]]]
a < [7, 0, []]
> check
tuples 4 waiting 0 outcomes 3 sessions 1 taken 0 claims 0
> pass 4999ms
> a [8, "rd", "main", ["job", 1], {"timeout": 0}]
a < [8, 0, []]
> pass 1ms
> a [9, "rd", "main", ["job", ?int], {"max": 10}]
a = [9, 0, [[3, ["job", 1]], [4, ["job", 2]]]]
> commit
a < [9, 0, [[3, ["job", 1]], [4, ["job", 2]]]]
# A delay of 0 is none.
> a [10, "out", "main", ["job", 3], {"delay": 0}]
+ put 7 ["job", 3]
+ outcome session 2 number 10 7
a = [10, 0, 7]
# A waiting reader, and a taker, of the tuples that are due in a minute.
> b [1, "rd", "main", ["late", ?int]]
> c [1, "in", "main", ["late", ?int]]
> pass 55s
b = [1, 0, [[5, ["late", 1]]]]
+ delete 5
c = [1, 0, [[5, ["late", 1]]]]
> commit
a < [10, 0, 7]
b < [1, 0, [[5, ["late", 1]]]]
c < [1, 0, [[5, ["late", 1]]]]
> pass 30s
+ delete 6
> commit
> check
tuples 3 waiting 0 outcomes 5 sessions 1 taken 1 claims 0
