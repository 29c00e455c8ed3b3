# A waiting atomic times out, is cancelled, is set aside and resumed in its old order, and ends
# with its space. What it waits for is found however it comes.
> open a
> open b
> a [1, "hello", {"session": "new"}]
+ session session 2
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "space", "create", "s", {"volatile": true}]
+ space 3 s volatile
+ outcome session 2 number 2 null
a = [2, 0, null]
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [2, 0, null]
> a [3, "atomic", [["in", "s", ["x"]], ["out", "s", ["late"]]], {"timeout": 500}]
> a [4, "atomic", [["in", "s", ["x"]], ["out", "s", ["cancelled"]]]]
> a [5, "atomic", [["in", "s", ["x"]], ["in", "s", ["y"]], ["out", "s", ["first"]]]]
> b [1, "atomic", [["in", "s", ["x"]], ["in", "s", ["y"]], ["out", "s", ["second"]]]]
> check
tuples 0 waiting 4 outcomes 1 sessions 1 taken 0 claims 0
> pass 500ms
a < [3, 0, null]
> a [6, "cancel", 4]
a < [4, -13, "cancelled"]
a < [6, 0, true]
> b [2, "out", "s", ["x"]]
b < [2, 0, 4]
> check
tuples 1 waiting 2 outcomes 1 sessions 1 taken 0 claims 0
# It is set aside; the other is served; resumed, it stands in front of a younger one again.
> close a
> check
tuples 1 waiting 1 outcomes 1 sessions 1 taken 0 claims 0
> b [3, "out", "s", ["y"]]
b < [3, 0, 5]
b < [1, 0, [[[4, ["x"]], [5, ["y"]]], [6]]]
> check
tuples 1 waiting 0 outcomes 1 sessions 1 taken 0 claims 0
> b [4, "atomic", [["in", "s", ["x"]], ["in", "s", ["y"]], ["out", "s", ["third"]]]]
> open c
> c [1, "hello", {"session": h'00010000000000000000000000000000'}]
c < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> check
tuples 1 waiting 2 outcomes 1 sessions 1 taken 0 claims 0
> b [5, "outs", "s", [["x"], ["y"]]]
b < [5, 0, [7, 8]]
c < [5, 0, [[[7, ["x"]], [8, ["y"]]], [9]]]
> c [5, "atomic", [["in", "s", ["x"]], ["in", "s", ["y"]], ["out", "s", ["first"]]]]
> b [6, "outs", "s", [["x"], ["y"]]]
b < [6, 0, [10, 11]]
b < [4, 0, [[[10, ["x"]], [11, ["y"]]], [12]]]
> check
tuples 3 waiting 0 outcomes 2 sessions 1 taken 0 claims 0
# Away while it could be done: done at the resume, and the answer is the one to what is resent.
> c [7, "atomic", [["no", "s", ["first"]], ["out", "s", ["none"]]]]
> close c
> b [7, "in", "s", ["first"]]
b < [7, 0, [[9, ["first"]]]]
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000'}]
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
a < [7, 0, [[null], [13]]]
> a [7, "atomic", [["no", "s", ["first"]], ["out", "s", ["none"]]]]
> check
tuples 3 waiting 0 outcomes 4 sessions 1 taken 1 claims 0
# A claim that comes back wakes; a plain take that is undone, too.
> a [8, "out", "s", ["job"]]
a < [8, 0, 14]
> b [8, "in", "s", ["job"], {"lease": 1000}]
b < [8, 0, [[14, ["job"], 15, 1]]]
> a [9, "atomic", [["in", "s", ["job"]], ["out", "s", ["done by a"]]]]
> pass 1s
a < [9, 0, [[[14, ["job"]]], [16]]]
> b [9, "out", "s", ["undone"]]
b < [9, 0, 17]
> b [10, "in", "s", ["undone"]]
b < [10, 0, [[17, ["undone"]]]]
> a [10, "atomic", [["rd", "s", ["undone"]]]]
> check
tuples 4 waiting 1 outcomes 7 sessions 1 taken 2 claims 0
> b [11, "cancel", 10]
b < [11, 0, true]
a < [10, 0, [[[17, ["undone"]]], []]]
> close b
> check
tuples 6 waiting 0 outcomes 5 sessions 1 taken 0 claims 0
# Dropped where it stands, and elsewhere: that is heard when it is tried.
> open b
> a [11, "space", "create", "t", {"volatile": true}]
+ space 18 t volatile
+ outcome session 2 number 11 null
a = [11, 0, null]
> commit
a < [11, 0, null]
> a [12, "atomic", [["in", "s", ["p"]], ["out", "t", ["q"]]]]
> a [13, "atomic", [["in", "t", ["p"]], ["out", "s", ["q"]]]]
> b [1, "space", "drop", "t"]
+ space-drop
b = [1, 0, null]
a < [13, -5, "the space was dropped"]
+ space-end
> commit
b < [1, 0, null]
> check
tuples 6 waiting 1 outcomes 6 sessions 1 taken 0 claims 0
> b [2, "out", "s", ["p"]]
b < [2, 0, 19]
a < [12, -5, "atomic: step 1: no such space: t"]
> a [14, "atomic", [["in", "s", ["never"]]]]
> a [15, "bye"]
a < [14, -13, "the session said bye"]
+ outcome-free session 2
+ outcome-free session 2
a = [15, 0, null]
+ session-end session 2
> commit
a < [15, 0, null]
> check
tuples 7 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
