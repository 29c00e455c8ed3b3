# A watch ends with its connection; asked again behind the last cursor it misses nothing.
# A cursor that is not in the ring, or of another start, is answered with one gap.
> open a
> open b
> b [1, "space", "create", "s"]
+ space 2 s
b = [1, 0, null]
> commit
b < [1, 0, null]
> a [1, "hello", {"session": "new"}]
+ session session 3
a = hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> commit
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "watch", "s", null]
> b [2, "outs", "s", [[1], [2]]]
+ put 4 [1]
+ put 5 [2]
b = [2, 0, [4, 5]]
a = [2, 1, ["put", 3481600000000000, 4, [1]]]
a = [2, 1, ["put", 3481600000000001, 5, [2]]]
> commit
b < [2, 0, [4, 5]]
a < [2, 1, ["put", 3481600000000000, 4, [1]]]
a < [2, 1, ["put", 3481600000000001, 5, [2]]]
> close a
> b [3, "out", "s", [3]]
+ put 6 [3]
b = [3, 0, 6]
> commit
b < [3, 0, 6]
> open a
> a [1, "hello", {"session": h'00010000000000000000000000000000'}]
a < hello: boot 1 grace 60000 session h'00010000000000000000000000000000'
> a [2, "watch", "s", null, {"after": 3481600000000001}]
a < [2, 1, ["put", 3481600000000002, 6, [3]]]
> a sent 2
> a [3, "watch", "s", null, {"after": 3481600000000000}]
a < [3, 1, ["put", 3481600000000001, 5, [2]]]
a < [3, 1, ["put", 3481600000000002, 6, [3]]]
> a sent 3
# all of it; before the first; from the future; the very last
> a [4, "watch", "s", null, {"after": 3481599999999999}]
a < [4, 1, ["put", 3481600000000000, 4, [1]]]
a < [4, 1, ["put", 3481600000000001, 5, [2]]]
a < [4, 1, ["put", 3481600000000002, 6, [3]]]
> a [5, "watch", "s", null, {"after": 3481599999999998}]
a < [5, 1, ["gap", 3481600000000002, 0, null]]
> a [6, "watch", "s", null, {"after": 3481600000000003}]
a < [6, 1, ["gap", 3481600000000002, 0, null]]
> a [7, "watch", "s", null, {"after": 3481600000000002}]
> a [8, "watch", "s", null, {"after": 0}]
a < [8, 1, ["gap", 3481600000000002, 0, null]]
> a sent 5
> a sent 6
> b [4, "out", "s", [4]]
+ put 7 [4]
b = [4, 0, 7]
a = [2, 1, ["put", 3481600000000003, 7, [4]]]
a = [3, 1, ["put", 3481600000000003, 7, [4]]]
a = [7, 1, ["put", 3481600000000003, 7, [4]]]
a = [5, 1, ["put", 3481600000000003, 7, [4]]]
a = [6, 1, ["put", 3481600000000003, 7, [4]]]
> commit
b < [4, 0, 7]
a < [2, 1, ["put", 3481600000000003, 7, [4]]]
a < [3, 1, ["put", 3481600000000003, 7, [4]]]
a < [7, 1, ["put", 3481600000000003, 7, [4]]]
a < [5, 1, ["put", 3481600000000003, 7, [4]]]
a < [6, 1, ["put", 3481600000000003, 7, [4]]]
> pass 1ms
> crash
+ ceiling number 2097154
> open a
> open b
> a [2, "watch", "s", null, {"after": 3481600000000003}]
a < [2, 1, ["gap", 3481600000002047, 0, null]]
> a sent 2
> b [2, "out", "s", [5]]
+ put 1048578 [5]
b = [2, 0, 1048578]
a = [2, 1, ["put", 3481600000002048, 1048578, [5]]]
> commit
b < [2, 0, 1048578]
a < [2, 1, ["put", 3481600000002048, 1048578, [5]]]
> check
tuples 5 waiting 0 outcomes 0 sessions 1 taken 0 claims 0
