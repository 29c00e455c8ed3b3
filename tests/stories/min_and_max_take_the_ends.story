# min and max say which match comes first, of equals the oldest, and NaN last either
# way. What is claimed is in no order; when it comes back it is, in its old place.
# A request that waits takes what comes.
> open a
> a [1, "outs", "main", [["job", 5, "a"], ["job", 1, "b"], ["job", 9, "c"], ["job", 1, "d"], ["job", NaN, "e"], ["job", 2.5, "f"], ["other", 0, "g"]]]
+ put 2 ["job", 5, "a"]
+ put 3 ["job", 1, "b"]
+ put 4 ["job", 9, "c"]
+ put 5 ["job", 1, "d"]
+ put 6 ["job", NaN, "e"]
+ put 7 ["job", 2.5, "f"]
+ put 8 ["other", 0, "g"]
a = [1, 0, [2, 3, 4, 5, 6, 7, 8]]
> commit
a < [1, 0, [2, 3, 4, 5, 6, 7, 8]]
> a [2, "rd", "main", ["job", ?number min, ?], {"max": 9}]
a < [2, 0, [[3, ["job", 1, "b"]], [5, ["job", 1, "d"]], [7, ["job", 2.5, "f"]], [2, ["job", 5, "a"]], [4, ["job", 9, "c"]], [6, ["job", NaN, "e"]]]]
> a [3, "rd", "main", ["job", ?number max, ?], {"max": 9}]
a < [3, 0, [[4, ["job", 9, "c"]], [2, ["job", 5, "a"]], [7, ["job", 2.5, "f"]], [3, ["job", 1, "b"]], [5, ["job", 1, "d"]], [6, ["job", NaN, "e"]]]]
> a [4, "rd", "main", ["job", ?int min, ?], {"max": 2}]
a < [4, 0, [[3, ["job", 1, "b"]], [5, ["job", 1, "d"]]]]
> a [5, "rd", "main", ["job", ?float max, ?], {"max": 9}]
a < [5, 0, [[7, ["job", 2.5, "f"]], [6, ["job", NaN, "e"]]]]
> a [6, "rd", "main", ["job", ?int 2.. min, ?], {"max": 9}]
a < [6, 0, [[2, ["job", 5, "a"]], [4, ["job", 9, "c"]]]]
> a [7, "rd", "main", ["job", ?number<9 >1 max, ?], {"max": 9}]
a < [7, 0, [[2, ["job", 5, "a"]], [7, ["job", 2.5, "f"]]]]
> a [8, "rd", "main", ["job", ?number!=1 min, ?], {"max": 9}]
a < [8, 0, [[7, ["job", 2.5, "f"]], [2, ["job", 5, "a"]], [4, ["job", 9, "c"]], [6, ["job", NaN, "e"]]]]
> a [9, "rd", "main", [?, ?int min, ?text>"b"], {"max": 2}]
a < [9, 0, [[8, ["other", 0, "g"]], [5, ["job", 1, "d"]]]]
> a [10, "count", "main", ["job", ?number max, ?]]
a < [10, 0, 6]
> commit
> a [11, "in", "main", ["job", ?int min, ?], {"lease": 1000}]
+ state 3 tries 1
a = [11, 0, [[3, ["job", 1, "b"], 9, 1]]]
> commit
a < [11, 0, [[3, ["job", 1, "b"], 9, 1]]]
> a [12, "rd", "main", ["job", ?int min, ?]]
a < [12, 0, [[5, ["job", 1, "d"]]]]
> pass 2s
> a [13, "rd", "main", ["job", ?int min, ?], {"max": 9}]
a = [13, 0, [[3, ["job", 1, "b"]], [5, ["job", 1, "d"]], [2, ["job", 5, "a"]], [4, ["job", 9, "c"]]]]
> a [14, "in", "main", ["job", ?int max, ?], {"max": 2}]
+ delete 4
+ delete 2
a = [14, 0, [[4, ["job", 9, "c"]], [2, ["job", 5, "a"]]]]
> a [15, "in", "main", ["job", ?int 6.. min, ?], {"timeout": 0}]
a = [15, 0, []]
> a [16, "in", "main", ["job", ?int 6.. min, ?]]
> open b
> b [1, "outs", "main", [["job", 8, "h"], ["job", 7, "i"]]]
+ put 10 ["job", 8, "h"]
+ delete 10
a = [16, 0, [[10, ["job", 8, "h"]]]]
+ put 11 ["job", 7, "i"]
b = [1, 0, [10, 11]]
> commit
a < [13, 0, [[3, ["job", 1, "b"]], [5, ["job", 1, "d"]], [2, ["job", 5, "a"]], [4, ["job", 9, "c"]]]]
a < [14, 0, [[4, ["job", 9, "c"]], [2, ["job", 5, "a"]]]]
a < [15, 0, []]
a < [16, 0, [[10, ["job", 8, "h"]]]]
b < [1, 0, [10, 11]]
> a [17, "rd", "main", ["job", ?int min, ?], {"after": 3}]
a < [17, -2, "rd: after goes by ids, and not with min"]
> a [18, "rd", "main", ["job", [?int min], ?]]
a < [18, -3, "rd: template, field 1: min and max stand in a field of the template itself: order"]
> a [19, "rd", "main", ["job", ?int min, ?text max]]
a < [19, -3, "rd: template, field 2: a second min or max: order"]
> a [20, "rd", "main", ["job", 21580({"order": "min"}), ?]]
a < [20, -3, "rd: template, field 1: min and max need a type (int float number text bytes): order"]
> check
tuples 6 waiting 0 outcomes 2 sessions 0 taken 3 claims 0
