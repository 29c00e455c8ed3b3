# A field that chooses of up to 16 values has a bucket for each, and needs no walk: the
# oldest of all of them is found, counted and taken; also when the formal asks for more
# than the choice, or names a value twice. With 17 it is walked. One that waits is served.
> slices
> open a
> open b
> b [1, "outs", "main", [["b", 1], ["c", 2], ["a", 3], ["b", 4], ["a", 5], ["d", 6]]]
+ put 2 ["b", 1]
+ put 3 ["c", 2]
+ put 4 ["a", 3]
+ put 5 ["b", 4]
+ put 6 ["a", 5]
+ put 7 ["d", 6]
b = [1, 0, [2, 3, 4, 5, 6, 7]]
> work
> commit
b < [1, 0, [2, 3, 4, 5, 6, 7]]
> a [1, "rd", "main", ["z", ?int], {"timeout": 0}]
a waits for work
> work
a < [1, 0, []]
> a [2, "rd", "main", [?("a"|"b"|"a"|"z"), ?int], {"max": 9}]
a < [2, 0, [[2, ["b", 1]], [4, ["a", 3]], [5, ["b", 4]], [6, ["a", 5]]]]
> a [3, "rd", "main", [?text("c"|"a"|7) !="c", ?int], {"max": 9}]
a < [3, 0, [[4, ["a", 3]], [6, ["a", 5]]]]
> a [4, "count", "main", [?("a"|"d"), ?int]]
a < [4, 0, 3]
> a [5, "in", "main", [?("c"|"a"), ?int], {"lease": 1000}]
+ state 3 tries 1
a = [5, 0, [[3, ["c", 2], 8, 1]]]
> a [6, "count", "main", [?("a"|"c"), ?int]]
a = [6, 0, 3]
> a [7, "rd", "main", [?("a"|"b"), ?int max], {"max": 9}]
a waits for work
> work
a = [7, 0, [[6, ["a", 5]], [5, ["b", 4]], [4, ["a", 3]], [2, ["b", 1]]]]
> a [8, "rd", "main", [?("x"|"y"), ?(1|2)], {"timeout": 0}]
a waits for work
> work
a = [8, 0, []]
> a [9, "rd", "main", [?("a"|"b"|"c"|"d"), ?(1|2|3|4)], {"max": 9}]
a = [9, 0, [[2, ["b", 1]], [4, ["a", 3]], [5, ["b", 4]]]]
> a [10, "rd", "main", [?("a"|"b"|"c"|"d"), ?(1|2|3|4|5)], {"max": 9}]
a waits for work
> work
a = [10, 0, [[2, ["b", 1]], [4, ["a", 3]], [5, ["b", 4]], [6, ["a", 5]]]]
> a [11, "rd", "main", [?(1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|"a"), ?int], {"max": 9}]
a waits for work
> work
a = [11, 0, [[4, ["a", 3]], [6, ["a", 5]]]]
> a [12, "in", "main", [?("x"|"y"), ?int]]
> b [2, "out", "main", ["y", 0]]
+ put 9 ["y", 0]
+ delete 9
a = [12, 0, [[9, ["y", 0]]]]
b = [2, 0, 9]
> commit
a < [5, 0, [[3, ["c", 2], 8, 1]]]
a < [6, 0, 3]
a < [7, 0, [[6, ["a", 5]], [5, ["b", 4]], [4, ["a", 3]], [2, ["b", 1]]]]
a < [8, 0, []]
a < [9, 0, [[2, ["b", 1]], [4, ["a", 3]], [5, ["b", 4]]]]
a < [10, 0, [[2, ["b", 1]], [4, ["a", 3]], [5, ["b", 4]], [6, ["a", 5]]]]
a < [11, 0, [[4, ["a", 3]], [6, ["a", 5]]]]
a < [12, 0, [[9, ["y", 0]]]]
b < [2, 0, 9]
> check
tuples 6 waiting 0 outcomes 2 sessions 0 taken 1 claims 1
