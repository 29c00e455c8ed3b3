# Constraints of a formal are no part of its shape: the templates share one index, and
# what one waits for another does not take. The oldest that matches is taken.
> open a
> open b
> a [1, "outs", "main", [["job", 5], ["job", 1], ["job", 9], ["job", 2.0], ["job", 18446744073709551616]]]
+ put 2 ["job", 5]
+ put 3 ["job", 1]
+ put 4 ["job", 9]
+ put 5 ["job", 2.0]
+ put 6 ["job", 18446744073709551616]
a = [1, 0, [2, 3, 4, 5, 6]]
> a [2, "in", "main", ["job", ?int 1..4], {"timeout": 0}]
+ delete 3
a = [2, 0, [[3, ["job", 1]]]]
> a [3, "in", "main", ["job", ?int>9], {"timeout": 0}]
+ delete 6
a = [3, 0, [[6, ["job", 18446744073709551616]]]]
> a [4, "in", "main", ["job", ?number 1.5..2.5], {"timeout": 0}]
+ delete 5
a = [4, 0, [[5, ["job", 2.0]]]]
> a [5, "in", "main", ["job", ?int(7|9)], {"timeout": 0}]
+ delete 4
a = [5, 0, [[4, ["job", 9]]]]
> a [6, "count", "main", ["job", ?!=5]]
a = [6, 0, 0]
> a [7, "in", "main", ["job", ?int 9..1], {"timeout": 0}]
a = [7, 0, []]
> b [1, "in", "main", ["job", ?int>5]]
> b [2, "rd", "main", ["job", ?int!=5]]
> a [8, "in", "main", ["job", ?int<=5]]
+ delete 2
a = [8, 0, [[2, ["job", 5]]]]
> a [9, "out", "main", ["job", 4]]
+ put 7 ["job", 4]
b = [2, 0, [[7, ["job", 4]]]]
a = [9, 0, 7]
> a [10, "out", "main", ["job", 6]]
+ put 8 ["job", 6]
+ delete 8
b = [1, 0, [[8, ["job", 6]]]]
a = [10, 0, 8]
> commit
a < [1, 0, [2, 3, 4, 5, 6]]
a < [2, 0, [[3, ["job", 1]]]]
a < [3, 0, [[6, ["job", 18446744073709551616]]]]
a < [4, 0, [[5, ["job", 2.0]]]]
a < [5, 0, [[4, ["job", 9]]]]
a < [6, 0, 0]
a < [7, 0, []]
a < [8, 0, [[2, ["job", 5]]]]
b < [2, 0, [[7, ["job", 4]]]]
a < [9, 0, 7]
b < [1, 0, [[8, ["job", 6]]]]
a < [10, 0, 8]
> check
tuples 1 waiting 0 outcomes 6 sessions 0 taken 6 claims 0
