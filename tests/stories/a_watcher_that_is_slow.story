# The kernel takes nothing of a's parts: a has its burst, and later a gap. b does not
# wait for it, and an out waits for nobody.
> limit watch_bytes 100
> open a
> open b
> open c
> c [1, "space", "create", "v", {"volatile": true}]
+ space 2 v volatile
c = [1, 0, null]
> commit
c < [1, 0, null]
> a [1, "watch", "v", null]
> b [1, "watch", "v", null]
# two parts fill the burst
> c [2, "outs", "v", [["one"], ["two"], ["three"]]]
c < [2, 0, [3, 4, 5]]
a < [1, 1, ["put", 3481600000000000, 3, ["one"]]]
a < [1, 1, ["put", 3481600000000001, 4, ["two"]]]
b < [1, 1, ["put", 3481600000000000, 3, ["one"]]]
b < [1, 1, ["put", 3481600000000001, 4, ["two"]]]
> b sent 1
b < [1, 1, ["put", 3481600000000002, 5, ["three"]]]
> c [3, "out", "v", ["four"]]
c < [3, 0, 6]
> b sent 1
b < [1, 1, ["put", 3481600000000003, 6, ["four"]]]
> b sent 1
# a goes on where it was, as long as the ring has it
> a sent 1
a < [1, 1, ["put", 3481600000000002, 5, ["three"]]]
a < [1, 1, ["put", 3481600000000003, 6, ["four"]]]
> a sent 1
> a sent 1
> limit ring_bytes 400
> c [4, "outs", "v", [[1], [2], [3], [4], [5], [6]]]
c < [4, 0, [7, 8, 9, 10, 11, 12]]
b < [1, 1, ["put", 3481600000000004, 7, [1]]]
b < [1, 1, ["put", 3481600000000005, 8, [2]]]
a < [1, 1, ["put", 3481600000000004, 7, [1]]]
a < [1, 1, ["put", 3481600000000005, 8, [2]]]
> b sent 1
b < [1, 1, ["put", 3481600000000006, 9, [3]]]
b < [1, 1, ["put", 3481600000000007, 10, [4]]]
> c [5, "outs", "v", [[7], [8], [9], [10], [11], [12]]]
c < [5, 0, [13, 14, 15, 16, 17, 18]]
> b sent 1
b < [1, 1, ["gap", 3481600000000015, 0, null]]
> b sent 1
# the ring passed both: one gap each, and on with what comes
> a sent 1
a < [1, 1, ["gap", 3481600000000015, 0, null]]
> a sent 1
> a sent 1
> b sent 1
> b sent 1
> c [6, "out", "v", ["last"]]
c < [6, 0, 19]
a < [1, 1, ["put", 3481600000000016, 19, ["last"]]]
b < [1, 1, ["put", 3481600000000016, 19, ["last"]]]
> check
tuples 17 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
