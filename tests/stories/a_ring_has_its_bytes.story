# The limits of a ring and of a burst, each at the limit less one, at it, and above.
# Three events of 64 bytes: 192 hold them all, one less does not, one more is no use.
> open a
> open b
> b [1, "space", "create", "s", {"volatile": true}]
+ space 2 s volatile
b = [1, 0, null]
> commit
b < [1, 0, null]
# one larger than the ring is told all the same
> limit ring_bytes 10
> b [2, "watch", "main", null]
> b [3, "out", "main", ["larger than the ring"]]
+ put 3 ["larger than the ring"]
b = [3, 0, 3]
b = [2, 1, ["put", 3481600000000000, 3, ["larger than the ring"]]]
> commit
b < [3, 0, 3]
b < [2, 1, ["put", 3481600000000000, 3, ["larger than the ring"]]]
> b sent 2
> a [1, "watch", "s", ["never"]]
> limit ring_bytes 191
> b [4, "outs", "s", [[1], [2], [3]]]
b < [4, 0, [4, 5, 6]]
a < [1, 1, ["gap", 3481600000000004, 0, null]]
> a [3, "watch", "s", null, {"after": 3481600000000001}]
a < [3, 1, ["gap", 3481600000000004, 0, null]]
> a [4, "cancel", 3]
a < [3, -13, "cancelled"]
a < [4, 0, true]
> a [5, "watch", "s", null, {"after": 3481600000000002}]
a < [5, 1, ["put", 3481600000000003, 5, [2]]]
a < [5, 1, ["put", 3481600000000004, 6, [3]]]
> a [6, "cancel", 5]
a < [5, -13, "cancelled"]
a < [6, 0, true]
> limit ring_bytes 192
> b [5, "outs", "s", [[4]]]
b < [5, 0, [7]]
> a [7, "watch", "s", null, {"after": 3481600000000001}]
a < [7, 1, ["gap", 3481600000000005, 0, null]]
> a [8, "watch", "s", null, {"after": 3481600000000002}]
a < [8, 1, ["put", 3481600000000003, 5, [2]]]
a < [8, 1, ["put", 3481600000000004, 6, [3]]]
a < [8, 1, ["put", 3481600000000005, 7, [4]]]
> a sent 7
> a sent 8
> a [9, "cancel", 7]
a < [7, -13, "cancelled"]
a < [9, 0, true]
> a [10, "cancel", 8]
a < [8, -13, "cancelled"]
a < [10, 0, true]
> limit ring_bytes 193
> b [6, "outs", "s", [[5]]]
b < [6, 0, [8]]
> a [11, "watch", "s", null, {"after": 3481600000000002}]
a < [11, 1, ["gap", 3481600000000006, 0, null]]
> a [12, "watch", "s", null, {"after": 3481600000000003}]
a < [12, 1, ["put", 3481600000000004, 6, [3]]]
a < [12, 1, ["put", 3481600000000005, 7, [4]]]
a < [12, 1, ["put", 3481600000000006, 8, [5]]]
> a [13, "cancel", 11]
a < [11, -13, "cancelled"]
a < [13, 0, true]
> a [14, "cancel", 12]
a < [12, -13, "cancelled"]
a < [14, 0, true]
# parts of 42 bytes, as they are counted: bursts of one, of two, and of two
> limit ring_bytes 1000
> limit watch_bytes 83
> a [17, "watch", "s", null]
> b [7, "outs", "s", [[1], [2], [3]]]
b < [7, 0, [9, 10, 11]]
a < [17, 1, ["put", 3481600000000007, 9, [1]]]
> a sent 17
a < [17, 1, ["put", 3481600000000008, 10, [2]]]
> a sent 17
a < [17, 1, ["put", 3481600000000009, 11, [3]]]
> a sent 17
> limit watch_bytes 84
> b [8, "outs", "s", [[1], [2], [3]]]
b < [8, 0, [12, 13, 14]]
a < [17, 1, ["put", 3481600000000010, 12, [1]]]
a < [17, 1, ["put", 3481600000000011, 13, [2]]]
> a sent 17
a < [17, 1, ["put", 3481600000000012, 14, [3]]]
> a sent 17
> limit watch_bytes 85
> b [9, "outs", "s", [[1], [2], [3]]]
b < [9, 0, [15, 16, 17]]
a < [17, 1, ["put", 3481600000000013, 15, [1]]]
a < [17, 1, ["put", 3481600000000014, 16, [2]]]
> a sent 17
a < [17, 1, ["put", 3481600000000015, 17, [3]]]
> a sent 17
# a burst is one part at least
> limit watch_bytes 1
> b [10, "out", "s", ["larger than a burst"]]
b < [10, 0, 18]
a < [17, 1, ["put", 3481600000000016, 18, ["larger than a burst"]]]
> check
tuples 16 waiting 0 outcomes 0 sessions 0 taken 0 claims 0
